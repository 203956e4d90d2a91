/* SPDX-License-Identifier: Apache-2.0 */
/* tmpl_format.c — numbers, sizes, spans and times as the reader's language writes them. */
#include "base/clock.h"
#include "web/tmpl.h"

void tmpl_num(struct tmpl *t, int64_t v) {
    char digits[24];
    uint64_t u = v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v;
    int n = snprintf(digits, sizeof digits, "%" PRIu64, u);
    if (v < 0) buf_char(t->b, '-');
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0) buf_char(t->b, ',');
        buf_char(t->b, digits[i]);
    }
}

void tmpl_bytes(struct tmpl *t, uint64_t v) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double d = (double)v;
    size_t u = 0;
    while (d >= 999.5 && u + 1 < ARRAY_LEN(units)) d /= 1000, u++;
    /* three figures are enough to compare; bytes are exact */
    buf_printf(t->b,
               u == 0 || d >= 99.95 ? "%.0f\xC2\xA0%s"
               : d >= 9.995         ? "%.1f\xC2\xA0%s"
                                    : "%.2f\xC2\xA0%s",
               d, units[u]);
}

void tmpl_span(struct tmpl *t, int64_t ms) {
    if (ms < 1000) buf_printf(t->b, "%" PRId64 "\xC2\xA0ms", ms);
    else if (ms < 60000) buf_printf(t->b, "%.1f\xC2\xA0s", (double)ms / 1000);
    else if (ms < 3600000) buf_printf(t->b, "%" PRId64 "\xC2\xA0min %" PRId64 "\xC2\xA0s", ms / 60000, ms / 1000 % 60);
    else buf_printf(t->b, "%" PRId64 "\xC2\xA0h %" PRId64 "\xC2\xA0min", ms / 3600000, ms / 60000 % 60);
}

/* The opening tag; the title is in UTC until time.js writes it in the reader's zone. */
static void time_open(struct tmpl *t, int64_t wall_ms, const char *extra) {
    char iso[CLOCK_ISO_LEN + 1];
    clock_iso(wall_ms, iso);
    buf_printf(t->b, "<time datetime=\"%s\" title=\"%.10s %.8s UTC\"%s>", iso, iso, iso + 11, extra);
}

void tmpl_day(struct tmpl *t, int64_t wall_ms) {
    if (wall_ms <= 0) {
        tmpl_text(t, N_("never"), NULL, 0);
        return;
    }
    char iso[CLOCK_ISO_LEN + 1];
    clock_iso(wall_ms, iso);
    time_open(t, wall_ms, " data-abs");
    buf_printf(t->b, "%.10s %.5s UTC</time>", iso, iso + 11);
}

void tmpl_date(struct tmpl *t, int64_t wall_ms) {
    if (wall_ms <= 0) {
        tmpl_text(t, N_("never"), NULL, 0);
        return;
    }
    char iso[CLOCK_ISO_LEN + 1];
    clock_iso(wall_ms, iso);
    time_open(t, wall_ms, " data-abs=\"date\"");
    buf_printf(t->b, "%.10s</time>", iso);
}

static void ago_text(struct tmpl *t, int64_t s) {
    bool ahead = s < 0;
    if (ahead) s = -s;
    if (s < 45) tmpl_text(t, ahead ? N_("in a moment") : N_("just now"), NULL, 0);
    else if (s < 3600 - 30)
        ahead ? tmpl_count(t, (s + 30) / 60, "in 1 minute", N_("in {n} minutes"), NULL, 0)
              : tmpl_count(t, (s + 30) / 60, "1 minute ago", N_("{n} minutes ago"), NULL, 0);
    else if (s < 86400 - 1800)
        ahead ? tmpl_count(t, (s + 1800) / 3600, "in 1 hour", N_("in {n} hours"), NULL, 0)
              : tmpl_count(t, (s + 1800) / 3600, "1 hour ago", N_("{n} hours ago"), NULL, 0);
    else
        ahead ? tmpl_count(t, (s + 43200) / 86400, "in 1 day", N_("in {n} days"), NULL, 0)
              : tmpl_count(t, (s + 43200) / 86400, "1 day ago", N_("{n} days ago"), NULL, 0);
}

void tmpl_ago(struct tmpl *t, int64_t wall_ms) {
    if (wall_ms <= 0) {
        tmpl_text(t, N_("never"), NULL, 0);
        return;
    }
    int64_t s = (t->now_ms - wall_ms) / 1000;
    time_open(t, wall_ms, "");
    if (s > -90 * INT64_C(86400) && s < 60 * INT64_C(86400)) {
        ago_text(t, s);
    } else { /* beyond two months a date says more */
        char iso[CLOCK_ISO_LEN + 1];
        clock_iso(wall_ms, iso);
        buf_printf(t->b, "%.10s", iso);
    }
    buf_cstr(t->b, "</time>");
}
