/* SPDX-License-Identifier: Apache-2.0 */
/* xorb_verify.c — see xorb_verify.h. */
#include "xet/xorb_verify.h"

#include "xet/le.h"

static const uint8_t footer_ident[7] = {'X', 'E', 'T', 'B', 'L', 'O', 'B'};

err xorb_verify_new(struct xorb_verify **out) {
    struct xorb_verify *v = malloc(sizeof *v);
    if (v == NULL) return err_fail(E_NOMEM, "not enough memory to check a xorb");
    v->e = NULL;
    v->n = v->cap = 0;
    v->region_len = v->raw_len = 0;
    v->n_carry = 0;
    v->footer = NULL;
    v->n_footer = 0;
    *out = v;
    return OK;
}

void xorb_verify_free(struct xorb_verify *v) {
    if (v == NULL) return;
    free(v->e);
    free(v->footer);
    free(v);
}

static err bad_chunk(const struct xorb_verify *v, const char *why) {
    return err_fail(E_BAD_REQUEST, "xorb refused: chunk %u at byte %llu: %s", v->n, (unsigned long long)v->region_len,
                    why);
}

static err entry_add(struct xorb_verify *v, const struct xet_hash *h) {
    if (v->n == v->cap) {
        uint32_t cap = MIN(v->cap == 0 ? 1024U : v->cap * 2, (uint32_t)XORB_CHUNKS_MAX);
        struct xorb_entry *e = realloc(v->e, cap * sizeof *e);
        if (e == NULL) return err_fail(E_NOMEM, "not enough memory to check a xorb");
        v->e = e;
        v->cap = cap;
    }
    v->e[v->n].hash = *h;
    v->e[v->n].phys_end = (uint32_t)v->region_len;
    v->e[v->n].raw_end = (uint32_t)v->raw_len;
    v->n++;
    return OK;
}

/* A header stands at p; is the whole chunk acceptable in this place? */
static err head_check(struct xorb_verify *v, const uint8_t *p, struct chunk_head *h) {
    const char *why;
    if (!chunk_head_parse(p, h, &why)) return bad_chunk(v, why);
    if (v->n == XORB_CHUNKS_MAX) return bad_chunk(v, "more than 8192 chunks");
    if (v->raw_len + h->n_raw > XORB_RAW_MAX) return bad_chunk(v, "more than 64 MiB of content");
    if (v->region_len + CHUNK_HEAD + h->n_stored > XORB_BODY_MAX) return bad_chunk(v, "more than 68 MiB stored");
    return OK;
}

static err chunk_take(struct xorb_verify *v, const struct chunk_head *h, const uint8_t *payload) {
    const char *why;
    const uint8_t *raw;
    if (!chunk_decode(h, payload, &v->scratch, &raw, &why)) return bad_chunk(v, why);
    struct xet_hash hash;
    xhash_chunk(raw, h->n_raw, &hash);
    v->region_len += CHUNK_HEAD + h->n_stored;
    v->raw_len += h->n_raw;
    return entry_add(v, &hash);
}

static err footer_add(struct xorb_verify *v, const uint8_t *p, size_t n) {
    if (v->footer == NULL && (v->footer = malloc(XORB_FOOTER_MAX)) == NULL)
        return err_fail(E_NOMEM, "not enough memory to check a xorb");
    if (n > XORB_FOOTER_MAX - v->n_footer) return err_fail(E_BAD_REQUEST, "xorb refused: its footer is too long");
    memcpy(v->footer + v->n_footer, p, n);
    v->n_footer += n;
    return OK;
}

/* Take bytes until the carry holds `want`; returns how many were taken. */
static size_t carry_fill(struct xorb_verify *v, size_t want, const uint8_t *p, size_t n) {
    size_t k = MIN(want - v->n_carry, n);
    memcpy(v->carry + v->n_carry, p, k);
    v->n_carry += k;
    return k;
}

/* Continue the chunk that the last feed left unfinished. *used bytes of p belong to it. */
static err carry_continue(struct xorb_verify *v, const uint8_t *p, size_t n, size_t *used) {
    *used = 0;
    if (v->n_carry < CHUNK_HEAD) *used = carry_fill(v, CHUNK_HEAD, p, n);
    if (v->n_carry < CHUNK_HEAD) return OK;
    if (memcmp(v->carry, footer_ident, sizeof footer_ident) == 0) {
        size_t k = v->n_carry;
        v->n_carry = 0;
        return footer_add(v, v->carry, k);
    }
    struct chunk_head h;
    TRY(head_check(v, v->carry, &h));
    *used += carry_fill(v, CHUNK_HEAD + h.n_stored, p + *used, n - *used);
    if (v->n_carry < CHUNK_HEAD + h.n_stored) return OK;
    v->n_carry = 0;
    return chunk_take(v, &h, v->carry + CHUNK_HEAD);
}

err xorb_verify_feed(struct xorb_verify *v, const void *data, size_t n) {
    const uint8_t *p = data;
    while (n > 0) {
        size_t used;
        if (v->n_footer > 0) return footer_add(v, p, n);
        struct chunk_head h;
        bool direct = v->n_carry == 0 && n >= CHUNK_HEAD && memcmp(p, footer_ident, sizeof footer_ident) != 0;
        if (direct) {
            TRY(head_check(v, p, &h));
            direct = n >= CHUNK_HEAD + h.n_stored;
        }
        if (direct) { /* the whole chunk lies in this block: no copy */
            TRY(chunk_take(v, &h, p + CHUNK_HEAD));
            used = CHUNK_HEAD + h.n_stored;
        } else {
            TRY(carry_continue(v, p, n, &used));
        }
        p += used;
        n -= used;
    }
    return OK;
}

/* The footer is dropped, but one that contradicts the body shows a broken or dishonest client. */
static err footer_check(const struct xorb_verify *v, const struct xet_hash *expect) {
    const uint8_t *f = v->footer;
    if (v->n_footer < 7 + 1 + XET_HASH_LEN + 4) return err_fail(E_BAD_REQUEST, "xorb refused: its footer is cut short");
    if (f[7] > 1) return err_fail(E_BAD_REQUEST, "xorb refused: unknown footer version %u", (unsigned)f[7]);
    if (memcmp(f + 8, expect->b, XET_HASH_LEN) != 0)
        return err_fail(E_BAD_REQUEST, "xorb refused: its footer names another hash than the URL");
    if (le32(f + v->n_footer - 4) != v->n_footer - 4)
        return err_fail(E_BAD_REQUEST, "xorb refused: its footer states a wrong length");
    if (f[7] == 0) return OK;
    size_t hashes = 7 + 1 + XET_HASH_LEN;
    if (v->n_footer < hashes + 12 + (size_t)v->n * XET_HASH_LEN || memcmp(f + hashes, "XBLBHSH", 7) != 0 ||
        le32(f + hashes + 8) != v->n)
        return err_fail(E_BAD_REQUEST, "xorb refused: its footer counts other chunks than the body");
    for (uint32_t i = 0; i < v->n; i++)
        if (memcmp(f + hashes + 12 + (size_t)i * XET_HASH_LEN, v->e[i].hash.b, XET_HASH_LEN) != 0)
            return err_fail(E_BAD_REQUEST, "xorb refused: its footer lists another hash for chunk %u", i);
    return OK;
}

void xorb_entries_root(const struct xorb_entry *e, uint32_t n, struct xet_hash *root) {
    struct merkle m;
    merkle_init(&m);
    for (uint32_t i = 0; i < n; i++) merkle_add(&m, &e[i].hash, e[i].raw_end - (i > 0 ? e[i - 1].raw_end : 0));
    merkle_root(&m, root);
}

err xorb_verify_done(struct xorb_verify *v, const struct xet_hash *expect) {
    if (v->n_carry > 0)
        return err_fail(E_BAD_REQUEST, "xorb refused: the body ends inside chunk %u (%zu bytes are left over)", v->n,
                        v->n_carry);
    if (v->n == 0) return err_fail(E_BAD_REQUEST, "xorb refused: it holds no chunk");
    struct xet_hash root;
    xorb_entries_root(v->e, v->n, &root);
    if (!xhash_eq(&root, expect)) {
        char got[XET_HEX_LEN + 1];
        xet_hash_str(&root, got);
        return err_fail(E_BAD_REQUEST,
                        "xorb refused: its chunks hash to %s, not to the hash in the URL; nothing was stored", got);
    }
    return v->n_footer > 0 ? footer_check(v, expect) : OK;
}
