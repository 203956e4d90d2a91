/* SPDX-License-Identifier: Apache-2.0 */
/* routes.c — /api/ballast/deployments: list, create, look, remove, read the log. */
#include "pool/pool_int.h"

enum { LIST_MAX = 4 << 20, BODY_MAX = 64 << 10, LOG_DEFAULT = 64 << 10 };

static struct pool *pool_of(struct http_req *r) {
    return r->ctx;
}

static void row_json(struct jw *w, const struct pool_row *d) {
    jw_obj(w);
    jw_ki64(w, "id", d->id);
    jw_kstr(w, "model", d->model);
    jw_key(w, "repo");
    if (d->owner.n > 0) {
        char name[256];
        int n = snprintf(name, sizeof name, STR_FMT "/" STR_FMT, STR_ARG(d->owner), STR_ARG(d->repo));
        jw_str(w, (struct str){name, (size_t)MIN(n, (int)sizeof name - 1)});
    } else {
        jw_null(w);
    }
    jw_kstr(w, "commit", d->commit);
    jw_kstr(w, "file", d->file);
    jw_kstr(w, "engine", d->engine);
    jw_kstr(w, "state", d->state);
    jw_kstr(w, "detail", d->detail);
    jw_ki64(w, "replicas", d->replicas);
    jw_ki64(w, "ready", d->ready);
    jw_ki64(w, "restarts", d->restarts);
    jw_ki64(w, "memoryBytes", d->memory_bytes);
    jw_key(w, "tokensPerSecond");
    jw_double(w, d->tokens_per_s);
    jw_ki64(w, "createdMs", d->created_ms);
    jw_ki64(w, "readyMs", d->ready_ms);
    jw_obj_end(w);
}

static err reply_row(struct http_req *r, int status, const struct pool_row *row) {
    struct buf b cleanup(buf_release);
    struct jw w;
    buf_init(&b, LIST_MAX);
    jw_init(&w, &b);
    row_json(&w, row);
    return http_reply_json(r, status, &b);
}

static err list(struct http_req *r) {
    struct pool_row *rows;
    size_t n;
    TRY(pool_list(pool_of(r), r->arena, r->who, &rows, &n));
    struct buf b cleanup(buf_release);
    struct jw w;
    buf_init(&b, LIST_MAX);
    jw_init(&w, &b);
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) row_json(&w, &rows[i]);
    jw_arr_end(&w);
    return http_reply_json(r, 200, &b);
}

static err create(struct http_req *r) {
    struct jv body;
    struct str repo;
    int64_t replicas = 1, id;
    struct pool_row row;
    TRY(http_body_json(r, BODY_MAX, &body));
    TRY(jv_need_str(body, "repo", &repo));
    if (jv_ok(jv_get(body, "replicas"))) TRY(jv_need_i64(body, "replicas", 1, POOL_MAX_REPLICAS, &replicas));
    ptrdiff_t slash = str_chr(repo, '/');
    if (slash <= 0)
        return err_fail(E_BAD_REQUEST, "field repo: expected \"OWNER/NAME\", got '" STR_FMT "'", STR_ARG(repo));
    struct str none = STR("");
    struct pool_deploy_req q = {.owner = str_sub(repo, 0, (size_t)slash),
                                .repo = str_from(repo, (size_t)slash + 1),
                                .rev = jv_str(jv_get(body, "rev"), none),
                                .file = jv_str(jv_get(body, "file"), none),
                                .name = jv_str(jv_get(body, "name"), none),
                                .engine = jv_str(jv_get(body, "engine"), none),
                                .replicas = (unsigned)replicas};
    TRY(pool_deploy(pool_of(r), r->who, &q, &id));
    TRY(pool_get(pool_of(r), r->arena, r->who, id, ROLE_READ, &row));
    return reply_row(r, 201, &row);
}

static err id_param(struct http_req *r, int64_t *id) {
    struct str s = http_param(r, "id");
    if (str_to_i64(s, id) && *id > 0) return OK;
    return err_fail(E_NOT_FOUND, "there is no deployment '" STR_FMT "'", STR_ARG(s));
}

static err get(struct http_req *r) {
    int64_t id;
    struct pool_row row;
    TRY(id_param(r, &id));
    TRY(pool_get(pool_of(r), r->arena, r->who, id, ROLE_READ, &row));
    return reply_row(r, 200, &row);
}

static err del(struct http_req *r) {
    int64_t id;
    TRY(id_param(r, &id));
    TRY(pool_undeploy(pool_of(r), r->who, id));
    return http_reply_empty(r, 204);
}

static err restart(struct http_req *r) {
    int64_t id;
    struct pool_row row;
    TRY(id_param(r, &id));
    TRY(pool_restart(pool_of(r), r->who, id));
    TRY(pool_get(pool_of(r), r->arena, r->who, id, ROLE_READ, &row));
    return reply_row(r, 202, &row);
}

/* Prompts may be in it: for those who may write to the repository. */
static err log_tail(struct http_req *r) {
    int64_t id;
    uint64_t replica = 0, max = LOG_DEFAULT;
    struct pool_row row;
    struct str text;
    TRY(id_param(r, &id));
    if (!str_to_u64(http_query(r, "replica", STR("0")), &replica) || replica >= POOL_MAX_REPLICAS)
        return err_fail(E_BAD_REQUEST, "replica: expected a number from 0 to %d", POOL_MAX_REPLICAS - 1);
    if (!str_to_u64(http_query(r, "bytes", STR("65536")), &max) || max == 0 || max > POOL_LOG_TAIL_MAX)
        return err_fail(E_BAD_REQUEST, "bytes: expected a number from 1 to %d", POOL_LOG_TAIL_MAX);
    TRY(pool_get(pool_of(r), r->arena, r->who, id, ROLE_WRITE, &row));
    TRY(pool_log_tail(pool_of(r), r->arena, id, (unsigned)replica, (size_t)max, &text));
    return http_reply(r, 200, "text/plain; charset=utf-8", text);
}

static const struct http_route routes[] = {
    {HTTP_GET, "/api/ballast/deployments", list, AUTH_PUBLIC, DIALECT_HF, "pool.list",
     "Deployments of models the caller may read, newest first.", NULL, 0, 0},
    {HTTP_POST, "/api/ballast/deployments", create, AUTH_USER_WRITE, DIALECT_HF, "pool.create",
     "Deploy a reviewed revision: {repo, rev?, file?, name?, engine?, replicas?}. Needs write access to the "
     "repository.",
     NULL, BODY_MAX, 0},
    {HTTP_GET, "/api/ballast/deployments/{id}", get, AUTH_PUBLIC, DIALECT_HF, "pool.get", "One deployment.", NULL, 0,
     0},
    {HTTP_DELETE, "/api/ballast/deployments/{id}", del, AUTH_USER_WRITE, DIALECT_HF, "pool.delete",
     "Drain and stop a deployment. Needs write access to the repository.", NULL, 0, 0},
    {HTTP_POST, "/api/ballast/deployments/{id}/restart", restart, AUTH_USER_WRITE, DIALECT_HF, "pool.restart",
     "Start the engines of a deployment anew, one replica after another. Needs write access to the repository.", NULL,
     0, 0},
    {HTTP_GET, "/api/ballast/deployments/{id}/log", log_tail, AUTH_USER, DIALECT_HF, "pool.log",
     "Last bytes of the log of one replica (replica=, bytes=). Needs write access to the repository.", NULL, 0, 0},
};

err pool_routes(struct pool *p, struct http_router *rt) {
    return http_router_add(rt, routes, ARRAY_LEN(routes), p);
}
