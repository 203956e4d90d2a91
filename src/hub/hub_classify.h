/* SPDX-License-Identifier: Apache-2.0 */
/* hub_classify.h — how a file travels: in git, or as a large file. Pure. */
#ifndef BALLAST_HUB_CLASSIFY_H
#define BALLAST_HUB_CLASSIFY_H

#include "base/base.h"
#include "base/str.h"

/* Does a sample of at most 512 bytes look like something other than text? A cut character at its end is no sign. */
bool hub_sample_is_binary(struct str sample);
struct hub_classify {
    struct str attributes; /* root .gitattributes of the revision, or what the client announced */
    size_t inline_limit;
};
/* Large file (LFS/Xet)? Empty files never are. */
bool hub_is_large(const struct hub_classify *c, struct str path, uint64_t size, struct str sample);
/* Does .gitignore text exclude the path (last matching line wins, '!' re-includes, parents exclude children)? */
bool hub_is_ignored(struct str gitignore, struct str path);
#endif
