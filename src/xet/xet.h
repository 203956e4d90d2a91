/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xet.h — the one content-addressed byte store: chunks in xorbs, files as terms; and the CAS routes.
 *
 * A file is known by SHA-256 (git-LFS identity) and by one or more Xet file hashes; both map to a
 * list of terms. A repository may use a file only after possession was proven for that repository
 * (repo_file row): knowing a hash grants nothing.
 */
#ifndef BALLAST_XET_H
#define BALLAST_XET_H

#include "http/http.h"
#include "store/store.h"

enum { XET_HASH_LEN = 32, XET_HEX_LEN = 64 };
struct xet_hash {
    uint8_t b[XET_HASH_LEN]; /* memory order; strings are in Xet's swapped form */
};
void xet_hash_str(const struct xet_hash *h, char out[XET_HEX_LEN + 1]);
bool xet_hash_parse(struct str s, struct xet_hash *out);

struct xet;
struct xet_opts {
    struct store *store;
};
must_check err xet_open(const struct xet_opts *o, struct xet **out);
void xet_close(struct xet *x);
/* CAS routes under /cas/… (and /v1/telemetry). */
must_check err xet_routes(struct xet *x, struct http_router *rt);

/* A scoped token for CAS calls of one repository. exp in Unix seconds. */
must_check err xet_token_make(struct xet *x, struct arena *a, int64_t repo_id, int64_t user_id, bool write,
                              struct str *token, int64_t *exp_s);
/* "BASE/cas/INSTANCE" for a public base URL. */
struct str xet_cas_url(struct xet *x, struct arena *a, struct str base_url);

struct xet_file {
    uint8_t sha256[32];
    struct xet_hash hash; /* the newest Xet hash of these bytes */
    uint64_t size;
};
/* By SHA-256 (64 hex) within a repository; E_NOT_FOUND unless this repository proved possession. */
must_check err xet_file_find(struct xet *x, int64_t repo_id, struct str sha256_hex, struct xet_file *out);
/* Writer-side: bind a file already bound to `from` repository to `to` as well (server-side copies). */
may_suspend err xet_file_bind(struct xet *x, int64_t from_repo, int64_t to_repo, struct str sha256_hex) must_check;
/* By SHA-256 regardless of repository: for review, fsck and deployments only, never for a client. */
must_check err xet_file_find_any(struct xet *x, struct str sha256_hex, struct xet_file *out);

/* --- reading: rebuild bytes from terms --------------------------------------------------------- */
struct xet_reader;
/* Reads [off, off+len) in order. Decoding runs in the work pool in windows of a few MiB (bounded). */
must_check err xet_reader_open(struct xet *x, const struct xet_file *f, uint64_t off, uint64_t len,
                               struct xet_reader **out);
/* Up to cap bytes; *n = 0 at the end. [any] */
may_suspend err xet_reader_read(struct xet_reader *r, void *p, size_t cap, size_t *n) must_check;
/* Without copying: the next run of bytes (up to about 1 MiB), valid until the next call; empty at the end. [any] */
may_suspend err xet_reader_next(struct xet_reader *r, struct str *out) must_check;
void xet_reader_close(struct xet_reader *r); /* waits for a window being filled; NULL ok */
/* Write the whole file to fd (deployments, sandboxed review). [any] */
may_suspend err xet_file_export(struct xet *x, const struct xet_file *f, int fd) must_check;

/* --- writing from plain bytes (LFS, git, server-side): chunk, dedup, pack, verify ------------------ */
struct xet_writer;
must_check err xet_writer_open(struct xet *x, struct xet_writer **out);
/* Any piece size; blocks of 1 MiB go to the work pool, at most two in flight. [any] */
may_suspend err xet_writer_add(struct xet_writer *w, const void *p, size_t n) must_check;
/*
 * Flush, fsync, register. expect_sha256 (64 hex or empty) and expect_size (or UINT64_MAX) must match or
 * E_UNPROCESSABLE and nothing is registered. Binds the file to repo_id. Durable when OK. Frees w either way.
 */
may_suspend err xet_writer_commit(struct xet_writer *w, int64_t repo_id, struct str expect_sha256, uint64_t expect_size,
                                  struct xet_file *out) must_check;
void xet_writer_abort(struct xet_writer *w); /* NULL ok */

/* --- care ------------------------------------------------------------------------------------------- */
struct xet_stats {
    uint64_t n_xorbs, n_files, stored_bytes, raw_bytes, file_bytes; /* file_bytes: sum of file sizes as uploaded */
};
must_check err xet_stats_get(struct xet *x, struct xet_stats *out);
/* Prove every reference: xorb files present and hashing right (deep), terms in bounds, file hashes. */
typedef void (*xet_fsck_fn)(void *arg, const char *kind, struct str what, const char *problem);
typedef void (*xet_progress_fn)(void *arg, uint64_t done, uint64_t total); /* things, or bytes when deep */
may_suspend err xet_fsck(struct xet *x, bool deep, xet_fsck_fn report, xet_progress_fn progress, void *arg,
                         uint64_t *n_problems) must_check;
/* Remove xorbs and files that nothing names and that are older than min_age_ms. */
may_suspend err xet_gc(struct xet *x, int64_t min_age_ms, bool dry_run, uint64_t *freed_bytes) must_check;
#endif
