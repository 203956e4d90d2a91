/* SPDX-License-Identifier: Apache-2.0 */
/* config_doc.c — what else follows from the schema: the documentation page, and which keys differ between two files. */
#include "app/config_schema.h"

static const char *type_name(const struct config_key *k) {
    static const char *const names[] = {"text",   "whole number", "true/false", "number",
                                        "one of", "list of text", "section",    "list"};
    return names[k->type];
}

static void doc_keys(struct buf *b, const struct config_key *keys, size_t n, const char *prefix, bool live) {
    for (size_t i = 0; i < n; i++) {
        const struct config_key *k = &keys[i];
        char path[128];
        snprintf(path, sizeof path, "%s%s%s", prefix, k->name, k->type == CFG_TABLE ? "[]" : "");
        if (k->sub == NULL) {
            buf_printf(b, "| `%s` | %s", path, type_name(k));
            if (k->type == CFG_ENUM) {
                struct str rest = str_of(k->values), v;
                for (const char *sep = " "; str_split(&rest, '|', &v); sep = ", ")
                    buf_printf(b, "%s`" STR_FMT "`", sep, STR_ARG(v));
            }
            if (k->type == CFG_INT) buf_printf(b, " %" PRId64 "–%" PRId64, k->min, k->max);
            buf_printf(b, " | %s | %s%s",
                       k->dflt == NULL   ? "*required*"
                       : k->dflt[0] == 0 ? "*empty*"
                                         : k->dflt,
                       k->doc, live || k->live ? " ↻" : "");
            if (k->env != NULL) buf_printf(b, " Environment: `%s`.", k->env);
            buf_cstr(b, " |\n");
        } else {
            buf_printf(b, "| **`%s`** | %s | | %s |\n", path, type_name(k), k->doc);
            snprintf(path, sizeof path, "%s%s%s.", prefix, k->name, k->type == CFG_TABLE ? "[]" : "");
            doc_keys(b, k->sub, k->n_sub, path, live || k->live);
        }
    }
}

void config_doc(struct buf *b) {
    buf_cstr(
        b,
        "# Configuration\n\n"
        "One YAML file, given by `--config FILE` (no file is needed: every key has a sane default). A flag wins "
        "over the\n"
        "environment, the environment over the file, the file over the default. Unknown keys are errors that name "
        "the file, the\n"
        "line and the nearest known key. `ballast serve --check-config --config FILE` validates without starting.\n\n"
        "`SIGHUP` reloads the file of a running server and cuts nothing: keys marked ↻ take effect at once, for each "
        "other\n"
        "key that changed the log says `config.needs_restart`. A file that is not valid changes nothing "
        "(`config.reload_failed`).\n\n"
        "This page is generated: `ballast help --config-doc > docs/operations/config.md`.\n\n"
        "| key | type | default | meaning |\n|---|---|---|---|\n");
    doc_keys(b, config_schema, config_schema_len, "", false);
}

/* --- differences ----------------------------------------------------------------------------------------------- */

static bool same_list(const struct config_list *a, const struct config_list *b) {
    if (a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++)
        if (!str_eq(a->v[i], b->v[i])) return false;
    return true;
}

static bool same_value(const struct config_key *k, const char *a, const char *b);

static bool same_table(const struct config_key *k, const char *a, const char *b) {
    size_t n = *(const size_t *)(const void *)(a + k->count_offset);
    const char *ra = *(const char *const *)(const void *)(a + k->offset);
    const char *rb = *(const char *const *)(const void *)(b + k->offset);
    if (n != *(const size_t *)(const void *)(b + k->count_offset)) return false;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < k->n_sub; j++)
            if (!same_value(&k->sub[j], ra + i * k->row_size, rb + i * k->row_size)) return false;
    return true;
}

static bool same_value(const struct config_key *k, const char *a, const char *b) {
    const void *x = a + k->offset, *y = b + k->offset;
    switch (k->type) {
    case CFG_STR:
    case CFG_ENUM: return str_eq(*(const struct str *)x, *(const struct str *)y);
    case CFG_INT: return *(const int64_t *)x == *(const int64_t *)y;
    case CFG_BOOL: return *(const bool *)x == *(const bool *)y;
    case CFG_NUM: return memcmp(x, y, sizeof(double)) == 0;
    case CFG_LIST: return same_list(x, y);
    case CFG_TABLE: return same_table(k, a, b);
    case CFG_SECTION: break; /* its keys are asked one by one */
    }
    return true;
}

static void diff_keys(const struct config_key *keys, size_t n, const char *prefix, const struct config *a,
                      const struct config *b, void (*fn)(const char *path)) {
    for (size_t i = 0; i < n; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", prefix, keys[i].name);
        if (keys[i].live) continue;
        if (!same_value(&keys[i], (const char *)a, (const char *)b)) fn(path);
        if (keys[i].type != CFG_SECTION) continue;
        snprintf(path, sizeof path, "%s%s.", prefix, keys[i].name);
        diff_keys(keys[i].sub, keys[i].n_sub, path, a, b, fn);
    }
}

void config_needs_restart(const struct config *running, const struct config *wanted, void (*fn)(const char *path)) {
    diff_keys(config_schema, config_schema_len, "", running, wanted, fn);
}
