/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c — what kind of text is it: JSON, XML, YAML, template, source, notebook, pointer, prose.
 * Text is UTF-8 without control characters; anything else is not text. Here alone a name decides what is looked for,
 * by verdict_kind(): a record is kept per kind, so a text that was examined as a README says nothing about the same
 * text as a script.
 */
#include "scan.h"

bool span_has_control(struct span b, const char *allowed) {
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] == 0x7f || b.p[i] == 0 || (b.p[i] < 0x20 && !strchr(allowed, b.p[i]))) return true;
    return false;
}

/*
 * Text in an older encoding (GBK, Big5, Shift-JIS, ISO 8859, KOI8): ASCII means ASCII in all of them, which is what the
 * signals look at. Noise of this length holds a control character but for one file in thousands.
 */
static bool is_legacy_text(struct span b) {
    enum { LEGACY_MIN = 64 };
    return b.n >= LEGACY_MIN && !span_has_control(b, "\t\n\r\f");
}

/* UTF-8 or an older encoding, no control characters but the usual ones. A BOM is fine. */
static bool is_text(struct span b) {
    struct span head = span_sub(b, 0, 64 * KiB);
    for (size_t i = 0; i < head.n; i++)
        if (head.p[i] < 0x20 && !strchr("\t\n\r\f\x1b", head.p[i])) return false;
    if (memchr(b.p, 0, b.n)) return false;
    return str_is_utf8(span_str(b)) || is_legacy_text(b);
}

static bool has(struct str t, const char *z) {
    return memmem(t.p, t.n, z, strlen(z)) != NULL;
}

static void xml(struct scan *s, struct str t) {
    facts_format(s->f, has(str_sub(t, 0, 2048), "<svg")                                                ? "svg"
                       : has(str_sub(t, 0, 512), "<html") || has(str_sub(t, 0, 512), "<!DOCTYPE html") ? "html"
                                                                                                       : "xml");
    if (has(t, "<!ENTITY") || (has(t, "<!DOCTYPE") && has(t, "SYSTEM")))
        facts_addz(s->f, FACT_XML_DTD, has(t, "SYSTEM") ? "SYSTEM" : "ENTITY", -1);
    if (has(t, "library=\"") && (has(t, ".so\"") || has(t, ".dll\"") || has(t, ".dylib\"")))
        facts_addz(s->f, FACT_XML_NATIVE, "library", -1);
    bool svg = strcmp(s->f->format, "svg") == 0;
    static const char *const scripts[] = {"<script", "javascript:", " onload=", " onclick=", "<Extension"};
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
        if (has(t, scripts[i])) facts_addz(s->f, svg ? FACT_SVG_SCRIPT : FACT_XML_SCRIPT, scripts[i], -1);
}

static void yaml(struct scan *s, struct str t) {
    facts_format(s->f, "yaml");
    if (has(t, "!!python/")) facts_addz(s->f, FACT_YAML_PYTHON, "!!python/", -1);
    struct str rest = t, line;
    while (str_split(&rest, '\n', &line)) {
        ptrdiff_t at = str_find(line, STR("_target_:"));
        if (at < 0) continue;
        struct str v = str_trim(str_from(line, (size_t)at + 9));
        if (v.n >= 2 && (v.p[0] == '"' || v.p[0] == '\'')) v = str_sub(v, 1, v.n - 2);
        target_fact(s, v);
    }
}

static bool pythonish(struct str t, struct str name) {
    if (strcmp(verdict_kind(name), "py") == 0) return true;
    struct str rest = str_sub(t, 0, 8192), line;
    unsigned hits = 0;
    while (str_split(&rest, '\n', &line)) {
        hits += (str_starts(line, "import ") && !memchr(line.p, '(', line.n)) ||
                (str_starts(line, "from ") && str_find(line, STR(" import ")) > 0);
        hits += str_starts(line, "def ") && str_ends(str_trim(line), ":");
        hits += str_starts(line, "class ") && str_ends(str_trim(line), ":");
    }
    return hits >= 2;
}

static bool bidi(struct str t) {
    for (const char *p = t.p; (p = memchr(p, '\xe2', (size_t)(t.p + t.n - p))) != NULL; p++) {
        if (t.p + t.n - p < 3) return false;
        unsigned char a = (unsigned char)p[1], b = (unsigned char)p[2];
        if ((a == 0x80 && b >= 0xaa && b <= 0xae) || (a == 0x81 && b >= 0xa6 && b <= 0xa9)) return true;
    }
    return memmem(t.p, t.n, "\xf3\xa0\x80", 3) || memmem(t.p, t.n, "\xf3\xa0\x81", 3);
}

static void source(struct scan *s, struct str t, struct str name, const char *format) {
    facts_format(s->f, format);
    if (bidi(t)) facts_addz(s->f, FACT_TEXT_BIDI, "", -1);
    code_scan(s, t, name);
}

static bool template_like(struct str t, struct str name) {
    if (strcmp(verdict_kind(name), "tpl") == 0) return true;
    return has(t, "{%") && has(t, "%}") && (has(t, "endfor") || has(t, "endif"));
}

static void plain(struct scan *s, struct str t, struct str name) {
    const char *kind = verdict_kind(name);
    if (strcmp(kind, "yaml") == 0) yaml(s, t);
    else if (strcmp(kind, "sh") == 0) source(s, t, name, "shell");
    else if (strcmp(kind, "md") == 0) facts_format(s->f, "markdown");
    else if (pythonish(t, name)) source(s, t, name, "python");
    else if (template_like(t, name)) {
        facts_format(s->f, "jinja");
        jinja_scan(s, t);
    } else facts_format(s->f, str_iends(name, ".csv") ? "csv" : "text");
    /* nobody loads these as YAML; what documents the tag (or implements it) only names it */
    if (strcmp(s->f->format, "markdown") == 0 || strcmp(s->f->format, "python") == 0) return;
    if (has(t, "!!python/object") || has(t, "!!python/module")) facts_addz(s->f, FACT_YAML_PYTHON, "!!python/", -1);
}

bool text_scan(struct scan *s, struct span b, struct str name) {
    if (!is_text(b)) return false;
    struct str t = span_str(b);
    if (str_starts(t, "\xef\xbb\xbf")) t = str_from(t, 3);
    struct str trimmed = t;
    while (trimmed.n && strchr(" \t\r\n", trimmed.p[0])) trimmed = str_from(trimmed, 1);
    secrets_scan(s, t);
    if (str_starts(t, "version https://git-lfs.github.com/spec/v1\n")) {
        facts_format(s->f, "lfs-pointer");
        facts_addz(s->f, FACT_POINTER, "", -1);
        facts_cover(s->f, COVERAGE_NONE);
    } else if (str_starts(t, "#!")) {
        ptrdiff_t nl = str_chr(t, '\n');
        struct str first = str_sub(t, 0, nl < 0 ? t.n : (size_t)nl);
        source(s, t, str_find(first, STR("python")) >= 0 ? STR("x.py") : STR("x.sh"),
               str_find(first, STR("python")) >= 0 ? "python" : "shell");
    } else if (trimmed.n && (trimmed.p[0] == '{' || trimmed.p[0] == '[') && !str_starts(trimmed, "{%") &&
               !str_starts(trimmed, "{{") && !str_starts(trimmed, "{#")) {
        json_scan(s, (struct span){(const uint8_t *)trimmed.p, trimmed.n}, name);
    } else if (trimmed.n && trimmed.p[0] == '<' &&
               (str_starts(trimmed, "<?xml") || has(str_sub(trimmed, 0, 4096), "</") ||
                has(str_sub(trimmed, 0, 4096), "/>"))) {
        xml(s, t);
    } else if (str_starts(t, "4\n") && has(str_sub(t, 0, 256), "torch.")) {
        facts_format(s->f, "torch7");
        facts_addz(s->f, FACT_PARTIAL, "torch7", -1);
        facts_cover(s->f, COVERAGE_PARTIAL);
        static const char *const code[] = {"os.execute", "loadstring", "io.popen", "require", "dofile"};
        for (size_t i = 0; i < ARRAY_LEN(code); i++)
            if (has(t, code[i])) facts_addz(s->f, FACT_T7_CODE, code[i], -1);
    } else {
        plain(s, t, name);
    }
    return true;
}
