/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.h — lock the current process in; there is no way back. */
#ifndef BALLAST_REVIEW_SANDBOX_H
#define BALLAST_REVIEW_SANDBOX_H

#include "base/base.h"

/* From here on: memory, write on out_fd, exit. False: the sandbox is not whole and nothing may be examined. */
bool sandbox_enter(int out_fd, uint64_t file_bytes);
/* Built with the system-call filter (not under sanitizers). */
bool sandbox_full(void);
#endif
