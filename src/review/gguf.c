/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gguf.c — "GGUF" u32 version, u64 n_tensors, u64 n_kv; key/value pairs; tensor infos; padding to
 * `general.alignment`; data. ggml's own arithmetic is replayed in 128 bits, so no product can wrap.
 * The chat template is handed to jinja_scan.
 */
#include "scan.h"

enum { T_U8, T_I8, T_U16, T_I16, T_U32, T_I32, T_F32, T_BOOL, T_STRING, T_ARRAY, T_U64, T_I64, T_F64, T_COUNT };
static const uint8_t type_size[T_COUNT] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
#define GGUF_STRING_MAX ((uint64_t)1 << 30)
enum { GGUF_KV_MAX = 65536, GGUF_TENSORS_MAX = 1000000, GGUF_ARRAY_DEPTH = 2 };

struct rd {
    struct scan *s;
    struct span b;
    size_t at;
    bool bad;
    const char *why;
};

static void fail(struct rd *r, const char *why) {
    if (!r->bad) r->why = why;
    r->bad = true;
}
static const uint8_t *take(struct rd *r, uint64_t n, const char *why) {
    if (r->bad || n > r->b.n - r->at) {
        fail(r, why);
        return NULL;
    }
    const uint8_t *p = r->b.p + r->at;
    r->at += (size_t)n;
    return p;
}
static uint32_t rd32(struct rd *r) {
    const uint8_t *p = take(r, 4, "cut off");
    return p ? le32(p) : 0;
}
static uint64_t rd64(struct rd *r) {
    const uint8_t *p = take(r, 8, "cut off");
    return p ? le64(p) : 0;
}
static struct str rd_str(struct rd *r) {
    uint64_t n = rd64(r);
    if (n > GGUF_STRING_MAX) fail(r, "string length");
    const uint8_t *p = take(r, n, "string beyond the end");
    return p ? str_make(p, (size_t)n) : STR_NULL;
}

/* The tensor types of ggml: elements a block, bytes a block; 0 = gap in the numbering. */
static const uint16_t ggml_types[][2] = {
    [0] = {1, 4},      [1] = {1, 2},      [2] = {32, 18},   [3] = {32, 20},    [6] = {32, 22},    [7] = {32, 24},
    [8] = {32, 34},    [9] = {32, 36},    [10] = {256, 84}, [11] = {256, 110}, [12] = {256, 144}, [13] = {256, 176},
    [14] = {256, 210}, [15] = {256, 292}, [16] = {256, 66}, [17] = {256, 74},  [18] = {256, 98},  [19] = {256, 50},
    [20] = {32, 18},   [21] = {256, 110}, [22] = {256, 82}, [23] = {256, 136}, [24] = {1, 1},     [25] = {1, 2},
    [26] = {1, 4},     [27] = {1, 8},     [28] = {1, 8},    [29] = {256, 56},  [30] = {1, 2},     [34] = {256, 54},
    [35] = {256, 66},  [39] = {32, 17},
};

static void value(struct rd *r, uint32_t type, unsigned depth, struct str key);

static void array(struct rd *r, unsigned depth, struct str key) {
    uint32_t type = rd32(r);
    uint64_t n = rd64(r);
    if (type >= T_COUNT) fail(r, "array type");
    if (depth >= GGUF_ARRAY_DEPTH) fail(r, "arrays nested too deeply");
    if (r->bad) return;
    if (type_size[type]) {
        if (n > r->b.n / type_size[type]) fail(r, "array beyond the end");
        else take(r, n * type_size[type], "array beyond the end");
        return;
    }
    if (n > r->b.n / 8) {
        fail(r, "array beyond the end");
        return;
    }
    for (uint64_t i = 0; i < n && !r->bad; i++) {
        if ((i & 0xffff) == 0 && scan_late(r->s)) return;
        value(r, type, depth + 1, STR_NULL);
    }
    (void)key;
}

static bool is_template(struct str key) {
    return str_starts(key, "tokenizer.chat_template") || str_ends(key, ".chat_template");
}

static void value(struct rd *r, uint32_t type, unsigned depth, struct str key) {
    if (type >= T_COUNT) {
        fail(r, "value type");
        return;
    }
    if (type == T_ARRAY) {
        array(r, depth, key);
    } else if (type == T_STRING) {
        struct str v = rd_str(r);
        if (!r->bad && key.n && is_template(key)) {
            size_t mark = facts_enter(r->s->f, key);
            jinja_scan(r->s, v);
            facts_leave(r->s->f, mark);
        }
    } else {
        const uint8_t *p = take(r, type_size[type], "value cut off");
        if (p && type == T_BOOL && *p > 1) fail(r, "boolean");
    }
}

static void pairs(struct rd *r, uint64_t n, uint64_t *align) {
    enum { HASHES = 65536 * 2 };
    uint64_t *seen = calloc(HASHES, sizeof *seen);
    if (!seen) {
        fail(r, "memory");
        return;
    }
    for (uint64_t i = 0; i < n && !r->bad && !scan_late(r->s); i++) {
        struct str key = rd_str(r);
        if (r->bad) break;
        if (key.n == 0 || key.n > 65535) fail(r, "key length");
        uint32_t type = rd32(r);
        uint64_t h = str_hash(key) | 1;
        size_t at = (size_t)(h >> 20) % HASHES;
        while (seen[at] && seen[at] != h) at = (at + 1) % HASHES;
        if (seen[at] == h) facts_add(r->s->f, FACT_GGUF_DUP, key, (int64_t)r->at);
        seen[at] = h;
        if (str_eqz(key, "general.alignment") && type == T_U32 && r->b.n - r->at >= 4) *align = le32(r->b.p + r->at);
        value(r, type, 0, key);
    }
    free(seen);
}

struct extent {
    uint64_t a, b;
};
static int by_start(const void *x, const void *y) {
    const struct extent *p = x, *q = y;
    return p->a < q->a ? -1 : p->a > q->a;
}

/* One tensor info; its extent relative to the data. False: stop. */
static bool tensor(struct rd *r, uint64_t align, struct extent *e) {
    struct str name = rd_str(r);
    uint32_t dims = rd32(r);
    if (r->bad || name.n > 4096 || dims > 8) {
        fail(r, "tensor dimensions");
        return false;
    }
    unsigned __int128 n = 1;
    uint64_t row = 1;
    for (uint32_t i = 0; i < dims; i++) {
        uint64_t d = rd64(r);
        if (i == 0) row = d;
        if (d > INT64_MAX || (d && n > ((unsigned __int128)1 << 63) / d)) fail(r, "tensor size overflows");
        else n *= d;
    }
    uint32_t type = rd32(r);
    uint64_t off = rd64(r);
    if (r->bad) return false;
    if (type >= ARRAY_LEN(ggml_types) || ggml_types[type][0] == 0) {
        facts_addf(r->s->f, FACT_GGUF_TYPE, (int64_t)r->at, "%" PRIu32, type);
        facts_cover(r->s->f, COVERAGE_PARTIAL);
        *e = (struct extent){off, off};
        return true;
    }
    if (row % ggml_types[type][0]) fail(r, "row is not whole blocks");
    unsigned __int128 bytes = n / ggml_types[type][0] * ggml_types[type][1];
    if (off % align || bytes + off > ((unsigned __int128)1 << 63)) fail(r, "tensor offset");
    *e = (struct extent){off, off + (uint64_t)bytes};
    return !r->bad;
}

static void extents(struct rd *r, struct extent *e, size_t n, uint64_t align) {
    uint64_t data = (r->at + align - 1) / align * align, end = 0;
    scan_sort(e, n, sizeof *e, by_start);
    for (size_t i = 0; i < n; i++) {
        if (e[i].a < end) facts_addf(r->s->f, FACT_GGUF_TENSOR, -1, "tensors overlap at %" PRIu64, e[i].a);
        end = MAX(end, e[i].b);
    }
    if (n == 0) return;
    uint64_t have = r->b.n > data ? r->b.n - data : 0, padded = (end + align - 1) / align * align;
    if (end > have) {
        facts_addf(r->s->f, FACT_GGUF_TRUNCATED, -1, "%" PRIu64 " of %" PRIu64 " bytes", have, end);
        facts_cover(r->s->f, COVERAGE_PARTIAL);
    } else if (have > padded) {
        facts_addf(r->s->f, FACT_GGUF_TRAILING, (int64_t)(data + padded), "%" PRIu64 " bytes", have - padded);
        facts_cover(r->s->f, COVERAGE_PARTIAL);
        scan_payload(r->s, span_from(r->b, (size_t)(data + padded)), STR("trailing"));
        pickle_carve(r->s, span_from(r->b, (size_t)(data + padded)));
    }
}

static void body(struct rd *r) {
    uint64_t n_tensors = rd64(r), n_kv = rd64(r), align = 32;
    if (n_kv > GGUF_KV_MAX || n_kv > r->b.n / 13) fail(r, "number of keys");
    if (n_tensors > GGUF_TENSORS_MAX || n_tensors > r->b.n / 25) fail(r, "number of tensors");
    if (!r->bad) pairs(r, n_kv, &align);
    if (align == 0 || (align & (align - 1)) || align > (1u << 24)) fail(r, "alignment");
    if (r->bad || r->s->late) return;
    struct extent *e = calloc((size_t)n_tensors + 1, sizeof *e);
    if (!e) {
        fail(r, "memory");
        return;
    }
    for (uint64_t i = 0; i < n_tensors; i++)
        if (!tensor(r, align, &e[i])) break;
    if (!r->bad) extents(r, e, (size_t)n_tensors, align);
    free(e);
}

bool gguf_scan(struct scan *s, struct span b) {
    if (!span_is(b, 0, "GGUF", 4)) return false;
    facts_format(s->f, "gguf");
    struct rd r = {.s = s, .b = b, .at = 4};
    uint32_t version = rd32(&r);
    if (r.bad || version < 2 || version > 3) {
        facts_addf(s->f, FACT_GGUF_VERSION, 4, "%" PRIu32, version);
        facts_cover(s->f, COVERAGE_NONE);
        pickle_carve(s, b);
        return true;
    }
    body(&r);
    if (r.bad) {
        facts_addz(s->f, FACT_GGUF_HEADER, r.why, (int64_t)r.at);
        facts_cover(s->f, COVERAGE_PARTIAL);
        pickle_carve(s, b);
    }
    return true;
}
