/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.c — the dispatcher: which format are these bytes? By content, most specific first. Bytes that
 * fit nothing are "unknown": not examined, which is never clean.
 */
#include "scan.h"

#include "base/clock.h"

bool span_is(struct span s, size_t at, const void *bytes, size_t n) {
    return at <= s.n && n <= s.n - at && memcmp(s.p + at, bytes, n) == 0;
}

void storages_add(struct storages *s, struct str key, uint64_t bytes, uint64_t item) {
    uint64_t h = str_hash(key);
    /* pickles repeat a storage for each view of it; look back a little, the rest is harmless duplication */
    for (size_t i = s->n, k = 0; i-- > 0 && k < 16; k++)
        if (s->list[i].key_hash == h && s->list[i].bytes == bytes) return;
    if (s->n == s->cap) {
        size_t want = s->cap ? s->cap * 2 : 64;
        struct storage *p = want <= 1u << 20 ? realloc(s->list, want * sizeof *p) : NULL;
        if (!p) {
            s->full = true;
            return;
        }
        s->list = p;
        s->cap = want;
    }
    s->list[s->n++] = (struct storage){h, bytes, item, false};
}

const struct storage *storages_find(const struct storages *s, struct str key) {
    uint64_t h = str_hash(key);
    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].key_hash == h) return &s->list[i];
    return NULL;
}

bool storages_match(struct storages *s, struct str key, uint64_t bytes) {
    uint64_t h = str_hash(key);
    bool found = false;
    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].key_hash == h && s->list[i].bytes == bytes) found = s->list[i].seen = true;
    return found;
}

void storages_release(struct storages *s) {
    free(s->list);
    *s = (struct storages){0};
}

static void sift(char *p, size_t n, size_t size, size_t at, int (*less)(const void *, const void *), char *tmp) {
    for (;;) {
        size_t kid = 2 * at + 1;
        if (kid >= n) return;
        if (kid + 1 < n && less(p + kid * size, p + (kid + 1) * size) < 0) kid++;
        if (less(p + at * size, p + kid * size) >= 0) return;
        memcpy(tmp, p + at * size, size);
        memcpy(p + at * size, p + kid * size, size);
        memcpy(p + kid * size, tmp, size);
        at = kid;
    }
}

void scan_sort(void *base, size_t n, size_t size, int (*order)(const void *, const void *)) {
    char *p = base, tmp[32];
    BUG_ON(size > sizeof tmp);
    for (size_t i = n / 2; i-- > 0;) sift(p, n, size, i, order, tmp);
    for (size_t end = n; end-- > 1;) {
        memcpy(tmp, p, size);
        memcpy(p, p + end * size, size);
        memcpy(p + end * size, tmp, size);
        sift(p, end, size, 0, order, tmp);
    }
}

void scan_init(struct scan *s, struct facts *f, uint64_t bytes) {
    *s = (struct scan){
        .f = f, .members_left = SCAN_MEMBERS_MAX, .nested_left = SCAN_NESTED_MAX, .memory_left = SCAN_MEMORY_MAX};
    s->expand_left = MIN(MAX(bytes * SCAN_RATIO, (uint64_t)SCAN_EXPAND_MIN), (uint64_t)SCAN_EXPAND_MAX);
    s->deadline_ns = clock_mono_ns() + 3500000000 + (int64_t)(bytes * 8); /* and 125 MB/s */
}

bool scan_late(struct scan *s) {
    if (s->late) return true;
    if (clock_mono_ns() < s->deadline_ns) return false;
    s->late = true;
    facts_addz(s->f, FACT_PARTIAL, "time", -1);
    facts_cover(s->f, COVERAGE_PARTIAL);
    return true;
}

static unsigned alarms(const struct facts *f) {
    unsigned n = 0;
    for (size_t i = 0; i < f->n; i++) {
        enum verdict v = fact_severity(f->list[i].kind);
        n += v == VERDICT_PENDING || v == VERDICT_BLOCK;
    }
    return n;
}

/* Try a parser on bytes that are already explained; keep what it says only if it is alarming. */
static void tentative(struct scan *s, struct span b, bool (*parse)(struct scan *s, struct span b)) {
    struct facts *keep = malloc(sizeof *keep);
    if (!keep) return;
    *keep = *s->f;
    unsigned before = alarms(s->f);
    s->depth++;
    parse(s, b);
    s->depth--;
    if (alarms(s->f) == before) {
        bool late = s->late;
        *s->f = *keep;
        if (late) facts_addz(s->f, FACT_PARTIAL, "time", -1);
        if (late) facts_cover(s->f, COVERAGE_PARTIAL);
    }
    free(keep);
}

static bool as_pickle(struct scan *s, struct span b) {
    struct pickle_end end = {0};
    pickle_stream(s, b, 0, true, &end);
    return true;
}
static bool as_zip(struct scan *s, struct span b) {
    return zip_scan(s, b, STR_NULL);
}
static bool as_wrap(struct scan *s, struct span b) {
    return wrap_scan(s, b, STR_NULL);
}

void scan_payload(struct scan *s, struct span b, struct str name) {
    if (b.n < 4 || s->depth >= SCAN_DEPTH_MAX) return;
    char format[FACT_FORMAT_MAX];
    memcpy(format, s->f->format, sizeof format);
    size_t mark = facts_enter(s->f, name);
    if (b.p[0] == 0x80 && b.p[1] >= 1 && b.p[1] <= 6) tentative(s, b, as_pickle);
    else if (span_is(b, 0, "PK\3\4", 4)) tentative(s, b, as_zip);
    else if (span_is(b, 0, "\x1f\x8b\x08", 3) || span_is(b, 0, "BZh", 3) ||
             span_is(b, 0,
                     "\xfd"
                     "7zXZ",
                     5))
        tentative(s, b, as_wrap);
    else tentative(s, b, exe_scan);
    facts_leave(s->f, mark);
    memcpy(s->f->format, format, sizeof format);
}

void scan_member(struct scan *s, struct span b, struct str name) {
    size_t mark = facts_enter(s->f, name);
    if (s->depth >= SCAN_DEPTH_MAX) {
        facts_addf(s->f, FACT_ARC_DEPTH, -1, "%u", s->depth);
        facts_cover(s->f, COVERAGE_PARTIAL);
        pickle_carve(s, b);
    } else {
        s->depth++;
        scan_bytes(s, b, name);
        s->depth--;
    }
    facts_leave(s->f, mark);
}

/*
 * Many formats begin with bytes that an unpickler takes for a value ("GIF89a…" is a float): code may follow, and a
 * loader that asks no format runs it. Kept only when something is called or a dangerous name imported.
 */
static void pickle_beside(struct scan *s, struct span b) {
    char format[FACT_FORMAT_MAX];
    struct facts *keep = malloc(sizeof *keep);
    struct pickle_end end = {0};
    if (!keep) return;
    *keep = *s->f;
    memcpy(format, s->f->format, sizeof format);
    unsigned before = alarms(s->f);
    pickle_stream(s, b, 0, false, &end);
    bool late = s->late;
    if (!end.called || alarms(s->f) == before) *s->f = *keep;
    else facts_addf(s->f, FACT_POLYGLOT, 0, "%s + pickle", format);
    free(keep);
    if (late && !facts_has(s->f, FACT_PARTIAL)) {
        facts_addz(s->f, FACT_PARTIAL, "time", -1);
        facts_cover(s->f, COVERAGE_PARTIAL);
    }
}

static bool marked_pickle(struct span b) {
    return b.n >= 2 && b.p[0] == 0x80 && b.p[1] >= 1 && b.p[1] <= 6;
}

static bool binary_formats(struct scan *s, struct span b, struct str name) {
    if (gguf_scan(s, b) || safetensors_scan(s, b, name)) return true;
    if (span_is(b, 0, "PK", 2) && zip_scan(s, b, name)) return true;
    if (exe_scan(s, b) || hdf5_scan(s, b) || numpy_scan(s, b) || image_scan(s, b, name) || opaque_scan(s, b, name))
        return true;
    if (tar_scan(s, b) || wrap_scan(s, b, name) || torch_legacy_scan(s, b)) return true;
    if (marked_pickle(b)) {
        bool polyglot = zip_at_end(b);
        if (polyglot) facts_addz(s->f, FACT_POLYGLOT, "pickle + zip", -1);
        bool yes = pickle_scan(s, b, name, true);
        if (polyglot) zip_scan(s, b, name);
        return yes;
    }
    return false;
}

static void unknown(struct scan *s, struct span b) {
    facts_format(s->f, "unknown");
    char head[40];
    size_t n = 0;
    for (size_t i = 0; i < MIN(b.n, (size_t)8); i++) n += (size_t)snprintf(head + n, sizeof head - n, "%02x", b.p[i]);
    facts_addf(s->f, FACT_UNKNOWN, 0, "%zu bytes, %s", b.n, head);
    facts_cover(s->f, s->depth ? COVERAGE_PARTIAL : COVERAGE_NONE);
    pickle_carve(s, b);
}

void scan_bytes(struct scan *s, struct span b, struct str name) {
    if (b.n == 0) {
        facts_format(s->f, "empty");
        return;
    }
    if (scan_late(s)) return;
    if (binary_formats(s, b, name)) {
        if (b.p[0] != 0x80) pickle_beside(s, b);
        return;
    }
    if (pickle_scan(s, b, name, false)) return;
    if (zip_at_end(b) && zip_scan(s, b, name)) return;
    if (text_scan(s, b, name)) return;
    if (proto_scan(s, b, name)) return;
    unknown(s, b);
}
