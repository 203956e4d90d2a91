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
static const char *reason(enum lang lang, const char *text) {
    struct http_req r = {.arena = &arena, .lang = lang};
    return arena_strz(&arena, web_reason(&r, str_of(text)));
}

static void a_known_format_is_found_with_its_values(void **state) {
    assert_string_equal(said("the engine ended by itself (code 3, after 12 s); its log tells why"),
                        "引擎自行退出（代码 3，运行 12 秒后）；原因见其日志");
    assert_string_equal(said("operator of this instance"), "本实例的运营方");
    struct str en = web_said(&arena, LANG_EN, STR("operator of this instance"));
    assert_true(str_eqz(en, "operator of this instance"));
}

static void what_is_not_known_stays(void **state) {
    static const char *const texts[] = {"", "segmentation fault (core dumped)", "the engine ended by itself (code 3",
                                        "the engine ended by itself (code 3, after 12 s); its log tells why and more",
                                        "%d %s %n"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) assert_string_equal(said(texts[i]), texts[i]);
}

/* Found on a template finding: "(popen) (chat_template @ 0x3e (+1))" was told in English. */
static void a_place_with_parentheses_is_a_place(void **state) {
    const char *text = "m.gguf: template.exec: The chat template reaches for Python internals (__init__) "
                       "(tokenizer.chat_template @ 0x29 (+1))";
    const char *zh = reason(LANG_ZH, text);
    assert_non_null(strstr(zh, "m.gguf："));
    assert_non_null(strstr(zh, "（__init__）"));
    assert_non_null(strstr(zh, "（tokenizer.chat_template @ 0x29 (+1)）。"));
    assert_null(strstr(zh, "reaches"));
    assert_string_equal(reason(LANG_EN, text), "m.gguf: The chat template reaches for Python internals (__init__) "
                                               "(tokenizer.chat_template @ 0x29 (+1))");
}

static void a_sentence_that_ends_with_its_value_has_no_place(void **state) {
    const char *zh = reason(LANG_ZH, "safetensors.tiling: Tensors do not tile the data exactly (hole at 0)");
    assert_null(strstr(zh, "Tensors"));
    assert_non_null(strstr(zh, "hole at 0"));
    assert_string_equal(reason(LANG_ZH, "looked at it by hand (twice)"), "looked at it by hand (twice)");
    assert_string_equal(reason(LANG_ZH, "no.such.rule: text ((("), "text (((");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_known_format_is_found_with_its_values, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_known_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(a_place_with_parentheses_is_a_place, setup, teardown),
        cmocka_unit_test_setup_teardown(a_sentence_that_ends_with_its_value_has_no_place, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
