/* SPDX-License-Identifier: Apache-2.0 */
/* hook_db.h — the one question the pre-receive hook asks the records. */
#ifndef BALLAST_GIT_HOOK_DB_H
#define BALLAST_GIT_HOOK_DB_H

#include "store/store.h"

/* Did this repository prove possession of the large file (64 hex)? */
must_check err hook_db_has_file(struct db *d, int64_t repo_id, const char *sha256_hex, bool *yes);
#endif
