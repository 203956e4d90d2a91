/* SPDX-License-Identifier: Apache-2.0 */
/* chunk_codec.c — see chunk_codec.h. */
#include "xet/chunk_codec.h"

#include <lz4.h>

#include "xet/bg4.h"
#include "xet/le.h"
#include "xet/lz4frame.h"

bool chunk_head_parse(const uint8_t p[CHUNK_HEAD], struct chunk_head *h, const char **why) {
    h->n_stored = le24(p + 1);
    h->scheme = p[4];
    h->n_raw = le24(p + 5);
    *why = NULL;
    if (p[0] != 0) *why = "chunk header version is not 0";
    else if (h->scheme > SCHEME_BG4) *why = "unknown compression scheme";
    else if (h->n_raw == 0) *why = "empty chunk";
    else if (h->n_raw > CHUNK_RAW_MAX) *why = "chunk is longer than 128 KiB";
    else if (h->n_stored == 0 || h->n_stored > CHUNK_STORED_MAX) *why = "stored chunk length is out of bounds";
    else if (h->scheme == SCHEME_NONE && h->n_stored != h->n_raw)
        *why = "uncompressed chunk with two different lengths";
    return *why == NULL;
}

void chunk_head_put(uint8_t p[CHUNK_HEAD], const struct chunk_head *h) {
    p[0] = 0;
    put_le(p + 1, h->n_stored, 3);
    p[4] = h->scheme;
    put_le(p + 5, h->n_raw, 3);
}

bool chunk_decode(const struct chunk_head *h, const uint8_t *payload, struct chunk_scratch *s, const uint8_t **out,
                  const char **why) {
    if (h->scheme == SCHEME_NONE) {
        *out = payload;
        return true;
    }
    uint8_t *dst = h->scheme == SCHEME_BG4 ? s->planes : s->raw;
    if (!lz4frame_decode(payload, h->n_stored, dst, h->n_raw, why)) return false;
    if (h->scheme == SCHEME_BG4) bg4_regroup(s->planes, s->raw, h->n_raw);
    *out = s->raw;
    return true;
}

enum { TRIAL_EVERY = 16 };

err chunk_encoder_init(struct chunk_encoder *e) {
    e->until_trial = 0;
    e->scheme = SCHEME_NONE;
    e->lz4_state = malloc((size_t)LZ4_sizeofState());
    if (e->lz4_state == NULL) return err_fail(E_NOMEM, "not enough memory to compress chunks");
    return OK;
}
void chunk_encoder_release(struct chunk_encoder *e) {
    free(e->lz4_state);
    e->lz4_state = NULL;
}

/* Compress by one scheme; 0 when it does not gain at least 1/64 (decoding costs the reader more than that saves). */
static size_t try_scheme(struct chunk_encoder *e, uint8_t scheme, const uint8_t *raw, size_t n, uint8_t *out) {
    size_t cap = n - n / 64;
    if (scheme == SCHEME_LZ4) return lz4frame_encode(e->lz4_state, raw, n, out, cap);
    bg4_split(raw, e->planes, n);
    return lz4frame_encode(e->lz4_state, e->planes, n, out, cap);
}

/* Both candidates; the better one's bytes end in out. BG4 must win clearly, as it costs a second pass. */
static size_t trial(struct chunk_encoder *e, const uint8_t *raw, size_t n, uint8_t *out) {
    size_t plain = try_scheme(e, SCHEME_LZ4, raw, n, out);
    size_t grouped = try_scheme(e, SCHEME_BG4, raw, n, e->trial);
    e->until_trial = TRIAL_EVERY;
    if (grouped != 0 && (plain == 0 || grouped < plain - plain / 32)) {
        memcpy(out, e->trial, grouped);
        e->scheme = SCHEME_BG4;
        return grouped;
    }
    e->scheme = plain != 0 ? SCHEME_LZ4 : SCHEME_NONE;
    return plain;
}

size_t chunk_encode(struct chunk_encoder *e, const uint8_t *raw, size_t n, uint8_t *out) {
    BUG_ON(n == 0 || n > CHUNK_RAW_MAX);
    size_t k = 0;
    if (e->until_trial == 0) {
        k = trial(e, raw, n, out + CHUNK_HEAD);
    } else {
        e->until_trial--;
        if (e->scheme != SCHEME_NONE) k = try_scheme(e, e->scheme, raw, n, out + CHUNK_HEAD);
        if (k == 0 && e->scheme != SCHEME_NONE) e->until_trial = 0; /* the data changed: look again at the next chunk */
    }
    struct chunk_head h = {(uint32_t)k, (uint32_t)n, e->scheme};
    if (k == 0) {
        memcpy(out + CHUNK_HEAD, raw, n);
        h.n_stored = (uint32_t)n;
        h.scheme = SCHEME_NONE;
    }
    chunk_head_put(out, &h);
    return CHUNK_HEAD + h.n_stored;
}
