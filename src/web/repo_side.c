/* SPDX-License-Identifier: Apache-2.0 */
/* repo_side.c — the side column: size, files, formats, base model, deployments of a revision. */
#include "web/repo_page.h"

enum { SIDE_FILES = 2000, SIDE_FORMATS = 8, SIDE_JUDGED = 200, SIDE_DEPLOYMENTS = 8 };

/* Formats are what the review recognised, not what names claim. */
static err formats_fill(struct http_req *r, struct repo_page *p, const struct git_entry *files, size_t n) {
    struct word *rows = arena_array(r->arena, struct word, SIDE_FORMATS);
    size_t k = 0, judged = 0;
    for (size_t i = 0; i < n && k < SIDE_FORMATS && judged < SIDE_JUDGED; i++) {
        if (files[i].is_dir) continue;
        struct blob_verdict v;
        judged++;
        TRY(verdict_blob_get(db_reader(web_of(r)->o.store), r->arena, p->repo->id, hub_entry_key(r->arena, &files[i]),
                             &v));
        bool known = v.format.n == 0;
        for (size_t j = 0; j < k && !known; j++) known = str_eq(rows[j].text, v.format);
        if (!known) rows[k++].text = v.format;
    }
    p->head.formats.p = rows, p->head.formats.n = k;
    return OK;
}

static err deployments_fill(struct http_req *r, struct repo_page *p) {
    if (!p->head.is_model || web_of(r)->o.pool == NULL) return OK;
    struct pool_row *rows = NULL;
    size_t n = 0, k = 0;
    TRY(pool_list(web_of(r)->o.pool, r->arena, r->who, &rows, &n));
    struct link *links = arena_array(r->arena, struct link, SIDE_DEPLOYMENTS);
    for (size_t i = 0; i < n && k < SIDE_DEPLOYMENTS; i++) {
        if (rows[i].repo_id != p->repo->id || str_eqz(rows[i].state, "stopped")) continue;
        links[k++] = (struct link){.text = rows[i].model,
                                   .url = arena_printf(r->arena, "/deployments/%" PRId64, rows[i].id),
                                   .note = arena_printf(r->arena, "%u / %u", rows[i].ready, rows[i].replicas),
                                   .current = rows[i].ready > 0};
    }
    p->head.deployments.p = links, p->head.deployments.n = k;
    return OK;
}

/* A base model that is here becomes a link; one that is elsewhere, or hidden from this reader, stays a name. */
static void base_model_fill(struct http_req *r, struct repo_page *p) {
    struct str name = p->head.base_model, owner;
    struct repo_rec base;
    bool moved;
    if (name.n == 0 || !str_split(&name, '/', &owner) || name.n == 0) return;
    if (repo_find(web_of(r)->o.id, r->arena, REPO_MODEL, owner, name, &base, &moved) != OK) return;
    if (repo_access(web_of(r)->o.id, r->who, &base, ROLE_READ) != OK) return;
    p->head.base_model_url = url_repo(r->arena, &base);
}

err repo_page_side(struct http_req *r, struct repo_page *p) {
    struct git_entry *files;
    size_t n = 0;
    bool more;
    TRY(repo_page_tree(r, p, STR(""), true, STR(""), SIDE_FILES, &files, &n, &more));
    for (size_t i = 0; i < n; i++) {
        if (files[i].is_dir) continue;
        p->head.bytes += entry_size(&files[i]);
        p->head.n_files++;
    }
    TRY(formats_fill(r, p, files, n));
    base_model_fill(r, p);
    return deployments_fill(r, p);
}
