/* SPDX-License-Identifier: Apache-2.0 */
/* hub_commits.c — GET …/commits/{rev}: history, newest first, by pages; X-Total-Count counts all of it. */
#include "base/clock.h"
#include "hub/hub_parts.h"

enum { PAGE = 50, PAGE_MAX = 1000 };

static void html_escape(struct buf *b, struct str s) {
    for (size_t i = 0; i < s.n; i++) switch (s.p[i]) {
        case '<': buf_cstr(b, "&lt;"); break;
        case '>': buf_cstr(b, "&gt;"); break;
        case '&': buf_cstr(b, "&amp;"); break;
        case '"': buf_cstr(b, "&quot;"); break;
        default: buf_char(b, s.p[i]);
        }
}

static err formatted(struct jw *w, struct str title, struct str message) {
    struct buf t cleanup(buf_release), m cleanup(buf_release);
    buf_init(&t, 512 * KiB);
    buf_init(&m, 512 * KiB);
    html_escape(&t, title);
    html_escape(&m, message);
    TRY(buf_ok(&t, "a commit's title"));
    TRY(buf_ok(&m, "a commit's message"));
    jw_key(w, "formatted");
    jw_obj(w);
    jw_kstr(w, "title", buf_view(&t));
    jw_kstr(w, "message", buf_view(&m));
    jw_obj_end(w);
    return OK;
}

static err commit_write(struct http_req *r, const struct git_commit *c, bool format, struct jw *w) {
    /* `message` is what follows the title. */
    struct str body = c->message.n >= c->title.n ? str_trim(str_from(c->message, c->title.n)) : c->message;
    jw_obj(w);
    jw_kcstr(w, "id", c->oid);
    jw_kstr(w, "title", c->title);
    jw_kstr(w, "message", body);
    jw_kstr(w, "date", clock_iso_str(r->arena, c->author.time_ms));
    jw_key(w, "authors");
    jw_arr(w);
    jw_obj(w);
    jw_kstr(w, "user", c->author.name);
    jw_obj_end(w);
    jw_arr_end(w);
    if (format) TRY(formatted(w, c->title, body));
    jw_key(w, "parents");
    jw_arr(w);
    for (unsigned i = 0; i < c->n_parents && i < ARRAY_LEN(c->parents); i++) jw_cstr(w, c->parents[i]);
    jw_arr_end(w);
    jw_obj_end(w);
    return OK;
}

static err commits(struct http_req *r) {
    char head[GIT_OID_HEX + 1];
    uint64_t limit = PAGE, page = 0, skip = 0;
    struct str cursor = http_query(r, "cursor", STR("")), text;
    TRY(hub_rev(r, head));
    if (!str_to_u64(http_query(r, "limit", STR("50")), &limit) || limit == 0 || limit > PAGE_MAX) limit = PAGE_MAX;
    if (str_to_u64(http_query(r, "p", STR("0")), &page) && page < 1000000) skip = page * limit;
    if (cursor.n > 0 && (!hub_cursor_read(r->arena, cursor, &text) || !str_to_u64(text, &skip)))
        return err_fail(E_BAD_REQUEST, "\"cursor\" is not one this server gave out; start again without it");
    struct git_commit *list;
    size_t n, total = 0;
    TRY(git_log(hub_of(r)->git, r->arena, r->repo->id, (struct str){head, GIT_OID_HEX}, STR(""), (size_t)skip,
                (size_t)limit, &list, &n, &total));
    struct buf b cleanup(buf_release);
    buf_init(&b, 32 * MiB);
    struct jw w;
    jw_init(&w, &b);
    bool format = hub_query_has(r, "expand", "formatted");
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) TRY(commit_write(r, &list[i], format, &w));
    jw_arr_end(&w);
    TRY(buf_ok(&b, "this page of the history"));
    http_setf(r, "X-Total-Count", "%zu", total);
    if (skip + n < total && n > 0)
        hub_link_next(r, hub_cursor_make(r->arena, arena_printf(r->arena, "%" PRIu64, skip + n)));
    return http_reply_json(r, 200, &b);
}

const struct http_route hub_commits_route[] = {
    HUB_API3(HTTP_GET, "/commits/{rev}", commits, AUTH_REPO_READ, "hub.commits", "History of a revision", 0),
};
const size_t hub_commits_n = ARRAY_LEN(hub_commits_route);
