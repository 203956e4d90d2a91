/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_yaml.c — YAML (libyaml) to JSON.
 *
 * Invariant: recursion is at most HUB_YAML_DEPTH deep, which also ends aliases that contain themselves; the output
 * buffer's maximum ends aliases that multiply.
 */
#include "hub/hub_yaml.h"

#include <math.h>
#include <yaml.h>

#include "base/map.h"

struct conv {
    yaml_document_t *doc;
    struct jw w;
};

static err node_write(struct conv *c, int id, unsigned depth);

static err at(const yaml_node_t *n, const char *what) {
    return err_fail(E_BAD_REQUEST, "line %zu, column %zu: %s", n->start_mark.line + 1, n->start_mark.column + 1, what);
}

static struct str scalar_str(const yaml_node_t *n) {
    return (struct str){(const char *)n->data.scalar.value, n->data.scalar.length};
}

static bool is_number_text(struct str s, bool *is_int) {
    size_t i = 0, digits = 0;
    bool dot = false, exp = false;
    if (i < s.n && (s.p[i] == '-' || s.p[i] == '+')) i++;
    /* 007 is a name far more often than a number in cards: kept as text. */
    if (i + 1 < s.n && s.p[i] == '0' && s.p[i + 1] >= '0' && s.p[i + 1] <= '9') return false;
    for (; i < s.n; i++) {
        char ch = s.p[i];
        if (ch >= '0' && ch <= '9') digits++;
        else if (ch == '.' && !dot && !exp) dot = true;
        else if ((ch == 'e' || ch == 'E') && digits > 0 && !exp && i + 1 < s.n) {
            exp = true;
            if (s.p[i + 1] == '-' || s.p[i + 1] == '+') i++;
            if (i + 1 >= s.n) return false;
        } else return false;
    }
    *is_int = !dot && !exp;
    return digits > 0;
}

static void plain_write(struct jw *w, struct str s) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    static const char *const yes[] = {"true", "True", "TRUE"}, *const no[] = {"false", "False", "FALSE"};
    bool is_int;
    int64_t i;
    double d;
    for (unsigned k = 0; k < ARRAY_LEN(nulls); k++)
        if (str_eqz(s, nulls[k])) {
            jw_null(w);
            return;
        }
    for (unsigned k = 0; k < ARRAY_LEN(yes); k++) {
        if (str_eqz(s, yes[k])) {
            jw_bool(w, true);
            return;
        }
        if (str_eqz(s, no[k])) {
            jw_bool(w, false);
            return;
        }
    }
    struct str num = s.n > 0 && s.p[0] == '+' ? str_from(s, 1) : s;
    if (is_number_text(s, &is_int)) {
        if (is_int && str_to_i64(num, &i)) {
            jw_i64(w, i);
            return;
        }
        if (!is_int && str_to_double(num, &d) && isfinite(d)) {
            jw_double(w, d);
            return;
        }
    }
    jw_str(w, s);
}

static err map_write(struct conv *c, const yaml_node_t *n, unsigned depth) {
    struct map seen;
    map_init(&seen, HUB_YAML_MAX);
    err e = OK;
    jw_obj(&c->w);
    for (yaml_node_pair_t *p = n->data.mapping.pairs.start; e == OK && p < n->data.mapping.pairs.top; p++) {
        const yaml_node_t *k = yaml_document_get_node(c->doc, p->key);
        if (k == NULL || k->type != YAML_SCALAR_NODE) {
            e = at(k != NULL ? k : n, "a key must be plain text");
            break;
        }
        void *old = NULL;
        e = map_put(&seen, scalar_str(k), c, &old);
        if (e == OK && old != NULL) e = at(k, "duplicated mapping key");
        if (e != OK) break;
        jw_keys(&c->w, scalar_str(k));
        e = node_write(c, p->value, depth + 1);
    }
    map_release(&seen);
    jw_obj_end(&c->w);
    return e;
}

static err node_write(struct conv *c, int id, unsigned depth) {
    const yaml_node_t *n = yaml_document_get_node(c->doc, id);
    BUG_ON(n == NULL);
    if (depth > HUB_YAML_DEPTH) return at(n, "nested too deep");
    TRY(buf_ok(c->w.b, "the card's metadata, with its aliases expanded,"));
    switch (n->type) {
    case YAML_SCALAR_NODE:
        if (n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) plain_write(&c->w, scalar_str(n));
        else jw_str(&c->w, scalar_str(n));
        return OK;
    case YAML_SEQUENCE_NODE:
        jw_arr(&c->w);
        for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++)
            TRY(node_write(c, *i, depth + 1));
        jw_arr_end(&c->w);
        return OK;
    case YAML_MAPPING_NODE: return map_write(c, n, depth);
    case YAML_NO_NODE: break;
    }
    jw_null(&c->w);
    return OK;
}

static err parser_error(const yaml_parser_t *p) {
    return err_fail(E_BAD_REQUEST, "line %zu, column %zu: %s", p->problem_mark.line + 1, p->problem_mark.column + 1,
                    p->problem != NULL ? p->problem : "not YAML");
}

static err second_document(yaml_parser_t *p) {
    yaml_document_t doc;
    if (!yaml_parser_load(p, &doc)) return parser_error(p);
    bool none = yaml_document_get_root_node(&doc) == NULL;
    yaml_document_delete(&doc);
    return none ? OK : err_fail(E_BAD_REQUEST, "the metadata holds more than one YAML document");
}

err hub_yaml_json(struct str yaml, struct buf *out) {
    if (yaml.n > HUB_YAML_MAX)
        return err_fail(E_TOO_LARGE, "the metadata has %zu bytes; at most %d are read", yaml.n, HUB_YAML_MAX);
    if (!str_is_utf8(yaml)) return err_fail(E_BAD_REQUEST, "the metadata is not UTF-8 text");
    yaml_parser_t p;
    yaml_document_t doc;
    if (!yaml_parser_initialize(&p)) return err_fail(E_NOMEM, "no memory to read YAML");
    yaml_parser_set_input_string(&p, (const unsigned char *)(yaml.n > 0 ? yaml.p : ""), yaml.n);
    err e = OK;
    if (!yaml_parser_load(&p, &doc)) {
        e = parser_error(&p);
    } else {
        struct conv c = {.doc = &doc};
        jw_init(&c.w, out);
        if (yaml_document_get_root_node(&doc) == NULL) {
            jw_null(&c.w);
        } else {
            e = node_write(&c, 1, 0);
            if (e == OK) e = second_document(&p);
        }
        yaml_document_delete(&doc);
    }
    yaml_parser_delete(&p);
    if (e == OK) e = buf_ok(out, "the card's metadata");
    return e;
}
