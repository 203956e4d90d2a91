/* SPDX-License-Identifier: Apache-2.0 */
/* policy_tables.h — the tables behind policy.c. Editing them changes the rule pack digest. */
#ifndef BALLAST_REVIEW_POLICY_TABLES_H
#define BALLAST_REVIEW_POLICY_TABLES_H

#include "policy.h"

struct policy_rename {
    const char *module, *name; /* name NULL: the module as a whole */
    const char *to;
};
struct policy_allow {
    const char *dotted;
    struct py_object obj;
};
struct policy_storage {
    const char *dotted;
    unsigned item;
};
extern const struct policy_rename policy_renames[];
extern const size_t policy_n_renames;
extern const struct policy_allow policy_allow[];
extern const size_t policy_n_allow;
extern const char *const policy_danger[]; /* dotted prefixes */
extern const size_t policy_n_danger;
extern const char *const policy_walk[]; /* dangerous when reached through another module */
extern const size_t policy_n_walk;
extern const char *const policy_verb[]; /* last pieces of names that are acts */
extern const size_t policy_n_verb;
extern const char *const policy_class[]; /* packages whose classes may be built without __init__ */
extern const size_t policy_n_class;
extern const struct policy_storage policy_storage[];
extern const size_t policy_n_storage;
#endif
