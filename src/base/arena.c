/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c — bump allocation; blocks double from 4 KiB to 256 KiB, larger wishes get their own block. */
#include "base/arena.h"

#include <stdarg.h>

#include "base/reserve.h"

struct arena_block {
    struct arena_block *prev;
    size_t n, cap;
    _Alignas(16) unsigned char data[];
};

void arena_init(struct arena *a, size_t max_bytes) {
    *a = (struct arena){NULL, 0, max_bytes};
}

static void block_free(struct arena_block *b) {
    if (!reserve_give(b)) free(b);
}

void arena_release(struct arena *a) {
    for (struct arena_block *b = a->head; b != NULL;) {
        struct arena_block *prev = b->prev;
        block_free(b);
        b = prev;
    }
    a->head = NULL;
    a->used_total = 0;
}

void arena_reset(struct arena *a) {
    struct arena_block *b = a->head;
    if (b == NULL) return;
    while (b->prev != NULL) {
        struct arena_block *prev = b->prev;
        a->used_total -= b->cap;
        block_free(b);
        b = prev;
    }
    b->n = 0;
    a->head = b;
}

static struct arena_block *block_push(struct arena *a, struct arena_block *nb, size_t cap) {
    if (nb == NULL) return NULL;
    nb->n = 0;
    nb->cap = cap;
    nb->prev = a->head;
    a->head = nb;
    a->used_total += cap;
    return nb;
}

/* A block with room for n, or NULL. */
static struct arena_block *block_new(struct arena *a, size_t n) {
    size_t cap = a->head == NULL ? 4096 - sizeof *a->head : MIN(a->head->cap * 2, (size_t)256 * KiB);
    if (cap < n || a->used_total + cap > a->max) cap = n;
    if (a->used_total + cap > a->max) return NULL;
    return block_push(a, malloc(sizeof *a->head + cap), cap);
}

static void *block_cut(struct arena_block *b, size_t n) {
    void *p = b->data + b->n;
    b->n += n;
    memset(p, 0, n);
    return p;
}

static size_t rounded(size_t n) {
    return (n + 15) & ~(size_t)15;
}

bool arena_full(const struct arena *a, size_t n) {
    return n > a->max || a->used_total + rounded(n) > a->max;
}

err arena_why(const struct arena *a, size_t n, err limit) {
    return arena_full(a, n) ? limit : E_NOMEM;
}

void *arena_try(struct arena *a, size_t n) {
    if (n > SIZE_MAX / 2) return NULL;
    n = rounded(n);
    struct arena_block *b = a->head;
    if (b == NULL || b->cap - b->n < n) b = block_new(a, n);
    return b == NULL ? NULL : block_cut(b, n);
}

/*
 * Callers bound their input by the arena's maximum, so NULL below it means that the allocator refused. The reserve
 * helps then; when that is used up too, waiting a little is better than ending a server of many people.
 */
enum { REFUSALS_MAX = 100, REFUSAL_WAIT_NS = 1000000, RESERVE_STEP = 8 * KiB - 64 };

static void *from_reserve(struct arena *a, size_t n) {
    n = rounded(n);
    size_t cap = MIN(MAX(n, (size_t)RESERVE_STEP), a->max - a->used_total);
    struct arena_block *b = block_push(a, reserve_take(sizeof *b + cap), cap);
    return b == NULL ? NULL : block_cut(b, n);
}

void *arena_alloc(struct arena *a, size_t n) {
    void *p = arena_try(a, n);
    for (int i = 0; p == NULL && i < REFUSALS_MAX && n < a->max && a->used_total + rounded(n) <= a->max; i++) {
        if (i > 0) nanosleep(&(struct timespec){0, REFUSAL_WAIT_NS}, NULL);
        p = from_reserve(a, n);
        if (p == NULL) p = arena_try(a, n);
    }
    BUG_ON(p == NULL);
    return p;
}

void *arena_alloc_n(struct arena *a, size_t n, size_t size) {
    size_t total;
    BUG_ON(__builtin_mul_overflow(n, size, &total));
    return arena_alloc(a, total);
}

struct str arena_str(struct arena *a, struct str s) {
    char *p = arena_alloc(a, s.n + 1);
    if (s.n > 0) memcpy(p, s.p, s.n);
    return (struct str){p, s.n};
}

char *arena_strz(struct arena *a, struct str s) {
    char *p = arena_alloc(a, s.n + 1);
    if (s.n > 0) memcpy(p, s.p, s.n);
    return p;
}

struct str arena_printf(struct arena *a, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    BUG_ON(n < 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (struct str){p, (size_t)n};
}
