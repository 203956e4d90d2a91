/* SPDX-License-Identifier: Apache-2.0 */
/* deploy_new.c — the form that deploys a revision; only one whose verdict allows it. */
#include "pool/pool_int.h"
#include "web/web_int.h"

enum { LOADABLE_MAX = 50, TREE_LIMIT = 2000, SUGGESTIONS = 50 };

/* The first engine that loads this file by itself; NULL when none does. */
static const struct pool_engine *engine_for(const struct pool *p, struct str path) {
    for (size_t i = 0; i < p->n_engines; i++)
        for (size_t k = 0; k < p->engines[i].n_formats; k++) {
            struct str f = p->engines[i].formats[k];
            bool dot = path.n > f.n && path.p[path.n - f.n - 1] == '.';
            if (dot && str_ieq(str_from(path, path.n - f.n), f)) return &p->engines[i];
        }
    return NULL;
}

static void engines_fill(struct http_req *r, struct view_deploy_new *v) {
    const struct pool *p = web_of(r)->o.pool;
    struct link *rows = arena_array(r->arena, struct link, p->n_engines > 0 ? p->n_engines : 1);
    for (size_t i = 0; i < p->n_engines; i++)
        rows[i] = (struct link){.text = p->engines[i].name, .current = str_eq(p->engines[i].name, v->engine)};
    v->engines.p = rows, v->engines.n = p->n_engines;
}

static err files_fill(struct http_req *r, const struct repo_rec *repo, struct str commit, struct view_deploy_new *v) {
    struct git_entry *e;
    size_t n, k = 0;
    bool more;
    TRY(git_tree(hub_git(web_of(r)->o.hub), r->arena, repo->id, commit, STR(""), true, STR(""), TREE_LIMIT, &e, &n,
                 &more));
    struct link *rows = arena_array(r->arena, struct link, LOADABLE_MAX);
    for (size_t i = 0; i < n && k < LOADABLE_MAX; i++)
        if (!e[i].is_dir && engine_for(web_of(r)->o.pool, e[i].path) != NULL)
            rows[k++] = (struct link){.text = e[i].path, .current = str_eq(e[i].path, v->file)};
    v->files.p = rows, v->files.n = k;
    engines_fill(r, v);
    return OK;
}

static err repo_fill(struct http_req *r, struct view_deploy_new *v) {
    struct web *w = web_of(r);
    struct str name = v->repo, owner;
    struct repo_rec *repo = arena_new(r->arena, struct repo_rec);
    bool moved;
    char commit[GIT_OID_HEX + 1];
    if (!str_split(&name, '/', &owner) || name.n == 0)
        return err_fail(E_UNPROCESSABLE, "field repo: expected owner/name. Nothing was deployed.");
    TRY(repo_find(w->o.id, r->arena, REPO_MODEL, owner, name, repo, &moved));
    TRY(repo_access(w->o.id, r->who, repo, ROLE_READ));
    TRY(git_resolve(hub_git(w->o.hub), repo->id, v->rev, commit));
    struct str oid = arena_str(r->arena, str_of(commit));
    struct revision_verdict verdict;
    TRY(verdict_revision_get(db_reader(w->o.store), r->arena, repo->id, oid, &verdict));
    v->repo = repo_full(r->arena, repo);
    v->repo_url = url_repo(r->arena, repo);
    v->has_repo = true;
    v->chip = chip_of(verdict.verdict, verdict.coverage, url_at(r->arena, repo, "review", v->rev, STR_NULL));
    v->reason = web_reason(r, verdict.reason);
    /* pool has the last word; this only saves a person from a form that must fail */
    v->allowed = verdict.verdict != VERDICT_PENDING && verdict.verdict <= w->o.pool->max_verdict;
    if (v->name.n == 0) v->name = v->repo;
    return files_fill(r, repo, oid, v);
}

static err suggestions_fill(struct http_req *r, struct view_deploy_new *v) {
    struct hub_list_opts o = {.type = REPO_MODEL, .max = SUGGESTIONS, .who = r->who};
    struct hub_list_row *rows;
    size_t n;
    struct str next;
    TRY(hub_list(web_of(r)->o.hub, r->arena, &o, &rows, &n, &next));
    struct link *links = arena_array(r->arena, struct link, n > 0 ? n : 1);
    for (size_t i = 0; i < n; i++) links[i] = (struct link){.text = repo_full(r->arena, &rows[i].repo)};
    v->repos.p = links, v->repos.n = n;
    return OK;
}

static err show(struct http_req *r, struct view_deploy_new *v, int status) {
    if (v->repo.n > 0) {
        err e = repo_fill(r, v);
        if (e != OK && e->status >= 500) return e;
        if (e != OK) {
            v->error = web_err_text(r);
            status = e->status;
        }
    }
    if (!v->has_repo) TRY(suggestions_fill(r, v));
    v->f = web_frame(r, web_text(r, N_("Deploy a model")), "deployments");
    WEB_REPLY(r, status, page_deploy_new, v);
}

err web_deploy_new(struct http_req *r) {
    struct view_deploy_new v = {.repo = str_trim(http_query(r, "repo", STR(""))),
                                .rev = http_query(r, "rev", STR("main"))};
    if (v.rev.n == 0) v.rev = STR("main");
    return show(r, &v, 200);
}

err web_deploy_new_post(struct http_req *r) {
    struct str form;
    uint64_t replicas = 1;
    int64_t id;
    TRY(web_form(r, &form));
    struct view_deploy_new v = {.repo = str_trim(form_get(r, form, "repo")),
                                .rev = form_get(r, form, "rev"),
                                .file = form_get(r, form, "file"),
                                .name = str_trim(form_get(r, form, "name")),
                                .engine = form_get(r, form, "engine")};
    if (v.rev.n == 0) v.rev = STR("main");
    struct str repo = v.repo, owner = STR("");
    str_split(&repo, '/', &owner);
    if (!str_to_u64(form_get(r, form, "replicas"), &replicas) || replicas < 1 || replicas > 16) {
        v.error = web_text(r, N_("field replicas: expected 1 to 16. Nothing was deployed."));
        return show(r, &v, 422);
    }
    const struct pool_engine *engine = v.engine.n == 0 ? engine_for(web_of(r)->o.pool, v.file) : NULL;
    if (engine != NULL) v.engine = engine->name;
    struct pool_deploy_req req = {.owner = owner,
                                  .repo = repo,
                                  .rev = v.rev,
                                  .file = v.file,
                                  .name = v.name,
                                  .engine = v.engine,
                                  .replicas = (unsigned)replicas};
    err e = pool_deploy(web_of(r)->o.pool, r->who, &req, &id);
    if (e != OK && e->status < 500) {
        v.error = web_err_text(r);
        return show(r, &v, e->status);
    }
    TRY(e);
    return web_see(r, arena_printf(r->arena, "/deployments/%" PRId64, id), "deploying");
}
