/* SPDX-License-Identifier: Apache-2.0 */
/* gate_event_fuzz.c — events and whole answers of a hostile upstream: judged without harm, token counts never negative.
 */
#include "gate/gate_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 16384) return 0;
    struct arena a;
    arena_init(&a, 64 * MiB);
    struct usage u = {0};
    answer_good(str_make(data, size), &u);
    struct sse_scan s;
    sse_init(&s, 8192);
    sse_feed(&s, data, size);
    for (;;) {
        struct sse_event ev;
        bool have, content;
        if (sse_next(&s, &ev, &have) != OK || !have) break;
        enum ev_kind k = event_kind(&a, &ev, &u, &content);
        BUG_ON(content && k != EV_CONTENT && k != EV_FINISH);
    }
    BUG_ON(u.prompt < 0 || u.completion < 0);
    sse_release(&s);
    arena_release(&a);
    return 0;
}
