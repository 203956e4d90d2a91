/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xet_int.h — what the files of this room share (private to the room).
 *
 * Rules (README.md gives them numbers): files below DATA/xorb are complete and immutable once renamed
 * there; a database row follows the rename, never precedes it; functions marked [work] block on disk
 * or burn CPU and belong into the work pool; memory of every operation is taken from x->mem first.
 */
#ifndef BALLAST_XET_INT_H
#define BALLAST_XET_INT_H

#include "base/hash.h"
#include "xet/term.h"
#include "xet/xet.h"
#include "xet/xorb_verify.h"

enum {
    XET_INST_LEN = 16,
    XET_TOKEN_TTL_S = 20 * 60,
    XET_URL_TTL_S = 20 * 60,
    XET_GATE_HOLD_MS = 20 * 1000,
    /*
     * Memory the room may hold at once, over all requests: an eighth of the machine's, within these bounds. Whoever
     * comes later waits, then gets 503. What one operation takes from it:
     */
    XET_MEM_LEAST_MIB = 512,
    XET_MEM_MOST_MIB = 8192,
    XET_INGEST_MIB = 3, /* one xorb POST: two blocks of 512 KiB, carry, scratch, index */
    XET_READER_MIB = 5, /* two windows, one input buffer, indices */
    XET_WRITER_MIB = 8, /* two blocks of 1 MiB, output, encoder, chunk table, indices */
    XET_BLOCK = 512 * 1024
};

struct xet {
    struct store *store;
    char *dir_xorb, *dir_tmp;
    char inst[XET_INST_LEN + 1];
    uint8_t key_token[32], key_url[32], key_dedup[32];
    int64_t gate_hold_ms; /* how long a reconstruction waits for a pending verdict */
    int64_t mem_max_mib;
    _Atomic int64_t mem_mib; /* taken */
};

/* --- memory budget ------------------------------------------------------------------------------ */
/* Waits up to 30 s for room; E_UNAVAILABLE after. */
may_suspend err xet_mem_take(struct xet *x, unsigned mib) must_check;
/* Does not wait. */
must_check err xet_mem_try(struct xet *x, unsigned mib);
void xet_mem_give(struct xet *x, unsigned mib);

/* --- one job in the work pool, waited for later ------------------------------------------------------ */
struct xjob {
    work_fn fn;
    void *arg;
    err e;
    struct err_slot slot;
    struct done done;
    bool pending;
};
/* Inline on plain threads. E_UNAVAILABLE when the pool's queue is full (nothing ran). */
must_check err xjob_start(struct xjob *j, work_fn fn, void *arg);
/* OK when nothing was started. The job's error becomes the caller's. */
may_suspend err xjob_wait(struct xjob *j) must_check;

/* --- tokens and signed URLs (token.c) ----------------------------------------------------------------- */
struct xet_scope {
    int64_t repo_id, user_id, exp_s;
    bool write;
};
/* E_BAD_CREDENTIALS when forged or expired. */
must_check err xet_token_check(struct xet *x, struct str token, int64_t now_s, struct xet_scope *out);
/* For whom and for which file a range URL was signed: the gate is asked again when it is used. */
struct xet_grant {
    int64_t repo_id, user_id;
    uint8_t sha256[SHA256_LEN];
};
/* MAC over a grant, a xorb, its allowed ranges as text ("0-99,200-299") and the expiry; 22 characters. */
enum { XET_MAC_LEN = 22 };
void xet_url_mac(const struct xet *x, const struct xet_grant *g, const struct xet_hash *xorb, struct str ranges,
                 int64_t exp_s, char out[XET_MAC_LEN + 1]);
/* The grant as it stands in a URL: REPO-USER-SHA256. */
enum { XET_GRANT_MAX = 20 + 1 + 20 + 1 + 2 * SHA256_LEN };
void xet_grant_put(const struct xet_grant *g, char out[XET_GRANT_MAX + 1]);
bool xet_grant_parse(struct str s, struct xet_grant *g);
/* The dedup key of the week that holds now_s, and when its replies expire. */
void xet_dedup_key(const struct xet *x, int64_t now_s, uint8_t key[32], uint64_t *created_s, uint64_t *expires_s);
#endif
