/* SPDX-License-Identifier: Apache-2.0 */
/* api_docs.c — every route, drawn from the router's own table: the same that dispatches and authorises. */
#include "web/web_int.h"

enum { GROUPS_MAX = 24 };

static const char *auth_word(enum http_auth a) {
    switch (a) {
    case AUTH_PUBLIC: return N_("anyone");
    case AUTH_USER: return N_("any token");
    case AUTH_INFER: return N_("any token");
    case AUTH_USER_WRITE: return N_("a write token");
    case AUTH_REPO_READ: return N_("readers of the repository");
    case AUTH_REPO_WRITE: return N_("writers of the repository");
    case AUTH_REPO_ADMIN: return N_("owners of the repository");
    case AUTH_SITE_ADMIN: return N_("administrators");
    case AUTH_REVIEWER: return N_("reviewers");
    case AUTH_SIGNED: return N_("a signed address");
    case AUTH_NONE_DECLARED: break;
    }
    return N_("nobody");
}

static struct str methods_text(struct arena *a, unsigned m) {
    static const struct {
        unsigned bit;
        const char *name;
    } all[] = {
        {HTTP_GET, "GET"}, {HTTP_POST, "POST"}, {HTTP_PUT, "PUT"}, {HTTP_PATCH, "PATCH"}, {HTTP_DELETE, "DELETE"}};
    struct str s = STR("");
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (m & all[i].bit)
            s = s.n == 0 ? str_of(all[i].name) : arena_printf(a, STR_FMT " %s", STR_ARG(s), all[i].name);
    return s.n == 0 ? STR("HEAD") : s;
}

/* A room's routes under words that say what they are for. */
static const char *title_of(struct str room) {
    static const struct {
        const char *room, *title;
    } all[] = {{"app", N_("The server itself")},
               {"id", N_("Accounts, tokens, organisations")},
               {"hub", N_("Repositories and files")},
               {"cas", N_("Content store (Xet)")},
               {"lfs", "Git LFS"},
               {"git", "Git"},
               {"review", N_("Review")},
               {"gate", N_("Models (OpenAI-compatible)")},
               {"pool", N_("Deployments")}};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (str_eqz(room, all[i].room)) return all[i].title;
    return NULL;
}

static struct str group_of(const struct http_route *r) {
    struct str name = str_of(r->name);
    ptrdiff_t dot = str_chr(name, '.');
    return dot < 0 ? name : str_sub(name, 0, (size_t)dot);
}

err web_api_docs(struct http_req *r) {
    struct view_api v = {.f = web_frame(r, web_text(r, N_("API")), ""), .spec_url = STR("/api/ballast/openapi.json")};
    const struct http_router *rt = web_of(r)->router;
    size_t n = http_router_count(rt), groups = 0;
    struct api_group *g = arena_array(r->arena, struct api_group, GROUPS_MAX);
    struct api_row *rows[GROUPS_MAX];
    for (size_t i = 0; i < n; i++) {
        const struct http_route *route = http_router_at(rt, i);
        struct str name = group_of(route);
        if (route->dialect == DIALECT_HTML) continue; /* pages are for people */
        /* the page says that datasets and spaces have what models have */
        if (route->repo_type != NULL && strcmp(route->repo_type, "model") != 0) continue;
        /* the same route at an older address is one row: the first */
        if (i > 0 && strcmp(route->name, http_router_at(rt, i - 1)->name) == 0) continue;
        size_t k = 0;
        while (k < groups && !str_eq(g[k].name, name)) k++;
        if (k == GROUPS_MAX) continue;
        if (k == groups) {
            g[groups].title = title_of(name) != NULL ? web_text(r, title_of(name)) : name;
            g[groups++].name = name;
            g[k].rows.p = rows[k] = arena_array(r->arena, struct api_row, n);
        }
        rows[k][g[k].rows.n++] = (struct api_row){.method = methods_text(r->arena, route->methods),
                                                  .path = str_of(route->pattern),
                                                  .summary = web_text(r, route->summary),
                                                  .auth = auth_word(route->auth)};
    }
    v.groups.p = g, v.groups.n = groups;
    WEB_REPLY(r, 200, page_api, &v);
}
