/* SPDX-License-Identifier: Apache-2.0 */
/* routes_people.c — /api/ballast/users and /orgs: what administrators do. */
#include "id/routes.h"

enum { BODY_MAX = 16 * 1024 };

static err owners_reply(struct http_req *r, int kind) {
    struct owner_rec *o;
    size_t n;
    struct jw w;
    struct buf b cleanup(buf_release);
    TRY(json_begin(&b, &w));
    TRY(id_owner_list(r->ctx, r->arena, kind, &o, &n));
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) json_owner(&w, &o[i]);
    jw_arr_end(&w);
    return json_reply(r, 200, &b);
}

static err owner_reply(struct http_req *r, int status, int64_t owner_id) {
    struct owner_rec o;
    struct jw w;
    struct buf b cleanup(buf_release);
    TRY(json_begin(&b, &w));
    TRY(id_owner_get(r->ctx, r->arena, owner_id, &o));
    json_owner(&w, &o);
    return json_reply(r, status, &b);
}

static err users_list(struct http_req *r) {
    return owners_reply(r, 1);
}
static err orgs_list(struct http_req *r) {
    return owners_reply(r, 2);
}

static err user_add(struct http_req *r) {
    struct jv body;
    struct str name;
    TRY(http_body_json(r, BODY_MAX, &body));
    TRY(jv_need_str(body, "name", &name));
    int64_t user_id;
    TRY(id_user_add(r->ctx, name, jv_str(jv_get(body, "fullname"), STR_NULL), jv_str(jv_get(body, "email"), STR_NULL),
                    jv_str(jv_get(body, "password"), STR_NULL), jv_bool(jv_get(body, "admin"), false), &user_id));
    if (jv_bool(jv_get(body, "reviewer"), false)) TRY(id_user_reviewer(r->ctx, name, true));
    return owner_reply(r, 201, user_id);
}

/* Only the members given are changed. */
static err user_change(struct http_req *r) {
    static const struct {
        const char *key;
        err (*fn)(struct id *id, struct str name, bool on);
    } flags[] = {{"disabled", id_user_disable}, {"reviewer", id_user_reviewer}, {"admin", id_user_admin}};
    struct jv body;
    struct owner_rec o;
    TRY(http_body_json(r, BODY_MAX, &body));
    TRY(id_owner_find(r->ctx, r->arena, http_param(r, "owner"), &o));
    if (o.id == r->who->user_id)
        return err_fail(E_CONFLICT, "you cannot change your own standing; another administrator can");
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        enum json_type t = jv_type(jv_get(body, flags[i].key));
        if (t != JSON_NONE && t != JSON_TRUE && t != JSON_FALSE)
            return err_fail(E_UNPROCESSABLE, "field %s: expected true or false", flags[i].key);
    }
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        struct jv v = jv_get(body, flags[i].key);
        if (jv_ok(v)) TRY(flags[i].fn(r->ctx, o.name, jv_bool(v, false)));
    }
    return owner_reply(r, 200, o.id);
}

static err org_add(struct http_req *r) {
    struct jv body;
    struct str name;
    struct owner_rec owner;
    TRY(http_body_json(r, BODY_MAX, &body));
    TRY(jv_need_str(body, "name", &name));
    TRY(id_owner_find(r->ctx, r->arena, jv_str(jv_get(body, "owner"), r->who->name), &owner));
    int64_t org_id;
    TRY(id_org_add(r->ctx, name, jv_str(jv_get(body, "fullname"), STR_NULL), owner.id, &org_id));
    return owner_reply(r, 201, org_id);
}

/* --- members: the organisation's administrators decide
 * ---------------------------------------------------------------- */

static err member_change(struct http_req *r, enum role role) {
    struct owner_rec org, user;
    enum role mine;
    TRY(id_owner_find(r->ctx, r->arena, http_param(r, "org"), &org));
    TRY(id_role_on_owner(r->ctx, r->who, org.id, &mine));
    if (!org.is_org) return err_fail(E_NOT_FOUND, "there is no organisation " STR_FMT, STR_ARG(org.name));
    if (mine < ROLE_ADMIN)
        return err_fail(E_FORBIDDEN, "only administrators of " STR_FMT " may change its members", STR_ARG(org.name));
    TRY(id_owner_find(r->ctx, r->arena, http_param(r, "member"), &user));
    TRY(id_org_member(r->ctx, org.id, user.id, role));
    return http_reply_empty(r, 204);
}

static err member_set(struct http_req *r) {
    struct jv body;
    struct str text;
    enum role role;
    TRY(http_body_json(r, BODY_MAX, &body));
    TRY(jv_need_str(body, "role", &text));
    if (!id_role_parse(text, &role)) return err_fail(E_UNPROCESSABLE, "role: expected read, write, admin or none");
    return member_change(r, role);
}

static err member_remove(struct http_req *r) {
    return member_change(r, ROLE_NONE);
}

static const struct http_route routes[] = {
    {HTTP_GET, "/api/ballast/users", users_list, AUTH_SITE_ADMIN, DIALECT_HF, "id.users", "All users", NULL, 0, 0},
    {HTTP_POST, "/api/ballast/users", user_add, AUTH_SITE_ADMIN, DIALECT_HF, "id.useradd", "Add a user", NULL, BODY_MAX,
     0},
    {HTTP_PATCH, "/api/ballast/users/{owner}", user_change, AUTH_SITE_ADMIN, DIALECT_HF, "id.userchange",
     "Disable a user, make a reviewer or administrator", NULL, BODY_MAX, 0},
    {HTTP_GET, "/api/ballast/orgs", orgs_list, AUTH_SITE_ADMIN, DIALECT_HF, "id.orgs", "All organisations", NULL, 0, 0},
    {HTTP_POST, "/api/ballast/orgs", org_add, AUTH_SITE_ADMIN, DIALECT_HF, "id.orgadd", "Add an organisation", NULL,
     BODY_MAX, 0},
    {HTTP_PUT, "/api/ballast/orgs/{org}/members/{member}", member_set, AUTH_USER_WRITE, DIALECT_HF, "id.memberset",
     "Give a user a role in an organisation", NULL, BODY_MAX, 0},
    {HTTP_DELETE, "/api/ballast/orgs/{org}/members/{member}", member_remove, AUTH_USER_WRITE, DIALECT_HF,
     "id.memberremove", "Remove a user from an organisation", NULL, 0, 0},
};
err route_people(struct id *id, struct http_router *rt) {
    return http_router_add(rt, routes, ARRAY_LEN(routes), id);
}
