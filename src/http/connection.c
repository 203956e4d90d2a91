/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection.c — the life of one connection on its fiber: read a head, dispatch, again.
 *
 * Memory: the record and a 4 KiB input buffer while it lives (records are recycled per loop); the
 * buffer grows to 32 KiB for a large head and shrinks behind it; the arena keeps one 4 KiB block.
 */
#include "base/clock.h"
#include "base/reserve.h"
#include "http/conn.h"

static struct http_conn *conn_get(struct http_server *srv, struct http_loop_state *ls) {
    struct http_conn *c = ls->spare;
    if (c != NULL) {
        ls->spare = c->next;
        ls->n_spare--;
    } else {
        c = calloc(1, sizeof *c);
        if (c == NULL) return NULL;
        arena_init(&c->arena, CONN_ARENA_MAX);
        buf_init(&c->res.set, CONN_HEAD_OUT_MAX / 2);
        buf_init(&c->res.out, CONN_HEAD_OUT_MAX);
    }
    if (c->in == NULL && (c->in = malloc(CONN_IN_MIN)) == NULL) {
        c->next = ls->spare;
        ls->spare = c;
        ls->n_spare++;
        return NULL;
    }
    c->cap_in = CONN_IN_MIN;
    c->n_in = 0;
    c->srv = srv;
    c->ls = ls;
    c->dead = c->is_tls = c->have_peer_ip = false;
    c->prev = NULL;
    c->next = ls->live;
    if (c->next != NULL) c->next->prev = c;
    ls->live = c;
    atomic_fetch_add_explicit(&ls->n_live, 1, memory_order_relaxed);
    return c;
}

static void conn_free(struct http_conn *c) {
    arena_release(&c->arena);
    buf_release(&c->res.set);
    buf_release(&c->res.out);
    free(c->in);
    free(c);
}

static void conn_put(struct http_conn *c) {
    struct http_loop_state *ls = c->ls;
    if (c->prev != NULL) c->prev->next = c->next;
    else ls->live = c->next;
    if (c->next != NULL) c->next->prev = c->prev;
    atomic_fetch_sub_explicit(&ls->n_live, 1, memory_order_release);
    if (ls->n_spare >= CONN_FREE_MAX) {
        conn_free(c);
        return;
    }
    if (c->cap_in > CONN_IN_MIN) {
        free(c->in);
        c->in = NULL;
    }
    c->next = ls->spare;
    ls->spare = c;
    ls->n_spare++;
}

void conn_spares_free(struct http_loop_state *ls) {
    while (ls->spare != NULL) {
        struct http_conn *c = ls->spare;
        ls->spare = c->next;
        conn_free(c);
    }
}

/* Read more; false when the connection is over. Refuses on a missed header deadline. */
static bool head_fill(struct http_conn *c, int64_t *deadline) {
    if (c->n_in == c->cap_in) {
        char *p = realloc(c->in, c->cap_in * 2); /* bounded: the parser refuses at H1_HEAD_MAX */
        if (p == NULL) return false;
        c->in = p;
        c->cap_in *= 2;
    }
    const struct http_config *cf = &c->snap->c;
    c->idle = c->n_in == 0;
    int64_t ms = c->idle ? cf->idle_timeout_ms : *deadline - clock_mono_ms();
    size_t n = 0;
    err e = ms > 0 ? sock_read(c->sock, c->in + c->n_in, c->cap_in - c->n_in, ms, &n) : E_TIMEOUT;
    bool was_idle = c->idle;
    c->idle = false;
    if (e == E_TIMEOUT && !was_idle) conn_refuse(c, 408, "the request head did not arrive in time");
    if (e != OK) return false;
    if (was_idle) *deadline = clock_mono_ms() + cf->header_timeout_ms;
    c->n_in += n;
    return true;
}

static void request_reset(struct http_conn *c) {
    struct http_req *r = &c->req;
    memset(r, 0, sizeof *r);
    r->conn = c;
    r->res = &c->res;
    r->arena = &c->arena;
    r->headers = c->headers;
    r->start_ns = clock_mono_ns();
    req_id_make(c->ls, r->id);
    res_begin(c);
    c->body_total = 0;
    c->body_done = true;
    c->owes_continue = false;
    c->keep = true;
    c->gz = NULL;
    c->head = (struct h1_req){.headers = c->headers};
}

/* A complete head in c->in, parsed. False: the connection is over (an answer was given if one was due). */
static bool head_read(struct http_conn *c) {
    int64_t deadline = clock_mono_ms() + c->snap->c.header_timeout_ms;
    size_t seen = 0; /* bytes the parser has judged incomplete */
    bool fresh = true;
    for (;;) {
        if (c->n_in == 0 && atomic_load_explicit(&c->srv->stopping, memory_order_relaxed)) return false;
        /* Parse again only when a line ended: a head sent byte by byte costs one parse per line. */
        bool worth = c->n_in > seen &&
                     (memchr(c->in + seen, '\n', c->n_in - seen) != NULL || c->n_in >= H1_LINE_MAX || seen == 0);
        seen = c->n_in;
        if (worth) {
            if (fresh) request_reset(c);
            fresh = false;
            enum h1_result res = h1_req_parse(&c->head, c->in, c->n_in);
            if (res == H1_OK && reserve_low()) {
                http_set(&c->req, "Retry-After", STR("1"));
                conn_refuse(c, 503, "the server is out of memory; nothing was changed, try again shortly");
                return false;
            }
            if (res == H1_OK) return true;
            if (res == H1_BAD) {
                conn_refuse(c, c->head.status, c->head.why);
                return false;
            }
        }
        if (!head_fill(c, &deadline)) return false;
    }
}

static enum lang req_lang(struct http_req *r, enum lang dflt) {
    struct str chosen = http_cookie(r, "lang");
    if (str_eqz(chosen, "en")) return LANG_EN;
    if (str_starts(chosen, "zh")) return LANG_ZH;
    return i18n_accept(http_header(r, "accept-language"), dflt);
}

static void req_fill(struct http_conn *c) {
    struct http_req *r = &c->req;
    const struct h1_req *h = &c->head;
    r->method = h->method;
    r->target = h->target;
    r->path = h->path;
    r->query = h->query;
    r->n_headers = h->n_headers;
    r->host = h->host;
    r->content_length = h->content_length;
    c->keep = h->keep_alive;
    req_origin(c);
    r->lang = req_lang(r, c->snap->c.lang);
    body_begin(c);
}

/* What was read behind this request moves to the front. False: no memory for it. */
static bool input_shift(struct http_conn *c) {
    size_t rest = c->win.n - c->win.off;
    if (rest > c->cap_in) {
        char *p = malloc(rest); /* at most the window, 8 KiB */
        if (p == NULL) return false;
        memcpy(p, c->win.base + c->win.off, rest);
        free(c->in);
        c->in = p;
        c->cap_in = rest;
    } else if (rest > 0) {
        memmove(c->in, c->win.base + c->win.off, rest);
    }
    c->n_in = rest;
    if (c->cap_in > 2 * CONN_IN_MIN && rest <= CONN_IN_MIN) {
        char *p = realloc(c->in, CONN_IN_MIN);
        if (p != NULL) {
            c->in = p;
            c->cap_in = CONN_IN_MIN;
        }
    }
    return true;
}

static void conn_serve(struct http_conn *c) {
    for (;;) {
        if (!head_read(c)) break;
        conn_snap_refresh(c); /* also for a connection that slept through a reload */
        req_fill(c);
        conn_dispatch(c);
        bool unread = !c->body_done;
        if (!c->keep) {
            if (unread) conn_linger(c);
            return;
        }
        if (!input_shift(c)) return;
        arena_reset(&c->arena);
    }
    if (c->res.ended && !c->dead && c->n_in > 0) conn_linger(c); /* a refusal must reach the client */
}

void server_on_conn(void *arg, struct sock *s, struct str peer_ip, uint16_t peer_port) {
    (void)peer_port;
    struct http_server *srv = arg;
    unsigned i = 0;
    while (i + 1 < srv->n_loops && rt_loop(i) != rt_loop_self()) i++;
    struct http_conn *c = conn_get(srv, &srv->loops[i]);
    if (c == NULL) {
        sock_close(s);
        return;
    }
    c->sock = s;
    c->n_peer = MIN(peer_ip.n, sizeof c->peer);
    memcpy(c->peer, peer_ip.p, c->n_peer);
    c->snap = NULL;
    conn_snap_refresh(c);
    bool ok = true;
    if (c->snap->tls != NULL) {
        c->idle = true;
        c->is_tls = true;
        ok = sock_tls_server(s, c->snap->tls, c->snap->c.header_timeout_ms) == OK;
    }
    c->res.ended = false;
    if (ok) conn_serve(c);
    gz_free(c);
    sock_close(s);
    c->sock = NULL;
    arena_reset(&c->arena);
    http_snap_put(c->snap);
    conn_put(c);
}
