/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numpy.c — .npy: "\x93NUMPY" major minor, header length (2 bytes for 1.0, 4 for 2.0/3.0), a Python
 * dict literal {'descr':…, 'fortran_order':…, 'shape':(…)}, then exactly prod(shape)·itemsize bytes —
 * or a pickle when the type holds objects.
 */
#include "scan.h"

static struct str literal_of(struct str h, const char *key) {
    ptrdiff_t at = str_find(h, str_of(key));
    if (at < 0) return STR_NULL;
    struct str r = str_trim(str_from(h, (size_t)at + strlen(key)));
    if (r.n == 0 || r.p[0] != ':') return STR_NULL;
    return str_trim(str_from(r, 1));
}

/* Item size of one type string; objects are told apart. */
static bool item_of(struct str t, uint64_t *item, bool *object) {
    if (t.n && strchr("<>|=", t.p[0])) t = str_from(t, 1);
    if (t.n == 0) return false;
    if (t.p[0] == 'O') {
        *object = true;
        return true;
    }
    uint64_t n = 0;
    size_t i = 1;
    while (i < t.n && t.p[i] >= '0' && t.p[i] <= '9' && n < (1u << 30)) n = n * 10 + (uint64_t)(t.p[i++] - '0');
    if (!strchr("biufcSUVmM?", t.p[0])) return false;
    if (t.p[0] == '?' && i == 1) n = 1;
    *item += t.p[0] == 'U' ? n * 4 : n;
    return i > 1 || t.p[0] == '?';
}

/* descr is 'f8' or a list of (name, type[, shape]) */
static bool descr_of(struct str d, uint64_t *item, bool *object, bool *structured) {
    if (d.n && (d.p[0] == '\'' || d.p[0] == '"')) {
        ptrdiff_t e = str_chr(str_from(d, 1), d.p[0]);
        return e >= 0 && item_of(str_sub(d, 1, (size_t)e), item, object);
    }
    *structured = d.n && d.p[0] == '[';
    /* any object field: "'|O'" or "'O'" as a type */
    *object = *object || str_find(d, STR("'|O")) >= 0 || str_find(d, STR("'O")) >= 0 || str_find(d, STR("\"|O")) >= 0 ||
              str_find(d, STR("\"O")) >= 0;
    return *structured;
}

static bool shape_of(struct str t, unsigned __int128 *count) {
    *count = 1;
    if (t.n == 0 || t.p[0] != '(') return false;
    ptrdiff_t e = str_chr(t, ')');
    if (e < 0) return false;
    struct str rest = str_sub(t, 1, (size_t)e - 1), one;
    while (str_split(&rest, ',', &one)) {
        uint64_t d;
        one = str_trim(one);
        if (one.n && one.p[one.n - 1] == 'L') one.n--;
        if (one.n == 0) continue;
        if (!str_to_u64(one, &d)) return false;
        if (d && *count > ((unsigned __int128)1 << 100) / d) return false;
        *count *= d;
    }
    return true;
}

bool numpy_scan(struct scan *s, struct span b) {
    if (!span_is(b, 0, "\x93NUMPY", 6)) return false;
    facts_format(s->f, "numpy");
    size_t at = b.n > 6 && b.p[6] >= 2 ? 12 : 10;
    if (b.n < at || b.p[6] < 1 || b.p[6] > 3) {
        facts_addz(s->f, FACT_NUMPY_HEADER, "version", 6);
        facts_cover(s->f, COVERAGE_PARTIAL);
        pickle_carve(s, b);
        return true;
    }
    size_t n = at == 12 ? le32(b.p + 8) : le16(b.p + 8);
    struct str h = str_trim(span_str(span_sub(b, at, MIN(n, 1 * MiB))));
    struct span data = span_from(b, at + MIN(n, b.n - at));
    uint64_t item = 0;
    bool object = false, structured = false;
    unsigned __int128 count = 1;
    bool ok = n <= b.n - at && h.n && h.p[0] == '{' &&
              descr_of(literal_of(h, "'descr'"), &item, &object, &structured) &&
              shape_of(literal_of(h, "'shape'"), &count);
    if (!ok) {
        facts_addz(s->f, FACT_NUMPY_HEADER, "dictionary", (int64_t)at);
        facts_cover(s->f, COVERAGE_PARTIAL);
        if (!pickle_scan(s, data, STR("data"), false)) pickle_carve(s, data);
        return true;
    }
    if (object) {
        facts_addz(s->f, FACT_NUMPY_OBJECT, "", (int64_t)at);
        if (!pickle_scan(s, data, STR("data"), true)) facts_cover(s->f, COVERAGE_PARTIAL);
        return true;
    }
    if (structured) return true; /* fields without objects: fixed-size records, data only */
    if (count * item != data.n) {
        facts_addz(s->f, FACT_NUMPY_SIZE, count * item > data.n ? "shorter" : "longer", (int64_t)at);
        if (count * item < data.n) {
            facts_cover(s->f, COVERAGE_PARTIAL);
            scan_payload(s, span_from(data, (size_t)(count * item)), STR("trailing"));
        }
    }
    scan_payload(s, data, STR("data"));
    return true;
}
