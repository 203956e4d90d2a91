/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta.c — size of a blob and the pointer in it, remembered by id: listing a tree of 10,000 files would otherwise
 * open every small blob again. A direct-mapped table of fixed size (GIT_META_SLOTS); contents never change, since
 * the id is the hash of the bytes. Only asked for ids found in a tree the caller may read.
 */
#include "git/git_internal.h"

#include "git/lfs_pointer.h"

enum { STRIPES = 16 };

struct meta_slot {
    git_oid oid;
    uint64_t size, lfs_size;
    uint8_t sha256[32];
    bool used, is_lfs;
};
struct git_meta {
    pthread_mutex_t mu[STRIPES];
    struct meta_slot slots[GIT_META_SLOTS];
};

err git_meta_open(struct git_meta **out) {
    struct git_meta *m = calloc(1, sizeof *m);
    if (m == NULL) return err_fail(E_NOMEM, "out of memory");
    for (int i = 0; i < STRIPES; i++) pthread_mutex_init(&m->mu[i], NULL);
    *out = m;
    return OK;
}

void git_meta_close(struct git_meta *m) {
    if (m == NULL) return;
    for (int i = 0; i < STRIPES; i++) pthread_mutex_destroy(&m->mu[i]);
    free(m);
}

static err meta_read(git_odb *odb, const git_oid *oid, struct git_blob_meta *out) {
    size_t size = 0;
    git_object_t type;
    *out = (struct git_blob_meta){0};
    if (git_odb_read_header(&size, &type, odb, oid) != 0) return git_lib_fail(E_CORRUPT, "a blob is missing");
    out->size = size;
    if (type != GIT_OBJECT_BLOB) return err_fail(E_CORRUPT, "git: a tree entry names something that is not a blob");
    if (size > LFS_POINTER_MAX || size < 60) return OK;
    git_odb_object *o = NULL;
    if (git_odb_read(&o, odb, oid) != 0) return git_lib_fail(E_CORRUPT, "a blob cannot be read");
    struct lfs_pointer p;
    if (lfs_pointer_parse(str_make(git_odb_object_data(o), git_odb_object_size(o)), &p)) {
        out->is_lfs = true;
        out->lfs_size = p.size;
        memcpy(out->sha256, p.sha256, sizeof out->sha256);
    }
    git_odb_object_free(o);
    return OK;
}

err git_blob_meta(struct git *g, git_odb *odb, const git_oid *oid, struct git_blob_meta *out) {
    uint32_t h;
    memcpy(&h, oid->id, sizeof h);
    size_t at = h & (GIT_META_SLOTS - 1);
    struct meta_slot *s = &g->meta->slots[at];
    pthread_mutex_t *mu = &g->meta->mu[at % STRIPES];
    pthread_mutex_lock(mu);
    bool hit = s->used && memcmp(s->oid.id, oid->id, GIT_OID_RAWSZ) == 0;
    if (hit) {
        *out = (struct git_blob_meta){.size = s->size, .is_lfs = s->is_lfs, .lfs_size = s->lfs_size};
        if (s->is_lfs) hex_encode(s->sha256, 32, out->sha256);
    }
    pthread_mutex_unlock(mu);
    if (hit) return OK;
    TRY(meta_read(odb, oid, out));
    struct meta_slot fresh = {
        .oid = *oid, .size = out->size, .lfs_size = out->lfs_size, .used = true, .is_lfs = out->is_lfs};
    if (out->is_lfs) BUG_ON(!hex_decode(str_make(out->sha256, 64), fresh.sha256, 32));
    pthread_mutex_lock(mu);
    *s = fresh;
    pthread_mutex_unlock(mu);
    return OK;
}
