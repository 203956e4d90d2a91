/* SPDX-License-Identifier: Apache-2.0 */
/* classify_test.c — large or regular, ignored or not, types of served files. */
#include "unit.h"

#include "hub/hub_classify.h"
#include "hub/hub_mime.h"

static void binary_samples(void **st) {
    (void)st;
    assert_false(hub_sample_is_binary(STR("")));
    assert_false(hub_sample_is_binary(STR("plain text\nwith lines\t\r\n")));
    assert_false(hub_sample_is_binary(STR("\xe4\xb8\xad\xe6\x96\x87")));
    assert_false(hub_sample_is_binary(STR("cut character \xe4\xb8")));
    assert_true(hub_sample_is_binary(str_make("a\0b", 3)));
    assert_true(hub_sample_is_binary(STR("\x89PNG\r\n\x1a\n")));
    assert_true(hub_sample_is_binary(STR("\x80\x04\x95")));
    assert_true(hub_sample_is_binary(STR("\xff\xfe latin")));
}

static void large_files(void **st) {
    (void)st;
    struct hub_classify c = {STR("*.bin filter=lfs diff=lfs merge=lfs -text\n*.keep -filter\n"), 1000};
    assert_true(hub_is_large(&c, STR("a/x.bin"), 10, STR("text")));
    assert_false(hub_is_large(&c, STR("a/x.bin"), 0, STR("")));
    assert_false(hub_is_large(&c, STR("README.md"), 10, STR("text")));
    assert_true(hub_is_large(&c, STR("README.md"), 1001, STR("text")));
    assert_false(hub_is_large(&c, STR("README.md"), 1000, STR("text")));
    assert_true(hub_is_large(&c, STR("x.dat"), 10, str_make("\0", 1)));
}

static void ignored(void **st) {
    (void)st;
    struct str g = STR("# comment\n*.log\n!keep.log\nbuild/\n/top\ndocs/*.tmp\n");
    assert_true(hub_is_ignored(g, STR("a.log")));
    assert_true(hub_is_ignored(g, STR("deep/in/a.log")));
    assert_false(hub_is_ignored(g, STR("keep.log")));
    assert_true(hub_is_ignored(g, STR("build/x")));
    assert_true(hub_is_ignored(g, STR("a/build/x")));
    assert_false(hub_is_ignored(g, STR("build")));
    assert_true(hub_is_ignored(g, STR("top")));
    assert_false(hub_is_ignored(g, STR("a/top")));
    assert_true(hub_is_ignored(g, STR("docs/a.tmp")));
    assert_false(hub_is_ignored(g, STR("a.txt")));
    assert_false(hub_is_ignored(STR(""), STR("a")));
}

static void served_types_never_are_markup(void **st) {
    (void)st;
    assert_string_equal(hub_mime_type(STR("x/index.HTML")), "text/plain; charset=utf-8");
    assert_string_equal(hub_mime_type(STR("a.png")), "image/png");
    assert_string_equal(hub_mime_type(STR("weights")), "application/octet-stream");
    assert_string_equal(hub_mime_type(STR("a.xhtml")), "application/octet-stream");
    struct arena a;
    arena_init(&a, 1 << 20);
    assert_str(hub_mime_disposition(&a, STR("d/a \"b\".txt"), false),
               "inline; filename*=UTF-8''a%20%22b%22.txt; filename=\"a _b_.txt\";");
    assert_str(hub_mime_disposition(&a, STR("\xe4\xb8\xad"), true),
               "attachment; filename*=UTF-8''%E4%B8%AD; filename=\"___\";");
    arena_release(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(binary_samples), cmocka_unit_test(large_files),
                                       cmocka_unit_test(ignored), cmocka_unit_test(served_types_never_are_markup)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
