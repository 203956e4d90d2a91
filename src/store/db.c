/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.c — one SQLite connection: opening, the statement cache, binding and stepping.
 *
 * Statements are cached per connection by their SQL text, so a literal is compiled once and text
 * built at run time is safe too. A statement is *live* from db_prep to its end (db_done, an error,
 * or the last row); a live SELECT holds a read transaction, hence: never live across a suspension.
 * Asking for text that is live already (recursion) gives a private copy.
 */
#include "store/store_int.h"

#include <stdarg.h>

#include "base/clock.h"
#include "base/log.h"

err db_error(struct db *d, int rc, const char *what) {
    const char *msg = d->h != NULL ? sqlite3_errmsg(d->h) : sqlite3_errstr(rc);
    switch (rc & 0xff) {
    case SQLITE_CONSTRAINT: return err_fail(E_CONFLICT, "the record conflicts with an existing one (%s)", msg);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_fail(E_UNAVAILABLE, "the database is busy (%s); nothing was changed, try again", what);
    case SQLITE_NOMEM: return err_fail(E_NOMEM, "out of memory in the database (%s); nothing was changed", what);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return err_fail(E_CORRUPT, "the database is damaged (%s: %s); run ballast fsck", what, msg);
    case SQLITE_FULL: return err_fail(E_IO, "the disk of the database is full (%s); nothing was changed", what);
    default: return err_fail(E_IO, "the database failed (%s: %s); nothing was changed", what, msg);
    }
}

err db_run_text(struct db *d, const char *sql) {
    int rc = sqlite3_exec(d->h, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? OK : db_error(d, rc, sql);
}

static err db_setup(struct db *d) {
    sqlite3_busy_timeout(d->h, d->writer ? STORE_BUSY_MS : 1000);
    sqlite3_extended_result_codes(d->h, 1);
    sqlite3_limit(d->h, SQLITE_LIMIT_LENGTH, 64 << 20);
    sqlite3_limit(d->h, SQLITE_LIMIT_ATTACHED, 0);
    if (d->writer) {
        TRY(db_run_text(d, "PRAGMA synchronous=FULL"));
        TRY(db_run_text(d, "PRAGMA foreign_keys=ON"));
        TRY(db_run_text(d, "PRAGMA journal_size_limit=16777216"));
        TRY(db_run_text(d, "PRAGMA cache_size=-8000"));
    } else {
        TRY(db_run_text(d, "PRAGMA cache_size=-2000"));
    }
    TRY(db_run_text(d, "PRAGMA trusted_schema=OFF"));
    TRY(db_run_text(d, "PRAGMA temp_store=MEMORY"));
    return db_run_text(d, "PRAGMA mmap_size=268435456");
}

err db_open_file(struct store *s, bool writer, struct db **out) {
    struct db *d = calloc(1, sizeof *d);
    if (d == NULL) return err_fail(E_NOMEM, "out of memory");
    d->store = s;
    d->writer = writer;
    int flags = SQLITE_OPEN_NOMUTEX | (writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    int rc = sqlite3_open_v2(s->db_path, &d->h, flags, NULL);
    err e = rc == SQLITE_OK ? db_setup(d) : err_fail(E_IO, "cannot open %s: %s", s->db_path, sqlite3_errstr(rc));
    if (e != OK) {
        db_free(d);
        return e;
    }
    *out = d;
    return OK;
}

void db_free(struct db *d) {
    if (d == NULL) return;
    for (unsigned i = 0; i < d->n_spare; i++) {
        sqlite3_finalize(d->spare[i]->h);
        free(d->spare[i]);
    }
    for (unsigned i = 0; i < DB_CACHE_MAX; i++) {
        if (d->cache[i] == NULL) continue;
        sqlite3_finalize(d->cache[i]->h);
        free(d->cache[i]);
    }
    sqlite3_close_v2(d->h);
    free(d);
}

/* --- the cache -------------------------------------------------------------------------------------- */

/* A statement leaves use: the read transaction ends here when it was the last one. */
static void stmt_end(struct stmt *st) {
    if (!st->live) return;
    st->live = false;
    st->db->n_live--;
    sqlite3_reset(st->h); /* its code repeats the step's, which was reported */
    if (!st->cached) {
        sqlite3_finalize(st->h);
        st->h = NULL;
    }
}

void db_reset_all(struct db *d) {
    if (d->n_live == 0) return;
    for (unsigned i = 0; i < DB_CACHE_MAX; i++)
        if (d->cache[i] != NULL) stmt_end(d->cache[i]);
    for (unsigned i = 0; i < d->n_spare; i++) stmt_end(d->spare[i]);
}

/* Forget everything that is not in use; the cache is emptied rather than aged, which happens once in many thousand. */
static void cache_clear(struct db *d) {
    struct stmt *keep[DB_LIVE_MAX];
    unsigned n = 0;
    for (unsigned i = 0; i < DB_CACHE_MAX; i++) {
        struct stmt *st = d->cache[i];
        d->cache[i] = NULL;
        if (st == NULL) continue;
        if (st->live) {
            BUG_ON(n == DB_LIVE_MAX);
            keep[n++] = st;
            continue;
        }
        sqlite3_finalize(st->h);
        free(st);
    }
    d->n_cached = n;
    for (unsigned k = 0; k < n; k++) {
        size_t i = keep[k]->hash % DB_CACHE_MAX;
        while (d->cache[i] != NULL) i = (i + 1) % DB_CACHE_MAX;
        d->cache[i] = keep[k];
    }
}

static struct stmt *cache_find(struct db *d, uint64_t hash, const char *sql) {
    for (size_t i = hash % DB_CACHE_MAX; d->cache[i] != NULL; i = (i + 1) % DB_CACHE_MAX)
        if (d->cache[i]->hash == hash && strcmp(sqlite3_sql(d->cache[i]->h), sql) == 0) return d->cache[i];
    return NULL;
}

static err stmt_compile(struct db *d, struct stmt *st, const char *sql, unsigned flags) {
    const char *tail = NULL;
    int rc = sqlite3_prepare_v3(d->h, sql, -1, flags, &st->h, &tail);
    if (rc == SQLITE_OK && (st->h == NULL || tail == NULL || *tail != 0)) {
        sqlite3_finalize(st->h);
        st->h = NULL;
        return err_fail(E_INTERNAL, "not exactly one SQL statement: %s", sql);
    }
    return rc == SQLITE_OK ? OK : db_error(d, rc, sql);
}

static err cache_add(struct db *d, uint64_t hash, const char *sql, struct stmt **out) {
    if (d->n_cached >= DB_CACHE_MAX * 3 / 4) cache_clear(d);
    struct stmt *st = calloc(1, sizeof *st);
    if (st == NULL) return err_fail(E_NOMEM, "out of memory");
    st->db = d;
    st->hash = hash;
    st->cached = true;
    err e = stmt_compile(d, st, sql, SQLITE_PREPARE_PERSISTENT);
    if (e != OK) {
        free(st);
        return e;
    }
    size_t i = hash % DB_CACHE_MAX;
    while (d->cache[i] != NULL) i = (i + 1) % DB_CACHE_MAX;
    d->cache[i] = st;
    d->n_cached++;
    *out = st;
    return OK;
}

/* The same text is live already: a private copy that lives until its db_done. */
static err spare_add(struct db *d, const char *sql, struct stmt **out) {
    struct stmt *st = NULL;
    for (unsigned i = 0; i < d->n_spare && st == NULL; i++)
        if (!d->spare[i]->live) st = d->spare[i];
    if (st == NULL) {
        if (d->n_spare == DB_LIVE_MAX) return err_fail(E_INTERNAL, "too many statements in use at once: %s", sql);
        st = calloc(1, sizeof *st);
        if (st == NULL) return err_fail(E_NOMEM, "out of memory");
        st->db = d;
        d->spare[d->n_spare++] = st;
    }
    TRY(stmt_compile(d, st, sql, 0));
    *out = st;
    return OK;
}

/* A reader whose statement was never ended sees a frozen past: say so once, loudly, with the statement. */
static void leak_check(struct db *d) {
    if (d->writer || d->n_live == 0 || d->warned_leak || store_coarse_ms() - d->live_since_ms < 2000) return;
    d->warned_leak = true;
    for (unsigned i = 0; i < DB_CACHE_MAX; i++)
        if (d->cache[i] != NULL && d->cache[i]->live)
            log_warn("store.statement_left_open", LZ("sql", sqlite3_sql(d->cache[i]->h)),
                     LI("ms", store_coarse_ms() - d->live_since_ms));
}

err db_prep(struct db *d, const char *sql_literal, struct stmt **out) {
    if (d->h == NULL) return db_error(d, d->open_rc, "opening a reader");
    leak_check(d);
    if (d->n_live >= DB_LIVE_MAX) return err_fail(E_INTERNAL, "too many statements in use at once: %s", sql_literal);
    uint64_t hash = str_hash(str_of(sql_literal));
    struct stmt *st = cache_find(d, hash, sql_literal);
    if (st == NULL) TRY(cache_add(d, hash, sql_literal, &st));
    else if (st->live) TRY(spare_add(d, sql_literal, &st));
    else sqlite3_clear_bindings(st->h);
    if (d->n_live++ == 0) d->live_since_ms = store_coarse_ms();
    st->live = true;
    st->finished = false;
    st->bind_rc = SQLITE_OK;
    *out = st;
    return OK;
}

/* --- binding and stepping ------------------------------------------------------------------------------ */

static void bound(struct stmt *st, int rc) {
    if (rc != SQLITE_OK && st->bind_rc == SQLITE_OK) st->bind_rc = rc;
}

void db_bind_i64(struct stmt *st, int i, int64_t v) {
    bound(st, sqlite3_bind_int64(st->h, i, v));
}

void db_bind_str(struct stmt *st, int i, struct str v) {
    if (v.p == NULL) bound(st, sqlite3_bind_null(st->h, i));
    else bound(st, sqlite3_bind_text64(st->h, i, v.p, v.n, SQLITE_STATIC, SQLITE_UTF8));
}

void db_bind_blob(struct stmt *st, int i, const void *p, size_t n) {
    bound(st, n == 0 ? sqlite3_bind_zeroblob(st->h, i, 0) : sqlite3_bind_blob64(st->h, i, p, n, SQLITE_STATIC));
}

void db_bind_double(struct stmt *st, int i, double v) {
    bound(st, sqlite3_bind_double(st->h, i, v));
}

void db_bind_null(struct stmt *st, int i) {
    bound(st, sqlite3_bind_null(st->h, i));
}

err db_step(struct stmt *st, bool *row) {
    *row = false;
    if (st->finished) return OK;
    BUG_ON(!st->live); /* used after db_done */
    if (st->bind_rc != SQLITE_OK) {
        const char *sql = sqlite3_sql(st->h);
        err e = err_fail(E_INTERNAL, "bad parameter (%s) in %s", sqlite3_errstr(st->bind_rc), sql);
        stmt_end(st);
        return e;
    }
    int rc = sqlite3_step(st->h);
    if (rc == SQLITE_ROW) {
        *row = true;
        return OK;
    }
    if (rc == SQLITE_DONE) {
        st->finished = true;
        stmt_end(st);
        return OK;
    }
    err e = db_error(st->db, rc, sqlite3_sql(st->h));
    stmt_end(st);
    return e;
}

int64_t db_i64(struct stmt *st, int col) {
    return sqlite3_column_int64(st->h, col);
}
double db_double(struct stmt *st, int col) {
    return sqlite3_column_double(st->h, col);
}

struct str db_str(struct stmt *st, int col) {
    const void *p = sqlite3_column_text(st->h, col);
    if (p == NULL) return STR_NULL;
    return str_make(p, (size_t)sqlite3_column_bytes(st->h, col));
}

struct str db_blob(struct stmt *st, int col) {
    if (db_is_null(st, col)) return STR_NULL;
    const void *p = sqlite3_column_blob(st->h, col);
    size_t n = (size_t)sqlite3_column_bytes(st->h, col);
    return str_make(p != NULL ? p : "", n);
}

bool db_is_null(struct stmt *st, int col) {
    return sqlite3_column_type(st->h, col) == SQLITE_NULL;
}

void db_done(struct stmt *st) {
    stmt_end(st);
}

static void bind_all(struct stmt *st, const char *fmt, va_list ap) {
    for (int i = 1; fmt[i - 1] != 0; i++) {
        switch (fmt[i - 1]) {
        case 'i': db_bind_i64(st, i, va_arg(ap, int64_t)); break;
        case 's': db_bind_str(st, i, va_arg(ap, struct str)); break;
        case 'b': {
            struct str v = va_arg(ap, struct str);
            db_bind_blob(st, i, v.p, v.n);
            break;
        }
        case 'd': db_bind_double(st, i, va_arg(ap, double)); break;
        case 'n': db_bind_null(st, i); break;
        default: BUG_ON(true); /* unknown format letter */
        }
    }
}

err db_exec(struct db *d, const char *sql_literal, const char *fmt, ...) {
    struct stmt *st;
    TRY(db_prep(d, sql_literal, &st));
    va_list ap;
    va_start(ap, fmt);
    bind_all(st, fmt, ap);
    va_end(ap);
    bool row;
    TRY(db_step(st, &row));
    db_done(st);
    return OK;
}

int64_t db_last_id(struct db *d) {
    return sqlite3_last_insert_rowid(d->h);
}
int64_t db_changes(struct db *d) {
    return sqlite3_changes64(d->h);
}

err db_read_begin(struct db *d) {
    return db_exec(d, "BEGIN", "");
}

void db_read_end(struct db *d) {
    /* COMMIT of a read transaction releases a lock and cannot fail otherwise. */
    IGNORE_ERR(db_exec(d, "COMMIT", ""));
}
