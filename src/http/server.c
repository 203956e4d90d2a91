/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c — start, reload and stop; the configuration snapshot.
 *
 * A connection looks at the generation counter before each request and swaps its reference under the
 * lock when it moved, so a reload cuts nothing and the common case is one relaxed load.
 */
#include "base/clock.h"
#include "base/log.h"
#include "http/conn.h"

static struct str copy(struct arena *a, struct str s) {
    return s.n > 0 ? arena_str(a, s) : STR("");
}

void http_snap_put(struct http_snap *s) {
    if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1) return;
    tls_ctx_put(s->tls);
    arena_release(&s->arena);
    free(s);
}

static err snap_fill(struct http_snap *s, const struct http_config *c) {
    s->c = *c;
    s->c.listen_host = copy(&s->arena, c->listen_host);
    struct str url = c->public_url;
    while (url.n > 0 && url.p[url.n - 1] == '/') url.n--;
    s->c.public_url = copy(&s->arena, url);
    if (s->c.header_timeout_ms == 0) s->c.header_timeout_ms = 10000;
    if (s->c.idle_timeout_ms == 0) s->c.idle_timeout_ms = 75000;
    if (s->c.write_timeout_ms == 0) s->c.write_timeout_ms = 60000;
    if (s->c.max_conns_per_loop == 0) s->c.max_conns_per_loop = 8192;
    if (c->n_trusted_proxies > ARRAY_LEN(s->trusted))
        return err_fail(E_BAD_REQUEST, "trusted_proxies: at most %d entries", HTTP_MAX_PROXIES);
    for (unsigned i = 0; i < c->n_trusted_proxies; i++)
        if (!cidr_parse(c->trusted_proxies[i], &s->trusted[s->n_trusted++]))
            return err_fail(E_BAD_REQUEST, "trusted_proxies: expected an address or CIDR, got " STR_FMT,
                            STR_ARG(c->trusted_proxies[i]));
    if (c->tls_cert != NULL) TRY(tls_server_new(c->tls_cert, c->tls_key, &s->tls));
    return OK;
}

static err snap_new(const struct http_config *c, struct http_snap **out) {
    struct http_snap *s = calloc(1, sizeof *s);
    if (s == NULL) return err_fail(E_NOMEM, "no memory for the server's configuration");
    atomic_init(&s->refs, 1);
    arena_init(&s->arena, MiB);
    err e = snap_fill(s, c);
    if (e != OK) {
        http_snap_put(s);
        return e;
    }
    *out = s;
    return OK;
}

void conn_snap_refresh(struct http_conn *c) {
    struct http_server *srv = c->srv;
    unsigned gen = atomic_load_explicit(&srv->snap_gen, memory_order_acquire);
    if (c->snap != NULL && gen == c->snap_gen) return;
    pthread_mutex_lock(&srv->snap_lock);
    struct http_snap *fresh = srv->snap;
    atomic_fetch_add_explicit(&fresh->refs, 1, memory_order_relaxed);
    c->snap_gen = atomic_load_explicit(&srv->snap_gen, memory_order_relaxed);
    pthread_mutex_unlock(&srv->snap_lock);
    http_snap_put(c->snap);
    c->snap = fresh;
}

static void server_free(struct http_server *s) {
    for (unsigned i = 0; s->loops != NULL && i < s->n_loops; i++) {
        conn_spares_free(&s->loops[i]);
        free(s->loops[i].stats);
    }
    free(s->loops);
    http_snap_put(s->snap);
    pthread_mutex_destroy(&s->snap_lock);
    free(s);
}

err http_server_start(const struct http_config *c, struct http_router *rt, const struct http_hooks *h,
                      struct http_server **out) {
    struct http_server *s = calloc(1, sizeof *s);
    if (s == NULL) return err_fail(E_NOMEM, "no memory for the HTTP server");
    pthread_mutex_init(&s->snap_lock, NULL);
    s->router = rt;
    if (h != NULL) s->hooks = *h;
    s->n_routes = http_router_count(rt);
    s->n_loops = rt_n_loops();
    err e = snap_new(c, &s->snap);
    s->loops = calloc(s->n_loops, sizeof *s->loops);
    BUG_ON(s->loops == NULL);
    for (unsigned i = 0; i < s->n_loops; i++) {
        s->loops[i].stats = calloc(s->n_routes + 1, sizeof *s->loops[i].stats);
        BUG_ON(s->loops[i].stats == NULL);
    }
    if (e == OK)
        e = listener_open(s->snap->c.listen_host, c->port, server_on_conn, s, s->snap->c.max_conns_per_loop,
                          &s->listener);
    if (e != OK) {
        server_free(s);
        return e;
    }
    *out = s;
    return OK;
}

err http_server_reload(struct http_server *s, const struct http_config *c) {
    struct http_snap *fresh;
    TRY(snap_new(c, &fresh));
    pthread_mutex_lock(&s->snap_lock);
    struct http_snap *old = s->snap;
    s->snap = fresh;
    atomic_fetch_add_explicit(&s->snap_gen, 1, memory_order_release);
    pthread_mutex_unlock(&s->snap_lock);
    http_snap_put(old);
    return OK;
}

uint16_t http_server_port(const struct http_server *s) {
    return listener_port(s->listener);
}

/* On the loop: end what is at rest, or everything. */
struct sweep {
    struct http_loop_state *ls;
    bool all;
    struct done done;
};

static void sweep_run(void *arg) {
    struct sweep *w = arg;
    for (struct http_conn *c = w->ls->live; c != NULL; c = c->next)
        if (c->sock != NULL && (w->all || c->idle)) sock_cancel(c->sock);
    done_signal(&w->done);
}

static unsigned sweep_loops(struct http_server *s, bool all) {
    unsigned live = 0;
    for (unsigned i = 0; i < s->n_loops; i++) {
        if (atomic_load_explicit(&s->loops[i].n_live, memory_order_acquire) == 0) continue;
        struct sweep w = {.ls = &s->loops[i], .all = all};
        done_init(&w.done);
        loop_post(rt_loop(i), sweep_run, &w);
        done_wait(&w.done);
        live += atomic_load_explicit(&s->loops[i].n_live, memory_order_acquire);
    }
    return live;
}

void http_server_stop(struct http_server *s, int64_t drain_ms) {
    atomic_store(&s->stopping, true);
    listener_close(s->listener);
    int64_t soft = clock_mono_ms() + drain_ms, hard = soft + 5000;
    unsigned live;
    while ((live = sweep_loops(s, clock_mono_ms() >= soft)) > 0 && clock_mono_ms() < hard)
        IGNORE_ERR(fiber_sleep(10)); /* cancelled sleep: the deadline above still ends the loop */
    if (live > 0) {
        /* A handler that does not end keeps its connection: leak the server rather than free what it uses. */
        log_error("http.stop", LI("connections_left", live));
        return;
    }
    server_free(s);
}
