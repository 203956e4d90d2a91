/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_deploy.c — deployments from the command line; the running server's supervisor makes them so. */
#include "app/cli.h"
#include "base/clock.h"

static err find_row(struct cli *c, const struct principal *who, int64_t id, struct pool_row *out) {
    struct pool_row *rows;
    size_t n;
    TRY(pool_list(c->app->pool, &c->arena, who, &rows, &n));
    for (size_t i = 0; i < n; i++)
        if (rows[i].id == id) return *out = rows[i], OK;
    return err_fail(E_NOT_FOUND, "there is no deployment %" PRId64, id);
}

/* The state is written by the server; without one nothing will move, so say so instead of waiting. */
static err wait_ready(struct cli *c, const struct principal *who, int64_t id) {
    int64_t until = clock_mono_ms() + 300000;
    struct str last = STR("");
    while (clock_mono_ms() < until) {
        struct pool_row row = {0};
        uint64_t gen = notify_gen(store_notify(c->app->store));
        TRY(find_row(c, who, id, &row));
        if (!str_eq(row.state, last) && cli_tty(2))
            fprintf(stderr, STR_FMT " " STR_FMT "\n", STR_ARG(row.state), STR_ARG(row.detail));
        last = row.state;
        if (str_eqz(row.state, "ready")) return OK;
        if (!store_has_server(c->app->store))
            return err_fail(E_UNAVAILABLE,
                            "deployment %" PRId64 " is recorded, but no server runs on this data directory; it starts "
                            "with the next `ballast serve`",
                            id);
        if (str_eqz(row.state, "failed"))
            return err_fail(E_UPSTREAM, "deployment %" PRId64 " failed: " STR_FMT, id, STR_ARG(row.detail));
        IGNORE_ERR(notify_wait(store_notify(c->app->store), gen, 250)); /* a time-out only means: look again */
    }
    return err_fail(
        E_TIMEOUT, "deployment %" PRId64 " is not ready after 300 s; the server goes on trying (`ballast deployments`)",
        id);
}

int cmd_deploy(struct cli *c) {
    uint64_t replicas = 1;
    const char *rep = cli_opt(c, "--replicas");
    if (c->n_pos != 1) return cli_usage(c, i18n(c->lang, N_("give OWNER/NAME")));
    if (rep != NULL && (!str_to_u64(str_of(rep), &replicas) || replicas == 0 || replicas > POOL_MAX_REPLICAS))
        return cli_usage(c, i18n(c->lang, N_("--replicas: expected a whole number from 1 to 16")));
    struct principal who;
    struct repo_rec repo;
    struct str rev;
    int64_t id;
    err e = cli_app(c);
    if (e == OK) e = cli_principal(c, &who);
    if (e == OK) e = cli_repo_arg(c, c->pos[0], &repo, &rev);
    if (e == OK) {
        struct pool_deploy_req q = {repo.owner,
                                    repo.name,
                                    rev,
                                    str_of(cli_opt(c, "--file")),
                                    str_of(cli_opt(c, "--name")),
                                    str_of(cli_opt(c, "--engine")),
                                    (unsigned)replicas};
        e = pool_deploy(c->app->pool, &who, &q, &id);
    }
    if (e == OK && cli_opt(c, "--wait") != NULL) e = wait_ready(c, &who, id);
    if (e != OK) return cli_fail(c, e);
    if (c->json) printf("{\"id\":%" PRId64 "}\n", id);
    else printf(i18n(c->lang, N_("deployment %lld\n")), (long long)id);
    if (!c->json && !store_has_server(c->app->store))
        fprintf(stderr, "%s\n",
                i18n(c->lang, N_("no server runs on this data directory; it starts with the next `ballast serve`")));
    return EXIT_DONE;
}

int cmd_undeploy(struct cli *c) {
    int64_t id;
    struct principal who;
    if (c->n_pos != 1 || !str_to_i64(str_of(c->pos[0]), &id))
        return cli_usage(c, i18n(c->lang, N_("give the number of a deployment (`ballast deployments`)")));
    err e = cli_app(c);
    if (e == OK) e = cli_principal(c, &who);
    if (e == OK) e = pool_undeploy(c->app->pool, &who, id);
    if (e != OK) return cli_fail(c, e);
    if (c->json) printf("{\"id\":%" PRId64 ",\"stopping\":true}\n", id);
    else printf(i18n(c->lang, N_("deployment %lld stops\n")), (long long)id);
    return EXIT_DONE;
}

int cmd_deployments(struct cli *c) {
    struct principal who;
    struct pool_row *r;
    size_t n = 0;
    err e = cli_app(c);
    if (e == OK) e = cli_principal(c, &who);
    if (e == OK) e = pool_list(c->app->pool, &c->arena, &who, &r, &n);
    if (e != OK) return cli_fail(c, e);
    struct buf b cleanup(buf_release);
    struct jw w;
    buf_init(&b, 16 * MiB);
    jw_init(&w, &b);
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) {
        if (!c->json)
            printf("%4" PRId64 "  %-24.*s %-10.*s %u/%u  " STR_FMT "/" STR_FMT "@%.12s  " STR_FMT "\n", r[i].id,
                   STR_ARG(r[i].model), STR_ARG(r[i].state), r[i].ready, r[i].replicas, STR_ARG(r[i].owner),
                   STR_ARG(r[i].repo), r[i].commit.p, STR_ARG(r[i].detail));
        jw_obj(&w);
        jw_ki64(&w, "id", r[i].id);
        jw_kstr(&w, "model", r[i].model);
        jw_kstr(&w, "state", r[i].state);
        jw_kstr(&w, "detail", r[i].detail);
        jw_kstr(&w, "owner", r[i].owner);
        jw_kstr(&w, "repo", r[i].repo);
        jw_kstr(&w, "commit", r[i].commit);
        jw_kstr(&w, "file", r[i].file);
        jw_kstr(&w, "engine", r[i].engine);
        jw_ki64(&w, "replicas", r[i].replicas);
        jw_ki64(&w, "ready", r[i].ready);
        jw_ki64(&w, "restarts", r[i].restarts);
        jw_ki64(&w, "memory_bytes", r[i].memory_bytes);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    if (c->json) printf(STR_FMT "\n", STR_ARG(buf_view(&b)));
    return EXIT_DONE;
}
