/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opaque.c — formats that are named but not entered. Naming is honest: coverage is none for what can
 * carry code or archives, partial for containers of pure data whose outer form was checked.
 */
#include "scan.h"

struct known {
    const char *bytes;
    size_t n, at;
    const char *format;
    bool closed; /* may hold anything: not examined */
};
static const struct known table[] = {
    {"7z\xbc\xaf\x27\x1c", 6, 0, "7z", true},
    {"Rar!\x1a\x07", 6, 0, "rar", true},
    {"MSCF\0\0\0\0", 8, 0, "cab", true},
    {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, 0, "ole", true},
    {"%PDF-", 5, 0, "pdf", true},
    {"CD001", 5, 0x8001, "iso", true},
    {"PAR1", 4, 0, "parquet", false},
    {"ARROW1\0\0", 8, 0, "arrow", false},
    {"FEA1", 4, 0, "feather", false},
    {"SQLite format 3\0", 16, 0, "sqlite", false},
    {"TFL3", 4, 4, "tflite", true},
    {"ET12", 4, 4, "executorch", true},
    {"ptrt", 4, 0, "tensorrt", true},
    {"RKNN", 4, 0, "rknn", true},
    {"lmgg", 4, 0, "ggml", true},
    {"tjgg", 4, 0, "ggml", true},
    {"fmgg", 4, 0, "ggml", true},
    {"GGLA", 4, 0, "ggml", true},
    {"ggml", 4, 0, "ggml", true},
    {"ggjt", 4, 0, "ggml", true},
    {"ggmf", 4, 0, "ggml", true},
    {"\xed\xab\xee\xdb", 4, 0, "rpm", true},
    {"!<arch>\n", 8, 0, "ar", true},
    {"ORC", 3, 0, "orc", false},
    {"Obj\x01", 4, 0, "avro", false},
    {"RDX2\n", 5, 0, "rdata", true},
    {"RDX3\n", 5, 0, "rdata", true},
    {"X\n\0\0\0", 5, 0, "rds", true},
    {"CBM1", 4, 0, "catboost", false},
};

/* Arrow's schema may name a pickled Python type; parquet keeps the same schema as metadata. */
static void arrow_signals(struct scan *s, struct span b) {
    static const char *const marks[] = {"arrow.py_extension_type", "arrow.pyarrow.PyExtensionType"};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (memmem(b.p, MIN(b.n, 64 * MiB), marks[i], strlen(marks[i])) ||
            (b.n > 64 * MiB && memmem(b.p + b.n - 16 * MiB, 16 * MiB, marks[i], strlen(marks[i]))))
            facts_addz(s->f, FACT_ARROW_PICKLE, marks[i], -1);
}

bool opaque_scan(struct scan *s, struct span b, struct str name) {
    (void)name;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        const struct known *k = &table[i];
        if (!span_is(b, k->at, k->bytes, k->n)) continue;
        facts_format(s->f, k->format);
        if (k->closed) {
            facts_addz(s->f, FACT_ARC_CLOSED, k->format, -1);
            facts_cover(s->f, COVERAGE_NONE);
            pickle_carve(s, b);
        } else {
            bool whole = strcmp(k->format, "parquet") != 0 ||
                         (b.n >= 12 && memcmp(b.p + b.n - 4, "PAR1", 4) == 0 && le32(b.p + b.n - 8) <= b.n - 12);
            facts_addz(s->f, whole ? FACT_PARTIAL_DATA : FACT_PARTIAL, k->format, -1);
            facts_cover(s->f, COVERAGE_PARTIAL);
            arrow_signals(s, b);
        }
        if (zip_at_end(b)) facts_addf(s->f, FACT_POLYGLOT, -1, "%s + zip", k->format);
        return true;
    }
    return false;
}
