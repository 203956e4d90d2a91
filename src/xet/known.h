/* SPDX-License-Identifier: Apache-2.0 */
/*
 * known.h — which chunks a writer can refer to instead of storing them again.
 *
 * A bounded hash table over the chunk lists of a few dozen xorbs: those the writer made itself and those
 * the database's eligible-chunk index led to, with their neighbours. When it is full it is emptied:
 * that costs a little dedup, never correctness.
 */
#ifndef BALLAST_XET_KNOWN_H
#define BALLAST_XET_KNOWN_H

#include "xet/xorb_file.h"

enum { KNOWN_SLOTS = 65536, KNOWN_FILL = 40000, KNOWN_XORBS = 64 };
struct known_slot {
    uint32_t tag;  /* from the hash; 0 = empty */
    uint16_t xorb; /* index in xorbs[] */
    uint16_t chunk;
};
struct known {
    struct xet *x;
    struct known_slot *slots;
    uint32_t n_slots_used;
    struct known_xorb {
        struct xet_hash hash;
        struct xorb_entry *e; /* owned, except for the open xorb */
        uint32_t n;
        bool open; /* slot 0: the xorb being filled; e is borrowed and grows */
    } xorbs[KNOWN_XORBS];
    uint32_t n_xorbs;
};
must_check err known_init(struct known *k, struct xet *x);
void known_release(struct known *k);
/* The open xorb's list (borrowed). known_open_add after each append; known_open_seal when it got its hash. */
void known_open_set(struct known *k, struct xorb_entry *e);
void known_open_add(struct known *k, uint32_t n);
must_check err known_open_seal(struct known *k, const struct xet_hash *h);
/* NULL when not known. *chunk is its place there. The open xorb is returned as such (->open). */
const struct known_xorb *known_find(const struct known *k, const struct xet_hash *h, uint32_t *chunk);
/* As known_find, but tries the chunk number `after` of the xorb `prev` (or of the open one) first: runs stay whole. */
const struct known_xorb *known_continue(const struct known *k, const struct xet_hash *prev, bool prev_open,
                                        uint32_t after, const struct xet_hash *h, uint32_t *chunk);
/* [work] Ask the database about an eligible chunk; loads its xorb and neighbours. */
must_check err known_ask(struct known *k, const struct xet_hash *h);
#endif
