/* SPDX-License-Identifier: Apache-2.0 */
/*
 * torch_legacy.c — torch's layout before the zip: five pickles (magic number, protocol, system info,
 * the object, the list of storage keys), then per key: int64 element count, raw elements.
 *
 * Invariant: the magic must be stated as a literal integer; the storages must account for every byte.
 */
#include "pickle_vm.h"

static const uint8_t magic_long[] = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

/* Skip the raw storages in the order of the fifth pickle's list of keys, read again from its bytes. */
static size_t skip_storages(struct scan *s, struct span b, size_t keys_from, size_t keys_end,
                            const struct storages *st) {
    size_t at = keys_end, seen = 0;
    for (size_t i = keys_from; i + 5 < keys_end && !scan_late(s);) {
        uint8_t c = b.p[i];
        struct str key = STR_NULL;
        if (c == 'X') key = span_str(span_sub(b, i + 5, le32(b.p + i + 1)));
        else if (c == 'U' || c == 0x8c) key = span_str(span_sub(b, i + 2, b.p[i + 1]));
        if (!key.p || (size_t)(key.p - (const char *)b.p) + key.n > keys_end) {
            i++;
            continue;
        }
        i = (size_t)(key.p - (const char *)b.p) + key.n;
        const struct storage *x = storages_find(st, key);
        if (!x) continue;
        if (b.n - at < 8 || le64(b.p + at) * x->item != x->bytes || x->bytes > b.n - at - 8) {
            facts_add(s->f, FACT_PICKLE_STORAGE, key, (int64_t)at);
            return at;
        }
        at += 8 + (size_t)x->bytes;
        seen++;
    }
    if (seen != st->n) facts_addf(s->f, FACT_PICKLE_STORAGE, (int64_t)at, "%zu of %zu", seen, st->n);
    return at;
}

bool torch_legacy_scan(struct scan *s, struct span b) {
    /* \x80\x02 LONG1(10) magic '.' : or anything else that five streams follow */
    bool literal = b.n > 15 && b.p[0] == 0x80 && memcmp(b.p + 2, magic_long, sizeof magic_long) == 0 && b.p[14] == '.';
    if (!literal) return false;
    facts_format(s->f, "torch-legacy");
    struct storages st = {0}, *outer = s->storages;
    struct pickle_end e = {0};
    size_t from = 15, keys_from = 0;
    s->storages = &st;
    for (int i = 1; i < 5; i++) {
        if (from >= b.n) {
            facts_addz(s->f, FACT_PICKLE_MALFORMED, "torch file with fewer than five streams", (int64_t)from);
            facts_cover(s->f, COVERAGE_PARTIAL);
            break;
        }
        keys_from = from;
        pickle_stream(s, b, from, false, &e);
        from = e.used;
        if (!e.stopped) {
            pickle_carve(s, span_from(b, from));
            break;
        }
    }
    if (e.stopped) {
        size_t at = skip_storages(s, b, keys_from, from, &st);
        if (at < b.n) {
            facts_addz(s->f, FACT_PICKLE_TRAILING, "", (int64_t)at);
            facts_cover(s->f, COVERAGE_PARTIAL);
            scan_payload(s, span_from(b, at), STR("trailing"));
            pickle_carve(s, span_from(b, at));
        }
    }
    s->storages = outer;
    storages_release(&st);
    return true;
}
