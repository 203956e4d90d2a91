/* SPDX-License-Identifier: Apache-2.0 */
/* review_int.h — shared inside the room. */
#ifndef BALLAST_REVIEW_INT_H
#define BALLAST_REVIEW_INT_H

#include "facts.h"
#include "review.h"

/* As review_file, with the facts. *examined false: the child gave no valid answer; out says "not examined". */
may_suspend err review_examine(struct arena *a, int fd, struct str name, struct review_file_result *out, struct facts *facts,
                               bool *examined) must_check;
#endif
