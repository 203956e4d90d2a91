/* SPDX-License-Identifier: Apache-2.0 */
/* shard.c — see shard.h. Offsets are checked before each record is read; counts never size an allocation. */
#include "xet/shard.h"

#include "xet/le.h"

static const uint8_t tag[32] = {'H', 'F', 'R', 'e', 'p', 'o', 'M', 'e', 't', 'a', 'D', 'a', 't', 'a', 0,  85,
                                105, 103, 69,  106, 123, 129, 87,  131, 165, 189, 217, 92,  205, 209, 74, 169};
#define FLAG_RANGES 0x80000000U
#define FLAG_SHA256 0x40000000U
#define FLAG_ELIGIBLE 0x80000000U

void shard_sha256_swap(const uint8_t in[32], uint8_t out[32]) {
    for (unsigned i = 0; i < 32; i++) out[i] = in[(i & ~7U) + (7 - (i & 7))];
}

static bool is_bookend(const uint8_t *p) {
    for (unsigned i = 0; i < SHARD_REC; i++)
        if (p[i] != (i < 32 ? 0xff : 0)) return false;
    return true;
}

static err refuse(const char *what, size_t off) {
    return err_fail(E_BAD_REQUEST, "shard refused: %s (at byte %zu)", what, off);
}

/* Length in bytes of the file block at off, or 0 when it is not all there. */
static size_t file_block_len(const uint8_t *p, size_t n, size_t off) {
    uint32_t flags = le32(p + off + 32), terms = le32(p + off + 36);
    uint64_t recs = 1 + (uint64_t)terms * (flags & FLAG_RANGES ? 2 : 1) + (flags & FLAG_SHA256 ? 1 : 0);
    return recs > (n - off) / SHARD_REC ? 0 : (size_t)recs * SHARD_REC;
}

static err files_parse(struct shard *s, size_t *at) {
    size_t off = SHARD_REC;
    for (;;) {
        if (s->n - off < SHARD_REC) return refuse("the file section has no end mark", off);
        if (is_bookend(s->p + off)) break;
        uint32_t flags = le32(s->p + off + 32);
        if (flags & ~(FLAG_RANGES | FLAG_SHA256)) return refuse("unknown file flags", off);
        if (le32(s->p + off + 36) > SHARD_TERMS_MAX) return refuse("a file has more than 262144 terms", off);
        size_t len = file_block_len(s->p, s->n, off);
        if (len == 0) return refuse("a file's records are cut short", off);
        off += len;
        s->n_files++;
    }
    *at = off + SHARD_REC;
    return OK;
}

static err xorbs_parse(struct shard *s, size_t *at) {
    size_t off = s->xorb_off;
    for (;;) {
        if (s->n - off < SHARD_REC) return refuse("the xorb section has no end mark", off);
        if (is_bookend(s->p + off)) break;
        uint32_t n = le32(s->p + off + 36);
        if (n == 0 || n > XORB_CHUNKS_MAX) return refuse("a xorb must have 1 to 8192 chunks", off);
        if (n >= (s->n - off) / SHARD_REC) return refuse("a xorb's records are cut short", off);
        uint64_t raw = 0;
        for (uint32_t i = 0; i < n; i++) {
            const uint8_t *e = s->p + off + (size_t)SHARD_REC * (1 + i);
            uint32_t len = le32(e + 36);
            if (le32(e + 32) != raw) return refuse("a chunk does not start where the one before ends", off);
            if (len == 0 || len > CHUNK_RAW_MAX) return refuse("a chunk length is out of bounds", off);
            raw += len;
        }
        if (raw > XORB_RAW_MAX || raw != le32(s->p + off + 40))
            return refuse("a xorb's size differs from its chunks", off);
        off += (size_t)SHARD_REC * (1 + n);
        s->n_xorbs++;
    }
    *at = off + SHARD_REC;
    return OK;
}

/* What follows the xorb section: nothing, or lookup tables and a footer that describe this very shard. */
static err footer_parse(struct shard *s, size_t end) {
    size_t left = s->n - end;
    if (left == 0) return OK;
    if (left < SHARD_FOOTER) return refuse("bytes follow the xorb section that are no footer", end);
    size_t at = s->n - SHARD_FOOTER;
    const uint8_t *f = s->p + at;
    if (le64(f) != 1) return refuse("unknown footer version", at);
    if (le64(f + 8) != SHARD_REC || le64(f + 16) != s->xorb_off || le64(f + 192) != at)
        return refuse("the footer's offsets are not those of this shard", at);
    uint64_t n_file = le64(f + 32), n_xorb = le64(f + 48), n_chunk = le64(f + 64);
    if (n_file > left / 12 || n_xorb > left / 12 || n_chunk > left / 16 ||
        n_file * 12 + n_xorb * 12 + n_chunk * 16 != left - SHARD_FOOTER)
        return refuse("the lookup tables do not fill the space before the footer", at);
    s->footer_off = at;
    return OK;
}

err shard_parse(const void *p, size_t n, struct shard *out) {
    *out = (struct shard){.p = p, .n = n};
    if (n < (size_t)3 * SHARD_REC) return refuse("it is shorter than an empty shard", n);
    if (n > SHARD_BODY_MAX) return refuse("it is longer than 64 MiB", n);
    if (memcmp(p, tag, sizeof tag) != 0) return refuse("this is not a shard", 0);
    if (le64(out->p + 32) != 2) return refuse("unknown shard version", 32);
    uint64_t stated = le64(out->p + 40);
    if (stated != 0 && stated != SHARD_FOOTER) return refuse("the footer size must be 0 or 200", 40);
    size_t end = 0;
    TRY(files_parse(out, &out->xorb_off));
    TRY(xorbs_parse(out, &end));
    return footer_parse(out, end);
}

struct shard_iter shard_files(const struct shard *s) {
    return (struct shard_iter){s, SHARD_REC};
}

bool shard_next(struct shard_iter *it, struct shard_file *f) {
    const uint8_t *p = it->s->p + it->off;
    if (is_bookend(p)) return false;
    uint32_t flags = le32(p + 32);
    memcpy(f->hash.b, p, XET_HASH_LEN);
    f->n_terms = le32(p + 36);
    f->has_ranges = flags & FLAG_RANGES;
    f->has_sha256 = flags & FLAG_SHA256;
    f->terms = p + SHARD_REC;
    f->ranges = f->terms + (size_t)f->n_terms * SHARD_REC;
    const uint8_t *sha = f->ranges + (f->has_ranges ? (size_t)f->n_terms * SHARD_REC : 0);
    if (f->has_sha256) shard_sha256_swap(sha, f->sha256);
    it->off += file_block_len(it->s->p, it->s->n, it->off);
    return true;
}

void shard_term_get(const struct shard_file *f, uint32_t i, struct shard_term *t) {
    const uint8_t *p = f->terms + (size_t)i * SHARD_REC;
    memcpy(t->xorb.b, p, XET_HASH_LEN);
    t->raw_bytes = le32(p + 36);
    t->first = le32(p + 40);
    t->end = le32(p + 44);
}

void shard_range_get(const struct shard_file *f, uint32_t i, struct xet_hash *h) {
    memcpy(h->b, f->ranges + (size_t)i * SHARD_REC, XET_HASH_LEN);
}

bool shard_next_xorb(struct shard_iter *it, struct shard_xorb *x) {
    const uint8_t *p = it->s->p + it->off;
    if (is_bookend(p)) return false;
    memcpy(x->hash.b, p, XET_HASH_LEN);
    x->n = le32(p + 36);
    x->raw_bytes = le32(p + 40);
    x->entries = p + SHARD_REC;
    it->off += (size_t)SHARD_REC * (1 + x->n);
    return true;
}

/* --- writing ---------------------------------------------------------------------------------------- */

static void put_zero(struct buf *b, size_t n) {
    static const uint8_t zero[SHARD_REC];
    BUG_ON(n > sizeof zero);
    buf_add(b, zero, n);
}

void shard_put_head(struct buf *b, uint64_t footer_size) {
    buf_add(b, tag, sizeof tag);
    buf_u64le(b, 2);
    buf_u64le(b, footer_size);
}

void shard_put_bookend(struct buf *b) {
    uint8_t rec[SHARD_REC];
    memset(rec, 0xff, 32);
    memset(rec + 32, 0, sizeof rec - 32);
    buf_add(b, rec, sizeof rec);
}

void shard_put_xorb(struct buf *b, const struct xet_hash *h, uint32_t n, uint32_t raw_bytes, uint32_t stored_bytes) {
    buf_add(b, h->b, sizeof h->b);
    buf_u32le(b, 0);
    buf_u32le(b, n);
    buf_u32le(b, raw_bytes);
    buf_u32le(b, stored_bytes);
}

void shard_put_chunk(struct buf *b, const struct xet_hash *h, uint32_t raw_start, uint32_t raw_len, bool eligible) {
    buf_add(b, h->b, sizeof h->b);
    buf_u32le(b, raw_start);
    buf_u32le(b, raw_len);
    buf_u32le(b, eligible ? FLAG_ELIGIBLE : 0);
    buf_u32le(b, 0);
}

uint32_t shard_file_flags(unsigned which) {
    return (which & SHARD_FLAG_RANGES ? FLAG_RANGES : 0) | (which & SHARD_FLAG_SHA256 ? FLAG_SHA256 : 0);
}

void shard_put_file(struct buf *b, const struct xet_hash *h, uint32_t flags, uint32_t n_terms) {
    buf_add(b, h->b, sizeof h->b);
    buf_u32le(b, flags);
    buf_u32le(b, n_terms);
    buf_u64le(b, 0);
}

void shard_put_term(struct buf *b, const struct shard_term *t) {
    buf_add(b, t->xorb.b, sizeof t->xorb.b);
    buf_u32le(b, 0);
    buf_u32le(b, t->raw_bytes);
    buf_u32le(b, t->first);
    buf_u32le(b, t->end);
}

void shard_put_hash(struct buf *b, const struct xet_hash *h) {
    buf_add(b, h->b, sizeof h->b);
    put_zero(b, 16);
}

void shard_put_footer(struct buf *b, size_t xorb_off, const struct shard_key *k) {
    size_t at = b->n;
    buf_u64le(b, 1);
    buf_u64le(b, SHARD_REC);
    buf_u64le(b, xorb_off);
    for (unsigned i = 0; i < 3;
         i++) { /* three empty lookup tables; clients read the first offset as end of xorb info */
        buf_u64le(b, at);
        buf_u64le(b, 0);
    }
    buf_add(b, k->key, sizeof k->key);
    buf_u64le(b, k->created_s);
    buf_u64le(b, k->expires_s);
    put_zero(b, 48); /* reserved */
    put_zero(b, 24); /* three byte counts nobody reads */
    buf_u64le(b, at);
}
