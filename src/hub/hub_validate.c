/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_validate.c — POST /api/validate-yaml: what is wrong with a card, before it is pushed.
 *
 * Clients parse the body as JSON before they look at the status, so every answer here is
 * {"errors":[{message}],"warnings":[{message}]}, 400 when there are errors (text only for who accepts text/plain).
 * Messages follow the Hub's shape (Error: "license" must be one of), which clients and tests look for.
 */
#include "hub/hub_card.h"
#include "hub/hub_parts.h"
#include "hub/hub_yaml.h"

/* Identifiers a card may name as its licence. */
static const char *const licenses[] = {"apache-2.0",
                                       "mit",
                                       "openrail",
                                       "bigscience-openrail-m",
                                       "creativeml-openrail-m",
                                       "bigscience-bloom-rail-1.0",
                                       "bigcode-openrail-m",
                                       "afl-3.0",
                                       "artistic-2.0",
                                       "bsl-1.0",
                                       "bsd",
                                       "bsd-2-clause",
                                       "bsd-3-clause",
                                       "bsd-3-clause-clear",
                                       "c-uda",
                                       "cc",
                                       "cc0-1.0",
                                       "cc-by-2.0",
                                       "cc-by-2.5",
                                       "cc-by-3.0",
                                       "cc-by-4.0",
                                       "cc-by-sa-3.0",
                                       "cc-by-sa-4.0",
                                       "cc-by-nc-2.0",
                                       "cc-by-nc-3.0",
                                       "cc-by-nc-4.0",
                                       "cc-by-nd-4.0",
                                       "cc-by-nc-nd-3.0",
                                       "cc-by-nc-nd-4.0",
                                       "cc-by-nc-sa-2.0",
                                       "cc-by-nc-sa-3.0",
                                       "cc-by-nc-sa-4.0",
                                       "cdla-sharing-1.0",
                                       "cdla-permissive-1.0",
                                       "cdla-permissive-2.0",
                                       "wtfpl",
                                       "ecl-2.0",
                                       "epl-1.0",
                                       "epl-2.0",
                                       "etalab-2.0",
                                       "eupl-1.1",
                                       "eupl-1.2",
                                       "agpl-3.0",
                                       "gfdl",
                                       "gpl",
                                       "gpl-2.0",
                                       "gpl-3.0",
                                       "lgpl",
                                       "lgpl-2.1",
                                       "lgpl-3.0",
                                       "isc",
                                       "h-research",
                                       "intel-research",
                                       "lppl-1.3c",
                                       "ms-pl",
                                       "apple-ascl",
                                       "apple-amlr",
                                       "mpl-2.0",
                                       "odc-by",
                                       "odbl",
                                       "openmdw-1.0",
                                       "openrail++",
                                       "osl-3.0",
                                       "postgresql",
                                       "ofl-1.1",
                                       "ncsa",
                                       "unlicense",
                                       "zlib",
                                       "pddl",
                                       "lgpl-lr",
                                       "deepfloyd-if-license",
                                       "fair-noncommercial-research-license",
                                       "llama2",
                                       "llama3",
                                       "llama3.1",
                                       "llama3.2",
                                       "llama3.3",
                                       "llama4",
                                       "grok2-community",
                                       "gemma",
                                       "unknown",
                                       "other"};

struct findings {
    struct buf errors, warnings; /* JSON elements, comma between */
};

static void finding(struct buf *b, struct str message) {
    if (b->n > 0) buf_char(b, ',');
    buf_cstr(b, "{\"message\":");
    json_escape(b, message);
    buf_char(b, '}');
}

bool hub_license_known(struct str s) {
    for (unsigned i = 0; i < ARRAY_LEN(licenses); i++)
        if (str_eqz(s, licenses[i])) return true;
    return false;
}

static void check_license(struct arena *a, struct jv card, struct findings *f) {
    struct jv v = jv_get(card, "license");
    bool bad = !jv_is_null(v) && jv_type(v) != JSON_STRING && jv_type(v) != JSON_ARRAY;
    if (jv_type(v) == JSON_STRING) bad = !hub_license_known(jv_str(v, STR("")));
    for (struct jv_iter it = jv_iter(v); jv_type(v) == JSON_ARRAY && jv_next(&it);)
        if (jv_type(it.val) != JSON_STRING || !hub_license_known(jv_str(it.val, STR("")))) bad = true;
    if (!bad) return;
    struct buf list cleanup(buf_release);
    buf_init(&list, 8 * KiB);
    for (unsigned i = 0; i < ARRAY_LEN(licenses); i++) buf_printf(&list, "%s%s", i > 0 ? ", " : "", licenses[i]);
    finding(&f->errors, arena_printf(a, "Error: \"license\" must be one of [" STR_FMT "]", STR_ARG(buf_view(&list))));
}

static void check_types(struct arena *a, struct jv card, struct findings *f) {
    static const struct {
        const char *key;
        bool string, list;
        const char *what;
    } rules[] = {{"pipeline_tag", true, false, "a string"},
                 {"library_name", true, false, "a string"},
                 {"tags", false, true, "an array"},
                 {"language", true, true, "a string or an array"},
                 {"datasets", true, true, "a string or an array"},
                 {"base_model", true, true, "a string or an array"},
                 {"model-index", false, true, "an array"},
                 {"license_name", true, false, "a string"},
                 {"license_link", true, false, "a string"}};
    for (unsigned i = 0; i < ARRAY_LEN(rules); i++) {
        enum json_type t = jv_type(jv_get(card, rules[i].key));
        if (t == JSON_NONE || t == JSON_NULL || (t == JSON_STRING && rules[i].string) ||
            (t == JSON_ARRAY && rules[i].list))
            continue;
        finding(&f->errors, arena_printf(a, "Error: \"%s\" must be %s", rules[i].key, rules[i].what));
    }
    struct jv index = jv_get(card, "model-index");
    for (size_t i = 0; jv_type(index) == JSON_ARRAY && i < jv_len(index); i++)
        if (jv_type(jv_get(jv_at(index, i), "name")) != JSON_STRING)
            finding(&f->errors, arena_printf(a, "Error: \"model-index[%zu].name\" is required", i));
}

static void check_card(struct arena *a, struct str content, struct findings *f) {
    struct str body, front = hub_card_front(content, &body);
    if (str_trim(front).n == 0) {
        finding(&f->warnings, STR("empty or missing yaml metadata in repo card"));
        return;
    }
    struct buf json cleanup(buf_release);
    buf_init(&json, HUB_YAML_JSON_MAX);
    struct jv card;
    err e = hub_yaml_json(front, &json);
    struct str text = arena_str(a, buf_view(&json));
    if (e == OK) e = json_parse(a, text, NULL, &card);
    if (e != OK) {
        finding(&f->errors, arena_printf(a, "Error: invalid YAML: %s", err_text()));
        return;
    }
    if (jv_type(card) != JSON_OBJECT) {
        finding(&f->errors, STR("Error: the metadata must be a mapping of keys to values"));
        return;
    }
    check_license(a, card, f);
    check_types(a, card, f);
}

/* The library's RepoCard.validate asks for text and shows it as it is: one line a finding. */
static err reply_text(struct http_req *r, int status, const struct findings *f) {
    struct buf out cleanup(buf_release);
    buf_init(&out, 160 * KiB);
    const struct buf *lists[] = {&f->errors, &f->warnings};
    for (unsigned i = 0; i < ARRAY_LEN(lists); i++) {
        struct jv v;
        TRY(json_parse(r->arena, arena_printf(r->arena, "[" STR_FMT "]", STR_ARG(buf_view(lists[i]))), NULL, &v));
        for (struct jv_iter it = jv_iter(v); jv_next(&it);)
            buf_printf(&out, "- %s" STR_FMT "\n", i > 0 ? "Warning: " : "",
                       STR_ARG(jv_str(jv_get(it.val, "message"), STR(""))));
    }
    TRY(buf_ok(&out, "the findings"));
    return http_reply(r, status, "text/plain; charset=utf-8", buf_view(&out));
}

static err reply_findings(struct http_req *r, const struct findings *f) {
    int status = f->errors.n > 0 ? 400 : 200;
    if (str_starts(str_trim(http_header(r, "Accept")), "text/plain")) return reply_text(r, status, f);
    struct buf out cleanup(buf_release);
    buf_init(&out, 160 * KiB);
    buf_printf(&out, "{\"errors\":[" STR_FMT "],\"warnings\":[" STR_FMT "]}", STR_ARG(buf_view(&f->errors)),
               STR_ARG(buf_view(&f->warnings)));
    return http_reply_json(r, status, &out);
}

static err validate_yaml(struct http_req *r) {
    struct jv body;
    struct findings f;
    buf_init(&f.errors, 64 * KiB);
    buf_init(&f.warnings, 64 * KiB);
    err e = http_body_json(r, HUB_CARD_MAX + MiB, &body);
    if (e == OK) check_card(r->arena, jv_str(jv_get(body, "content"), STR("")), &f);
    else if (e->status == 400 || e->status == 413) finding(&f.errors, arena_str(r->arena, str_of(err_text())));
    if (e == OK || f.errors.n > 0) e = reply_findings(r, &f);
    buf_release(&f.errors);
    buf_release(&f.warnings);
    return e;
}

const struct http_route hub_validate_route[] = {
    {.methods = HTTP_POST,
     .pattern = "/api/validate-yaml",
     .fn = validate_yaml,
     .auth = AUTH_PUBLIC,
     .dialect = DIALECT_HF,
     .name = "hub.validateyaml",
     .summary = "Check the metadata of a card",
     .max_body = HUB_CARD_MAX + 1024 * 1024},
};
const size_t hub_validate_n = ARRAY_LEN(hub_validate_route);
