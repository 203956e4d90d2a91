/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h — deployments: desired state in the records, a supervisor that makes it so.
 *
 * The command line and the API only write desired state (deployment row + event); the server's
 * supervisor reconciles. So `ballast deploy` works whether or not the server runs.
 */
#ifndef BALLAST_POOL_H
#define BALLAST_POOL_H

#include "gate/gate.h"
#include "hub/hub.h"

struct pool;
struct pool_engine {     /* from config: engines: */
    struct str name;     /* "llamacpp" */
    struct str argv[32]; /* templates: {model} {port} {alias} {threads} {ctx} {python} {script} */
    size_t n_argv;
    struct str
        formats[8]; /* extensions of single files it loads ("gguf"); "safetensors" = the whole folder; none = any */
    size_t n_formats;
    struct str health_path; /* "/health" */
    int64_t start_timeout_ms, stop_timeout_ms;
};
struct pool_opts {
    struct store *store;
    struct hub *hub;
    struct id *id;
    struct gate *gate;
    const struct pool_engine *engines;
    size_t n_engines;
    struct str max_verdict;   /* "notice": the worst verdict that may be deployed without an override */
    struct str engine_python; /* interpreter for {python}; empty: environment BALLAST_ENGINE_PYTHON, else an own venv */
    int64_t backoff_ms;       /* first pause after a crash, doubles up to 60 s; 0 = 1 s */
    int64_t drain_ms;         /* how long running requests may finish before SIGTERM; 0 = 30 s */
};
enum { POOL_MAX_DEPLOYMENTS = 64, POOL_MAX_REPLICAS = 16, POOL_LOG_TAIL_MAX = 1024 * 1024 };
/* Opens; the built-in engine "llamacpp" is added unless the configuration names one so. */
must_check err pool_open(const struct pool_opts *o, struct pool **out);
must_check err pool_start(struct pool *p);  /* server: the supervisor fiber */
may_suspend void pool_stop(struct pool *p); /* drain and stop every engine */
void pool_close(struct pool *p);
must_check err pool_routes(struct pool *p, struct http_router *rt);

struct pool_deploy_req {
    struct str owner, repo, rev, file, name, engine;
    unsigned replicas;
};
/*
 * Needs write access to the repository. Empty fields: rev "main", file the only one the engine loads, name
 * "owner/repo", engine the first that loads something of the revision, replicas 1. E_BLOCKED / E_PENDING by the
 * revision's verdict; E_CONFLICT when the name is taken.
 */
may_suspend err pool_deploy(struct pool *p, const struct principal *who, const struct pool_deploy_req *req,
                            int64_t *deployment_id) must_check;
may_suspend err pool_undeploy(struct pool *p, const struct principal *who, int64_t deployment_id) must_check;
/*
 * The same deployment with new engines: one replica after another drains, stops and starts, so others answer meanwhile.
 * Needs write access; E_BLOCKED / E_PENDING by the verdict as it is now (then the running ones stay as they are).
 */
may_suspend err pool_restart(struct pool *p, const struct principal *who, int64_t deployment_id) must_check;

struct pool_row {
    int64_t id, repo_id, created_ms, ready_ms, restarts, memory_bytes;
    struct str model, owner, repo, commit, file, engine, state /* pending|starting|ready|draining|stopped|failed */,
        detail;
    unsigned replicas, ready;
    double tokens_per_s; /* newest minute */
};
/* Wanted ones and those still stopping, newest first, as far as `who` may read their repository. */
must_check err pool_list(struct pool *p, struct arena *a, const struct principal *who, struct pool_row **out,
                         size_t *n);
/* One of them; E_NOT_FOUND also when hidden. need: role on the repository. */
must_check err pool_get(struct pool *p, struct arena *a, const struct principal *who, int64_t deployment_id,
                        enum role need, struct pool_row *out);
/* Tail of the engine's log (the caller checked rights: prompts may be in it). */
may_suspend err pool_log_tail(struct pool *p, struct arena *a, int64_t deployment_id, unsigned replica, size_t max,
                              struct str *out) must_check;
#endif
