/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.c — safe paths: relative, UTF-8, no empty, "." or ".." component, no control characters, no backslash, nothing
 * that some file system would read as ".git" (case, trailing dots and spaces, short name git~1, NTFS streams,
 * ignorable Unicode code points of HFS+).
 */
#include "git/git_internal.h"

#include "git/path.h"

#include "base/i18n.h"

/* Code points HFS+ ignores in names: U+200C–200F, 202A–202E, 206A–206F, FEFF. Returns their UTF-8 length or 0. */
static size_t hfs_ignored(struct str s) {
    if (s.n < 3) return 0;
    const unsigned char *b = (const unsigned char *)s.p;
    if (b[0] == 0xEF && b[1] == 0xBB && b[2] == 0xBF) return 3;
    if (b[0] != 0xE2) return 0;
    if (b[1] == 0x80 && ((b[2] >= 0x8C && b[2] <= 0x8F) || (b[2] >= 0xAA && b[2] <= 0xAE))) return 3;
    if (b[1] == 0x81 && b[2] >= 0xAA && b[2] <= 0xAF) return 3;
    return 0;
}

static bool looks_like_dotgit(struct str name) {
    char plain[16];
    size_t n = 0;
    while (name.n > 0) {
        size_t skip = hfs_ignored(name);
        if (skip > 0) {
            name = str_from(name, skip);
            continue;
        }
        if (name.p[0] == ':') break; /* an NTFS stream of what stands before */
        if (n == sizeof plain) return false;
        char c = name.p[0];
        plain[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        name = str_from(name, 1);
    }
    while (n > 0 && (plain[n - 1] == '.' || plain[n - 1] == ' ')) n--; /* dropped by Windows */
    return str_eq(str_make(plain, n), STR(".git")) || str_eq(str_make(plain, n), STR("git~1"));
}

const char *git_name_fault(struct str name) {
    if (name.n == 0) return N_("an empty component");
    if (name.n > 255) return N_("a component above 255 bytes");
    if (str_eqz(name, ".") || str_eqz(name, "..")) return N_("a '.' or '..' component");
    if (!str_is_utf8(name)) return N_("bytes that are not UTF-8");
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c < 0x20 || c == 0x7F) return N_("a control character");
        if (c == '\\') return N_("a backslash");
        if (c == '/') return N_("a slash inside a name");
    }
    return looks_like_dotgit(name) ? N_("a component that stands for .git") : NULL;
}

const char *git_path_fault(struct str path) {
    if (path.n == 0) return N_("no name");
    if (path.n > REPO_PATH_MAX) return N_("more than 1024 bytes");
    if (path.p[0] == '/') return N_("a leading slash");
    struct str rest = path, part;
    unsigned depth = 0;
    while (str_split(&rest, '/', &part)) {
        const char *fault = git_name_fault(part);
        if (fault != NULL) return fault;
        if (++depth > REPO_PATH_DEPTH_MAX) return N_("more than 64 folders");
    }
    return NULL;
}

err git_path_check(struct str path) {
    const char *fault = git_path_fault(path);
    if (fault == NULL) return OK;
    char shown[160];
    size_t n = 0;
    for (size_t i = 0; i < path.n && n < sizeof shown - 1; i++)
        shown[n++] = (unsigned char)path.p[i] < 0x20 || path.p[i] == 0x7F ? '?' : path.p[i];
    shown[n] = 0;
    return err_fail(E_UNPROCESSABLE, "path \"%s\" is not allowed: it has %s; nothing was changed", shown,
                    i18n((enum lang)err_slot()->lang, fault));
}

bool git_ref_name_ok(struct str ref) {
    char name[REPO_PATH_MAX];
    if (ref.n >= 256 || memchr(ref.p, 0, ref.n) != NULL) return false;
    snprintf(name, sizeof name, STR_FMT, STR_ARG(ref));
    if (!str_starts(ref, "refs/heads/") && !str_starts(ref, "refs/tags/") && !str_starts(ref, "refs/pr/")) return false;
    if (!str_is_utf8(ref)) return false;
    ptrdiff_t last = str_chr(str_from(ref, 5), '/');
    struct str leaf = str_from(ref, 5 + (size_t)last + 1);
    /* names git would accept but that read as something else: options, HEAD, full ids */
    if (leaf.n == 0 || leaf.p[0] == '-' || str_eqz(leaf, "HEAD")) return false;
    if (leaf.n == GIT_OID_HEX && str_is_hex(leaf)) return false;
    return git_reference_is_valid_name(name) == 1;
}
