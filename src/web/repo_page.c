/* SPDX-License-Identifier: Apache-2.0 */
/* repo_page.c — the head of a repository's pages: name, revision, verdict, tabs. Side column: repo_side.c. */
#include "web/repo_page.h"

struct str entry_oid(struct arena *a, const struct git_entry *e) {
    return arena_str(a, hub_entry_oid(e));
}
uint64_t entry_size(const struct git_entry *e) {
    return e->is_lfs ? e->lfs_size : e->size;
}

static struct str tab_url(struct arena *a, const struct repo_page *p, const char *tab, struct str rev) {
    if (strcmp(tab, "card") != 0) {
        const char *verb = strcmp(tab, "files") == 0 ? "tree" : strcmp(tab, "history") == 0 ? "commits" : tab;
        return url_at(a, p->repo, verb, rev, STR_NULL);
    }
    static const char *const names[] = {"rev"};
    struct str url = url_repo(a, p->repo), value = str_eqz(rev, "main") ? STR_NULL : rev;
    return url_query(a, arena_strz(a, url), names, &value, 1);
}

/* Branches first, tags after; each leads to the same tab at that revision. */
static err refs_fill(struct http_req *r, struct repo_page *p) {
    enum { MAX_REFS = 100 };
    struct git_ref *refs;
    size_t n;
    TRY(git_refs(hub_git(web_of(r)->o.hub), r->arena, p->repo->id, &refs, &n));
    struct link *branches = arena_array(r->arena, struct link, MAX_REFS),
                *tags = arena_array(r->arena, struct link, MAX_REFS);
    size_t nb = 0, nt = 0;
    const char *tab = strcmp(p->head.tab, "settings") == 0 ? "files" : p->head.tab;
    for (size_t i = 0; i < n; i++) {
        bool branch = str_starts(refs[i].name, "refs/heads/");
        if (!branch && !str_starts(refs[i].name, "refs/tags/")) continue;
        struct str name = str_from(refs[i].name, branch ? 11 : 10);
        struct link l = {.text = name, .url = tab_url(r->arena, p, tab, name), .current = str_eq(name, p->rev)};
        if (branch && nb < MAX_REFS) branches[nb++] = l;
        if (!branch && nt < MAX_REFS) tags[nt++] = l;
    }
    p->head.branches.p = branches, p->head.branches.n = nb;
    p->head.tags.p = tags, p->head.tags.n = nt;
    return OK;
}

/* A commit that is not at hand leaves an empty page for main (nothing pushed yet) and an error for any other name. */
static err revision_find(struct http_req *r, struct repo_page *p) {
    p->rev = http_param(r, "rev");
    if (p->rev.n == 0) p->rev = http_query(r, "rev", STR("main"));
    if (p->rev.n == 0) p->rev = STR("main");
    err e = git_resolve(hub_git(web_of(r)->o.hub), p->repo->id, p->rev, p->commit);
    if (e == E_REV_NOT_FOUND && str_eqz(p->rev, "main")) {
        p->commit[0] = '\0';
        return OK;
    }
    return e;
}

static void head_urls(struct http_req *r, struct repo_page *p) {
    struct arena *a = r->arena;
    struct repo_head *h = &p->head;
    h->url = url_repo(a, p->repo);
    h->owner_url = url_owner(a, p->repo->owner);
    h->list_url = arena_printf(a, "/explore?type=%s", repo_type_name(p->repo->type));
    h->card_url = tab_url(a, p, "card", p->rev);
    h->files_url = tab_url(a, p, "files", p->rev);
    h->history_url = tab_url(a, p, "history", p->rev);
    h->review_url = tab_url(a, p, "review", p->rev);
    h->use_url = tab_url(a, p, "use", p->rev);
    h->settings_url = arena_printf(a, STR_FMT "/settings", STR_ARG(h->url));
    static const char *const names[] = {"repo", "rev"};
    struct str values[] = {h->full, p->rev};
    h->deploy_url = url_query(a, "/deployments/new", names, values, 2);
}

err repo_page_open(struct http_req *r, const char *tab, struct repo_page *p) {
    struct arena *a = r->arena;
    struct db *d = db_reader(web_of(r)->o.store);
    *p = (struct repo_page){.repo = r->repo};
    TRY(revision_find(r, p));
    TRY(web_db_repo_facts(d, a, p->repo->id, &p->facts));
    struct repo_head *h = &p->head;
    *h = (struct repo_head){.type = type_word(p->repo->type),
                            .type_many = type_words(p->repo->type),
                            .type_prefix = str_of(repo_type_prefix(p->repo->type)),
                            .owner = p->repo->owner,
                            .name = p->repo->name,
                            .full = repo_full(a, p->repo),
                            .is_private = p->repo->is_private,
                            .can_write = p->repo->my_role >= ROLE_WRITE,
                            .can_admin = p->repo->my_role >= ROLE_ADMIN && r->who->by_session,
                            .is_model = p->repo->type == REPO_MODEL,
                            .is_empty = p->commit[0] == '\0',
                            .tab = tab,
                            .rev = p->rev,
                            .commit = str_of(p->commit),
                            .downloads = p->repo->downloads,
                            .updated_ms = p->repo->updated_ms};
    head_urls(r, p);
    TRY(refs_fill(r, p));
    struct card_facts facts;
    card_facts_read(a, p->facts.card, &facts);
    h->licence = facts.licence, h->base_model = facts.base_model, h->task = facts.task, h->library = facts.library;
    if (!h->is_empty) {
        TRY(verdict_revision_get(d, a, p->repo->id, h->commit, &p->verdict));
        h->chip = chip_of(p->verdict.verdict, p->verdict.coverage, h->review_url);
        h->reason = web_reason(r, p->verdict.reason);
    }
    h->can_deploy = h->is_model && !h->is_empty && r->who->by_session && h->can_write &&
                    p->verdict.verdict != VERDICT_BLOCK && p->verdict.verdict != VERDICT_PENDING;
    return OK;
}

err repo_page_tree(struct http_req *r, const struct repo_page *p, struct str dir, bool recursive, struct str after,
                   size_t max, struct git_entry **out, size_t *n, bool *more) {
    *out = NULL, *n = 0, *more = false;
    if (p->head.is_empty) return OK;
    return git_tree(hub_git(web_of(r)->o.hub), r->arena, p->repo->id, str_of(p->commit), dir, recursive, after, max,
                    out, n, more);
}

void repo_page_crumbs(struct http_req *r, const struct repo_page *p, struct str path, const struct link **out,
                      size_t *n) {
    enum { MAX_DEPTH = 64 };
    struct link *rows = arena_array(r->arena, struct link, MAX_DEPTH + 1);
    size_t k = 0, at = 0;
    rows[k++] = (struct link){.text = p->repo->name, .url = p->head.files_url, .current = path.n == 0};
    while (at < path.n && k <= MAX_DEPTH) {
        ptrdiff_t slash = str_chr(str_from(path, at), '/');
        size_t end = slash < 0 || k == MAX_DEPTH ? path.n : at + (size_t)slash;
        rows[k++] = (struct link){.text = str_sub(path, at, end - at),
                                  .current = end == path.n,
                                  .url = url_at(r->arena, p->repo, "tree", p->rev, str_sub(path, 0, end))};
        at = end + 1;
    }
    *out = rows, *n = k;
}
