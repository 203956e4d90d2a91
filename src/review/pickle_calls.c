/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pickle_calls.c — call edges of the pickle machine: who is called, with what, and whether that is a
 * proven shape. Recording happens at the call; nothing takes it back (rule 2 of pickle_vm.h).
 */
#include "pickle_vm.h"

static bool plausible_name(struct str s) {
    if (s.n == 0 || s.n >= VM_NAME_MAX) return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
                  c >= 0x80 || c == '<' || c == '>' || c == '-';
        if (!ok) return false;
    }
    return true;
}

static uint64_t global_new(struct vm *v, struct str dotted, uint64_t hash) {
    if (v->n_globals >= VM_GLOBALS_MAX) {
        vm_degrade(v, "imported names");
        /* still judge what it is: a dangerous name cannot hide behind many harmless ones */
        if (policy_lookup_dotted(dotted).cls == PY_DANGER)
            facts_add(v->s->f, FACT_PICKLE_IMPORT, dotted, (int64_t)v->op_at);
        return PV(PV_UNKNOWN, 0);
    }
    if (v->n_globals == v->cap_globals) {
        size_t want = MAX(v->cap_globals * 2, (size_t)32);
        struct vm_global *p = realloc(v->globals, want * sizeof *p);
        if (!p) return PV(PV_UNKNOWN, 0);
        v->globals = p;
        v->cap_globals = want;
    }
    struct vm_global *g = &v->globals[v->n_globals];
    *g = (struct vm_global){.hash = hash, .obj = policy_lookup_dotted(dotted), .first_off = v->op_at};
    g->dotted = strndup(dotted.p, dotted.n);
    if (!g->dotted) return PV(PV_UNKNOWN, 0);
    return PV(PV_GLOBAL, v->n_globals++);
}

uint64_t vm_global(struct vm *v, struct str module, struct str name) {
    if (!plausible_name(module) || !plausible_name(name)) {
        /* Without a protocol mark or a call so far this is no pickle. Else Python would most likely stop here; we go on
         * to see the rest. */
        if (v->proto < 0 && !v->called) vm_error(v, "an imported name is not an identifier");
        else facts_addz(v->s->f, FACT_PICKLE_MALFORMED, "an imported name is not an identifier", (int64_t)v->op_at);
        return PV(PV_UNKNOWN, 0);
    }
    char d[2 * VM_NAME_MAX + 2];
    size_t n = policy_canonical(module, name, d, sizeof d);
    struct str dotted = str_make(d, n);
    uint64_t h = str_hash(dotted);
    for (size_t i = v->n_globals; i-- > 0;)
        if (v->globals[i].hash == h && str_eqz(dotted, v->globals[i].dotted)) return PV(PV_GLOBAL, i);
    return global_new(v, dotted, h);
}

static bool evidence_in(struct vm *v, uint64_t x, unsigned depth, bool *blurred) {
    char tmp[1024];
    switch (pv_tag(x)) {
    case PV_STR:
    case PV_BYTES: return text_is_evidence(vm_text(v, x, tmp, sizeof tmp));
    case PV_TUPLE: {
        size_t n = MIN(vm_tuple_len(v, x), (size_t)VM_TUPLE_KEEP);
        for (size_t i = 0; i < n && depth < 4; i++)
            if (evidence_in(v, vm_tuple_at(v, x, i), depth + 1, blurred)) return true;
        return false;
    }
    case PV_INST:
        *blurred = true;
        return depth < 4 && pv_inst_args(x) && evidence_in(v, PV(PV_TUPLE, pv_inst_args(x)), depth + 1, blurred);
    case PV_GLOBAL: return v->globals[pv_load(x)].obj.cls == PY_DANGER;
    case PV_LIST:
    case PV_DICT:
    case PV_SET:
    case PV_FROZENSET:
    case PV_OPAQUE:
    case PV_UNKNOWN:
    case PV_BYTEARRAY: *blurred = true; return false;
    case PV_NONE:
    case PV_BOOL:
    case PV_INT:
    case PV_FLOAT:
    case PV_PERSID:
    case PV_EXT:
    case PV_BUFFER:
    default: return false;
    }
}

/* Something among the arguments, or in the strings inside containers among them, that only an attack needs. */
static bool has_evidence(struct vm *v, uint64_t args, size_t since) {
    bool blurred = false;
    char tmp[1024];
    if (evidence_in(v, args, 0, &blurred)) return true;
    if (!blurred) return false;
    for (size_t i = 0; i < MIN(v->n_recent, (unsigned)ARRAY_LEN(v->recent)); i++)
        if (pv_load(v->recent[i]) > since && text_is_evidence(vm_text(v, v->recent[i], tmp, sizeof tmp))) return true;
    return false;
}

bool vm_is_known_type(const struct vm *v, uint64_t x) {
    if (pv_tag(x) != PV_GLOBAL) return false;
    enum py_class c = v->globals[pv_load(x)].obj.cls;
    return c == PY_DATA || c == PY_TYPE || c == PY_CLASS;
}

static uint64_t inst(uint64_t global, uint64_t args) {
    uint64_t node = pv_tag(args) == PV_TUPLE ? pv_load(args) : 0;
    return PV(PV_INST, (node << 16) | (pv_load(global) & 0xffff));
}

static void unknown_call(struct vm *v, struct vm_global *g, uint64_t args) {
    bool ev = has_evidence(v, args, g->first_off);
    facts_addz(v->s->f, ev ? FACT_PICKLE_CALL_EVIDENCE : FACT_PICKLE_CALL, g->dotted, (int64_t)v->op_at);
}

static void odd_call(struct vm *v, const struct vm_global *g, uint64_t args) {
    bool ev = has_evidence(v, args, g->first_off);
    facts_addz(v->s->f, ev ? FACT_PICKLE_CALL_EVIDENCE : FACT_PICKLE_CALL_ODD, g->dotted, (int64_t)v->op_at);
}

void vm_newobj(struct vm *v, uint64_t cls, uint64_t args) {
    v->called = true;
    if (pv_tag(cls) != PV_GLOBAL) {
        vm_call(v, cls, args, "NEWOBJ");
        return;
    }
    struct vm_global *g = &v->globals[pv_load(cls)];
    g->called = true;
    if (!vm_is_known_type(v, cls)) unknown_call(v, g, args);
    else if (g->obj.cls == PY_TYPE && vm_tuple_len(v, args)) odd_call(v, g, args); /* numpy.memmap opens a file */
    vm_push(v, inst(cls, args));
}

/* Enumerations of training settings are pickled as Class('name'). */
static bool enum_like(struct vm *v, const struct vm_global *g, uint64_t args) {
    static const char *const ends[] = {"Strategy", "Type", "Names", "Option", "Mode", "Backend", "Enum", "Stage"};
    struct str d = str_of(g->dotted);
    if (!str_starts(d, "transformers.") && !str_starts(d, "accelerate.") && !str_starts(d, "peft.")) return false;
    bool setting = false;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) setting = setting || str_ends(d, ends[i]);
    enum pv_tag t = pv_tag(vm_tuple_at(v, args, 0));
    return setting && vm_tuple_len(v, args) == 1 && (t == PV_STR || t == PV_INT) && !has_evidence(v, args, SIZE_MAX);
}

/* Something that is not known to be a type or a value is handed over: the callee may call it. */
static bool hands_over(const struct vm *v, uint64_t x, unsigned depth) {
    if (pv_tag(x) == PV_GLOBAL) return !vm_is_known_type(v, x);
    if (pv_tag(x) != PV_TUPLE || depth > 3) return pv_tag(x) == PV_EXT;
    size_t n = MIN(vm_tuple_len(v, x), (size_t)VM_TUPLE_KEEP);
    for (size_t i = 0; i < n; i++)
        if (hands_over(v, vm_tuple_at(v, x, i), depth + 1)) return true;
    return false;
}

/* copyreg._reconstructor(cls, base, state) runs base.__init__(state): base is a built-in type, never a class of Python.
 */
static void reconstruct(struct vm *v, struct vm_global *g, uint64_t args) {
    uint64_t base = vm_tuple_at(v, args, 1);
    if (!vm_shape_ok(v, SHAPE_RECONSTRUCTOR, args)) odd_call(v, g, args);
    if (pv_tag(base) == PV_GLOBAL) v->globals[pv_load(base)].called = true;
    if (pv_tag(base) == PV_GLOBAL && !vm_is_known_type(v, base)) unknown_call(v, &v->globals[pv_load(base)], args);
    vm_newobj(v, vm_tuple_at(v, args, 0), PV(PV_TUPLE, 0));
}

static void call_global(struct vm *v, uint64_t callee, uint64_t args) {
    struct vm_global *g = &v->globals[pv_load(callee)];
    g->called = true;
    switch (g->obj.cls) {
    case PY_DATA:
        if (hands_over(v, args, 0)) odd_call(v, g, args);
        break;
    case PY_SHAPE:
        if (g->obj.shape == SHAPE_RECONSTRUCTOR) {
            reconstruct(v, g, args);
            return;
        }
        if (!vm_shape_ok(v, g->obj.shape, args)) odd_call(v, g, args);
        break;
    case PY_CLASS:
        if (!enum_like(v, g, args)) facts_addz(v->s->f, FACT_PICKLE_CALL_ODD, g->dotted, (int64_t)v->op_at);
        break;
    case PY_TYPE: facts_addz(v->s->f, FACT_PICKLE_CALL_ODD, g->dotted, (int64_t)v->op_at); break;
    case PY_UNKNOWN:
    case PY_LIBRARY:
    case PY_DANGER:
    default: unknown_call(v, g, args); break;
    }
    vm_push(v, inst(callee, args));
}

void vm_call(struct vm *v, uint64_t callee, uint64_t args, const char *how) {
    bool before = v->called;
    /* The operands of this very opcode were not there (no mark, an empty stack): Python stops before the call. */
    if (v->error && pv_tag(callee) == PV_UNKNOWN) return;
    v->called = true;
    char text[VM_NAME_MAX * 2 + 8];
    switch (pv_tag(callee)) {
    case PV_GLOBAL: call_global(v, callee, args); return;
    case PV_EXT: facts_addf(v->s->f, FACT_PICKLE_EXT_CALL, (int64_t)v->op_at, "%" PRIu64, pv_load(callee)); break;
    case PV_INST: {
        const struct vm_global *g = &v->globals[pv_inst_global(callee)];
        snprintf(text, sizeof text, "%s()", g->dotted);
        facts_addz(v->s->f, has_evidence(v, args, g->first_off) ? FACT_PICKLE_CALL_EVIDENCE : FACT_PICKLE_CALL_COMPUTED,
                   text, (int64_t)v->op_at);
        break;
    }
    case PV_UNKNOWN:
    case PV_PERSID:
    case PV_OPAQUE:
        facts_addz(v->s->f, has_evidence(v, args, 0) ? FACT_PICKLE_CALL_EVIDENCE : FACT_PICKLE_CALL_COMPUTED, "?",
                   (int64_t)v->op_at);
        break;
    case PV_NONE:
    case PV_BOOL:
    case PV_INT:
    case PV_FLOAT:
    case PV_STR:
    case PV_BYTES:
    case PV_TUPLE:
    case PV_LIST:
    case PV_DICT:
    case PV_SET:
    case PV_FROZENSET:
    case PV_BYTEARRAY:
    case PV_BUFFER:
    default:
        /* Python raises here: what follows does not run, what came before did */
        v->called = before;
        vm_error(v, "a plain value is called");
        break;
    }
    (void)how;
    vm_push(v, PV(PV_UNKNOWN, 0));
}

static bool is_container(const struct vm_global *g) {
    struct str d = str_of(g->dotted);
    return str_starts(d, "collections.") || str_eqz(d, "builtins.set") || str_eqz(d, "builtins.list") ||
           str_eqz(d, "builtins.dict") || str_eqz(d, "builtins.bytearray") || str_eqz(d, "array.array");
}

void vm_mutate(struct vm *v, uint64_t t, const char *method) {
    char text[VM_NAME_MAX * 2 + 32];
    switch (pv_tag(t)) {
    case PV_INST: {
        const struct vm_global *g = &v->globals[pv_inst_global(t)];
        snprintf(text, sizeof text, "%s.%s", g->dotted, method);
        v->called = true;
        if (g->obj.cls == PY_CLASS || is_container(g)) return;
        facts_addz(v->s->f,
                   g->obj.cls == PY_UNKNOWN || g->obj.cls == PY_DANGER ? FACT_PICKLE_CALL : FACT_PICKLE_CALL_ODD, text,
                   (int64_t)v->op_at);
        return;
    }
    case PV_GLOBAL:
        facts_addz(v->s->f, FACT_PICKLE_GLOBAL_WRITE, v->globals[pv_load(t)].dotted, (int64_t)v->op_at);
        return;
    case PV_LIST:
    case PV_DICT:
    case PV_SET:
    case PV_BYTEARRAY: return; /* wrong kind of literal: Python raises or appends */
    case PV_UNKNOWN:
    case PV_EXT:
    case PV_PERSID:
    case PV_BUFFER:
    case PV_OPAQUE:
        if (!v->degraded) facts_addz(v->s->f, FACT_PICKLE_CALL_COMPUTED, method, (int64_t)v->op_at);
        return;
    case PV_NONE:
    case PV_BOOL:
    case PV_INT:
    case PV_FLOAT:
    case PV_STR:
    case PV_BYTES:
    case PV_TUPLE:
    case PV_FROZENSET:
    default: vm_error(v, "an item is put into a plain value"); return;
    }
}

void vm_build(struct vm *v) {
    uint64_t state = vm_pop(v), t = vm_top(v);
    char text[VM_NAME_MAX * 2 + 32];
    if (pv_tag(t) == PV_GLOBAL) {
        facts_addz(v->s->f, FACT_PICKLE_GLOBAL_WRITE, v->globals[pv_load(t)].dotted, (int64_t)v->op_at);
        v->called = true;
        return;
    }
    if (pv_tag(t) != PV_INST) {
        if ((pv_tag(t) == PV_UNKNOWN || pv_tag(t) == PV_EXT || pv_tag(t) == PV_PERSID) && !v->degraded)
            facts_addz(v->s->f, FACT_PICKLE_CALL_COMPUTED, "__setstate__", (int64_t)v->op_at);
        return;
    }
    v->called = true;
    const struct vm_global *g = &v->globals[pv_inst_global(t)];
    snprintf(text, sizeof text, "%s.__setstate__", g->dotted);
    switch (g->obj.cls) {
    case PY_CLASS:
        if (v->joblib && str_eqz(str_of(g->dotted), "joblib.numpy_pickle.NumpyArrayWrapper")) vm_joblib_array(v, state);
        return;
    case PY_DATA:
    case PY_TYPE: return;
    case PY_SHAPE:
        if (g->obj.shape == SHAPE_TENSOR || (g->obj.shape == SHAPE_ARRAY && pv_tag(state) != PV_TUPLE))
            facts_addz(v->s->f, FACT_PICKLE_CALL_ODD, text, (int64_t)v->op_at);
        return;
    case PY_UNKNOWN:
    case PY_LIBRARY:
    case PY_DANGER:
    default: facts_addz(v->s->f, FACT_PICKLE_CALL, text, (int64_t)v->op_at); return;
    }
}

void vm_finish(struct vm *v) {
    unsigned proven = 0;
    for (size_t i = 0; i < v->n_globals; i++) {
        const struct vm_global *g = &v->globals[i];
        bool odd = g->obj.cls == PY_DANGER || g->obj.cls == PY_UNKNOWN || g->obj.cls == PY_LIBRARY;
        if (odd && !g->called) facts_addz(v->s->f, FACT_PICKLE_IMPORT, g->dotted, (int64_t)g->first_off);
        if (odd && g->obj.cls == PY_DANGER) v->called = true;
        if (!odd && g->called && proven++ < 24)
            facts_addz(v->s->f, FACT_PICKLE_PROVEN, g->dotted, (int64_t)g->first_off);
    }
}
