/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.h — what a shard must prove before its files are registered.
 *
 * For every file: each xorb is stored; each term lies inside it and states its true length; each term's
 * verification record is the keyed hash of the *stored* chunk hashes (proof of possession: chunk hashes
 * are never told to anyone); the file hash follows from the expanded chunk list; the SHA-256 is computed
 * from the bytes and equals the claim if there is one. The shard's own xorb section is not used.
 */
#ifndef BALLAST_XET_ACCEPT_H
#define BALLAST_XET_ACCEPT_H

#include "xet/shard.h"
#include "xet/xet_db.h"

enum {
    ACCEPT_CHUNKS_MAX = 32 * 1024 * 1024, /* over all files of a shard, repetitions counted: bounds the hashing */
    ACCEPT_SLICE_MS = 100
};
#define ACCEPT_FILE_MAX ((uint64_t)4 << 40) /* bytes */

struct accept {
    struct xet *x;
    struct str body;
    struct shard shard;
    struct shard_iter next; /* the first file not checked yet */
    struct reg_file *files;
    bool *known;   /* registered before: its SHA-256 is settled */
    bool *claimed; /* the shard states a SHA-256 */
    uint32_t n_files, n_checked;
    uint64_t n_chunks;
    err (*beat)(void *arg); /* called now and then while bytes are being hashed; its error stops the work */
    void *beat_arg;
};
/* Structure, and room for n_files. */
must_check err accept_open(struct accept *a);
/* [work] All checks that need no file bytes, for about ACCEPT_SLICE_MS; call until n_checked == n_files. */
must_check err accept_check(void *accept);
/* The SHA-256 of file i: from its bytes, or settled before; compared with the claim. */
may_suspend err accept_digest(struct accept *a, uint32_t i) must_check;
/* One transaction for all files. */
may_suspend err accept_register(struct accept *a, int64_t repo_id, bool *inserted) must_check;
void accept_release(struct accept *a);
#endif
