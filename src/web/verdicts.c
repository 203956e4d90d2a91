/* SPDX-License-Identifier: Apache-2.0 */
/* verdicts.c — verdicts as chips: icon, word, coverage (rule 1 of the console: never colour alone). */
#include "web/web_int.h"

struct chip chip_state(enum verdict v) {
    struct chip c = {.verdict = verdict_name(v)};
    switch (v) {
    case VERDICT_PASS: c.word = N_("pass"); break;
    case VERDICT_NOTICE: c.word = N_("notice"); break;
    case VERDICT_REVIEW: c.word = N_("review"); break;
    case VERDICT_BLOCK: c.word = N_("block"); break;
    case VERDICT_PENDING: c.word = N_("pending"); break;
    }
    return c;
}

struct chip chip_of(enum verdict v, enum coverage cov, struct str url) {
    struct chip c = chip_state(v);
    c.url = url;
    if (v == VERDICT_PENDING) return c;
    switch (cov) {
    case COVERAGE_FULL: c.coverage = N_("full"); break;
    case COVERAGE_PARTIAL: c.coverage = N_("partial"); break;
    case COVERAGE_NONE: c.coverage = N_("none examined"); break;
    }
    return c;
}

/* --- reasons ------------------------------------------------------------------------------------- */
struct str web_reason(struct http_req *r, struct str reason) {
    return review_reason(r->arena, r->lang, reason, false);
}
