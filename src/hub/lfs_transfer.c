/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lfs_transfer.c — bytes of large files by signed address: PUT, GET with Range, verify.
 *
 * PUT streams into the chunk store, which recomputes size and SHA-256; only then the repository may use the object.
 * GET asks the gate again: an address handed out before a verdict must not outlive it.
 */
#include "hub/lfs.h"

enum { BLOCK = 256 * 1024 };

static err put_stream(struct http_req *r, const struct lfs_ticket *t, struct xet_writer *w, char *block) {
    uint64_t total = 0;
    for (;;) {
        size_t n = 0;
        TRY(http_body_read(r, block, BLOCK, &n));
        if (n == 0) return OK;
        total += n;
        if (total > t->size)
            return err_fail(E_UNPROCESSABLE,
                            "the object has more than the %" PRIu64 " bytes announced; nothing was stored", t->size);
        TRY(xet_writer_add(w, block, n));
    }
}

static err put_object(struct http_req *r) {
    struct hub *h = hub_of(r);
    struct lfs_ticket t;
    TRY(lfs_url_check(h, r, LFS_UPLOAD, &t));
    if (r->content_length >= 0 && (uint64_t)r->content_length != t.size)
        return err_fail(E_UNPROCESSABLE, "Content-Length: expected %" PRIu64 " bytes as announced; nothing was stored",
                        t.size);
    struct xet_writer *w = NULL;
    TRY(xet_writer_open(h->xet, &w));
    char *block = malloc(BLOCK);
    err e = block == NULL ? err_fail(E_NOMEM, "out of memory") : put_stream(r, &t, w, block);
    free(block);
    if (e != OK) {
        xet_writer_abort(w);
        return e;
    }
    struct xet_file f;
    TRY(xet_writer_commit(w, t.repo_id, t.oid, t.size, &f));
    return http_reply_empty(r, 200);
}

static err get_stream(struct http_req *r, struct xet_reader *rd) {
    char *block = malloc(BLOCK);
    if (block == NULL) return err_fail(E_NOMEM, "out of memory");
    err e;
    size_t n = 0;
    while ((e = xet_reader_read(rd, block, BLOCK, &n)) == OK && n > 0 && (e = http_write(r, block, n)) == OK) {}
    free(block);
    return e == OK ? http_end(r) : e;
}

static err get_object(struct http_req *r) {
    struct hub *h = hub_of(r);
    struct lfs_ticket t;
    struct xet_file f;
    struct str warn;
    uint64_t start = 0, len = 0;
    bool partial = false;
    TRY(lfs_url_check(h, r, LFS_DOWNLOAD, &t));
    TRY(verdict_gate(h->store, r->arena, t.repo_id, t.oid, h->gate_hold_ms, &warn));
    TRY(xet_file_find(h->xet, t.repo_id, t.oid, &f));
    http_set(r, "Accept-Ranges", STR("bytes"));
    http_setf(r, "ETag", "\"" STR_FMT "\"", STR_ARG(t.oid));
    http_set(r, "Cache-Control", STR("private, no-store"));
    if (warn.n > 0) hub_warn(r, warn);
    TRY(http_range(r, f.size, &start, &len, &partial));
    if (!partial) start = 0, len = f.size;
    if (partial)
        http_setf(r, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, start, start + len - 1, f.size);
    struct xet_reader *rd = NULL;
    if (r->method != HTTP_HEAD) TRY(xet_reader_open(h->xet, &f, start, len, &rd));
    err e = http_begin(r, partial ? 206 : 200, "application/octet-stream", (int64_t)len);
    if (e == OK) e = rd != NULL ? get_stream(r, rd) : http_end(r);
    if (rd != NULL) xet_reader_close(rd);
    return e;
}

static err verify_object(struct http_req *r) {
    struct hub *h = hub_of(r);
    struct lfs_ticket t;
    struct jv root;
    struct lfs_object o;
    struct xet_file f;
    TRY(lfs_url_check(h, r, LFS_VERIFY, &t));
    TRY(http_body_json(r, 64 * KiB, &root));
    TRY(lfs_object_parse(root, &o));
    if (o.fault != NULL || !str_eq(o.oid, t.oid))
        return err_fail(E_UNPROCESSABLE, "oid: expected the object of this address");
    TRY(xet_file_find(h->xet, t.repo_id, t.oid, &f));
    if (f.size != o.size) return err_fail(E_UNPROCESSABLE, "size: expected %" PRIu64 " bytes", f.size);
    return http_reply(r, 200, LFS_TYPE, STR("{}"));
}

const struct http_route lfs_transfer_route[] = {
    {.methods = HTTP_PUT,
     .pattern = "/api/ballast/lfs/{repo}/{oid}",
     .fn = put_object,
     .auth = AUTH_SIGNED,
     .dialect = DIALECT_LFS,
     .name = "lfs.put",
     .summary = "Upload a large file (address from the LFS batch API)",
     .max_body = HTTP_BODY_ANY},
    {.methods = HTTP_GET,
     .pattern = "/api/ballast/lfs/{repo}/{oid}",
     .fn = get_object,
     .auth = AUTH_SIGNED,
     .dialect = DIALECT_LFS,
     .name = "lfs.get",
     .summary = "Download a large file (address from the LFS batch API)"},
    {.methods = HTTP_POST,
     .pattern = "/api/ballast/lfs/{repo}/{oid}",
     .fn = verify_object,
     .auth = AUTH_SIGNED,
     .dialect = DIALECT_LFS,
     .name = "lfs.verify",
     .summary = "Confirm that an uploaded large file is stored"},
};
const size_t lfs_transfer_n = ARRAY_LEN(lfs_transfer_route);
