/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lfs_url.c — addresses of LFS transfers. huggingface_hub sends its PUT without any credentials, so the address
 * itself says who may do what with which object of which repository, until when, and is signed:
 *
 *   BASE/api/ballast/lfs/{repo}/{oid}?size=N&user=N&exp=UNIX&sig=HEX    PUT, GET or POST: each its own signature
 *   sig = HMAC-SHA256(DATA/keys/lfs, "lfs1\n" op "\n" repo "\n" oid "\n" size "\n" user "\n" exp)
 */
#include "base/clock.h"
#include "base/hash.h"
#include "base/hex.h"
#include "hub/lfs.h"

static const char *const op_name[] = {"u", "d", "v"};

static err sign(struct hub *h, const struct lfs_ticket *t, char sig[2 * SHA256_LEN + 1]) {
    uint8_t key[32], mac[SHA256_LEN];
    char text[256];
    TRY(store_key(h->store, "lfs", key, sizeof key));
    int n = snprintf(text, sizeof text, "lfs1\n%s\n%" PRId64 "\n" STR_FMT "\n%" PRIu64 "\n%" PRId64 "\n%" PRId64,
                     op_name[t->op], t->repo_id, STR_ARG(t->oid), t->size, t->user_id, t->exp_s);
    BUG_ON(n < 0 || (size_t)n >= sizeof text);
    hash_hmac_sha256(key, sizeof key, text, (size_t)n, mac);
    hex_encode(mac, sizeof mac, sig);
    return OK;
}

err lfs_url_make(struct hub *h, struct arena *a, struct str base_url, const struct lfs_ticket *t, struct str *out) {
    char sig[2 * SHA256_LEN + 1];
    TRY(sign(h, t, sig));
    *out = arena_printf(
        a, STR_FMT "/api/ballast/lfs/%" PRId64 "/" STR_FMT "?size=%" PRIu64 "&user=%" PRId64 "&exp=%" PRId64 "&sig=%s",
        STR_ARG(base_url), t->repo_id, STR_ARG(t->oid), t->size, t->user_id, t->exp_s, sig);
    return OK;
}

/* The address lives for hours: repository, account and its right must still stand. Deleted or hidden: E_REPO_NOT_FOUND.
 */
static err holder_check(struct hub *h, struct arena *a, const struct lfs_ticket *t) {
    struct repo_rec repo;
    struct principal who = {.user_id = t->user_id, .token_role = ROLE_ADMIN};
    TRY(repo_get(h->id, a, t->repo_id, &repo));
    if (t->user_id != 0) {
        struct owner_rec o;
        TRY(id_owner_get(h->id, a, t->user_id, &o));
        if (o.disabled) return err_fail(E_FORBIDDEN, "the account this transfer address was made for is disabled");
        who.is_admin = o.is_admin;
    }
    return repo_access(h->id, &who, &repo, t->op == LFS_DOWNLOAD ? ROLE_READ : ROLE_WRITE);
}

err lfs_url_check(struct hub *h, struct http_req *r, enum lfs_op op, struct lfs_ticket *out) {
    char sig[2 * SHA256_LEN + 1];
    struct str given = http_query(r, "sig", STR(""));
    *out = (struct lfs_ticket){.op = op, .oid = http_param(r, "oid")};
    if (!str_to_i64(http_param(r, "repo"), &out->repo_id) || !str_to_u64(http_query(r, "size", STR("")), &out->size) ||
        !str_to_i64(http_query(r, "user", STR("")), &out->user_id) ||
        !str_to_i64(http_query(r, "exp", STR("")), &out->exp_s) || out->oid.n != 64 || given.n != 2 * SHA256_LEN)
        return err_fail(E_FORBIDDEN, "this transfer address is not complete; ask the LFS batch API for a new one");
    TRY(sign(h, out, sig));
    if (!hash_equal(sig, given.p, given.n))
        return err_fail(E_FORBIDDEN, "this transfer address is not valid; ask the LFS batch API for a new one");
    if (out->exp_s * 1000 < clock_wall_ms())
        return err_fail(E_FORBIDDEN, "this transfer address has expired; ask the LFS batch API for a new one");
    return holder_check(h, r->arena, out);
}
