/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_care.c — serve, log, fsck, gc, version: running and looking after a data directory. */
#include "app/cli.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/reserve.h"

int cmd_version(struct cli *c) {
    puts(c->json ? "{\"name\":\"ballast\",\"version\":\"" BALLAST_VERSION "\"}" : "ballast " BALLAST_VERSION);
    return EXIT_DONE;
}

int cmd_serve(struct cli *c) {
    struct config *cf;
    c->listen = cli_opt(c, "--listen");
    if (c->n_pos != 0) return cli_usage(c, i18n(c->lang, N_("too many arguments")));
    if (!reserve_init()) fputs("ballast: no address space for the memory reserve; going on without it\n", stderr);
    err e = cli_config(c, &cf);
    if (e != OK) return cli_fail(c, e);
    e = config_resolve(cf);
    if (e != OK) {
        config_free(cf);
        return cli_fail(c, e);
    }
    if (cli_opt(c, "--check-config") != NULL) {
        config_free(cf);
        puts(c->json ? "{\"valid\":true}" : i18n(c->lang, N_("the configuration is valid")));
        return EXIT_DONE;
    }
    return serve_main(cf, c->config_path);
}

static bool number_opt(struct cli *c, const char *name, int64_t max, int64_t *out) {
    const char *s = cli_opt(c, name);
    return s == NULL || (str_to_i64(str_of(s), out) && *out >= 0 && *out <= max);
}

int cmd_log_list(struct cli *c) {
    int64_t after = 0, limit = 100;
    if (!number_opt(c, "--after", INT64_MAX, &after) || !number_opt(c, "--limit", 100000, &limit))
        return cli_usage(c, i18n(c->lang, N_("--after and --limit: expected whole numbers")));
    err e = cli_app(c);
    while (e == OK && limit > 0) {
        struct event *ev;
        size_t n;
        e = event_list(db_reader(c->app->store), &c->arena, after, (size_t)MIN(limit, (int64_t)500),
                       cli_opt(c, "--kind"), 0, false, &ev, &n);
        if (e != OK || n == 0) break;
        for (size_t i = 0; i < n; i++) {
            char iso[CLOCK_ISO_LEN + 1], hex[65];
            clock_iso(ev[i].time_ms, iso);
            hex_encode(ev[i].hash, 32, hex);
            if (c->json)
                printf("{\"seq\":%" PRId64 ",\"time\":\"%s\",\"kind\":\"" STR_FMT "\",\"actor\":%" PRId64
                       ",\"repo\":%" PRId64 ",\"payload\":" STR_FMT ",\"hash\":\"%s\"}\n",
                       ev[i].seq, iso, STR_ARG(ev[i].kind), ev[i].actor_id, ev[i].repo_id, STR_ARG(ev[i].payload), hex);
            else
                printf("%6" PRId64 " %s %-20.*s %.12s " STR_FMT "\n", ev[i].seq, iso, STR_ARG(ev[i].kind), hex,
                       STR_ARG(ev[i].payload));
        }
        after = ev[n - 1].seq;
        limit -= (int64_t)n;
    }
    return e == OK ? EXIT_DONE : cli_fail(c, e);
}

int cmd_log_verify(struct cli *c) {
    struct event_check ck;
    err e = cli_app(c);
    if (e == OK) e = event_verify(db_reader(c->app->store), &ck);
    if (e != OK) return cli_fail(c, e);
    char hex[65];
    hex_encode(ck.head, 32, hex);
    if (c->json)
        printf("{\"entries\":%" PRId64 ",\"first_bad\":%" PRId64 ",\"head\":\"%s\"}\n", ck.entries, ck.first_bad_seq,
               hex);
    else if (ck.first_bad_seq == 0)
        printf(i18n(c->lang, N_("%lld entries, chain intact, head %s\n")), (long long)ck.entries, hex);
    else printf(i18n(c->lang, N_("entry %lld does not fit the chain: %s\n")), (long long)ck.first_bad_seq, ck.why);
    return ck.first_bad_seq == 0 ? EXIT_DONE : EXIT_PROBLEMS;
}

/* What is being checked, and how much of it: on a terminal, at most five times a second. */
struct fsck {
    struct cli *c;
    uint64_t problems;
    const char *step;
    bool tty, deep;
    int64_t shown_ms;
};

static void wipe(const struct fsck *f) {
    if (f->tty) fputs("\r\033[K", stderr);
}

static void show(struct fsck *f, const char *step) {
    f->step = i18n(f->c->lang, step);
    f->shown_ms = 0;
    if (f->tty) fprintf(stderr, "\r\033[K%s", f->step);
}

static void progress(void *arg, uint64_t done, uint64_t total) {
    struct fsck *f = arg;
    int64_t now = clock_mono_ms();
    if (!f->tty || total == 0 || (done < total && now - f->shown_ms < 200)) return;
    f->shown_ms = now;
    fprintf(stderr, "\r\033[K%s %u %%", f->step, (unsigned)((double)done * 100 / (double)total));
}

static void report(void *arg, const char *kind, struct str what, const char *problem) {
    struct fsck *f = arg;
    f->problems++;
    wipe(f);
    if (!f->c->json) {
        printf("%s " STR_FMT ": %s\n", kind, STR_ARG(what), problem);
        return;
    }
    struct buf b cleanup(buf_release);
    struct jw w;
    buf_init(&b, 64 * KiB);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kcstr(&w, "kind", kind);
    jw_kstr(&w, "what", what);
    jw_kcstr(&w, "problem", problem);
    jw_obj_end(&w);
    printf(STR_FMT "\n", STR_ARG(buf_view(&b)));
}

static err fsck_all(struct fsck *f, struct event_check *ck) {
    struct app *a = f->c->app;
    uint64_t n;
    show(f, N_("checking the event log…"));
    TRY(event_verify(db_reader(a->store), ck));
    if (ck->first_bad_seq != 0) report(f, "event", arena_printf(&f->c->arena, "%" PRId64, ck->first_bad_seq), ck->why);
    show(f, N_("checking chunk containers and files…"));
    TRY(xet_fsck(a->xet, f->deep, report, progress, f, &n));
    show(f, N_("checking repositories…"));
    return hub_fsck(a->hub, f->deep, report, progress, f, &n);
}

int cmd_fsck(struct cli *c) {
    struct fsck f = {.c = c, .deep = cli_opt(c, "--deep") != NULL, .tty = cli_tty(2)};
    struct event_check ck;
    err e = cli_app(c);
    if (e == OK) e = fsck_all(&f, &ck);
    wipe(&f);
    if (e != OK) return cli_fail(c, e);
    if (c->json) printf("{\"problems\":%" PRIu64 ",\"events\":%" PRId64 "}\n", f.problems, ck.entries);
    else printf(i18n(c->lang, N_("%llu problems\n")), (unsigned long long)f.problems);
    return f.problems == 0 ? EXIT_DONE : EXIT_PROBLEMS;
}

int cmd_gc(struct cli *c) {
    int64_t days = 28;
    uint64_t freed = 0;
    if (!number_opt(c, "--days", 36500, &days))
        return cli_usage(c, i18n(c->lang, N_("--days: expected a whole number")));
    bool dry = cli_opt(c, "--dry-run") != NULL;
    err e = cli_app(c);
    if (e == OK) e = xet_gc(c->app->xet, days * 86400000, dry, &freed);
    if (e != OK) return cli_fail(c, e);
    if (c->json) printf("{\"freed_bytes\":%" PRIu64 ",\"dry_run\":%s}\n", freed, dry ? "true" : "false");
    else
        printf(i18n(c->lang, dry ? N_("%llu bytes could be freed\n") : N_("%llu bytes freed\n")),
               (unsigned long long)freed);
    return EXIT_DONE;
}
