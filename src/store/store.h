/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h — the data directory and its records: SQLite behind one writer thread.
 *
 * Reads: on the calling loop or thread, inline (2–3 µs), through a read-only connection of that
 * thread. Writes: a function run by the writer thread inside a transaction shared with everything
 * else that waits (group commit); the caller suspends until it is durable (fsync) — or has failed,
 * in which case its own changes were rolled back to a savepoint and nothing of it remains.
 */
#ifndef BALLAST_STORE_H
#define BALLAST_STORE_H

#include "base/arena.h"
#include "base/base.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "rt/rt.h"

struct store;
struct store_opts {
    const char *dir; /* data directory, created when missing (0700) */
    bool server;     /* take the server lock (DATA/ballast.lock) and sweep DATA/tmp; CLI: false */
};
/* Opens, migrates. E_CONFLICT when another server runs on it. */
must_check err store_open(const struct store_opts *o, struct store **out);
void store_close(struct store *s); /* drains the writer */
const char *store_dir(const struct store *s);
bool store_has_server(struct store *s); /* this process is one, or another runs on the directory */
/* "DIR/sub/name" in the arena; creates DIR/sub when missing. An empty name gives DIR/sub itself. */
must_check err store_path(struct store *s, struct arena *a, const char *sub, const char *name, const char **out);
/* Random secrets, created once: DATA/keys/NAME (0600), n bytes. */
must_check err store_key(struct store *s, const char *name, void *out, size_t n);

/* --- statements ---------------------------------------------------------------------------- */
struct db;   /* a connection of the current thread */
struct stmt; /* a prepared statement, cached per connection by SQL text pointer (use literals) */

/* The reader of this thread (opened on demand). */
struct db *db_reader(struct store *s);
must_check err db_prep(struct db *d, const char *sql_literal, struct stmt **out); /* reset and unbound */
void db_bind_i64(struct stmt *st, int i, int64_t v);                              /* i from 1 */
void db_bind_str(struct stmt *st, int i, struct str v); /* p==NULL binds NULL; bytes are borrowed until db_done */
void db_bind_blob(struct stmt *st, int i, const void *p, size_t n);
void db_bind_double(struct stmt *st, int i, double v);
void db_bind_null(struct stmt *st, int i);
/* Step: *row true for a row. Constraint violations are E_CONFLICT. */
must_check err db_step(struct stmt *st, bool *row);
int64_t db_i64(struct stmt *st, int col); /* col from 0 */
double db_double(struct stmt *st, int col);
struct str db_str(struct stmt *st, int col); /* valid until next step; copy to keep. NULL -> STR_NULL */
struct str db_blob(struct stmt *st, int col);
bool db_is_null(struct stmt *st, int col);
void db_done(struct stmt *st); /* reset; ends the implicit read transaction */
/*
 * prep + bind by format + step once + done. fmt: i=int64_t, s=struct str, b=struct str as blob, n=null (no
 * argument), d=double. Integer arguments must really be int64_t: cast literals and enums.
 */
must_check err db_exec(struct db *d, const char *sql_literal, const char *fmt, ...);
int64_t db_last_id(struct db *d);
int64_t db_changes(struct db *d);
/* Several reads of one snapshot: begin/end around them (never across a suspension). */
must_check err db_read_begin(struct db *d);
void db_read_end(struct db *d);

/* --- writing --------------------------------------------------------------------------------- */
typedef err (*db_write_fn)(struct db *d, void *arg);
/* [any] Run fn on the writer thread; returns its error, or the commit's. Durable when OK. */
may_suspend err db_write(struct store *s, db_write_fn fn, void *arg) must_check;
/*
 * [any] Queue fn without waiting and without fsync of its own (metering, last-used stamps). arg is
 * owned by fn. E_UNAVAILABLE when the queue (65,536) is full.
 */
must_check err db_write_async(struct store *s, db_write_fn fn, void *arg);
void db_write_flush(struct store *s); /* wait until all that was queued is durable */
/* Moves whenever any connection, also of another process, committed; polled at most every 20 ms. */
uint64_t store_change_gen(struct store *s);
/* Bumped after each commit of this process and when another process's commit is noticed (≤ 250 ms). */
struct notify *store_notify(struct store *s);

/* --- event log --------------------------------------------------------------------------------- */
/*
 * One append-only, hash-chained log: hash_n = SHA-256(canonical bytes of entry n || hash_{n-1}).
 * Layout of the canonical bytes: docs/formats/event-log.md.
 * `kind` is dotted: "repo.created", "revision.pushed", "verdict.issued", "deployment.state", ...
 * payload is a JSON object (text stored verbatim). repo_id 0 = none; actor 0 = the system.
 */
must_check err event_append(struct db *d /* writer */, const char *kind, int64_t actor_id, int64_t repo_id,
                            struct str payload_json, int64_t *seq);
/*
 * An entry while it is written: event_begin opens the payload's object, the caller adds members to w, event_end closes
 * it, appends the entry and lets the draft go, also when it fails. Between the two there is no way out.
 */
struct event_draft {
    struct buf b;
    struct jw w;
};
void event_begin(struct event_draft *e);
must_check err event_end(struct db *d /* writer */, struct event_draft *e, const char *kind, int64_t actor_id,
                         int64_t repo_id);
struct event {
    int64_t seq, time_ms, actor_id, repo_id;
    struct str kind, payload;
    uint8_t hash[32];
};
/* Entries with seq > after, ascending, at most max (or descending before `before` when desc). */
must_check err event_list(struct db *d, struct arena *a, int64_t after, size_t max, const char *kind_prefix /* NULL */,
                          int64_t repo_id /* 0 any */, bool desc, struct event **out, size_t *n);
struct event_check {
    int64_t entries, first_bad_seq; /* 0 = all good */
    uint8_t head[32];
    char why[160];
};
must_check err event_verify(struct db *d, struct event_check *out);
#endif
