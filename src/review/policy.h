/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h — what is known about Python objects that pickles name: the allow-list of proven call
 * shapes and the list of objects that are never right in a model file.
 *
 * Everything else is unknown: calling it is `review`, calling it with evidence is `block`.
 */
#ifndef BALLAST_REVIEW_POLICY_H
#define BALLAST_REVIEW_POLICY_H

#include "base/base.h"
#include "base/str.h"

enum py_class {
    PY_UNKNOWN,
    PY_DATA,    /* calling it only builds a value, whatever literal arguments it gets */
    PY_TYPE,    /* a type or constant that is only referred to */
    PY_CLASS,   /* may be instantiated without __init__ and given a state dict */
    PY_SHAPE,   /* harmless only with the argument shape its checker knows */
    PY_LIBRARY, /* a function of a known numeric library, imported but not called */
    PY_DANGER,  /* executes, imports, loads, opens, connects, or reaches for such things */
};
enum py_shape {
    SHAPE_NONE,
    SHAPE_TENSOR,        /* torch._utils._rebuild_tensor_v2(storage, int, tuple, tuple, bool, OrderedDict[, dict]) */
    SHAPE_PARAMETER,     /* (tensor, bool, OrderedDict) */
    SHAPE_ARRAY,         /* _reconstruct(ndarray, (0,), b'b') */
    SHAPE_RECONSTRUCTOR, /* copyreg._reconstructor(cls, base, state) / __newobj__(cls, …) */
    SHAPE_ENCODE,        /* _codecs.encode(str, 'latin1') */
    SHAPE_TYPE_FIRST,    /* f(cls, …literals): the class must be known */
    SHAPE_FROM_TYPE,     /* torch._tensor._rebuild_from_type_v2(func, type, args, state) */
    SHAPE_FACTORY,       /* defaultdict(known type or nothing) */
    SHAPE_LOAD_BYTES,    /* torch.storage._load_from_bytes(literal): the literal is examined as a file */
    SHAPE_GETATTR_ENUM,  /* getattr(known class, 'NAME') as enum members are pickled */
    SHAPE_NEW_INDEX,     /* pandas _new_Index(class of pandas, {…}) */
    SHAPE_UFUNC,         /* numpy _ufunc_reconstruct('numpy.…', 'name') */
};
struct py_object {
    enum py_class cls;
    enum py_shape shape;
};
/* Python 2 names to today's (as _compat_pickle does), then look up. `module` and `name` as found. */
struct py_object policy_lookup(struct str module, struct str name);
/* The canonical dotted name after renaming, cut to cap. */
size_t policy_canonical(struct str module, struct str name, char *out, size_t cap);
/* By dotted name only (for rules over recorded facts). */
struct py_object policy_lookup_dotted(struct str dotted);
/* The path begins with a dangerous name (walks through other modules not considered). */
bool policy_is_danger_root(struct str dotted);
/* The last piece names an act no proven load makes (load, open, from_pretrained …); asked of calls that are unknown. */
bool policy_is_verb(struct str dotted);
/* Feed every table into the digest of the rule pack. */
void policy_digest(void (*add)(void *arg, const char *z), void *arg);
/* Item size of a torch storage class, 0 when it is none. */
unsigned policy_storage_item(struct str dotted);
#endif
