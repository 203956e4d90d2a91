/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_refs_api.c — GET …/refs, branches, tags, super-squash. Every change is made in git first, then recorded
 * (refs.c); texts that stock clients look for are literal.
 */
#include "hub/hub_parts.h"

static err record(struct http_req *r, struct str ref, const char *old_oid, const char *new_oid, struct str message) {
    struct hub_ref_change c = {ref, str_of(old_oid), str_of(new_oid)};
    return hub_refs_record(hub_of(r), r->repo->id, r->who->user_id, "api", message, &c, 1);
}

static void ref_write(struct jw *w, const struct git_ref *g, size_t prefix) {
    jw_obj(w);
    jw_kstr(w, "name", str_from(g->name, prefix));
    jw_kstr(w, "ref", g->name);
    jw_kcstr(w, "targetCommit", g->target);
    jw_obj_end(w);
}

static err refs(struct http_req *r) {
    static const struct {
        const char *key, *prefix;
        bool always;
    } kinds[] = {{"branches", "refs/heads/", true},
                 {"converts", "refs/convert/", true},
                 {"tags", "refs/tags/", true},
                 {"pullRequests", "refs/pr/", false}};
    struct git_ref *list;
    size_t n;
    TRY(git_refs(hub_of(r)->git, r->arena, r->repo->id, &list, &n));
    struct buf b cleanup(buf_release);
    buf_init(&b, 16 * MiB);
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    for (unsigned k = 0; k < ARRAY_LEN(kinds); k++) {
        if (!kinds[k].always && !http_query_bool(r, "include_prs", false) &&
            !http_query_bool(r, "include_pull_requests", false))
            continue;
        jw_key(&w, kinds[k].key);
        jw_arr(&w);
        for (size_t i = 0; i < n; i++)
            if (str_starts(list[i].name, kinds[k].prefix)) ref_write(&w, &list[i], strlen(kinds[k].prefix));
        jw_arr_end(&w);
    }
    jw_obj_end(&w);
    TRY(buf_ok(&b, "the list of references"));
    return http_reply_json(r, 200, &b);
}

static err start_commit(struct http_req *r, struct str rev, char commit[GIT_OID_HEX + 1]) {
    err e = git_resolve(hub_of(r)->git, r->repo->id, rev, commit);
    if (e == E_REV_NOT_FOUND)
        return err_fail(E_REV_NOT_FOUND, "Invalid rev id: " STR_FMT "; nothing was created", STR_ARG(rev));
    return e;
}

/* POST without a body is allowed: everything has a default. */
static err optional_json(struct http_req *r, struct jv *body) {
    struct str text;
    *body = (struct jv){NULL, 0};
    TRY(http_body_all(r, 64 * KiB, &text));
    return str_trim(text).n == 0 ? OK : json_parse(r->arena, text, NULL, body);
}

static err branch_create(struct http_req *r) {
    struct hub *h = hub_of(r);
    struct jv body;
    struct str name = http_param(r, "rev");
    char commit[GIT_OID_HEX + 1], old[GIT_OID_HEX + 1];
    TRY(optional_json(r, &body));
    if (str_starts(name, "refs/"))
        return err_fail(E_BAD_REQUEST, "Invalid reference for a branch: " STR_FMT, STR_ARG(name));
    if (jv_bool(jv_get(body, "emptyBranch"), false))
        return err_fail(E_BAD_REQUEST, "field emptyBranch: branches without files are not offered; create one from a "
                                       "revision and delete its files");
    struct str start = jv_str(jv_get(body, "startingPoint"), STR_NULL),
               ref = arena_printf(r->arena, "refs/heads/" STR_FMT, STR_ARG(name));
    if (jv_bool(jv_get(body, "overwrite"), false) && git_resolve(h->git, r->repo->id, ref, old) == OK) {
        if (start.n == 0) return http_reply(r, 200, "application/json", STR("{}"));
        TRY(start_commit(r, start, commit));
        TRY(git_ref_delete(h->git, r->repo->id, ref));
        TRY(record(r, ref, old, "", STR("")));
    }
    TRY(start_commit(r, start.n > 0 ? start : STR("main"), commit));
    struct git_author who = hub_author(r);
    TRY(git_ref_create(h->git, r->repo->id, ref, (struct str){commit, GIT_OID_HEX}, STR_NULL, &who));
    TRY(record(r, ref, "", commit, STR("")));
    return http_reply(r, 200, "application/json", STR("{}"));
}

static err ref_delete(struct http_req *r, const char *prefix) {
    struct hub *h = hub_of(r);
    char old[GIT_OID_HEX + 1];
    struct str name = http_param(r, "rev"), ref = arena_printf(r->arena, "%s" STR_FMT, prefix, STR_ARG(name));
    if (str_eqz(ref, "refs/heads/main")) return err_fail(E_FORBIDDEN, "Cannot delete refs/heads/main");
    err e = git_resolve(h->git, r->repo->id, ref, old);
    if (e == OK) e = git_ref_delete(h->git, r->repo->id, ref);
    if (e == E_REV_NOT_FOUND)
        return err_fail(E_REV_NOT_FOUND, "Invalid rev id: " STR_FMT "; nothing was deleted", STR_ARG(name));
    TRY(e);
    TRY(record(r, ref, old, "", STR("")));
    return http_reply(r, 200, "application/json", STR("{}"));
}

static err branch_delete(struct http_req *r) {
    return ref_delete(r, "refs/heads/");
}
static err tag_delete(struct http_req *r) {
    return ref_delete(r, "refs/tags/");
}

static err tag_create(struct http_req *r) {
    struct jv body;
    struct str tag, message;
    char commit[GIT_OID_HEX + 1];
    TRY(http_body_json(r, 64 * KiB, &body));
    TRY(jv_need_str(body, "tag", &tag));
    message = jv_str(jv_get(body, "message"), STR_NULL);
    if (str_starts(tag, "refs/tags/")) tag = str_from(tag, 10);
    TRY(start_commit(r, http_param(r, "rev"), commit));
    struct git_author who = hub_author(r);
    struct str ref = arena_printf(r->arena, "refs/tags/" STR_FMT, STR_ARG(tag));
    TRY(git_ref_create(hub_of(r)->git, r->repo->id, ref, (struct str){commit, GIT_OID_HEX}, message, &who));
    TRY(record(r, ref, "", commit, message));
    return http_reply(r, 200, "application/json", STR("{}"));
}

static err squash(struct http_req *r) {
    struct jv body;
    char old[GIT_OID_HEX + 1], commit[GIT_OID_HEX + 1];
    struct str branch = http_param(r, "rev"),
               ref = str_starts(branch, "refs/") ? branch
                                                 : arena_printf(r->arena, "refs/heads/" STR_FMT, STR_ARG(branch));
    TRY(optional_json(r, &body));
    struct str message = jv_str(jv_get(body, "message"), STR_NULL);
    if (message.n == 0) message = arena_printf(r->arena, "Super-squash branch '" STR_FMT "'", STR_ARG(branch));
    err e = str_starts(ref, "refs/heads/") ? git_resolve(hub_of(r)->git, r->repo->id, ref, old) : E_REV_NOT_FOUND;
    if (e == E_REV_NOT_FOUND)
        return err_fail(E_REV_NOT_FOUND, "Invalid rev id: " STR_FMT " is not a branch; nothing was changed",
                        STR_ARG(branch));
    TRY(e);
    struct git_author who = hub_author(r);
    TRY(git_squash(hub_of(r)->git, r->repo->id, ref, message, &who, commit));
    TRY(record(r, ref, old, commit, message));
    return http_reply(r, 200, "application/json", STR("{}"));
}

const struct http_route hub_refs_route[] = {
    HUB_API3(HTTP_GET, "/refs", refs, AUTH_REPO_READ, "hub.refs", "Branches and tags", 0),
    HUB_API3(HTTP_POST, "/branch/{rev}", branch_create, AUTH_REPO_WRITE, "hub.branchcreate",
             "Make a branch at a revision", 0),
    HUB_API3(HTTP_DELETE, "/branch/{rev}", branch_delete, AUTH_REPO_WRITE, "hub.branchdelete", "Remove a branch", 0),
    HUB_API3(HTTP_POST, "/tag/{rev}", tag_create, AUTH_REPO_WRITE, "hub.tagcreate", "Tag a revision", 0),
    HUB_API3(HTTP_DELETE, "/tag/{rev}", tag_delete, AUTH_REPO_WRITE, "hub.tagdelete", "Remove a tag", 0),
    HUB_API3(HTTP_POST, "/super-squash/{rev}", squash, AUTH_REPO_WRITE, "hub.squash", "Make a branch one commit", 0),
};
const size_t hub_refs_n = ARRAY_LEN(hub_refs_route);
