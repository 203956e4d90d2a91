/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dedup.h — the reply to a global dedup query: a shard of xorbs around a chunk.
 *
 * Nothing may be told about chunks the asker cannot read, and a xorb may hold chunks of several files.
 * So only xorbs reached through readable files are listed, and chunks that no readable file (of those
 * looked at) covers are listed under a hash nobody can match. All hashes are keyed with the week's key.
 */
#ifndef BALLAST_XET_DEDUP_H
#define BALLAST_XET_DEDUP_H

#include "xet/shard.h"
#include "xet/xet_db.h"

enum {
    DEDUP_XORBS_MAX = 64,
    DEDUP_CHUNKS_MAX = 65535, /* clients do not index chunks beyond that in one shard */
    DEDUP_FILES_MAX = 4,
    DEDUP_MIB = 8,
    DEDUP_REPLY_MAX = (DEDUP_CHUNKS_MAX + DEDUP_XORBS_MAX + 8) * SHARD_REC
};
struct dedup {
    struct xet *x;
    struct xet_scope scope;
    struct xet_hash chunk;
    int64_t now_s;
    struct buf *out;
};
/* [work] E_NOT_FOUND when nothing readable holds the chunk. */
must_check err dedup_answer(void *dedup);
#endif
