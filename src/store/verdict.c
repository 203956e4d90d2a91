/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.c — reading the records of review: per blob, per revision. Writing them is review's. */
#include "store/verdict.h"

static const char *const names[] = {"pending", "pass", "notice", "review", "block"};

const char *verdict_name(enum verdict v) {
    return (unsigned)v < ARRAY_LEN(names) ? names[v] : "pending";
}

const char *coverage_name(enum coverage c) {
    switch (c) {
    case COVERAGE_FULL: return "full";
    case COVERAGE_PARTIAL: return "partial";
    case COVERAGE_NONE: break;
    }
    return "none";
}

bool verdict_parse(struct str s, enum verdict *out) {
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if (!str_eqz(s, names[i])) continue;
        *out = (enum verdict)i;
        return true;
    }
    return false;
}

/* Stored numbers outside the enum are damage; the careful reading is "not decided" / "not examined". */
static enum verdict verdict_of(int64_t v) {
    return v >= VERDICT_PENDING && v <= VERDICT_BLOCK ? (enum verdict)v : VERDICT_PENDING;
}
static enum coverage coverage_of(int64_t c) {
    return c >= COVERAGE_NONE && c <= COVERAGE_FULL ? (enum coverage)c : COVERAGE_NONE;
}

/* "rule: message (where)" of the gravest finding, the first among equals. Empty when there is none. */
static struct str finding_line(struct arena *a, struct str findings) {
    struct jv root, worst = {0};
    enum verdict worst_severity = VERDICT_PENDING;
    if (json_parse(a, findings, NULL, &root) != OK) return STR("");
    for (struct jv_iter it = jv_iter(root); jv_next(&it);) {
        enum verdict sev = VERDICT_PENDING;
        if (!verdict_parse(jv_str(jv_get(it.val, "severity"), STR("")), &sev)) sev = VERDICT_PENDING;
        if (jv_ok(worst) && sev <= worst_severity) continue;
        worst = it.val;
        worst_severity = sev;
    }
    if (!jv_ok(worst)) return STR("");
    struct str rule = jv_str(jv_get(worst, "rule"), STR("")), message = jv_str(jv_get(worst, "message"), STR(""));
    struct str where = jv_str(jv_get(worst, "where"), STR(""));
    while (message.n > 0 && message.p[message.n - 1] == '.') message.n--;
    if (where.n > 0)
        return arena_printf(a, STR_FMT ": " STR_FMT " (" STR_FMT ")", STR_ARG(rule), STR_ARG(message), STR_ARG(where));
    return arena_printf(a, STR_FMT ": " STR_FMT, STR_ARG(rule), STR_ARG(message));
}

static _Atomic(verdict_translator *) translator; /* one function of this program, set once */

void verdict_translator_set(verdict_translator *fn) {
    translator = fn;
}

struct str verdict_reason(struct arena *a, enum lang lang, struct str reason) {
    verdict_translator *fn = translator;
    return fn && lang != LANG_EN && reason.n ? fn(a, lang, reason) : reason;
}

/* --- kinds of text ------------------------------------------------------------------------------- */
static const struct {
    const char *suffix, *kind;
} kinds[] = {{".py", "py"},     {".pyw", "py"},   {".pyi", "py"},    {".sh", "sh"},      {".bash", "sh"},
             {".bat", "sh"},    {".cmd", "sh"},   {".ps1", "sh"},    {".md", "md"},      {".markdown", "md"},
             {".yaml", "yaml"}, {".yml", "yaml"}, {".jinja", "tpl"}, {".jinja2", "tpl"}, {".j2", "tpl"}};

const char *verdict_kind(struct str path) {
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_iends(path, kinds[i].suffix)) return kinds[i].kind;
    return "";
}

struct str verdict_key(struct arena *a, struct str oid, struct str path) {
    const char *kind = verdict_kind(path);
    return kind[0] ? arena_printf(a, STR_FMT ":%s", STR_ARG(oid), kind) : oid;
}

struct str verdict_key_oid(struct str key) {
    ptrdiff_t at = str_chr(key, ':');
    return at < 0 ? key : str_sub(key, 0, (size_t)at);
}

const char *verdict_key_example(struct str key) {
    static const char *const examples[] = {"x.py", "x.sh", "x.md", "x.yaml", "x.jinja"};
    ptrdiff_t at = str_chr(key, ':');
    for (size_t i = 0; at >= 0 && i < ARRAY_LEN(examples); i++)
        if (str_eqz(str_from(key, (size_t)at + 1), verdict_kind(str_of(examples[i])))) return examples[i];
    return "";
}

/* One record among those of the blob's kinds: the strictest counts, and block before pending before the rest. */
static int strictness(enum verdict v) {
    return v == VERDICT_BLOCK ? VERDICT_BLOCK + 1 : v == VERDICT_PENDING ? VERDICT_BLOCK : (int)v;
}

static void take_row(struct stmt *st, struct arena *a, bool first, struct blob_verdict *out) {
    enum verdict v = db_is_null(st, 0) ? VERDICT_PENDING : verdict_of(db_i64(st, 0));
    if (!first && strictness(v) <= strictness(out->raw_verdict)) return;
    *out = (struct blob_verdict){.format = STR(""), .findings = STR("[]"), .reason = STR("")};
    if (v == VERDICT_PENDING) return;
    out->raw_verdict = out->verdict = v;
    out->coverage = coverage_of(db_i64(st, 1));
    out->format = arena_str(a, db_str(st, 2));
    out->findings = arena_str(a, db_str(st, 3));
    out->time_ms = db_i64(st, 4);
}

/*
 * OID and OID:KIND are one range of the index (':' stands right before ';'): this is asked for every file served, so it
 * must not depend on how many files the repository has.
 * A key with a kind always counts itself; an oid alone only when the repository holds it under no other key.
 */
static err automaton_get(struct db *d, struct arena *a, int64_t repo_id, struct str key, struct blob_verdict *out) {
    struct stmt *st;
    bool row = true;
    err e = OK;
    struct str oid = verdict_key_oid(key);
    TRY(db_prep(d,
                "SELECT b.verdict, b.coverage, b.format, b.findings, b.time_ms FROM (SELECT oid FROM repo_blob WHERE "
                "repo_id = ?1 AND oid >= ?3 AND oid < ?3 || ';' UNION SELECT ?2 WHERE ?2 <> ?3 "
                "OR NOT EXISTS (SELECT 1 FROM repo_blob WHERE repo_id = ?1 AND oid >= ?3 AND oid < ?3 || ';')) k LEFT "
                "JOIN blob_verdict b ON b.oid = k.oid",
                &st));
    db_bind_i64(st, 1, repo_id);
    db_bind_str(st, 2, key);
    db_bind_str(st, 3, oid);
    for (bool first = true; (e = db_step(st, &row)) == OK && row; first = false) take_row(st, a, first, out);
    db_done(st);
    return e;
}

err verdict_blob_get(struct db *d, struct arena *a, int64_t repo_id, struct str key, struct blob_verdict *out) {
    *out = (struct blob_verdict){.format = STR(""), .findings = STR("[]"), .reason = STR("")};
    struct stmt *st;
    TRY(automaton_get(d, a, repo_id, key, out));
    TRY(db_prep(d, "SELECT verdict, reason, time_ms FROM verdict_override WHERE repo_id = ?1 AND oid = ?2", &st));
    db_bind_i64(st, 1, repo_id);
    db_bind_str(st, 2, verdict_key_oid(key));
    TRY(db_step(st, &out->overridden));
    if (out->overridden) {
        out->verdict = verdict_of(db_i64(st, 0));
        out->reason = arena_str(a, db_str(st, 1));
        out->time_ms = db_i64(st, 2);
    }
    db_done(st);
    if (!out->overridden) out->reason = finding_line(a, out->findings);
    return OK;
}

err verdict_revision_get(struct db *d, struct arena *a, int64_t repo_id, struct str commit,
                         struct revision_verdict *out) {
    struct str none = STR("");
    *out = (struct revision_verdict){
        .statement = none, .signature = none, .key_id = none, .responsible = none, .reason = none};
    struct stmt *st;
    bool row;
    TRY(db_prep(d,
                "SELECT verdict, coverage, statement, signature, key_id, responsible, reason, decided_ms FROM revision "
                "WHERE repo_id = ? AND commit_oid = ?",
                &st));
    db_bind_i64(st, 1, repo_id);
    db_bind_str(st, 2, commit);
    TRY(db_step(st, &row));
    if (!row) return OK;
    out->verdict = verdict_of(db_i64(st, 0));
    out->coverage = coverage_of(db_i64(st, 1));
    out->statement = arena_str(a, db_str(st, 2));
    out->signature = arena_str(a, db_str(st, 3));
    out->key_id = arena_str(a, db_str(st, 4));
    out->responsible = arena_str(a, db_str(st, 5));
    out->reason = arena_str(a, db_str(st, 6));
    out->time_ms = db_i64(st, 7);
    db_done(st);
    return OK;
}
