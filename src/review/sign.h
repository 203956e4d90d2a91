/* SPDX-License-Identifier: Apache-2.0 */
/* sign.h — the review key and envelopes of signed statements (docs/formats/verdict.md). */
#ifndef BALLAST_REVIEW_SIGN_H
#define BALLAST_REVIEW_SIGN_H

#include "base/arena.h"
#include "base/base.h"
#include "base/hash.h"

struct sign_key {
    uint8_t seed[ED25519_SEED_LEN], pub[32];
    char id[17]; /* first 8 bytes of SHA-256 of the public key, hex */
};
void sign_key_init(struct sign_key *k); /* seed set */
void sign_key_id(const uint8_t pub[32], char id[17]);
/* base64 of the Ed25519 signature over the statement's exact bytes. */
struct str sign_statement(struct arena *a, const struct sign_key *k, struct str statement);
bool sign_check(const uint8_t pub[32], struct str statement, struct str signature_b64);
#endif
