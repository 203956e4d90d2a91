/* SPDX-License-Identifier: Apache-2.0 */
/* pack.c — see pack.h. */
#include "xet/pack.h"

#include "xet/shard.h"

enum { OUT_BUF = 512 * 1024, OPEN_MARK = 1 /* in term.zero while the xorb's hash is not known */ };
/* Beyond this many terms a file is only appended to: dedup that shreds it further would cost readers too much. */
enum { TERMS_DEDUP_MAX = SHARD_TERMS_MAX / 2 };

err pack_init(struct pack *p, struct xet *x) {
    memset(p, 0, sizeof *p);
    p->x = x;
    chunker_init(&p->chunker);
    merkle_init(&p->file);
    TRY(chunk_encoder_init(&p->enc));
    TRY(known_init(&p->known, x));
    p->e = malloc(XORB_CHUNKS_MAX * sizeof *p->e);
    p->buf = malloc(OUT_BUF + CHUNK_HEAD + CHUNK_RAW_MAX);
    if (p->e == NULL || p->buf == NULL) return err_fail(E_NOMEM, "not enough memory to store a file");
    known_open_set(&p->known, p->e);
    return OK;
}

void pack_release(struct pack *p) {
    if (p->out_open) xorb_out_abort(&p->out);
    for (size_t i = 0; i < p->n_xorbs; i++) {
        if (p->xorbs[i].tmp_id != 0) xorb_tmp_remove(p->x, p->xorbs[i].tmp_id);
        reg_xorb_release(&p->xorbs[i].reg);
    }
    free(p->xorbs);
    free(p->terms);
    free(p->e);
    free(p->buf);
    chunk_encoder_release(&p->enc);
    known_release(&p->known);
}

static err flush(struct pack *p) {
    size_t n = p->n_buf;
    p->n_buf = 0;
    return n > 0 ? xorb_out_write(&p->out, p->buf, n) : OK;
}

static err xorb_note(struct pack *p, const struct xet_hash *h) {
    if (p->n_xorbs == p->cap_xorbs) {
        size_t cap = p->cap_xorbs == 0 ? 16 : p->cap_xorbs * 2;
        struct pack_xorb *v = realloc(p->xorbs, cap * sizeof *v);
        if (v == NULL) return err_fail(E_NOMEM, "not enough memory to store a file");
        p->xorbs = v;
        p->cap_xorbs = cap;
    }
    struct pack_xorb *px = &p->xorbs[p->n_xorbs];
    TRY(reg_xorb_fill(&px->reg, h, p->e, p->n_e));
    px->tmp_id = p->out.id;
    p->n_xorbs++;
    return OK;
}

/* Give the open xorb its hash, put it on disk (still under DATA/tmp), name it in the terms that use it. */
static err seal(struct pack *p) {
    if (!p->out_open) return OK;
    struct xet_hash h;
    TRY(flush(p));
    xorb_entries_root(p->e, p->n_e, &h);
    TRY(xorb_out_seal(&p->out, &h, p->e, p->n_e, p->region_len, p->raw_len));
    TRY(xorb_note(p, &h));
    p->out_open = false;
    for (uint32_t i = p->first_term_of_out; i < p->n_terms; i++) {
        if (p->terms[i].zero != OPEN_MARK) continue;
        p->terms[i].xorb = h;
        p->terms[i].zero = 0;
    }
    TRY(known_open_seal(&p->known, &h));
    p->n_e = 0;
    p->region_len = p->raw_len = 0;
    return OK;
}

/* The file goes on with chunk i of a list of entries. */
static err term_add(struct pack *p, const struct xet_hash *xorb, bool open, const struct xorb_entry *e, uint32_t i) {
    uint32_t raw = e[i].raw_end - (i > 0 ? e[i - 1].raw_end : 0);
    struct term *last = p->n_terms > 0 ? &p->terms[p->n_terms - 1] : NULL;
    if (last != NULL && last->end == i && (last->zero == OPEN_MARK) == open && (open || xhash_eq(&last->xorb, xorb))) {
        last->end++;
        last->raw_bytes += raw;
        last->phys_end = e[i].phys_end;
        return OK;
    }
    if (p->n_terms == SHARD_TERMS_MAX)
        return err_fail(E_LIMIT, "the file falls into more than %d pieces; nothing was stored", (int)SHARD_TERMS_MAX);
    if (p->n_terms == p->cap_terms) {
        uint32_t cap = MIN(p->cap_terms == 0 ? 64U : p->cap_terms * 2, (uint32_t)SHARD_TERMS_MAX);
        struct term *v = realloc(p->terms, cap * sizeof *v);
        if (v == NULL) return err_fail(E_NOMEM, "not enough memory to store a file");
        p->terms = v;
        p->cap_terms = cap;
    }
    p->terms[p->n_terms++] = (struct term){.xorb = open ? (struct xet_hash){{0}} : *xorb,
                                           .first = i,
                                           .end = i + 1,
                                           .raw_bytes = raw,
                                           .phys_start = i > 0 ? e[i - 1].phys_end : 0,
                                           .phys_end = e[i].phys_end,
                                           .zero = open ? OPEN_MARK : 0};
    return OK;
}

/* A chunk nobody has: into the open xorb. */
static err append(struct pack *p, const struct xet_hash *h, const uint8_t *raw, size_t n) {
    if (p->out_open && (p->raw_len + n > XORB_RAW_MAX || p->n_e == XORB_CHUNKS_MAX)) TRY(seal(p));
    if (!p->out_open) {
        TRY(xorb_out_open(p->x, &p->out));
        p->out_open = true;
        p->first_term_of_out = p->n_terms;
    }
    size_t k = chunk_encode(&p->enc, raw, n, p->buf + p->n_buf);
    p->n_buf += k;
    p->region_len += k;
    p->raw_len += n;
    p->e[p->n_e++] = (struct xorb_entry){*h, (uint32_t)p->region_len, (uint32_t)p->raw_len};
    known_open_add(&p->known, p->n_e);
    TRY(term_add(p, NULL, true, p->e, p->n_e - 1));
    return p->n_buf >= OUT_BUF ? flush(p) : OK;
}

static const struct known_xorb *lookup(struct pack *p, const struct xet_hash *h, uint32_t *i) {
    if (p->n_terms >= TERMS_DEDUP_MAX) return NULL;
    if (p->n_terms == 0) return known_find(&p->known, h, i);
    const struct term *last = &p->terms[p->n_terms - 1];
    return known_continue(&p->known, &last->xorb, last->zero == OPEN_MARK, last->end, h, i);
}

static err chunk(struct pack *p, const uint8_t *raw, size_t n) {
    struct xet_hash h;
    uint32_t i;
    xhash_chunk(raw, n, &h);
    merkle_add(&p->file, &h, n);
    bool first = p->size == 0;
    if (first) p->first_chunk = h;
    p->size += n;
    const struct known_xorb *x = lookup(p, &h, &i);
    if (x == NULL && (first || xhash_eligible(&h))) {
        TRY(known_ask(&p->known, &h));
        x = lookup(p, &h, &i);
    }
    if (x == NULL) return append(p, &h, raw, n);
    return term_add(p, &x->hash, x->open, x->e, i);
}

err pack_add(struct pack *p, const uint8_t *data, size_t n) {
    uint32_t cuts[CHUNKER_CUTS_MAX];
    size_t n_cuts = chunker_feed(&p->chunker, data, n, cuts), at = 0;
    for (size_t i = 0; i < n_cuts; i++) {
        size_t len = cuts[i] - at;
        if (p->n_carry > 0) {
            memcpy(p->carry + p->n_carry, data + at, len);
            TRY(chunk(p, p->carry, p->n_carry + len));
            p->n_carry = 0;
        } else {
            TRY(chunk(p, data + at, len));
        }
        at = cuts[i];
    }
    memcpy(p->carry + p->n_carry, data + at, n - at);
    p->n_carry += n - at;
    return OK;
}

err pack_finish(struct pack *p, struct xet_hash *hash) {
    if (p->n_carry > 0) TRY(chunk(p, p->carry, p->n_carry));
    p->n_carry = 0;
    TRY(seal(p));
    merkle_file(&p->file, hash);
    return OK;
}
