/* SPDX-License-Identifier: Apache-2.0 */
/* Chunk boundaries: published vectors, and the striped search against the plain definition. */
#include "xet_test.h"

#include "xet/gear.h"

static const size_t steps[] = {1, 63, 4097, 65535, 262144, CHUNKER_BLOCK_MAX};

static void check(const uint8_t *p, size_t n, const uint32_t *len, uint32_t n_len, const char *first, const char *xorb,
                  const char *file, const char *range) {
    static struct test_file t;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        test_chunk(&t, p, n, steps[i]);
        assert_true(t.n >= n_len);
        for (uint32_t k = 0; k < n_len; k++) assert_int_equal(t.len[k], len[k]);
        if (first) assert_hash(&t.chunk[0], first);
        if (xorb) assert_hash(&t.xorb, xorb);
        assert_hash(&t.file, file);
        if (range) assert_hash(&t.range, range);
    }
}

static void test_constant(void **s) {
    uint8_t *p = test_alloc(1000000);
    memset(p, 59, 1000000);
    const uint32_t len[8] = {131072, 131072, 131072, 131072, 131072, 131072, 131072, 82496};
    check(p, 1000000, len, 8, "d3b528b30528f3ad802a015cdf93c531d4da754a1f8c0d341a8f111fd8b6f04e",
          "a6b5a7f0bb38b6fd5fb39031eb7564e18ea0e7a0b7bea87de54ed1db8bc85884",
          "53f845640fcd1c7440befff65bd93434c83a30c6559a705597d61f2ef64e2f88",
          "966713ec6609aa2aa74c90a2fa7771f6068114b4ea12cf569142b436d6e3676c");
    static struct test_file t;
    test_chunk(&t, p, 1000000, 1000000);
    assert_int_equal(t.n, 8);
    assert_hash(&t.chunk[7], "99d04e49b71237231d47669f3eec84c90eb6b6be12b364ce326c05c6d71c3a9f");
    memset(p, 0, 1000000);
    free(p);
}

static void test_zeros(void **s) {
    uint8_t *p = test_alloc(1 << 20);
    const uint32_t len[8] = {131072, 131072, 131072, 131072, 131072, 131072, 131072, 131072};
    check(p, 1 << 20, len, 8, "2e39f13c248013b27e22913ba2893a654120ed0ad8eb7ecbf3f05b9d708634fc",
          "8c15d5bfe292d5f8f3b992149581636a5c4078ce9c4349d43f1a762ba0609839",
          "1e671fe124cea35586b1d1c30b9d4fc6b4e05ee60c93406986444f7c23d54056",
          "4c8a43f586d304f6006c4a323671636fbb32ffc7d146b778ed91ddca10f80fce");
    free(p);
}

static void test_splitmix(void **s) {
    uint8_t *p = test_alloc(1000000);
    gen_splitmix(p, 1000000, 0);
    assert_int_equal(p[0], 175);
    assert_int_equal(p[127], 132);
    assert_int_equal(p[111111], 118);
    const uint32_t cut[19] = {84493,  134421, 144853, 243318, 271793, 336457, 467529, 494581, 582000, 596735,
                              616815, 653164, 678202, 724510, 815591, 827760, 958832, 991092, 1000000};
    uint32_t len[19];
    for (unsigned i = 0; i < 19; i++) len[i] = cut[i] - (i ? cut[i - 1] : 0);
    check(p, 1000000, len, 19, "6eca1e7dadaf08cca5d82d318c800f07c2ddcec115a7e8627e5edd9605b94b8d",
          "6f2ce16ca5e317f0100ff0e7e5bf40a0de9032e9ee1ad04b6b8ff4e36cdfbf6c",
          "3d17b2d7d64a0e011b6717a52d9a16bd2c3f05b743fa8adf52a7d75dafab6d89",
          "6daf15a7ed258b91f607e8f5e6723a8564292d12c8104c156f7bad9c255a0180");
    static struct test_file t;
    test_chunk(&t, p, 1000000, 1000000);
    assert_hash(&t.chunk[1], "624ea34d72a06e5d43a1b8dd10763f0d22f165992c397ed97563899b27fdd88a");
    assert_hash(&t.chunk[18], "03e5b5f5a088269ec4b329f1e04debfac4cb54b9c0facf038f7e8e0f054be7e2");
    gen_splitmix(p, 256000, 1);
    const uint32_t len1[4] = {25125, 79372, 131072, 20431};
    check(p, 256000, len1, 4, NULL, "335db8e272cac859dec35783bbc12c7f433bbcea50528d154cb07bf36888a51f",
          "116cd39641ee392863a30c2a5bd6ab04676177a75604729bb98cfc4052fc3131", NULL);
    free(p);
}

static void test_lcg(void **s) {
    uint8_t *p = test_alloc(4194304);
    gen_lcg(p, 4194304);
    static const char first[] = "d268e73ccad507db1e32904cbbb76cf651682582a09bb5a2a494e6b5fec61ca8";
    const uint32_t a[2] = {64662, 35338}, b[8] = {64662, 131072, 23091, 131072, 32553, 131072, 31896, 10763};
    check(p, 100000, a, 2, first, "6f4f8bb12237fe2cd00cd5dc06aaacfc7d7a10059899de4a2a441d6fab6e5e55",
          "533b884c46bf6bbbe6f91eadda15cdefac1d3883f0bfd311f919ce3beb37f743",
          "cf62a403cba078ede204e70a7847858af1c0961a54a63b9cf02a46a6083bd742");
    check(p, 1048576, b, 8, first, "df222b10719b3780e02fc489c65c01a0c408130ecceb0b28d0bab645b8d598dd",
          "46cc8e67a6c0ced4008d75931263aca51a291132458d226958c1b0715b12f465",
          "da8246c26ba7efc9f274578eb7241f1631a3ee3d55c6c639590afdadb81aeae9");
    check(p, 4194304, a, 1, first, "95fd6900293dfda80c9bb23465fa7031970de251e22c077d51ef3fc485cd38e4",
          "a87d2d4379a8d230ce422558bd636712f644fed40e2f4e84e845e6eb43252bb5",
          "e38d99aa648e6e75ed7f97f6f5be8964415d2edb462f65be3f815b75871fc07b");
    static struct test_file t;
    test_chunk(&t, p, 1048576, 1 << 20);
    assert_int_equal(t.n, 18);
    test_chunk(&t, p, 4194304, 1 << 20);
    assert_int_equal(t.n, 59);
    free(p);
}

/* The definition, byte by byte, without any of the shortcuts. */
static uint32_t plain_cuts(const uint8_t *p, size_t n, uint32_t *cuts) {
    uint64_t h = 0;
    uint32_t size = 0, k = 0;
    for (size_t i = 0; i < n; i++) {
        h = (h << 1) + gear_table[p[i]];
        size++;
        if (((h & 0xFFFF000000000000ULL) == 0 && size >= 8192) || size == 131072) {
            cuts[k++] = (uint32_t)(i + 1);
            h = 0;
            size = 0;
        }
    }
    return k;
}

/* A 64-byte window whose hash has zero top bits, so that candidates can be planted anywhere. */
static void find_window(uint8_t w[64]) {
    for (uint64_t seed = 1;; seed++) {
        gen_splitmix(w, 64, seed);
        uint64_t h = 0;
        for (unsigned i = 0; i < 64; i++) h = (h << 1) + gear_table[w[i]];
        if ((h & 0xFFFF000000000000ULL) == 0) return;
    }
}

static void test_edges_against_definition(void **s) {
    enum { N = 1 << 20 };
    uint8_t *p = test_alloc(N), w[64];
    uint32_t *want = test_alloc(4 * N / 8192 + 64);
    static struct test_file t;
    find_window(w);
    for (unsigned i = 0; i < 400; i++) {
        gen_splitmix(p, N, 1000 + i);
        for (unsigned k = 0; k < 24; k++) { /* around minimum, maximum and strip borders */
            static const uint32_t base[] = {8192, 16384, 131072, 262144, 524288, 786432, 139264};
            size_t at = base[(i + k) % ARRAY_LEN(base)] + (k / 7) * 8192 + (i * 31 + k * 17) % 131;
            if (at >= 64 && at <= N) memcpy(p + at - 64, w, 64);
        }
        uint32_t n = plain_cuts(p, N, want);
        test_chunk(&t, p, N, i % 3 == 0 ? N : 70000 + i * 301);
        uint32_t at = 0;
        for (uint32_t k = 0; k < n; k++) {
            at += t.len[k];
            assert_int_equal(at, want[k]);
        }
        assert_true(t.n == n || t.n == n + 1);
    }
    free(want);
    free(p);
}

/* More candidates than a strip can note: falls back to the byte-by-byte search with the same result. */
static void test_candidate_flood(void **s) {
    enum { N = 1 << 20 };
    uint8_t *p = test_alloc(N), w[64];
    uint32_t *want = test_alloc(4 * N / 8192 + 64);
    static struct test_file t;
    find_window(w);
    for (size_t i = 0; i < N; i += 64) memcpy(p + i, w, 64);
    uint32_t n = plain_cuts(p, N, want), at = 0;
    assert_int_equal(n, N / 8192);
    test_chunk(&t, p, N, N);
    for (uint32_t k = 0; k < n; k++) {
        at += t.len[k];
        assert_int_equal(at, want[k]);
    }
    free(want);
    free(p);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(test_constant),
                                   cmocka_unit_test(test_zeros),
                                   cmocka_unit_test(test_splitmix),
                                   cmocka_unit_test(test_lcg),
                                   cmocka_unit_test(test_edges_against_definition),
                                   cmocka_unit_test(test_candidate_flood)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
