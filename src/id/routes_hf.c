/* SPDX-License-Identifier: Apache-2.0 */
/* routes_hf.c — who am I and who are they, as the stock client asks (hf-wire §1.2, §1.13). */
#include "id/routes.h"

static err whoami_orgs(struct id *id, struct http_req *r, struct jw *w) {
    struct owner_rec *orgs;
    enum role *roles;
    size_t n;
    TRY(id_orgs_of(id, r->arena, r->who->user_id, &orgs, &roles, &n));
    jw_key(w, "orgs");
    jw_arr(w);
    for (size_t i = 0; i < n; i++) {
        jw_obj(w);
        jw_kcstr(w, "type", "org");
        jw_key(w, "id");
        jw_str(w, arena_printf(r->arena, "%" PRId64, orgs[i].id));
        jw_kstr(w, "name", orgs[i].name);
        jw_kstr(w, "fullname", orgs[i].fullname.n > 0 ? orgs[i].fullname : orgs[i].name);
        jw_kcstr(w, "avatarUrl", "");
        jw_kcstr(w, "roleInOrg", id_role_name(roles[i]));
        jw_kbool(w, "isEnterprise", false);
        jw_kbool(w, "canPay", false);
        jw_obj_end(w);
    }
    jw_arr_end(w);
    return OK;
}

static err whoami(struct http_req *r) {
    struct id *id = r->ctx;
    const struct principal *p = r->who;
    struct owner_rec o;
    struct jw w;
    struct buf b cleanup(buf_release);
    TRY(json_begin(&b, &w));
    TRY(id_owner_get(id, r->arena, p->user_id, &o));
    jw_obj(&w);
    jw_kcstr(&w, "type", "user");
    jw_key(&w, "id");
    jw_str(&w, arena_printf(r->arena, "%" PRId64, o.id));
    jw_kstr(&w, "name", o.name);
    jw_kstr(&w, "fullname", o.fullname.n > 0 ? o.fullname : o.name);
    jw_kstr(&w, "email", o.email);
    jw_kbool(&w, "emailVerified", o.email.n > 0);
    jw_kbool(&w, "isPro", false);
    jw_kbool(&w, "canPay", false);
    jw_kcstr(&w, "avatarUrl", "");
    jw_key(&w, "periodEnd");
    jw_null(&w);
    TRY(whoami_orgs(id, r, &w));
    jw_key(&w, "auth");
    jw_obj(&w);
    jw_kcstr(&w, "type", p->by_session ? "session" : "access_token");
    if (!p->by_session) {
        jw_key(&w, "accessToken");
        jw_obj(&w);
        jw_kstr(&w, "displayName", p->token_name);
        jw_kcstr(&w, "role", id_role_name(p->token_role));
        jw_obj_end(&w);
    }
    jw_obj_end(&w);
    jw_obj_end(&w);
    return json_reply(r, 200, &b);
}

static err agent_harnesses(struct http_req *r) {
    /* Asked once a day by every command-line process before anything else: must be fast, may be empty. */
    return http_reply(r, 200, "application/json; charset=utf-8", STR("{\"standardEnvVars\":[],\"harnesses\":{}}"));
}

/* The owner named in the path, of the kind wanted. */
static err owner_of(struct http_req *r, bool org, struct owner_rec *o) {
    struct str name = http_param(r, "owner");
    TRY(id_owner_find(r->ctx, r->arena, name, o));
    if (o->is_org == org) return OK;
    if (org) return err_fail(E_NOT_FOUND, "there is no organisation " STR_FMT, STR_ARG(str_sub(name, 0, 100)));
    return err_fail(E_NOT_FOUND, "there is no user " STR_FMT, STR_ARG(str_sub(name, 0, 100)));
}

static err counts_write(struct http_req *r, struct jw *w, const struct owner_rec *o) {
    struct id *id = r->ctx;
    struct repo_counts n;
    enum role role;
    TRY(id_role_on_owner(id, r->who, o->id, &role));
    TRY(owner_db_counts(db_reader(id->store), o->id, role >= ROLE_READ, &n));
    jw_ki64(w, "numModels", n.models);
    jw_ki64(w, "numDatasets", n.datasets);
    jw_ki64(w, "numSpaces", n.spaces);
    static const char *const zeros[] = {"numDiscussions", "numPapers",    "numUpvotes",
                                        "numLikes",       "numFollowing", "numFollowers"};
    for (size_t i = 0; i < ARRAY_LEN(zeros); i++) jw_ki64(w, zeros[i], 0);
    jw_kbool(w, "isFollowing", false);
    return OK;
}

static err user_overview(struct http_req *r) {
    struct id *id = r->ctx;
    struct owner_rec o, *orgs;
    enum role *roles;
    size_t n;
    struct jw w;
    struct buf b cleanup(buf_release);
    TRY(json_begin(&b, &w));
    TRY(owner_of(r, false, &o));
    TRY(id_orgs_of(id, r->arena, o.id, &orgs, &roles, &n));
    jw_obj(&w);
    jw_kstr(&w, "user", o.name);
    jw_kstr(&w, "fullname", o.fullname.n > 0 ? o.fullname : o.name);
    jw_kcstr(&w, "avatarUrl", "");
    jw_kbool(&w, "isPro", false);
    jw_kcstr(&w, "details", "");
    jw_kcstr(&w, "type", "user");
    json_time(&w, "createdAt", o.created_ms);
    TRY(counts_write(r, &w, &o));
    jw_key(&w, "orgs");
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) {
        jw_obj(&w);
        jw_key(&w, "id");
        jw_str(&w, arena_printf(r->arena, "%" PRId64, orgs[i].id));
        jw_kstr(&w, "name", orgs[i].name);
        jw_kstr(&w, "fullname", orgs[i].fullname.n > 0 ? orgs[i].fullname : orgs[i].name);
        jw_kcstr(&w, "avatarUrl", "");
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    return json_reply(r, 200, &b);
}

static err org_overview(struct http_req *r) {
    struct id *id = r->ctx;
    struct owner_rec o, *users;
    enum role *roles;
    size_t n;
    struct jw w;
    struct buf b cleanup(buf_release);
    TRY(json_begin(&b, &w));
    TRY(owner_of(r, true, &o));
    TRY(id_members_of(id, r->arena, o.id, &users, &roles, &n));
    jw_obj(&w);
    jw_kstr(&w, "name", o.name);
    jw_kstr(&w, "fullname", o.fullname.n > 0 ? o.fullname : o.name);
    jw_kcstr(&w, "avatarUrl", "");
    jw_kcstr(&w, "details", "");
    jw_kbool(&w, "isVerified", false);
    jw_kcstr(&w, "type", "org");
    jw_ki64(&w, "numUsers", (int64_t)n);
    json_time(&w, "createdAt", o.created_ms);
    TRY(counts_write(r, &w, &o));
    jw_obj_end(&w);
    return json_reply(r, 200, &b);
}

static err org_members(struct http_req *r) {
    struct owner_rec o, *users;
    enum role *roles;
    size_t n;
    struct jw w;
    struct buf b cleanup(buf_release);
    TRY(json_begin(&b, &w));
    TRY(owner_of(r, true, &o));
    TRY(id_members_of(r->ctx, r->arena, o.id, &users, &roles, &n));
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) json_hf_user(&w, &users[i], id_role_name(roles[i]));
    jw_arr_end(&w);
    return json_reply(r, 200, &b);
}

static const struct http_route routes[] = {
    {HTTP_GET, "/api/whoami-v2", whoami, AUTH_USER, DIALECT_HF, "id.whoami",
     "The caller, its organisations and its token", NULL, 0, 0},
    {HTTP_GET, "/api/agent-harnesses", agent_harnesses, AUTH_PUBLIC, DIALECT_HF, "id.harnesses",
     "Known agent programs (none)", NULL, 0, 0},
    {HTTP_GET, "/api/users/{owner}/overview", user_overview, AUTH_PUBLIC, DIALECT_HF, "id.useroverview",
     "A user in figures", NULL, 0, 0},
    {HTTP_GET, "/api/organizations/{owner}/overview", org_overview, AUTH_PUBLIC, DIALECT_HF, "id.orgoverview",
     "An organisation in figures", NULL, 0, 0},
    {HTTP_GET, "/api/organizations/{owner}/members", org_members, AUTH_PUBLIC, DIALECT_HF, "id.orgmembers",
     "Members of an organisation", NULL, 0, 0},
};

err route_hf(struct id *id, struct http_router *rt) {
    return http_router_add(rt, routes, ARRAY_LEN(routes), id);
}

err id_routes(struct id *id, struct http_router *rt) {
    TRY(route_hf(id, rt));
    TRY(route_tokens(id, rt));
    TRY(route_sessions(id, rt));
    return route_people(id, rt);
}
