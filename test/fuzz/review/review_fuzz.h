/* SPDX-License-Identifier: Apache-2.0 */
/* review_fuzz.h — one examination: the record stays within its bounds, survives its own JSON, and can be judged. */
#ifndef REVIEW_FUZZ_H
#define REVIEW_FUZZ_H

#include "review/rules.h"
#include "review/scan.h"

static inline void fuzz_judge(const struct facts *f) {
    struct arena a;
    struct buf b;
    struct facts *back = calloc(1, sizeof *back);
    struct review_file_result r;
    BUG_ON(!back || f->n > FACTS_MAX);
    arena_init(&a, 32 * MiB);
    buf_init(&b, 512 * KiB);
    facts_json(f, &b);
    BUG_ON(buf_ok(&b, "facts") != OK);
    BUG_ON(facts_from_json(&a, buf_view(&b), back) != OK);
    BUG_ON(back->n != f->n || back->coverage != f->coverage);
    rules_judge(&a, back, &r);
    BUG_ON(r.coverage == COVERAGE_NONE && r.verdict < VERDICT_REVIEW);
    buf_release(&b);
    arena_release(&a);
    free(back);
}
#endif
