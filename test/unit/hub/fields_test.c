/* SPDX-License-Identifier: Apache-2.0 */
/* fields_test.c — expand=: both spellings, per type, and the list of what is known when one is not. */
#include "unit.h"

#include "hub/hub_info.h"

static err expand(const char *query, enum repo_type t, uint64_t *fields, bool *given) {
    static struct arena a;
    arena_init(&a, 1 << 20);
    struct http_req r = {.arena = &a, .query = str_of(query)};
    err e = hub_info_expand(&r, t, fields, given);
    arena_release(&a);
    return e;
}

static void spellings(void **st) {
    (void)st;
    uint64_t f;
    bool given;
    assert_ok(expand("", REPO_MODEL, &f, &given));
    assert_false(given);
    assert_ok(expand("expand=sha&x=1&expand=likes", REPO_MODEL, &f, &given));
    assert_true(given && f == ((uint64_t)1 << F_SHA | (uint64_t)1 << F_LIKES));
    assert_ok(expand("expand%5B%5D=likes", REPO_MODEL, &f, &given));
    assert_true(given);
    assert_ok(expand("expand=xetEnabled", REPO_DATASET, &f, &given));
}

static void unknown_lists_the_known(void **st) {
    (void)st;
    uint64_t f;
    bool given;
    assert_err(expand("expand=nothing", REPO_MODEL, &f, &given), E_BAD_REQUEST);
    assert_non_null(strstr(err_text(), "\"expand\" must be one of [author, "));
    assert_err(expand("expand=sdk", REPO_MODEL, &f, &given), E_BAD_REQUEST);
    assert_ok(expand("expand=sdk", REPO_SPACE, &f, &given));
}

static void every_field_has_a_name(void **st) {
    (void)st;
    for (int i = 0; i < F_COUNT; i++) assert_non_null(hub_info_field_name((enum hub_info_field)i));
    assert_true((hub_info_fields(REPO_MODEL, INFO_IN_REPO) >> F_SIBLINGS & 1) != 0);
    assert_true((hub_info_fields(REPO_MODEL, INFO_IN_LIST) >> F_SIBLINGS & 1) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(spellings), cmocka_unit_test(unknown_lists_the_known),
                                       cmocka_unit_test(every_field_has_a_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
