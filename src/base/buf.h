/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h — a growing byte buffer with a mandatory maximum.
 *
 * Appends past the maximum (or without memory) set `failed` and drop the bytes; the owner checks
 * once at the end with buf_ok(). So writers need no check per append and nothing grows unstated.
 */
#ifndef BALLAST_BUF_H
#define BALLAST_BUF_H

#include "base.h"
#include "err.h"
#include "str.h"

#include <stdarg.h>

struct buf {
    char *p;
    size_t n, cap, max;
    bool failed;
    bool no_memory; /* it failed for want of memory, not for its maximum */
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_release(struct buf *b); /* usable with cleanup(buf_release) */
void buf_reset(struct buf *b);   /* n = 0, keeps memory */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, struct str s);
void buf_cstr(struct buf *b, const char *z);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) printf_like(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) printf_like(2, 0);
void buf_u16le(struct buf *b, uint16_t v);
void buf_u32le(struct buf *b, uint32_t v);
void buf_u64le(struct buf *b, uint64_t v);
/* Room for n more bytes at b->p + b->n, or NULL (then failed). Commit with buf_grow_used. */
char *buf_room(struct buf *b, size_t n);
void buf_used(struct buf *b, size_t n);
/* Drop the first n bytes. */
void buf_eat(struct buf *b, size_t n);
struct str buf_view(const struct buf *b);
/* E_LIMIT "WHAT exceeds MAX bytes" if an append was dropped. */
must_check err buf_ok(const struct buf *b, const char *what);
#endif
