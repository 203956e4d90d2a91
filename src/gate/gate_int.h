/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_int.h — inside of the gate room.
 *
 * origin:   one provider or one local replica: address, key, connection pools. Shared by its targets.
 * target:   one model at one origin, with its health. Survives a reload when nothing about it changed.
 * snapshot: immutable map model -> targets, reference-counted, swapped by pointer. A request holds one.
 */
#ifndef BALLAST_GATE_INT_H
#define BALLAST_GATE_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "gate/gate.h"
#include "http/sse.h"

enum {
    GATE_MAX_TARGETS = 16, /* per model */
    GATE_MAX_MODELS = 4096,
    GATE_MAX_LOCALS = 1024,
    GATE_MAX_EXPECTED = 256,       /* deployments, stopping ones included */
    GATE_MAX_ATTEMPTS = 6,         /* targets asked for one request */
    GATE_BODY_MAX = 32 << 20,      /* request, and complete answers held until judged */
    GATE_DEPTH_MAX = 128,          /* nesting of JSON, from clients and providers */
    GATE_EVENT_MAX = 4 << 20,      /* one SSE event */
    GATE_PREAMBLE_MAX = 256 << 10, /* events before the first content */
    GATE_ERROR_BODY_MAX = 256 << 10,
    GATE_BATCH = 64 /* usage rows per write */
};

struct health {                 /* relaxed atomics, shared by all loops; all times monotonic milliseconds */
    _Atomic int64_t soft_until; /* after a failure: others first */
    _Atomic int64_t hard_until; /* not asked at all: 429, or repeated failure */
    _Atomic unsigned streak;    /* failures in a row */
    _Atomic unsigned level;     /* failures of late; falls by one every 5 s */
    _Atomic int64_t level_at;
    _Atomic bool probing;    /* one request tries whether it is back */
    _Atomic unsigned busy;   /* requests in flight */
    _Atomic int64_t ewma_us; /* time to first content */
    _Atomic int64_t ewma_at;
    _Atomic uint64_t n_ok, n_fail;
};

struct origin {
    _Atomic unsigned refs;
    struct arena arena;
    struct str name, base_url, key;
    struct str auth; /* "Bearer KEY" or empty */
    struct upstream *up;
    int64_t connect_ms, first_ms, idle_ms, answer_ms;
    unsigned priority;
    int64_t deployment_id, replica; /* local: deployment_id > 0 */
    _Atomic int64_t key_rest_until; /* our key was refused */
};

struct target {
    _Atomic unsigned refs;
    struct arena arena;
    struct origin *origin;
    struct str model;         /* as clients ask */
    struct str upstream;      /* as the origin knows it */
    struct str upstream_json; /* the same as a JSON string with quotes */
    struct gate_model_price price;
    int64_t repo_id;            /* 0: no repository behind it */
    _Atomic bool no_usage_wish; /* it refuses stream_options: what we add for the ledger is left out */
    struct health h;
};

struct model {
    struct str name;
    struct target *t[GATE_MAX_TARGETS];
    unsigned n;                         /* 0: only expected */
    int64_t expected_repo, expected_id; /* deployment that serves it, replicas or not; 0: none */
    bool mixed;                         /* its targets belong to different repositories, or some to none */
};
struct expected {
    int64_t deployment_id, repo_id;
    char model[129], why[GATE_WHY_MAX];
};

struct snap {
    _Atomic unsigned refs;
    struct arena arena;
    struct map by_name;    /* name -> struct model */
    struct model **models; /* in order of name */
    size_t n_models;
    int64_t made_s;
};

struct gate_counters {
    _Atomic uint64_t requests, attempts, failovers, served, refused, exhausted, cut, client_gone, bad_events;
    _Atomic uint64_t prompt_tokens, completion_tokens, rows_written, rows_lost;
};

struct gate {
    struct gate_opts o;
    pthread_mutex_t lock; /* snap, locals, providers */
    struct snap *snap;
    struct arena *cfg; /* copy of the provider table */
    struct gate_provider *providers;
    size_t n_providers;
    struct target *locals[GATE_MAX_LOCALS];
    size_t n_locals;
    struct target *draining[GATE_MAX_LOCALS]; /* removed, perhaps still answering */
    size_t n_draining;
    struct expected *expected; /* GATE_MAX_EXPECTED */
    size_t n_expected;
    struct gate_counters c;
    struct meter *meter; /* per loop */
    unsigned n_meters;
};

/* --- table.c -------------------------------------------------------------------------------------- */
struct snap *gate_snap_get(struct gate *g);
void gate_snap_put(struct snap *s);
const struct model *snap_model(const struct snap *s, struct str name);
struct target *target_ref(struct target *t);
void target_put(struct target *t);
/* Build and swap; the caller holds g->lock. */
must_check err table_rebuild(struct gate *g);
void gate_expected_why(struct gate *g, int64_t deployment_id, char out[GATE_WHY_MAX]);
must_check err target_new_local(const struct gate_local *l, struct target **out);

/* --- health.c ------------------------------------------------------------------------------------- */
enum fault {
    FAULT_NONE,
    FAULT_CONNECT, /* refused, reset, DNS, TLS, no answer */
    FAULT_HANG,    /* no first content in time */
    FAULT_STATUS,  /* 5xx, 404, 3xx, ... */
    FAULT_CONTENT, /* error inside a 200, not JSON, empty, cut before content */
    FAULT_RATE,    /* 429 */
    FAULT_KEY,     /* 401, 402, 403: our key */
    FAULT_CUT      /* died after the first content */
};
/* Order the targets that may be asked into out; returns how many. *retry_ms: when the soonest of the others is back. */
unsigned health_pick(const struct model *m, int64_t now, struct target *out[GATE_MAX_TARGETS], int64_t *retry_ms);
void health_begin(struct target *t, int64_t now);
/* rest_ms: what the target itself asked for (Retry-After), 0 = not said. */
void health_end(struct target *t, enum fault f, int64_t first_us, int64_t rest_ms);

/* --- request.c ------------------------------------------------------------------------------------ */
struct gate_req {
    struct str body, model;
    bool stream, wants_usage;
    size_t model_at, model_n; /* bytes of the model value with its quotes */
    size_t usage_at, usage_n; /* where include_usage is spliced in; n bytes replaced */
    struct str usage_text;    /* empty: nothing to add */
};
must_check err request_scan(struct http_req *r, struct str body, bool may_stream, struct gate_req *out);
/* The body for this target: at most 6 pieces that borrow from the request and the target. */
size_t request_splice(const struct gate_req *q, const struct target *t, struct str parts[6]);

/* --- job: one client request ------------------------------------------------------------------------ */
enum outcome { OUTCOME_OK, OUTCOME_CLIENT_ERROR, OUTCOME_EXHAUSTED, OUTCOME_CUT, OUTCOME_CLIENT_GONE };
struct usage {
    int64_t prompt, completion;
    bool known; /* reported by the upstream, else counted by us */
};
struct job {
    struct gate *g;
    struct http_req *r;
    struct gate_req q;
    const char *path; /* "/chat/completions" */
    struct target *t; /* being asked */
    struct http_call *call;
    bool gone; /* the client left */
    bool committed;
    unsigned attempts;
    int64_t t0_ns, attempt_ns, first_us; /* first_us: first content after t0; 0 = none */
    int64_t attempt_first_us;
    struct usage usage;
    int status;
    int64_t rest_ms;    /* Retry-After of the last refusal */
    int64_t soonest_ms; /* the smallest of them */
    enum outcome outcome;
};
/* Result of asking one target. */
enum attempt { ATTEMPT_DONE, ATTEMPT_NEXT, ATTEMPT_AGAIN /* this one */, ATTEMPT_GONE, ATTEMPT_CUT };
void job_headers(struct job *j); /* x-ballast-target, -attempts */
/* answer.c: a complete (non-stream) answer. stream.c: an event stream. */
may_suspend enum attempt answer_relay(struct job *j, const struct http_call_head *head, enum fault *f, err *e);
may_suspend enum attempt answer_refusal(struct job *j, const struct http_call_head *head, enum fault *f, err *e);
may_suspend enum attempt stream_relay(struct job *j, const struct http_call_head *head, enum fault *f, err *e);
/* One answer judged: does it hold an error instead of content? Takes the usage. */
bool answer_good(struct str body, struct usage *u);
void usage_take(struct jv usage, struct usage *u);
/* What a client may send. Half surrogate pairs pass: text cut between tokens comes back as history. */
extern const struct json_limits gate_request_json;
/* The prompt's tokens by the length of its text, for a provider that reports none. */
void usage_guess_prompt(struct str request, struct usage *u);

/* --- event.c: one SSE event judged ------------------------------------------------------------------- */
enum ev_kind { EV_PREAMBLE, EV_CONTENT, EV_FINISH, EV_USAGE, EV_DONE, EV_ERROR, EV_BAD, EV_COMMENT };
enum ev_kind event_kind(struct arena *scratch, const struct sse_event *ev, struct usage *u, bool *content);

/* --- meter.c ------------------------------------------------------------------------------------------ */
void meter_open(struct gate *g);
void meter_close(struct gate *g);
void meter_add(struct job *j);
struct usage_row {
    char request_id[27];
    int64_t time_ms, user_id, token_id, prompt, completion, ttft_ms, duration_ms, cost_micros;
    int status;
    unsigned attempts;
    bool stream, estimated;
    enum outcome outcome;
    char model[129], target[129], provider[65];
};
struct usage_batch {
    struct gate *g;
    unsigned n;
    struct usage_row row[GATE_BATCH];
};
const char *outcome_name(enum outcome o);
/* meter_db.c: inserts the batch and frees it. */
err meter_write(struct db *d, void *batch) must_check;

static inline void count(_Atomic uint64_t *c, uint64_t by) {
    atomic_fetch_add_explicit(c, by, memory_order_relaxed);
}
#endif
