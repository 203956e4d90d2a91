/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h — upstream HTTP/1.1 client on fibers, keep-alive pools per loop.
 *
 * Strict like the server: a reply that two parsers could read differently is E_UPSTREAM and the
 * connection is not reused. Redirects are never followed (a provider's key is bound to its host).
 */
#ifndef BALLAST_HTTP_CLIENT_H
#define BALLAST_HTTP_CLIENT_H

#include "http/http.h"

struct upstream; /* one origin: scheme, host, port, TLS, limits. Thread-safe, reference-counted. */
struct upstream_opts {
    struct str base_url;        /* "http://127.0.0.1:9000/v1": path prefix is kept */
    int64_t connect_timeout_ms; /* 0 = 1000 */
    unsigned max_idle_per_loop; /* 0 = 256 */
    struct tls_ctx *tls;        /* for https; NULL = system trust */
};
must_check err upstream_new(const struct upstream_opts *o, struct upstream **out);
struct upstream *upstream_ref(struct upstream *u);
void upstream_put(struct upstream *u);
struct str upstream_prefix(const struct upstream *u); /* path part of base_url, no trailing slash */

struct http_call; /* one exchange, owned by the calling fiber */
struct http_call_head {
    int status;
    const struct http_header *headers;
    size_t n_headers;
    int64_t content_length; /* -1 chunked or until close */
};
/*
 * Send a request (path is appended to the prefix) with the whole body; reconnects once when a pooled
 * connection turns out to be dead before any byte of the answer. `head` lives until http_call_free.
 * head_timeout_ms covers connect to end of head.
 */
may_suspend err http_call_start(struct upstream *u, const char *method, struct str path, const struct http_header *hdrs,
                                size_t n_hdrs, struct str body, int64_t head_timeout_ms, struct http_call **out,
                                struct http_call_head *head) must_check;
/*
 * The same with a body in pieces (at most HTTP_CALL_PARTS), sent by one writev. *out is set before the
 * first suspension, so that http_call_cancel(*out) works meanwhile; it is NULL again after an error.
 * timing, when given, tells how far a failed call got.
 */
enum { HTTP_CALL_PARTS = 8 };
struct http_call_timing {
    bool connected; /* a connection stood (pooled or new) */
    bool sent;      /* the request was written: the upstream may have acted on it */
    bool reused;
};
may_suspend err http_call_startv(struct upstream *u, const char *method, struct str path,
                                 const struct http_header *hdrs, size_t n_hdrs, const struct str *parts, size_t n_parts,
                                 int64_t head_timeout_ms, struct http_call **out, struct http_call_head *head,
                                 struct http_call_timing *timing) must_check;
/* Next body bytes (de-chunked); *n = 0 at the proper end. A cut is E_EOF, a stall E_TIMEOUT. */
may_suspend err http_call_read(struct http_call *c, void *p, size_t cap, int64_t timeout_ms, size_t *n) must_check;
/* Like http_call_read without the copy: *data lies in the call's buffer until the next read. Empty at the end. */
may_suspend err http_call_view(struct http_call *c, int64_t timeout_ms, struct str *data) must_check;
/* Bytes already received and not yet given out: a view now returns without waiting (or needs little). */
size_t http_call_buffered(const struct http_call *c);
/* The body was given out to its proper end. */
bool http_call_done(const struct http_call *c);
/* Back to the pool when the body was read to its end, else closed. NULL ok. */
void http_call_free(struct http_call *c);
/* From the same loop: make the pending read/start return E_CANCELLED (client went away). */
void http_call_cancel(struct http_call *c);
struct str http_call_header(const struct http_call_head *h, const char *name);
#endif
