/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blobs.c — the files of one commit on their way into git: a few as files of their own, many as one pack.
 *
 * A loose object costs a file to create, to sync and to pack later; a pack costs a file to everybody who looks for an
 * object. So the first LOOSE_MAX blobs are written loose and the rest goes into one pack, visible at git_blobs_end().
 */
#include "git/packfile.h"

enum { LOOSE_MAX = 100, PACKED_MAX = 100000 };

struct git_blobs {
    struct git *g;
    int64_t repo_id;
    size_t n_loose;
    struct packfile *pack;
};

struct git_blobs *git_blobs_new(struct git *g, int64_t repo_id) {
    struct git_blobs *b = calloc(1, sizeof *b);
    BUG_ON(b == NULL);
    *b = (struct git_blobs){.g = g, .repo_id = repo_id};
    return b;
}

void git_blobs_free(struct git_blobs *b) {
    if (b == NULL) return;
    packfile_free(b->pack);
    free(b);
}

struct add_job {
    struct git_blobs *b;
    struct str content;
    char *oid;
};

/* [work] */
static err pack_run(void *arg) {
    struct add_job *j = arg;
    git_oid oid;
    const char *p = j->content.p != NULL ? j->content.p : "";
    if (j->b->pack == NULL) {
        char path[GIT_DIR_MAX], objects[GIT_DIR_MAX + 16];
        git_dir_path(j->b->g, j->b->repo_id, path, sizeof path);
        snprintf(objects, sizeof objects, "%s/objects", path);
        TRY(packfile_new(objects, PACKED_MAX, &j->b->pack));
    }
    if (git_odb_hash(&oid, p, j->content.n, GIT_OBJECT_BLOB) != 0) return git_lib_fail(E_IO, "cannot hash a file");
    TRY(packfile_add(j->b->pack, &oid, p, j->content.n));
    git_oid_hex(&oid, j->oid);
    return OK;
}

err git_blobs_add(struct git_blobs *b, struct str content, char oid[GIT_OID_HEX + 1]) {
    if (b->n_loose < LOOSE_MAX) {
        b->n_loose++;
        return git_blob_write(b->g, b->repo_id, content, oid);
    }
    struct add_job j = {b, content, oid};
    return work_run(pack_run, &j);
}

/* [work] */
static err end_run(void *arg) {
    struct git_blobs *b = arg;
    return packfile_done(b->pack);
}

err git_blobs_end(struct git_blobs *b) {
    if (b->pack == NULL) return OK;
    err e = work_run(end_run, b);
    packfile_free(b->pack);
    b->pack = NULL;
    return e;
}
