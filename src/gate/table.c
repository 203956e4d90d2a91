/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c — which targets serve which model: built from the provider table and the local replicas,
 * swapped as a whole. Targets and origins that did not change are carried over with their health and
 * their idle connections, so neither a reload nor a new replica forgets what is known.
 */
#include "base/clock.h"
#include "gate/gate_int.h"

static void origin_put(struct origin *o) {
    if (o == NULL || atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) != 1) return;
    upstream_put(o->up);
    arena_release(&o->arena);
    free(o);
}

struct target *target_ref(struct target *t) {
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void target_put(struct target *t) {
    if (t == NULL || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1) return;
    origin_put(t->origin);
    arena_release(&t->arena);
    free(t);
}

void gate_snap_put(struct snap *s) {
    if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1) return;
    for (size_t i = 0; i < s->n_models; i++)
        for (unsigned k = 0; k < s->models[i]->n; k++) target_put(s->models[i]->t[k]);
    map_release(&s->by_name);
    arena_release(&s->arena);
    free(s);
}

struct snap *gate_snap_get(struct gate *g) {
    pthread_mutex_lock(&g->lock);
    struct snap *s = g->snap;
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&g->lock);
    return s;
}

const struct model *snap_model(const struct snap *s, struct str name) {
    return map_get(&s->by_name, name);
}

static err origin_new(const struct gate_provider *p, struct origin **out) {
    struct origin *o = calloc(1, sizeof *o);
    if (o == NULL) return err_fail(E_NOMEM, "no memory for a provider");
    atomic_init(&o->refs, 1);
    arena_init(&o->arena, 64 * KiB);
    o->name = arena_str(&o->arena, str_sub(p->name, 0, 64));
    o->base_url = arena_str(&o->arena, p->base_url);
    o->key = arena_str(&o->arena, str_trim(p->key));
    if (o->key.n > 0) o->auth = arena_printf(&o->arena, "Bearer " STR_FMT, STR_ARG(o->key));
    o->connect_ms = p->connect_timeout_ms > 0 ? p->connect_timeout_ms : 1000;
    o->first_ms = p->first_content_timeout_ms > 0 ? p->first_content_timeout_ms : 30000;
    o->idle_ms = p->idle_timeout_ms > 0 ? p->idle_timeout_ms : 60000;
    o->answer_ms = p->answer_timeout_ms > 0 ? p->answer_timeout_ms : 300000;
    o->priority = p->priority;
    struct upstream_opts uo = {.base_url = o->base_url, .connect_timeout_ms = o->connect_ms, .max_idle_per_loop = 1024};
    err e = upstream_new(&uo, &o->up);
    if (e != OK) {
        e = err_wrap(e, "providers: " STR_FMT, STR_ARG(p->name));
        arena_release(&o->arena);
        free(o);
        return e;
    }
    *out = o;
    return OK;
}

static bool origin_same(const struct origin *o, const struct gate_provider *p) {
    return o->deployment_id == 0 && str_eq(o->name, str_sub(p->name, 0, 64)) && str_eq(o->base_url, p->base_url) &&
           str_eq(o->key, str_trim(p->key)) && o->priority == p->priority &&
           (p->connect_timeout_ms <= 0 || o->connect_ms == p->connect_timeout_ms) &&
           (p->first_content_timeout_ms <= 0 || o->first_ms == p->first_content_timeout_ms) &&
           (p->answer_timeout_ms <= 0 || o->answer_ms == p->answer_timeout_ms) &&
           (p->idle_timeout_ms <= 0 || o->idle_ms == p->idle_timeout_ms);
}

static err target_new(struct origin *o, struct str model, struct str upstream, struct target **out) {
    struct target *t = calloc(1, sizeof *t);
    if (t == NULL) return err_fail(E_NOMEM, "no memory for a target");
    atomic_init(&t->refs, 1);
    arena_init(&t->arena, 64 * KiB);
    t->origin = o;
    t->model = arena_str(&t->arena, model);
    t->upstream = arena_str(&t->arena, upstream.n > 0 ? upstream : model);
    struct buf b cleanup(buf_release);
    buf_init(&b, 4096);
    json_escape(&b, t->upstream);
    t->upstream_json = arena_str(&t->arena, buf_view(&b));
    *out = t;
    return OK;
}

err target_new_local(const struct gate_local *l, struct target **out) {
    char name[80];
    snprintf(name, sizeof name, "local-%" PRId64 "-%" PRId64, l->deployment_id, l->replica);
    /* A cold engine may read a long prompt for a while before it says a word. */
    struct gate_provider p = {.name = str_of(name),
                              .base_url = l->base_url,
                              .connect_timeout_ms = 1000,
                              .first_content_timeout_ms = 120000,
                              .idle_timeout_ms = 120000,
                              .answer_timeout_ms = 600000};
    struct origin *o;
    TRY(origin_new(&p, &o));
    o->deployment_id = l->deployment_id;
    o->replica = l->replica;
    err e = target_new(o, l->model, l->upstream_model, out);
    if (e != OK) {
        origin_put(o);
        return e;
    }
    (*out)->repo_id = l->repo_id;
    return OK;
}

/* A target of the old snapshot that is still right, with a reference; NULL when there is none. */
static struct target *target_keep(const struct snap *old, const struct gate_provider *p, size_t k) {
    const struct model *m = old != NULL ? snap_model(old, p->models[k].name) : NULL;
    struct str up = p->models[k].upstream.n > 0 ? p->models[k].upstream : p->models[k].name;
    for (unsigned i = 0; m != NULL && i < m->n; i++) {
        struct target *t = m->t[i];
        if (origin_same(t->origin, p) && str_eq(t->upstream, up) &&
            t->price.input_micros_per_mtok == p->models[k].price.input_micros_per_mtok &&
            t->price.output_micros_per_mtok == p->models[k].price.output_micros_per_mtok)
            return target_ref(t);
    }
    return NULL;
}

static err snap_model_new(struct snap *s, struct str name, struct model **out) {
    struct model *m = arena_new(&s->arena, struct model);
    m->name = arena_str(&s->arena, name);
    if (s->n_models == GATE_MAX_MODELS) return err_fail(E_LIMIT, "providers: more than %d models", GATE_MAX_MODELS);
    TRY(map_put(&s->by_name, m->name, m, NULL));
    s->models[s->n_models++] = m;
    *out = m;
    return OK;
}

static err snap_expect(struct snap *s, const struct expected *x) {
    struct model *m = map_get(&s->by_name, str_of(x->model));
    if (m == NULL) TRY(snap_model_new(s, str_of(x->model), &m));
    m->expected_id = x->deployment_id;
    m->expected_repo = x->repo_id;
    return OK;
}

/* Takes over the reference to t. */
static err snap_add(struct snap *s, struct target *t) {
    struct model *m = map_get(&s->by_name, t->model);
    err e = m == NULL ? snap_model_new(s, t->model, &m) : OK;
    if (e == OK && m->n == GATE_MAX_TARGETS)
        e = err_fail(E_LIMIT, "model " STR_FMT ": more than %d targets", STR_ARG(m->name), GATE_MAX_TARGETS);
    if (e != OK) {
        target_put(t);
        return e;
    }
    m->mixed |= m->n > 0 && m->t[0]->repo_id != t->repo_id;
    m->t[m->n++] = t;
    return OK;
}

static err add_provider(struct snap *s, const struct snap *old, const struct gate_provider *p) {
    struct origin *o = NULL;
    for (size_t k = 0; k < p->n_models; k++) {
        struct target *t = target_keep(old, p, k);
        if (t == NULL) {
            /* Models of one provider share its connections: an unchanged sibling brings them along. */
            for (size_t i = 0; o == NULL && i < p->n_models; i++) {
                struct target *sib = target_keep(old, p, i);
                if (sib == NULL) continue;
                o = sib->origin;
                atomic_fetch_add(&o->refs, 1);
                target_put(sib);
            }
            if (o == NULL) TRY(origin_new(p, &o));
            atomic_fetch_add(&o->refs, 1);
            err e = target_new(o, p->models[k].name, p->models[k].upstream, &t);
            if (e != OK) {
                origin_put(o);
                origin_put(o);
                return e;
            }
            t->price = p->models[k].price;
        }
        err e = snap_add(s, t);
        if (e != OK) {
            origin_put(o);
            return e;
        }
    }
    origin_put(o);
    return OK;
}

static int model_order(const void *a, const void *b) {
    return str_cmp((*(struct model *const *)a)->name, (*(struct model *const *)b)->name);
}

static err snap_fill(struct gate *g, struct snap *s, const struct snap *old) {
    for (size_t i = 0; i < g->n_locals; i++) TRY(snap_add(s, target_ref(g->locals[i])));
    for (size_t i = 0; i < g->n_providers; i++) TRY(add_provider(s, old, &g->providers[i]));
    for (size_t i = 0; i < g->n_expected; i++) TRY(snap_expect(s, &g->expected[i]));
    if (s->n_models > 1) qsort(s->models, s->n_models, sizeof *s->models, model_order);
    return OK;
}

err table_rebuild(struct gate *g) {
    struct snap *s = calloc(1, sizeof *s);
    if (s == NULL) return err_fail(E_NOMEM, "no memory for the table of models");
    atomic_init(&s->refs, 1);
    arena_init(&s->arena, 64 * MiB);
    map_init(&s->by_name, GATE_MAX_MODELS);
    s->models = arena_array(&s->arena, struct model *, GATE_MAX_MODELS);
    s->made_s = clock_wall_ms() / 1000;
    err e = snap_fill(g, s, g->snap);
    if (e != OK) {
        gate_snap_put(s);
        return e;
    }
    struct snap *old = g->snap;
    g->snap = s;
    gate_snap_put(old);
    return OK;
}
