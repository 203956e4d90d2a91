/* SPDX-License-Identifier: Apache-2.0 */
/* hub_util.c — what many handlers of the Hugging Face API need: URLs, revisions, paging, the gate's headers. */
#include "base/clock.h"
#include "base/hex.h"
#include "hub/hub_parts.h"

struct str hub_repo_id(struct arena *a, const struct repo_rec *repo) {
    return arena_printf(a, STR_FMT "/" STR_FMT, STR_ARG(repo->owner), STR_ARG(repo->name));
}

struct str hub_repo_url(struct http_req *r, const struct repo_rec *repo) {
    return arena_printf(r->arena, STR_FMT "/%s" STR_FMT "/" STR_FMT, STR_ARG(r->base_url), repo_type_prefix(repo->type),
                        STR_ARG(repo->owner), STR_ARG(repo->name));
}

err hub_rev(struct http_req *r, char commit[GIT_OID_HEX + 1]) {
    struct str rev = http_param(r, "rev");
    if (rev.n == 0 || str_eqz(rev, "None")) rev = STR("main");
    return git_resolve(hub_of(r)->git, r->repo->id, rev, commit);
}

struct git_author hub_author(struct http_req *r) {
    struct str email = arena_printf(r->arena, STR_FMT "@users.noreply.ballast", STR_ARG(r->who->name));
    return (struct git_author){r->who->name, email, clock_wall_ms()};
}

bool hub_query_has(struct http_req *r, const char *name, const char *want) {
    char bracket[64];
    snprintf(bracket, sizeof bracket, "%s[]", name);
    struct str v;
    for (unsigned i = 0; i < 64 && uri_param(r->arena, r->query, name, i, &v); i++)
        if (str_eqz(v, want)) return true;
    for (unsigned i = 0; i < 64 && uri_param(r->arena, r->query, bracket, i, &v); i++)
        if (str_eqz(v, want)) return true;
    return false;
}

struct str hub_cursor_make(struct arena *a, struct str s) {
    struct buf b cleanup(buf_release);
    buf_init(&b, 16 * KiB);
    base64url_encode(&b, s.p, s.n);
    return arena_str(a, buf_view(&b));
}

bool hub_cursor_read(struct arena *a, struct str cursor, struct str *out) {
    if (cursor.n > 8 * KiB) return false;
    struct buf b cleanup(buf_release);
    buf_init(&b, 8 * KiB);
    if (!base64_decode(&b, cursor)) return false;
    *out = arena_str(a, buf_view(&b));
    return true;
}

void hub_link_next(struct http_req *r, struct str cursor) {
    struct buf b cleanup(buf_release);
    buf_init(&b, 32 * KiB);
    struct str rest = r->query, item;
    buf_printf(&b, "<" STR_FMT STR_FMT "?", STR_ARG(r->base_url), STR_ARG(r->path));
    while (rest.n > 0 && str_split(&rest, '&', &item))
        if (item.n > 0 && !str_starts(item, "cursor=")) buf_printf(&b, STR_FMT "&", STR_ARG(item));
    buf_printf(&b, "cursor=" STR_FMT ">; rel=\"next\"", STR_ARG(cursor));
    /* A query too long for the buffer ends the listing here rather than giving out a wrong address. */
    if (buf_ok(&b, "Link") == OK) http_set(r, "Link", arena_str(r->arena, buf_view(&b)));
}

err hub_no_pull_requests(struct http_req *r) {
    struct str rev = http_param(r, "rev");
    if (!http_query_bool(r, "create_pr", false) && !str_starts(rev, "refs/pr/")) return OK;
    return err_fail(E_BAD_REQUEST,
                    "Pull requests are not offered by this server yet; nothing was changed. Upload without --create-pr "
                    "(create_pr=True), or to a branch of your own: hf repos branch create, then --revision.");
}

err hub_gated_check(struct http_req *r) {
    if (r->repo->gated.n == 0 || r->repo->my_role >= ROLE_WRITE) return OK;
    struct str id = hub_repo_id(r->arena, r->repo);
    return err_fail(E_GATED,
                    "Access to %s " STR_FMT
                    " is restricted and you are not in the authorized list. Ask its owner for access.",
                    repo_type_name(r->repo->type), STR_ARG(id));
}

void hub_warn(struct http_req *r, struct str text) {
    struct str line = arena_printf(r->arena, "review; " STR_FMT, STR_ARG(str_sub(text, 0, 480)));
    http_set(r, "X-HF-Warning", line);
}

err hub_gate(struct http_req *r, struct str oid, struct str path) {
    struct str key = verdict_key(r->arena, oid, path);
    struct hub *h = hub_of(r);
    struct str warn = STR_NULL;
    err e = verdict_gate(h->store, r->arena, r->repo->id, key, h->gate_hold_ms, &warn);
    if (e == OK) {
        if (warn.n > 0) hub_warn(r, arena_printf(r->arena, STR_FMT ": " STR_FMT, STR_ARG(path), STR_ARG(warn)));
        return OK;
    }
    /* The HF dialect of http adds X-HF-Warning, X-Error-Message and Retry-After to these two. */
    return e == E_PENDING || e == E_BLOCKED ? err_wrap(e, STR_FMT, STR_ARG(path)) : e;
}
