/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app.h — the rooms put together: opened in order, closed in reverse. Used by `serve` and by every command,
 * which therefore work the same whether or not a server is running on the data directory.
 */
#ifndef BALLAST_APP_H
#define BALLAST_APP_H

#include "app/config.h"
#include "gate/gate.h"
#include "git/git.h"
#include "hub/hub.h"
#include "id/id.h"
#include "pool/pool.h"
#include "review/review.h"
#include "store/store.h"
#include "web/web.h"
#include "xet/xet.h"

struct app {
    struct config *config;
    struct store *store;
    struct id *id;
    struct git *git;
    struct xet *xet;
    struct hub *hub;
    struct review *review;
    struct gate *gate;
    struct pool *pool;
    struct web *web;
    struct http_router *router;
    struct http_server *server;
    int64_t started_ms, drain_ms;
    _Atomic bool ready, stopping;
};

/* Takes ownership of `config` also when it fails. server: take the lock and sweep leftovers. */
must_check err app_open(struct config *config, bool server, struct app **out);
void app_close(struct app *a); /* NULL ok */
/* /healthz /readyz /metrics /api/ballast/version */
must_check err app_routes(struct app *a, struct http_router *rt);
/* /api/ballast/openapi.json: every registered route, with its authorisation class. */
must_check err app_openapi_routes(struct app *a, struct http_router *rt);
must_check err app_openapi_write(struct arena *a, const struct http_router *rt, struct str base_url, struct buf *out);
/* Provider table in the gateway's terms, borrowed from the config. */
must_check err app_providers(const struct config *c, struct arena *a, struct gate_provider **out, size_t *n);
/* Run the server until SIGINT or SIGTERM; exit code. */
int serve_main(struct config *config, const char *config_path);
#endif
