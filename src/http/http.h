/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h — what a handler sees: request, response, routes, errors. (Codec: h1.h. Client: client.h.)
 *
 * A handler runs on its connection's fiber and is straight-line code:
 *
 *     static err get_thing(struct http_req *r) {
 *         struct str name = http_param(r, "name");
 *         ...
 *         return http_reply_json(r, 200, &body);      // or http_fail via `return err_fail(...)`
 *     }
 *
 * Returning an error before the response head was sent makes the server render it in the route's
 * dialect; after that the connection is cut (chunked bodies are left unterminated, so a truncated
 * answer looks truncated).
 */
#ifndef BALLAST_HTTP_H
#define BALLAST_HTTP_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/str.h"
#include "http/h1.h"
#include "rt/rt.h"
#include "rt/sock.h"

/* Who may call a route. Every route has one; the generated test walks all of them. */
enum http_auth {
    AUTH_NONE_DECLARED = 0, /* refused at registration */
    AUTH_PUBLIC,            /* anyone; credentials, if sent, are still checked (bad token = 401) */
    AUTH_USER,              /* a valid token of any role, or a browser session */
    AUTH_USER_WRITE,        /* token role write or admin, or a session (with CSRF on unsafe methods) */
    AUTH_REPO_READ,         /* repository from {type}/{ns}/{name}; private ones hidden (401 anon / 404) */
    AUTH_REPO_WRITE,
    AUTH_REPO_ADMIN,
    AUTH_SITE_ADMIN, /* administrator of the instance */
    AUTH_REVIEWER,   /* may override verdicts (administrators are reviewers too) */
    AUTH_INFER,      /* Ballast token for /v1; Bearer or x-api-key */
    AUTH_SIGNED,     /* the URL or a scoped token authenticates itself; the handler checks */
};
enum http_dialect {
    DIALECT_HF,
    DIALECT_OPENAI,
    DIALECT_ANTHROPIC,
    DIALECT_HTML,
    DIALECT_GIT,
    DIALECT_LFS,
    DIALECT_CAS,
    DIALECT_PLAIN
};

struct http_req;
typedef err (*http_handler)(struct http_req *r);

struct http_route {
    unsigned methods;    /* mask of enum http_method; GET implies HEAD */
    const char *pattern; /* "/api/models/{ns}/{name}/tree/{rev}/{path...}"; segments match the RAW path, then decode */
    http_handler fn;
    enum http_auth auth;
    enum http_dialect dialect;
    const char *name;        /* metric and OpenAPI operation id: "hub.tree" */
    const char *summary;     /* one English sentence for OpenAPI */
    const char *repo_type;   /* "model"|"dataset"|"space" when the pattern fixes it, else NULL ({type} param or none) */
    size_t max_body;         /* bytes accepted in total; 0 = 1 MiB; HTTP_BODY_ANY for streams */
    unsigned body_timeout_s; /* whole body deadline; 0 = 60 s, streams: idle deadline */
};
#define HTTP_BODY_ANY ((size_t)-1)

enum { HTTP_MAX_PARAMS = 8 };
struct http_param {
    const char *name; /* from the pattern */
    size_t n_name;
    struct str raw, value; /* value: percent-decoded, in the arena */
};

struct http_req {
    struct arena *arena; /* lives until the response has been sent; max 64 MiB */
    enum http_method method;
    struct str target;      /* as sent */
    struct str path, query; /* raw */
    const struct http_header *headers;
    size_t n_headers;
    struct http_param params[HTTP_MAX_PARAMS];
    unsigned n_params;
    const struct http_route *route;
    void *ctx;           /* given at http_router_add */
    struct str host;     /* Host header, validated */
    struct str base_url; /* public base, no trailing slash: config public_url, else scheme://host seen (trusted proxies'
                            X-Forwarded-*) */
    struct str remote_ip; /* after trusted proxies */
    bool is_tls;
    char id[27];            /* request id, 26 chars */
    int64_t content_length; /* -1: chunked; 0: none */
    enum lang lang;         /* account language, else switch cookie, else Accept-Language */
    int64_t start_ns;
    struct principal *who;  /* set by the auth hook; never NULL in a handler (anonymous principal) */
    bool authenticated;     /* set by the auth hook when somebody is known (a browser session too) */
    struct repo_rec *repo;  /* set for AUTH_REPO_* */
    struct http_conn *conn; /* opaque */
    struct http_res *res;   /* opaque */
};

struct str http_header(const struct http_req *r, const char *name); /* STR_NULL when absent */
struct str http_param(const struct http_req *r, const char *name);  /* decoded path parameter */
/* Query parameter (decoded into the arena), or dflt. */
struct str http_query(struct http_req *r, const char *name, struct str dflt);
bool http_query_bool(struct http_req *r, const char *name, bool dflt); /* true/True/1 */
struct str http_cookie(struct http_req *r, const char *name);

/* --- body --------------------------------------------------------------------------------- */
/* Next bytes of the body; *n = 0 at its end. Sends 100-continue on first use when asked for. */
may_suspend err http_body_read(struct http_req *r, void *p, size_t cap, size_t *n) must_check;
/* The whole body in the arena, at most max bytes (E_TOO_LARGE). May be called again: the same bytes. */
may_suspend err http_body_all(struct http_req *r, size_t max, struct str *out) must_check;
may_suspend err http_body_json(struct http_req *r, size_t max, struct jv *out) must_check;
/* Content-Encoding: gzip of the request is undone when the route asks (git). */
may_suspend err http_body_gunzip_begin(struct http_req *r) must_check;

/* --- response ----------------------------------------------------------------------------- */
void http_status(struct http_req *r, int status); /* default 200 */
/* Add a header; value bytes outside printable Latin-1 are replaced by '?', CR/LF by space. */
void http_set(struct http_req *r, const char *name, struct str value);
void http_setf(struct http_req *r, const char *name, const char *fmt, ...) printf_like(3, 4);
/* Whole replies: head + body in one write. HEAD sends the head only. */
may_suspend err http_reply(struct http_req *r, int status, const char *content_type, struct str body) must_check;
may_suspend err http_reply_json(struct http_req *r, int status, const struct buf *json) must_check;
may_suspend err http_reply_empty(struct http_req *r, int status) must_check;
may_suspend err http_redirect(struct http_req *r, int status, struct str location) must_check;
/*
 * Streams: length -1 = chunked (Content-Length otherwise). Then http_write*, then http_end. The head
 * leaves with the first http_write (one system call for both), or by http_flush.
 */
may_suspend err http_begin(struct http_req *r, int status, const char *content_type, int64_t length) must_check;
may_suspend err http_write(struct http_req *r, const void *p, size_t n) must_check;
may_suspend err http_sendfile(struct http_req *r, int fd, off_t off, size_t n) must_check;
may_suspend err http_end(struct http_req *r) must_check;
/* Send a head that still waits for its first body bytes. */
may_suspend err http_flush(struct http_req *r) must_check;
/* http_write of the last bytes and http_end in one system call. */
may_suspend err http_finish(struct http_req *r, const void *p, size_t n) must_check;
bool http_head_sent(const struct http_req *r);
/* The client has gone away (checked without blocking). */
bool http_client_gone(struct http_req *r);
/* While waiting elsewhere: fn(arg) on the loop if the client goes away. fn NULL cancels. */
void http_on_client_gone(struct http_req *r, rt_fn fn, void *arg);

/*
 * Range: parse "bytes=a-b" against size. *partial false when absent or syntactically bad (serve all).
 * E_RANGE (416; the reply carries the size) when unsatisfiable. Single range only.
 */
must_check err http_range(struct http_req *r, uint64_t size, uint64_t *start, uint64_t *len, bool *partial);

/* Render an error now in the route's dialect (normally the server does it for you). */
may_suspend err http_reply_error(struct http_req *r, err e) must_check;
/* Detail codes for the next error on this request: OpenAI `code`, X-HF-Warning text, ... NULL clears. */
void http_error_code(struct http_req *r, const char *code);

/* --- router and server ----------------------------------------------------------------------- */
struct http_router;
struct http_router *http_router_new(void);
void http_router_free(struct http_router *rt);
/* Routes must be static. Fails on conflicting patterns or a missing auth class. */
must_check err http_router_add(struct http_router *rt, const struct http_route *routes, size_t n, void *ctx);
/* All routes, for OpenAPI, metrics and the generated authorisation test. */
size_t http_router_count(const struct http_router *rt);
const struct http_route *http_router_at(const struct http_router *rt, size_t i);

struct http_hooks {
    /* Sets r->who, r->repo, r->lang; refuses by error; may answer itself (redirect). Before every handler, may suspend.
     */
    err (*authorize)(void *arg, struct http_req *r);
    /* Page for DIALECT_HTML errors; NULL = plain text. */
    err (*html_error)(void *arg, struct http_req *r, err e);
    void *arg;
};

enum { HTTP_MAX_PROXIES = 32 };
struct http_config { /* immutable snapshot; see docs/operations/config.md */
    struct str listen_host;
    uint16_t port;
    struct str public_url;                        /* empty = from the request */
    struct str trusted_proxies[HTTP_MAX_PROXIES]; /* addresses or CIDRs */
    unsigned n_trusted_proxies;
    const char *tls_cert, *tls_key; /* NULL = plain http */
    int64_t header_timeout_ms;      /* 0 = 10 s */
    int64_t idle_timeout_ms;        /* keep-alive; 0 = 75 s */
    int64_t write_timeout_ms;       /* no progress; 0 = 60 s */
    unsigned max_conns_per_loop;    /* 0 = 8192 */
    bool access_log;
    enum lang lang; /* of people who state no preference */
};
bool http_proxy_ok(struct str s); /* an address or a CIDR range? */
struct http_server;
must_check err http_server_start(const struct http_config *c, struct http_router *rt, const struct http_hooks *h,
                                 struct http_server **out);
/* Swap the snapshot (timeouts, public_url, TLS); existing connections keep going. */
must_check err http_server_reload(struct http_server *s, const struct http_config *c);
/* Stop accepting, let requests finish up to drain_ms, then cut. */
void http_server_stop(struct http_server *s, int64_t drain_ms);
uint16_t http_server_port(const struct http_server *s);
/* Prometheus text of request counters and latencies by route name and status class. */
void http_server_metrics(struct http_server *s, struct buf *out);
#endif
