/* SPDX-License-Identifier: Apache-2.0 */
/* chunked_fuzz.c — the decoder says the same whether bytes come at once or one by one. */
#include "base/buf.h"
#include "http/h1.h"

static enum h1_chunk_result decode(const char *p, size_t n, size_t step, struct buf *out, size_t *end) {
    struct h1_chunk c = {0};
    enum h1_chunk_result res = H1_CHUNK_MORE;
    for (size_t at = 0; at < n;) {
        size_t used;
        struct str data;
        res = h1_chunk_next(&c, p + at, MIN(step, n - at), &used, &data);
        BUG_ON(used > MIN(step, n - at));
        at += used;
        *end = at;
        if (res == H1_CHUNK_DATA) buf_str(out, data);
        if (res == H1_CHUNK_END || res == H1_CHUNK_BAD) break;
    }
    return res;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct buf a, b;
    buf_init(&a, size + 1);
    buf_init(&b, size + 1);
    size_t end_a = 0, end_b = 0;
    enum h1_chunk_result ra = decode((const char *)data, size, size + 1, &a, &end_a),
                         rb = decode((const char *)data, size, 1, &b, &end_b);
    BUG_ON((ra == H1_CHUNK_END) != (rb == H1_CHUNK_END) || (ra == H1_CHUNK_BAD) != (rb == H1_CHUNK_BAD));
    BUG_ON(ra == H1_CHUNK_END && end_a != end_b);
    BUG_ON(a.n != b.n || (a.n > 0 && memcmp(a.p, b.p, a.n) != 0));
    buf_release(&a);
    buf_release(&b);
    return 0;
}
