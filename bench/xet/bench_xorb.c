/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_xorb.c — GB/s of one core for each step between a xorb's bytes and its acceptance.
 *
 *   bench_xorb [MiB a round, default 64] [rounds, default 5]
 * Prints a table: data kinds by steps, best of the rounds, thread CPU time (so a busy machine hurts
 * less). "verify" is what the server does per xorb POST: parse, decode, regroup, BLAKE3, merkle.
 */
#include <time.h>

#include "base/hash.h"
#include "xet/bg4.h"
#include "xet/chunk_codec.h"
#include "xet/chunker.h"
#include "xet/xorb_verify.h"

enum { BLOCK = 512 * 1024, N_KINDS = 4 };
static const char *const kinds[N_KINDS] = {"random", "fp32 gaussian", "bf16 gaussian", "text"};

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t rng_state;
static uint64_t rng(void) {
    uint64_t z = rng_state += 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}
/* Close to normal: twelve uniforms. */
static float gauss(void) {
    float s = -6;
    for (unsigned i = 0; i < 3; i++) {
        uint64_t v = rng();
        for (unsigned k = 0; k < 4; k++) s += (float)(v >> (16 * k) & 0xffff) / 65536.0f;
    }
    return s * 0.02f;
}

static void fill(unsigned kind, uint8_t *p, size_t n) {
    static const char words[] =
        "the weights of a model are numbers that somebody measured once and nobody looked at again ";
    rng_state = kind + 1;
    if (kind == 0)
        for (size_t i = 0; i + 8 <= n; i += 8) memcpy(p + i, &(uint64_t){rng()}, 8);
    if (kind == 1)
        for (size_t i = 0; i + 4 <= n; i += 4) memcpy(p + i, &(float){gauss()}, 4);
    if (kind == 2)
        for (size_t i = 0; i + 2 <= n; i += 2) {
            uint32_t v;
            memcpy(&v, &(float){gauss()}, 4);
            memcpy(p + i, &(uint16_t){(uint16_t)(v >> 16)}, 2);
        }
    if (kind == 3)
        for (size_t i = 0; i < n; i += 8) memcpy(p + i, words + rng() % (sizeof words - 9), MIN((size_t)8, n - i));
}

struct sample {
    const uint8_t *raw;
    size_t n;
    uint8_t *xorb;
    size_t n_xorb;
    struct xet_hash root;
};

static size_t chunk_all(const struct sample *s, uint32_t *ends) {
    struct chunker c;
    chunker_init(&c);
    size_t k = 0;
    uint32_t cuts[CHUNKER_CUTS_MAX];
    for (size_t at = 0; at < s->n; at += CHUNKER_BLOCK_MAX) {
        size_t m = chunker_feed(&c, s->raw + at, MIN((size_t)CHUNKER_BLOCK_MAX, s->n - at), cuts);
        for (size_t i = 0; i < m; i++) ends[k++] = (uint32_t)(at + cuts[i]);
    }
    if (c.size > 0) ends[k++] = (uint32_t)s->n;
    return k;
}

static uint32_t ends[XORB_CHUNKS_MAX * 2];

static void do_chunk(struct sample *s) {
    (void)chunk_all(s, ends);
}
static void do_hash(struct sample *s) {
    struct xet_hash h;
    size_t k = chunk_all(s, ends);
    for (size_t i = 0, at = 0; i < k; at = ends[i++]) xhash_chunk(s->raw + at, ends[i] - at, &h);
}
static void do_blake3(struct sample *s) {
    struct xet_hash h;
    for (size_t at = 0; at + 65536 <= s->n; at += 65536) xhash_chunk(s->raw + at, 65536, &h);
}
static void do_sha(struct sample *s) {
    uint8_t out[32];
    hash_sha256(s->raw, s->n, out);
}
static void do_encode(struct sample *s) {
    static struct chunk_encoder e;
    BUG_ON(chunk_encoder_init(&e) != OK);
    size_t k = chunk_all(s, ends);
    s->n_xorb = 0;
    for (size_t i = 0, at = 0; i < k; at = ends[i++])
        s->n_xorb += chunk_encode(&e, s->raw + at, ends[i] - at, s->xorb + s->n_xorb);
    chunk_encoder_release(&e);
}
static void do_verify(struct sample *s) {
    struct xorb_verify *v;
    BUG_ON(xorb_verify_new(&v) != OK);
    for (size_t at = 0; at < s->n_xorb; at += BLOCK)
        BUG_ON(xorb_verify_feed(v, s->xorb + at, MIN((size_t)BLOCK, s->n_xorb - at)) != OK);
    if (xhash_is_zero(&s->root)) xorb_entries_root(v->e, v->n, &s->root);
    BUG_ON(xorb_verify_done(v, &s->root) != OK);
    xorb_verify_free(v);
}

struct step {
    const char *name;
    void (*fn)(struct sample *);
};
static const struct step steps[] = {{"chunker", do_chunk}, {"BLAKE3 64K", do_blake3},   {"chunk+hash", do_hash},
                                    {"SHA-256", do_sha},   {"chunk+encode", do_encode}, {"verify", do_verify}};

static double best(const struct step *st, struct sample *s, unsigned rounds) {
    double b = 1e9;
    for (unsigned i = 0; i < rounds; i++) {
        double t = cpu_s();
        st->fn(s);
        t = cpu_s() - t;
        if (t < b) b = t;
    }
    return (double)s->n / b / 1e9;
}

int main(int argc, char **argv) {
    uint64_t mib = 64, rounds = 5;
    if ((argc > 1 && !str_to_u64(str_of(argv[1]), &mib)) || (argc > 2 && !str_to_u64(str_of(argv[2]), &rounds)) ||
        mib == 0 || mib > 64) {
        fprintf(stderr, "usage: %s [MiB 1..64] [rounds]\n", argv[0]);
        return 2;
    }
    size_t n = (size_t)mib * MiB;
    uint8_t *raw = malloc(n), *xorb = malloc(n + n / 64 + 65536 * 2);
    if (raw == NULL || xorb == NULL) return 1;
    printf("GB/s of raw bytes on one core (%s)\n%-14s", blake3_version(), "data");
    for (size_t k = 0; k < ARRAY_LEN(steps); k++) printf(" %12s", steps[k].name);
    printf(" %12s\n", "stored/raw");
    for (unsigned kind = 0; kind < N_KINDS; kind++) {
        fill(kind, raw, n);
        struct sample s = {.raw = raw, .n = n, .xorb = xorb};
        printf("%-14s", kinds[kind]);
        for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
            printf(" %12.2f", best(&steps[k], &s, (unsigned)rounds));
            fflush(stdout);
        }
        printf(" %12.3f\n", (double)s.n_xorb / (double)n);
    }
    free(raw);
    free(xorb);
    return 0;
}
