/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunker.h — content-defined chunk boundaries, streaming in blocks.
 *
 * Rule (Xet): h = (h << 1) + gear[byte]; cut behind a byte when the top 16 bits of h are zero and the
 * chunk has at least 8192 bytes; cut at 131072 bytes in any case; h = 0 behind a cut.
 *
 * h depends on the last 64 bytes only, so the places where the top bits are zero ("candidates") do not
 * depend on where a chunk began. Large blocks are therefore searched in four strips at once, which keeps
 * four independent dependency chains in flight, and the minimum and maximum are applied afterwards.
 */
#ifndef BALLAST_XET_CHUNKER_H
#define BALLAST_XET_CHUNKER_H

#include "base/base.h"

enum {
    CHUNK_MIN = 8192,
    CHUNK_MAX = 131072,
    CHUNKER_BLOCK_MAX = 1024 * 1024,
    CHUNKER_CUTS_MAX = CHUNKER_BLOCK_MAX / CHUNK_MIN + 2
};
struct chunker {
    uint32_t size;    /* bytes of the open chunk so far */
    uint8_t hist[64]; /* the last 64 bytes seen (zeros before the start: never looked at there) */
};
void chunker_init(struct chunker *c);
/*
 * Feed n <= CHUNKER_BLOCK_MAX bytes; cuts[] receives the offsets in p behind which a chunk ends. Returns
 * their number. After the last block the open chunk (size > 0) is the file's last one.
 */
size_t chunker_feed(struct chunker *c, const uint8_t *p, size_t n, uint32_t cuts[CHUNKER_CUTS_MAX]);
#endif
