/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream.c — one origin with its pools of idle keep-alive connections.
 *
 * Rules: 1. A connection stays on the loop that opened it. 2. Newest first, so that surplus ones age
 * and are closed after 30 s by a timer that runs only while the list is not empty. 3. A connection on
 * which bytes wait (or the peer closed) is never reused.
 */
#include "http/upstream.h"

#include "base/clock.h"

struct up_loop *up_here(struct upstream *u) {
    unsigned i = 0;
    while (i + 1 < u->n_loops && rt_loop(i) != rt_loop_self()) i++;
    return &u->loops[i];
}

/* "http[s]://host[:port][/prefix]" */
static err url_parse(struct upstream *u, struct str url) {
    struct str rest = url;
    if (str_starts(url, "http://")) rest = str_from(url, 7);
    else if (str_starts(url, "https://")) {
        rest = str_from(url, 8);
        u->https = true;
    } else
        return err_fail(E_BAD_REQUEST, "base_url: expected http:// or https://, got " STR_FMT,
                        STR_ARG(str_sub(url, 0, 200)));
    ptrdiff_t slash = str_chr(rest, '/');
    struct str authority = slash < 0 ? rest : str_sub(rest, 0, (size_t)slash);
    u->prefix = slash < 0 ? STR("") : str_from(rest, (size_t)slash);
    while (u->prefix.n > 0 && u->prefix.p[u->prefix.n - 1] == '/') u->prefix.n--;
    for (size_t i = 0; i < u->prefix.n; i++)
        if ((unsigned char)u->prefix.p[i] <= ' ' || (unsigned char)u->prefix.p[i] >= 0x7f || u->prefix.p[i] == '#' ||
            u->prefix.p[i] == '?')
            return err_fail(E_BAD_REQUEST, "base_url: bad byte in the path of " STR_FMT, STR_ARG(str_sub(url, 0, 200)));
    if (!h1_host_ok(authority))
        return err_fail(E_BAD_REQUEST, "base_url: bad host in " STR_FMT, STR_ARG(str_sub(url, 0, 200)));
    ptrdiff_t colon = str_rchr(authority, ':');
    ptrdiff_t bracket = str_rchr(authority, ']');
    uint64_t port = u->https ? 443 : 80;
    u->host = authority;
    if (colon > bracket) {
        u->host = str_sub(authority, 0, (size_t)colon);
        if (!str_to_u64(str_from(authority, (size_t)colon + 1), &port))
            return err_fail(E_BAD_REQUEST, "base_url: bad port");
    }
    if (u->host.n > 2 && u->host.p[0] == '[') u->host = str_sub(u->host, 1, u->host.n - 2);
    u->port = (uint16_t)port;
    u->head =
        arena_printf(&u->arena, "Host: " STR_FMT "\r\nUser-Agent: ballast/" BALLAST_VERSION "\r\n", STR_ARG(authority));
    return OK;
}

static void upstream_free(struct upstream *u) {
    for (unsigned i = 0; i < u->n_loops; i++) call_spares_free(&u->loops[i]);
    tls_ctx_put(u->tls);
    arena_release(&u->arena);
    free(u->loops);
    free(u);
}

err upstream_new(const struct upstream_opts *o, struct upstream **out) {
    struct upstream *u = calloc(1, sizeof *u);
    if (u == NULL) return err_fail(E_NOMEM, "no memory for an upstream");
    atomic_init(&u->refs, 1);
    arena_init(&u->arena, 64 * KiB);
    u->connect_timeout_ms = o->connect_timeout_ms > 0 ? o->connect_timeout_ms : 1000;
    u->max_idle = o->max_idle_per_loop > 0 ? o->max_idle_per_loop : 256;
    u->n_loops = MAX(rt_n_loops(), 1u);
    u->loops = calloc(u->n_loops, sizeof *u->loops);
    BUG_ON(u->loops == NULL);
    err e = url_parse(u, arena_str(&u->arena, o->base_url));
    if (e == OK && u->https) {
        if (o->tls != NULL) u->tls = tls_ctx_ref(o->tls);
        else e = tls_client_new(NULL, &u->tls);
    }
    if (e != OK) {
        upstream_free(u);
        return e;
    }
    *out = u;
    return OK;
}

struct upstream *upstream_ref(struct upstream *u) {
    atomic_fetch_add_explicit(&u->refs, 1, memory_order_relaxed);
    return u;
}

struct str upstream_prefix(const struct upstream *u) {
    return u->prefix;
}

static void idle_close_all(struct up_loop *l) {
    timer_cancel(&l->sweep);
    l->armed = false;
    while (l->head != NULL) {
        struct up_idle *i = l->head;
        l->head = i->next;
        sock_close(i->s);
        free(i);
    }
    l->n = 0;
}

/* On one loop: its part of the end. The last loop frees. */
static void upstream_close_here(void *arg) {
    struct upstream *u = arg;
    idle_close_all(up_here(u));
    if (atomic_fetch_sub_explicit(&u->closing, 1, memory_order_acq_rel) == 1) upstream_free(u);
}

void upstream_put(struct upstream *u) {
    if (u == NULL || atomic_fetch_sub_explicit(&u->refs, 1, memory_order_acq_rel) != 1) return;
    if (rt_n_loops() == 0) { /* loops are gone, and with them every connection */
        upstream_free(u);
        return;
    }
    unsigned n = u->n_loops; /* u may be gone as soon as the last post is out */
    atomic_store(&u->closing, n);
    for (unsigned i = 0; i < n; i++) loop_post(rt_loop(i), upstream_close_here, u);
}

static void sweep_arm(struct up_loop *l);

static void sweep_fire(void *arg) {
    struct up_loop *l = arg;
    int64_t now = clock_mono_ms();
    l->armed = false;
    for (struct up_idle **at = &l->head; *at != NULL;) {
        struct up_idle *i = *at;
        if (now - i->since_ms < UP_IDLE_MS && !sock_readable_now(i->s)) {
            at = &i->next;
            continue;
        }
        *at = i->next;
        l->n--;
        sock_close(i->s);
        free(i);
    }
    if (l->head != NULL) sweep_arm(l);
}

static void sweep_arm(struct up_loop *l) {
    if (l->armed) return;
    l->armed = true;
    timer_arm(&l->sweep, UP_SWEEP_MS, sweep_fire, l);
}

struct sock *up_take(struct upstream *u) {
    struct up_loop *l = up_here(u);
    while (l->head != NULL) {
        struct up_idle *i = l->head;
        struct sock *s = i->s;
        l->head = i->next;
        l->n--;
        free(i);
        if (!sock_readable_now(s)) return s;
        sock_close(s);
    }
    return NULL;
}

void up_give(struct upstream *u, struct sock *s) {
    struct up_loop *l = up_here(u);
    struct up_idle *i = l->n < u->max_idle ? malloc(sizeof *i) : NULL;
    if (i == NULL) {
        sock_close(s);
        return;
    }
    *i = (struct up_idle){s, clock_mono_ms(), l->head};
    l->head = i;
    l->n++;
    sweep_arm(l);
}

err up_connect(struct upstream *u, int64_t timeout_ms, struct sock **out) {
    int64_t ms = MIN(timeout_ms, u->connect_timeout_ms), t0 = clock_mono_ms();
    struct sock *s;
    TRY(sock_connect(u->host, u->port, ms, &s));
    if (u->https) {
        int64_t left = ms - (clock_mono_ms() - t0);
        err e = sock_tls_client(s, u->tls, u->host, left > 0 ? left : 1);
        if (e != OK) {
            sock_close(s);
            return e;
        }
    }
    *out = s;
    return OK;
}
