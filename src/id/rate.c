/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate.c — how often sign-in failed lately, per key (name, address, both), in a table of fixed size.
 *
 * Fixed windows of five minutes. Four candidates per set; the oldest window gives way, so an attacker
 * with many names can forget failures of others only at the price of its address being counted.
 */
#include <pthread.h>

#include "base/clock.h"
#include "id/id_int.h"

enum { SETS = 1024, WAYS = 4, WINDOW_S = 300 };

struct slot {
    uint64_t key; /* 0 = free */
    int64_t start_ms;
    unsigned failures;
};
struct rate {
    pthread_mutex_t mu;
    uint64_t salt;
    struct slot slots[SETS][WAYS];
};

err rate_new(struct rate **out) {
    struct rate *r = calloc(1, sizeof *r);
    if (r == NULL) return err_fail(E_NOMEM, "out of memory");
    pthread_mutex_init(&r->mu, NULL);
    r->salt = rnd_u64();
    *out = r;
    return OK;
}

void rate_free(struct rate *r) {
    if (r == NULL) return;
    pthread_mutex_destroy(&r->mu);
    free(r);
}

static uint64_t key_of(const struct rate *r, struct str key) {
    /* Salted, so that nobody can choose names that share a set. */
    uint64_t h = (str_hash(key) ^ r->salt) * 0x9e3779b97f4a7c15u;
    return h == 0 ? 1 : h;
}

/* The slot of the key, or with make the one to take over. The lock is held. */
static struct slot *slot_find(struct rate *r, uint64_t key, bool make) {
    struct slot *set = r->slots[key % SETS], *victim = &set[0];
    int64_t now = clock_mono_ms();
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].key != 0 && now - set[i].start_ms >= WINDOW_S * 1000) set[i] = (struct slot){0};
        if (set[i].key == key) return &set[i];
        if (victim->key != 0 && (set[i].key == 0 || set[i].start_ms < victim->start_ms)) victim = &set[i];
    }
    if (!make) return NULL;
    *victim = (struct slot){key, now, 0};
    return victim;
}

unsigned rate_wait_s(struct rate *r, struct str key, unsigned max_failures) {
    unsigned wait = 0;
    pthread_mutex_lock(&r->mu);
    const struct slot *s = slot_find(r, key_of(r, key), false);
    if (s != NULL && s->failures >= max_failures) wait = (unsigned)(WINDOW_S - (clock_mono_ms() - s->start_ms) / 1000);
    pthread_mutex_unlock(&r->mu);
    return wait;
}

void rate_failed(struct rate *r, struct str key) {
    pthread_mutex_lock(&r->mu);
    slot_find(r, key_of(r, key), true)->failures++;
    pthread_mutex_unlock(&r->mu);
}

void rate_clear(struct rate *r, struct str key) {
    pthread_mutex_lock(&r->mu);
    struct slot *s = slot_find(r, key_of(r, key), false);
    if (s != NULL) *s = (struct slot){0};
    pthread_mutex_unlock(&r->mu);
}
