/* SPDX-License-Identifier: Apache-2.0 */
/* hub_fsck_db.c — what the records say there should be. */
#include "hub/hub_fsck.h"

enum { FSCK_MAX_REPOS = 1000000 };

err hub_fsck_db_repos(struct db *d, struct arena *a, struct hub_fsck_repo **out, size_t *n) {
    struct stmt *st;
    bool row;
    TRY(db_prep(d, "SELECT count(*) FROM repo WHERE deleted_ms = 0", &st));
    err e = db_step(st, &row);
    size_t max = e == OK && row ? (size_t)MIN(db_i64(st, 0), (int64_t)FSCK_MAX_REPOS) : 0;
    db_done(st);
    TRY(e);
    *n = 0;
    *out = arena_array(a, struct hub_fsck_repo, max + 1);
    TRY(db_prep(d,
                "SELECT r.id, o.name || '/' || r.name FROM repo r JOIN owner o ON o.id = r.owner_id WHERE r.deleted_ms "
                "= 0 ORDER BY r.id",
                &st));
    while ((e = db_step(st, &row)) == OK && row && *n < max)
        (*out)[(*n)++] = (struct hub_fsck_repo){db_i64(st, 0), arena_str(a, db_str(st, 1))};
    db_done(st);
    return e;
}

err hub_fsck_db_has_file(struct db *d, int64_t repo_id, const uint8_t sha256[32], uint64_t size, bool *yes) {
    struct stmt *st;
    TRY(db_prep(d, "SELECT 1 FROM repo_file WHERE repo_id = ?1 AND sha256 = ?2 AND size = ?3", &st));
    db_bind_i64(st, 1, repo_id);
    db_bind_blob(st, 2, sha256, 32);
    db_bind_i64(st, 3, (int64_t)size);
    err e = db_step(st, yes);
    db_done(st);
    return e;
}
