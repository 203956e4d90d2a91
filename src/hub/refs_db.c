/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refs_db.c — rows that follow git: repo_ref, repo_blob, revision, repo.head, and the events, in one transaction.
 *
 * A change that is recorded already (the reference stands there and its commit has a revision row) writes nothing,
 * so a repeated report leaves one event.
 */
#include "base/clock.h"
#include "hub/refs.h"

static err ref_now(struct db *d, int64_t repo_id, struct str ref, char oid[GIT_OID_HEX + 1]) {
    struct stmt *st;
    bool row;
    oid[0] = 0;
    TRY(db_prep(d, "SELECT oid FROM repo_ref WHERE repo_id = ?1 AND ref = ?2", &st));
    db_bind_i64(st, 1, repo_id);
    db_bind_str(st, 2, ref);
    TRY(db_step(st, &row));
    if (row) snprintf(oid, GIT_OID_HEX + 1, STR_FMT, STR_ARG(str_sub(db_str(st, 0), 0, GIT_OID_HEX)));
    db_done(st);
    return OK;
}

static err revision_known(struct db *d, int64_t repo_id, struct str oid, bool *yes) {
    struct stmt *st;
    TRY(db_prep(d, "SELECT 1 FROM revision WHERE repo_id = ?1 AND commit_oid = ?2", &st));
    db_bind_i64(st, 1, repo_id);
    db_bind_str(st, 2, oid);
    TRY(db_step(st, yes));
    db_done(st);
    return OK;
}

static err ref_event(struct db *d, const struct refs_job *j, const char *kind, struct str ref, struct str target) {
    struct event_draft e;
    event_begin(&e);
    jw_kstr(&e.w, "ref", ref);
    jw_kstr(&e.w, "target", target);
    jw_kcstr(&e.w, "via", j->via);
    return event_end(d, &e, kind, j->user_id, j->repo_id);
}

static err push_event(struct db *d, const struct refs_job *j, const struct refs_change *c) {
    struct event_draft e;
    event_begin(&e);
    jw_kstr(&e.w, "ref", c->ref);
    jw_kstr(&e.w, "old", c->old_oid.p != NULL ? c->old_oid : STR(""));
    jw_kstr(&e.w, "new", c->new_oid);
    jw_ki64(&e.w, "files", (int64_t)c->n_blobs);
    jw_kcstr(&e.w, "via", j->via);
    jw_kstr(&e.w, "message", str_sub(c->message, 0, 500));
    return event_end(d, &e, "revision.pushed", j->user_id, j->repo_id);
}

static err blobs_add(struct db *d, const struct refs_job *j, const struct refs_change *c) {
    struct arena a;
    err e = OK;
    arena_init(&a, 64 * KiB);
    for (size_t i = 0; i < c->n_blobs && e == OK; i++) {
        e = db_exec(d, "INSERT OR IGNORE INTO repo_blob (repo_id, oid) VALUES (?1, ?2)", "is", j->repo_id,
                    hub_entry_key(&a, &c->blobs[i]));
        arena_reset(&a);
    }
    arena_release(&a);
    return e;
}

static err ref_put(struct db *d, const struct refs_job *j, const struct refs_change *c) {
    if (c->now.n == 0)
        return db_exec(d, "DELETE FROM repo_ref WHERE repo_id = ?1 AND ref = ?2", "is", j->repo_id, c->ref);
    TRY(db_exec(d,
                "INSERT INTO repo_ref (repo_id, ref, oid) VALUES (?1, ?2, ?3) ON CONFLICT (repo_id, ref) DO UPDATE SET "
                "oid = ?3",
                "iss", j->repo_id, c->ref, c->now));
    if (!str_eqz(c->ref, "refs/heads/main")) return OK;
    return db_exec(d, "UPDATE repo SET head = ?2 WHERE id = ?1", "is", j->repo_id, c->now);
}

static err change_tx(struct db *d, const struct refs_job *j, const struct refs_change *c) {
    char recorded[GIT_OID_HEX + 1];
    bool known = true;
    TRY(ref_now(d, j->repo_id, c->ref, recorded));
    if (c->new_oid.n > 0) TRY(revision_known(d, j->repo_id, c->new_oid, &known));
    if (known && str_eqz(c->now, recorded)) return OK;
    TRY(ref_put(d, j, c));
    TRY(blobs_add(d, j, c));
    if (c->new_oid.n == 0) return recorded[0] != 0 ? ref_event(d, j, "ref.deleted", c->ref, str_of(recorded)) : OK;
    if (!known)
        TRY(db_exec(d, "INSERT INTO revision (repo_id, commit_oid, pushed_ms, pushed_by) VALUES (?1, ?2, ?3, ?4)",
                    "isii", j->repo_id, c->new_oid, clock_wall_ms(), j->user_id));
    if (recorded[0] == 0) TRY(ref_event(d, j, "ref.created", c->ref, c->new_oid));
    return !known || recorded[0] != 0 ? push_event(d, j, c) : OK;
}

static err record_tx(struct db *d, void *arg) {
    const struct refs_job *j = arg;
    for (size_t i = 0; i < j->n; i++) TRY(change_tx(d, j, &j->changes[i]));
    return db_exec(d, "UPDATE repo SET updated_ms = ?2 WHERE id = ?1", "ii", j->repo_id, clock_wall_ms());
}

err refs_db_record(struct store *s, struct refs_job *j) {
    return db_write(s, record_tx, j);
}

err refs_db_list(struct db *d, struct arena *a, int64_t repo_id, struct git_ref **out, size_t *n) {
    struct stmt *st;
    bool row;
    size_t cap = 0;
    *out = NULL;
    *n = 0;
    TRY(db_prep(d, "SELECT ref, oid FROM repo_ref WHERE repo_id = ?1 ORDER BY ref", &st));
    db_bind_i64(st, 1, repo_id);
    for (;;) {
        err e = db_step(st, &row);
        if (e != OK || !row) {
            db_done(st);
            return e;
        }
        if (*n == cap) {
            cap = cap == 0 ? 16 : cap * 2;
            struct git_ref *v = arena_array(a, struct git_ref, cap);
            if (*n > 0) memcpy(v, *out, *n * sizeof *v);
            *out = v;
        }
        (*out)[*n].name = arena_str(a, db_str(st, 0));
        snprintf((*out)[*n].target, GIT_OID_HEX + 1, STR_FMT, STR_ARG(str_sub(db_str(st, 1), 0, GIT_OID_HEX)));
        ++*n;
    }
}

err refs_db_repos(struct db *d, int64_t after, int64_t *ids, size_t max, size_t *n) {
    struct stmt *st;
    bool row = true;
    *n = 0;
    TRY(db_prep(d, "SELECT id FROM repo WHERE deleted_ms = 0 AND id > ?1 ORDER BY id LIMIT ?2", &st));
    db_bind_i64(st, 1, after);
    db_bind_i64(st, 2, (int64_t)max);
    err e = OK;
    while (*n < max && (e = db_step(st, &row)) == OK && row) ids[(*n)++] = db_i64(st, 0);
    db_done(st);
    return e;
}
