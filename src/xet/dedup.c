/* SPDX-License-Identifier: Apache-2.0 */
/* dedup.c — see dedup.h. */
#include "xet/dedup.h"

#include "xet/xorb_file.h"

struct seen { /* a xorb of the reply and which of its chunks may be told of */
    struct xet_hash hash;
    uint8_t bits[XORB_CHUNKS_MAX / 8];
};
struct around {
    struct seen xorb[DEDUP_XORBS_MAX];
    unsigned n;
    struct xfile files[DEDUP_FILES_MAX];
    unsigned n_files;
};

static struct seen *find(struct around *a, const struct xet_hash *h) {
    for (unsigned i = 0; i < a->n; i++)
        if (xhash_eq(&a->xorb[i].hash, h)) return &a->xorb[i];
    return NULL;
}

static void xorb_note(struct around *a, const struct xet_hash *h) {
    if (a->n == DEDUP_XORBS_MAX || find(a, h) != NULL) return;
    memset(&a->xorb[a->n], 0, sizeof a->xorb[a->n]);
    a->xorb[a->n++].hash = *h;
}

static bool covers(const struct around *a, const struct xet_hash *xorb, uint32_t chunk) {
    for (unsigned k = 0; k < a->n_files; k++)
        for (uint32_t i = 0; i < a->files[k].n_terms; i++) {
            const struct term *t = &a->files[k].terms[i];
            if (chunk >= t->first && chunk < t->end && xhash_eq(&t->xorb, xorb)) return true;
        }
    return false;
}

static err files_load(struct dedup *d, int64_t xorb_id, struct around *a) {
    struct scope_ids ids[DEDUP_FILES_MAX];
    size_t n;
    struct db *db = db_reader(d->x->store);
    TRY(xet_db_xorb_files(db, xorb_id, &d->scope, ids, DEDUP_FILES_MAX, &n));
    for (size_t i = 0; i < n; i++) {
        err e = xet_db_file_load(db, &ids[i].hash, &a->files[a->n_files]);
        if (e == E_NOT_FOUND) continue;
        TRY(e);
        a->n_files++;
    }
    return OK;
}

static void files_drop(struct around *a) {
    for (unsigned i = 0; i < a->n_files; i++) xfile_release(&a->files[i]);
    a->n_files = 0;
}

/* Does this xorb hold the chunk in a place that a readable file covers? */
static err hit(struct dedup *d, const struct scope_ids *cand, struct around *a, bool *yes) {
    struct xorb xo;
    *yes = false;
    TRY(files_load(d, cand->id, a));
    if (a->n_files == 0) return OK;
    TRY(xorb_open(d->x, &cand->hash, &xo));
    for (uint32_t i = 0; i < xo.n && !*yes; i++) *yes = xhash_eq(&xo.e[i].hash, &d->chunk) && covers(a, &cand->hash, i);
    xorb_close(&xo);
    return OK;
}

/* The hit xorb first, then what follows it in the files, then what precedes. */
static void surround(struct around *a, const struct xet_hash *center) {
    xorb_note(a, center);
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned k = 0; k < a->n_files; k++) {
            bool behind = false;
            for (uint32_t i = 0; i < a->files[k].n_terms && a->n < DEDUP_XORBS_MAX; i++) {
                behind |= xhash_eq(&a->files[k].terms[i].xorb, center);
                if (behind || pass == 1) xorb_note(a, &a->files[k].terms[i].xorb);
            }
        }
    for (unsigned k = 0; k < a->n_files; k++)
        for (uint32_t i = 0; i < a->files[k].n_terms; i++) {
            const struct term *t = &a->files[k].terms[i];
            struct seen *s = find(a, &t->xorb);
            for (uint32_t c = t->first; s != NULL && c < t->end && c < XORB_CHUNKS_MAX; c++)
                s->bits[c / 8] |= (uint8_t)(1 << (c % 8));
        }
}

/* Hidden chunks get a hash under a secret of ours, so their number and lengths stay right for the client's arithmetic.
 */
static err xorb_put(struct dedup *d, const struct seen *s, const uint8_t key[32], uint32_t *chunks_left) {
    struct xorb xo;
    TRY(xorb_open(d->x, &s->hash, &xo));
    if (xo.n <= *chunks_left) {
        shard_put_xorb(d->out, &s->hash, xo.n, (uint32_t)xo.raw_len, (uint32_t)xo.region_len);
        for (uint32_t i = 0; i < xo.n; i++) {
            bool told = s->bits[i / 8] & (1 << (i % 8));
            struct xet_hash h;
            xhash_hmac(told ? key : d->x->key_dedup, &xo.e[i].hash, &h);
            shard_put_chunk(d->out, &h, xorb_raw_start(&xo, i), xo.e[i].raw_end - xorb_raw_start(&xo, i),
                            told && xhash_eligible(&xo.e[i].hash));
        }
        *chunks_left -= xo.n;
    }
    xorb_close(&xo);
    return OK;
}

static err reply(struct dedup *d, const struct around *a) {
    struct shard_key k;
    xet_dedup_key(d->x, d->now_s, k.key, &k.created_s, &k.expires_s);
    uint32_t left = DEDUP_CHUNKS_MAX;
    shard_put_head(d->out, SHARD_FOOTER);
    shard_put_bookend(d->out);
    size_t xorb_off = d->out->n;
    for (unsigned i = 0; i < a->n; i++) {
        err e = xorb_put(d, &a->xorb[i], k.key, &left);
        if (e != OK && i == 0) return e; /* a neighbour that cannot be read is left out */
    }
    shard_put_bookend(d->out);
    shard_put_footer(d->out, xorb_off, &k);
    return buf_ok(d->out, "the dedup reply");
}

static err answer(struct dedup *d, struct around *a) {
    struct scope_ids cand[8];
    size_t n;
    TRY(xet_db_chunk_xorbs(db_reader(d->x->store), &d->chunk, cand, ARRAY_LEN(cand), &n));
    for (size_t i = 0; i < n; i++) {
        bool yes;
        TRY(hit(d, &cand[i], a, &yes));
        if (yes) {
            surround(a, &cand[i].hash);
            return reply(d, a);
        }
        files_drop(a);
    }
    return err_fail(E_NOT_FOUND, "no readable file holds this chunk");
}

err dedup_answer(void *arg) {
    struct dedup *d = arg;
    struct around *a = calloc(1, sizeof *a);
    if (a == NULL) return err_fail(E_NOMEM, "not enough memory for a dedup reply");
    err e = answer(d, a);
    files_drop(a);
    free(a);
    return e;
}
