/* SPDX-License-Identifier: Apache-2.0 */
/* bg4.c — see bg4.h. SSE2 is the x86-64 baseline and NEON the arm64 one, so no run-time dispatch is needed. */
#include "xet/bg4.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

/* Starts of the four planes of n grouped bytes. */
static void plane_offsets(size_t n, size_t o[4]) {
    size_t q = n / 4, r = n % 4;
    o[0] = 0;
    for (unsigned k = 1; k < 4; k++) o[k] = o[k - 1] + q + (r >= k ? 1 : 0);
}

#if defined(__SSE2__)
/* 16 groups at a time; returns how many groups were done. */
static size_t split_fast(const uint8_t *in, uint8_t *const pl[4], size_t groups) {
    const __m128i low8 = _mm_set1_epi16(0x00ff);
    size_t g = 0;
    for (; g + 16 <= groups; g += 16) {
        const uint8_t *s = in + 4 * g;
        __m128i v[4];
        for (unsigned k = 0; k < 4; k++) v[k] = _mm_loadu_si128((const __m128i *)(const void *)(s + 16 * k));
        __m128i even0 = _mm_packus_epi16(_mm_and_si128(v[0], low8), _mm_and_si128(v[1], low8)); /* planes 0 and 2 */
        __m128i even1 = _mm_packus_epi16(_mm_and_si128(v[2], low8), _mm_and_si128(v[3], low8));
        __m128i odd0 = _mm_packus_epi16(_mm_srli_epi16(v[0], 8), _mm_srli_epi16(v[1], 8)); /* planes 1 and 3 */
        __m128i odd1 = _mm_packus_epi16(_mm_srli_epi16(v[2], 8), _mm_srli_epi16(v[3], 8));
        __m128i p0 = _mm_packus_epi16(_mm_and_si128(even0, low8), _mm_and_si128(even1, low8));
        __m128i p2 = _mm_packus_epi16(_mm_srli_epi16(even0, 8), _mm_srli_epi16(even1, 8));
        __m128i p1 = _mm_packus_epi16(_mm_and_si128(odd0, low8), _mm_and_si128(odd1, low8));
        __m128i p3 = _mm_packus_epi16(_mm_srli_epi16(odd0, 8), _mm_srli_epi16(odd1, 8));
        _mm_storeu_si128((__m128i *)(void *)(pl[0] + g), p0);
        _mm_storeu_si128((__m128i *)(void *)(pl[1] + g), p1);
        _mm_storeu_si128((__m128i *)(void *)(pl[2] + g), p2);
        _mm_storeu_si128((__m128i *)(void *)(pl[3] + g), p3);
    }
    return g;
}
static size_t regroup_fast(const uint8_t *const pl[4], uint8_t *out, size_t groups) {
    size_t g = 0;
    for (; g + 16 <= groups; g += 16) {
        __m128i v[4];
        for (unsigned k = 0; k < 4; k++) v[k] = _mm_loadu_si128((const __m128i *)(const void *)(pl[k] + g));
        __m128i a = _mm_unpacklo_epi8(v[0], v[1]), b = _mm_unpackhi_epi8(v[0], v[1]);
        __m128i c = _mm_unpacklo_epi8(v[2], v[3]), d = _mm_unpackhi_epi8(v[2], v[3]);
        uint8_t *o = out + 4 * g;
        _mm_storeu_si128((__m128i *)(void *)o, _mm_unpacklo_epi16(a, c));
        _mm_storeu_si128((__m128i *)(void *)(o + 16), _mm_unpackhi_epi16(a, c));
        _mm_storeu_si128((__m128i *)(void *)(o + 32), _mm_unpacklo_epi16(b, d));
        _mm_storeu_si128((__m128i *)(void *)(o + 48), _mm_unpackhi_epi16(b, d));
    }
    return g;
}
#elif defined(__ARM_NEON)
static size_t split_fast(const uint8_t *in, uint8_t *const pl[4], size_t groups) {
    size_t g = 0;
    for (; g + 16 <= groups; g += 16) {
        uint8x16x4_t v = vld4q_u8(in + 4 * g);
        for (unsigned k = 0; k < 4; k++) vst1q_u8(pl[k] + g, v.val[k]);
    }
    return g;
}
static size_t regroup_fast(const uint8_t *const pl[4], uint8_t *out, size_t groups) {
    size_t g = 0;
    for (; g + 16 <= groups; g += 16) {
        uint8x16x4_t v;
        for (unsigned k = 0; k < 4; k++) v.val[k] = vld1q_u8(pl[k] + g);
        vst4q_u8(out + 4 * g, v);
    }
    return g;
}
#else
static size_t split_fast(const uint8_t *in, uint8_t *const pl[4], size_t groups) {
    return 0;
}
static size_t regroup_fast(const uint8_t *const pl[4], uint8_t *out, size_t groups) {
    return 0;
}
#endif

void bg4_split(const uint8_t *in, uint8_t *out, size_t n) {
    size_t o[4];
    plane_offsets(n, o);
    uint8_t *const pl[4] = {out + o[0], out + o[1], out + o[2], out + o[3]};
    for (size_t i = 4 * split_fast(in, pl, n / 4); i < n; i++) pl[i & 3][i >> 2] = in[i];
}

void bg4_regroup(const uint8_t *in, uint8_t *out, size_t n) {
    size_t o[4];
    plane_offsets(n, o);
    const uint8_t *const pl[4] = {in + o[0], in + o[1], in + o[2], in + o[3]};
    for (size_t i = 4 * regroup_fast(pl, out, n / 4); i < n; i++) out[i] = pl[i & 3][i >> 2];
}
