/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chunker fed in pieces against the plain definition. The input is a little program that builds the
 * text: [op, arg] pairs append runs, noise, or a window that completes a candidate; piece sizes come
 * from the same bytes.
 */
#include "xet/chunker.h"
#include "xet/gear.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 600000 };

/* 64 bytes whose gear hash has sixteen zero bits on top. */
static const uint8_t *window(void) {
    static uint8_t w[64];
    static bool have;
    for (uint64_t seed = 1; !have; seed++) {
        uint64_t x = seed, h = 0;
        for (unsigned i = 0; i < 64; i++) {
            x = x * 6364136223846793005ULL + 1442695040888963407ULL;
            w[i] = (uint8_t)(x >> 56);
            h = (h << 1) + gear_table[w[i]];
        }
        have = (h >> 48) == 0;
    }
    return w;
}

static size_t build(const uint8_t *d, size_t n, uint8_t *text) {
    size_t at = 0;
    for (size_t i = 0; i + 2 <= n; i += 2) {
        size_t len = MIN((size_t)(1 + d[i + 1]) << (d[i] >> 4 & 7), (size_t)TEXT_MAX - at);
        uint64_t x = d[i] * 251U + i;
        switch (d[i] & 3) {
        case 0: memset(text + at, d[i + 1], len); break;
        case 1:
            if (TEXT_MAX - at < 64) return at;
            len = 64;
            memcpy(text + at, window(), 64);
            break;
        default:
            for (size_t k = 0; k < len; k++) {
                x = x * 6364136223846793005ULL + 1442695040888963407ULL;
                text[at + k] = (uint8_t)(x >> 56);
            }
        }
        at += len;
    }
    return at;
}

static size_t plain(const uint8_t *p, size_t n, uint32_t *cuts) {
    uint64_t h = 0;
    uint32_t chunk = 0;
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        h = (h << 1) + gear_table[p[i]];
        chunk++;
        if (((h >> 48) == 0 && chunk >= CHUNK_MIN) || chunk == CHUNK_MAX) {
            cuts[k++] = (uint32_t)(i + 1);
            h = 0;
            chunk = 0;
        }
    }
    return k;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 3) return 0;
    uint8_t *text = malloc(TEXT_MAX);
    uint32_t want[TEXT_MAX / CHUNK_MIN + 2], cuts[CHUNKER_CUTS_MAX];
    BUG_ON(text == NULL);
    size_t n = build(data + 1, size - 1, text), n_want = plain(text, n, want), got = 0;
    size_t step = data[0] == 0 ? TEXT_MAX : (size_t)data[0] * (data[0] % 2 ? 37 : 2111);
    struct chunker c;
    chunker_init(&c);
    for (size_t at = 0; at < n; at += step) {
        size_t m = chunker_feed(&c, text + at, MIN(step, n - at), cuts);
        for (size_t i = 0; i < m; i++) BUG_ON(got >= n_want || at + cuts[i] != want[got++]);
    }
    BUG_ON(got != n_want);
    BUG_ON(c.size != n - (n_want > 0 ? want[n_want - 1] : 0));
    free(text);
    return 0;
}
