/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cas_xorb.c — POST and HEAD of a xorb.
 *
 * The body is read in blocks of 512 KiB: while one block is being checked and written in the work pool,
 * the next one is read from the socket. Memory of one upload is XET_INGEST_MIB, whatever its length.
 * A xorb that is already stored is checked all the same (a claim of having it is no upload), but not
 * written again.
 */
#include "xet/cas.h"

#include <unistd.h>

#include "xet/xorb_file.h"

struct ingest {
    struct xet *x;
    struct xet_hash hash;
    struct xorb_verify *v;
    struct xorb_out out;
    bool writing;
    uint8_t *block[2];
    size_t n_busy;
    unsigned busy; /* the block the job works on */
    struct xjob job;
    struct reg_xorb reg;
    bool inserted;
};

static err ingest_block(void *arg) {
    struct ingest *g = arg;
    TRY(xorb_verify_feed(g->v, g->block[g->busy], g->n_busy));
    return g->writing ? xorb_out_write(&g->out, g->block[g->busy], g->n_busy) : OK;
}

/* [work] Hash and footer; then the file goes into its place. */
static err ingest_finish(void *arg) {
    struct ingest *g = arg;
    struct xorb_verify *v = g->v;
    TRY(xorb_verify_done(v, &g->hash));
    if (!g->writing) return OK;
    TRY(reg_xorb_fill(&g->reg, &g->hash, v->e, v->n));
    TRY(xorb_out_seal(&g->out, &g->hash, v->e, v->n, v->region_len, v->raw_len));
    TRY(xorb_publish(g->x, g->out.id, &g->hash));
    g->writing = false; /* nothing left to remove on failure: an unnamed file is gc's business */
    return OK;
}

static err ingest_tx(struct db *d, void *arg) {
    struct ingest *g = arg;
    return xet_db_xorb_put(d, g->x, &g->reg, &g->inserted);
}

static err ingest_open(struct ingest *g) {
    bool known;
    TRY(xorb_verify_new(&g->v));
    for (unsigned i = 0; i < 2; i++)
        if ((g->block[i] = malloc(XET_BLOCK)) == NULL)
            return err_fail(E_NOMEM, "not enough memory for an upload; nothing was stored");
    TRY(xet_db_xorb_known(db_reader(g->x->store), &g->hash, &known));
    if (known && xorb_exists(g->x, &g->hash)) return OK;
    TRY(xorb_out_open(g->x, &g->out));
    g->writing = true;
    return OK;
}

/* Fill a block from the socket; *n = 0 at the end of the body. */
static err block_read(struct http_req *r, uint8_t *p, size_t *n) {
    *n = 0;
    while (*n < XET_BLOCK) {
        size_t k;
        TRY(http_body_read(r, p + *n, XET_BLOCK - *n, &k));
        if (k == 0) return OK;
        *n += k;
    }
    return OK;
}

static err ingest_body(struct http_req *r, struct ingest *g) {
    for (;;) {
        size_t n;
        unsigned next = 1 - g->busy;
        TRY(block_read(r, g->block[next], &n));
        TRY(xjob_wait(&g->job));
        if (n == 0) return OK;
        g->busy = next;
        g->n_busy = n;
        TRY(xjob_start(&g->job, ingest_block, g));
    }
}

static err ingest_run(struct http_req *r, struct ingest *g) {
    TRY(ingest_open(g));
    TRY(ingest_body(r, g));
    bool was_new = g->writing;
    TRY(work_run(ingest_finish, g));
    return was_new ? db_write(g->x->store, ingest_tx, g) : OK;
}

static void ingest_release(struct ingest *g) {
    IGNORE_ERR(xjob_wait(&g->job)); /* only its memory matters now */
    if (g->writing) xorb_out_abort(&g->out);
    xorb_verify_free(g->v);
    free(g->block[0]);
    free(g->block[1]);
    reg_xorb_release(&g->reg);
}

err cas_xorb_post(struct http_req *r) {
    struct cas c;
    TRY(cas_begin(r, true, &c));
    struct ingest *g = arena_new(r->arena, struct ingest);
    g->x = c.x;
    TRY(cas_hash(r, &g->hash));
    TRY(xet_mem_take(c.x, XET_INGEST_MIB));
    err e = ingest_run(r, g);
    bool inserted = g->inserted;
    ingest_release(g);
    xet_mem_give(c.x, XET_INGEST_MIB);
    if (e != OK) return e;
    return http_reply(r, 200, "application/json",
                      inserted ? STR("{\"was_inserted\":true}") : STR("{\"was_inserted\":false}"));
}

struct head_arg {
    struct xet *x;
    struct xet_hash hash;
    uint64_t region_len;
};
static err head_read(void *arg) {
    struct head_arg *h = arg;
    int fd;
    TRY(xorb_open_fd(h->x, &h->hash, &fd, &h->region_len));
    close(fd);
    return OK;
}

err cas_xorb_head(struct http_req *r) {
    struct cas c;
    TRY(cas_begin(r, false, &c));
    struct head_arg *h = arena_new(r->arena, struct head_arg);
    h->x = c.x;
    TRY(cas_hash(r, &h->hash));
    bool visible;
    TRY(xet_db_xorb_visible(db_reader(c.x->store), &h->hash, &c.scope, &visible));
    if (!visible) return err_fail(E_NOT_FOUND, "no such xorb is known to this token");
    TRY(work_run(head_read, h));
    TRY(http_begin(r, 200, "application/octet-stream", (int64_t)h->region_len));
    return http_end(r);
}
