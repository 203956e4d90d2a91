/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tensors_safetensors.c — the header of a safetensors file as rows.
 *
 * Layout: u64 little-endian N; N bytes of JSON object {"__metadata__": {text: text}, NAME: {"dtype", "shape": [..],
 * "data_offsets": [begin, end]}}; the tensors. Whether the offsets tile is the review's question, not ours.
 */
#include "base/json.h"
#include "web/file_view.h"

enum { HEADER_MAX = 8 * 1024 * 1024 };

static err read_all(struct byte_source *s, void *p, size_t n) {
    for (size_t at = 0; at < n;) {
        size_t got;
        TRY(s->read(s->arg, (char *)p + at, n - at, &got));
        if (got == 0) return err_fail(E_UNPROCESSABLE, "the file ends inside its header");
        at += got;
    }
    return OK;
}

static struct str shape_text(struct arena *a, struct jv shape, int64_t *count) {
    struct str s = STR("");
    size_t n = MIN(jv_len(shape), (size_t)16);
    *count = 1;
    for (size_t i = 0; i < n; i++) {
        int64_t d = jv_i64(jv_at(shape, i), 0);
        if (d < 0 || __builtin_mul_overflow(*count, d, count)) *count = 0;
        s = i == 0 ? arena_printf(a, "%" PRId64, d) : arena_printf(a, STR_FMT " × %" PRId64, STR_ARG(s), d);
    }
    return n == 0 ? STR("1") : s;
}

static void tensor_add(struct arena *a, struct view_file *v, struct tensor_row *rows, size_t *k, struct str name,
                       struct jv t) {
    int64_t count, begin = jv_i64(jv_at(jv_get(t, "data_offsets"), 0), 0),
                   end = jv_i64(jv_at(jv_get(t, "data_offsets"), 1), 0);
    struct str shape = shape_text(a, jv_get(t, "shape"), &count);
    v->n_tensors++;
    if (__builtin_add_overflow(v->n_params, count, &v->n_params)) v->n_params = 0;
    if (*k == VIEW_TENSORS) {
        v->cut = true;
        return;
    }
    rows[(*k)++] = (struct tensor_row){view_clip(a, name, VIEW_CELL_MAX), jv_str(jv_get(t, "dtype"), STR("")), shape,
                                       begin >= 0 && end > begin ? (uint64_t)end - (uint64_t)begin : 0};
}

err view_safetensors(struct arena *a, struct byte_source *s, struct view_file *v) {
    uint8_t len[8];
    uint64_t n = 0;
    TRY(read_all(s, len, sizeof len));
    for (int i = 7; i >= 0; i--) n = n << 8 | len[i];
    if (n < 2 || n > HEADER_MAX || n > s->size) return err_fail(E_UNPROCESSABLE, "this is not a safetensors header");
    char *text = arena_try(a, (size_t)n);
    if (text == NULL) return err_fail(E_NOMEM, "the header is larger than this page can show");
    TRY(read_all(s, text, (size_t)n));
    struct jv root;
    const struct json_limits lim = {.max_bytes = HEADER_MAX, .max_depth = 16, .max_nodes = 1000000};
    if (json_parse(a, str_make(text, (size_t)n), &lim, &root) != OK || jv_type(root) != JSON_OBJECT)
        return err_fail(E_UNPROCESSABLE, "this is not a safetensors header");
    struct tensor_row *rows = arena_array(a, struct tensor_row, VIEW_TENSORS);
    struct meta_row *meta = arena_array(a, struct meta_row, VIEW_META);
    size_t k = 0, m = 0;
    v->n_tensors = v->n_params = 0;
    for (struct jv_iter it = jv_iter(root); jv_next(&it);) {
        if (!str_eqz(it.key, "__metadata__")) {
            tensor_add(a, v, rows, &k, it.key, it.val);
            continue;
        }
        for (struct jv_iter mt = jv_iter(it.val); jv_next(&mt) && m < VIEW_META;)
            meta[m++] = (struct meta_row){view_clip(a, mt.key, VIEW_CELL_MAX),
                                          view_clip(a, jv_str(mt.val, STR("")), VIEW_CELL_MAX)};
    }
    v->kind = "tensors";
    v->tensors.p = rows, v->tensors.n = k;
    v->meta.p = meta, v->meta.n = m;
    return OK;
}
