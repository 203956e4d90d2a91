/* SPDX-License-Identifier: Apache-2.0 */
/* hook_db.c — possession of large files, as the pre-receive hook needs it. */
#include "git/hook_db.h"

#include "base/hex.h"

err hook_db_has_file(struct db *d, int64_t repo_id, const char *sha256_hex, bool *yes) {
    uint8_t sha[32];
    struct stmt *st;
    *yes = false;
    if (!hex_decode(str_of(sha256_hex), sha, sizeof sha)) return OK;
    TRY(db_prep(d, "SELECT 1 FROM repo_file WHERE repo_id = ?1 AND sha256 = ?2", &st));
    db_bind_i64(st, 1, repo_id);
    db_bind_blob(st, 2, sha, sizeof sha);
    err e = db_step(st, yes);
    db_done(st);
    return e;
}
