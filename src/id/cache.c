/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache.c — what each token in use means, so that a request pays about a microsecond for it.
 *
 * Key: SHA-256 of the secret. An entry is good while its epoch is the current one. The epoch is
 * meta.auth_gen, which triggers move with every change to tokens and users; it is read again only when
 * store_change_gen() says that anything was committed (by anyone, noticed within 20 ms).
 * Invariant: the epoch is read *before* the row it covers, so a change in between makes the entry stale,
 * never wrongly fresh.
 *
 * 1,024 sets of 4, least recently used gives way; 64 locks. About 2 MiB when full, touched as used.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "id/id_int.h"

enum { SETS = 1024, WAYS = 4, LOCKS = 64, STAMP_MS = 60000, TEXT_MAX = NAME_MAX_LEN + FULLNAME_MAX + TOKEN_NAME_MAX };

struct entry {
    uint8_t hash[SHA256_LEN];
    uint64_t epoch; /* 0 = free */
    int64_t token_id, user_id, expires_ms, stamped_ms;
    uint32_t used; /* clock of the set */
    uint8_t role, n_name, n_fullname, n_token;
    bool is_admin, is_reviewer, has_lang;
    uint8_t lang;
    char text[TEXT_MAX];
};

struct cache {
    _Atomic uint64_t epoch, seen_gen;
    pthread_mutex_t mu[LOCKS];
    uint32_t clock[SETS];
    struct entry e[SETS][WAYS];
};

err cache_new(struct cache **out) {
    struct cache *c = calloc(1, sizeof *c);
    if (c == NULL) return err_fail(E_NOMEM, "out of memory");
    for (unsigned i = 0; i < LOCKS; i++) pthread_mutex_init(&c->mu[i], NULL);
    *out = c;
    return OK;
}

void cache_free(struct cache *c) {
    if (c == NULL) return;
    for (unsigned i = 0; i < LOCKS; i++) pthread_mutex_destroy(&c->mu[i]);
    free(c);
}

err cache_epoch(struct id *id, uint64_t *out) {
    struct cache *c = id->cache;
    uint64_t gen = store_change_gen(id->store);
    *out = atomic_load(&c->epoch);
    if (gen == atomic_load(&c->seen_gen)) return OK;
    uint64_t fresh;
    TRY(auth_db_gen(db_reader(id->store), &fresh));
    /* auth_gen only grows: a slower thread must not put an older one back. */
    while (*out < fresh && !atomic_compare_exchange_weak(&c->epoch, out, fresh)) continue;
    *out = MAX(*out, fresh);
    atomic_store(&c->seen_gen, gen);
    return OK;
}

static size_t set_of(const uint8_t hash[SHA256_LEN]) {
    return ((size_t)hash[0] | (size_t)hash[1] << 8) % SETS;
}

bool cache_get(struct id *id, struct arena *a, const uint8_t hash[32], struct token_grant *out, bool *stamp) {
    struct cache *c = id->cache;
    uint64_t epoch;
    *stamp = false;
    if (cache_epoch(id, &epoch) != OK) return false; /* the lookup that follows reports it */
    size_t set = set_of(hash);
    bool found = false;
    pthread_mutex_lock(&c->mu[set % LOCKS]);
    for (unsigned i = 0; i < WAYS && !found; i++) {
        struct entry *e = &c->e[set][i];
        if (e->epoch != epoch || memcmp(e->hash, hash, SHA256_LEN) != 0) continue;
        e->used = ++c->clock[set];
        int64_t now = clock_wall_ms();
        *stamp = now - e->stamped_ms >= STAMP_MS;
        if (*stamp) e->stamped_ms = now;
        struct str text = arena_str(a, str_make(e->text, (size_t)e->n_name + e->n_fullname + e->n_token));
        *out = (struct token_grant){.token_id = e->token_id,
                                    .user_id = e->user_id,
                                    .expires_ms = e->expires_ms,
                                    .role = (enum role)e->role,
                                    .is_admin = e->is_admin,
                                    .is_reviewer = e->is_reviewer,
                                    .has_lang = e->has_lang,
                                    .lang = (enum lang)e->lang,
                                    .name = str_sub(text, 0, e->n_name),
                                    .fullname = str_sub(text, e->n_name, e->n_fullname),
                                    .token_name = str_sub(text, (size_t)e->n_name + e->n_fullname, e->n_token)};
        found = true;
    }
    pthread_mutex_unlock(&c->mu[set % LOCKS]);
    return found;
}

void cache_put(struct id *id, const uint8_t hash[32], const struct token_grant *g, uint64_t epoch) {
    struct cache *c = id->cache;
    if (g->name.n > NAME_MAX_LEN || g->fullname.n > FULLNAME_MAX || g->token_name.n > TOKEN_NAME_MAX) return;
    size_t set = set_of(hash);
    pthread_mutex_lock(&c->mu[set % LOCKS]);
    struct entry *best = &c->e[set][0];
    for (unsigned i = 0; i < WAYS; i++) {
        struct entry *e = &c->e[set][i];
        if (memcmp(e->hash, hash, SHA256_LEN) == 0) {
            best = e;
            break;
        }
        bool stale = e->epoch != epoch, best_stale = best->epoch != epoch;
        if (stale != best_stale ? stale : e->used < best->used) best = e;
    }
    *best = (struct entry){.epoch = epoch,
                           .token_id = g->token_id,
                           .user_id = g->user_id,
                           .expires_ms = g->expires_ms,
                           .stamped_ms = g->used_ms,
                           .used = ++c->clock[set],
                           .role = (uint8_t)g->role,
                           .n_name = (uint8_t)g->name.n,
                           .n_fullname = (uint8_t)g->fullname.n,
                           .n_token = (uint8_t)g->token_name.n,
                           .is_admin = g->is_admin,
                           .is_reviewer = g->is_reviewer,
                           .has_lang = g->has_lang,
                           .lang = (uint8_t)g->lang};
    memcpy(best->hash, hash, SHA256_LEN);
    char *p = best->text;
    memcpy(p, g->name.p, g->name.n);
    memcpy(p + g->name.n, g->fullname.p != NULL ? g->fullname.p : "", g->fullname.n);
    memcpy(p + g->name.n + g->fullname.n, g->token_name.p != NULL ? g->token_name.p : "", g->token_name.n);
    pthread_mutex_unlock(&c->mu[set % LOCKS]);
}
