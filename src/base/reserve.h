/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reserve.h — memory set aside for the moment when the allocator refuses.
 *
 * Small allocations that have no way to fail politely (arena blocks, OpenSSL's contexts) come from here while malloc
 * says no, so requests under way end with an answer. Who admits new work asks reserve_low() and turns it away
 * meanwhile. The reserve is address space, obtained once and not touched: it costs no resident memory until it is
 * needed. Without reserve_init (command line, tests of lower rooms) there is none, and reserve_take gives NULL.
 */
#ifndef BALLAST_RESERVE_H
#define BALLAST_RESERVE_H

#include "base.h"

enum { RESERVE_BYTES = 16 << 20 };

/* Once, before threads start. Also makes OpenSSL fall back to the reserve. False: the address space was refused. */
bool reserve_init(void);
/* 16-byte aligned, not zeroed; NULL when there is no run of free units that long. Any thread. */
void *reserve_take(size_t n);
/* Gives p back if it came from the reserve; false: it did not, free() it. */
bool reserve_give(void *p);
/* malloc, realloc and free with the reserve behind them, for libraries that let us choose. What grows must fit. */
void *reserve_malloc(size_t n);
void *reserve_calloc(size_t n); /* one zeroed object */
void *reserve_realloc(void *p, size_t n);
void reserve_free(void *p);
/* More than a quarter is in use: finish what runs, admit nothing new. */
bool reserve_low(void);
/* Blocks handed out since the start, for /metrics. */
uint64_t reserve_taken(void);
#endif
