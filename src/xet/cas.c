/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cas.c — the table of CAS routes and what every call goes through first.
 *
 * Paths start with /cas/{inst}: clients key their caches by the CAS URL, so a wiped store must come
 * back under another one. Unversioned spellings are those of hf_xet before 1.5.2.
 */
#include "xet/cas.h"

#include "base/clock.h"
#include "xet/shard.h"

err cas_instance(struct http_req *r, struct xet **x) {
    *x = r->route != NULL ? r->ctx : NULL;
    BUG_ON(*x == NULL);
    if (str_eqz(http_param(r, "inst"), (*x)->inst)) return OK;
    return err_fail(E_NOT_FOUND,
                    "this address belongs to another instance of the store; ask the hub for a new Xet token");
}

err cas_hash(struct http_req *r, struct xet_hash *h) {
    if (xet_hash_parse(http_param(r, "hash"), h)) return OK;
    return err_fail(E_BAD_REQUEST, "the hash in the path must be 64 lower-case hexadecimal digits");
}

err cas_begin(struct http_req *r, bool write, struct cas *c) {
    TRY(cas_instance(r, &c->x));
    struct str auth = http_header(r, "authorization");
    if (auth.n < 8 || !str_ieq(str_sub(auth, 0, 7), STR("Bearer ")))
        return err_fail(E_UNAUTHORIZED,
                        "a Xet token is needed here: ask the hub's xet-read-token or xet-write-token route");
    TRY(xet_token_check(c->x, str_trim(str_from(auth, 7)), clock_wall_ms() / 1000, &c->scope));
    if (write && !c->scope.write) return err_fail(E_FORBIDDEN, "this Xet token may only read; nothing was stored");
    return xet_db_scope_alive(db_reader(c->x->store), &c->scope);
}

/* Asked by hf_xet 1.8 before every xorb; 404 is how a server says that it offers no direct uploads. */
static err grant_post(struct http_req *r) {
    struct cas c;
    TRY(cas_begin(r, true, &c));
    return err_fail(E_NOT_FOUND, "direct uploads are not offered; post the xorb itself");
}

/* One per transfer, at the origin's root. Read and forgotten. */
static err telemetry_post(struct http_req *r) {
    char drop[8192];
    size_t n;
    do TRY(http_body_read(r, drop, sizeof drop, &n));
    while (n > 0);
    return http_reply(r, 200, "application/json", STR("{}"));
}

#define CAS "/cas/{inst}"
#define R(m, pat, handler, nm, sum, body, secs)                                                                        \
    {                                                                                                                  \
        .methods = (m), .pattern = (pat), .fn = (handler), .auth = AUTH_SIGNED, .dialect = DIALECT_CAS, .name = (nm),  \
        .summary = (sum), .max_body = (body), .body_timeout_s = (secs)                                                 \
    }
#define READ_CHUNK "Global dedup: a shard of xorbs that hold this chunk, keyed so that it reveals nothing else."
#define RECON1 "How to rebuild a file or a range of it (version 1)."
#define RECON2 "How to rebuild a file or a range of it (version 2)."
#define XORB_POST "Store one xorb after checking every chunk of it."
#define XORB_HEAD "Length of a stored xorb that the token may know of."
#define SHARD1 "Register files made of stored xorbs; proof of possession is required."
#define SHARD2 "As version 1, with progress as NDJSON lines."

static const struct http_route routes[] = {
    R(HTTP_POST, CAS "/v1/xorb-grants/{prefix}/{hash}", grant_post, "cas.xorb_grant",
      "Direct upload grants are not offered (404).", 64 * KiB, 0),
    R(HTTP_POST, CAS "/v1/xorbs/{prefix}/{hash}", cas_xorb_post, "cas.xorb_put", XORB_POST, XORB_BODY_MAX, 300),
    R(HTTP_POST, CAS "/xorbs/{prefix}/{hash}", cas_xorb_post, "cas.xorb_put_0", XORB_POST, XORB_BODY_MAX, 300),
    R(HTTP_POST, CAS "/xorb/{prefix}/{hash}", cas_xorb_post, "cas.xorb_put_00", XORB_POST, XORB_BODY_MAX, 300),
    R(HTTP_HEAD, CAS "/v1/xorbs/{prefix}/{hash}", cas_xorb_head, "cas.xorb_head", XORB_HEAD, 0, 0),
    R(HTTP_HEAD, CAS "/xorbs/{prefix}/{hash}", cas_xorb_head, "cas.xorb_head_0", XORB_HEAD, 0, 0),
    R(HTTP_HEAD, CAS "/xorb/{prefix}/{hash}", cas_xorb_head, "cas.xorb_head_00", XORB_HEAD, 0, 0),
    R(HTTP_POST, CAS "/v2/shards", cas_shard_v2, "cas.shard_v2", SHARD2, SHARD_BODY_MAX, 300),
    R(HTTP_POST, CAS "/v1/shards", cas_shard_v1, "cas.shard", SHARD1, SHARD_BODY_MAX, 300),
    R(HTTP_POST, CAS "/shards", cas_shard_v1, "cas.shard_0", SHARD1, SHARD_BODY_MAX, 300),
    R(HTTP_POST, CAS "/v1/shards/{prefix}/{hash}", cas_shard_v1, "cas.shard_1", SHARD1, SHARD_BODY_MAX, 300),
    R(HTTP_POST, CAS "/shard/{prefix}/{hash}", cas_shard_v1, "cas.shard_00", SHARD1, SHARD_BODY_MAX, 300),
    R(HTTP_GET, CAS "/v1/chunks/{prefix}/{hash}", cas_chunk_get, "cas.chunk", READ_CHUNK, 0, 0),
    R(HTTP_GET, CAS "/chunks/{prefix}/{hash}", cas_chunk_get, "cas.chunk_0", READ_CHUNK, 0, 0),
    R(HTTP_GET, CAS "/chunk/{prefix}/{hash}", cas_chunk_get, "cas.chunk_00", READ_CHUNK, 0, 0),
    R(HTTP_GET, CAS "/v2/reconstructions/{hash}", cas_recon_v2, "cas.reconstruction_v2", RECON2, 0, 0),
    R(HTTP_GET, CAS "/v1/reconstructions/{hash}", cas_recon_v1, "cas.reconstruction", RECON1, 0, 0),
    R(HTTP_GET, CAS "/reconstructions/{hash}", cas_recon_v1, "cas.reconstruction_0", RECON1, 0, 0),
    R(HTTP_GET, CAS "/reconstruction/{hash}", cas_recon_v1, "cas.reconstruction_00", RECON1, 0, 0),
    R(HTTP_HEAD, CAS "/v1/files/{hash}", cas_file_head, "cas.file_head", "Size of a file.", 0, 0),
    R(HTTP_GET, CAS "/x/{hash}", cas_range_get, "cas.range", "Bytes of a xorb by a signed URL.", 0, 0),
};
static const struct http_route public_routes[] = {
    {.methods = HTTP_POST,
     .pattern = "/v1/telemetry",
     .fn = telemetry_post,
     .auth = AUTH_SIGNED,
     .dialect = DIALECT_CAS,
     .name = "cas.telemetry",
     .summary = "Transfer summaries of Xet clients: read and forgotten.",
     .max_body = 256 * KiB},
};

err xet_routes(struct xet *x, struct http_router *rt) {
    TRY(http_router_add(rt, routes, ARRAY_LEN(routes), x));
    return http_router_add(rt, public_routes, ARRAY_LEN(public_routes), x);
}
