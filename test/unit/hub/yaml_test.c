/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_test.c — cards' YAML as JSON: core schema, aliases within bounds, errors with their place. */
#include "unit.h"

#include "hub/hub_yaml.h"

static void is(const char *yaml, const char *json) {
    struct buf b;
    buf_init(&b, HUB_YAML_JSON_MAX);
    err e = hub_yaml_json(str_of(yaml), &b);
    if (e != OK) fail_msg("%s: %s", yaml, err_text());
    if (!str_eqz(buf_view(&b), json)) fail_msg("%s gave " STR_FMT ", not %s", yaml, STR_ARG(buf_view(&b)), json);
    buf_release(&b);
}

static void refuses(const char *yaml, const char *says) {
    struct buf b;
    buf_init(&b, HUB_YAML_JSON_MAX);
    err e = hub_yaml_json(str_of(yaml), &b);
    if (e == OK) fail_msg("accepted: %s", yaml);
    if (strstr(err_text(), says) == NULL) fail_msg("\"%s\" does not say \"%s\"", err_text(), says);
    buf_release(&b);
}

static void scalars_follow_the_core_schema(void **st) {
    (void)st;
    is("a: mit", "{\"a\":\"mit\"}");
    is("a: [no, yes, on, off, NO]", "{\"a\":[\"no\",\"yes\",\"on\",\"off\",\"NO\"]}"); /* Norwegian is a language */
    is("a: [true, False, null, ~, ]", "{\"a\":[true,false,null,null]}");
    is("a: [1, -2, +3, 007, 1.5, 1e3, .5, 0x1f]", "{\"a\":[1,-2,3,\"007\",1.5,1000,0.5,\"0x1f\"]}");
    is("a: ['1', \"true\"]", "{\"a\":[\"1\",\"true\"]}");
    is("a: 2026-11-22", "{\"a\":\"2026-11-22\"}");
    is("a: [.inf, 99999999999999999999]", "{\"a\":[\".inf\",\"99999999999999999999\"]}");
    is("", "null");
    is("- x\n- y: 1\n", "[\"x\",{\"y\":1}]");
    is("t: |\n  a\n  b\n", "{\"t\":\"a\\nb\\n\"}");
}

static void aliases_are_expanded(void **st) {
    (void)st;
    is("a: &x {k: 1}\nb: *x\n", "{\"a\":{\"k\":1},\"b\":{\"k\":1}}");
}

static void bombs_end(void **st) {
    (void)st;
    refuses(
        "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
        "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: "
        "[*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
        "limit");
    refuses("a: &a [*a]\n", "nested");
    refuses("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "nested");
}

static void errors_have_a_place(void **st) {
    (void)st;
    refuses("a: 1\nb: [\n", "line 3");
    refuses("a: 1\na: 2\n", "line 2, column 1: duplicated");
    refuses("? [x]\n: 1\n", "plain text");
    refuses("a: 1\n--- \nb: 2\n", "more than one");
    refuses("a: *nowhere\n", "line 1");
    refuses("a: \xff\n", "UTF-8");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_follow_the_core_schema),
        cmocka_unit_test(aliases_are_expanded),
        cmocka_unit_test(bombs_end),
        cmocka_unit_test(errors_have_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
