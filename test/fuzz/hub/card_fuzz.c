/* SPDX-License-Identifier: Apache-2.0 */
/* card_fuzz.c — any bytes as README.md: card and tags are JSON, the sentence is UTF-8. */
#include "hub/hub_card.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const enum repo_type types[] = {REPO_MODEL, REPO_DATASET};
    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        struct arena a;
        struct hub_card c;
        struct jv v;
        arena_init(&a, 128 * MiB);
        hub_card_parse(&a, types[i], str_make(data, size), &c);
        BUG_ON(json_parse(&a, c.card, NULL, &v) != OK || jv_type(v) != JSON_OBJECT);
        BUG_ON(json_parse(&a, c.tags, NULL, &v) != OK || jv_type(v) != JSON_ARRAY);
        BUG_ON(!str_is_utf8(c.description));
        arena_release(&a);
    }
    return 0;
}
