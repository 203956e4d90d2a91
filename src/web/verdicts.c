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
/* "pickle.call.exec", "not_examined": what a rule's id looks like (and some file names, so two in a row mean a path
 * first). */
static bool is_rule(struct str s) {
    bool mark = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        mark = mark || c == '.' || c == '_';
        if (!letter && c != '.' && c != '_' && c != '-') return false;
    }
    return mark && s.n < 80;
}

static bool cut_at(struct str s, struct str *head, struct str *rest) {
    ptrdiff_t at = str_find(s, STR(": "));
    if (at < 0) return false;
    *head = str_sub(s, 0, (size_t)at);
    *rest = str_from(s, (size_t)at + 2);
    return true;
}

struct str web_reason(struct http_req *r, struct str reason) {
    struct str path = STR(""), rule, rest, next, after;
    if (!cut_at(reason, &rule, &rest)) return reason;
    if (cut_at(rest, &next, &after) && is_rule(next)) path = rule, rule = next, rest = after;
    if (!is_rule(rule)) return reason;
    struct str where = STR("");
    ptrdiff_t open = str_ends(rest, ")") ? str_rchr(rest, '(') : -1;
    if (open > 0 && rest.p[open - 1] == ' ') {
        where = str_from(rest, (size_t)open - 1);
        rest = str_sub(rest, 0, (size_t)open - 1);
    }
    struct str said = review_message(r->arena, r->lang, rule, rest);
    if (r->lang != LANG_EN && str_eq(said, rest)) { /* headers drop the full stop that the catalogue's sentence has */
        struct str whole = arena_printf(r->arena, STR_FMT ".", STR_ARG(rest)),
                   again = review_message(r->arena, r->lang, rule, whole);
        if (!str_eq(again, whole)) said = again;
    }
    return arena_printf(r->arena, STR_FMT "%s" STR_FMT STR_FMT, STR_ARG(path),
                        path.n == 0          ? ""
                        : r->lang == LANG_ZH ? "："
                                             : ": ",
                        STR_ARG(said), STR_ARG(where));
}
