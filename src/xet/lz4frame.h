/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lz4frame.h — exactly one LZ4 frame to exactly n bytes, and back, over liblz4's block functions.
 *
 * Why not LZ4F_decompress: it allocates up to 8 MiB per context as the hostile frame asks, accepts
 * skippable frames, and copies. Here nothing is allocated and everything that is not one plain
 * frame of the stated length is refused: dictionaries, reserved bits, a second frame, empty blocks,
 * bytes behind the end mark, wrong header, block or content checksums.
 *
 * Frame: 04 22 4D 18 | FLG | BD | [u64 content size] | HC | blocks: u32 size (bit 31: stored), data,
 *        [u32 xxh32] | u32 0 | [u32 xxh32 of the content]
 */
#ifndef BALLAST_XET_LZ4FRAME_H
#define BALLAST_XET_LZ4FRAME_H

#include "base/base.h"
#include "base/err.h"

/* True when `in` is one frame that yields exactly n_out bytes. On false *why names the defect. */
bool lz4frame_decode(const uint8_t *in, size_t n_in, uint8_t *out, size_t n_out, const char **why);

enum { LZ4FRAME_OVERHEAD = 7 + 4 + 4 };
/*
 * One frame with one compressed block, n_in <= 256 KiB. Returns its length, or 0 when it would not fit cap
 * (so cap = n_in - 1 asks "does it gain?"). state: LZ4_sizeofState() bytes.
 */
size_t lz4frame_encode(void *state, const uint8_t *in, size_t n_in, uint8_t *out, size_t cap);
#endif
