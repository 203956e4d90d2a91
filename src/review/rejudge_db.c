/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rejudge_db.c — the rule pack moved: every recorded fact is judged again, in batches, without a byte
 * read. Verdicts without facts (never examined, or before facts were kept) are forgotten, so that the
 * bytes are examined again; every decided revision gets a new statement.
 */
#include "base/clock.h"
#include "review_db.h"
#include "rules.h"

enum { REJUDGE_BATCH = 200 };

struct batch {
    struct arena *a;
    struct blob_record list[REJUDGE_BATCH];
    size_t n;
    struct str after;
};

static err load(struct db *d, struct batch *b, struct str *texts) {
    struct stmt *st;
    bool row = true;
    err e = OK;
    b->n = 0;
    TRY(db_prep(d,
                "SELECT f.oid, f.facts FROM review_facts f JOIN blob_verdict v ON v.oid = f.oid WHERE f.oid > ?1 AND "
                "v.rule_pack <> ?2 ORDER BY f.oid LIMIT 200",
                &st));
    db_bind_str(st, 1, b->after);
    db_bind_str(st, 2, str_of(review_rule_pack()));
    while (b->n < REJUDGE_BATCH && (e = db_step(st, &row)) == OK && row) {
        b->list[b->n].oid = arena_str(b->a, db_str(st, 0));
        texts[b->n++] = arena_str(b->a, db_str(st, 1));
    }
    db_done(st);
    return e;
}

static err store_tx(struct db *d, void *arg) {
    const struct batch *b = arg;
    for (size_t i = 0; i < b->n; i++) {
        const struct blob_record *x = &b->list[i];
        if (x->findings.n == 0) { /* facts of another format: examine the bytes again */
            TRY(db_exec(d, "DELETE FROM blob_verdict WHERE oid = ?1", "s", x->oid));
            continue;
        }
        TRY(db_exec(d,
                    "UPDATE blob_verdict SET verdict = ?2, coverage = ?3, findings = ?4, rule_pack = ?5, time_ms = ?6 "
                    "WHERE oid = ?1",
                    "siissi", x->oid, (int64_t)x->verdict, (int64_t)x->coverage, x->findings,
                    str_of(review_rule_pack()), clock_wall_ms()));
    }
    return OK;
}

static err judge(struct batch *b, const struct str *texts) {
    struct facts *f = arena_new(b->a, struct facts);
    for (size_t i = 0; i < b->n; i++) {
        struct review_file_result r = {0};
        struct buf out cleanup(buf_release);
        b->list[i].findings = STR_NULL;
        if (facts_from_json(b->a, texts[i], f) != OK) continue;
        rules_judge(b->a, f, &r);
        buf_init(&out, 256 * KiB);
        rules_findings_json(b->a, LANG_EN, &r, &out);
        TRY(buf_ok(&out, "findings"));
        b->list[i].findings = arena_str(b->a, buf_view(&out));
        b->list[i].verdict = r.verdict;
        b->list[i].coverage = r.coverage;
    }
    return OK;
}

static err finish_tx(struct db *d, void *arg) {
    (void)arg;
    struct str pack = str_of(review_rule_pack());
    TRY(db_exec(d, "DELETE FROM blob_verdict WHERE rule_pack <> ?1", "s", pack));
    TRY(db_exec(d, "UPDATE revision SET verdict = 0 WHERE verdict <> 0", ""));
    return db_exec(
        d, "INSERT INTO meta (key, value) VALUES ('review.rule_pack', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1",
        "s", pack);
}

static err pack_stands(struct db *d, bool *yes) {
    struct stmt *st;
    TRY(db_prep(d, "SELECT 1 FROM meta WHERE key = 'review.rule_pack' AND value = ?1", &st));
    db_bind_str(st, 1, str_of(review_rule_pack()));
    TRY(db_step(st, yes));
    db_done(st);
    return OK;
}

err review_db_rejudge(struct store *s, size_t *judged) {
    bool same;
    *judged = 0;
    TRY(pack_stands(db_reader(s), &same));
    if (same) return OK;
    struct arena a;
    char after[128] = "";
    err e = OK;
    for (;;) {
        struct str texts[REJUDGE_BATCH];
        arena_init(&a, 192 * MiB);
        struct batch *b = arena_new(&a, struct batch);
        b->a = &a;
        b->after = str_of(after);
        e = load(db_reader(s), b, texts);
        if (e == OK && b->n) e = judge(b, texts);
        if (e == OK && b->n) e = db_write(s, store_tx, b);
        size_t n = b->n;
        if (n) snprintf(after, sizeof after, STR_FMT, STR_ARG(b->list[n - 1].oid));
        arena_release(&a);
        *judged += n;
        if (e != OK || n < REJUDGE_BATCH) break;
    }
    TRY(e);
    return db_write(s, finish_tx, NULL);
}

struct key_change {
    struct str id, key;
};

static err key_tx(struct db *d, void *arg) {
    const struct key_change *c = arg;
    struct event_draft e;
    TRY(db_exec(d,
                "INSERT INTO meta (key, value) VALUES ('review.key_id', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1",
                "s", c->id));
    TRY(db_exec(d, "UPDATE revision SET verdict = 0 WHERE verdict <> 0 AND key_id <> ?1", "s", c->id));
    event_begin(&e);
    jw_kcstr(&e.w, "algorithm", "Ed25519");
    jw_kstr(&e.w, "key_id", c->id);
    jw_kstr(&e.w, "key", c->key);
    return event_end(d, &e, "review.key", 0, 0);
}

err review_db_key(struct store *s, const char *key_id, struct str public_b64, bool *changed) {
    struct stmt *st;
    bool row, same = false;
    struct key_change c = {str_of(key_id), public_b64};
    TRY(db_prep(db_reader(s), "SELECT value FROM meta WHERE key = 'review.key_id'", &st));
    TRY(db_step(st, &row));
    if (row) same = str_eqz(db_str(st, 0), key_id);
    db_done(st);
    *changed = row && !same;
    return same ? OK : db_write(s, key_tx, &c);
}
