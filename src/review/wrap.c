/* SPDX-License-Identifier: Apache-2.0 */
/* wrap.c — single-stream compression (gzip, bzip2, xz, lzma, zstd, lz4, zlib as joblib writes it): unwrap and go on. */
#include "inflate.h"

static bool zlib_head(struct span b) {
    return b.n > 6 && (b.p[0] & 0x0f) == 8 && b.p[0] <= 0x78 && (b.p[0] >> 4) <= 7 &&
           (b.p[0] * 256u + b.p[1]) % 31 == 0 && !(b.p[1] & 0x20);
}
/* lzma alone has no magic: properties byte, dictionary size (power of two shape), length known or all ones */
static bool lzma_head(struct span b) {
    if (b.n < 18 || b.p[0] != 0x5d || b.p[1] != 0 || b.p[2] != 0) return false;
    uint64_t n = le64(b.p + 5);
    return (n == UINT64_MAX || n < ((uint64_t)1 << 38)) && b.p[13] == 0;
}

static bool sniff(struct span b, enum inflate_kind *kind, const char **format) {
    static const struct {
        const char *magic;
        size_t n;
        enum inflate_kind kind;
        const char *format;
    } heads[] = {{"\x1f\x8b\x08", 3, INFLATE_GZIP, "gzip"},
                 {"BZh", 3, INFLATE_BZ2, "bzip2"},
                 {"\xfd"
                  "7zXZ\0",
                  6, INFLATE_XZ, "xz"},
                 {"\x28\xb5\x2f\xfd", 4, INFLATE_ZSTD, "zstd"},
                 {"\x04\x22\x4d\x18", 4, INFLATE_LZ4, "lz4"}};
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        if (span_is(b, 0, heads[i].magic, heads[i].n)) {
            *kind = heads[i].kind;
            *format = heads[i].format;
            return true;
        }
    if (zlib_head(b)) {
        *kind = INFLATE_ZLIB;
        *format = "zlib";
        return true;
    }
    if (lzma_head(b)) {
        *kind = INFLATE_LZMA;
        *format = "lzma";
        return true;
    }
    return false;
}

bool wrap_scan(struct scan *s, struct span b, struct str name) {
    enum inflate_kind kind;
    const char *format;
    if (!sniff(b, &kind, &format)) return false;
    bool weak = kind == INFLATE_ZLIB || kind == INFLATE_LZMA; /* heads that data may have by chance */
    size_t rounds = 0;
    struct span rest = b;
    while (rest.n && !scan_late(s)) {
        struct inflated o;
        enum inflate_end end = inflate_all(s, kind, rest, &o);
        if (end == INFLATE_BROKEN && o.n == 0 && rounds == 0 && weak) {
            inflate_free(s, &o);
            return false;
        }
        facts_format(s->f, format);
        if (end == INFLATE_BROKEN) {
            facts_addz(s->f, FACT_ARC_BROKEN, format, (int64_t)(b.n - rest.n));
            facts_cover(s->f, rounds || o.n ? COVERAGE_PARTIAL : COVERAGE_NONE);
        }
        if (o.n) scan_member(s, (struct span){o.p, o.n}, STR("content"));
        rest = span_from(rest, o.used ? o.used : rest.n);
        inflate_free(s, &o);
        if (end != INFLATE_DONE) break;
        rounds++;
        enum inflate_kind next;
        const char *f2;
        if (rest.n && (!sniff(rest, &next, &f2) || next != kind || rounds > 1000)) {
            facts_addf(s->f, FACT_ARC_BROKEN, (int64_t)(b.n - rest.n), "%zu bytes behind the end", rest.n);
            facts_cover(s->f, COVERAGE_PARTIAL);
            scan_payload(s, rest, STR("trailing"));
            pickle_carve(s, rest);
            break;
        }
    }
    (void)name;
    return true;
}
