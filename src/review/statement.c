/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement.c — the signed statement of a revision: canonical JSON (keys in alphabetical order, no
 * white space, integers only), signed over its exact bytes, recorded with its event in one transaction.
 * Format: docs/formats/verdict.md.
 */
#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "review_db.h"
#include "review_int.h"

enum { LISTED_MAX = 5000 };

struct tally {
    enum verdict verdict;
    size_t n_full, n_none, n;
    struct str reason;
    struct hasher *facts, *list;
    struct buf files, overrides;
    struct jw wf, wo;
    size_t listed, omitted;
};

static void file_json(struct jw *w, const struct git_entry *e, const struct blob_verdict *b, struct str sha256) {
    jw_obj(w);
    jw_kcstr(w, "coverage", coverage_name(b->coverage));
    jw_kstr(w, "format", b->format);
    jw_kstr(w, "oid", hub_entry_oid(e));
    jw_kbool(w, "overridden", b->overridden);
    jw_kstr(w, "path", e->path);
    if (sha256.n) jw_kstr(w, "sha256", sha256);
    jw_kcstr(w, "verdict", verdict_name(b->verdict));
    jw_obj_end(w);
}

static err one_override(struct review *v, struct arena *a, int64_t repo_id, const struct git_entry *e,
                        struct tally *t) {
    struct override_row o;
    bool found;
    TRY(review_db_override_get(db_reader(v->store), a, repo_id, hub_entry_oid(e), &o, &found));
    if (!found) return OK;
    jw_obj(&t->wo);
    jw_kstr(&t->wo, "oid", hub_entry_oid(e));
    jw_kstr(&t->wo, "reason", o.reason);
    jw_kstr(&t->wo, "reviewer", o.reviewer);
    jw_kstr(&t->wo, "time", clock_iso_str(a, o.time_ms));
    jw_kcstr(&t->wo, "verdict", verdict_name(o.verdict));
    jw_obj_end(&t->wo);
    return OK;
}

/* A file without a record (its bytes never arrived) counts as not examined. */
static err one_file(struct review *v, struct arena *a, int64_t repo_id, const struct git_entry *e, struct tally *t) {
    struct blob_verdict b;
    struct str sha256, facts;
    TRY(verdict_blob_get(db_reader(v->store), a, repo_id, hub_entry_key(a, e), &b));
    TRY(review_db_facts(db_reader(v->store), a, hub_entry_key(a, e), &sha256, &facts));
    if (b.verdict == VERDICT_PENDING) {
        b.verdict = VERDICT_REVIEW;
        b.coverage = COVERAGE_NONE;
        b.format = STR("absent");
        b.reason = STR("not_examined: The file was not examined: the bytes are not here");
    }
    if (b.overridden) TRY(one_override(v, a, repo_id, e, t));
    if (b.verdict > t->verdict) {
        t->verdict = b.verdict;
        t->reason = arena_printf(a, STR_FMT ": " STR_FMT, STR_ARG(e->path), STR_ARG(b.reason));
    }
    t->n++;
    t->n_full += b.coverage == COVERAGE_FULL;
    t->n_none += b.coverage == COVERAGE_NONE;
    hasher_add(t->facts, facts.p, facts.n);
    hasher_add(t->facts, "\n", 1);
    struct buf line cleanup(buf_release);
    struct jw w;
    buf_init(&line, 64 * KiB);
    jw_init(&w, &line);
    file_json(&w, e, &b, sha256);
    hasher_add(t->list, line.p, line.n);
    hasher_add(t->list, "\n", 1);
    if (t->listed < LISTED_MAX || b.verdict > VERDICT_NOTICE) {
        t->listed++;
        jw_raw(&t->wf, buf_view(&line));
    } else {
        t->omitted++;
    }
    return buf_ok(&line, "file line");
}

static void hash_key(struct jw *w, const char *key, struct hasher *h) {
    uint8_t d[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];
    hasher_done(h, d);
    hex_encode(d, sizeof d, hex);
    jw_kcstr(w, key, hex);
}

static enum coverage overall(const struct tally *t) {
    if (t->n_full == t->n) return COVERAGE_FULL;
    return t->n_none == t->n ? COVERAGE_NONE : COVERAGE_PARTIAL;
}

static err compose(struct review *v, struct arena *a, struct str repo, struct str commit, struct tally *t,
                   struct str *out) {
    struct buf b cleanup(buf_release);
    struct jw w;
    buf_init(&b, 48 * MiB);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "commit", commit);
    jw_kcstr(&w, "coverage", coverage_name(overall(t)));
    hash_key(&w, "facts_sha256", t->facts);
    jw_key(&w, "files");
    jw_raw(&w, buf_view(&t->files));
    jw_ki64(&w, "files_omitted", (int64_t)t->omitted);
    hash_key(&w, "files_sha256", t->list);
    jw_ki64(&w, "files_total", (int64_t)t->n);
    jw_kcstr(&w, "key_id", v->key.id);
    jw_key(&w, "overrides");
    jw_raw(&w, buf_view(&t->overrides));
    jw_kcstr(&w, "policy", review_policy());
    jw_kstr(&w, "repository", repo);
    jw_kcstr(&w, "responsible", v->responsible);
    jw_kcstr(&w, "rule_pack_sha256", review_rule_pack());
    jw_kstr(&w, "time", clock_iso_str(a, clock_wall_ms()));
    jw_kcstr(&w, "type", "ballast-review/1");
    jw_kcstr(&w, "verdict", verdict_name(t->verdict));
    jw_obj_end(&w);
    TRY(buf_ok(&b, "statement"));
    *out = arena_str(a, buf_view(&b));
    return OK;
}

static err event_json(struct review *v, struct arena *a, const struct statement_record *r, size_t files,
                      struct str *out) {
    struct buf b cleanup(buf_release);
    struct jw w;
    uint8_t d[SHA256_LEN];
    hash_sha256(r->statement.p, r->statement.n, d);
    buf_init(&b, 16 * KiB);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "commit", r->commit);
    jw_kcstr(&w, "verdict", verdict_name(r->verdict));
    jw_kcstr(&w, "coverage", coverage_name(r->coverage));
    jw_ki64(&w, "files", (int64_t)files);
    jw_kstr(&w, "reason", str_sub(r->reason, 0, 500));
    jw_kcstr(&w, "policy", review_policy());
    jw_kcstr(&w, "rule_pack", review_rule_pack());
    jw_kstr(&w, "responsible", r->responsible);
    jw_kstr(&w, "key_id", r->key_id);
    jw_kstr(&w, "statement_sha256", hex_str(a, d, sizeof d));
    jw_kstr(&w, "signature", r->signature);
    jw_obj_end(&w);
    (void)v;
    TRY(buf_ok(&b, "event"));
    *out = arena_str(a, buf_view(&b));
    return OK;
}

static err tally_files(struct review *v, struct arena *a, int64_t repo_id, const struct git_entry *files, size_t n,
                       struct tally *t) {
    jw_arr(&t->wf);
    jw_arr(&t->wo);
    for (size_t i = 0; i < n; i++) {
        struct arena one;
        arena_init(&one, 8 * MiB);
        struct str before = t->reason;
        err e = one_file(v, &one, repo_id, &files[i], t);
        if (e == OK && t->reason.p != before.p) t->reason = arena_str(a, t->reason);
        arena_release(&one);
        TRY(e);
        if (i % 64 == 63 && fiber_self()) fiber_yield();
    }
    jw_arr_end(&t->wf);
    jw_arr_end(&t->wo);
    TRY(buf_ok(&t->files, "files of the statement"));
    return buf_ok(&t->overrides, "overrides of the statement");
}

err review_issue(struct review *v, struct arena *a, int64_t repo_id, struct str commit, const struct git_entry *files,
                 size_t n) {
    struct tally t = {.verdict = VERDICT_PASS, .reason = STR("")};
    struct str repo, event;
    TRY(review_db_repo_name(db_reader(v->store), a, repo_id, &repo));
    buf_init(&t.files, 32 * MiB);
    buf_init(&t.overrides, 4 * MiB);
    jw_init(&t.wf, &t.files);
    jw_init(&t.wo, &t.overrides);
    t.facts = hasher_new("SHA256");
    t.list = hasher_new("SHA256");
    err e = tally_files(v, a, repo_id, files, n, &t);
    struct statement_record r = {
        .repo_id = repo_id, .commit = commit, .responsible = str_of(v->responsible), .key_id = str_of(v->key.id)};
    if (e == OK) {
        e = compose(v, a, repo, commit, &t, &r.statement);
    } else {
        hasher_free(t.facts);
        hasher_free(t.list);
    }
    buf_release(&t.files);
    buf_release(&t.overrides);
    TRY(e);
    r.verdict = t.verdict;
    r.coverage = n ? overall(&t) : COVERAGE_FULL;
    r.reason = t.verdict > VERDICT_PASS ? t.reason : STR("");
    r.signature = sign_statement(a, &v->key, r.statement);
    TRY(event_json(v, a, &r, n, &event));
    r.event = event;
    TRY(review_db_statement_put(v->store, &r));
    log_info("review.verdict", LS("repo", repo), LS("commit", commit), LZ("verdict", verdict_name(r.verdict)),
             LI("files", n));
    return OK;
}
