/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chunk_codec.h — one chunk of a xorb: the 8-byte header and its payload.
 *
 *   0  u8  version = 0
 *   1  u24 stored length (<= 256 KiB)
 *   4  u8  scheme: 0 as is, 1 LZ4 frame, 2 bytes grouped by four, then LZ4 frame
 *   5  u24 raw length (1 .. 128 KiB)
 */
#ifndef BALLAST_XET_CHUNK_CODEC_H
#define BALLAST_XET_CHUNK_CODEC_H

#include "base/base.h"
#include "base/err.h"

enum {
    CHUNK_HEAD = 8,
    CHUNK_RAW_MAX = 128 * 1024,
    CHUNK_STORED_MAX = 256 * 1024,
    SCHEME_NONE = 0,
    SCHEME_LZ4 = 1,
    SCHEME_BG4 = 2
};
struct chunk_head {
    uint32_t n_stored, n_raw;
    uint8_t scheme;
};
/* False with *why when the eight bytes are no acceptable header. */
bool chunk_head_parse(const uint8_t p[CHUNK_HEAD], struct chunk_head *h, const char **why);
void chunk_head_put(uint8_t p[CHUNK_HEAD], const struct chunk_head *h);

/* Work space of one decoding or encoding thread of control. */
struct chunk_scratch {
    uint8_t raw[CHUNK_RAW_MAX + 64], planes[CHUNK_RAW_MAX + 64];
};
/*
 * The raw bytes of a payload: *out is the payload itself for scheme 0, else s->raw. False with *why when
 * the payload does not decode to exactly h->n_raw bytes.
 */
bool chunk_decode(const struct chunk_head *h, const uint8_t *payload, struct chunk_scratch *s, const uint8_t **out,
                  const char **why);

/* Chooses the scheme of new chunks: both compressors are tried now and then, the winner used between. */
struct chunk_encoder {
    void *lz4_state;
    uint8_t planes[CHUNK_RAW_MAX];
    uint8_t trial[CHUNK_RAW_MAX]; /* the other candidate's output while two are compared */
    unsigned until_trial;         /* chunks to go with `scheme` */
    uint8_t scheme;
};
must_check err chunk_encoder_init(struct chunk_encoder *e);
void chunk_encoder_release(struct chunk_encoder *e);
/* Header and payload to out (room for CHUNK_HEAD + n); returns their length. 1 <= n <= CHUNK_RAW_MAX. */
size_t chunk_encode(struct chunk_encoder *e, const uint8_t *raw, size_t n, uint8_t *out);
#endif
