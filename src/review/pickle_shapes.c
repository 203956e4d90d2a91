/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pickle_shapes.c — argument checks of the proven call shapes, torch storage references, joblib's
 * inline arrays, and byte strings that are files of their own.
 */
#include "pickle_vm.h"

/* A value without behaviour: literals, known types, results of proven calls. */
static bool plain(const struct vm *v, uint64_t x, unsigned depth) {
    switch (pv_tag(x)) {
    case PV_NONE:
    case PV_BOOL:
    case PV_INT:
    case PV_FLOAT:
    case PV_STR:
    case PV_BYTES:
    case PV_LIST:
    case PV_DICT:
    case PV_SET:
    case PV_FROZENSET:
    case PV_BYTEARRAY:
    case PV_PERSID:
    case PV_BUFFER: return true;
    case PV_TUPLE: {
        size_t n = MIN(vm_tuple_len(v, x), (size_t)VM_TUPLE_KEEP);
        for (size_t i = 0; i < n; i++)
            if (depth > 6 || !plain(v, vm_tuple_at(v, x, i), depth + 1)) return false;
        return true;
    }
    case PV_GLOBAL: return vm_is_known_type(v, x);
    case PV_INST: {
        enum py_class c = v->globals[pv_inst_global(x)].obj.cls;
        return c == PY_DATA || c == PY_SHAPE || c == PY_CLASS || c == PY_TYPE;
    }
    case PV_UNKNOWN:
    case PV_OPAQUE:
    case PV_EXT:
    default: return false;
    }
}

static bool all_plain(const struct vm *v, uint64_t args, size_t from) {
    size_t n = vm_tuple_len(v, args);
    if (n > VM_TUPLE_KEEP) return false;
    for (size_t i = from; i < n; i++)
        if (!plain(v, vm_tuple_at(v, args, i), 0)) return false;
    return true;
}

/* offset + Σ (size-1)·stride stays inside the storage's element count. */
static bool tensor_inside(const struct vm *v, uint64_t args) {
    uint64_t persid = vm_tuple_at(v, args, 0), off = vm_tuple_at(v, args, 1), size = vm_tuple_at(v, args, 2),
             stride = vm_tuple_at(v, args, 3);
    if (pv_tag(persid) != PV_PERSID || pv_tag(size) != PV_TUPLE || pv_tag(stride) != PV_TUPLE) return true;
    uint64_t numel = vm_tuple_at(v, PV(PV_TUPLE, pv_load(persid)), 4);
    if (pv_tag(numel) != PV_INT || pv_tag(off) != PV_INT) return true;
    size_t n = vm_tuple_len(v, size);
    if (n != vm_tuple_len(v, stride) || n > VM_TUPLE_KEEP || pv_int(off) < 0) return false;
    __int128 last = pv_int(off);
    for (size_t i = 0; i < n; i++) {
        uint64_t d = vm_tuple_at(v, size, i), st = vm_tuple_at(v, stride, i);
        if (pv_tag(d) != PV_INT || pv_tag(st) != PV_INT) return true;
        if (pv_int(d) < 0 || pv_int(st) < 0) return false;
        if (pv_int(d) == 0) return true;
        last += (__int128)(pv_int(d) - 1) * pv_int(st);
        if (last > ((__int128)1 << 100)) return false;
    }
    return last < pv_int(numel);
}

static bool str_in(const struct vm *v, uint64_t x, const char *const *set, size_t n) {
    char tmp[64];
    struct str s = vm_text(v, x, tmp, sizeof tmp);
    for (size_t i = 0; i < n; i++)
        if (pv_tag(x) == PV_STR && str_ieqz(s, set[i])) return true;
    return false;
}

/* torch.storage._load_from_bytes loads its literal as a file of its own: it is examined as one. False: it was not. */
static bool load_bytes(struct vm *v, uint64_t literal) {
    char name[40], tmp[16];
    struct str s = vm_text(v, literal, tmp, sizeof tmp);
    if (v->s->depth >= SCAN_DEPTH_MAX || v->s->nested_left == 0) {
        facts_addz(v->s->f, FACT_PICKLE_LIMIT, "a file within the pickle", (int64_t)v->op_at);
        facts_cover(v->s->f, COVERAGE_PARTIAL);
        return false;
    }
    v->s->nested_left--;
    snprintf(name, sizeof name, "literal@0x%zx", (size_t)pv_load(literal));
    scan_member(v->s, (struct span){(const uint8_t *)s.p, s.n}, str_of(name));
    return true;
}

bool vm_shape_ok(struct vm *v, enum py_shape shape, uint64_t args) {
    static const char *const ufuncs[] = {"numpy",
                                         "numpy.core._multiarray_umath",
                                         "numpy._core._multiarray_umath",
                                         "numpy.core.umath",
                                         "numpy._core.umath",
                                         "scipy.special._ufuncs"};
    static const char *const encodings[] = {"latin1", "latin-1", "utf8", "utf-8", "ascii", "iso-8859-1"};
    if (pv_tag(args) != PV_TUPLE) return false;
    uint64_t a0 = vm_tuple_at(v, args, 0), a1 = vm_tuple_at(v, args, 1);
    size_t n = vm_tuple_len(v, args);
    switch (shape) {
    case SHAPE_TENSOR: return n >= 2 && plain(v, a0, 0) && all_plain(v, args, 1) && tensor_inside(v, args);
    case SHAPE_PARAMETER: return n >= 2 && pv_tag(a0) == PV_INST && all_plain(v, args, 1);
    case SHAPE_ARRAY: return n >= 2 && vm_is_known_type(v, a0) && all_plain(v, args, 1);
    case SHAPE_ENCODE:
        return n >= 1 && n <= 2 && pv_tag(a0) == PV_STR && (n == 1 || str_in(v, a1, encodings, ARRAY_LEN(encodings)));
    case SHAPE_TYPE_FIRST: return n >= 1 && vm_is_known_type(v, a0) && all_plain(v, args, 1);
    case SHAPE_FROM_TYPE:
        if (n < 3 || pv_tag(a0) != PV_GLOBAL || !vm_is_known_type(v, a1) || pv_tag(vm_tuple_at(v, args, 2)) != PV_TUPLE)
            return false;
        if (v->globals[pv_load(a0)].obj.cls != PY_SHAPE || v->globals[pv_load(a0)].obj.shape == SHAPE_FROM_TYPE)
            return false;
        v->globals[pv_load(a0)].called = true;
        return vm_shape_ok(v, v->globals[pv_load(a0)].obj.shape, vm_tuple_at(v, args, 2));
    case SHAPE_FACTORY: return n == 0 || pv_tag(a0) == PV_NONE || (vm_is_known_type(v, a0) && all_plain(v, args, 1));
    case SHAPE_LOAD_BYTES: return n == 1 && pv_tag(a0) == PV_BYTES && load_bytes(v, a0);
    case SHAPE_NEW_INDEX:
        return n == 2 && vm_is_known_type(v, a0) && str_starts(str_of(v->globals[pv_load(a0)].dotted), "pandas.") &&
               pv_tag(a1) == PV_DICT;
    case SHAPE_UFUNC: return n == 2 && str_in(v, a0, ufuncs, ARRAY_LEN(ufuncs)) && pv_tag(a1) == PV_STR;
    case SHAPE_GETATTR_ENUM: {
        char tmp[64];
        if (n != 2 || pv_tag(a0) != PV_GLOBAL || pv_tag(a1) != PV_STR) return false;
        struct str s = vm_text(v, a1, tmp, sizeof tmp);
        return v->globals[pv_load(a0)].obj.cls == PY_CLASS && s.n && s.p[0] >= 'A' && s.p[0] <= 'Z';
    }
    case SHAPE_RECONSTRUCTOR:
        return n >= 1 && vm_is_known_type(v, a0) && all_plain(v, args, 1) &&
               (pv_tag(a1) != PV_GLOBAL || v->globals[pv_load(a1)].obj.cls != PY_CLASS);
    case SHAPE_NONE:
    default: return false;
    }
}

void vm_persid(struct vm *v, uint64_t id) {
    char tmp[64], key[256];
    static const char *const storage[] = {"storage"};
    if (!v->s->storages) facts_addz(v->s->f, FACT_PICKLE_PERSID, "", (int64_t)v->op_at);
    size_t n = vm_tuple_len(v, id);
    uint64_t type = vm_tuple_at(v, id, 1), name = vm_tuple_at(v, id, 2), numel = vm_tuple_at(v, id, 4);
    (void)tmp;
    if (n >= 5 && str_in(v, vm_tuple_at(v, id, 0), storage, 1) && pv_tag(type) == PV_GLOBAL && pv_tag(name) == PV_STR &&
        pv_tag(numel) == PV_INT) {
        struct vm_global *g = &v->globals[pv_load(type)];
        unsigned item = policy_storage_item(str_of(g->dotted));
        struct str k = vm_text(v, name, key, sizeof key);
        g->called = true; /* used as a type */
        if (!item || pv_int(numel) < 0) {
            if (!item && g->obj.cls != PY_TYPE)
                facts_addz(v->s->f, FACT_PICKLE_PERSID_BAD, g->dotted, (int64_t)v->op_at);
        } else if (v->s->storages) {
            storages_add(v->s->storages, k, (uint64_t)pv_int(numel) * item, item);
        }
    } else if (v->s->storages && pv_tag(id) != PV_STR) {
        facts_addz(v->s->f, FACT_PICKLE_PERSID_BAD, "", (int64_t)v->op_at);
    }
    vm_push(v, PV(PV_PERSID, pv_tag(id) == PV_TUPLE ? pv_load(id) : 0));
}

/* "f8" -> 8, "U10" -> 40, "O8" -> object. False when not understood. */
static bool dtype_item(struct str t, uint64_t *item, bool *object) {
    if (t.n && (t.p[0] == '<' || t.p[0] == '>' || t.p[0] == '|' || t.p[0] == '=')) t = str_from(t, 1);
    *object = t.n && t.p[0] == 'O';
    if (str_eqz(t, "?") || str_eqz(t, "b") || str_eqz(t, "B")) {
        *item = 1;
        return true;
    }
    uint64_t n;
    if (t.n < 2 || !str_to_u64(str_from(t, 1), &n) || n > (1u << 30)) return *object;
    *item = t.p[0] == 'U' ? n * 4 : n;
    return true;
}

void vm_joblib_array(struct vm *v, uint64_t state) {
    char tmp[64];
    uint64_t shape = vm_dict_get(v, state, "shape"), dtype = vm_dict_get(v, state, "dtype"),
             align = vm_dict_get(v, state, "numpy_array_alignment_bytes");
    uint64_t item = 0;
    bool object = false;
    struct str type = STR_NULL;
    if (pv_tag(dtype) == PV_INST && str_eqz(str_of(v->globals[pv_inst_global(dtype)].dotted), "numpy.dtype"))
        type = vm_text(v, vm_tuple_at(v, PV(PV_TUPLE, pv_inst_args(dtype)), 0), tmp, sizeof tmp);
    if (pv_tag(shape) != PV_TUPLE || vm_tuple_len(v, shape) > VM_TUPLE_KEEP || !dtype_item(type, &item, &object)) {
        vm_error(v, "an inline array of unknown size");
        return;
    }
    if (object) {
        struct pickle_end end = {0};
        if (v->s->depth >= SCAN_DEPTH_MAX) {
            vm_error(v, "object arrays nested too deeply");
            return;
        }
        v->s->depth++;
        pickle_stream(v->s, v->b, v->at, true, &end);
        v->s->depth--;
        if (end.stopped) v->at = end.used;
        else vm_error(v, "an object array breaks off");
        return;
    }
    unsigned __int128 bytes = item;
    for (size_t i = 0; i < vm_tuple_len(v, shape); i++) {
        uint64_t d = vm_tuple_at(v, shape, i);
        if (pv_tag(d) != PV_INT || pv_int(d) < 0) bytes = (unsigned __int128)1 << 100;
        else if (bytes < (unsigned __int128)1 << 64) bytes *= (uint64_t)pv_int(d);
    }
    if (pv_tag(align) == PV_INT && v->at < v->b.n) v->at += 1 + (size_t)v->b.p[v->at];
    if (v->at > v->b.n || bytes > v->b.n - v->at) {
        v->at = MIN(v->at, v->b.n);
        vm_error(v, "an inline array goes beyond the end");
        return;
    }
    v->at += (size_t)bytes;
}

void vm_literal(struct vm *v, struct span x) {
    bool pickle = x.n >= 12 && x.p[0] == 0x80 && x.p[1] >= 2 && x.p[1] <= 5;
    bool other = x.n >= 30 && (span_is(x, 0, "PK\3\4", 4) ||
                               span_is(x, 0,
                                       "\x7f"
                                       "ELF",
                                       4) ||
                               span_is(x, 0, "MZ", 2) || span_is(x, 0, "\x1f\x8b\x08", 3) || span_is(x, 0, "BZh", 3));
    if ((!pickle && !other) || v->s->nested_left == 0 || v->s->depth >= SCAN_DEPTH_MAX) return;
    v->s->nested_left--;
    char name[40];
    snprintf(name, sizeof name, "literal@0x%zx", v->op_at);
    scan_payload(v->s, x, str_of(name));
}
