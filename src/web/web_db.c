/* SPDX-License-Identifier: Apache-2.0 */
/* web_db.c — reads over several rooms' tables that only the console asks: figures, what waits, facts of a repository.
 */
#include "web/web_int.h"

static err one_i64(struct db *d, struct stmt *st, int64_t *out) {
    bool row;
    err e = db_step(st, &row);
    if (e == OK) *out = row ? db_i64(st, 0) : 0;
    db_done(st);
    return e;
}

err web_db_figures(struct db *d, int64_t now_ms, struct web_figures *out) {
    struct stmt *st;
    TRY(db_prep(d, "SELECT COUNT(*) FROM repo WHERE deleted_ms = 0 AND is_private = 0", &st));
    TRY(one_i64(d, st, &out->n_repos));
    TRY(db_prep(d, "SELECT COUNT(*) FROM revision WHERE decided_ms > ?1", &st));
    db_bind_i64(st, 1, now_ms - INT64_C(86400000));
    TRY(one_i64(d, st, &out->n_verdicts_day));
    TRY(db_prep(d, "SELECT COUNT(*) FROM usage_row WHERE outcome = 'ok'", &st));
    return one_i64(d, st, &out->n_requests);
}

err web_db_repo_facts(struct db *d, struct arena *a, int64_t repo_id, struct web_repo_facts *out) {
    struct stmt *st;
    bool row;
    TRY(db_prep(d, "SELECT card, tags, description, head FROM repo WHERE id = ?1", &st));
    db_bind_i64(st, 1, repo_id);
    err e = db_step(st, &row);
    if (e == OK && row) {
        out->card = arena_str(a, db_str(st, 0));
        out->tags = arena_str(a, db_str(st, 1));
        out->description = arena_str(a, db_str(st, 2));
        out->head = arena_str(a, db_str(st, 3));
    }
    db_done(st);
    return e;
}

err web_db_waiting(struct db *d, struct arena *a, int64_t user_id, size_t max, struct web_wait **out, size_t *n) {
    struct stmt *st;
    *out = arena_array(a, struct web_wait, max);
    *n = 0;
    /* only heads: an old bad revision that was replaced waits for nobody */
    TRY(db_prep(d,
                "SELECT v.repo_id, v.commit_oid, v.verdict, v.coverage, v.pushed_ms FROM revision v JOIN repo r ON "
                "r.id = v.repo_id"
                " WHERE v.pushed_by = ?1 AND r.deleted_ms = 0 AND v.commit_oid = r.head AND v.verdict IN (0, 3, 4)"
                " ORDER BY v.pushed_ms DESC LIMIT ?2",
                &st));
    db_bind_i64(st, 1, user_id);
    db_bind_i64(st, 2, (int64_t)max);
    err e;
    bool row;
    while ((e = db_step(st, &row)) == OK && row && *n < max) {
        (*out)[(*n)++] = (struct web_wait){.repo_id = db_i64(st, 0),
                                           .commit = arena_str(a, db_str(st, 1)),
                                           .verdict = (enum verdict)db_i64(st, 2),
                                           .coverage = (enum coverage)db_i64(st, 3),
                                           .time_ms = db_i64(st, 4)};
    }
    db_done(st);
    return e;
}

err web_db_licences(struct db *d, struct arena *a, enum repo_type t, struct str **out, size_t *n) {
    enum { MAX_LICENCES = 60 };
    struct stmt *st;
    *out = arena_array(a, struct str, MAX_LICENCES);
    *n = 0;
    TRY(db_prep(
        d,
        "SELECT json_extract(card, '$.license') AS l, COUNT(*) FROM repo WHERE deleted_ms = 0 AND is_private = 0"
        " AND type = ?1 AND json_valid(card) AND json_type(card, '$.license') = 'text' GROUP BY l ORDER BY 2 DESC, 1 "
        "LIMIT 60",
        &st));
    db_bind_i64(st, 1, (int64_t)t);
    err e;
    bool row;
    while ((e = db_step(st, &row)) == OK && row && *n < MAX_LICENCES) (*out)[(*n)++] = arena_str(a, db_str(st, 0));
    db_done(st);
    return e;
}
