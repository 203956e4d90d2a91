/* SPDX-License-Identifier: Apache-2.0 */
/*
 * markdown_fuzz.c — whatever a card says, the markup holds only elements and attributes of the list, and no address
 * with a scheme that runs code. The check reads the output by itself, it shares no code with the renderer.
 */
#include "web/markdown.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const tags[] = {"p",  "em", "strong",     "code", "del", "a",     "img",   "pre",   "ul",
                                   "ol", "li", "blockquote", "hr",   "br",  "table", "thead", "tbody", "tr",
                                   "th", "td", "div",        "h2",   "h3",  "h4",    "h5",    "h6"};
static const char *const attrs[] = {"href", "rel",   "src",      "alt",  "loading",   "class",
                                    "id",   "start", "tabindex", "role", "aria-label"};

static bool one_of(struct str s, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (str_eqz(s, list[i])) return true;
    return false;
}

static void check_url(struct str v) {
    bool ok = str_starts(v, "/") || str_starts(v, "#md-") || str_starts(v, "http://") || str_starts(v, "https://") ||
              str_starts(v, "mailto:");
    if (!ok) { /* schemes are compared without case */
        struct str head = str_sub(v, 0, 8);
        ok = str_ieq(str_sub(head, 0, 7), STR("http://")) || str_ieq(head, STR("https://")) ||
             str_ieq(str_sub(head, 0, 7), STR("mailto:")) || str_ieq(str_sub(head, 0, 5), STR("http:")) ||
             str_ieq(str_sub(head, 0, 6), STR("https:"));
    }
    BUG_ON(!ok);
    BUG_ON(str_starts(v, "//") || str_starts(v, "/\\"));
    for (size_t i = 0; i < v.n; i++) BUG_ON((unsigned char)v.p[i] <= 0x20);
}

static void check_tag(struct str tag) {
    if (str_starts(tag, "/")) tag = str_from(tag, 1);
    size_t n = 0;
    while (n < tag.n && tag.p[n] != ' ') n++;
    BUG_ON(!one_of(str_sub(tag, 0, n), tags, ARRAY_LEN(tags)));
    while (n < tag.n) {
        BUG_ON(tag.p[n] != ' ');
        size_t from = ++n;
        while (n < tag.n && tag.p[n] != '=') n++;
        struct str name = str_sub(tag, from, n - from);
        BUG_ON(!one_of(name, attrs, ARRAY_LEN(attrs)));
        BUG_ON(n + 1 >= tag.n || tag.p[n + 1] != '"');
        n += 2;
        from = n;
        while (n < tag.n && tag.p[n] != '"') n++;
        BUG_ON(n == tag.n);
        if (str_eqz(name, "href") || str_eqz(name, "src")) check_url(str_sub(tag, from, n - from));
        n++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct md_base base = {.link = {"/amy/m/blob/main", 16},
                                        .image = {"/amy/m/resolve/main", 19},
                                        .dir = {"docs", 4},
                                        .table_label = "Table",
                                        .image_label = "image"};
    struct arena a;
    bool cut;
    if (size > 64 * KiB) return 0;
    arena_init(&a, 64 * MiB);
    struct html h = md_render(&a, md_body(str_make(data, size)), &base, &cut);
    struct str s = str_make(h.p, h.n);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '<') continue;
        size_t end = i + 1;
        while (end < s.n && s.p[end] != '>') end++;
        BUG_ON(end == s.n);
        check_tag(str_sub(s, i + 1, end - i - 1));
        i = end;
    }
    arena_release(&a);
    return 0;
}
