/* SPDX-License-Identifier: Apache-2.0 */
/* owner_db.c — users, organisations and members in the records; every change with its event. */
#include "base/clock.h"
#include "id/id_int.h"

#define COLS "id, is_org, name, fullname, email, is_admin, is_reviewer, disabled, created_ms"

static void row_read(struct stmt *st, struct arena *a, struct owner_rec *o) {
    *o = (struct owner_rec){.id = db_i64(st, 0),
                            .is_org = db_i64(st, 1) != 0,
                            .name = arena_str(a, db_str(st, 2)),
                            .fullname = arena_str(a, db_str(st, 3)),
                            .email = arena_str(a, db_str(st, 4)),
                            .is_admin = db_i64(st, 5) != 0,
                            .is_reviewer = db_i64(st, 6) != 0,
                            .disabled = db_i64(st, 7) != 0,
                            .created_ms = db_i64(st, 8)};
}

/* {"name": …, KEY: VALUE} as the payload of an owner's event. value is JSON. */
static err owner_event(struct db *d, const char *kind, struct str name, const char *key, struct str value) {
    struct event_draft e;
    event_begin(&e);
    jw_kstr(&e.w, "name", name);
    if (key != NULL) {
        jw_key(&e.w, key);
        jw_raw(&e.w, value);
    }
    return event_end(d, &e, kind, 0, 0);
}

static err add_tx(struct db *d, void *arg) {
    struct owner_new *o = arg;
    struct arena a cleanup(arena_release);
    arena_init(&a, 64 * KiB);
    err e = db_exec(d,
                    "INSERT INTO owner (is_org, name, name_key, fullname, email, password, is_admin, created_ms) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    "isssssii", (int64_t)o->is_org, o->name, id_name_key(&a, o->name),
                    o->fullname.p != NULL ? o->fullname : STR(""), o->email.p != NULL ? o->email : STR(""), o->password,
                    (int64_t)o->is_admin, clock_wall_ms());
    if (e == E_CONFLICT)
        return err_fail(E_CONFLICT, "the name " STR_FMT " is taken; nothing was changed", STR_ARG(o->name));
    TRY(e);
    o->id = db_last_id(d);
    if (!o->is_org) return owner_event(d, "user.created", o->name, "admin", o->is_admin ? STR("true") : STR("false"));
    e = db_exec(d, "INSERT INTO member (org_id, user_id, role) SELECT ?, id, ? FROM owner WHERE id = ? AND is_org = 0",
                "iii", o->id, (int64_t)ROLE_ADMIN, o->org_owner);
    TRY(e);
    if (db_changes(d) == 0)
        return err_fail(E_NOT_FOUND, "there is no such user to own the organisation; nothing was changed");
    return owner_event(d, "org.created", o->name, NULL, STR_NULL);
}

err owner_db_add(struct id *id, struct owner_new *o) {
    return db_write(id->store, add_tx, o);
}

/* --- flags, password, language ----------------------------------------------------------------------------------- */

struct flag_job {
    struct str name, key;
    const char *flag;
    bool on;
};

static err flag_tx(struct db *d, void *arg) {
    const struct flag_job *j = arg;
    static const struct {
        const char *flag, *sql, *kind[2];
    } ops[] = {
        {"disabled",
         "UPDATE owner SET disabled = ? WHERE name_key = ? AND is_org = 0",
         {"user.enabled", "user.disabled"}},
        {"is_reviewer",
         "UPDATE owner SET is_reviewer = ? WHERE name_key = ? AND is_org = 0",
         {"user.reviewer", "user.reviewer"}},
        {"is_admin", "UPDATE owner SET is_admin = ? WHERE name_key = ? AND is_org = 0", {"user.admin", "user.admin"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        if (strcmp(ops[i].flag, j->flag) != 0) continue;
        TRY(db_exec(d, ops[i].sql, "is", (int64_t)j->on, j->key));
        if (db_changes(d) == 0) return err_fail(E_NOT_FOUND, "there is no user " STR_FMT, STR_ARG(j->name));
        return owner_event(d, ops[i].kind[j->on], j->name, i == 0 ? NULL : "granted",
                           j->on ? STR("true") : STR("false"));
    }
    return err_fail(E_INTERNAL, "no such flag: %s", j->flag);
}

err owner_db_flag(struct id *id, struct str name, const char *flag, bool on) {
    struct arena a cleanup(arena_release);
    arena_init(&a, 16 * KiB);
    if (name.n > NAME_MAX_LEN)
        return err_fail(E_NOT_FOUND, "there is no user " STR_FMT, STR_ARG(str_sub(name, 0, 100)));
    struct flag_job j = {name, id_name_key(&a, name), flag, on};
    return db_write(id->store, flag_tx, &j);
}

err owner_db_password(struct db *d, struct arena *a, int64_t user_id, struct str *record, bool *disabled) {
    struct stmt *st;
    bool row;
    *record = STR("");
    *disabled = true;
    TRY(db_prep(d, "SELECT password, disabled FROM owner WHERE id = ? AND is_org = 0", &st));
    db_bind_i64(st, 1, user_id);
    TRY(db_step(st, &row));
    if (!row) return OK;
    *record = arena_str(a, db_str(st, 0));
    *disabled = db_i64(st, 1) != 0;
    db_done(st);
    return OK;
}

struct password_job {
    int64_t user_id;
    struct str record, keep;
};

static err password_tx(struct db *d, void *arg) {
    const struct password_job *j = arg;
    TRY(db_exec(d, "UPDATE owner SET password = ? WHERE id = ? AND is_org = 0", "si", j->record, j->user_id));
    if (db_changes(d) == 0) return err_fail(E_NOT_FOUND, "there is no such user");
    TRY(db_exec(d, "DELETE FROM session WHERE user_id = ? AND hash IS NOT ?", "ib", j->user_id, j->keep));
    int64_t seq;
    return event_append(d, "user.password", j->user_id, 0, STR("{}"), &seq);
}

err owner_db_password_set(struct id *id, int64_t user_id, struct str record, struct str keep_session) {
    struct password_job j = {user_id, record, keep_session};
    return db_write(id->store, password_tx, &j);
}

struct lang_job {
    int64_t user_id;
    struct str tag;
};
static err lang_tx(struct db *d, void *arg) {
    const struct lang_job *j = arg;
    return db_exec(d, "UPDATE owner SET lang = ? WHERE id = ?", "si", j->tag, j->user_id);
}
err owner_db_lang_set(struct id *id, int64_t user_id, struct str tag) {
    struct lang_job j = {user_id, tag};
    return db_write(id->store, lang_tx, &j);
}

/* --- members ---------------------------------------------------------------------------------------------------- */

struct member_job {
    int64_t org_id, user_id;
    enum role role;
};

static err member_names(struct db *d, struct arena *a, const struct member_job *j, struct str *org, struct str *user) {
    struct stmt *st;
    bool row;
    TRY(db_prep(
        d, "SELECT o.name, u.name FROM owner o, owner u WHERE o.id = ? AND o.is_org = 1 AND u.id = ? AND u.is_org = 0",
        &st));
    db_bind_i64(st, 1, j->org_id);
    db_bind_i64(st, 2, j->user_id);
    TRY(db_step(st, &row));
    if (!row) return err_fail(E_NOT_FOUND, "there is no such organisation or no such user");
    *org = arena_str(a, db_str(st, 0));
    *user = arena_str(a, db_str(st, 1));
    db_done(st);
    return OK;
}

static err admins_left(struct db *d, int64_t org_id, int64_t *n) {
    struct stmt *st;
    bool row;
    TRY(db_prep(d, "SELECT count(*) FROM member WHERE org_id = ? AND role = ?", &st));
    db_bind_i64(st, 1, org_id);
    db_bind_i64(st, 2, ROLE_ADMIN);
    TRY(db_step(st, &row));
    *n = row ? db_i64(st, 0) : 0;
    db_done(st);
    return OK;
}

static err member_tx(struct db *d, void *arg) {
    const struct member_job *j = arg;
    struct arena a cleanup(arena_release);
    arena_init(&a, 64 * KiB);
    struct str org, user;
    int64_t admins;
    TRY(member_names(d, &a, j, &org, &user));
    if (j->role == ROLE_NONE)
        TRY(db_exec(d, "DELETE FROM member WHERE org_id = ? AND user_id = ?", "ii", j->org_id, j->user_id));
    else
        TRY(db_exec(d,
                    "INSERT INTO member (org_id, user_id, role) VALUES (?, ?, ?) ON CONFLICT (org_id, user_id) DO "
                    "UPDATE SET role = excluded.role",
                    "iii", j->org_id, j->user_id, (int64_t)j->role));
    TRY(admins_left(d, j->org_id, &admins));
    if (admins == 0)
        return err_fail(E_CONFLICT, "organisation " STR_FMT " would have no administrator left; nothing was changed",
                        STR_ARG(org));
    struct event_draft e;
    event_begin(&e);
    jw_kstr(&e.w, "org", org);
    jw_kstr(&e.w, "user", user);
    jw_kcstr(&e.w, "role", id_role_name(j->role));
    return event_end(d, &e, "org.member", 0, 0);
}

err member_db_set(struct id *id, int64_t org_id, int64_t user_id, enum role role) {
    struct member_job j = {org_id, user_id, role};
    return db_write(id->store, member_tx, &j);
}

err member_db_role(struct db *d, int64_t org_id, int64_t user_id, enum role *out) {
    struct stmt *st;
    bool row;
    *out = ROLE_NONE;
    TRY(db_prep(d, "SELECT role FROM member WHERE org_id = ? AND user_id = ?", &st));
    db_bind_i64(st, 1, org_id);
    db_bind_i64(st, 2, user_id);
    TRY(db_step(st, &row));
    if (row && db_i64(st, 0) > ROLE_NONE && db_i64(st, 0) <= ROLE_ADMIN) *out = (enum role)db_i64(st, 0);
    db_done(st);
    return OK;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

err id_owner_find(struct id *id, struct arena *a, struct str name, struct owner_rec *out) {
    struct stmt *st;
    bool row = false;
    if (name.n > 0 && name.n <= NAME_MAX_LEN) {
        TRY(db_prep(db_reader(id->store), "SELECT " COLS " FROM owner WHERE name_key = ?", &st));
        db_bind_str(st, 1, id_name_key(a, name));
        TRY(db_step(st, &row));
    }
    if (!row) return err_fail(E_NOT_FOUND, "there is no user or organisation " STR_FMT, STR_ARG(str_sub(name, 0, 100)));
    row_read(st, a, out);
    db_done(st);
    return OK;
}

err id_owner_get(struct id *id, struct arena *a, int64_t owner_id, struct owner_rec *out) {
    struct stmt *st;
    bool row;
    TRY(db_prep(db_reader(id->store), "SELECT " COLS " FROM owner WHERE id = ?", &st));
    db_bind_i64(st, 1, owner_id);
    TRY(db_step(st, &row));
    if (!row) return err_fail(E_NOT_FOUND, "there is no user or organisation with number %" PRId64, owner_id);
    row_read(st, a, out);
    db_done(st);
    return OK;
}

/* Reads every row of a prepared statement whose columns are COLS and then, with roles, a role. */
static err rows_read(struct stmt *st, struct arena *a, struct owner_rec **out, enum role **roles, size_t *n) {
    size_t cap = 16, have = 0;
    struct owner_rec *v = arena_array(a, struct owner_rec, cap);
    enum role *r = arena_array(a, enum role, cap);
    for (;;) {
        bool row;
        TRY(db_step(st, &row));
        if (!row) break;
        if (have == cap) {
            struct owner_rec *v2 = arena_array(a, struct owner_rec, cap * 2);
            enum role *r2 = arena_array(a, enum role, cap * 2);
            memcpy(v2, v, have * sizeof *v);
            memcpy(r2, r, have * sizeof *r);
            v = v2;
            r = r2;
            cap *= 2;
        }
        row_read(st, a, &v[have]);
        if (roles != NULL) r[have] = (enum role)db_i64(st, 9);
        have++;
    }
    *out = v;
    if (roles != NULL) *roles = r;
    *n = have;
    return OK;
}

err id_owner_list(struct id *id, struct arena *a, int kind, struct owner_rec **out, size_t *n) {
    struct stmt *st;
    TRY(db_prep(db_reader(id->store),
                "SELECT " COLS " FROM owner WHERE ?1 = 0 OR is_org = ?1 - 1 ORDER BY name_key LIMIT ?2", &st));
    db_bind_i64(st, 1, kind);
    db_bind_i64(st, 2, ID_LIST_MAX);
    return rows_read(st, a, out, NULL, n);
}

#define JOINED                                                                                                         \
    "o.id, o.is_org, o.name, o.fullname, o.email, o.is_admin, o.is_reviewer, o.disabled, o.created_ms, m.role"

err id_members_of(struct id *id, struct arena *a, int64_t org_id, struct owner_rec **users, enum role **roles,
                  size_t *n) {
    struct stmt *st;
    TRY(db_prep(db_reader(id->store),
                "SELECT " JOINED
                " FROM member m JOIN owner o ON o.id = m.user_id WHERE m.org_id = ? ORDER BY o.name_key LIMIT ?",
                &st));
    db_bind_i64(st, 1, org_id);
    db_bind_i64(st, 2, ID_LIST_MAX);
    return rows_read(st, a, users, roles, n);
}

err id_orgs_of(struct id *id, struct arena *a, int64_t user_id, struct owner_rec **orgs, enum role **roles, size_t *n) {
    struct stmt *st;
    TRY(db_prep(db_reader(id->store),
                "SELECT " JOINED
                " FROM member m JOIN owner o ON o.id = m.org_id WHERE m.user_id = ? ORDER BY o.name_key LIMIT ?",
                &st));
    db_bind_i64(st, 1, user_id);
    db_bind_i64(st, 2, ID_LIST_MAX);
    return rows_read(st, a, orgs, roles, n);
}

err owner_db_counts(struct db *d, int64_t owner_id, bool with_private, struct repo_counts *out) {
    struct stmt *st;
    *out = (struct repo_counts){0};
    TRY(db_prep(d,
                "SELECT type, count(*) FROM repo WHERE owner_id = ?1 AND deleted_ms = 0 AND (is_private = 0 OR ?2) "
                "GROUP BY type",
                &st));
    db_bind_i64(st, 1, owner_id);
    db_bind_i64(st, 2, with_private);
    for (;;) {
        bool row;
        TRY(db_step(st, &row));
        if (!row) return OK;
        int64_t type = db_i64(st, 0), n = db_i64(st, 1);
        if (type == REPO_MODEL) out->models = n;
        if (type == REPO_DATASET) out->datasets = n;
        if (type == REPO_SPACE) out->spaces = n;
    }
}
