/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c — the supervisor: one fiber that makes what is like what is wanted.
 *
 * It looks whenever any record changed (store_notify, also by another process) and once a second. A wanted deployment
 * without replicas gets them; one that is not wanted any more is stopped and forgotten; one whose verdict became worse
 * than allowed is stopped and shown as failed until the verdict allows it again.
 */
#include "pool/pool_int.h"

#include <limits.h>

#include "base/clock.h"
#include "base/log.h"

enum { LOOK_MS = 1000, SETTLE_MS = 50 };

static void deployment_free(struct deployment *d) {
    fmutex_free(d->prepare);
    fmutex_free(d->publish);
    arena_release(&d->arena);
    free(d);
}

static struct deployment *find(struct pool *p, int64_t id) {
    for (struct deployment *d = p->list; d != NULL; d = d->next)
        if (d->row.id == id) return d;
    return NULL;
}

static struct deployment *deployment_new(struct pool *p, const struct pool_row *row, int64_t turn) {
    struct deployment *d = calloc(1, sizeof *d);
    BUG_ON(d == NULL);
    arena_init(&d->arena, 4 * MiB);
    d->pool = p;
    d->prepare = fmutex_new();
    d->publish = fmutex_new();
    d->row = *row;
    d->row.model = arena_str(&d->arena, row->model);
    d->row.commit = arena_str(&d->arena, row->commit);
    d->row.file = arena_str(&d->arena, row->file);
    d->row.replicas = MIN(MAX(row->replicas, 1u), (unsigned)POOL_MAX_REPLICAS);
    d->engine = engine_find(p, row->engine);
    d->restarts = d->shown.restarts = row->restarts;
    d->turn = turn;
    d->shown.state = DEP_PENDING;
    return d;
}

static void begin(struct pool *p, const struct pool_row *row, int64_t turn) {
    if (p->n_list >= POOL_MAX_DEPLOYMENTS) return; /* pool_db_add refuses before; nothing runs beyond */
    struct deployment *d = deployment_new(p, row, turn);
    if (d->engine == NULL) {
        d->row.replicas = 1;
        d->replicas[0].state = DEP_FAILED;
        snprintf(d->replicas[0].detail, sizeof d->replicas[0].detail, "the configuration has no engine '" STR_FMT "'",
                 STR_ARG(row->engine));
    }
    for (unsigned i = 0; d->engine != NULL && i < d->row.replicas; i++) {
        struct replica *r = &d->replicas[i];
        *r = (struct replica){.d = d, .index = i, .turn = turn};
        if (fiber_spawn(NULL, replica_main, r) == OK) d->n_live++;
        else snprintf(r->detail, sizeof r->detail, "%s", err_text());
    }
    d->next = p->list;
    p->list = d;
    p->n_list++;
    deployment_publish(d);
    deployment_expect(d);
}

static void forget(struct pool *p, struct deployment *d) {
    struct deployment **at = &p->list;
    while (*at != d) at = &(*at)->next;
    deployment_publish(d); /* says "stopped" */
    deployment_expect(d);
    model_drop(p, d->row.id);
    *at = d->next;
    p->n_list--;
    deployment_free(d);
}

/* The verdict of a running deployment may turn; pending (re-review) leaves it running. Without its repository it ends.
 */
static void look_at_verdict(struct pool *p, struct deployment *d) {
    struct arena a;
    arena_init(&a, MiB);
    struct repo_rec repo;
    if (repo_get(p->o.id, &a, d->row.repo_id, &repo) == E_REPO_NOT_FOUND) {
        log_warn("pool.repo_deleted", LI("deployment", d->row.id));
        if (pool_db_unwant(p, d->row.id, 0) != OK) log_warn("pool.look", LZ("error", err_text()));
        arena_release(&a);
        return;
    }
    err e = model_verdict(p, &a, d->row.repo_id, d->row.commit, (struct str){NULL, 0});
    if (e == E_BLOCKED && !d->blocked) {
        snprintf(d->blocked_why, sizeof d->blocked_why, "%s", err_text());
        d->blocked = true;
        log_warn("pool.blocked", LI("deployment", d->row.id), LZ("reason", d->blocked_why));
    } else if (e == OK && d->blocked) {
        d->blocked = false;
        for (unsigned i = 0; i < d->row.replicas; i++) d->replicas[i].fails = 0, d->replicas[i].detail[0] = 0;
    }
    arena_release(&a);
}

/* A wanted deployment that runs: may it still, and shall it start anew? */
static void look_at(struct pool *p, struct deployment *d, int64_t turn) {
    if (d->turn != turn) {
        d->turn = turn;
        d->verified = false; /* its files are looked at again, too */
    }
    look_at_verdict(p, d);
}

static void reconcile(struct pool *p) {
    struct arena a;
    arena_init(&a, 8 * MiB);
    struct db_dep *rows;
    size_t n = 0;
    bool known = pool_db_list(p, &a, 0, &rows, &n) == OK;
    if (!known) {
        log_warn("pool.look", LZ("error", err_text()));
        n = 0;
    }
    for (size_t i = 0; i < n; i++) {
        struct deployment *d = find(p, rows[i].row.id);
        if (d == NULL && rows[i].wanted) begin(p, &rows[i].row, rows[i].turn);
        else if (d != NULL && !rows[i].wanted) d->stop = true;
        else if (d != NULL) look_at(p, d, rows[i].turn);
    }
    /* Undeployed before it was ever shown as running: no row comes any more. */
    for (struct deployment *d = p->list; d != NULL; d = d->next) {
        bool seen = false;
        for (size_t i = 0; i < n; i++) seen |= rows[i].row.id == d->row.id;
        if (!seen && known) d->stop = true;
    }
    arena_release(&a);
    for (struct deployment *d = p->list, *next; d != NULL; d = next) {
        next = d->next;
        if (d->stop && d->n_live == 0) forget(p, d);
    }
}

static void supervisor(void *arg) {
    struct pool *p = arg;
    struct notify *n = store_notify(p->o.store);
    while (!p->stopping) {
        uint64_t gen = notify_gen(n);
        reconcile(p);
        if (notify_wait(n, gen, LOOK_MS) == E_CANCELLED) p->stopping = true;
        /* Metering commits all the time; a look per commit would be waste. */
        if (!p->stopping && fiber_sleep(SETTLE_MS) != OK) p->stopping = true;
    }
    for (;;) {
        unsigned live = 0;
        for (struct deployment *d = p->list; d != NULL; d = d->next) live += d->n_live;
        if (live == 0 || fiber_sleep(POOL_NAP_MS) != OK) break;
    }
    if (pool_db_reset(p) != OK) log_warn("pool.stop", LZ("error", err_text()));
    done_signal(&p->stopped);
}

/* --- the public part
 * --------------------------------------------------------------------------------------------------- */
err pool_open(const struct pool_opts *o, struct pool **out) {
    *out = NULL;
    struct pool *p = calloc(1, sizeof *p);
    if (p == NULL) return err_fail(E_NOMEM, "no memory for the pool");
    arena_init(&p->arena, 4 * MiB);
    p->o = *o;
    p->o.engine_python = arena_str(&p->arena, o->engine_python);
    p->engine_mu = fmutex_new();
    char abs[PATH_MAX];
    const char *dir = store_dir(o->store);
    snprintf(p->env_mark, sizeof p->env_mark, "BALLAST_POOL=%s", realpath(dir, abs) != NULL ? abs : dir);
    p->max_verdict = VERDICT_NOTICE;
    err e = OK;
    if (o->max_verdict.n > 0 && !verdict_parse(o->max_verdict, &p->max_verdict))
        e = err_fail(E_UNPROCESSABLE, "deploy.max_verdict: expected pass, notice or review, got '" STR_FMT "'",
                     STR_ARG(o->max_verdict));
    if (e == OK) e = engines_init(p, o);
    if (e != OK) {
        pool_close(p);
        return e;
    }
    *out = p;
    return OK;
}

err pool_start(struct pool *p) {
    sweep_orphans(p);
    TRY(pool_db_reset(p));
    done_init(&p->stopped);
    TRY(fiber_spawn(rt_loop(0), supervisor, p));
    p->started = true;
    return OK;
}

void pool_stop(struct pool *p) {
    if (!p->started) return;
    p->started = false;
    p->stopping = true;
    notify_bump(store_notify(p->o.store)); /* look at once */
    done_wait(&p->stopped);
    while (p->list != NULL) {
        struct deployment *d = p->list;
        p->list = d->next;
        if (d->n_live == 0) deployment_free(d);
    }
}

void pool_close(struct pool *p) {
    if (p == NULL) return;
    fmutex_free(p->engine_mu);
    arena_release(&p->arena);
    free(p);
}
