/* SPDX-License-Identifier: Apache-2.0 */
/* hub_commit.h — the operations of one commit while its body is read (hub_commit_ops.c). */
#ifndef BALLAST_HUB_COMMIT_H
#define BALLAST_HUB_COMMIT_H

#include "hub/hub_internal.h"
#include "hub/hub_ndjson.h"

enum { COMMIT_OPS_MAX = 50000, COMMIT_PATHS_MAX = 8 * 1024 * 1024, COMMIT_TEXT_MAX = 256 * 1024 };
struct hub_commit {
    struct hub *h;
    struct arena *arena;  /* what outlives the body: paths, texts */
    struct arena scratch; /* one line */
    struct buf decoded;   /* one file */
    struct git_blobs *blobs;
    int64_t repo_id;
    bool has_header;
    struct str summary, description, parent;
    struct git_op *ops;
    size_t n_ops, cap_ops, path_bytes;
};
must_check err hub_commit_init(struct hub_commit *c, struct hub *h, struct arena *a, int64_t repo_id);
/* One line: file contents are written to git at once, large files must be bound to the repository. */
may_suspend err hub_commit_line(struct hub_commit *c, struct str line) must_check;
/* After the last line: a header was there; the files' contents can be read from git. */
may_suspend err hub_commit_end(struct hub_commit *c) must_check;
/* Frees the memory of lines; operations stay. */
void hub_commit_scratch_free(struct hub_commit *c);
#endif
