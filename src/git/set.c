/* SPDX-License-Identifier: Apache-2.0 */
/* set.c — set of object ids: open addressing on the id's own bytes (they are hashes), bounded. */
#include "git/git_internal.h"

void git_set_init(struct git_set *s, size_t max) {
    *s = (struct git_set){.max = max};
}

void git_set_release(struct git_set *s) {
    free(s->slots);
    *s = (struct git_set){0};
}

static size_t slot_of(const git_oid *slots, size_t cap, const git_oid *oid) {
    uint64_t h;
    memcpy(&h, oid->id, sizeof h);
    size_t i = (size_t)h & (cap - 1);
    while (!git_oid_is_zero(&slots[i]) && memcmp(slots[i].id, oid->id, GIT_OID_RAWSZ) != 0) i = (i + 1) & (cap - 1);
    return i;
}

static err grow(struct git_set *s) {
    size_t cap = s->cap == 0 ? 256 : s->cap * 2;
    git_oid *slots = calloc(cap, sizeof *slots);
    if (slots == NULL) return err_fail(E_NOMEM, "out of memory while walking a repository");
    for (size_t i = 0; i < s->cap; i++)
        if (!git_oid_is_zero(&s->slots[i])) slots[slot_of(slots, cap, &s->slots[i])] = s->slots[i];
    free(s->slots);
    s->slots = slots;
    s->cap = cap;
    return OK;
}

bool git_set_has(const struct git_set *s, const git_oid *oid) {
    return s->cap > 0 && !git_oid_is_zero(&s->slots[slot_of(s->slots, s->cap, oid)]);
}

/* The all-zero id marks an empty slot: nobody can make an object that hashes to it. */
err git_set_add(struct git_set *s, const git_oid *oid, bool *fresh) {
    *fresh = false;
    if (git_set_has(s, oid)) return OK;
    if (s->n >= s->max) return err_fail(E_LIMIT, "the repository walk exceeds %zu objects", s->max);
    if (s->n * 2 >= s->cap) TRY(grow(s));
    s->slots[slot_of(s->slots, s->cap, oid)] = *oid;
    s->n++;
    *fresh = true;
    return OK;
}
