/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xet_scope_db.c — what a token's holder may learn from the dedup index.
 *
 * Visibility rule (this room stands below id, so it is SQL over the shared tables): a repository is
 * readable when it is the token's own, or public and not gated, or its owner is the token's user or an
 * organisation the user is a member of. That is never wider than id's rule. A chunk's existence is a
 * side channel, so a xorb is spoken of only through files in readable repositories.
 */
#include "xet/xet_db.h"

err xet_db_scope_alive(struct db *d, const struct xet_scope *s) {
    struct stmt *st;
    bool row;
    TRY(db_prep(d, "SELECT deleted_ms FROM repo WHERE id = ?", &st));
    db_bind_i64(st, 1, s->repo_id);
    TRY(db_step(st, &row));
    bool gone = !row || db_i64(st, 0) != 0;
    if (row) db_done(st);
    if (gone) return err_fail(E_NOT_FOUND, "the repository of this Xet token was deleted");
    if (s->user_id == 0) return OK;
    TRY(db_prep(d, "SELECT disabled FROM owner WHERE id = ?", &st));
    db_bind_i64(st, 1, s->user_id);
    TRY(db_step(st, &row));
    bool off = !row || db_i64(st, 0) != 0;
    if (row) db_done(st);
    return off ? err_fail(E_FORBIDDEN, "the account of this Xet token is disabled") : OK;
}

static err ids_collect(struct stmt *st, struct scope_ids *out, size_t max, size_t *n) {
    *n = 0;
    for (;;) {
        bool row;
        TRY(db_step(st, &row));
        if (!row) return OK;
        struct str h = db_blob(st, 1);
        if (*n == max || h.n != XET_HASH_LEN) {
            db_done(st);
            return *n == max ? OK : err_fail(E_CORRUPT, "a hash in the database has a wrong length; run ballast fsck");
        }
        out[*n].id = db_i64(st, 0);
        memcpy(out[*n].hash.b, h.p, XET_HASH_LEN);
        ++*n;
    }
}

err xet_db_chunk_xorbs(struct db *d, const struct xet_hash *chunk, struct scope_ids *out, size_t max, size_t *n) {
    struct stmt *st;
    TRY(db_prep(
        d,
        "SELECT x.id, x.hash FROM xet_chunk c JOIN xorb x ON x.id = c.xorb_id WHERE c.hash = ? AND x.doomed = 0 "
        "ORDER BY x.id DESC LIMIT 16",
        &st));
    db_bind_blob(st, 1, chunk->b, XET_HASH_LEN);
    return ids_collect(st, out, max, n);
}

static err any_files(struct db *d, int64_t xorb_id, struct scope_ids *out, size_t max, size_t *n) {
    struct stmt *st;
    TRY(db_prep(d,
                "SELECT f.id, f.hash FROM xet_ref r JOIN xet_file f ON f.id = r.file_id WHERE r.xorb_id = ? ORDER BY "
                "f.id DESC LIMIT 16",
                &st));
    db_bind_i64(st, 1, xorb_id);
    return ids_collect(st, out, max, n);
}

err xet_db_xorb_files(struct db *d, int64_t xorb_id, const struct xet_scope *s, struct scope_ids *out, size_t max,
                      size_t *n) {
    if (s == NULL) return any_files(d, xorb_id, out, max, n);
    struct stmt *st;
    TRY(db_prep(
        d,
        "SELECT f.id, f.hash FROM xet_ref r JOIN xet_file f ON f.id = r.file_id WHERE r.xorb_id = ?1 AND f.n_terms <= "
        "32768 AND EXISTS ("
        "SELECT 1 FROM repo_file b JOIN repo p ON p.id = b.repo_id WHERE b.sha256 = f.sha256 AND p.deleted_ms = 0 AND ("
        "p.id = ?2 OR (p.is_private = 0 AND p.gated = '') OR p.owner_id = ?3 OR "
        "EXISTS (SELECT 1 FROM member m WHERE m.user_id = ?3 AND m.org_id = p.owner_id))) "
        "ORDER BY f.id DESC LIMIT 16",
        &st));
    db_bind_i64(st, 1, xorb_id);
    db_bind_i64(st, 2, s->repo_id);
    db_bind_i64(st, 3, s->user_id);
    return ids_collect(st, out, max, n);
}

err xet_db_xorb_visible(struct db *d, const struct xet_hash *h, const struct xet_scope *s, bool *visible) {
    struct stmt *st;
    bool row;
    *visible = false;
    TRY(db_prep(d, "SELECT id FROM xorb WHERE hash = ? AND doomed = 0", &st));
    db_bind_blob(st, 1, h->b, XET_HASH_LEN);
    TRY(db_step(st, &row));
    if (!row) return OK;
    int64_t id = db_i64(st, 0);
    db_done(st);
    struct scope_ids one;
    size_t n;
    TRY(xet_db_xorb_files(d, id, s, &one, 1, &n));
    *visible = n > 0;
    return OK;
}
