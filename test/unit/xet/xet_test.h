/* SPDX-License-Identifier: Apache-2.0 */
/* xet_test.h — data generators shared by the tests of the room xet. */
#ifndef BALLAST_TEST_XET_H
#define BALLAST_TEST_XET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "xet/chunker.h"
#include "xet/xhash.h"

static inline void *test_alloc(size_t n) {
    void *p = calloc(1, n + 1);
    BUG_ON(p == NULL);
    return p;
}
/* SplitMix64 outputs, little-endian. */
static inline void gen_splitmix(uint8_t *p, size_t n, uint64_t seed) {
    for (size_t i = 0; i < n; i++) {
        static _Thread_local uint64_t z;
        if (i % 8 == 0) {
            seed += 0x9E3779B97F4A7C15ULL;
            z = seed;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
            z ^= z >> 31;
        }
        p[i] = (uint8_t)(z >> (8 * (i % 8)));
    }
}
static inline void gen_lcg(uint8_t *p, size_t n) {
    uint64_t x = 1;
    for (size_t i = 0; i < n; i++) {
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        p[i] = (uint8_t)(x >> 56);
    }
}
/* Gaussian-looking fp32 weights (sum of uniforms), which BG4 compresses and plain LZ4 does not. */
static inline void gen_floats(uint8_t *p, size_t n, uint64_t seed) {
    uint8_t *r = test_alloc(n * 2);
    gen_splitmix(r, n * 2, seed);
    for (size_t i = 0; i + 4 <= n; i += 4) {
        float f = 0;
        for (unsigned k = 0; k < 8; k++) f += (float)((int)r[2 * i + k] - 128);
        f += (float)i * 1e-7f;
        f *= 0.0001f;
        memcpy(p + i, &f, 4);
    }
    free(r);
}
static inline struct xet_hash test_hash(const char *hex) {
    struct xet_hash h;
    assert_true(xet_hash_parse(str_of(hex), &h));
    return h;
}
static inline void assert_hash(const struct xet_hash *h, const char *hex) {
    char s[XET_HEX_LEN + 1];
    xet_hash_str(h, s);
    assert_string_equal(s, hex);
}
struct test_file {
    uint32_t n;
    uint32_t len[4096];
    struct xet_hash chunk[4096], xorb, file, range;
};
/* Chunk and hash a buffer, fed in pieces of `step` bytes. */
static inline void test_chunk(struct test_file *t, const uint8_t *p, size_t n, size_t step) {
    struct chunker c;
    chunker_init(&c);
    t->n = 0;
    size_t start = 0;
    for (size_t at = 0; at < n;) {
        uint32_t cuts[CHUNKER_CUTS_MAX];
        size_t k = MIN(step, n - at), m = chunker_feed(&c, p + at, k, cuts);
        for (size_t i = 0; i < m; i++) {
            BUG_ON(t->n == ARRAY_LEN(t->len));
            t->len[t->n++] = (uint32_t)(at + cuts[i] - start);
            start = at + cuts[i];
        }
        at += k;
    }
    if (start < n) t->len[t->n++] = (uint32_t)(n - start);
    struct merkle x, f;
    struct xhash_range r;
    merkle_init(&x);
    merkle_init(&f);
    xhash_range_init(&r);
    for (uint32_t i = 0; i < t->n; i++) {
        xhash_chunk(p, t->len[i], &t->chunk[i]);
        p += t->len[i];
        merkle_add(&x, &t->chunk[i], t->len[i]);
        merkle_add(&f, &t->chunk[i], t->len[i]);
        xhash_range_add(&r, &t->chunk[i]);
    }
    merkle_root(&x, &t->xorb);
    merkle_file(&f, &t->file);
    xhash_range_done(&r, &t->range);
}
#endif
