/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lfs_pointer.c — read and write LFS pointer files.
 *
 *   version https://git-lfs.github.com/spec/v1\n
 *   [ext-N-name sha256:…\n]*
 *   oid sha256:<64 lower-case hex>\n
 *   size <decimal>\n
 *
 * What git-lfs would take for a pointer and we would not could bring bytes past the possession check; so reading
 * is as lenient as git-lfs is, writing is exact.
 */
#include "git/lfs_pointer.h"

static bool next_line(struct str *rest, struct str *line) {
    while (str_split(rest, '\n', line)) {
        if (line->n > 0 && line->p[line->n - 1] == '\r') line->n--;
        if (line->n > 0) return true;
    }
    return false;
}

static bool value_of(struct str line, const char *key, struct str *val) {
    size_t n = strlen(key);
    if (line.n <= n || memcmp(line.p, key, n) != 0 || line.p[n] != ' ') return false;
    *val = str_from(line, n + 1);
    return true;
}

static bool known_version(struct str v) {
    static const char *const known[] = {"https://git-lfs.github.com/spec/v1", "http://git-media.io/v/2",
                                        "https://hawser.github.com/spec/v1"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eqz(v, known[i])) return true;
    return false;
}

bool lfs_pointer_parse(struct str text, struct lfs_pointer *out) {
    if (text.n > LFS_POINTER_MAX || text.n < 60) return false;
    struct str rest = str_trim(text), line, val;
    if (!next_line(&rest, &line) || !value_of(line, "version", &val) || !known_version(val)) return false;
    if (!next_line(&rest, &line)) return false;
    while (str_starts(line, "ext-"))
        if (!next_line(&rest, &line)) return false;
    if (!value_of(line, "oid", &val) || !str_starts(val, "sha256:")) return false;
    val = str_from(val, 7);
    if (val.n != 64) return false;
    for (size_t i = 0; i < 64; i++)
        if (!((val.p[i] >= '0' && val.p[i] <= '9') || (val.p[i] >= 'a' && val.p[i] <= 'f'))) return false;
    memcpy(out->sha256, val.p, 64);
    out->sha256[64] = 0;
    if (!next_line(&rest, &line) || !value_of(line, "size", &val) || !str_to_u64(val, &out->size)) return false;
    if (out->size > INT64_MAX) return false;
    return !next_line(&rest, &line);
}

size_t lfs_pointer_format(struct str sha256, uint64_t size, char *out, size_t cap) {
    int n = snprintf(out, cap, "version https://git-lfs.github.com/spec/v1\noid sha256:" STR_FMT "\nsize %" PRIu64 "\n",
                     STR_ARG(sha256), size);
    BUG_ON(n < 0 || (size_t)n >= cap);
    return (size_t)n;
}
