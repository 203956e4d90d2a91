/* SPDX-License-Identifier: Apache-2.0 */
/* sign.c — Ed25519 over the exact bytes of a statement, with a domain prefix so that a signature means only this. */
#include "sign.h"

#include "base/buf.h"
#include "base/hex.h"

#define DOMAIN "ballast-review-v1\n"
enum { STATEMENT_MAX = 64 * 1024 * 1024 };

void sign_key_id(const uint8_t pub[32], char id[17]) {
    uint8_t d[SHA256_LEN];
    hash_sha256(pub, 32, d);
    hex_encode(d, 8, id);
}

void sign_key_init(struct sign_key *k) {
    ed25519_public(k->seed, k->pub);
    sign_key_id(k->pub, k->id);
}

static bool framed(struct buf *b, struct str statement) {
    buf_init(b, STATEMENT_MAX);
    buf_str(b, STR(DOMAIN));
    buf_str(b, statement);
    return !b->failed;
}

struct str sign_statement(struct arena *a, const struct sign_key *k, struct str statement) {
    struct buf out cleanup(buf_release);
    uint8_t sig[ED25519_SIG_LEN];
    BUG_ON(statement.n > STATEMENT_MAX); /* statements are built within it */
    const size_t n_domain = sizeof(DOMAIN) - 1;
    char *framed_text = arena_alloc(a, n_domain + statement.n);
    memcpy(framed_text, DOMAIN, n_domain);
    memcpy(framed_text + n_domain, statement.p, statement.n);
    ed25519_sign(k->seed, framed_text, n_domain + statement.n, sig);
    buf_init(&out, 128);
    base64_encode(&out, sig, sizeof sig);
    return arena_str(a, buf_view(&out));
}

bool sign_check(const uint8_t pub[32], struct str statement, struct str signature) {
    struct buf b cleanup(buf_release), sig cleanup(buf_release);
    buf_init(&sig, 128);
    if (!base64_decode(&sig, signature) || sig.n != ED25519_SIG_LEN || !framed(&b, statement)) { return false; }
    return ed25519_verify(pub, b.p, b.n, (const uint8_t *)sig.p);
}
