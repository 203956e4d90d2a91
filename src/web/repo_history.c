/* SPDX-License-Identifier: Apache-2.0 */
/* repo_history.c — commits of a revision, newest first, each with its verdict. */
#include "web/repo_page.h"

static struct str page_url(struct http_req *r, struct repo_page *p, struct str path, uint64_t skip) {
    static const char *const names[] = {"path", "skip"};
    struct str values[] = {path, skip > 0 ? arena_printf(r->arena, "%" PRIu64, skip) : STR_NULL};
    return url_query(r->arena, arena_strz(r->arena, p->head.history_url), names, values, 2);
}

err web_repo_history(struct http_req *r) {
    struct repo_page p;
    TRY(repo_page_open(r, "history", &p));
    struct view_history v = {.path = http_query(r, "path", STR(""))};
    uint64_t skip = 0;
    if (!str_to_u64(http_query(r, "skip", STR("0")), &skip) || skip > 1000000) skip = 0;
    struct git_commit *commits = NULL;
    size_t n = 0, total = 0;
    if (!p.head.is_empty)
        TRY(git_log(hub_git(web_of(r)->o.hub), r->arena, p.repo->id, str_of(p.commit), v.path, (size_t)skip, PAGE_ROWS,
                    &commits, &n, &total));
    struct commit_row *rows = arena_array(r->arena, struct commit_row, n > 0 ? n : 1);
    for (size_t i = 0; i < n; i++) {
        struct str oid = str_of(commits[i].oid);
        struct revision_verdict verdict;
        TRY(verdict_revision_get(db_reader(web_of(r)->o.store), r->arena, p.repo->id, oid, &verdict));
        rows[i] = (struct commit_row){
            .oid = oid,
            .title = commits[i].title,
            .author = commits[i].author.name,
            .time_ms = commits[i].author.time_ms,
            .files_url = url_at(r->arena, p.repo, "tree", oid, STR_NULL),
            .chip = chip_of(verdict.verdict, verdict.coverage, url_at(r->arena, p.repo, "review", oid, STR_NULL))};
        if (rows[i].title.n == 0) rows[i].title = web_text(r, N_("(no message)"));
    }
    v.commits.p = rows, v.commits.n = n;
    v.total = (int64_t)total;
    if (skip > 0) v.newer_url = page_url(r, &p, v.path, skip > PAGE_ROWS ? skip - PAGE_ROWS : 0);
    if (skip + n < total) v.older_url = page_url(r, &p, v.path, skip + n);
    v.f = web_frame(r, p.head.full, "explore");
    v.r = p.head;
    WEB_REPLY(r, 200, page_history, &v);
}

/* The address that `hf upload` prints. The newest row there is this commit, with its verdict. */
err web_repo_commit(struct http_req *r) {
    return http_redirect(r, 302, url_at(r->arena, r->repo, "commits", http_param(r, "rev"), STR_NULL));
}
