/* SPDX-License-Identifier: Apache-2.0 */
/* pickle_values.c — stack, marks, memo, nodes and texts of the abstract pickle machine; all bounded. */
#include "pickle_vm.h"

static bool vec_room(struct vm_vec *x, size_t n) {
    if (n <= x->cap - x->n) return true;
    size_t want = MAX(x->cap * 2, (size_t)256);
    while (want - x->n < n) want *= 2;
    if (want > x->max) want = x->max;
    if (want < x->n || want - x->n < n) return false;
    uint64_t *p = realloc(x->p, want * sizeof *p);
    if (!p) return false;
    x->p = p;
    x->cap = want;
    return true;
}

void vm_init(struct vm *v, struct scan *s, struct span b, size_t from) {
    memset(v, 0, sizeof *v);
    v->s = s;
    v->b = b;
    v->at = v->op_at = from;
    v->stack.max = VM_STACK_MAX;
    v->marks.max = VM_MARKS_MAX;
    v->memo.max = VM_MEMO_MAX;
    v->nodes.max = VM_NODES_MAX;
    if (vec_room(&v->nodes, 1)) v->nodes.p[v->nodes.n++] = 0; /* node 0: the empty tuple */
}

void vm_release(struct vm *v) {
    free(v->stack.p);
    free(v->marks.p);
    free(v->memo.p);
    free(v->nodes.p);
    for (size_t i = 0; i < v->n_globals; i++) free(v->globals[i].dotted);
    free(v->globals);
}

void vm_error(struct vm *v, const char *why) {
    if (!v->error) facts_addz(v->s->f, FACT_PICKLE_MALFORMED, why, (int64_t)v->op_at);
    facts_cover(v->s->f, COVERAGE_PARTIAL);
    v->error = true;
}

void vm_degrade(struct vm *v, const char *why) {
    if (!v->degraded) facts_addz(v->s->f, FACT_PICKLE_LIMIT, why, (int64_t)v->op_at);
    facts_cover(v->s->f, COVERAGE_PARTIAL);
    v->degraded = true;
}

/* The lower half of an overfull stack is forgotten: what is popped from below is UNKNOWN. */
static void stack_forget(struct vm *v) {
    size_t drop = v->stack.n / 2; /* the stack is full, so it is there */
    memmove(v->stack.p, v->stack.p + drop, (v->stack.n - drop) * sizeof(uint64_t));
    v->stack.n -= drop;
    for (size_t i = 0; i < v->marks.n; i++) v->marks.p[i] = v->marks.p[i] > drop ? v->marks.p[i] - drop : 0;
}

void vm_push(struct vm *v, uint64_t x) {
    if (__builtin_expect(v->stack.n == v->stack.cap, 0) && !vec_room(&v->stack, 1)) {
        vm_degrade(v, "stack");
        if (v->stack.n < 2) return;
        stack_forget(v);
    }
    v->stack.p[v->stack.n++] = x;
}

static size_t floor_of(const struct vm *v) {
    return v->marks.n ? (size_t)v->marks.p[v->marks.n - 1] : 0;
}

uint64_t vm_pop(struct vm *v) {
    if (__builtin_expect(v->stack.n > floor_of(v), 1)) return v->stack.p[--v->stack.n];
    if (!v->degraded) vm_error(v, "stack underflow");
    return PV(PV_UNKNOWN, 0);
}

uint64_t vm_top(struct vm *v) {
    if (v->stack.n > floor_of(v)) return v->stack.p[v->stack.n - 1];
    if (!v->degraded) vm_error(v, "stack underflow");
    return PV(PV_UNKNOWN, 0);
}

size_t vm_mark(struct vm *v) {
    if (v->marks.n) {
        size_t at = (size_t)v->marks.p[--v->marks.n];
        return at < v->stack.n ? at : v->stack.n;
    }
    if (!v->degraded) vm_error(v, "no mark");
    return v->stack.n;
}

uint64_t vm_tuple(struct vm *v, const uint64_t *vals, size_t n) {
    if (n == 0) return PV(PV_TUPLE, 0);
    size_t keep = MIN(n, (size_t)VM_TUPLE_KEEP);
    if (!vec_room(&v->nodes, keep + 1)) return PV(PV_OPAQUE, 0);
    size_t at = v->nodes.n;
    v->nodes.p[at] = (uint64_t)MIN(n, (size_t)UINT32_MAX) | (uint64_t)keep << 32;
    memcpy(v->nodes.p + at + 1, vals, keep * sizeof *vals);
    v->nodes.n += keep + 1;
    return PV(PV_TUPLE, at);
}

uint64_t vm_dict_new(struct vm *v) {
    if (!vec_room(&v->nodes, 2)) return PV(PV_DICT, 0);
    size_t at = v->nodes.n;
    v->nodes.p[at] = v->nodes.p[at + 1] = 0;
    v->nodes.n += 2;
    return PV(PV_DICT, at);
}

/* Names that give an object behaviour. `__version__`, `__doc__` and the like are data. */
static bool is_dunder(struct str k) {
    static const char *const hot[] = {
        "__setstate__", "__reduce__",       "__reduce_ex__", "__class__",  "__call__",
        "__getattr__",  "__getattribute__", "__del__",       "__init__",   "__new__",
        "__dict__",     "__globals__",      "__builtins__",  "__code__",   "__subclasshook__",
        "__setattr__",  "__setitem__",      "__getitem__",   "__iter__",   "__hash__",
        "__eq__",       "__enter__",        "__exit__",      "__import__", "__loader__"};
    for (size_t i = 0; i < ARRAY_LEN(hot); i++)
        if (str_eqz(k, hot[i])) return true;
    return false;
}

/* A look at the first character, before the text is decoded: this is the dense path. */
static bool starts_with_underscore(const struct vm *v, uint64_t key) {
    size_t at = (size_t)pv_load(key), skip = v->b.p[at] == 'X' ? 5 : v->b.p[at] == 'U' || v->b.p[at] == 0x8c ? 2 : 0;
    return skip == 0 || (at + skip < v->b.n && v->b.p[at + skip] == '_');
}

void vm_dict_put(struct vm *v, uint64_t dict, uint64_t key, uint64_t val) {
    char tmp[64];
    size_t at = (size_t)pv_load(dict);
    if (pv_tag(key) == PV_STR && starts_with_underscore(v, key)) {
        struct str k = vm_text(v, key, tmp, sizeof tmp);
        if (k.n > 4 && k.p[0] == '_' && k.p[1] == '_' && is_dunder(k)) {
            enum pv_tag t = pv_tag(val);
            if (t == PV_GLOBAL || t == PV_INST || t == PV_UNKNOWN || t == PV_EXT)
                facts_add(v->s->f, FACT_PICKLE_DUNDER, k, (int64_t)v->op_at);
        }
    }
    if (!at) return;
    size_t n = v->nodes.p[at] & 0xffffffff;
    if (n < VM_DICT_KEEP) {
        if (v->nodes.p[at + 1] == 0) {
            if (!vec_room(&v->nodes, 2 * VM_DICT_KEEP)) return;
            v->nodes.p[at + 1] = v->nodes.n;
            v->nodes.n += 2 * VM_DICT_KEEP;
        }
        uint64_t *pair = v->nodes.p + v->nodes.p[at + 1] + 2 * n;
        pair[0] = key;
        pair[1] = val;
    }
    v->nodes.p[at]++;
}

size_t vm_tuple_len(const struct vm *v, uint64_t t) {
    if (pv_tag(t) != PV_TUPLE) return 0;
    return v->nodes.p[pv_load(t)] & 0xffffffff;
}

uint64_t vm_tuple_at(const struct vm *v, uint64_t t, size_t i) {
    if (pv_tag(t) != PV_TUPLE) return PV(PV_UNKNOWN, 0);
    size_t at = (size_t)pv_load(t);
    return i < v->nodes.p[at] >> 32 ? v->nodes.p[at + 1 + i] : PV(PV_UNKNOWN, 0);
}

uint64_t vm_dict_get(const struct vm *v, uint64_t dict, const char *key) {
    char tmp[64];
    size_t at = pv_tag(dict) == PV_DICT ? (size_t)pv_load(dict) : 0;
    if (!at || !v->nodes.p[at + 1]) return PV(PV_UNKNOWN, 0);
    size_t n = MIN(v->nodes.p[at] & 0xffffffff, (uint64_t)VM_DICT_KEEP);
    for (size_t i = n; i-- > 0;) { /* the last one wins, as in Python */
        const uint64_t *pair = v->nodes.p + v->nodes.p[at + 1] + 2 * i;
        if (pv_tag(pair[0]) == PV_STR && str_eqz(vm_text(v, pair[0], tmp, sizeof tmp), key)) return pair[1];
    }
    return PV(PV_UNKNOWN, 0);
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* \xNN and the one-letter escapes of STRING; \uNNNN of UNICODE. What is not ASCII becomes '?', which no name contains.
 */
static struct str unescape(struct str s, bool unicode, char *tmp, size_t cap) {
    size_t n = 0;
    for (size_t i = 0; i < s.n && n + 1 < cap; i++) {
        char c = s.p[i];
        if (c != '\\' || i + 1 >= s.n) {
            tmp[n++] = c;
            continue;
        }
        char e = s.p[i + 1];
        size_t digits = e == 'x' && !unicode ? 2 : e == 'u' ? 4 : e == 'U' ? 8 : 0;
        if (digits == 0 || i + 1 + digits >= s.n) {
            bool oct = !unicode && e >= '0' && e <= '7';
            if (oct) {
                unsigned o = 0;
                size_t k = 0;
                while (k < 3 && i + 1 + k < s.n && s.p[i + 1 + k] >= '0' && s.p[i + 1 + k] <= '7')
                    o = o * 8 + (unsigned)(s.p[i + 1 + k++] - '0');
                tmp[n++] = o < 128 ? (char)o : '?';
                i += k;
            } else if (!unicode) {
                tmp[n++] = e == 'n' ? '\n' : e == 't' ? '\t' : e == 'r' ? '\r' : e;
                i++;
            } else {
                tmp[n++] = c;
            }
            continue;
        }
        uint32_t cp = 0;
        bool ok = true;
        for (size_t k = 0; k < digits; k++) {
            int h = hex_digit(s.p[i + 2 + k]);
            ok = ok && h >= 0;
            cp = cp << 4 | (uint32_t)(h < 0 ? 0 : h);
        }
        tmp[n++] = ok && cp < 128 ? (char)cp : '?';
        i += 1 + digits;
    }
    return str_make(tmp, n);
}

static struct str line_at(const struct vm *v, size_t from) {
    const uint8_t *nl = memchr(v->b.p + from, '\n', v->b.n - from);
    size_t end = nl ? (size_t)(nl - v->b.p) : v->b.n;
    return str_make(v->b.p + from, end - from);
}

struct str vm_text(const struct vm *v, uint64_t x, char *tmp, size_t cap) {
    if (pv_tag(x) != PV_STR && pv_tag(x) != PV_BYTES) return STR_NULL;
    size_t at = (size_t)pv_load(x);
    struct span r = span_from(v->b, at + 1);
    switch (v->b.p[at]) {
    case 'V': return unescape(line_at(v, at + 1), true, tmp, cap);
    case 'S': {
        struct str s = str_trim(line_at(v, at + 1));
        if (s.n >= 2 && (s.p[0] == '\'' || s.p[0] == '"')) s = str_sub(s, 1, s.n - 2);
        return unescape(s, false, tmp, cap);
    }
    case 'X':
    case 'B':
    case 'T': return span_str(span_sub(r, 4, le32(r.p)));
    case 'U':
    case 'C':
    case 0x8c: return span_str(span_sub(r, 1, r.p[0]));
    case 0x8d:
    case 0x8e:
    case 0x96: return span_str(span_sub(r, 8, le64(r.p)));
    default: return STR_NULL;
    }
}
