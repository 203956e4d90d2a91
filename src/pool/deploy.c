/* SPDX-License-Identifier: Apache-2.0 */
/* deploy.c — wishes: who may deploy what under which name; lists. Works with and without a running server. */
#include "pool/pool_int.h"

enum { DEPLOY_MAX_FILES = 4096 };

static err name_check(struct str name) {
    bool ok = name.n > 0 && name.n <= POOL_NAME_MAX;
    for (size_t i = 0; i < name.n && ok; i++) {
        char c = name.p[i];
        ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
             c == '-' || c == '/' || c == ':';
    }
    if (ok) return OK;
    return err_fail(E_UNPROCESSABLE, "name: expected 1 to %d letters, digits or . _ - / : — nothing was deployed",
                    POOL_NAME_MAX);
}

/*
 * A name decides whose requests arrive here, so it may not be taken from somebody: "x/…" is the owner x's, and only an
 * administrator may put a deployment beside a provider's model.
 */
static err name_allowed(struct pool *p, const struct principal *who, const struct repo_rec *repo, struct str name) {
    struct str rest = name, owner;
    if (who->is_admin) return OK;
    if (str_chr(name, '/') >= 0 && str_split(&rest, '/', &owner) && !str_eq(owner, repo->owner))
        return err_fail(E_FORBIDDEN,
                        "name: '" STR_FMT "' is in the name space of '" STR_FMT
                        "'; nothing was deployed. Begin it with '" STR_FMT "/', or use a name without '/'",
                        STR_ARG(name), STR_ARG(owner), STR_ARG(repo->owner));
    if (p->o.gate != NULL && gate_is_remote(p->o.gate, name))
        return err_fail(E_FORBIDDEN,
                        "name: '" STR_FMT "' is a model of a remote provider; nothing was deployed. Only an "
                        "administrator may give a deployment the same name",
                        STR_ARG(name));
    return OK;
}

/* Engine and file: the named engine, else the first that loads something. */
static err choose(struct pool *p, struct arena *a, const struct pool_deploy_req *req, const struct git_entry *files,
                  size_t n, const struct pool_engine **engine, struct str *file) {
    if (req->engine.n > 0) {
        *engine = engine_find(p, req->engine);
        if (*engine == NULL)
            return err_fail(E_UNPROCESSABLE, "engine: the configuration has no engine '" STR_FMT "'",
                            STR_ARG(req->engine));
        return engine_pick_file(*engine, a, files, n, req->file, file);
    }
    /* The built-in one comes last in the table but is the obvious choice for what it loads. */
    *engine = engine_find(p, STR("llamacpp"));
    err e = engine_pick_file(*engine, a, files, n, req->file, file);
    if (e != E_UNPROCESSABLE) return e;
    struct err_slot first = *err_slot();
    for (size_t i = 0; i < p->n_engines; i++) {
        if (&p->engines[i] == *engine || engine_pick_file(&p->engines[i], a, files, n, req->file, file) != OK) continue;
        *engine = &p->engines[i];
        return OK;
    }
    *err_slot() = first;
    return e;
}

static err deploy(struct pool *p, struct arena *a, const struct principal *who, const struct pool_deploy_req *req,
                  int64_t *id) {
    struct repo_rec repo;
    char commit[GIT_OID_HEX + 1];
    struct git_entry *files;
    size_t n;
    bool more;
    struct new_deployment nd = {.user_id = who->user_id, .replicas = req->replicas != 0 ? req->replicas : 1};
    if (nd.replicas > POOL_MAX_REPLICAS)
        return err_fail(E_UNPROCESSABLE, "replicas: expected a number from 1 to %d", POOL_MAX_REPLICAS);
    TRY(repo_find(p->o.id, a, REPO_MODEL, req->owner, req->repo, &repo, NULL));
    TRY(repo_access(p->o.id, who, &repo, ROLE_WRITE));
    nd.model =
        req->name.n > 0 ? req->name : arena_printf(a, STR_FMT "/" STR_FMT, STR_ARG(repo.owner), STR_ARG(repo.name));
    TRY(name_check(nd.model));
    TRY(name_allowed(p, who, &repo, nd.model));
    TRY(git_resolve(hub_git(p->o.hub), repo.id, req->rev.n > 0 ? req->rev : STR("main"), commit));
    nd.repo_id = repo.id;
    nd.commit = str_of(commit);
    TRY(git_tree(hub_git(p->o.hub), a, repo.id, nd.commit, STR(""), true, STR(""), DEPLOY_MAX_FILES, &files, &n,
                 &more));
    const struct pool_engine *engine;
    TRY(choose(p, a, req, files, n, &engine, &nd.file));
    nd.engine = engine->name;
    TRY(model_verdict(p, a, repo.id, nd.commit, nd.file));
    TRY(pool_db_add(p, &nd));
    *id = nd.id;
    return OK;
}

err pool_deploy(struct pool *p, const struct principal *who, const struct pool_deploy_req *req,
                int64_t *deployment_id) {
    struct arena a;
    arena_init(&a, 64 * MiB);
    err e = deploy(p, &a, who, req, deployment_id);
    arena_release(&a);
    return e;
}

/* The row with its repository's names, if `who` has the role there. */
static err visible(struct pool *p, struct arena *a, const struct principal *who, enum role need, struct pool_row *row) {
    struct repo_rec repo;
    TRY(repo_get(p->o.id, a, row->repo_id, &repo));
    row->owner = repo.owner;
    row->repo = repo.name;
    return repo_access(p->o.id, who, &repo, need);
}

err pool_get(struct pool *p, struct arena *a, const struct principal *who, int64_t deployment_id, enum role need,
             struct pool_row *out) {
    struct db_dep *rows;
    size_t n;
    TRY(pool_db_list(p, a, deployment_id, &rows, &n));
    TRY(pool_db_rates(p, rows, n));
    err e = n > 0 ? visible(p, a, who, ROLE_READ, &rows[0].row) : E_NOT_FOUND;
    if (e != OK && who->is_admin && n > 0) e = OK; /* the repository is gone, its deployment is not */
    if (e != OK) return err_fail(E_NOT_FOUND, "there is no deployment %" PRId64, deployment_id);
    if (need > ROLE_READ && !who->is_admin) TRY(visible(p, a, who, need, &rows[0].row));
    *out = rows[0].row;
    return OK;
}

err pool_undeploy(struct pool *p, const struct principal *who, int64_t deployment_id) {
    struct arena a;
    arena_init(&a, 8 * MiB);
    struct pool_row row;
    err e = pool_get(p, &a, who, deployment_id, ROLE_WRITE, &row);
    if (e == OK) e = pool_db_unwant(p, deployment_id, who->user_id);
    arena_release(&a);
    return e;
}

err pool_restart(struct pool *p, const struct principal *who, int64_t deployment_id) {
    struct arena a;
    arena_init(&a, 64 * MiB);
    struct pool_row row;
    err e = pool_get(p, &a, who, deployment_id, ROLE_WRITE, &row);
    if (e == OK) e = model_verdict(p, &a, row.repo_id, row.commit, row.file);
    if (e == OK) e = pool_db_turn(p, deployment_id, who->user_id);
    arena_release(&a);
    return e;
}

err pool_list(struct pool *p, struct arena *a, const struct principal *who, struct pool_row **out, size_t *n) {
    struct db_dep *rows;
    size_t n_rows;
    *n = 0;
    TRY(pool_db_list(p, a, 0, &rows, &n_rows));
    TRY(pool_db_rates(p, rows, n_rows));
    *out = arena_array(a, struct pool_row, n_rows + 1);
    for (size_t i = 0; i < n_rows; i++) {
        err e = visible(p, a, who, ROLE_READ, &rows[i].row);
        if (e == OK || who->is_admin) (*out)[(*n)++] = rows[i].row; /* others' private ones are simply not there */
    }
    return OK;
}
