/* SPDX-License-Identifier: Apache-2.0 */
/* mem_test.c — arena, buf and map keep their stated maxima. */
#include "unit.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/reserve.h"

static void arena_is_bounded_and_zeroed(void **st) {
    (void)st;
    struct arena a;
    arena_init(&a, 64 * KiB);
    unsigned char *p = arena_alloc(&a, 1000);
    for (int i = 0; i < 1000; i++) assert_int_equal(p[i], 0);
    memset(p, 0xff, 1000);
    assert_null(arena_try(&a, 65 * KiB));
    assert_null(arena_try(&a, SIZE_MAX - 3));
    arena_reset(&a);
    p = arena_alloc(&a, 1000);
    for (int i = 0; i < 1000; i++) assert_int_equal(p[i], 0);
    assert_int_equal((uintptr_t)arena_alloc(&a, 3) % 16, 0);
    size_t got = 0;
    while (arena_try(&a, 512) != NULL) got += 512;
    assert_in_range(got, 32 * KiB, 64 * KiB);
    arena_release(&a);
}

static void buf_reports_what_it_dropped(void **st) {
    (void)st;
    struct buf b;
    buf_init(&b, 10);
    buf_cstr(&b, "0123456789");
    assert_ok(buf_ok(&b, "text"));
    buf_printf(&b, "%s", "");
    assert_ok(buf_ok(&b, "text"));
    buf_char(&b, 'x');
    assert_err(buf_ok(&b, "text"), E_LIMIT);
    assert_string_equal(err_text(), "text is larger than the limit of 10 bytes");
    assert_int_equal(b.n, 10);
    buf_reset(&b);
    buf_printf(&b, "%010d", 7);
    assert_ok(buf_ok(&b, "text"));
    assert_str(buf_view(&b), "0000000007");
    buf_eat(&b, 9);
    assert_str(buf_view(&b), "7");
    buf_release(&b);
}

static void map_inserts_deletes_and_fills_up(void **st) {
    (void)st;
    struct map m;
    map_init(&m, 1000);
    char key[16];
    for (int round = 0; round < 3; round++) {
        for (uintptr_t i = 0; i < 1000; i++) {
            int n = snprintf(key, sizeof key, "k%zu", (size_t)i);
            assert_ok(map_put(&m, str_make(key, (size_t)n), (void *)(i + 1), NULL));
        }
        assert_err(map_put(&m, STR("one more"), &m, NULL), E_LIMIT);
        for (uintptr_t i = 0; i < 1000; i++) {
            int n = snprintf(key, sizeof key, "k%zu", (size_t)i);
            assert_int_equal((uintptr_t)map_get(&m, str_make(key, (size_t)n)), i + 1);
            if (i % 3 != 0) assert_int_equal((uintptr_t)map_del(&m, str_make(key, (size_t)n)), i + 1);
        }
        size_t it = 0, n = 0;
        struct str k;
        void *v;
        while (map_next(&m, &it, &k, &v)) n++;
        assert_int_equal(n, 334);
        assert_null(map_get(&m, STR("k1")));
    }
    void *old = NULL;
    assert_ok(map_put(&m, STR("k0"), &m, &old));
    assert_int_equal((uintptr_t)old, 1);
    map_release(&m);
}

static void reserve_gives_and_takes_back(void **st) {
    (void)st;
    assert_null(reserve_take(10)); /* not before it was set up */
    assert_true(reserve_init());
    assert_false(reserve_low());
    enum { N = 64, BIG = RESERVE_BYTES / N / 2 };
    static unsigned char *p[N];
    for (int i = 0; i < N; i++) {
        p[i] = reserve_take(BIG);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t)p[i] % 16, 0);
        memset(p[i], i, BIG);
    }
    assert_true(reserve_low());
    assert_null(reserve_take(RESERVE_BYTES / 2));
    for (int i = 0; i < N; i++) assert_int_equal(p[i][BIG - 1], i); /* nobody wrote into a neighbour */
    for (int i = 0; i < N; i += 2) assert_true(reserve_give(p[i]));
    p[0] = reserve_take(BIG); /* a hole is found again */
    assert_non_null(p[0]);
    p[0] = reserve_realloc(memset(p[0], 7, BIG), 2 * BIG); /* and it may move back to malloc */
    assert_int_equal(p[0][BIG - 1], 7);
    reserve_free(p[0]);
    for (int i = 1; i < N; i += 2) assert_true(reserve_give(p[i]));
    assert_false(reserve_low());
    void *q = malloc(1);
    assert_false(reserve_give(q));
    q = reserve_realloc(q, 100);
    assert_non_null(q);
    reserve_free(q);
    assert_null(reserve_take(SIZE_MAX));
    assert_int_equal(reserve_taken(), N + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_is_bounded_and_zeroed),
        cmocka_unit_test(buf_reports_what_it_dropped),
        cmocka_unit_test(reserve_gives_and_takes_back),
        cmocka_unit_test(map_inserts_deletes_and_fills_up),
    };
    return cmocka_run_group_tests_name("base_mem", tests, NULL, NULL);
}
