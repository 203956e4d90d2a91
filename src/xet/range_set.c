/* SPDX-License-Identifier: Apache-2.0 */
/* range_set.c — see range_set.h. */
#include "xet/range_set.h"

/* "a-b" or "a-" (then *open). */
static bool one_parse(struct str s, uint64_t *a, uint64_t *b, bool *open) {
    ptrdiff_t dash = str_chr(s, '-');
    if (dash <= 0) return false;
    struct str tail = str_from(s, (size_t)dash + 1);
    *open = tail.n == 0;
    if (!str_to_u64(str_sub(s, 0, (size_t)dash), a)) return false;
    return *open || (str_to_u64(tail, b) && *b >= *a && *b < UINT64_MAX);
}

bool range_set_parse(struct str text, struct range_set *out) {
    struct str item;
    out->n = 0;
    while (str_split(&text, ',', &item)) {
        uint64_t a, b;
        bool open;
        if (out->n == RANGE_SET_MAX || !one_parse(item, &a, &b, &open) || open) return false;
        if (out->n > 0 && a < out->r[out->n - 1].end) return false;
        out->r[out->n++] = (struct byte_range){a, b + 1};
    }
    return out->n > 0;
}

static const struct byte_range *holder(const struct range_set *allowed, uint64_t at) {
    for (unsigned i = 0; i < allowed->n; i++)
        if (at >= allowed->r[i].start && at < allowed->r[i].end) return &allowed->r[i];
    return NULL;
}

static uint64_t total(const struct range_set *s) {
    uint64_t n = 0;
    for (unsigned i = 0; i < s->n; i++) n += s->r[i].end - s->r[i].start;
    return n;
}

err range_set_ask(struct str header, const struct range_set *allowed, struct range_set *out) {
    struct str rest = header, item;
    out->n = 0;
    if (header.n < 6 || !str_ieq(str_sub(header, 0, 6), STR("bytes=")))
        return err_fail(E_BAD_REQUEST, "the Range header must read bytes=FIRST-LAST");
    rest = str_from(rest, 6);
    while (str_split(&rest, ',', &item)) {
        uint64_t a, b = 0;
        bool open;
        if (!one_parse(str_trim(item), &a, &b, &open))
            return err_fail(E_BAD_REQUEST, "the Range header must read bytes=FIRST-LAST");
        if (out->n == RANGE_SET_MAX)
            return err_fail(E_BAD_REQUEST, "at most %d ranges may be asked for at once", (int)RANGE_SET_MAX);
        const struct byte_range *h = holder(allowed, a);
        if (h == NULL || (!open && b >= h->end))
            return err_fail(E_FORBIDDEN, "this URL does not allow the range asked for; ask for a new reconstruction");
        out->r[out->n++] = (struct byte_range){a, open ? h->end : b + 1};
    }
    if (out->n == 0) return err_fail(E_BAD_REQUEST, "the Range header must read bytes=FIRST-LAST");
    return total(out) <= total(allowed)
               ? OK
               : err_fail(E_FORBIDDEN, "the ranges asked for overlap; this URL does not allow that");
}
