/* SPDX-License-Identifier: Apache-2.0 */
/* json_write.c — JSON writer onto a bounded buffer; a bit per depth remembers whether a comma is due. */
#include "base/json.h"

#include <math.h>

void jw_init(struct jw *w, struct buf *b) {
    *w = (struct jw){b, 0, 0};
}

static void sep(struct jw *w) {
    uint64_t bit = (uint64_t)1 << (w->depth & 63);
    if (w->need_comma & bit) buf_char(w->b, ',');
    w->need_comma |= bit;
}

static void open_(struct jw *w, char c) {
    sep(w);
    buf_char(w->b, c);
    BUG_ON(w->depth >= 62);
    w->depth++;
    w->need_comma &= ~((uint64_t)1 << w->depth);
}
static void close_(struct jw *w, char c) {
    BUG_ON(w->depth == 0);
    w->depth--;
    buf_char(w->b, c);
}

void jw_obj(struct jw *w) {
    open_(w, '{');
}
void jw_obj_end(struct jw *w) {
    close_(w, '}');
}
void jw_arr(struct jw *w) {
    open_(w, '[');
}
void jw_arr_end(struct jw *w) {
    close_(w, ']');
}

void jw_keys(struct jw *w, struct str key) {
    sep(w);
    json_escape(w->b, key);
    buf_char(w->b, ':');
    w->need_comma &= ~((uint64_t)1 << (w->depth & 63));
}
void jw_key(struct jw *w, const char *key) {
    jw_keys(w, str_of(key));
}

void jw_str(struct jw *w, struct str s) {
    sep(w);
    json_escape(w->b, s);
}
void jw_cstr(struct jw *w, const char *z) {
    if (z == NULL) jw_null(w);
    else jw_str(w, str_of(z));
}
void jw_i64(struct jw *w, int64_t v) {
    sep(w);
    buf_printf(w->b, "%" PRId64, v);
}
void jw_u64(struct jw *w, uint64_t v) {
    sep(w);
    buf_printf(w->b, "%" PRIu64, v);
}
void jw_double(struct jw *w, double v) {
    sep(w);
    if (isfinite(v)) buf_printf(w->b, "%.17g", v);
    else buf_cstr(w->b, "null");
}
void jw_bool(struct jw *w, bool v) {
    sep(w);
    buf_cstr(w->b, v ? "true" : "false");
}
void jw_null(struct jw *w) {
    sep(w);
    buf_cstr(w->b, "null");
}
void jw_raw(struct jw *w, struct str json) {
    sep(w);
    buf_str(w->b, json);
}

void jw_kstr(struct jw *w, const char *key, struct str s) {
    jw_key(w, key);
    jw_str(w, s);
}
void jw_kcstr(struct jw *w, const char *key, const char *z) {
    jw_key(w, key);
    jw_cstr(w, z);
}
void jw_ki64(struct jw *w, const char *key, int64_t v) {
    jw_key(w, key);
    jw_i64(w, v);
}
void jw_kbool(struct jw *w, const char *key, bool v) {
    jw_key(w, key);
    jw_bool(w, v);
}

/* Length of the valid UTF-8 sequence at p, 0 when there is none. */
static size_t utf8_len(const char *p, size_t n) {
    for (size_t k = 2; k <= 4 && k <= n; k++)
        if (str_is_utf8(str_make(p, k))) return k;
    return 0;
}

void json_escape(struct buf *b, struct str s) {
    buf_char(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
            i++;
            continue;
        }
        size_t k = c >= 0x80 ? utf8_len(s.p + i, s.n - i) : 0;
        if (k > 0) {
            i += k;
            continue;
        }
        buf_add(b, s.p + from, i - from);
        static const char esc[] = "\"\\\b\f\n\r\t", as[] = "\"\\bfnrt";
        const char *e = c == 0 ? NULL : memchr(esc, c, sizeof esc - 1);
        if (c >= 0x80) buf_cstr(b, "\xef\xbf\xbd");
        else if (e != NULL) buf_char(b, '\\'), buf_char(b, as[e - esc]);
        else buf_printf(b, "\\u%04x", (unsigned)c);
        from = ++i;
    }
    if (from < s.n) buf_add(b, s.p + from, s.n - from);
    buf_char(b, '"');
}
