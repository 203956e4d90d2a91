/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shard.h — Xet shards ("MDB"): strict reader of uploads, writer of dedup replies. Pure.
 *
 * 48-byte records, little-endian:
 *   header      tag 32, u64 version = 2, u64 footer size (not trusted: what is there decides)
 *   file info   per file: {hash 32, u32 flags, u32 n, 8 unused}, n terms {xorb 32, u32 flags, u32 raw bytes,
 *               u32 first, u32 end}, n verification records {range hash 32, 16 unused} when flags bit 31,
 *               one {sha256 32, 16 unused} when bit 30; then a bookend (32 x FF, 16 x 00)
 *   xorb info   per xorb: {hash 32, u32 flags, u32 n, u32 raw bytes, u32 stored bytes}, n x {chunk hash 32,
 *               u32 raw start, u32 raw length, u32 flags, u32 unused}; then a bookend
 *   [lookup tables, footer of 200 bytes]
 * The sha256 record holds the digest with each group of eight bytes reversed (its *string form* is the hex).
 */
#ifndef BALLAST_XET_SHARD_H
#define BALLAST_XET_SHARD_H

#include "base/buf.h"
#include "xet/xorb_verify.h"

enum {
    SHARD_REC = 48,
    SHARD_FOOTER = 200,
    SHARD_BODY_MAX = 64 * 1024 * 1024,
    SHARD_TERMS_MAX = 262144 /* of one file */
};
struct shard_term {
    struct xet_hash xorb;
    uint32_t raw_bytes, first, end; /* chunks [first, end) */
};
struct shard_file {
    struct xet_hash hash;
    uint32_t n_terms;
    bool has_ranges, has_sha256;
    uint8_t sha256[32];   /* in the usual byte order */
    const uint8_t *terms; /* records inside the shard */
    const uint8_t *ranges;
};
struct shard {
    const uint8_t *p;
    size_t n;
    uint32_t n_files, n_xorbs;
    size_t xorb_off;   /* start of the xorb info section */
    size_t footer_off; /* 0 = none */
};
/* Checks the whole structure: E_BAD_REQUEST naming the defect. `p` is borrowed. */
must_check err shard_parse(const void *p, size_t n, struct shard *out);

/* Files in order; only after shard_parse. */
struct shard_iter {
    const struct shard *s;
    size_t off;
};
struct shard_iter shard_files(const struct shard *s);
bool shard_next(struct shard_iter *it, struct shard_file *f);
void shard_term_get(const struct shard_file *f, uint32_t i, struct shard_term *t);
void shard_range_get(const struct shard_file *f, uint32_t i, struct xet_hash *h);
/* The xorb info blocks in order: entries are 48-byte records (tests and the dedup client use them). */
struct shard_xorb {
    struct xet_hash hash;
    uint32_t n, raw_bytes;
    const uint8_t *entries;
};
bool shard_next_xorb(struct shard_iter *it /* {s, s->xorb_off} */, struct shard_xorb *x);

/* --- writing -------------------------------------------------------------------------------------- */
void shard_put_head(struct buf *b, uint64_t footer_size);
void shard_put_bookend(struct buf *b);
void shard_put_xorb(struct buf *b, const struct xet_hash *h, uint32_t n, uint32_t raw_bytes, uint32_t stored_bytes);
void shard_put_chunk(struct buf *b, const struct xet_hash *h, uint32_t raw_start, uint32_t raw_len, bool eligible);
/* For uploads made by tests and benches. */
void shard_put_file(struct buf *b, const struct xet_hash *h, uint32_t flags, uint32_t n_terms);
void shard_put_term(struct buf *b, const struct shard_term *t);
void shard_put_hash(struct buf *b, const struct xet_hash *h); /* a verification or sha256 record */
/* The footer clients require in dedup replies: no lookup tables, a key and its life. xorb_off: start of xorb info. */
struct shard_key {
    uint8_t key[XET_HASH_LEN];
    uint64_t created_s, expires_s;
};
void shard_put_footer(struct buf *b, size_t xorb_off, const struct shard_key *k);
/* sha256 <-> its record form. */
void shard_sha256_swap(const uint8_t in[32], uint8_t out[32]);
enum { SHARD_FLAG_RANGES = 1 << 0, SHARD_FLAG_SHA256 = 1 << 1 };
/* flags of shard_put_file from the two above */
uint32_t shard_file_flags(unsigned which);
#endif
