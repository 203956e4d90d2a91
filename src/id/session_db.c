/* SPDX-License-Identifier: Apache-2.0 */
/* session_db.c — browser sessions in the records, by the hash of their cookie. */
#include "base/clock.h"
#include "base/hex.h"
#include "id/id_int.h"

enum { TOUCH_MS = 60000, SESSIONS_PER_USER = 100 };

static err add_tx(struct db *d, void *arg) {
    const struct session_new *s = arg;
    int64_t now = clock_wall_ms();
    TRY(db_exec(d, "DELETE FROM session WHERE expires_ms < ?", "i", now));
    /* The least used give way, so that the table stays bounded by users. */
    TRY(db_exec(d,
                "DELETE FROM session WHERE hash IN (SELECT hash FROM session WHERE user_id = ? ORDER BY used_ms DESC "
                "LIMIT -1 OFFSET ?)",
                "ii", s->user_id, (int64_t)SESSIONS_PER_USER - 1));
    return db_exec(d,
                   "INSERT INTO session (hash, user_id, csrf, agent, created_ms, used_ms, expires_ms) VALUES (?1, ?2, "
                   "?3, ?4, ?5, ?5, ?6)",
                   "bissii", str_make(s->hash, SHA256_LEN), s->user_id, s->csrf, s->agent, now, s->expires_ms);
}

err session_db_add(struct id *id, const struct session_new *s) {
    struct session_new copy = *s;
    return db_write(id->store, add_tx, &copy);
}

struct touch_job {
    uint8_t hash[SHA256_LEN];
    int64_t now_ms;
};

static err touch_tx(struct db *d, void *arg) {
    struct touch_job j = *(struct touch_job *)arg;
    free(arg);
    return db_exec(d, "UPDATE session SET used_ms = ? WHERE hash = ?", "ib", j.now_ms, str_make(j.hash, SHA256_LEN));
}

static void touch(struct id *id, const uint8_t hash[SHA256_LEN], int64_t now_ms) {
    struct touch_job *j = malloc(sizeof *j);
    if (j == NULL) return;
    memcpy(j->hash, hash, SHA256_LEN);
    j->now_ms = now_ms;
    /* Only the list of sessions shows it, and the next use writes it again. */
    if (db_write_async(id->store, touch_tx, j) != OK) free(j);
}

err session_db_find(struct id *id, struct arena *a, const uint8_t hash[SHA256_LEN], struct principal *out,
                    bool *found) {
    struct stmt *st;
    int64_t now = clock_wall_ms();
    TRY(db_prep(
        db_reader(id->store),
        "SELECT s.user_id, s.csrf, s.used_ms, o.name, o.fullname, o.is_admin, o.is_reviewer, o.lang "
        "FROM session s JOIN owner o ON o.id = s.user_id WHERE s.hash = ? AND s.expires_ms > ? AND o.disabled = 0",
        &st));
    db_bind_blob(st, 1, hash, SHA256_LEN);
    db_bind_i64(st, 2, now);
    TRY(db_step(st, found));
    if (!*found) return OK;
    *out = (struct principal){.user_id = db_i64(st, 0),
                              .csrf = arena_str(a, db_str(st, 1)),
                              .name = arena_str(a, db_str(st, 3)),
                              .fullname = arena_str(a, db_str(st, 4)),
                              .is_admin = db_i64(st, 5) != 0,
                              .is_reviewer = db_i64(st, 6) != 0,
                              .token_role = ROLE_ADMIN,
                              .token_name = STR(""),
                              .by_session = true};
    int64_t used = db_i64(st, 2);
    out->has_lang = lang_of_record(db_str(st, 7), &out->lang);
    db_done(st);
    if (now - used >= TOUCH_MS) touch(id, hash, now);
    return OK;
}

struct end_job {
    int64_t user_id, n;
    struct str key, keep;
};

static err end_tx(struct db *d, void *arg) {
    struct end_job *j = arg;
    if (j->key.n > 0)
        TRY(db_exec(d, "DELETE FROM session WHERE user_id = ? AND lower(substr(hex(hash), 1, 16)) = ?", "is",
                    j->user_id, j->key));
    else TRY(db_exec(d, "DELETE FROM session WHERE user_id = ? AND hash IS NOT ?", "ib", j->user_id, j->keep));
    j->n = db_changes(d);
    return OK;
}

err session_db_end(struct id *id, int64_t user_id, struct str key_hex, struct str keep_hash, int64_t *n) {
    struct end_job j = {user_id, 0, key_hex, keep_hash};
    TRY(db_write(id->store, end_tx, &j));
    *n = j.n;
    return OK;
}

static err end_one_tx(struct db *d, void *arg) {
    return db_exec(d, "DELETE FROM session WHERE hash = ?", "b", str_make(arg, SHA256_LEN));
}

err session_db_end_one(struct id *id, const uint8_t hash[SHA256_LEN]) {
    uint8_t copy[SHA256_LEN];
    memcpy(copy, hash, SHA256_LEN);
    return db_write(id->store, end_one_tx, copy);
}

err id_session_list(struct id *id, struct arena *a, const struct http_req *r, int64_t user_id, struct session_rec **out,
                    size_t *n) {
    uint8_t mine[SHA256_LEN] = {0};
    struct str cookie = r != NULL ? http_cookie((struct http_req *)(uintptr_t)r, ID_COOKIE) : STR_NULL;
    if (cookie.n > 0) hash_sha256(cookie.p, cookie.n, mine);
    struct stmt *st;
    struct session_rec *v = arena_array(a, struct session_rec, ID_SESSION_LIST_MAX);
    TRY(db_prep(db_reader(id->store),
                "SELECT hash, agent, created_ms, used_ms, expires_ms FROM session WHERE user_id = ? AND expires_ms > ? "
                "ORDER BY used_ms DESC LIMIT ?",
                &st));
    db_bind_i64(st, 1, user_id);
    db_bind_i64(st, 2, clock_wall_ms());
    db_bind_i64(st, 3, ID_SESSION_LIST_MAX);
    *n = 0;
    for (;;) {
        bool row;
        TRY(db_step(st, &row));
        if (!row) break;
        struct str h = db_blob(st, 0);
        v[(*n)++] = (struct session_rec){.key = hex_str(a, h.p, MIN(h.n, (size_t)8)),
                                         .agent = arena_str(a, db_str(st, 1)),
                                         .created_ms = db_i64(st, 2),
                                         .used_ms = db_i64(st, 3),
                                         .expires_ms = db_i64(st, 4),
                                         .current = h.n == SHA256_LEN && memcmp(h.p, mine, SHA256_LEN) == 0};
    }
    *out = v;
    return OK;
}
