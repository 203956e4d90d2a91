/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_file.c — the bytes of an entry, whichever way they are stored: git blobs whole in memory (they are small by the
 * inline limit), large files rebuilt window by window.
 *
 * Invariant: an open file either has a reader (large) or a blob (small), never both.
 */
#include "hub/hub_internal.h"

enum { HUB_BLOB_MAX = 64 * 1024 * 1024 };

struct hub_file {
    struct xet_reader *reader;
    struct arena arena; /* owns blob */
    struct str blob;    /* what is left of it */
};

struct str hub_entry_oid(const struct git_entry *e) {
    return e->is_lfs ? e->lfs_sha256 : (struct str){e->oid, GIT_OID_HEX};
}

struct str hub_entry_key(struct arena *a, const struct git_entry *e) {
    return verdict_key(a, hub_entry_oid(e), e->path);
}

static err open_large(struct hub *h, int64_t repo_id, const struct git_entry *e, uint64_t off, uint64_t len,
                      struct hub_file *f) {
    struct xet_file x;
    err er = xet_file_find(h->xet, repo_id, e->lfs_sha256, &x);
    if (er != OK)
        return err_wrap(er, "the bytes of " STR_FMT " (sha256 " STR_FMT ") were never uploaded to this repository",
                        STR_ARG(e->path), STR_ARG(e->lfs_sha256));
    if (off > x.size) off = x.size;
    return xet_reader_open(h->xet, &x, off, MIN(len, x.size - off), &f->reader);
}

err hub_file_open(struct hub *h, int64_t repo_id, const struct git_entry *e, uint64_t off, uint64_t len,
                  struct hub_file **out) {
    if (e->is_dir) return err_fail(E_ENTRY_NOT_FOUND, STR_FMT " is a folder, not a file", STR_ARG(e->path));
    struct hub_file *f = calloc(1, sizeof *f);
    if (f == NULL) return err_fail(E_NOMEM, "no memory to open a file");
    arena_init(&f->arena, 2 * (size_t)HUB_BLOB_MAX);
    err er = e->is_lfs ? open_large(h, repo_id, e, off, len, f)
                       : git_blob(h->git, &f->arena, repo_id, e->oid, HUB_BLOB_MAX, &f->blob);
    if (er != OK) {
        arena_release(&f->arena);
        free(f);
        return er;
    }
    if (f->reader == NULL)
        f->blob = str_sub(f->blob, (size_t)MIN(off, f->blob.n), (size_t)MIN(len, (uint64_t)f->blob.n));
    *out = f;
    return OK;
}

err hub_file_read(struct hub_file *f, void *p, size_t cap, size_t *n) {
    if (f->reader != NULL) return xet_reader_read(f->reader, p, cap, n);
    *n = MIN(cap, f->blob.n);
    if (*n > 0) memcpy(p, f->blob.p, *n);
    f->blob = str_from(f->blob, *n);
    return OK;
}

void hub_file_close(struct hub_file *f) {
    if (f == NULL) return;
    if (f->reader != NULL) xet_reader_close(f->reader);
    arena_release(&f->arena);
    free(f);
}

err hub_file_all(struct hub *h, struct arena *a, int64_t repo_id, const struct git_entry *e, size_t max,
                 struct str *out) {
    uint64_t size = e->is_lfs ? e->lfs_size : e->size;
    if (size > max)
        return err_fail(E_TOO_LARGE, STR_FMT " has %" PRIu64 " bytes; at most %zu are read here", STR_ARG(e->path),
                        size, max);
    if (!e->is_lfs) return git_blob(h->git, a, repo_id, e->oid, max, out);
    struct hub_file *f;
    TRY(hub_file_open(h, repo_id, e, 0, size, &f));
    char *p = arena_try(a, (size_t)size + 1);
    err er =
        p != NULL ? OK : err_fail(arena_why(a, (size_t)size + 1, E_LIMIT), "no room for " STR_FMT, STR_ARG(e->path));
    size_t at = 0;
    while (er == OK && at < size) {
        size_t n = 0;
        er = hub_file_read(f, p + at, (size_t)size - at, &n);
        if (er == OK && n == 0)
            er = err_fail(E_CORRUPT, STR_FMT " ended after %zu of %" PRIu64 " bytes", STR_ARG(e->path), at, size);
        at += n;
    }
    hub_file_close(f);
    if (er == OK) *out = (struct str){p, at};
    return er;
}
