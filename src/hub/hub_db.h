/* SPDX-License-Identifier: Apache-2.0 */
/* hub_db.h — the SQL of this room's API part (hub_list_db.c, hub_repo_db.c). Recording of refs is refs.c's. */
#ifndef BALLAST_HUB_DB_H
#define BALLAST_HUB_DB_H

#include "base/hash.h"
#include "hub/hub_internal.h"

/* Card, tags, description and head of one repository. */
must_check err hub_db_row(struct db *d, struct arena *a, int64_t repo_id, struct hub_list_row *out);
/* Insert a repository and its event. E_CONFLICT when the name is taken. */
may_suspend err hub_db_repo_add(struct hub *h, int64_t user_id, enum repo_type t, int64_t owner_id, struct str owner,
                                struct str name, bool is_private, int64_t *repo_id) must_check;
/* Mark deleted, drop what it may use, write the event. */
may_suspend err hub_db_repo_drop(struct hub *h, int64_t user_id, const struct repo_rec *repo) must_check;
struct hub_settings {
    bool set_private, set_gated, set_description;
    bool is_private;
    struct str gated, description;
};
may_suspend err hub_db_settings(struct hub *h, int64_t user_id, const struct repo_rec *repo,
                                const struct hub_settings *s) must_check;
/* Rename; the old name stays as an alias. E_CONFLICT when the new name is taken. */
may_suspend err hub_db_move(struct hub *h, int64_t user_id, const struct repo_rec *repo, int64_t to_owner,
                            struct str to_owner_name, struct str to_name) must_check;
may_suspend err hub_db_card_set(struct hub *h, int64_t repo_id, struct str card, struct str tags,
                                struct str description) must_check;
/* Add to the download counter, without waiting. */
void hub_db_count(struct hub *h, int64_t repo_id, int64_t n);
/* Commit made by an identical body before (empty when none). */
must_check err hub_db_commit_seen(struct db *d, int64_t repo_id, struct str ref, const uint8_t digest[SHA256_LEN],
                                  char commit[GIT_OID_HEX + 1]);
may_suspend err hub_db_commit_note(struct hub *h, int64_t repo_id, struct str ref, const uint8_t digest[SHA256_LEN],
                                   const char *commit) must_check;
/* One ref as recorded, or empty. */
must_check err hub_db_head(struct db *d, int64_t repo_id, char commit[GIT_OID_HEX + 1]);
/* Bytes of the large files a repository may use. */
must_check err hub_db_used(struct db *d, int64_t repo_id, int64_t *bytes);
#endif
