/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c — plain bytes into the store (LFS, git, server-side copies).
 *
 * The caller fills one block of 1 MiB while the block before it is being worked on by two jobs at once:
 * SHA-256, and chunking with everything behind it. So two blocks are in flight, never more.
 *
 * Commit: last block, last xorb, SHA-256 and size compared; new xorbs renamed into place (they were
 * synced when sealed); then one transaction records xorbs, file and binding. Until that transaction
 * nothing of the file can be seen; a crash leaves files under DATA/tmp (swept) or unnamed xorb files
 * (removed by gc).
 */
#include "base/hex.h"
#include "xet/pack.h"

struct xet_writer {
    struct xet *x;
    struct pack pack;
    struct hasher *sha;
    uint8_t *block[2];
    size_t n_fill; /* in block[fill] */
    unsigned fill;
    size_t n_busy; /* in the other block, while the jobs run */
    struct xjob job_sha, job_pack;
    err failed;
};

err xet_writer_open(struct xet *x, struct xet_writer **out) {
    TRY(xet_mem_try(x, XET_WRITER_MIB));
    struct xet_writer *w = calloc(1, sizeof *w);
    err e = w == NULL ? err_fail(E_NOMEM, "not enough memory to store a file") : OK;
    if (e == OK) {
        w->x = x;
        w->sha = hasher_new("SHA256");
        for (unsigned i = 0; e == OK && i < 2; i++)
            if ((w->block[i] = malloc(CHUNKER_BLOCK_MAX)) == NULL)
                e = err_fail(E_NOMEM, "not enough memory to store a file");
        if (e == OK) e = pack_init(&w->pack, x);
    }
    if (e != OK) {
        if (w != NULL) xet_writer_abort(w);
        else xet_mem_give(x, XET_WRITER_MIB);
        return e;
    }
    *out = w;
    return OK;
}

static err do_sha(void *arg) {
    struct xet_writer *w = arg;
    hasher_add(w->sha, w->block[1 - w->fill], w->n_busy);
    return OK;
}
static err do_pack(void *arg) {
    struct xet_writer *w = arg;
    return pack_add(&w->pack, w->block[1 - w->fill], w->n_busy);
}

static err jobs_wait(struct xet_writer *w) {
    err a = xjob_wait(&w->job_sha), b = xjob_wait(&w->job_pack); /* both, whatever the first says */
    return a != OK ? a : b;
}

/* Hand the filled block over to the pool. */
static err submit(struct xet_writer *w) {
    TRY(jobs_wait(w));
    w->fill = 1 - w->fill;
    w->n_busy = w->n_fill;
    w->n_fill = 0;
    TRY(xjob_start(&w->job_sha, do_sha, w));
    return xjob_start(&w->job_pack, do_pack, w);
}

err xet_writer_add(struct xet_writer *w, const void *data, size_t n) {
    if (w->failed != OK) return err_fail(w->failed, "this file could not be stored: an earlier part of it failed");
    const uint8_t *p = data;
    while (n > 0) {
        size_t k = MIN(n, CHUNKER_BLOCK_MAX - w->n_fill);
        memcpy(w->block[w->fill] + w->n_fill, p, k);
        w->n_fill += k;
        p += k;
        n -= k;
        if (w->n_fill == CHUNKER_BLOCK_MAX) {
            w->failed = submit(w);
            if (w->failed != OK) return w->failed;
        }
    }
    return OK;
}

struct commit_arg {
    struct xet_writer *w;
    struct xet *x;
    int64_t repo_id;
    struct str expect_sha;
    uint64_t expect_size;
    struct reg_file reg;
};

static err digest_check(const struct commit_arg *c) {
    const struct xfile *f = &c->reg.f;
    if (c->expect_size != UINT64_MAX && f->size != c->expect_size)
        return err_fail(E_UNPROCESSABLE, "the file has %llu bytes, but %llu were announced; nothing was stored",
                        (unsigned long long)f->size, (unsigned long long)c->expect_size);
    if (c->expect_sha.n == 0) return OK;
    uint8_t want[32];
    if (!hex_decode(c->expect_sha, want, 32)) return err_fail(E_BAD_REQUEST, "a SHA-256 must be 64 hexadecimal digits");
    if (memcmp(want, f->sha256, 32) == 0) return OK;
    char got[65];
    hex_encode(f->sha256, 32, got);
    return err_fail(E_UNPROCESSABLE, "the bytes have SHA-256 %s, not the announced one; nothing was stored", got);
}

/* [work] Everything up to the transaction. */
static err finish(void *arg) {
    struct commit_arg *c = arg;
    struct pack *p = &c->w->pack;
    TRY(pack_finish(p, &c->reg.f.hash));
    hasher_done(c->w->sha, c->reg.f.sha256);
    c->w->sha = NULL;
    c->reg.f.size = p->size;
    TRY(digest_check(c));
    c->reg.f.terms = p->terms;
    c->reg.f.n_terms = p->n_terms;
    p->terms = NULL;
    p->n_terms = 0;
    c->reg.first_chunk = p->first_chunk;
    TRY(reg_file_fill(&c->reg));
    for (size_t i = 0; i < p->n_xorbs; i++) {
        TRY(xorb_publish(c->x, p->xorbs[i].tmp_id, &p->xorbs[i].reg.hash));
        p->xorbs[i].tmp_id = 0;
    }
    return OK;
}

static err commit_tx(struct db *d, void *arg) {
    struct commit_arg *c = arg;
    struct pack *p = &c->w->pack;
    bool inserted;
    for (size_t i = 0; i < p->n_xorbs; i++) TRY(xet_db_xorb_put(d, c->x, &p->xorbs[i].reg, &inserted));
    return xet_db_file_put(d, c->repo_id, &c->reg, &inserted);
}

static err commit(struct commit_arg *c) {
    struct xet_writer *w = c->w;
    if (w->failed != OK) return err_fail(w->failed, "this file could not be stored: an earlier part of it failed");
    if (w->n_fill > 0) TRY(submit(w));
    TRY(jobs_wait(w));
    TRY(work_run(finish, c));
    return db_write(w->x->store, commit_tx, c);
}

err xet_writer_commit(struct xet_writer *w, int64_t repo_id, struct str expect_sha256, uint64_t expect_size,
                      struct xet_file *out) {
    struct commit_arg c = {
        .w = w, .x = w->x, .repo_id = repo_id, .expect_sha = expect_sha256, .expect_size = expect_size};
    err e = commit(&c);
    if (e == OK) {
        memcpy(out->sha256, c.reg.f.sha256, 32);
        out->hash = c.reg.f.hash;
        out->size = c.reg.f.size;
    }
    reg_file_release(&c.reg);
    xet_writer_abort(w);
    return e;
}

void xet_writer_abort(struct xet_writer *w) {
    if (w == NULL) return;
    IGNORE_ERR(jobs_wait(w)); /* only their memory matters now */
    if (w->pack.x != NULL) pack_release(&w->pack);
    hasher_free(w->sha);
    free(w->block[0]);
    free(w->block[1]);
    if (w->x != NULL) xet_mem_give(w->x, XET_WRITER_MIB);
    free(w);
}
