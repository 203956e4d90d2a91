/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h1_chunk.c — chunked transfer coding, incremental, one byte at a time between chunks.
 *
 * States: SIZE (hex digits) -> SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE ...; a size of zero
 * leads through TRAILER lines to END. A trailer line must look like a header line (token, colon,
 * no control bytes); its content is dropped.
 */
#include "http/h1.h"

enum {
    ST_SIZE,
    ST_SIZE_LF,
    ST_DATA,
    ST_DATA_CR,
    ST_DATA_LF,
    ST_TRAILER,
    ST_TRAILER_NAME,
    ST_TRAILER_VALUE,
    ST_TRAILER_LF,
    ST_END_LF,
    ST_END
};

static int hex_val(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_name_char(char c) {
    char l = (char)(c | 0x20);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool size_byte(struct h1_chunk *c, char b) {
    int v = hex_val(b);
    if (v >= 0) {
        if (++c->count > 15) return false;
        c->left = c->left << 4 | (uint64_t)v;
        return true;
    }
    if (b != '\r' || c->count == 0) return false;
    c->state = ST_SIZE_LF;
    return true;
}

static bool trailer_byte(struct h1_chunk *c, char b) {
    if (++c->count > H1_TRAILER_MAX) return false;
    switch (c->state) {
    case ST_TRAILER:
        if (b == '\r') {
            c->state = ST_END_LF;
            return true;
        }
        c->state = ST_TRAILER_NAME;
        return is_name_char(b);
    case ST_TRAILER_NAME:
        if (b == ':') {
            c->state = ST_TRAILER_VALUE;
            return true;
        }
        return is_name_char(b);
    case ST_TRAILER_VALUE:
        if (b == '\r') {
            c->state = ST_TRAILER_LF;
            return true;
        }
        return ((unsigned char)b >= 0x20 && b != 0x7f) || b == '\t';
    case ST_TRAILER_LF: c->state = ST_TRAILER; return b == '\n';
    default: /* ST_END_LF */ c->state = ST_END; return b == '\n';
    }
}

/* One framing byte. */
static bool frame_byte(struct h1_chunk *c, char b) {
    switch (c->state) {
    case ST_SIZE: return size_byte(c, b);
    case ST_SIZE_LF:
        c->state = c->left > 0 ? ST_DATA : ST_TRAILER;
        c->count = 0;
        return b == '\n';
    case ST_DATA_CR: c->state = ST_DATA_LF; return b == '\r';
    case ST_DATA_LF: c->state = ST_SIZE; return b == '\n';
    default: return trailer_byte(c, b);
    }
}

enum h1_chunk_result h1_chunk_next(struct h1_chunk *c, const char *p, size_t n, size_t *used, struct str *data) {
    size_t i = 0;
    while (i < n && c->state != ST_DATA && c->state != ST_END) {
        if (!frame_byte(c, p[i])) {
            *used = i;
            return H1_CHUNK_BAD;
        }
        i++;
    }
    *used = i;
    if (c->state == ST_END) return H1_CHUNK_END;
    if (c->state != ST_DATA || i == n) return H1_CHUNK_MORE;
    size_t take = (size_t)MIN((uint64_t)(n - i), c->left);
    *data = (struct str){p + i, take};
    *used = i + take;
    h1_chunk_took(c, take);
    return H1_CHUNK_DATA;
}

uint64_t h1_chunk_left(const struct h1_chunk *c) {
    return c->state == ST_DATA ? c->left : 0;
}

void h1_chunk_took(struct h1_chunk *c, uint64_t n) {
    BUG_ON(c->state != ST_DATA || n > c->left);
    c->left -= n;
    if (c->left == 0) c->state = ST_DATA_CR;
}
