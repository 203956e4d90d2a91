/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto.c — ONNX and TensorFlow graphs as protobuf wire data. The wire is walked in place; strings
 * that are operator names, external data locations or domains are judged. The walk is structural but
 * not schema-complete, so coverage is partial; what is found counts.
 */
#include "scan.h"

enum { PROTO_DEPTH = 12, PROTO_FIELDS_MAX = 2000000 };

struct walk {
    struct scan *s;
    uint32_t fields;
    unsigned strings;
    bool onnx, tf, location;
};

static bool varint(struct span *b, uint64_t *out) {
    uint64_t x = 0;
    for (unsigned i = 0; i < 10 && i < b->n; i++) {
        x |= (uint64_t)(b->p[i] & 0x7f) << (7 * i);
        if (!(b->p[i] & 0x80)) {
            *b = span_from(*b, i + 1);
            *out = x;
            return true;
        }
    }
    return false;
}

/* The whole span is well-formed wire data. Bounded by `left`. */
static bool well_formed(struct span b, uint32_t *left) {
    while (b.n) {
        uint64_t key, n;
        if (*left == 0 || !varint(&b, &key) || key >> 3 == 0 || key >> 3 > 20000) return false;
        (*left)--;
        switch (key & 7) {
        case 0:
            if (!varint(&b, &n)) return false;
            break;
        case 1: n = 8; goto fixed;
        case 5: n = 4; goto fixed;
        case 2:
            if (!varint(&b, &n)) return false;
        fixed:
            if (n > b.n) return false;
            b = span_from(b, (size_t)n);
            break;
        default: return false;
        }
    }
    return true;
}

static bool bad_location(struct str v) {
    if (v.n == 0 || v.p[0] == '/' || v.p[0] == '\\' || (v.n > 1 && v.p[1] == ':') || str_find(v, STR("://")) >= 0)
        return true;
    struct str rest = v, part;
    while (str_split(&rest, '/', &part))
        if (str_eqz(part, "..")) return true;
    return str_find(v, STR("..\\")) >= 0;
}

static void judge(struct walk *w, struct str v) {
    static const char *const ops[] = {
        "ReadFile",         "WriteFile",   "MatchingFiles",         "PyFunc",        "EagerPyFunc",
        "PyFuncStateless",  "LoadLibrary", "LoadAndRemapMatrix",    "DecodeProtoV2", "ImmutableConst",
        "GeneratorDataset", "SqlDataset",  "ExperimentalSqlDataset"};
    static const char *const domains[] = {"PyOp", "PyCustomOp", "ai.onnx.contrib", "com.microsoft.extensions"};
    for (size_t i = 0; i < ARRAY_LEN(ops); i++)
        if (str_eqz(v, ops[i])) facts_add(w->s->f, FACT_TF_OP, v, -1);
    for (size_t i = 0; i < ARRAY_LEN(domains); i++)
        if (str_eqz(v, domains[i])) facts_add(w->s->f, FACT_ONNX_DOMAIN, v, -1);
    if (w->location && bad_location(v)) facts_add(w->s->f, FACT_ONNX_EXTERNAL, v, -1);
    w->location = str_eqz(v, "location");
    if (str_eqz(v, "location")) w->onnx = true;
}

static void walk(struct walk *w, struct span b, unsigned depth) {
    uint32_t check = 4096;
    while (b.n && w->fields < PROTO_FIELDS_MAX) {
        uint64_t key, n;
        if (!varint(&b, &key)) return;
        if ((++w->fields & 0xfff) == 0 && scan_late(w->s)) return;
        unsigned type = key & 7;
        if (type == 0) {
            if (!varint(&b, &n)) return;
        } else if (type == 1 || type == 5) {
            b = span_from(b, type == 1 ? 8 : 4);
        } else if (type == 2) {
            if (!varint(&b, &n) || n > b.n) return;
            struct span in = span_sub(b, 0, (size_t)n);
            b = span_from(b, (size_t)n);
            if (n < 300 && str_is_utf8(span_str(in))) judge(w, span_str(in));
            uint32_t left = check;
            if (n >= 2 && n < 16 * MiB && depth < PROTO_DEPTH && well_formed(span_sub(in, 0, in.n), &left))
                walk(w, in, depth + 1);
            else if (n >= 16 * MiB) w->strings++;
            else if (n >= 2 && depth < PROTO_DEPTH && left == 0) walk(w, in, depth + 1);
        } else {
            return;
        }
    }
}

static bool says(struct span b, const char *z) {
    return memmem(b.p, MIN(b.n, (size_t)64 * KiB), z, strlen(z)) != NULL;
}

/*
 * ONNX ModelProto: ir_version (1, varint) first; TF SavedModel: schema version 1 and meta graph (2); GraphDef: nodes
 * (1), which name their operators. By content alone: the same bytes are the same format under every name.
 */
static const char *looks(struct span b, bool *wire) {
    static const char *const graph[] = {"Placeholder", "Const", "NoOp", "tensorflow", "Identity"};
    if (b.n < 8) return NULL;
    struct span h = b;
    uint64_t key, v;
    uint32_t left = 100000;
    if (!varint(&h, &key) || !varint(&h, &v)) return NULL;
    bool onnx_head = key == 0x08 && v >= 1 && v <= 20 && h.n &&
                     (h.p[0] == 0x12 || h.p[0] == 0x1a || h.p[0] == 0x3a || h.p[0] == 0x22 || h.p[0] == 0x42);
    *wire = well_formed(b, &left);
    if (!*wire) return NULL;
    if (onnx_head) return says(b, "tensorflow") ? "tensorflow" : "onnx";
    for (size_t i = 0; i < ARRAY_LEN(graph) && key == 0x0a; i++)
        if (says(b, graph[i])) return "tensorflow";
    return NULL;
}

bool proto_scan(struct scan *s, struct span b, struct str name) {
    bool wire = false;
    const char *format = looks(b, &wire);
    struct walk w = {.s = s};
    (void)name;
    if (wire) walk(&w, b, 0); /* also when nobody knows whose message it is: then it stays unknown */
    if (!format) return false;
    facts_format(s->f, format);
    facts_addz(s->f, FACT_PARTIAL_DATA, format, -1);
    facts_cover(s->f, COVERAGE_PARTIAL);
    return true;
}
