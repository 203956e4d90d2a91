/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.c — rebuilding a range of a file from its terms.
 *
 * A window is a run of whole decoded chunks (the first and last are trimmed to the range); it is filled
 * in the work pool. While the caller uses one window the next is being filled: two windows at most.
 * Every chunk is hashed against the side index before a byte of it leaves.
 */
#include "xet/reader.h"

#include "xet/xet_db.h"

enum { WINDOW = 1024 * 1024, INPUT = 512 * 1024 };

struct window {
    uint8_t *p; /* WINDOW + one chunk */
    size_t n, at;
};
struct xet_reader {
    struct xet *x;
    struct xfile f;
    uint64_t pos, end; /* of the file: the next byte to decode, and where to stop */
    bool verify;
    uint32_t term;       /* the term that holds pos */
    uint64_t term_start; /* file offset of its first byte */
    struct xorb_cache cache;
    struct chunk_scratch scratch;
    uint8_t *in;     /* INPUT + one stored chunk */
    uint64_t in_off; /* region offset of in[0] */
    size_t n_in;
    struct xet_hash in_xorb;
    struct window win[2];
    unsigned cur;    /* the window the caller reads */
    struct xjob job; /* fills win[1 - cur] */
};

static err locate(struct xet_reader *r) {
    while (r->term < r->f.n_terms && r->pos >= r->term_start + r->f.terms[r->term].raw_bytes) {
        r->term_start += r->f.terms[r->term].raw_bytes;
        r->term++;
    }
    if (r->term < r->f.n_terms) return OK;
    return err_fail(E_CORRUPT, "the terms of a stored file are shorter than the file; run ballast fsck");
}

/* The chunk of [first, end) that holds raw offset `at` of the xorb. */
static uint32_t chunk_at(const struct xorb *xo, uint32_t first, uint32_t end, uint64_t at) {
    while (end - first > 1) {
        uint32_t mid = first + (end - first) / 2;
        if (xorb_raw_start(xo, mid) <= at) first = mid;
        else end = mid;
    }
    return first;
}

/* Make the stored bytes of chunk i available in r->in; reads ahead up to the term's end. */
static err input_fill(struct xet_reader *r, const struct xorb *xo, uint32_t i, const struct term *t,
                      const uint8_t **stored) {
    uint64_t from = xorb_phys_start(xo, i), to = xo->e[i].phys_end;
    bool have = xhash_eq(&r->in_xorb, &xo->hash) && from >= r->in_off && to <= r->in_off + r->n_in;
    if (!have) {
        uint64_t limit = MAX(to, MIN((uint64_t)xo->e[t->end - 1].phys_end, from + INPUT));
        r->n_in = 0;
        TRY(xorb_pread(xo, r->in, (size_t)(limit - from), from));
        r->in_off = from;
        r->n_in = (size_t)(limit - from);
        r->in_xorb = xo->hash;
    }
    *stored = r->in + (from - r->in_off);
    return OK;
}

static err term_sane(const struct xorb *xo, const struct term *t) {
    if (t->first < t->end && t->end <= xo->n &&
        xo->e[t->end - 1].raw_end - xorb_raw_start(xo, t->first) == t->raw_bytes)
        return OK;
    return err_fail(E_CORRUPT, "a term of a stored file does not fit its xorb; run ballast fsck");
}

/* Append the wanted part of the chunk that holds r->pos to w. */
static err chunk_append(struct xet_reader *r, struct window *w) {
    TRY(locate(r));
    const struct term *t = &r->f.terms[r->term];
    const struct xorb *xo;
    TRY(xorb_cache_get(&r->cache, &t->xorb, &xo));
    TRY(term_sane(xo, t));
    uint64_t raw_at = xorb_raw_start(xo, t->first) + (r->pos - r->term_start);
    uint32_t i = chunk_at(xo, t->first, t->end, raw_at);
    const uint8_t *stored, *raw;
    uint32_t n_raw;
    TRY(input_fill(r, xo, i, t, &stored));
    TRY(xorb_chunk_decode(xo, i, stored, r->verify, &r->scratch, &raw, &n_raw));
    size_t skip = (size_t)(raw_at - xorb_raw_start(xo, i));
    size_t n = (size_t)MIN((uint64_t)(n_raw - skip), r->end - r->pos);
    memcpy(w->p + w->n, raw + skip, n);
    w->n += n;
    r->pos += n;
    return OK;
}

static err window_fill(void *arg) {
    struct xet_reader *r = arg;
    struct window *w = &r->win[1 - r->cur];
    w->n = w->at = 0;
    if (w->p == NULL && (w->p = malloc(WINDOW + CHUNK_RAW_MAX)) == NULL)
        return err_fail(E_NOMEM, "not enough memory to read a file");
    if (r->in == NULL && (r->in = malloc(INPUT + CHUNK_HEAD + CHUNK_STORED_MAX)) == NULL)
        return err_fail(E_NOMEM, "not enough memory to read a file");
    while (w->n < WINDOW && r->pos < r->end) TRY(chunk_append(r, w));
    return OK;
}

static err open_range(struct xet *x, struct xfile *f, uint64_t off, uint64_t len, bool verify,
                      struct xet_reader **out) {
    if (off > f->size || len > f->size - off)
        return err_fail(E_RANGE, "bytes %llu to %llu lie outside the file of %llu bytes", (unsigned long long)off,
                        (unsigned long long)(off + len), (unsigned long long)f->size);
    struct xet_reader *r = calloc(1, sizeof *r);
    if (r == NULL) return err_fail(E_NOMEM, "not enough memory to read a file");
    err e = xet_mem_try(x, XET_READER_MIB);
    if (e != OK) {
        free(r);
        return e;
    }
    r->x = x;
    r->f = *f;
    *f = (struct xfile){0};
    r->pos = off;
    r->end = off + len;
    r->verify = verify;
    xorb_cache_init(&r->cache, x);
    *out = r;
    return OK;
}

err xreader_open_file(struct xet *x, struct xfile *f, bool verify, struct xet_reader **out) {
    return open_range(x, f, 0, f->size, verify, out);
}

err xet_reader_open(struct xet *x, const struct xet_file *f, uint64_t off, uint64_t len, struct xet_reader **out) {
    struct xfile xf;
    TRY(xet_db_file_load(db_reader(x->store), &f->hash, &xf));
    err e = open_range(x, &xf, off, len, true, out);
    xfile_release(&xf); /* empty unless it failed */
    return e;
}

/* The window under the caller's eyes is used up: wait for the next one and start the one after it. */
static err advance(struct xet_reader *r) {
    if (!r->job.pending) TRY(xjob_start(&r->job, window_fill, r));
    TRY(xjob_wait(&r->job));
    r->cur = 1 - r->cur;
    if (r->pos < r->end) TRY(xjob_start(&r->job, window_fill, r));
    return OK;
}

err xet_reader_next(struct xet_reader *r, struct str *out) {
    struct window *w = &r->win[r->cur];
    w->at = w->n;
    *out = STR_NULL;
    if (!r->job.pending && r->pos >= r->end) return OK; /* pos is the job's while one runs */
    TRY(advance(r));
    w = &r->win[r->cur];
    w->at = w->n;
    *out = str_make(w->p, w->n);
    return OK;
}

err xet_reader_read(struct xet_reader *r, void *p, size_t cap, size_t *n) {
    struct window *w = &r->win[r->cur];
    *n = 0;
    if (w->at == w->n) {
        if (!r->job.pending && r->pos >= r->end) return OK; /* pos is the job's while one runs */
        TRY(advance(r));
        w = &r->win[r->cur];
    }
    *n = MIN(cap, w->n - w->at);
    memcpy(p, w->p + w->at, *n);
    w->at += *n;
    return OK;
}

void xet_reader_close(struct xet_reader *r) {
    if (r == NULL) return;
    IGNORE_ERR(xjob_wait(&r->job)); /* its result is of no interest any more, its memory is */
    xorb_cache_release(&r->cache);
    xet_mem_give(r->x, XET_READER_MIB);
    free(r->win[0].p);
    free(r->win[1].p);
    free(r->in);
    xfile_release(&r->f);
    free(r);
}
