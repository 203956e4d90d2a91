/* SPDX-License-Identifier: Apache-2.0 */
/*
 * said.c — texts that were stored in English (why an engine ended) in the reader's language: the catalogue's row whose
 * format could have made the text is found again, and its values are put into the translation.
 *
 * What fits no row, or needs more than MAX_VALUES values, is shown as it was stored.
 */
#include "web/web_int.h"

enum { MAX_VALUES = 6, SAID_MAX = 16 * 1024 };

/* Length of the conversion at z ("%d", "%ld", "%.*s", "%zu"); 0 for anything else, "%%" too. */
static size_t conversion(const char *z) {
    if (z[0] != '%' || z[1] == '%') return 0;
    size_t n = 1 + strspn(z + 1, "0123456789.*-+ #lhzjt");
    return z[n] != '\0' ? n + 1 : 0;
}

/* One literal byte of a format, "%%" being one. */
static size_t literal(const char *z, char *c) {
    *c = z[0];
    return z[0] == '%' && z[1] == '%' ? 2 : 1;
}

static bool fits(const char *format, struct str text, struct str *values, size_t *n) {
    size_t at = 0;
    *n = 0;
    while (*format != '\0') {
        size_t len = conversion(format), to = at;
        char c;
        if (len == 0) {
            format += literal(format, &c);
            if (at >= text.n || text.p[at++] != c) return false;
            continue;
        }
        format += len;
        /* the value ends where the literal run behind it begins */
        size_t run = 0;
        while (format[run] != '\0' && format[run] != '%') run++;
        if (run == 0 && *format == '\0') to = text.n;
        else
            while (to < text.n && !str_eq(str_sub(text, to, run), str_make(format, run))) to++;
        if (*n == MAX_VALUES || run + to > text.n) return false;
        values[(*n)++] = str_sub(text, at, to - at);
        at = to;
    }
    return at == text.n;
}

static struct str put_values(struct arena *a, const char *format, const struct str *values, size_t n) {
    struct buf b cleanup(buf_release);
    buf_init(&b, SAID_MAX);
    for (size_t k = 0; *format != '\0';) {
        size_t len = conversion(format);
        char c;
        if (len > 0 && k < n) buf_str(&b, values[k++]);
        if (len == 0) len = literal(format, &c), buf_char(&b, c);
        format += len;
    }
    return b.failed ? STR("") : arena_str(a, buf_view(&b));
}

static bool retell(struct arena *a, enum lang lang, struct str text, struct str *said) {
    struct str values[MAX_VALUES];
    size_t n;
    for (size_t i = 0; i < i18n_table_len; i++) {
        const char *id = i18n_table[i].id;
        if (id[0] != text.p[0] || !fits(id, text, values, &n)) continue; /* beginning with a value says too little */
        *said = put_values(a, i18n(lang, id), values, n);
        return said->n > 0;
    }
    return false;
}

/* "SENTENCE: what a program wrote": the sentence is told, the program's own words stay. */
struct str web_said(struct arena *a, enum lang lang, struct str text) {
    struct str said;
    if (lang == LANG_EN || text.n == 0) return text;
    if (retell(a, lang, text, &said)) return said;
    for (size_t at = 1; at + 2 < text.n; at++)
        if (text.p[at] == ':' && text.p[at + 1] == ' ' && retell(a, lang, str_sub(text, 0, at), &said))
            return arena_printf(a, STR_FMT "：" STR_FMT, STR_ARG(said), STR_ARG(str_from(text, at + 2)));
    return text;
}
