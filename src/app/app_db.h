/* SPDX-License-Identifier: Apache-2.0 */
/* app_db.h — the lists the command line prints, straight from the records. Rows live in the arena. */
#ifndef BALLAST_APP_DB_H
#define BALLAST_APP_DB_H

#include "id/id.h"

/* The first administrator; the system itself (user_id 0) while there is none. */
must_check err app_db_first_admin(struct db *d, struct arena *a, struct principal *out);
must_check err app_db_owners(struct db *d, struct arena *a, struct owner_rec **out, size_t *n);
struct app_token {
    int64_t id, created_ms, expires_ms, used_ms, revoked_ms;
    struct str user, name, hint;
    enum role role;
};
must_check err app_db_tokens(struct db *d, struct arena *a, struct str user /* empty = all */, struct app_token **out,
                             size_t *n);
must_check err app_db_repos(struct db *d, struct arena *a, struct str owner /* empty = all */, int type /* 0 = all */,
                            struct repo_rec **out, size_t *n);
#endif
