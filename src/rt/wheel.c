/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wheel.c — hierarchical timer wheel: arm and cancel are O(1), whatever the number of timers.
 *
 * Level L has 64 slots of 64^L ms. A timer lies at the level of the highest 6-bit digit in which
 * its due time differs from `now`, in the slot of that digit. Therefore: a slot begins after `now`,
 * and when `now` reaches the slot's beginning its timers move down (or fire at level 0).
 * Bits of slots emptied by cancel are cleared when looked at.
 */
#include "rt/rt_int.h"

void wheel_init(struct wheel *w, int64_t now_ms) {
    memset(w, 0, sizeof *w);
    w->now_ms = now_ms;
}

static void list_push(struct timer **head, struct timer *t) {
    t->next = *head;
    if (t->next != NULL) t->next->pprev = &t->next;
    t->pprev = head;
    *head = t;
}

static void list_unlink(struct timer *t) {
    *t->pprev = t->next;
    if (t->next != NULL) t->next->pprev = t->pprev;
    t->pprev = NULL;
    t->next = NULL;
}

void wheel_insert(struct wheel *w, struct timer *t) {
    if (t->due_ms <= w->now_ms) t->due_ms = w->now_ms + 1;
    uint64_t diff = (uint64_t)t->due_ms ^ (uint64_t)w->now_ms;
    unsigned level = (63u - (unsigned)__builtin_clzll(diff)) / WHEEL_BITS;
    unsigned slot;
    if (level >= WHEEL_LEVELS) { /* years away: looked at again when the top level comes round */
        level = WHEEL_LEVELS - 1;
        slot = ((unsigned)(w->now_ms >> (WHEEL_BITS * level)) + WHEEL_SLOTS - 1) % WHEEL_SLOTS;
    } else {
        slot = (unsigned)(t->due_ms >> (WHEEL_BITS * level)) % WHEEL_SLOTS;
    }
    list_push(&w->slot[level][slot], t);
    w->bits[level] |= (uint64_t)1 << slot;
}

/* The next slot to look at: its beginning in *at, or false when nothing is armed. */
static bool next_slot(struct wheel *w, unsigned *level, unsigned *slot, int64_t *at) {
    bool found = false;
    for (unsigned l = 0; l < WHEEL_LEVELS; l++) {
        unsigned here = (unsigned)(w->now_ms >> (WHEEL_BITS * l)) % WHEEL_SLOTS;
        while (w->bits[l] != 0) {
            uint64_t turned = here == 0 ? w->bits[l] : (w->bits[l] >> here) | (w->bits[l] << (WHEEL_SLOTS - here));
            unsigned s = (here + (unsigned)__builtin_ctzll(turned)) % WHEEL_SLOTS;
            if (w->slot[l][s] == NULL) {
                w->bits[l] &= ~((uint64_t)1 << s);
                continue;
            }
            int64_t unit = (int64_t)1 << (WHEEL_BITS * l), round = unit * WHEEL_SLOTS;
            int64_t start = (w->now_ms & ~(round - 1)) + (int64_t)s * unit;
            if (start <= w->now_ms) start += round;
            if (!found || start < *at) {
                *level = l;
                *slot = s;
                *at = start;
                found = true;
            }
            break;
        }
    }
    return found;
}

int64_t wheel_next(struct wheel *w) {
    unsigned level, slot;
    int64_t at;
    return next_slot(w, &level, &slot, &at) ? at : -1;
}

void wheel_advance(struct wheel *w, int64_t now_ms) {
    unsigned level, slot;
    int64_t at;
    while (next_slot(w, &level, &slot, &at) && at <= now_ms) {
        w->now_ms = at;
        /* Detached with its back pointers, so that a callback may cancel any of the others. */
        struct timer *due = NULL;
        while (w->slot[level][slot] != NULL) {
            struct timer *t = w->slot[level][slot];
            list_unlink(t);
            list_push(&due, t);
        }
        w->bits[level] &= ~((uint64_t)1 << slot);
        while (due != NULL) {
            struct timer *t = due;
            list_unlink(t);
            if (t->due_ms <= w->now_ms) t->fn(t->arg);
            else wheel_insert(w, t);
        }
    }
    if (now_ms > w->now_ms) w->now_ms = now_ms;
}

void timer_arm(struct timer *t, int64_t in_ms, rt_fn fn, void *arg) {
    struct loop *l = rt_loop_self();
    BUG_ON(l == NULL);
    if (t->pprev != NULL) list_unlink(t);
    t->due_ms = clock_mono_ms() + MAX(in_ms, 0);
    t->fn = fn;
    t->arg = arg;
    wheel_insert(&l->wheel, t);
}

void timer_cancel(struct timer *t) {
    if (t->pprev != NULL) list_unlink(t);
}
