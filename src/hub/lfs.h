/* SPDX-License-Identifier: Apache-2.0 */
/* lfs.h — Git LFS over HTTP: what batch (lfs.c), addresses (lfs_url.c) and transfer (lfs_transfer.c) share. */
#ifndef BALLAST_HUB_LFS_H
#define BALLAST_HUB_LFS_H

#include "hub/hub_parts.h"

enum { LFS_OBJECTS_MAX = 1000, LFS_URL_TTL_S = 6 * 3600 };
#define LFS_TYPE "application/vnd.git-lfs+json"
#define LFS_SIZE_MAX ((uint64_t)1 << 44)

/* --- requests (lfs_batch.c, pure) --------------------------------------------------------------------------- */
struct lfs_object {
    struct str oid; /* 64 lower-case hex once valid */
    uint64_t size;
    const char *fault; /* NULL, or what is wrong with this object */
};
struct lfs_batch {
    bool upload;
    bool xet; /* the client can send by Xet (huggingface_hub 0.36 to 1.19, npm's library, git-xet) */
    struct lfs_object *objects;
    size_t n;
};
/* A batch request. E_BAD_REQUEST/E_UNPROCESSABLE when it as a whole makes no sense; single objects carry a fault. */
must_check err lfs_batch_parse(struct arena *a, struct jv root, struct lfs_batch *out);
/* {oid, size} of a verify request. */
must_check err lfs_object_parse(struct jv obj, struct lfs_object *out);

/* --- addresses that authenticate themselves (lfs_url.c) ------------------------------------------------------ */
enum lfs_op { LFS_UPLOAD, LFS_DOWNLOAD, LFS_VERIFY };
struct lfs_ticket {
    enum lfs_op op;
    int64_t repo_id, user_id, exp_s;
    struct str oid;
    uint64_t size;
};
/* BASE/api/ballast/lfs/{repo}/{oid}?… */
must_check err lfs_url_make(struct hub *h, struct arena *a, struct str base_url, const struct lfs_ticket *t,
                            struct str *out);
/* From the request's address; E_FORBIDDEN when it is not ours, changed, or expired. */
must_check err lfs_url_check(struct hub *h, struct http_req *r, enum lfs_op op, struct lfs_ticket *out);

extern const struct http_route lfs_transfer_route[];
extern const size_t lfs_transfer_n;
#endif
