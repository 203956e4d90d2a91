/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tensors_gguf.c — the header of a GGUF file as rows.
 *
 * Layout (version 2 and 3, little-endian): "GGUF", u32 version, u64 tensors, u64 pairs; pairs: string key, u32 type,
 * value; tensors: string name, u32 dims, dims × u64, u32 type, u64 offset. string: u64 length, bytes. Arrays: u32 type,
 * u64 count, values. Vocabularies make headers megabytes long, so values are read past, not kept; HEADER_MAX bounds it.
 */
#include "web/file_view.h"

enum { HEADER_MAX = 64 * 1024 * 1024, WINDOW = 64 * 1024, T_STRING = 8, T_ARRAY = 9 };

struct rd {
    struct byte_source *s;
    struct arena *a;
    char *buf;
    size_t at, n;
    uint64_t total;
};

static const unsigned char sizes[] = {1, 1, 2, 2, 4, 4, 4,
                                      1, 0, 0, 8, 8, 8}; /* u8 i8 u16 i16 u32 i32 f32 bool str arr u64 i64 f64 */
static const struct {
    const char *name;
    unsigned block, bytes;
} types[] = {{"F32", 1, 4},      {"F16", 1, 2},        {"Q4_0", 32, 18},    {"Q4_1", 32, 20},     {NULL, 0, 0},
             {NULL, 0, 0},       {"Q5_0", 32, 22},     {"Q5_1", 32, 24},    {"Q8_0", 32, 34},     {"Q8_1", 32, 36},
             {"Q2_K", 256, 84},  {"Q3_K", 256, 110},   {"Q4_K", 256, 144},  {"Q5_K", 256, 176},   {"Q6_K", 256, 210},
             {"Q8_K", 256, 292}, {"IQ2_XXS", 256, 66}, {"IQ2_XS", 256, 74}, {"IQ3_XXS", 256, 98}, {"IQ1_S", 256, 50},
             {"IQ4_NL", 32, 18}, {"IQ3_S", 256, 110},  {"IQ2_S", 256, 82},  {"IQ4_XS", 256, 136}, {"I8", 1, 1},
             {"I16", 1, 2},      {"I32", 1, 4},        {"I64", 1, 8},       {"F64", 1, 8},        {"IQ1_M", 256, 56},
             {"BF16", 1, 2}};

static err bad(void) {
    return err_fail(E_UNPROCESSABLE, "this is not a GGUF header");
}

/* n bytes into p, or past when p is NULL. */
static err take(struct rd *r, void *p, uint64_t n) {
    if (n > HEADER_MAX || r->total + n > HEADER_MAX) return bad();
    r->total += n;
    while (n > 0) {
        if (r->at == r->n) {
            r->at = 0;
            TRY(r->s->read(r->s->arg, r->buf, WINDOW, &r->n));
            if (r->n == 0) return bad();
        }
        size_t some = MIN((size_t)n, r->n - r->at);
        if (p != NULL) {
            memcpy(p, r->buf + r->at, some);
            p = (char *)p + some;
        }
        r->at += some;
        n -= some;
    }
    return OK;
}

static err take_int(struct rd *r, unsigned bytes, uint64_t *out) {
    uint8_t b[8];
    TRY(take(r, b, bytes));
    *out = 0;
    for (unsigned i = bytes; i-- > 0;) *out = *out << 8 | b[i];
    return OK;
}

/* A string, at most `keep` bytes of it kept. */
static err take_string(struct rd *r, size_t keep, struct str *out) {
    uint64_t n;
    TRY(take_int(r, 8, &n));
    size_t k = (size_t)MIN(n, (uint64_t)keep);
    char *p = arena_alloc(r->a, k + 1);
    TRY(take(r, p, k));
    TRY(take(r, NULL, n - k));
    *out = view_clip(r->a, str_make(p, k), VIEW_CELL_MAX);
    return OK;
}

static err scalar_text(struct rd *r, uint64_t type, struct str *out) {
    uint64_t v;
    TRY(take_int(r, sizes[type], &v));
    union {
        uint32_t u;
        float f;
    } f32 = {.u = (uint32_t)v};
    union {
        uint64_t u;
        double f;
    } f64 = {.u = v};
    if (type == 6) *out = arena_printf(r->a, "%g", (double)f32.f);
    else if (type == 12) *out = arena_printf(r->a, "%g", f64.f);
    else if (type == 7) *out = v ? STR("true") : STR("false");
    else if (type == 5) *out = arena_printf(r->a, "%" PRId32, (int32_t)(uint32_t)v);
    else if (type == 11) *out = arena_printf(r->a, "%" PRId64, (int64_t)v);
    else *out = arena_printf(r->a, "%" PRIu64, v);
    return OK;
}

static err value_text(struct rd *r, uint64_t type, struct str *out) {
    if (type == T_STRING) return take_string(r, VIEW_CELL_MAX * 4, out);
    if (type != T_ARRAY) return type < ARRAY_LEN(sizes) ? scalar_text(r, type, out) : bad();
    uint64_t of, n;
    TRY(take_int(r, 4, &of));
    TRY(take_int(r, 8, &n));
    if (of >= ARRAY_LEN(sizes) || of == T_ARRAY || n > HEADER_MAX) return bad();
    *out = arena_printf(r->a, "[%" PRIu64 "]", n);
    if (of != T_STRING) return take(r, NULL, n * sizes[of]);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t len;
        TRY(take_int(r, 8, &len));
        TRY(take(r, NULL, len));
    }
    return OK;
}

static err tensor_take(struct rd *r, struct view_file *v, struct tensor_row *row) {
    uint64_t dims, d, type, offset, count = 1;
    TRY(take_string(r, VIEW_CELL_MAX, &row->name));
    TRY(take_int(r, 4, &dims));
    if (dims > 8) return bad();
    row->shape = STR("1");
    for (uint64_t i = 0; i < dims; i++) {
        TRY(take_int(r, 8, &d));
        if (__builtin_mul_overflow(count, d, &count) || count > (uint64_t)INT64_MAX) return bad();
        row->shape = i == 0 ? arena_printf(r->a, "%" PRIu64, d)
                            : arena_printf(r->a, STR_FMT " × %" PRIu64, STR_ARG(row->shape), d);
    }
    TRY(take_int(r, 4, &type));
    TRY(take_int(r, 8, &offset));
    bool known = type < ARRAY_LEN(types) && types[type].name != NULL;
    row->dtype = known ? str_of(types[type].name) : arena_printf(r->a, "type %" PRIu64, type);
    row->bytes = known ? count / types[type].block * types[type].bytes : 0;
    if (__builtin_add_overflow(v->n_params, (int64_t)count, &v->n_params)) v->n_params = 0;
    return OK;
}

err view_gguf(struct arena *a, struct byte_source *s, struct view_file *v) {
    struct rd r = {.s = s, .a = a, .buf = arena_alloc(a, WINDOW)};
    uint64_t magic, version, n_tensors, n_pairs, type;
    TRY(take_int(&r, 4, &magic));
    TRY(take_int(&r, 4, &version));
    if (magic != 0x46554747 || version < 2 || version > 3) return bad();
    TRY(take_int(&r, 8, &n_tensors));
    TRY(take_int(&r, 8, &n_pairs));
    if (n_tensors > 100000 || n_pairs > 100000) return bad();
    struct meta_row *meta = arena_array(a, struct meta_row, VIEW_META);
    struct tensor_row *rows = arena_array(a, struct tensor_row, VIEW_TENSORS), spare;
    size_t m = 0;
    v->n_params = 0;
    for (uint64_t i = 0; i < n_pairs; i++) {
        struct meta_row row;
        TRY(take_string(&r, VIEW_CELL_MAX, &row.key));
        TRY(take_int(&r, 4, &type));
        TRY(value_text(&r, type, &row.value));
        if (m < VIEW_META) meta[m++] = row;
    }
    for (uint64_t i = 0; i < n_tensors; i++) TRY(tensor_take(&r, v, i < VIEW_TENSORS ? &rows[i] : &spare));
    v->kind = "tensors";
    v->n_tensors = (int64_t)n_tensors;
    v->cut = n_tensors > VIEW_TENSORS;
    v->tensors.p = rows, v->tensors.n = (size_t)MIN(n_tensors, (uint64_t)VIEW_TENSORS);
    v->meta.p = meta, v->meta.n = m;
    return OK;
}
