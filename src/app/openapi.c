/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openapi.c — GET /api/ballast/openapi.json: the route table as an OpenAPI 3.1 document.
 *
 * Generated from what is registered, so it cannot disagree with what is served. Extensions:
 *   x-ballast-name      metric name                    x-ballast-pattern   the pattern as registered
 *   x-ballast-auth      authorisation class            x-ballast-dialect   shape of errors
 *   x-ballast-repo      kind of repository, if fixed   x-ballast-max-body  bytes; -1 = a stream of any length
 * test/e2e/test_authorisation.py walks this document: every route, every kind of caller.
 */
#include "app/app.h"
#include "http/h1.h"

enum { DOC_MAX = 8 * 1024 * 1024, PARAM_MAX = 64 };

static const char *auth_name(enum http_auth a) {
    switch (a) {
    case AUTH_PUBLIC: return "public";
    case AUTH_USER: return "user";
    case AUTH_USER_WRITE: return "user_write";
    case AUTH_REPO_READ: return "repo_read";
    case AUTH_REPO_WRITE: return "repo_write";
    case AUTH_REPO_ADMIN: return "repo_admin";
    case AUTH_SITE_ADMIN: return "site_admin";
    case AUTH_REVIEWER: return "reviewer";
    case AUTH_INFER: return "infer";
    case AUTH_SIGNED: return "signed";
    case AUTH_NONE_DECLARED: break;
    }
    return "none";
}

static const char *auth_words(enum http_auth a) {
    switch (a) {
    case AUTH_PUBLIC: return "Anyone. Credentials, if sent, must be valid.";
    case AUTH_USER: return "A token of any role, or a browser session.";
    case AUTH_USER_WRITE: return "A token of role write or admin, or a browser session.";
    case AUTH_REPO_READ: return "Whoever may read the repository; private ones are hidden from others.";
    case AUTH_REPO_WRITE: return "Whoever may write to the repository, with a token of role write or admin.";
    case AUTH_REPO_ADMIN: return "Administrators of the repository's owner, with a token of role admin.";
    case AUTH_SITE_ADMIN: return "Administrators of the instance, with a token of role admin.";
    case AUTH_REVIEWER: return "Reviewers and administrators of the instance.";
    case AUTH_INFER: return "A token of any role (Bearer or x-api-key).";
    case AUTH_SIGNED: return "The address or its scoped token authenticates itself.";
    case AUTH_NONE_DECLARED: break;
    }
    return "";
}

static const char *dialect_name(enum http_dialect d) {
    static const char *const names[] = {"hf", "openai", "anthropic", "html", "git", "lfs", "cas", "plain"};
    return (unsigned)d < ARRAY_LEN(names) ? names[d] : "plain";
}

/* "{path...}" is "{path}" in OpenAPI. */
static struct str path_of(struct arena *a, const char *pattern) {
    char *out = arena_strz(a, str_of(pattern));
    size_t n = 0;
    for (const char *p = pattern; *p != 0; p++) {
        if (strncmp(p, "...}", 4) == 0) p += 3;
        out[n++] = *p;
    }
    out[n] = 0;
    return str_make(out, n);
}

static void params_write(struct jw *w, struct str path) {
    jw_key(w, "parameters");
    jw_arr(w);
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] != '{') continue;
        struct str rest = str_from(path, i + 1), name;
        if (!str_split(&rest, '}', &name) || name.n == 0 || name.n > PARAM_MAX) continue;
        jw_obj(w);
        jw_kstr(w, "name", name);
        jw_kcstr(w, "in", "path");
        jw_kbool(w, "required", true);
        jw_key(w, "schema");
        jw_raw(w, STR("{\"type\":\"string\"}"));
        jw_obj_end(w);
    }
    jw_arr_end(w);
}

static void security_write(struct jw *w, const struct http_route *r) {
    jw_key(w, "security");
    if (r->auth == AUTH_PUBLIC || r->auth == AUTH_SIGNED || r->auth == AUTH_REPO_READ)
        jw_raw(w, STR("[{},{\"bearer\":[]},{\"basic\":[]},{\"session\":[]}]"));
    else jw_raw(w, STR("[{\"bearer\":[]},{\"basic\":[]},{\"apiKey\":[]},{\"session\":[]}]"));
}

static void responses_write(struct jw *w, const struct http_route *r) {
    jw_key(w, "responses");
    jw_obj(w);
    jw_key(w, "2XX");
    jw_raw(w, STR("{\"description\":\"Done\"}"));
    if (r->auth != AUTH_PUBLIC && r->auth != AUTH_SIGNED) {
        jw_key(w, "401");
        jw_raw(w, STR("{\"$ref\":\"#/components/responses/Refused\"}"));
        jw_key(w, "403");
        jw_raw(w, STR("{\"$ref\":\"#/components/responses/Refused\"}"));
    }
    jw_key(w, "default");
    jw_raw(w, STR("{\"$ref\":\"#/components/responses/Error\"}"));
    jw_obj_end(w);
}

static void operation_write(struct jw *w, struct arena *a, const struct http_route *r, const char *method,
                            size_t index) {
    char low[16] = "";
    for (size_t i = 0; method[i] != 0 && i + 1 < sizeof low; i++) low[i] = (char)(method[i] + ('a' - 'A'));
    jw_key(w, low);
    jw_obj(w);
    /* Routes of one name differ by the kind of repository or by the method; the index makes the rest unique. */
    jw_key(w, "operationId");
    jw_str(w, arena_printf(a, "%s.%s.%zu", r->name, low, index));
    struct str tag = str_of(r->name);
    ptrdiff_t dot = str_chr(tag, '.');
    jw_key(w, "tags");
    jw_arr(w);
    jw_str(w, dot > 0 ? str_sub(tag, 0, (size_t)dot) : tag);
    jw_arr_end(w);
    if (r->summary != NULL) jw_kcstr(w, "summary", r->summary);
    jw_kcstr(w, "description", auth_words(r->auth));
    jw_kcstr(w, "x-ballast-name", r->name);
    jw_kcstr(w, "x-ballast-pattern", r->pattern);
    jw_kcstr(w, "x-ballast-auth", auth_name(r->auth));
    jw_kcstr(w, "x-ballast-dialect", dialect_name(r->dialect));
    if (r->repo_type != NULL) jw_kcstr(w, "x-ballast-repo", r->repo_type);
    jw_ki64(w, "x-ballast-max-body",
            r->max_body == HTTP_BODY_ANY ? -1
            : r->max_body == 0           ? (int64_t)MiB
                                         : (int64_t)r->max_body);
    params_write(w, path_of(a, r->pattern));
    security_write(w, r);
    responses_write(w, r);
    jw_obj_end(w);
}

/* All routes of one path in one item; done[] marks them. */
static void item_write(struct jw *w, struct arena *a, const struct http_router *rt, size_t first, bool *done) {
    const char *pattern = http_router_at(rt, first)->pattern;
    unsigned seen = 0; /* a method appears once even if two registrations share it */
    jw_keys(w, path_of(a, pattern));
    jw_obj(w);
    for (size_t i = first; i < http_router_count(rt); i++) {
        const struct http_route *r = http_router_at(rt, i);
        if (done[i] || strcmp(r->pattern, pattern) != 0) continue;
        done[i] = true;
        for (unsigned m = HTTP_GET; m <= HTTP_OPTIONS; m <<= 1) {
            if ((r->methods & m) == 0 || (seen & m) != 0) continue;
            seen |= m;
            operation_write(w, a, r, h1_method_name((enum http_method)m), i);
        }
    }
    jw_obj_end(w);
}

static void components_write(struct jw *w) {
    jw_key(w, "components");
    jw_raw(w, STR("{\"securitySchemes\":{"
                  "\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":\"An access token (hf_...)\"},"
                  "\"basic\":{\"type\":\"http\",\"scheme\":\"basic\",\"description\":\"Any user name, an access token "
                  "as password\"},"
                  "\"apiKey\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"x-api-key\"},"
                  "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"" ID_COOKIE "\","
                  "\"description\":\"Browser session; unsafe methods also need X-CSRF-Token\"}},"
                  "\"responses\":{\"Refused\":{\"description\":\"No, wrong or insufficient credentials\"},"
                  "\"Error\":{\"description\":\"What happened, what is unchanged, what to do\",\"headers\":{"
                  "\"X-Error-Code\":{\"schema\":{\"type\":\"string\"}},\"X-Error-Message\":{\"schema\":{\"type\":"
                  "\"string\"}},"
                  "\"X-Request-Id\":{\"schema\":{\"type\":\"string\"}}}}}}"));
}

err app_openapi_write(struct arena *a, const struct http_router *rt, struct str base_url, struct buf *out) {
    struct jw w;
    size_t n = http_router_count(rt);
    bool *done = arena_array(a, bool, n + 1);
    jw_init(&w, out);
    jw_obj(&w);
    jw_kcstr(&w, "openapi", "3.1.0");
    jw_key(&w, "info");
    jw_raw(&w, STR("{\"title\":\"Ballast\",\"version\":\"" BALLAST_VERSION
                   "\",\"license\":{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}}"));
    jw_key(&w, "servers");
    jw_arr(&w);
    jw_obj(&w);
    jw_kstr(&w, "url", base_url);
    jw_obj_end(&w);
    jw_arr_end(&w);
    jw_key(&w, "paths");
    jw_obj(&w);
    for (size_t i = 0; i < n; i++)
        if (!done[i]) item_write(&w, a, rt, i, done);
    jw_obj_end(&w);
    components_write(&w);
    jw_obj_end(&w);
    return buf_ok(out, "the OpenAPI document");
}

static err get_openapi(struct http_req *r) {
    struct app *app = r->ctx;
    struct buf b cleanup(buf_release);
    buf_init(&b, DOC_MAX);
    TRY(app_openapi_write(r->arena, app->router, r->base_url, &b));
    return http_reply_json(r, 200, &b);
}

static const struct http_route routes[] = {
    {HTTP_GET, "/api/ballast/openapi.json", get_openapi, AUTH_PUBLIC, DIALECT_HF, "app.openapi", "This document", NULL,
     0, 0},
};

err app_openapi_routes(struct app *a, struct http_router *rt) {
    return http_router_add(rt, routes, ARRAY_LEN(routes), a);
}
