/* SPDX-License-Identifier: Apache-2.0 */
/* card_test.c — front matter, tags, first sentence. */
#include "unit.h"

#include "hub/hub_card.h"

static struct arena a;
static int setup(void **st) {
    (void)st;
    arena_init(&a, 64 * MiB);
    return 0;
}
static int teardown(void **st) {
    (void)st;
    arena_release(&a);
    return 0;
}

static void finds_front_matter(void **st) {
    (void)st;
    struct str body;
    assert_str(hub_card_front(STR("---\na: 1\n---\n# T\n"), &body), "a: 1\n");
    assert_str(body, "# T\n");
    assert_str(hub_card_front(STR("\xef\xbb\xbf\n---\r\na: 1\r\n---\r\nx"), &body), "a: 1\r\n");
    assert_str(body, "x");
    assert_int_equal(hub_card_front(STR("# no card\n---\na: 1\n---\n"), &body).n, 0);
    assert_int_equal(hub_card_front(STR("---\na: 1\nnever closed"), &body).n, 0);
    assert_int_equal(hub_card_front(STR(""), &body).n, 0);
    assert_int_equal(hub_card_front(STR("---\n---\nx"), &body).n, 0);
}

static void model_tags(void **st) {
    (void)st;
    struct hub_card c;
    hub_card_parse(&a, REPO_MODEL,
                   STR("---\nlicense: mit\nlanguage: [en, zh]\ntags: [a, a, b]\nbase_model: o/m\ndatasets: o/d\n"
                       "pipeline_tag: text-generation\nlibrary_name: transformers\n---\n"),
                   &c);
    assert_str(c.tags,
               "[\"transformers\",\"text-generation\",\"a\",\"b\",\"en\",\"zh\",\"dataset:o/d\",\"base_model:o/m\","
               "\"base_model:finetune:o/m\",\"license:mit\"]");
    assert_true(str_find(c.card, STR("\"license\":\"mit\"")) >= 0);
}

static void dataset_tags_are_prefixed(void **st) {
    (void)st;
    struct hub_card c;
    hub_card_parse(&a, REPO_DATASET, STR("---\nlicense: mit\nlanguage: en\ntask_categories: [qa]\ntags: [x]\n---\n"),
                   &c);
    assert_str(c.tags, "[\"task_categories:qa\",\"language:en\",\"license:mit\",\"x\"]");
}

static void broken_card_is_empty_not_fatal(void **st) {
    (void)st;
    struct hub_card c;
    hub_card_parse(&a, REPO_MODEL, STR("---\na: [\n---\nText that is a sentence.\n"), &c);
    assert_str(c.card, "{}");
    assert_str(c.tags, "[]");
    hub_card_parse(&a, REPO_MODEL, STR("---\n- a list\n---\n"), &c);
    assert_str(c.card, "{}");
}

static void first_sentence(void **st) {
    (void)st;
    assert_str(hub_card_sentence(
                   &a, STR("# Title\n\n![img](x)\n<div>\n\nA **small** model by [us](http://x). More follows.\n")),
               "A small model by us.");
    assert_str(hub_card_sentence(&a, STR("```\ncode here\n```\nOne\ntwo\n\nthree\n")), "One two");
    assert_str(hub_card_sentence(&a, STR("# only\n- lists\n")), "");
    struct buf b;
    buf_init(&b, 4096);
    for (int i = 0; i < 400; i++) buf_cstr(&b, "\xe4\xb8\xad");
    struct str s = hub_card_sentence(&a, buf_view(&b));
    assert_true(s.n <= HUB_DESCRIPTION_MAX && s.n > 290 && str_is_utf8(s));
    buf_release(&b);
}

static void files_prove_formats(void **st) {
    (void)st;
    unsigned seen = 0;
    hub_card_file_tag(STR("sub/config.json"), &seen);
    assert_int_equal(seen, 0);
    hub_card_file_tag(STR("m.GGUF"), &seen);
    assert_int_equal(seen, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_front_matter, setup, teardown),
        cmocka_unit_test_setup_teardown(model_tags, setup, teardown),
        cmocka_unit_test_setup_teardown(dataset_tags_are_prefixed, setup, teardown),
        cmocka_unit_test_setup_teardown(broken_card_is_empty_not_fatal, setup, teardown),
        cmocka_unit_test_setup_teardown(first_sentence, setup, teardown),
        cmocka_unit_test_setup_teardown(files_prove_formats, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
