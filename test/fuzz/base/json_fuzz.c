/* SPDX-License-Identifier: Apache-2.0 */
/* json_fuzz.c — the JSON reader: bounded, consistent, and what it accepts survives a write and a second read. */
#include "base/json.h"

/* NOLINTNEXTLINE(misc-no-recursion): depth is bounded by the reader's limit */
static void walk(struct jv v, struct jw *w, const char *text, size_t n) {
    struct str raw = jv_raw(v);
    BUG_ON(raw.p < text || raw.p + raw.n > text + n);
    switch (jv_type(v)) {
    case JSON_OBJECT:
        jw_obj(w);
        for (struct jv_iter it = jv_iter(v); jv_next(&it);) {
            jw_keys(w, it.key);
            walk(it.val, w, text, n);
        }
        jw_obj_end(w);
        break;
    case JSON_ARRAY:
        jw_arr(w);
        for (struct jv_iter it = jv_iter(v); jv_next(&it);) walk(it.val, w, text, n);
        jw_arr_end(w);
        break;
    case JSON_STRING: jw_str(w, jv_str(v, STR_NULL)); break;
    case JSON_TRUE:
    case JSON_FALSE: jw_bool(w, jv_bool(v, false)); break;
    case JSON_NULL: jw_null(w); break;
    case JSON_NUMBER: jw_raw(w, raw); break;
    case JSON_NONE:
    default: BUG_ON(true);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 65536) return 0;
    struct arena a;
    arena_init(&a, 64 * MiB);
    struct json_limits lim = {.max_bytes = 65536, .max_depth = 40, .max_nodes = 70000};
    struct jv root, again;
    if (json_parse(&a, str_make(data, size), &lim, &root) == OK) {
        struct buf b;
        buf_init(&b, 1 << 20);
        struct jw w;
        jw_init(&w, &b);
        walk(root, &w, (const char *)data, size);
        BUG_ON(b.failed);
        BUG_ON(json_parse(&a, buf_view(&b), NULL, &again) != OK);
        BUG_ON(jv_type(again) != jv_type(root) || jv_len(again) != jv_len(root));
        buf_release(&b);
    }
    arena_release(&a);
    return 0;
}
