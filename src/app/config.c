/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c — reads the YAML file by libyaml's document tree (it keeps line numbers) and fills struct config by
 * the schema. The document is bounded: 1 MiB of text, depth 8.
 */
#include "app/config.h"

#include <errno.h>
#include <sys/stat.h>
#include <yaml.h>

#include "app/config_schema.h"
#include "rt/sock.h"

enum { CONFIG_MAX_BYTES = 1 << 20, CONFIG_MAX_DEPTH = 8, PLACE_MAX = 512 };

struct loader {
    struct config *c;
    const char *file;
    yaml_document_t *doc;
};

static err at(const struct loader *l, const yaml_node_t *n, const char *what, struct str detail) {
    return err_fail(E_UNPROCESSABLE, "%s:%zu: %s: " STR_FMT, l->file, n->start_mark.line + 1, what, STR_ARG(detail));
}

static struct str scalar(const yaml_node_t *n) {
    return n->type == YAML_SCALAR_NODE ? str_make(n->data.scalar.value, n->data.scalar.length) : STR_NULL;
}

static err unknown_key(const struct loader *l, const yaml_node_t *n, const struct config_key *keys, size_t n_keys) {
    const char *best = NULL;
    unsigned best_d = 99, d;
    for (size_t i = 0; i < n_keys; i++)
        if (str_near(scalar(n), str_of(keys[i].name), &d) && d < best_d) best_d = d, best = keys[i].name;
    if (best == NULL) return at(l, n, "unknown key", scalar(n));
    return err_fail(E_UNPROCESSABLE, "%s:%zu: unknown key: " STR_FMT " (did you mean \"%s\"?)", l->file,
                    n->start_mark.line + 1, STR_ARG(scalar(n)), best);
}

static bool enum_has(const char *values, struct str v) {
    struct str rest = str_of(values), one;
    while (str_split(&rest, '|', &one))
        if (str_eq(one, v)) return true;
    return false;
}

static void place_of(const struct loader *l, const yaml_node_t *n, char out[PLACE_MAX]) {
    snprintf(out, PLACE_MAX, "%s:%zu", l->file, n->start_mark.line + 1);
}

static err run_check(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place) {
    return k->check == NULL ? OK : k->check(c, k, base, i, place);
}

/* A scalar's text into its field; `what` names file:line or the environment variable. */
static err set_scalar(struct config *c, const struct config_key *k, void *base, struct str v, const char *what) {
    char *to = (char *)base + k->offset;
    int64_t i;
    double d;
    switch (k->type) {
    case CFG_STR: *(struct str *)(void *)to = arena_str(&c->arena, v); return OK;
    case CFG_INT:
        if (!str_to_i64(v, &i) || i < k->min || i > k->max)
            return err_fail(E_UNPROCESSABLE,
                            "%s: %s: expected a whole number from %" PRId64 " to %" PRId64 ", got \"" STR_FMT "\"",
                            what, k->name, k->min, k->max, STR_ARG(v));
        *(int64_t *)(void *)to = i;
        return OK;
    case CFG_NUM:
        if (!str_to_double(v, &d) || d < (double)k->min || d > (double)k->max)
            return err_fail(E_UNPROCESSABLE,
                            "%s: %s: expected a number from %" PRId64 " to %" PRId64 ", got \"" STR_FMT "\"", what,
                            k->name, k->min, k->max, STR_ARG(v));
        *(double *)(void *)to = d;
        return OK;
    case CFG_BOOL:
        if (!str_eqz(v, "true") && !str_eqz(v, "false"))
            return err_fail(E_UNPROCESSABLE, "%s: %s: expected true or false, got \"" STR_FMT "\"", what, k->name,
                            STR_ARG(v));
        *(bool *)to = str_eqz(v, "true");
        return OK;
    case CFG_ENUM:
        if (!enum_has(k->values, v))
            return err_fail(E_UNPROCESSABLE, "%s: %s: expected one of %s, got \"" STR_FMT "\"", what, k->name,
                            k->values, STR_ARG(v));
        *(struct str *)(void *)to = arena_str(&c->arena, v);
        return OK;
    case CFG_LIST:
    case CFG_SECTION:
    case CFG_TABLE: break;
    }
    return err_fail(E_UNPROCESSABLE, "%s: %s: a plain value is not expected here", what, k->name);
}

static err set_defaults(struct config *c, const struct config_key *keys, size_t n, void *base) {
    for (size_t i = 0; i < n; i++) {
        if (keys[i].type == CFG_SECTION) TRY(set_defaults(c, keys[i].sub, keys[i].n_sub, base));
        if (keys[i].type >= CFG_LIST || keys[i].dflt == NULL) continue;
        TRY(set_scalar(c, &keys[i], base, str_of(keys[i].dflt), "default"));
    }
    return OK;
}

static err load_map(struct loader *l, yaml_node_t *map, const struct config_key *keys, size_t n_keys, void *base,
                    unsigned depth);

static err load_list(struct loader *l, const struct config_key *k, yaml_node_t *v, void *base) {
    struct config_list *list = (struct config_list *)(void *)((char *)base + k->offset);
    if (v->type != YAML_SEQUENCE_NODE) return at(l, v, "expected a list", str_of(k->name));
    for (yaml_node_item_t *it = v->data.sequence.items.start; it < v->data.sequence.items.top; it++) {
        yaml_node_t *e = yaml_document_get_node(l->doc, *it);
        if (e->type != YAML_SCALAR_NODE) return at(l, e, "expected a plain value in the list", str_of(k->name));
        if (list->n == CONFIG_MAX_LIST) return at(l, e, "list has more than 32 entries", str_of(k->name));
        list->v[list->n++] = arena_str(&l->c->arena, scalar(e));
        char place[PLACE_MAX];
        place_of(l, e, place);
        TRY(run_check(l->c, k, base, list->n - 1, place));
    }
    return OK;
}

static err load_table(struct loader *l, const struct config_key *k, yaml_node_t *v, void *base, unsigned depth) {
    if (v->type != YAML_SEQUENCE_NODE) return at(l, v, "expected a list of entries", str_of(k->name));
    size_t n = (size_t)(v->data.sequence.items.top - v->data.sequence.items.start);
    if (n > k->max_rows) return at(l, v, "too many entries", str_of(k->name));
    char *rows = arena_alloc_n(&l->c->arena, MAX(n, (size_t)1), k->row_size);
    for (size_t i = 0; i < n; i++) {
        yaml_node_t *e = yaml_document_get_node(l->doc, v->data.sequence.items.start[i]);
        void *row = rows + i * k->row_size;
        TRY(set_defaults(l->c, k->sub, k->n_sub, row));
        TRY(load_map(l, e, k->sub, k->n_sub, row, depth + 1));
        char place[PLACE_MAX];
        place_of(l, e, place);
        TRY(run_check(l->c, k, rows, i, place));
    }
    *(void **)(void *)((char *)base + k->offset) = rows;
    *(size_t *)(void *)((char *)base + k->count_offset) = n;
    return OK;
}

static err load_value(struct loader *l, const struct config_key *k, yaml_node_t *v, void *base, unsigned depth) {
    char place[PLACE_MAX];
    place_of(l, v, place);
    switch (k->type) {
    case CFG_SECTION: TRY(load_map(l, v, k->sub, k->n_sub, base, depth + 1)); return run_check(l->c, k, base, 0, place);
    case CFG_LIST: return load_list(l, k, v, base);
    case CFG_TABLE: return load_table(l, k, v, base, depth);
    case CFG_STR:
    case CFG_INT:
    case CFG_BOOL:
    case CFG_NUM:
    case CFG_ENUM: break;
    }
    if (v->type != YAML_SCALAR_NODE) return at(l, v, "expected a plain value", str_of(k->name));
    TRY(set_scalar(l->c, k, base, scalar(v), place));
    return run_check(l->c, k, base, 0, place);
}

static err load_map(struct loader *l, yaml_node_t *map, const struct config_key *keys, size_t n_keys, void *base,
                    unsigned depth) {
    if (map->type != YAML_MAPPING_NODE) return at(l, map, "expected keys and values", scalar(map));
    if (depth > CONFIG_MAX_DEPTH) return at(l, map, "nested too deeply", STR(""));
    uint64_t seen = 0;
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        yaml_node_t *kn = yaml_document_get_node(l->doc, p->key), *vn = yaml_document_get_node(l->doc, p->value);
        size_t i = 0;
        while (i < n_keys && !str_eqz(scalar(kn), keys[i].name)) i++;
        if (i == n_keys) return unknown_key(l, kn, keys, n_keys);
        if (seen & (uint64_t)1 << i) return at(l, kn, "key given twice", scalar(kn));
        seen |= (uint64_t)1 << i;
        TRY(load_value(l, &keys[i], vn, base, depth));
    }
    for (size_t i = 0; i < n_keys; i++)
        if (keys[i].dflt == NULL && keys[i].type != CFG_SECTION && !(seen & (uint64_t)1 << i))
            return at(l, map, "required key is missing", str_of(keys[i].name));
    return OK;
}

static err read_file(const char *path, struct arena *a, size_t max, struct str *out) {
    FILE *f = fopen(path, "re");
    if (f == NULL) return err_errno(E_NOT_FOUND, errno, "%s: cannot be read", path);
    char *p = arena_alloc(a, max + 1);
    size_t n = fread(p, 1, max + 1, f);
    bool failed = ferror(f) != 0;
    fclose(f);
    if (failed) return err_fail(E_IO, "%s: cannot be read", path);
    if (n > max) return err_fail(E_TOO_LARGE, "%s: larger than %zu bytes", path, max);
    *out = str_make(p, n);
    return OK;
}

/* What stands behind a "---" would be ignored silently. */
static err no_second_document(yaml_parser_t *parser, const char *path) {
    yaml_document_t doc;
    if (!yaml_parser_load(parser, &doc))
        return err_fail(E_UNPROCESSABLE, "%s:%zu: not valid YAML: %s", path, parser->problem_mark.line + 1,
                        parser->problem ? parser->problem : "");
    const yaml_node_t *root = yaml_document_get_root_node(&doc);
    size_t line = root == NULL ? 0 : root->start_mark.line + 1;
    yaml_document_delete(&doc);
    return line == 0
               ? OK
               : err_fail(E_UNPROCESSABLE, "%s:%zu: expected one YAML document, here begins a second", path, line);
}

static err load_yaml(struct config *c, const char *path) {
    struct str text;
    TRY(read_file(path, &c->arena, CONFIG_MAX_BYTES, &text));
    yaml_parser_t parser;
    yaml_document_t doc;
    BUG_ON(!yaml_parser_initialize(&parser));
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
    err e = OK;
    if (!yaml_parser_load(&parser, &doc)) {
        e = err_fail(E_UNPROCESSABLE, "%s:%zu: not valid YAML: %s", path, parser.problem_mark.line + 1,
                     parser.problem ? parser.problem : "");
    } else {
        struct loader l = {c, path, &doc};
        yaml_node_t *root = yaml_document_get_root_node(&doc);
        if (root != NULL) e = load_map(&l, root, config_schema, config_schema_len, c, 0);
        yaml_document_delete(&doc);
        if (e == OK) e = no_second_document(&parser, path);
    }
    yaml_parser_delete(&parser);
    return e;
}

static err load_env(struct config *c, const struct config_key *keys, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const char *v = keys[i].env != NULL ? getenv(keys[i].env) : NULL;
        if (v == NULL || v[0] == 0) continue;
        TRY(set_scalar(c, &keys[i], c, str_of(v), keys[i].env));
        TRY(run_check(c, &keys[i], c, 0, keys[i].env));
    }
    return OK;
}

err config_parse_listen(struct config *c, struct str listen, const char *field) {
    ptrdiff_t colon = str_rchr(listen, ':');
    uint64_t port;
    if (colon <= 0 || !str_to_u64(str_from(listen, (size_t)colon + 1), &port) || port > 65535)
        return err_fail(E_UNPROCESSABLE, "%s: expected HOST:PORT, got \"" STR_FMT "\"", field, STR_ARG(listen));
    struct str host = str_sub(listen, 0, (size_t)colon);
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') host = str_sub(host, 1, host.n - 2);
    c->listen_host = arena_str(&c->arena, host);
    c->listen_port = (uint16_t)port;
    return OK;
}

static err resolve_key(struct config *c, struct config_provider *p) {
    if (p->key_env.n > 0) {
        const char *v = getenv(arena_strz(&c->arena, p->key_env));
        if (v == NULL || v[0] == 0)
            return err_fail(E_UNPROCESSABLE,
                            "providers: " STR_FMT ": key_env: the environment variable " STR_FMT
                            " is not set or empty; set it where the server is started, or use key_file",
                            STR_ARG(p->name), STR_ARG(p->key_env));
        p->key = arena_str(&c->arena, str_of(v));
    } else if (p->key_file.n > 0) {
        struct str text, rest, line = STR_NULL;
        err e = read_file(arena_strz(&c->arena, p->key_file), &c->arena, 4096, &text);
        if (e != OK) return err_wrap(e, "providers: " STR_FMT ": key_file", STR_ARG(p->name));
        rest = text;
        str_split(&rest, '\n', &line);
        p->key = str_trim(line);
        if (p->key.n == 0)
            return err_fail(E_UNPROCESSABLE, "providers: " STR_FMT ": key_file: the first line of " STR_FMT " is empty",
                            STR_ARG(p->name), STR_ARG(p->key_file));
    }
    return OK;
}

err config_resolve(struct config *c) {
    for (size_t i = 0; i < c->n_providers; i++) TRY(resolve_key(c, &c->providers[i]));
    if (c->tls_cert.n == 0) return OK;
    struct tls_ctx *tls;
    TRY(tls_server_new(arena_strz(&c->arena, c->tls_cert), arena_strz(&c->arena, c->tls_key), &tls));
    tls_ctx_put(tls);
    return OK;
}

err config_load(const char *path, struct config **out) {
    struct config *c = calloc(1, sizeof *c);
    if (c == NULL) return err_fail(E_NOMEM, "out of memory");
    arena_init(&c->arena, 8 * MiB);
    err e = set_defaults(c, config_schema, config_schema_len, c);
    if (e == OK && path != NULL) {
        c->file = arena_str(&c->arena, str_of(path));
        e = load_yaml(c, path);
    }
    if (e == OK) e = load_env(c, config_schema, config_schema_len);
    if (e == OK) e = config_parse_listen(c, c->listen, "listen");
    while (c->public_url.n > 0 && c->public_url.p[c->public_url.n - 1] == '/') c->public_url.n--;
    if (e != OK) {
        config_free(c);
        return e;
    }
    *out = c;
    return OK;
}

void config_free(struct config *c) {
    if (c == NULL) return;
    arena_release(&c->arena);
    free(c);
}
