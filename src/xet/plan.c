/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c — see plan.h. */
#include "xet/plan.h"

bool plan_select(const struct xfile *f, uint64_t off, uint64_t len, uint32_t *first, uint32_t *n, uint64_t *start) {
    uint64_t at = 0;
    uint32_t i = 0;
    while (i < f->n_terms && at + f->terms[i].raw_bytes <= off) at += f->terms[i++].raw_bytes;
    *first = i;
    *start = at;
    while (i < f->n_terms && at < off + len) at += f->terms[i++].raw_bytes;
    *n = i - *first;
    return at >= off + len;
}

uint32_t plan_trim(struct term *t, const struct xorb *xo, uint32_t from, uint32_t to) {
    uint32_t base = xorb_raw_start(xo, t->first), a = t->first, b = t->end;
    while (a + 1 < b && xo->e[a].raw_end - base <= from) a++;
    while (b > a + 1 && xorb_raw_start(xo, b - 1) - base >= to) b--;
    uint32_t cut = xorb_raw_start(xo, a) - base;
    t->first = a;
    t->end = b;
    t->raw_bytes = xo->e[b - 1].raw_end - xorb_raw_start(xo, a);
    t->phys_start = xorb_phys_start(xo, a);
    t->phys_end = xo->e[b - 1].phys_end;
    return cut;
}

static int fetch_cmp(const void *pa, const void *pb) {
    const struct fetch *a = pa, *b = pb;
    int c = memcmp(a->xorb.b, b->xorb.b, XET_HASH_LEN);
    if (c != 0) return c;
    return a->first < b->first ? -1 : a->first > b->first;
}

err plan_merge(struct plan *p) {
    p->fetch = malloc((p->n_terms + 1) * sizeof *p->fetch);
    if (p->fetch == NULL) return err_fail(E_NOMEM, "not enough memory to plan a download");
    for (uint32_t i = 0; i < p->n_terms; i++) {
        const struct term *t = &p->terms[i];
        p->fetch[i] = (struct fetch){t->xorb, t->first, t->end, t->phys_start, t->phys_end};
    }
    qsort(p->fetch, p->n_terms, sizeof *p->fetch, fetch_cmp);
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->n_terms; i++) {
        struct fetch *f = &p->fetch[i], *last = n > 0 ? &p->fetch[n - 1] : NULL;
        if (last != NULL && xhash_eq(&last->xorb, &f->xorb) &&
            f->first <= last->end) { /* chunks that touch, touch as bytes too */
            last->end = MAX(last->end, f->end);
            last->phys_end = MAX(last->phys_end, f->phys_end);
        } else {
            p->fetch[n++] = *f;
        }
    }
    p->n_fetch = n;
    return OK;
}

static err trim_term(struct xet *x, struct term *t, uint64_t from, uint64_t to, uint32_t *cut) {
    struct xorb xo;
    *cut = 0;
    if (from == 0 && to >= t->raw_bytes) return OK;
    TRY(xorb_open(x, &t->xorb, &xo));
    err e = t->end <= xo.n && t->first < t->end
                ? OK
                : err_fail(E_CORRUPT, "a term of a stored file does not fit its xorb; run ballast fsck");
    if (e == OK) *cut = plan_trim(t, &xo, (uint32_t)from, (uint32_t)MIN(to, (uint64_t)t->raw_bytes));
    xorb_close(&xo);
    return e;
}

err plan_make(struct xet *x, struct xfile *f, uint64_t off, uint64_t len, struct plan *out) {
    *out = (struct plan){0};
    uint32_t first, n, cut, none;
    uint64_t start;
    if (!plan_select(f, off, len, &first, &n, &start) || n == 0)
        return err_fail(E_CORRUPT, "the terms of a stored file are shorter than the file; run ballast fsck");
    out->terms = f->terms + first;
    out->n_terms = n;
    struct term *last = &out->terms[n - 1];
    uint64_t last_start = start;
    for (uint32_t i = 0; i + 1 < n; i++) last_start += out->terms[i].raw_bytes;
    if (n == 1) {
        TRY(trim_term(x, last, off - start, off + len - start, &cut));
    } else {
        TRY(trim_term(x, last, 0, off + len - last_start, &none));
        TRY(trim_term(x, &out->terms[0], off - start, UINT64_MAX, &cut));
    }
    out->skip = off - start - cut;
    return plan_merge(out);
}

void plan_release(struct plan *p) {
    free(p->fetch);
    p->fetch = NULL;
    p->n_fetch = 0;
}
