/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body.c — request bodies: straight from the socket into the caller's block.
 *
 * Bytes that arrived together with the head are given out first; after that the socket is read
 * directly into the handler's buffer, so a body of any size needs no memory of ours. Chunked bodies
 * go through a window of at most 8 KiB for the framing, chunk contents directly.
 */
#include "base/clock.h"
#include "http/conn.h"

enum { WINDOW_MIN = 1024, WINDOW_OWN = 8192 };

void body_begin(struct http_conn *c) {
    c->win =
        (struct body_window){c->in + c->head.head_len, c->cap_in - c->head.head_len, 0, c->n_in - c->head.head_len};
    memset(&c->chunk, 0, sizeof c->chunk);
    c->body_left = c->head.content_length > 0 ? c->head.content_length : 0;
    c->body_total = 0;
    c->body_deadline_ms = 0;
    c->body_done = !c->head.has_body;
    c->body_late = false;
    c->owes_continue = c->head.expect_continue;
    c->body_kept = false;
}

/* Milliseconds this read may take: the whole body's deadline, or for streams an idle deadline. */
static err body_budget(struct http_conn *c, int64_t *ms) {
    const struct http_route *rt = c->req.route;
    int64_t limit = (rt != NULL && rt->body_timeout_s > 0 ? (int64_t)rt->body_timeout_s : 60) * 1000;
    *ms = limit;
    if (rt != NULL && rt->max_body == HTTP_BODY_ANY) return OK;
    int64_t now = clock_mono_ms();
    if (c->body_deadline_ms == 0) c->body_deadline_ms = now + limit;
    *ms = c->body_deadline_ms - now;
    if (*ms > 0) return OK;
    c->keep = false;
    c->body_late = true;
    return err_fail(E_TIMEOUT, "the request body did not arrive within %" PRId64 " s", limit / 1000);
}

static err sock_fill(struct http_conn *c, void *p, size_t cap, size_t *n) {
    int64_t ms;
    TRY(body_budget(c, &ms));
    err e = sock_read(c->sock, p, cap, ms, n);
    if (e == OK) return OK;
    c->keep = false;
    if (e == E_EOF) {
        c->dead = true;
        return err_fail(E_EOF, "the connection ended in the middle of the request body, after %" PRIu64 " bytes",
                        c->body_total);
    }
    c->body_late = e == E_TIMEOUT;
    if (e == E_TIMEOUT)
        return err_wrap(E_TIMEOUT, "the request body stopped arriving after %" PRIu64 " bytes", c->body_total);
    c->dead = true;
    return e;
}

static err window_fill(struct http_conn *c) {
    if (c->win.cap < WINDOW_MIN) {
        c->win.base = arena_alloc(&c->arena, WINDOW_OWN);
        c->win.cap = WINDOW_OWN;
    }
    c->win.off = c->win.n = 0;
    return sock_fill(c, c->win.base, c->win.cap, &c->win.n);
}

static size_t window_take(struct http_conn *c, void *p, size_t cap) {
    size_t n = MIN(c->win.n - c->win.off, cap);
    memcpy(p, c->win.base + c->win.off, n);
    c->win.off += n;
    return n;
}

static err length_read(struct http_conn *c, void *p, size_t cap, size_t *n) {
    if ((int64_t)cap > c->body_left) cap = (size_t)c->body_left;
    *n = window_take(c, p, cap);
    if (*n == 0) TRY(sock_fill(c, p, cap, n));
    c->body_left -= (int64_t)*n;
    c->body_done = c->body_left == 0;
    return OK;
}

static err chunked_read(struct http_conn *c, void *p, size_t cap, size_t *n) {
    for (;;) {
        uint64_t left = h1_chunk_left(&c->chunk);
        if (c->win.off == c->win.n && left > 0) {
            TRY(sock_fill(c, p, (size_t)MIN((uint64_t)cap, left), n));
            h1_chunk_took(&c->chunk, *n);
            return OK;
        }
        if (c->win.off == c->win.n) TRY(window_fill(c));
        size_t used;
        struct str data;
        enum h1_chunk_result res =
            h1_chunk_next(&c->chunk, c->win.base + c->win.off, MIN(c->win.n - c->win.off, cap), &used, &data);
        c->win.off += used;
        if (res == H1_CHUNK_BAD) {
            c->keep = false;
            return err_fail(E_BAD_REQUEST, "the chunked request body is malformed");
        }
        if (res == H1_CHUNK_END) {
            c->body_done = true;
            *n = 0;
            return OK;
        }
        if (res == H1_CHUNK_DATA) {
            memcpy(p, data.p, data.n);
            *n = data.n;
            return OK;
        }
    }
}

err body_read_raw(struct http_conn *c, void *p, size_t cap, size_t *n) {
    *n = 0;
    if (c->body_done || cap == 0) return OK;
    if (c->owes_continue) {
        c->owes_continue = false;
        if (c->win.off == c->win.n && !c->res.began) {
            static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
            err e = sock_write(c->sock, go_on, sizeof go_on - 1, 10000);
            if (e != OK) {
                c->dead = true;
                return e;
            }
        }
    }
    TRY(c->head.content_length < 0 ? chunked_read(c, p, cap, n) : length_read(c, p, cap, n));
    c->body_total += *n;
    return OK;
}

static size_t body_max(const struct http_req *r) {
    return r->route == NULL || r->route->max_body == 0 ? MiB : r->route->max_body;
}

err http_body_read(struct http_req *r, void *p, size_t cap, size_t *n) {
    struct http_conn *c = r->conn;
    TRY(c->gz != NULL ? gz_read(c, p, cap, n) : body_read_raw(c, p, cap, n));
    size_t max = body_max(r);
    if (max == HTTP_BODY_ANY || c->body_total <= max) return OK;
    c->keep = false;
    return err_fail(E_TOO_LARGE, "the request body is larger than the %zu bytes accepted here", max);
}

static err body_collect(struct http_req *r, size_t max, struct str *out) {
    struct http_conn *c = r->conn;
    *out = STR("");
    if (c->gz == NULL && r->content_length > 0) {
        if ((uint64_t)r->content_length > max) {
            c->keep = false;
            return err_fail(E_TOO_LARGE, "the request body is larger than the %zu bytes accepted here", max);
        }
        /* Usually the whole body came along with the head: it can be used where it lies. */
        if (c->body_left == r->content_length && (int64_t)(c->win.n - c->win.off) >= c->body_left) {
            *out = (struct str){c->win.base + c->win.off, (size_t)c->body_left};
            c->win.off += (size_t)c->body_left;
            c->body_total += (uint64_t)c->body_left;
            c->body_left = 0;
            c->body_done = true;
            c->owes_continue = false;
            return OK;
        }
    }
    size_t cap = r->content_length > 0 && c->gz == NULL ? (size_t)r->content_length : 4096, n = 0;
    char *p = NULL;
    for (bool grow = true;;) {
        if (grow) {
            char *q = arena_try(r->arena, cap + 1);
            if (q == NULL) return err_fail(E_NOMEM, "no memory for a request body of this size");
            if (n > 0) memcpy(q, p, n);
            p = q;
        }
        size_t got;
        TRY(http_body_read(r, p + n, cap - n, &got));
        if (got == 0) break;
        n += got;
        if (n > max) {
            c->keep = false;
            return err_fail(E_TOO_LARGE, "the request body is larger than the %zu bytes accepted here", max);
        }
        grow = n == cap && !c->body_done;
        if (c->body_done && c->gz == NULL) break;
        if (n == cap && c->gz != NULL) grow = true;
        if (grow) cap *= 2;
    }
    *out = (struct str){p, n};
    return OK;
}

err http_body_all(struct http_req *r, size_t max, struct str *out) {
    struct http_conn *c = r->conn;
    if (!c->body_kept) {
        TRY(body_collect(r, max, &c->kept));
        c->body_kept = true;
    }
    *out = c->kept;
    if (out->n > max) return err_fail(E_TOO_LARGE, "the request body is larger than the %zu bytes accepted here", max);
    return OK;
}

err http_body_json(struct http_req *r, size_t max, struct jv *out) {
    struct str text;
    TRY(http_body_all(r, max, &text));
    struct json_limits lim = {.max_bytes = max};
    return json_parse(r->arena, text, &lim, out);
}

void body_finish(struct http_conn *c) {
    gz_free(c);
    if (c->body_done || !c->keep || c->dead) return;
    /* The client may never send a body it was not invited to send; nobody could tell. */
    if (c->owes_continue || (c->head.content_length > 0 && c->body_left > DRAIN_KEEP_MAX)) {
        c->keep = false;
        return;
    }
    char waste[1024];
    size_t n, total = 0;
    while (!c->body_done && total < DRAIN_KEEP_MAX) {
        if (body_read_raw(c, waste, sizeof waste, &n) != OK) break;
        total += n;
    }
    if (!c->body_done) c->keep = false;
}

/*
 * Before a close with request bytes still under way: half-close and swallow them for a while. A
 * close with unread input makes the kernel send a reset, and the client would lose our answer.
 */
void conn_linger(struct http_conn *c) {
    if (c->dead || sock_shutdown_write(c->sock) != OK) return;
    char waste[4096];
    int64_t until = clock_mono_ms() + LINGER_MS;
    for (size_t total = 0; total < LINGER_MAX;) {
        int64_t left = until - clock_mono_ms();
        size_t n;
        if (left <= 0 || sock_read(c->sock, waste, sizeof waste, left, &n) != OK) return;
        total += n;
    }
}
