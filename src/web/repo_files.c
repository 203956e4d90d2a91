/* SPDX-License-Identifier: Apache-2.0 */
/* repo_files.c — a folder: path, size, verdict mark, last change. Folders first, as people look for them. */
#include "web/repo_page.h"

static struct str base_name(struct str path) {
    ptrdiff_t slash = str_rchr(path, '/');
    return slash < 0 ? path : str_from(path, (size_t)slash + 1);
}

static err row_fill(struct http_req *r, struct repo_page *p, const struct git_entry *e, const struct git_commit *last,
                    struct file_row *out) {
    struct arena *a = r->arena;
    *out = (struct file_row){.name = base_name(e->path),
                             .is_dir = e->is_dir,
                             .is_lfs = e->is_lfs,
                             .bytes = entry_size(e),
                             .url = url_at(a, p->repo, e->is_dir ? "tree" : "blob", p->rev, e->path)};
    if (last != NULL && last->oid[0] != '\0') {
        out->commit_title = last->title;
        out->commit_url = url_at(a, p->repo, "tree", arena_str(a, str_of(last->oid)), STR_NULL);
        out->time_ms = last->author.time_ms;
    }
    if (e->is_dir) return OK;
    struct blob_verdict v;
    TRY(verdict_blob_get(db_reader(web_of(r)->o.store), a, p->repo->id, hub_entry_key(a, e), &v));
    out->chip = chip_of(v.verdict, v.coverage, out->url);
    return OK;
}

static err rows_fill(struct http_req *r, struct repo_page *p, struct view_files *v, struct git_entry *entries,
                     size_t n) {
    if (n == 0) return OK;
    struct str *paths = arena_array(r->arena, struct str, n);
    struct git_commit *last = arena_array(r->arena, struct git_commit, n);
    for (size_t i = 0; i < n; i++) paths[i] = entries[i].path;
    TRY(git_last_commits(hub_git(web_of(r)->o.hub), r->arena, p->repo->id, str_of(p->commit), paths, n, last));
    struct file_row *rows = arena_array(r->arena, struct file_row, n);
    size_t k = 0;
    for (int dirs = 1; dirs >= 0; dirs--)
        for (size_t i = 0; i < n; i++)
            if (entries[i].is_dir == (dirs == 1)) TRY(row_fill(r, p, &entries[i], &last[i], &rows[k++]));
    v->files.p = rows, v->files.n = k;
    return OK;
}

err web_repo_files(struct http_req *r) {
    struct repo_page p;
    TRY(repo_page_open(r, "files", &p));
    struct str dir = http_param(r, "path"), after = http_query(r, "after", STR(""));
    while (str_ends(dir, "/")) dir.n--;
    struct git_entry *entries;
    size_t n;
    struct view_files v = {0};
    TRY(repo_page_tree(r, &p, dir, false, after, TREE_MAX, &entries, &n, &v.more));
    TRY(rows_fill(r, &p, &v, entries, n));
    repo_page_crumbs(r, &p, dir, &v.crumbs.p, &v.crumbs.n);
    if (dir.n > 0) {
        ptrdiff_t slash = str_rchr(dir, '/');
        v.has_up = true;
        v.up_url = url_at(r->arena, p.repo, "tree", p.rev, slash < 0 ? STR_NULL : str_sub(dir, 0, (size_t)slash));
    }
    if (v.more && n > 0) {
        static const char *const names[] = {"after"};
        struct str here = url_at(r->arena, p.repo, "tree", p.rev, dir);
        v.more_url = url_query(r->arena, arena_strz(r->arena, here), names, &entries[n - 1].path, 1);
    }
    v.f = web_frame(r, p.head.full, "explore");
    v.r = p.head;
    WEB_REPLY(r, 200, page_files, &v);
}
