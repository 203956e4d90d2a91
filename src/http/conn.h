/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn.h — inside of the http room: connection, response state, server, per-loop tables.
 *
 * A connection and everything hanging on it belongs to one loop; the only things shared between
 * loops are the configuration snapshot (reference-counted), the router (immutable after start) and
 * the statistics (one block per loop, written by that loop, read relaxed by /metrics).
 */
#ifndef BALLAST_HTTP_CONN_H
#define BALLAST_HTTP_CONN_H

#include <pthread.h>
#include <stdatomic.h>

#include "http/http.h"

enum {
    CONN_IN_MIN = 4096,        /* input buffer of a connection at rest */
    CONN_FREE_MAX = 128,       /* connection records kept per loop */
    CONN_ARENA_MAX = 64 << 20, /* per request */
    CONN_HEAD_OUT_MAX = 65536, /* response head */
    DRAIN_KEEP_MAX = 65536,    /* unread body swallowed to keep a connection */
    LINGER_MAX = 64 << 20,     /* unread body swallowed before a close, so that the answer is read */
    LINGER_MS = 5000,
    WRITE_PIECE = 256 * 1024, /* one write deadline per piece */
    HTTP_LAT_BUCKETS = 12
};

struct cidr {
    uint8_t addr[16];
    unsigned bits;
};
bool cidr_parse(struct str s, struct cidr *out);
bool ip_parse(struct str s, uint8_t out[16]);
bool cidr_has(const struct cidr *c, const uint8_t ip[16]);

struct http_snap { /* immutable but for refs */
    _Atomic unsigned refs;
    struct arena arena;
    struct http_config c;
    struct tls_ctx *tls;
    struct cidr trusted[HTTP_MAX_PROXIES];
    unsigned n_trusted;
};

struct route_stats {              /* one per route and loop; relaxed atomics, single writer */
    _Atomic uint64_t by_class[6]; /* 1xx unused; [0] = cut before an answer */
    _Atomic uint64_t bucket[HTTP_LAT_BUCKETS + 1];
    _Atomic uint64_t sum_us, bytes_in, bytes_out;
};

struct http_loop_state {
    struct http_conn *live; /* doubly linked */
    struct http_conn *spare;
    unsigned n_spare;
    _Atomic unsigned n_live;
    uint64_t id_seq; /* request ids */
    uint64_t id_salt;
    struct route_stats *stats; /* n_routes + 1: the last is "no route" */
};

struct http_server {
    struct http_router *router;
    struct http_hooks hooks;
    struct listener *listener;
    pthread_mutex_t snap_lock;
    struct http_snap *snap;
    _Atomic unsigned snap_gen;
    _Atomic bool stopping;
    unsigned n_loops;
    size_t n_routes;
    struct http_loop_state *loops;
};

struct http_res {
    struct buf set; /* header lines added by the handler */
    struct buf out; /* composed head */
    int status;
    int64_t left; /* body bytes still promised; -1 chunked; -2 until close */
    uint64_t sent;
    bool began, head_pending, ended, no_body;
    const char *err_code;
};

struct body_window { /* bytes read from the socket, not yet given out */
    char *base;
    size_t cap, off, n;
};

struct http_conn {
    struct http_req req;
    struct http_res res;
    struct http_server *srv;
    struct http_loop_state *ls;
    struct http_conn *next, *prev;
    struct sock *sock;
    struct http_snap *snap;
    unsigned snap_gen;
    struct arena arena;
    char *in;
    size_t n_in, cap_in;
    struct h1_req head;
    /* body */
    struct body_window win;
    struct h1_chunk chunk;
    int64_t body_left;        /* Content-Length bytes to come */
    uint64_t body_total;      /* body bytes given out */
    int64_t body_deadline_ms; /* 0 = not started */
    bool body_done, owes_continue, body_late;
    bool body_kept; /* http_body_all has run: `kept` is what it gave, and gives again */
    struct str kept;
    struct gz_state *gz;
    /* connection */
    size_t route_i; /* of the route in the statistics */
    bool idle;      /* waiting for a request: may be closed at once */
    bool keep;      /* another request may follow */
    bool dead;      /* no answer can be sent any more */
    bool is_tls, peer_trusted, have_peer_ip;
    uint8_t peer_ip[16];
    char peer[48];
    size_t n_peer;
    struct http_header headers[HTTP_MAX_HEADERS];
};

/* server.c */
void http_snap_put(struct http_snap *s);
/* connection.c */
void conn_spares_free(struct http_loop_state *ls);
void server_on_conn(void *arg, struct sock *s, struct str peer_ip, uint16_t peer_port);
void conn_snap_refresh(struct http_conn *c);
/* proxy.c: base_url, remote_ip, is_tls of the request. */
void req_origin(struct http_conn *c);
/* dispatch.c: route, authorise, run, finish; the answer is out or the connection dead afterwards. */
may_suspend void conn_dispatch(struct http_conn *c);
/* A refusal of bytes that were not a request. */
may_suspend void conn_refuse(struct http_conn *c, int status, const char *why);
/* body.c */
void body_begin(struct http_conn *c);
may_suspend void body_finish(struct http_conn *c); /* unread rest: swallow or give up keep-alive */
may_suspend void conn_linger(struct http_conn *c);
may_suspend err body_read_raw(struct http_conn *c, void *p, size_t cap, size_t *n) must_check;
/* body_gzip.c */
may_suspend err gz_read(struct http_conn *c, void *p, size_t cap, size_t *n) must_check;
void gz_free(struct http_conn *c);
/* res.c */
void res_begin(struct http_conn *c);
void res_drop_entity_headers(struct http_res *res);
/* stats.c */
void stats_count(struct http_conn *c);
/* router.c */
enum route_result { ROUTE_OK, ROUTE_NOT_FOUND, ROUTE_METHOD, ROUTE_BAD };
enum route_result router_match(const struct http_router *rt, struct http_req *r, unsigned *allowed, size_t *index);
/* range.c */
enum range_kind { RANGE_NONE, RANGE_OK, RANGE_UNSATISFIABLE };
enum range_kind http_range_parse(struct str v, uint64_t size, uint64_t *start, uint64_t *len);
/* req.c */
void req_id_make(struct http_loop_state *ls, char out[27]);
#endif
