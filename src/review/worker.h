/* SPDX-License-Identifier: Apache-2.0 */
/* worker.h — one file, one child: facts come back over a pipe. */
#ifndef BALLAST_REVIEW_WORKER_H
#define BALLAST_REVIEW_WORKER_H

#include "facts.h"

enum { WORKER_ANSWER_MAX = 512 * 1024 };
/* In the child: examine fd (mapped), write the fact record to out_fd, exit. Never returns. */
noreturn_fn void worker_child(int fd, struct str name, int out_fd);
/* How long the parent waits for a file of this size. */
int64_t worker_patience_ms(uint64_t file_bytes);
/* The fact record of an open file by a forked child (plain threads) or a spawned one (fibers). Error: not examined. */
may_suspend err worker_examine(struct arena *a, int fd, uint64_t bytes, struct str name, struct facts *out) must_check;
#endif
