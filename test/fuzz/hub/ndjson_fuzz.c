/* SPDX-License-Identifier: Apache-2.0 */
/* ndjson_fuzz.c — a commit body cut at places the first byte chooses gives the same lines as uncut; lines parse or
 * fail. */
#include "hub/hub_ndjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t digest(struct str body, size_t step) {
    struct hub_lines l;
    struct arena a;
    uint64_t d = 0;
    err e = OK;
    arena_init(&a, 8 * MiB);
    hub_lines_init(&l, 64 * KiB);
    for (size_t at = 0; e == OK; at += step) {
        bool end = at >= body.n, have = true;
        hub_lines_feed(&l, str_sub(body, at, step));
        while (e == OK && have) {
            struct str line;
            struct hub_line out;
            e = end ? hub_lines_last(&l, &line, &have) : hub_lines_next(&l, &line, &have);
            if (e != OK || !have) break;
            d = d * 31 + str_hash(line);
            if (hub_line_parse(&a, line, 64 * KiB, &out) == OK) d += (uint64_t)out.kind + out.path.n + out.content.n;
            arena_reset(&a);
        }
        if (end) break;
    }
    if (e != OK) d = 1;
    hub_lines_release(&l);
    arena_release(&a);
    return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    struct str body = {(const char *)data + 1, size - 1};
    BUG_ON(digest(body, (size_t)data[0] + 1) != digest(body, size + 1));
    return 0;
}
