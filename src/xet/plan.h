/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h — which chunk ranges of which xorbs rebuild a range of a file. Pure, but for the chunk index of
 * the first and last xorb, which the caller supplies.
 *
 * Rules clients rely on: only the first and last term are trimmed, to whole chunks; `skip` bytes of the
 * first term are to be dropped; per xorb the fetch ranges are sorted and neither overlap nor touch, so
 * every term lies inside one of them.
 */
#ifndef BALLAST_XET_PLAN_H
#define BALLAST_XET_PLAN_H

#include "xet/xorb_file.h"

struct fetch {
    struct xet_hash xorb;
    uint32_t first, end;
    uint32_t phys_start, phys_end;
};
struct plan {
    struct term *terms; /* borrowed from the file, trimmed in place */
    uint32_t n_terms;
    uint64_t skip;
    struct fetch *fetch; /* malloc'd, grouped by xorb */
    uint32_t n_fetch;
};
/* [work] Plan bytes [off, off + len), len > 0, within f->size. Trims f's terms. */
must_check err plan_make(struct xet *x, struct xfile *f, uint64_t off, uint64_t len, struct plan *out);
void plan_release(struct plan *p);

/* The terms that overlap the range, and where the first begins in the file. False when the terms are too short. */
bool plan_select(const struct xfile *f, uint64_t off, uint64_t len, uint32_t *first, uint32_t *n, uint64_t *start);
/* Trim one term to the chunks that overlap [from, to) of its own raw bytes. Returns the raw bytes cut off in front. */
uint32_t plan_trim(struct term *t, const struct xorb *xo, uint32_t from, uint32_t to);
/* fetch[] from terms, merged. */
must_check err plan_merge(struct plan *p);
#endif
