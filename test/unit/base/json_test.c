/* SPDX-License-Identifier: Apache-2.0 */
/* json_test.c — the strict reader and the writer. */
#include "unit.h"

#include "base/json.h"

static struct arena a;
static int setup(void **st) {
    (void)st;
    arena_init(&a, 64 * MiB);
    return 0;
}
static int teardown(void **st) {
    (void)st;
    arena_release(&a);
    return 0;
}

static const char *const good[] = {
    "0",
    "-0",
    "1.5e+10",
    "\"\"",
    "null",
    "true",
    "[]",
    "{}",
    "[[[]]]",
    "{\"a\":{\"b\":[1,2,{}]}}",
    " [ 1 , 2 ] ",
    "\"\\u00e9\\ud83d\\ude00\"",
    "\"\xe4\xb8\xad\"",
    "{\"\":1}",
    "[1,[2,[3]],4]",
};
static const char *const bad[] = {
    "",
    " ",
    "01",
    "-",
    "1.",
    ".5",
    "1e",
    "+1",
    "tru",
    "nul",
    "[1,]",
    "[,1]",
    "{\"a\":1,}",
    "{a:1}",
    "{\"a\" 1}",
    "[1 2]",
    "[1",
    "{\"a\":1",
    "\"a",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\x01\"",
    "\"\xff\"",
    "\"\xc0\xaf\"",
    "\"\xed\xa0\x80\"",
    "1 2",
    "[]]",
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"\\u0061\":2}",
    "NaN",
    "Infinity",
    "'a'",
    "[1]//x",
    "\xef\xbb\xbf[]",
    "{\"a\":}",
    "{]",
    "[}",
};

static void accepts_and_refuses(void **st) {
    (void)st;
    struct jv v;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) assert_ok(json_parse(&a, str_of(good[i]), NULL, &v));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (json_parse(&a, str_of(bad[i]), NULL, &v) == OK) fail_msg("accepted: %s", bad[i]);
    }
    assert_err(json_parse(&a, str_make("[\0]", 3), NULL, &v), E_BAD_REQUEST);
}

static void duplicate_among_many_keys(void **st) {
    (void)st;
    struct buf b;
    buf_init(&b, MiB);
    for (int twice = 0; twice < 2; twice++) {
        buf_reset(&b);
        buf_char(&b, '{');
        for (int i = 0; i < 300; i++) buf_printf(&b, "\"k%d\":%d,", i, i);
        buf_cstr(&b, twice ? "\"k7\":0}" : "\"z\":0}");
        struct jv v;
        err e = json_parse(&a, buf_view(&b), NULL, &v);
        assert_true(twice ? e == E_BAD_REQUEST : e == OK);
    }
    buf_release(&b);
}

static void reads_values(void **st) {
    (void)st;
    struct jv v;
    assert_ok(json_parse(&a,
                         STR("{\"s\":\"a\\n\\u4e2d\\ud83d\\ude00\",\"n\":-12,\"d\":0.5,\"t\":true,\"z\":null,\"l\":[1,{"
                             "\"x\":[2, 3 ]},\"q\"], \"o\":{ }}"),
                         NULL, &v));
    assert_str(jv_str(jv_get(v, "s"), STR_NULL), "a\n\xe4\xb8\xad\xf0\x9f\x98\x80");
    assert_int_equal(jv_i64(jv_get(v, "n"), 0), -12);
    assert_true(jv_double(jv_get(v, "d"), 0) == 0.5);
    assert_true(jv_bool(jv_get(v, "t"), false));
    assert_true(jv_is_null(jv_get(v, "z")) && jv_ok(jv_get(v, "z")));
    assert_false(jv_ok(jv_get(v, "absent")));
    struct jv l = jv_get(v, "l");
    assert_int_equal(jv_len(l), 3);
    assert_str(jv_raw(l), "[1,{\"x\":[2, 3 ]},\"q\"]");
    assert_str(jv_raw(jv_at(l, 1)), "{\"x\":[2, 3 ]}");
    assert_str(jv_raw(jv_at(l, 2)), "\"q\"");
    assert_str(jv_raw(jv_get(v, "o")), "{ }");
    assert_int_equal(jv_i64(jv_at(jv_get(jv_at(l, 1), "x"), 1), 0), 3);
    int64_t n;
    assert_err(jv_need_i64(v, "s", 0, 9, &n), E_BAD_REQUEST);
    assert_string_equal(err_text(), "field \"s\": expected a whole number from 0 to 9");
}

static void lone_surrogates_when_allowed(void **st) {
    (void)st;
    struct jv v;
    struct json_limits l = {.allow_lone_surrogates = true};
    assert_ok(json_parse(&a, STR("[\"a\\ud83d\",\"\\ude00b\",\"\\ud83d\\n\",\"\\ud83d\\ud83d\\ude00\"]"), &l, &v));
    assert_str(jv_str(jv_at(v, 0), STR_NULL), "a\xef\xbf\xbd");
    assert_str(jv_str(jv_at(v, 1), STR_NULL), "\xef\xbf\xbd"
                                              "b");
    assert_str(jv_str(jv_at(v, 2), STR_NULL), "\xef\xbf\xbd\n");
    assert_str(jv_str(jv_at(v, 3), STR_NULL), "\xef\xbf\xbd\xf0\x9f\x98\x80");
    assert_err(json_parse(&a, STR("[\"\\ud83d\"]"), NULL, &v), E_BAD_REQUEST);
    assert_err(json_parse(&a, STR("[\"\\ude00\"]"), NULL, &v), E_BAD_REQUEST);
    assert_err(json_parse(&a, STR("[\"\\ud83d\\u004\"]"), &l, &v), E_BAD_REQUEST);
}

static void limits_hold(void **st) {
    (void)st;
    char deep[600];
    memset(deep, '[', 300);
    memset(deep + 300, ']', 300);
    struct jv v;
    assert_err(json_parse(&a, str_make(deep, 600), NULL, &v), E_BAD_REQUEST);
    struct json_limits l = {.max_depth = 400};
    assert_ok(json_parse(&a, str_make(deep, 600), &l, &v));
    l = (struct json_limits){.max_nodes = 3};
    assert_err(json_parse(&a, STR("[1,2,3,4]"), &l, &v), E_LIMIT);
    l = (struct json_limits){.max_bytes = 3};
    assert_err(json_parse(&a, STR("[1,2]"), &l, &v), E_LIMIT);
}

static void error_names_the_place(void **st) {
    (void)st;
    struct jv v;
    assert_err(json_parse(&a, STR("{\n \"a\": tru }"), NULL, &v), E_BAD_REQUEST);
    assert_string_equal(err_text(), "bad JSON at line 2 column 7: expected a value");
}

static void writer_round_trip(void **st) {
    (void)st;
    struct buf b;
    buf_init(&b, 4096);
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kcstr(&w, "a", "x\"\\\n\x01\xff\xe4\xb8\xad");
    jw_key(&w, "l");
    jw_arr(&w);
    jw_i64(&w, -1);
    jw_obj(&w);
    jw_obj_end(&w);
    jw_null(&w);
    jw_arr_end(&w);
    jw_kbool(&w, "t", true);
    jw_obj_end(&w);
    assert_str(buf_view(&b), "{\"a\":\"x\\\"\\\\\\n\\u0001\xef\xbf\xbd\xe4\xb8\xad\",\"l\":[-1,{},null],\"t\":true}");
    struct jv v;
    assert_ok(json_parse(&a, buf_view(&b), NULL, &v));
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_and_refuses),
        cmocka_unit_test(duplicate_among_many_keys),
        cmocka_unit_test(reads_values),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(lone_surrogates_when_allowed),
        cmocka_unit_test(error_names_the_place),
        cmocka_unit_test(writer_round_trip),
    };
    return cmocka_run_group_tests_name("base_json", tests, setup, teardown);
}
