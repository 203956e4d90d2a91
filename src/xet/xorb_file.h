/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xorb_file.h — xorbs on disk: DATA/xorb/ab/HASH (ab = first two letters of the hash string).
 *
 *   [0, region_len)   chunk headers and payloads, as received
 *   n x 40            side index: chunk hash 32, u32 physical end, u32 raw end
 *   64                tail: "BLSTXORB", u32 version = 1, u32 n, u64 region_len, u64 raw_len, xorb hash 32
 *
 * All integers little-endian. The index proves itself: its merkle root is the file's name. A file is
 * written under DATA/tmp, synced, renamed, and its directory synced; it is never changed after that.
 */
#ifndef BALLAST_XET_XORB_FILE_H
#define BALLAST_XET_XORB_FILE_H

#include "xet/xet_int.h"

struct xorb_tail {
    char magic[8];
    uint32_t version, n;
    uint64_t region_len, raw_len;
    struct xet_hash hash;
};
_Static_assert(sizeof(struct xorb_tail) == 64, "stored layout");
_Static_assert(sizeof(struct xorb_entry) == 40, "stored layout");

/* An open xorb with its index in memory. */
struct xorb {
    struct xet_hash hash;
    int fd;
    uint32_t n;
    uint64_t region_len, raw_len;
    struct xorb_entry *e;
};
/* [work] E_NOT_FOUND when there is no such file, E_CORRUPT when it is not what its name says. */
must_check err xorb_open(struct xet *x, const struct xet_hash *h, struct xorb *out);
void xorb_close(struct xorb *xo); /* usable on a zeroed struct with fd -1 */
static inline uint32_t xorb_raw_start(const struct xorb *xo, uint32_t i) {
    return i > 0 ? xo->e[i - 1].raw_end : 0;
}
static inline uint32_t xorb_phys_start(const struct xorb *xo, uint32_t i) {
    return i > 0 ? xo->e[i - 1].phys_end : 0;
}
/* The descriptor alone, for sendfile. region_len is read from the tail. */
must_check err xorb_open_fd(struct xet *x, const struct xet_hash *h, int *fd, uint64_t *region_len);
/* [work] One chunk's raw bytes, decoded (and, when verify, hashed) from bytes already read. */
must_check err xorb_chunk_decode(const struct xorb *xo, uint32_t i, const uint8_t *stored, bool verify,
                                 struct chunk_scratch *s, const uint8_t **raw, uint32_t *n_raw);
must_check err xorb_pread(const struct xorb *xo, void *p, size_t n, uint64_t off);

/* A handful of open xorbs of one operation, least recently used dropped. Not shared between threads at once. */
enum { XORB_CACHE = 8 };
struct xorb_cache {
    struct xet *x;
    uint64_t tick;
    struct xorb_slot {
        uint64_t used; /* 0 = empty */
        struct xorb xo;
    } slot[XORB_CACHE];
};
void xorb_cache_init(struct xorb_cache *c, struct xet *x);
void xorb_cache_release(struct xorb_cache *c);
/* [work] Valid until XORB_CACHE-1 others were asked for. */
must_check err xorb_cache_get(struct xorb_cache *c, const struct xet_hash *h, const struct xorb **out);

/* A xorb being written. */
struct xorb_out {
    struct xet *x;
    int fd;
    uint64_t id; /* names the temp file */
};
must_check err xorb_out_open(struct xet *x, struct xorb_out *o);
must_check err xorb_out_write(struct xorb_out *o, const void *p, size_t n); /* [work] */
/* [work] Cut to region_len, append index and tail, sync; the descriptor is closed. */
must_check err xorb_out_seal(struct xorb_out *o, const struct xet_hash *h, const struct xorb_entry *e, uint32_t n,
                             uint64_t region_len, uint64_t raw_len);
/* [work] Rename into place and sync the directory. */
must_check err xorb_publish(struct xet *x, uint64_t id, const struct xet_hash *h);
void xorb_tmp_remove(struct xet *x, uint64_t id);
void xorb_out_abort(struct xorb_out *o);
enum { XORB_PATH_MAX = 4096 };
void xorb_path(const struct xet *x, const struct xet_hash *h, char out[XORB_PATH_MAX]);
void xorb_tmp_path(const struct xet *x, uint64_t id, char out[XORB_PATH_MAX]);
bool xorb_exists(const struct xet *x, const struct xet_hash *h);
#endif
