/* SPDX-License-Identifier: Apache-2.0 */
/* dispatch.c — one request: find the route, authorise, run the handler, make sure of an answer. */
#include "base/log.h"
#include "http/conn.h"

/* "GET, HEAD, POST" for a mask. */
static void allow_set(struct http_req *r, unsigned mask) {
    char text[64] = "";
    size_t n = 0;
    for (unsigned m = HTTP_GET; m <= HTTP_OPTIONS; m <<= 1) {
        if ((mask & m) == 0) continue;
        int k = snprintf(text + n, sizeof text - n, "%s%s", n > 0 ? ", " : "", h1_method_name((enum http_method)m));
        n += (size_t)k;
    }
    http_set(r, "Allow", (struct str){text, n});
}

static err not_found(struct http_req *r) {
    return err_fail(E_NOT_FOUND, "nothing is served at " STR_FMT, STR_ARG(str_sub(r->path, 0, 256)));
}

static err route_find(struct http_conn *c, bool *answered) {
    struct http_req *r = &c->req;
    unsigned allowed = 0;
    *answered = false;
    enum route_result res = router_match(c->srv->router, r, &allowed, &c->route_i);
    if (res == ROUTE_OK) return OK;
    c->route_i = c->srv->n_routes;
    r->route = NULL;
    if (res == ROUTE_BAD) return err_fail(E_BAD_REQUEST, "the path holds a malformed percent escape");
    if (r->method == HTTP_OPTIONS && (res == ROUTE_METHOD || str_eqz(r->path, "*"))) {
        *answered = true;
        allow_set(r, allowed | HTTP_OPTIONS);
        return http_reply_empty(r, 204);
    }
    if (res == ROUTE_NOT_FOUND) return not_found(r);
    allow_set(r, allowed);
    return err_fail(E_METHOD, "method %s is not offered at " STR_FMT, h1_method_name(r->method),
                    STR_ARG(str_sub(r->path, 0, 256)));
}

static err request_run(struct http_conn *c) {
    struct http_req *r = &c->req;
    bool answered;
    TRY(route_find(c, &answered));
    if (answered) return OK;
    const struct http_hooks *h = &c->srv->hooks;
    if (h->authorize != NULL) TRY(h->authorize(h->arg, r));
    if (c->res.ended) return OK; /* the hook answered: a repository that was moved redirects */
    size_t max = r->route->max_body == 0 ? MiB : r->route->max_body;
    if (max != HTTP_BODY_ANY && r->content_length > 0 && (uint64_t)r->content_length > max)
        return err_fail(E_TOO_LARGE, "the request body of %" PRId64 " bytes is larger than the %zu accepted here",
                        r->content_length, max);
    return r->route->fn(r);
}

static void settle(struct http_conn *c, err e) {
    struct http_req *r = &c->req;
    if (c->dead) return;
    if (e == OK && c->res.ended) return;
    if (e == OK && !c->res.began)
        e = err_fail(E_INTERNAL, "the handler of %s gave no answer", r->route != NULL ? r->route->name : "?");
    if (c->res.began) { /* rule 3 of res.c: an answer cut short must look cut */
        c->dead = true;
        log_warn("http.cut", LS("id", ((struct str){r->id, 26})), LS("path", r->path),
                 LZ("error", e != OK ? err_text_en() : "stream not ended"));
        return;
    }
    if (e->status >= 500 && e != E_PENDING && e != E_CANCELLED)
        log_warn("http.error", LS("id", ((struct str){r->id, 26})), LS("path", r->path), LZ("kind", e->name),
                 LZ("error", err_text_en()));
    if (http_reply_error(r, e) != OK) c->dead = true;
}

void conn_dispatch(struct http_conn *c) {
    c->route_i = c->srv->n_routes;
    struct err_slot *slot = err_slot();
    slot->lang = (unsigned char)c->req.lang;
    slot->retry_after_s = 0;
    settle(c, request_run(c));
    sock_on_hangup(c->sock, NULL, NULL);
    body_finish(c);
    if (c->dead) c->keep = false;
    stats_count(c);
}

void conn_refuse(struct http_conn *c, int status, const char *why) {
    struct http_req *r = &c->req;
    c->keep = false;
    c->route_i = c->srv->n_routes;
    r->route = NULL;
    c->head.minor = 1;
    c->body_done = true;
    struct str text = arena_printf(&c->arena, "%s\n", why);
    if (http_reply(r, status, "text/plain; charset=utf-8", text) != OK) c->dead = true;
    stats_count(c);
}
