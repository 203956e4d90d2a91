/* SPDX-License-Identifier: Apache-2.0 */
/*
 * res.c — responses: head composed once, sent together with the first body bytes by one writev.
 *
 * Rules: 1. A head is composed when the answer begins and waits for the first bytes. 2. HEAD and
 * 204/304 never carry a body. 3. A body shorter than announced, or a stream not ended, cuts the
 * connection: the reader sees the truncation. 4. HTTP/1.0 readers get close-delimited streams.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/conn.h"

/* The Date value of this second, per thread. */
static struct str date_now(void) {
    static _Thread_local char text[CLOCK_HTTP_LEN + 1];
    static _Thread_local int64_t at_s = -1;
    int64_t ms = clock_wall_ms();
    if (ms / 1000 != at_s) {
        clock_http(ms, text);
        at_s = ms / 1000;
    }
    return (struct str){text, CLOCK_HTTP_LEN};
}

void res_begin(struct http_conn *c) {
    struct http_res *s = &c->res;
    buf_reset(&s->set);
    buf_reset(&s->out);
    s->status = 200;
    s->left = 0;
    s->sent = 0;
    s->began = s->head_pending = s->ended = s->no_body = false;
    s->err_code = NULL;
}

void http_status(struct http_req *r, int status) {
    r->conn->res.status = status;
}
bool http_head_sent(const struct http_req *r) {
    return r->conn->res.began;
}
void http_error_code(struct http_req *r, const char *code) {
    r->conn->res.err_code = code;
}

/* UTF-8 to printable Latin-1: '?' for what does not fit, space for control bytes. */
static void latin1_add(struct buf *b, struct str v) {
    size_t i = 0;
    while (i < v.n) {
        size_t run = i;
        while (run < v.n && (unsigned char)v.p[run] >= 0x20 && (unsigned char)v.p[run] < 0x7f) run++;
        buf_add(b, v.p + i, run - i);
        i = run;
        if (i == v.n) break;
        unsigned char c = (unsigned char)v.p[i++];
        if (c < 0x80) {
            buf_char(b, c == 0x7f ? '?' : ' ');
            continue;
        }
        unsigned char low = i < v.n ? (unsigned char)v.p[i] : 0;
        bool fits = (c == 0xc2 && low >= 0xa0 && low <= 0xbf) || (c == 0xc3 && low >= 0x80 && low <= 0xbf);
        buf_char(b, fits ? (char)(unsigned char)((c & 3u) << 6 | (low & 0x3fu)) : '?');
        while (i < v.n && ((unsigned char)v.p[i] & 0xc0) == 0x80) i++;
    }
}

void http_set(struct http_req *r, const char *name, struct str value) {
    struct buf *b = &r->conn->res.set;
    buf_cstr(b, name);
    buf_add(b, ": ", 2);
    latin1_add(b, value);
    buf_add(b, "\r\n", 2);
}

void http_setf(struct http_req *r, const char *name, const char *fmt, ...) {
    char small[512];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    BUG_ON(n < 0);
    if ((size_t)n < sizeof small) {
        http_set(r, name, (struct str){small, (size_t)n});
    } else {
        char *p = arena_alloc(r->arena, (size_t)n + 1);
        vsnprintf(p, (size_t)n + 1, fmt, again);
        http_set(r, name, (struct str){p, (size_t)n});
    }
    va_end(again);
}

/* Before an error replaces a half-built answer: what described the entity goes, the rest stays. */
void res_drop_entity_headers(struct http_res *res) {
    static const char *const entity[] = {"etag:",
                                         "content-type:",
                                         "content-length:",
                                         "content-disposition:",
                                         "content-encoding:",
                                         "last-modified:",
                                         "cache-control:",
                                         "accept-ranges:",
                                         "location:"};
    struct buf *b = &res->set;
    size_t to = 0;
    for (size_t at = 0; at < b->n;) {
        struct str rest = {b->p + at, b->n - at};
        ptrdiff_t lf = str_chr(rest, '\n');
        BUG_ON(lf < 0);
        size_t len = (size_t)lf + 1;
        bool drop = false;
        for (size_t k = 0; k < ARRAY_LEN(entity); k++)
            if (str_ieq(str_sub(rest, 0, strlen(entity[k])), str_of(entity[k]))) drop = true;
        if (!drop) {
            memmove(b->p + to, b->p + at, len);
            to += len;
        }
        at += len;
    }
    b->n = to;
    b->failed = false;
}

static void add_u64(struct buf *b, uint64_t v) {
    char t[20];
    size_t i = sizeof t;
    do t[--i] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    buf_add(b, t + i, sizeof t - i);
}

static void add_line(struct buf *b, struct str name, struct str value) {
    buf_str(b, name);
    buf_str(b, value);
    buf_add(b, "\r\n", 2);
}

static void head_compose(struct http_conn *c, const char *content_type) {
    struct http_res *s = &c->res;
    struct buf *b = &s->out;
    buf_reset(b);
    if (s->status == 200) buf_add(b, "HTTP/1.1 200 OK\r\n", 17);
    else {
        buf_add(b, "HTTP/1.1 ", 9);
        add_u64(b, (uint64_t)s->status);
        buf_char(b, ' ');
        add_line(b, str_of(h1_reason(s->status)), STR(""));
    }
    add_line(b, STR("Date: "), date_now());
    add_line(b, STR("X-Request-Id: "), (struct str){c->req.id, 26});
    if (content_type != NULL) add_line(b, STR("Content-Type: "), str_of(content_type));
    if (s->left >= 0 && s->status >= 200 && s->status != 204 && s->status != 304) {
        buf_add(b, "Content-Length: ", 16);
        add_u64(b, (uint64_t)s->left);
        buf_add(b, "\r\n", 2);
    } else if (s->left == -1 && !s->no_body) {
        buf_cstr(b, "Transfer-Encoding: chunked\r\n");
    }
    if (!c->keep) buf_cstr(b, "Connection: close\r\n");
    else if (c->head.minor == 0) buf_cstr(b, "Connection: keep-alive\r\n");
    buf_add(b, s->set.p, s->set.n);
    buf_add(b, "\r\n", 2);
}

static int64_t write_ms(const struct http_conn *c) {
    return c->snap->c.write_timeout_ms;
}

static err conn_failed(struct http_conn *c, err e) {
    c->dead = true;
    c->keep = false;
    return e;
}

err http_begin(struct http_req *r, int status, const char *content_type, int64_t length) {
    struct http_conn *c = r->conn;
    struct http_res *s = &c->res;
    BUG_ON(s->began);
    /* A handler that answers without reading a large body ends the connection, and says so. */
    if (!c->body_done && (c->owes_continue || c->body_left > DRAIN_KEEP_MAX)) c->keep = false;
    if (atomic_load_explicit(&c->srv->stopping, memory_order_relaxed)) c->keep = false;
    s->status = status;
    s->no_body = r->method == HTTP_HEAD || status == 204 || status == 304;
    s->left = length >= 0 ? length : -1;
    if (s->left == -1 && c->head.minor == 0 && !s->no_body) {
        s->left = -2;
        c->keep = false;
    }
    head_compose(c, content_type);
    TRY(buf_ok(&s->set, "the response head"));
    TRY(buf_ok(&s->out, "the response head"));
    s->began = s->head_pending = true;
    return OK;
}

err http_flush(struct http_req *r) {
    struct http_conn *c = r->conn;
    if (!c->res.head_pending) return OK;
    c->res.head_pending = false;
    err e = sock_write(c->sock, c->res.out.p, c->res.out.n, write_ms(c));
    return e == OK ? OK : conn_failed(c, e);
}

/* Size line of a chunk; returns its length. */
static size_t chunk_line(char out[20], size_t n) {
    static const char hex[] = "0123456789abcdef";
    char t[16];
    size_t i = sizeof t, k = 0;
    do t[--i] = hex[n & 15];
    while ((n >>= 4) > 0);
    while (i < sizeof t) out[k++] = t[i++];
    out[k++] = '\r';
    out[k++] = '\n';
    return k;
}

/* One piece of at most WRITE_PIECE bytes, with the waiting head before and, when last, the end behind. */
static err piece_write(struct http_conn *c, const void *p, size_t n, bool last) {
    struct http_res *s = &c->res;
    struct iovec iov[5];
    char line[20];
    int k = 0;
    if (s->head_pending) iov[k++] = (struct iovec){s->out.p, s->out.n};
    s->head_pending = false;
    bool chunked = s->left == -1 && !s->no_body;
    if (n > 0 && !s->no_body) {
        if (chunked) iov[k++] = (struct iovec){line, chunk_line(line, n)};
        iov[k++] = (struct iovec){(void *)(uintptr_t)p, n};
        if (chunked && !last) iov[k++] = (struct iovec){(void *)(uintptr_t) "\r\n", 2};
        if (chunked && last) iov[k++] = (struct iovec){(void *)(uintptr_t) "\r\n0\r\n\r\n", 7};
        s->sent += n;
    } else if (chunked && last) {
        iov[k++] = (struct iovec){(void *)(uintptr_t) "0\r\n\r\n", 5};
    }
    if (k == 0) return OK;
    err e = k == 1 ? sock_write(c->sock, iov[0].iov_base, iov[0].iov_len, write_ms(c))
                   : sock_writev(c->sock, iov, k, write_ms(c));
    return e == OK ? OK : conn_failed(c, e);
}

static err length_take(struct http_conn *c, size_t n) {
    if (c->res.left < 0 || c->res.no_body) return OK;
    if ((uint64_t)c->res.left < n)
        return conn_failed(c, err_fail(E_INTERNAL, "a handler wrote more than the length it announced"));
    c->res.left -= (int64_t)n;
    return OK;
}

static err write_all(struct http_conn *c, const void *p, size_t n, bool last) {
    BUG_ON(!c->res.began || c->res.ended);
    TRY(length_take(c, n));
    const char *at = p != NULL ? p : "";
    do {
        size_t take = MIN(n, (size_t)WRITE_PIECE);
        TRY(piece_write(c, at, take, last && take == n));
        at += take;
        n -= take;
    } while (n > 0);
    return OK;
}

err http_write(struct http_req *r, const void *p, size_t n) {
    return n == 0 ? http_flush(r) : write_all(r->conn, p, n, false);
}

err http_finish(struct http_req *r, const void *p, size_t n) {
    struct http_conn *c = r->conn;
    TRY(write_all(c, p, n, true));
    c->res.ended = true;
    if (c->res.left > 0 && !c->res.no_body)
        return conn_failed(
            c, err_fail(E_INTERNAL, "a handler wrote %" PRId64 " bytes less than it announced", c->res.left));
    return OK;
}

err http_end(struct http_req *r) {
    return http_finish(r, NULL, 0);
}

err http_sendfile(struct http_req *r, int fd, off_t off, size_t n) {
    struct http_conn *c = r->conn;
    BUG_ON(!c->res.began || c->res.ended);
    TRY(length_take(c, n));
    TRY(http_flush(r));
    if (c->res.no_body || n == 0) return OK;
    char line[20];
    bool chunked = c->res.left == -1;
    err e = OK;
    if (chunked) e = sock_write(c->sock, line, chunk_line(line, n), write_ms(c));
    while (e == OK && n > 0) {
        size_t take = MIN(n, MiB);
        e = sock_sendfile(c->sock, fd, off, take, write_ms(c));
        off += (off_t)take;
        n -= take;
        if (e == OK) c->res.sent += take;
    }
    if (e == OK && chunked) e = sock_write(c->sock, "\r\n", 2, write_ms(c));
    return e == OK ? OK : conn_failed(c, e);
}

err http_reply(struct http_req *r, int status, const char *content_type, struct str body) {
    TRY(http_begin(r, status, content_type, (int64_t)body.n));
    return http_finish(r, body.p, body.n);
}

err http_reply_json(struct http_req *r, int status, const struct buf *json) {
    TRY(buf_ok(json, "the answer"));
    return http_reply(r, status, "application/json; charset=utf-8", buf_view(json));
}

err http_reply_empty(struct http_req *r, int status) {
    return http_reply(r, status, NULL, STR(""));
}

err http_redirect(struct http_req *r, int status, struct str location) {
    http_set(r, "Location", location);
    return http_reply_empty(r, status);
}

bool http_client_gone(struct http_req *r) {
    struct http_conn *c = r->conn;
    if (c->dead) return true;
    char byte;
    ssize_t n = recv(sock_fd(c->sock), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void http_on_client_gone(struct http_req *r, rt_fn fn, void *arg) {
    sock_on_hangup(r->conn->sock, fn, arg);
}
