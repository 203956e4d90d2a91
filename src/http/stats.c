/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats.c — per-route counters and latencies, and the access log line.
 *
 * Counters are written by one loop each with relaxed stores (no locked instruction); /metrics sums
 * the loops. A scrape may see a request in one counter and not yet in another: fine for rates.
 */
#include "base/clock.h"
#include "base/log.h"
#include "http/conn.h"

/* Upper bounds of the latency histogram, microseconds. */
static const uint64_t lat_us[HTTP_LAT_BUCKETS] = {100,   500,    1000,   2500,    5000,    10000,
                                                  50000, 100000, 500000, 1000000, 5000000, 30000000};

static void bump(_Atomic uint64_t *c, uint64_t by) {
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + by, memory_order_relaxed);
}

static void access_log(const struct http_conn *c, int64_t us) {
    const struct http_req *r = &c->req;
    int status = c->res.began ? c->res.status : 0;
    /* The path only: query strings carry signatures. */
    log_info("http.request", LS("id", ((struct str){r->id, 26})), LZ("method", h1_method_name(r->method)),
             LS("path", r->path), LI("status", status), LI("us", us), LI("in", c->body_total), LI("out", c->res.sent),
             LS("ip", r->remote_ip), LZ("route", r->route != NULL ? r->route->name : "-"),
             LZ("cut", c->dead || (c->res.began && !c->res.ended) ? "yes" : "no"));
}

void stats_count(struct http_conn *c) {
    struct route_stats *st = &c->ls->stats[c->route_i];
    int64_t us = (clock_mono_ns() - c->req.start_ns) / 1000;
    int cls = c->res.began ? c->res.status / 100 : 0;
    bump(&st->by_class[cls >= 0 && cls < 6 ? cls : 0], 1);
    size_t i = 0;
    while (i < HTTP_LAT_BUCKETS && (uint64_t)us > lat_us[i]) i++;
    bump(&st->bucket[i], 1);
    bump(&st->sum_us, (uint64_t)us);
    bump(&st->bytes_in, c->body_total);
    bump(&st->bytes_out, c->res.sent);
    if (c->snap->c.access_log) access_log(c, us);
}

struct route_sum {
    uint64_t by_class[6], bucket[HTTP_LAT_BUCKETS + 1], sum_us, in, out, n;
};

static void sum_route(const struct http_server *s, size_t route, struct route_sum *t) {
    memset(t, 0, sizeof *t);
    for (unsigned l = 0; l < s->n_loops; l++) {
        struct route_stats *st = &s->loops[l].stats[route];
        for (size_t k = 0; k < ARRAY_LEN(t->by_class); k++)
            t->by_class[k] += atomic_load_explicit(&st->by_class[k], memory_order_relaxed);
        for (size_t k = 0; k < ARRAY_LEN(t->bucket); k++)
            t->bucket[k] += atomic_load_explicit(&st->bucket[k], memory_order_relaxed);
        t->sum_us += atomic_load_explicit(&st->sum_us, memory_order_relaxed);
        t->in += atomic_load_explicit(&st->bytes_in, memory_order_relaxed);
        t->out += atomic_load_explicit(&st->bytes_out, memory_order_relaxed);
    }
    for (size_t k = 0; k < ARRAY_LEN(t->bucket); k++) t->n += t->bucket[k];
}

static void histogram(struct buf *out, const char *name, const struct route_sum *t) {
    uint64_t cum = 0;
    for (size_t k = 0; k < HTTP_LAT_BUCKETS; k++) {
        cum += t->bucket[k];
        buf_printf(out, "ballast_http_request_seconds_bucket{route=\"%s\",le=\"%g\"} %" PRIu64 "\n", name,
                   (double)lat_us[k] / 1e6, cum);
    }
    buf_printf(out, "ballast_http_request_seconds_bucket{route=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name, t->n);
    buf_printf(out, "ballast_http_request_seconds_sum{route=\"%s\"} %.6f\n", name, (double)t->sum_us / 1e6);
    buf_printf(out, "ballast_http_request_seconds_count{route=\"%s\"} %" PRIu64 "\n", name, t->n);
}

void http_server_metrics(struct http_server *s, struct buf *out) {
    static const char *const cls[6] = {"cut", "1xx", "2xx", "3xx", "4xx", "5xx"};
    unsigned conns = 0;
    for (unsigned l = 0; l < s->n_loops; l++) conns += atomic_load_explicit(&s->loops[l].n_live, memory_order_relaxed);
    buf_printf(out, "# TYPE ballast_http_connections gauge\nballast_http_connections %u\n", conns);
    buf_cstr(out, "# TYPE ballast_http_requests_total counter\n");
    struct route_sum t;
    for (size_t i = 0; i <= s->n_routes; i++) {
        const char *name = i < s->n_routes ? http_router_at(s->router, i)->name : "none";
        sum_route(s, i, &t);
        for (size_t k = 0; k < 6; k++)
            if (t.by_class[k] > 0)
                buf_printf(out, "ballast_http_requests_total{route=\"%s\",class=\"%s\"} %" PRIu64 "\n", name, cls[k],
                           t.by_class[k]);
    }
    buf_cstr(out, "# TYPE ballast_http_body_bytes_total counter\n# TYPE ballast_http_request_seconds histogram\n");
    for (size_t i = 0; i <= s->n_routes; i++) {
        const char *name = i < s->n_routes ? http_router_at(s->router, i)->name : "none";
        sum_route(s, i, &t);
        if (t.n == 0) continue;
        buf_printf(out, "ballast_http_body_bytes_total{route=\"%s\",dir=\"in\"} %" PRIu64 "\n", name, t.in);
        buf_printf(out, "ballast_http_body_bytes_total{route=\"%s\",dir=\"out\"} %" PRIu64 "\n", name, t.out);
        histogram(out, name, &t);
    }
}
