/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cas_server.c — the CAS routes alone, without a hub: for driving stock hf_xet against them and for
 * comparing with other CAS servers. Not a product: it hands out a write token for one repository.
 *
 *   bench_cas_server DATA [PORT]
 * prints one JSON line {"port":…,"cas":"http://127.0.0.1:…/cas/INST","token":"…"} and serves until killed.
 */
#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "xet/xet.h"

static int fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, err_text());
    return 1;
}

/* The one repository tokens are for, and a verdict for everything, so that the gate lets bytes pass. */
static err seed(struct db *d, void *arg) {
    TRY(db_exec(
        d, "INSERT OR IGNORE INTO owner (id, is_org, name, name_key, created_ms) VALUES (1, 0, 'bench', 'bench', 0)",
        ""));
    TRY(db_exec(d,
                "INSERT OR IGNORE INTO repo (id, type, owner_id, name, name_key, created_ms, updated_ms) VALUES (1, 1, "
                "1, 'r', 'r', 0, 0)",
                ""));
    return db_exec(
        d,
        "CREATE TRIGGER IF NOT EXISTS bench_pass AFTER INSERT ON repo_file BEGIN INSERT OR IGNORE INTO blob_verdict "
        "(oid, verdict, coverage, format, findings, rule_pack, time_ms) VALUES (lower(hex(new.sha256)), 1, 2, 'raw', "
        "'[]', 'bench', 0); END",
        "");
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: %s DATA [PORT]\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    log_setup(2, false, LOG_WARN);
    uint64_t port = 0;
    if (argc > 2 && !str_to_u64(str_of(argv[2]), &port)) return 2;
    const struct rt_limits lim = {.n_loops = 2};
    struct store *s;
    struct xet *x;
    struct http_server *srv;
    const struct store_opts so = {.dir = argv[1], .server = true};
    if (store_open(&so, &s) != OK) return fail("store");
    if (db_write(s, seed, NULL) != OK) return fail("seed");
    if (rt_start(&lim) != OK) return fail("rt");
    const struct xet_opts xo = {.store = s};
    if (xet_open(&xo, &x) != OK) return fail("xet");
    struct http_router *router = http_router_new();
    if (xet_routes(x, router) != OK) return fail("routes");
    const struct http_config c = {.listen_host = STR("127.0.0.1"), .port = (uint16_t)port};
    const struct http_hooks hooks = {0};
    if (http_server_start(&c, router, &hooks, &srv) != OK) return fail("listen");
    struct arena a;
    arena_init(&a, MiB);
    struct str token;
    int64_t exp_s;
    if (xet_token_make(x, &a, 1, 1, true, &token, &exp_s) != OK) return fail("token");
    struct str base = arena_printf(&a, "http://127.0.0.1:%u", http_server_port(srv));
    printf("{\"port\":%u,\"cas\":\"" STR_FMT "\",\"token\":\"" STR_FMT "\"}\n", http_server_port(srv),
           STR_ARG(xet_cas_url(x, &a, base)), STR_ARG(token));
    fflush(stdout);
    for (;;) pause();
}
