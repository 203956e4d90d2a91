/* SPDX-License-Identifier: Apache-2.0 */
/* tmpl_test.c — escaping, text with values, numbers and times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/tmpl.h"

struct fix {
    struct arena a;
    struct buf b;
    struct tmpl t;
};

static void fix_init(struct fix *f, enum lang lang) {
    arena_init(&f->a, MiB);
    buf_init(&f->b, MiB);
    f->t = (struct tmpl){&f->b, &f->a, lang, INT64_C(1787659200000)};
}
static void expect(struct fix *f, const char *want) {
    buf_char(&f->b, '\0');
    assert_string_equal(f->b.p, want);
    buf_reset(&f->b);
}
static void fix_release(struct fix *f) {
    buf_release(&f->b);
    arena_release(&f->a);
}

static void escapes_everything_that_markup_could_use(void **state) {
    struct fix f;
    fix_init(&f, LANG_EN);
    tmpl_put(&f.t, STR("<script a='b' c=\"d\">&amp;\0x"));
    expect(&f, "&lt;script a=&#39;b&#39; c=&quot;d&quot;&gt;&amp;amp;\xEF\xBF\xBDx");
    tmpl_put(&f.t, (const char *)NULL);
    expect(&f, "");
    tmpl_put(&f.t, ((struct html){"<b>", 3}));
    expect(&f, "<b>");
    tmpl_f_uri(&f.t, STR("a/b c\"<ü"));
    expect(&f, "a%2Fb%20c%22%3C%C3%BC");
    tmpl_f_uripath(&f.t, STR("a/b?c"));
    expect(&f, "a/b%3Fc");
    fix_release(&f);
}

/* "photo_<U+202E>gnp.exe" is drawn as "photo_exe.png" by a browser that is handed it as it is. */
static void what_reorders_is_written_out_in_text(void **state) {
    struct fix f;
    fix_init(&f, LANG_EN);
    tmpl_show(&f.t, STR("photo_\xE2\x80\xAEgnp.exe <\xE2\x81\xA6>"));
    expect(&f, "photo_[U+202E]gnp.exe &lt;[U+2066]&gt;");
    tmpl_put(&f.t, STR("a\xE2\x80\xAE"
                       "b")); /* an attribute keeps the bytes: a copied name is the real one */
    expect(&f, "a\xE2\x80\xAE"
               "b");
    /* in a name nothing stays unseen; in text a joiner may be needed */
    tmpl_f_name(&f.t, STR("zero\xE2\x80\x8Bwidth\xEF\xBB\xBF\xC2\xAD.py\n\xF3\xA0\x81\x81"));
    expect(&f, "zero[U+200B]width[U+FEFF][U+00AD].py[U+000A][U+E0041]");
    tmpl_show(&f.t, STR("\xE2\x80\x8D\xE4\xB8\xAD\xF0\x9F\x98\x80"));
    expect(&f, "\xE2\x80\x8D\xE4\xB8\xAD\xF0\x9F\x98\x80");
    tmpl_f_name(&f.t, STR("cut \xE2\x80")); /* a sequence that ends too soon */
    expect(&f, "cut \xE2\x80");
    fix_release(&f);
}

static void text_takes_values_and_escapes_itself(void **state) {
    struct fix f;
    fix_init(&f, LANG_EN);
    const struct tmpl_arg args[] = {{"who", {"<b>amy</b>", 10}}, {"n", {"3", 1}}};
    tmpl_text(&f.t, "{who} & {n} of {nobody} {", args, 2);
    expect(&f, "<b>amy</b> &amp; 3 of {nobody} {");
    fix_release(&f);
    fix_init(&f, LANG_ZH);
    tmpl_text(&f.t, "Sign in", NULL, 0);
    expect(&f, "\xE7\x99\xBB\xE5\xBD\x95"); /* 登录 */
    fix_release(&f);
}

static void a_value_is_not_read_as_text_again(void **state) {
    struct fix f;
    fix_init(&f, LANG_EN);
    const struct tmpl_arg args[] = {{"a", {"{b}", 3}}, {"b", {"no", 2}}};
    tmpl_text(&f.t, "{a}{b}", args, 2);
    expect(&f, "{b}no");
    fix_release(&f);
}

static void one_and_many(void **state) {
    struct fix f;
    fix_init(&f, LANG_EN);
    tmpl_count(&f.t, 1, "1 file", "{n} files", NULL, 0);
    expect(&f, "1 file");
    tmpl_count(&f.t, 1234567, "1 file", "{n} files", NULL, 0);
    expect(&f, "1,234,567 files");
    fix_release(&f);
    fix_init(&f, LANG_ZH);
    tmpl_count(&f.t, 1, "1 file", "{n} files", NULL, 0);
    expect(&f, "1\xE4\xB8\xAA\xE6\x96\x87\xE4\xBB\xB6"); /* 1个文件 */
    fix_release(&f);
}

static void numbers_and_sizes(void **state) {
    struct fix f;
    fix_init(&f, LANG_EN);
    tmpl_num(&f.t, INT64_MIN);
    expect(&f, "-9,223,372,036,854,775,808");
    tmpl_num(&f.t, 999);
    expect(&f, "999");
    tmpl_bytes(&f.t, 0);
    expect(&f, "0\xC2\xA0"
               "B");
    tmpl_bytes(&f.t, 999);
    expect(&f, "999\xC2\xA0"
               "B");
    tmpl_bytes(&f.t, 999999);
    expect(&f, "1.00\xC2\xA0MB");
    tmpl_bytes(&f.t, 98614205);
    expect(&f, "98.6\xC2\xA0MB");
    tmpl_bytes(&f.t, UINT64_MAX);
    expect(&f, "18.4\xC2\xA0"
               "EB");
    tmpl_span(&f.t, 61000);
    expect(&f, "1\xC2\xA0min 1\xC2\xA0s");
    fix_release(&f);
}

static void times_are_relative_with_the_absolute_one_behind(void **state) {
    struct fix f;
    fix_init(&f, LANG_EN);
    tmpl_ago(&f.t, f.t.now_ms - 3 * 60000);
    expect(&f, "<time datetime=\"2026-08-25T11:57:00.000Z\" title=\"2026-08-25 11:57:00 UTC\">3 minutes ago</time>");
    tmpl_ago(&f.t, f.t.now_ms + 40 * INT64_C(86400000));
    expect(&f, "<time datetime=\"2026-10-04T12:00:00.000Z\" title=\"2026-10-04 12:00:00 UTC\">in 40 days</time>");
    tmpl_ago(&f.t, 0);
    expect(&f, "never");
    tmpl_ago(&f.t, f.t.now_ms - 100 * INT64_C(86400000));
    expect(&f, "<time datetime=\"2026-05-17T12:00:00.000Z\" title=\"2026-05-17 12:00:00 UTC\">2026-05-17</time>");
    fix_release(&f);
}

static void a_page_over_its_bound_fails_whole(void **state) {
    struct fix f;
    fix_init(&f, LANG_EN);
    f.b.max = 16;
    tmpl_put(&f.t, STR("0123456789012345678901234567890123456789"));
    size_t m = tmpl_mark(&f.t);
    tmpl_put(&f.t, STR("x"));
    (void)tmpl_cut(&f.t, m);
    assert_true(f.b.failed);
    fix_release(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_everything_that_markup_could_use),
        cmocka_unit_test(what_reorders_is_written_out_in_text),
        cmocka_unit_test(text_takes_values_and_escapes_itself),
        cmocka_unit_test(a_value_is_not_read_as_text_again),
        cmocka_unit_test(one_and_many),
        cmocka_unit_test(numbers_and_sizes),
        cmocka_unit_test(times_are_relative_with_the_absolute_one_behind),
        cmocka_unit_test(a_page_over_its_bound_fails_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
