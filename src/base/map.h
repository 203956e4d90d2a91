/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.h — hash map from byte string to pointer, open addressing, with a stated maximum.
 * Keys are copied. Not thread-safe. Iterate with map_next (order unspecified; no insert meanwhile).
 */
#ifndef BALLAST_MAP_H
#define BALLAST_MAP_H

#include "base.h"
#include "err.h"
#include "str.h"

struct map_slot;
struct map {
    struct map_slot *slots;
    size_t cap, n, tombs, max;
};
void map_init(struct map *m, size_t max_entries);
void map_release(struct map *m);                    /* values are the caller's */
void *map_get(const struct map *m, struct str key); /* NULL when absent */
/* Insert or replace; *old (may be NULL) gets the previous value. E_LIMIT at the maximum, E_NOMEM without memory. */
must_check err map_put(struct map *m, struct str key, void *val, void **old);
void *map_del(struct map *m, struct str key);
bool map_next(const struct map *m, size_t *iter /* start 0 */, struct str *key, void **val);
#endif
