/* SPDX-License-Identifier: Apache-2.0 */
/* markdown_test.c — what a card may become: only elements of the list, only safe addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/markdown.h"

static const struct md_base base = {.link = {"/amy/m/blob/main", 16},
                                    .image = {"/amy/m/resolve/main", 19},
                                    .table_label = "Table",
                                    .image_label = "image"};

static struct arena arena;
static int setup(void **state) {
    arena_init(&arena, 64 * MiB);
    return 0;
}
static int teardown(void **state) {
    arena_release(&arena);
    return 0;
}

static const char *md(const char *text) {
    bool cut;
    struct html h = md_render(&arena, str_of(text), &base, &cut);
    return arena_strz(&arena, str_make(h.p, h.n));
}

static void raw_html_is_dropped_and_its_text_stays(void **state) {
    assert_string_equal(md("a <b onclick=x>bold</b> c"), "<p>a bold c</p>\n");
    assert_string_equal(md("<script>alert(1)</script>\n"), "");
    assert_string_equal(md("<div align=center>\n\n# T\n\n</div>\n"), "<h2 id=\"md-t\">T</h2>\n");
    assert_string_equal(md("<!-- x --> y <img src=x onerror=alert(1)>"), "");
    assert_string_equal(md("y <img src=x onerror=alert(1)>"), "<p>y </p>\n");
    assert_string_equal(md("\xE2\x80\xAEgnp.exe `\xE2\x81\xA6` &#x202E;"),
                        "<p>[U+202E]gnp.exe <code>[U+2066]</code> [U+202E]</p>\n");
    assert_string_equal(md("`<b>` &lt;i&gt; &#60;u&#62;"), "<p><code>&lt;b&gt;</code> &lt;i&gt; &lt;u&gt;</p>\n");
}

static void unsafe_addresses_lose_their_href(void **state) {
    static const char *const bad[] = {"[x](javascript:alert(1))",
                                      "[x](JaVaScRiPt:alert(1))",
                                      "[x](javascript&#58;alert(1))",
                                      "[x](javascript&#x3A;alert(1))",
                                      "[x](&#106;avascript:alert(1))",
                                      "[x](data:text/html,<script>)",
                                      "[x](vbscript:x)",
                                      "[x](file:///etc/passwd)",
                                      "[x](<java\tscript:alert(1)>)",
                                      "[x](<\x01javascript:alert(1)>)",
                                      "[x](blob:x)",
                                      "[x](&#1;javascript:alert(1))",
                                      "[x](java&#10;script:alert(1))"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) assert_string_equal(md(bad[i]), "<p><a>x</a></p>\n");
    /* an unknown name keeps its letters, so no scheme can hide in it */
    assert_null(strstr(md("[x](javascript&colon;alert(1))"), "javascript:"));
}

static void safe_addresses_are_kept_and_escaped(void **state) {
    assert_string_equal(
        md("[x](https://a.example/?a=1&b=\"2\")"),
        "<p><a href=\"https://a.example/?a=1&amp;b=%222%22\" rel=\"nofollow ugc noopener noreferrer\">x</a></p>\n");
    assert_string_equal(md("[x](mailto:a@b.example)"),
                        "<p><a href=\"mailto:a@b.example\" rel=\"nofollow ugc noopener noreferrer\">x</a></p>\n");
    assert_string_equal(md("[x](//evil.example/a)"),
                        "<p><a href=\"https://evil.example/a\" rel=\"nofollow ugc noopener noreferrer\">x</a></p>\n");
    assert_string_equal(md("[x](/\\evil.example)"),
                        "<p><a href=\"https://evil.example\" rel=\"nofollow ugc noopener noreferrer\">x</a></p>\n");
}

static void relative_addresses_stay_in_the_repository(void **state) {
    assert_string_equal(md("[x](docs/a.md#part)"), "<p><a href=\"/amy/m/blob/main/docs/a.md#part\">x</a></p>\n");
    assert_string_equal(md("[x](../../../../etc/passwd)"), "<p><a href=\"/amy/m/blob/main/etc/passwd\">x</a></p>\n");
    assert_string_equal(md("[x](a/%2e%2e/%2E%2e/b)"), "<p><a href=\"/amy/m/blob/main/b\">x</a></p>\n");
    assert_string_equal(md("![a \"b\"](plot.png)"),
                        "<p><img loading=\"lazy\" src=\"/amy/m/resolve/main/plot.png\" alt=\"a &quot;b&quot;\"></p>\n");
    assert_string_equal(md("[x](#Some-Part)"), "<p><a href=\"#md-Some-Part\">x</a></p>\n");
    bool cut;
    struct md_base deep = base;
    deep.dir = STR("docs/en");
    struct html h = md_render(&arena, STR("[x](../zh/b.md)"), &deep, &cut);
    assert_true(str_eqz(str_make(h.p, h.n), "<p><a href=\"/amy/m/blob/main/docs/zh/b.md\">x</a></p>\n"));
}

static void images_from_elsewhere_become_links(void **state) {
    assert_string_equal(md("![seen](https://t.example/p.gif)"),
                        "<p><a class=\"external-image\" rel=\"nofollow ugc noopener noreferrer\" "
                        "href=\"https://t.example/p.gif\">seen</a></p>\n");
    /* inside a link there is no second link */
    assert_string_equal(md("[![b](https://t.example/b.svg)](https://c.example)"),
                        "<p><a href=\"https://c.example\" rel=\"nofollow ugc noopener noreferrer\">b</a></p>\n");
    assert_null(strstr(md("![x](data:image/svg+xml;base64,PHN2Zz4=)"), "data:"));
}

static void headings_have_anchors_of_their_own_space(void **state) {
    assert_string_equal(md("# A *b* `c`!\n## 中文 标题\n# A b c\n"),
                        "<h2 id=\"md-a-b-c\">A <em>b</em> <code>c</code>!</h2>\n<h3 id=\"md-中文-标题\">中文 "
                        "标题</h3>\n<h2 id=\"md-a-b-c-1\">A b c</h2>\n");
}

static void tables_tasks_and_code(void **state) {
    const char *h = md("| a | b |\n|--:|:-:|\n| 1 | <x> |\n");
    assert_non_null(strstr(h, "<div class=\"tablebox\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table>"));
    assert_non_null(strstr(h, "<td class=\"al-r\">1</td><td class=\"al-c\"></td>"));
    assert_string_equal(md("- [x] done\n- [ ] not\n"),
                        "<ul>\n<li class=\"task\">☑ done</li>\n<li class=\"task\">☐ not</li>\n</ul>\n");
    assert_string_equal(md("```html\n<b>\n```\n"), "<pre tabindex=\"0\"><code>&lt;b&gt;\n</code></pre>\n");
}

static void depth_and_length_are_bounded(void **state) {
    char deep[4001];
    memset(deep, '>', 4000);
    deep[4000] = 0;
    const char *h = md(deep);
    size_t n = 0;
    for (const char *p = h; (p = strstr(p, "<blockquote>")) != NULL; p++) n++;
    assert_true(n <= 24);
    size_t big = MD_MAX + 1000;
    char *text = arena_alloc(&arena, big + 1);
    memset(text, 'a', big);
    bool cut;
    (void)md_render(&arena, str_make(text, big), &base, &cut);
    assert_true(cut);
}

static void front_matter_is_not_the_text(void **state) {
    assert_true(str_eqz(md_body(STR("---\nlicense: mit\n---\n# Hi\n")), "# Hi\n"));
    assert_true(str_eqz(md_body(STR("\xEF\xBB\xBF---\r\na: b\r\n---\r\nHi")), "Hi"));
    assert_true(str_eqz(md_body(STR("---\nnever closed\n")), "---\nnever closed\n"));
    assert_true(str_eqz(md_body(STR("Hi\n---\n")), "Hi\n---\n"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(raw_html_is_dropped_and_its_text_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(unsafe_addresses_lose_their_href, setup, teardown),
        cmocka_unit_test_setup_teardown(safe_addresses_are_kept_and_escaped, setup, teardown),
        cmocka_unit_test_setup_teardown(relative_addresses_stay_in_the_repository, setup, teardown),
        cmocka_unit_test_setup_teardown(images_from_elsewhere_become_links, setup, teardown),
        cmocka_unit_test_setup_teardown(headings_have_anchors_of_their_own_space, setup, teardown),
        cmocka_unit_test_setup_teardown(tables_tasks_and_code, setup, teardown),
        cmocka_unit_test_setup_teardown(depth_and_length_are_bounded, setup, teardown),
        cmocka_unit_test(front_matter_is_not_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
