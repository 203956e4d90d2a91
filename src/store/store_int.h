/* SPDX-License-Identifier: Apache-2.0 */
/* store_int.h — shared by the files of this room only. */
#ifndef BALLAST_STORE_INT_H
#define BALLAST_STORE_INT_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "store/store.h"

/* --- one connection (db.c) ---------------------------------------------------------------------- */
enum {
    DB_CACHE_MAX = 512, /* prepared statements kept per connection */
    DB_LIVE_MAX = 64,   /* statements in use at once on one connection */
    DB_READERS_MAX = 256,
    STORE_BUSY_MS = 5000, /* how long the writer waits for another process's transaction */
};

struct stmt {
    struct db *db;
    sqlite3_stmt *h;
    uint64_t hash; /* of the SQL text */
    int bind_rc;   /* first failed bind */
    bool cached;   /* in db->cache; else finalized by db_done */
    bool live;     /* between db_prep and its end */
    bool finished; /* stepped to SQLITE_DONE */
};

struct db {
    struct store *store;
    sqlite3 *h; /* NULL: could not be opened, open_rc says why */
    int open_rc;
    bool writer;
    bool warned_leak;
    unsigned n_live, n_cached;
    int64_t live_since_ms;            /* when n_live last left 0 */
    struct stmt *cache[DB_CACHE_MAX]; /* open addressing by hash */
    struct stmt *spare[DB_LIVE_MAX];  /* statements outside the cache: in use, or empty shells */
    unsigned n_spare;
    struct db *next; /* list of the store's readers */
};

must_check err db_open_file(struct store *s, bool writer, struct db **out);
void db_free(struct db *d);
/* Ends every statement still in use (the writer does so after each request). */
void db_reset_all(struct db *d);
/* Run SQL text without parameters, outside the cache. */
must_check err db_run_text(struct db *d, const char *sql);
/* The kind and text for a failed SQLite call on this connection. */
must_check err db_error(struct db *d, int rc, const char *what);

/* --- the writer thread (writer.c) ----------------------------------------------------------------- */
struct writer;
must_check err writer_start(struct store *s, struct writer **out);
void writer_stop(struct writer *w); /* runs what is queued, then joins */

/* --- migrations (migrate.c) ------------------------------------------------------------------------- */
struct migration {
    int number;
    const char *name;   /* "0001_core" */
    const char *digest; /* of the SQL without comments and space */
    const char *sql;
};
extern const struct migration store_migrations[]; /* generated, ascending */
extern const size_t store_migrations_len;
must_check err migrate_run(struct db *d, const struct migration *m, size_t n);

/* --- the store ------------------------------------------------------------------------------------------ */
struct store {
    char *dir, *db_path;
    uint64_t id; /* never reused in a process: thread-local reader slots compare it */
    bool server;
    int lock_fd;
    struct db *wdb; /* used by the writer thread only, once it runs */
    struct writer *writer;
    struct notify *notify;
    pthread_mutex_t readers_mu;
    struct db *readers;
    unsigned n_readers;
    /* Change detection: `gen` moves on our own commits and when the poll sees a foreign one. */
    _Atomic uint64_t gen;
    _Atomic int64_t polled_ms;
    pthread_mutex_t poll_mu;
    sqlite3 *poll_h;
    sqlite3_stmt *poll_st;
    int64_t poll_version;
};

/* Polls now (unless another thread is at it); true when a commit of this or another process was seen. */
bool store_poll(struct store *s);
/* Readers of the calling thread's TLS (reader.c). */
void store_readers_close(struct store *s);
void store_registry_add(struct store *s);
void store_registry_del(struct store *s);
int64_t store_coarse_ms(void);
#endif
