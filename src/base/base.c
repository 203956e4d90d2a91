/* SPDX-License-Identifier: Apache-2.0 */
/* base.c — the end of the line for broken invariants. */
#include "base/base.h"

#include <unistd.h>

void base_bug(const char *file, int line, const char *what) {
    char msg[512];
    int n = snprintf(msg, sizeof msg, "ballast: BUG %s:%d: %s\n", file, line, what);
    if (n > 0) {
        ssize_t w = write(2, msg, MIN((size_t)n, sizeof msg - 1));
        (void)w;
    }
    abort();
}
