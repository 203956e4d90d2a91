/* SPDX-License-Identifier: Apache-2.0 */
/*
 * migrate.c — brings the schema to what this binary knows.
 *
 * Rooms own ranges of numbers, so a lower number may appear after a higher one was applied: the table
 * `migration` records each, and those missing are applied in order of number, all in one transaction.
 * A database that holds a number this binary does not know was written by a newer one and is refused;
 * so is one whose recorded migration differs from ours under the same number.
 */
#include "base/clock.h"
#include "base/log.h"
#include "store/store_int.h"

enum { APP_ID = 0x426c7374 /* "Blst" */, MIGRATIONS_MAX = 1024 };

static const struct migration *known(const struct migration *m, size_t n, int64_t number) {
    for (size_t i = 0; i < n; i++)
        if (m[i].number == number) return &m[i];
    return NULL;
}

static err read_i64(struct db *d, const char *sql, int64_t *out) {
    struct stmt *st;
    bool row;
    TRY(db_prep(d, sql, &st));
    TRY(db_step(st, &row));
    *out = row ? db_i64(st, 0) : 0;
    db_done(st);
    return OK;
}

/* A file that is not ours is left alone. */
static err check_owner(struct db *d) {
    int64_t app_id, tables;
    TRY(read_i64(d, "PRAGMA application_id", &app_id));
    TRY(read_i64(d, "SELECT count(*) FROM sqlite_master", &tables));
    if (app_id == APP_ID || (app_id == 0 && tables == 0)) return OK;
    return err_fail(E_CONFLICT, "%s is a database of another program; it was not touched", d->store->db_path);
}

/* Marks in done[] what is applied already; *n_done counts. */
static err check_applied(struct db *d, const struct migration *m, size_t n, bool *done, size_t *n_done) {
    struct stmt *st;
    bool row;
    *n_done = 0;
    TRY(db_prep(d, "SELECT number, name, digest FROM migration ORDER BY number", &st));
    for (;;) {
        TRY(db_step(st, &row));
        if (!row) return OK;
        const struct migration *k = known(m, n, db_i64(st, 0));
        struct str name = db_str(st, 1);
        if (k == NULL) {
            err e = err_fail(E_CONFLICT,
                             "%s was written by a newer ballast (it has migration " STR_FMT
                             "); install that version or restore a backup; nothing was changed",
                             d->store->db_path, STR_ARG(name));
            db_done(st);
            return e;
        }
        if (!str_eqz(db_str(st, 2), k->digest)) {
            err e = err_fail(E_CONFLICT,
                             "%s holds a different migration " STR_FMT
                             " than this ballast; they are not versions of one program; nothing was changed",
                             d->store->db_path, STR_ARG(name));
            db_done(st);
            return e;
        }
        done[k - m] = true;
        (*n_done)++;
    }
}

static err apply(struct db *d, const struct migration *m) {
    int rc = sqlite3_exec(d->h, m->sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK) {
        char text[256];
        snprintf(text, sizeof text, "%s", sqlite3_errmsg(d->h));
        return err_fail(E_CORRUPT, "migration %s of %s failed: %s; nothing was changed", m->name, d->store->db_path,
                        text);
    }
    TRY(db_exec(d, "INSERT INTO migration (number, name, digest, time_ms) VALUES (?, ?, ?, ?)", "issi",
                (int64_t)m->number, str_of(m->name), str_of(m->digest), clock_wall_ms()));
    log_debug("store.migrated", LZ("name", m->name));
    return OK;
}

static err migrate_locked(struct db *d, const struct migration *m, size_t n) {
    TRY(db_run_text(d, "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, digest "
                       "TEXT NOT NULL, time_ms INTEGER NOT NULL)"));
    bool done[MIGRATIONS_MAX] = {false};
    size_t n_done;
    TRY(check_applied(d, m, n, done, &n_done)); /* again: another process may have been faster */
    for (size_t i = 0; i < n; i++)
        if (!done[i]) TRY(apply(d, &m[i]));
    char sql[80];
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d", APP_ID, n > 0 ? m[n - 1].number : 0);
    return db_run_text(d, sql);
}

/* Two processes may create the file at once; the switch to WAL does not always ask the busy handler. */
static err wal_mode(struct db *d) {
    err e = OK;
    for (int i = 0; i < 50; i++) {
        e = db_run_text(d, "PRAGMA journal_mode=WAL");
        if (e != E_UNAVAILABLE) break;
        sqlite3_sleep(100);
    }
    return e;
}

err migrate_run(struct db *d, const struct migration *m, size_t n) {
    BUG_ON(n > MIGRATIONS_MAX);
    TRY(check_owner(d));
    TRY(wal_mode(d));
    int64_t tables;
    bool done[MIGRATIONS_MAX] = {false};
    size_t n_done = 0;
    TRY(read_i64(d, "SELECT count(*) FROM sqlite_master WHERE name = 'migration'", &tables));
    if (tables > 0) TRY(check_applied(d, m, n, done, &n_done));
    if (n_done == n && n > 0) return OK;
    TRY(db_run_text(d, "BEGIN IMMEDIATE"));
    err e = migrate_locked(d, m, n);
    if (e == OK) e = db_run_text(d, "COMMIT");
    if (e == OK) return OK;
    db_reset_all(d);
    if (sqlite3_get_autocommit(d->h) == 0) sqlite3_exec(d->h, "ROLLBACK", NULL, NULL, NULL);
    return e;
}
