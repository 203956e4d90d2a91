/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c — JSON files that loaders act on: model and tokenizer configurations, Keras and skops
 * schemas, notebooks, weight indexes. Every object of the document is looked at, whatever its name,
 * since loaders of different libraries read different files.
 */
#include "base/arena.h"
#include "base/json.h"
#include "policy.h"
#include "scan.h"

enum { CFG_BYTES_MAX = 24 * 1024 * 1024, CFG_DEPTH = 64 };

void target_fact(struct scan *s, struct str v) {
    struct py_object o = policy_lookup_dotted(v);
    if (o.cls == PY_DANGER) facts_add(s->f, FACT_CFG_TARGET_EXEC, v, -1);
    else if (o.cls == PY_UNKNOWN) facts_add(s->f, FACT_CFG_TARGET, v, -1);
}

static void auto_map(struct scan *s, struct jv v) {
    if (jv_type(v) == JSON_STRING) {
        struct str t = jv_str(v, STR_NULL);
        facts_add(s->f, str_find(t, STR("--")) >= 0 ? FACT_CFG_REMOTE : FACT_CFG_AUTO_MAP, t, (int64_t)jv_offset(v));
        return;
    }
    for (struct jv_iter it = jv_iter(v); jv_next(&it);) auto_map(s, it.val);
}

static void templates(struct scan *s, struct jv v) {
    if (jv_type(v) == JSON_STRING) {
        jinja_scan(s, jv_str(v, STR_NULL));
        return;
    }
    for (struct jv_iter it = jv_iter(v); jv_next(&it);) {
        if (jv_type(it.val) == JSON_STRING) jinja_scan(s, jv_str(it.val, STR_NULL));
        else templates(s, jv_get(it.val, "template"));
    }
}

/* {"module": …, "class_name": …, "config": …} as Keras saves objects */
static void keras(struct scan *s, struct jv o) {
    struct str cls = jv_str(jv_get(o, "class_name"), STR_NULL), module = jv_str(jv_get(o, "module"), STR_NULL);
    if (cls.n == 0 || jv_type(jv_get(o, "config")) == JSON_NONE) return;
    char text[FACT_SUBJECT_MAX];
    int n = snprintf(text, sizeof text, STR_FMT "." STR_FMT, (int)MIN(module.n, (size_t)60), module.p,
                     (int)MIN(cls.n, (size_t)60), cls.p);
    struct str full = str_make(text, n > 0 ? MIN((size_t)n, sizeof text - 1) : 0);
    static const char *const exec[] = {"Lambda",   "TFSMLayer", "get_file", "__lambda__", "TorchModuleWrapper",
                                       "JaxLayer", "FlaxLayer"};
    for (size_t i = 0; i < ARRAY_LEN(exec); i++)
        if (str_eqz(cls, exec[i])) facts_add(s->f, FACT_CFG_KERAS_EXEC, full, (int64_t)jv_offset(o));
    if (module.n && policy_lookup(module, cls).cls == PY_DANGER)
        facts_add(s->f, FACT_CFG_KERAS_EXEC, full, (int64_t)jv_offset(o));
    bool own = module.n == 0 || str_eqz(module, "keras") || str_starts(module, "keras.") ||
               str_starts(module, "tf_keras") || str_eqz(module, "builtins") ||
               str_starts(module, "tensorflow.python.keras") || str_starts(module, "keras_");
    bool lower = cls.p[0] >= 'a' && cls.p[0] <= 'z';
    if (!own || (lower && module.n && !str_eqz(module, "builtins")))
        facts_add(s->f, FACT_CFG_KERAS_CUSTOM, full, (int64_t)jv_offset(o));
}

static void skops(struct scan *s, struct jv o) {
    struct str cls = jv_str(jv_get(o, "__class__"), STR_NULL), module = jv_str(jv_get(o, "__module__"), STR_NULL);
    struct str loader = jv_str(jv_get(o, "__loader__"), STR_NULL);
    if (cls.n == 0 || module.n == 0) return;
    struct jv content = jv_get(o, "content");
    struct str path = jv_str(jv_get(content, "module_path"), STR_NULL),
               fn = jv_str(jv_get(content, "function"), STR_NULL);
    struct py_object what = policy_lookup(module, cls);
    bool exec = what.cls == PY_DANGER;
    if (str_eqz(loader, "FunctionNode") || str_eqz(loader, "MethodNode") || str_eqz(loader, "OperatorFuncNode") ||
        str_eqz(loader, "PartialNode")) {
        if (path.n) what = policy_lookup(path, fn.n ? fn : STR("?"));
        exec = exec || what.cls == PY_DANGER || str_eqz(loader, "OperatorFuncNode");
        if (what.cls != PY_DANGER && what.cls != PY_LIBRARY) what.cls = PY_UNKNOWN;
    }
    if (exec) facts_add(s->f, FACT_CFG_SKOPS_EXEC, cls, (int64_t)jv_offset(o));
    else if (what.cls == PY_UNKNOWN && !str_eqz(module, "builtins"))
        facts_add(s->f, FACT_CFG_SKOPS, cls, (int64_t)jv_offset(o));
}

static void notebook(struct scan *s, struct jv root) {
    for (struct jv_iter c = jv_iter(jv_get(root, "cells")); jv_next(&c);) {
        if (!str_eqz(jv_str(jv_get(c.val, "cell_type"), STR_NULL), "code")) continue;
        struct jv src = jv_get(c.val, "source");
        for (struct jv_iter l = jv_iter(src); jv_next(&l);) {
            struct str line = str_trim(jv_str(l.val, STR_NULL));
            if (line.n > 1 && (line.p[0] == '!' || str_starts(line, "%%bash") || str_starts(line, "%%sh") ||
                               str_starts(line, "%sx") || str_starts(line, "%system")))
                facts_add(s->f, FACT_CODE_NOTEBOOK, line, (int64_t)jv_offset(l.val));
        }
    }
}

static void weight_map(struct scan *s, struct jv m) {
    for (struct jv_iter it = jv_iter(m); jv_next(&it);) {
        struct str v = jv_str(it.val, STR_NULL);
        if (v.n && (v.p[0] == '/' || str_find(v, STR("..")) >= 0 || str_find(v, STR("://")) >= 0))
            facts_add(s->f, FACT_ARC_NAME, v, (int64_t)jv_offset(it.val));
    }
}

static void object(struct scan *s, struct jv o) {
    keras(s, o);
    skops(s, o);
    for (struct jv_iter it = jv_iter(o); jv_next(&it);) {
        struct str k = it.key;
        if (k.n < 6) continue;
        if (str_eqz(k, "auto_map")) auto_map(s, it.val);
        else if (str_eqz(k, "chat_template")) templates(s, it.val);
        else if (str_eqz(k, "_target_")) target_fact(s, jv_str(it.val, STR_NULL));
        else if (str_eqz(k, "weight_map")) weight_map(s, it.val);
        else if (str_eqz(k, "trust_remote_code") && jv_type(it.val) == JSON_TRUE)
            facts_add(s->f, FACT_CFG_REMOTE, k, (int64_t)jv_offset(it.val));
        else if (str_eqz(k, "custom_pipeline") || str_eqz(k, "custom_pipelines"))
            facts_add(s->f, FACT_CFG_AUTO_MAP, k, (int64_t)jv_offset(it.val));
        else if (str_starts(k, "_attn_implementation") && str_chr(jv_str(it.val, STR_NULL), '/') >= 0)
            facts_add(s->f, FACT_CFG_REMOTE, jv_str(it.val, STR_NULL), (int64_t)jv_offset(it.val));
    }
}

static void walk(struct scan *s, struct jv v, unsigned depth) {
    if (depth > CFG_DEPTH) return; /* the parser refuses deeper documents */
    if (jv_type(v) == JSON_OBJECT) object(s, v);
    if (jv_type(v) != JSON_OBJECT && jv_type(v) != JSON_ARRAY) return;
    unsigned n = 0;
    for (struct jv_iter it = jv_iter(v); jv_next(&it);) {
        if ((++n & 0xffff) == 0 && scan_late(s)) return;
        walk(s, it.val, depth + 1);
    }
}

/* JSON lines: data, unless a line is not JSON either. */
static bool json_lines(struct span b) {
    struct str rest = str_sub(span_str(b), 0, 64 * KiB), line;
    unsigned n = 0;
    while (n < 3 && str_split(&rest, '\n', &line)) {
        line = str_trim(line);
        if (line.n == 0) continue;
        if (line.p[0] != '{' && line.p[0] != '[') return false;
        n++;
    }
    return n >= 2;
}

void json_scan(struct scan *s, struct span b, struct str name) {
    struct arena a;
    struct jv root;
    (void)name;
    if (b.n > CFG_BYTES_MAX) {
        facts_format(s->f, "json");
        facts_addz(s->f, FACT_PARTIAL_DATA, "large JSON", -1);
        facts_cover(s->f, COVERAGE_PARTIAL);
        return;
    }
    arena_init(&a, 128 * MiB);
    const struct json_limits lim = {
        .max_bytes = CFG_BYTES_MAX, .max_depth = CFG_DEPTH, .max_nodes = 4u << 20, .allow_duplicate_keys = true};
    if (json_parse(&a, span_str(b), &lim, &root) == OK) {
        bool book = jv_ok(jv_get(root, "nbformat")) && jv_ok(jv_get(root, "cells"));
        facts_format(s->f, book ? "notebook" : "json");
        if (book) notebook(s, root);
        walk(s, root, 0);
    } else if (json_lines(b)) {
        facts_format(s->f, "jsonl");
    } else {
        facts_format(s->f, "text");
        facts_addf(s->f, FACT_JSON_BAD, 0, "%.100s", err_text_en());
        /* a sloppier reader may still see the keys */
        struct str t = span_str(b);
        pickle_carve(s, b);
        if (str_find(t, STR("\"auto_map\"")) >= 0) facts_addz(s->f, FACT_CFG_AUTO_MAP, "auto_map", -1);
        if (str_find(t, STR("{{")) >= 0) jinja_scan(s, t);
    }
    arena_release(&a);
}
