/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h1_fields.c — header lines of a head, shared by requests and responses.
 *
 * One pass: names through a 256-entry token table, values 16 bytes at a time. The few fields that
 * decide framing are recognised here by length first, so ordinary fields cost no comparison.
 */
#include "http/h1.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* RFC 9110 tchar. */
static const unsigned char token_char[256] = {
    ['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1, ['*'] = 1, ['+'] = 1, ['-'] = 1, ['.'] = 1,
    ['^'] = 1, ['_'] = 1, ['`'] = 1, ['|'] = 1, ['~'] = 1, ['0'] = 1,  ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1,
    ['5'] = 1, ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1, ['A'] = 1,  ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1,
    ['F'] = 1, ['G'] = 1, ['H'] = 1, ['I'] = 1, ['J'] = 1, ['K'] = 1,  ['L'] = 1, ['M'] = 1, ['N'] = 1, ['O'] = 1,
    ['P'] = 1, ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1, ['U'] = 1,  ['V'] = 1, ['W'] = 1, ['X'] = 1, ['Y'] = 1,
    ['Z'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1,  ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1,
    ['j'] = 1, ['k'] = 1, ['l'] = 1, ['m'] = 1, ['n'] = 1, ['o'] = 1,  ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1,
    ['t'] = 1, ['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1, ['y'] = 1,  ['z'] = 1,
};

/* Index of the first byte at or after i that a field value may not contain (control bytes but TAB, DEL). */
static size_t value_end(const char *p, size_t i, size_t n) {
#ifdef __SSE2__
    const __m128i low = _mm_set1_epi8(0x20), tab = _mm_set1_epi8('\t'), del = _mm_set1_epi8(0x7f);
    for (; i + 16 <= n; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        /* unsigned v < 0x20  <=>  max(v, 0x20) != v */
        __m128i is_ok = _mm_or_si128(_mm_cmpeq_epi8(_mm_max_epu8(v, low), v), _mm_cmpeq_epi8(v, tab));
        __m128i bad = _mm_andnot_si128(is_ok, _mm_set1_epi8(-1));
        unsigned m = (unsigned)_mm_movemask_epi8(_mm_or_si128(bad, _mm_cmpeq_epi8(v, del)));
        if (m != 0) return i + (size_t)__builtin_ctz(m);
    }
#endif
    for (; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) return i;
    }
    return n;
}

/* Index of the first byte at or after i that is no token character: letters, digits and '-' 16 at a time, the rest by
 * table. */
static size_t name_end(const char *p, size_t i, size_t n) {
#ifdef __SSE2__
    for (; i + 16 <= n; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i)), l = _mm_or_si128(v, _mm_set1_epi8(0x20));
        __m128i alpha =
            _mm_and_si128(_mm_cmpgt_epi8(l, _mm_set1_epi8('a' - 1)), _mm_cmplt_epi8(l, _mm_set1_epi8('z' + 1)));
        __m128i digit =
            _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('0' - 1)), _mm_cmplt_epi8(v, _mm_set1_epi8('9' + 1)));
        __m128i dash = _mm_cmpeq_epi8(v, _mm_set1_epi8('-'));
        unsigned other = ~(unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(alpha, digit), dash)) & 0xffffu;
        if (other == 0) continue;
        i += (size_t)__builtin_ctz(other);
        break;
    }
#endif
    while (i < n && token_char[(unsigned char)p[i]]) i++;
    return i;
}

static bool length_parse(struct str v, int64_t *out) {
    if (v.n == 0 || v.n > 18) return false;
    int64_t x = 0;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9') return false;
        x = x * 10 + (v.p[i] - '0');
    }
    *out = x;
    return true;
}

static void connection_tokens(struct h1_fields *f, struct str v) {
    struct str tok;
    while (str_split(&v, ',', &tok)) {
        tok = str_trim(tok);
        if (str_ieqz(tok, "close")) f->close = true;
        if (str_ieqz(tok, "keep-alive")) f->keep_alive = true;
    }
}

/* Content_Length and friends reach some back ends as the real thing. */
static bool is_underscore_twin(struct str name) {
    return str_ieqz(name, "content_length") || str_ieqz(name, "transfer_encoding");
}

/* First letters before whole names: ordinary fields of the same length cost one comparison. */
static bool starts_as(struct str name, char lower) {
    return (name.p[0] | 0x20) == lower;
}

static const char *field_known(struct h1_fields *f, struct str name, struct str value) {
    switch (name.n) {
    case 4:
        if (!starts_as(name, 'h') || !str_ieqz(name, "host")) return NULL;
        f->host = value;
        if (f->n_host++ > 0) return "more than one Host header";
        return NULL;
    case 6:
        if (!starts_as(name, 'e') || !str_ieqz(name, "expect")) return NULL;
        if (str_ieqz(value, "100-continue")) f->expect_continue = true;
        else f->expect_bad = true;
        return NULL;
    case 10:
        if (starts_as(name, 'c') && str_ieqz(name, "connection")) connection_tokens(f, value);
        return NULL;
    case 14:
        if (!starts_as(name, 'c')) return NULL;
        if (is_underscore_twin(name)) return "header name with an underscore imitates Content-Length";
        if (!str_ieqz(name, "content-length")) return NULL;
        if (f->n_length++ > 0) return "more than one Content-Length header";
        if (!length_parse(value, &f->content_length)) return "Content-Length is not a plain decimal number";
        return NULL;
    case 17:
        if (!starts_as(name, 't')) return NULL;
        if (is_underscore_twin(name)) return "header name with an underscore imitates Transfer-Encoding";
        if (!str_ieqz(name, "transfer-encoding")) return NULL;
        if (f->n_te++ > 0) return "more than one Transfer-Encoding header";
        f->chunked = str_ieqz(value, "chunked");
        if (!f->chunked) return "Transfer-Encoding other than exactly chunked";
        return NULL;
    default: return NULL;
    }
}

/* One line "name: value CRLF" at *at. */
static enum h1_result field_line(struct h1_fields *f, const char *p, size_t n, size_t *at) {
    size_t i = *at, name_at = i;
    i = name_end(p, i, n);
    if (i == n) return H1_MORE;
    if (p[i] != ':' || i == name_at) {
        unsigned char c = (unsigned char)p[i];
        f->why = i == name_at && (c == ' ' || c == '\t') ? "folded header line"
                 : c == ' ' || c == '\t'                 ? "space before the colon of a header"
                 : c == '\n' || c == '\r'                ? "bare CR or LF, or a header line without a colon"
                                                         : "bad byte in a header name";
        return H1_BAD;
    }
    struct str name = {p + name_at, i - name_at};
    i++;
    while (i < n && (p[i] == ' ' || p[i] == '\t')) i++;
    size_t val_at = i;
    i = value_end(p, i, n);
    if (i == n) return H1_MORE;
    if (p[i] != '\r') {
        f->why = p[i] == '\n' ? "bare LF in a header" : "control byte in a header value";
        return H1_BAD;
    }
    if (i + 1 == n) return H1_MORE;
    if (p[i + 1] != '\n') {
        f->why = "bare CR in a header";
        return H1_BAD;
    }
    size_t end = i;
    while (end > val_at && (p[end - 1] == ' ' || p[end - 1] == '\t')) end--;
    struct str value = {p + val_at, end - val_at};
    if (f->n == HTTP_MAX_HEADERS) {
        f->too_many = true;
        f->why = "more than 64 header lines";
        return H1_BAD;
    }
    f->headers[f->n++] = (struct http_header){name, value};
    f->why = field_known(f, name, value);
    if (f->why != NULL) return H1_BAD;
    *at = i + 2;
    return H1_OK;
}

enum h1_result h1_fields_parse(struct h1_fields *f, const char *p, size_t n, size_t *at) {
    for (;;) {
        if (*at == n) return H1_MORE;
        if (p[*at] == '\r') {
            if (*at + 1 == n) return H1_MORE;
            if (p[*at + 1] != '\n') {
                f->why = "bare CR at the end of the head";
                return H1_BAD;
            }
            *at += 2;
            break;
        }
        enum h1_result r = field_line(f, p, n, at);
        if (r != H1_OK) return r;
    }
    if (f->n_te > 0 && f->n_length > 0) {
        f->why = "both Content-Length and Transfer-Encoding";
        return H1_BAD;
    }
    return H1_OK;
}
