/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h — SHA-256, SHA-1 (git ids), HMAC, Ed25519 and random bytes, all by OpenSSL. */
#ifndef BALLAST_HASH_H
#define BALLAST_HASH_H

#include "base.h"
#include "err.h"
#include "str.h"

enum { SHA256_LEN = 32, SHA1_LEN = 20, ED25519_SEED_LEN = 32, ED25519_SIG_LEN = 64 };

void hash_sha256(const void *p, size_t n, uint8_t out[SHA256_LEN]);
void hash_sha1(const void *p, size_t n, uint8_t out[SHA1_LEN]);
void hash_hmac_sha256(const void *key, size_t n_key, const void *p, size_t n, uint8_t out[SHA256_LEN]);
/* sha1("blob LEN\0" + content): the id git gives a blob. */
void hash_git_blob(const void *p, size_t n, uint8_t out[SHA1_LEN]);

/* Streaming; kind is "SHA256" or "SHA1". new never fails short of memory (BUG_ON). */
struct hasher;
struct hasher *hasher_new(const char *kind);
void hasher_add(struct hasher *h, const void *p, size_t n);
void hasher_done(struct hasher *h, uint8_t *out); /* frees h */
void hasher_free(struct hasher *h);               /* NULL ok */

bool hash_equal(const void *a, const void *b, size_t n); /* constant time */
void rnd_bytes(void *p, size_t n);                       /* getrandom; BUG_ON failure */
uint64_t rnd_u64(void);

void ed25519_public(const uint8_t seed[ED25519_SEED_LEN], uint8_t pub[32]);
void ed25519_sign(const uint8_t seed[ED25519_SEED_LEN], const void *p, size_t n, uint8_t sig[ED25519_SIG_LEN]);
bool ed25519_verify(const uint8_t pub[32], const void *p, size_t n, const uint8_t sig[ED25519_SIG_LEN]);
#endif
