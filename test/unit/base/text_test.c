/* SPDX-License-Identifier: Apache-2.0 */
/* text_test.c — str, hex, base64, percent-encoding, clock formats, hashes, languages, error text. */
#include "unit.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/i18n.h"

static void numbers_are_strict(void **st) {
    (void)st;
    uint64_t u;
    int64_t i;
    assert_true(str_to_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_false(str_to_u64(STR("18446744073709551616"), &u));
    assert_false(str_to_u64(STR(""), &u) || str_to_u64(STR("+1"), &u) || str_to_u64(STR(" 1"), &u) ||
                 str_to_u64(STR("1x"), &u));
    assert_true(str_to_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_false(str_to_i64(STR("9223372036854775808"), &i) || str_to_i64(STR("-"), &i));
}

static void split_yields_empty_fields(void **st) {
    (void)st;
    struct str rest = STR("a,,b,"), f;
    const char *want[] = {"a", "", "b", ""};
    for (int i = 0; i < 4; i++) {
        assert_true(str_split(&rest, ',', &f));
        assert_str(f, want[i]);
    }
    assert_false(str_split(&rest, ',', &f));
}

static void base64_both_alphabets(void **st) {
    (void)st;
    struct buf b;
    buf_init(&b, 1024);
    base64_encode(&b, "\xff\xfe\xfdz", 4);
    assert_str(buf_view(&b), "//79eg==");
    buf_reset(&b);
    assert_true(base64_decode(&b, STR("__79eg")) && b.n == 4 && memcmp(b.p, "\xff\xfe\xfdz", 4) == 0);
    buf_reset(&b);
    assert_false(base64_decode(&b, STR("abcde")));
    assert_false(base64_decode(&b, STR("ab=c")));
    assert_false(base64_decode(&b, STR("a b=")));
    buf_release(&b);
}

static void uri_parameters(void **st) {
    (void)st;
    struct arena a;
    arena_init(&a, MiB);
    struct str v;
    assert_true(uri_param(&a, STR("x=1&paths=a%2Fb&paths=c+d&e"), "paths", 1, &v));
    assert_str(v, "c d");
    assert_true(uri_param(&a, STR("x=1&paths=a%2Fb"), "paths", 0, &v));
    assert_str(v, "a/b");
    assert_true(uri_param(&a, STR("e"), "e", 0, &v) && v.n == 0);
    assert_false(uri_param(&a, STR("e=%zz"), "e", 0, &v));
    assert_false(uri_decode(&a, STR("%1"), false, &v));
    arena_release(&a);
}

static void dates(void **st) {
    (void)st;
    char iso[CLOCK_ISO_LEN + 1], http[CLOCK_HTTP_LEN + 1];
    clock_iso(1787229296789, iso);
    assert_string_equal(iso, "2026-08-20T12:34:56.789Z");
    clock_http(1787229296789, http);
    assert_string_equal(http, "Thu, 20 Aug 2026 12:34:56 GMT");
    clock_iso(-1, iso);
    assert_string_equal(iso, "1969-12-31T23:59:59.999Z");
}

static void hashes_match_known_values(void **st) {
    (void)st;
    uint8_t h[32];
    char hex[65];
    hash_sha256("abc", 3, h);
    hex_encode(h, 32, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash_git_blob("hello\n", 6, h);
    hex_encode(h, 20, hex);
    assert_string_equal(hex, "ce013625030ba8dba906f756967f9e9ca394464a");
    uint8_t seed[32] = {1}, pub[32], sig[64];
    ed25519_public(seed, pub);
    ed25519_sign(seed, "m", 1, sig);
    assert_true(ed25519_verify(pub, "m", 1, sig));
    assert_false(ed25519_verify(pub, "n", 1, sig));
}

static void language_choice(void **st) {
    (void)st;
    assert_int_equal(i18n_accept(STR("fr, zh-CN;q=0.8, en;q=0.9"), LANG_ZH), LANG_EN);
    assert_int_equal(i18n_accept(STR("zh-TW,en;q=0.5"), LANG_EN), LANG_ZH);
    assert_int_equal(i18n_accept(STR(""), LANG_ZH), LANG_ZH);
    assert_string_equal(i18n(LANG_ZH, "internal error"), "内部错误");
    assert_string_equal(i18n(LANG_ZH, "no such text"), "no such text");
}

static void error_text_follows_language(void **st) {
    (void)st;
    err_slot()->lang = LANG_ZH;
    assert_true(err_fail(E_INTERNAL, "internal error") == E_INTERNAL);
    assert_string_equal(err_text(), "内部错误");
    assert_string_equal(err_text_en(), "internal error");
    err_slot()->lang = LANG_EN;
    assert_true(err_wrap(err_fail(E_IO, "inner %d", 1), "outer %s", "x") == E_IO);
    assert_string_equal(err_text(), "outer x: inner 1");
}

static void nearness(void **st) {
    (void)st;
    unsigned d;
    assert_int_equal(str_distance(STR("user"), STR("user")), 0);
    assert_int_equal(str_distance(STR("usr"), STR("user")), 1);
    assert_int_equal(str_distance(STR("wrokers"), STR("workers")), 1); /* a swap is one slip */
    assert_int_equal(str_distance(STR(""), STR("abc")), 3);
    assert_int_equal(str_distance(STR("kitten"), STR("sitting")), 3);
    assert_true(str_near(STR("deplyo"), STR("deploy"), &d));
    assert_false(str_near(STR("frobnicate"), STR("deployments"), &d));
    assert_false(str_near(STR("a"), STR("gc"), &d));
    static char longest[200];
    memset(longest, 'x', sizeof longest);
    assert_false(str_near(str_make(longest, sizeof longest), STR("x"), &d));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_strict),
        cmocka_unit_test(split_yields_empty_fields),
        cmocka_unit_test(base64_both_alphabets),
        cmocka_unit_test(uri_parameters),
        cmocka_unit_test(dates),
        cmocka_unit_test(hashes_match_known_values),
        cmocka_unit_test(nearness),
        cmocka_unit_test(language_choice),
        cmocka_unit_test(error_text_follows_language),
    };
    return cmocka_run_group_tests_name("base_text", tests, NULL, NULL);
}
