/* SPDX-License-Identifier: Apache-2.0 */
/* sse_fuzz.c — the same events whether bytes come at once or one by one; raw bytes are all there. */
#include "http/sse.h"

static void scan(const char *p, size_t n, size_t step, struct buf *out, size_t *raw) {
    struct sse_scan s;
    sse_init(&s, 65536);
    for (size_t at = 0; at < n; at += step) {
        sse_feed(&s, p + at, MIN(step, n - at));
        for (;;) {
            struct sse_event ev;
            bool have;
            if (sse_next(&s, &ev, &have) != OK) {
                buf_cstr(out, "!limit");
                sse_release(&s);
                return;
            }
            if (!have) break;
            *raw += ev.raw.n;
            buf_str(out, ev.type);
            buf_char(out, '|');
            buf_str(out, ev.data);
            buf_cstr(out, ev.comment_only ? "#\n" : ".\n");
        }
    }
    *raw += sse_pending(&s);
    sse_release(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 32768) return 0;
    struct buf a, b;
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    size_t ra = 0, rb = 0;
    scan((const char *)data, size, size + 1, &a, &ra);
    scan((const char *)data, size, 1, &b, &rb);
    BUG_ON(ra != size || rb != size);
    BUG_ON(a.n != b.n || (a.n > 0 && memcmp(a.p, b.p, a.n) != 0));
    buf_release(&a);
    buf_release(&b);
    return 0;
}
