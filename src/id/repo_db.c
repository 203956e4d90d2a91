/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repo_db.c — the identity of repositories: finding them by name, old names included.
 *
 * A moved repository leaves its old name in repo_alias, by repository number, so a chain of moves
 * is one hop. A name that redirects to somebody else's repository is burned for new ones.
 */
#include "id/id_int.h"

#define COLS                                                                                                           \
    "r.id, r.type, r.owner_id, o.name, r.name, r.is_private, r.gated, r.created_ms, r.updated_ms, r.downloads, "       \
    "r.likes "                                                                                                         \
    "FROM repo r JOIN owner o ON o.id = r.owner_id "

static void row_read(struct stmt *st, struct arena *a, struct repo_rec *r) {
    *r = (struct repo_rec){.id = db_i64(st, 0),
                           .type = (enum repo_type)db_i64(st, 1),
                           .owner_id = db_i64(st, 2),
                           .owner = arena_str(a, db_str(st, 3)),
                           .name = arena_str(a, db_str(st, 4)),
                           .is_private = db_i64(st, 5) != 0,
                           .gated = arena_str(a, db_str(st, 6)),
                           .created_ms = db_i64(st, 7),
                           .updated_ms = db_i64(st, 8),
                           .downloads = db_i64(st, 9),
                           .likes = db_i64(st, 10),
                           .my_role = ROLE_NONE};
}

static err not_found(struct str owner, struct str name) {
    return err_fail(E_REPO_NOT_FOUND, "repository " STR_FMT "/" STR_FMT " does not exist, or you may not see it",
                    STR_ARG(str_sub(owner, 0, 100)), STR_ARG(str_sub(name, 0, 100)));
}

err repo_find(struct id *id, struct arena *a, enum repo_type t, struct str owner, struct str name, struct repo_rec *out,
              bool *moved) {
    struct db *d = db_reader(id->store);
    struct stmt *st;
    bool row;
    if (moved != NULL) *moved = false;
    if (owner.n == 0 || owner.n > NAME_MAX_LEN || name.n == 0 || name.n > NAME_MAX_LEN) return not_found(owner, name);
    struct str owner_key = id_name_key(a, owner), name_key = id_name_key(a, name);
    TRY(db_prep(d, "SELECT " COLS "WHERE o.name_key = ? AND r.name_key = ? AND r.type = ? AND r.deleted_ms = 0", &st));
    db_bind_str(st, 1, owner_key);
    db_bind_str(st, 2, name_key);
    db_bind_i64(st, 3, t);
    TRY(db_step(st, &row));
    if (!row) {
        TRY(db_prep(d,
                    "SELECT " COLS "WHERE r.deleted_ms = 0 AND r.id = (SELECT al.repo_id FROM repo_alias al JOIN owner "
                    "ao ON ao.id = al.owner_id "
                    "WHERE ao.name_key = ? AND al.name_key = ? AND al.type = ?)",
                    &st));
        db_bind_str(st, 1, owner_key);
        db_bind_str(st, 2, name_key);
        db_bind_i64(st, 3, t);
        TRY(db_step(st, &row));
        if (!row) return not_found(owner, name);
        if (moved != NULL) *moved = true;
    }
    row_read(st, a, out);
    db_done(st);
    return OK;
}

err repo_get(struct id *id, struct arena *a, int64_t repo_id, struct repo_rec *out) {
    struct stmt *st;
    bool row;
    TRY(db_prep(db_reader(id->store), "SELECT " COLS "WHERE r.id = ? AND r.deleted_ms = 0", &st));
    db_bind_i64(st, 1, repo_id);
    TRY(db_step(st, &row));
    if (!row)
        return err_fail(E_REPO_NOT_FOUND, "repository number %" PRId64 " does not exist, or you may not see it",
                        repo_id);
    row_read(st, a, out);
    db_done(st);
    return OK;
}

err repo_name_claim(struct db *d, enum repo_type t, int64_t owner_id, struct str name, int64_t repo_id) {
    struct arena a cleanup(arena_release);
    arena_init(&a, 16 * KiB);
    struct str key = id_name_key(&a, name);
    struct stmt *st;
    bool row;
    TRY(db_prep(d,
                "SELECT (SELECT count(*) FROM repo WHERE type = ?1 AND owner_id = ?2 AND name_key = ?3 AND deleted_ms "
                "= 0 AND id <> ?4), "
                "(SELECT count(*) FROM repo_alias al JOIN repo r ON r.id = al.repo_id "
                "WHERE al.type = ?1 AND al.owner_id = ?2 AND al.name_key = ?3 AND r.owner_id <> ?2 AND r.deleted_ms = "
                "0 AND r.id <> ?4)",
                &st));
    db_bind_i64(st, 1, t);
    db_bind_i64(st, 2, owner_id);
    db_bind_str(st, 3, key);
    db_bind_i64(st, 4, repo_id);
    TRY(db_step(st, &row));
    bool taken = row && db_i64(st, 0) > 0, burned = row && db_i64(st, 1) > 0;
    db_done(st);
    if (taken) return err_fail(E_CONFLICT, "a repository called " STR_FMT " exists already", STR_ARG(name));
    if (burned)
        return err_fail(E_CONFLICT,
                        "the name " STR_FMT
                        " redirects to a repository that was moved to another owner; choose another",
                        STR_ARG(name));
    return db_exec(d, "DELETE FROM repo_alias WHERE type = ? AND owner_id = ? AND name_key = ?", "iis", (int64_t)t,
                   owner_id, key);
}
