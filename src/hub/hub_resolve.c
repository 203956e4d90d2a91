/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_resolve.c — HEAD and GET of one file: /{ns}/{name}/resolve/{rev}/{path}, and raw/ (pointer text of large files).
 *
 * The HEAD is where every client learns identity (ETag), size, commit and, for a withheld file, the reason; so the
 * order is: revision, entry (a missing one names the commit), access, gate, headers, bytes. Bytes are never compressed
 * here: lengths and ranges are exact.
 */
#include "hub/hub_mime.h"
#include "hub/hub_parts.h"

enum { WINDOW = 256 * 1024 };

struct target {
    char commit[GIT_OID_HEX + 1];
    struct git_entry e;
    bool pointer; /* raw/: the pointer itself */
    uint64_t size;
    char xet[XET_HEX_LEN + 1]; /* "" when not a Xet file */
};

static err find_target(struct http_req *r, bool raw, struct target *t) {
    struct hub *h = hub_of(r);
    struct str path = http_param(r, "path");
    TRY(hub_rev(r, t->commit));
    http_set(r, "X-Repo-Commit", arena_str(r->arena, str_of(t->commit)));
    err e = git_entry_get(h->git, r->arena, r->repo->id, (struct str){t->commit, GIT_OID_HEX}, path, &t->e);
    if (e == OK && t->e.is_dir) e = E_ENTRY_NOT_FOUND;
    if (e == E_ENTRY_NOT_FOUND)
        return err_fail(E_ENTRY_NOT_FOUND, "Entry not found: " STR_FMT " is not a file at revision %s", STR_ARG(path),
                        t->commit);
    TRY(e);
    t->pointer = raw && t->e.is_lfs;
    t->size = t->e.is_lfs && !t->pointer ? t->e.lfs_size : t->e.size;
    return OK;
}

static void set_headers(struct http_req *r, struct target *t) {
    struct str etag = t->pointer ? (struct str){t->e.oid, GIT_OID_HEX} : hub_entry_oid(&t->e);
    http_setf(r, "ETag", "\"" STR_FMT "\"", STR_ARG(etag));
    http_set(r, "Accept-Ranges", STR("bytes"));
    http_set(r, "X-Content-Type-Options", STR("nosniff"));
    http_set(r, "Content-Security-Policy", STR("default-src 'none'; sandbox"));
    http_set(r, "Content-Disposition",
             hub_mime_disposition(r->arena, t->e.path, http_query_bool(r, "download", false)));
    http_set(r, "Vary", STR("Origin, Accept"));
    if (!t->e.is_lfs || t->pointer) return;
    http_setf(r, "X-Linked-ETag", "\"" STR_FMT "\"", STR_ARG(t->e.lfs_sha256));
    http_setf(r, "X-Linked-Size", "%" PRIu64, t->e.lfs_size);
    if (hub_entry_xet(hub_of(r), r->arena, r->repo->id, &t->e, t->xet)) hub_xet_headers(r, t->xet, t->commit);
    else t->xet[0] = 0;
}

/* The JavaScript library asks with GET and this type; it wants the same facts without the bytes. */
static err reply_fileinfo(struct http_req *r, struct target *t) {
    struct buf b cleanup(buf_release);
    buf_init(&b, 8 * KiB);
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "etag", hub_entry_oid(&t->e));
    jw_ki64(&w, "size", (int64_t)t->size);
    jw_kcstr(&w, "hash", t->xet);
    jw_kstr(&w, "refreshUrl",
            arena_printf(r->arena, STR_FMT "/api/%s/" STR_FMT "/" STR_FMT "/xet-read-token/%s", STR_ARG(r->base_url),
                         repo_type_plural(r->repo->type), STR_ARG(r->repo->owner), STR_ARG(r->repo->name), t->commit));
    jw_kstr(&w, "reconstructionUrl",
            arena_printf(r->arena, STR_FMT "/v1/reconstructions/%s",
                         STR_ARG(xet_cas_url(hub_of(r)->xet, r->arena, r->base_url)), t->xet));
    jw_obj_end(&w);
    TRY(buf_ok(&b, "file info"));
    return http_reply(r, 200, "application/vnd.xet-fileinfo+json", buf_view(&b));
}

static bool etag_matches(struct str header, struct str etag) {
    struct str rest = header, item;
    while (rest.n > 0 && str_split(&rest, ',', &item)) {
        item = str_trim(item);
        if (str_eqz(item, "*")) return true;
        if (str_starts(item, "W/")) item = str_from(item, 2);
        if (item.n == etag.n + 2 && str_eq(str_sub(item, 1, etag.n), etag)) return true;
    }
    return false;
}

static err send_bytes(struct http_req *r, const struct target *t, int status, uint64_t start, uint64_t len) {
    struct git_entry e = t->e;
    if (t->pointer) e.is_lfs = false;
    struct hub_file *f;
    TRY(hub_file_open(hub_of(r), r->repo->id, &e, start, len, &f));
    char *window = malloc(WINDOW);
    err er = window != NULL ? OK : err_fail(E_NOMEM, "no memory for a download window");
    if (er == OK) er = http_begin(r, status, hub_mime_type(e.path), (int64_t)len);
    for (uint64_t left = len; er == OK && left > 0;) {
        size_t n = 0;
        er = hub_file_read(f, window, (size_t)MIN((uint64_t)WINDOW, left), &n);
        if (er == OK && n == 0)
            er = err_fail(E_CORRUPT, STR_FMT " ended %" PRIu64 " bytes early", STR_ARG(e.path), left);
        if (er == OK) er = http_write(r, window, n);
        left -= n;
    }
    free(window);
    hub_file_close(f);
    if (er == OK) er = http_end(r);
    return er;
}

/*
 * The JavaScript library and old hf-hub (Rust) ask "bytes=0-0" to learn the size, and take only a success with
 * Content-Range for an answer. For an empty file that is 416 by the book; it gets its 200 and a Content-Range that
 * everybody else ignores.
 */
static err range_get(struct http_req *r, const struct target *t, uint64_t *start, uint64_t *len, bool *partial) {
    if (t->size == 0 && str_starts(http_header(r, "Range"), "bytes=0-")) {
        http_set(r, "Content-Range", STR("bytes */0"));
        return OK;
    }
    return http_range(r, t->size, start, len, partial);
}

static err serve(struct http_req *r, bool raw) {
    struct target t = {0};
    TRY(find_target(r, raw, &t));
    TRY(hub_gated_check(r));
    TRY(hub_gate(r, hub_entry_oid(&t.e), t.e.path));
    set_headers(r, &t);
    struct str etag = t.pointer ? (struct str){t.e.oid, GIT_OID_HEX} : hub_entry_oid(&t.e);
    if (etag_matches(http_header(r, "If-None-Match"), etag)) return http_reply_empty(r, 304);
    if (t.xet[0] != 0 && str_find(http_header(r, "Accept"), STR("application/vnd.xet-fileinfo+json")) >= 0)
        return reply_fileinfo(r, &t);
    uint64_t start = 0, len = t.size;
    bool partial = false;
    struct str if_range = http_header(r, "If-Range");
    if (if_range.n == 0 || etag_matches(if_range, etag)) TRY(range_get(r, &t, &start, &len, &partial));
    if (!partial) start = 0, len = t.size;
    if (partial)
        http_setf(r, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, start, start + len - 1, t.size);
    if (r->method == HTTP_HEAD) {
        TRY(http_begin(r, partial ? 206 : 200, hub_mime_type(t.e.path), (int64_t)len));
        return http_end(r);
    }
    if (start == 0) hub_count_download(r);
    return send_bytes(r, &t, partial ? 206 : 200, start, len);
}

static err resolve(struct http_req *r) {
    return serve(r, false);
}
static err raw(struct http_req *r) {
    return serve(r, true);
}

#define PAGES3(TAIL, FN, NAME, SUMMARY)                                                                                \
    {.methods = HTTP_GET | HTTP_HEAD,                                                                                  \
     .pattern = "/{ns}/{name}" TAIL,                                                                                   \
     .fn = FN,                                                                                                         \
     .auth = AUTH_REPO_READ,                                                                                           \
     .dialect = DIALECT_HF,                                                                                            \
     .name = NAME ".model",                                                                                            \
     .summary = SUMMARY,                                                                                               \
     .repo_type = "model"},                                                                                            \
        {.methods = HTTP_GET | HTTP_HEAD,                                                                              \
         .pattern = "/datasets/{ns}/{name}" TAIL,                                                                      \
         .fn = FN,                                                                                                     \
         .auth = AUTH_REPO_READ,                                                                                       \
         .dialect = DIALECT_HF,                                                                                        \
         .name = NAME ".dataset",                                                                                      \
         .summary = SUMMARY,                                                                                           \
         .repo_type = "dataset"},                                                                                      \
    {                                                                                                                  \
        .methods = HTTP_GET | HTTP_HEAD, .pattern = "/spaces/{ns}/{name}" TAIL, .fn = FN, .auth = AUTH_REPO_READ,      \
        .dialect = DIALECT_HF, .name = NAME ".space", .summary = SUMMARY, .repo_type = "space"                         \
    }

const struct http_route hub_resolve_route[] = {
    PAGES3("/resolve/{rev}/{path...}", resolve, "hub.resolve", "Bytes of a file at a revision"),
    PAGES3("/raw/{rev}/{path...}", raw, "hub.raw", "Bytes of a file as git stores it (pointer text for large files)"),
};
const size_t hub_resolve_n = ARRAY_LEN(hub_resolve_route);
