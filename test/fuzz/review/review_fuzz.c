/* SPDX-License-Identifier: Apache-2.0 */
/* review_fuzz.c — the dispatcher: any bytes. */
#include "review_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct facts f;
    struct scan s;
    struct span b = {data, size};
    if (size > 65536) return 0;
    facts_init(&f);
    scan_init(&s, &f, size);
    s.expand_left = 4 * MiB; /* bombs are tested elsewhere; here speed counts */
    scan_bytes(&s, b, STR("x"));
    fuzz_judge(&f);
    return 0;
}
