/* SPDX-License-Identifier: Apache-2.0 */
/* hash.c — OpenSSL behind the names of hash.h. Failures there mean no memory or a broken provider: BUG_ON. */
#include "base/hash.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include "base/reserve.h"

static const EVP_MD *md_sha256(void) {
    static EVP_MD *md; /* fetched once: EVP_sha256() resolves the provider on every init otherwise */
    EVP_MD *m = __atomic_load_n(&md, __ATOMIC_ACQUIRE);
    if (m == NULL) {
        m = EVP_MD_fetch(NULL, "SHA256", NULL);
        BUG_ON(m == NULL);
        __atomic_store_n(&md, m, __ATOMIC_RELEASE);
    }
    return m;
}

void hash_sha256(const void *p, size_t n, uint8_t out[SHA256_LEN]) {
    BUG_ON(EVP_Digest(p, n, out, NULL, md_sha256(), NULL) != 1);
}

void hash_sha1(const void *p, size_t n, uint8_t out[SHA1_LEN]) {
    BUG_ON(EVP_Digest(p, n, out, NULL, EVP_sha1(), NULL) != 1);
}

void hash_hmac_sha256(const void *key, size_t n_key, const void *p, size_t n, uint8_t out[SHA256_LEN]) {
    BUG_ON(n_key > INT32_MAX);
    BUG_ON(HMAC(EVP_sha256(), key, (int)n_key, p, n, out, NULL) == NULL);
}

void hash_git_blob(const void *p, size_t n, uint8_t out[SHA1_LEN]) {
    char head[40];
    int k = snprintf(head, sizeof head, "blob %zu", n);
    struct hasher *h = hasher_new("SHA1");
    hasher_add(h, head, (size_t)k + 1);
    hasher_add(h, p, n);
    hasher_done(h, out);
}

struct hasher {
    EVP_MD_CTX *ctx;
};

struct hasher *hasher_new(const char *kind) {
    struct hasher *h = reserve_malloc(sizeof *h);
    BUG_ON(h == NULL);
    h->ctx = EVP_MD_CTX_new();
    BUG_ON(h->ctx == NULL);
    const EVP_MD *md = strcmp(kind, "SHA256") == 0 ? md_sha256() : EVP_get_digestbyname(kind);
    BUG_ON(md == NULL || EVP_DigestInit_ex(h->ctx, md, NULL) != 1);
    return h;
}

void hasher_add(struct hasher *h, const void *p, size_t n) {
    BUG_ON(EVP_DigestUpdate(h->ctx, p, n) != 1);
}

void hasher_done(struct hasher *h, uint8_t *out) {
    BUG_ON(EVP_DigestFinal_ex(h->ctx, out, NULL) != 1);
    hasher_free(h);
}

void hasher_free(struct hasher *h) {
    if (h == NULL) return;
    EVP_MD_CTX_free(h->ctx);
    reserve_free(h);
}

bool hash_equal(const void *a, const void *b, size_t n) {
    return CRYPTO_memcmp(a, b, n) == 0;
}

void rnd_bytes(void *p, size_t n) {
    char *to = p;
    while (n > 0) {
        ssize_t k = getrandom(to, n, 0);
        if (k < 0 && errno == EINTR) continue;
        BUG_ON(k <= 0);
        to += k;
        n -= (size_t)k;
    }
}

uint64_t rnd_u64(void) {
    uint64_t v;
    rnd_bytes(&v, sizeof v);
    return v;
}

static EVP_PKEY *ed_key(const uint8_t seed[ED25519_SEED_LEN]) {
    EVP_PKEY *k = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_LEN);
    BUG_ON(k == NULL);
    return k;
}

void ed25519_public(const uint8_t seed[ED25519_SEED_LEN], uint8_t pub[32]) {
    EVP_PKEY *k = ed_key(seed);
    size_t n = 32;
    BUG_ON(EVP_PKEY_get_raw_public_key(k, pub, &n) != 1 || n != 32);
    EVP_PKEY_free(k);
}

void ed25519_sign(const uint8_t seed[ED25519_SEED_LEN], const void *p, size_t n, uint8_t sig[ED25519_SIG_LEN]) {
    EVP_PKEY *k = ed_key(seed);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    size_t sn = ED25519_SIG_LEN;
    BUG_ON(c == NULL || EVP_DigestSignInit(c, NULL, NULL, NULL, k) != 1);
    BUG_ON(EVP_DigestSign(c, sig, &sn, p, n) != 1 || sn != ED25519_SIG_LEN);
    EVP_MD_CTX_free(c);
    EVP_PKEY_free(k);
}

bool ed25519_verify(const uint8_t pub[32], const void *p, size_t n, const uint8_t sig[ED25519_SIG_LEN]) {
    EVP_PKEY *k = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub, 32);
    if (k == NULL) return false;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    BUG_ON(c == NULL);
    bool ok = EVP_DigestVerifyInit(c, NULL, NULL, NULL, k) == 1 && EVP_DigestVerify(c, sig, ED25519_SIG_LEN, p, n) == 1;
    EVP_MD_CTX_free(c);
    EVP_PKEY_free(k);
    return ok;
}
