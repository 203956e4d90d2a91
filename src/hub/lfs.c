/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lfs.c — the Git LFS batch API (basic transfer; Xet for uploads where the client offers it) and the answer about
 * locks.
 *
 * Rule: an object is present only when this repository proved possession of it (repo_file). Another repository's
 * object must be uploaded again; the chunk store then finds that it has the bytes.
 * Rule: a download action is given only for what the gate lets out. Objects under review are waited for, all of a
 * batch together at most BATCH_HOLD_MS.
 */
#include "base/clock.h"
#include "hub/lfs.h"

enum { BATCH_HOLD_MS = 60000 };

struct batch_ctx {
    struct hub *h;
    struct http_req *r;
    struct jw w;
    int64_t until_ms;
    bool xet;         /* uploads go by Xet */
    struct str token; /* for them, made once per batch */
    int64_t token_exp_s;
};

static void put_error(struct jw *w, int code, const char *text) {
    jw_key(w, "error");
    jw_obj(w);
    jw_ki64(w, "code", code);
    jw_kcstr(w, "message", text);
    jw_obj_end(w);
}

static err put_action(struct batch_ctx *c, const char *name, enum lfs_op op, const struct lfs_object *o) {
    struct lfs_ticket t = {op,     c->r->repo->id, c->r->who->user_id, clock_wall_ms() / 1000 + LFS_URL_TTL_S,
                           o->oid, o->size};
    struct str url;
    TRY(lfs_url_make(c->h, c->r->arena, c->r->base_url, &t, &url));
    jw_key(&c->w, name);
    jw_obj(&c->w);
    jw_kstr(&c->w, "href", url);
    jw_key(&c->w, "header");
    jw_obj(&c->w);
    jw_obj_end(&c->w);
    jw_ki64(&c->w, "expires_in", LFS_URL_TTL_S);
    jw_obj_end(&c->w);
    return OK;
}

/* Where the content store is and the token for it; href is where a fresh one is to be had. */
static err put_xet_action(struct batch_ctx *c) {
    struct http_req *r = c->r;
    struct repo_rec *repo = r->repo;
    if (c->token.n == 0)
        TRY(xet_token_make(c->h->xet, r->arena, repo->id, r->who->user_id, true, &c->token, &c->token_exp_s));
    jw_key(&c->w, "upload");
    jw_obj(&c->w);
    jw_kstr(&c->w, "href",
            arena_printf(r->arena, STR_FMT "/api/%s/" STR_FMT "/" STR_FMT "/xet-write-token/main", STR_ARG(r->base_url),
                         repo_type_plural(repo->type), STR_ARG(repo->owner), STR_ARG(repo->name)));
    jw_key(&c->w, "header");
    jw_obj(&c->w);
    jw_kstr(&c->w, "X-Xet-Cas-Url", xet_cas_url(c->h->xet, r->arena, r->base_url));
    jw_kstr(&c->w, "X-Xet-Access-Token", c->token);
    jw_kstr(&c->w, "X-Xet-Token-Expiration", arena_printf(r->arena, "%" PRId64, c->token_exp_s));
    jw_obj_end(&c->w);
    jw_obj_end(&c->w);
    return OK;
}

static err put_upload(struct batch_ctx *c, const struct lfs_object *o) {
    struct xet_file f;
    err e = xet_file_find(c->h->xet, c->r->repo->id, o->oid, &f);
    if (e == OK && f.size != o->size) {
        put_error(&c->w, 422, arena_printf(c->r->arena, "size: the stored object has %" PRIu64 " bytes", f.size).p);
        return OK;
    }
    if (e == OK) return OK; /* no actions: present */
    if (e != E_NOT_FOUND) return e;
    jw_kbool(&c->w, "authenticated", true);
    jw_key(&c->w, "actions");
    jw_obj(&c->w);
    if (c->xet) TRY(put_xet_action(c));
    else TRY(put_action(c, "upload", LFS_UPLOAD, o));
    TRY(put_action(c, "verify", LFS_VERIFY, o));
    jw_obj_end(&c->w);
    return OK;
}

static err put_download(struct batch_ctx *c, const struct lfs_object *o) {
    struct xet_file f;
    struct str warn;
    err e = xet_file_find(c->h->xet, c->r->repo->id, o->oid, &f);
    if (e == E_NOT_FOUND) {
        put_error(&c->w, 404, "this repository does not hold the object");
        return OK;
    }
    TRY(e);
    e = verdict_gate(c->h->store, c->r->arena, c->r->repo->id, o->oid, MAX(c->until_ms - clock_mono_ms(), 0), &warn);
    if (e == E_BLOCKED || e == E_PENDING) {
        put_error(&c->w, e->status, err_text());
        return OK;
    }
    TRY(e);
    struct lfs_object stored = {.oid = o->oid, .size = f.size};
    jw_kbool(&c->w, "authenticated", true);
    jw_key(&c->w, "actions");
    jw_obj(&c->w);
    TRY(put_action(c, "download", LFS_DOWNLOAD, &stored));
    jw_obj_end(&c->w);
    return OK;
}

static err put_object(struct batch_ctx *c, const struct lfs_object *o, bool upload) {
    jw_obj(&c->w);
    jw_kstr(&c->w, "oid", o->oid);
    jw_key(&c->w, "size");
    jw_u64(&c->w, o->size);
    if (o->fault != NULL) put_error(&c->w, 422, i18n(c->r->lang, o->fault));
    else if (upload) TRY(put_upload(c, o));
    else TRY(put_download(c, o));
    jw_obj_end(&c->w);
    return OK;
}

static err batch(struct http_req *r) {
    struct hub *h = hub_of(r);
    struct jv root;
    struct lfs_batch b;
    TRY(http_body_json(r, MiB, &root));
    TRY(lfs_batch_parse(r->arena, root, &b));
    if (b.upload) TRY(repo_access(h->id, r->who, r->repo, ROLE_WRITE));
    else TRY(hub_gated_check(r));
    struct buf out cleanup(buf_release);
    buf_init(&out, 4 * MiB);
    struct batch_ctx c = {.h = h, .r = r, .until_ms = clock_mono_ms() + BATCH_HOLD_MS, .xet = b.upload && b.xet};
    jw_init(&c.w, &out);
    jw_obj(&c.w);
    jw_kcstr(&c.w, "transfer", c.xet ? "xet" : "basic");
    jw_kcstr(&c.w, "hash_algo", "sha256");
    jw_key(&c.w, "objects");
    jw_arr(&c.w);
    for (size_t i = 0; i < b.n; i++) TRY(put_object(&c, &b.objects[i], b.upload));
    jw_arr_end(&c.w);
    jw_obj_end(&c.w);
    TRY(buf_ok(&out, "the answer"));
    return http_reply(r, 200, LFS_TYPE, buf_view(&out));
}

/* 501, not an error of ours: git-lfs then leaves locking alone for this remote without a word to the user (decision
 * 0052). */
static err locks(struct http_req *r) {
    return http_reply(r, 501, LFS_TYPE, STR("{\"message\":\"file locking is not offered here\"}"));
}

#define LFS1(PREFIX, SUFFIX, TYPE, TAG)                                                                                \
    {.methods = HTTP_POST,                                                                                             \
     .pattern = PREFIX "/{ns}/{name}" SUFFIX "/info/lfs/objects/batch",                                                \
     .fn = batch,                                                                                                      \
     .auth = AUTH_REPO_READ,                                                                                           \
     .dialect = DIALECT_LFS,                                                                                           \
     .name = "lfs.batch." TAG,                                                                                         \
     .summary = "Git LFS batch: addresses for large files",                                                            \
     .repo_type = TYPE,                                                                                                \
     .max_body = 1 << 20},                                                                                             \
        {.methods = HTTP_GET | HTTP_POST,                                                                              \
         .pattern = PREFIX "/{ns}/{name}" SUFFIX "/info/lfs/locks",                                                    \
         .fn = locks,                                                                                                  \
         .auth = AUTH_REPO_READ,                                                                                       \
         .dialect = DIALECT_LFS,                                                                                       \
         .name = "lfs.locks." TAG,                                                                                     \
         .summary = "Git LFS locks (not offered)",                                                                     \
         .repo_type = TYPE},                                                                                           \
    {                                                                                                                  \
        .methods = HTTP_POST, .pattern = PREFIX "/{ns}/{name}" SUFFIX "/info/lfs/locks/{rest...}", .fn = locks,        \
        .auth = AUTH_REPO_READ, .dialect = DIALECT_LFS, .name = "lfs.locks_more." TAG,                                 \
        .summary = "Git LFS locks (not offered)", .repo_type = TYPE                                                    \
    }

static const struct http_route routes[] = {
    LFS1("", "", "model", "model"),
    LFS1("", ".git", "model", "model_git"),
    LFS1("/datasets", "", "dataset", "dataset"),
    LFS1("/datasets", ".git", "dataset", "dataset_git"),
    LFS1("/spaces", "", "space", "space"),
    LFS1("/spaces", ".git", "space", "space_git"),
};

err hub_lfs_routes(struct hub *h, struct http_router *rt) {
    TRY(http_router_add(rt, lfs_transfer_route, lfs_transfer_n, h));
    return http_router_add(rt, routes, ARRAY_LEN(routes), h);
}
