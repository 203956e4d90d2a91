/* SPDX-License-Identifier: Apache-2.0 */
/* The timer wheel against a plain table: thousands of timers, odd jumps of time, cancelling inside callbacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rt/rt_int.h"

enum { N = 3000 };
static struct wheel w;
static struct timer timers[N];
static int64_t due[N]; /* -1: not armed */
static int64_t now_ms;
static unsigned fired;
static uint64_t seed = 42;

static uint64_t rnd(void) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}
static void fire(void *arg) {
    size_t i = (size_t)((struct timer *)arg - timers);
    assert_true(due[i] >= 0 && due[i] <= now_ms);
    due[i] = -1;
    fired++;
    size_t j = rnd() % N; /* cancel some other one, perhaps of the same slot */
    if (rnd() % 4 == 0 && due[j] >= 0) {
        timer_cancel(&timers[j]);
        due[j] = -1;
    }
}
static void arm(size_t i, int64_t in) {
    timer_cancel(&timers[i]);
    timers[i].due_ms = now_ms + in;
    timers[i].fn = fire;
    timers[i].arg = &timers[i];
    wheel_insert(&w, &timers[i]);
    due[i] = timers[i].due_ms;
}
static int64_t earliest(void) {
    int64_t e = -1;
    for (size_t i = 0; i < N; i++)
        if (due[i] >= 0 && (e < 0 || due[i] < e)) e = due[i];
    return e;
}

static void test_against_table(void **state) {
    (void)state;
    now_ms = 1234567;
    wheel_init(&w, now_ms);
    memset(due, 0xff, sizeof due);
    for (int round = 0; round < 4000; round++) {
        for (int k = 0; k < 4; k++) {
            static const uint64_t spans[] = {3, 70, 5000, 300000, 20000000, 90000000000};
            arm(rnd() % N, (int64_t)(rnd() % spans[rnd() % ARRAY_LEN(spans)]));
        }
        int64_t next = wheel_next(&w), e = earliest();
        assert_true(next > now_ms && next <= e); /* never sleeps past the earliest timer */
        now_ms += rnd() % 50 == 0 ? (int64_t)(rnd() % 1000000) : (int64_t)(rnd() % 40);
        wheel_advance(&w, now_ms);
        e = earliest();
        assert_true(e < 0 || e > now_ms); /* everything due has fired */
    }
    assert_true(fired > 3000);
    for (size_t i = 0; i < N; i++) timer_cancel(&timers[i]);
    assert_int_equal(wheel_next(&w), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_table)};
    return cmocka_run_group_tests_name("rt_wheel", tests, NULL, NULL);
}
