/* SPDX-License-Identifier: Apache-2.0 */
/* web.c — the room's life, its route table, assets and the switches of language and theme. */
#include "base/hex.h"
#include "web/asset.h"
#include "web/web_int.h"

err web_open(const struct web_opts *o, struct web **out) {
    struct web *w = calloc(1, sizeof *w);
    if (w == NULL) return err_fail(E_NOMEM, "no memory for the console");
    w->o = *o;
    pthread_mutex_init(&w->figures_mu, NULL);
    *out = w;
    return OK;
}

void web_close(struct web *w) {
    free(w);
}

#define PAGE(METHOD, PATTERN, FN, AUTH, NAME, SUMMARY)                                                                 \
    {                                                                                                                  \
        .methods = (METHOD), .pattern = (PATTERN), .fn = (FN), .auth = (AUTH), .dialect = DIALECT_HTML,                \
        .name = (NAME), .summary = (SUMMARY), .max_body = FORM_MAX                                                     \
    }
/* Pages of a repository: models at the top, datasets and spaces below their prefix. */
#define REPO3(METHOD, TAIL, FN, AUTH, NAME, SUMMARY)                                                                   \
    {.methods = (METHOD),                                                                                              \
     .pattern = "/{ns}/{name}" TAIL,                                                                                   \
     .fn = (FN),                                                                                                       \
     .auth = (AUTH),                                                                                                   \
     .dialect = DIALECT_HTML,                                                                                          \
     .name = (NAME),                                                                                                   \
     .summary = (SUMMARY),                                                                                             \
     .repo_type = "model",                                                                                             \
     .max_body = FORM_MAX},                                                                                            \
        {.methods = (METHOD),                                                                                          \
         .pattern = "/datasets/{ns}/{name}" TAIL,                                                                      \
         .fn = (FN),                                                                                                   \
         .auth = (AUTH),                                                                                               \
         .dialect = DIALECT_HTML,                                                                                      \
         .name = (NAME),                                                                                               \
         .summary = (SUMMARY),                                                                                         \
         .repo_type = "dataset",                                                                                       \
         .max_body = FORM_MAX},                                                                                        \
    {                                                                                                                  \
        .methods = (METHOD), .pattern = "/spaces/{ns}/{name}" TAIL, .fn = (FN), .auth = (AUTH),                        \
        .dialect = DIALECT_HTML, .name = (NAME), .summary = (SUMMARY), .repo_type = "space", .max_body = FORM_MAX      \
    }

static const struct http_route routes[] = {
    PAGE(HTTP_GET, "/", web_home, AUTH_PUBLIC, "web.home", "First page"),
    PAGE(HTTP_GET, "/assets/{file}", web_asset, AUTH_PUBLIC, "web.asset",
         "Stylesheet, scripts and mark, by content hash"),
    PAGE(HTTP_GET, "/favicon.ico", web_asset, AUTH_PUBLIC, "web.favicon", "The mark"),
    PAGE(HTTP_POST, "/language", web_switch, AUTH_PUBLIC, "web.language", "Switch the language of pages"),
    PAGE(HTTP_POST, "/theme", web_switch, AUTH_PUBLIC, "web.theme", "Switch between light and dark"),
    PAGE(HTTP_GET, "/explore", web_explore, AUTH_PUBLIC, "web.explore", "Search and list repositories"),
    PAGE(HTTP_GET, "/activity", web_activity, AUTH_PUBLIC, "web.activity", "The event log as sentences"),
    PAGE(HTTP_GET, "/activity/{seq}", web_event, AUTH_PUBLIC, "web.event", "One entry of the log, raw, with its hash"),
    PAGE(HTTP_GET, "/docs/api", web_api_docs, AUTH_PUBLIC, "web.api", "Page of the API"),
    PAGE(HTTP_GET, "/sign-in", web_signin, AUTH_PUBLIC, "web.signin", "Form to sign in"),
    PAGE(HTTP_POST, "/sign-in", web_signin_post, AUTH_PUBLIC, "web.signinpost", "Sign in"),
    PAGE(HTTP_POST, "/sign-out", web_signout, AUTH_USER, "web.signout", "Sign out"),
    PAGE(HTTP_GET, "/settings/tokens", web_tokens, AUTH_USER, "web.tokens", "Access tokens of the caller"),
    PAGE(HTTP_POST, "/settings/tokens", web_tokens_post, AUTH_USER_WRITE, "web.tokenspost",
         "Make a token; it is shown once"),
    PAGE(HTTP_POST, "/settings/tokens/revoke", web_tokens_revoke, AUTH_USER_WRITE, "web.tokensrevoke",
         "Revoke a token"),
    PAGE(HTTP_GET, "/settings/sessions", web_sessions, AUTH_USER, "web.sessions", "Signed-in browsers of the caller"),
    PAGE(HTTP_POST, "/settings/sessions/end", web_sessions_end, AUTH_USER_WRITE, "web.sessionsend", "End a session"),
    PAGE(HTTP_GET, "/settings/profile", web_profile, AUTH_USER, "web.profile", "Language, password, organisations"),
    PAGE(HTTP_POST, "/settings/profile", web_profile_post, AUTH_USER_WRITE, "web.profilepost",
         "Change language or password"),
    PAGE(HTTP_GET, "/new", web_new, AUTH_USER, "web.new", "Form for a new repository"),
    PAGE(HTTP_POST, "/new", web_new_post, AUTH_USER_WRITE, "web.newpost", "Make a repository"),
    PAGE(HTTP_GET, "/new/org", web_new_org, AUTH_USER, "web.neworg", "Form for a new organisation"),
    PAGE(HTTP_POST, "/new/org", web_new_org_post, AUTH_USER_WRITE, "web.neworgpost", "Make an organisation"),
    PAGE(HTTP_GET, "/playground", web_playground, AUTH_USER, "web.playground", "Talk to a deployed model"),
    PAGE(HTTP_GET, "/deployments", web_deployments, AUTH_PUBLIC, "web.deployments", "Deployments and their state"),
    PAGE(HTTP_GET, "/deployments/rows", web_deploy_rows, AUTH_PUBLIC, "web.deployrows",
         "The table of deployments alone, for the live part"),
    PAGE(HTTP_GET, "/deployments/new", web_deploy_new, AUTH_USER, "web.deploynew", "Form to deploy a model"),
    PAGE(HTTP_POST, "/deployments/new", web_deploy_new_post, AUTH_USER_WRITE, "web.deploynewpost", "Deploy a model"),
    PAGE(HTTP_GET, "/deployments/{id}", web_deployment, AUTH_PUBLIC, "web.deployment", "One deployment"),
    PAGE(HTTP_POST, "/deployments/{id}", web_deployment_post, AUTH_USER_WRITE, "web.deploymentpost",
         "Stop or restart a deployment"),
    PAGE(HTTP_GET, "/deployments/{id}/live", web_deployment_live, AUTH_PUBLIC, "web.deploymentlive",
         "State and end of the log alone, for the live part"),
    PAGE(HTTP_GET, "/{ns}", web_owner, AUTH_PUBLIC, "web.owner", "A person or an organisation"),
    REPO3(HTTP_GET, "", web_repo_card, AUTH_REPO_READ, "web.card", "Card of a repository"),
    REPO3(HTTP_GET, "/tree/{rev}", web_repo_files, AUTH_REPO_READ, "web.files", "Files of a revision"),
    REPO3(HTTP_GET, "/tree/{rev}/{path...}", web_repo_files, AUTH_REPO_READ, "web.folder", "Files of a folder"),
    REPO3(HTTP_GET, "/blob/{rev}/{path...}", web_repo_file, AUTH_REPO_READ, "web.file", "One file"),
    REPO3(HTTP_GET, "/commits/{rev}", web_repo_history, AUTH_REPO_READ, "web.history", "Commits of a revision"),
    REPO3(HTTP_GET, "/commit/{rev}", web_repo_commit, AUTH_REPO_READ, "web.commit",
          "One commit: the history from it on"),
    REPO3(HTTP_GET, "/review/{rev}", web_repo_review, AUTH_REPO_READ, "web.review", "Why a revision has its verdict"),
    REPO3(HTTP_POST, "/review/{rev}", web_repo_override, AUTH_REVIEWER, "web.override",
          "A reviewer decides about a file"),
    REPO3(HTTP_GET, "/use/{rev}", web_repo_use, AUTH_REPO_READ, "web.use", "How to use a revision"),
    REPO3(HTTP_GET, "/settings", web_repo_settings, AUTH_REPO_ADMIN, "web.settings", "Settings of a repository"),
    REPO3(HTTP_POST, "/settings", web_repo_settings_post, AUTH_REPO_ADMIN, "web.settingspost",
          "Change visibility or delete"),
};

err web_routes(struct web *w, struct http_router *rt) {
    w->router = rt;
    return http_router_add(rt, routes, ARRAY_LEN(routes), w);
}

err web_asset(struct http_req *r) {
    const struct asset *a = str_eqz(r->path, "/favicon.ico") ? asset_get("mark.svg") : asset_by_url(r->path);
    if (a == NULL)
        return err_fail(E_NOT_FOUND,
                        "There is no such file; the page that named it is of another version. Reload the page.");
    bool gzip = str_find(http_header(r, "accept-encoding"), STR("gzip")) >= 0;
    http_set(r, "Cache-Control",
             str_eqz(r->path, "/favicon.ico") ? STR("public, max-age=86400")
                                              : STR("public, max-age=31536000, immutable"));
    http_set(r, "X-Content-Type-Options", STR("nosniff"));
    http_set(r, "Vary", STR("Accept-Encoding"));
    /* an SVG opened by itself is a document: its style is its own, nothing else is allowed */
    http_set(r, "Content-Security-Policy", STR("default-src 'none'; style-src 'unsafe-inline'"));
    if (gzip) http_set(r, "Content-Encoding", STR("gzip"));
    return http_reply(r, 200, a->type, gzip ? str_make(a->gz, a->n_gz) : str_make(a->p, a->n));
}

/* Both switches: a cookie for a year, and back to the same page. An account's own language follows the switch. */
err web_switch(struct http_req *r) {
    struct str form;
    TRY(web_form(r, &form));
    bool theme = str_eqz(r->path, "/theme");
    struct str want = form_get(r, form, theme ? "theme" : "lang");
    const char *value = theme                    ? (str_eqz(want, "dark")    ? "dark"
                                                    : str_eqz(want, "light") ? "light"
                                                                             : "auto")
                        : str_starts(want, "zh") ? "zh"
                                                 : "en";
    http_set(r, "Set-Cookie",
             arena_printf(r->arena, "%s=%s; Path=/; Max-Age=31536000; SameSite=Lax%s", theme ? COOKIE_THEME : "lang",
                          value, r->is_tls ? "; Secure" : ""));
    if (!theme && r->who->by_session && r->who->has_lang)
        TRY(id_lang_set(web_of(r)->o.id, r->who->user_id, value[0] == 'z' ? LANG_ZH : LANG_EN, false));
    return web_see(r, form_get(r, form, "next"), NULL);
}
