/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.c — the server process: start, signals, reload, drain.
 *
 * Signals are blocked in every thread and taken by the main thread through sigwait: SIGTERM and SIGINT drain and
 * stop (a second one cuts at once), SIGHUP reloads the configuration.
 * DATA/server.json tells tools where the running server answers: {"pid":…,"url":"…"}; removed at a clean stop.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/app.h"
#include "base/clock.h"
#include "base/log.h"

struct start {
    struct app *app;
    struct done done;
    err e;
    struct err_slot slot;
};

static enum log_level level_of(struct str s) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (int i = 0; i < 4; i++)
        if (str_eqz(s, names[i])) return (enum log_level)i;
    return LOG_INFO;
}

static void logs_setup(const struct config *c) {
    log_setup(2, str_eqz(c->log_format, "json"), level_of(c->log_level));
}

static struct http_config http_config_of(struct config *c) {
    struct http_config h = {.listen_host = c->listen_host,
                            .port = c->listen_port,
                            .public_url = c->public_url,
                            .header_timeout_ms = c->header_timeout_s * 1000,
                            .idle_timeout_ms = c->idle_timeout_s * 1000,
                            .max_conns_per_loop = (unsigned)c->max_connections,
                            .access_log = c->log_access,
                            .lang = str_eqz(c->language, "zh") ? LANG_ZH : LANG_EN};
    if (c->tls_cert.n > 0)
        h.tls_cert = arena_strz(&c->arena, c->tls_cert), h.tls_key = arena_strz(&c->arena, c->tls_key);
    _Static_assert(ARRAY_LEN(h.trusted_proxies) >= CONFIG_MAX_LIST, "every entry the file may hold counts");
    h.n_trusted_proxies = (unsigned)c->trusted_proxies.n;
    for (unsigned i = 0; i < h.n_trusted_proxies; i++) h.trusted_proxies[i] = c->trusted_proxies.v[i];
    return h;
}

static err add_routes(struct app *a) {
    a->router = http_router_new();
    TRY(app_routes(a, a->router));
    TRY(app_openapi_routes(a, a->router));
    TRY(id_routes(a->id, a->router));
    TRY(xet_routes(a->xet, a->router));
    TRY(hub_routes(a->hub, a->router));
    TRY(review_routes(a->review, a->router));
    TRY(gate_routes(a->gate, a->router));
    TRY(pool_routes(a->pool, a->router));
    return web_routes(a->web, a->router);
}

static err authorize(void *arg, struct http_req *r) {
    return id_authorize(((struct app *)arg)->id, r);
}
static err html_error(void *arg, struct http_req *r, err e) {
    return web_html_error(((struct app *)arg)->web, r, e);
}

static err start_all(struct app *a) {
    size_t n_bad; /* logged there; broken repositories do not keep the others from being served */
    TRY(hub_refs_repair(a->hub, &n_bad));
    TRY(add_routes(a));
    TRY(review_start(a->review));
    TRY(pool_start(a->pool));
    struct http_hooks hooks = {authorize, html_error, a};
    struct http_config hc = http_config_of(a->config);
    return http_server_start(&hc, a->router, &hooks, &a->server);
}

/* Rooms are started and stopped on a fiber, since some of them wait for other fibers. */
static void start_fiber(void *arg) {
    struct start *s = arg;
    s->e = start_all(s->app);
    if (s->e != OK) s->slot = *err_slot();
    done_signal(&s->done);
}

static void stop_fiber(void *arg) {
    struct start *s = arg;
    if (s->app->pool != NULL) pool_stop(s->app->pool);
    if (s->app->gate != NULL) gate_stop(s->app->gate);
    if (s->app->review != NULL) review_stop(s->app->review);
    done_signal(&s->done);
}

static const char *server_json_path(struct app *a, struct arena *ar, const char *suffix) {
    return arena_printf(ar, "%s/server.json%s", store_dir(a->store), suffix).p;
}

static err write_server_json(struct app *a, char *url, size_t n_url) {
    struct arena ar;
    arena_init(&ar, MiB);
    const char *path = server_json_path(a, &ar, ""), *tmp = server_json_path(a, &ar, ".tmp");
    struct str host = a->config->listen_host;
    bool any = str_eqz(host, "0.0.0.0") || str_eqz(host, "::");
    bool v6 = str_chr(host, ':') >= 0 && !any;
    snprintf(url, n_url, "%s://%s" STR_FMT "%s:%u", a->config->tls_cert.n > 0 ? "https" : "http", v6 ? "[" : "",
             STR_ARG(any ? STR("127.0.0.1") : host), v6 ? "]" : "", http_server_port(a->server));
    err e = OK;
    FILE *f = fopen(tmp, "we");
    if (f == NULL || fprintf(f, "{\"pid\":%ld,\"url\":\"%s\"}\n", (long)getpid(), url) < 0 || fclose(f) != 0 ||
        rename(tmp, path) != 0)
        e = err_errno(E_IO, errno, "%s: cannot be written", path);
    arena_release(&ar);
    return e;
}

static void remove_server_json(struct app *a) {
    struct arena ar;
    arena_init(&ar, MiB);
    unlink(server_json_path(a, &ar, ""));
    arena_release(&ar);
}

static void say_restart(const char *key) {
    log_warn("config.needs_restart", LZ("key", key));
}

static err reload_apply(struct app *a, struct config *c) {
    struct config *old = a->config;
    struct gate_provider *p;
    size_t n;
    TRY(config_resolve(c));
    if ((c->tls_cert.n > 0) != (old->tls_cert.n > 0))
        return err_fail(E_UNPROCESSABLE, "tls: switching it on or off needs a restart");
    TRY(app_providers(c, &c->arena, &p, &n));
    TRY(gate_reload(a->gate, p, n));
    struct http_config hc = http_config_of(c);
    hc.listen_host = old->listen_host;
    hc.port = old->listen_port;
    return http_server_reload(a->server, &hc);
}

/* What was loaded stays allocated until the end: running requests may borrow from it, and reloads are rare and small.
 */
static void reload(struct app *a, const char *config_path) {
    struct config *c, *old = a->config;
    err e = config_load(config_path, &c);
    if (e == OK) {
        c->older = old->older;
        old->older = c;
        e = reload_apply(a, c);
    }
    if (e != OK) {
        log_error("config.reload_failed", LZ("error", err_text()));
        return;
    }
    logs_setup(c);
    a->drain_ms = c->drain_s * 1000;
    if (old->listen_is_flag) c->listen = old->listen;
    if (old->data_is_flag) c->data = old->data;
    config_needs_restart(old, c, say_restart);
    log_info("config.reloaded", LS("file", c->file), LI("providers", c->n_providers));
}

static void wait_for_stop(struct app *a, const char *config_path, const sigset_t *set) {
    for (;;) {
        int sig = 0;
        if (sigwait(set, &sig) != 0) continue;
        if (sig == SIGHUP) {
            reload(a, config_path);
            continue;
        }
        log_info("serve.stopping", LI("signal", sig));
        return;
    }
}

/* A second SIGINT/SIGTERM while draining ends the process at once. */
static void *impatient(void *arg) {
    const sigset_t *set = arg;
    int sig;
    do {
        if (sigwait(set, &sig) != 0) continue;
    } while (sig == SIGHUP);
    log_warn("serve.cut", LI("signal", sig));
    _exit(130);
    return NULL;
}

static void stop_all(struct app *a, sigset_t *set) {
    a->stopping = true;
    pthread_t t;
    if (pthread_create(&t, NULL, impatient, set) == 0) pthread_detach(t);
    rt_drain_begin();
    if (a->server != NULL) http_server_stop(a->server, a->drain_ms);
    struct start s = {.app = a};
    done_init(&s.done);
    if (fiber_spawn(rt_loop(0), stop_fiber, &s) == OK) done_wait(&s.done);
    remove_server_json(a);
}

static err run(struct app *a, const char *config_path, sigset_t *set) {
    struct start s = {.app = a};
    done_init(&s.done);
    TRY(fiber_spawn(rt_loop(0), start_fiber, &s));
    done_wait(&s.done);
    if (s.e != OK) {
        *err_slot() = s.slot;
        return s.e;
    }
    char url[512];
    TRY(write_server_json(a, url, sizeof url));
    a->ready = true;
    log_info("serve.ready", LZ("url", url), LS("data", a->config->data), LI("ms", clock_wall_ms() - a->started_ms));
    wait_for_stop(a, config_path, set);
    return OK;
}

int serve_main(struct config *config, const char *config_path) {
    int64_t t0 = clock_wall_ms();
    logs_setup(config);
    struct rlimit nofile;
    if (getrlimit(RLIMIT_NOFILE, &nofile) == 0) {
        nofile.rlim_cur = nofile.rlim_max;
        setrlimit(RLIMIT_NOFILE, &nofile); /* best effort: the limits of the listener hold anyway */
    }
    static sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct rt_limits lim = {.n_loops = (unsigned)config->loops, .n_work = (unsigned)config->work_threads, .pin = true};
    err e = rt_start(&lim);
    struct app *a = NULL;
    if (e == OK) e = app_open(config, true, &a);
    if (e == OK) {
        a->started_ms = t0;
        a->drain_ms = config->drain_s * 1000;
        e = run(a, config_path, &set);
    }
    if (e != OK) {
        log_error("serve.failed", LZ("error", err_text()));
        fprintf(stderr, "ballast: %s\n", err_text());
    }
    if (a != NULL) stop_all(a, &set);
    rt_stop();
    app_close(a);
    log_info("serve.stopped", LI("code", e == OK ? 0 : 2));
    return e == OK ? 0 : 2;
}
