/* SPDX-License-Identifier: Apache-2.0 */
/*
 * range.c — the Range header against a known size (RFC 9110 §14.2, single ranges).
 *
 * Syntactically bad, other units and several ranges: the whole representation is served, as the
 * RFC allows; clients that asked for several ranges must cope with a 200.
 */
#include "http/conn.h"

/* Pure part, also used by tests. */
enum range_kind http_range_parse(struct str v, uint64_t size, uint64_t *start, uint64_t *len) {
    *start = 0;
    *len = size;
    if (v.n < 7 || !str_ieq(str_sub(v, 0, 6), STR("bytes="))) return RANGE_NONE;
    v = str_trim(str_from(v, 6));
    ptrdiff_t dash = str_chr(v, '-');
    if (dash < 0) return RANGE_NONE;
    struct str a = str_sub(v, 0, (size_t)dash), b = str_from(v, (size_t)dash + 1);
    uint64_t from = 0, to = 0;
    if ((a.n > 0 && !str_to_u64(a, &from)) || (b.n > 0 && !str_to_u64(b, &to)) || (a.n == 0 && b.n == 0))
        return RANGE_NONE;
    if (a.n == 0) { /* the last `to` bytes */
        if (to == 0 || size == 0) return RANGE_UNSATISFIABLE;
        *len = MIN(to, size);
        *start = size - *len;
        return RANGE_OK;
    }
    if (b.n > 0 && to < from) return RANGE_NONE;
    if (from >= size) return RANGE_UNSATISFIABLE;
    if (b.n == 0 || to >= size) to = size - 1;
    *start = from;
    *len = to - from + 1;
    return RANGE_OK;
}

err http_range(struct http_req *r, uint64_t size, uint64_t *start, uint64_t *len, bool *partial) {
    *partial = false;
    enum range_kind k = http_range_parse(http_header(r, "range"), size, start, len);
    if (k == RANGE_NONE) return OK;
    if (k == RANGE_OK) {
        *partial = true;
        return OK;
    }
    http_setf(r, "Content-Range", "bytes */%" PRIu64, size);
    return err_fail(E_RANGE, "the range asked for lies outside the %" PRIu64 " bytes of the file", size);
}
