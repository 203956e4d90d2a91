/* SPDX-License-Identifier: Apache-2.0 */
/* app.c — start order of the rooms. */
#include "app/app.h"

#include <math.h>

static int64_t micros(double per_mtok) {
    return llround(per_mtok * 1e6);
}

err app_providers(const struct config *c, struct arena *a, struct gate_provider **out, size_t *n) {
    struct gate_provider *v = arena_array(a, struct gate_provider, MAX(c->n_providers, (size_t)1));
    for (size_t i = 0; i < c->n_providers; i++) {
        const struct config_provider *p = &c->providers[i];
        v[i] = (struct gate_provider){.name = p->name,
                                      .base_url = p->base_url,
                                      .key = p->key,
                                      .priority = (unsigned)p->priority,
                                      .connect_timeout_ms = p->connect_timeout_ms,
                                      .first_content_timeout_ms = p->first_content_timeout_ms,
                                      .answer_timeout_ms = p->answer_timeout_ms,
                                      .idle_timeout_ms = p->idle_timeout_ms};
        v[i].models = arena_alloc_n(a, MAX(p->n_models, (size_t)1), sizeof *v[i].models);
        v[i].n_models = p->n_models;
        for (size_t k = 0; k < p->n_models; k++) {
            v[i].models[k].name = p->models[k].name;
            v[i].models[k].upstream = p->models[k].upstream;
            v[i].models[k].price.input_micros_per_mtok = micros(p->models[k].input_price);
            v[i].models[k].price.output_micros_per_mtok = micros(p->models[k].output_price);
        }
    }
    *out = v;
    *n = c->n_providers;
    return OK;
}

static err open_pool(struct app *a) {
    const struct config *c = a->config;
    struct arena *ar = &a->config->arena;
    struct pool_engine *e = arena_array(ar, struct pool_engine, MAX(c->n_engines, (size_t)1));
    for (size_t i = 0; i < c->n_engines; i++) {
        const struct config_engine *s = &c->engines[i];
        e[i] = (struct pool_engine){.name = s->name,
                                    .n_argv = s->argv.n,
                                    .health_path = s->health_path,
                                    .n_formats = s->formats.n,
                                    .start_timeout_ms = s->start_timeout_s * 1000,
                                    .stop_timeout_ms = s->stop_timeout_s * 1000};
        _Static_assert(ARRAY_LEN(e->formats) >= CONFIG_MAX_FORMATS && ARRAY_LEN(e->argv) >= CONFIG_MAX_LIST, "bounds");
        memcpy(e[i].argv, s->argv.v, s->argv.n * sizeof s->argv.v[0]);
        memcpy(e[i].formats, s->formats.v, s->formats.n * sizeof s->formats.v[0]);
    }
    struct pool_opts o = {.store = a->store,
                          .hub = a->hub,
                          .id = a->id,
                          .gate = a->gate,
                          .engines = e,
                          .n_engines = c->n_engines,
                          .max_verdict = c->deploy_max_verdict};
    return pool_open(&o, &a->pool);
}

static err open_upper(struct app *a) {
    const struct config *c = a->config;
    struct review_opts ro = {.store = a->store,
                             .hub = a->hub,
                             .id = a->id,
                             .responsible = c->review_responsible,
                             .max_workers = (unsigned)c->review_workers,
                             .slow_ms = c->review_slow_ms};
    TRY(review_open(&ro, &a->review));
    struct gate_opts go = {.store = a->store, .id = a->id};
    struct gate_provider *p;
    TRY(app_providers(c, &a->config->arena, &p, &go.n_providers));
    go.providers = p;
    TRY(gate_open(&go, &a->gate));
    TRY(open_pool(a));
    struct web_opts wo = {a->store, a->id, a->hub, a->review, a->pool, a->gate};
    return web_open(&wo, &a->web);
}

static err open_rooms(struct app *a, bool server) {
    const struct config *c = a->config;
    struct store_opts so = {.dir = arena_strz(&a->config->arena, c->data), .server = server};
    TRY(store_open(&so, &a->store));
    struct id_opts io = {.store = a->store};
    TRY(id_open(&io, &a->id));
    TRY(git_open(a->store, &a->git));
    struct xet_opts xo = {.store = a->store};
    TRY(xet_open(&xo, &a->xet));
    struct hub_opts ho = {.store = a->store,
                          .git = a->git,
                          .xet = a->xet,
                          .id = a->id,
                          .inline_limit = (size_t)c->inline_limit_bytes,
                          .gate_hold_ms =
                              MAX(c->review_hold_ms, INT64_C(1))}; /* 0 would mean the default of the room */
    TRY(hub_open(&ho, &a->hub));
    return open_upper(a);
}

err app_open(struct config *config, bool server, struct app **out) {
    struct app *a = calloc(1, sizeof *a);
    if (a == NULL) {
        config_free(config);
        return err_fail(E_NOMEM, "out of memory");
    }
    a->config = config;
    err e = open_rooms(a, server);
    if (e != OK) {
        app_close(a);
        return e;
    }
    *out = a;
    return OK;
}

void app_close(struct app *a) {
    if (a == NULL) return;
    if (a->web != NULL) web_close(a->web);
    if (a->pool != NULL) pool_close(a->pool);
    if (a->gate != NULL) gate_close(a->gate);
    if (a->review != NULL) review_close(a->review);
    if (a->hub != NULL) hub_close(a->hub);
    if (a->xet != NULL) xet_close(a->xet);
    if (a->git != NULL) git_close(a->git);
    if (a->id != NULL) id_close(a->id);
    if (a->store != NULL) store_close(a->store);
    if (a->router != NULL) http_router_free(a->router);
    for (struct config *c = a->config, *older; c != NULL; c = older) {
        older = c->older;
        config_free(c);
    }
    free(a);
}
