/* SPDX-License-Identifier: Apache-2.0 */
/* lfs_pointer.h — the small text that stands in git for a large file (git-lfs spec v1). */
#ifndef BALLAST_GIT_LFS_POINTER_H
#define BALLAST_GIT_LFS_POINTER_H

#include "base/base.h"
#include "base/str.h"

enum { LFS_POINTER_MAX = 1024 }; /* git-lfs looks no further */
struct lfs_pointer {
    char sha256[65];
    uint64_t size;
};
/* As lenient as git-lfs reads (white space around, CRLF, no last newline, ext- lines), never more. */
bool lfs_pointer_parse(struct str text, struct lfs_pointer *out);
/* Exact spec text; returns its length (< 200). */
size_t lfs_pointer_format(struct str sha256, uint64_t size, char *out, size_t cap);
#endif
