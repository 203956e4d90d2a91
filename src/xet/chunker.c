/* SPDX-License-Identifier: Apache-2.0 */
/* chunker.c — see chunker.h. */
#include "xet/chunker.h"

#include "xet/gear.h"

#define GEAR_MASK 0xFFFF000000000000ULL
enum { SKIP = CHUNK_MIN - 64 - 1, STRIPS = 4, STRIP_MIN = 16 * 1024, STRIP_CANDIDATES = 1024 };

void chunker_init(struct chunker *c) {
    memset(c, 0, sizeof *c);
}

static inline uint64_t gear(uint64_t h, uint8_t b) {
    return (h << 1) + gear_table[b];
}

/* h behind the last byte seen; right whenever the open chunk has 64 bytes or more, and not needed before. */
static uint64_t hash_of_history(const struct chunker *c) {
    uint64_t h = 0;
    for (unsigned i = 0; i < 64; i++) h = gear(h, c->hist[i]);
    return h;
}

static void history_keep(struct chunker *c, const uint8_t *p, size_t n) {
    if (n >= 64) {
        memcpy(c->hist, p + n - 64, 64);
    } else {
        memmove(c->hist, c->hist + n, 64 - n);
        memcpy(c->hist + 64 - n, p, n);
    }
}

/*
 * One boundary search in p[0..n): returns the bytes consumed, *cut when a chunk ends there.
 * The first SKIP bytes of a chunk are not hashed: they cannot influence any allowed cut.
 */
static size_t scan(uint32_t *size, uint64_t *h, const uint8_t *p, size_t n, bool *cut) {
    size_t i = 0;
    *cut = false;
    if (*size < SKIP) {
        i = MIN(n, (size_t)SKIP - *size);
        *h = 0;
    }
    size_t start = *size;                                            /* chunk size before p */
    size_t warm = start < CHUNK_MIN - 1 ? CHUNK_MIN - 1 - start : 0; /* bytes that end below the minimum */
    size_t end = MIN(n, (size_t)CHUNK_MAX - start);
    uint64_t v = *h;
    for (; i < MIN(warm, end); i++) v = gear(v, p[i]);
    for (; i < end; i++) {
        v = gear(v, p[i]);
        if ((v & GEAR_MASK) == 0) {
            *cut = true;
            i++;
            break;
        }
    }
    *h = v;
    *size = (uint32_t)(start + i);
    if (*size == CHUNK_MAX) *cut = true;
    if (*cut) *size = 0;
    return i;
}

static size_t feed_scalar(struct chunker *c, const uint8_t *p, size_t n, uint32_t *cuts) {
    uint64_t h = hash_of_history(c);
    size_t n_cuts = 0;
    for (size_t i = 0; i < n;) {
        bool cut;
        i += scan(&c->size, &h, p + i, n - i, &cut);
        if (cut) {
            BUG_ON(n_cuts == CHUNKER_CUTS_MAX);
            cuts[n_cuts++] = (uint32_t)i;
        }
    }
    return n_cuts;
}

struct candidates {
    uint32_t n, at[STRIP_CANDIDATES]; /* offsets behind the byte that completes a match, ascending */
};

/* All candidates of p[0..n) in four strips; false when a strip has too many (then scan byte by byte). */
static bool find_candidates(const struct chunker *c, const uint8_t *p, size_t n, struct candidates cand[STRIPS + 1]) {
    size_t len = n / STRIPS;
    uint64_t h[STRIPS];
    h[0] = hash_of_history(c);
    for (unsigned s = 1; s < STRIPS; s++) {
        h[s] = 0;
        for (size_t i = s * len - 64; i < s * len; i++) h[s] = gear(h[s], p[i]);
    }
    for (unsigned s = 0; s <= STRIPS; s++) cand[s].n = 0;
    const uint8_t *p0 = p, *p1 = p + len, *p2 = p + 2 * len, *p3 = p + 3 * len;
    uint64_t h0 = h[0], h1 = h[1], h2 = h[2], h3 = h[3];
    for (size_t i = 0; i < len; i++) {
        h0 = gear(h0, p0[i]);
        h1 = gear(h1, p1[i]);
        h2 = gear(h2, p2[i]);
        h3 = gear(h3, p3[i]);
        bool any =
            ((h0 & GEAR_MASK) == 0) | ((h1 & GEAR_MASK) == 0) | ((h2 & GEAR_MASK) == 0) | ((h3 & GEAR_MASK) == 0);
        if (__builtin_expect(any, 0)) {
            const uint64_t now[STRIPS] = {h0, h1, h2, h3};
            for (unsigned s = 0; s < STRIPS; s++) {
                if ((now[s] & GEAR_MASK) != 0) continue;
                if (cand[s].n == STRIP_CANDIDATES) return false;
                cand[s].at[cand[s].n++] = (uint32_t)(s * len + i + 1);
            }
        }
    }
    for (size_t i = STRIPS * len; i < n; i++) { /* up to three bytes behind the strips */
        h3 = gear(h3, p[i]);
        if ((h3 & GEAR_MASK) == 0) cand[STRIPS].at[cand[STRIPS].n++] = (uint32_t)(i + 1);
    }
    return true;
}

/* Apply minimum and maximum to the candidates. */
static size_t pick_cuts(struct chunker *c, size_t n, const struct candidates cand[STRIPS + 1], uint32_t *cuts) {
    size_t n_cuts = 0, pos = 0; /* the open chunk has c->size bytes in front of pos */
    for (unsigned s = 0; s <= STRIPS; s++) {
        for (uint32_t k = 0; k < cand[s].n; k++) {
            size_t at = cand[s].at[k];
            while (c->size + (at - pos) > CHUNK_MAX) { /* a forced cut comes first */
                pos += CHUNK_MAX - c->size;
                cuts[n_cuts++] = (uint32_t)pos;
                c->size = 0;
            }
            if (c->size + (at - pos) < CHUNK_MIN) continue;
            cuts[n_cuts++] = (uint32_t)at;
            pos = at;
            c->size = 0;
        }
    }
    while (c->size + (n - pos) >= CHUNK_MAX) {
        pos += CHUNK_MAX - c->size;
        cuts[n_cuts++] = (uint32_t)pos;
        c->size = 0;
    }
    c->size += (uint32_t)(n - pos);
    return n_cuts;
}

size_t chunker_feed(struct chunker *c, const uint8_t *p, size_t n, uint32_t cuts[CHUNKER_CUTS_MAX]) {
    BUG_ON(n > CHUNKER_BLOCK_MAX);
    struct candidates cand[STRIPS + 1];
    size_t n_cuts;
    if (n >= (size_t)STRIPS * STRIP_MIN && find_candidates(c, p, n, cand)) n_cuts = pick_cuts(c, n, cand, cuts);
    else n_cuts = feed_scalar(c, p, n, cuts);
    history_keep(c, p, n);
    return n_cuts;
}
