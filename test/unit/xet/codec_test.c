/* SPDX-License-Identifier: Apache-2.0 */
/* BG4, LZ4 frames (ours and liblz4's), and the choice of a scheme. */
#include "xet_test.h"

#include <lz4frame.h>

#include "xet/bg4.h"
#include "xet/chunk_codec.h"
#include "xet/lz4frame.h"

static void test_bg4(void **s) {
    uint8_t in[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8}, out[9], back[9];
    const uint8_t want[9] = {0, 4, 8, 1, 5, 2, 6, 3, 7}; /* 9 mod 4 = 1: the first plane is longer */
    bg4_split(in, out, 9);
    assert_memory_equal(out, want, 9);
    bg4_regroup(out, back, 9);
    assert_memory_equal(back, in, 9);
    uint8_t *a = test_alloc(5000), *b = test_alloc(5000), *c = test_alloc(5000);
    gen_splitmix(a, 5000, 7);
    for (size_t n = 0; n < 4200; n += n < 300 ? 1 : 97) {
        bg4_split(a, b, n);
        size_t q = n / 4, r = n % 4, at = 0;
        for (size_t k = 0; k < 4; k++)
            for (size_t i = 0; i < q + (k < r ? 1 : 0); i++) assert_int_equal(b[at++], a[4 * i + k]);
        bg4_regroup(b, c, n);
        assert_memory_equal(a, c, n);
    }
    free(a);
    free(b);
    free(c);
}

/* Frames of the reference library in every flavour must decode. */
static void test_lz4_reference_frames(void **s) {
    enum { N = 131072 };
    uint8_t *raw = test_alloc(N), *out = test_alloc(N);
    for (size_t i = 0; i < N; i++) raw[i] = (uint8_t)((i * i >> 7) % 23);
    size_t cap = 2 * N;
    uint8_t *enc = test_alloc(cap);
    for (unsigned flavour = 0; flavour < 64; flavour++) {
        LZ4F_preferences_t p = {0};
        p.frameInfo.blockSizeID = (LZ4F_blockSizeID_t)(4 + flavour % 4);
        p.frameInfo.blockMode = flavour & 4 ? LZ4F_blockIndependent : LZ4F_blockLinked;
        p.frameInfo.contentChecksumFlag = flavour & 8 ? LZ4F_contentChecksumEnabled : LZ4F_noContentChecksum;
        p.frameInfo.blockChecksumFlag = flavour & 16 ? LZ4F_blockChecksumEnabled : LZ4F_noBlockChecksum;
        p.frameInfo.contentSize = flavour & 32 ? N : 0;
        size_t n = LZ4F_compressFrame(enc, cap, raw, N, &p);
        assert_false(LZ4F_isError(n));
        const char *why = NULL;
        memset(out, 0, N);
        assert_true(lz4frame_decode(enc, n, out, N, &why));
        assert_memory_equal(raw, out, N);
        /* every strict prefix and any wrong length is refused */
        assert_false(lz4frame_decode(enc, n - 1, out, N, &why));
        assert_false(lz4frame_decode(enc, n, out, N - 1, &why));
        assert_false(lz4frame_decode(enc, n, out, N + 0 - 4096, &why));
        enc[n] = 0;
        assert_false(lz4frame_decode(enc, n + 1, out, N, &why));
        enc[6 + (flavour & 32 ? 8 : 0)] ^= 1; /* header checksum */
        assert_false(lz4frame_decode(enc, n, out, N, &why));
    }
    free(raw);
    free(out);
    free(enc);
}

/* Our frames must be readable by the reference library. */
static void test_lz4_own_frames(void **s) {
    enum { N = 100000 };
    uint8_t *raw = test_alloc(N), *enc = test_alloc(N), *out = test_alloc(N);
    for (size_t i = 0; i < N; i++) raw[i] = (uint8_t)(i / 100);
    struct chunk_encoder e;
    assert_null(chunk_encoder_init(&e));
    size_t n = lz4frame_encode(e.lz4_state, raw, N, enc, N - 1);
    assert_true(n > 0 && n < N);
    LZ4F_dctx *d;
    assert_false(LZ4F_isError(LZ4F_createDecompressionContext(&d, LZ4F_VERSION)));
    size_t n_out = N, n_in = n;
    assert_int_equal(LZ4F_decompress(d, out, &n_out, enc, &n_in, NULL), 0);
    assert_int_equal(n_out, N);
    assert_int_equal(n_in, n);
    assert_memory_equal(out, raw, N);
    LZ4F_freeDecompressionContext(d);
    gen_splitmix(raw, N, 3);
    assert_int_equal(lz4frame_encode(e.lz4_state, raw, N, enc, N - 1), 0); /* no gain */
    chunk_encoder_release(&e);
    free(raw);
    free(enc);
    free(out);
}

static void roundtrip(struct chunk_encoder *e, const uint8_t *raw, size_t n, int want_scheme) {
    uint8_t *enc = test_alloc(n + CHUNK_HEAD);
    struct chunk_scratch *sc = test_alloc(sizeof *sc);
    size_t k = chunk_encode(e, raw, n, enc);
    assert_true(k <= n + CHUNK_HEAD);
    struct chunk_head h;
    const char *why;
    const uint8_t *out;
    assert_true(chunk_head_parse(enc, &h, &why));
    assert_int_equal(h.n_raw, n);
    assert_int_equal(h.n_stored + CHUNK_HEAD, k);
    if (want_scheme >= 0) assert_int_equal(h.scheme, want_scheme);
    assert_true(chunk_decode(&h, enc + CHUNK_HEAD, sc, &out, &why));
    assert_memory_equal(out, raw, n);
    free(enc);
    free(sc);
}

static void test_scheme_choice(void **s) {
    uint8_t *p = test_alloc(CHUNK_RAW_MAX);
    struct chunk_encoder e;
    assert_null(chunk_encoder_init(&e));
    gen_splitmix(p, CHUNK_RAW_MAX, 5);
    roundtrip(&e, p, CHUNK_RAW_MAX, SCHEME_NONE);
    chunk_encoder_release(&e);
    assert_null(chunk_encoder_init(&e));
    gen_floats(p, CHUNK_RAW_MAX, 6);
    roundtrip(&e, p, CHUNK_RAW_MAX, SCHEME_BG4);
    roundtrip(&e, p, 70000, SCHEME_BG4);
    for (size_t i = 0; i < CHUNK_RAW_MAX; i++) p[i] = (uint8_t) "the quick brown fox "[i % 20];
    e.until_trial = 0;
    roundtrip(&e, p, CHUNK_RAW_MAX, SCHEME_LZ4);
    roundtrip(&e, p, 1, SCHEME_NONE);
    roundtrip(&e, p, 17, -1);
    chunk_encoder_release(&e);
    free(p);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(test_bg4), cmocka_unit_test(test_lz4_reference_frames),
                                   cmocka_unit_test(test_lz4_own_frames), cmocka_unit_test(test_scheme_choice)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
