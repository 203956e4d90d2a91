/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a shard: what parses can be walked without leaving the buffer. */
#include "xet/shard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *p = malloc(size + 1); /* an exact copy, so that the sanitizer guards its end */
    BUG_ON(p == NULL);
    uint8_t *exact = realloc(p, size > 0 ? size : 1);
    BUG_ON(exact == NULL);
    memcpy(exact, data, size);
    struct shard s;
    if (shard_parse(exact, size, &s) == OK) {
        struct shard_iter it = shard_files(&s);
        struct shard_file f;
        uint32_t n_files = 0, n_xorbs = 0;
        volatile uint32_t sum = 0;
        for (; shard_next(&it, &f); n_files++)
            for (uint32_t i = 0; i < f.n_terms; i++) {
                struct shard_term t;
                struct xet_hash h;
                shard_term_get(&f, i, &t);
                if (f.has_ranges) shard_range_get(&f, i, &h);
                sum += t.raw_bytes + (f.has_ranges ? h.b[0] : 0U) + (f.has_sha256 ? f.sha256[0] : 0U);
            }
        BUG_ON(it.off + SHARD_REC != s.xorb_off);
        it.off = s.xorb_off;
        struct shard_xorb x;
        for (; shard_next_xorb(&it, &x); n_xorbs++)
            for (uint32_t i = 0; i < x.n; i++) sum += x.entries[(size_t)i * SHARD_REC];
        BUG_ON(n_files != s.n_files || n_xorbs != s.n_xorbs);
        BUG_ON(it.off + SHARD_REC > size);
        (void)sum;
    }
    free(exact);
    return 0;
}
