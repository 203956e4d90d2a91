/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts.c — the fact record: merging, bounds, and its JSON form.
 *
 * The JSON is {"v":2,"format":…,"coverage":…,"many":bool,"facts":[{"k","s","w","n"}…]}; it crosses from
 * the sandboxed child, so reading it back is strict and trusts nothing.
 */
#include "facts.h"

#include <stdarg.h>

#include "base/json.h"
#include "policy.h"

static const struct {
    const char *name;
    enum verdict severity;
    const char *message;
} kinds[FACT_KIND_COUNT] = {
#define X(k, name, sev, msg) {name, VERDICT_##sev, msg},
    FACT_KINDS(X)
#undef X
};

const char *fact_name(enum fact_kind k) {
    return kinds[k].name;
}
const char *fact_message(enum fact_kind k) {
    return kinds[k].message;
}
enum verdict fact_severity(enum fact_kind k) {
    return kinds[k].severity;
}

bool fact_parse(struct str name, enum fact_kind *out) {
    for (size_t i = 0; i < FACT_KIND_COUNT; i++)
        if (str_eqz(name, kinds[i].name)) {
            *out = (enum fact_kind)i;
            return true;
        }
    return false;
}

void facts_init(struct facts *f) {
    memset(f, 0, sizeof *f);
    f->coverage = COVERAGE_FULL;
}

/* Printable ASCII and whole UTF-8 sequences stay; anything else becomes '?'. Never cuts a sequence. */
static void put_clean(char *dst, size_t cap, struct str s) {
    size_t n = 0, i = 0;
    while (i < s.n && n + 5 < cap) {
        unsigned char c = (unsigned char)s.p[i];
        size_t len = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
        if (len == 1) {
            dst[n++] = c >= 0x20 && c != 0x7f ? (char)c : '?';
            i++;
        } else if (len && i + len <= s.n && str_is_utf8(str_sub(s, i, len))) {
            memcpy(dst + n, s.p + i, len);
            n += len;
            i += len;
        } else {
            dst[n++] = '?';
            i++;
        }
    }
    if (i < s.n && n + 4 < cap) {
        memcpy(dst + n, "\xe2\x80\xa6", 3);
        n += 3;
    }
    dst[n] = 0;
}

/* Undecided calls rank above review; a name that is only imported above notice, unless it is a dangerous one. */
static int rank_of(enum fact_kind k, const char *subject) {
    enum verdict v = kinds[k].severity;
    if (v != VERDICT_PENDING) return (int)v * 2;
    if (k != FACT_PICKLE_IMPORT) return VERDICT_REVIEW * 2 + 1;
    return policy_lookup_dotted(str_of(subject)).cls == PY_DANGER ? VERDICT_BLOCK * 2 : VERDICT_NOTICE * 2 + 1;
}

static struct fact *slot_for(struct facts *f, int rank) {
    if (f->n < FACTS_MAX) return &f->list[f->n++];
    f->many = true;
    size_t low = 0;
    for (size_t i = 1; i < f->n; i++)
        if (f->list[i].rank < f->list[low].rank) low = i;
    return f->list[low].rank < rank ? &f->list[low] : NULL;
}

void facts_add(struct facts *f, enum fact_kind k, struct str subject, int64_t off) {
    char clean[FACT_SUBJECT_MAX];
    put_clean(clean, sizeof clean, subject);
    for (size_t i = 0; i < f->n; i++)
        if (f->list[i].kind == k && strcmp(f->list[i].subject, clean) == 0) {
            if (f->list[i].count < UINT32_MAX) f->list[i].count++;
            return;
        }
    int rank = rank_of(k, clean);
    struct fact *x = slot_for(f, rank);
    if (!x) return;
    x->kind = k;
    x->rank = rank;
    x->count = 1;
    memcpy(x->subject, clean, sizeof clean);
    char where[FACT_WHERE_MAX + 32];
    int n = off < 0 ? snprintf(where, sizeof where, "%s", f->path)
                    : snprintf(where, sizeof where, "%s%s@ 0x%" PRIx64, f->path, f->n_path ? " " : "", (uint64_t)off);
    put_clean(x->where, sizeof x->where, str_make(where, n > 0 ? (size_t)n : 0));
}

void facts_addz(struct facts *f, enum fact_kind k, const char *subject, int64_t off) {
    facts_add(f, k, str_of(subject), off);
}

void facts_addf(struct facts *f, enum fact_kind k, int64_t off, const char *fmt, ...) {
    char text[FACT_SUBJECT_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    facts_add(f, k, str_make(text, n < 0 ? 0 : MIN((size_t)n, sizeof text - 1)), off);
}

void facts_cover(struct facts *f, enum coverage c) {
    if (c < f->coverage) f->coverage = c;
}

void facts_format(struct facts *f, const char *format) {
    if (!f->format[0]) snprintf(f->format, sizeof f->format, "%s", format);
}

size_t facts_enter(struct facts *f, struct str member) {
    size_t mark = f->n_path;
    char clean[FACT_WHERE_MAX];
    put_clean(clean, 80, member);
    int n = snprintf(f->path + mark, sizeof f->path - mark, "%s%s", mark ? "!" : "", clean);
    if (n > 0) f->n_path = MIN(mark + (size_t)n, sizeof f->path - 1);
    return mark;
}

void facts_leave(struct facts *f, size_t mark) {
    f->n_path = mark;
    f->path[mark] = 0;
}

bool facts_has(const struct facts *f, enum fact_kind k) {
    for (size_t i = 0; i < f->n; i++)
        if (f->list[i].kind == k) return true;
    return false;
}

bool facts_alarming(const struct facts *f) {
    for (size_t i = 0; i < f->n; i++)
        if (f->list[i].rank > VERDICT_REVIEW * 2) return true;
    return false;
}

void facts_json(const struct facts *f, struct buf *b) {
    struct jw w;
    jw_init(&w, b);
    jw_obj(&w);
    jw_ki64(&w, "v", FACTS_VERSION);
    jw_kcstr(&w, "format", f->format);
    jw_kcstr(&w, "coverage", coverage_name(f->coverage));
    jw_kbool(&w, "many", f->many);
    jw_key(&w, "facts");
    jw_arr(&w);
    for (size_t i = 0; i < f->n; i++) {
        const struct fact *x = &f->list[i];
        jw_obj(&w);
        jw_kcstr(&w, "k", kinds[x->kind].name);
        jw_kcstr(&w, "s", x->subject);
        jw_kcstr(&w, "w", x->where);
        jw_ki64(&w, "n", x->count);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
}

static err one_fact(struct jv v, struct fact *x) {
    struct str k, s, w;
    int64_t n;
    TRY(jv_need_str(v, "k", &k));
    TRY(jv_need_str(v, "s", &s));
    TRY(jv_need_str(v, "w", &w));
    TRY(jv_need_i64(v, "n", 1, UINT32_MAX, &n));
    if (!fact_parse(k, &x->kind) || s.n >= FACT_SUBJECT_MAX || w.n >= FACT_WHERE_MAX)
        return err_fail(E_CORRUPT,
                        "a fact record names an unknown kind or is too long; the file counts as not examined");
    x->count = (uint32_t)n;
    put_clean(x->subject, sizeof x->subject, s);
    x->rank = rank_of(x->kind, x->subject);
    put_clean(x->where, sizeof x->where, w);
    return OK;
}

err facts_from_json(struct arena *a, struct str json, struct facts *out) {
    facts_init(out);
    const struct json_limits lim = {.max_bytes = 512 * KiB, .max_depth = 4, .max_nodes = 16384};
    struct jv root;
    TRY(json_parse(a, json, &lim, &root));
    int64_t v;
    struct str format, cov;
    TRY(jv_need_i64(root, "v", FACTS_VERSION, FACTS_VERSION, &v));
    TRY(jv_need_str(root, "format", &format));
    TRY(jv_need_str(root, "coverage", &cov));
    if (str_eqz(cov, "none")) out->coverage = COVERAGE_NONE;
    else if (str_eqz(cov, "partial")) out->coverage = COVERAGE_PARTIAL;
    else if (!str_eqz(cov, "full")) return err_fail(E_CORRUPT, "a fact record has an unknown coverage");
    if (format.n >= FACT_FORMAT_MAX) return err_fail(E_CORRUPT, "a fact record has an overlong format name");
    put_clean(out->format, sizeof out->format, format);
    out->many = jv_bool(jv_get(root, "many"), false);
    struct jv list = jv_get(root, "facts");
    if (jv_type(list) != JSON_ARRAY || jv_len(list) > FACTS_MAX)
        return err_fail(E_CORRUPT, "a fact record has no list of facts or too many");
    for (struct jv_iter it = jv_iter(list); jv_next(&it);) TRY(one_fact(it.val, &out->list[out->n++]));
    return OK;
}
