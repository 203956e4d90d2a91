/* SPDX-License-Identifier: Apache-2.0 */
/* range_set.h — byte ranges as text: what a URL allows, and what a Range header asks. Pure. */
#ifndef BALLAST_XET_RANGE_SET_H
#define BALLAST_XET_RANGE_SET_H

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"

enum { RANGE_SET_MAX = 256 };
struct byte_range {
    uint64_t start, end; /* end exclusive */
};
struct range_set {
    unsigned n;
    struct byte_range r[RANGE_SET_MAX];
};
/* "0-99,200-299": inclusive ends, ascending, not overlapping. False otherwise. */
bool range_set_parse(struct str text, struct range_set *out);
/*
 * A Range header value. "a-" runs to the end of the allowed range that holds a. E_BAD_REQUEST when
 * malformed or too many; E_FORBIDDEN when a range is not within one allowed range, or when together they
 * ask for more bytes than are allowed (repetition).
 */
must_check err range_set_ask(struct str header, const struct range_set *allowed, struct range_set *out);
#endif
