/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pickle_vm.h — the pickle machine over abstract values (private to pickle_*.c).
 *
 * A value is one 64-bit word: tag in the low 8 bits, payload above.
 *   INT     small integer, sign-extended, 56 bits (larger ones saturate)
 *   STR, BYTES  offset of the opcode in the stream; text is decoded again when asked for
 *   GLOBAL  index into vm.globals
 *   TUPLE   index of a node: [n | kept << 32, child …]   (0 = empty tuple)
 *   DICT    index of a node: [n | flags << 32, pairs index]; 0 = content not kept
 *   INST    node of its arguments << 16 | index of the callee's global (result of a call)
 *   PERSID  node of its tuple, as TUPLE
 * Rule 1: the machine never fails on a stack problem once it lost exactness (`degraded`): missing values
 *   are UNKNOWN, and no proven shape accepts UNKNOWN.
 * Rule 2: a call is recorded when it happens; later errors or POPs take nothing back.
 */
#ifndef BALLAST_REVIEW_PICKLE_VM_H
#define BALLAST_REVIEW_PICKLE_VM_H

#include "policy.h"
#include "scan.h"

enum pv_tag {
    PV_UNKNOWN,
    PV_NONE,
    PV_BOOL,
    PV_INT,
    PV_FLOAT,
    PV_STR,
    PV_BYTES,
    PV_GLOBAL,
    PV_TUPLE,
    PV_OPAQUE,
    PV_LIST,
    PV_DICT,
    PV_SET,
    PV_FROZENSET,
    PV_BYTEARRAY,
    PV_INST,
    PV_PERSID,
    PV_EXT,
    PV_BUFFER,
};
#define PV(tag, payload) ((uint64_t)(tag) | (uint64_t)(payload) << 8)
static inline enum pv_tag pv_tag(uint64_t v) {
    return (enum pv_tag)(v & 0xff);
}
static inline uint64_t pv_load(uint64_t v) {
    return v >> 8;
}
static inline int64_t pv_int(uint64_t v) {
    return (int64_t)v >> 8;
}
static inline uint32_t pv_inst_global(uint64_t v) {
    return (uint32_t)(v >> 8) & 0xffff;
}
static inline uint64_t pv_inst_args(uint64_t v) {
    return v >> 24;
}

enum {
    VM_STACK_MAX = 4 * 1024 * 1024,
    VM_MARKS_MAX = 2 * 1024 * 1024,
    VM_MEMO_MAX = 6 * 1024 * 1024,
    VM_NODES_MAX = 6 * 1024 * 1024,
    VM_GLOBALS_MAX = 4096,
    VM_TUPLE_KEEP = 64,
    VM_DICT_KEEP = 12,
    VM_NAME_MAX = 512,
    VM_DICT_DUNDER = 1,
};

struct vm_global {
    uint64_t hash;
    struct py_object obj;
    char *dotted;
    bool called;   /* in any way */
    bool referred; /* as an argument of a proven call or as a type */
    size_t first_off;
};
struct vm_vec {
    uint64_t *p;
    size_t n, cap, max;
};

struct vm {
    struct scan *s;
    struct span b;
    size_t at, op_at; /* next byte, current opcode */
    struct vm_vec stack, marks, memo, nodes;
    struct vm_global *globals;
    size_t n_globals, cap_globals;
    uint64_t recent[16]; /* last strings pushed */
    unsigned n_recent;
    size_t frame_end; /* 0 = none */
    int proto;
    bool joblib, degraded, error, stopped, called, memo_lost;
    bool legacy_magic; /* only literals are expected */
    uint64_t result;   /* value at STOP */
};

void vm_init(struct vm *v, struct scan *s, struct span b, size_t from);
void vm_release(struct vm *v);
void vm_run(struct vm *v);
void vm_error(struct vm *v, const char *why);
void vm_degrade(struct vm *v, const char *why);

/* values */
void vm_push(struct vm *v, uint64_t x);
uint64_t vm_pop(struct vm *v);
uint64_t vm_top(struct vm *v);
size_t vm_mark(struct vm *v); /* pops the mark: index of the first value above it */
uint64_t vm_tuple(struct vm *v, const uint64_t *vals, size_t n);
uint64_t vm_dict_new(struct vm *v);
void vm_dict_put(struct vm *v, uint64_t dict, uint64_t key, uint64_t val);
size_t vm_tuple_len(const struct vm *v, uint64_t t);
uint64_t vm_tuple_at(const struct vm *v, uint64_t t, size_t i); /* UNKNOWN when not kept */
uint64_t vm_dict_get(const struct vm *v, uint64_t dict, const char *key);
/* Decoded text of a STR or BYTES value; may use tmp. STR_NULL otherwise. */
struct str vm_text(const struct vm *v, uint64_t x, char *tmp, size_t cap);

/* calls */
uint64_t vm_global(struct vm *v, struct str module, struct str name);
void vm_call(struct vm *v, uint64_t callee, uint64_t args, const char *how);
/* NEWOBJ and friends: cls.__new__(cls, *args) */
void vm_newobj(struct vm *v, uint64_t cls, uint64_t args);
void vm_build(struct vm *v);
/* container[...] = …, .append, .add on a value that may not be a literal */
void vm_mutate(struct vm *v, uint64_t target, const char *method);
void vm_persid(struct vm *v, uint64_t id);
void vm_finish(struct vm *v); /* imports that were never called */
/* Arguments of a proven shape are as expected. */
bool vm_shape_ok(struct vm *v, enum py_shape shape, uint64_t args);
bool vm_is_known_type(const struct vm *v, uint64_t x);
/* joblib: after BUILD of a NumpyArrayWrapper skip its raw bytes. */
void vm_joblib_array(struct vm *v, uint64_t state);
void vm_literal(struct vm *v, struct span bytes); /* looks like a file of its own? */
#endif
