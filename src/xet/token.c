/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.c — what authenticates CAS calls: scoped tokens, signed range URLs, and the weekly dedup key.
 *
 * Token: "xt1." + base64url(i64 repo, i64 user, i64 expiry, u8 write, HMAC-SHA256 of the 25 bytes).
 * URL MAC: first 16 bytes of HMAC-SHA256 over "range2", xorb hash, i64 expiry, SHA-256 of the ranges, i64 repo, i64
 * user, SHA-256 of the file the URL was made for.
 */
#include "xet/xet_int.h"

#include "base/clock.h"
#include "base/hex.h"
#include "xet/le.h"

enum { CLAIM_LEN = 25, TOKEN_RAW = CLAIM_LEN + SHA256_LEN, WEEK_S = 7 * 24 * 3600 };

static void put_i64(uint8_t *p, int64_t v) {
    put_le(p, (uint64_t)v, 8);
}
static int64_t get_i64(const uint8_t *p) {
    return (int64_t)le64(p);
}

err xet_token_make(struct xet *x, struct arena *a, int64_t repo_id, int64_t user_id, bool write, struct str *token,
                   int64_t *exp_s) {
    uint8_t raw[TOKEN_RAW];
    *exp_s = clock_wall_ms() / 1000 + XET_TOKEN_TTL_S;
    put_i64(raw, repo_id);
    put_i64(raw + 8, user_id);
    put_i64(raw + 16, *exp_s);
    raw[24] = write;
    hash_hmac_sha256(x->key_token, sizeof x->key_token, raw, CLAIM_LEN, raw + CLAIM_LEN);
    struct buf b cleanup(buf_release);
    buf_init(&b, 256);
    buf_cstr(&b, "xt1.");
    base64url_encode(&b, raw, sizeof raw);
    TRY(buf_ok(&b, "token"));
    *token = arena_str(a, buf_view(&b));
    return OK;
}

err xet_token_check(struct xet *x, struct str token, int64_t now_s, struct xet_scope *out) {
    struct buf b cleanup(buf_release);
    buf_init(&b, 256);
    uint8_t mac[SHA256_LEN];
    bool good = str_starts(token, "xt1.") && token.n < 128 && base64_decode(&b, str_from(token, 4)) && b.n == TOKEN_RAW;
    if (good) {
        hash_hmac_sha256(x->key_token, sizeof x->key_token, b.p, CLAIM_LEN, mac);
        good = hash_equal(mac, b.p + CLAIM_LEN, sizeof mac);
    }
    if (!good) return err_fail(E_BAD_CREDENTIALS, "this is not a Xet token of this server; ask the hub for a new one");
    const uint8_t *p = (const uint8_t *)b.p;
    *out = (struct xet_scope){get_i64(p), get_i64(p + 8), get_i64(p + 16), p[24] == 1};
    if (out->exp_s <= now_s) return err_fail(E_BAD_CREDENTIALS, "the Xet token has expired; ask the hub for a new one");
    return OK;
}

void xet_url_mac(const struct xet *x, const struct xet_grant *g, const struct xet_hash *xorb, struct str ranges,
                 int64_t exp_s, char out[XET_MAC_LEN + 1]) {
    uint8_t text[6 + XET_HASH_LEN + 8 + SHA256_LEN + 16 + SHA256_LEN], mac[SHA256_LEN], *p = text;
    memcpy(p, "range2", 6), p += 6;
    memcpy(p, xorb->b, XET_HASH_LEN), p += XET_HASH_LEN;
    put_i64(p, exp_s), p += 8;
    hash_sha256(ranges.p, ranges.n, p), p += SHA256_LEN;
    put_i64(p, g->repo_id), p += 8;
    put_i64(p, g->user_id), p += 8;
    memcpy(p, g->sha256, SHA256_LEN);
    hash_hmac_sha256(x->key_url, sizeof x->key_url, text, sizeof text, mac);
    struct buf b cleanup(buf_release);
    buf_init(&b, 64);
    base64url_encode(&b, mac, 16);
    BUG_ON(b.failed || b.n != XET_MAC_LEN);
    memcpy(out, b.p, XET_MAC_LEN);
    out[XET_MAC_LEN] = 0;
}

void xet_grant_put(const struct xet_grant *g, char out[XET_GRANT_MAX + 1]) {
    char hex[2 * SHA256_LEN + 1];
    hex_encode(g->sha256, SHA256_LEN, hex);
    int n = snprintf(out, XET_GRANT_MAX + 1, "%" PRId64 "-%" PRId64 "-%s", g->repo_id, g->user_id, hex);
    BUG_ON(n < 0 || n > XET_GRANT_MAX);
}

bool xet_grant_parse(struct str s, struct xet_grant *g) {
    struct str repo, user;
    return str_split(&s, '-', &repo) && str_split(&s, '-', &user) && str_to_i64(repo, &g->repo_id) &&
           str_to_i64(user, &g->user_id) && hex_decode(s, g->sha256, sizeof g->sha256);
}

void xet_dedup_key(const struct xet *x, int64_t now_s, uint8_t key[32], uint64_t *created_s, uint64_t *expires_s) {
    uint8_t msg[16] = "dedup-wk";
    int64_t week = now_s / WEEK_S;
    put_i64(msg + 8, week);
    hash_hmac_sha256(x->key_dedup, sizeof x->key_dedup, msg, sizeof msg, key);
    *created_s = (uint64_t)now_s;
    *expires_s = (uint64_t)((week + 2) * WEEK_S); /* 7 to 14 days: well below gc's 28 */
}
