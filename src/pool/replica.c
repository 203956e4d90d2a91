/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replica.c — the life of one engine process, as one straight-line fiber.
 *
 *     prepare model, interpreter -> start -> healthy and one token -> at the gateway -> serve
 *     -> (wished away) out of the gateway, running requests finish, SIGTERM, SIGKILL
 *     -> (it ended by itself) out of the gateway, pause with back-off, again
 *
 * Waits look at the wish to stop every POOL_NAP_MS.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/client.h"
#include "pool/pool_int.h"

enum { PROBE_MS = 2000, TOKEN_PROBE_MS = 20000, BACKOFF_DEFAULT_MS = 1000, DRAIN_DEFAULT_MS = 30000 };

static const char *const state_names[] = {"pending", "starting", "ready", "draining", "stopped", "failed"};
const char *dep_state_name(enum dep_state s) {
    return state_names[s];
}

/* Its turn to start anew: those before it have, and answer again or cannot. */
static bool replica_turns(const struct replica *r) {
    if (r->turn == r->d->turn) return false;
    for (const struct replica *k = r->d->replicas; k < r; k++)
        if (k->turn != r->d->turn || (k->state != DEP_READY && k->state != DEP_FAILED)) return false;
    return true;
}

bool replica_wanted(const struct replica *r) {
    return !r->d->stop && !r->d->pool->stopping && !r->d->blocked && !replica_turns(r);
}
static bool replica_lives(const struct replica *r) {
    return !r->d->stop && !r->d->pool->stopping;
}

/* detail NULL: the last reason stays. */
static void set_state(struct replica *r, enum dep_state s, const char *detail) {
    r->state = s;
    if (detail != NULL) snprintf(r->detail, sizeof r->detail, "%s", detail);
    deployment_publish(r->d);
}

/* False when the loop stops. */
static bool nap(void) {
    return fiber_sleep(POOL_NAP_MS) == OK;
}

/* --- the record ------------------------------------------------------------------------------------------------- */
static void fold(const struct deployment *d, enum dep_state *state, unsigned *ready, int64_t *memory,
                 const char **detail) {
    bool starting = false, failed = false, draining = false;
    *ready = 0;
    *memory = 0;
    *detail = "";
    for (unsigned i = 0; i < d->row.replicas; i++) {
        const struct replica *r = &d->replicas[i];
        *ready += r->state == DEP_READY;
        *memory += r->memory_bytes;
        starting |= r->state == DEP_STARTING;
        failed |= r->state == DEP_FAILED;
        draining |= r->state == DEP_DRAINING;
        if (r->state != DEP_READY && r->detail[0] != 0 && (*detail)[0] == 0) *detail = r->detail;
    }
    if (d->stop) *state = d->n_live > 0 ? DEP_DRAINING : DEP_STOPPED;
    else if (*ready > 0) *state = DEP_READY;
    else *state = starting ? DEP_STARTING : draining ? DEP_DRAINING : failed ? DEP_FAILED : DEP_PENDING;
}

void deployment_expect(struct deployment *d) {
    if (d->pool->o.gate == NULL) return;
    if (d->stop) {
        if (d->n_live == 0) gate_unexpect(d->pool->o.gate, d->row.id);
        return;
    }
    char why[POOL_DETAIL_MAX + 16];
    snprintf(why, sizeof why, "%s%s%s", dep_state_name(d->shown.state), d->shown.detail[0] != 0 ? ": " : "",
             d->shown.detail);
    if (gate_expect(d->pool->o.gate, d->row.id, d->row.model, d->row.repo_id, why) != OK)
        log_warn("pool.expect", LI("deployment", d->row.id), LZ("error", err_text()));
}

/*
 * What the log is told: each change of state or of the ready count, but of an engine that fails again and again only
 * the first failure, however its last words vary; the next entry is what came of it.
 */
static bool is_news(struct deployment *d, enum dep_state state, unsigned ready) {
    if (state == d->told.state && ready == d->told.ready) return false;
    if (d->told.state == DEP_FAILED && state == DEP_STARTING) return false;
    d->told.state = state;
    d->told.ready = ready;
    return true;
}

void deployment_publish(struct deployment *d) {
    if (d->pool->stopping) return; /* pool_db_reset says it for all */
    fmutex_lock(d->publish);
    enum dep_state state;
    unsigned ready;
    int64_t memory, now = clock_mono_ms();
    const char *detail;
    fold(d, &state, &ready, &memory, &detail);
    if (ready == 0) d->ready_ms = 0;
    else if (d->ready_ms == 0) d->ready_ms = clock_wall_ms();
    int64_t dm = memory - d->shown.memory_bytes;
    bool fresh_memory = (dm > (int64_t)MiB || dm < -(int64_t)MiB) && now - d->shown.memory_ms >= 15000;
    bool moved = state != d->shown.state || ready != d->shown.ready || strcmp(detail, d->shown.detail) != 0;
    if (moved || d->restarts != d->shown.restarts || fresh_memory) {
        struct dep_shown s = {.id = d->row.id,
                              .repo_id = d->row.repo_id,
                              .ready_ms = d->ready_ms,
                              .restarts = d->restarts,
                              .memory_bytes = memory,
                              .model = d->row.model.p, /* arena_str puts a NUL behind it */
                              .state = dep_state_name(state),
                              .ready = ready,
                              .replicas = d->row.replicas,
                              .is_event = is_news(d, state, ready)};
        d->shown.state = state;
        d->shown.ready = ready;
        d->shown.restarts = d->restarts;
        d->shown.memory_bytes = memory;
        d->shown.memory_ms = now;
        snprintf(d->shown.detail, sizeof d->shown.detail, "%s", detail);
        s.detail = d->shown.detail;
        deployment_expect(d); /* before the record: who saw it there finds it so at the gateway */
        if (pool_db_show(d->pool, &s) != OK) log_warn("pool.show", LI("deployment", s.id), LZ("error", err_text()));
        log_info("pool.state", LI("deployment", s.id), LZ("state", s.state), LI("ready", ready),
                 LZ("detail", s.detail));
    }
    fmutex_unlock(d->publish);
}

/* --- probing ------------------------------------------------------------------------------------------------------ */
static err free_port(uint16_t *out) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof sa;
    bool ok =
        fd >= 0 && bind(fd, (struct sockaddr *)&sa, len) == 0 && getsockname(fd, (struct sockaddr *)&sa, &len) == 0;
    int errnum = errno;
    if (fd >= 0) close(fd);
    if (!ok) return err_errno(E_IO, errnum, "cannot find a free port for an engine");
    *out = ntohs(sa.sin_port);
    return OK;
}

/* Status of one request to the engine, or an error. */
static err probe(struct upstream *u, const char *method, struct str path, struct str body, int64_t timeout_ms,
                 int *status) {
    struct http_call *c;
    struct http_call_head head;
    struct http_header hdr = {STR("Content-Type"), STR("application/json")};
    TRY(http_call_start(u, method, path, &hdr, body.n > 0 ? 1 : 0, body, timeout_ms, &c, &head));
    *status = head.status;
    http_call_free(c);
    return OK;
}

static err ended(int code, int64_t since_ms) {
    return err_fail(E_UPSTREAM, "the engine ended by itself (code %d, after %" PRId64 " s); its log tells why", code,
                    (clock_mono_ms() - since_ms) / 1000);
}

/* Before it served anybody its log holds no prompts: the last words may be shown to whoever sees the deployment. */
static err not_started(struct replica *r, err e) {
    char words[POOL_WORDS_MAX], why[POOL_DETAIL_MAX];
    snprintf(why, sizeof why, "%s", err_text());
    engine_last_words(r->d->pool, r->d->row.id, r->index, words, sizeof words);
    return words[0] == 0 ? err_fail(e, "%s", why) : err_fail(e, "%s: %s", why, words);
}

/* An engine that is "healthy" but cannot make a token is not ready; one that only embeds (4xx, 501) is. */
static err token_probe(struct replica *r, struct upstream *u) {
    struct buf b cleanup(buf_release);
    struct jw w;
    int status = 0;
    buf_init(&b, 4 * KiB);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "model", r->d->row.model);
    jw_key(&w, "messages");
    jw_raw(&w, STR("[{\"role\":\"user\",\"content\":\"Hi\"}]"));
    jw_ki64(&w, "max_tokens", 1);
    jw_obj_end(&w);
    err e = probe(u, "POST", STR("/v1/chat/completions"), buf_view(&b), TOKEN_PROBE_MS, &status);
    if (e == E_TIMEOUT) return OK; /* slow is not broken */
    TRY(e);
    if (status >= 500 && status != 501)
        return err_fail(E_UPSTREAM, "the engine is up but answers %d to a one-token request", status);
    return OK;
}

static err wait_healthy(struct replica *r, struct child *c, struct upstream *u) {
    const struct pool_engine *e = r->d->engine;
    int64_t t0 = clock_mono_ms();
    int code;
    for (;;) {
        if (!replica_wanted(r)) return E_CANCELLED;
        err w = child_wait(c, POOL_NAP_MS, &code);
        if (w == OK) return not_started(r, ended(code, t0));
        if (w != E_TIMEOUT) return w;
        int status = 0;
        if (probe(u, "GET", e->health_path, STR_NULL, PROBE_MS, &status) == OK && status == 200)
            return token_probe(r, u);
        if (clock_mono_ms() - t0 > e->start_timeout_ms)
            return not_started(r, err_fail(E_TIMEOUT,
                                           "the engine did not become healthy within %" PRId64 " s; its log tells why",
                                           e->start_timeout_ms / 1000));
    }
}

/* --- serving and stopping -------------------------------------------------------------------------------------------
 */
/* Until it ends by itself (error) or is not wanted (OK). */
static err serve(struct replica *r, struct child *c) {
    int64_t t0 = clock_mono_ms(), sampled = 0;
    int code;
    while (replica_wanted(r)) {
        err w = child_wait(c, POOL_NAP_MS, &code);
        if (w == OK) return ended(code, t0);
        if (w != E_TIMEOUT) return w;
        int64_t now = clock_mono_ms();
        if (now - t0 > POOL_STEADY_MS) r->fails = 0;
        if (sampled != 0 && now - sampled < POOL_SAMPLE_MS) continue;
        sampled = now;
        r->memory_bytes = proc_memory_bytes(c->pid);
        engine_log_trim(r->d->pool, r->d->row.id, r->index);
        deployment_publish(r->d);
    }
    return OK;
}

static void drain(struct replica *r) {
    struct pool *p = r->d->pool;
    int64_t by = clock_mono_ms() + (p->o.drain_ms > 0 ? p->o.drain_ms : DRAIN_DEFAULT_MS);
    if (p->o.gate == NULL) return;
    while (gate_local_busy(p->o.gate, r->d->row.id, r->index) > 0 && clock_mono_ms() < by)
        if (!nap()) return;
}

static void end_engine(struct replica *r, struct child *c) {
    child_kill(c, SIGTERM);
    if (child_wait(c, r->d->engine->stop_timeout_ms, NULL) == E_TIMEOUT)
        log_warn("pool.engine_killed", LI("deployment", r->d->row.id), LI("replica", r->index), LI("pid", c->pid));
    pid_t pid = c->pid;
    child_release(c); /* SIGKILL when it still runs */
    if (pool_db_proc_del(r->d->pool, pid) != OK) log_warn("pool.record", LZ("error", err_text()));
}

static err start_engine(struct replica *r, struct arena *a, uint16_t *port, struct child *c) {
    struct deployment *d = r->d;
    struct engine_vars v = {.model = d->model_path, .alias = arena_strz(a, d->row.model)};
    if (engine_needs_python(d->engine)) TRY(engine_python(d->pool, a, &v.python, &v.script));
    TRY(free_port(port));
    v.port = *port;
    struct child_opts o;
    child_opts_init(&o);
    o.argv = engine_argv(d->engine, a, &v);
    o.env = engine_env(d->pool, a);
    TRY(engine_log_open(d->pool, d->row.id, r->index, &o.log_fd));
    err e = child_spawn(&o, c);
    close(o.log_fd);
    TRY(e);
    e = pool_db_proc_add(d->pool, c->pid, proc_start_ticks(c->pid), d->row.id, r->index);
    if (e != OK) child_release(c);
    return e;
}

static err at_gateway(struct replica *r, struct child *c, const char *base) {
    struct deployment *d = r->d;
    struct gate *g = d->pool->o.gate;
    struct gate_local l = {d->row.id, r->index, d->row.model, str_of(base), d->row.model, d->row.repo_id};
    if (g != NULL) TRY(gate_local_add(g, &l));
    r->memory_bytes = proc_memory_bytes(c->pid);
    set_state(r, DEP_READY, "");
    err e = serve(r, c);
    if (g != NULL) gate_local_remove(g, d->row.id, r->index);
    if (e == OK && replica_lives(r)) set_state(r, DEP_DRAINING, r->d->blocked_why);
    else if (e == OK) r->state = DEP_DRAINING, deployment_publish(d);
    if (e == OK) drain(r);
    return e;
}

/* One engine process from start to end. OK: it was not wanted any more. */
static err run_once(struct replica *r, struct arena *a) {
    struct child c;
    uint16_t port = 0;
    char origin[64], base[80];
    TRY(model_prepare(r->d));
    TRY(start_engine(r, a, &port, &c));
    snprintf(origin, sizeof origin, "http://127.0.0.1:%u", port);
    snprintf(base, sizeof base, "%s/v1", origin);
    struct upstream *u;
    struct upstream_opts uo = {.base_url = str_of(origin), .max_idle_per_loop = 1};
    err e = upstream_new(&uo, &u);
    if (e == OK) {
        e = wait_healthy(r, &c, u);
        upstream_put(u);
    }
    if (e == OK) e = at_gateway(r, &c, base);
    r->memory_bytes = 0;
    char why[POOL_DETAIL_MAX]; /* ending it may fail, too, and would overwrite the reason */
    snprintf(why, sizeof why, "%s", e != OK ? err_text() : "");
    end_engine(r, &c);
    return e != OK && replica_wanted(r) ? err_fail(e, "%s", why) : OK;
}

static void pause_before_retry(struct replica *r) {
    int64_t first = r->d->pool->o.backoff_ms > 0 ? r->d->pool->o.backoff_ms : BACKOFF_DEFAULT_MS;
    unsigned doublings = MIN(r->fails > 0 ? r->fails - 1 : 0, 16u);
    int64_t by = clock_mono_ms() + MIN(first << doublings, (int64_t)POOL_BACKOFF_MAX_MS);
    while (replica_wanted(r) && clock_mono_ms() < by && nap()) {}
}

void replica_main(void *arg) {
    struct replica *r = arg;
    struct deployment *d = r->d;
    struct arena a;
    arena_init(&a, 4 * MiB);
    while (replica_lives(r)) {
        if (d->blocked) {
            if (r->state != DEP_FAILED) set_state(r, DEP_FAILED, d->blocked_why);
            if (!nap()) break;
            continue;
        }
        if (r->turn != d->turn) r->turn = d->turn, r->fails = 0, r->detail[0] = 0;
        if (r->fails < POOL_FAILS_SHOWN) set_state(r, DEP_STARTING, NULL);
        err e = run_once(r, &a);
        arena_reset(&a);
        if (e == E_CANCELLED) break;
        if (e == OK) continue;
        r->fails++;
        d->restarts++;
        char why[POOL_DETAIL_MAX];
        snprintf(why, sizeof why, "%s", err_text());
        log_warn("pool.engine", LI("deployment", d->row.id), LI("replica", r->index), LI("fails", r->fails),
                 LZ("error", why));
        /* A file that is gone, corrupt or refused will not be better in a second. */
        bool hopeless = e == E_BLOCKED || e == E_CORRUPT || e == E_ENTRY_NOT_FOUND || e == E_UNPROCESSABLE;
        if (hopeless) r->fails = MAX(r->fails, (unsigned)POOL_FAILS_SHOWN + 4);
        set_state(r, r->fails >= POOL_FAILS_SHOWN ? DEP_FAILED : DEP_STARTING, why);
        pause_before_retry(r);
    }
    arena_release(&a);
    d->n_live--;
    r->state = DEP_STOPPED;
    r->detail[0] = 0;
    deployment_publish(d);
}
