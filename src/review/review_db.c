/* SPDX-License-Identifier: Apache-2.0 */
/* review_db.c — reading and writing of facts, verdicts and statements. */
#include "review_db.h"

#include "base/clock.h"
#include "base/hex.h"

static err rows2(struct stmt *st, struct arena *a, struct pending_revision *out, size_t max, size_t *n) {
    bool row = true;
    err e = OK;
    *n = 0;
    while (*n < max && (e = db_step(st, &row)) == OK && row) {
        out[*n].repo_id = db_i64(st, 0);
        out[(*n)++].commit = arena_str(a, db_str(st, 1));
    }
    db_done(st);
    return e;
}

err review_db_pending(struct db *d, struct arena *a, struct pending_revision *out, size_t max, size_t *n) {
    struct stmt *st;
    TRY(db_prep(d,
                "SELECT v.repo_id, v.commit_oid FROM revision v JOIN repo r ON r.id = v.repo_id WHERE v.verdict = 0 "
                "AND r.deleted_ms = 0 "
                "ORDER BY v.pushed_ms LIMIT ?1",
                &st));
    db_bind_i64(st, 1, (int64_t)max);
    return rows2(st, a, out, max, n);
}

err review_db_known(struct db *d, struct str key, bool *yes) {
    struct stmt *st;
    TRY(db_prep(d, "SELECT 1 FROM blob_verdict WHERE oid = ?1 AND rule_pack = ?2", &st));
    db_bind_str(st, 1, key);
    db_bind_str(st, 2, str_of(review_rule_pack()));
    TRY(db_step(st, yes));
    db_done(st);
    return OK;
}

static err note_tx(struct db *d, void *arg) {
    const struct pending_revision *p = arg;
    return db_exec(d, "INSERT OR IGNORE INTO repo_blob (repo_id, oid) VALUES (?1, ?2)", "is", p->repo_id, p->commit);
}
err review_db_key_note(struct store *s, int64_t repo_id, struct str key) {
    struct stmt *st;
    bool there;
    struct pending_revision p = {repo_id, key};
    TRY(db_prep(db_reader(s), "SELECT 1 FROM repo_blob WHERE repo_id = ?1 AND oid = ?2", &st));
    db_bind_i64(st, 1, repo_id);
    db_bind_str(st, 2, key);
    TRY(db_step(st, &there));
    db_done(st);
    return there ? OK : db_write(s, note_tx, &p);
}

err review_db_orphans(struct db *d, struct arena *a, int64_t repo_id, struct pending_revision *out, size_t max,
                      size_t *n) {
    struct stmt *st;
    TRY(db_prep(d,
                "SELECT b.repo_id, b.oid FROM repo_blob b JOIN repo r ON r.id = b.repo_id WHERE (?1 = 0 OR b.repo_id = "
                "?1) AND r.deleted_ms = 0 "
                "AND NOT EXISTS (SELECT 1 FROM blob_verdict v WHERE v.oid = b.oid) LIMIT ?2",
                &st));
    db_bind_i64(st, 1, repo_id);
    db_bind_i64(st, 2, (int64_t)max);
    return rows2(st, a, out, max, n);
}

err review_db_facts(struct db *d, struct arena *a, struct str oid, struct str *sha256_hex, struct str *facts) {
    struct stmt *st;
    bool row;
    *sha256_hex = *facts = STR("");
    TRY(db_prep(d, "SELECT sha256, facts FROM review_facts WHERE oid = ?1", &st));
    db_bind_str(st, 1, oid);
    TRY(db_step(st, &row));
    if (row) {
        struct str h = db_blob(st, 0);
        *sha256_hex = hex_str(a, h.p, h.n);
        *facts = arena_str(a, db_str(st, 1));
    }
    db_done(st);
    return OK;
}

static err blob_tx(struct db *d, void *arg) {
    const struct blob_record *b = arg;
    TRY(db_exec(d,
                "INSERT INTO blob_verdict (oid, verdict, coverage, format, findings, rule_pack, time_ms) VALUES (?1, "
                "?2, ?3, ?4, ?5, ?6, ?7) "
                "ON CONFLICT (oid) DO UPDATE SET verdict = ?2, coverage = ?3, format = ?4, findings = ?5, rule_pack = "
                "?6, time_ms = ?7",
                "siisssi", b->oid, (int64_t)b->verdict, (int64_t)b->coverage, b->format, b->findings,
                str_of(review_rule_pack()), clock_wall_ms()));
    if (b->facts.n == 0) return db_exec(d, "DELETE FROM review_facts WHERE oid = ?1", "s", b->oid);
    return db_exec(d,
                   "INSERT INTO review_facts (oid, sha256, bytes, facts, time_ms) VALUES (?1, ?2, ?3, ?4, ?5) "
                   "ON CONFLICT (oid) DO UPDATE SET sha256 = ?2, bytes = ?3, facts = ?4, time_ms = ?5",
                   "sbisi", b->oid, str_make(b->sha256, sizeof b->sha256), (int64_t)b->bytes, b->facts,
                   clock_wall_ms());
}
err review_db_blob_put(struct store *s, const struct blob_record *b) {
    struct blob_record copy = *b;
    return db_write(s, blob_tx, &copy);
}

static err statement_tx(struct db *d, void *arg) {
    const struct statement_record *r = arg;
    int64_t seq;
    TRY(db_exec(d,
                "UPDATE revision SET verdict = ?3, coverage = ?4, statement = ?5, signature = ?6, key_id = ?7, "
                "responsible = ?8, reason = ?9, "
                "decided_ms = ?10 WHERE repo_id = ?1 AND commit_oid = ?2",
                "isiisssssi", r->repo_id, r->commit, (int64_t)r->verdict, (int64_t)r->coverage, r->statement,
                r->signature, r->key_id, r->responsible, r->reason, clock_wall_ms()));
    if (db_changes(d) == 0) return OK; /* the repository went away meanwhile */
    return event_append(d, "verdict.issued", 0, r->repo_id, r->event, &seq);
}
err review_db_statement_put(struct store *s, const struct statement_record *r) {
    struct statement_record copy = *r;
    return db_write(s, statement_tx, &copy);
}

static err drop_tx(struct db *d, void *arg) {
    const struct pending_revision *p = arg;
    return db_exec(d, "DELETE FROM revision WHERE repo_id = ?1 AND commit_oid = ?2 AND verdict = 0", "is", p->repo_id,
                   p->commit);
}
err review_db_revision_drop(struct store *s, int64_t repo_id, struct str commit) {
    struct pending_revision p = {repo_id, commit};
    return db_write(s, drop_tx, &p);
}

static err override_tx(struct db *d, void *arg) {
    const struct override_record *o = arg;
    int64_t seq;
    TRY(db_exec(d,
                "INSERT INTO verdict_override (repo_id, oid, verdict, reason, user_id, time_ms, statement, signature) "
                "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) "
                "ON CONFLICT (repo_id, oid) DO UPDATE SET verdict = ?3, reason = ?4, user_id = ?5, time_ms = ?6, "
                "statement = ?7, signature = ?8",
                "isisiiss", o->repo_id, o->oid, (int64_t)o->verdict, o->reason, o->user_id, clock_wall_ms(),
                o->statement, o->signature));
    TRY(event_append(d, "verdict.overridden", o->user_id, o->repo_id, o->event, &seq));
    return db_exec(d,
                   "UPDATE revision SET verdict = 0 WHERE repo_id = ?1 AND verdict <> 0 AND commit_oid IN (SELECT oid "
                   "FROM repo_ref WHERE repo_id = ?1)",
                   "i", o->repo_id);
}
err review_db_override_put(struct store *s, const struct override_record *o) {
    struct override_record copy = *o;
    return db_write(s, override_tx, &copy);
}

err review_db_override_get(struct db *d, struct arena *a, int64_t repo_id, struct str oid, struct override_row *out,
                           bool *found) {
    struct stmt *st;
    *out = (struct override_row){0};
    TRY(db_prep(
        d,
        "SELECT v.verdict, v.reason, coalesce(o.name, ''), v.statement, v.signature, v.time_ms FROM verdict_override v "
        "LEFT JOIN owner o ON o.id = v.user_id WHERE v.repo_id = ?1 AND v.oid = ?2",
        &st));
    db_bind_i64(st, 1, repo_id);
    db_bind_str(st, 2, oid);
    TRY(db_step(st, found));
    if (*found) {
        out->verdict = (enum verdict)db_i64(st, 0);
        out->reason = arena_str(a, db_str(st, 1));
        out->reviewer = arena_str(a, db_str(st, 2));
        out->statement = arena_str(a, db_str(st, 3));
        out->signature = arena_str(a, db_str(st, 4));
        out->time_ms = db_i64(st, 5);
    }
    db_done(st);
    return OK;
}

err review_db_repo_name(struct db *d, struct arena *a, int64_t repo_id, struct str *out) {
    struct stmt *st;
    bool row;
    TRY(db_prep(d,
                "SELECT r.type, o.name, r.name FROM repo r JOIN owner o ON o.id = r.owner_id WHERE r.id = ?1 AND "
                "r.deleted_ms = 0",
                &st));
    db_bind_i64(st, 1, repo_id);
    TRY(db_step(st, &row));
    if (row) {
        struct str owner = db_str(st, 1), name = db_str(st, 2);
        *out = arena_printf(a, "%s/" STR_FMT "/" STR_FMT, repo_type_plural((enum repo_type)db_i64(st, 0)),
                            STR_ARG(owner), STR_ARG(name));
    }
    db_done(st);
    return row ? OK : err_fail(E_REPO_NOT_FOUND, "the repository is gone");
}
