/* SPDX-License-Identifier: Apache-2.0 */
/* git_pointer_fuzz.c — LFS pointers: what parses, formats and parses to the same again. */
#include "git/lfs_pointer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lfs_pointer p, q;
    char text[256];
    if (!lfs_pointer_parse(str_make(data, size), &p)) return 0;
    size_t n = lfs_pointer_format(str_of(p.sha256), p.size, text, sizeof text);
    BUG_ON(!lfs_pointer_parse(str_make(text, n), &q) || q.size != p.size || strcmp(p.sha256, q.sha256) != 0);
    return 0;
}
