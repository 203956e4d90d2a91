/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xorb_verify.h — streaming check of a serialized xorb: every chunk is decoded and hashed as it
 * passes, the merkle root is compared at the end. Pure: no I/O, bounded memory (about 0.9 MiB).
 *
 * A footer ("XETBLOB" where a chunk header would start) is tolerated, checked and not part of the
 * region: the caller stores region_len bytes and the entries.
 */
#ifndef BALLAST_XET_XORB_VERIFY_H
#define BALLAST_XET_XORB_VERIFY_H

#include "xet/chunk_codec.h"
#include "xet/xhash.h"

enum {
    XORB_CHUNKS_MAX = 8192,
    XORB_RAW_MAX = 64 * 1024 * 1024,
    XORB_BODY_MAX = 68 * 1024 * 1024,
    XORB_FOOTER_MAX = 40 * XORB_CHUNKS_MAX + 4096
};
/* Also the 40 bytes of the side index on disk (little-endian hosts only: asserted in xorb_file.c). */
struct xorb_entry {
    struct xet_hash hash;
    uint32_t phys_end; /* in the region, headers included */
    uint32_t raw_end;
};
struct xorb_verify {
    struct xorb_entry *e;
    uint32_t n, cap;
    uint64_t region_len, raw_len;
    uint8_t carry[CHUNK_HEAD + CHUNK_STORED_MAX]; /* a chunk split over two feeds */
    size_t n_carry;
    uint8_t *footer;
    size_t n_footer;
    struct chunk_scratch scratch;
};
/* Large (about 0.5 MiB): on the heap. */
must_check err xorb_verify_new(struct xorb_verify **out);
void xorb_verify_free(struct xorb_verify *v); /* NULL ok */
/* E_BAD_REQUEST naming the chunk and the defect. */
must_check err xorb_verify_feed(struct xorb_verify *v, const void *p, size_t n);
/* E_BAD_REQUEST unless the chunks hash to `expect`. */
must_check err xorb_verify_done(struct xorb_verify *v, const struct xet_hash *expect);
/* The root of a list of entries, for whoever holds an index. */
void xorb_entries_root(const struct xorb_entry *e, uint32_t n, struct xet_hash *root);
#endif
