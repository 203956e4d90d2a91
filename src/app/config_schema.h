/* SPDX-License-Identifier: Apache-2.0 */
/* config_schema.h — the table of keys: type, place, bounds, default, documentation. */
#ifndef BALLAST_CONFIG_SCHEMA_H
#define BALLAST_CONFIG_SCHEMA_H

#include "app/config.h"

struct config_key;
enum config_type { CFG_STR, CFG_INT, CFG_BOOL, CFG_NUM, CFG_ENUM, CFG_LIST, CFG_SECTION, CFG_TABLE };
/*
 * A value is looked at where it was written; `place` ("ballast.yaml:7", or the environment variable) begins the
 * message. Scalars: base = the struct of this level, i = 0. Lists: once per entry i. Sections: after their keys.
 * Tables: after row i.
 */
typedef err (*config_check_fn)(struct config *c, const struct config_key *k, const void *base, size_t i,
                               const char *place);
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
    bool live;                               /* SIGHUP applies it; otherwise a change needs a restart */
    config_check_fn check;                   /* beyond type and bounds; NULL = none */
    const char *doc;                         /* one or two English sentences */
};
extern const struct config_key config_schema[];
extern const size_t config_schema_len;

/* config_check.c */
err config_check_listen(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place);
err config_check_data(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place);
err config_check_url(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place);
err config_check_proxy(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place);
err config_check_tls(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place);
err config_check_model(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place);
err config_check_provider(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place);
err config_check_engine(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place);
#endif
