/* SPDX-License-Identifier: Apache-2.0 */
/* app_db.c — queries of the command line. */
#include "app/app_db.h"

enum { APP_DB_MAX_ROWS = 100000 };

static err count(struct db *d, const char *sql, size_t *n) {
    struct stmt *st;
    bool row;
    TRY(db_prep(d, sql, &st));
    err e = db_step(st, &row);
    *n = e == OK && row ? (size_t)MIN(db_i64(st, 0), (int64_t)APP_DB_MAX_ROWS) : 0;
    db_done(st);
    return e;
}

err app_db_first_admin(struct db *d, struct arena *a, struct principal *out) {
    struct stmt *st;
    bool row;
    *out = (struct principal){.is_admin = true, .is_reviewer = true, .token_role = ROLE_ADMIN};
    TRY(db_prep(
        d,
        "SELECT id, name, fullname FROM owner WHERE is_admin = 1 AND is_org = 0 AND disabled = 0 ORDER BY id LIMIT 1",
        &st));
    err e = db_step(st, &row);
    if (e == OK && row) {
        out->user_id = db_i64(st, 0);
        out->name = arena_str(a, db_str(st, 1));
        out->fullname = arena_str(a, db_str(st, 2));
    }
    db_done(st);
    /* Who can open the data directory may do anything with it: without an administrator the command acts as the system.
     */
    if (e == OK && !row) out->name = out->fullname = STR("operator");
    return e;
}

err app_db_owners(struct db *d, struct arena *a, struct owner_rec **out, size_t *n) {
    size_t max;
    struct stmt *st;
    bool row;
    *n = 0;
    TRY(count(d, "SELECT count(*) FROM owner", &max));
    *out = arena_array(a, struct owner_rec, max + 1);
    TRY(db_prep(d,
                "SELECT id, is_org, is_admin, is_reviewer, disabled, name, fullname, email, created_ms FROM owner "
                "ORDER BY name_key",
                &st));
    err e;
    while ((e = db_step(st, &row)) == OK && row && *n < max)
        (*out)[(*n)++] = (struct owner_rec){
            db_i64(st, 0),      db_i64(st, 1) != 0,          db_i64(st, 2) != 0,          db_i64(st, 3) != 0,
            db_i64(st, 4) != 0, arena_str(a, db_str(st, 5)), arena_str(a, db_str(st, 6)), arena_str(a, db_str(st, 7)),
            db_i64(st, 8)};
    db_done(st);
    return e;
}

err app_db_tokens(struct db *d, struct arena *a, struct str user, struct app_token **out, size_t *n) {
    size_t max;
    struct stmt *st;
    bool row;
    *n = 0;
    TRY(count(d, "SELECT count(*) FROM token", &max));
    *out = arena_array(a, struct app_token, max + 1);
    TRY(db_prep(
        d,
        "SELECT t.id, o.name, t.name, t.hint, t.role, t.created_ms, t.expires_ms, t.used_ms, t.revoked_ms FROM token t "
        "JOIN owner o ON o.id = t.user_id WHERE ?1 = '' OR o.name_key = lower(?1) ORDER BY t.id",
        &st));
    db_bind_str(st, 1, user.n > 0 ? user : STR(""));
    err e;
    while ((e = db_step(st, &row)) == OK && row && *n < max)
        (*out)[(*n)++] = (struct app_token){.id = db_i64(st, 0),
                                            .user = arena_str(a, db_str(st, 1)),
                                            .name = arena_str(a, db_str(st, 2)),
                                            .hint = arena_str(a, db_str(st, 3)),
                                            .role = (enum role)db_i64(st, 4),
                                            .created_ms = db_i64(st, 5),
                                            .expires_ms = db_i64(st, 6),
                                            .used_ms = db_i64(st, 7),
                                            .revoked_ms = db_i64(st, 8)};
    db_done(st);
    return e;
}

err app_db_repos(struct db *d, struct arena *a, struct str owner, int type, struct repo_rec **out, size_t *n) {
    size_t max;
    struct stmt *st;
    bool row;
    *n = 0;
    TRY(count(d, "SELECT count(*) FROM repo WHERE deleted_ms = 0", &max));
    *out = arena_array(a, struct repo_rec, max + 1);
    TRY(db_prep(d,
                "SELECT r.id, r.type, r.owner_id, o.name, r.name, r.is_private, r.updated_ms, r.downloads FROM repo r "
                "JOIN owner o ON o.id = "
                "r.owner_id WHERE r.deleted_ms = 0 AND (?1 = '' OR o.name_key = lower(?1)) AND (?2 = 0 OR r.type = ?2) "
                "ORDER BY r.type, "
                "o.name_key, r.name_key",
                &st));
    db_bind_str(st, 1, owner.n > 0 ? owner : STR(""));
    db_bind_i64(st, 2, type);
    err e;
    while ((e = db_step(st, &row)) == OK && row && *n < max)
        (*out)[(*n)++] = (struct repo_rec){.id = db_i64(st, 0),
                                           .type = (enum repo_type)db_i64(st, 1),
                                           .owner_id = db_i64(st, 2),
                                           .owner = arena_str(a, db_str(st, 3)),
                                           .name = arena_str(a, db_str(st, 4)),
                                           .is_private = db_i64(st, 5) != 0,
                                           .updated_ms = db_i64(st, 6),
                                           .downloads = db_i64(st, 7)};
    db_done(st);
    return e;
}
