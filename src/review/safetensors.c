/* SPDX-License-Identifier: Apache-2.0 */
/*
 * safetensors.c — u64 header length N, N bytes of JSON, data. Strict: N ≤ 100,000,000, keys unique,
 * every tensor {dtype, shape, data_offsets:[a,b]} with b−a = ∏shape·itemsize, and the spans tile
 * [0, size) exactly: no hole hides bytes, no overlap makes a small file large.
 */
#include "base/arena.h"
#include "base/json.h"
#include "scan.h"

#define ST_HEADER_MAX ((uint64_t)100000000)
enum { ST_TENSORS_MAX = 1000000 };

struct tile {
    uint64_t a, b;
};

static unsigned dtype_bits(struct str t) {
    static const struct {
        const char *name;
        unsigned bits;
    } types[] = {{"F64", 64},    {"F32", 32},    {"F16", 16},    {"BF16", 16},   {"I64", 64},        {"I32", 32},
                 {"I16", 16},    {"I8", 8},      {"U64", 64},    {"U32", 32},    {"U16", 16},        {"U8", 8},
                 {"BOOL", 8},    {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
                 {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},      {"C64", 64},    {"E8M0", 8},        {"F4_E2M1", 4}};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eqz(t, types[i].name)) return types[i].bits;
    return 0;
}

static int by_start(const void *x, const void *y) {
    const struct tile *p = x, *q = y;
    if (p->a != q->a) return p->a < q->a ? -1 : 1;
    return p->b < q->b ? -1 : p->b > q->b;
}

static bool name_escapes(struct str n) {
    if (n.n == 0 || n.p[0] == '/' || n.p[0] == '\\' || memchr(n.p, 0, n.n)) return true;
    struct str rest = n, part;
    while (str_split(&rest, '/', &part))
        if (str_eqz(part, "..")) return true;
    return str_find(n, STR("..\\")) >= 0;
}

static bool one_tensor(struct scan *s, struct str name, struct jv t, struct tile *out) {
    struct jv off = jv_get(t, "data_offsets"), shape = jv_get(t, "shape");
    if (name_escapes(name)) facts_add(s->f, FACT_ST_NAME, name, -1);
    if (jv_type(t) != JSON_OBJECT || jv_type(off) != JSON_ARRAY || jv_len(off) != 2 || jv_type(shape) != JSON_ARRAY ||
        jv_len(shape) > 64) {
        facts_add(s->f, FACT_ST_HEADER, name, 8);
        return false;
    }
    uint64_t a, b;
    if (!str_to_u64(jv_raw(jv_at(off, 0)), &a) || !str_to_u64(jv_raw(jv_at(off, 1)), &b) || a > b) {
        facts_add(s->f, FACT_ST_TILING, name, 8);
        return false;
    }
    unsigned bits = dtype_bits(jv_str(jv_get(t, "dtype"), STR_NULL));
    unsigned __int128 need = bits;
    bool ok = bits != 0;
    for (struct jv_iter it = jv_iter(shape); ok && jv_next(&it);) {
        uint64_t d;
        ok = str_to_u64(jv_raw(it.val), &d) && (d == 0 || need < ((unsigned __int128)1 << 70));
        need = ok ? need * d : need;
    }
    if (!ok || need != (unsigned __int128)(b - a) * 8) facts_add(s->f, FACT_ST_DTYPE, name, 8);
    *out = (struct tile){a, b};
    return true;
}

static void metadata(struct scan *s, struct jv m) {
    if (jv_type(m) != JSON_OBJECT) {
        facts_addz(s->f, FACT_ST_HEADER, "__metadata__", 8);
        return;
    }
    for (struct jv_iter it = jv_iter(m); jv_next(&it);) {
        struct str v = jv_str(it.val, STR_NULL);
        if (jv_type(it.val) != JSON_STRING) facts_add(s->f, FACT_ST_META, it.key, 8);
        if (str_find(v, STR("__import__")) >= 0 || str_find(v, STR("os.system")) >= 0 ||
            str_find(v, STR("subprocess")) >= 0 || str_find(v, STR("eval(")) >= 0 || str_find(v, STR("exec(")) >= 0 ||
            str_find(v, STR("<script")) >= 0)
            facts_add(s->f, FACT_ST_META, it.key, 8);
    }
}

static void tiles_check(struct scan *s, struct tile *t, size_t n, uint64_t size) {
    scan_sort(t, n, sizeof *t, by_start);
    uint64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (t[i].a > at) facts_addf(s->f, FACT_ST_TILING, -1, "hole at %" PRIu64, at);
        if (t[i].a < at) facts_addf(s->f, FACT_ST_TILING, -1, "overlap at %" PRIu64, t[i].a);
        if (t[i].a != at) return;
        at = t[i].b;
    }
    if (at > size) facts_addf(s->f, FACT_ST_TILING, -1, "ends at %" PRIu64 " of %" PRIu64, at, size);
    if (at < size) facts_addf(s->f, FACT_ST_TRAILING, -1, "%" PRIu64 " bytes", size - at);
}

static void header(struct scan *s, struct arena *a, struct span b, uint64_t n) {
    const struct json_limits lim = {
        .max_bytes = ST_HEADER_MAX, .max_depth = 4, .max_nodes = 16u << 20, .allow_duplicate_keys = false};
    struct jv root;
    if (json_parse(a, span_str(span_sub(b, 8, (size_t)n)), &lim, &root) != OK || jv_type(root) != JSON_OBJECT) {
        const char *why = err_text();
        bool dup = strstr(why, "duplicate") || strstr(why, "twice");
        facts_addf(s->f, dup ? FACT_ST_DUP : FACT_ST_HEADER, 8, "%s", why);
        facts_cover(s->f, COVERAGE_PARTIAL);
        return;
    }
    size_t tensors = 0, cap = jv_len(root);
    if (cap > ST_TENSORS_MAX) {
        facts_addz(s->f, FACT_ST_HEADER, "too many tensors", 8);
        facts_cover(s->f, COVERAGE_PARTIAL);
        return;
    }
    struct tile *tiles = calloc(cap + 1, sizeof *tiles);
    if (!tiles) {
        facts_cover(s->f, COVERAGE_PARTIAL);
        return;
    }
    bool ok = true;
    for (struct jv_iter it = jv_iter(root); jv_next(&it) && !scan_late(s);) {
        if (str_eqz(it.key, "__metadata__")) metadata(s, it.val);
        else if (one_tensor(s, it.key, it.val, &tiles[tensors])) tensors++;
        else ok = false;
    }
    if (ok) tiles_check(s, tiles, tensors, b.n - 8 - n);
    free(tiles);
}

/*
 * Eight characters of text before a brace ("textarea{", a first line of JSONL) read as a length of 2^48 and more, which
 * no loader takes: that is text, unless its name says otherwise.
 */
static bool begins_as_text(struct span b) {
    return !span_has_control(span_sub(b, 0, 8), "\t\n\r");
}

bool safetensors_scan(struct scan *s, struct span b, struct str name) {
    if (b.n < 10 || b.p[8] != '{') return false;
    if (begins_as_text(b) && !str_iends(name, ".safetensors")) return false;
    uint64_t n = le64(b.p);
    /* the JSON begins at byte 8; a length that lies does not make it another format */
    bool key = b.p[9] == '"' || b.p[9] == '}' || b.p[9] == ' ' || b.p[9] == '\n';
    if (n < 2 || (n > b.n && n <= ST_HEADER_MAX) || (n > ST_HEADER_MAX && !key)) return false;
    facts_format(s->f, "safetensors");
    if (n < 2 || n > ST_HEADER_MAX || n > b.n - 8) {
        facts_addf(s->f, FACT_ST_HEADER, 0, "length %" PRIu64, n);
        facts_cover(s->f, COVERAGE_PARTIAL);
        pickle_carve(s, span_from(b, 8));
        return true;
    }
    struct arena a;
    arena_init(&a, 16 * (size_t)n + 8 * MiB < 160 * MiB ? 16 * (size_t)n + 8 * MiB : 160 * MiB);
    header(s, &a, b, n);
    arena_release(&a);
    struct span data = span_from(b, 8 + (size_t)n);
    if (facts_has(s->f, FACT_ST_TRAILING) || facts_has(s->f, FACT_ST_TILING)) {
        pickle_carve(s, data);
        if (zip_at_end(b)) facts_addz(s->f, FACT_POLYGLOT, "safetensors + zip", -1);
    }
    return true;
}
