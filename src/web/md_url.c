/* SPDX-License-Identifier: Apache-2.0 */
/*
 * md_url.c — addresses found in Markdown.
 *
 * 1. Only http, https and mailto, or no scheme at all; an address with control characters is dropped, since
 *    browsers remove some of them before they look for the scheme.
 * 2. Relative addresses stay inside the repository: "." and ".." are resolved here and cannot climb above its top.
 * 3. Fragments get the prefix of our heading ids, so that a card cannot name or reach ids of the page around it.
 */
#include "base/hex.h"
#include "web/markdown.h"

enum { URL_MAX = 4096, MAX_SEGMENTS = 64 };

static bool scheme_ok(struct str scheme) {
    return str_ieqz(scheme, "http") || str_ieqz(scheme, "https") || str_ieqz(scheme, "mailto");
}

/* Position of the colon that ends a scheme, or -1: a colon before any of / ? #. */
static ptrdiff_t scheme_end(struct str url) {
    for (size_t i = 0; i < url.n; i++) {
        if (url.p[i] == ':') return (ptrdiff_t)i;
        if (url.p[i] == '/' || url.p[i] == '?' || url.p[i] == '#') return -1;
    }
    return -1;
}

/* Bytes that may not stand in an address as they are become %XX; existing escapes stay. */
static void put_safe(struct buf *b, struct str s) {
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c >= 0x7F || memchr("\"<>\\^`{|}'", c, 10) != NULL) buf_printf(b, "%%%02X", c);
        else buf_char(b, (char)c);
    }
}

static enum md_url_kind finish(struct arena *a, struct buf *b, enum md_url_kind kind, struct str *out) {
    if (b->failed) kind = MD_URL_DROP;
    *out = kind == MD_URL_DROP ? STR("") : arena_str(a, buf_view(b));
    buf_release(b);
    return kind;
}

/* dir/path with "." and ".." resolved; false when it holds too many segments. */
static bool path_resolve(struct buf *b, struct str dir, struct str path) {
    struct str seg[MAX_SEGMENTS], parts[] = {dir, path};
    size_t n = 0;
    for (size_t k = 0; k < 2; k++) {
        struct str rest = parts[k], s;
        while (rest.n > 0 && str_split(&rest, '/', &s)) {
            if (s.n == 0 || str_eqz(s, ".")) continue;
            if (str_eqz(s, "..") || str_ieqz(s, "%2e%2e") || str_ieqz(s, ".%2e") || str_ieqz(s, "%2e.")) {
                if (n > 0) n--;
                continue;
            }
            if (n == MAX_SEGMENTS) return false;
            seg[n++] = s;
        }
    }
    for (size_t i = 0; i < n; i++) {
        buf_char(b, '/');
        put_safe(b, seg[i]);
    }
    return true;
}

enum md_url_kind md_url(struct arena *a, struct str url, bool image, const struct md_base *base, struct str *out) {
    struct buf b;
    *out = STR("");
    url = str_trim(url);
    if (url.n == 0 || url.n > URL_MAX) return MD_URL_DROP;
    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)url.p[i] < 0x20 || url.p[i] == 0x7F) return MD_URL_DROP;
    buf_init(&b, URL_MAX * 4);
    ptrdiff_t colon = scheme_end(url);
    if (colon >= 0) {
        if (!scheme_ok(str_sub(url, 0, (size_t)colon))) return MD_URL_DROP;
        put_safe(&b, url);
        return finish(a, &b, MD_URL_AWAY, out);
    }
    if (url.p[0] == '#') {
        buf_cstr(&b, "#md-");
        put_safe(&b, str_from(url, 1));
        return finish(a, &b, image ? MD_URL_DROP : MD_URL_HERE, out);
    }
    if (url.n > 1 && (url.p[0] == '/' || url.p[0] == '\\') &&
        (url.p[1] == '/' || url.p[1] == '\\')) { /* //host: another site */
        buf_cstr(&b, "https://");
        put_safe(&b, str_from(url, 2));
        return finish(a, &b, MD_URL_AWAY, out);
    }
    if (url.p[0] == '/') { /* a path of this site; browsers read "\" as "/", so it is escaped */
        put_safe(&b, url);
        return finish(a, &b, MD_URL_HERE, out);
    }
    struct str root = image ? base->image : base->link;
    if (root.n == 0) return MD_URL_DROP;
    size_t end = 0;
    while (end < url.n && url.p[end] != '?' && url.p[end] != '#') end++;
    buf_str(&b, root);
    if (!path_resolve(&b, base->dir, str_sub(url, 0, end))) return finish(a, &b, MD_URL_DROP, out);
    put_safe(&b, str_from(url, end));
    return finish(a, &b, MD_URL_HERE, out);
}
