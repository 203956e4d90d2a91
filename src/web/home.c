/* SPDX-License-Identifier: Apache-2.0 */
/* home.c — the first page: for a stranger what this is, for a member what waits. */
#include "base/clock.h"
#include "web/web_int.h"

enum { HOME_REPOS = 6, HOME_EVENTS = 10, HOME_LOOK = 60, HOME_WAITING = 10 };

static err waiting_pushes(struct http_req *r, struct wait_row *rows, size_t *k) {
    struct web_wait *w;
    size_t n = 0;
    TRY(web_db_waiting(db_reader(web_of(r)->o.store), r->arena, r->who->user_id, HOME_WAITING, &w, &n));
    for (size_t i = 0; i < n && *k < HOME_WAITING; i++) {
        struct repo_rec repo;
        if (repo_get(web_of(r)->o.id, r->arena, w[i].repo_id, &repo) != OK) continue; /* deleted meanwhile */
        if (repo_access(web_of(r)->o.id, r->who, &repo, ROLE_READ) != OK) continue;
        struct str url = url_at(r->arena, &repo, "review", w[i].commit, STR_NULL);
        rows[(*k)++] = (struct wait_row){.chip = chip_of(w[i].verdict, w[i].coverage, url),
                                         .text = repo_full(r->arena, &repo),
                                         .url = url,
                                         .what = N_("your upload"),
                                         .time_ms = w[i].time_ms};
    }
    return OK;
}

static err waiting_deployments(struct http_req *r, struct wait_row *rows, size_t *k) {
    struct pool_row *d = NULL;
    size_t n = 0;
    if (web_of(r)->o.pool == NULL) return OK;
    TRY(pool_list(web_of(r)->o.pool, r->arena, r->who, &d, &n));
    for (size_t i = 0; i < n && *k < HOME_WAITING; i++) {
        if (!str_eqz(d[i].state, "failed")) continue;
        rows[(*k)++] = (struct wait_row){.chip = {.verdict = "block", .word = N_("failed")},
                                         .text = d[i].model,
                                         .url = arena_printf(r->arena, "/deployments/%" PRId64, d[i].id),
                                         .what = N_("deployment"),
                                         .time_ms = d[i].created_ms};
    }
    return OK;
}

/* Counting walks whole tables, so strangers share one answer for half a minute; two who come at once may both count. */
static err figures_get(struct web *w, struct web_figures *out) {
    int64_t now = clock_mono_ms();
    pthread_mutex_lock(&w->figures_mu);
    bool fresh = w->figures_ms != 0 && now - w->figures_ms < FIGURES_MS;
    if (fresh) *out = w->figures;
    pthread_mutex_unlock(&w->figures_mu);
    if (fresh) return OK;
    struct xet_stats st = {0};
    *out = (struct web_figures){0};
    TRY(web_db_figures(db_reader(w->o.store), clock_wall_ms(), out));
    TRY(xet_stats_get(hub_xet(w->o.hub), &st));
    out->bytes_uploaded = st.file_bytes, out->bytes_stored = st.stored_bytes;
    pthread_mutex_lock(&w->figures_mu);
    w->figures = *out;
    w->figures_ms = MAX(now, (int64_t)1);
    pthread_mutex_unlock(&w->figures_mu);
    return OK;
}

/* The newest entries; of a deployment only its last, since one that fails and is tried again writes many. */
static err events_fill(struct http_req *r, struct view_home *v) {
    struct event_rows all;
    int64_t next;
    TRY(web_events(r, &(struct event_query){.max = HOME_LOOK}, &all, &next));
    struct event_row *rows = arena_array(r->arena, struct event_row, HOME_EVENTS);
    size_t k = 0;
    for (size_t i = 0; i < all.n && k < HOME_EVENTS; i++) {
        bool told = false;
        for (size_t j = 0; j < k; j++)
            told = told || (all.p[i].deployment != 0 && rows[j].deployment == all.p[i].deployment);
        if (!told) rows[k++] = all.p[i];
    }
    v->events = (struct event_rows){rows, k};
    return OK;
}

err web_home(struct http_req *r) {
    struct view_home v = {.f = web_frame(r, web_text(r, N_("Home")), "")};
    struct hub_list_opts o = {.max = HOME_REPOS, .who = r->who};
    if (v.f.signed_in) {
        struct wait_row *rows = arena_array(r->arena, struct wait_row, HOME_WAITING);
        size_t k = 0;
        TRY(waiting_pushes(r, rows, &k));
        TRY(waiting_deployments(r, rows, &k));
        v.waiting.p = rows, v.waiting.n = k;
        o.author = r->who->name;
    } else {
        struct web_figures fig;
        TRY(figures_get(web_of(r), &fig));
        v.n_repos = fig.n_repos, v.n_verdicts = fig.n_verdicts_day, v.n_requests = fig.n_requests;
        v.bytes_uploaded = fig.bytes_uploaded, v.bytes_stored = fig.bytes_stored;
        if (fig.bytes_uploaded > 0)
            v.percent = MAX((int64_t)((double)fig.bytes_stored * 100 / (double)fig.bytes_uploaded + 0.5), (int64_t)1);
    }
    TRY(web_repo_list(r, &o, &v.repos, NULL));
    TRY(events_fill(r, &v));
    WEB_REPLY(r, 200, page_home, &v);
}
