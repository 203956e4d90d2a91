/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_db.c — the records of deployments and engine processes, and their events.
 *
 * The API and the command line write wishes (a row, wanted = 0); only the supervisor of the server writes what is.
 */
#include "base/clock.h"
#include "pool/pool_int.h"

enum { MAX_ROWS = 4 * POOL_MAX_DEPLOYMENTS, MAX_PROCS = 2 * POOL_MAX_DEPLOYMENTS * POOL_MAX_REPLICAS, RATE_MS = 60000 };

static err dep_event(struct db *d, const char *kind, int64_t actor, const struct dep_shown *s) {
    struct event_draft e;
    event_begin(&e);
    jw_ki64(&e.w, "deployment", s->id);
    jw_kcstr(&e.w, "model", s->model);
    jw_kcstr(&e.w, "state", s->state);
    jw_ki64(&e.w, "ready", s->ready);
    jw_ki64(&e.w, "replicas", s->replicas);
    jw_kcstr(&e.w, "detail", s->detail);
    return event_end(d, &e, kind, actor, s->repo_id);
}

/* --- wishes --------------------------------------------------------------------------------------------------- */
static err model_free(struct db *d, struct str model) {
    struct stmt *st;
    bool row;
    TRY(db_prep(d, "SELECT id FROM deployment WHERE model = ?1 AND wanted = 1", &st));
    db_bind_str(st, 1, model);
    err e = db_step(st, &row);
    int64_t id = e == OK && row ? db_i64(st, 0) : 0;
    db_done(st);
    TRY(e);
    if (id == 0) return OK;
    return err_fail(E_CONFLICT,
                    "deployment %" PRId64 " has the name '" STR_FMT
                    "' already; nothing was changed. Choose another name or "
                    "remove that one first",
                    id, STR_ARG(model));
}

err pool_db_model_free(struct pool *p, struct str model) {
    return model_free(db_reader(p->o.store), model);
}

static err add_tx(struct db *d, void *arg) {
    struct new_deployment *n = arg;
    struct stmt *st;
    bool row;
    TRY(model_free(d, n->model));
    TRY(db_prep(d, "SELECT count(*) FROM deployment WHERE wanted = 1", &st));
    err e = db_step(st, &row);
    int64_t count = e == OK && row ? db_i64(st, 0) : 0;
    db_done(st);
    TRY(e);
    if (count >= POOL_MAX_DEPLOYMENTS)
        return err_fail(E_LIMIT, "this server runs at most %d deployments; nothing was changed. Remove one first",
                        POOL_MAX_DEPLOYMENTS);
    TRY(db_exec(d,
                "INSERT INTO deployment (model, repo_id, commit_oid, file, engine, replicas, created_by, created_ms) "
                "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                "sisssiii", n->model, n->repo_id, n->commit, n->file, n->engine, (int64_t)n->replicas, n->user_id,
                clock_wall_ms()));
    n->id = db_last_id(d);
    struct event_draft ev;
    event_begin(&ev);
    jw_ki64(&ev.w, "deployment", n->id);
    jw_kstr(&ev.w, "model", n->model);
    jw_kstr(&ev.w, "commit", n->commit);
    jw_kstr(&ev.w, "file", n->file);
    jw_kstr(&ev.w, "engine", n->engine);
    jw_ki64(&ev.w, "replicas", n->replicas);
    return event_end(d, &ev, "deployment.created", n->user_id, n->repo_id);
}
err pool_db_add(struct pool *p, struct new_deployment *n) {
    return db_write(p->o.store, add_tx, n);
}

struct unwant {
    int64_t id, user_id;
};
/* What the event of a wish says about a wanted deployment; E_NOT_FOUND. */
struct wished {
    struct dep_shown s;
    char model[POOL_NAME_MAX + 1], state[16];
};
static err wished_get(struct db *d, int64_t id, struct wished *w) {
    struct stmt *st;
    bool row;
    *w = (struct wished){.s = {.id = id, .detail = "", .model = w->model, .state = w->state}};
    TRY(db_prep(d, "SELECT model, repo_id, replicas, ready, state FROM deployment WHERE id = ?1 AND wanted = 1", &st));
    db_bind_i64(st, 1, id);
    err e = db_step(st, &row);
    if (e == OK && row) {
        snprintf(w->model, sizeof w->model, STR_FMT, STR_ARG(db_str(st, 0)));
        snprintf(w->state, sizeof w->state, STR_FMT, STR_ARG(db_str(st, 4)));
        w->s.repo_id = db_i64(st, 1);
        w->s.replicas = (unsigned)db_i64(st, 2);
        w->s.ready = (unsigned)db_i64(st, 3);
    }
    db_done(st);
    TRY(e);
    return row ? OK : err_fail(E_NOT_FOUND, "there is no deployment %" PRId64, id);
}
static err unwant_tx(struct db *d, void *arg) {
    struct unwant *u = arg;
    struct wished w;
    TRY(wished_get(d, u->id, &w));
    bool runs = strcmp(w.state, "starting") == 0 || strcmp(w.state, "ready") == 0;
    w.s.state = runs ? "draining" : "stopped";
    TRY(db_exec(d, "UPDATE deployment SET wanted = 0, state = ?2 WHERE id = ?1", "is", u->id, str_of(w.s.state)));
    return dep_event(d, "deployment.deleted", u->user_id, &w.s);
}
static err turn_tx(struct db *d, void *arg) {
    struct unwant *u = arg;
    struct wished w;
    TRY(wished_get(d, u->id, &w));
    TRY(db_exec(d, "UPDATE deployment SET turn = turn + 1 WHERE id = ?1", "i", u->id));
    return dep_event(d, "deployment.restarted", u->user_id, &w.s);
}
err pool_db_turn(struct pool *p, int64_t id, int64_t user_id) {
    struct unwant u = {id, user_id};
    return db_write(p->o.store, turn_tx, &u);
}
err pool_db_unwant(struct pool *p, int64_t id, int64_t user_id) {
    struct unwant u = {id, user_id};
    return db_write(p->o.store, unwant_tx, &u);
}

/* --- what is ---------------------------------------------------------------------------------------------------- */
static err show_tx(struct db *d, void *arg) {
    const struct dep_shown *s = arg;
    TRY(db_exec(d,
                "UPDATE deployment SET state = ?2, detail = ?3, ready = ?4, ready_ms = ?5, restarts = ?6, memory_bytes "
                "= ?7 WHERE id = ?1",
                "issiiii", s->id, str_of(s->state), str_of(s->detail), (int64_t)s->ready, s->ready_ms, s->restarts,
                s->memory_bytes));
    return s->is_event ? dep_event(d, "deployment.state", 0, s) : OK;
}
err pool_db_show(struct pool *p, const struct dep_shown *s) {
    struct dep_shown copy = *s;
    return db_write(p->o.store, show_tx, &copy);
}

static err reset_tx(struct db *d, void *arg) {
    (void)arg;
    TRY(db_exec(d,
                "UPDATE deployment SET state = 'stopped', detail = '', ready = 0, memory_bytes = 0 WHERE wanted = 0 "
                "AND state <> 'stopped'",
                ""));
    return db_exec(d,
                   "UPDATE deployment SET state = 'pending', detail = '', ready = 0, memory_bytes = 0 WHERE wanted = 1 "
                   "AND state <> 'pending'",
                   "");
}
err pool_db_reset(struct pool *p) {
    return db_write(p->o.store, reset_tx, NULL);
}

static err read_rows(struct stmt *st, struct arena *a, struct db_dep **out, size_t *n) {
    struct db_dep *v = arena_array(a, struct db_dep, MAX_ROWS);
    bool row;
    for (*n = 0; *n < MAX_ROWS; ++*n) {
        TRY(db_step(st, &row));
        if (!row) break;
        struct pool_row *r = &v[*n].row;
        r->id = db_i64(st, 0);
        r->model = arena_str(a, db_str(st, 1));
        r->repo_id = db_i64(st, 2);
        r->commit = arena_str(a, db_str(st, 3));
        r->file = arena_str(a, db_str(st, 4));
        r->engine = arena_str(a, db_str(st, 5));
        r->replicas = (unsigned)db_i64(st, 6);
        v[*n].wanted = db_i64(st, 7) != 0;
        r->created_ms = db_i64(st, 8);
        r->state = arena_str(a, db_str(st, 9));
        r->detail = arena_str(a, db_str(st, 10));
        r->ready = (unsigned)db_i64(st, 11);
        r->ready_ms = db_i64(st, 12);
        r->restarts = db_i64(st, 13);
        r->memory_bytes = db_i64(st, 14);
        v[*n].turn = db_i64(st, 15);
    }
    *out = v;
    return OK;
}

err pool_db_list(struct pool *p, struct arena *a, int64_t id, struct db_dep **out, size_t *n) {
    struct stmt *st;
    TRY(db_prep(
        db_reader(p->o.store),
        "SELECT id, model, repo_id, commit_oid, file, engine, replicas, wanted, created_ms, state, detail, ready, "
        "ready_ms, "
        "restarts, memory_bytes, turn FROM deployment WHERE (wanted = 1 OR state <> 'stopped') AND (?1 = 0 OR id = ?1) "
        "ORDER BY id DESC",
        &st));
    db_bind_i64(st, 1, id);
    err e = read_rows(st, a, out, n);
    db_done(st);
    return e;
}

/*
 * Tokens made in the newest minute, from the gateway's ledger. Its key begins with the time, so only the newest rows
 * are read, and never more than 5,000: above that the figure is a lower bound.
 */
err pool_db_rates(struct pool *p, struct db_dep *rows, size_t n) {
    struct stmt *st;
    bool row = true;
    TRY(db_prep(
        db_reader(p->o.store),
        "SELECT model, sum(completion_tokens) FROM (SELECT model, completion_tokens, time_ms, provider FROM usage_row "
        "ORDER BY request_id DESC LIMIT 5000) WHERE time_ms > ?1 AND provider = 'local' GROUP BY model",
        &st));
    db_bind_i64(st, 1, clock_wall_ms() - RATE_MS);
    err e;
    while ((e = db_step(st, &row)) == OK && row)
        for (size_t i = 0; i < n; i++)
            if (str_eq(rows[i].row.model, db_str(st, 0)))
                rows[i].row.tokens_per_s = (double)db_i64(st, 1) * 1000 / RATE_MS;
    db_done(st);
    return e;
}

/* --- engine processes --------------------------------------------------------------------------------------------- */
struct proc_job {
    int64_t pid, start_ticks, deployment_id, replica;
};
static err proc_add_tx(struct db *d, void *arg) {
    const struct proc_job *j = arg;
    return db_exec(
        d, "INSERT OR REPLACE INTO engine_process (pid, start_ticks, deployment_id, replica) VALUES (?1, ?2, ?3, ?4)",
        "iiii", j->pid, j->start_ticks, j->deployment_id, j->replica);
}
err pool_db_proc_add(struct pool *p, pid_t pid, int64_t start_ticks, int64_t deployment_id, unsigned replica) {
    struct proc_job j = {pid, start_ticks, deployment_id, replica};
    return db_write(p->o.store, proc_add_tx, &j);
}
static err proc_del_tx(struct db *d, void *arg) {
    return db_exec(d, "DELETE FROM engine_process WHERE pid = ?1", "i", *(const int64_t *)arg);
}
err pool_db_proc_del(struct pool *p, pid_t pid) {
    int64_t v = pid;
    return db_write(p->o.store, proc_del_tx, &v);
}
err pool_db_procs(struct pool *p, struct arena *a, struct db_proc **out, size_t *n) {
    struct stmt *st;
    bool row = true;
    struct db_proc *v = arena_array(a, struct db_proc, MAX_PROCS);
    *n = 0;
    *out = v;
    TRY(db_prep(db_reader(p->o.store), "SELECT pid, start_ticks FROM engine_process", &st));
    err e = OK;
    while (*n < MAX_PROCS && (e = db_step(st, &row)) == OK && row)
        v[(*n)++] = (struct db_proc){(pid_t)db_i64(st, 0), db_i64(st, 1)};
    db_done(st);
    return e;
}
