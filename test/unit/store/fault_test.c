/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storage that fails: a VFS shim over the real one counts writes and syncs to the database and its log and
 * fails the n-th, for every n a workload reaches; and a child that is killed with SIGKILL in the middle of
 * group commits. In both cases: what was acknowledged is there, what failed was reported, the chain holds.
 */
#include "store_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

/* --- the shim --------------------------------------------------------------------------------------------------- */

static _Atomic long countdown; /* < 0: never fail */
static _Atomic int stay_broken;
static _Atomic long calls;

static bool fails(void) {
    atomic_fetch_add(&calls, 1);
    long left = atomic_load(&countdown);
    if (left < 0) return false;
    if (left == 0) {
        if (!atomic_load(&stay_broken)) atomic_store(&countdown, -1);
        return true;
    }
    atomic_fetch_sub(&countdown, 1);
    return false;
}

/* The database and its log use different method tables of the real VFS: one shim for each. */
static struct pair {
    const sqlite3_io_methods *real;
    sqlite3_io_methods shim;
} pairs[4];
static int (*real_open)(sqlite3_vfs *, const char *, sqlite3_file *, int, int *);

static const sqlite3_io_methods *real_of(const sqlite3_file *f) {
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (f->pMethods == &pairs[i].shim) return pairs[i].real;
    abort();
}
static int shim_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 off) {
    return fails() ? SQLITE_FULL : real_of(f)->xWrite(f, p, n, off);
}
static int shim_sync(sqlite3_file *f, int flags) {
    return fails() ? SQLITE_IOERR_FSYNC : real_of(f)->xSync(f, flags);
}

static int shim_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out) {
    int rc = real_open(v, name, f, flags, out);
    if (rc != SQLITE_OK || (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0 || f->pMethods == NULL) return rc;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) { /* opens happen on one thread at a time here */
        if (pairs[i].real != NULL && pairs[i].real != f->pMethods) continue;
        if (pairs[i].real == NULL) {
            pairs[i].real = f->pMethods;
            pairs[i].shim = *f->pMethods;
            pairs[i].shim.xWrite = shim_write;
            pairs[i].shim.xSync = shim_sync;
        }
        f->pMethods = &pairs[i].shim;
        return SQLITE_OK;
    }
    abort();
}

static sqlite3_vfs shim;
static void shim_install(void) {
    sqlite3_vfs *unix_vfs = sqlite3_vfs_find(NULL);
    shim = *unix_vfs;
    real_open = unix_vfs->xOpen;
    shim.zName = "shim";
    shim.xOpen = shim_open;
    shim.pNext = NULL;
    atomic_store(&countdown, -1);
    assert_int_equal(sqlite3_vfs_register(&shim, 1), SQLITE_OK);
}

/* --- workload: three threads write numbered rows, each with an event ---------------------------------------------- */

enum { THREADS = 3, PER_THREAD = 6 };
struct worker {
    struct store *store;
    int base;
    bool ok[PER_THREAD];
    pthread_t thread;
};

static err work_tx(struct db *d, void *arg) {
    int64_t seq, id = *(int *)arg;
    TRY(db_exec(d, "INSERT INTO w (id, pad) VALUES (?, zeroblob(3000))", "i", id));
    char payload[40];
    int n = snprintf(payload, sizeof payload, "{\"id\":%ld}", (long)id);
    return event_append(d, "test.row", 0, 0, str_make(payload, (size_t)n), &seq);
}

static void *work_main(void *arg) {
    struct worker *w = arg;
    for (int i = 0; i < PER_THREAD; i++) {
        int id = w->base + i;
        err e = db_write(w->store, work_tx, &id);
        w->ok[i] = e == OK;
        if (e != OK && strlen(err_text()) == 0) abort(); /* an error without words */
    }
    return NULL;
}

static err make_w(struct db *d, void *arg) {
    (void)arg;
    return db_exec(d, "CREATE TABLE w (id INTEGER PRIMARY KEY, pad BLOB)", "");
}

static bool has(struct db *d, int64_t id) {
    struct stmt *st;
    bool row;
    assert_ok(db_prep(d, "SELECT 1 FROM w WHERE id = ?", &st));
    db_bind_i64(st, 1, id);
    assert_ok(db_step(st, &row));
    db_done(st);
    return row;
}

static int64_t count(struct db *d, const char *sql) {
    struct stmt *st;
    bool row;
    assert_ok(db_prep(d, sql, &st));
    assert_ok(db_step(st, &row));
    int64_t v = db_i64(st, 0);
    db_done(st);
    return v;
}

static void expect_whole(struct fixture *f) {
    struct db *d = db_reader(f->store);
    struct event_check c;
    assert_ok(event_verify(d, &c));
    if (c.first_bad_seq != 0) fail_msg("log broken at %ld: %s", (long)c.first_bad_seq, c.why);
    assert_int_equal(count(d, "SELECT count(*) FROM w"), c.entries); /* row and event: both or neither */
    struct stmt *st;
    bool row;
    assert_ok(db_prep(d, "PRAGMA integrity_check", &st));
    assert_ok(db_step(st, &row));
    assert_str(db_str(st, 0), "ok");
    db_done(st);
}

static void run_with_failure(struct fixture *f, long nth, bool broken_for_good, long *used, int *reported) {
    struct worker w[THREADS];
    atomic_store(&calls, 0);
    atomic_store(&stay_broken, broken_for_good);
    atomic_store(&countdown, nth);
    for (int i = 0; i < THREADS; i++) {
        w[i] = (struct worker){.store = f->store, .base = 1 + i * 1000};
        pthread_create(&w[i].thread, NULL, work_main, &w[i]);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(w[i].thread, NULL);
    *used = atomic_load(&calls);
    atomic_store(&countdown, -1);
    fixture_reopen(f);
    *reported = 0;
    for (int i = 0; i < THREADS; i++) {
        for (int k = 0; k < PER_THREAD; k++) {
            if (w[i].ok[k] && !has(db_reader(f->store), w[i].base + k))
                fail_msg("call %ld: row %d was acknowledged and is lost", nth, w[i].base + k);
            *reported += !w[i].ok[k];
        }
    }
    expect_whole(f);
}

static void each_failure(bool broken_for_good) {
    int failed_runs = 0;
    for (long nth = 0; nth < 400; nth++) {
        void *state = NULL;
        long used;
        int reported;
        assert_int_equal(fixture_setup(&state), 0);
        struct fixture *f = state;
        assert_ok(db_write(f->store, make_w, NULL));
        run_with_failure(f, nth, broken_for_good, &used, &reported);
        failed_runs += reported > 0;
        assert_int_equal(fixture_teardown(&state), 0);
        if (used <= nth) break; /* the workload made fewer calls: every one has failed once */
        if (nth > 40) nth += 6;
    }
    assert_true(failed_runs > 10); /* the shim was really in the way */
}

static void test_every_write_fails_once(void **state) {
    each_failure(false);
}
static void test_disk_stays_broken(void **state) {
    each_failure(true);
}

/* --- SIGKILL
 * ---------------------------------------------------------------------------------------------------------- */

/* The child acknowledges each committed id on the pipe, after db_write returned. */
struct killed {
    struct store *store;
    int base, pipe;
    pthread_t thread;
};

static void *killed_main(void *arg) {
    struct killed *k = arg;
    for (int i = 0; i < 100000; i++) {
        int id = k->base + i;
        if (db_write(k->store, work_tx, &id) != OK) _exit(3);
        if (write(k->pipe, &id, sizeof id) != sizeof id) _exit(4);
    }
    return NULL;
}

static void child_main(const char *dir, int pipe_fd) {
    struct store *s;
    struct store_opts o = {dir, true};
    if (store_open(&o, &s) != OK) _exit(2);
    struct killed k[4];
    for (int i = 0; i < 4; i++) {
        k[i] = (struct killed){s, (i + 1) * 1000000 + (int)getpid() % 1000 * 1000, pipe_fd, 0};
        pthread_create(&k[i].thread, NULL, killed_main, &k[i]);
    }
    for (;;) pause();
}

static void test_sigkill_loses_nothing_acknowledged(void **state) {
    struct fixture *f = *state;
    assert_ok(db_write(f->store, make_w, NULL));
    static int acked[400000];
    size_t n = 0;
    for (int round = 0; round < 8; round++) {
        int p[2];
        store_close(f->store);
        f->store = NULL;
        assert_int_equal(pipe(p), 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(p[0]);
            child_main(f->dir, p[1]);
        }
        close(p[1]);
        usleep((useconds_t)(60000 + round * 23000));
        kill(pid, SIGKILL);
        int id, status;
        while (read(p[0], &id, sizeof id) == sizeof id)
            if (n < ARRAY_LEN(acked)) acked[n++] = id;
        close(p[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status)); /* it was still at work */
        struct store_opts o = {f->dir, true};
        assert_ok(store_open(&o, &f->store));
        for (size_t i = 0; i < n; i++)
            if (!has(db_reader(f->store), acked[i]))
                fail_msg("round %d: row %d was acknowledged and is lost", round, acked[i]);
        expect_whole(f);
    }
    assert_true(n > 50);
}

int main(void) {
    shim_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_write_fails_once),
        cmocka_unit_test(test_disk_stays_broken),
        FIXTURE(test_sigkill_loses_nothing_acknowledged),
    };
    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
