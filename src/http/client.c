/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.c — one exchange with an upstream: request out by one writev, strict head, body by views.
 *
 * Buffer: the response head stays at the front of `in` until the call is freed (its headers are
 * borrowed from there); body bytes go through the space behind it. Calls with their 16 KiB buffer
 * are recycled per upstream and loop.
 */
#include "base/clock.h"
#include "http/upstream.h"

enum { CALL_IN = 16384, CALL_FREE_MAX = 64, CALL_BODY_MIN = 4096 };

struct http_call {
    struct upstream *up;
    struct sock *s;
    char *in;
    size_t cap, n, off; /* in[off..n) is not yet given out */
    size_t body_at;     /* end of the head */
    struct h1_res res;
    struct h1_chunk chunk;
    int64_t left; /* content-length bytes to come */
    bool cancelled, ended, failed;
    struct str rest; /* of the newest view, not yet given out by http_call_read */
    struct http_call *next;
    struct http_header headers[HTTP_MAX_HEADERS];
};

static struct http_call *call_get(struct upstream *u) {
    struct up_loop *l = up_here(u);
    struct http_call *c = l->spare;
    if (c != NULL) {
        l->spare = c->next;
        l->n_spare--;
        char *in = c->in;
        size_t cap = c->cap;
        memset(c, 0, offsetof(struct http_call, headers));
        c->in = in;
        c->cap = cap;
    } else {
        c = calloc(1, sizeof *c);
        if (c == NULL) return NULL;
        c->in = malloc(CALL_IN);
        c->cap = CALL_IN;
        if (c->in == NULL) {
            free(c);
            return NULL;
        }
    }
    c->up = upstream_ref(u);
    return c;
}

static void call_put(struct http_call *c) {
    struct upstream *u = c->up;
    struct up_loop *l = up_here(u);
    if (l->n_spare < CALL_FREE_MAX && c->cap == CALL_IN) {
        c->next = l->spare;
        l->spare = c;
        l->n_spare++;
    } else {
        free(c->in);
        free(c);
    }
    upstream_put(u);
}

void call_spares_free(struct up_loop *l) {
    while (l->spare != NULL) {
        struct http_call *c = l->spare;
        l->spare = c->next;
        free(c->in);
        free(c);
    }
    l->n_spare = 0;
}

static void head_add(struct buf *b, struct str s) {
    buf_str(b, s);
}

static void u64_add(struct buf *b, uint64_t v) {
    char t[20];
    size_t i = sizeof t;
    do t[--i] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    buf_add(b, t + i, sizeof t - i);
}

/* Request head into b. Header values were checked by whoever received or configured them. */
static err request_head(struct http_call *c, struct buf *b, const char *method, struct str path,
                        const struct http_header *h, size_t n, uint64_t n_body) {
    head_add(b, str_of(method));
    buf_char(b, ' ');
    head_add(b, c->up->prefix);
    head_add(b, path);
    head_add(b, STR(" HTTP/1.1\r\n"));
    head_add(b, c->up->head);
    for (size_t i = 0; i < n; i++) {
        if (memchr(h[i].value.p != NULL ? h[i].value.p : "", '\n', h[i].value.n) != NULL)
            return err_fail(E_INTERNAL, "a header value for the upstream holds a line break");
        head_add(b, h[i].name);
        head_add(b, STR(": "));
        head_add(b, h[i].value);
        head_add(b, STR("\r\n"));
    }
    if (n_body > 0 || !str_eqz(str_of(method), "GET")) {
        head_add(b, STR("Content-Length: "));
        u64_add(b, n_body);
        head_add(b, STR("\r\n"));
    }
    head_add(b, STR("\r\n"));
    return buf_ok(b, "the request head for the upstream");
}

static int64_t left_ms(int64_t deadline) {
    int64_t ms = deadline - clock_mono_ms();
    return ms > 0 ? ms : 0;
}

/* Read behind what is there; grows only for a large head. */
static err call_fill(struct http_call *c, int64_t ms) {
    if (c->n == c->cap) {
        char *p = realloc(c->in, c->cap * 2); /* bounded by H1_HEAD_MAX in the parser */
        if (p == NULL) return err_fail(E_NOMEM, "no memory for the upstream's answer");
        c->in = p;
        c->cap *= 2;
    }
    size_t got;
    TRY(sock_read(c->s, c->in + c->n, c->cap - c->n, ms, &got));
    c->n += got;
    return OK;
}

/* Response head, informational ones skipped. */
static err head_read(struct http_call *c, bool no_body, int64_t deadline) {
    for (;;) {
        if (c->n > 0) {
            c->res = (struct h1_res){.headers = c->headers};
            enum h1_result r = h1_res_parse(&c->res, c->in, c->n, no_body);
            if (r == H1_BAD) return err_fail(E_UPSTREAM, "the upstream's answer is malformed: %s", c->res.why);
            if (r == H1_OK && c->res.status >= 200) break;
            if (r == H1_OK) { /* 1xx: drop and look again */
                if (c->res.status == 101) return err_fail(E_UPSTREAM, "the upstream wants to switch protocols");
                memmove(c->in, c->in + c->res.head_len, c->n - c->res.head_len);
                c->n -= c->res.head_len;
                continue;
            }
        }
        int64_t ms = left_ms(deadline);
        if (ms == 0) return err_fail(E_TIMEOUT, "the upstream did not answer in time");
        TRY(call_fill(c, ms));
    }
    c->body_at = c->off = c->res.head_len;
    c->left = c->res.content_length;
    c->ended = c->left == 0;
    if (c->cap - c->body_at >= CALL_BODY_MIN) return OK;
    /* A head that nearly fills the buffer leaves no room for the body; headers must not move, so keep a larger block.
     */
    size_t cap = c->cap + CALL_IN;
    char *p = malloc(cap);
    if (p == NULL) return err_fail(E_NOMEM, "no memory for the upstream's answer");
    memcpy(p, c->in, c->n);
    free(c->in);
    c->in = p;
    c->cap = cap;
    c->res = (struct h1_res){.headers = c->headers};
    BUG_ON(h1_res_parse(&c->res, c->in, c->n, no_body) != H1_OK);
    return OK;
}

static void call_disconnect(struct http_call *c) {
    sock_close(c->s);
    c->s = NULL;
    c->n = c->off = 0;
}

/* One try on the connection in c->s. */
static err exchange(struct http_call *c, const struct iovec *iov, int n_iov, bool no_body, int64_t deadline,
                    struct http_call_timing *t) {
    if (c->cancelled) return err_fail(E_CANCELLED, "the request was cancelled");
    t->connected = true;
    struct iovec copy[HTTP_CALL_PARTS + 1];
    memcpy(copy, iov, (size_t)n_iov * sizeof *iov);
    TRY(sock_writev(c->s, copy, n_iov, left_ms(deadline)));
    t->sent = true;
    return head_read(c, no_body, deadline);
}

static err call_run(struct http_call *c, const struct iovec *iov, int n_iov, bool no_body, int64_t deadline,
                    struct http_call_timing *t) {
    c->s = up_take(c->up);
    if (c->s != NULL) {
        t->reused = true;
        err e = exchange(c, iov, n_iov, no_body, deadline, t);
        /* The peer closed an idle connection just now: nobody has seen the request. Once, on a fresh one. */
        if ((e != E_IO && e != E_EOF) || c->n > 0 || c->cancelled) return e;
        call_disconnect(c);
        *t = (struct http_call_timing){0};
    }
    int64_t ms = left_ms(deadline);
    if (ms == 0) return err_fail(E_TIMEOUT, "the upstream did not answer in time");
    TRY(up_connect(c->up, ms, &c->s));
    return exchange(c, iov, n_iov, no_body, deadline, t);
}

err http_call_startv(struct upstream *u, const char *method, struct str path, const struct http_header *hdrs,
                     size_t n_hdrs, const struct str *parts, size_t n_parts, int64_t head_timeout_ms,
                     struct http_call **out, struct http_call_head *head, struct http_call_timing *timing) {
    struct http_call_timing local;
    if (timing == NULL) timing = &local;
    *timing = (struct http_call_timing){0};
    BUG_ON(n_parts > HTTP_CALL_PARTS);
    struct http_call *c = call_get(u);
    if (c == NULL) return err_fail(E_NOMEM, "no memory for a request to the upstream");
    *out = c;
    struct buf b cleanup(buf_release);
    buf_init(&b, 64 * KiB);
    struct iovec iov[HTTP_CALL_PARTS + 1];
    int n_iov = 1;
    uint64_t n_body = 0;
    for (size_t i = 0; i < n_parts; i++) {
        if (parts[i].n == 0) continue;
        iov[n_iov++] = (struct iovec){(void *)(uintptr_t)parts[i].p, parts[i].n};
        n_body += parts[i].n;
    }
    err e = request_head(c, &b, method, path, hdrs, n_hdrs, n_body);
    iov[0] = (struct iovec){b.p, b.n};
    if (e == OK)
        e = call_run(c, iov, n_iov, str_eqz(str_of(method), "HEAD"), clock_mono_ms() + head_timeout_ms, timing);
    if (e != OK) {
        c->failed = true;
        *out = NULL;
        http_call_free(c);
        return e == E_EOF ? err_fail(E_UPSTREAM, "the upstream closed the connection without an answer") : e;
    }
    *head = (struct http_call_head){c->res.status, c->res.headers, c->res.n_headers,
                                    c->res.content_length < 0 ? -1 : c->res.content_length};
    return OK;
}

err http_call_start(struct upstream *u, const char *method, struct str path, const struct http_header *hdrs,
                    size_t n_hdrs, struct str body, int64_t head_timeout_ms, struct http_call **out,
                    struct http_call_head *head) {
    return http_call_startv(u, method, path, hdrs, n_hdrs, &body, 1, head_timeout_ms, out, head, NULL);
}

bool http_call_done(const struct http_call *c) {
    return c->ended && c->rest.n == 0;
}
size_t http_call_buffered(const struct http_call *c) {
    return c->n - c->off;
}

static err body_fill(struct http_call *c, int64_t ms) {
    c->off = c->n = c->body_at;
    err e = call_fill(c, ms);
    if (e != E_EOF) return e;
    if (c->res.content_length == -2) {
        c->ended = true;
        return OK;
    }
    return err_fail(E_EOF, "the upstream's answer was cut off");
}

/*
 * Framing bytes behind a chunk are taken at once: the end is then known without another read, and
 * http_call_buffered() counts only what a reader could get without waiting.
 */
static void chunk_skip_framing(struct http_call *c) {
    if (c->off == c->n || h1_chunk_left(&c->chunk) > 0) return;
    struct h1_chunk ahead = c->chunk;
    size_t used;
    struct str none;
    enum h1_chunk_result r = h1_chunk_next(&ahead, c->in + c->off, c->n - c->off, &used, &none);
    if (r == H1_CHUNK_DATA || r == H1_CHUNK_BAD) return; /* for the next view */
    c->chunk = ahead;
    c->off += used;
    c->ended = r == H1_CHUNK_END;
}

static err chunk_view(struct http_call *c, int64_t deadline, struct str *data) {
    for (;;) {
        if (c->off == c->n) {
            int64_t ms = left_ms(deadline);
            if (ms == 0) return err_fail(E_TIMEOUT, "the upstream stopped sending");
            TRY(body_fill(c, ms));
        }
        size_t used;
        enum h1_chunk_result r = h1_chunk_next(&c->chunk, c->in + c->off, c->n - c->off, &used, data);
        c->off += used;
        if (r == H1_CHUNK_DATA) {
            chunk_skip_framing(c);
            return OK;
        }
        if (r == H1_CHUNK_BAD) return err_fail(E_UPSTREAM, "the upstream's answer has a malformed chunk");
        if (r == H1_CHUNK_END) {
            c->ended = true;
            *data = STR("");
            return OK;
        }
    }
}

static err view(struct http_call *c, int64_t timeout_ms, struct str *data) {
    *data = STR("");
    if (c->ended) return OK;
    if (c->res.content_length == -1) return chunk_view(c, clock_mono_ms() + timeout_ms, data);
    if (c->off == c->n) TRY(body_fill(c, timeout_ms));
    if (c->ended) return OK;
    size_t take = c->n - c->off;
    if (c->res.content_length >= 0 && (int64_t)take > c->left) take = (size_t)c->left;
    *data = (struct str){c->in + c->off, take};
    c->off += take;
    if (c->res.content_length >= 0) {
        c->left -= (int64_t)take;
        c->ended = c->left == 0;
    }
    return OK;
}

err http_call_view(struct http_call *c, int64_t timeout_ms, struct str *data) {
    if (c->rest.n > 0) {
        *data = c->rest;
        c->rest = STR_NULL;
        return OK;
    }
    err e = view(c, timeout_ms, data);
    if (e != OK) c->failed = true;
    return e;
}

err http_call_read(struct http_call *c, void *p, size_t cap, int64_t timeout_ms, size_t *n) {
    *n = 0;
    struct str data;
    if (cap == 0) return OK;
    TRY(http_call_view(c, timeout_ms, &data));
    *n = MIN(cap, data.n);
    memcpy(p, data.p, *n);
    c->rest = str_from(data, *n); /* stays in the buffer until the next read */
    return OK;
}

void http_call_free(struct http_call *c) {
    if (c == NULL) return;
    /* Bytes behind the end of the answer mean that the peer and we disagree about where it ended. */
    if (c->s != NULL && c->ended && !c->failed && !c->cancelled && c->res.keep_alive && c->off == c->n)
        up_give(c->up, c->s);
    else sock_close(c->s);
    c->s = NULL;
    call_put(c);
}

void http_call_cancel(struct http_call *c) {
    if (c == NULL) return;
    c->cancelled = true;
    if (c->s != NULL) sock_cancel(c->s);
}

struct str http_call_header(const struct http_call_head *h, const char *name) {
    size_t n = strlen(name);
    for (size_t i = 0; i < h->n_headers; i++)
        if (h->headers[i].name.n == n && str_ieq(h->headers[i].name, (struct str){name, n})) return h->headers[i].value;
    return STR_NULL;
}
