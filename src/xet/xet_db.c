/* SPDX-License-Identifier: Apache-2.0 */
/* xet_db.c — records of files and xorbs (tables of 0020_xet.sql, and repo_file). */
#include "xet/xet_db.h"

#include "base/clock.h"
#include "xet/xorb_file.h"

static struct str blob(const void *p) {
    return str_make(p, 32);
}

static err hash_get(struct stmt *st, int col, uint8_t out[32]) {
    struct str b = db_blob(st, col);
    if (b.n != 32) {
        db_done(st);
        return err_fail(E_CORRUPT, "a hash in the database has %zu bytes instead of 32; run ballast fsck", b.n);
    }
    memcpy(out, b.p, 32);
    return OK;
}

static err no_file(void) {
    return err_fail(E_NOT_FOUND, "no such file is stored in this repository");
}

err xet_db_file_in_repo(struct db *d, int64_t repo_id, struct xet_file *f) {
    struct stmt *st;
    bool row;
    TRY(db_prep(d, "SELECT xet_hash, size FROM repo_file WHERE repo_id = ? AND sha256 = ?", &st));
    db_bind_i64(st, 1, repo_id);
    db_bind_blob(st, 2, f->sha256, 32);
    TRY(db_step(st, &row));
    if (!row) return no_file();
    TRY(hash_get(st, 0, f->hash.b));
    f->size = (uint64_t)db_i64(st, 1);
    db_done(st);
    return OK;
}

err xet_db_file_any(struct db *d, struct xet_file *f) {
    struct stmt *st;
    bool row;
    TRY(db_prep(d, "SELECT hash, size FROM xet_file WHERE sha256 = ? ORDER BY id DESC LIMIT 1", &st));
    db_bind_blob(st, 1, f->sha256, 32);
    TRY(db_step(st, &row));
    if (!row) return err_fail(E_NOT_FOUND, "no file with this SHA-256 is stored here");
    TRY(hash_get(st, 0, f->hash.b));
    f->size = (uint64_t)db_i64(st, 1);
    db_done(st);
    return OK;
}

/* Columns: sha256, size, n_terms, terms. */
static err load_row(struct stmt *st, struct xfile *out) {
    TRY(hash_get(st, 0, out->sha256));
    out->size = (uint64_t)db_i64(st, 1);
    struct str t = db_blob(st, 3);
    int64_t n = db_i64(st, 2);
    err e = OK;
    if (n < 0 || t.n != (uint64_t)n * sizeof *out->terms)
        e = err_fail(E_CORRUPT, "the stored terms of a file have a wrong length; run ballast fsck");
    if (e == OK && n > 0) {
        out->terms = malloc(t.n);
        if (out->terms == NULL) e = err_fail(E_NOMEM, "not enough memory to read a file's terms");
        else memcpy(out->terms, t.p, t.n);
    }
    if (e == OK) out->n_terms = (uint32_t)n;
    db_done(st);
    return e;
}

err xet_db_file_load(struct db *d, const struct xet_hash *h, struct xfile *out) {
    struct stmt *st;
    bool row;
    *out = (struct xfile){.hash = *h};
    TRY(db_prep(d, "SELECT sha256, size, n_terms, terms FROM xet_file WHERE hash = ?", &st));
    db_bind_blob(st, 1, h->b, 32);
    TRY(db_step(st, &row));
    return row ? load_row(st, out) : no_file();
}

err xet_db_file_bound(struct db *d, int64_t repo_id, const struct xet_hash *h, struct xfile *out) {
    struct stmt *st;
    bool row;
    *out = (struct xfile){.hash = *h};
    TRY(db_prep(d,
                "SELECT f.sha256, f.size FROM xet_file f JOIN repo_file r ON r.sha256 = f.sha256 WHERE f.hash = ? AND "
                "r.repo_id = ?",
                &st));
    db_bind_blob(st, 1, h->b, 32);
    db_bind_i64(st, 2, repo_id);
    TRY(db_step(st, &row));
    if (!row) return no_file();
    TRY(hash_get(st, 0, out->sha256));
    out->size = (uint64_t)db_i64(st, 1);
    db_done(st);
    return OK;
}

err xet_db_file_known(struct db *d, const struct xet_hash *h, uint8_t sha256[32], uint64_t *size, bool *known) {
    struct stmt *st;
    TRY(db_prep(d, "SELECT sha256, size FROM xet_file WHERE hash = ?", &st));
    db_bind_blob(st, 1, h->b, 32);
    TRY(db_step(st, known));
    if (!*known) return OK;
    TRY(hash_get(st, 0, sha256));
    *size = (uint64_t)db_i64(st, 1);
    db_done(st);
    return OK;
}

/* id, or 0. */
static err xorb_id(struct db *d, const struct xet_hash *h, int64_t *id, bool *doomed) {
    struct stmt *st;
    bool row;
    *id = 0;
    *doomed = false;
    TRY(db_prep(d, "SELECT id, doomed FROM xorb WHERE hash = ?", &st));
    db_bind_blob(st, 1, h->b, 32);
    TRY(db_step(st, &row));
    if (!row) return OK;
    *id = db_i64(st, 0);
    *doomed = db_i64(st, 1) != 0;
    db_done(st);
    return OK;
}

err xet_db_xorb_known(struct db *d, const struct xet_hash *h, bool *known) {
    int64_t id;
    bool doomed;
    TRY(xorb_id(d, h, &id, &doomed));
    *known = id != 0 && !doomed;
    return OK;
}

/* --- writing ------------------------------------------------------------------------------------------- */

err xet_db_bind(struct db *d, int64_t repo_id, const uint8_t sha256[32], uint64_t size, const struct xet_hash *h) {
    return db_exec(d,
                   "INSERT INTO repo_file (repo_id, sha256, size, xet_hash, created_ms) VALUES (?, ?, ?, ?, ?) "
                   "ON CONFLICT (repo_id, sha256) DO UPDATE SET xet_hash = excluded.xet_hash",
                   "ibibi", repo_id, blob(sha256), (int64_t)size, blob(h->b), clock_wall_ms());
}

err reg_xorb_fill(struct reg_xorb *r, const struct xet_hash *h, const struct xorb_entry *e, uint32_t n) {
    *r = (struct reg_xorb){.hash = *h, .n_chunks = n, .stored_bytes = e[n - 1].phys_end, .raw_bytes = e[n - 1].raw_end};
    uint32_t k = 0;
    for (uint32_t i = 0; i < n; i++) k += xhash_eligible(&e[i].hash);
    if (k == 0) return OK;
    r->eligible = malloc(k * sizeof *r->eligible);
    if (r->eligible == NULL) return err_fail(E_NOMEM, "not enough memory to register a xorb");
    for (uint32_t i = 0; i < n; i++)
        if (xhash_eligible(&e[i].hash)) r->eligible[r->n_eligible++] = e[i].hash;
    return OK;
}
void reg_xorb_release(struct reg_xorb *r) {
    free(r->eligible);
    r->eligible = NULL;
    r->n_eligible = 0;
}

static err chunk_put(struct db *d, const struct xet_hash *chunk, int64_t id) {
    return db_exec(d, "INSERT OR IGNORE INTO xet_chunk (hash, xorb_id) VALUES (?, ?)", "bi", blob(chunk->b), id);
}

static err being_collected(void) {
    err e = err_fail(
        E_UNAVAILABLE,
        "this data is being removed as unused at this very moment; nothing was changed, upload again in a few seconds");
    err_slot()->retry_after_s = 5;
    return e;
}

err xet_db_xorb_put(struct db *d, struct xet *x, const struct reg_xorb *r, bool *inserted) {
    int64_t id;
    bool doomed;
    *inserted = false;
    TRY(xorb_id(d, &r->hash, &id, &doomed));
    /* gc may have unlinked the file between our rename and this transaction: only what stands is recorded. */
    if (doomed || !xorb_exists(x, &r->hash)) return being_collected();
    if (id != 0) return db_exec(d, "UPDATE xorb SET orphan_ms = NULL WHERE id = ?", "i", id);
    TRY(db_exec(d, "INSERT INTO xorb (hash, n_chunks, stored_bytes, raw_bytes, created_ms) VALUES (?, ?, ?, ?, ?)",
                "biiii", blob(r->hash.b), (int64_t)r->n_chunks, (int64_t)r->stored_bytes, (int64_t)r->raw_bytes,
                clock_wall_ms()));
    id = db_last_id(d);
    for (uint32_t i = 0; i < r->n_eligible; i++) TRY(chunk_put(d, &r->eligible[i], id));
    *inserted = true;
    return OK;
}

static int hash_cmp(const void *a, const void *b) {
    return memcmp(a, b, sizeof(struct xet_hash));
}

err reg_file_fill(struct reg_file *r) {
    if (r->f.n_terms == 0) return OK;
    r->first_xorb = r->f.terms[0].xorb;
    r->xorbs = malloc(r->f.n_terms * sizeof *r->xorbs);
    if (r->xorbs == NULL) return err_fail(E_NOMEM, "not enough memory to register a file");
    for (uint32_t i = 0; i < r->f.n_terms; i++) r->xorbs[i] = r->f.terms[i].xorb;
    qsort(r->xorbs, r->f.n_terms, sizeof *r->xorbs, hash_cmp);
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->f.n_terms; i++)
        if (n == 0 || !xhash_eq(&r->xorbs[n - 1], &r->xorbs[i])) r->xorbs[n++] = r->xorbs[i];
    r->n_xorbs = n;
    return OK;
}
void reg_file_release(struct reg_file *r) {
    xfile_release(&r->f);
    free(r->xorbs);
    r->xorbs = NULL;
    r->n_xorbs = 0;
}

static err refs_put(struct db *d, int64_t file_id, const struct reg_file *r) {
    for (uint32_t i = 0; i < r->n_xorbs; i++) {
        int64_t id;
        bool doomed;
        TRY(xorb_id(d, &r->xorbs[i], &id, &doomed));
        if (id == 0 || doomed) return being_collected();
        TRY(db_exec(d, "INSERT INTO xet_ref (file_id, xorb_id) VALUES (?, ?)", "ii", file_id, id));
        TRY(db_exec(d, "UPDATE xorb SET orphan_ms = NULL WHERE id = ? AND orphan_ms IS NOT NULL", "i", id));
        if (xhash_eq(&r->xorbs[i], &r->first_xorb)) TRY(chunk_put(d, &r->first_chunk, id));
    }
    return OK;
}

err xet_db_file_put(struct db *d, int64_t repo_id, const struct reg_file *r, bool *inserted) {
    bool known;
    uint8_t sha[32];
    uint64_t size;
    TRY(xet_db_file_known(d, &r->f.hash, sha, &size, &known));
    *inserted = !known;
    if (known) {
        TRY(db_exec(d, "UPDATE xet_file SET orphan_ms = NULL WHERE hash = ? AND orphan_ms IS NOT NULL", "b",
                    blob(r->f.hash.b)));
    } else {
        TRY(db_exec(
            d, "INSERT INTO xet_file (hash, sha256, size, n_terms, created_ms, terms) VALUES (?, ?, ?, ?, ?, ?)",
            "bbiiib", blob(r->f.hash.b), blob(r->f.sha256), (int64_t)r->f.size, (int64_t)r->f.n_terms, clock_wall_ms(),
            str_make(r->f.n_terms > 0 ? (const void *)r->f.terms : "", r->f.n_terms * sizeof *r->f.terms)));
        TRY(refs_put(d, db_last_id(d), r));
    }
    return xet_db_bind(d, repo_id, r->f.sha256, r->f.size, &r->f.hash);
}
