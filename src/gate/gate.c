/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate.c — one client request: scan, choose, ask targets one after another until one answers.
 *
 * Invariants:
 *  1. Nothing is sent to the client before a target has given content (stream.c, answer.c).
 *  2. A provider's key goes to its own origin only; redirects are failures of the target.
 *  3. What is our provider's problem (key, limit, outage) never reaches the client as its own: the
 *     next target is asked, and when none is left the client gets one 503 with Retry-After.
 *  4. The client's mistakes (other 4xx) go back once, unchanged, and harm no target's health.
 *  5. A client that leaves stops the upstream.
 *  6. Every request that named a known model ends in exactly one ledger row.
 */
#include "base/clock.h"
#include "base/log.h"
#include "gate/gate_int.h"

enum { NOT_READY_RETRY_S = 5 };

void job_headers(struct job *j) {
    http_set(j->r, "x-ballast-target", j->t->origin->name);
    char n[2] = {(char)('0' + j->attempts % 10), '\0'};
    http_set(j->r, "x-ballast-attempts", str_of(n));
    http_set(j->r, "x-ballast-request-id", (struct str){j->r->id, 26});
}

static void client_left(void *arg) {
    struct job *j = arg;
    j->gone = true;
    http_call_cancel(j->call);
}

/* Ask j->t once. */
static enum attempt attempt(struct job *j, enum fault *f, err *e) {
    struct origin *o = j->t->origin;
    struct http_header h[5] = {{STR("Content-Type"), STR("application/json")},
                               {STR("Accept-Encoding"), STR("identity")}, /* answers are read as they pass */
                               {STR("Accept"), j->q.stream ? STR("text/event-stream") : STR("application/json")},
                               {STR("X-Request-Id"), {j->r->id, 26}},
                               {STR("Authorization"), o->auth}};
    struct str parts[6];
    size_t n = request_splice(&j->q, j->t, parts);
    struct http_call_head head;
    struct http_call_timing timing;
    j->rest_ms = 0;
    int64_t ms = j->q.stream ? o->first_ms : o->answer_ms;
    *e = http_call_startv(o->up, "POST", str_of(j->path), h, o->auth.n > 0 ? 5 : 4, parts, n, ms, &j->call, &head,
                          &timing);
    if (j->gone) return ATTEMPT_GONE;
    if (*e != OK) {
        *f = *e == E_TIMEOUT && timing.sent ? FAULT_HANG : FAULT_CONNECT;
        return ATTEMPT_NEXT;
    }
    if (head.status != 200) return answer_refusal(j, &head, f, e);
    return j->q.stream ? stream_relay(j, &head, f, e) : answer_relay(j, &head, f, e);
}

/* One target from begin to end, health included. */
static enum attempt ask(struct job *j, struct target *t, err *e) {
    enum fault f = FAULT_NONE;
    j->t = t;
    j->attempts++;
    j->attempt_ns = clock_mono_ns();
    j->attempt_first_us = 0;
    j->usage = (struct usage){0};
    count(&j->g->c.attempts, 1);
    health_begin(t, j->attempt_ns / 1000000);
    enum attempt a;
    while ((a = attempt(j, &f, e)) == ATTEMPT_AGAIN) {
        http_call_free(j->call);
        j->call = NULL;
    }
    health_end(t, a == ATTEMPT_GONE ? FAULT_NONE : f, a == ATTEMPT_DONE ? j->attempt_first_us : 0, j->rest_ms);
    http_call_free(j->call);
    j->call = NULL;
    if (a == ATTEMPT_NEXT)
        log_warn("gate.failover", LS("id", ((struct str){j->r->id, 26})), LS("target", t->origin->name),
                 LS("model", t->model), LZ("error", err_text_en()));
    return a;
}

/* A private repository's model exists only for those who may read it. */
static bool may_read(struct gate *g, struct http_req *r, int64_t repo) {
    if (repo == 0) return true;
    if (g->o.id == NULL) return r->who != NULL && r->who->is_admin;
    struct repo_rec rec;
    return repo_get(g->o.id, r->arena, repo, &rec) == OK && repo_access(g->o.id, r->who, &rec, ROLE_READ) == OK;
}

/* Any of its targets will do: one name may be a deployment and a provider's model. */
static bool may_use(struct gate *g, struct http_req *r, const struct model *m) {
    if (m->expected_id != 0 && may_read(g, r, m->expected_repo)) return true;
    for (unsigned i = 0; i < (m->mixed ? m->n : MIN(m->n, 1u)); i++)
        if (may_read(g, r, m->t[i]->repo_id)) return true;
    return false;
}

/* Deployed, but no replica is there: starting, failed, or its verdict turned. */
static err not_ready(struct job *j, const struct model *m) {
    char why[GATE_WHY_MAX] = "";
    if (may_read(j->g, j->r, m->expected_repo)) gate_expected_why(j->g, m->expected_id, why);
    http_error_code(j->r, "deployment_not_ready");
    err e = err_fail(E_UNAVAILABLE, "model " STR_FMT " is deployed here but no replica can answer now: %s",
                     STR_ARG(m->name), why);
    err_slot()->retry_after_s = NOT_READY_RETRY_S;
    return e;
}

static err exhausted(struct job *j, const struct model *m) {
    struct target *none[GATE_MAX_TARGETS];
    int64_t retry_ms;
    unsigned n = health_pick(m, clock_mono_ms(), none, &retry_ms);
    if (n > 0 || retry_ms == INT64_MAX) retry_ms = 1000; /* somebody could be asked again at once */
    j->outcome = OUTCOME_EXHAUSTED;
    j->status = 503;
    count(&j->g->c.exhausted, 1);
    http_set(j->r, "x-ballast-request-id", (struct str){j->r->id, 26});
    if (m->n == 0) return not_ready(j, m);
    http_error_code(j->r, "no_target_available");
    err e = err_fail(E_UNAVAILABLE,
                     "no provider of model " STR_FMT
                     " can answer now; nothing was charged; try again after the time in Retry-After",
                     STR_ARG(m->name));
    err_slot()->retry_after_s = (unsigned)((retry_ms + 999) / 1000);
    return e;
}

static err run(struct job *j, const struct model *m) {
    struct target *order[GATE_MAX_TARGETS];
    int64_t retry_ms;
    unsigned n = health_pick(m, clock_mono_ms(), order, &retry_ms);
    for (unsigned i = 0; i < n && j->attempts < GATE_MAX_ATTEMPTS; i++) {
        err e = OK;
        if (m->mixed && !may_read(j->g, j->r, order[i]->repo_id)) continue;
        switch (ask(j, order[i], &e)) {
        case ATTEMPT_DONE: return OK;
        case ATTEMPT_NEXT:
        case ATTEMPT_AGAIN: break; /* ask() has */
        case ATTEMPT_CUT:
            j->outcome = OUTCOME_CUT;
            count(&j->g->c.cut, 1);
            return err_fail(E_UPSTREAM, "the provider's stream broke off");
        case ATTEMPT_GONE:
        default:
            j->outcome = OUTCOME_CLIENT_GONE;
            j->status = 499;
            count(&j->g->c.client_gone, 1);
            return err_fail(E_CANCELLED, "the client left");
        }
    }
    return exhausted(j, m);
}

static err unknown_model(struct http_req *r, struct str name) {
    http_error_code(r, "model_not_found");
    return err_fail(E_NOT_FOUND, "the model " STR_FMT " does not exist or you may not use it", STR_ARG(name));
}

static err infer(struct http_req *r, const char *path, bool may_stream) {
    struct gate *g = r->ctx;
    struct job j = {.g = g, .r = r, .path = path, .t0_ns = r->start_ns};
    struct str body;
    TRY(http_body_all(r, GATE_BODY_MAX, &body));
    TRY(request_scan(r, body, may_stream, &j.q));
    struct snap *s = gate_snap_get(g);
    const struct model *m = snap_model(s, j.q.model);
    if (m == NULL || !may_use(g, r, m)) {
        gate_snap_put(s);
        return unknown_model(r, j.q.model);
    }
    count(&g->c.requests, 1);
    http_on_client_gone(r, client_left, &j);
    err e = run(&j, m);
    http_on_client_gone(r, NULL, NULL);
    if (j.attempts > 1) count(&g->c.failovers, 1);
    if (j.committed && !j.usage.known) usage_guess_prompt(j.q.body, &j.usage);
    if (e == OK) count(j.outcome == OUTCOME_OK ? &g->c.served : &g->c.refused, 1);
    meter_add(&j);
    gate_snap_put(s);
    return e;
}

static err chat(struct http_req *r) {
    return infer(r, "/chat/completions", true);
}
static err completions(struct http_req *r) {
    return infer(r, "/completions", true);
}
static err embeddings(struct http_req *r) {
    return infer(r, "/embeddings", false);
}

static void model_json(struct jw *w, const struct snap *s, const struct model *m) {
    jw_obj(w);
    jw_kstr(w, "id", m->name);
    jw_kcstr(w, "object", "model");
    jw_ki64(w, "created", s->made_s);
    jw_kcstr(w, "owned_by",
             m->expected_id != 0 || (m->n > 0 && m->t[0]->origin->deployment_id > 0) ? "ballast" : "provider");
    jw_obj_end(w);
}

static err models(struct http_req *r) {
    struct gate *g = r->ctx;
    struct snap *s = gate_snap_get(g);
    struct buf b cleanup(buf_release);
    buf_init(&b, 4 * MiB);
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kcstr(&w, "object", "list");
    jw_key(&w, "data");
    jw_arr(&w);
    for (size_t i = 0; i < s->n_models; i++)
        if (may_use(g, r, s->models[i])) model_json(&w, s, s->models[i]);
    jw_arr_end(&w);
    jw_obj_end(&w);
    gate_snap_put(s);
    return http_reply_json(r, 200, &b);
}

static err model_one(struct http_req *r) {
    struct gate *g = r->ctx;
    struct str name = http_param(r, "model");
    struct snap *s = gate_snap_get(g);
    const struct model *m = snap_model(s, name);
    if (m == NULL || !may_use(g, r, m)) {
        gate_snap_put(s);
        return unknown_model(r, name);
    }
    struct buf b cleanup(buf_release);
    buf_init(&b, 4096);
    struct jw w;
    jw_init(&w, &b);
    model_json(&w, s, m);
    gate_snap_put(s);
    return http_reply_json(r, 200, &b);
}

#define ROUTE(m, p, f, n, s)                                                                                           \
    {                                                                                                                  \
        .methods = (m), .pattern = (p), .fn = (f), .auth = AUTH_INFER, .dialect = DIALECT_OPENAI, .name = (n),         \
        .summary = (s), .max_body = GATE_BODY_MAX, .body_timeout_s = 120                                               \
    }
static const struct http_route routes[] = {
    ROUTE(HTTP_POST, "/v1/chat/completions", chat, "gate.chat", "Answer a conversation, streaming or whole."),
    ROUTE(HTTP_POST, "/v1/completions", completions, "gate.completions", "Continue a text, streaming or whole."),
    ROUTE(HTTP_POST, "/v1/embeddings", embeddings, "gate.embeddings", "Embed texts."),
    ROUTE(HTTP_GET, "/v1/models", models, "gate.models", "List the models the caller may use."),
    ROUTE(HTTP_GET, "/v1/models/{model...}", model_one, "gate.model", "One model."),
};

err gate_routes(struct gate *g, struct http_router *rt) {
    return http_router_add(rt, routes, ARRAY_LEN(routes), g);
}
