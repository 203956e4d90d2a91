/* SPDX-License-Identifier: Apache-2.0 */
/* Xorb bodies: good ones pass however they are cut; every malformed or dishonest one is refused with its reason. */
#include "xet_test.h"

#include <lz4frame.h>

#include "base/buf.h"
#include "xet/bg4.h"
#include "xet/xorb_verify.h"

static err verify(const void *p, size_t n, size_t step, const struct xet_hash *h, uint64_t *region) {
    struct xorb_verify *v;
    err e = xorb_verify_new(&v);
    for (size_t at = 0; e == OK && at < n; at += step) e = xorb_verify_feed(v, (const char *)p + at, MIN(step, n - at));
    if (e == OK) e = xorb_verify_done(v, h);
    if (region) *region = v->region_len;
    xorb_verify_free(v);
    return e;
}

static void put_chunk(struct buf *b, uint8_t version, uint32_t n_stored, uint8_t scheme, uint32_t n_raw, const void *p,
                      size_t n) {
    uint8_t h[8] = {version, (uint8_t)n_stored, (uint8_t)(n_stored >> 8), (uint8_t)(n_stored >> 16),
                    scheme,  (uint8_t)n_raw,    (uint8_t)(n_raw >> 8),    (uint8_t)(n_raw >> 16)};
    buf_add(b, h, 8);
    buf_add(b, p, n);
}

/* One of each scheme; the hash of the whole. */
static void good_xorb(struct buf *b, struct xet_hash *root) {
    buf_init(b, 4 * MiB);
    uint8_t *raw = test_alloc(60000), *tmp = test_alloc(60000), *enc = test_alloc(80000);
    struct merkle m;
    merkle_init(&m);
    for (unsigned k = 0; k < 3; k++) {
        size_t n = 20000 + k * 10001;
        for (size_t i = 0; i < n; i++) raw[i] = (uint8_t)(i % 251 / (k + 1));
        struct xet_hash h;
        xhash_chunk(raw, n, &h);
        merkle_add(&m, &h, n);
        if (k == 2) bg4_split(raw, tmp, n);
        else memcpy(tmp, raw, n);
        size_t len = n;
        if (k > 0) len = LZ4F_compressFrame(enc, 80000, tmp, n, NULL);
        else memcpy(enc, raw, n);
        put_chunk(b, 0, (uint32_t)len, (uint8_t)k, (uint32_t)n, enc, len);
    }
    merkle_root(&m, root);
    free(raw);
    free(tmp);
    free(enc);
}

static void footer_v1(struct buf *b, const struct xet_hash *root, uint8_t version, bool lie) {
    /* the entries are found by verifying the body once */
    struct xorb_verify *v;
    assert_null(xorb_verify_new(&v));
    assert_null(xorb_verify_feed(v, b->p, b->n));
    size_t at = b->n;
    buf_add(b, "XETBLOB", 7);
    buf_char(b, (char)version);
    buf_add(b, root->b, 32);
    buf_add(b, "XBLBHSH\0", 8);
    buf_u32le(b, v->n);
    for (uint32_t i = 0; i < v->n; i++) {
        struct xet_hash h = v->e[i].hash;
        if (lie && i == 1) h.b[0] ^= 1;
        buf_add(b, h.b, 32);
    }
    buf_add(b, "XBLBBND\1", 8);
    buf_u32le(b, v->n);
    for (uint32_t i = 0; i < v->n; i++) buf_u32le(b, v->e[i].phys_end);
    for (uint32_t i = 0; i < v->n; i++) buf_u32le(b, v->e[i].raw_end);
    buf_u32le(b, v->n);
    for (unsigned i = 0; i < 24; i++) buf_char(b, 0);
    buf_u32le(b, (uint32_t)(b->n - at));
    xorb_verify_free(v);
}

static void test_good(void **s) {
    struct buf b;
    struct xet_hash root;
    good_xorb(&b, &root);
    static const size_t steps[] = {1, 7, 8, 9, 4096, 20008, 1 << 20};
    uint64_t region;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        assert_null(verify(b.p, b.n, steps[i], &root, &region));
        assert_int_equal(region, b.n);
    }
    size_t n = b.n;
    footer_v1(&b, &root, 1, false);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        assert_null(verify(b.p, b.n, steps[i], &root, &region));
        assert_int_equal(region, n); /* the footer is not part of the region */
    }
    buf_release(&b);
}

static unsigned n_poison;
/* Refused as a bad request, whole and in small pieces, and the text contains `want`. */
static void refused(const struct buf *b, const struct xet_hash *root, const char *want) {
    static const size_t steps[] = {1 << 20, 11};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        err e = verify(b->p, b->n, steps[i], root, NULL);
        if (e == OK) fail_msg("accepted a xorb that should fail with \"%s\"", want);
        assert_ptr_equal(e, E_BAD_REQUEST);
        if (strstr(err_text(), want) == NULL) fail_msg("text \"%s\" lacks \"%s\"", err_text(), want);
    }
    n_poison++;
}

/* A fresh good xorb with one byte changed. */
static void flipped(size_t at, uint8_t val, const char *want) {
    struct buf b;
    struct xet_hash root;
    good_xorb(&b, &root);
    b.p[at] = (char)val;
    refused(&b, &root, want);
    buf_release(&b);
}

static void test_poison_headers(void **s) {
    flipped(0, 1, "version is not 0");
    flipped(0, 'X', "version is not 0");
    flipped(4, 3, "unknown compression scheme");
    flipped(4, 99, "unknown compression scheme");
    flipped(4, 1, "not an LZ4 frame"); /* claims LZ4 over plain bytes */
    flipped(4, 2, "not an LZ4 frame");
    flipped(5, 0x21, "two different lengths"); /* raw length differs from stored for scheme 0 */
    flipped(7, 2, "longer than 128 KiB");
    flipped(3, 4, "stored chunk length is out of bounds");
    flipped(8, 'y', "hash to"); /* content differs */
    flipped(100, 'y', "hash to");
    size_t second = 8 + 20000;
    flipped(second, 7, "version is not 0");
    flipped(second + 4, 0, "two different lengths");
    flipped(second + 4, 2, "hash to"); /* the same bytes read as grouped ones are other content */
    flipped(second + 5, 0, "LZ4 data");
    flipped(second + 8, 5, "not an LZ4 frame");
    flipped(second + 12, 0xff, "flags");
    flipped(second + 13, 0x10, "LZ4 block size");
    flipped(second + 14, 0x77, "header checksum");
}

static void one_chunk(uint32_t n_stored, uint8_t scheme, uint32_t n_raw, const void *p, size_t n, const char *want) {
    struct buf b;
    buf_init(&b, 4 * MiB);
    put_chunk(&b, 0, n_stored, scheme, n_raw, p, n);
    struct xet_hash h;
    xhash_chunk(p, n_raw <= n ? n_raw : n, &h);
    refused(&b, &h, want);
    buf_release(&b);
}

static void test_poison_lengths(void **s) {
    uint8_t *z = test_alloc(300000);
    one_chunk(0, 0, 0, z, 0, "empty chunk");
    one_chunk(0, 0, 10, z, 0, "stored chunk length");
    one_chunk(10, 0, 0, z, 10, "empty chunk");
    one_chunk(131073, 0, 131073, z, 131073, "longer than 128 KiB");
    one_chunk(262145, 1, 1000, z, 262145, "stored chunk length");
    one_chunk(1000, 0, 1000, z, 999, "ends inside chunk");
    one_chunk(1000, 0, 1000, z, 1001, "ends inside chunk"); /* one byte too many starts another header */
    one_chunk(1000, 0, 1000, z, 1007, "ends inside chunk");
    one_chunk(1000, 0, 1000, z, 1008, "empty chunk");
    struct buf b;
    buf_init(&b, 16);
    struct xet_hash h;
    memset(&h, 0, sizeof h);
    refused(&b, &h, "no chunk"); /* empty body, zero hash */
    buf_add(&b, "\0\0\0", 3);
    refused(&b, &h, "ends inside chunk");
    buf_release(&b);
    free(z);
}

/* A frame that would unpack to far more than it says, in several ways. */
static void test_poison_bombs(void **s) {
    enum { BIG = 8 << 20 };
    size_t cap = LZ4F_compressFrameBound(BIG, NULL);
    uint8_t *z = test_alloc(BIG), *enc = test_alloc(cap);
    size_t n = LZ4F_compressFrame(enc, cap, z, BIG, NULL);
    assert_false(LZ4F_isError(n));
    one_chunk((uint32_t)n, 1, 131072, enc, n, "LZ4 data");
    one_chunk((uint32_t)n, 2, 131072, enc, n, "LZ4 data");
    LZ4F_preferences_t p = {0};
    p.frameInfo.contentSize = 1000;
    n = LZ4F_compressFrame(enc, 200000, z, 1000, &p);
    one_chunk((uint32_t)n, 1, 999, enc, n, "content size differs");
    n = LZ4F_compressFrame(enc, 200000, z, 1000, NULL);
    one_chunk((uint32_t)n, 1, 1001, enc, n, "shorter");
    one_chunk((uint32_t)n, 1, 999, enc, n, "malformed or longer");
    memcpy(enc + n, enc, n);
    one_chunk((uint32_t)(2 * n), 1, 1000, enc, 2 * n, "bytes follow");
    one_chunk((uint32_t)(2 * n), 1, 2000, enc, 2 * n, "shorter"); /* two frames are not one chunk */
    one_chunk((uint32_t)n - 4, 1, 1000, enc, n - 4, "cut short");
    const uint8_t skip[] = {0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};
    memmove(enc + sizeof skip, enc, n);
    memcpy(enc, skip, sizeof skip);
    one_chunk((uint32_t)(n + sizeof skip), 1, 1000, enc, n + sizeof skip, "not an LZ4 frame");
    p = (LZ4F_preferences_t){0};
    p.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    p.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
    n = LZ4F_compressFrame(enc, 200000, z, 1000, &p);
    enc[n - 1] ^= 1;
    one_chunk((uint32_t)n, 1, 1000, enc, n, "content checksum");
    enc[n - 1] ^= 1;
    enc[n - 9] ^= 1;
    one_chunk((uint32_t)n, 1, 1000, enc, n, "block checksum");
    const uint8_t empty_block[] = {0x04, 0x22, 0x4D, 0x18, 0x60, 0x40, 0x82, 0, 0, 0, 0x80, 0, 0, 0, 0};
    one_chunk(sizeof empty_block, 1, 5, empty_block, sizeof empty_block, "block size");
    const uint8_t dict[] = {0x04, 0x22, 0x4D, 0x18, 0x61, 0x40, 1, 2, 3, 4, 0x82, 0, 0, 0, 0};
    one_chunk(sizeof dict, 1, 5, dict, sizeof dict, "dictionaries");
    free(z);
    free(enc);
}

static void test_poison_totals(void **s) {
    uint8_t *z = test_alloc(131072);
    struct buf b;
    struct xet_hash h;
    memset(&h, 1, sizeof h);
    buf_init(&b, 70 * MiB);
    for (unsigned i = 0; i < 8193; i++) put_chunk(&b, 0, 4, 0, 4, z, 4);
    err e = verify(b.p, b.n, 1 << 20, &h, NULL);
    assert_ptr_equal(e, E_BAD_REQUEST);
    assert_non_null(strstr(err_text(), "more than 8192 chunks"));
    n_poison++;
    buf_reset(&b);
    for (unsigned i = 0; i < 513; i++) put_chunk(&b, 0, 131072, 0, 131072, z, 131072);
    e = verify(b.p, b.n, 1 << 20, &h, NULL);
    assert_ptr_equal(e, E_BAD_REQUEST);
    assert_non_null(strstr(err_text(), "more than 64 MiB"));
    n_poison++;
    buf_release(&b);
    free(z);
}

static void test_poison_identity(void **s) {
    struct buf b;
    struct xet_hash root, other;
    good_xorb(&b, &root);
    other = root;
    other.b[31] ^= 0x80;
    refused(&b, &other, "not to the hash in the URL");
    size_t n = b.n;
    b.n = n - 1;
    refused(&b, &root, "ends inside chunk");
    b.n = 8 + 20000; /* whole chunks, but not all of them */
    refused(&b, &root, "hash to");
    b.n = n;
    char *twice = test_alloc(n);
    memcpy(twice, b.p, n);
    buf_add(&b, twice, n);
    refused(&b, &root, "hash to");
    free(twice);
    buf_release(&b);
}

static void test_poison_footers(void **s) {
    struct buf b;
    struct xet_hash root, other;
    good_xorb(&b, &root);
    size_t n = b.n;
    other = root;
    other.b[3] ^= 1;
    footer_v1(&b, &other, 1, false);
    refused(&b, &root, "names another hash");
    b.n = n;
    footer_v1(&b, &root, 2, false);
    refused(&b, &root, "footer version");
    b.n = n;
    footer_v1(&b, &root, 1, true);
    refused(&b, &root, "another hash for chunk 1");
    b.n = n;
    footer_v1(&b, &root, 1, false);
    buf_char(&b, 0);
    refused(&b, &root, "wrong length");
    b.n = n;
    buf_add(&b, "XETBLOB\1", 8);
    refused(&b, &root, "cut short");
    b.n = n;
    footer_v1(&b, &root, 1, false);
    b.p[n + 48] ^= 1; /* number of chunks */
    refused(&b, &root, "counts other chunks");
    b.n = n;
    footer_v1(&b, &root, 1, false);
    for (unsigned i = 0; i < 400000; i++) buf_char(&b, 0);
    refused(&b, &root, "too long");
    buf_release(&b);
}

static void test_poison_count(void **s) {
    print_message("# %u poisoned xorbs refused\n", n_poison);
    assert_true(n_poison >= 40);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(test_good),           cmocka_unit_test(test_poison_headers),
                                   cmocka_unit_test(test_poison_lengths), cmocka_unit_test(test_poison_bombs),
                                   cmocka_unit_test(test_poison_totals),  cmocka_unit_test(test_poison_identity),
                                   cmocka_unit_test(test_poison_footers), cmocka_unit_test(test_poison_count)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
