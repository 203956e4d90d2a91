/* SPDX-License-Identifier: Apache-2.0 */
/* tmpl.c — escaping, values and text of page templates. Numbers and times: tmpl_format.c. */
#include "web/tmpl.h"

#include "base/hex.h"
#include "web/asset.h"

void tmpl_lit(struct tmpl *t, const char *p, size_t n) {
    buf_add(t->b, p, n);
}

/* Invalid UTF-8 is passed through: the page says it is UTF-8 and browsers draw U+FFFD; no byte >= 0x80 is markup. */
void tmpl_esc(struct tmpl *t, const char *p, size_t n) {
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        const char *with;
        switch (p[i]) {
        case '&': with = "&amp;"; break;
        case '<': with = "&lt;"; break;
        case '>': with = "&gt;"; break;
        case '"': with = "&quot;"; break;
        case '\'': with = "&#39;"; break;
        case '\0': with = "\xEF\xBF\xBD"; break;
        default: continue;
        }
        buf_add(t->b, p + from, i - from);
        buf_cstr(t->b, with);
        from = i + 1;
    }
    buf_add(t->b, p + from, n - from);
}

/* --- what cannot be seen ---------------------------------------------------------------------------- */
/* The code point at p (1 to 4 bytes, *len of them); 0 for bytes that are no UTF-8. */
static uint32_t code_point(const char *p, size_t n, size_t *len) {
    const unsigned char *u = (const unsigned char *)p;
    *len = u[0] < 0x80 ? 1 : u[0] >= 0xF0 ? 4 : u[0] >= 0xE0 ? 3 : 2;
    if (*len > n) {
        *len = 1;
        return 0;
    }
    uint32_t c = u[0];
    if (*len > 1) c &= 0x7Fu >> *len;
    for (size_t i = 1; i < *len; i++) c = c << 6 | (u[i] & 0x3F);
    return c;
}

static bool reorders(uint32_t c) {
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}
/* Zero width, marks of direction, soft hyphen, byte order mark, tags, controls. */
static bool unseen(uint32_t c) {
    return reorders(c) || (c != 0 && c < 0x20) || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C ||
           (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || (c >= 0x2060 && c <= 0x2064) || c == 0xFEFF ||
           (c >= 0xE0000 && c <= 0xE007F);
}

static void say_where(struct tmpl *t, const char *p, size_t n, bool (*hidden)(uint32_t)) {
    size_t from = 0, len;
    for (size_t i = 0; i < n; i += len) {
        uint32_t c = code_point(p + i, n - i, &len);
        if (!hidden(c)) continue;
        tmpl_esc(t, p + from, i - from);
        buf_printf(t->b, "[U+%04X]", (unsigned)c);
        from = i + len;
    }
    tmpl_esc(t, p + from, n - from);
}

void tmpl_say(struct tmpl *t, const char *p, size_t n) {
    say_where(t, p, n, reorders);
}
void tmpl_f_name(struct tmpl *t, struct str s) {
    say_where(t, s.p, s.n, unseen);
}
void tmpl_show_str(struct tmpl *t, struct str s) {
    tmpl_say(t, s.p, s.n);
}
void tmpl_show_cstr(struct tmpl *t, const char *z) {
    tmpl_show_str(t, str_of(z));
}

void tmpl_asset(struct tmpl *t, const char *name) {
    buf_cstr(t->b, asset_get(name)->url);
}

void tmpl_put_str(struct tmpl *t, struct str s) {
    tmpl_esc(t, s.p, s.n);
}
void tmpl_put_cstr(struct tmpl *t, const char *z) {
    tmpl_put_str(t, str_of(z));
}
void tmpl_put_html(struct tmpl *t, struct html h) {
    buf_add(t->b, h.p, h.n);
}
void tmpl_put_i64(struct tmpl *t, int64_t v) {
    buf_printf(t->b, "%" PRId64, v);
}
void tmpl_put_u64(struct tmpl *t, uint64_t v) {
    buf_printf(t->b, "%" PRIu64, v);
}
void tmpl_put_double(struct tmpl *t, double v) {
    buf_printf(t->b, "%.1f", v);
}

bool tmpl_true_str(struct str s) {
    return s.n > 0;
}
bool tmpl_true_html(struct html h) {
    return h.n > 0;
}
bool tmpl_true_cstr(const char *z) {
    return z != NULL && z[0] != '\0';
}
bool tmpl_true_i64(int64_t v) {
    return v != 0;
}
bool tmpl_eq_str(struct str s, const char *z) {
    return str_eqz(s, z);
}
bool tmpl_eq_cstr(const char *s, const char *z) {
    return s != NULL && strcmp(s, z) == 0;
}

void tmpl_f_short(struct tmpl *t, struct str oid) {
    tmpl_put_str(t, str_sub(oid, 0, 8));
}
void tmpl_f_uri(struct tmpl *t, struct str s) {
    uri_encode(t->b, s, false);
}
void tmpl_f_uripath(struct tmpl *t, struct str s) {
    uri_encode(t->b, s, true);
}
void tmpl_f_t(struct tmpl *t, const char *msgid) {
    if (msgid != NULL) tmpl_text(t, msgid, NULL, 0);
}

static const struct tmpl_arg *arg_find(const struct tmpl_arg *args, size_t n, struct str name) {
    for (size_t i = 0; i < n; i++)
        if (str_eqz(name, args[i].name)) return &args[i];
    return NULL;
}

/* {name} becomes the value; braces around anything else stay text. */
static void text_fill(struct tmpl *t, struct str s, const struct tmpl_arg *args, size_t n) {
    while (s.n > 0) {
        ptrdiff_t open = str_chr(s, '{');
        if (open < 0) break;
        struct str rest = str_from(s, (size_t)open + 1);
        ptrdiff_t close = str_chr(rest, '}');
        const struct tmpl_arg *arg = close < 0 ? NULL : arg_find(args, n, str_sub(rest, 0, (size_t)close));
        if (arg == NULL) {
            tmpl_esc(t, s.p, (size_t)open + 1);
            s = rest;
            continue;
        }
        tmpl_esc(t, s.p, (size_t)open);
        tmpl_put_html(t, arg->value);
        s = str_from(rest, (size_t)close + 1);
    }
    tmpl_put_str(t, s);
}

void tmpl_text(struct tmpl *t, const char *msgid, const struct tmpl_arg *args, size_t n) {
    text_fill(t, str_of(i18n(t->lang, msgid)), args, n);
}

void tmpl_count(struct tmpl *t, int64_t count, const char *one, const char *many, const struct tmpl_arg *args,
                size_t n) {
    struct tmpl_arg all[12];
    BUG_ON(n + 1 > ARRAY_LEN(all));
    size_t mark = tmpl_mark(t);
    tmpl_f_num(t, count);
    all[0] = (struct tmpl_arg){"n", tmpl_cut(t, mark)};
    for (size_t i = 0; i < n; i++) all[i + 1] = args[i];
    tmpl_text(t, t->lang == LANG_EN && count == 1 ? one : many, all, n + 1);
}

size_t tmpl_mark(struct tmpl *t) {
    return t->b->n;
}

struct html tmpl_cut(struct tmpl *t, size_t mark) {
    if (t->b->failed || mark > t->b->n) return (struct html){"", 0};
    struct str s = arena_str(t->a, str_make(t->b->p + mark, t->b->n - mark));
    t->b->n = mark;
    return (struct html){s.p, s.n};
}
