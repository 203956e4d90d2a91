/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pickle_run.c — decode and run one pickle stream, opcodes of all protocols 0–5.
 *
 * One table row per opcode: how its operand is laid out, and what it does. Pushing plain values is
 * done inline (the dense path); everything else has a handler.
 */
#include "pickle_vm.h"

enum arg { A_BAD, A_0, A_1, A_2, A_4, A_8, A_LINE, A_LINE2, A_N1, A_N4, A_N8, A_N4S };
struct op {
    uint8_t arg;  /* enum arg */
    uint8_t push; /* pv_tag + 1, 0 = handler */
    void (*run)(struct vm *v, struct span operand);
};

static uint64_t dec(struct span s, bool *ok) {
    uint64_t x = 0;
    size_t i = 0, n = s.n;
    while (n && (s.p[n - 1] == '\r' || s.p[n - 1] == ' ')) n--;
    *ok = n > 0 && n < 20;
    for (; i < n && *ok; i++) {
        *ok = s.p[i] >= '0' && s.p[i] <= '9';
        x = x * 10 + (uint64_t)(s.p[i] - '0');
    }
    return x;
}

static void memo_put(struct vm *v, uint64_t key) {
    uint64_t val = vm_top(v);
    struct vm_vec *m = &v->memo;
    if (key >= m->max) {
        v->memo_lost = true;
        vm_degrade(v, "memo");
        return;
    }
    if (key >= m->cap) {
        size_t want = MAX((size_t)1024, m->cap);
        while (want <= key) want *= 2;
        want = MIN(want, m->max);
        uint64_t *p = realloc(m->p, want * sizeof *p);
        if (!p) {
            v->memo_lost = true;
            vm_degrade(v, "memo");
            return;
        }
        memset(p + m->cap, 0xff, (want - m->cap) * sizeof *p);
        m->p = p;
        m->cap = want;
    }
    if (m->p[key] == UINT64_MAX) m->n++;
    m->p[key] = val;
}
static void memo_get(struct vm *v, uint64_t key) {
    if (key < v->memo.cap && v->memo.p[key] != UINT64_MAX) {
        vm_push(v, v->memo.p[key]);
        return;
    }
    if (!v->memo_lost) vm_error(v, "memo key was never stored");
    vm_push(v, PV(PV_UNKNOWN, 0));
}

/* The values from index `from` up; valid also when nothing was ever pushed. */
static const uint64_t *above(const struct vm *v, size_t from) {
    static const uint64_t none[1];
    return v->stack.p ? v->stack.p + from : none;
}

static void r_proto(struct vm *v, struct span a) {
    if (v->proto >= 0 || a.p[0] > 5 || a.p[0] < 2)
        facts_addf(v->s->f, FACT_PICKLE_PROTO, (int64_t)v->op_at, "%u", a.p[0]);
    v->proto = a.p[0];
    if (a.p[0] > 5) vm_error(v, "unknown protocol");
}
static void r_frame(struct vm *v, struct span a) {
    uint64_t n = le64(a.p);
    if (v->frame_end) facts_addz(v->s->f, FACT_PICKLE_FRAME, "a frame inside a frame", (int64_t)v->op_at);
    if (n > v->b.n - v->at) {
        vm_error(v, "frame longer than the file");
        v->frame_end = 0;
        return;
    }
    v->frame_end = v->at + (size_t)n;
}
static void r_stop(struct vm *v, struct span a) {
    (void)a;
    v->result = vm_pop(v);
    v->stopped = true;
}
static void r_mark(struct vm *v, struct span a) {
    (void)a;
    struct vm_vec *m = &v->marks;
    if (m->n == m->cap) {
        size_t want = MIN(MAX(m->cap * 2, (size_t)64), m->max);
        uint64_t *p = want > m->cap ? realloc(m->p, want * sizeof *p) : NULL;
        if (!p) {
            vm_degrade(v, "marks");
            m->n /= 2;
            return;
        }
        m->p = p;
        m->cap = want;
    }
    m->p[m->n++] = v->stack.n;
}
static void r_pop(struct vm *v, struct span a) {
    (void)a;
    size_t floor = v->marks.n ? (size_t)v->marks.p[v->marks.n - 1] : 0;
    if (v->marks.n && v->stack.n == floor) v->marks.n--; /* POP of a mark */
    else vm_pop(v);
}
static void r_pop_mark(struct vm *v, struct span a) {
    (void)a;
    v->stack.n = vm_mark(v);
}
static void r_dup(struct vm *v, struct span a) {
    (void)a;
    vm_push(v, vm_top(v));
}
static void r_int(struct vm *v, struct span a) {
    if (a.n >= 2 && a.p[0] == '0' && (a.p[1] == '0' || a.p[1] == '1') && (a.n == 2 || a.p[2] == '\r')) {
        vm_push(v, PV(PV_BOOL, a.p[1] == '1'));
        return;
    }
    bool neg = a.n && a.p[0] == '-', ok;
    struct span d = span_from(a, neg);
    if (d.n && d.p[d.n - 1] == 'L') d.n--;
    uint64_t x = dec(d, &ok);
    vm_push(v, ok && x < (1ull << 55) ? PV(PV_INT, (uint64_t)(neg ? -(int64_t)x : (int64_t)x))
                                      : PV(PV_INT, INT64_MAX >> 8));
}
static void r_binint(struct vm *v, struct span a) {
    vm_push(v, PV(PV_INT, (uint64_t)(int64_t)(int32_t)le32(a.p)));
}
static void r_binint1(struct vm *v, struct span a) {
    vm_push(v, PV(PV_INT, a.p[0]));
}
static void r_binint2(struct vm *v, struct span a) {
    vm_push(v, PV(PV_INT, le16(a.p)));
}
static void r_long(struct vm *v, struct span a) {
    int64_t x = 0;
    if (a.n > 7) x = INT64_MAX >> 8;
    else
        for (size_t i = a.n; i-- > 0;) x = x << 8 | a.p[i];
    if (a.n && a.n <= 7 && a.p[a.n - 1] & 0x80) x -= (int64_t)1 << (8 * a.n);
    vm_push(v, PV(PV_INT, (uint64_t)x));
}
static void r_false(struct vm *v, struct span a) {
    (void)a;
    vm_push(v, PV(PV_BOOL, 0));
}
static void r_true(struct vm *v, struct span a) {
    (void)a;
    vm_push(v, PV(PV_BOOL, 1));
}
static void r_str(struct vm *v, struct span a) {
    (void)a;
    uint64_t x = PV(PV_STR, v->op_at);
    v->recent[v->n_recent++ % ARRAY_LEN(v->recent)] = x;
    vm_push(v, x);
}
static void r_bytes(struct vm *v, struct span a) {
    uint64_t x = PV(PV_BYTES, v->op_at);
    v->recent[v->n_recent++ % ARRAY_LEN(v->recent)] = x;
    vm_push(v, x);
    if (a.n >= 4) vm_literal(v, a);
}
static void r_bytearray(struct vm *v, struct span a) {
    vm_push(v, PV(PV_BYTEARRAY, 0));
    if (a.n >= 4) vm_literal(v, a);
}
static void r_tuple(struct vm *v, struct span a) {
    (void)a;
    size_t from = vm_mark(v);
    uint64_t t = vm_tuple(v, above(v, from), v->stack.n - from);
    v->stack.n = from;
    vm_push(v, t);
}
static void tuple_n(struct vm *v, size_t n) {
    uint64_t x[3];
    for (size_t i = n; i-- > 0;) x[i] = vm_pop(v);
    vm_push(v, vm_tuple(v, x, n));
}
static void r_tuple1(struct vm *v, struct span a) {
    (void)a;
    tuple_n(v, 1);
}
static void r_tuple2(struct vm *v, struct span a) {
    (void)a;
    tuple_n(v, 2);
}
static void r_tuple3(struct vm *v, struct span a) {
    (void)a;
    tuple_n(v, 3);
}
static void r_empty_tuple(struct vm *v, struct span a) {
    (void)a;
    vm_push(v, PV(PV_TUPLE, 0));
}
static void r_empty_dict(struct vm *v, struct span a) {
    (void)a;
    vm_push(v, vm_dict_new(v));
}
static void r_list(struct vm *v, struct span a) {
    (void)a;
    v->stack.n = vm_mark(v);
    vm_push(v, PV(PV_LIST, 0));
}
static void r_frozenset(struct vm *v, struct span a) {
    (void)a;
    v->stack.n = vm_mark(v);
    vm_push(v, PV(PV_FROZENSET, 0));
}
static void put_pairs(struct vm *v, uint64_t dict, size_t from) {
    if ((v->stack.n - from) % 2) vm_error(v, "odd number of dictionary items");
    for (size_t i = from; i + 1 < v->stack.n; i += 2) vm_dict_put(v, dict, v->stack.p[i], v->stack.p[i + 1]);
}
static void r_dict(struct vm *v, struct span a) {
    (void)a;
    size_t from = vm_mark(v);
    uint64_t d = vm_dict_new(v);
    put_pairs(v, d, from);
    v->stack.n = from;
    vm_push(v, d);
}
static void r_append(struct vm *v, struct span a) {
    (void)a;
    vm_pop(v);
    uint64_t t = vm_top(v);
    if (pv_tag(t) != PV_LIST) vm_mutate(v, t, "append");
}
static void r_appends(struct vm *v, struct span a) {
    (void)a;
    v->stack.n = vm_mark(v);
    uint64_t t = vm_top(v);
    if (pv_tag(t) != PV_LIST) vm_mutate(v, t, "extend");
}
static void r_additems(struct vm *v, struct span a) {
    (void)a;
    v->stack.n = vm_mark(v);
    uint64_t t = vm_top(v);
    if (pv_tag(t) != PV_SET) vm_mutate(v, t, "add");
}
static void r_setitem(struct vm *v, struct span a) {
    (void)a;
    uint64_t val = vm_pop(v), key = vm_pop(v), t = vm_top(v);
    if (pv_tag(t) == PV_DICT) vm_dict_put(v, t, key, val);
    else vm_mutate(v, t, "__setitem__");
}
static void r_setitems(struct vm *v, struct span a) {
    (void)a;
    size_t from = vm_mark(v);
    uint64_t t =
        from > (v->marks.n ? (size_t)v->marks.p[v->marks.n - 1] : 0) ? v->stack.p[from - 1] : PV(PV_UNKNOWN, 0);
    if (pv_tag(t) == PV_DICT) put_pairs(v, t, from);
    else vm_mutate(v, t, "__setitem__");
    v->stack.n = from;
}
static void r_get(struct vm *v, struct span a) {
    bool ok;
    uint64_t k = dec(a, &ok);
    if (ok) memo_get(v, k);
    else vm_error(v, "memo key is not a number");
}
static void r_binget(struct vm *v, struct span a) {
    memo_get(v, a.p[0]);
}
static void r_long_binget(struct vm *v, struct span a) {
    memo_get(v, le32(a.p));
}
static void r_put(struct vm *v, struct span a) {
    bool ok;
    uint64_t k = dec(a, &ok);
    if (ok) memo_put(v, k);
    else vm_error(v, "memo key is not a number");
}
static void r_binput(struct vm *v, struct span a) {
    memo_put(v, a.p[0]);
}
static void r_long_binput(struct vm *v, struct span a) {
    memo_put(v, le32(a.p));
}
static void r_memoize(struct vm *v, struct span a) {
    (void)a;
    memo_put(v, v->memo.n);
}
static void r_persid(struct vm *v, struct span a) {
    (void)a;
    vm_persid(v, PV(PV_STR, v->op_at));
}
static void r_binpersid(struct vm *v, struct span a) {
    (void)a;
    vm_persid(v, vm_pop(v));
}
static struct str cut_line(struct span *rest) {
    const uint8_t *nl = memchr(rest->p, '\n', rest->n);
    size_t n = nl ? (size_t)(nl - rest->p) : rest->n;
    struct str s = str_make(rest->p, n);
    *rest = span_from(*rest, n + 1);
    if (s.n && s.p[s.n - 1] == '\r') s.n--;
    return s;
}
static uint64_t global_of(struct vm *v, struct span a) {
    struct str m = cut_line(&a);
    return vm_global(v, m, cut_line(&a));
}
static void r_global(struct vm *v, struct span a) {
    vm_push(v, global_of(v, a));
}
static void r_stack_global(struct vm *v, struct span a) {
    (void)a;
    char t1[VM_NAME_MAX], t2[VM_NAME_MAX];
    uint64_t name = vm_pop(v), module = vm_pop(v);
    if (pv_tag(name) != PV_STR || pv_tag(module) != PV_STR) {
        struct str known = pv_tag(name) == PV_STR ? vm_text(v, name, t1, sizeof t1) : STR("?");
        facts_add(v->s->f, FACT_PICKLE_NAME_COMPUTED, known, (int64_t)v->op_at);
        vm_push(v, PV(PV_UNKNOWN, 0));
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(v->recent); i++) /* they name an import, which is judged as such: no arguments */
        if (v->recent[i] == name || v->recent[i] == module) v->recent[i] = PV(PV_UNKNOWN, 0);
    vm_push(v, vm_global(v, vm_text(v, module, t1, sizeof t1), vm_text(v, name, t2, sizeof t2)));
}
static void r_inst(struct vm *v, struct span a) {
    size_t from = vm_mark(v);
    uint64_t args = vm_tuple(v, above(v, from), v->stack.n - from);
    v->stack.n = from;
    vm_call(v, global_of(v, a), args, "INST");
}
static void r_obj(struct vm *v, struct span a) {
    (void)a;
    size_t from = vm_mark(v);
    if (from >= v->stack.n) {
        vm_error(v, "OBJ without a class");
        vm_push(v, PV(PV_UNKNOWN, 0));
        return;
    }
    uint64_t cls = v->stack.p[from], args = vm_tuple(v, above(v, from + 1), v->stack.n - from - 1);
    v->stack.n = from;
    vm_call(v, cls, args, "OBJ");
}
static void r_reduce(struct vm *v, struct span a) {
    (void)a;
    uint64_t args = vm_pop(v);
    vm_call(v, vm_pop(v), args, "REDUCE");
}
static void r_newobj(struct vm *v, struct span a) {
    (void)a;
    uint64_t args = vm_pop(v);
    vm_newobj(v, vm_pop(v), args);
}
static void r_newobj_ex(struct vm *v, struct span a) {
    (void)a;
    vm_pop(v); /* keyword arguments: a literal dict; its values were judged when pushed */
    r_newobj(v, a);
}
static void r_build(struct vm *v, struct span a) {
    (void)a;
    vm_build(v);
}
static void ext(struct vm *v, uint32_t code) {
    facts_addf(v->s->f, FACT_PICKLE_EXT, (int64_t)v->op_at, "%" PRIu32, code);
    v->called = true;
    vm_push(v, PV(PV_EXT, code));
}
static void r_ext1(struct vm *v, struct span a) {
    ext(v, a.p[0]);
}
static void r_ext2(struct vm *v, struct span a) {
    ext(v, le16(a.p));
}
static void r_ext4(struct vm *v, struct span a) {
    ext(v, le32(a.p));
}
static void r_next_buffer(struct vm *v, struct span a) {
    (void)a;
    facts_addz(v->s->f, FACT_PICKLE_BUFFER, "", (int64_t)v->op_at);
    vm_push(v, PV(PV_BUFFER, 0));
}
static void r_readonly_buffer(struct vm *v, struct span a) {
    (void)a;
    (void)vm_top(v);
}

#define P(tag) (uint8_t)(PV_##tag + 1), NULL
static const struct op ops[256] = {
    ['('] = {A_0, 0, r_mark},
    ['.'] = {A_0, 0, r_stop},
    ['0'] = {A_0, 0, r_pop},
    ['1'] = {A_0, 0, r_pop_mark},
    ['2'] = {A_0, 0, r_dup},
    ['F'] = {A_LINE, P(FLOAT)},
    ['I'] = {A_LINE, 0, r_int},
    ['J'] = {A_4, 0, r_binint},
    ['K'] = {A_1, 0, r_binint1},
    ['L'] = {A_LINE, 0, r_int},
    ['M'] = {A_2, 0, r_binint2},
    ['N'] = {A_0, P(NONE)},
    ['P'] = {A_LINE, 0, r_persid},
    ['Q'] = {A_0, 0, r_binpersid},
    ['R'] = {A_0, 0, r_reduce},
    ['S'] = {A_LINE, 0, r_str},
    ['T'] = {A_N4S, 0, r_str},
    ['U'] = {A_N1, 0, r_str},
    ['V'] = {A_LINE, 0, r_str},
    ['X'] = {A_N4, 0, r_str},
    ['a'] = {A_0, 0, r_append},
    ['b'] = {A_0, 0, r_build},
    ['c'] = {A_LINE2, 0, r_global},
    ['d'] = {A_0, 0, r_dict},
    ['}'] = {A_0, 0, r_empty_dict},
    ['e'] = {A_0, 0, r_appends},
    ['g'] = {A_LINE, 0, r_get},
    ['h'] = {A_1, 0, r_binget},
    ['i'] = {A_LINE2, 0, r_inst},
    ['j'] = {A_4, 0, r_long_binget},
    ['l'] = {A_0, 0, r_list},
    [']'] = {A_0, P(LIST)},
    ['o'] = {A_0, 0, r_obj},
    ['p'] = {A_LINE, 0, r_put},
    ['q'] = {A_1, 0, r_binput},
    ['r'] = {A_4, 0, r_long_binput},
    ['s'] = {A_0, 0, r_setitem},
    ['t'] = {A_0, 0, r_tuple},
    [')'] = {A_0, 0, r_empty_tuple},
    ['u'] = {A_0, 0, r_setitems},
    ['G'] = {A_8, P(FLOAT)},
    [0x80] = {A_1, 0, r_proto},
    [0x81] = {A_0, 0, r_newobj},
    [0x82] = {A_1, 0, r_ext1},
    [0x83] = {A_2, 0, r_ext2},
    [0x84] = {A_4, 0, r_ext4},
    [0x85] = {A_0, 0, r_tuple1},
    [0x86] = {A_0, 0, r_tuple2},
    [0x87] = {A_0, 0, r_tuple3},
    [0x88] = {A_0, 0, r_true},
    [0x89] = {A_0, 0, r_false},
    [0x8a] = {A_N1, 0, r_long},
    [0x8b] = {A_N4S, 0, r_long},
    ['B'] = {A_N4, 0, r_bytes},
    ['C'] = {A_N1, 0, r_bytes},
    [0x8c] = {A_N1, 0, r_str},
    [0x8d] = {A_N8, 0, r_str},
    [0x8e] = {A_N8, 0, r_bytes},
    [0x8f] = {A_0, P(SET)},
    [0x90] = {A_0, 0, r_additems},
    [0x91] = {A_0, 0, r_frozenset},
    [0x92] = {A_0, 0, r_newobj_ex},
    [0x93] = {A_0, 0, r_stack_global},
    [0x94] = {A_0, 0, r_memoize},
    [0x95] = {A_8, 0, r_frame},
    [0x96] = {A_N8, 0, r_bytearray},
    [0x97] = {A_0, 0, r_next_buffer},
    [0x98] = {A_0, 0, r_readonly_buffer},
};

/* Length of the operand (and where its payload begins) or SIZE_MAX when it does not fit the rest. */
static size_t operand(const struct vm *v, enum arg kind, size_t *payload) {
    const uint8_t *p = v->b.p + v->at;
    size_t left = v->b.n - v->at, need = 0;
    uint64_t n = 0;
    *payload = 0;
    switch (kind) {
    case A_0: return 0;
    case A_1: need = 1; break;
    case A_2: need = 2; break;
    case A_4: need = 4; break;
    case A_8: need = 8; break;
    case A_LINE:
    case A_LINE2: {
        const uint8_t *nl = memchr(p, '\n', left);
        if (nl && kind == A_LINE2) nl = memchr(nl + 1, '\n', left - (size_t)(nl + 1 - p));
        return nl ? (size_t)(nl - p) + 1 : SIZE_MAX;
    }
    case A_N1:
        *payload = 1;
        n = left >= 1 ? p[0] : UINT64_MAX;
        break;
    case A_N4:
        *payload = 4;
        n = left >= 4 ? le32(p) : UINT64_MAX;
        break;
    case A_N4S:
        *payload = 4;
        n = left >= 4 && !(p[3] & 0x80) ? le32(p) : UINT64_MAX;
        break;
    case A_N8:
        *payload = 8;
        n = left >= 8 ? le64(p) : UINT64_MAX;
        break;
    case A_BAD:
    default: return SIZE_MAX;
    }
    if (*payload) {
        if (n > left - MIN(*payload, left) || *payload > left) return SIZE_MAX;
        return *payload + (size_t)n;
    }
    return need <= left ? need : SIZE_MAX;
}

/* An opcode that crosses the end of its frame is read differently by readers that trust frames. */
static void check_frame(struct vm *v, size_t next) {
    if (next > v->frame_end) {
        facts_addz(v->s->f, FACT_PICKLE_FRAME, "an opcode crosses the end of its frame", (int64_t)v->op_at);
        v->frame_end = 0;
    } else if (next == v->frame_end) {
        v->frame_end = 0;
    }
}

static bool step(struct vm *v) {
    v->op_at = v->at;
    const struct op *op = &ops[v->b.p[v->at]];
    v->at++;
    size_t payload, n = operand(v, (enum arg)op->arg, &payload);
    if (n == SIZE_MAX) {
        vm_error(v, op->arg == A_BAD ? "unknown opcode" : "an operand goes beyond the end");
        return false;
    }
    struct span a = {v->b.p + v->at + payload, n - payload};
    if (op->arg == A_LINE || op->arg == A_LINE2) a.n--; /* without the newline */
    v->at += n;
    if (v->frame_end && op->run != r_frame) check_frame(v, v->at);
    if (op->push) vm_push(v, PV(op->push - 1, 0));
    else op->run(v, a);
    return !v->stopped && !v->error;
}

void vm_run(struct vm *v) {
    v->proto = -1;
    unsigned turn = 0;
    while (v->at < v->b.n) {
        if (!step(v)) break;
        if ((++turn & 0xffff) == 0 && scan_late(v->s)) break;
    }
    if (!v->stopped && !v->error) {
        v->op_at = v->at;
        vm_error(v, "no end");
    }
    vm_finish(v);
}
