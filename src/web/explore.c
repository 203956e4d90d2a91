/* SPDX-License-Identifier: Apache-2.0 */
/* explore.c — search and listing: one kind of repository at a time, filters in the address. */
#include "web/web_int.h"

enum { COUNT_MAX = 50 };

struct choice {
    const char *value, *msgid;
};
static const struct choice sorts[] = {
    {"updated", N_("newest change")}, {"downloads", N_("most downloads")}, {"created", N_("newest")}};

static const char *const names[] = {"type", "q", "author", "licence", "sort", "cursor"};
enum { P_TYPE, P_Q, P_AUTHOR, P_LICENCE, P_SORT, P_CURSOR, P_COUNT };

static struct str with(struct http_req *r, const struct str *params, int which, struct str value) {
    struct str copy[P_COUNT];
    memcpy(copy, params, sizeof copy);
    copy[which] = value;
    if (which != P_CURSOR) copy[P_CURSOR] = STR_NULL;
    return url_query(r->arena, "/explore", names, copy, P_COUNT);
}

static void tabs_fill(struct http_req *r, const struct str *params, enum repo_type type, const size_t *counts,
                      struct view_explore *v) {
    static const enum repo_type types[] = {REPO_MODEL, REPO_DATASET, REPO_SPACE};
    struct link *rows = arena_array(r->arena, struct link, ARRAY_LEN(types));
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        rows[i] = (struct link){.text = web_text(r, type_words(types[i])),
                                .current = types[i] == type,
                                .url = with(r, params, P_TYPE, str_of(repo_type_name(types[i])))};
    for (size_t i = 0; i < ARRAY_LEN(types) && params[P_Q].n > 0; i++)
        rows[i].note = arena_printf(r->arena, "%zu%s", MIN(counts[types[i]], (size_t)COUNT_MAX),
                                    counts[types[i]] > COUNT_MAX ? "+" : "");
    v->types.p = rows, v->types.n = ARRAY_LEN(types);
    struct link *order = arena_array(r->arena, struct link, ARRAY_LEN(sorts));
    for (size_t i = 0; i < ARRAY_LEN(sorts); i++)
        order[i] = (struct link){.text = web_text(r, sorts[i].msgid),
                                 .note = str_of(sorts[i].value),
                                 .current = str_eqz(params[P_SORT], sorts[i].value)};
    v->sorts.p = order, v->sorts.n = ARRAY_LEN(sorts);
}

static err licences_fill(struct http_req *r, const struct str *params, enum repo_type type, struct view_explore *v) {
    struct str *l;
    size_t n;
    TRY(web_db_licences(db_reader(web_of(r)->o.store), r->arena, type, &l, &n));
    struct link *rows = arena_array(r->arena, struct link, n + 2);
    size_t k = 0;
    bool found = params[P_LICENCE].n == 0;
    rows[k++] = (struct link){.text = web_text(r, N_("any")), .note = STR(""), .current = found};
    for (size_t i = 0; i < n; i++) {
        bool now = str_eq(l[i], params[P_LICENCE]);
        rows[k++] = (struct link){.text = l[i], .note = l[i], .current = now};
        found = found || now;
    }
    if (!found) rows[k++] = (struct link){.text = params[P_LICENCE], .note = params[P_LICENCE], .current = true};
    v->licences.p = rows, v->licences.n = k;
    return OK;
}

/*
 * What a search finds in each kind, up to COUNT_MAX, stands on the tabs; words that came without a kind (the search box
 * of every page) lead to the first kind that has something.
 */
static err counts_get(struct http_req *r, struct hub_list_opts o, size_t *counts) {
    for (int t = REPO_MODEL; t <= REPO_SPACE; t++) {
        struct hub_list_row *rows;
        struct str next;
        o.type = (enum repo_type)t, o.max = COUNT_MAX + 1;
        TRY(hub_list(web_of(r)->o.hub, r->arena, &o, &rows, &counts[t], &next));
    }
    return OK;
}

static enum repo_type first_found(const size_t *counts) {
    for (int t = REPO_MODEL; t <= REPO_SPACE; t++)
        if (counts[t] > 0) return (enum repo_type)t;
    return REPO_MODEL;
}

err web_explore(struct http_req *r) {
    struct str params[P_COUNT];
    for (int i = 0; i < P_COUNT; i++) params[i] = str_sub(str_trim(http_query(r, names[i], STR(""))), 0, 256);
    struct hub_list_opts o = {.search = params[P_Q], .author = params[P_AUTHOR], .who = r->who};
    if (params[P_LICENCE].n > 0)
        o.filter[o.n_filter++] = arena_printf(r->arena, "license:" STR_FMT, STR_ARG(params[P_LICENCE]));
    size_t counts[REPO_SPACE + 1] = {0};
    if (o.search.n > 0) TRY(counts_get(r, o, counts));
    enum repo_type type = REPO_MODEL;
    if (!repo_type_parse(params[P_TYPE], &type)) type = first_found(counts);
    params[P_TYPE] = str_of(repo_type_name(type));
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(sorts); i++) known = known || str_eqz(params[P_SORT], sorts[i].value);
    if (!known) params[P_SORT] = STR_NULL;
    struct view_explore v = {.f = web_frame(r, web_text(r, N_("Explore")), "explore"),
                             .q = params[P_Q],
                             .type = params[P_TYPE],
                             .author = params[P_AUTHOR],
                             .sort = params[P_SORT]};
    v.f.query = params[P_Q];
    v.filtered = params[P_Q].n > 0 || params[P_AUTHOR].n > 0 || params[P_LICENCE].n > 0;
    v.clear_url = arena_printf(r->arena, "/explore?type=" STR_FMT, STR_ARG(params[P_TYPE]));
    tabs_fill(r, params, type, counts, &v);
    TRY(licences_fill(r, params, type, &v));
    o.type = type, o.sort = params[P_SORT], o.cursor = params[P_CURSOR], o.max = PAGE_ROWS;
    struct str next;
    TRY(web_repo_list(r, &o, &v.repos, &next));
    if (next.n > 0) v.next_url = with(r, params, P_CURSOR, next);
    WEB_REPLY(r, 200, page_explore, &v);
}
