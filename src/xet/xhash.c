/* SPDX-License-Identifier: Apache-2.0 */
/* xhash.c — see xhash.h. Keys are protocol constants; all hashes are in memory order. */
#include "xet/xhash.h"

#include "xet/le.h"

static const uint8_t key_data[BLAKE3_KEY_LEN] = {0x66, 0x97, 0xf5, 0x77, 0x5b, 0x95, 0x50, 0xde, 0x31, 0x35, 0xcb,
                                                 0xac, 0xa5, 0x97, 0x18, 0x1c, 0x9d, 0xe4, 0x21, 0x10, 0x9b, 0xeb,
                                                 0x2b, 0x58, 0xb4, 0xd0, 0xb0, 0x4b, 0x93, 0xad, 0xf2, 0x29};
static const uint8_t key_node[BLAKE3_KEY_LEN] = {0x01, 0x7e, 0xc5, 0xc7, 0xa5, 0x47, 0x29, 0x96, 0xfd, 0x94, 0x66,
                                                 0x66, 0xb4, 0x8a, 0x02, 0xe6, 0x5d, 0xdd, 0x53, 0x6f, 0x37, 0xc7,
                                                 0x6d, 0xd2, 0xf8, 0x63, 0x52, 0xe6, 0x4a, 0x53, 0x71, 0x3f};
static const uint8_t key_range[BLAKE3_KEY_LEN] = {0x7f, 0x18, 0x57, 0xd6, 0xce, 0x56, 0xed, 0x66, 0x12, 0x7f, 0xf9,
                                                  0x13, 0xe7, 0xa5, 0xc3, 0xf3, 0xa4, 0xcd, 0x26, 0xd5, 0xb5, 0xdb,
                                                  0x49, 0xe6, 0x41, 0x24, 0x98, 0x7f, 0x28, 0xfb, 0x94, 0xc3};
static const uint8_t key_file[BLAKE3_KEY_LEN]; /* zeros */

static void keyed(const uint8_t key[BLAKE3_KEY_LEN], const void *p, size_t n, struct xet_hash *out) {
    blake3_hasher h;
    blake3_hasher_init_keyed(&h, key);
    blake3_hasher_update(&h, p, n);
    blake3_hasher_finalize(&h, out->b, sizeof out->b);
}

void xhash_chunk(const void *p, size_t n, struct xet_hash *out) {
    keyed(key_data, p, n, out);
}
void xhash_hmac(const uint8_t key[XET_HASH_LEN], const struct xet_hash *in, struct xet_hash *out) {
    keyed(key, in->b, sizeof in->b, out);
}

bool xhash_eq(const struct xet_hash *a, const struct xet_hash *b) {
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}
bool xhash_is_zero(const struct xet_hash *h) {
    return memcmp(h->b, key_file, sizeof h->b) == 0;
}

uint64_t xhash_tail(const struct xet_hash *h) {
    return le64(h->b + 24);
}
bool xhash_eligible(const struct xet_hash *h) {
    return xhash_tail(h) % 1024 == 0;
}

void xet_hash_str(const struct xet_hash *h, char out[XET_HEX_LEN + 1]) {
    static const char digit[16] = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
    for (unsigned i = 0; i < XET_HASH_LEN; i++) {
        uint8_t v = h->b[(i & ~7U) + (7 - (i & 7))]; /* each group of eight is printed backwards */
        out[2 * i] = digit[v >> 4];
        out[2 * i + 1] = digit[v & 15];
    }
    out[XET_HEX_LEN] = 0;
}

/* Only the canonical lower-case form: a hash has one spelling in URLs and file names. */
bool xet_hash_parse(struct str s, struct xet_hash *out) {
    if (s.n != XET_HEX_LEN) return false;
    for (unsigned i = 0; i < XET_HASH_LEN; i++) {
        unsigned v = 0;
        for (unsigned k = 0; k < 2; k++) {
            char c = s.p[2 * i + k];
            if (c >= '0' && c <= '9') v = v << 4 | (unsigned)(c - '0');
            else if (c >= 'a' && c <= 'f') v = v << 4 | (unsigned)(c - 'a' + 10);
            else return false;
        }
        out->b[(i & ~7U) + (7 - (i & 7))] = (uint8_t)v;
    }
    return true;
}

void xhash_range_init(struct xhash_range *r) {
    blake3_hasher_init_keyed(&r->h, key_range);
}
void xhash_range_add(struct xhash_range *r, const struct xet_hash *chunk) {
    blake3_hasher_update(&r->h, chunk->b, sizeof chunk->b);
}
void xhash_range_done(const struct xhash_range *r, struct xet_hash *out) {
    blake3_hasher_finalize(&r->h, out->b, sizeof out->b);
}

void merkle_init(struct merkle *m) {
    for (unsigned i = 0; i < MERKLE_LEVELS; i++) {
        m->level[i].n = 0;
        m->level[i].emitted = false;
    }
    m->total = 0;
}

/* Put one decimal in front of `end`, return its start. */
static char *decimal_before(char *end, uint64_t v) {
    do {
        *--end = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    return end;
}

static void group_hash(const struct merkle_node *e, unsigned n, struct merkle_node *out) {
    char text[MERKLE_FAN * (XET_HEX_LEN + 3 + 20 + 1) + 1];
    size_t k = 0;
    out->len = 0;
    for (unsigned i = 0; i < n; i++) {
        xet_hash_str(&e[i].hash, text + k);
        k += XET_HEX_LEN;
        memcpy(text + k, " : ", 3);
        k += 3;
        char dec[20], *s = decimal_before(dec + sizeof dec, e[i].len);
        size_t n_dec = (size_t)(dec + sizeof dec - s);
        memcpy(text + k, s, n_dec);
        k += n_dec;
        text[k++] = '\n';
        out->len += e[i].len;
    }
    keyed(key_node, text, k, &out->hash);
}

static void level_add(struct merkle *m, unsigned l, const struct merkle_node *node) {
    struct merkle_node up = *node;
    for (;; l++) {
        BUG_ON(l >= MERKLE_LEVELS);
        struct merkle_level *lev = &m->level[l];
        lev->e[lev->n++] = up;
        bool close = lev->n == MERKLE_FAN || (lev->n >= 3 && xhash_tail(&up.hash) % 4 == 0);
        if (!close) return;
        group_hash(lev->e, lev->n, &up);
        lev->n = 0;
        lev->emitted = true;
    }
}

void merkle_add(struct merkle *m, const struct xet_hash *h, uint64_t len) {
    struct merkle_node node = {*h, len};
    m->total += len;
    level_add(m, 0, &node);
}

void merkle_root(struct merkle *m, struct xet_hash *root) {
    if (m->level[0].n == 0 && !m->level[0].emitted) {
        memset(root, 0, sizeof *root);
        return;
    }
    for (unsigned l = 0; l < MERKLE_LEVELS; l++) {
        struct merkle_level *lev = &m->level[l];
        if (lev->n == 1 && !lev->emitted) { /* the only node of its level */
            *root = lev->e[0].hash;
            return;
        }
        if (lev->n == 0) continue;
        struct merkle_node up;
        group_hash(lev->e, lev->n, &up);
        lev->n = 0;
        lev->emitted = true;
        BUG_ON(l + 1 >= MERKLE_LEVELS);
        level_add(m, l + 1, &up);
    }
    BUG_ON(true); /* some level always ends with one node */
}

void merkle_file(struct merkle *m, struct xet_hash *file) {
    struct xet_hash root;
    merkle_root(m, &root);
    if (xhash_is_zero(&root)) *file = root;
    else keyed(key_file, root.b, sizeof root.b, file);
}
