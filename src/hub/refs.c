/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refs.c — git moved, now the records follow: after an API commit, a git push, and at server start.
 *
 * Invariant: under the repository's lock the rows of repo_ref equal git's references once a record call returned OK.
 * Git moves first (its commit is durable), the rows come second; a crash between the two leaves a reference ahead of
 * its row, which nothing has been told about yet, and hub_refs_repair() records it at the next start. The commit is
 * whole in either case.
 */
#include "hub/refs.h"

#include "base/log.h"
#include "hub/hub.h"

enum { PUSH_BLOBS_MAX = 500000, REPAIR_BATCH = 256 };

static const struct git_ref *ref_find(const struct git_ref *v, size_t n, struct str name) {
    for (size_t lo = 0, hi = n; lo < hi;) {
        size_t mid = lo + (hi - lo) / 2;
        int c = str_cmp(v[mid].name, name);
        if (c == 0) return &v[mid];
        if (c < 0) lo = mid + 1;
        else hi = mid;
    }
    return NULL;
}

static struct str oid_str(const struct git_ref *r) {
    return r != NULL ? str_make(r->target, GIT_OID_HEX) : STR("");
}

/* What the change means: where the reference stands, which blobs are new, what the commit says. */
static err change_fill(struct hub *h, struct arena *a, int64_t repo_id, const struct hub_ref_change *c,
                       struct str message, const struct git_ref *refs, size_t n_refs, const struct str *olds,
                       size_t n_olds, struct refs_change *out) {
    *out = (struct refs_change){.ref = c->ref, .old_oid = c->old_oid, .new_oid = c->new_oid, .message = message};
    out->now = oid_str(ref_find(refs, n_refs, c->ref));
    if (c->new_oid.n == 0) return OK;
    struct git_entry *blobs = NULL;
    TRY(git_new_blobs(h->git, a, repo_id, c->new_oid, olds, n_olds, PUSH_BLOBS_MAX, &blobs, &out->n_blobs));
    out->blobs = blobs;
    if (message.n > 0) return OK;
    struct git_commit *log;
    size_t n;
    TRY(git_log(h->git, a, repo_id, c->new_oid, STR(""), 0, 1, &log, &n, NULL));
    if (n > 0) out->message = log[0].title;
    return OK;
}

static err record(struct hub *h, struct arena *a, int64_t repo_id, int64_t user_id, const char *via, struct str message,
                  const struct hub_ref_change *changes, size_t n) {
    struct git_ref *refs, *recorded;
    size_t n_refs, n_recorded;
    TRY(git_refs(h->git, a, repo_id, &refs, &n_refs));
    TRY(refs_db_list(db_reader(h->store), a, repo_id, &recorded, &n_recorded));
    struct str *olds = arena_array(a, struct str, n_recorded + 1);
    for (size_t i = 0; i < n_recorded; i++) olds[i] = oid_str(&recorded[i]);
    struct refs_change *v = arena_array(a, struct refs_change, n + 1);
    for (size_t i = 0; i < n; i++)
        TRY(change_fill(h, a, repo_id, &changes[i], message, refs, n_refs, olds, n_recorded, &v[i]));
    struct refs_job j = {repo_id, user_id, via, v, n};
    return refs_db_record(h->store, &j);
}

err hub_refs_record_locked(struct hub *h, int64_t repo_id, int64_t user_id, const char *via, struct str message,
                           const struct hub_ref_change *changes, size_t n) {
    struct arena a cleanup(arena_release);
    arena_init(&a, 512 * MiB); /* PUSH_BLOBS_MAX entries; freed at once */
    return record(h, &a, repo_id, user_id, via, message, changes, n);
}

err hub_refs_record(struct hub *h, int64_t repo_id, int64_t user_id, const char *via, struct str message,
                    const struct hub_ref_change *changes, size_t n) {
    struct git_lock *lock = NULL;
    TRY(git_lock(h->git, repo_id, &lock));
    err e = hub_refs_record_locked(h, repo_id, user_id, via, message, changes, n);
    git_unlock(lock);
    TRY(e);
    for (size_t i = 0; i < n; i++)
        if (str_eqz(changes[i].ref, "refs/heads/main") && changes[i].new_oid.n > 0)
            TRY(hub_card_refresh(h, repo_id, changes[i].new_oid));
    return OK;
}

/* --- from git to the records ------------------------------------------------------------------------------ */

static err sync_refs(struct hub *h, struct arena *a, int64_t repo_id, int64_t user_id, const char *via,
                     size_t *n_changes, char main_oid[GIT_OID_HEX + 1]) {
    struct git_ref *refs, *recorded;
    size_t n_refs, n_recorded, n = 0;
    TRY(git_refs(h->git, a, repo_id, &refs, &n_refs));
    TRY(refs_db_list(db_reader(h->store), a, repo_id, &recorded, &n_recorded));
    struct hub_ref_change *c = arena_array(a, struct hub_ref_change, n_refs + n_recorded + 1);
    for (size_t i = 0; i < n_refs; i++) {
        const struct git_ref *old = ref_find(recorded, n_recorded, refs[i].name);
        if (old != NULL && str_eq(oid_str(old), oid_str(&refs[i]))) continue;
        c[n++] = (struct hub_ref_change){refs[i].name, oid_str(old), oid_str(&refs[i])};
        if (str_eqz(refs[i].name, "refs/heads/main")) memcpy(main_oid, refs[i].target, GIT_OID_HEX + 1);
    }
    for (size_t i = 0; i < n_recorded; i++)
        if (ref_find(refs, n_refs, recorded[i].name) == NULL)
            c[n++] = (struct hub_ref_change){recorded[i].name, oid_str(&recorded[i]), STR("")};
    if (n_changes != NULL) *n_changes = n;
    return n == 0 ? OK : record(h, a, repo_id, user_id, via, STR(""), c, n);
}

err hub_refs_sync_locked(struct hub *h, int64_t repo_id, int64_t user_id, const char *via, size_t *n_changes,
                         char main_oid[GIT_OID_HEX + 1]) {
    struct arena a cleanup(arena_release);
    arena_init(&a, 512 * MiB);
    main_oid[0] = 0;
    return sync_refs(h, &a, repo_id, user_id, via, n_changes, main_oid);
}

static err repair_one(struct hub *h, int64_t repo_id) {
    struct git_lock *lock = NULL;
    size_t n = 0;
    char main_oid[GIT_OID_HEX + 1];
    TRY(git_lock(h->git, repo_id, &lock));
    err e = git_sweep_repo(h->git, repo_id);
    if (e == OK) e = hub_refs_sync_locked(h, repo_id, 0, "git", &n, main_oid);
    git_unlock(lock);
    TRY(e);
    if (n > 0) log_warn("hub.refs.repaired", LI("repo", repo_id), LI("refs", n));
    return main_oid[0] != 0 ? hub_card_refresh(h, repo_id, str_of(main_oid)) : OK;
}

err hub_refs_repair(struct hub *h, size_t *n_bad) {
    int64_t ids[REPAIR_BATCH], after = 0;
    size_t n;
    *n_bad = 0;
    git_sweep(h->git);
    do {
        TRY(refs_db_repos(db_reader(h->store), after, ids, REPAIR_BATCH, &n));
        for (size_t i = 0; i < n; i++) {
            after = ids[i];
            err e = repair_one(h, ids[i]);
            if (e == OK) continue;
            ++*n_bad; /* one broken repository must not keep the others from being served */
            log_error("hub.refs.broken", LI("repo", ids[i]), LZ("why", err_text()));
        }
    } while (n == REPAIR_BATCH);
    return OK;
}
