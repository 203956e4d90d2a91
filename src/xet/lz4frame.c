/* SPDX-License-Identifier: Apache-2.0 */
/* lz4frame.c — see lz4frame.h. */
#include "xet/lz4frame.h"

#include <lz4.h>
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "xet/le.h"

enum {
    FLG_DICT = 1,
    FLG_RESERVED = 2,
    FLG_CONTENT_SUM = 4,
    FLG_CONTENT_SIZE = 8,
    FLG_BLOCK_SUM = 16,
    FLG_INDEPENDENT = 32
};

struct frame {
    const uint8_t *p, *end;
    unsigned flg;
    size_t block_max;
};

static bool bad(const char **why, const char *what) {
    *why = what;
    return false;
}

static bool head_parse(struct frame *f, size_t n_out, const char **why) {
    const uint8_t *p = f->p;
    if (f->end - p < 7) return bad(why, "the LZ4 frame is cut short");
    if (le32(p) != 0x184D2204U) return bad(why, "not an LZ4 frame");
    f->flg = p[4];
    unsigned bd = p[5], size_id = bd >> 4;
    if (f->flg >> 6 != 1 || (f->flg & FLG_RESERVED) || (bd & 0x8f))
        return bad(why, "unknown LZ4 frame version or flags");
    if (f->flg & FLG_DICT) return bad(why, "LZ4 dictionaries are not allowed");
    if (size_id < 4) return bad(why, "bad LZ4 block size");
    f->block_max = (size_t)1 << (8 + 2 * size_id);
    size_t n = f->flg & FLG_CONTENT_SIZE ? 10 : 2;
    if ((size_t)(f->end - p) < 4 + n + 1) return bad(why, "the LZ4 frame is cut short");
    if (n == 10 && (le32(p + 6) != n_out || le32(p + 10) != 0))
        return bad(why, "LZ4 content size differs from the chunk header");
    if (p[4 + n] != (uint8_t)(XXH32(p + 4, n, 0) >> 8)) return bad(why, "LZ4 header checksum differs");
    f->p = p + 4 + n + 1;
    return true;
}

/* One block's data of n bytes at f->p to out[done..n_out). Returns the decoded length or -1. */
static int block_decode(const struct frame *f, size_t n, bool stored, uint8_t *out, size_t done, size_t n_out) {
    size_t room = MIN(n_out - done, f->block_max);
    if (stored) {
        if (n > room) return -1;
        memcpy(out + done, f->p, n);
        return (int)n;
    }
    if (done == 0 || (f->flg & FLG_INDEPENDENT))
        return LZ4_decompress_safe((const char *)f->p, (char *)out + done, (int)n, (int)room);
    size_t dict = MIN(done, 64 * KiB);
    return LZ4_decompress_safe_usingDict((const char *)f->p, (char *)out + done, (int)n, (int)room,
                                         (const char *)out + done - dict, (int)dict);
}

bool lz4frame_decode(const uint8_t *in, size_t n_in, uint8_t *out, size_t n_out, const char **why) {
    struct frame f = {in, in + n_in, 0, 0};
    if (!head_parse(&f, n_out, why)) return false;
    size_t done = 0;
    for (;;) {
        if (f.end - f.p < 4) return bad(why, "the LZ4 frame is cut short");
        uint32_t size = le32(f.p);
        f.p += 4;
        if (size == 0) break;
        bool stored = size >> 31;
        size_t n = size & 0x7fffffffU, sum = f.flg & FLG_BLOCK_SUM ? 4 : 0;
        if (n == 0 || n > f.block_max) return bad(why, "bad LZ4 block size");
        if ((size_t)(f.end - f.p) < n + sum) return bad(why, "the LZ4 frame is cut short");
        if (sum && le32(f.p + n) != XXH32(f.p, n, 0)) return bad(why, "LZ4 block checksum differs");
        int got = block_decode(&f, n, stored, out, done, n_out);
        if (got <= 0) return bad(why, "LZ4 data is malformed or longer than the chunk header says");
        done += (size_t)got;
        f.p += n + sum;
    }
    if (done != n_out) return bad(why, "LZ4 data is shorter than the chunk header says");
    if (f.flg & FLG_CONTENT_SUM) {
        if (f.end - f.p < 4) return bad(why, "the LZ4 frame is cut short");
        if (le32(f.p) != XXH32(out, n_out, 0)) return bad(why, "LZ4 content checksum differs");
        f.p += 4;
    }
    if (f.p != f.end) return bad(why, "bytes follow the LZ4 frame");
    return true;
}

size_t lz4frame_encode(void *state, const uint8_t *in, size_t n_in, uint8_t *out, size_t cap) {
    BUG_ON(n_in > 256 * KiB);
    if (cap < LZ4FRAME_OVERHEAD + 1) return 0;
    put_le(out, 0x184D2204U, 4);
    out[4] = 1 << 6 | FLG_INDEPENDENT;
    out[5] = 5 << 4; /* blocks of at most 256 KiB */
    out[6] = (uint8_t)(XXH32(out + 4, 2, 0) >> 8);
    int n = LZ4_compress_fast_extState(state, (const char *)in, (char *)out + 11, (int)n_in,
                                       (int)(cap - LZ4FRAME_OVERHEAD), 1);
    if (n <= 0) return 0;
    put_le(out + 7, (uint32_t)n, 4);
    put_le(out + 11 + n, 0, 4);
    return (size_t)n + LZ4FRAME_OVERHEAD;
}
