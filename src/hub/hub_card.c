/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_card.c — README.md as a record: front matter to JSON, tags that searching and stock clients use, one plain
 * sentence.
 *
 * A broken card never stops a push: it is stored as {} (validate-yaml tells the author beforehand).
 */
#include "hub/hub_card.h"

#include "base/map.h"
#include "hub/hub_yaml.h"

enum { MAX_TAGS = 512 };

static bool is_fence(struct str line) {
    line = str_trim(line);
    return str_eqz(line, "---");
}

struct str hub_card_front(struct str readme, struct str *body) {
    struct str rest = readme, line;
    if (str_starts(rest, "\xef\xbb\xbf")) rest = str_from(rest, 3);
    *body = rest;
    while (rest.n > 0 && (rest.p[0] == '\n' || rest.p[0] == '\r' || rest.p[0] == ' ')) rest = str_from(rest, 1);
    if (!str_starts(rest, "---") || !str_split(&rest, '\n', &line) || !is_fence(line)) return STR_NULL;
    const char *start = rest.p;
    while (rest.n > 0 && str_split(&rest, '\n', &line))
        if (is_fence(line) && line.n > 0 && line.p[0] == '-') {
            *body = rest;
            return (struct str){start, (size_t)(line.p - start)};
        }
    return STR_NULL;
}

/* --- tags ------------------------------------------------------------------------------------------- */
struct tags {
    struct jw *w;
    struct map seen;
    struct arena *a;
};

static void tag_add(struct tags *t, const char *prefix, struct str s) {
    s = str_trim(s);
    if (s.n == 0 || s.n > 200) return;
    struct str tag = arena_printf(t->a, "%s" STR_FMT, prefix, STR_ARG(s));
    void *old = NULL;
    /* Past MAX_TAGS the rest is left out. */
    if (map_get(&t->seen, tag) != NULL || map_put(&t->seen, tag, t, &old) != OK) return;
    jw_str(t->w, tag);
}

/* A string, or each string of a list. */
static void tag_values(struct tags *t, struct jv card, const char *key, const char *prefix) {
    struct jv v = jv_get(card, key);
    if (jv_type(v) == JSON_STRING) tag_add(t, prefix, jv_str(v, STR("")));
    for (struct jv_iter it = jv_iter(v); jv_type(v) == JSON_ARRAY && jv_next(&it);)
        if (jv_type(it.val) == JSON_STRING) tag_add(t, prefix, jv_str(it.val, STR("")));
}

static const struct {
    const char *suffix, *tag;
} file_tags[] = {{".gguf", "gguf"},
                 {".safetensors", "safetensors"},
                 {".onnx", "onnx"},
                 {"pytorch_model.bin", "pytorch"},
                 {".parquet", "parquet"},
                 {".csv", "csv"},
                 {".jsonl", "json"},
                 {"config.json", "transformers"},
                 {"model_index.json", "diffusers"}};

void hub_card_file_tag(struct str path, unsigned *seen) {
    for (unsigned i = 0; i < ARRAY_LEN(file_tags); i++) {
        /* File names without a dot in front must match whole, at the root. */
        bool whole = file_tags[i].suffix[0] != '.';
        if (whole ? str_eqz(path, file_tags[i].suffix) : str_iends(path, file_tags[i].suffix)) *seen |= 1u << i;
    }
}

static void tags_dataset(struct tags *t, struct jv card) {
    static const char *const keys[] = {"task_categories",   "task_ids",        "annotations_creators",
                                       "language_creators", "multilinguality", "source_datasets",
                                       "language",          "license",         "size_categories"};
    char prefix[64];
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        snprintf(prefix, sizeof prefix, "%s:", keys[i]);
        tag_values(t, card, keys[i], prefix);
    }
    tag_values(t, card, "tags", "");
}

static void tags_model(struct tags *t, struct jv card, unsigned files) {
    tag_values(t, card, "library_name", "");
    for (unsigned i = 0; i < ARRAY_LEN(file_tags); i++)
        if ((files >> i & 1) != 0) tag_add(t, "", str_of(file_tags[i].tag));
    tag_values(t, card, "pipeline_tag", "");
    tag_values(t, card, "tags", "");
    tag_values(t, card, "language", "");
    tag_values(t, card, "datasets", "dataset:");
    tag_values(t, card, "base_model", "base_model:");
    struct str rel = jv_str(jv_get(card, "base_model_relation"), (files & 1) != 0 ? STR("quantized") : STR("finetune"));
    char prefix[96];
    snprintf(prefix, sizeof prefix, "base_model:" STR_FMT ":", STR_ARG(str_sub(rel, 0, 32)));
    tag_values(t, card, "base_model", prefix);
    tag_values(t, card, "license", "license:");
}

static struct str tags_make(struct arena *a, enum repo_type type, struct jv card, unsigned files) {
    struct buf b cleanup(buf_release);
    buf_init(&b, 256 * KiB);
    struct jw w;
    jw_init(&w, &b);
    struct tags t = {&w, {0}, a};
    map_init(&t.seen, MAX_TAGS);
    jw_arr(&w);
    if (type == REPO_DATASET) tags_dataset(&t, card);
    else tags_model(&t, card, files);
    jw_arr_end(&w);
    map_release(&t.seen);
    return b.failed ? STR("[]") : arena_str(a, buf_view(&b));
}

struct str hub_card_library(struct jv card, struct str tags) {
    static const char *const known[] = {"transformers", "diffusers", "gguf"};
    struct str lib = jv_str(jv_get(card, "library_name"), STR_NULL);
    for (unsigned i = 0; lib.n == 0 && i < ARRAY_LEN(known); i++) {
        char quoted[32];
        snprintf(quoted, sizeof quoted, "\"%s\"", known[i]);
        if (str_find(tags, str_of(quoted)) >= 0) lib = str_of(known[i]);
    }
    return lib;
}

/* --- the card ---------------------------------------------------------------------------------------- */
void hub_card_parse_files(struct arena *a, enum repo_type type, struct str readme, unsigned files,
                          struct hub_card *out) {
    struct str body, front = hub_card_front(readme, &body);
    struct jv card = {NULL, 0};
    struct buf b cleanup(buf_release);
    buf_init(&b, HUB_YAML_JSON_MAX);
    out->card = STR("{}");
    if (front.n > 0 && hub_yaml_json(front, &b) == OK) {
        struct str json = arena_str(a, buf_view(&b));
        if (json_parse(a, json, NULL, &card) == OK && jv_type(card) == JSON_OBJECT) out->card = json;
        if (jv_type(card) != JSON_OBJECT) card = (struct jv){NULL, 0};
    }
    out->tags = tags_make(a, type, card, files);
    out->description = str_is_utf8(readme) ? hub_card_sentence(a, body) : STR("");
}

void hub_card_parse(struct arena *a, enum repo_type type, struct str readme, struct hub_card *out) {
    hub_card_parse_files(a, type, readme, 0, out);
}
