/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip.c — members of a zip: decompressed within the budgets, each examined by content, whether or not
 * anything refers to it. Torch archives get their storages matched against what the pickles declare.
 */
#include "zip.h"

#include <zlib.h>

#include "inflate.h"

enum zip_kind { ZIP_PLAIN, ZIP_TORCH, ZIP_NPZ, ZIP_KERAS, ZIP_SKOPS };

void archive_name_check(struct scan *s, struct str n) {
    bool bad = n.n == 0 || n.n > 4096 || n.p[0] == '/' || n.p[0] == '\\' || memchr(n.p, 0, n.n) ||
               memchr(n.p, '\n', n.n) || (n.n > 1 && n.p[1] == ':');
    struct str rest = n, part;
    while (!bad && str_split(&rest, '/', &part)) bad = str_eqz(part, "..");
    if (!bad) bad = str_starts(n, "..\\") || str_find(n, STR("\\..\\")) >= 0;
    if (bad) facts_add(s->f, FACT_ARC_NAME, n.n ? n : STR("(empty)"), -1);
}

static struct str base_name(struct str n) {
    ptrdiff_t slash = str_rchr(n, '/');
    return slash < 0 ? n : str_from(n, (size_t)slash + 1);
}

static bool is_pickle_member(struct str n) {
    struct str base = base_name(n);
    return str_eqz(base, "data.pkl") || str_eqz(base, "constants.pkl") || str_eqz(base, "tensors.pkl");
}

static enum zip_kind kind_of(const struct zip_dir *d) {
    bool all_npy = d->n > 0, config = false, weights = false, schema = false;
    for (size_t i = 0; i < d->n; i++) {
        struct str n = d->list[i].name, base = base_name(n);
        if (str_eqz(base, "data.pkl")) return ZIP_TORCH;
        all_npy = all_npy && str_ends(n, ".npy");
        config = config || str_eqz(n, "config.json");
        schema = schema || str_eqz(n, "schema.json");
        weights = weights || str_eqz(n, "metadata.json") || str_ends(n, ".weights.h5");
    }
    return all_npy ? ZIP_NPZ : schema ? ZIP_SKOPS : config && weights ? ZIP_KERAS : ZIP_PLAIN;
}

/* Storage members are "…/data/KEY"; constants of TorchScript "…/constants/KEY". */
static bool explained_storage(struct scan *s, struct str name, uint64_t bytes) {
    if (!s->storages) return false;
    struct str key = base_name(name), dir = str_sub(name, 0, name.n - key.n);
    if (!str_ends(dir, "data/") && !str_ends(dir, "constants/") && !str_ends(dir, ".data/")) return false;
    return storages_match(s->storages, key, bytes);
}

static void member_bytes(struct scan *s, const struct zip_entry *e, struct span raw) {
    if (raw.n <= 16 * MiB && crc32(0, raw.p, (uInt)raw.n) != e->crc)
        facts_add(s->f, FACT_ZIP_FLAGS, e->name, (int64_t)e->local);
    bool jit =
        s->storages && str_ends(e->name, ".py") && str_find(e->name, STR("/code/")) >= 0 && str_is_utf8(span_str(raw));
    if (jit) {
        size_t mark = facts_enter(s->f, e->name);
        jit_scan(s, span_str(raw));
        facts_leave(s->f, mark);
    } else if (explained_storage(s, e->name, raw.n)) scan_payload(s, raw, e->name);
    else scan_member(s, raw, e->name);
}

/* The encryption flag may lie: torch ignores it. Believe the bytes. */
static bool flag_lies(const struct zip_entry *e, struct span raw) {
    return e->method == 0 && e->csize == e->usize && crc32(0, raw.p, (uInt)MIN(raw.n, 64 * MiB)) == e->crc;
}

static void member(struct scan *s, struct span b, const struct zip_entry *e) {
    struct span raw = span_sub(b, (size_t)e->data, (size_t)e->csize);
    bool secret = (e->flags & 1) != 0;
    archive_name_check(s, e->name);
    if ((e->attr >> 16 & 0170000) == 0120000) facts_add(s->f, FACT_ARC_LINK, e->name, (int64_t)e->local);
    if (e->flags & 0x2061) facts_add(s->f, FACT_ZIP_FLAGS, e->name, (int64_t)e->local);
    if (e->bad || (e->csize == 0 && e->usize == 0)) return;
    if (secret && !flag_lies(e, raw) && e->method != 8) {
        facts_add(s->f, FACT_ZIP_ENCRYPTED, e->name, (int64_t)e->local);
        facts_cover(s->f, COVERAGE_PARTIAL);
        return;
    }
    if (e->method == 0) {
        if (e->csize != e->usize) facts_add(s->f, FACT_ZIP_MISMATCH, e->name, (int64_t)e->local);
        member_bytes(s, e, raw);
    } else if (e->method == 8) {
        struct inflated out;
        enum inflate_end r = inflate_all(s, INFLATE_RAW, raw, &out);
        if (secret && (r == INFLATE_BROKEN || out.n != e->usize)) {
            facts_add(s->f, FACT_ZIP_ENCRYPTED, e->name, (int64_t)e->local);
            facts_cover(s->f, COVERAGE_PARTIAL);
        } else {
            if (r == INFLATE_BROKEN) facts_add(s->f, FACT_ZIP_BROKEN, e->name, (int64_t)e->local);
            if (r == INFLATE_BROKEN) facts_cover(s->f, COVERAGE_PARTIAL);
            if (r == INFLATE_DONE && out.n != e->usize) facts_add(s->f, FACT_ZIP_MISMATCH, e->name, (int64_t)e->local);
            if (r == INFLATE_DONE) member_bytes(s, e, (struct span){out.p, out.n});
            else scan_member(s, (struct span){out.p, out.n}, e->name);
        }
        inflate_free(s, &out);
    } else if (e->method == 12 || e->method == 93 || e->method == 95) {
        scan_member(s, raw, e->name); /* bzip2, zstd and xz members are whole streams of their own */
    } else {
        facts_addf(s->f, FACT_ZIP_METHOD, (int64_t)e->local, "%u: " STR_FMT, e->method,
                   (int)MIN(e->name.n, (size_t)100), e->name.p);
        facts_cover(s->f, COVERAGE_PARTIAL);
    }
}

static void members(struct scan *s, struct span b, const struct zip_dir *d, bool pickles_first) {
    for (int pass = 0; pass < (pickles_first ? 2 : 1); pass++)
        for (size_t i = 0; i < d->n && !scan_late(s); i++) {
            const struct zip_entry *e = &d->list[i];
            if (pickles_first && is_pickle_member(e->name) != (pass == 0)) continue;
            if (e->name.n && e->name.p[e->name.n - 1] == '/' && e->usize == 0) {
                archive_name_check(s, e->name);
                continue;
            }
            if (s->members_left == 0) {
                facts_addz(s->f, FACT_ARC_MEMBERS, "limit", -1);
                facts_cover(s->f, COVERAGE_PARTIAL);
                return;
            }
            s->members_left--;
            member(s, b, e);
        }
}

static void torch_checks(struct scan *s, const struct zip_dir *d) {
    for (size_t i = 0; i < s->storages->n; i++) {
        char key[24];
        if (s->storages->list[i].seen) continue;
        snprintf(key, sizeof key, "#%zu", i);
        facts_addz(s->f, FACT_PICKLE_STORAGE, key, -1);
        break;
    }
    for (size_t i = 0; i < d->n; i++)
        if (str_ends(d->list[i].name, ".data/extern_modules")) facts_add(s->f, FACT_TORCH_PACKAGE, d->list[i].name, -1);
}

/* Bytes around the archive: a second format there makes readers disagree. */
static void around(struct scan *s, struct span b, const struct zip_dir *d) {
    if (d->n && d->begin > 0) {
        struct span pre = span_sub(b, 0, (size_t)d->begin);
        facts_addf(s->f, FACT_PREFIX, 0, "%" PRIu64 " bytes", d->begin);
        scan_payload(s, pre, STR("prefix"));
        pickle_carve(s, pre);
        if (facts_alarming(s->f)) facts_addz(s->f, FACT_POLYGLOT, "zip behind other content", 0);
    }
    if (d->end < b.n) {
        struct span post = span_from(b, (size_t)d->end);
        facts_addf(s->f, FACT_ZIP_GAP, (int64_t)d->end, "%zu bytes behind the end", post.n);
        scan_payload(s, post, STR("trailing"));
        pickle_carve(s, post);
    }
}

bool zip_scan(struct scan *s, struct span b, struct str name) {
    static const char *const names[] = {"zip", "torch-zip", "npz", "keras", "skops"};
    if (!span_is(b, 0, "PK", 2) && !zip_at_end(b)) return false;
    if (span_is(b, 0, "PK", 2) && !span_is(b, 2, "\3\4", 2) && !span_is(b, 2, "\5\6", 2) && !span_is(b, 2, "\7\x08", 2))
        return false;
    (void)name;
    struct zip_dir d;
    if (!zip_dir_read(s, b, &d)) {
        facts_format(s->f, "zip");
        facts_addz(s->f, FACT_ZIP_BROKEN, "no end record", -1);
        facts_cover(s->f, b.n > 4 ? COVERAGE_PARTIAL : COVERAGE_NONE);
        pickle_carve(s, b);
        return true;
    }
    enum zip_kind kind = kind_of(&d);
    facts_format(s->f, names[kind]);
    struct storages st = {0}, *outer = s->storages;
    s->storages = kind == ZIP_TORCH ? &st : NULL;
    members(s, b, &d, kind == ZIP_TORCH);
    if (kind == ZIP_TORCH) torch_checks(s, &d);
    s->storages = outer;
    storages_release(&st);
    around(s, b, &d);
    if (facts_has(s->f, FACT_ZIP_MISMATCH) || facts_has(s->f, FACT_ZIP_GAP)) pickle_carve(s, b);
    zip_dir_release(&d);
    return true;
}
