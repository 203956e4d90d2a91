/* SPDX-License-Identifier: Apache-2.0 */
/* git_pkt_fuzz.c — wants of an upload-pack request: every id found lies inside the input and is 40 hex. */
#include "git/pkt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str v[64], body = str_make(data, size);
    size_t n = 0;
    enum pkt_wants w = pkt_wants(body, v, ARRAY_LEN(v), &n);
    BUG_ON(n > ARRAY_LEN(v) || (w == PKT_LIMIT && n != ARRAY_LEN(v)));
    for (size_t i = 0; i < n; i++)
        BUG_ON(v[i].n != 40 || v[i].p < body.p || v[i].p + 40 > body.p + body.n || !str_is_hex(v[i]));
    return 0;
}
