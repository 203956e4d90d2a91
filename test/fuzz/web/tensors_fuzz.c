/* SPDX-License-Identifier: Apache-2.0 */
/* tensors_fuzz.c — file pages over hostile bytes: GGUF and safetensors headers, CSV, JSONL, lines, hex. */
#include "web/file_view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static err mem_read(void *arg, void *p, size_t cap, size_t *n) {
    struct str *s = arg;
    *n = MIN(cap, s->n);
    memcpy(p, s->p, *n);
    *s = str_from(*s, *n);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 64 * KiB) return 0;
    for (int kind = 0; kind < 6; kind++) {
        struct arena a;
        struct str s = str_make(data, size);
        struct byte_source src = {mem_read, &s, size};
        struct view_file v = {.bytes = size};
        arena_init(&a, 256 * MiB);
        if (kind == 0) IGNORE_ERR(view_gguf(&a, &src, &v));        /* hostile: either answer is right */
        if (kind == 1) IGNORE_ERR(view_safetensors(&a, &src, &v)); /* the same */
        if (kind == 2) (void)view_csv(&a, s, ',', &v);
        if (kind == 3) (void)view_jsonl(&a, s, &v);
        if (kind == 4 && view_is_text(s)) view_lines(&a, s, &v);
        if (kind == 5) view_hex(&a, s, &v);
        BUG_ON(v.tensors.n > VIEW_TENSORS || v.rows.n > VIEW_ROWS + 1 || v.lines.n > VIEW_LINES);
        arena_release(&a);
    }
    return 0;
}
