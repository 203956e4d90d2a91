/* SPDX-License-Identifier: Apache-2.0 */
/* h1_request_fuzz.c — request heads: no read past the end, and a prefix never gives another answer than MORE or the
 * same. */
#include "http/h1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > 2 * H1_HEAD_MAX) return 0;
    const char *p = (const char *)data;
    struct http_header h[HTTP_MAX_HEADERS], h2[HTTP_MAX_HEADERS];
    struct h1_req r = {.headers = h};
    enum h1_result res = h1_req_parse(&r, p, size);
    if (res == H1_BAD) BUG_ON(r.status < 400 || r.why == NULL);
    if (res != H1_OK) return 0;
    BUG_ON(r.head_len > size || r.n_headers > HTTP_MAX_HEADERS || r.path.n == 0);
    BUG_ON(r.minor == 1 && r.host.n == 0);
    /* The head alone says the same; one byte less asks for more. */
    struct h1_req again = {.headers = h2};
    BUG_ON(h1_req_parse(&again, p, r.head_len) != H1_OK);
    BUG_ON(again.content_length != r.content_length || again.n_headers != r.n_headers);
    BUG_ON(h1_req_parse(&again, p, r.head_len - 1) != H1_MORE);
    return 0;
}
