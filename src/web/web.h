/* SPDX-License-Identifier: Apache-2.0 */
/* web.h — the console: pages and assets embedded in the binary. */
#ifndef BALLAST_WEB_H
#define BALLAST_WEB_H

#include "gate/gate.h"
#include "hub/hub.h"
#include "pool/pool.h"
#include "review/review.h"

struct web;
struct web_opts {
    struct store *store;
    struct id *id;
    struct hub *hub;
    struct review *review;
    struct pool *pool;
    struct gate *gate;
};
must_check err web_open(const struct web_opts *o, struct web **out);
void web_close(struct web *w);
must_check err web_routes(struct web *w, struct http_router *rt);
/* The http hook that draws error pages. */
may_suspend err web_html_error(void *web, struct http_req *r, err e) must_check;
#endif
