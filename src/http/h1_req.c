/* SPDX-License-Identifier: Apache-2.0 */
/* h1_req.c — request line and request framing rules (h1.h rules 4, 5, 6, 8). */
#include "http/h1.h"

static enum h1_result bad(struct h1_req *r, int status, const char *why) {
    r->status = status;
    r->why = why;
    return H1_BAD;
}

static const struct {
    struct str name;
    enum http_method m;
} method_table[] = {
    {{"GET", 3}, HTTP_GET},       {{"POST", 4}, HTTP_POST},   {{"PUT", 3}, HTTP_PUT},         {{"HEAD", 4}, HTTP_HEAD},
    {{"DELETE", 6}, HTTP_DELETE}, {{"PATCH", 5}, HTTP_PATCH}, {{"OPTIONS", 7}, HTTP_OPTIONS},
};

const char *h1_method_name(enum http_method m) {
    for (size_t i = 0; i < ARRAY_LEN(method_table); i++)
        if (method_table[i].m == m) return method_table[i].name.p;
    return "-";
}

/* Method and the space behind it; *at ends behind the space. */
static enum h1_result method_parse(struct h1_req *r, const char *p, size_t n, size_t *at) {
    size_t i = 0;
    while (i < n && i < 16 && p[i] >= 'A' && p[i] <= 'Z') i++;
    if (i == n) return H1_MORE;
    if (p[i] != ' ' || i == 0) return bad(r, 400, "the request does not begin with a method in capital letters");
    struct str name = {p, i};
    *at = i + 1;
    for (size_t k = 0; k < ARRAY_LEN(method_table); k++) {
        if (str_eq(name, method_table[k].name)) {
            r->method = method_table[k].m;
            return H1_OK;
        }
    }
    return bad(r, 501, "method not known here");
}

static int hex_val(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "." or ".." with any of the dots spelled %2e. */
static bool is_dot_segment(struct str s) {
    unsigned dots = 0;
    for (size_t i = 0; i < s.n; dots++) {
        if (s.p[i] == '.') i++;
        else if (s.n - i >= 3 && s.p[i] == '%' && s.p[i + 1] == '2' && (s.p[i + 2] | 0x20) == 'e') i += 3;
        else return false;
        if (dots == 2) return false;
    }
    return dots == 1 || dots == 2;
}

static const char *path_check(struct str path) {
    const char *at = path.n > 0 ? memchr(path.p, '%', path.n) : NULL;
    for (size_t i = at != NULL ? (size_t)(at - path.p) : path.n; i < path.n; i++) {
        if (path.p[i] != '%') continue;
        if (path.n - i < 3) return "bad percent escape in the path";
        int hi = hex_val(path.p[i + 1]), lo = hex_val(path.p[i + 2]);
        if (hi < 0 || lo < 0) return "bad percent escape in the path";
        if (hi == 0 && lo == 0) return "NUL in the path";
        i += 2;
    }
    struct str rest = str_from(path, 1), seg;
    /* Most segments begin with neither '.' nor '%'. */
    while (str_split(&rest, '/', &seg))
        if (seg.n > 0 && (seg.p[0] == '.' || seg.p[0] == '%') && is_dot_segment(seg)) return "dot segment in the path";
    return NULL;
}

bool h1_host_ok(struct str h) {
    if (h.n == 0 || h.n > 255) return false;
    size_t i = 0;
    if (h.p[0] == '[') {
        for (i = 1; i < h.n && (hex_val(h.p[i]) >= 0 || h.p[i] == ':' || h.p[i] == '.'); i++) {}
        if (i == h.n || i == 1 || h.p[i] != ']') return false;
        i++;
    } else {
        for (; i < h.n && h.p[i] != ':'; i++) {
            char c = h.p[i], l = (char)(c | 0x20);
            if (!((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_')) return false;
        }
        if (i == 0) return false;
    }
    if (i == h.n) return true;
    uint64_t port;
    return h.p[i] == ':' && h.n - i <= 6 && str_to_u64(str_from(h, i + 1), &port) && port > 0 && port < 65536;
}

/* Split the target into path and query; absolute-form leaves its authority in *authority. */
static enum h1_result target_split(struct h1_req *r, struct str *authority) {
    struct str t = r->target;
    *authority = STR_NULL;
    if (t.p[0] == '*') {
        if (t.n != 1 || r->method != HTTP_OPTIONS) return bad(r, 400, "target * is for OPTIONS only");
        r->path = t;
        r->query = STR_NULL;
        return H1_OK;
    }
    if (t.p[0] != '/') {
        struct str low = str_sub(t, 0, 8);
        size_t skip = low.n >= 7 && str_ieq(str_sub(low, 0, 7), STR("http://")) ? 7
                      : str_ieq(low, STR("https://"))                           ? 8
                                                                                : 0;
        if (skip == 0) return bad(r, 400, "the target is neither a path nor an absolute URL");
        struct str rest = str_from(t, skip);
        ptrdiff_t slash = str_chr(rest, '/');
        if (slash <= 0) return bad(r, 400, "absolute target without a path");
        *authority = str_sub(rest, 0, (size_t)slash);
        t = str_from(rest, (size_t)slash);
    }
    ptrdiff_t q = str_chr(t, '?');
    r->path = q < 0 ? t : str_sub(t, 0, (size_t)q);
    r->query = q < 0 ? STR_NULL : str_from(t, (size_t)q + 1);
    const char *why = path_check(r->path);
    return why == NULL ? H1_OK : bad(r, 400, why);
}

/* Request line up to and including its CRLF. */
static enum h1_result line_parse(struct h1_req *r, const char *p, size_t n, size_t *at, struct str *authority) {
    enum h1_result res = method_parse(r, p, n, at);
    if (res != H1_OK) return res;
    size_t i = *at, t = i;
    while (i < n && (unsigned char)p[i] > 0x20 && (unsigned char)p[i] < 0x7f && p[i] != '#') i++;
    if (i > H1_LINE_MAX) return bad(r, 414, "the request line is longer than 8 KiB");
    if (i == n) return H1_MORE;
    if (p[i] != ' ' || i == t) return bad(r, 400, "bad byte in the request target");
    r->target = (struct str){p + t, i - t};
    static const char version[] = "HTTP/1.";
    size_t v = i + 1;
    for (size_t k = 0; k < sizeof version - 1; k++) {
        if (v + k == n) return H1_MORE;
        if (p[v + k] == version[k]) continue;
        bool other = k == 5 && p[v + k] >= '0' && p[v + k] <= '9';
        return bad(r, other ? 505 : 400, other ? "HTTP version not supported" : "bad HTTP version in the request line");
    }
    v += sizeof version - 1;
    if (v + 3 > n) return H1_MORE;
    if (p[v] != '0' && p[v] != '1') return bad(r, 505, "HTTP version not supported");
    if (p[v + 1] != '\r' || p[v + 2] != '\n') return bad(r, 400, "the request line does not end in CRLF");
    r->minor = (unsigned)(p[v] - '0');
    *at = v + 3;
    return target_split(r, authority);
}

static enum h1_result framing(struct h1_req *r, const struct h1_fields *f, struct str authority) {
    if (f->n_host == 0 && r->minor == 1) return bad(r, 400, "no Host header");
    if (f->n_host == 1 && !h1_host_ok(f->host)) return bad(r, 400, "bad Host header");
    if (authority.p != NULL && (f->n_host == 0 || !str_ieq(authority, f->host)))
        return bad(r, 400, "the absolute target names another host than the Host header");
    if (f->n_te > 0 && r->minor == 0) return bad(r, 400, "Transfer-Encoding in HTTP/1.0");
    if (f->expect_bad) return bad(r, 417, "unknown expectation");
    r->host = f->host;
    r->content_length = f->n_te > 0 ? -1 : f->content_length;
    r->has_body = r->content_length != 0;
    r->keep_alive = r->minor == 1 ? !f->close : f->keep_alive && !f->close;
    r->expect_continue = f->expect_continue && r->minor == 1 && r->has_body;
    return H1_OK;
}

enum h1_result h1_req_parse(struct h1_req *r, const char *p, size_t n) {
    size_t at = 0;
    struct str authority = STR_NULL;
    enum h1_result res = line_parse(r, p, n, &at, &authority);
    if (res == H1_MORE && n > H1_LINE_MAX) return bad(r, 414, "the request line is longer than 8 KiB");
    if (res != H1_OK) return res;
    struct h1_fields f = {.headers = r->headers};
    res = h1_fields_parse(&f, p, n, &at);
    r->n_headers = f.n;
    if (res == H1_BAD) return bad(r, f.too_many ? 431 : 400, f.why);
    if (res == H1_MORE && n >= H1_HEAD_MAX) return bad(r, 431, "the request head is larger than 32 KiB");
    if (res == H1_MORE) return res;
    if (at > H1_HEAD_MAX) return bad(r, 431, "the request head is larger than 32 KiB");
    r->head_len = at;
    return framing(r, &f, authority);
}
