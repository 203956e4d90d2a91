/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate.h — the LLM gateway: one endpoint, many targets, failover before the first content.
 */
#ifndef BALLAST_GATE_H
#define BALLAST_GATE_H

#include "http/client.h"
#include "http/http.h"
#include "id/id.h"
#include "store/store.h"

struct gate;
struct gate_model_price {
    int64_t input_micros_per_mtok,
        output_micros_per_mtok; /* millionths of the configured currency per million tokens */
};
struct gate_provider { /* from config: providers: */
    struct str name, base_url;
    struct str key; /* resolved secret (env or file); never logged */
    struct {
        struct str name;     /* as clients ask */
        struct str upstream; /* as the provider calls it; empty = same */
        struct gate_model_price price;
    } * models;
    size_t n_models;
    int64_t connect_timeout_ms, first_content_timeout_ms, idle_timeout_ms;
    int64_t answer_timeout_ms; /* whole answers: to their first byte; a provider sends it when all of it is made */
    unsigned priority;         /* lower first; equal = balanced */
};
struct gate_opts {
    struct store *store; /* NULL: nothing is metered (tests) */
    struct id *id; /* who may read a private repository; NULL: models of private repositories are for administrators */
    const struct gate_provider *providers;
    size_t n_providers;
};
must_check err gate_open(const struct gate_opts *o, struct gate **out);
/* New provider table (config reload): swaps the snapshot, cuts nothing. */
must_check err gate_reload(struct gate *g, const struct gate_provider *providers, size_t n);
/* On a fiber, after the server and pool have stopped, before the loops end. */
void gate_stop(struct gate *g);
void gate_close(struct gate *g);
/* /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/models */
must_check err gate_routes(struct gate *g, struct http_router *rt);

/* pool registers replicas of deployments as targets; thread-safe. */
struct gate_local {
    int64_t deployment_id, replica;
    struct str model;          /* name clients ask for */
    struct str base_url;       /* http://127.0.0.1:PORT/v1 */
    struct str upstream_model; /* alias the engine knows */
    int64_t repo_id;           /* model repository served; private ones only for those who may read it */
};
must_check err gate_local_add(struct gate *g, const struct gate_local *l);
void gate_local_remove(struct gate *g, int64_t deployment_id,
                       int64_t replica); /* new requests stop; running ones finish */
/*
 * A deployment wants to serve this model: while none of its replicas can, clients are told why and when to come back
 * (503) instead of that the model does not exist. Said again with another `why`: replaces it. Thread-safe.
 */
enum { GATE_WHY_MAX = 400 };
must_check err gate_expect(struct gate *g, int64_t deployment_id, struct str model, int64_t repo_id, const char *why);
void gate_unexpect(struct gate *g, int64_t deployment_id);
/* Is it a model of a configured provider? */
bool gate_is_remote(struct gate *g, struct str model);
unsigned gate_local_busy(struct gate *g, int64_t deployment_id, int64_t replica); /* requests in flight (drain) */
/* Prometheus text. */
void gate_metrics(struct gate *g, struct buf *out);
#endif
