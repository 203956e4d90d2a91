/* SPDX-License-Identifier: Apache-2.0 */
/* routes_account.c — /api/ballast: one's own tokens, sessions, password and language. */
#include "id/routes.h"

#include "base/clock.h"

enum { BODY_MAX = 16 * 1024 };

/* --- tokens --------------------------------------------------------------------------------------------------------
 */

static void token_write(struct jw *w, const struct token_rec *t, int64_t now) {
    jw_obj(w);
    jw_ki64(w, "id", t->id);
    jw_kstr(w, "user", t->user);
    jw_kstr(w, "name", t->name);
    jw_kstr(w, "hint", t->hint);
    jw_kcstr(w, "role", id_role_name(t->role));
    jw_kcstr(w, "state",
             t->revoked_ms != 0                           ? "revoked"
             : t->expires_ms != 0 && t->expires_ms <= now ? "expired"
                                                          : "valid");
    json_time(w, "createdAt", t->created_ms);
    json_time(w, "expiresAt", t->expires_ms);
    json_time(w, "usedAt", t->used_ms);
    json_time(w, "revokedAt", t->revoked_ms);
    jw_obj_end(w);
}

static err tokens_list(struct http_req *r) {
    struct token_rec *t;
    size_t n;
    struct jw w;
    struct buf b cleanup(buf_release);
    TRY(json_begin(&b, &w));
    TRY(id_token_list(r->ctx, r->arena, r->who->user_id, &t, &n));
    int64_t now = clock_wall_ms();
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) token_write(&w, &t[i], now);
    jw_arr_end(&w);
    return json_reply(r, 200, &b);
}

static err token_create(struct http_req *r) {
    struct jv body;
    struct str name;
    enum role role;
    TRY(http_body_json(r, BODY_MAX, &body));
    TRY(jv_need_str(body, "name", &name));
    if (!id_role_parse(jv_str(jv_get(body, "role"), STR("read")), &role) || role == ROLE_NONE)
        return err_fail(E_UNPROCESSABLE, "role: expected read, write or admin");
    if (role > r->who->token_role)
        return err_fail(E_FORBIDDEN, "role: this token has the role %s and cannot make a stronger one",
                        id_role_name(r->who->token_role));
    int64_t days = 0;
    if (!jv_is_null(jv_get(body, "days"))) TRY(jv_need_i64(body, "days", 1, 36500, &days));
    char secret[ID_TOKEN_MAX + 1];
    TRY(id_token_create(r->ctx, r->who->user_id, name, role, days == 0 ? 0 : clock_wall_ms() + days * 86400000, STR(""),
                        secret));
    struct jw w;
    struct buf b cleanup(buf_release);
    TRY(json_begin(&b, &w));
    jw_obj(&w);
    jw_kcstr(&w, "token", secret); /* the only time it is shown */
    jw_kstr(&w, "name", name);
    jw_kcstr(&w, "role", id_role_name(role));
    jw_obj_end(&w);
    http_set(r, "Cache-Control", STR("no-store"));
    return json_reply(r, 201, &b);
}

static err token_revoke(struct http_req *r) {
    int64_t token_id;
    if (!str_to_i64(http_param(r, "token"), &token_id))
        return err_fail(E_NOT_FOUND, "tokens are named by their number");
    TRY(id_token_revoke(r->ctx, r->who->user_id, token_id));
    return http_reply_empty(r, 204);
}

static const struct http_route token_routes[] = {
    {HTTP_GET, "/api/ballast/tokens", tokens_list, AUTH_USER, DIALECT_HF, "id.tokens",
     "The caller's tokens, without their secrets", NULL, 0, 0},
    {HTTP_POST, "/api/ballast/tokens", token_create, AUTH_USER_WRITE, DIALECT_HF, "id.tokencreate",
     "Make a token; its secret is shown this once", NULL, BODY_MAX, 0},
    {HTTP_DELETE, "/api/ballast/tokens/{token}", token_revoke, AUTH_USER_WRITE, DIALECT_HF, "id.tokenrevoke",
     "Revoke a token of the caller", NULL, 0, 0},
};
err route_tokens(struct id *id, struct http_router *rt) {
    return http_router_add(rt, token_routes, ARRAY_LEN(token_routes), id);
}

/* --- sessions --------------------------------------------------------------------------------------------------------
 */

static err session_reply(struct http_req *r, const struct principal *p, int status) {
    struct owner_rec o;
    struct jw w;
    struct buf b cleanup(buf_release);
    TRY(json_begin(&b, &w));
    TRY(id_owner_get(r->ctx, r->arena, p->user_id, &o));
    jw_obj(&w);
    jw_key(&w, "user");
    json_owner(&w, &o);
    jw_kbool(&w, "session", p->by_session);
    if (p->by_session) jw_kstr(&w, "csrf", p->csrf);
    jw_obj_end(&w);
    http_set(r, "Cache-Control", STR("no-store"));
    return json_reply(r, status, &b);
}

static err sign_in(struct http_req *r) {
    struct jv body;
    struct str name, password;
    TRY(http_body_json(r, BODY_MAX, &body));
    TRY(jv_need_str(body, "name", &name));
    TRY(jv_need_str(body, "password", &password));
    TRY(id_sign_in(r->ctx, r, name, password));
    return session_reply(r, r->who, 201);
}

static err session_show(struct http_req *r) {
    return session_reply(r, r->who, 200);
}

static err sign_out(struct http_req *r) {
    TRY(id_sign_out(r->ctx, r));
    return http_reply_empty(r, 204);
}

static err sessions_list(struct http_req *r) {
    struct session_rec *s;
    size_t n;
    struct jw w;
    struct buf b cleanup(buf_release);
    TRY(json_begin(&b, &w));
    TRY(id_session_list(r->ctx, r->arena, r, r->who->user_id, &s, &n));
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) {
        jw_obj(&w);
        jw_kstr(&w, "key", s[i].key);
        jw_kstr(&w, "agent", s[i].agent);
        json_time(&w, "createdAt", s[i].created_ms);
        json_time(&w, "usedAt", s[i].used_ms);
        json_time(&w, "expiresAt", s[i].expires_ms);
        jw_kbool(&w, "current", s[i].current);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    return json_reply(r, 200, &b);
}

static err session_revoke(struct http_req *r) {
    struct str key = http_param(r, "session");
    TRY(id_session_revoke(r->ctx, r, r->who->user_id, str_eqz(key, "others") ? STR("") : key));
    return http_reply_empty(r, 204);
}

static err password_change(struct http_req *r) {
    struct jv body;
    struct str fresh;
    TRY(http_body_json(r, BODY_MAX, &body));
    TRY(jv_need_str(body, "new", &fresh));
    TRY(id_password_change(r->ctx, r, r->who->user_id, jv_str(jv_get(body, "old"), STR("")), fresh));
    return http_reply_empty(r, 204);
}

static err language_set(struct http_req *r) {
    struct jv body;
    struct str tag;
    enum lang lang = LANG_EN;
    TRY(http_body_json(r, BODY_MAX, &body));
    TRY(jv_need_str(body, "lang", &tag));
    bool automatic = str_eqz(tag, "auto");
    if (!automatic && !lang_of_record(tag, &lang)) return err_fail(E_UNPROCESSABLE, "lang: expected en, zh-CN or auto");
    TRY(id_lang_set(r->ctx, r->who->user_id, lang, automatic));
    return http_reply_empty(r, 204);
}

static const struct http_route session_routes[] = {
    {HTTP_POST, "/api/ballast/session", sign_in, AUTH_PUBLIC, DIALECT_HF, "id.signin",
     "Sign in with name and password; sets the session cookie", NULL, BODY_MAX, 0},
    {HTTP_GET, "/api/ballast/session", session_show, AUTH_USER, DIALECT_HF, "id.session",
     "The caller; for a session also its CSRF token", NULL, 0, 0},
    {HTTP_DELETE, "/api/ballast/session", sign_out, AUTH_USER, DIALECT_HF, "id.signout",
     "End the session of this request", NULL, 0, 0},
    {HTTP_GET, "/api/ballast/sessions", sessions_list, AUTH_USER, DIALECT_HF, "id.sessions", "The caller's sessions",
     NULL, 0, 0},
    {HTTP_DELETE, "/api/ballast/sessions/{session}", session_revoke, AUTH_USER_WRITE, DIALECT_HF, "id.sessionrevoke",
     "End a session of the caller, or all \"others\"", NULL, 0, 0},
    {HTTP_PUT, "/api/ballast/password", password_change, AUTH_USER_WRITE, DIALECT_HF, "id.password",
     "Change the caller's password; ends the other sessions", NULL, BODY_MAX, 0},
    {HTTP_PUT, "/api/ballast/language", language_set, AUTH_USER_WRITE, DIALECT_HF, "id.language",
     "Set the caller's language: en, zh-CN or auto", NULL, BODY_MAX, 0},
};
err route_sessions(struct id *id, struct http_router *rt) {
    return http_router_add(rt, session_routes, ARRAY_LEN(session_routes), id);
}
