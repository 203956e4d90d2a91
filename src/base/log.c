/* SPDX-License-Identifier: Apache-2.0 */
/* log.c — one line, one write. */
#include "base/log.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"

static int log_fd = 2;
static bool log_json;
static enum log_level log_min = LOG_INFO;
static const char *const level_name[] = {"debug", "info", "warn", "error"};

void log_setup(int fd, bool json, enum log_level min) {
    log_fd = fd;
    log_json = json;
    log_min = min;
}

bool log_enabled(enum log_level l) {
    return l >= log_min;
}

static bool plain(struct str s) {
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c == '"' || c == '=' || c == 0x7f) return false;
    }
    return s.n > 0;
}

static void line_text(struct buf *b, enum log_level l, const char *event, const struct log_kv *kv, size_t n) {
    char t[CLOCK_ISO_LEN + 1];
    clock_iso(clock_wall_ms(), t);
    buf_printf(b, "%s %s %s", t, level_name[l], event);
    for (size_t i = 0; i < n; i++) {
        buf_printf(b, " %s=", kv[i].key);
        if (kv[i].type == LOG_KV_I64) buf_printf(b, "%" PRId64, kv[i].i);
        else if (plain(kv[i].s)) buf_str(b, str_sub(kv[i].s, 0, 1024));
        else json_escape(b, str_sub(kv[i].s, 0, 1024));
    }
}

static void line_json(struct buf *b, enum log_level l, const char *event, const struct log_kv *kv, size_t n) {
    char t[CLOCK_ISO_LEN + 1];
    clock_iso(clock_wall_ms(), t);
    struct jw w;
    jw_init(&w, b);
    jw_obj(&w);
    jw_kcstr(&w, "time", t);
    jw_kcstr(&w, "level", level_name[l]);
    jw_kcstr(&w, "event", event);
    for (size_t i = 0; i < n; i++) {
        if (kv[i].type == LOG_KV_I64) jw_ki64(&w, kv[i].key, kv[i].i);
        else jw_kstr(&w, kv[i].key, str_sub(kv[i].s, 0, 1024));
    }
    jw_obj_end(&w);
}

void log_event(enum log_level l, const char *event, const struct log_kv *kv, size_t n) {
    if (!log_enabled(l)) return;
    struct buf b;
    buf_init(&b, 4 * KiB);
    if (log_json) line_json(&b, l, event, kv, n);
    else line_text(&b, l, event, kv, n);
    if (b.failed) { /* too long: keep the head of the line, it names the event */
        buf_reset(&b);
        (log_json ? line_json : line_text)(&b, l, event, kv, MIN(n, (size_t)2));
    }
    b.max++;
    buf_char(&b, '\n');
    ssize_t w = write(log_fd, b.p, b.n);
    (void)w; /* nowhere left to report it */
    buf_release(&b);
}
