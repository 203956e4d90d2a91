/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate.c — one loop over seven decompressors. Output grows by doubling; each round asks the clock.
 *
 * Budgets: expand_left counts every byte ever produced for this file, memory_left those held now.
 */
#include "inflate.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

struct codec {
    enum inflate_kind kind;
    z_stream z;
    bz_stream bz;
    lzma_stream xz;
    ZSTD_DStream *zs;
    LZ4F_dctx *l4;
    bool open;
};

static bool codec_open(struct codec *c, enum inflate_kind kind) {
    memset(c, 0, sizeof *c);
    c->kind = kind;
    c->xz = (lzma_stream)LZMA_STREAM_INIT;
    switch (kind) {
    case INFLATE_RAW: return c->open = inflateInit2(&c->z, -15) == Z_OK;
    case INFLATE_ZLIB: return c->open = inflateInit2(&c->z, 15) == Z_OK;
    case INFLATE_GZIP: return c->open = inflateInit2(&c->z, 31) == Z_OK;
    case INFLATE_BZ2: return c->open = BZ2_bzDecompressInit(&c->bz, 0, 0) == BZ_OK;
    case INFLATE_XZ: return c->open = lzma_stream_decoder(&c->xz, 64 * MiB, 0) == LZMA_OK;
    case INFLATE_LZMA: return c->open = lzma_alone_decoder(&c->xz, 64 * MiB) == LZMA_OK;
    case INFLATE_ZSTD:
        c->zs = ZSTD_createDStream();
        if (!c->zs) return false;
        ZSTD_DCtx_setParameter(c->zs, ZSTD_d_windowLogMax, 26);
        return c->open = !ZSTD_isError(ZSTD_initDStream(c->zs));
    case INFLATE_LZ4: return c->open = !LZ4F_isError(LZ4F_createDecompressionContext(&c->l4, LZ4F_VERSION));
    default: return false;
    }
}

static void codec_close(struct codec *c) {
    if (!c->open) return;
    if (c->kind <= INFLATE_GZIP) inflateEnd(&c->z);
    else if (c->kind == INFLATE_BZ2) BZ2_bzDecompressEnd(&c->bz);
    else if (c->kind == INFLATE_ZSTD) ZSTD_freeDStream(c->zs);
    else if (c->kind == INFLATE_LZ4) LZ4F_freeDecompressionContext(c->l4);
    else lzma_end(&c->xz);
}

/* One round: consumes *in, produces into out; 1 = end of stream, 0 = go on, -1 = broken. */
static int codec_round(struct codec *c, struct span *in, uint8_t *out, size_t cap, size_t *made) {
    size_t give = MIN(in->n, (size_t)1 << 30);
    int end = -1;
    if (c->kind <= INFLATE_GZIP) {
        c->z.next_in = (Bytef *)(uintptr_t)in->p;
        c->z.avail_in = (uInt)give;
        c->z.next_out = out;
        c->z.avail_out = (uInt)cap;
        int r = inflate(&c->z, Z_NO_FLUSH);
        give -= c->z.avail_in;
        *made = cap - c->z.avail_out;
        end = r == Z_STREAM_END ? 1 : r == Z_OK || (r == Z_BUF_ERROR && *made) ? 0 : -1;
    } else if (c->kind == INFLATE_BZ2) {
        c->bz.next_in = (char *)(uintptr_t)in->p;
        c->bz.avail_in = (unsigned)give;
        c->bz.next_out = (char *)out;
        c->bz.avail_out = (unsigned)cap;
        int r = BZ2_bzDecompress(&c->bz);
        give -= c->bz.avail_in;
        *made = cap - c->bz.avail_out;
        end = r == BZ_STREAM_END ? 1 : r == BZ_OK ? 0 : -1;
    } else if (c->kind == INFLATE_ZSTD) {
        ZSTD_inBuffer zi = {in->p, give, 0};
        ZSTD_outBuffer zo = {out, cap, 0};
        size_t r = ZSTD_decompressStream(c->zs, &zo, &zi);
        give = zi.pos;
        *made = zo.pos;
        end = ZSTD_isError(r) ? -1 : r == 0 ? 1 : 0;
    } else if (c->kind == INFLATE_LZ4) {
        size_t n = cap;
        size_t r = LZ4F_decompress(c->l4, out, &n, in->p, &give, NULL);
        *made = n;
        end = LZ4F_isError(r) ? -1 : r == 0 ? 1 : 0;
    } else {
        c->xz.next_in = in->p;
        c->xz.avail_in = give;
        c->xz.next_out = out;
        c->xz.avail_out = cap;
        lzma_ret r = lzma_code(&c->xz, LZMA_RUN);
        give -= c->xz.avail_in;
        *made = cap - c->xz.avail_out;
        end = r == LZMA_STREAM_END ? 1 : r == LZMA_OK ? 0 : -1;
    }
    *in = span_from(*in, give);
    if (end == 0 && give == 0 && *made == 0) end = -1; /* no progress: cut off */
    return end;
}

static bool room(struct scan *s, struct inflated *o) {
    if (o->n < o->cap) return true;
    size_t want = o->cap ? o->cap * 2 : 64 * KiB;
    if (want - o->cap > s->memory_left) want = o->cap + (size_t)s->memory_left;
    if (want == o->cap) return false;
    uint8_t *p = realloc(o->p, want);
    if (!p) return false;
    s->memory_left -= want - o->cap;
    o->p = p;
    o->cap = want;
    return true;
}

enum inflate_end inflate_all(struct scan *s, enum inflate_kind kind, struct span in, struct inflated *o) {
    struct codec *c = malloc(sizeof *c);
    struct span rest = in;
    enum inflate_end end = INFLATE_BROKEN;
    *o = (struct inflated){0};
    if (!c || !codec_open(c, kind)) {
        free(c);
        return INFLATE_BROKEN;
    }
    for (;;) {
        if (s->expand_left == 0 || !room(s, o) || scan_late(s)) {
            end = INFLATE_LIMIT;
            break;
        }
        size_t cap = MIN(MIN(o->cap - o->n, (size_t)1 * MiB), (size_t)s->expand_left), made = 0;
        int r = codec_round(c, &rest, o->p + o->n, cap, &made);
        o->n += made;
        s->expand_left -= made;
        if (r == 0) continue;
        end = r > 0 ? INFLATE_DONE : INFLATE_BROKEN;
        break;
    }
    o->used = in.n - rest.n;
    codec_close(c);
    free(c);
    if (end == INFLATE_LIMIT) {
        facts_addf(s->f, FACT_ARC_BOMB, -1, "more than %zu bytes", o->n);
        facts_cover(s->f, COVERAGE_PARTIAL);
    }
    return end;
}

void inflate_free(struct scan *s, struct inflated *o) {
    s->memory_left += o->cap;
    free(o->p);
    *o = (struct inflated){0};
}
