/* SPDX-License-Identifier: Apache-2.0 */
/* pages_test.c — every page, both languages: well-formed, within its weight, nothing inline, nothing left in English.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sample.h"
#include "web/asset.h"

enum { WEIGHT_MAX = 60 * 1000, DEPTH_MAX = 64 };

static const char *const empty_tags[] = {"meta", "link", "input", "br",     "img",
                                         "hr",   "use",  "path",  "circle", "!doctype"};

static bool is_empty_tag(struct str name) {
    for (size_t i = 0; i < ARRAY_LEN(empty_tags); i++)
        if (str_ieqz(name, empty_tags[i])) return true;
    return false;
}

/* Each tag closed in order; attributes quoted; no inline script, style or handler. */
static void well_formed(const char *page, struct str html) {
    struct str open[DEPTH_MAX];
    size_t depth = 0;
    for (size_t i = 0; i < html.n; i++) {
        if (html.p[i] != '<') continue;
        size_t end = i + 1;
        bool quoted = false;
        while (end < html.n && (quoted || html.p[end] != '>')) quoted ^= html.p[end++] == '"';
        struct str tag = str_sub(html, i + 1, end - i - 1), name = tag;
        bool close = str_starts(tag, "/"), self = str_ends(tag, "/");
        if (close) name = str_from(tag, 1);
        size_t n = 0;
        while (n < name.n && name.p[n] != ' ' && name.p[n] != '/' && name.p[n] != '\n') n++;
        name = str_sub(name, 0, n);
        if (str_find(tag, STR(" style=")) >= 0 || str_find(tag, STR(" onclick=")) >= 0)
            fail_msg("%s: inline style or handler in <%.*s>", page, (int)tag.n, tag.p);
        if (close) {
            if (depth == 0 || !str_eq(open[depth - 1], name))
                fail_msg("%s: </%.*s> closes <%.*s>", page, (int)name.n, name.p, depth ? (int)open[depth - 1].n : 0,
                         depth ? open[depth - 1].p : "");
            depth--;
        } else if (!self && !is_empty_tag(name)) {
            if (depth == DEPTH_MAX) fail_msg("%s: too deep", page);
            open[depth++] = name;
        }
        i = end;
    }
    if (depth != 0) fail_msg("%s: <%.*s> stays open", page, (int)open[depth - 1].n, open[depth - 1].p);
}

static size_t count(struct str html, const char *what) {
    size_t n = 0;
    for (ptrdiff_t at; (at = str_find(html, str_of(what))) >= 0; html = str_from(html, (size_t)at + 1)) n++;
    return n;
}

static void check(void *ctx, const char *name, struct str html) {
    const enum lang lang = *(const enum lang *)ctx;
    well_formed(name, html);
    size_t weight = html.n + asset_get("app.css")->n;
    if (weight > WEIGHT_MAX) fail_msg("%s: %zu bytes with the stylesheet", name, weight);
    if (count(html, "<h1>") != 1) fail_msg("%s: %zu first headings", name, count(html, "<h1>"));
    if (count(html, "<main ") != 1 || count(html, "class=\"skip\"") != 1) fail_msg("%s: landmarks", name);
    if (count(html, "<script>") != 0 || count(html, "alert(1)</script>") != 0) fail_msg("%s: script in the page", name);
    /* every form that changes something carries the token */
    if (count(html, "method=\"post\"") >
        count(html, "name=\"csrf\"") + count(html, "action=\"/sign-in\"") + count(html, "action=\"/language\""))
        fail_msg("%s: a form without its token", name);
    if (lang == LANG_ZH &&
        (count(html, ">Sign in<") != 0 || count(html, ">Files<") != 0 || count(html, ">Explore<") != 0))
        fail_msg("%s: English on a Chinese page", name);
}

static void english(void **state) {
    enum lang lang = LANG_EN;
    sample_pages(lang, "light", check, &lang);
}
static void chinese(void **state) {
    enum lang lang = LANG_ZH;
    sample_pages(lang, "dark", check, &lang);
}

static void hostile_text_stays_text(void *ctx, const char *name, struct str html) {
    if (strcmp(name, "explore_empty") == 0) {
        *(unsigned *)ctx |= 1;
        assert_true(count(html, "no such &lt;thing&gt;") >= 2);
    }
    if (strcmp(name, "file_text") == 0) {
        *(unsigned *)ctx |= 2;
        assert_int_equal(count(html, "&lt;script&gt;alert(1)&lt;/script&gt;"), 1);
    }
    assert_int_equal(count(html, "<thing>"), 0);
}
static void escapes(void **state) {
    unsigned seen = 0;
    sample_pages(LANG_EN, "auto", hostile_text_stays_text, &seen);
    assert_int_equal(seen, 3);
}

static void assets_are_named_by_content(void **state) {
    for (size_t i = 0; i < asset_table_len; i++) {
        assert_ptr_equal(asset_by_url(str_of(asset_table[i].url)), &asset_table[i]);
        assert_true(str_starts(str_of(asset_table[i].url), "/assets/"));
        assert_true(asset_table[i].n_gz > 0 && asset_table[i].n > 0);
    }
    assert_null(asset_by_url(STR("/assets/app.000000000000.css")));
    assert_null(asset_by_url(STR("/assets/../../etc/passwd")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(english),
        cmocka_unit_test(chinese),
        cmocka_unit_test(escapes),
        cmocka_unit_test(assets_are_named_by_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
