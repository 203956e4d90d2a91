/* SPDX-License-Identifier: Apache-2.0 */
/* said_test.c — texts stored in English are told in the reader's language, or as they are; never something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/web_int.h"

static struct arena arena;
static int setup(void **state) {
    arena_init(&arena, MiB);
    return 0;
}
static int teardown(void **state) {
    arena_release(&arena);
    return 0;
}

static const char *said(const char *text) {
    return arena_strz(&arena, web_said(&arena, LANG_ZH, str_of(text)));
}

static void a_known_format_is_found_with_its_values(void **state) {
    assert_string_equal(said("the engine ended by itself (code 3, after 12 s); its log tells why"),
                        "引擎自行退出（代码 3，运行 12 秒后）；原因见其日志");
    assert_string_equal(said("the engine ended by itself (code 3, after 0 s); its log tells why: error: no memory"),
                        "引擎自行退出（代码 3，运行 0 秒后）；原因见其日志：error: no memory");
    assert_string_equal(said("Account"), "账户");
    struct str en = web_said(&arena, LANG_EN, STR("Account"));
    assert_true(str_eqz(en, "Account"));
}

static void what_is_not_known_stays(void **state) {
    static const char *const texts[] = {"", "segmentation fault (core dumped)", "the engine ended by itself (code 3",
                                        "the engine ended by itself (code 3, after 12 s); its log tells why and more",
                                        "%d %s %n"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) assert_string_equal(said(texts[i]), texts[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_known_format_is_found_with_its_values, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_known_stays, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
