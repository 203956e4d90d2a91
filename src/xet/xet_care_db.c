/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xet_care_db.c — statistics, and what fsck and gc ask of the records.
 *
 * gc's order makes every crash harmless: expired files lose their rows and references first, then
 * expired xorbs are marked doomed (one transaction); then, one transaction each, a doomed xorb's file is renamed
 * away and its row deleted. A doomed xorb is never referenced again, and a later gc finishes what a crash left.
 */
#include "xet/xet_db.h"

err xet_db_stats(struct db *d, struct xet_stats *out) {
    struct stmt *st;
    bool row;
    *out = (struct xet_stats){0};
    TRY(db_prep(
        d, "SELECT count(*), coalesce(sum(stored_bytes), 0), coalesce(sum(raw_bytes), 0) FROM xorb WHERE doomed = 0",
        &st));
    TRY(db_step(st, &row));
    if (row) {
        out->n_xorbs = (uint64_t)db_i64(st, 0);
        out->stored_bytes = (uint64_t)db_i64(st, 1);
        out->raw_bytes = (uint64_t)db_i64(st, 2);
        db_done(st);
    }
    TRY(db_prep(d, "SELECT count(*), coalesce(sum(size), 0) FROM xet_file", &st));
    TRY(db_step(st, &row));
    if (row) {
        out->n_files = (uint64_t)db_i64(st, 0);
        out->file_bytes = (uint64_t)db_i64(st, 1);
        db_done(st);
    }
    return OK;
}

static err bad_hash(struct stmt *st) {
    db_done(st);
    return err_fail(E_CORRUPT, "a hash in the database has a wrong length");
}

err xet_db_xorbs(struct db *d, int64_t after, struct care_xorb *out, size_t max, size_t *n) {
    struct stmt *st;
    *n = 0;
    TRY(db_prep(d,
                "SELECT id, hash, n_chunks, stored_bytes, raw_bytes FROM xorb WHERE id > ? AND doomed = 0 ORDER BY id",
                &st));
    db_bind_i64(st, 1, after);
    for (;;) {
        bool row;
        TRY(db_step(st, &row));
        if (!row) return OK;
        struct str h = db_blob(st, 1);
        if (h.n != XET_HASH_LEN) return bad_hash(st);
        struct care_xorb *c = &out[(*n)++];
        c->id = db_i64(st, 0);
        memcpy(c->hash.b, h.p, XET_HASH_LEN);
        c->n_chunks = (uint32_t)db_i64(st, 2);
        c->stored_bytes = (uint64_t)db_i64(st, 3);
        c->raw_bytes = (uint64_t)db_i64(st, 4);
        if (*n == max) {
            db_done(st);
            return OK;
        }
    }
}

/* id, hash rows of a prepared statement that takes `after`. */
static err list_ids(struct stmt *st, int64_t after, struct scope_ids *out, size_t max, size_t *n) {
    *n = 0;
    db_bind_i64(st, 1, after);
    for (;;) {
        bool row;
        TRY(db_step(st, &row));
        if (!row) return OK;
        struct str h = db_blob(st, 1);
        if (h.n != XET_HASH_LEN) return bad_hash(st);
        out[*n].id = db_i64(st, 0);
        memcpy(out[*n].hash.b, h.p, XET_HASH_LEN);
        if (++*n == max) {
            db_done(st);
            return OK;
        }
    }
}

err xet_db_files(struct db *d, int64_t after, struct scope_ids *out, size_t max, size_t *n) {
    struct stmt *st;
    TRY(db_prep(d, "SELECT id, hash FROM xet_file WHERE id > ? ORDER BY id", &st));
    return list_ids(st, after, out, max, n);
}

err xet_db_gc_doomed(struct db *d, int64_t after, struct scope_ids *out, size_t max, size_t *n) {
    struct stmt *st;
    TRY(db_prep(d, "SELECT id, hash FROM xorb WHERE id > ? AND doomed = 1 ORDER BY id", &st));
    return list_ids(st, after, out, max, n);
}

err xet_db_lost_binding(struct db *d, int64_t *repo_id, uint8_t sha256[32], bool *found) {
    struct stmt *st;
    TRY(db_prep(
        d,
        "SELECT b.repo_id, b.sha256 FROM repo_file b WHERE (b.repo_id, b.sha256) > (?, ?) "
        "AND NOT EXISTS (SELECT 1 FROM xet_file f WHERE f.sha256 = b.sha256 AND f.size = b.size) ORDER BY 1, 2 LIMIT 1",
        &st));
    db_bind_i64(st, 1, *repo_id);
    db_bind_blob(st, 2, sha256, 32);
    TRY(db_step(st, found));
    if (!*found) return OK;
    struct str h = db_blob(st, 1);
    if (h.n != 32) return bad_hash(st);
    *repo_id = db_i64(st, 0);
    memcpy(sha256, h.p, 32);
    db_done(st);
    return OK;
}

err xet_db_dangling(struct db *d, uint64_t *n) {
    struct stmt *st;
    bool row;
    TRY(db_prep(d,
                "SELECT (SELECT count(*) FROM xet_ref r WHERE NOT EXISTS (SELECT 1 FROM xorb x WHERE x.id = r.xorb_id "
                "AND x.doomed = 0) "
                "OR NOT EXISTS (SELECT 1 FROM xet_file f WHERE f.id = r.file_id)) + "
                "(SELECT count(*) FROM xet_chunk c WHERE NOT EXISTS (SELECT 1 FROM xorb x WHERE x.id = c.xorb_id))",
                &st));
    TRY(db_step(st, &row));
    *n = row ? (uint64_t)db_i64(st, 0) : 0;
    if (row) db_done(st);
    return OK;
}

/* --- gc ------------------------------------------------------------------------------------------------ */

/* A file is needed while a repository that is not deleted names its bytes. */
#define FILE_NAMED                                                                                                     \
    "EXISTS (SELECT 1 FROM repo_file b WHERE b.sha256 = xet_file.sha256 AND NOT EXISTS "                               \
    "(SELECT 1 FROM repo p WHERE p.id = b.repo_id AND p.deleted_ms > 0))"
#define XORB_NEEDED                                                                                                    \
    "EXISTS (SELECT 1 FROM xet_ref r JOIN xet_file ON xet_file.id = r.file_id WHERE r.xorb_id = xorb.id "              \
    "AND " FILE_NAMED ")"

static err one_i64(struct db *d, const char *sql, int64_t limit_ms, int64_t *a, int64_t *b) {
    struct stmt *st;
    bool row;
    TRY(db_prep(d, sql, &st));
    db_bind_i64(st, 1, limit_ms);
    TRY(db_step(st, &row));
    *a = row ? db_i64(st, 0) : 0;
    *b = row ? db_i64(st, 1) : 0;
    if (row) db_done(st);
    return OK;
}

static err gc_count(struct db *d, struct gc_tx *g, int64_t limit_ms) {
    int64_t files, xorbs, bytes, none;
    TRY(one_i64(d, "SELECT count(*), 0 FROM xet_file WHERE orphan_ms <= ?", limit_ms, &files, &none));
    TRY(one_i64(d,
                "SELECT count(*), coalesce(sum(stored_bytes + 40 * n_chunks + 64), 0) FROM xorb WHERE orphan_ms <= ? "
                "AND doomed = 0 AND NOT " XORB_NEEDED,
                limit_ms, &xorbs, &bytes));
    g->n_files = (uint64_t)files;
    g->n_xorbs = (uint64_t)xorbs;
    g->freed_bytes = (uint64_t)bytes;
    return OK;
}

err xet_db_gc_mark(struct db *d, struct gc_tx *g) {
    int64_t limit_ms = g->now_ms - g->min_age_ms;
    TRY(db_exec(d, "UPDATE xet_file SET orphan_ms = NULL WHERE orphan_ms IS NOT NULL AND " FILE_NAMED, ""));
    TRY(db_exec(d, "UPDATE xet_file SET orphan_ms = ? WHERE orphan_ms IS NULL AND NOT " FILE_NAMED, "i", g->now_ms));
    TRY(db_exec(d, "UPDATE xorb SET orphan_ms = NULL WHERE orphan_ms IS NOT NULL AND " XORB_NEEDED, ""));
    TRY(db_exec(d, "UPDATE xorb SET orphan_ms = ? WHERE orphan_ms IS NULL AND NOT " XORB_NEEDED, "i", g->now_ms));
    TRY(gc_count(d, g, limit_ms));
    if (g->dry_run) return OK;
    TRY(db_exec(d, "DELETE FROM xet_ref WHERE file_id IN (SELECT id FROM xet_file WHERE orphan_ms <= ?)", "i",
                limit_ms));
    TRY(db_exec(d, "DELETE FROM repo_file WHERE sha256 IN (SELECT sha256 FROM xet_file WHERE orphan_ms <= ?)", "i",
                limit_ms));
    TRY(db_exec(d, "DELETE FROM xet_file WHERE orphan_ms <= ?", "i", limit_ms));
    TRY(db_exec(d,
                "UPDATE xorb SET doomed = 1 WHERE orphan_ms <= ? AND doomed = 0 AND NOT EXISTS (SELECT 1 FROM xet_ref "
                "r WHERE r.xorb_id = xorb.id)",
                "i", limit_ms));
    return db_exec(d, "DELETE FROM xet_chunk WHERE xorb_id IN (SELECT id FROM xorb WHERE doomed = 1)", "");
}

err xet_db_gc_is_doomed(struct db *d, int64_t xorb_id, bool *doomed) {
    struct stmt *st;
    TRY(db_prep(d, "SELECT 1 FROM xorb WHERE id = ? AND doomed = 1", &st));
    db_bind_i64(st, 1, xorb_id);
    TRY(db_step(st, doomed));
    if (*doomed) db_done(st);
    return OK;
}

err xet_db_gc_forget(struct db *d, int64_t xorb_id) {
    return db_exec(d, "DELETE FROM xorb WHERE id = ? AND doomed = 1", "i", xorb_id);
}
