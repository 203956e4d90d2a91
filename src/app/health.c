/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health.c — the life signs: /healthz (the process answers), /readyz (it can serve), /metrics (Prometheus text),
 * /api/ballast/version.
 */
#include <unistd.h>

#include "app/app.h"
#include "base/clock.h"
#include "base/reserve.h"

static err get_healthz(struct http_req *r) {
    return http_reply(r, 200, "text/plain; charset=utf-8", STR("ok\n"));
}

static err get_readyz(struct http_req *r) {
    struct app *a = r->ctx;
    if (!a->ready || a->stopping || rt_draining()) {
        http_set(r, "Retry-After", STR("1"));
        return http_reply(r, 503, "text/plain; charset=utf-8", a->ready ? STR("stopping\n") : STR("starting\n"));
    }
    /* The records can be read: the one thing without which no route works. */
    struct stmt *st;
    bool row;
    TRY(db_prep(db_reader(a->store), "SELECT 1", &st));
    err e = db_step(st, &row);
    db_done(st);
    if (e != OK) return e;
    return http_reply(r, 200, "text/plain; charset=utf-8", STR("ready\n"));
}

static void metric(struct buf *b, const char *name, const char *type, const char *help, uint64_t v) {
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n", name, help, name, type, name, v);
}

static uint64_t rss_bytes(void) {
    unsigned long pages = 0, rss = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f == NULL) return 0;
    if (fscanf(f, "%lu %lu", &pages, &rss) != 2) rss = 0;
    fclose(f);
    return (uint64_t)rss * (uint64_t)sysconf(_SC_PAGESIZE);
}

static err get_metrics(struct http_req *r) {
    struct app *a = r->ctx;
    struct buf b cleanup(buf_release);
    buf_init(&b, 4 * MiB);
    struct rt_stats rs;
    rt_stats_get(&rs);
    metric(&b, "ballast_uptime_seconds", "gauge", "Seconds since start.",
           (uint64_t)((clock_wall_ms() - a->started_ms) / 1000));
    metric(&b, "process_resident_memory_bytes", "gauge", "Resident memory.", rss_bytes());
    metric(&b, "ballast_memory_reserve_taken_total", "counter", "Allocations served by the reserve: memory was out.",
           reserve_taken());
    metric(&b, "ballast_fibers", "gauge", "Live fibers.", rs.fibers_live);
    metric(&b, "ballast_work_queue", "gauge", "Jobs waiting for a work thread.", rs.work_queued);
    metric(&b, "ballast_work_done_total", "counter", "Jobs done by the work threads.", rs.work_done);
    struct xet_stats xs;
    if (xet_stats_get(a->xet, &xs) == OK) {
        metric(&b, "ballast_xorbs", "gauge", "Chunk containers stored.", xs.n_xorbs);
        metric(&b, "ballast_stored_bytes", "gauge", "Bytes of chunk containers on disk.", xs.stored_bytes);
        metric(&b, "ballast_file_bytes", "gauge", "Bytes of large files as uploaded, before deduplication.",
               xs.file_bytes);
    }
    http_server_metrics(a->server, &b);
    gate_metrics(a->gate, &b);
    TRY(buf_ok(&b, "metrics"));
    return http_reply(r, 200, "text/plain; version=0.0.4; charset=utf-8", buf_view(&b));
}

static err get_version(struct http_req *r) {
    return http_reply(r, 200, "application/json", STR("{\"name\":\"ballast\",\"version\":\"" BALLAST_VERSION "\"}"));
}

static const struct http_route routes[] = {
    {HTTP_GET, "/healthz", get_healthz, AUTH_PUBLIC, DIALECT_PLAIN, "app.healthz", "The process answers", NULL, 0, 0},
    {HTTP_GET, "/readyz", get_readyz, AUTH_PUBLIC, DIALECT_PLAIN, "app.readyz", "The server can serve", NULL, 0, 0},
    {HTTP_GET, "/metrics", get_metrics, AUTH_PUBLIC, DIALECT_PLAIN, "app.metrics", "Counters in Prometheus text", NULL,
     0, 0},
    {HTTP_GET, "/api/ballast/version", get_version, AUTH_PUBLIC, DIALECT_HF, "app.version", "Name and version", NULL, 0,
     0},
};

err app_routes(struct app *a, struct http_router *rt) {
    return http_router_add(rt, routes, ARRAY_LEN(routes), a);
}
