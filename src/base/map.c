/* SPDX-License-Identifier: Apache-2.0 */
/* map.c — linear probing, power-of-two capacity, load at most 3/4 counting tombstones. */
#include "base/map.h"

struct map_slot {
    char *key; /* NULL: empty; TOMB: deleted */
    size_t n_key;
    uint64_t hash;
    void *val;
};
static char tomb_mark;
#define TOMB (&tomb_mark)

void map_init(struct map *m, size_t max_entries) {
    *m = (struct map){NULL, 0, 0, 0, max_entries};
}

void map_release(struct map *m) {
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].key != NULL && m->slots[i].key != TOMB) free(m->slots[i].key);
    free(m->slots);
    m->slots = NULL;
    m->cap = m->n = m->tombs = 0;
}

static struct map_slot *find(const struct map *m, struct str key, uint64_t h) {
    if (m->cap == 0) return NULL;
    for (size_t i = h & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct map_slot *s = &m->slots[i];
        if (s->key == NULL) return NULL;
        if (s->key != TOMB && s->hash == h && s->n_key == key.n && memcmp(s->key, key.n ? key.p : "", key.n) == 0)
            return s;
    }
}

void *map_get(const struct map *m, struct str key) {
    struct map_slot *s = find(m, key, str_hash(key));
    return s == NULL ? NULL : s->val;
}

static bool grow(struct map *m) {
    size_t cap = m->cap == 0 ? 16 : m->n * 2 >= m->cap ? m->cap * 2 : m->cap;
    struct map_slot *slots = calloc(cap, sizeof *slots);
    if (slots == NULL) return false;
    for (size_t i = 0; i < m->cap; i++) {
        if (m->slots[i].key == NULL || m->slots[i].key == TOMB) continue;
        size_t j = m->slots[i].hash & (cap - 1);
        while (slots[j].key != NULL) j = (j + 1) & (cap - 1);
        slots[j] = m->slots[i];
    }
    free(m->slots);
    m->slots = slots;
    m->cap = cap;
    m->tombs = 0;
    return true;
}

err map_put(struct map *m, struct str key, void *val, void **old) {
    uint64_t h = str_hash(key);
    struct map_slot *s = find(m, key, h);
    if (old != NULL) *old = s != NULL ? s->val : NULL;
    if (s != NULL) {
        s->val = val;
        return OK;
    }
    if (m->n >= m->max) return err_fail(E_LIMIT, "table is full (%zu entries)", m->max);
    if ((m->n + m->tombs + 1) * 4 > m->cap * 3 && !grow(m)) return err_fail(E_NOMEM, "out of memory");
    char *copy = malloc(key.n + 1);
    if (copy == NULL) return err_fail(E_NOMEM, "out of memory");
    if (key.n > 0) memcpy(copy, key.p, key.n);
    size_t i = h & (m->cap - 1);
    while (m->slots[i].key != NULL && m->slots[i].key != TOMB) i = (i + 1) & (m->cap - 1);
    if (m->slots[i].key == TOMB) m->tombs--;
    m->slots[i] = (struct map_slot){copy, key.n, h, val};
    m->n++;
    return OK;
}

void *map_del(struct map *m, struct str key) {
    struct map_slot *s = find(m, key, str_hash(key));
    if (s == NULL) return NULL;
    void *val = s->val;
    free(s->key);
    s->key = TOMB;
    m->n--;
    m->tombs++;
    return val;
}

bool map_next(const struct map *m, size_t *iter, struct str *key, void **val) {
    for (; *iter < m->cap; (*iter)++) {
        struct map_slot *s = &m->slots[*iter];
        if (s->key == NULL || s->key == TOMB) continue;
        *key = str_make(s->key, s->n_key);
        *val = s->val;
        (*iter)++;
        return true;
    }
    return false;
}
