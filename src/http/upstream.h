/* SPDX-License-Identifier: Apache-2.0 */
/* upstream.h — inside of the client: origins and their idle connections, one list per loop. */
#ifndef BALLAST_HTTP_UPSTREAM_H
#define BALLAST_HTTP_UPSTREAM_H

#include <stdatomic.h>

#include "http/client.h"

enum { UP_IDLE_MS = 30000, UP_SWEEP_MS = 5000 };

struct up_idle {
    struct sock *s;
    int64_t since_ms;
    struct up_idle *next; /* newest first */
};
struct up_loop { /* touched by its own loop only */
    struct up_idle *head;
    unsigned n;
    struct http_call *spare; /* finished calls with their buffers */
    unsigned n_spare;
    struct timer sweep;
    bool armed;
};
struct upstream {
    _Atomic unsigned refs;
    _Atomic unsigned closing; /* loops that have not yet closed their idle connections */
    struct arena arena;
    struct str host, prefix;
    struct str head; /* "Host: …\r\nUser-Agent: …\r\n", ready to send */
    uint16_t port;
    bool https;
    struct tls_ctx *tls;
    int64_t connect_timeout_ms;
    unsigned max_idle, n_loops;
    struct up_loop *loops;
};
/* A usable idle connection of this loop, or NULL. */
struct sock *up_take(struct upstream *u);
/* Give a connection back; closes it when the list is full or u is being freed. */
void up_give(struct upstream *u, struct sock *s);
struct up_loop *up_here(struct upstream *u);
/* client.c */
void call_spares_free(struct up_loop *l);
may_suspend err up_connect(struct upstream *u, int64_t timeout_ms, struct sock **out) must_check;
#endif
