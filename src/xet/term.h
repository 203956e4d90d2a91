/* SPDX-License-Identifier: Apache-2.0 */
/*
 * term.h — a file as a list of terms: chunk ranges of xorbs. The struct is also the stored record
 * (docs/formats/xet-file.md): 56 bytes, little-endian, so whole terms are planned without opening a xorb.
 */
#ifndef BALLAST_XET_TERM_H
#define BALLAST_XET_TERM_H

#include "xet/xet.h"

struct term {
    struct xet_hash xorb;
    uint32_t first, end;           /* chunks [first, end) */
    uint32_t raw_bytes;            /* of the range, uncompressed */
    uint32_t phys_start, phys_end; /* bytes [phys_start, phys_end) of the xorb's region */
    uint32_t zero;
};
_Static_assert(sizeof(struct term) == 56, "stored layout");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "stored structs are little-endian");

/* A file with its terms in malloc'd memory. */
struct xfile {
    struct xet_hash hash;
    uint8_t sha256[32];
    uint64_t size;
    struct term *terms;
    uint32_t n_terms;
};
void xfile_release(struct xfile *f);
#endif
