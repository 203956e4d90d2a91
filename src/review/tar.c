/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar.c — POSIX and GNU tar in 512-byte records: name 0..99, size 124..135 octal (or base-256), type
 * at 156, link target 157..256, "ustar" at 257, prefix 345..499; GNU 'L'/'K' and pax 'x'/'g' records
 * carry long names. Torch's oldest layout is a tar holding `pickle`, `storages` and `tensors`.
 */
#include "zip.h"

static bool octal(const uint8_t *p, size_t n, uint64_t *out) {
    uint64_t x = 0;
    if (p[0] & 0x80) { /* base-256 */
        for (size_t i = 0; i < n; i++) {
            if (x >> 55) return false;
            x = x << 8 | (i == 0 ? p[0] & 0x7fu : p[i]);
        }
        *out = x;
        return true;
    }
    size_t i = 0;
    while (i < n && p[i] == ' ') i++;
    for (; i < n && p[i] >= '0' && p[i] <= '7'; i++) x = x << 3 | (uint64_t)(p[i] - '0');
    *out = x;
    return i == n || p[i] == 0 || p[i] == ' ';
}

static bool checksum_ok(const uint8_t *h) {
    uint64_t want, sum = 0;
    if (!octal(h + 148, 8, &want)) return false;
    for (size_t i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? ' ' : h[i];
    return sum == want;
}

bool tar_sniff(struct span b) {
    if (b.n < 512 || b.p[0] == 0) return false;
    return checksum_ok(b.p) &&
           (memcmp(b.p + 257, "ustar", 5) == 0 || b.p[156] == '0' || b.p[156] == 0 || b.p[156] == '5');
}

static struct str field(const uint8_t *p, size_t n) {
    const uint8_t *z = memchr(p, 0, n);
    return str_make(p, z ? (size_t)(z - p) : n);
}

static bool escapes(struct str target, struct str name) {
    if (target.n == 0 || target.p[0] == '/') return true;
    long depth = 0;
    struct str rest = name, part;
    while (str_split(&rest, '/', &part)) depth++;
    depth--;
    rest = target;
    while (str_split(&rest, '/', &part)) {
        if (str_eqz(part, "..")) depth--;
        else if (part.n && !str_eqz(part, ".")) depth++;
        if (depth < 0) return true;
    }
    return false;
}

/* "LEN path=NAME\n" records of a pax header. */
static struct str pax_path(struct span x) {
    struct str rest = span_str(x), line, path = STR_NULL;
    while (str_split(&rest, '\n', &line)) {
        ptrdiff_t sp = str_chr(line, ' ');
        if (sp >= 0 && str_starts(str_from(line, (size_t)sp + 1), "path=")) path = str_from(line, (size_t)sp + 6);
    }
    return path;
}

struct tar_state {
    struct str long_name;
    struct storages st;
    unsigned members;
};

static void one(struct scan *s, struct tar_state *t, const uint8_t *h, struct span data) {
    char joined[300];
    struct str name = field(h, 100);
    if (memcmp(h + 257, "ustar", 5) == 0 && h[345]) {
        struct str prefix = field(h + 345, 155);
        int n = snprintf(joined, sizeof joined, STR_FMT "/" STR_FMT, STR_ARG(prefix), STR_ARG(name));
        name = str_make(joined, n > 0 ? MIN((size_t)n, sizeof joined - 1) : 0);
    }
    if (t->long_name.n) name = t->long_name;
    t->long_name = STR_NULL;
    archive_name_check(s, name);
    switch (h[156]) {
    case '1':
    case '2': {
        struct str target = field(h + 157, 100);
        facts_add(s->f, escapes(target, name) ? FACT_ARC_LINK_OUT : FACT_ARC_LINK, name, -1);
        return;
    }
    case '3':
    case '4':
    case '6': facts_add(s->f, FACT_ARC_DEVICE, name, -1); return;
    case '5': return;
    default: break;
    }
    t->members++;
    scan_member(s, data, name);
}

bool tar_scan(struct scan *s, struct span b) {
    if (!tar_sniff(b)) return false;
    facts_format(s->f, "tar");
    struct tar_state t = {0};
    struct storages *outer = s->storages;
    s->storages = &t.st; /* torch's tar: persistent ids are resolved by its own members */
    size_t at = 0;
    while (b.n - at >= 512 && !scan_late(s)) {
        const uint8_t *h = b.p + at;
        uint64_t size;
        if (h[0] == 0) break;
        if (!checksum_ok(h) || !octal(h + 124, 12, &size) || size > b.n - at - 512) {
            facts_addz(s->f, FACT_ARC_BROKEN, "tar record", (int64_t)at);
            facts_cover(s->f, COVERAGE_PARTIAL);
            pickle_carve(s, span_from(b, at));
            break;
        }
        if (s->members_left == 0) {
            facts_addz(s->f, FACT_ARC_MEMBERS, "limit", (int64_t)at);
            facts_cover(s->f, COVERAGE_PARTIAL);
            break;
        }
        s->members_left--;
        struct span data = span_sub(b, at + 512, (size_t)size);
        bool link = h[156] == '1' || h[156] == '2';
        if (h[156] == 'L') t.long_name = field(data.p, data.n);
        else if (h[156] == 'x' || h[156] == 'g') t.long_name = pax_path(data).n ? pax_path(data) : t.long_name;
        else if (h[156] != 'K') one(s, &t, h, data);
        uint64_t skip = link ? 0 : (size + 511) / 512 * 512;
        at += 512;
        at += (size_t)MIN(skip, (uint64_t)(b.n - at));
    }
    s->storages = outer;
    storages_release(&t.st);
    return true;
}
