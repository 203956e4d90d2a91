/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hdf5.c — HDF5 is recognised, not parsed: coverage stays partial. What makes a Keras file run code
 * stands in it as JSON text (attribute model_config), and external links and files as plain names, so
 * both are searched for; a hit is judged, a miss clears nothing.
 */
#include "scan.h"

/* Balanced JSON object that begins at p. */
static size_t json_extent(struct span b) {
    size_t depth = 0;
    bool str = false;
    for (size_t i = 0; i < b.n; i++) {
        uint8_t c = b.p[i];
        if (str) {
            if (c == '\\') i++;
            else if (c == '"') str = false;
            else if (c < 0x20) return 0;
        } else if (c == '"') str = true;
        else if (c == '{') depth++;
        else if (c == '}' && --depth == 0) return i + 1;
        else if (c < 0x20 && c != '\n' && c != '\t' && c != '\r') return 0;
    }
    return 0;
}

bool hdf5_scan(struct scan *s, struct span b) {
    static const char magic[] = "\x89HDF\r\n\x1a\n";
    bool found = false;
    for (size_t at = 0; at < 8192 && !found; at = at ? at * 2 : 512) found = span_is(b, at, magic, 8);
    if (!found) return false;
    facts_format(s->f, "hdf5");
    facts_addz(s->f, FACT_PARTIAL_DATA, "hdf5", -1);
    facts_cover(s->f, COVERAGE_PARTIAL);
    struct span r = span_sub(b, 0, 256 * MiB);
    size_t at = 0;
    unsigned configs = 0;
    while (configs < 16 && at < r.n && !scan_late(s)) {
        const uint8_t *p = memmem(r.p + at, r.n - at, "{\"", 2);
        if (!p) break;
        at = (size_t)(p - r.p);
        size_t n = json_extent(span_sub(r, at, 64 * MiB));
        if (n >= 16) {
            configs++;
            size_t mark = facts_enter(s->f, STR("model_config"));
            json_scan(s, span_sub(r, at, n), STR("model_config"));
            facts_leave(s->f, mark);
        }
        at += n ? n : 2;
    }
    /* an external link names "file\0object\0" behind flags; the library calls it so in files it writes */
    static const char *const marks[] = {"/etc/passwd", "/etc/shadow", "/proc/self", "../../"};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (memmem(r.p, r.n, marks[i], strlen(marks[i]))) facts_addz(s->f, FACT_H5_EXTERNAL, marks[i], -1);
    return true;
}
