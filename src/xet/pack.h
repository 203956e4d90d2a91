/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pack.h — turns a stream of plain bytes into terms and new xorbs: chunk, look up, compress, append.
 * Everything here is [work] and belongs to one writer.
 */
#ifndef BALLAST_XET_PACK_H
#define BALLAST_XET_PACK_H

#include "xet/chunker.h"
#include "xet/known.h"
#include "xet/xet_db.h"
#include "xet/xorb_file.h"

/* A new xorb that was sealed and waits under DATA/tmp for the commit. */
struct pack_xorb {
    uint64_t tmp_id;
    struct reg_xorb reg;
};
struct pack {
    struct xet *x;
    struct chunker chunker;
    struct merkle file;
    struct known known; /* chunks that need not be stored again */
    struct chunk_encoder enc;
    uint8_t carry[CHUNK_RAW_MAX]; /* the open chunk's bytes of earlier blocks */
    size_t n_carry;
    struct term *terms;
    uint32_t n_terms, cap_terms;
    struct xet_hash first_chunk;
    uint64_t size;
    struct pack_xorb *xorbs;
    size_t n_xorbs, cap_xorbs;
    /* the xorb being filled */
    struct xorb_out out;
    bool out_open;
    struct xorb_entry *e;
    uint32_t n_e;
    uint64_t region_len, raw_len;
    uint8_t *buf; /* encoded bytes not yet written */
    size_t n_buf;
    uint32_t first_term_of_out; /* terms from here on may name the open xorb, whose hash is not known yet */
};
must_check err pack_init(struct pack *p, struct xet *x);
must_check err pack_add(struct pack *p, const uint8_t *data, size_t n); /* n <= CHUNKER_BLOCK_MAX */
/* The last chunk, the last xorb; *hash is the file's. */
must_check err pack_finish(struct pack *p, struct xet_hash *hash);
void pack_release(struct pack *p); /* removes what was not published */
#endif
