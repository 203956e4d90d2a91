/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip_dir.c — the strict zip directory: end record (found from the end), zip64 locator, central
 * directory, and each entry's local header, which must agree on name, method and sizes.
 *
 * Layouts: EOCD "PK\5\6" 22 bytes + comment; zip64 locator "PK\6\7" 20 bytes before it; zip64 EOCD
 * "PK\6\6" 56+ bytes; central "PK\1\2" 46 + name + extra + comment; local "PK\3\4" 30 + name + extra.
 * Invariant: whatever two readers could see differently is a fact.
 */
#include "zip.h"

static const uint8_t *find_end(struct span b) {
    if (b.n < 22) return NULL;
    size_t low = b.n > 65557 ? b.n - 65557 : 0;
    for (size_t at = b.n - 22;; at--) {
        if (memcmp(b.p + at, "PK\5\6", 4) == 0) return b.p + at;
        if (at == low) return NULL;
    }
}

struct end {
    uint64_t pos, n, cd_size, cd_off, after;
    bool zip64;
};

static bool read_end(struct scan *s, struct span b, struct end *e) {
    const uint8_t *p = find_end(b);
    if (!p) return false;
    *e = (struct end){.pos = (uint64_t)(p - b.p), .n = le16(p + 10), .cd_size = le32(p + 12), .cd_off = le32(p + 16)};
    e->after = e->pos + 22 + le16(p + 20);
    if (e->pos >= 20 && memcmp(p - 20, "PK\6\7", 4) == 0) {
        uint64_t at = le64(p - 20 + 8);
        bool ok = at + 56 <= b.n && at < e->pos && memcmp(b.p + at, "PK\6\6", 4) == 0;
        if (!ok && e->pos >= 76 && memcmp(p - 76, "PK\6\6", 4) == 0) { /* offsets shifted by a prefix */
            at = e->pos - 76;
            ok = true;
        }
        if (ok) {
            const uint8_t *z = b.p + at;
            uint64_t n = le64(z + 32), size = le64(z + 40), off = le64(z + 48);
            bool differs = (e->n != 0xffff && e->n != n) || (e->cd_size != UINT32_MAX && e->cd_size != size) ||
                           (e->cd_off != UINT32_MAX && e->cd_off != off);
            if (differs) facts_addz(s->f, FACT_ZIP_MISMATCH, "zip64 and 32-bit end records differ", (int64_t)at);
            e->n = n;
            e->cd_size = size;
            e->cd_off = off;
            e->pos = at;
            e->zip64 = true;
        } else {
            facts_addz(s->f, FACT_ZIP_BROKEN, "zip64 locator", (int64_t)e->pos);
        }
    }
    return true;
}

bool zip_at_end(struct span b) {
    const uint8_t *p = find_end(b);
    if (!p) return false;
    uint64_t pos = (uint64_t)(p - b.p), size = le32(p + 12);
    if (le16(p + 10) == 0 || size == 0) return false;
    return size <= pos && memcmp(p - size, "PK\1\2", 4) == 0;
}

/* zip64 extra field 0x0001: the 64-bit values of those that are all ones in the 32-bit fields. */
static void zip64_extra(struct span x, struct zip_entry *e, bool *lho64, uint64_t *lho) {
    for (size_t at = 0; at + 4 <= x.n;) {
        size_t id = le16(x.p + at), n = le16(x.p + at + 2);
        if (n > x.n - at - 4) return;
        if (id == 1) {
            size_t q = at + 4, end = at + 4 + n;
            if (e->usize == UINT32_MAX && q + 8 <= end) {
                e->usize = le64(x.p + q);
                q += 8;
            }
            if (e->csize == UINT32_MAX && q + 8 <= end) {
                e->csize = le64(x.p + q);
                q += 8;
            }
            if (*lho64 && q + 8 <= end) *lho = le64(x.p + q);
            return;
        }
        at += 4 + n;
    }
}

/* A unicode path extra (0x7075) that says another name than the header. */
static void path_extra(struct scan *s, struct span x, struct str name) {
    for (size_t at = 0; at + 4 <= x.n;) {
        size_t id = le16(x.p + at), n = le16(x.p + at + 2);
        if (n > x.n - at - 4) return;
        if (id == 0x7075 && n > 5 && !str_eq(str_make(x.p + at + 9, n - 5), name))
            facts_add(s->f, FACT_ZIP_MISMATCH, name, -1);
        at += 4 + n;
    }
}

static void read_local(struct scan *s, struct span b, struct zip_entry *e) {
    e->bad = true;
    if (e->local > b.n || b.n - e->local < 30 || memcmp(b.p + e->local, "PK\3\4", 4) != 0) {
        facts_add(s->f, FACT_ZIP_MISMATCH, e->name, (int64_t)e->local);
        return;
    }
    const uint8_t *p = b.p + e->local;
    size_t n_name = le16(p + 26), n_extra = le16(p + 28);
    e->data = e->local + 30 + n_name + n_extra;
    if (e->data > b.n || e->csize > b.n - e->data) {
        facts_add(s->f, FACT_ZIP_BROKEN, e->name, (int64_t)e->local);
        return;
    }
    e->bad = false;
    struct str name = str_make(p + 30, n_name);
    if (!str_eq(name, e->name))
        facts_addf(s->f, FACT_ZIP_MISMATCH, (int64_t)e->local, STR_FMT " / " STR_FMT, (int)MIN(name.n, (size_t)60),
                   name.p, (int)MIN(e->name.n, (size_t)60), e->name.p);
    if (le16(p + 8) != e->method)
        facts_addf(s->f, FACT_ZIP_MISMATCH, (int64_t)e->local, "method of " STR_FMT, (int)MIN(e->name.n, (size_t)100),
                   e->name.p);
    if (le16(p + 6) != e->flags)
        facts_addf(s->f, FACT_ZIP_FLAGS, (int64_t)e->local, STR_FMT, (int)MIN(e->name.n, (size_t)100), e->name.p);
    struct zip_entry l = {.csize = le32(p + 18), .usize = le32(p + 22)};
    bool no = false;
    uint64_t dummy = 0;
    zip64_extra((struct span){p + 30 + n_name, n_extra}, &l, &no, &dummy);
    bool descriptor = (le16(p + 6) & 8) != 0;
    if ((l.csize != e->csize || l.usize != e->usize) && !(descriptor && l.csize == 0 && l.usize == 0) &&
        !(descriptor && l.csize == UINT32_MAX))
        facts_addf(s->f, FACT_ZIP_MISMATCH, (int64_t)e->local, "size of " STR_FMT, (int)MIN(e->name.n, (size_t)100),
                   e->name.p);
}

static bool read_central(struct scan *s, struct span b, struct zip_dir *d, uint64_t at, uint64_t end, uint64_t n,
                         uint64_t shift) {
    d->list = calloc((size_t)MIN(n, (uint64_t)SCAN_MEMBERS_MAX) + 1, sizeof *d->list);
    if (!d->list) return false;
    for (uint64_t i = 0; i < n; i++) {
        if (end - at < 46 || memcmp(b.p + at, "PK\1\2", 4) != 0) {
            facts_addz(s->f, FACT_ZIP_BROKEN, "central directory", (int64_t)at);
            facts_cover(s->f, COVERAGE_PARTIAL);
            return true;
        }
        const uint8_t *p = b.p + at;
        size_t n_name = le16(p + 28), n_extra = le16(p + 30), n_comment = le16(p + 32);
        if (n_name + n_extra + n_comment > end - at - 46) {
            facts_addz(s->f, FACT_ZIP_BROKEN, "central directory", (int64_t)at);
            facts_cover(s->f, COVERAGE_PARTIAL);
            return true;
        }
        if (d->n >= SCAN_MEMBERS_MAX) {
            facts_addf(s->f, FACT_ARC_MEMBERS, -1, "%" PRIu64, n);
            facts_cover(s->f, COVERAGE_PARTIAL);
            return true;
        }
        struct zip_entry *e = &d->list[d->n++];
        *e = (struct zip_entry){.flags = le16(p + 8),
                                .method = le16(p + 10),
                                .crc = le32(p + 16),
                                .csize = le32(p + 20),
                                .usize = le32(p + 24),
                                .attr = le32(p + 38),
                                .name = str_make(p + 46, n_name)};
        uint64_t lho = le32(p + 42);
        bool lho64 = lho == UINT32_MAX;
        struct span extra = {p + 46 + n_name, n_extra};
        zip64_extra(extra, e, &lho64, &lho);
        path_extra(s, extra, e->name);
        e->local = lho > UINT64_MAX / 2 ? UINT64_MAX / 2 : lho + shift;
        read_local(s, b, e);
        at += 46 + n_name + n_extra + n_comment;
        if ((i & 1023) == 0 && scan_late(s)) return true;
    }
    if (at != end) facts_addz(s->f, FACT_ZIP_GAP, "inside the central directory", (int64_t)at);
    return true;
}

static int by_local(const void *x, const void *y) {
    const struct zip_entry *const *p = x, *const *q = y;
    return (*p)->local < (*q)->local ? -1 : (*p)->local > (*q)->local;
}
static int by_name(const void *x, const void *y) {
    const struct zip_entry *const *p = x, *const *q = y;
    return str_cmp((*p)->name, (*q)->name);
}

/* Overlapping members, unnamed gaps, equal names. */
static void relations(struct scan *s, struct span b, struct zip_dir *d) {
    const struct zip_entry **v = calloc(d->n + 1, sizeof *v);
    if (!v) return;
    for (size_t i = 0; i < d->n; i++) v[i] = &d->list[i];
    scan_sort(v, d->n, sizeof *v, by_name);
    for (size_t i = 1; i < d->n; i++)
        if (str_eq(v[i]->name, v[i - 1]->name)) facts_add(s->f, FACT_ZIP_DUP, v[i]->name, (int64_t)v[i]->local);
    scan_sort(v, d->n, sizeof *v, by_local);
    uint64_t end = d->n ? v[0]->local : 0;
    d->begin = end;
    for (size_t i = 0; i < d->n; i++) {
        if (v[i]->bad) continue;
        if (v[i]->local < end) facts_add(s->f, FACT_ZIP_OVERLAP, v[i]->name, (int64_t)v[i]->local);
        else if (v[i]->local > end)
            facts_addf(s->f, FACT_ZIP_GAP, (int64_t)end, "%" PRIu64 " bytes", v[i]->local - end);
        end = v[i]->data + v[i]->csize;
        if (v[i]->flags & 8) { /* data descriptor: with or without signature, 32 or 64 bits */
            uint64_t next = i + 1 < d->n ? v[i + 1]->local : d->cd;
            if (next > end && next - end <= 24) end = next;
        }
    }
    if (d->n && d->cd > end) {
        facts_addf(s->f, FACT_ZIP_GAP, (int64_t)end, "%" PRIu64 " bytes", d->cd - end);
        scan_payload(s, span_sub(b, (size_t)end, (size_t)(d->cd - end)), STR("gap"));
        pickle_carve(s, span_sub(b, (size_t)end, (size_t)(d->cd - end)));
    }
    if (d->n && d->cd < end) facts_addz(s->f, FACT_ZIP_OVERLAP, "central directory", (int64_t)d->cd);
    free(v);
}

bool zip_dir_read(struct scan *s, struct span b, struct zip_dir *d) {
    struct end e;
    *d = (struct zip_dir){0};
    if (!read_end(s, b, &e)) return false;
    uint64_t shift = 0;
    if (e.cd_size <= e.pos && e.cd_off <= e.pos - e.cd_size) shift = e.pos - e.cd_size - e.cd_off;
    else facts_addz(s->f, FACT_ZIP_BROKEN, "end record", (int64_t)e.pos);
    d->cd = MIN(e.cd_off + shift, e.pos);
    d->end = MIN(e.after, b.n);
    d->zip64 = e.zip64;
    if (!read_central(s, b, d, d->cd, e.pos, e.n, shift)) return true;
    relations(s, b, d);
    return true;
}

void zip_dir_release(struct zip_dir *d) {
    free(d->list);
}
