/* SPDX-License-Identifier: Apache-2.0 */
/* config_schema.h — the table of keys: type, place, bounds, default, documentation. */
#ifndef BALLAST_CONFIG_SCHEMA_H
#define BALLAST_CONFIG_SCHEMA_H

#include "app/config.h"

enum config_type { CFG_STR, CFG_INT, CFG_BOOL, CFG_NUM, CFG_ENUM, CFG_LIST, CFG_SECTION, CFG_TABLE };
struct config_key {
    const char *name;
    enum config_type type;
    size_t offset;                /* into the struct of this level */
    const char *dflt;             /* as written in YAML; NULL = required (inside a table) */
    int64_t min, max;             /* CFG_INT, CFG_NUM */
    const char *values;           /* CFG_ENUM: "a|b|c" */
    const struct config_key *sub; /* CFG_SECTION: same struct; CFG_TABLE: rows */
    size_t n_sub;
    size_t row_size, max_rows, count_offset; /* CFG_TABLE */
    const char *env;                         /* environment variable, or NULL */
    const char *doc;                         /* one or two English sentences */
};
extern const struct config_key config_schema[];
extern const size_t config_schema_len;
#endif
