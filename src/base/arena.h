/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h — bump allocation with one lifetime (a request, a job) and a stated maximum.
 *
 * Allocation never returns NULL: exceeding the maximum is reported by arena_try or, for arena_new
 * and friends, ends the process through BUG_ON only when the caller did not bound its input first.
 * While the allocator refuses, arena_alloc lives on the reserve (reserve.h, docs/decisions/0011).
 * Handlers therefore bound input by size before they allocate in proportion to it; arena maxima
 * are generous multiples of those bounds.
 */
#ifndef BALLAST_ARENA_H
#define BALLAST_ARENA_H

#include "base.h"
#include "err.h"
#include "str.h"

struct arena {
    struct arena_block *head;
    size_t used_total; /* bytes of blocks obtained */
    size_t max;
};

void arena_init(struct arena *a, size_t max_bytes);
void arena_release(struct arena *a);
void arena_reset(struct arena *a); /* keeps the first block for reuse */
/* 16-byte aligned, zeroed. */
void *arena_alloc(struct arena *a, size_t n);
/* As arena_alloc, but NULL when the maximum would be exceeded or memory is out. */
void *arena_try(struct arena *a, size_t n);
/* Would n more bytes exceed the maximum? Tells a limit (the caller asked for too much) from want of memory. */
bool arena_full(const struct arena *a, size_t n);
/* The kind of a failed arena_try: `limit`, or E_NOMEM when the allocator refused. */
err arena_why(const struct arena *a, size_t n, err limit);
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc_n((a), (n), sizeof(type)))
void *arena_alloc_n(struct arena *a, size_t n, size_t size); /* overflow-checked */
struct str arena_str(struct arena *a, struct str s);         /* copy, NUL behind it */
char *arena_strz(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *fmt, ...) printf_like(2, 3);
#endif
