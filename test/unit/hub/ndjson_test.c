/* SPDX-License-Identifier: Apache-2.0 */
/* ndjson_test.c — lines of a commit body: cutting at every possible place, and what each line may say. */
#include "unit.h"

#include "hub/hub_ndjson.h"

static struct arena a;
static int setup(void **st) {
    (void)st;
    arena_init(&a, 16 * MiB);
    return 0;
}
static int teardown(void **st) {
    (void)st;
    arena_release(&a);
    return 0;
}

/* All lines of `text` fed in pieces of `step` bytes, joined by '|'. */
static struct str cut(struct str text, size_t step, size_t max_line, err *e) {
    struct hub_lines l;
    struct buf out;
    buf_init(&out, 1 << 20);
    hub_lines_init(&l, max_line);
    *e = OK;
    for (size_t at = 0; *e == OK; at += step) {
        bool end = at >= text.n, have = true;
        char piece[256];
        struct str s = str_sub(text, at, step);
        if (s.n > 0) memcpy(piece, s.p, s.n);
        hub_lines_feed(&l, (struct str){piece, s.n});
        while (*e == OK && have) {
            struct str line;
            *e = end ? hub_lines_last(&l, &line, &have) : hub_lines_next(&l, &line, &have);
            if (*e == OK && have) {
                buf_str(&out, line);
                buf_char(&out, '|');
            }
        }
        memset(piece, 'X', sizeof piece); /* a line must not live in the piece longer than promised */
        if (end) break;
    }
    hub_lines_release(&l);
    struct str r = arena_str(&a, buf_view(&out));
    buf_release(&out);
    return r;
}

static void same_lines_however_cut(void **st) {
    (void)st;
    struct str text = STR("{\"a\":1}\n\n{\"b\":22222}\r\n   \n{\"c\":3}\n{\"last\":true}");
    for (size_t step = 1; step < 64; step++) {
        err e;
        struct str got = cut(text, step, 1000, &e);
        assert_ok(e);
        assert_str(got, "{\"a\":1}|{\"b\":22222}\r|{\"c\":3}|{\"last\":true}|");
    }
}

static void final_newline_is_optional(void **st) {
    (void)st;
    err e;
    assert_str(cut(STR("x\n"), 7, 10, &e), "x|");
    assert_str(cut(STR("x"), 7, 10, &e), "x|");
    assert_str(cut(STR(""), 7, 10, &e), "");
}

static void long_line_is_refused_with_its_number(void **st) {
    (void)st;
    err e;
    cut(STR("ok\n0123456789ABC\n"), 4, 10, &e);
    assert_err(e, E_BAD_REQUEST);
    assert_non_null(strstr(err_text(), "line 2"));
    assert_non_null(strstr(err_text(), "large file"));
    cut(STR("0123456789\n"), 3, 10, &e);
    assert_ok(e);
}

static void reads_each_kind(void **st) {
    (void)st;
    struct hub_line l;
    assert_ok(hub_line_parse(
        &a, STR("{\"key\":\"header\",\"value\":{\"summary\":\"S\",\"description\":\"D\",\"parentCommit\":\"abcde\"}}"),
        1000, &l));
    assert_int_equal(l.kind, LINE_HEADER);
    assert_str(l.summary, "S");
    assert_str(l.parent, "abcde");
    assert_ok(hub_line_parse(
        &a, STR("{\"key\":\"file\",\"value\":{\"content\":\"aGk=\",\"path\":\"p\",\"encoding\":\"base64\"}}"), 1000,
        &l));
    assert_true(l.is_base64 && l.has_content);
    assert_ok(hub_line_parse(&a, STR("{\"key\":\"file\",\"value\":{\"content\":\"\",\"path\":\"p\"}}"), 1000, &l));
    assert_true(!l.is_base64 && l.has_content);
    assert_ok(hub_line_parse(&a,
                             STR("{\"key\":\"lfsFile\",\"value\":{\"path\":\"w\",\"algo\":\"sha256\",\"oid\":"
                                 "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"size\":5}}"),
                             1000, &l));
    assert_int_equal(l.size, 5);
    assert_ok(hub_line_parse(&a, STR("{\"key\":\"lfsFile\",\"value\":{\"path\":\"w\",\"oldPath\":\"v\"}}"), 1000, &l));
    assert_str(l.old_path, "v");
    assert_int_equal(l.size, -1);
    assert_ok(hub_line_parse(&a, STR("{\"key\":\"deletedFolder\",\"value\":{\"path\":\"d/\"}}"), 1000, &l));
    assert_int_equal(l.kind, LINE_DELETE_DIR);
}

static void refuses_and_names_the_field(void **st) {
    (void)st;
    static const struct {
        const char *line, *says;
    } bad[] = {
        {"{}", "key"},
        {"[]", "key"},
        {"{\"key\":\"rename\",\"value\":{}}", "deletedFolder"},
        {"{\"key\":\"file\"}", "value"},
        {"{\"key\":\"file\",\"value\":{\"content\":\"\"}}", "path"},
        {"{\"key\":\"file\",\"value\":{\"path\":\"p\"}}", "content"},
        {"{\"key\":\"file\",\"value\":{\"path\":\"p\",\"content\":\"\",\"encoding\":\"gzip\"}}", "encoding"},
        {"{\"key\":\"lfsFile\",\"value\":{\"path\":\"p\"}}", "oid"},
        {"{\"key\":\"lfsFile\",\"value\":{\"path\":\"p\",\"oid\":"
         "\"ABCDEF6789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}}",
         "oid"},
        {"{\"key\":\"lfsFile\",\"value\":{\"path\":\"p\",\"algo\":\"md5\",\"oid\":\"0\"}}", "algo"},
        {"{\"key\":\"deletedFile\",\"value\":{\"path\":7}}", "path"},
        {"nonsense", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct hub_line l;
        assert_err(hub_line_parse(&a, str_of(bad[i].line), 1000, &l), E_BAD_REQUEST);
        if (strstr(err_text(), bad[i].says) == NULL) fail_msg("\"%s\" does not name %s", err_text(), bad[i].says);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(same_lines_however_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(final_newline_is_optional, setup, teardown),
        cmocka_unit_test_setup_teardown(long_line_is_refused_with_its_number, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_each_kind, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_and_names_the_field, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
