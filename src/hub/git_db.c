/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_db.c — blobs without a verdict, and blobs with a blocking one. An override of this repository counts before
 * the automaton's verdict. Large files (64 hex) are left out: git carries only their pointers.
 */
#include "hub/git_db.h"

enum { WITHHELD_MAX = 500000 };

static err push(struct arena *a, struct str **v, size_t *n, struct str oid) {
    if ((*n & (*n - 1)) == 0) { /* 0, 1, 2, 4, …: room doubles */
        struct str *grown = arena_try(a, (*n == 0 ? 1 : *n * 2) * sizeof **v);
        if (grown == NULL)
            return err_fail(arena_why(a, (*n * 2 + 1) * sizeof **v, E_LIMIT),
                            "too many files of this repository wait for review");
        if (*n > 0) memcpy(grown, *v, *n * sizeof **v);
        *v = grown;
    }
    char *copy = arena_try(a, oid.n);
    if (copy == NULL)
        return err_fail(arena_why(a, oid.n, E_LIMIT), "too many files of this repository wait for review");
    memcpy(copy, oid.p, oid.n);
    (*v)[(*n)++] = str_make(copy, oid.n);
    return OK;
}

err git_db_withheld(struct db *d, struct arena *a, int64_t repo_id, struct git_withheld *out) {
    struct stmt *st;
    bool row = true;
    err e = OK;
    *out = (struct git_withheld){0};
    TRY(db_prep(
        d,
        "SELECT oid, verdict FROM (SELECT substr(b.oid, 1, 40) AS oid, COALESCE(o.verdict, v.verdict, 0) AS verdict"
        " FROM repo_blob b"
        " LEFT JOIN blob_verdict v ON v.oid = b.oid"
        " LEFT JOIN verdict_override o ON o.repo_id = b.repo_id AND o.oid = substr(b.oid, 1, 40)"
        " WHERE b.repo_id = ?1 AND (length(b.oid) = 40 OR substr(b.oid, 41, 1) = ':')) WHERE verdict IN (0, 4) LIMIT "
        "?2",
        &st));
    db_bind_i64(st, 1, repo_id);
    db_bind_i64(st, 2, WITHHELD_MAX);
    while (e == OK && (e = db_step(st, &row)) == OK && row) {
        if (db_i64(st, 1) == VERDICT_BLOCK) e = push(a, &out->blocked, &out->n_blocked, db_str(st, 0));
        else e = push(a, &out->pending, &out->n_pending, db_str(st, 0));
    }
    db_done(st);
    return e;
}

err git_db_undecided(struct db *d, int64_t repo_id, bool *yes) {
    struct stmt *st;
    TRY(db_prep(d,
                "SELECT 1 FROM repo_ref r JOIN revision v ON v.repo_id = r.repo_id AND v.commit_oid = r.oid WHERE "
                "r.repo_id = ?1 AND v.verdict = 0 AND v.statement = '' LIMIT 1",
                &st));
    db_bind_i64(st, 1, repo_id);
    TRY(db_step(st, yes));
    db_done(st);
    return OK;
}
