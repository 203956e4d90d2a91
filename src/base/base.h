/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base.h — the vocabulary every file of Ballast includes first.
 *
 * Control-flow macros are limited to TRY() and the cleanup attribute; assertions
 * (BUG_ON) stay on in release builds, since a server that continues on a broken
 * invariant loses data quietly.
 */
#ifndef BALLAST_BASE_H
#define BALLAST_BASE_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define must_check __attribute__((warn_unused_result))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))
#define cleanup(fn) __attribute__((cleanup(fn)))
#define unused_arg __attribute__((unused))
#define noreturn_fn __attribute__((noreturn))
/* The function may suspend the calling fiber: no pointer into a loop-owned table may live across it. */
#define may_suspend

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define KiB ((size_t)1024)
#define MiB ((size_t)1024 * 1024)
#define GiB ((size_t)1024 * 1024 * 1024)

noreturn_fn void base_bug(const char *file, int line, const char *what);
#define BUG_ON(cond)                                                                                                   \
    do {                                                                                                               \
        if (__builtin_expect(!!(cond), 0)) base_bug(__FILE__, __LINE__, #cond);                                        \
    } while (0)

#include "banned.h"
#endif
