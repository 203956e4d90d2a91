/* SPDX-License-Identifier: Apache-2.0 */
/* cas.h — what the CAS handlers share (private to the room). Wire facts: docs/formats/xet-cas.md. */
#ifndef BALLAST_XET_CAS_H
#define BALLAST_XET_CAS_H

#include "xet/xet_db.h"

enum { CAS_RANGES_MAX = 256, CAS_URL_RANGES_MAX = 6000 /* bytes of range text in one URL */ };

struct cas {
    struct xet *x;
    struct xet_scope scope;
};
/* Instance and Bearer token; write asks for the write scope (which includes read). */
must_check err cas_begin(struct http_req *r, bool write, struct cas *c);
/* E_NOT_FOUND unless the path names this instance. */
must_check err cas_instance(struct http_req *r, struct xet **x);
/* The {hash} parameter. */
must_check err cas_hash(struct http_req *r, struct xet_hash *h);

/* cas_xorb.c */
must_check err cas_xorb_post(struct http_req *r);
must_check err cas_xorb_head(struct http_req *r);
/* cas_shard.c */
must_check err cas_shard_v1(struct http_req *r);
must_check err cas_shard_v2(struct http_req *r);
/* cas_recon.c */
must_check err cas_recon_v1(struct http_req *r);
must_check err cas_recon_v2(struct http_req *r);
must_check err cas_file_head(struct http_req *r);
/* cas_range.c */
must_check err cas_range_get(struct http_req *r);
/* cas_chunk.c */
must_check err cas_chunk_get(struct http_req *r);
#endif
