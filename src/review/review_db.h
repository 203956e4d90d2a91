/* SPDX-License-Identifier: Apache-2.0 */
/* review_db.h — the room's records: facts, blob verdicts, statements, overrides. */
#ifndef BALLAST_REVIEW_DB_H
#define BALLAST_REVIEW_DB_H

#include "review_int.h"

struct pending_revision {
    int64_t repo_id;
    struct str commit;
};
/* Oldest first, at most max. */
must_check err review_db_pending(struct db *d, struct arena *a, struct pending_revision *out, size_t max, size_t *n);
/* A verdict under the rule pack in force stands. */
must_check err review_db_known(struct db *d, struct str key, bool *yes);
/* The repository uses the blob under this key (a path of another kind than before leads to it). */
may_suspend err review_db_key_note(struct store *s, int64_t repo_id, struct str key) must_check;
/* Blobs of a repository that no revision's tree led to and that have no verdict (bounded). */
must_check err review_db_orphans(struct db *d, struct arena *a, int64_t repo_id /* 0 any */,
                                 struct pending_revision *out, size_t max, size_t *n);
/* Hash and facts of a blob; *facts empty when none were recorded. */
must_check err review_db_facts(struct db *d, struct arena *a, struct str oid, struct str *sha256_hex,
                               struct str *facts);

struct blob_record {
    struct str oid, format, findings, facts; /* oid: the key (store/verdict.h); facts empty: not examined */
    uint8_t sha256[32];
    uint64_t bytes;
    enum verdict verdict;
    enum coverage coverage;
};
may_suspend err review_db_blob_put(struct store *s, const struct blob_record *b) must_check;

struct statement_record {
    int64_t repo_id;
    struct str commit, statement, signature, key_id, responsible, reason, event;
    enum verdict verdict;
    enum coverage coverage;
};
/* Row and event verdict.issued in one transaction. */
may_suspend err review_db_statement_put(struct store *s, const struct statement_record *r) must_check;
/* The revision is gone (repository deleted, history rewritten): nothing is left to decide. */
may_suspend err review_db_revision_drop(struct store *s, int64_t repo_id, struct str commit) must_check;

struct override_record {
    int64_t repo_id, user_id;
    struct str oid, reason, statement, signature, event;
    enum verdict verdict;
};
/* Row and event verdict.overridden; statements of the revisions at the repository's references are issued anew. */
may_suspend err review_db_override_put(struct store *s, const struct override_record *o) must_check;
struct override_row {
    enum verdict verdict;
    struct str reason, reviewer, statement, signature;
    int64_t time_ms;
};
/* *found false when the blob is not overridden in this repository. */
must_check err review_db_override_get(struct db *d, struct arena *a, int64_t repo_id, struct str oid,
                                      struct override_row *out, bool *found);

/* "models/owner/name" of a repository; E_REPO_NOT_FOUND when deleted. */
must_check err review_db_repo_name(struct db *d, struct arena *a, int64_t repo_id, struct str *out);
/* The key that signs now. A new one is an event with its public half, so that older statements stay checkable, and
 * every decided revision gets a new statement. *changed: it was another one before. */
may_suspend err review_db_key(struct store *s, const char *key_id, struct str public_b64, bool *changed) must_check;
/* After a change of the rule pack: judge recorded facts again, forget verdicts without facts, ask for new statements.
 */
may_suspend err review_db_rejudge(struct store *s, size_t *judged) must_check;
#endif
