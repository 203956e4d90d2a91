/* SPDX-License-Identifier: Apache-2.0 */
/* refs.h — recording what git has done: between refs.c (which asks git) and refs_db.c (which writes rows). */
#ifndef BALLAST_HUB_REFS_H
#define BALLAST_HUB_REFS_H

#include "hub/hub_internal.h"

/* What one change of a reference means for the records; filled by refs.c. */
struct refs_change {
    struct str ref, old_oid, new_oid; /* as reported */
    struct str now;                   /* where the reference really stands, empty = gone */
    struct str message;               /* first line of the new commit */
    const struct git_entry *blobs;    /* new to this repository */
    size_t n_blobs;
};
struct refs_job {
    int64_t repo_id, user_id;
    const char *via;
    const struct refs_change *changes;
    size_t n;
};
may_suspend err refs_db_record(struct store *s, struct refs_job *j) must_check;
/* References as recorded, sorted by name. */
must_check err refs_db_list(struct db *d, struct arena *a, int64_t repo_id, struct git_ref **out, size_t *n);
/* Ids of repositories that are not deleted, above `after`, at most max. */
must_check err refs_db_repos(struct db *d, int64_t after, int64_t *ids, size_t max, size_t *n);

/* As hub_refs_record, for callers that hold the repository's git_lock. Does not refresh the card. */
may_suspend err hub_refs_record_locked(struct hub *h, int64_t repo_id, int64_t user_id, const char *via,
                                       struct str message, const struct hub_ref_change *changes, size_t n) must_check;
/* Bring the records of one repository up to what git says (holding its lock). *n_changes may be NULL. */
may_suspend err hub_refs_sync_locked(struct hub *h, int64_t repo_id, int64_t user_id, const char *via,
                                     size_t *n_changes, char main_oid[GIT_OID_HEX + 1]) must_check;
#endif
