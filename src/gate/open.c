/* SPDX-License-Identifier: Apache-2.0 */
/* open.c — life of the gateway: open, reload, close; local replicas come and go. */
#include "base/log.h"
#include "gate/gate_int.h"

/* Deep copy of the provider table into a fresh arena. */
static err providers_copy(const struct gate_provider *src, size_t n, struct arena **arena, struct gate_provider **out) {
    struct arena *a = malloc(sizeof *a);
    if (a == NULL) return err_fail(E_NOMEM, "no memory for the provider table");
    arena_init(a, 64 * MiB);
    struct gate_provider *p = arena_array(a, struct gate_provider, n + 1);
    for (size_t i = 0; i < n; i++) {
        p[i] = src[i];
        p[i].name = arena_str(a, src[i].name);
        p[i].base_url = arena_str(a, src[i].base_url);
        p[i].key = arena_str(a, src[i].key);
        p[i].models = arena_alloc_n(a, src[i].n_models + 1, sizeof *p[i].models);
        for (size_t k = 0; k < src[i].n_models; k++) {
            p[i].models[k] = src[i].models[k];
            p[i].models[k].name = arena_str(a, src[i].models[k].name);
            p[i].models[k].upstream = arena_str(a, src[i].models[k].upstream);
        }
    }
    *arena = a;
    *out = p;
    return OK;
}

err gate_reload(struct gate *g, const struct gate_provider *providers, size_t n) {
    struct arena *a = NULL;
    struct gate_provider *p = NULL;
    TRY(providers_copy(providers, n, &a, &p));
    pthread_mutex_lock(&g->lock);
    struct arena *old_arena = g->cfg;
    struct gate_provider *old = g->providers;
    size_t n_old = g->n_providers;
    g->cfg = a;
    g->providers = p;
    g->n_providers = n;
    err e = table_rebuild(g);
    if (e != OK) { /* the old table stays */
        g->cfg = old_arena;
        g->providers = old;
        g->n_providers = n_old;
        old_arena = a;
    }
    pthread_mutex_unlock(&g->lock);
    if (old_arena != NULL) arena_release(old_arena);
    free(old_arena);
    return e;
}

err gate_open(const struct gate_opts *o, struct gate **out) {
    struct gate *g = calloc(1, sizeof *g);
    if (g == NULL) return err_fail(E_NOMEM, "no memory for the gateway");
    g->o = *o;
    pthread_mutex_init(&g->lock, NULL);
    meter_open(g);
    err e = gate_reload(g, o->providers, o->n_providers);
    if (e != OK) {
        gate_close(g);
        return e;
    }
    *out = g;
    return OK;
}

/* Providers and replicas are forgotten while loops still run: only they can close idle connections. */
void gate_stop(struct gate *g) {
    IGNORE_ERR(gate_reload(g, NULL, 0)); /* fails only for want of memory; then the kernel closes them */
    pthread_mutex_lock(&g->lock);
    for (size_t i = 0; i < g->n_draining; i++) target_put(g->draining[i]);
    g->n_draining = 0;
    pthread_mutex_unlock(&g->lock);
}

void gate_close(struct gate *g) {
    if (g == NULL) return;
    meter_close(g);
    gate_snap_put(g->snap);
    for (size_t i = 0; i < g->n_locals; i++) target_put(g->locals[i]);
    for (size_t i = 0; i < g->n_draining; i++) target_put(g->draining[i]);
    if (g->cfg != NULL) arena_release(g->cfg);
    free(g->cfg);
    free(g->expected);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

static bool is_replica(const struct target *t, int64_t deployment_id, int64_t replica) {
    return t->origin->deployment_id == deployment_id && t->origin->replica == replica;
}

static err local_add(struct gate *g, struct target *t) {
    for (size_t i = 0; i < g->n_locals; i++)
        if (is_replica(g->locals[i], t->origin->deployment_id, t->origin->replica))
            return err_fail(E_CONFLICT, "replica %" PRId64 " of deployment %" PRId64 " is registered already",
                            t->origin->replica, t->origin->deployment_id);
    if (g->n_locals == GATE_MAX_LOCALS) return err_fail(E_LIMIT, "more than %d replicas", GATE_MAX_LOCALS);
    g->locals[g->n_locals++] = t;
    err e = table_rebuild(g);
    if (e != OK) g->n_locals--;
    return e;
}

err gate_local_add(struct gate *g, const struct gate_local *l) {
    struct target *t;
    TRY(target_new_local(l, &t));
    pthread_mutex_lock(&g->lock);
    err e = local_add(g, t);
    pthread_mutex_unlock(&g->lock);
    if (e != OK) target_put(t);
    return e;
}

/* Remember a removed replica while it still answers; forget those that have ended. */
static void drain_keep(struct gate *g, struct target *t) {
    size_t n = 0;
    for (size_t i = 0; i < g->n_draining; i++) {
        if (atomic_load(&g->draining[i]->h.busy) > 0) g->draining[n++] = g->draining[i];
        else target_put(g->draining[i]);
    }
    g->n_draining = n;
    if (n < GATE_MAX_LOCALS) g->draining[g->n_draining++] = t;
    else target_put(t);
}

static struct expected *expected_find(struct gate *g, int64_t deployment_id) {
    for (size_t i = 0; i < g->n_expected; i++)
        if (g->expected[i].deployment_id == deployment_id) return &g->expected[i];
    return NULL;
}

static err expect(struct gate *g, int64_t deployment_id, struct str model, int64_t repo_id, const char *why) {
    struct expected *x = expected_find(g, deployment_id);
    if (x != NULL) return snprintf(x->why, sizeof x->why, "%s", why), OK;
    if (g->expected == NULL) g->expected = calloc(GATE_MAX_EXPECTED, sizeof *g->expected);
    if (g->expected == NULL) return err_fail(E_NOMEM, "no memory for the deployments' models");
    if (g->n_expected == GATE_MAX_EXPECTED) return err_fail(E_LIMIT, "more than %d deployments", GATE_MAX_EXPECTED);
    x = &g->expected[g->n_expected++];
    *x = (struct expected){.deployment_id = deployment_id, .repo_id = repo_id};
    snprintf(x->model, sizeof x->model, STR_FMT, STR_ARG(model));
    snprintf(x->why, sizeof x->why, "%s", why);
    err e = table_rebuild(g);
    if (e != OK) g->n_expected--;
    return e;
}

err gate_expect(struct gate *g, int64_t deployment_id, struct str model, int64_t repo_id, const char *why) {
    pthread_mutex_lock(&g->lock);
    err e = expect(g, deployment_id, model, repo_id, why);
    pthread_mutex_unlock(&g->lock);
    return e;
}

void gate_unexpect(struct gate *g, int64_t deployment_id) {
    pthread_mutex_lock(&g->lock);
    struct expected *x = expected_find(g, deployment_id);
    if (x != NULL) {
        *x = g->expected[--g->n_expected];
        /* For want of memory only: the old table goes on saying "not now" of a model that is gone. */
        if (table_rebuild(g) != OK) log_error("gate.unexpect_failed", LZ("error", err_text_en()));
    }
    pthread_mutex_unlock(&g->lock);
}

void gate_expected_why(struct gate *g, int64_t deployment_id, char out[GATE_WHY_MAX]) {
    pthread_mutex_lock(&g->lock);
    const struct expected *x = expected_find(g, deployment_id);
    snprintf(out, GATE_WHY_MAX, "%s", x != NULL ? x->why : "");
    pthread_mutex_unlock(&g->lock);
}

bool gate_is_remote(struct gate *g, struct str model) {
    struct snap *s = gate_snap_get(g);
    const struct model *m = snap_model(s, model);
    bool remote = false;
    for (unsigned i = 0; m != NULL && i < m->n; i++) remote |= m->t[i]->origin->deployment_id == 0;
    gate_snap_put(s);
    return remote;
}

void gate_local_remove(struct gate *g, int64_t deployment_id, int64_t replica) {
    pthread_mutex_lock(&g->lock);
    for (size_t i = 0; i < g->n_locals; i++) {
        struct target *t = g->locals[i];
        if (!is_replica(t, deployment_id, replica)) continue;
        g->locals[i] = g->locals[--g->n_locals];
        err e = table_rebuild(g);
        if (e != OK) { /* only for want of memory: the replica stays listed and fails over when asked */
            log_error("gate.remove_failed", LZ("error", err_text_en()));
            g->locals[g->n_locals++] = t;
        } else {
            drain_keep(g, t);
        }
        break;
    }
    pthread_mutex_unlock(&g->lock);
}

unsigned gate_local_busy(struct gate *g, int64_t deployment_id, int64_t replica) {
    unsigned n = 0;
    pthread_mutex_lock(&g->lock);
    for (size_t i = 0; i < g->n_draining; i++)
        if (is_replica(g->draining[i], deployment_id, replica)) n += atomic_load(&g->draining[i]->h.busy);
    for (size_t i = 0; i < g->n_locals; i++)
        if (is_replica(g->locals[i], deployment_id, replica)) n += atomic_load(&g->locals[i]->h.busy);
    pthread_mutex_unlock(&g->lock);
    return n;
}
