/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_listing.c — GET /api/models, /api/datasets, /api/spaces: filters, sorting, pages by Link.
 *
 * `limit` is the total a client wants: it also sizes the page, and the Link goes on; clients cut by themselves.
 */
#include "base/hex.h"
#include "hub/hub_info.h"
#include "hub/hub_parts.h"

enum { PAGE = 500, PAGE_FULL = 100, LIST_MAX = 64 * 1024 * 1024 };

static void filter_add(struct hub_list_opts *o, struct str v) {
    struct str rest = v, one;
    while (rest.n > 0 && str_split(&rest, ',', &one))
        if (str_trim(one).n > 0 && o->n_filter < ARRAY_LEN(o->filter)) o->filter[o->n_filter++] = str_trim(one);
}

static err read_filters(struct http_req *r, struct hub_list_opts *o) {
    static const char *const as_tag[] = {"filter", "filter[]", "pipeline_tag", "library", "tags"};
    struct str v;
    for (unsigned k = 0; k < ARRAY_LEN(as_tag); k++)
        for (unsigned i = 0; i < 16 && uri_param(r->arena, r->query, as_tag[k], i, &v); i++) filter_add(o, v);
    if (uri_param(r->arena, r->query, "trained_dataset", 0, &v))
        filter_add(o, arena_printf(r->arena, "dataset:" STR_FMT, STR_ARG(v)));
    struct buf search cleanup(buf_release);
    buf_init(&search, 1024);
    for (unsigned i = 0; i < 4 && uri_param(r->arena, r->query, "search", i, &v); i++) {
        if (search.n > 0) buf_char(&search, ' ');
        buf_str(&search, v);
    }
    TRY(buf_ok(&search, "\"search\""));
    o->search = arena_str(r->arena, buf_view(&search));
    o->author = http_query(r, "author", STR(""));
    o->sort = http_query(r, "sort", STR("lastModified"));
    o->cursor = http_query(r, "cursor", STR(""));
    struct str gated = http_query(r, "gated", STR(""));
    if (gated.n > 0) o->gated = http_query_bool(r, "gated", false) ? 1 : -1;
    return OK;
}

/* Filters on what no repository here has: nothing can match. */
static bool asks_for_inference(struct http_req *r) {
    return http_query(r, "inference", STR("")).n > 0 || http_query(r, "inference_provider", STR("")).n > 0;
}

static err list_fields(struct http_req *r, enum repo_type t, struct hub_info_opts *o, size_t *page) {
    bool given, full = http_query_bool(r, "full", false);
    TRY(hub_info_expand(r, t, &o->fields, &given));
    if (!given) {
        o->fields = hub_info_fields(t, INFO_IN_LIST | (full ? INFO_IN_FULL : 0u));
        if (http_query_bool(r, "cardData", false)) o->fields |= (uint64_t)1 << F_CARD;
        if (http_query_bool(r, "config", false)) o->fields |= (uint64_t)1 << F_CONFIG;
        if (http_query_bool(r, "fetch_config", false)) o->fields |= (uint64_t)1 << F_CONFIG;
    }
    const uint64_t heavy = (uint64_t)1 << F_SIBLINGS | (uint64_t)1 << F_CONFIG | (uint64_t)1 << F_SECURITY;
    *page = (o->fields & heavy) != 0 ? PAGE_FULL : PAGE;
    return OK;
}

static err list_type(struct http_req *r, enum repo_type t) {
    struct hub *h = hub_of(r);
    struct hub_list_opts o = {.type = t, .who = r->who};
    struct hub_info_opts io = {0};
    size_t page, n = 0;
    uint64_t limit;
    TRY(read_filters(r, &o));
    TRY(list_fields(r, t, &io, &page));
    o.max = page;
    if (str_to_u64(http_query(r, "limit", STR("")), &limit) && limit > 0 && limit < page) o.max = (size_t)limit;
    struct hub_list_row *rows = NULL;
    struct str next = STR_NULL;
    if (!asks_for_inference(r)) TRY(hub_list(h, r->arena, &o, &rows, &n, &next));
    struct buf b cleanup(buf_release);
    buf_init(&b, LIST_MAX);
    struct jw w;
    jw_init(&w, &b);
    struct arena a;
    arena_init(&a, 16 * MiB);
    err e = OK;
    jw_arr(&w);
    for (size_t i = 0; e == OK && i < n; i++) {
        e = hub_info_write(h, &a, &rows[i], rows[i].head, &io, &w);
        arena_reset(&a);
    }
    jw_arr_end(&w);
    arena_release(&a);
    TRY(e);
    TRY(buf_ok(&b, "the list"));
    if (next.n > 0) hub_link_next(r, next);
    return http_reply_json(r, 200, &b);
}

static err list_models(struct http_req *r) {
    return list_type(r, REPO_MODEL);
}
static err list_datasets(struct http_req *r) {
    return list_type(r, REPO_DATASET);
}
static err list_spaces(struct http_req *r) {
    return list_type(r, REPO_SPACE);
}

#define LIST(PATTERN, FN, NAME, SUMMARY)                                                                               \
    {                                                                                                                  \
        .methods = HTTP_GET, .pattern = PATTERN, .fn = FN, .auth = AUTH_PUBLIC, .dialect = DIALECT_HF, .name = NAME,   \
        .summary = SUMMARY                                                                                             \
    }
const struct http_route hub_listing_route[] = {
    LIST("/api/models", list_models, "hub.models", "List and search models"),
    LIST("/api/datasets", list_datasets, "hub.datasets", "List and search datasets"),
    LIST("/api/spaces", list_spaces, "hub.spaces", "List and search spaces"),
};
const size_t hub_listing_n = ARRAY_LEN(hub_listing_route);
