/* SPDX-License-Identifier: Apache-2.0 */
/* known.c — see known.h. */
#include "xet/known.h"

#include "xet/xet_db.h"

enum { NEIGHBOURS = 8 };

err known_init(struct known *k, struct xet *x) {
    memset(k, 0, sizeof *k);
    k->x = x;
    k->slots = calloc(KNOWN_SLOTS, sizeof *k->slots);
    if (k->slots == NULL) return err_fail(E_NOMEM, "not enough memory to store a file");
    k->xorbs[0].open = true;
    k->n_xorbs = 1;
    return OK;
}

static void drop_all(struct known *k) {
    for (uint32_t i = 1; i < k->n_xorbs; i++) free(k->xorbs[i].e);
    k->n_xorbs = 1;
    k->n_slots_used = 0;
    memset(k->slots, 0, KNOWN_SLOTS * sizeof *k->slots);
}

void known_release(struct known *k) {
    if (k->slots != NULL) drop_all(k);
    free(k->slots);
    k->slots = NULL;
}

static uint32_t tag_of(const struct xet_hash *h) {
    uint32_t v;
    memcpy(&v, h->b, sizeof v);
    return v == 0 ? 1 : v;
}

static void slot_put(struct known *k, uint32_t xorb, uint32_t chunk) {
    uint32_t tag = tag_of(&k->xorbs[xorb].e[chunk].hash), i = tag % KNOWN_SLOTS;
    while (k->slots[i].tag != 0) i = (i + 1) % KNOWN_SLOTS;
    k->slots[i] = (struct known_slot){tag, (uint16_t)xorb, (uint16_t)chunk};
    k->n_slots_used++;
}

/* Room for n more chunks and one more xorb; empties the table when there is none. */
static void make_room(struct known *k, uint32_t n) {
    if (k->n_slots_used + n <= KNOWN_FILL && k->n_xorbs < KNOWN_XORBS) return;
    drop_all(k);
    for (uint32_t i = 0; i < k->xorbs[0].n; i++) slot_put(k, 0, i);
}

void known_open_set(struct known *k, struct xorb_entry *e) {
    k->xorbs[0].e = e;
    k->xorbs[0].n = 0;
}

void known_open_add(struct known *k, uint32_t n) {
    if (k->n_slots_used + 1 > KNOWN_FILL) make_room(k, 1);
    slot_put(k, 0, n - 1);
    k->xorbs[0].n = n;
}

/* Add a list that is sealed; takes e over. */
static void xorb_add(struct known *k, const struct xet_hash *h, struct xorb_entry *e, uint32_t n) {
    make_room(k, n);
    uint32_t at = k->n_xorbs++;
    k->xorbs[at] = (struct known_xorb){*h, e, n, false};
    for (uint32_t i = 0; i < n; i++) slot_put(k, at, i);
}

err known_open_seal(struct known *k, const struct xet_hash *h) {
    uint32_t n = k->xorbs[0].n;
    struct xorb_entry *e = malloc(n * sizeof *e);
    if (e == NULL) return err_fail(E_NOMEM, "not enough memory to store a file");
    memcpy(e, k->xorbs[0].e, n * sizeof *e);
    k->xorbs[0].n = 0;
    /* The open list's slots would point at chunks that are about to be overwritten. */
    for (uint32_t i = 0; i < KNOWN_SLOTS; i++)
        if (k->slots[i].tag != 0 && k->slots[i].xorb == 0) k->slots[i].chunk = UINT16_MAX;
    xorb_add(k, h, e, n);
    return OK;
}

const struct known_xorb *known_find(const struct known *k, const struct xet_hash *h, uint32_t *chunk) {
    uint32_t tag = tag_of(h);
    for (uint32_t i = tag % KNOWN_SLOTS; k->slots[i].tag != 0; i = (i + 1) % KNOWN_SLOTS) {
        const struct known_slot *s = &k->slots[i];
        const struct known_xorb *x = &k->xorbs[s->xorb];
        if (s->tag == tag && s->chunk < x->n && xhash_eq(&x->e[s->chunk].hash, h)) {
            *chunk = s->chunk;
            return x;
        }
    }
    return NULL;
}

const struct known_xorb *known_continue(const struct known *k, const struct xet_hash *prev, bool prev_open,
                                        uint32_t after, const struct xet_hash *h, uint32_t *chunk) {
    for (uint32_t i = 0; i < k->n_xorbs; i++) {
        const struct known_xorb *x = &k->xorbs[i];
        bool same = x->open ? prev_open : !prev_open && xhash_eq(&x->hash, prev);
        if (!same) continue;
        if (after < x->n && xhash_eq(&x->e[after].hash, h)) {
            *chunk = after;
            return x;
        }
        break;
    }
    return known_find(k, h, chunk);
}

static bool loaded(const struct known *k, const struct xet_hash *h) {
    for (uint32_t i = 1; i < k->n_xorbs; i++)
        if (xhash_eq(&k->xorbs[i].hash, h)) return true;
    return false;
}

/* A xorb that cannot be read is simply not used for dedup; fsck tells about it. */
static void load(struct known *k, const struct xet_hash *h) {
    struct xorb xo;
    if (loaded(k, h) || xorb_open(k->x, h, &xo) != OK) return;
    struct xorb_entry *e = xo.e;
    uint32_t n = xo.n;
    xo.e = NULL;
    xorb_close(&xo);
    xorb_add(k, h, e, n);
}

/* The xorbs that follow `h` in a file that uses it: the rest of a similar file is probably there. */
static err load_neighbours(struct known *k, int64_t xorb_id, const struct xet_hash *h) {
    struct scope_ids file;
    size_t n;
    struct xfile f;
    struct db *d = db_reader(k->x->store);
    TRY(xet_db_xorb_files(d, xorb_id, NULL, &file, 1, &n));
    if (n == 0) return OK;
    TRY(xet_db_file_load(d, &file.hash, &f));
    unsigned left = NEIGHBOURS;
    bool seen = false;
    for (uint32_t i = 0; i < f.n_terms && left > 0; i++) {
        if (!seen) seen = xhash_eq(&f.terms[i].xorb, h);
        else if (!loaded(k, &f.terms[i].xorb)) {
            load(k, &f.terms[i].xorb);
            left--;
        }
    }
    xfile_release(&f);
    return OK;
}

err known_ask(struct known *k, const struct xet_hash *h) {
    struct scope_ids hit;
    size_t n;
    TRY(xet_db_chunk_xorbs(db_reader(k->x->store), h, &hit, 1, &n));
    if (n == 0) return OK;
    load(k, &hit.hash);
    return load_neighbours(k, hit.id, &hit.hash);
}
