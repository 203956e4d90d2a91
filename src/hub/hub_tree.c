/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_tree.c — GET …/tree/{rev}[/{path}] and POST …/paths-info/{rev}.
 *
 * Pages are 1000 entries (100 with expand, since that walks history); llama.cpp reads the first page only, so it is
 * never smaller. The cursor is the last path shown.
 */
#include "base/hex.h"
#include "hub/hub_parts.h"

enum { PAGE = 1000, PAGE_EXPAND = 100, MAX_PATHS = 1000, TREE_JSON_MAX = 16 * 1024 * 1024, FORM_MAX = 4 * 1024 * 1024 };

static err entries_write(struct http_req *r, struct str commit, const struct git_entry *ent, size_t n, bool expand,
                         struct jw *w) {
    struct hub *h = hub_of(r);
    struct git_commit *last = NULL;
    if (expand && n > 0) {
        struct str *paths = arena_array(r->arena, struct str, n);
        last = arena_array(r->arena, struct git_commit, n);
        for (size_t i = 0; i < n; i++) paths[i] = ent[i].path;
        TRY(git_last_commits(h->git, r->arena, r->repo->id, commit, paths, n, last));
    }
    struct arena scratch;
    arena_init(&scratch, 8 * MiB);
    err e = OK;
    jw_arr(w);
    for (size_t i = 0; e == OK && i < n; i++) {
        struct hub_entry_opts o = {expand, last != NULL ? &last[i] : NULL};
        e = hub_entry_write(h, &scratch, r->repo->id, &ent[i], &o, w);
        arena_reset(&scratch);
    }
    jw_arr_end(w);
    arena_release(&scratch);
    return e;
}

static struct str dir_of(struct http_req *r) {
    struct str p = http_param(r, "path");
    while (p.n > 0 && p.p[p.n - 1] == '/') p.n--;
    while (p.n > 0 && p.p[0] == '/') p = str_from(p, 1);
    return p;
}

static err tree(struct http_req *r) {
    struct hub *h = hub_of(r);
    char commit[GIT_OID_HEX + 1];
    struct str after = STR(""), cursor = http_query(r, "cursor", STR(""));
    bool expand = http_query_bool(r, "expand", false), recursive = http_query_bool(r, "recursive", false), more;
    TRY(hub_rev(r, commit));
    http_set(r, "X-Repo-Commit", arena_str(r->arena, str_of(commit)));
    if (cursor.n > 0 && !hub_cursor_read(r->arena, cursor, &after))
        return err_fail(E_BAD_REQUEST, "\"cursor\" is not one this server gave out; start again without it");
    uint64_t limit = expand ? PAGE_EXPAND : PAGE, asked;
    if (str_to_u64(http_query(r, "limit", STR("")), &asked) && asked > 0 && asked < limit) limit = asked;
    struct git_entry *ent;
    size_t n = 0;
    struct str head = {commit, GIT_OID_HEX};
    TRY(git_tree(h->git, r->arena, r->repo->id, head, dir_of(r), recursive, after, (size_t)limit, &ent, &n, &more));
    struct buf b cleanup(buf_release);
    buf_init(&b, TREE_JSON_MAX);
    struct jw w;
    jw_init(&w, &b);
    TRY(entries_write(r, head, ent, n, expand, &w));
    TRY(buf_ok(&b, "this page of the tree"));
    if (more && n > 0) hub_link_next(r, hub_cursor_make(r->arena, ent[n - 1].path));
    return http_reply_json(r, 200, &b);
}

/* Form (Python) or JSON (JavaScript). */
static err read_paths(struct http_req *r, struct str *paths, size_t *n, bool *expand) {
    struct str body;
    TRY(http_body_all(r, FORM_MAX, &body));
    *n = 0;
    if (str_starts(str_trim(http_header(r, "Content-Type")), "application/json")) {
        struct jv v;
        TRY(json_parse(r->arena, body, NULL, &v));
        *expand = jv_bool(jv_get(v, "expand"), false);
        for (struct jv_iter it = jv_iter(jv_get(v, "paths")); jv_next(&it); (*n)++)
            if (*n < MAX_PATHS) paths[*n] = jv_str(it.val, STR(""));
    } else {
        struct str rest = body, item, key, val;
        while (rest.n > 0 && str_split(&rest, '&', &item)) {
            struct str v = item;
            if (!str_split(&v, '=', &key) || !uri_decode(r->arena, v, true, &val)) continue;
            if (str_eqz(key, "expand")) *expand = str_ieqz(val, "true") || str_eqz(val, "1");
            if (!str_eqz(key, "paths")) continue;
            if (*n < MAX_PATHS) paths[*n] = val;
            (*n)++;
        }
    }
    if (*n > MAX_PATHS)
        return err_fail(E_TOO_LARGE, "field paths: at most %d paths in one request, got %zu", MAX_PATHS, *n);
    return OK;
}

static err paths_info(struct http_req *r) {
    struct hub *h = hub_of(r);
    char commit[GIT_OID_HEX + 1];
    bool expand = false;
    size_t n = 0, found = 0;
    struct str *paths = arena_array(r->arena, struct str, MAX_PATHS);
    TRY(read_paths(r, paths, &n, &expand));
    TRY(hub_rev(r, commit));
    http_set(r, "X-Repo-Commit", arena_str(r->arena, str_of(commit)));
    struct str head = {commit, GIT_OID_HEX};
    struct git_entry *ent = arena_array(r->arena, struct git_entry, n + 1);
    for (size_t i = 0; i < n; i++)
        while (paths[i].n > 0 && paths[i].p[paths[i].n - 1] == '/') paths[i].n--;
    TRY(git_entries_get(h->git, r->arena, r->repo->id, head, paths, n, ent));
    for (size_t i = 0; i < n; i++)
        if (ent[i].path.n > 0) ent[found++] = ent[i];
    struct buf b cleanup(buf_release);
    buf_init(&b, TREE_JSON_MAX);
    struct jw w;
    jw_init(&w, &b);
    TRY(entries_write(r, head, ent, found, expand, &w));
    TRY(buf_ok(&b, "paths-info"));
    return http_reply_json(r, 200, &b);
}

const struct http_route hub_tree_route[] = {
    HUB_API3(HTTP_GET, "/tree/{rev}", tree, AUTH_REPO_READ, "hub.treeroot",
             "Files and folders at the root of a revision", 0),
    HUB_API3(HTTP_GET, "/tree/{rev}/{path...}", tree, AUTH_REPO_READ, "hub.tree", "Files and folders below a path", 0),
    HUB_API3(HTTP_POST, "/paths-info/{rev}", paths_info, AUTH_REPO_READ, "hub.pathsinfo",
             "Entries of the paths given; missing ones are left out", FORM_MAX),
};
const size_t hub_tree_n = ARRAY_LEN(hub_tree_route);
