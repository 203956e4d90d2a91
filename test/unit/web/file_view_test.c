/* SPDX-License-Identifier: Apache-2.0 */
/* file_view_test.c — bytes of files as lines, hex, tables and tensors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "web/file_view.h"

static struct arena arena;
static int setup(void **state) {
    arena_init(&arena, 256 * MiB);
    return 0;
}
static int teardown(void **state) {
    arena_release(&arena);
    return 0;
}

static void text_or_bytes(void **state) {
    assert_true(view_is_text(STR("héllo")));
    assert_true(view_is_text(STR("")));
    assert_true(view_is_text(STR("h\xC3"))); /* cut in a character */
    assert_false(view_is_text(STR("a\0b")));
    assert_false(view_is_text(STR("\xFF\xFE\xFA\xFBxxxxxx")));
}

static void lines_and_their_end(void **state) {
    struct view_file v = {0};
    view_lines(&arena, STR("a\r\nb\n\nc"), &v);
    assert_int_equal(v.lines.n, 4);
    assert_true(str_eqz(v.lines.p[0].text, "a"));
    assert_true(str_eqz(v.lines.p[3].text, "c"));
    assert_false(v.cut);
}

static void hex_rows(void **state) {
    struct view_file v = {.bytes = 18};
    view_hex(&arena, STR("GGUF\3\0\0\0\1\2\3\4\5\6\7\10zz"), &v);
    assert_int_equal(v.hex.n, 2);
    assert_true(str_eqz(v.hex.p[0].hex, "47 47 55 46 03 00 00 00  01 02 03 04 05 06 07 08"));
    assert_true(str_eqz(v.hex.p[0].ascii, "GGUF............"));
    assert_true(str_eqz(v.hex.p[1].offset, "00000010"));
    assert_true(str_eqz(v.hex.p[1].hex, "7a 7a"));
}

static void csv_with_quotes(void **state) {
    struct view_file v = {0};
    assert_true(view_csv(&arena, STR("q,a\r\n\"one, \"\"two\"\"\",\"line\nbreak\"\r\nx,y,z\n"), ',', &v));
    assert_int_equal(v.columns.n, 2);
    assert_int_equal(v.rows.n, 2);
    assert_true(str_eqz(v.rows.p[0].cells.p[0].text, "one, \"two\""));
    assert_true(str_eqz(v.rows.p[0].cells.p[1].text, "line\nbreak"));
    assert_int_equal(v.rows.p[1].cells.n, 3);
    assert_false(view_csv(&arena, STR("just words\nno table"), ',', &v));
}

static void jsonl_columns_are_the_keys(void **state) {
    struct view_file v = {0};
    assert_true(view_jsonl(&arena, STR("{\"a\":1,\"b\":\"x\"}\n\n{\"b\":[2],\"c\":null}\n{\"cut"), &v));
    assert_int_equal(v.columns.n, 3);
    assert_int_equal(v.rows.n, 2);
    assert_true(str_eqz(v.rows.p[1].cells.p[1].text, "[2]"));
    assert_int_equal(v.rows.p[0].cells.p[2].text.n, 0);
    assert_false(view_jsonl(&arena, STR("not json\n"), &v));
}

struct mem {
    struct str s;
};
static err mem_read(void *arg, void *p, size_t cap, size_t *n) {
    struct mem *m = arg;
    *n = MIN(MIN(cap, (size_t)7), m->s.n); /* small pieces, as a network gives them */
    memcpy(p, m->s.p, *n);
    m->s = str_from(m->s, *n);
    return OK;
}

static void safetensors_header(void **state) {
    struct buf b;
    buf_init(&b, MiB);
    const char *json = "{\"__metadata__\":{\"format\":\"pt\"},\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_"
                       "offsets\":[0,24]},\"s\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[24,26]}}";
    buf_u64le(&b, strlen(json));
    buf_cstr(&b, json);
    for (int i = 0; i < 26; i++) buf_char(&b, 0);
    struct mem m = {buf_view(&b)};
    struct byte_source s = {mem_read, &m, b.n};
    struct view_file v = {0};
    assert_null(view_safetensors(&arena, &s, &v));
    assert_string_equal(v.kind, "tensors");
    assert_int_equal(v.n_tensors, 2);
    assert_int_equal(v.n_params, 7);
    assert_true(str_eqz(v.tensors.p[0].shape, "2 × 3"));
    assert_int_equal(v.tensors.p[0].bytes, 24);
    assert_true(str_eqz(v.meta.p[0].key, "format"));
    m.s = STR("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}");
    assert_ptr_equal(view_safetensors(&arena, &s, &v), E_UNPROCESSABLE);
    m.s = str_sub(buf_view(&b), 0, 40);
    assert_ptr_equal(view_safetensors(&arena, &s, &v), E_UNPROCESSABLE);
    buf_release(&b);
}

static void gstr(struct buf *b, const char *z) {
    buf_u64le(b, strlen(z));
    buf_cstr(b, z);
}

static void gguf_header(void **state) {
    struct buf b;
    buf_init(&b, MiB);
    buf_cstr(&b, "GGUF");
    buf_u32le(&b, 3);
    buf_u64le(&b, 1);
    buf_u64le(&b, 3);
    gstr(&b, "general.architecture"), buf_u32le(&b, 8), gstr(&b, "llama");
    gstr(&b, "tokenizer.ggml.tokens"), buf_u32le(&b, 9), buf_u32le(&b, 8), buf_u64le(&b, 2), gstr(&b, "<s>"),
        gstr(&b, "</s>");
    gstr(&b, "llama.block_count"), buf_u32le(&b, 4), buf_u32le(&b, 30);
    gstr(&b, "token_embd.weight"), buf_u32le(&b, 2), buf_u64le(&b, 256), buf_u64le(&b, 4), buf_u32le(&b, 12),
        buf_u64le(&b, 0);
    struct mem m = {buf_view(&b)};
    struct byte_source s = {mem_read, &m, b.n};
    struct view_file v = {0};
    assert_null(view_gguf(&arena, &s, &v));
    assert_int_equal(v.n_tensors, 1);
    assert_int_equal(v.n_params, 1024);
    assert_true(str_eqz(v.tensors.p[0].dtype, "Q4_K"));
    assert_int_equal(v.tensors.p[0].bytes, 576);
    assert_int_equal(v.meta.n, 3);
    assert_true(str_eqz(v.meta.p[1].value, "[2]"));
    assert_true(str_eqz(v.meta.p[2].value, "30"));
    for (size_t n = 0; n < b.n; n++) { /* cut anywhere: an error, never a crash */
        m.s = str_sub(buf_view(&b), 0, n);
        assert_ptr_equal(view_gguf(&arena, &s, &v), E_UNPROCESSABLE);
    }
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(text_or_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_and_their_end, setup, teardown),
        cmocka_unit_test_setup_teardown(hex_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(csv_with_quotes, setup, teardown),
        cmocka_unit_test_setup_teardown(jsonl_columns_are_the_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(safetensors_header, setup, teardown),
        cmocka_unit_test_setup_teardown(gguf_header, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
