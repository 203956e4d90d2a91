/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_fuzz.c — whatever YAML is accepted comes out as JSON that our strict reader accepts. */
#include "hub/hub_yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct buf b;
    struct arena a;
    struct jv v;
    buf_init(&b, HUB_YAML_JSON_MAX);
    arena_init(&a, 64 * MiB);
    if (hub_yaml_json(str_make(data, size), &b) == OK) BUG_ON(json_parse(&a, buf_view(&b), NULL, &v) != OK);
    arena_release(&a);
    buf_release(&b);
    return 0;
}
