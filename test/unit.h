/* SPDX-License-Identifier: Apache-2.0 */
/* unit.h — cmocka with its prerequisites in the order it wants them, and two helpers for err and str. */
#ifndef BALLAST_UNIT_H
#define BALLAST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define assert_ok(expr)                                                                                                \
    do {                                                                                                               \
        err unit_e_ = (expr);                                                                                          \
        if (unit_e_ != OK) fail_msg("%s: %s (%s)", #expr, unit_e_->name, err_text());                                  \
    } while (0)
#define assert_err(expr, kind)                                                                                         \
    do {                                                                                                               \
        err unit_e_ = (expr);                                                                                          \
        if (unit_e_ != (kind))                                                                                         \
            fail_msg("%s: %s (%s), expected %s", #expr, unit_e_ ? unit_e_->name : "ok", unit_e_ ? err_text() : "",     \
                     (kind)->name);                                                                                    \
    } while (0)
#define assert_str(s, z)                                                                                               \
    do {                                                                                                               \
        struct str unit_s_ = (s);                                                                                      \
        if (!str_eqz(unit_s_, (z))) fail_msg("got \"%.*s\", expected \"%s\"", (int)unit_s_.n, unit_s_.p, (z));         \
    } while (0)
#endif
