/* SPDX-License-Identifier: Apache-2.0 */
/* accept.c — see accept.h. */
#include "xet/accept.h"

#include "base/clock.h"
#include "xet/reader.h"

struct walk {
    struct accept *a;
    struct xorb_cache cache;
    struct merkle merkle; /* of the file at hand */
    uint32_t file;
};

static err refuse(const struct walk *w, uint32_t term, const char *why) {
    return err_fail(E_BAD_REQUEST, "shard refused: file %u, term %u: %s; nothing was registered", w->file, term, why);
}

static err term_open(struct walk *w, uint32_t i, const struct shard_term *t, const struct xorb **xo) {
    bool known;
    TRY(xet_db_xorb_known(db_reader(w->a->x->store), &t->xorb, &known));
    if (!known) return refuse(w, i, "its xorb is not stored here");
    err e = xorb_cache_get(&w->cache, &t->xorb, xo);
    return e == E_NOT_FOUND ? refuse(w, i, "its xorb is not stored here") : e;
}

/* Bounds, length, possession; adds the chunks to the file's tree. */
static err term_check(struct walk *w, uint32_t i, const struct shard_term *t, const struct xet_hash *proof,
                      struct term *out) {
    const struct xorb *xo;
    TRY(term_open(w, i, t, &xo));
    if (t->first >= t->end || t->end > xo->n) return refuse(w, i, "its chunk range lies outside the xorb");
    uint32_t raw = xo->e[t->end - 1].raw_end - xorb_raw_start(xo, t->first);
    if (raw != t->raw_bytes) return refuse(w, i, "its length is not that of its chunks");
    w->a->n_chunks += t->end - t->first;
    if (w->a->n_chunks > ACCEPT_CHUNKS_MAX)
        return refuse(w, i, "the shard's files have more than 33554432 chunks; split it");
    struct xhash_range range;
    struct xet_hash got;
    xhash_range_init(&range);
    for (uint32_t k = t->first; k < t->end; k++) {
        xhash_range_add(&range, &xo->e[k].hash);
        merkle_add(&w->merkle, &xo->e[k].hash, xo->e[k].raw_end - xorb_raw_start(xo, k));
    }
    xhash_range_done(&range, &got);
    if (!hash_equal(got.b, proof->b, sizeof got.b))
        return refuse(w, i, "its verification record does not prove possession of the chunks");
    *out = (struct term){.xorb = t->xorb,
                         .first = t->first,
                         .end = t->end,
                         .raw_bytes = raw,
                         .phys_start = xorb_phys_start(xo, t->first),
                         .phys_end = xo->e[t->end - 1].phys_end};
    if (i == 0) w->a->files[w->file].first_chunk = xo->e[t->first].hash;
    return OK;
}

static err file_check(struct walk *w, const struct shard_file *f) {
    struct reg_file *r = &w->a->files[w->file];
    if (f->n_terms > 0 && !f->has_ranges) return refuse(w, 0, "it carries no verification records");
    r->f.hash = f->hash;
    merkle_init(&w->merkle);
    if (f->n_terms > 0) {
        r->f.terms = malloc(f->n_terms * sizeof *r->f.terms);
        if (r->f.terms == NULL) return err_fail(E_NOMEM, "not enough memory to check a shard; nothing was registered");
    }
    for (uint32_t i = 0; i < f->n_terms; i++) {
        struct shard_term t;
        struct xet_hash proof;
        shard_term_get(f, i, &t);
        shard_range_get(f, i, &proof);
        TRY(term_check(w, i, &t, &proof, &r->f.terms[i]));
        r->f.n_terms = i + 1;
        r->f.size += r->f.terms[i].raw_bytes;
    }
    if (r->f.size > ACCEPT_FILE_MAX) return refuse(w, f->n_terms, "the file is larger than 4 TiB");
    struct xet_hash got;
    merkle_file(&w->merkle, &got);
    if (!xhash_eq(&got, &f->hash)) return refuse(w, f->n_terms, "its chunks do not hash to the file hash");
    return reg_file_fill(r);
}

/* What was registered before settles the SHA-256 of these bytes; a claim of another one is a lie. */
static err claim_note(struct walk *w, const struct shard_file *f) {
    struct reg_file *r = &w->a->files[w->file];
    uint64_t size;
    TRY(xet_db_file_known(db_reader(w->a->x->store), &f->hash, r->f.sha256, &size, &w->a->known[w->file]));
    if (w->a->known[w->file]) {
        if (f->has_sha256 && memcmp(r->f.sha256, f->sha256, 32) != 0)
            return refuse(w, f->n_terms, "its SHA-256 is not that of its bytes");
        return OK;
    }
    w->a->claimed[w->file] = f->has_sha256;
    memcpy(r->f.sha256, f->sha256, 32);
    return OK;
}

static err slice_check(struct walk *w) {
    struct accept *a = w->a;
    int64_t until = clock_mono_ms() + ACCEPT_SLICE_MS;
    struct shard_file f;
    while (a->n_checked < a->n_files && clock_mono_ms() < until) {
        BUG_ON(!shard_next(&a->next, &f));
        if (!f.has_sha256) memset(f.sha256, 0, sizeof f.sha256);
        w->file = a->n_checked;
        TRY(file_check(w, &f));
        TRY(claim_note(w, &f));
        a->n_checked++;
    }
    return OK;
}

err accept_open(struct accept *a) {
    TRY(shard_parse(a->body.p, a->body.n, &a->shard));
    uint32_t n = a->shard.n_files; /* bounded by the body: each has a record there */
    a->next = shard_files(&a->shard);
    a->files = calloc(n + 1, sizeof *a->files);
    a->known = calloc(n + 1, sizeof *a->known);
    a->claimed = calloc(n + 1, sizeof *a->claimed);
    if (a->files == NULL || a->known == NULL || a->claimed == NULL)
        return err_fail(E_NOMEM, "not enough memory to check a shard; nothing was registered");
    a->n_files = n;
    return OK;
}

err accept_check(void *arg) {
    struct accept *a = arg;
    struct walk *w = malloc(sizeof *w);
    if (w == NULL) return err_fail(E_NOMEM, "not enough memory to check a shard; nothing was registered");
    w->a = a;
    xorb_cache_init(&w->cache, a->x);
    err e = slice_check(w);
    xorb_cache_release(&w->cache);
    free(w);
    return e;
}

struct sha_arg {
    struct hasher *h;
    struct str s;
};
static err sha_add(void *arg) {
    struct sha_arg *s = arg;
    hasher_add(s->h, s->s.p, s->s.n);
    return OK;
}

/* The reader decodes the next window while this one is being hashed. */
static err digest_bytes(struct accept *a, const struct xfile *f, uint8_t out[32]) {
    struct xfile copy = *f;
    copy.terms = malloc(f->n_terms * sizeof *f->terms + 1);
    if (copy.terms == NULL) return err_fail(E_NOMEM, "not enough memory to check a shard; nothing was registered");
    memcpy(copy.terms, f->terms, f->n_terms * sizeof *f->terms);
    struct xet_reader *r;
    err e = xreader_open_file(a->x, &copy, false, &r);
    if (e != OK) {
        xfile_release(&copy);
        return e;
    }
    struct sha_arg s = {.h = hasher_new("SHA256")};
    while ((e = xet_reader_next(r, &s.s)) == OK && s.s.n > 0) {
        e = work_run(sha_add, &s);
        if (e == OK && a->beat != NULL) e = a->beat(a->beat_arg);
        if (e != OK) break;
    }
    hasher_done(s.h, out);
    xet_reader_close(r);
    return e;
}

err accept_digest(struct accept *a, uint32_t i) {
    if (a->known[i]) return OK;
    struct xfile *f = &a->files[i].f;
    uint8_t got[32];
    if (f->n_terms == 0) hash_sha256("", 0, got);
    else TRY(digest_bytes(a, f, got));
    if (a->claimed[i] && memcmp(got, f->sha256, 32) != 0)
        return err_fail(E_BAD_REQUEST,
                        "shard refused: file %u: its SHA-256 is not that of its bytes; nothing was registered", i);
    memcpy(f->sha256, got, 32);
    return OK;
}

struct register_arg {
    struct accept *a;
    int64_t repo_id;
    bool inserted;
};
static err register_tx(struct db *d, void *arg) {
    struct register_arg *g = arg;
    g->inserted = false;
    for (uint32_t i = 0; i < g->a->n_files; i++) {
        bool one;
        TRY(xet_db_file_put(d, g->repo_id, &g->a->files[i], &one));
        g->inserted |= one;
    }
    return OK;
}

err accept_register(struct accept *a, int64_t repo_id, bool *inserted) {
    struct register_arg g = {.a = a, .repo_id = repo_id};
    TRY(db_write(a->x->store, register_tx, &g));
    *inserted = g.inserted;
    return OK;
}

void accept_release(struct accept *a) {
    for (uint32_t i = 0; a->files != NULL && i < a->n_files; i++) reg_file_release(&a->files[i]);
    free(a->files);
    free(a->known);
    free(a->claimed);
}
