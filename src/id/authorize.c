/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authorize.c — the hook before every handler: who is it, and may they use this route?
 *
 * Who: Authorization (Bearer, or Basic with the token as password — or as user name when the password is
 * empty), else x-api-key, else the session cookie. Credentials that are sent and wrong are refused everywhere
 * (401), except on AUTH_SIGNED routes, whose credentials are not ours to read. A dead cookie is no credential:
 * browsers keep sending it, and public pages must go on working.
 *
 * What a refusal looks like (hf-wire §2.1): a repository that is missing or hidden is E_REPO_NOT_FOUND, which
 * http renders as 401 to nobody-in-particular and 404 to somebody, RepoNotFound both times; git is challenged
 * for Basic by its dialect.
 */
#include "base/hex.h"
#include "http/http.h"
#include "id/id_int.h"

enum { FORM_MAX = 1 << 20 };

/* --- who ------------------------------------------------------------------------------------------------------- */

static err bad_header(void) {
    return err_fail(
        E_BAD_CREDENTIALS,
        "the Authorization header is not understood; send \"Bearer TOKEN\", or Basic with the token as password");
}

static err basic_secret(struct http_req *r, struct str b64, struct str *secret) {
    struct buf b cleanup(buf_release);
    buf_init(&b, 4 * KiB);
    if (!base64_decode(&b, str_trim(b64)) || b.failed) return bad_header();
    struct str pair = arena_str(r->arena, buf_view(&b));
    ptrdiff_t colon = str_chr(pair, ':');
    if (colon < 0) return bad_header();
    *secret = str_from(pair, (size_t)colon + 1);
    if (secret->n == 0) *secret = str_sub(pair, 0, (size_t)colon);
    return OK;
}

/* *secret.p NULL: none was sent. */
static err secret_find(struct http_req *r, struct str *secret) {
    struct str h = http_header(r, "authorization");
    *secret = STR_NULL;
    if (h.p == NULL) {
        *secret = str_trim(http_header(r, "x-api-key"));
        if (secret->n == 0) *secret = STR_NULL;
        return OK;
    }
    ptrdiff_t space = str_chr(h, ' ');
    struct str scheme = space < 0 ? h : str_sub(h, 0, (size_t)space),
               rest = space < 0 ? STR("") : str_trim(str_from(h, (size_t)space));
    if (str_ieqz(scheme, "basic")) return basic_secret(r, rest, secret);
    if (!str_ieqz(scheme, "bearer")) return bad_header();
    *secret = rest;
    return OK;
}

static err identify(struct id *id, struct http_req *r) {
    struct str secret;
    TRY(secret_find(r, &secret));
    if (secret.p != NULL) return id_token_check(id, r->arena, secret, r->who);
    struct str cookie = http_cookie(r, ID_COOKIE);
    if (cookie.n == 0) return OK;
    struct principal p;
    err e = id_session_check(id, r->arena, cookie, &p);
    if (e == OK) *r->who = p;
    return e == E_UNAUTHORIZED ? OK : e;
}

/* --- CSRF -------------------------------------------------------------------------------------------------------- */

static bool is_unsafe(const struct http_req *r) {
    return (r->method & (HTTP_GET | HTTP_HEAD | HTTP_OPTIONS)) == 0;
}

/* The header, or the field `csrf` of a form; reading the form here does not take it from the handler. */
static err csrf_given(struct http_req *r, struct str *out) {
    *out = http_header(r, "x-csrf-token");
    if (out->p != NULL) return OK;
    struct str type = http_header(r, "content-type");
    bool form = str_ieq(str_sub(type, 0, 33), STR("application/x-www-form-urlencoded"));
    if (!form || r->route->max_body == HTTP_BODY_ANY) return OK;
    struct str body;
    size_t max = r->route->max_body == 0 ? MiB : r->route->max_body;
    TRY(http_body_all(r, MIN(max, (size_t)FORM_MAX), &body));
    if (!uri_param(r->arena, body, "csrf", 0, out)) *out = STR_NULL;
    return OK;
}

static err session_guard(struct http_req *r) {
    if (!r->who->by_session || !is_unsafe(r)) return OK;
    struct str given;
    TRY(csrf_given(r, &given));
    err e = id_csrf_check(r, given);
    if (e != OK && r->route->auth == AUTH_PUBLIC) { /* anybody may: then as nobody, without the session's power */
        *r->who = (struct principal){.name = STR(""), .fullname = STR(""), .token_name = STR(""), .csrf = STR("")};
        return OK;
    }
    return e;
}

/* --- repositories ----------------------------------------------------------------------------------------------- */

static const struct http_param *param_find(const struct http_req *r, const char *name) {
    for (unsigned i = 0; i < r->n_params; i++)
        if (str_eqz(str_make(r->params[i].name, r->params[i].n_name), name)) return &r->params[i];
    return NULL;
}

/* The same path under the repository's present name, relative to the host. */
static err redirect_moved(struct http_req *r, const struct http_param *ns, const struct http_param *name,
                          bool dot_git) {
    const char *from = ns->raw.p, *to = name->raw.p + name->raw.n;
    if (from < r->path.p || to > r->path.p + r->path.n)
        return err_fail(E_INTERNAL, "a path parameter lies outside the path");
    struct str head = str_make(r->path.p, (size_t)(from - r->path.p)),
               tail = str_make(to, (size_t)(r->path.p + r->path.n - to));
    struct str loc = arena_printf(r->arena, STR_FMT STR_FMT "/" STR_FMT "%s" STR_FMT "%s" STR_FMT, STR_ARG(head),
                                  STR_ARG(r->repo->owner), STR_ARG(r->repo->name), dot_git ? ".git" : "", STR_ARG(tail),
                                  r->query.n > 0 ? "?" : "", STR_ARG(r->query));
    return http_redirect(r, r->route->dialect == DIALECT_GIT ? 308 : 307, loc);
}

static err repo_need(struct id *id, struct http_req *r, enum role need) {
    const struct http_param *ns = param_find(r, "ns"), *name = param_find(r, "name"), *type = param_find(r, "type");
    enum repo_type t = REPO_MODEL;
    if (ns == NULL || name == NULL) return err_fail(E_INTERNAL, "route %s names no repository", r->route->pattern);
    struct str type_name = r->route->repo_type != NULL ? str_of(r->route->repo_type)
                           : type != NULL              ? type->value
                                                       : STR("model");
    if (!repo_type_parse(type_name, &t))
        return err_fail(E_NOT_FOUND, "there is no kind of repository called " STR_FMT,
                        STR_ARG(str_sub(type_name, 0, 40)));
    struct str plain = name->value;
    bool dot_git = str_ends(plain, ".git"); /* no repository's own name ends so */
    if (dot_git) plain.n -= 4;
    bool moved;
    r->repo = arena_new(r->arena, struct repo_rec);
    TRY(repo_find(id, r->arena, t, ns->value, plain, r->repo, &moved));
    TRY(repo_access(id, r->who, r->repo, moved ? ROLE_READ : need));
    return moved ? redirect_moved(r, ns, name, dot_git) : OK;
}

/* --- classes --------------------------------------------------------------------------------------------------------
 */

static err need_user(const struct http_req *r) {
    return r->who->user_id != 0 ? OK : err_fail(E_UNAUTHORIZED, "sign in or send a token to do this");
}

static err need_role(const struct http_req *r, enum role need) {
    TRY(need_user(r));
    if (r->who->token_role >= need) return OK;
    return err_fail(E_FORBIDDEN, "this token has the role %s, %s is needed; make another token for this",
                    id_role_name(r->who->token_role), id_role_name(need));
}

static err class_check(struct id *id, struct http_req *r) {
    switch (r->route->auth) {
    case AUTH_PUBLIC: return OK;
    case AUTH_USER: return need_user(r);
    case AUTH_INFER: return need_user(r);
    case AUTH_USER_WRITE: return need_role(r, ROLE_WRITE);
    case AUTH_REPO_READ: return repo_need(id, r, ROLE_READ);
    case AUTH_REPO_WRITE: return repo_need(id, r, ROLE_WRITE);
    case AUTH_REPO_ADMIN: return repo_need(id, r, ROLE_ADMIN);
    case AUTH_SITE_ADMIN:
        TRY(need_user(r));
        if (!r->who->is_admin) return err_fail(E_FORBIDDEN, "only an administrator of this instance may do this");
        return need_role(r, ROLE_ADMIN);
    case AUTH_REVIEWER:
        TRY(need_user(r));
        if (!r->who->is_reviewer && !r->who->is_admin)
            return err_fail(E_FORBIDDEN, "only a reviewer of this instance may do this");
        return need_role(r, ROLE_WRITE);
    case AUTH_SIGNED:
    case AUTH_NONE_DECLARED: break;
    }
    return err_fail(E_INTERNAL, "route %s declares no authorisation class", r->route->pattern);
}

err id_authorize(void *arg, struct http_req *r) {
    struct id *id = arg;
    r->who = arena_new(r->arena, struct principal);
    *r->who = (struct principal){.name = STR(""), .fullname = STR(""), .token_name = STR(""), .csrf = STR("")};
    if (r->route->auth == AUTH_SIGNED) return OK;
    TRY(identify(id, r));
    if (r->who->has_lang) {
        r->lang = r->who->lang;
        err_slot()->lang = (unsigned char)r->lang;
    }
    r->authenticated = r->who->user_id != 0;
    TRY(session_guard(r));
    r->authenticated = r->who->user_id != 0;
    return class_check(id, r);
}
