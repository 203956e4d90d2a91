/* SPDX-License-Identifier: Apache-2.0 */
/* attr.h — gitattributes, as far as one question needs it: does git-lfs own this path? Pure. */
#ifndef BALLAST_GIT_ATTR_H
#define BALLAST_GIT_ATTR_H

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

enum attr_state { ATTR_UNSPECIFIED, ATTR_LFS, ATTR_NOT_LFS };
/*
 * What one .gitattributes file says about `filter` of path (relative to the file's folder). The last matching
 * line wins, as in git. Files above ATTR_FILE_MAX bytes are cut there (git ignores files above 100 MiB).
 */
enum { ATTR_FILE_MAX = 1 << 20 };
enum attr_state attr_lfs(struct str file, struct str path);
/* Does a gitattributes pattern match a path? */
bool attr_match(struct str pattern, struct str path);
/* Append the line that makes exactly `path` (from the root) a large file. */
void attr_line(struct buf *b, struct str path);
/* What a new repository starts with: the usual suffixes of model and data files. */
struct str attr_default(void);
#endif
