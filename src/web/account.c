/* SPDX-License-Identifier: Apache-2.0 */
/* account.c — access tokens and sessions. */
#include "base/clock.h"
#include "web/web_int.h"

static const char *role_word(enum role role) {
    return role >= ROLE_ADMIN ? N_("admin") : role == ROLE_WRITE ? N_("write") : N_("read");
}

/* --- tokens ------------------------------------------------------------------------------------- */
static err tokens_show(struct http_req *r, struct view_tokens *v, int status) {
    struct token_rec *list;
    size_t n, k = 0;
    TRY(id_token_list(web_of(r)->o.id, r->arena, r->who->user_id, &list, &n));
    struct token_row *rows = arena_array(r->arena, struct token_row, n > 0 ? n : 1);
    int64_t now = clock_wall_ms();
    for (size_t i = 0; i < n; i++) {
        if (list[i].revoked_ms != 0) continue;
        rows[k++] = (struct token_row){.id = list[i].id,
                                       .created_ms = list[i].created_ms,
                                       .expires_ms = list[i].expires_ms,
                                       .used_ms = list[i].used_ms,
                                       .name = list[i].name,
                                       .hint = list[i].hint,
                                       .role = role_word(list[i].role),
                                       .expired = list[i].expires_ms != 0 && list[i].expires_ms <= now};
    }
    v->tokens.p = rows, v->tokens.n = k;
    struct str name = v->name;
    v->f = web_frame(r, web_text(r, N_("Access tokens")), "tokens");
    v->name = name;
    if (v->secret.n > 0) http_set(r, "Cache-Control", STR("no-store"));
    WEB_REPLY(r, status, page_tokens, v);
}

err web_tokens(struct http_req *r) {
    return tokens_show(r, &(struct view_tokens){0}, 200);
}

/* The secret stands only in this answer: no redirect could carry it without writing it somewhere. */
err web_tokens_post(struct http_req *r) {
    struct str form;
    struct view_tokens v = {0};
    enum role role = ROLE_READ;
    int64_t days = 0;
    TRY(web_form(r, &form));
    v.name = str_trim(form_get(r, form, "name"));
    if (!id_role_parse(form_get(r, form, "role"), &role) || role == ROLE_NONE)
        v.error = web_text(r, N_("field role: expected read, write or admin. No token was made."));
    else if (!str_to_i64(form_get(r, form, "expires"), &days) || days < 0 || days > 3660)
        v.error = web_text(r, N_("field expires: expected a number of days, or 0 for never. No token was made."));
    else if (v.name.n == 0)
        v.error = web_text(r, N_("field name: give the token a name that tells where it is used. No token was made."));
    if (v.error.n > 0) return tokens_show(r, &v, 422);
    char secret[ID_TOKEN_MAX + 1];
    int64_t expires = days == 0 ? 0 : clock_wall_ms() + days * INT64_C(86400000);
    err e = id_token_create(web_of(r)->o.id, r->who->user_id, v.name, role, expires, STR_NULL, secret);
    if (e != OK && e->status < 500) {
        v.error = web_err_text(r);
        return tokens_show(r, &v, e->status);
    }
    TRY(e);
    v.secret = arena_str(r->arena, str_of(secret));
    v.secret_name = v.name;
    v.name = STR_NULL;
    v.cmd_env = arena_printf(r->arena, "export HF_ENDPOINT=" STR_FMT " HF_TOKEN=%s", STR_ARG(r->base_url), secret);
    return tokens_show(r, &v, 200);
}

err web_tokens_revoke(struct http_req *r) {
    struct str form;
    int64_t token;
    TRY(web_form(r, &form));
    if (!str_to_i64(form_get(r, form, "id"), &token))
        return err_fail(E_UNPROCESSABLE, "field id: expected the number of a token. Nothing was revoked.");
    TRY(id_token_revoke(web_of(r)->o.id, r->who->user_id, token));
    return web_see(r, STR("/settings/tokens"), "token-revoked");
}

/* --- sessions -------------------------------------------------------------------------------------- */
/* "Firefox 141 · Linux" out of a User-Agent; what is not recognised is shown as it is. */
static struct str agent_words(struct arena *a, struct str ua) {
    static const struct {
        const char *token, *name;
    } browsers[] = {{"Edg/", "Edge"},
                    {"OPR/", "Opera"},
                    {"Firefox/", "Firefox"},
                    {"Chrome/", "Chrome"},
                    {"Version/", "Safari"}},
      systems[] = {{"Android", "Android"}, {"iPhone", "iPhone"},  {"iPad", "iPad"},
                   {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}};
    const char *system = NULL;
    for (size_t i = 0; i < ARRAY_LEN(systems) && system == NULL; i++)
        if (str_find(ua, str_of(systems[i].token)) >= 0) system = systems[i].name;
    for (size_t i = 0; i < ARRAY_LEN(browsers); i++) {
        ptrdiff_t at = str_find(ua, str_of(browsers[i].token));
        if (at < 0) continue;
        struct str version = str_from(ua, (size_t)at + strlen(browsers[i].token));
        size_t n = 0;
        while (n < version.n && n < 4 && version.p[n] >= '0' && version.p[n] <= '9') n++;
        return arena_printf(a, "%s %.*s%s%s", browsers[i].name, (int)n, version.p, system != NULL ? " · " : "",
                            system != NULL ? system : "");
    }
    return str_sub(ua, 0, 80);
}

err web_sessions(struct http_req *r) {
    struct session_rec *list;
    size_t n;
    TRY(id_session_list(web_of(r)->o.id, r->arena, r, r->who->user_id, &list, &n));
    struct session_row *rows = arena_array(r->arena, struct session_row, n > 0 ? n : 1);
    for (size_t i = 0; i < n; i++)
        rows[i] = (struct session_row){.id = list[i].key,
                                       .agent = agent_words(r->arena, list[i].agent),
                                       .current = list[i].current,
                                       .created_ms = list[i].created_ms,
                                       .used_ms = list[i].used_ms,
                                       .expires_ms = list[i].expires_ms};
    struct view_sessions v = {.f = web_frame(r, web_text(r, N_("Sessions")), "sessions")};
    v.sessions.p = rows, v.sessions.n = n;
    WEB_REPLY(r, 200, page_sessions, &v);
}

err web_sessions_end(struct http_req *r) {
    struct str form;
    TRY(web_form(r, &form));
    struct str key = form_get(r, form, "id");
    if (key.n == 0) return err_fail(E_UNPROCESSABLE, "field id: expected a session. Nothing was ended.");
    TRY(id_session_revoke(web_of(r)->o.id, r, r->who->user_id, key));
    return web_see(r, STR("/settings/sessions"), "session-ended");
}
