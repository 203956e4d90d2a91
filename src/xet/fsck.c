/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fsck.c — proves every reference of the byte store.
 *
 * Shallow: each recorded xorb's file is there, its index hashes to its name and agrees with the record;
 * each file's terms fit their xorbs and its chunks hash to its name; each repository's binding has its
 * bytes. Deep: also every chunk is decoded and hashed, and every file's SHA-256 recomputed.
 * Problems are reported, not repaired; the walk goes on. A walk over a live store is safe: rows that
 * vanish between two steps are not problems.
 */
#include "base/hex.h"
#include "base/log.h"
#include "xet/reader.h"
#include "xet/xet_db.h"

struct fsck {
    struct xet *x;
    bool deep;
    xet_fsck_fn report;
    xet_progress_fn progress;
    void *arg;
    uint64_t n_problems, done, total;
};

static void advance(struct fsck *k, uint64_t by) {
    k->done += by;
    if (k->progress != NULL) k->progress(k->arg, MIN(k->done, k->total), k->total);
}

static void problem(struct fsck *k, const char *kind, const struct xet_hash *h, const char *what) {
    char hex[XET_HEX_LEN + 1];
    xet_hash_str(h, hex);
    k->n_problems++;
    if (k->report != NULL) k->report(k->arg, kind, str_of(hex), what);
}

struct xorb_check {
    struct fsck *k;
    struct care_xorb row;
    bool still_there;
};

static err chunks_check(struct xorb *xo) {
    enum { STEP = CHUNK_HEAD + CHUNK_STORED_MAX };
    struct chunk_scratch *s = malloc(sizeof *s);
    uint8_t *in = malloc(STEP);
    err e = s == NULL || in == NULL ? err_fail(E_NOMEM, "not enough memory to check a xorb") : OK;
    for (uint32_t i = 0; e == OK && i < xo->n; i++) {
        const uint8_t *raw;
        uint32_t n_raw, at = xorb_phys_start(xo, i);
        e = xorb_pread(xo, in, xo->e[i].phys_end - at, at);
        if (e == OK) e = xorb_chunk_decode(xo, i, in, true, s, &raw, &n_raw);
    }
    free(s);
    free(in);
    return e;
}

/* [work] */
static err xorb_check(void *arg) {
    struct xorb_check *c = arg;
    struct xorb xo;
    TRY(xorb_open(c->k->x, &c->row.hash, &xo));
    struct xet_hash root;
    xorb_entries_root(xo.e, xo.n, &root);
    err e = OK;
    if (!xhash_eq(&root, &xo.hash)) e = err_fail(E_CORRUPT, "its index does not hash to its name");
    else if (xo.n != c->row.n_chunks || xo.region_len != c->row.stored_bytes || xo.raw_len != c->row.raw_bytes)
        e = err_fail(E_CORRUPT, "its record in the database states other lengths");
    else if (c->k->deep) e = chunks_check(&xo);
    xorb_close(&xo);
    return e;
}

static err xorbs_walk(struct fsck *k) {
    enum { BATCH = 64 };
    struct care_xorb rows[BATCH];
    int64_t after = 0;
    for (;;) {
        size_t n;
        TRY(xet_db_xorbs(db_reader(k->x->store), after, rows, BATCH, &n));
        if (n == 0) return OK;
        for (size_t i = 0; i < n; i++) {
            struct xorb_check c = {.k = k, .row = rows[i]};
            err e = work_run(xorb_check, &c);
            advance(k, k->deep ? rows[i].stored_bytes : 1);
            if (e == E_UNAVAILABLE || e == E_NOMEM || e == E_CANCELLED) return e;
            if (e == OK) continue;
            char why[ERR_TEXT_MAX];
            snprintf(why, sizeof why, "%s", err_text());
            bool known;
            TRY(xet_db_xorb_known(db_reader(k->x->store), &rows[i].hash, &known));
            if (known) problem(k, "xorb", &rows[i].hash, why); /* else gc took it meanwhile */
        }
        after = rows[n - 1].id;
    }
}

struct file_check {
    struct fsck *k;
    struct xfile f;
};

static err term_check(struct xorb_cache *cache, const struct term *t, struct merkle *m, uint64_t *size) {
    const struct xorb *xo;
    TRY(xorb_cache_get(cache, &t->xorb, &xo));
    if (t->first >= t->end || t->end > xo->n) return err_fail(E_CORRUPT, "a term lies outside its xorb");
    if (xo->e[t->end - 1].raw_end - xorb_raw_start(xo, t->first) != t->raw_bytes ||
        t->phys_start != xorb_phys_start(xo, t->first) || t->phys_end != xo->e[t->end - 1].phys_end)
        return err_fail(E_CORRUPT, "a term states other lengths than its xorb's index");
    for (uint32_t i = t->first; i < t->end; i++)
        merkle_add(m, &xo->e[i].hash, xo->e[i].raw_end - xorb_raw_start(xo, i));
    *size += t->raw_bytes;
    return OK;
}

/* [work] Terms in bounds, sizes, and the file hash from the chunk list. */
static err file_check(void *arg) {
    struct file_check *c = arg;
    struct xorb_cache cache;
    struct merkle *m = malloc(sizeof *m);
    if (m == NULL) return err_fail(E_NOMEM, "not enough memory to check a file");
    merkle_init(m);
    xorb_cache_init(&cache, c->k->x);
    uint64_t size = 0;
    err e = OK;
    for (uint32_t i = 0; e == OK && i < c->f.n_terms; i++) e = term_check(&cache, &c->f.terms[i], m, &size);
    if (e == OK && size != c->f.size) e = err_fail(E_CORRUPT, "its terms add up to another size than recorded");
    if (e == OK) {
        struct xet_hash got;
        merkle_file(m, &got);
        if (!xhash_eq(&got, &c->f.hash)) e = err_fail(E_CORRUPT, "its chunks do not hash to its name");
    }
    xorb_cache_release(&cache);
    free(m);
    return e;
}

/* Every byte: decoded, hashed against the index, and the whole against the recorded SHA-256. */
static err file_digest(struct fsck *k, struct xfile *f) {
    uint8_t want[32], got[32];
    memcpy(want, f->sha256, 32);
    struct xet_reader *r;
    TRY(xreader_open_file(k->x, f, true, &r));
    struct hasher *h = hasher_new("SHA256");
    err e;
    struct str s;
    while ((e = xet_reader_next(r, &s)) == OK && s.n > 0) {
        hasher_add(h, s.p, s.n);
        advance(k, s.n);
    }
    hasher_done(h, got);
    xet_reader_close(r);
    if (e == OK && memcmp(got, want, 32) != 0) e = err_fail(E_CORRUPT, "its bytes do not have the recorded SHA-256");
    return e;
}

static err one_file(struct fsck *k, const struct xet_hash *h) {
    struct file_check c = {.k = k};
    err e = xet_db_file_load(db_reader(k->x->store), h, &c.f);
    if (e == E_NOT_FOUND) return OK; /* gc took it meanwhile */
    if (e == OK) e = work_run(file_check, &c);
    if (e == OK && k->deep) e = file_digest(k, &c.f);
    if (!k->deep) advance(k, 1);
    xfile_release(&c.f);
    if (e == E_UNAVAILABLE || e == E_NOMEM || e == E_CANCELLED) return e;
    if (e != OK) problem(k, "file", h, err_text());
    return OK;
}

static err files_walk(struct fsck *k) {
    enum { BATCH = 64 };
    struct scope_ids rows[BATCH];
    int64_t after = 0;
    for (;;) {
        size_t n;
        TRY(xet_db_files(db_reader(k->x->store), after, rows, BATCH, &n));
        if (n == 0) return OK;
        for (size_t i = 0; i < n; i++) TRY(one_file(k, &rows[i].hash));
        after = rows[n - 1].id;
    }
}

static err bindings_walk(struct fsck *k) {
    int64_t repo = 0;
    uint8_t sha[32] = {0};
    for (;;) {
        bool found;
        char what[128], hex[65];
        TRY(xet_db_lost_binding(db_reader(k->x->store), &repo, sha, &found));
        if (!found) break;
        snprintf(what, sizeof what, "repository %lld names these bytes, but the store does not have them",
                 (long long)repo);
        hex_encode(sha, 32, hex);
        k->n_problems++;
        if (k->report != NULL) k->report(k->arg, "binding", str_of(hex), what);
    }
    uint64_t n;
    TRY(xet_db_dangling(db_reader(k->x->store), &n));
    if (n > 0) {
        k->n_problems += n;
        if (k->report != NULL)
            k->report(k->arg, "reference", STR("database"), "rows of xet_ref or xet_chunk point nowhere");
    }
    return OK;
}

err xet_fsck(struct xet *x, bool deep, xet_fsck_fn report, xet_progress_fn progress, void *arg, uint64_t *n_problems) {
    struct fsck k = {.x = x, .deep = deep, .report = report, .progress = progress, .arg = arg};
    struct xet_stats st;
    TRY(xet_stats_get(x, &st));
    k.total = deep ? st.stored_bytes + st.file_bytes : st.n_xorbs + st.n_files;
    err e = xorbs_walk(&k);
    if (e == OK) e = files_walk(&k);
    if (e == OK) e = bindings_walk(&k);
    *n_problems = k.n_problems;
    return e;
}
