/* SPDX-License-Identifier: Apache-2.0 */
/* token_db.c — access tokens in the records. The secret itself is never stored. */
#include "base/clock.h"
#include "id/id_int.h"

static err token_event(struct db *d, const char *kind, int64_t user_id, int64_t token_id, struct str name,
                       enum role role) {
    struct event_draft e;
    event_begin(&e);
    jw_ki64(&e.w, "token", token_id);
    jw_kstr(&e.w, "name", name);
    jw_kcstr(&e.w, "role", id_role_name(role));
    return event_end(d, &e, kind, user_id, 0);
}

static err add_tx(struct db *d, void *arg) {
    struct token_new *t = arg;
    struct stmt *st;
    bool row;
    TRY(db_prep(d,
                "SELECT count(*), (SELECT count(*) FROM owner WHERE id = ?1 AND is_org = 0) FROM token WHERE user_id = "
                "?1 AND revoked_ms = 0",
                &st));
    db_bind_i64(st, 1, t->user_id);
    TRY(db_step(st, &row));
    int64_t live = row ? db_i64(st, 0) : 0;
    bool user = row && db_i64(st, 1) == 1;
    db_done(st);
    if (!user) return err_fail(E_NOT_FOUND, "there is no such user; only users have tokens");
    if (live >= ID_TOKEN_LIST_MAX)
        return err_fail(E_CONFLICT, "%d tokens are in force already; revoke some first", ID_TOKEN_LIST_MAX);
    err e = db_exec(
        d, "INSERT INTO token (user_id, name, hash, hint, role, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        "isbsiii", t->user_id, t->name, str_make(t->hash, SHA256_LEN), t->hint, (int64_t)t->role, clock_wall_ms(),
        t->expires_ms);
    if (e == E_CONFLICT) return err_fail(E_CONFLICT, "this token string is in use already; nothing was changed");
    TRY(e);
    t->id = db_last_id(d);
    return token_event(d, "token.created", t->user_id, t->id, t->name, t->role);
}

err token_db_add(struct id *id, struct token_new *t) {
    return db_write(id->store, add_tx, t);
}

struct revoke_job {
    int64_t user_id, token_id;
};

static err revoke_tx(struct db *d, void *arg) {
    const struct revoke_job *j = arg;
    struct arena a cleanup(arena_release);
    arena_init(&a, 16 * KiB);
    struct stmt *st;
    bool row;
    TRY(db_prep(d, "SELECT user_id, name, role, revoked_ms FROM token WHERE id = ?1 AND (?2 = 0 OR user_id = ?2)",
                &st));
    db_bind_i64(st, 1, j->token_id);
    db_bind_i64(st, 2, j->user_id);
    TRY(db_step(st, &row));
    if (!row) return err_fail(E_NOT_FOUND, "there is no token with number %" PRId64, j->token_id);
    int64_t user_id = db_i64(st, 0);
    struct str name = arena_str(&a, db_str(st, 1));
    enum role role = (enum role)db_i64(st, 2);
    bool already = db_i64(st, 3) != 0;
    db_done(st);
    if (already) return OK;
    TRY(db_exec(d, "UPDATE token SET revoked_ms = ? WHERE id = ?", "ii", clock_wall_ms(), j->token_id));
    return token_event(d, "token.revoked", user_id, j->token_id, name, role);
}

err token_db_revoke(struct id *id, int64_t user_id, int64_t token_id) {
    struct revoke_job j = {user_id, token_id};
    return db_write(id->store, revoke_tx, &j);
}

err token_db_find(struct db *d, struct arena *a, const uint8_t hash[SHA256_LEN], struct token_grant *out, bool *found) {
    struct stmt *st;
    TRY(db_prep(
        d,
        "SELECT t.id, t.user_id, t.expires_ms, t.used_ms, t.role, t.name, o.is_admin, o.is_reviewer, o.name, "
        "o.fullname, o.lang "
        "FROM token t JOIN owner o ON o.id = t.user_id WHERE t.hash = ? AND t.revoked_ms = 0 AND o.disabled = 0",
        &st));
    db_bind_blob(st, 1, hash, SHA256_LEN);
    TRY(db_step(st, found));
    if (!*found) return OK;
    int64_t role = db_i64(st, 4);
    *out = (struct token_grant){.token_id = db_i64(st, 0),
                                .user_id = db_i64(st, 1),
                                .expires_ms = db_i64(st, 2),
                                .used_ms = db_i64(st, 3),
                                .role = role >= ROLE_READ && role <= ROLE_ADMIN ? (enum role)role : ROLE_READ,
                                .token_name = arena_str(a, db_str(st, 5)),
                                .is_admin = db_i64(st, 6) != 0,
                                .is_reviewer = db_i64(st, 7) != 0,
                                .name = arena_str(a, db_str(st, 8)),
                                .fullname = arena_str(a, db_str(st, 9))};
    out->has_lang = lang_of_record(db_str(st, 10), &out->lang);
    db_done(st);
    return OK;
}

struct touch_job {
    int64_t token_id, now_ms;
};

static err touch_tx(struct db *d, void *arg) {
    struct touch_job j = *(struct touch_job *)arg;
    free(arg);
    return db_exec(d, "UPDATE token SET used_ms = ?1 WHERE id = ?2 AND used_ms < ?1", "ii", j.now_ms, j.token_id);
}

void token_db_touch(struct id *id, int64_t token_id, int64_t now_ms) {
    struct touch_job *j = malloc(sizeof *j);
    if (j == NULL) return;
    *j = (struct touch_job){token_id, now_ms};
    /* A last-use time that is a minute old harms nobody: the next use writes it again. */
    if (db_write_async(id->store, touch_tx, j) != OK) free(j);
}

err auth_db_gen(struct db *d, uint64_t *out) {
    struct stmt *st;
    bool row;
    TRY(db_prep(d, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'auth_gen'", &st));
    TRY(db_step(st, &row));
    *out = row ? (uint64_t)db_i64(st, 0) : 0;
    db_done(st);
    return row ? OK : err_fail(E_CORRUPT, "the record meta.auth_gen is missing; restore a backup");
}

err id_token_list(struct id *id, struct arena *a, int64_t user_id, struct token_rec **out, size_t *n) {
    struct stmt *st;
    struct token_rec *v = arena_array(a, struct token_rec, ID_TOKEN_LIST_MAX);
    TRY(db_prep(
        db_reader(id->store),
        "SELECT t.id, t.user_id, t.created_ms, t.expires_ms, t.used_ms, t.revoked_ms, o.name, t.name, t.hint, t.role "
        "FROM token t JOIN owner o ON o.id = t.user_id WHERE ?1 = 0 OR t.user_id = ?1 "
        "ORDER BY t.revoked_ms <> 0, t.id DESC LIMIT ?2",
        &st));
    db_bind_i64(st, 1, user_id);
    db_bind_i64(st, 2, ID_TOKEN_LIST_MAX);
    *n = 0;
    for (;;) {
        bool row;
        TRY(db_step(st, &row));
        if (!row) break;
        v[(*n)++] = (struct token_rec){.id = db_i64(st, 0),
                                       .user_id = db_i64(st, 1),
                                       .created_ms = db_i64(st, 2),
                                       .expires_ms = db_i64(st, 3),
                                       .used_ms = db_i64(st, 4),
                                       .revoked_ms = db_i64(st, 5),
                                       .user = arena_str(a, db_str(st, 6)),
                                       .name = arena_str(a, db_str(st, 7)),
                                       .hint = arena_str(a, db_str(st, 8)),
                                       .role = (enum role)db_i64(st, 9)};
    }
    *out = v;
    return OK;
}
