/* SPDX-License-Identifier: Apache-2.0 */
/* card_facts.c — the few words of a card's front matter that pages show beside it. */
#include "web/repo_page.h"

/* A string, or the first string of a list. */
static struct str word_of(struct arena *a, struct jv v) {
    if (jv_type(v) == JSON_ARRAY) v = jv_at(v, 0);
    if (jv_type(v) != JSON_STRING) return STR_NULL;
    return arena_str(a, str_sub(jv_str(v, STR("")), 0, 200));
}

void card_facts_read(struct arena *a, struct str card_json, struct card_facts *out) {
    *out = (struct card_facts){0};
    struct jv card;
    if (card_json.n == 0 || json_parse(a, card_json, NULL, &card) != OK) return;
    out->licence = word_of(a, jv_get(card, "license"));
    struct str named = word_of(a, jv_get(card, "license_name"));
    if (str_eqz(out->licence, "other") && named.n > 0) out->licence = named;
    out->base_model = word_of(a, jv_get(card, "base_model"));
    out->task = word_of(a, jv_get(card, "pipeline_tag"));
    if (out->task.n == 0) out->task = word_of(a, jv_get(card, "task_categories"));
    out->library = word_of(a, jv_get(card, "library_name"));
}
