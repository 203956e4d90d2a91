/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attr.c — gitattributes lines: PATTERN attr attr… ; comments with #; "quoted patterns" in C style.
 *
 * Rules of matching (gitattributes(5), gitignore(5)): a pattern without a slash matches the last component at any
 * depth; with a slash it is anchored to the file's folder; two stars between slashes span folders; a trailing slash
 * never matches; negative patterns are not allowed and skipped. Macros other than the built-in `binary` are ignored.
 * Work is bounded by FUEL steps per match, since stars against a hostile path explode otherwise; out of fuel is
 * "no match".
 */
#include "git/attr.h"

enum { FUEL = 20000, PATTERN_MAX = 2048 };

/* [abc], [!a-z], [[:alpha:]] is taken literally as a set. Returns the length of the set or 0 when it is not closed. */
static size_t set_match(struct str p, char c, bool *hit) {
    size_t i = 1;
    bool negate = i < p.n && (p.p[i] == '!' || p.p[i] == '^'), any = false;
    if (negate) i++;
    for (size_t first = i; i < p.n && (p.p[i] != ']' || i == first); i++) {
        if (p.p[i] == '\\' && i + 1 < p.n) i++;
        char lo = p.p[i], hi = lo;
        if (i + 2 < p.n && p.p[i + 1] == '-' && p.p[i + 2] != ']') {
            hi = p.p[i + 2];
            i += 2;
        }
        if ((unsigned char)c >= (unsigned char)lo && (unsigned char)c <= (unsigned char)hi) any = true;
    }
    if (i >= p.n) return 0;
    *hit = any != negate && c != '/';
    return i + 1;
}

static bool wild(struct str p, struct str s, unsigned *fuel);

/* p starts with '*'. */
static bool wild_star(struct str p, struct str s, bool at_start, unsigned *fuel) {
    if (p.n >= 2 && p.p[1] == '*') {
        bool slash_after = p.n == 2 || p.p[2] == '/';
        if (at_start && slash_after) {
            if (p.n == 2) return s.n > 0;     /* "dir/" + two stars: everything inside */
            struct str rest = str_from(p, 3); /* any number of folders, also none */
            if (wild(rest, s, fuel)) return true;
            for (size_t i = 0; i < s.n; i++)
                if (s.p[i] == '/' && wild(rest, str_from(s, i + 1), fuel)) return true;
            return false;
        }
    }
    while (p.n > 0 && p.p[0] == '*') p = str_from(p, 1);
    for (size_t i = 0;; i++) {
        if (wild(p, str_from(s, i), fuel)) return true;
        if (i >= s.n || s.p[i] == '/') return false;
    }
}

static bool wild(struct str p, struct str s, unsigned *fuel) {
    bool at_start = true; /* at the beginning of a component */
    while (p.n > 0) {
        if (*fuel == 0) return false;
        --*fuel;
        char c = p.p[0];
        if (c == '*') return wild_star(p, s, at_start, fuel);
        if (s.n == 0) return false;
        if (c == '?') {
            if (s.p[0] == '/') return false;
            p = str_from(p, 1);
        } else if (c == '[') {
            bool hit = false;
            size_t n = set_match(p, s.p[0], &hit);
            if (n > 0) {
                if (!hit) return false;
                p = str_from(p, n);
            } else {
                if (s.p[0] != '[') return false;
                p = str_from(p, 1);
            }
        } else {
            if (c == '\\' && p.n > 1) p = str_from(p, 1);
            if (p.p[0] != s.p[0]) return false;
            p = str_from(p, 1);
        }
        at_start = s.p[0] == '/';
        s = str_from(s, 1);
    }
    return s.n == 0;
}

bool attr_match(struct str pattern, struct str path) {
    unsigned fuel = FUEL;
    if (pattern.n == 0 || pattern.n > PATTERN_MAX || path.n == 0) return false;
    if (pattern.p[pattern.n - 1] == '/') return false;
    ptrdiff_t slash = str_chr(pattern, '/');
    if (slash < 0) {
        ptrdiff_t last = str_rchr(path, '/');
        return wild(pattern, last < 0 ? path : str_from(path, (size_t)last + 1), &fuel);
    }
    if (slash == 0) pattern = str_from(pattern, 1);
    return wild(pattern, path, &fuel);
}

/* The pattern at the start of a line, unquoted into tmp when quoted; *rest is what follows. */
static bool line_pattern(struct str line, char tmp[PATTERN_MAX], struct str *pattern, struct str *rest) {
    if (line.p[0] != '"') {
        size_t i = 0;
        while (i < line.n && line.p[i] != ' ' && line.p[i] != '\t') i++;
        *pattern = str_sub(line, 0, i);
        *rest = str_from(line, i);
        return true;
    }
    size_t n = 0, i = 1;
    for (; i < line.n && line.p[i] != '"'; i++) {
        char c = line.p[i];
        if (n + 1 >= PATTERN_MAX) return false;
        if (c == '\\' && i + 1 < line.n) {
            static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
            c = line.p[++i];
            const char *at = memchr(from, c, sizeof from - 1);
            if (at != NULL) {
                c = to[at - from];
            } else if (c >= '0' && c <= '3' && i + 2 < line.n) {
                unsigned v = 0;
                for (size_t k = 0; k < 3; k++) {
                    if (line.p[i + k] < '0' || line.p[i + k] > '7') return false;
                    v = v * 8 + (unsigned)(line.p[i + k] - '0');
                }
                c = (char)(unsigned char)v;
                i += 2;
            } else if (c != '"' && c != '\\') {
                return false;
            }
        }
        tmp[n++] = c;
    }
    if (i >= line.n) return false;
    *pattern = str_make(tmp, n);
    *rest = str_from(line, i + 1);
    return true;
}

static enum attr_state line_state(struct str attrs) {
    enum attr_state st = ATTR_UNSPECIFIED;
    struct str word;
    while (str_split(&attrs, ' ', &word)) {
        word = str_trim(word);
        if (str_eqz(word, "filter=lfs")) st = ATTR_LFS;
        else if (str_starts(word, "filter=") || str_eqz(word, "-filter") || str_eqz(word, "!filter")) st = ATTR_NOT_LFS;
    }
    return st;
}

enum attr_state attr_lfs(struct str file, struct str path) {
    enum attr_state st = ATTR_UNSPECIFIED;
    struct str line, pattern, rest;
    char tmp[PATTERN_MAX];
    file = str_sub(file, 0, ATTR_FILE_MAX);
    while (str_split(&file, '\n', &line)) {
        line = str_trim(line);
        if (line.n == 0 || line.p[0] == '#' || line.p[0] == '!' || line.p[0] == '[') {
            /* "[attr]name" defines a macro; a set pattern such as "[ab].bin x" is a pattern */
            if (line.n == 0 || line.p[0] != '[' || str_starts(line, "[attr]")) continue;
        }
        if (!line_pattern(line, tmp, &pattern, &rest)) continue;
        enum attr_state here = line_state(rest);
        if (here != ATTR_UNSPECIFIED && attr_match(pattern, path)) st = here;
    }
    return st;
}

void attr_line(struct buf *b, struct str path) {
    bool quote = path.n > 0 && (path.p[0] == '"' || path.p[0] == '#' || path.p[0] == '!' || path.p[0] == '[');
    for (size_t i = 0; i < path.n; i++)
        if ((unsigned char)path.p[i] <= 0x20 || path.p[i] == '"') quote = true;
    /* without a slash the pattern would match the name in every folder; that is what the Hub writes, too */
    if (quote) buf_char(b, '"');
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        if (c == '*' || c == '?' || c == '[' || c == '\\' || (i == 0 && (c == '#' || c == '!')))
            buf_cstr(b, quote ? "\\\\" : "\\"); /* the glob's own escape; doubled inside C quotes */
        if (quote && c == '\\') buf_char(b, '\\');
        if (c == '"') buf_cstr(b, "\\");
        if (c == '\t') buf_cstr(b, "\\t");
        else buf_char(b, c);
    }
    if (quote) buf_char(b, '"');
    buf_cstr(b, " filter=lfs diff=lfs merge=lfs -text\n");
}

struct str attr_default(void) {
#define L(p) p " filter=lfs diff=lfs merge=lfs -text\n"
    static const char text[] = L("*.7z") L("*.arrow") L("*.avro") L("*.bin") L("*.bz2") L("*.ckpt") L("*.ftz")
        L("*.gguf") L("*.gz") L("*.h5") L("*.joblib") L("*.lz4") L("*.mds") L("*.mlmodel") L("*.model") L("*.msgpack")
            L("*.npy") L("*.npz") L("*.onnx") L("*.ot") L("*.parquet") L("*.pb") L("*.pickle") L("*.pkl") L("*.pt")
                L("*.pth") L("*.rar") L("*.safetensors") L("saved_model/**/*") L("*.tar.*") L("*.tar") L("*.tflite")
                    L("*.tgz") L("*.wasm") L("*.xz") L("*.zip") L("*.zst") L("*tfevents*");
#undef L
    return STR(text);
}
