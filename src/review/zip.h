/* SPDX-License-Identifier: Apache-2.0 */
/* zip.h — the directory of a zip as read by zip_dir.c, for zip.c (private to the room). */
#ifndef BALLAST_REVIEW_ZIP_H
#define BALLAST_REVIEW_ZIP_H

#include "scan.h"

struct zip_entry {
    uint64_t local, data, csize, usize; /* local: offset of the local header in the span; data: of the bytes */
    uint32_t crc, attr;
    uint16_t flags, method;
    struct str name;
    bool bad; /* no usable bytes */
};
struct zip_dir {
    struct zip_entry *list;
    size_t n;
    uint64_t begin, cd, end; /* first local header, central directory, first byte after the end record */
    bool zip64;
};
/* Read end record, central directory and every local header; contradictions become facts. False: not a zip. */
bool zip_dir_read(struct scan *s, struct span b, struct zip_dir *d);
void zip_dir_release(struct zip_dir *d);
/* Facts on a member's name that would leave the target directory. */
void archive_name_check(struct scan *s, struct str name);
#endif
