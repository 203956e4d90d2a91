/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.c — the rule pack: severity of each fact, and for calls and imports of Python objects a look
 * into the policy tables. Lattice: pass < notice < review < block; coverage is beside it.
 *
 * Rule 1: not examined is never clean: coverage none is at least review, partial at least notice.
 * Rule 2: the verdict is the gravest finding; nothing lowers it.
 * The digest names everything a verdict depends on: kinds, severities, texts, tables, and RULES_VERSION,
 * which moves when code of parsers or rules changes what they conclude.
 */
#include "rules.h"

#include <pthread.h>

#include "base/hash.h"
#include "base/hex.h"
#include "base/i18n.h"
#include "base/json.h"
#include "policy.h"

#define RULES_VERSION "2026.11.3"
enum { FINDINGS_MAX = 64 };

static struct str callee_name(struct str s) {
    static const char *const methods[] = {".__setstate__", ".append", ".extend", ".add", ".__setitem__", "()"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (str_ends(s, methods[i])) s.n -= strlen(methods[i]);
    return s;
}

static enum verdict judge_one(const struct fact *x) {
    enum verdict v = fact_severity(x->kind);
    struct str subject = str_of(x->subject);
    if (x->kind == FACT_PICKLE_CALL_ODD) return str_eqz(subject, "builtins.getattr") ? VERDICT_BLOCK : v;
    if (v != VERDICT_PENDING) return v;
    enum py_class c = policy_lookup_dotted(callee_name(subject)).cls;
    /* only kinds whose severity is PENDING come here */
    if (x->kind == FACT_PICKLE_CALL_EVIDENCE || c == PY_DANGER) return VERDICT_BLOCK;
    if (x->kind == FACT_PICKLE_CALL && policy_is_verb(callee_name(subject))) return VERDICT_BLOCK;
    if (x->kind == FACT_PICKLE_CALL)
        return c == PY_UNKNOWN || c == PY_LIBRARY || c == PY_SHAPE ? VERDICT_REVIEW : VERDICT_PASS;
    return c == PY_UNKNOWN ? VERDICT_NOTICE : VERDICT_PASS; /* imported, not called */
}

static struct str fill(struct arena *a, const char *format, const char *subject) {
    const char *at = strstr(format, "%s");
    if (!at) return str_of(format);
    return arena_printf(a, "%.*s%s%s", (int)(at - format), format, subject, at + 2);
}

static void add(struct arena *a, struct review_file_result *r, enum fact_kind k, enum verdict v, const char *subject,
                const char *where, uint32_t n) {
    if (v > r->verdict) r->verdict = v;
    if (r->n_findings == FINDINGS_MAX) return;
    struct review_finding *f = &r->findings[r->n_findings++];
    f->rule = fact_name(k);
    f->severity = v;
    f->message = fill(a, fact_message(k), subject[0] ? arena_strz(a, str_of(subject)) : "-");
    f->where = n > 1 ? arena_printf(a, "%s (+%" PRIu32 ")", where, n - 1) : arena_str(a, str_of(where));
}

void rules_judge(struct arena *a, const struct facts *f, struct review_file_result *out) {
    out->format = arena_str(a, str_of(f->format[0] ? f->format : "unknown"));
    out->coverage = f->coverage;
    out->verdict = VERDICT_PASS;
    out->findings = arena_array(a, struct review_finding, FINDINGS_MAX);
    out->n_findings = 0;
    for (enum verdict want = VERDICT_BLOCK; want > VERDICT_PASS; want--)
        for (size_t i = 0; i < f->n; i++)
            if (judge_one(&f->list[i]) == want)
                add(a, out, f->list[i].kind, want, f->list[i].subject, f->list[i].where, f->list[i].count);
    if (f->many) add(a, out, FACT_MANY, VERDICT_REVIEW, "", "", 1);
    if (f->coverage == COVERAGE_NONE && out->verdict < VERDICT_REVIEW)
        add(a, out, FACT_NOT_EXAMINED, VERDICT_REVIEW, out->format.p, "", 1);
    if (f->coverage == COVERAGE_PARTIAL && out->verdict < VERDICT_NOTICE)
        add(a, out, FACT_PARTIAL_DATA, VERDICT_NOTICE, out->format.p, "", 1);
}

void rules_not_examined(struct arena *a, const char *why, struct review_file_result *out) {
    out->format = STR("unknown");
    out->coverage = COVERAGE_NONE;
    out->verdict = VERDICT_PASS;
    out->findings = arena_array(a, struct review_finding, 2);
    out->n_findings = 0;
    add(a, out, FACT_NOT_EXAMINED, VERDICT_REVIEW, why, "", 1);
}

void rules_findings_json(struct arena *a, enum lang lang, const struct review_file_result *r, struct buf *b) {
    struct jw w;
    jw_init(&w, b);
    jw_arr(&w);
    for (size_t i = 0; i < r->n_findings; i++) {
        jw_obj(&w);
        jw_kcstr(&w, "rule", r->findings[i].rule);
        jw_kcstr(&w, "severity", verdict_name(r->findings[i].severity));
        jw_kstr(&w, "message", review_message(a, lang, str_of(r->findings[i].rule), r->findings[i].message));
        jw_kstr(&w, "where", r->findings[i].where);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
}

static char pack[2 * SHA256_LEN + 1];
static void feed(void *h, const char *z) {
    hasher_add(h, z, strlen(z) + 1);
}
static void make_pack(void) {
    struct hasher *h = hasher_new("SHA256");
    uint8_t d[SHA256_LEN];
    char line[400];
    feed(h, RULES_VERSION);
    for (size_t i = 0; i < FACT_KIND_COUNT; i++) {
        snprintf(line, sizeof line, "%s %s %s", fact_name((enum fact_kind)i),
                 verdict_name(fact_severity((enum fact_kind)i)), fact_message((enum fact_kind)i));
        feed(h, line);
    }
    policy_digest(feed, h);
    hasher_done(h, d);
    hex_encode(d, sizeof d, pack);
}

const char *review_rule_pack(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_pack);
    return pack;
}
const char *review_policy(void) {
    return "ballast-default-1";
}
