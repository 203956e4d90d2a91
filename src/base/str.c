/* SPDX-License-Identifier: Apache-2.0 */
/* str.c — borrowed strings. */
#include "base/str.h"

#include <xxhash.h>

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

struct str str_of(const char *z) {
    return z == NULL ? STR_NULL : (struct str){z, strlen(z)};
}

bool str_eq(struct str a, struct str b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
bool str_eqz(struct str a, const char *b) {
    return str_eq(a, str_of(b));
}

bool str_ieq(struct str a, struct str b) {
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i])) return false;
    return true;
}
bool str_ieqz(struct str a, const char *b) {
    return str_ieq(a, str_of(b));
}

int str_cmp(struct str a, struct str b) {
    size_t n = MIN(a.n, b.n);
    int c = n == 0 ? 0 : memcmp(a.p, b.p, n);
    return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, const char *prefix) {
    size_t n = strlen(prefix);
    return s.n >= n && (n == 0 || memcmp(s.p, prefix, n) == 0);
}
bool str_ends(struct str s, const char *suffix) {
    size_t n = strlen(suffix);
    return s.n >= n && (n == 0 || memcmp(s.p + s.n - n, suffix, n) == 0);
}
bool str_iends(struct str s, const char *suffix) {
    size_t n = strlen(suffix);
    return s.n >= n && str_ieq(str_make(s.p + s.n - n, n), str_of(suffix));
}

ptrdiff_t str_find(struct str s, struct str needle) {
    if (needle.n == 0) return 0;
    if (s.n < needle.n) return -1;
    const char *p = memmem(s.p, s.n, needle.p, needle.n);
    return p == NULL ? -1 : p - s.p;
}
ptrdiff_t str_chr(struct str s, char c) {
    const char *p = s.n == 0 ? NULL : memchr(s.p, c, s.n);
    return p == NULL ? -1 : p - s.p;
}
ptrdiff_t str_rchr(struct str s, char c) {
    const char *p = s.n == 0 ? NULL : memrchr(s.p, c, s.n);
    return p == NULL ? -1 : p - s.p;
}

struct str str_sub(struct str s, size_t from, size_t n) {
    if (from > s.n) from = s.n;
    if (s.p == NULL) return STR_NULL; /* NULL + 0 is no pointer arithmetic C17 knows */
    return (struct str){s.p + from, MIN(n, s.n - from)};
}
struct str str_from(struct str s, size_t from) {
    return str_sub(s, from, SIZE_MAX);
}

struct str str_trim(struct str s) {
    while (s.n > 0 && (unsigned char)s.p[0] <= 0x20) s.p++, s.n--;
    while (s.n > 0 && (unsigned char)s.p[s.n - 1] <= 0x20) s.n--;
    return s;
}

bool str_split(struct str *rest, char sep, struct str *head) {
    if (rest->p == NULL) return false;
    ptrdiff_t i = str_chr(*rest, sep);
    if (i < 0) {
        *head = *rest;
        *rest = STR_NULL;
    } else {
        *head = str_sub(*rest, 0, (size_t)i);
        *rest = str_from(*rest, (size_t)i + 1);
    }
    return true;
}

bool str_to_u64(struct str s, uint64_t *out) {
    uint64_t v = 0;
    if (s.n == 0 || s.n > 20) return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v)) return false;
    }
    *out = v;
    return true;
}

bool str_to_i64(struct str s, int64_t *out) {
    bool neg = s.n > 0 && s.p[0] == '-';
    uint64_t v;
    if (!str_to_u64(neg ? str_from(s, 1) : s, &v)) return false;
    if (v > (uint64_t)INT64_MAX + (neg ? 1u : 0u)) return false;
    *out = neg ? (v == (uint64_t)INT64_MAX + 1u ? INT64_MIN : -(int64_t)v) : (int64_t)v;
    return true;
}

bool str_to_double(struct str s, double *out) {
    char tmp[64];
    if (s.n == 0 || s.n >= sizeof tmp) return false;
    memcpy(tmp, s.p, s.n);
    tmp[s.n] = 0;
    char *end;
    *out = strtod(tmp, &end);
    return end == tmp + s.n;
}

bool str_is_utf8(struct str s) {
    const unsigned char *p = (const unsigned char *)s.p, *e = p + s.n;
    while (p < e) {
        unsigned c = *p;
        if (c < 0x80) {
            p++;
            continue;
        }
        unsigned len = c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
        if (len == 0 || (size_t)(e - p) < len) return false;
        for (unsigned i = 1; i < len; i++)
            if ((p[i] & 0xc0) != 0x80) return false;
        if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) || (c == 0xf0 && p[1] < 0x90) ||
            (c == 0xf4 && p[1] > 0x8f))
            return false;
        p += len;
    }
    return true;
}

bool str_is_hex(struct str s) {
    for (size_t i = 0; i < s.n; i++) {
        char c = lower(s.p[i]);
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
    }
    return s.n > 0;
}

uint64_t str_hash(struct str s) {
    return XXH3_64bits(s.n == 0 ? "" : s.p, s.n);
}

unsigned str_distance(struct str a, struct str b) {
    enum { MAX_N = 64 };
    unsigned rows[3][MAX_N];
    if (a.n >= MAX_N || b.n >= MAX_N) return 99;
    unsigned *two = rows[0], *one = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b.n; j++) one[j] = (unsigned)j;
    for (size_t i = 1; i <= a.n; i++) {
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b.n; j++) {
            unsigned d = one[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            d = MIN(d, MIN(one[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1]) d = MIN(d, two[j - 2] + 1);
            now[j] = d;
        }
        unsigned *t = two;
        two = one, one = now, now = t;
    }
    return one[b.n];
}

bool str_near(struct str written, struct str guess, unsigned *distance) {
    *distance = str_distance(written, guess);
    return *distance <= 1 + MAX(written.n, guess.n) / 4 && *distance < MIN(written.n, guess.n);
}
