/* SPDX-License-Identifier: Apache-2.0 */
/* h1_response_fuzz.c — response heads of upstreams. */
#include "http/h1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 2 * H1_HEAD_MAX) return 0;
    struct http_header h[HTTP_MAX_HEADERS];
    struct h1_res r = {.headers = h};
    if (size == 0 || h1_res_parse(&r, (const char *)data, size, false) != H1_OK) return 0;
    BUG_ON(r.status < 100 || r.status > 599 || r.head_len > size || r.content_length < -2);
    struct h1_res again = {.headers = h};
    BUG_ON(h1_res_parse(&again, (const char *)data, r.head_len - 1, false) != H1_MORE);
    return 0;
}
