/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h — the one YAML file: an immutable snapshot, validated against the schema in config_schema.c.
 *
 * Order of precedence: command-line flag, environment (BALLAST_LISTEN …), file, default. Unknown keys are
 * errors with a suggestion; every message carries file:line. docs/operations/config.md is generated from
 * the same table (`ballast help --config-doc`), and a test keeps it so.
 */
#ifndef BALLAST_CONFIG_H
#define BALLAST_CONFIG_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum config_limits {
    CONFIG_MAX_PROVIDERS = 256,
    CONFIG_MAX_MODELS = 256,
    CONFIG_MAX_ENGINES = 16,
    CONFIG_MAX_LIST = 32,
    CONFIG_MAX_FORMATS = 8
};

struct config_list {
    struct str v[CONFIG_MAX_LIST];
    size_t n;
};
struct config_model {
    struct str name, upstream;
    double input_price, output_price; /* currency units per million tokens */
};
struct config_provider {
    struct str name, base_url, key_env, key_file;
    int64_t priority, connect_timeout_ms, first_content_timeout_ms, answer_timeout_ms, idle_timeout_ms;
    struct config_model *models;
    size_t n_models;
    struct str key; /* resolved, never printed */
};
struct config_engine {
    struct str name, health_path;
    struct config_list argv, formats;
    int64_t start_timeout_s, stop_timeout_s;
};
struct config {
    struct str file; /* "" = defaults only */
    struct str listen, data, public_url, language;
    struct config_list trusted_proxies;
    struct str tls_cert, tls_key;
    struct str log_format, log_level;
    bool log_access;
    int64_t loops, work_threads, max_connections, header_timeout_s, idle_timeout_s, drain_s;
    int64_t inline_limit_bytes;
    struct str review_responsible, deploy_max_verdict;
    int64_t review_workers, review_hold_ms, review_slow_ms;
    struct config_provider *providers;
    size_t n_providers;
    struct config_engine *engines;
    size_t n_engines;
    struct str listen_host; /* derived from listen */
    uint16_t listen_port;
    bool listen_is_flag, data_is_flag; /* given on the command line: a reload keeps them */
    struct config *older;              /* app's list of everything loaded so far */
    struct arena arena;
};

/* path NULL: defaults and environment only. Free with config_free. */
must_check err config_load(const char *path, struct config **out);
void config_free(struct config *c);
/*
 * What only a server needs, and only it may be able to read: provider keys from environment and files, the certificate.
 * Commands do not call it, so they work without the service's secrets.
 */
must_check err config_resolve(struct config *c);
/* fn(path) for each key that differs and that a reload does not apply. */
void config_needs_restart(const struct config *running, const struct config *wanted, void (*fn)(const char *path));
/* "HOST:PORT" or "[v6]:PORT"; field name goes in the error. */
must_check err config_parse_listen(struct config *c, struct str listen, const char *field);
/* Markdown for docs/operations/config.md. */
void config_doc(struct buf *out);
#endif
