/* SPDX-License-Identifier: Apache-2.0 */
/* lfs_batch_fuzz.c — LFS batch requests: objects without a fault are exactly well-formed. */
#include "hub/lfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena a;
    struct jv root;
    struct lfs_batch b;
    arena_init(&a, 256 * MiB);
    struct json_limits lim = {.max_bytes = 1 << 20};
    if (json_parse(&a, str_make(data, size), &lim, &root) == OK && lfs_batch_parse(&a, root, &b) == OK) {
        BUG_ON(b.n > LFS_OBJECTS_MAX);
        for (size_t i = 0; i < b.n; i++)
            if (b.objects[i].fault == NULL)
                BUG_ON(b.objects[i].oid.n != 64 || !str_is_hex(b.objects[i].oid) || b.objects[i].size > LFS_SIZE_MAX);
    }
    arena_release(&a);
    return 0;
}
