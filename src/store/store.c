/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.c — opening and closing the data directory, and noticing change.
 *
 * Order at open: directory, lock (server), database file and migrations on the writer connection,
 * then the writer thread takes that connection over. Change detection uses a connection of its own:
 * PRAGMA data_version on it moves when anyone else commits, which includes our own writer thread and
 * every other process.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/dir.h"
#include "store/store_int.h"

enum { POLL_MS = 20 };

int64_t store_coarse_ms(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

const char *store_dir(const struct store *s) {
    return s->dir;
}
struct notify *store_notify(struct store *s) {
    return s->notify;
}

/* --- change ------------------------------------------------------------------------------------------------ */

static err poll_open(struct store *s) {
    int rc = sqlite3_open_v2(s->db_path, &s->poll_h, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v3(s->poll_h, "PRAGMA data_version", -1, SQLITE_PREPARE_PERSISTENT, &s->poll_st, NULL);
    if (rc != SQLITE_OK) return err_fail(E_IO, "cannot open %s: %s", s->db_path, sqlite3_errstr(rc));
    if (sqlite3_step(s->poll_st) == SQLITE_ROW) s->poll_version = sqlite3_column_int64(s->poll_st, 0);
    sqlite3_reset(s->poll_st);
    return OK;
}

bool store_poll(struct store *s) {
    if (pthread_mutex_trylock(&s->poll_mu) != 0) return false; /* somebody else is doing it */
    atomic_store(&s->polled_ms, store_coarse_ms());
    bool moved = false;
    if (sqlite3_step(s->poll_st) == SQLITE_ROW) {
        int64_t v = sqlite3_column_int64(s->poll_st, 0);
        moved = v != s->poll_version;
        s->poll_version = v;
    }
    sqlite3_reset(s->poll_st);
    if (moved) atomic_fetch_add(&s->gen, 1);
    pthread_mutex_unlock(&s->poll_mu);
    if (moved) notify_bump(s->notify);
    return moved;
}

uint64_t store_change_gen(struct store *s) {
    if (store_coarse_ms() - atomic_load_explicit(&s->polled_ms, memory_order_relaxed) >= POLL_MS) store_poll(s);
    return atomic_load(&s->gen);
}

/* --- open and close ------------------------------------------------------------------------------------------ */

/* store_has_server holds the lock for an instant; a server that starts just then tries again. */
static bool lock_try(int fd) {
    for (int i = 0; i < 20; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
        usleep(10000);
    }
    return false;
}

bool store_has_server(struct store *s) {
    struct arena a;
    arena_init(&a, 16 * KiB);
    int fd = s->server ? -1 : open(arena_printf(&a, "%s/ballast.lock", s->dir).p, O_RDWR | O_CLOEXEC);
    bool held = s->server || (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK);
    if (fd >= 0) close(fd); /* drops it */
    arena_release(&a);
    return held;
}

static err lock_take(struct store *s) {
    struct arena a;
    arena_init(&a, 16 * KiB);
    struct str path = arena_printf(&a, "%s/ballast.lock", s->dir);
    s->lock_fd = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    err e = OK;
    if (s->lock_fd < 0) e = err_errno(E_IO, errno, "cannot open %s", path.p);
    else if (!lock_try(s->lock_fd)) {
        char pid[32] = "?";
        ssize_t n = read(s->lock_fd, pid, sizeof pid - 1);
        if (n > 0) pid[strcspn(pid, "\n")] = 0;
        e = err_fail(E_CONFLICT,
                     "another ballast server (process %s) runs on %s; stop it first or give another --data directory",
                     pid, s->dir);
    } else {
        char pid[32];
        int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
        /* For people only; the lock is the flock. */
        if (ftruncate(s->lock_fd, 0) != 0 || pwrite(s->lock_fd, pid, (size_t)n, 0) != n)
            log_warn("store.lock_pid", LZ("path", path.p));
    }
    arena_release(&a);
    return e;
}

static err store_setup(struct store *s) {
    TRY(dir_make(s->dir));
    if (s->server) {
        TRY(lock_take(s));
        TRY(dir_sweep(s->dir, "tmp"));
    }
    TRY(db_open_file(s, true, &s->wdb));
    TRY(migrate_run(s->wdb, store_migrations, store_migrations_len));
    TRY(poll_open(s));
    s->notify = notify_new();
    store_registry_add(s);
    return writer_start(s, &s->writer);
}

err store_open(const struct store_opts *o, struct store **out) {
    static _Atomic uint64_t next_id = 1;
    struct store *s = calloc(1, sizeof *s);
    if (s == NULL) return err_fail(E_NOMEM, "out of memory");
    s->lock_fd = -1;
    s->server = o->server;
    s->id = atomic_fetch_add(&next_id, 1);
    s->gen = 1;
    pthread_mutex_init(&s->readers_mu, NULL);
    pthread_mutex_init(&s->poll_mu, NULL);
    err e = dir_absolute(o->dir, &s->dir);
    if (e == OK && asprintf(&s->db_path, "%s/ballast.db", s->dir) < 0) e = err_fail(E_NOMEM, "out of memory");
    if (e == OK) e = store_setup(s);
    if (e != OK) {
        store_close(s);
        return e;
    }
    *out = s;
    return OK;
}

void store_close(struct store *s) {
    if (s == NULL) return;
    writer_stop(s->writer);
    store_registry_del(s);
    store_readers_close(s);
    sqlite3_finalize(s->poll_st);
    sqlite3_close_v2(s->poll_h);
    db_free(s->wdb);
    if (s->notify != NULL) notify_free(s->notify);
    if (s->lock_fd >= 0) close(s->lock_fd);
    pthread_mutex_destroy(&s->readers_mu);
    pthread_mutex_destroy(&s->poll_mu);
    free(s->db_path);
    free(s->dir);
    free(s);
}
