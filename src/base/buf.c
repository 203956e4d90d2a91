/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c — bounded growing buffer. */
#include "base/buf.h"

#include "base/reserve.h"

enum { BUF_RESERVE_MAX = 64 * KiB };

void buf_init(struct buf *b, size_t max_bytes) {
    *b = (struct buf){NULL, 0, 0, max_bytes, false, false};
}

void buf_release(struct buf *b) {
    reserve_free(b->p);
    b->p = NULL;
    b->n = b->cap = 0;
}

void buf_reset(struct buf *b) {
    b->n = 0;
    b->failed = b->no_memory = false;
}

static char *grow_large(char *p, size_t had, size_t n) {
    if (had > BUF_RESERVE_MAX || p == NULL) return realloc(p, n);
    char *q = malloc(n); /* p may be of the reserve */
    if (q == NULL) return NULL;
    memcpy(q, p, had);
    reserve_free(p);
    return q;
}

char *buf_room(struct buf *b, size_t n) {
    if (b->failed || n > b->max || b->n > b->max - n) {
        b->failed = true;
        return NULL;
    }
    if (b->cap - b->n < n) {
        size_t cap = b->cap == 0 ? 256 : b->cap;
        while (cap < b->n + n) cap *= 2;
        if (cap > b->max) cap = b->max;
        /* Small ones have the reserve behind them: what they hold (a header, an error, a signature) must not fail. */
        char *p = cap <= BUF_RESERVE_MAX ? reserve_realloc(b->p, cap) : grow_large(b->p, b->cap, cap);
        if (p == NULL) {
            b->failed = b->no_memory = true;
            return NULL;
        }
        b->p = p;
        b->cap = cap;
    }
    return b->p + b->n;
}

void buf_used(struct buf *b, size_t n) {
    BUG_ON(n > b->cap - b->n);
    b->n += n;
}

void buf_add(struct buf *b, const void *p, size_t n) {
    if (n == 0) return;
    char *to = buf_room(b, n);
    if (to == NULL) return;
    memcpy(to, p, n);
    b->n += n;
}

void buf_str(struct buf *b, struct str s) {
    buf_add(b, s.p, s.n);
}
void buf_cstr(struct buf *b, const char *z) {
    buf_add(b, z, strlen(z));
}
void buf_char(struct buf *b, char c) {
    buf_add(b, &c, 1);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) {
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    BUG_ON(n < 0);
    /* vsnprintf wants room for its NUL, which does not count as content. */
    size_t max = b->max;
    b->max = max < SIZE_MAX ? max + 1 : max;
    char *to = buf_room(b, (size_t)n + 1);
    b->max = max;
    if (to != NULL) {
        vsnprintf(to, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}
#pragma GCC diagnostic pop

void buf_printf(struct buf *b, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void buf_u16le(struct buf *b, uint16_t v) {
    uint8_t t[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
    buf_add(b, t, sizeof t);
}
void buf_u32le(struct buf *b, uint32_t v) {
    uint8_t t[4];
    for (int i = 0; i < 4; i++) t[i] = (uint8_t)(v >> (8 * i));
    buf_add(b, t, sizeof t);
}
void buf_u64le(struct buf *b, uint64_t v) {
    uint8_t t[8];
    for (int i = 0; i < 8; i++) t[i] = (uint8_t)(v >> (8 * i));
    buf_add(b, t, sizeof t);
}

void buf_eat(struct buf *b, size_t n) {
    BUG_ON(n > b->n);
    b->n -= n;
    if (b->n > 0 && n > 0) memmove(b->p, b->p + n, b->n);
}

struct str buf_view(const struct buf *b) {
    return (struct str){b->p, b->n};
}

err buf_ok(const struct buf *b, const char *what) {
    if (!b->failed) return OK;
    if (b->no_memory) return err_fail(E_NOMEM, "out of memory for %s; try again shortly", what);
    return err_fail(E_LIMIT, "%s is larger than the limit of %zu bytes", what, b->max);
}
