/* SPDX-License-Identifier: Apache-2.0 */
/* rt_test.h — start a runtime per group, run a test body on a fiber. */
#ifndef RT_TEST_H
#define RT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/clock.h"
#include "base/err.h"
#include "rt/rt.h"

/* cmocka's asserts longjmp on failure, which must not leave a fiber: bodies count with CHECK. */
static _Atomic unsigned rt_test_bad;
#define CHECK(cond)                                                                                                    \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            fprintf(stderr, "%s:%d: not true: %s (err: %s)\n", __FILE__, __LINE__, #cond, err_text());                 \
            rt_test_bad++;                                                                                             \
        }                                                                                                              \
    } while (0)

struct rt_test_call {
    rt_fn fn;
    void *arg;
    struct done done;
};
static void rt_test_main(void *p) {
    struct rt_test_call *c = p;
    c->fn(c->arg);
    done_signal(&c->done);
}
/* Run fn(arg) on a fiber of loop `i` and wait; fails the cmocka test when a CHECK failed. */
static inline void in_fiber(unsigned i, rt_fn fn, void *arg) {
    struct rt_test_call c = {.fn = fn, .arg = arg};
    done_init(&c.done);
    assert_true(fiber_spawn(rt_loop(i), rt_test_main, &c) == OK);
    done_wait(&c.done);
    assert_int_equal(rt_test_bad, 0);
}
static inline int rt_test_start(void **state) {
    (void)state;
    struct rt_limits lim = {.n_loops = 2, .n_work = 2};
    return rt_start(&lim) == OK ? 0 : -1;
}
static inline int rt_test_stop(void **state) {
    (void)state;
    rt_stop();
    return 0;
}
#endif
