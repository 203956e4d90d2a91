/* SPDX-License-Identifier: Apache-2.0 */
/* review_int.h — shared inside the room. */
#ifndef BALLAST_REVIEW_INT_H
#define BALLAST_REVIEW_INT_H

#include "facts.h"
#include "review.h"
#include "sign.h"

struct review {
    struct store *store;
    struct hub *hub;
    struct id *id;
    char responsible[256];
    unsigned max_workers;
    int64_t slow_ms;
    struct sign_key key;
    _Atomic bool stopping;
    bool started;
    struct done stopped;
};

/* As review_file, with the facts. *examined false: the child gave no valid answer; out says "not examined". */
may_suspend err review_examine(struct arena *a, int fd, struct str name, struct review_file_result *out,
                               struct facts *facts, bool *examined) must_check;
/* Examine one blob of a repository and record facts and verdict. *absent: its bytes are not here (nothing recorded). */
may_suspend err review_blob(struct review *v, int64_t repo_id, const struct git_entry *e, bool *absent) must_check;
/* All files of a revision, recursively, without folders. */
may_suspend err review_tree(struct review *v, struct arena *a, int64_t repo_id, struct str commit,
                            struct git_entry **out, size_t *n) must_check;
/* Compose, sign and record the statement of a revision whose files are decided. */
may_suspend err review_issue(struct review *v, struct arena *a, int64_t repo_id, struct str commit,
                             const struct git_entry *files, size_t n) must_check;
/* The coordinator fiber. */
void review_pipeline(void *arg);
enum { REVIEW_FILES_MAX = 200000 };
#endif
