/* SPDX-License-Identifier: Apache-2.0 */
/* xet_db.h — all SQL of this room (xet_db.c: files and xorbs; xet_scope_db.c: who may see; xet_care_db.c: stats, fsck,
 * gc). */
#ifndef BALLAST_XET_DB_H
#define BALLAST_XET_DB_H

#include "xet/xet_int.h"

/* --- reading ------------------------------------------------------------------------------------ */
/* f->sha256 in, the rest out. E_NOT_FOUND unless bound to the repository. */
must_check err xet_db_file_in_repo(struct db *d, int64_t repo_id, struct xet_file *f);
must_check err xet_db_file_any(struct db *d, struct xet_file *f);
/* With terms. E_NOT_FOUND. */
must_check err xet_db_file_load(struct db *d, const struct xet_hash *h, struct xfile *out);
/* Without terms: is a file of this Xet hash bound to the repository (by its bytes, whatever hash was bound)? */
must_check err xet_db_file_bound(struct db *d, int64_t repo_id, const struct xet_hash *h, struct xfile *out);
/* The recomputed sha256 and size of a known Xet hash; *known false when there is none. */
must_check err xet_db_file_known(struct db *d, const struct xet_hash *h, uint8_t sha256[32], uint64_t *size,
                                 bool *known);
must_check err xet_db_xorb_known(struct db *d, const struct xet_hash *h, bool *known);

/* --- writing (writer thread) -------------------------------------------------------------------------- */
must_check err xet_db_bind(struct db *d, int64_t repo_id, const uint8_t sha256[32], uint64_t size,
                           const struct xet_hash *h);

struct reg_xorb {
    struct xet_hash hash;
    uint32_t n_chunks, n_eligible;
    uint64_t stored_bytes, raw_bytes;
    struct xet_hash *eligible; /* chunk hashes for the dedup index, malloc'd */
};
/* The file must stand in place already. E_UNAVAILABLE when gc is about to remove it. */
must_check err xet_db_xorb_put(struct db *d, struct xet *x, const struct reg_xorb *r, bool *inserted);
/* Lists the eligible chunks of an index. */
must_check err reg_xorb_fill(struct reg_xorb *r, const struct xet_hash *h, const struct xorb_entry *e, uint32_t n);
void reg_xorb_release(struct reg_xorb *r);

struct reg_file {
    struct xfile f;
    struct xet_hash first_chunk, first_xorb; /* unused for an empty file */
    struct xet_hash *xorbs;                  /* distinct, malloc'd */
    uint32_t n_xorbs;
};
/* Fills xorbs[] from f.terms. */
must_check err reg_file_fill(struct reg_file *r);
void reg_file_release(struct reg_file *r);
/* Insert (or find) the file and bind it to the repository. E_UNAVAILABLE when one of its xorbs went away meanwhile. */
must_check err xet_db_file_put(struct db *d, int64_t repo_id, const struct reg_file *r, bool *inserted);

/* --- who may see what --------------------------------------------------------------------------------- */
struct scope_ids {
    int64_t id;
    struct xet_hash hash;
};
/* The token's user is still active and its repository still stands; else E_FORBIDDEN / E_NOT_FOUND. */
must_check err xet_db_scope_alive(struct db *d, const struct xet_scope *s);
/* Xorbs that hold this eligible chunk, newest first. */
must_check err xet_db_chunk_xorbs(struct db *d, const struct xet_hash *chunk, struct scope_ids *out, size_t max,
                                  size_t *n);
/* Files that use a xorb and stand in a repository the scope may read (scope NULL: any file), newest first. */
must_check err xet_db_xorb_files(struct db *d, int64_t xorb_id, const struct xet_scope *s, struct scope_ids *out,
                                 size_t max, size_t *n);
/* Is this xorb used by a file the scope may read? */
must_check err xet_db_xorb_visible(struct db *d, const struct xet_hash *h, const struct xet_scope *s, bool *visible);

/* --- care ----------------------------------------------------------------------------------------------- */
must_check err xet_db_stats(struct db *d, struct xet_stats *out);
struct care_xorb {
    int64_t id;
    struct xet_hash hash;
    uint32_t n_chunks;
    uint64_t stored_bytes, raw_bytes;
};
/* Rows with id > after, ascending, at most max. */
must_check err xet_db_xorbs(struct db *d, int64_t after, struct care_xorb *out, size_t max, size_t *n);
must_check err xet_db_files(struct db *d, int64_t after, struct scope_ids *out, size_t max, size_t *n);
/* repo_file rows whose bytes are not in the store; one per call after (repo, sha). */
must_check err xet_db_lost_binding(struct db *d, int64_t *repo_id /* in/out */, uint8_t sha256[32] /* in/out */,
                                   bool *found);
/* Xorbs with a file's reference missing, etc.: *n counts rows of xet_ref or xet_chunk that point nowhere. */
must_check err xet_db_dangling(struct db *d, uint64_t *n);

struct gc_tx {
    int64_t now_ms, min_age_ms;
    bool dry_run;
    uint64_t n_files, n_xorbs, freed_bytes;
};
/* Marks orphans, drops expired files, dooms expired xorbs (dry run: counts only). */
must_check err xet_db_gc_mark(struct db *d, struct gc_tx *g);
must_check err xet_db_gc_doomed(struct db *d, int64_t after, struct scope_ids *out, size_t max, size_t *n);
must_check err xet_db_gc_is_doomed(struct db *d, int64_t xorb_id, bool *doomed);
must_check err xet_db_gc_forget(struct db *d, int64_t xorb_id);
#endif
