/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h — monotonic time for deadlines, wall time for records. */
#ifndef BALLAST_CLOCK_H
#define BALLAST_CLOCK_H

#include "arena.h"
#include "base.h"
#include "str.h"

int64_t clock_mono_ns(void);
int64_t clock_mono_ms(void);
int64_t clock_wall_ms(void); /* Unix milliseconds */
enum { CLOCK_ISO_LEN = 24 };
/* "2026-08-20T12:34:56.789Z" (always 24 chars, NUL behind). */
void clock_iso(int64_t wall_ms, char out[CLOCK_ISO_LEN + 1]);
struct str clock_iso_str(struct arena *a, int64_t wall_ms);
/* "Thu, 20 Aug 2026 12:34:56 GMT" */
enum { CLOCK_HTTP_LEN = 29 };
void clock_http(int64_t wall_ms, char out[CLOCK_HTTP_LEN + 1]);
#endif
