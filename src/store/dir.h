/* SPDX-License-Identifier: Apache-2.0 */
/* dir.h — directories and small files of the data directory (private to the room). */
#ifndef BALLAST_STORE_DIR_H
#define BALLAST_STORE_DIR_H

#include "base/base.h"
#include "base/err.h"

/* mkdir -p with mode 0700. */
must_check err dir_make(const char *path);
/* malloc'd absolute form of a path that need not exist. */
must_check err dir_absolute(const char *path, char **out);
/* Makes DIR/sub and removes everything in it, following no link. */
must_check err dir_sweep(const char *dir, const char *sub);
must_check err dir_fsync(const char *path);
#endif
