/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, statements, group commit, change detection, keys. */
#include "store_fixture.h"

#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"

static err make_table(struct db *d, void *arg) {
    (void)arg;
    return db_exec(d, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE)", "");
}

static err add_value(struct db *d, void *arg) {
    return db_exec(d, "INSERT INTO t (v) VALUES (?)", "s", str_of(arg));
}

static err add_then_fail(struct db *d, void *arg) {
    TRY(add_value(d, arg));
    return err_fail(E_PRECONDITION, "no, after all");
}

static int64_t one_i64(struct db *d, const char *sql) {
    struct stmt *st;
    bool row;
    assert_ok(db_prep(d, sql, &st));
    assert_ok(db_step(st, &row));
    int64_t v = row ? db_i64(st, 0) : -1;
    db_done(st);
    return v;
}

static void test_write_then_read(void **state) {
    struct fixture *f = *state;
    assert_ok(db_write(f->store, make_table, NULL));
    assert_ok(db_write(f->store, add_value, (void *)(uintptr_t) "a"));
    assert_int_equal(one_i64(db_reader(f->store), "SELECT count(*) FROM t"), 1);
}

static void test_failed_request_leaves_nothing(void **state) {
    struct fixture *f = *state;
    assert_ok(db_write(f->store, make_table, NULL));
    err e = db_write(f->store, add_then_fail, (void *)(uintptr_t) "x");
    assert_ptr_equal(e, E_PRECONDITION);
    assert_string_equal(err_text(), "no, after all"); /* the writer thread spoke into our slot */
    assert_int_equal(one_i64(db_reader(f->store), "SELECT count(*) FROM t"), 0);
}

static void test_constraint_is_conflict(void **state) {
    struct fixture *f = *state;
    assert_ok(db_write(f->store, make_table, NULL));
    assert_ok(db_write(f->store, add_value, (void *)(uintptr_t) "a"));
    assert_ptr_equal(db_write(f->store, add_value, (void *)(uintptr_t) "a"), E_CONFLICT);
    assert_ok(db_write(f->store, add_value, (void *)(uintptr_t) "b"));
    assert_int_equal(one_i64(db_reader(f->store), "SELECT count(*) FROM t"), 2);
}

static void test_reader_cannot_write(void **state) {
    struct fixture *f = *state;
    assert_ptr_equal(db_exec(db_reader(f->store), "DELETE FROM meta", ""), E_IO);
}

static void test_same_text_nested(void **state) {
    struct fixture *f = *state;
    assert_ok(db_write(f->store, make_table, NULL));
    assert_ok(db_write(f->store, add_value, (void *)(uintptr_t) "a"));
    assert_ok(db_write(f->store, add_value, (void *)(uintptr_t) "b"));
    struct db *d = db_reader(f->store);
    static const char sql[] = "SELECT v FROM t ORDER BY v";
    struct stmt *outer, *inner;
    bool row;
    int seen = 0;
    assert_ok(db_prep(d, sql, &outer));
    for (;;) {
        assert_ok(db_step(outer, &row));
        if (!row) break;
        assert_ok(db_prep(d, sql, &inner));
        assert_ok(db_step(inner, &row));
        assert_true(str_eqz(db_str(inner, 0), "a"));
        db_done(inner);
        seen++;
    }
    assert_int_equal(seen, 2);
}

static void test_text_built_at_run_time(void **state) {
    struct fixture *f = *state;
    char sql[64];
    for (int i = 0; i < 2000; i++) { /* the same address, other text: more of them than the cache holds */
        snprintf(sql, sizeof sql, "SELECT %d", i);
        assert_int_equal(one_i64(db_reader(f->store), sql), i);
    }
}

static void test_strings_keep_nul_and_null(void **state) {
    struct fixture *f = *state;
    struct db *d = db_reader(f->store);
    struct stmt *st;
    bool row;
    assert_ok(db_prep(d, "SELECT ?1, ?2, ?3, typeof(?4)", &st));
    db_bind_str(st, 1, str_make("a\0b", 3));
    db_bind_str(st, 2, STR_NULL);
    db_bind_str(st, 3, STR(""));
    db_bind_blob(st, 4, NULL, 0);
    assert_ok(db_step(st, &row));
    assert_true(row);
    assert_true(str_eq(db_str(st, 0), str_make("a\0b", 3)));
    assert_null(db_str(st, 1).p);
    assert_non_null(db_str(st, 2).p);
    assert_true(str_eqz(db_str(st, 3), "blob"));
    db_done(st);
}

/* --- many writers ------------------------------------------------------------------------------------------ */

struct worker {
    struct store *store;
    pthread_t thread;
    int base, done;
};
static err add_number(struct db *d, void *arg) {
    return db_exec(d, "INSERT INTO t (id) VALUES (?)", "i", (int64_t) * (int *)arg);
}

static void *worker_main(void *arg) {
    struct worker *w = arg;
    for (int i = 0; i < 200; i++) {
        int id = w->base + i;
        if (db_write(w->store, add_number, &id) == OK) w->done++;
    }
    return NULL;
}

static void test_group_commit_many_threads(void **state) {
    struct fixture *f = *state;
    assert_ok(db_write(f->store, make_table, NULL));
    struct worker w[8];
    for (int i = 0; i < 8; i++) {
        w[i] = (struct worker){.store = f->store, .base = 1 + i * 1000};
        pthread_create(&w[i].thread, NULL, worker_main, &w[i]);
    }
    int done = 0;
    for (int i = 0; i < 8; i++) {
        pthread_join(w[i].thread, NULL);
        done += w[i].done;
    }
    assert_int_equal(done, 1600);
    assert_int_equal(one_i64(db_reader(f->store), "SELECT count(*) FROM t"), 1600);
}

static err async_add(struct db *d, void *arg) {
    int id = *(int *)arg;
    free(arg);
    return db_exec(d, "INSERT INTO t (id) VALUES (?)", "i", (int64_t)id);
}

static void test_async_arrives(void **state) {
    struct fixture *f = *state;
    assert_ok(db_write(f->store, make_table, NULL));
    for (int i = 1; i <= 3000; i++) {
        int *p = malloc(sizeof *p);
        *p = i;
        assert_ok(db_write_async(f->store, async_add, p));
    }
    db_write_flush(f->store);
    assert_int_equal(one_i64(db_reader(f->store), "SELECT count(*) FROM t"), 3000);
    int *p = malloc(sizeof *p);
    *p = 5000;
    assert_ok(db_write_async(f->store, async_add, p));
    fixture_reopen(f); /* closing drains */
    assert_int_equal(one_i64(db_reader(f->store), "SELECT count(*) FROM t"), 3001);
}

static void test_async_without_flush_is_committed_soon(void **state) {
    struct fixture *f = *state;
    assert_ok(db_write(f->store, make_table, NULL));
    int *p = malloc(sizeof *p);
    *p = 1;
    assert_ok(db_write_async(f->store, async_add, p));
    int64_t until = clock_mono_ms() + 3000;
    while (one_i64(db_reader(f->store), "SELECT count(*) FROM t") == 0) assert_true(clock_mono_ms() < until);
}

/* --- change ---------------------------------------------------------------------------------------------------- */

static void test_own_commit_moves_gen_before_return(void **state) {
    struct fixture *f = *state;
    uint64_t g = store_change_gen(f->store);
    uint64_t n = notify_gen(store_notify(f->store));
    assert_ok(db_write(f->store, make_table, NULL));
    assert_true(store_change_gen(f->store) != g);
    assert_true(notify_gen(store_notify(f->store)) != n);
}

static void test_other_process_is_noticed(void **state) {
    struct fixture *f = *state;
    assert_ok(db_write(f->store, make_table, NULL));
    (void)store_change_gen(f->store);
    usleep(50000);
    uint64_t g = store_change_gen(f->store), n = notify_gen(store_notify(f->store));
    char cmd[4300];
    snprintf(cmd, sizeof cmd, "%s/ballast.db", store_dir(f->store));
    fixture_shell_sql(f, "INSERT INTO t (id) VALUES (77)");
    int64_t t0 = clock_mono_ms();
    while (store_change_gen(f->store) == g) assert_true(clock_mono_ms() - t0 < 50);
    if (notify_gen(store_notify(f->store)) == n) assert_ok(notify_wait(store_notify(f->store), n, 1000));
    assert_int_equal(one_i64(db_reader(f->store), "SELECT id FROM t"), 77);
}

static void test_notify_without_asking(void **state) {
    struct fixture *f = *state;
    assert_ok(db_write(f->store, make_table, NULL));
    usleep(300000);
    uint64_t n = notify_gen(store_notify(f->store));
    fixture_shell_sql(f, "INSERT INTO t (id) VALUES (78)");
    assert_ok(notify_wait(store_notify(f->store), n, 1000)); /* nobody polls but the writer */
}

/* --- the directory ----------------------------------------------------------------------------------------------- */

static void test_private_directory_and_keys(void **state) {
    struct fixture *f = *state;
    struct stat st;
    assert_int_equal(stat(f->dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    uint8_t a[32], b[32];
    assert_ok(store_key(f->store, "test", a, sizeof a));
    assert_ok(store_key(f->store, "test", b, sizeof b));
    assert_memory_equal(a, b, 32);
    char path[4300];
    snprintf(path, sizeof path, "%s/keys/test", f->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_ptr_equal(store_key(f->store, "test", a, 16), E_CORRUPT);
    assert_ptr_equal(store_key(f->store, "../x", a, 16), E_INTERNAL);
}

static void test_second_server_is_refused(void **state) {
    struct fixture *f = *state;
    struct store *other;
    struct store_opts o = {f->dir, true};
    assert_ptr_equal(store_open(&o, &other), E_CONFLICT);
    assert_non_null(strstr(err_text(), "another ballast server"));
    o.server = false;
    assert_ok(store_open(&o, &other)); /* the command line works beside it */
    store_close(other);
}

static void test_tmp_is_swept_and_links_are_not_followed(void **state) {
    struct fixture *f = *state;
    char cmd[9000];
    snprintf(cmd, sizeof cmd,
             "mkdir -p %s/tmp/a/b %s/keep && touch %s/tmp/a/b/c %s/keep/x && ln -s %s/keep %s/tmp/link", f->dir, f->dir,
             f->dir, f->dir, f->dir, f->dir);
    assert_int_equal(system(cmd), 0);
    fixture_reopen(f);
    snprintf(cmd, sizeof cmd, "test -z \"$(ls -A %s/tmp)\" && test -f %s/keep/x", f->dir, f->dir);
    assert_int_equal(system(cmd), 0);
}

static void *read_main(void *arg) {
    struct fixture *f = arg;
    return (void *)(intptr_t)one_i64(db_reader(f->store), "SELECT 5");
}

static void test_reader_of_an_ended_thread_is_freed(void **state) {
    struct fixture *f = *state;
    for (int i = 0; i < 600; i++) { /* more than DB_READERS_MAX in all */
        pthread_t t;
        void *v;
        pthread_create(&t, NULL, read_main, f);
        pthread_join(t, &v);
        assert_int_equal((intptr_t)v, 5);
    }
}

static void test_read_snapshot(void **state) {
    struct fixture *f = *state;
    assert_ok(db_write(f->store, make_table, NULL));
    struct db *d = db_reader(f->store);
    assert_ok(db_read_begin(d));
    assert_int_equal(one_i64(d, "SELECT count(*) FROM t"), 0);
    assert_ok(db_write(f->store, add_value, (void *)(uintptr_t) "later"));
    assert_int_equal(one_i64(d, "SELECT count(*) FROM t"), 0);
    db_read_end(d);
    assert_int_equal(one_i64(d, "SELECT count(*) FROM t"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE(test_write_then_read),
        FIXTURE(test_failed_request_leaves_nothing),
        FIXTURE(test_constraint_is_conflict),
        FIXTURE(test_reader_cannot_write),
        FIXTURE(test_same_text_nested),
        FIXTURE(test_text_built_at_run_time),
        FIXTURE(test_strings_keep_nul_and_null),
        FIXTURE(test_group_commit_many_threads),
        FIXTURE(test_async_arrives),
        FIXTURE(test_async_without_flush_is_committed_soon),
        FIXTURE(test_own_commit_moves_gen_before_return),
        FIXTURE(test_other_process_is_noticed),
        FIXTURE(test_notify_without_asking),
        FIXTURE(test_private_directory_and_keys),
        FIXTURE(test_second_server_is_refused),
        FIXTURE(test_tmp_is_swept_and_links_are_not_followed),
        FIXTURE(test_reader_of_an_ended_thread_is_freed),
        FIXTURE(test_read_snapshot),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
