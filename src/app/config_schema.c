/* SPDX-License-Identifier: Apache-2.0 */
/* config_schema.c — every configuration key there is. */
#include "app/config_schema.h"

#define AT(field) offsetof(struct config, field)
#define STRKEY(nm, at, df, en, text, ...)                                                                              \
    { .name = nm, .type = CFG_STR, .offset = at, .dflt = df, .env = en, .doc = text, __VA_ARGS__ }
#define INTKEY(nm, at, df, lo, hi, text, ...)                                                                          \
    { .name = nm, .type = CFG_INT, .offset = at, .dflt = df, .min = lo, .max = hi, .doc = text, __VA_ARGS__ }
#define BOOLKEY(nm, at, df, text)                                                                                      \
    { .name = nm, .type = CFG_BOOL, .offset = at, .dflt = df, .doc = text }
#define ENUMKEY(nm, at, df, vals, text, ...)                                                                           \
    { .name = nm, .type = CFG_ENUM, .offset = at, .dflt = df, .values = vals, .doc = text, __VA_ARGS__ }
#define LISTKEY(nm, at, text, ...)                                                                                     \
    { .name = nm, .type = CFG_LIST, .offset = at, .dflt = "[]", .doc = text, __VA_ARGS__ }
#define SECTION(nm, keys, text, ...)                                                                                   \
    { .name = nm, .type = CFG_SECTION, .sub = keys, .n_sub = ARRAY_LEN(keys), .doc = text, __VA_ARGS__ }

static const struct config_key tls_keys[] = {
    STRKEY("cert", AT(tls_cert), "", NULL,
           "PEM file with the certificate chain. With `key`, the server speaks HTTPS only."),
    STRKEY("key", AT(tls_key), "", NULL, "PEM file with the private key."),
};
static const struct config_key log_keys[] = {
    ENUMKEY("format", AT(log_format), "text", "text|json", "Form of the log lines on standard error."),
    ENUMKEY("level", AT(log_level), "info", "debug|info|warn|error", "Least severe level that is written."),
    BOOLKEY("access", AT(log_access), "true",
            "One line per request (at level info). Secrets and query strings are never logged."),
};
static const struct config_key server_keys[] = {
    INTKEY("loops", AT(loops), "0", 0, 64, "Event loops, one thread each. 0 = one per core."),
    INTKEY("work_threads", AT(work_threads), "4", 1, 64, "Threads for hashing, compression, disk and git work."),
    INTKEY("max_connections", AT(max_connections), "8192", 16, 1000000,
           "Open client connections per loop; more are refused."),
    INTKEY("header_timeout_s", AT(header_timeout_s), "10", 1, 600, "A request head must arrive within this time.",
           .live = true),
    INTKEY("idle_timeout_s", AT(idle_timeout_s), "75", 1, 3600,
           "Keep-alive connections without a request are closed after this time.", .live = true),
    INTKEY("drain_s", AT(drain_s), "30", 0, 3600, "On stop, running requests and streams may take this long to finish.",
           .live = true),
};
static const struct config_key hub_keys[] = {
    INTKEY("inline_limit_bytes", AT(inline_limit_bytes), "10485760", 1024, 104857600,
           "Files above this size must be large files (LFS or Xet); a git push of a larger plain blob is refused with "
           "a hint."),
};
static const struct config_key review_keys[] = {
    STRKEY("responsible", AT(review_responsible), "", NULL,
           "Person or organisation on whose behalf the automaton decides; named in every signed verdict. Empty = the "
           "administrator."),
    INTKEY("workers", AT(review_workers), "2", 1, 32, "Files examined at the same time."),
    INTKEY("hold_ms", AT(review_hold_ms), "1500", 0, 60000,
           "How long a download waits for a pending verdict before it is told to come back (503 with Retry-After)."),
    INTKEY("slow_ms", AT(review_slow_ms), "0", 0, 600000,
           "Added to the examination of each file; for tests of waiting clients."),
};
static const struct config_key deploy_keys[] = {
    ENUMKEY("max_verdict", AT(deploy_max_verdict), "notice", "pass|notice|review",
            "The worst verdict of a revision that may still be deployed. A reviewer's override counts."),
};

#define PAT(field) offsetof(struct config_provider, field)
static const struct config_key model_keys[] = {
    {.name = "name",
     .type = CFG_STR,
     .offset = offsetof(struct config_model, name),
     .doc = "Model name as clients ask for it."},
    STRKEY("upstream", offsetof(struct config_model, upstream), "", NULL,
           "Name the provider knows it by. Empty = the same."),
    {.name = "input_price",
     .type = CFG_NUM,
     .offset = offsetof(struct config_model, input_price),
     .dflt = "0",
     .min = 0,
     .max = 1000000,
     .doc = "Price of a million prompt tokens, in your currency."},
    {.name = "output_price",
     .type = CFG_NUM,
     .offset = offsetof(struct config_model, output_price),
     .dflt = "0",
     .min = 0,
     .max = 1000000,
     .doc = "Price of a million completion tokens."},
};
static const struct config_key provider_keys[] = {
    {.name = "name",
     .type = CFG_STR,
     .offset = PAT(name),
     .doc = "Short name, shown in the ledger and in response headers."},
    {.name = "base_url",
     .type = CFG_STR,
     .offset = PAT(base_url),
     .doc = "Address of its OpenAI-style API, for example `https://llm.example.org/v1`.",
     .check = config_check_url},
    STRKEY("key_env", PAT(key_env), "", NULL, "Environment variable that holds the provider's key."),
    STRKEY("key_file", PAT(key_file), "", NULL,
           "File that holds the provider's key (first line). Neither = no key is sent."),
    INTKEY("priority", PAT(priority), "0", 0, 1000, "Lower is tried first; equal ones share the load."),
    INTKEY("connect_timeout_ms", PAT(connect_timeout_ms), "1000", 50, 60000,
           "Connecting may take this long before the next target is tried."),
    INTKEY("first_content_timeout_ms", PAT(first_content_timeout_ms), "30000", 100, 600000,
           "Streams: the first content must arrive within this time, else the next target is tried."),
    INTKEY(
        "answer_timeout_ms", PAT(answer_timeout_ms), "300000", 100, 3600000,
        "Whole (not streamed) answers: the first byte must arrive within this time, else the next target is tried. A "
        "provider sends it when the whole answer is made, so this is the longest generation you allow."),
    INTKEY("idle_timeout_ms", PAT(idle_timeout_ms), "60000", 100, 600000, "Longest silence inside a running answer."),
    {.name = "models",
     .type = CFG_TABLE,
     .offset = PAT(models),
     .sub = model_keys,
     .n_sub = ARRAY_LEN(model_keys),
     .row_size = sizeof(struct config_model),
     .max_rows = CONFIG_MAX_MODELS,
     .count_offset = PAT(n_models),
     .dflt = "[]",
     .doc = "Models it serves.",
     .check = config_check_model},
};
#define EAT(field) offsetof(struct config_engine, field)
static const struct config_key engine_keys[] = {
    {.name = "name", .type = CFG_STR, .offset = EAT(name), .doc = "Name used by `ballast deploy --engine`."},
    {.name = "argv",
     .type = CFG_LIST,
     .offset = EAT(argv),
     .doc = "Command and arguments. `{model}` `{port}` `{alias}` `{threads}` `{ctx}` are replaced."},
    LISTKEY("formats", EAT(formats), "File formats it loads, for example `[gguf]`."),
    STRKEY("health_path", EAT(health_path), "/health", NULL, "Answers 200 when the engine is ready."),
    INTKEY("start_timeout_s", EAT(start_timeout_s), "120", 1, 3600, "Time to become ready."),
    INTKEY("stop_timeout_s", EAT(stop_timeout_s), "20", 1, 600, "Time between SIGTERM and SIGKILL."),
};

const struct config_key config_schema[] = {
    STRKEY("listen", AT(listen), "127.0.0.1:8620", "BALLAST_LISTEN", "Address and port. Port 0 takes any free one.",
           .check = config_check_listen),
    STRKEY("data", AT(data), "./data", "BALLAST_DATA", "The data directory; all state is in it.",
           .check = config_check_data),
    STRKEY("public_url", AT(public_url), "", "BALLAST_PUBLIC_URL",
           "How clients reach the server, for example `https://hub.example.org`. Absolute addresses in answers are "
           "built from it. "
           "Empty = from each request's Host header.",
           .live = true, .check = config_check_url),
    LISTKEY("trusted_proxies", AT(trusted_proxies),
            "Addresses or CIDR ranges whose X-Forwarded-For/-Proto/-Host headers are believed.", .live = true,
            .check = config_check_proxy),
    ENUMKEY("language", AT(language), "en", "en|zh", "Language of people who state no preference.", .live = true),
    SECTION("tls", tls_keys, "TLS of the listening socket. Switching it on or off needs a restart; new files do not.",
            .live = true, .check = config_check_tls),
    SECTION("log", log_keys, "Log lines.", .live = true),
    SECTION("server", server_keys, "Limits of the server."),
    SECTION("hub", hub_keys, "Repositories."),
    SECTION("review", review_keys, "Review of revisions."),
    SECTION("deploy", deploy_keys, "Deployments."),
    {.name = "providers",
     .type = CFG_TABLE,
     .offset = AT(providers),
     .sub = provider_keys,
     .n_sub = ARRAY_LEN(provider_keys),
     .row_size = sizeof(struct config_provider),
     .max_rows = CONFIG_MAX_PROVIDERS,
     .count_offset = AT(n_providers),
     .dflt = "[]",
     .doc = "Remote providers behind `/v1`.",
     .live = true,
     .check = config_check_provider},
    {.name = "engines",
     .type = CFG_TABLE,
     .offset = AT(engines),
     .sub = engine_keys,
     .n_sub = ARRAY_LEN(engine_keys),
     .row_size = sizeof(struct config_engine),
     .max_rows = CONFIG_MAX_ENGINES,
     .count_offset = AT(n_engines),
     .dflt = "[]",
     .doc = "Engines for local deployments, beside the built-in `llamacpp`.",
     .check = config_check_engine},
};
const size_t config_schema_len = ARRAY_LEN(config_schema);
