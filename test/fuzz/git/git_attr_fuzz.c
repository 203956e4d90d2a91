/* SPDX-License-Identifier: Apache-2.0 */
/* git_attr_fuzz.c — first line: a path; rest: a .gitattributes. A line written for a safe path must cover it. */
#include "git/attr.h"
#include "git/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str rest = str_make(data, MIN(size, (size_t)65536)), path;
    if (rest.n == 0 || !str_split(&rest, '\n', &path)) return 0;
    (void)attr_lfs(rest, path);
    (void)attr_match(path, rest);
    if (git_path_fault(path) != NULL) return 0;
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_str(&b, rest.p != NULL && memchr(rest.p, '"', rest.n) == NULL ? rest : STR(""));
    if (b.n > 0 && b.p[b.n - 1] != '\n') buf_char(&b, '\n');
    attr_line(&b, path);
    BUG_ON(attr_lfs(buf_view(&b), path) != ATTR_LFS);
    buf_release(&b);
    return 0;
}
