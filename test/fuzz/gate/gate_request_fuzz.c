/* SPDX-License-Identifier: Apache-2.0 */
/* gate_request_fuzz.c — what the scan accepts, spliced, is JSON that asks the target's model and reports usage; the
 * rest is untouched. */
#include "gate/gate_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 16384) return 0;
    struct arena a;
    arena_init(&a, 64 * MiB);
    struct http_req r = {.arena = &a};
    struct gate_req q;
    if (request_scan(&r, str_make(data, size), true, &q) == OK) {
        struct target t = {.upstream_json = STR("\"up\\\"x\"")};
        struct str parts[6];
        size_t n = request_splice(&q, &t, parts), added = t.upstream_json.n + q.usage_text.n,
               removed = q.model_n + q.usage_n;
        BUG_ON(n > 6);
        struct buf b;
        buf_init(&b, 1 << 20);
        for (size_t i = 0; i < n; i++) buf_str(&b, parts[i]);
        BUG_ON(b.n != size + added - removed);
        struct jv root;
        BUG_ON(json_parse(&a, buf_view(&b), &gate_request_json, &root) != OK);
        BUG_ON(!str_eqz(jv_str(jv_get(root, "model"), STR_NULL), "up\"x"));
        BUG_ON(jv_bool(jv_get(root, "stream"), false) != q.stream);
        BUG_ON(q.stream && !jv_bool(jv_get(jv_get(root, "stream_options"), "include_usage"), false));
        buf_release(&b);
    }
    arena_release(&a);
    return 0;
}
