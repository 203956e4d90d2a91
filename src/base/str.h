/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.h — a borrowed run of bytes, passed by value. Not NUL-terminated, may hold any byte.
 * Whoever stores a str beyond the call copies it (arena_str).
 */
#ifndef BALLAST_STR_H
#define BALLAST_STR_H

#include "base.h"
#include "err.h"

struct str {
    const char *p;
    size_t n;
};

#define STR(lit) ((struct str){(lit), sizeof(lit) - 1})
#define STR_NULL ((struct str){0, 0})
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).n, (s).p

struct str str_of(const char *cstr); /* NULL gives STR_NULL */
static inline struct str str_make(const void *p, size_t n) {
    return (struct str){(const char *)p, n};
}
bool str_eq(struct str a, struct str b);
bool str_eqz(struct str a, const char *b);
bool str_ieq(struct str a, struct str b); /* ASCII case-insensitive */
bool str_ieqz(struct str a, const char *b);
int str_cmp(struct str a, struct str b); /* bytewise, shorter first */
bool str_starts(struct str s, const char *prefix);
bool str_ends(struct str s, const char *suffix);
bool str_iends(struct str s, const char *suffix);
/* Index of the first match or -1. */
ptrdiff_t str_find(struct str s, struct str needle);
ptrdiff_t str_chr(struct str s, char c);
ptrdiff_t str_rchr(struct str s, char c);
struct str str_sub(struct str s, size_t from, size_t n); /* clamped */
struct str str_from(struct str s, size_t from);          /* clamped tail */
struct str str_trim(struct str s);                       /* ASCII space and control */
/* Cut at the first `sep`: returns the head, advances *rest past the separator. False when *rest is used up. */
bool str_split(struct str *rest, char sep, struct str *head);
/* Strict decimal; the whole of `s` must be digits (one '-' for i64). */
bool str_to_u64(struct str s, uint64_t *out);
bool str_to_i64(struct str s, int64_t *out);
bool str_to_double(struct str s, double *out);
bool str_is_utf8(struct str s);
bool str_is_hex(struct str s);   /* lower or upper, non-empty */
uint64_t str_hash(struct str s); /* XXH3-64 */
/* Edits (insert, remove, replace, swap of neighbours) that turn a into b; 99 for texts of 64 bytes or more. For "did
 * you mean". */
unsigned str_distance(struct str a, struct str b);
/* Is `guess` near enough to what was written to be worth suggesting? At most a third of it differs. */
bool str_near(struct str written, struct str guess, unsigned *distance);
#endif
