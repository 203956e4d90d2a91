/* SPDX-License-Identifier: Apache-2.0 */
/* Fibers, sleeping, error slots, posts, done, notify, fmutex, work pool. */
#include "rt_test.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* --- switching ------------------------------------------------------------------------------------------ */
struct trace {
    char text[64];
    struct done done;
    int left;
};
struct walker {
    struct trace *t;
    char name;
};
static void walk(void *arg) {
    struct walker *w = arg;
    for (int i = 0; i < 3; i++) {
        char step[2] = {w->name, 0};
        size_t n = strlen(w->t->text);
        memcpy(w->t->text + n, step, 2);
        fiber_yield();
    }
    if (--w->t->left == 0) done_signal(&w->t->done);
}
static void body_yield(void *arg) {
    struct trace *t = arg;
    struct walker a = {t, 'a'}, b = {t, 'b'};
    done_init(&t->done);
    t->left = 2;
    CHECK(fiber_spawn(NULL, walk, &a) == OK);
    CHECK(fiber_spawn(NULL, walk, &b) == OK);
    done_wait(&t->done);
}
static void test_yield_alternates(void **state) {
    (void)state;
    struct trace t = {0};
    in_fiber(0, body_yield, &t);
    assert_string_equal(t.text, "ababab");
}

static double half(double x) {
    return x / 2;
}
static void body_registers(void *arg) {
    /* Values alive across many switches, floating point among them. */
    uint64_t a = 1, b = 2, c = 3, d = 5, e = 8, g = 13;
    double x = 1.5, y = 3.25;
    for (int i = 0; i < 1000; i++) {
        fiber_yield();
        a += b, b ^= c, c += d, d ^= e, e += g, g ^= a;
        x = half(x) + 1, y = half(y) + x;
    }
    *(uint64_t *)arg = a ^ b ^ c ^ d ^ e ^ g ^ (uint64_t)(x * 1000) ^ (uint64_t)(y * 1000);
}
static void body_registers_many(void *arg) {
    (void)arg;
    uint64_t got[8] = {0};
    for (int i = 0; i < 8; i++) CHECK(fiber_spawn(NULL, body_registers, &got[i]) == OK);
    CHECK(fiber_sleep(150) == OK);
    for (int i = 1; i < 8; i++) CHECK(got[i] == got[0] && got[i] != 0);
}
static void test_registers_survive(void **state) {
    (void)state;
    in_fiber(1, body_registers_many, NULL);
}

static void body_sleep(void *arg) {
    (void)arg;
    int64_t t0 = clock_mono_ms();
    CHECK(fiber_sleep(30) == OK);
    int64_t d = clock_mono_ms() - t0;
    CHECK(d >= 30 && d < 2000);
}
static void test_sleep(void **state) {
    (void)state;
    in_fiber(0, body_sleep, NULL);
    int64_t t0 = clock_mono_ms();
    assert_true(fiber_sleep(10) == OK); /* plain thread */
    assert_true(clock_mono_ms() - t0 >= 10);
}

/* --- error slots ------------------------------------------------------------------------------------------ */
static void other_error(void *arg) {
    CHECK(err_fail(E_CONFLICT, "other %d", 2) == E_CONFLICT);
    fiber_yield();
    CHECK(strcmp(err_text(), "other 2") == 0);
    done_signal(arg);
}
static err job_fails(void *arg) {
    return err_fail(E_CORRUPT, "job says %s", (const char *)arg);
}
static void body_slots(void *arg) {
    (void)arg;
    struct done d;
    done_init(&d);
    CHECK(err_fail(E_NOT_FOUND, "mine %d", 1) == E_NOT_FOUND);
    CHECK(fiber_spawn(NULL, other_error, &d) == OK);
    done_wait(&d);
    CHECK(strcmp(err_text(), "mine 1") == 0);
    char who[] = "hello";
    CHECK(work_run(job_fails, who) == E_CORRUPT);
    CHECK(strcmp(err_text(), "job says hello") == 0);
}
static void test_error_slot_follows_fiber(void **state) {
    (void)state;
    assert_true(err_fail(E_IO, "thread's own") == E_IO);
    in_fiber(0, body_slots, NULL);
    assert_string_equal(err_text(), "thread's own");
}

/* --- limits ------------------------------------------------------------------------------------------------ */
static void sleeper(void *arg) {
    (void)arg;
    IGNORE_ERR(fiber_sleep(60)); /* how it ends is not the point */
}
static void body_limit(void *arg) {
    (void)arg;
    unsigned started = 0;
    err e = OK;
    while (started < 100 && (e = fiber_spawn(NULL, sleeper, NULL)) == OK) started++;
    CHECK(e == E_UNAVAILABLE);
    CHECK(started == 15); /* 16 with this one */
    CHECK(fiber_sleep(200) == OK);
    CHECK(fiber_spawn(NULL, sleeper, NULL) == OK); /* room again */
    struct rt_stats st;
    rt_stats_get(&st);
    CHECK(st.fibers_live == 2 && st.fibers_spawned == 17);
}
static void test_max_fibers(void **state) {
    (void)state;
    struct rt_limits lim = {.n_loops = 1, .n_work = 1, .max_fibers = 16};
    assert_true(rt_start(&lim) == OK);
    in_fiber(0, body_limit, NULL);
    rt_stop();
}

/* --- stopping ---------------------------------------------------------------------------------------------- */
struct stop_probe {
    _Atomic int cancelled;
    struct notify *n;
};
static void sleep_long(void *arg) {
    struct stop_probe *p = arg;
    if (fiber_sleep(3600 * 1000) == E_CANCELLED) p->cancelled++;
}
static void notify_long(void *arg) {
    struct stop_probe *p = arg;
    if (notify_wait(p->n, 0, -1) == E_CANCELLED) p->cancelled++;
}
static void test_stop_cancels(void **state) {
    (void)state;
    struct rt_limits lim = {.n_loops = 2, .n_work = 1};
    assert_true(rt_start(&lim) == OK);
    struct stop_probe p = {0, notify_new()};
    for (unsigned i = 0; i < 40; i++)
        assert_true(fiber_spawn(rt_loop(i % 2), i % 4 < 2 ? sleep_long : notify_long, &p) == OK);
    int64_t t0 = clock_mono_ms();
    usleep(20000);
    rt_stop();
    assert_true(clock_mono_ms() - t0 < 2000);
    assert_int_equal(p.cancelled, 40);
    notify_free(p.n);
}

/* --- posts and done across threads ---------------------------------------------------------------------------- */
struct pingpong {
    struct done d;
    int rounds;
};
static void pong(void *arg) {
    done_signal(arg);
}
static void body_ping(void *arg) {
    struct loop *other = arg;
    for (int i = 0; i < 2000; i++) {
        struct done d;
        done_init(&d);
        loop_post(other, pong, &d);
        done_wait(&d);
    }
}
static void test_done_across_loops(void **state) {
    (void)state;
    in_fiber(0, body_ping, rt_loop(1));
    for (int i = 0; i < 500; i++) { /* and to a plain thread */
        struct done d;
        done_init(&d);
        loop_post(rt_loop(0), pong, &d);
        done_wait(&d);
    }
}

/* --- notify -------------------------------------------------------------------------------------------------- */
struct waiters {
    struct notify *n;
    _Atomic int woken;
};
static void wait_once(void *arg) {
    struct waiters *w = arg;
    if (notify_wait(w->n, 0, 5000) == OK) w->woken++;
}
static void body_notify_timeout(void *arg) {
    struct waiters *w = arg;
    CHECK(notify_wait(w->n, notify_gen(w->n), 15) == E_TIMEOUT);
    CHECK(notify_wait(w->n, notify_gen(w->n) + 1, 15) == OK); /* already moved */
}
static void test_notify(void **state) {
    (void)state;
    struct waiters w = {notify_new(), 0};
    for (unsigned i = 0; i < 10; i++) assert_true(fiber_spawn(rt_loop(i % 2), wait_once, &w) == OK);
    usleep(30000);
    assert_int_equal(w.woken, 0);
    notify_bump(w.n);
    for (int i = 0; i < 200 && w.woken < 10; i++) usleep(5000);
    assert_int_equal(w.woken, 10);
    in_fiber(1, body_notify_timeout, &w);
    assert_true(notify_wait(w.n, notify_gen(w.n), 10) == E_TIMEOUT); /* plain thread */
    assert_true(notify_wait(w.n, 0, -1) == OK);
    notify_free(w.n);
}

/* --- fmutex --------------------------------------------------------------------------------------------------- */
struct counter {
    struct fmutex *m;
    int value, inside;
    _Atomic int left;
    struct done done;
};
static void count_up(void *arg) {
    struct counter *c = arg;
    for (int i = 0; i < 50; i++) {
        fmutex_lock(c->m);
        CHECK(c->inside++ == 0);
        int v = c->value;
        fiber_yield(); /* held across a suspension */
        c->value = v + 1;
        c->inside--;
        fmutex_unlock(c->m);
    }
    if (--c->left == 0) done_signal(&c->done);
}
static void test_fmutex(void **state) {
    (void)state;
    struct counter c = {.m = fmutex_new(), .left = 20};
    done_init(&c.done);
    for (unsigned i = 0; i < 20; i++) assert_true(fiber_spawn(rt_loop(i % 2), count_up, &c) == OK);
    fmutex_lock(c.m); /* a plain thread takes part */
    c.value++;
    fmutex_unlock(c.m);
    done_wait(&c.done);
    assert_int_equal(c.value, 20 * 50 + 1);
    assert_int_equal(rt_test_bad, 0);
    fmutex_free(c.m);
}

/* --- work pool -----------------------------------------------------------------------------------------------------
 */
static err slow_job(void *arg) {
    usleep(20000);
    ++*(int *)arg;
    return OK;
}
static void tick(void *arg) {
    ++*(int *)arg;
}
static void body_work(void *arg) {
    (void)arg;
    int ran = 0, ticks = 0;
    struct timer t = {0};
    timer_arm(&t, 5, tick, &ticks);
    CHECK(work_run(slow_job, &ran) == OK);
    CHECK(ran == 1);
    CHECK(ticks == 1); /* the loop went on meanwhile */
}
struct posted {
    _Atomic int n;
};
static void post_count(void *arg) {
    ((struct posted *)arg)->n++;
}
static void test_work(void **state) {
    (void)state;
    in_fiber(0, body_work, NULL);
    int ran = 0;
    assert_true(work_run(slow_job, &ran) == OK); /* inline on a plain thread */
    assert_int_equal(ran, 1);
    struct posted n = {0};
    struct done d;
    done_init(&d);
    assert_true(work_post(post_count, &n, &d) == OK);
    done_wait(&d);
    assert_int_equal(n.n, 1);
}

static void post_slow(void *arg) {
    (void)arg;
    usleep(20000);
}
static void body_work_full(void *arg) {
    struct posted *n = arg;
    unsigned ok = 0;
    err e = OK;
    int dummy = 0;
    CHECK(work_post(post_slow, NULL, NULL) == OK); /* keeps the only thread busy */
    CHECK(fiber_sleep(5) == OK);
    while (ok < 100 && (e = work_post(post_count, n, NULL)) == OK) ok++;
    CHECK(ok == 4);
    CHECK(e == E_UNAVAILABLE);
    CHECK(work_run(slow_job, &dummy) == E_UNAVAILABLE);
    CHECK(fiber_sleep(60) == OK);
    CHECK(work_run(slow_job, &dummy) == OK);
}
static void test_work_queue_is_bounded(void **state) {
    (void)state;
    struct rt_limits lim = {.n_loops = 1, .n_work = 1, .max_work_queue = 4};
    assert_true(rt_start(&lim) == OK);
    struct posted n = {0};
    in_fiber(0, body_work_full, &n);
    rt_stop();
    assert_int_equal(n.n, 4);
}

/* --- timers
 * ------------------------------------------------------------------------------------------------------------ */
struct tlog {
    struct timer t[4];
    char text[8];
};
static void put_a(void *p) {
    memcpy(((struct tlog *)p)->text + strlen(((struct tlog *)p)->text), "a", 2);
}
static void put_b(void *p) {
    memcpy(((struct tlog *)p)->text + strlen(((struct tlog *)p)->text), "b", 2);
}
static void put_c(void *p) {
    memcpy(((struct tlog *)p)->text + strlen(((struct tlog *)p)->text), "c", 2);
    timer_cancel(&((struct tlog *)p)->t[3]);
}
static void body_timers(void *arg) {
    struct tlog *l = arg;
    timer_arm(&l->t[0], 30, put_a, l);
    timer_arm(&l->t[1], 10, put_b, l);
    timer_arm(&l->t[2], 20, put_c, l);
    timer_arm(&l->t[3], 100, put_a, l);
    timer_arm(&l->t[0], 60, put_a, l); /* rearmed later */
    CHECK(fiber_sleep(150) == OK);
    timer_cancel(&l->t[3]);
    timer_cancel(&l->t[0]); /* idempotent */
}
static void test_timers(void **state) {
    (void)state;
    struct tlog l = {0};
    in_fiber(0, body_timers, &l);
    assert_string_equal(l.text, "bca");
}

static void *local_seen;
static void body_local(void *arg) {
    CHECK(fiber_local() == NULL);
    fiber_set_local(arg);
    fiber_yield();
    local_seen = fiber_local();
}
static void test_local(void **state) {
    (void)state;
    int x;
    in_fiber(0, body_local, &x);
    assert_ptr_equal(local_seen, &x);
    assert_null(fiber_local());
    assert_null(fiber_self());
    assert_null(rt_loop_self());
}

static void test_without_runtime(void **state) {
    (void)state;
    int ran = 0;
    struct posted n = {0};
    assert_true(fiber_spawn(NULL, sleeper, NULL) == E_UNAVAILABLE);
    assert_true(work_run(slow_job, &ran) == OK);
    assert_true(work_post(post_count, &n, NULL) == OK);
    assert_int_equal(n.n, 1);
    struct fmutex *m = fmutex_new();
    fmutex_lock(m);
    fmutex_unlock(m);
    fmutex_free(m);
}

#define RT(fn) cmocka_unit_test_setup_teardown(fn, rt_test_start, rt_test_stop)
int main(void) {
    const struct CMUnitTest tests[] = {
        RT(test_yield_alternates),
        RT(test_registers_survive),
        RT(test_sleep),
        RT(test_error_slot_follows_fiber),
        RT(test_done_across_loops),
        RT(test_notify),
        RT(test_fmutex),
        RT(test_work),
        RT(test_timers),
        RT(test_local),
        cmocka_unit_test(test_max_fibers),
        cmocka_unit_test(test_stop_cancels),
        cmocka_unit_test(test_work_queue_is_bounded),
        cmocka_unit_test(test_without_runtime),
    };
    return cmocka_run_group_tests_name("rt_fiber", tests, NULL, NULL);
}
