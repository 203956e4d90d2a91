/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_token.c — GET …/xet-read-token/{rev} and …/xet-write-token/{rev}.
 *
 * Python reads the headers, hf_xet the JSON: both are always sent. A read token is refused only when the revision has
 * large files and none of them may be served; the gate per file stands at the content store.
 */
#include "hub/hub_parts.h"

enum { LOOK_AT = 1000 };

static err reply_token(struct http_req *r, bool write) {
    struct hub *h = hub_of(r);
    struct str token;
    int64_t exp_s;
    TRY(xet_token_make(h->xet, r->arena, r->repo->id, r->who->user_id, write, &token, &exp_s));
    struct str cas = xet_cas_url(h->xet, r->arena, r->base_url);
    http_set(r, "X-Xet-Access-Token", token);
    http_set(r, "X-Xet-Cas-Url", cas);
    http_setf(r, "X-Xet-Token-Expiration", "%" PRId64, exp_s);
    http_set(r, "Cache-Control", STR("no-store"));
    struct buf b cleanup(buf_release);
    buf_init(&b, 16 * KiB);
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "accessToken", token);
    jw_ki64(&w, "exp", exp_s);
    jw_kstr(&w, "casUrl", cas);
    jw_obj_end(&w);
    TRY(buf_ok(&b, "token"));
    return http_reply_json(r, 200, &b);
}

/* OK when at least one large file may be served (or there is none to refuse). Looks at the first LOOK_AT entries. */
static err any_servable(struct http_req *r, const char *commit) {
    struct hub *h = hub_of(r);
    struct arena a;
    struct git_entry *ent;
    const struct git_entry *held = NULL;
    size_t n = 0;
    bool more, servable = false;
    arena_init(&a, 16 * MiB);
    err e = git_tree(h->git, &a, r->repo->id, (struct str){commit, GIT_OID_HEX}, STR(""), true, STR(""), LOOK_AT, &ent,
                     &n, &more);
    for (size_t i = 0; e == OK && !servable && i < n; i++) {
        struct blob_verdict v;
        if (ent[i].is_dir || !ent[i].is_lfs) continue;
        e = verdict_blob_get(db_reader(h->store), &a, r->repo->id, hub_entry_key(&a, &ent[i]), &v);
        if (e != OK) break;
        servable = v.verdict != VERDICT_PENDING && v.verdict != VERDICT_BLOCK;
        /* A pending file decides the answer over a blocked one: waiting may help. */
        if (held == NULL || v.verdict == VERDICT_PENDING) held = &ent[i];
    }
    if (e == OK && !servable && !more && held != NULL) {
        struct str oid = arena_str(r->arena, held->lfs_sha256), path = arena_str(r->arena, held->path);
        arena_release(&a);
        return hub_gate(r, oid, path);
    }
    arena_release(&a);
    return e;
}

static err read_token(struct http_req *r) {
    char commit[GIT_OID_HEX + 1];
    TRY(hub_rev(r, commit));
    TRY(hub_gated_check(r));
    TRY(any_servable(r, commit));
    hub_count_download(r);
    return reply_token(r, false);
}

static err write_token(struct http_req *r) {
    TRY(hub_no_pull_requests(r));
    char commit[GIT_OID_HEX + 1];
    TRY(hub_rev(r, commit));
    return reply_token(r, true);
}

const struct http_route hub_token_route[] = {
    HUB_API3(HTTP_GET, "/xet-read-token/{rev}", read_token, AUTH_REPO_READ, "hub.xetread",
             "Token to read large files of a repository", 0),
    HUB_API3(HTTP_GET, "/xet-write-token/{rev}", write_token, AUTH_REPO_WRITE, "hub.xetwrite",
             "Token to upload large files to a repository", 0),
};
const size_t hub_token_n = ARRAY_LEN(hub_token_route);
