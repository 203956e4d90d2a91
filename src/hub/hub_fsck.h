/* SPDX-License-Identifier: Apache-2.0 */
/* hub_fsck.h — what the two files of the repository check share. */
#ifndef BALLAST_HUB_FSCK_H
#define BALLAST_HUB_FSCK_H

#include "hub/hub_internal.h"

struct hub_fsck_repo {
    int64_t id;
    struct str name; /* OWNER/NAME */
};
must_check err hub_fsck_db_repos(struct db *d, struct arena *a, struct hub_fsck_repo **out, size_t *n);
must_check err hub_fsck_db_has_file(struct db *d, int64_t repo_id, const uint8_t sha256[32], uint64_t size, bool *yes);
#endif
