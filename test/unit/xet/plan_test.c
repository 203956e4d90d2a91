/* SPDX-License-Identifier: Apache-2.0 */
/* Planner and range text, without files or network. */
#include "xet_test.h"

#include "xet/plan.h"
#include "xet/range_set.h"

static struct term mk(uint8_t xorb, uint32_t first, uint32_t end, uint32_t raw) {
    return (struct term){
        .xorb = {{xorb}}, .first = first, .end = end, .raw_bytes = raw, .phys_start = first * 10, .phys_end = end * 10};
}

static void test_select(void **s) {
    struct term t[3] = {mk(1, 0, 1, 100), mk(2, 0, 1, 50), mk(1, 4, 5, 200)};
    struct xfile f = {.size = 350, .terms = t, .n_terms = 3};
    static const struct {
        uint64_t off, len, start;
        uint32_t first, n;
    } c[] = {{0, 350, 0, 0, 3},   {0, 100, 0, 0, 1},   {0, 101, 0, 0, 2},  {99, 1, 0, 0, 1},
             {100, 1, 100, 1, 1}, {149, 2, 100, 1, 2}, {349, 1, 150, 2, 1}};
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        uint32_t first, n;
        uint64_t start;
        assert_true(plan_select(&f, c[i].off, c[i].len, &first, &n, &start));
        assert_int_equal(first, c[i].first);
        assert_int_equal(n, c[i].n);
        assert_int_equal(start, c[i].start);
    }
    uint32_t first, n;
    uint64_t start;
    assert_false(plan_select(&f, 349, 2, &first, &n, &start)); /* the record claims more bytes than its terms have */
}

static void test_trim(void **s) {
    struct xorb_entry e[6];
    for (uint32_t i = 0; i < 6; i++) e[i] = (struct xorb_entry){.phys_end = (i + 1) * 7, .raw_end = (i + 1) * 10};
    struct xorb xo = {.n = 6, .e = e};
    static const struct {
        uint32_t from, to, first, end, cut;
    } c[] = {{0, 40, 1, 5, 0}, {0, 1, 1, 2, 0},    {9, 10, 1, 2, 0},  {10, 11, 2, 3, 10},
             {9, 11, 1, 3, 0}, {39, 40, 4, 5, 30}, {15, 35, 2, 5, 10}};
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        struct term t = {.first = 1, .end = 5, .raw_bytes = 40, .phys_start = 7, .phys_end = 35};
        assert_int_equal(plan_trim(&t, &xo, c[i].from, c[i].to), c[i].cut);
        assert_int_equal(t.first, c[i].first);
        assert_int_equal(t.end, c[i].end);
        assert_int_equal(t.raw_bytes, (c[i].end - c[i].first) * 10);
        assert_int_equal(t.phys_start, c[i].first * 7);
        assert_int_equal(t.phys_end, c[i].end * 7);
    }
}

static void test_merge(void **s) {
    struct term t[] = {mk(2, 5, 8, 1), mk(1, 0, 3, 1), mk(2, 8, 9, 1), mk(2, 0, 1, 1),
                       mk(2, 6, 7, 1), mk(1, 4, 6, 1), mk(2, 1, 2, 1)};
    struct plan p = {.terms = t, .n_terms = ARRAY_LEN(t)};
    assert_null(plan_merge(&p));
    static const uint32_t want[][3] = {{1, 0, 3}, {1, 4, 6}, {2, 0, 2}, {2, 5, 9}};
    assert_int_equal(p.n_fetch, ARRAY_LEN(want));
    for (uint32_t i = 0; i < p.n_fetch; i++) {
        assert_int_equal(p.fetch[i].xorb.b[0], want[i][0]);
        assert_int_equal(p.fetch[i].first, want[i][1]);
        assert_int_equal(p.fetch[i].end, want[i][2]);
        assert_int_equal(p.fetch[i].phys_start, want[i][1] * 10);
        assert_int_equal(p.fetch[i].phys_end, want[i][2] * 10);
    }
    for (uint32_t k = 0; k < p.n_terms; k++) { /* each term lies wholly inside one fetch */
        unsigned inside = 0;
        for (uint32_t i = 0; i < p.n_fetch; i++)
            inside +=
                xhash_eq(&p.fetch[i].xorb, &t[k].xorb) && p.fetch[i].first <= t[k].first && t[k].end <= p.fetch[i].end;
        assert_int_equal(inside, 1);
    }
    plan_release(&p);
}

static void test_range_text(void **s) {
    struct range_set r, q;
    assert_true(range_set_parse(STR("0-0,5-9,10-18446744073709551614"), &r));
    assert_int_equal(r.n, 3);
    assert_int_equal(r.r[1].end, 10);
    static const char *bad[] = {
        "",     "5",   "5-", "-5", "a-b", "5-4", "0-9,5-6", "5-6,0-1", "0-1,", "0-1,,3-4", "0-18446744073709551615",
        "+1-2", " 1-2"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) assert_false(range_set_parse(str_of(bad[i]), &r));
    assert_true(range_set_parse(STR("0-99,200-299"), &r));
    assert_null(range_set_ask(STR("bytes=0-99,200-299"), &r, &q));
    assert_null(range_set_ask(STR("bytes=250-260, 0-0"), &r, &q)); /* any order */
    assert_int_equal(q.n, 2);
    assert_null(range_set_ask(STR("BYTES=50-"), &r, &q));
    assert_int_equal(q.r[0].end, 100);
    assert_ptr_equal(range_set_ask(STR("bytes=50-200"), &r, &q), E_FORBIDDEN);
    assert_ptr_equal(range_set_ask(STR("bytes=150-"), &r, &q), E_FORBIDDEN);
    assert_ptr_equal(range_set_ask(STR("bytes=0-99,0-99,0-99"), &r, &q), E_FORBIDDEN);
    assert_ptr_equal(range_set_ask(STR("bytes="), &r, &q), E_BAD_REQUEST);
    assert_ptr_equal(range_set_ask(STR("items=0-1"), &r, &q), E_BAD_REQUEST);
    struct buf b;
    buf_init(&b, MiB);
    buf_cstr(&b, "bytes=0-0");
    for (unsigned i = 0; i < RANGE_SET_MAX; i++) buf_cstr(&b, ",1-1");
    assert_ptr_equal(range_set_ask(buf_view(&b), &r, &q), E_BAD_REQUEST);
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(test_select), cmocka_unit_test(test_trim),
                                   cmocka_unit_test(test_merge), cmocka_unit_test(test_range_text)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
