/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c — clocks and the two date formats the wire needs. */
#include "base/clock.h"

int64_t clock_mono_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
int64_t clock_mono_ms(void) {
    return clock_mono_ns() / 1000000;
}
int64_t clock_wall_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void split(int64_t wall_ms, struct tm *tm, int *ms) {
    /* Years 0000..9999 only, so that the formats keep their length. */
    int64_t lo = -62167219200000, hi = 253402300799999;
    wall_ms = MAX(lo, MIN(hi, wall_ms));
    int64_t s = wall_ms / 1000, r = wall_ms % 1000;
    if (r < 0) r += 1000, s--;
    time_t t = (time_t)s;
    gmtime_r(&t, tm);
    *ms = (int)r;
}

void clock_iso(int64_t wall_ms, char out[CLOCK_ISO_LEN + 1]) {
    struct tm tm;
    int ms;
    char tmp[96];
    split(wall_ms, &tm, &ms);
    snprintf(tmp, sizeof tmp, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec, ms);
    memcpy(out, tmp, CLOCK_ISO_LEN);
    out[CLOCK_ISO_LEN] = 0;
}

struct str clock_iso_str(struct arena *a, int64_t wall_ms) {
    char *p = arena_alloc(a, CLOCK_ISO_LEN + 1);
    clock_iso(wall_ms, p);
    return (struct str){p, CLOCK_ISO_LEN};
}

void clock_http(int64_t wall_ms, char out[CLOCK_HTTP_LEN + 1]) {
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm;
    int ms;
    char tmp[96];
    split(wall_ms, &tm, &ms);
    snprintf(tmp, sizeof tmp, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday, tm.tm_mday,
             months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    memcpy(out, tmp, CLOCK_HTTP_LEN);
    out[CLOCK_HTTP_LEN] = 0;
}
