/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xhash.h — the four keyed BLAKE3 uses of Xet and its merkle aggregation, streaming.
 *
 * chunk hash       = keyed(data key, raw chunk)
 * node hash        = keyed(node key, lines "HASHSTRING : LENGTH\n" of the children)
 * file hash        = keyed(32 zero bytes, root); the empty file is all zeros
 * range hash       = keyed(verification key, concatenated raw chunk hashes)
 * "hmac" of a hash = keyed(key, hash)
 */
#ifndef BALLAST_XET_XHASH_H
#define BALLAST_XET_XHASH_H

#include <blake3.h>

#include "xet/xet.h"

void xhash_chunk(const void *p, size_t n, struct xet_hash *out);
void xhash_hmac(const uint8_t key[XET_HASH_LEN], const struct xet_hash *in, struct xet_hash *out);
bool xhash_eq(const struct xet_hash *a, const struct xet_hash *b);
bool xhash_is_zero(const struct xet_hash *h);
/* The little-endian u64 of bytes 24..31: "hash mod N" everywhere in Xet uses it. */
uint64_t xhash_tail(const struct xet_hash *h);
/* May this chunk be asked for in the global dedup index because of its hash alone? */
bool xhash_eligible(const struct xet_hash *h);

/* Range (possession) hash, streaming over chunk hashes. */
struct xhash_range {
    blake3_hasher h;
};
void xhash_range_init(struct xhash_range *r);
void xhash_range_add(struct xhash_range *r, const struct xet_hash *chunk);
void xhash_range_done(const struct xhash_range *r, struct xet_hash *out);

/*
 * Merkle aggregation of (hash, length) leaves, left to right, in constant memory: a level holds the
 * members of its open group. A group closes at its 9th member, or from its 3rd on at a member whose
 * tail is divisible by 4; what is left at the end closes as it is.
 */
enum { MERKLE_LEVELS = 26, MERKLE_FAN = 9 }; /* 3^26 leaves are beyond any file */
struct merkle_node {
    struct xet_hash hash;
    uint64_t len;
};
struct merkle {
    struct merkle_level {
        unsigned n;
        bool emitted; /* this level has passed a group upwards */
        struct merkle_node e[MERKLE_FAN];
    } level[MERKLE_LEVELS];
    uint64_t total;
};
void merkle_init(struct merkle *m);
void merkle_add(struct merkle *m, const struct xet_hash *h, uint64_t len);
/* The root (a lone leaf is its own root; no leaves: zeros). Consumes m. */
void merkle_root(struct merkle *m, struct xet_hash *root);
/* The root as file hash. Consumes m. */
void merkle_file(struct merkle *m, struct xet_hash *file);
#endif
