/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LZ4 frames: whatever our strict decoder accepts, the reference library decodes to the same bytes. And
 * any bytes survive grouping, compression and the way back. Input: u24 claimed length, then the frame.
 */
#include <lz4frame.h>

#include "xet/bg4.h"
#include "xet/chunk_codec.h"
#include "xet/lz4frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void against_reference(const uint8_t *p, size_t n, const uint8_t *want, size_t n_want) {
    LZ4F_dctx *d;
    uint8_t *out = malloc(n_want + 1);
    BUG_ON(out == NULL || LZ4F_isError(LZ4F_createDecompressionContext(&d, LZ4F_VERSION)));
    size_t at = 0, in = 0, left = 1;
    while (left != 0) {
        size_t n_out = n_want + 1 - at, n_in = n - in;
        left = LZ4F_decompress(d, out + at, &n_out, p + in, &n_in, NULL);
        BUG_ON(LZ4F_isError(left) || (n_out == 0 && n_in == 0 && left != 0));
        at += n_out;
        in += n_in;
    }
    BUG_ON(at != n_want || in != n || memcmp(out, want, n_want) != 0);
    LZ4F_freeDecompressionContext(d);
    free(out);
}

static void roundtrip(const uint8_t *p, size_t n) {
    struct chunk_encoder *e = malloc(sizeof *e);
    struct chunk_scratch *s = malloc(sizeof *s);
    uint8_t *enc = malloc(CHUNK_HEAD + n), *tmp = malloc(n), *back = malloc(n);
    BUG_ON(e == NULL || s == NULL || enc == NULL || tmp == NULL || back == NULL || chunk_encoder_init(e) != OK);
    bg4_split(p, tmp, n);
    bg4_regroup(tmp, back, n);
    BUG_ON(memcmp(p, back, n) != 0);
    for (unsigned i = 0; i < 2; i++) { /* with a trial and without */
        struct chunk_head h;
        const char *why;
        const uint8_t *out;
        size_t k = chunk_encode(e, p, n, enc);
        BUG_ON(k > CHUNK_HEAD + n || !chunk_head_parse(enc, &h, &why) || h.n_stored + CHUNK_HEAD != k);
        BUG_ON(!chunk_decode(&h, enc + CHUNK_HEAD, s, &out, &why) || h.n_raw != n || memcmp(out, p, n) != 0);
    }
    chunk_encoder_release(e);
    free(e);
    free(s);
    free(enc);
    free(tmp);
    free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4) return 0;
    size_t n_out = ((size_t)data[0] | (size_t)data[1] << 8 | (size_t)data[2] << 16) % (CHUNK_RAW_MAX + 1);
    if (n_out > 0) {
        uint8_t *out = malloc(n_out);
        const char *why = NULL;
        BUG_ON(out == NULL);
        if (lz4frame_decode(data + 3, size - 3, out, n_out, &why)) against_reference(data + 3, size - 3, out, n_out);
        else BUG_ON(why == NULL);
        free(out);
    }
    roundtrip(data + 3, MIN(size - 3, (size_t)CHUNK_RAW_MAX));
    return 0;
}
