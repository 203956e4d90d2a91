/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packfile.h — writing one pack of whole blobs (git's pack format version 2 and its index version 2).
 *
 * Blocking; work threads and plain threads only. Nothing is visible before packfile_done(): the data lies in
 * OBJECTS/pack/tmp_ballast_XXXXXX, which the sweep at start removes.
 */
#ifndef BALLAST_GIT_PACKFILE_H
#define BALLAST_GIT_PACKFILE_H

#include "git/git_internal.h"

struct packfile;
/* objects: the repository's objects folder. At most `max` objects. */
must_check err packfile_new(const char *objects, size_t max, struct packfile **out);
/* Adds a blob (once; the same id again is nothing). E_LIMIT past max. */
must_check err packfile_add(struct packfile *p, const git_oid *oid, const void *data, size_t n);
/* Everything durable and readable as pack-HASH.pack. The writer is to be freed after success and failure alike. */
must_check err packfile_done(struct packfile *p);
/* Offsets from here on are written with 64 bits (2 GiB; tests ask for less, as git index-pack --index-version does). */
void packfile_large_from(struct packfile *p, uint64_t offset);
void packfile_free(struct packfile *p); /* NULL ok; drops what is not done */
#endif
