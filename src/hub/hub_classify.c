/* SPDX-License-Identifier: Apache-2.0 */
/* hub_classify.c — LFS or regular, ignored or not. Rules: hf-wire.md §1.8; patterns are git's (git/attr.h). */
#include "hub/hub_classify.h"

#include "git/attr.h"

bool hub_sample_is_binary(struct str s) {
    if (s.n == 0) return false;
    if (memchr(s.p, 0, s.n) != NULL) return true;
    unsigned control = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b) control++;
    }
    if (control * 20 > s.n) return true;
    for (size_t cut = 0; cut < 4 && cut < s.n; cut++)
        if (str_is_utf8(str_sub(s, 0, s.n - cut))) return false;
    return true;
}

bool hub_is_large(const struct hub_classify *c, struct str path, uint64_t size, struct str sample) {
    if (size == 0) return false;
    if (size > c->inline_limit) return true;
    switch (attr_lfs(c->attributes, path)) {
    case ATTR_LFS: return true;
    case ATTR_NOT_LFS: return false;
    case ATTR_UNSPECIFIED: break;
    }
    return hub_sample_is_binary(sample);
}

/* One line against the path itself and each folder above it. */
static bool ignore_match(struct str pattern, struct str path) {
    bool dirs_only = pattern.n > 0 && pattern.p[pattern.n - 1] == '/';
    if (dirs_only) pattern.n--;
    if (pattern.n == 0) return false;
    if (!dirs_only && attr_match(pattern, path)) return true;
    for (size_t i = path.n; i-- > 0;)
        if (path.p[i] == '/' && attr_match(pattern, str_sub(path, 0, i))) return true;
    return false;
}

bool hub_is_ignored(struct str gitignore, struct str path) {
    struct str rest = gitignore, line;
    bool ignored = false;
    while (rest.n > 0 && str_split(&rest, '\n', &line)) {
        line = str_trim(line);
        if (line.n == 0 || line.p[0] == '#') continue;
        bool again = line.p[0] == '!';
        if (again) line = str_from(line, 1);
        if (line.n > 1 && line.p[0] == '\\') line = str_from(line, 1);
        if (ignored == again && ignore_match(line, path)) ignored = !again;
    }
    return ignored;
}
