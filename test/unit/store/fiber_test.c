/* SPDX-License-Identifier: Apache-2.0 */
/* The same calls on fibers: many fibers in one group commit, and the gate letting them all through at once. */
#include "store_fixture.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "rt/rt.h"
#include "store/verdict.h"

enum { FIBERS = 200 };
struct task {
    struct fixture *f;
    int64_t id;
    err result;
    char text[64];
    struct done done;
};

static err make_w(struct db *d, void *arg) {
    (void)arg;
    return db_exec(d, "CREATE TABLE w (id INTEGER PRIMARY KEY)", "");
}

/* Every tenth fails by its own will, with its own words. */
static err add_tx(struct db *d, void *arg) {
    const struct task *t = arg;
    TRY(db_exec(d, "INSERT INTO w (id) VALUES (?)", "i", t->id));
    return t->id % 10 == 0 ? err_fail(E_PRECONDITION, "task %ld thinks better of it", (long)t->id) : OK;
}

static void write_fiber(void *arg) {
    struct task *t = arg;
    t->result = db_write(t->f->store, add_tx, t);
    snprintf(t->text, sizeof t->text, "%s", t->result != OK ? err_text() : "");
    done_signal(&t->done);
}

static void gate_fiber(void *arg) {
    struct task *t = arg;
    struct arena a;
    struct str warn;
    arena_init(&a, MiB);
    t->result = verdict_gate(t->f->store, &a, 1, STR("abc"), 5000, &warn);
    arena_release(&a);
    done_signal(&t->done);
}

static void run(struct fixture *f, struct task *t, rt_fn fn) {
    for (int i = 0; i < FIBERS; i++) {
        t[i] = (struct task){.f = f, .id = i + 1};
        done_init(&t[i].done);
        assert_ok(fiber_spawn(rt_loop((unsigned)i % rt_n_loops()), fn, &t[i]));
    }
}

static void test_writes_from_fibers(void **state) {
    struct fixture *f = *state;
    static struct task t[FIBERS];
    assert_ok(db_write(f->store, make_w, NULL));
    run(f, t, write_fiber);
    for (int i = 0; i < FIBERS; i++) {
        char want[64];
        done_wait(&t[i].done);
        snprintf(want, sizeof want, "task %d thinks better of it", i + 1);
        assert_ptr_equal(t[i].result, (i + 1) % 10 == 0 ? E_PRECONDITION : OK);
        assert_string_equal(t[i].text, (i + 1) % 10 == 0 ? want : "");
    }
    struct stmt *st;
    bool row;
    assert_ok(db_prep(db_reader(f->store), "SELECT count(*) FROM w", &st));
    assert_ok(db_step(st, &row));
    assert_int_equal(db_i64(st, 0), FIBERS * 9 / 10);
    db_done(st);
}

static void test_gate_opens_for_all_waiting_fibers(void **state) {
    struct fixture *f = *state;
    static struct task t[FIBERS];
    run(f, t, gate_fiber);
    usleep(100000);
    int64_t t0 = clock_mono_ms();
    fixture_shell_sql(f, "INSERT INTO blob_verdict VALUES ('abc', 1, 2, 'text', '[]', 'rp', 1)");
    for (int i = 0; i < FIBERS; i++) {
        done_wait(&t[i].done);
        assert_ok(t[i].result);
    }
    assert_true(clock_mono_ms() - t0 < 2500); /* by the verdict, not by the end of the hold */
}

static int start(void **state) {
    return rt_start(&(struct rt_limits){.n_loops = 2, .n_work = 2}) == OK ? 0 : -1;
}
static int stop(void **state) {
    rt_stop();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {FIXTURE(test_writes_from_fibers),
                                       FIXTURE(test_gate_opens_for_all_waiting_fibers)};
    return cmocka_run_group_tests_name("store_fiber", tests, start, stop);
}
