/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health.c — breaker and choice of targets, by monotonic time and memory only.
 *
 * Rules:
 *  1. A failure lowers a target behind the healthy ones for 1 s, doubling with each failure of late,
 *     30 s at most (soft rest). It is still asked when nobody better is there.
 *  2. Three failures in a row, or a 429, take it out entirely until its deadline (hard rest): the
 *     larger of its Retry-After and our own. A refused key rests the whole origin for 60 s.
 *  3. After a rest one request at a time tries it; its success ends the rest.
 *  4. `level` falls with time, not with success: a target that fails half the time stays behind.
 *  5. Equal priorities share by (time to first content, decaying toward zero) x (requests in flight),
 *     so a slow one drains off and is tried again by itself.
 */
#include "base/clock.h"
#include "base/log.h"
#include "gate/gate_int.h"

enum {
    SOFT_MS = 1000,
    REST_MAX_MS = 30000,
    LEVEL_MS = 5000,
    RATE_MS = 5000,
    QUOTA_MAX_MS = 3600000,
    KEY_MS = 60000,
    HARD_STREAK = 3,
    DECAY_MS = 1000
};

#define GET(f) atomic_load_explicit(&(f), memory_order_relaxed)
#define SET(f, v) atomic_store_explicit(&(f), (v), memory_order_relaxed)

static unsigned level_now(struct health *h, int64_t now) {
    unsigned level = GET(h->level);
    int64_t steps = (now - GET(h->level_at)) / LEVEL_MS;
    return steps >= (int64_t)level ? 0 : level - (unsigned)steps;
}

/* Time to first content to expect, halved for every second without news. */
static int64_t latency_guess(struct health *h, int64_t now) {
    int64_t age = (now - GET(h->ewma_at)) / DECAY_MS;
    return age > 40 ? 0 : GET(h->ewma_us) >> age;
}

struct rank {
    struct target *t;
    bool behind;
    unsigned priority;
    int64_t score;
};

static bool rank_less(const struct rank *a, const struct rank *b) {
    if (a->behind != b->behind) return b->behind;
    if (a->priority != b->priority) return a->priority < b->priority;
    return a->score < b->score;
}

static void rank_insert(struct rank *v, unsigned n, struct rank r) {
    while (n > 0 && rank_less(&r, &v[n - 1])) {
        v[n] = v[n - 1];
        n--;
    }
    v[n] = r;
}

unsigned health_pick(const struct model *m, int64_t now, struct target *out[GATE_MAX_TARGETS], int64_t *retry_ms) {
    struct rank v[GATE_MAX_TARGETS];
    unsigned n = 0;
    static _Thread_local unsigned turn;
    turn++;
    *retry_ms = INT64_MAX;
    for (unsigned k = 0; k < m->n; k++) {
        struct target *t = m->t[(k + turn) % m->n]; /* equal scores take turns */
        int64_t hard = MAX(GET(t->h.hard_until), GET(t->origin->key_rest_until));
        if (hard > now) {
            *retry_ms = MIN(*retry_ms, hard - now);
            continue;
        }
        bool ill = GET(t->h.level) > 0 && GET(t->h.streak) > 0;
        bool behind = GET(t->h.soft_until) > now || (ill && GET(t->h.probing));
        int64_t score = (latency_guess(&t->h, now) + 1) * (int64_t)(GET(t->h.busy) + 1);
        rank_insert(v, n++, (struct rank){t, behind, t->origin->priority, score});
    }
    for (unsigned i = 0; i < n; i++) out[i] = v[i].t;
    return n;
}

void health_begin(struct target *t, int64_t now) {
    (void)now;
    atomic_fetch_add_explicit(&t->h.busy, 1, memory_order_relaxed);
    if (GET(t->h.streak) > 0) SET(t->h.probing, true);
}

static int64_t backoff_ms(unsigned n) {
    return n >= 6 ? REST_MAX_MS : MIN((int64_t)SOFT_MS << (n > 0 ? n - 1 : 0), (int64_t)REST_MAX_MS);
}

static void later(_Atomic int64_t *until, int64_t at) {
    if (GET(*until) < at) SET(*until, at);
}

static void succeeded(struct target *t, int64_t now, int64_t first_us) {
    SET(t->h.streak, 0);
    SET(t->h.soft_until, 0);
    count(&t->h.n_ok, 1);
    if (first_us <= 0) return;
    int64_t old = GET(t->h.ewma_us);
    SET(t->h.ewma_us, old == 0 ? first_us : (old * 3 + first_us * 7) / 10);
    SET(t->h.ewma_at, now);
}

void health_end(struct target *t, enum fault f, int64_t first_us, int64_t rest_ms) {
    struct health *h = &t->h;
    int64_t now = clock_mono_ms();
    atomic_fetch_sub_explicit(&h->busy, 1, memory_order_relaxed);
    SET(h->probing, false);
    if (f == FAULT_NONE) {
        succeeded(t, now, first_us);
        return;
    }
    count(&h->n_fail, 1);
    unsigned level = level_now(h, now) + 1, streak = GET(h->streak) + 1;
    SET(h->level, MIN(level, 16u));
    SET(h->level_at, now);
    SET(h->streak, streak);
    rest_ms = MIN(rest_ms, (int64_t)QUOTA_MAX_MS);
    later(&h->soft_until, now + MAX(backoff_ms(level), rest_ms));
    if (f == FAULT_RATE) later(&h->hard_until, now + MAX(rest_ms, rest_ms > 0 ? 0 : (int64_t)RATE_MS));
    else if (rest_ms > 0) later(&h->hard_until, now + rest_ms);
    if (f != FAULT_RATE && streak >= HARD_STREAK) later(&h->hard_until, now + backoff_ms(streak - HARD_STREAK + 1));
    if (f != FAULT_KEY) return;
    later(&t->origin->key_rest_until, now + KEY_MS);
    log_error("gate.key_refused", LS("provider", t->origin->name), LS("model", t->model), LI("rest_s", KEY_MS / 1000));
}
