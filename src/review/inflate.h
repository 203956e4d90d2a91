/* SPDX-License-Identifier: Apache-2.0 */
/* inflate.h — decompression of any wrapper within the scan's budgets of time, bytes and memory. */
#ifndef BALLAST_REVIEW_INFLATE_H
#define BALLAST_REVIEW_INFLATE_H

#include "scan.h"

enum inflate_kind {
    INFLATE_RAW,
    INFLATE_ZLIB,
    INFLATE_GZIP,
    INFLATE_BZ2,
    INFLATE_XZ,
    INFLATE_LZMA,
    INFLATE_ZSTD,
    INFLATE_LZ4
};
enum inflate_end { INFLATE_DONE, INFLATE_BROKEN, INFLATE_LIMIT };
struct inflated {
    uint8_t *p;
    size_t n, cap;
    size_t used; /* input bytes taken */
};
/*
 * All output in memory, up to what the budgets leave; at a limit the head is kept, FACT_ARC_BOMB is
 * added and coverage falls. Release with inflate_free, which gives the memory back to the budget.
 */
enum inflate_end inflate_all(struct scan *s, enum inflate_kind kind, struct span in, struct inflated *out);
void inflate_free(struct scan *s, struct inflated *out);
#endif
