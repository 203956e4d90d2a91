/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.c — look up a Python object's class in the tables of policy_tables.c.
 *
 * Order: exact allow entries, then dangerous names (any prefix of the dotted path, and any path that
 * walks through a dangerous module), then class prefixes. A path that walks through another module
 * ("shutil.os.system") is judged by what it reaches, since attribute access follows it.
 */
#include "policy.h"

#include "policy_tables.h"

static bool ident_starts_upper(struct str s) {
    size_t i = 0;
    while (i < s.n && s.p[i] == '_') i++;
    return i < s.n && s.p[i] >= 'A' && s.p[i] <= 'Z';
}

static bool path_prefix(struct str path, const char *prefix) {
    size_t n = strlen(prefix);
    return path.n >= n && memcmp(path.p, prefix, n) == 0 && (path.n == n || path.p[n] == '.');
}

size_t policy_canonical(struct str module, struct str name, char *out, size_t cap) {
    const char *to = NULL;
    for (size_t i = 0; i < policy_n_renames && !to; i++) {
        const struct policy_rename *r = &policy_renames[i];
        if (!str_eqz(module, r->module)) continue;
        if (r->name && !str_eqz(name, r->name)) continue;
        if (r->name) { /* whole object renamed */
            int n = snprintf(out, cap, "%s", r->to);
            return n < 0 ? 0 : MIN((size_t)n, cap - 1);
        }
        to = r->to;
    }
    int n = to ? snprintf(out, cap, "%s." STR_FMT, to, (int)MIN(name.n, (size_t)512), name.p)
               : snprintf(out, cap, STR_FMT "." STR_FMT, (int)MIN(module.n, (size_t)512), module.p,
                          (int)MIN(name.n, (size_t)512), name.p);
    return n < 0 ? 0 : MIN((size_t)n, cap - 1);
}

bool policy_is_danger_root(struct str d) {
    for (size_t i = 0; i < policy_n_danger; i++)
        if (path_prefix(d, policy_danger[i])) return true;
    return false;
}

static bool is_danger(struct str d) {
    if (policy_is_danger_root(d)) return true;
    /* A walk through a module that merely imported a dangerous one. */
    for (size_t at = 0; at < d.n; at++) {
        if (d.p[at] != '.') continue;
        struct str rest = str_from(d, at + 1);
        for (size_t i = 0; i < policy_n_walk; i++)
            if (path_prefix(rest, policy_walk[i])) return true;
        if (str_starts(rest, "__") && !str_starts(rest, "__pyx_unpickle_") && !str_starts(rest, "__newobj") &&
            !str_starts(rest, "__randomstate_ctor") && !str_starts(rest, "__bit_generator_ctor") &&
            !str_starts(rest, "__generator_ctor") && !str_starts(rest, "__torch__"))
            return true;
    }
    return false;
}

bool policy_is_verb(struct str d) {
    ptrdiff_t dot = str_rchr(d, '.');
    struct str last = dot < 0 ? d : str_from(d, (size_t)dot + 1);
    for (size_t i = 0; i < policy_n_verb; i++)
        if (str_eqz(last, policy_verb[i])) return true;
    return false;
}

struct py_object policy_lookup_dotted(struct str d) {
    for (size_t i = 0; i < policy_n_allow; i++)
        if (str_eqz(d, policy_allow[i].dotted)) return policy_allow[i].obj;
    /* the same names with one leading piece renamed between numpy 1 and 2 are in the table twice */
    if (is_danger(d)) return (struct py_object){PY_DANGER, SHAPE_NONE};
    ptrdiff_t dot = str_rchr(d, '.');
    struct str last = dot < 0 ? d : str_from(d, (size_t)dot + 1);
    for (size_t i = 0; i < policy_n_class; i++) {
        if (!path_prefix(d, policy_class[i])) continue;
        if (str_starts(last, "__pyx_unpickle_")) return (struct py_object){PY_SHAPE, SHAPE_TYPE_FIRST};
        return (struct py_object){ident_starts_upper(last) ? PY_CLASS : PY_LIBRARY, SHAPE_NONE};
    }
    if (str_starts(d, "__torch__.")) return (struct py_object){PY_CLASS, SHAPE_NONE};
    return (struct py_object){PY_UNKNOWN, SHAPE_NONE};
}

struct py_object policy_lookup(struct str module, struct str name) {
    char d[1100];
    size_t n = policy_canonical(module, name, d, sizeof d);
    return policy_lookup_dotted(str_make(d, n));
}

unsigned policy_storage_item(struct str d) {
    for (size_t i = 0; i < policy_n_storage; i++)
        if (str_eqz(d, policy_storage[i].dotted)) return policy_storage[i].item;
    return 0;
}

void policy_digest(void (*add)(void *arg, const char *z), void *arg) {
    char line[200];
    for (size_t i = 0; i < policy_n_renames; i++) {
        snprintf(line, sizeof line, "r %s %s %s", policy_renames[i].module,
                 policy_renames[i].name ? policy_renames[i].name : "", policy_renames[i].to);
        add(arg, line);
    }
    for (size_t i = 0; i < policy_n_allow; i++) {
        snprintf(line, sizeof line, "a %s %d %d", policy_allow[i].dotted, (int)policy_allow[i].obj.cls,
                 (int)policy_allow[i].obj.shape);
        add(arg, line);
    }
    for (size_t i = 0; i < policy_n_danger; i++) add(arg, policy_danger[i]);
    for (size_t i = 0; i < policy_n_walk; i++) add(arg, policy_walk[i]);
    for (size_t i = 0; i < policy_n_verb; i++) add(arg, policy_verb[i]);
    for (size_t i = 0; i < policy_n_class; i++) add(arg, policy_class[i]);
    for (size_t i = 0; i < policy_n_storage; i++) add(arg, policy_storage[i].dotted);
}
