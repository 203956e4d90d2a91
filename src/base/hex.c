/* SPDX-License-Identifier: Apache-2.0 */
/* hex.c — hexadecimal, base64, percent-encoding. */
#include "base/hex.h"

static const char digits[] = "0123456789abcdef";

void hex_encode(const void *in, size_t n, char *out) {
    const uint8_t *p = in;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = 0;
}

struct str hex_str(struct arena *a, const void *in, size_t n) {
    char *p = arena_alloc(a, 2 * n + 1);
    hex_encode(in, n, p);
    return (struct str){p, 2 * n};
}

static int hex_val(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool hex_decode(struct str s, void *out, size_t n) {
    uint8_t *p = out;
    if (s.n != 2 * n) return false;
    for (size_t i = 0; i < n; i++) {
        int hi = hex_val(s.p[2 * i]), lo = hex_val(s.p[2 * i + 1]);
        if (hi < 0 || lo < 0) return false;
        p[i] = (uint8_t)(hi * 16 + lo);
    }
    return true;
}

static void b64(struct buf *b, const void *in, size_t n, const char *tab, bool pad) {
    const uint8_t *p = in;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = MIN((size_t)3, n - i);
        uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0u);
        char q[4] = {tab[v >> 18], tab[v >> 12 & 63], tab[v >> 6 & 63], tab[v & 63]};
        size_t k = left + 1;
        if (pad)
            for (; k < 4; k++) q[k] = '=';
        buf_add(b, q, k);
    }
}

void base64_encode(struct buf *b, const void *in, size_t n) {
    b64(b, in, n, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
}
void base64url_encode(struct buf *b, const void *in, size_t n) {
    b64(b, in, n, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);
}

static int b64_val(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    if (c == '/' || c == '_') return 63;
    return -1;
}

bool base64_decode(struct buf *b, struct str s) {
    size_t pad = 0;
    while (s.n > 0 && s.p[s.n - 1] == '=' && pad < 2) s.n--, pad++;
    if (s.n % 4 == 1 || (pad > 0 && (s.n + pad) % 4 != 0)) return false;
    if (s.n == 0) return pad == 0; /* nothing decodes to nothing, also into a buffer without memory */
    size_t out = s.n / 4 * 3 + (s.n % 4 == 0 ? 0 : s.n % 4 - 1);
    char *to = buf_room(b, out);
    if (to == NULL) return false;
    size_t w = 0;
    for (size_t i = 0; i < s.n; i += 4) {
        size_t left = MIN((size_t)4, s.n - i);
        uint32_t v = 0;
        for (size_t k = 0; k < 4; k++) {
            int d = k < left ? b64_val(s.p[i + k]) : 0;
            if (d < 0) return false;
            v = v << 6 | (uint32_t)d;
        }
        for (size_t k = 0; k + 1 < left; k++) to[w++] = (char)(uint8_t)(v >> (16 - 8 * k));
    }
    buf_used(b, w);
    return true;
}

bool uri_decode(struct arena *a, struct str s, bool form, struct str *out) {
    if (str_chr(s, '%') < 0 && (!form || str_chr(s, '+') < 0)) {
        *out = s;
        return true;
    }
    char *p = arena_alloc(a, s.n + 1);
    size_t w = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%') {
            if (i + 2 >= s.n) return false;
            int hi = hex_val(s.p[i + 1]), lo = hex_val(s.p[i + 2]);
            if (hi < 0 || lo < 0) return false;
            p[w++] = (char)(uint8_t)(hi * 16 + lo);
            i += 2;
        } else {
            p[w++] = form && s.p[i] == '+' ? ' ' : s.p[i];
        }
    }
    *out = (struct str){p, w};
    return true;
}

void uri_encode(struct buf *b, struct str s, bool keep_slash) {
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '.' || c == '_' || c == '~' || (keep_slash && c == '/');
        if (plain) {
            buf_char(b, (char)c);
        } else {
            char q[3] = {'%', "0123456789ABCDEF"[c >> 4], "0123456789ABCDEF"[c & 15]};
            buf_add(b, q, 3);
        }
    }
}

bool uri_param(struct arena *a, struct str query, const char *name, unsigned nth, struct str *out) {
    struct str rest = query, pair;
    while (str_split(&rest, '&', &pair)) {
        ptrdiff_t eq = str_chr(pair, '=');
        struct str k = eq < 0 ? pair : str_sub(pair, 0, (size_t)eq), kd;
        if (!uri_decode(a, k, true, &kd) || !str_eqz(kd, name)) continue;
        if (nth-- > 0) continue;
        return uri_decode(a, eq < 0 ? STR("") : str_from(pair, (size_t)eq + 1), true, out);
    }
    return false;
}
