/* SPDX-License-Identifier: Apache-2.0 */
/* git_db.h — what the gate on git fetch asks the records. */
#ifndef BALLAST_HUB_GIT_DB_H
#define BALLAST_HUB_GIT_DB_H

#include "hub/hub_internal.h"

/* Git blobs this repository ever had that may not go out now. */
struct git_withheld {
    struct str *blocked, *pending; /* 40 hex each */
    size_t n_blocked, n_pending;
};
must_check err git_db_withheld(struct db *d, struct arena *a, int64_t repo_id, struct git_withheld *out);
/* A reference stands at a revision without a verdict: a known blob may have a new name there, as which it was not seen.
 */
must_check err git_db_undecided(struct db *d, int64_t repo_id, bool *yes);
#endif
