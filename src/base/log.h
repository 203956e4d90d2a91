/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h — structured log lines: one event name, then key/value pairs.
 *
 * Text form:  2026-11-22T15:04:05.123Z info http.request id=… method=GET path=/x status=200 ms=3
 * JSON form:  {"time":"…","level":"info","event":"http.request",…}
 * Rules: no secrets (tokens, passwords, provider keys, Authorization), no user content above info.
 * A line is at most 4 KiB and is written with one write(2), so lines of threads never mix.
 */
#ifndef BALLAST_LOG_H
#define BALLAST_LOG_H

#include "base.h"
#include "str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
struct log_kv {
    const char *key;
    enum { LOG_KV_STR, LOG_KV_I64 } type;
    struct str s;
    int64_t i;
};
#define LS(key, strval) ((struct log_kv){(key), LOG_KV_STR, (strval), 0})
#define LZ(key, cstr) ((struct log_kv){(key), LOG_KV_STR, str_of(cstr), 0})
#define LI(key, num) ((struct log_kv){(key), LOG_KV_I64, {0, 0}, (int64_t)(num)})

void log_setup(int fd, bool json, enum log_level min);
bool log_enabled(enum log_level l);
void log_event(enum log_level l, const char *event, const struct log_kv *kv, size_t n);
#define log_debug(event, ...) log_emit_(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_emit_(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_emit_(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_emit_(LOG_ERROR, event, __VA_ARGS__)
/* At least one pair is required by the macro: say something. */
#define log_emit_(lvl, event, ...)                                                                                     \
    do {                                                                                                               \
        if (log_enabled(lvl)) {                                                                                        \
            const struct log_kv log_kv_[] = {__VA_ARGS__};                                                             \
            log_event((lvl), (event), log_kv_, ARRAY_LEN(log_kv_));                                                    \
        }                                                                                                              \
    } while (0)
#endif
