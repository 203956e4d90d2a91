/* SPDX-License-Identifier: Apache-2.0 */
/* hub_repo_db.c — rows of repositories: create, delete, settings, move, card, counters; each with its event. */
#include "base/clock.h"
#include "hub/hub_db.h"

struct add_job {
    int64_t user_id, owner_id, repo_id;
    enum repo_type t;
    struct str owner, name, key;
    bool is_private;
};

static struct str lower_key(struct arena *a, struct str s) {
    char *p = arena_strz(a, s);
    for (size_t i = 0; i < s.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z') p[i] = (char)(p[i] + 32);
    return (struct str){p, s.n};
}

/* {"type","owner","name","private"} plus what `more` adds. */
static err repo_event(struct db *d, const char *kind, int64_t user_id, int64_t repo_id, enum repo_type t,
                      struct str owner, struct str name, const char *more_key, struct str more) {
    struct event_draft e;
    event_begin(&e);
    jw_kcstr(&e.w, "type", repo_type_name(t));
    jw_kstr(&e.w, "owner", owner);
    jw_kstr(&e.w, "name", name);
    if (more_key != NULL) {
        jw_key(&e.w, more_key);
        jw_raw(&e.w, more);
    }
    return event_end(d, &e, kind, user_id, repo_id);
}

static err add_tx(struct db *d, void *arg) {
    struct add_job *j = arg;
    /* An owner may reuse a name it moved away from, unless the repository went to somebody else: people still follow it
     * there. */
    TRY(repo_name_claim(d, j->t, j->owner_id, j->name, 0));
    int64_t now = clock_wall_ms();
    TRY(db_exec(d,
                "INSERT INTO repo (type, owner_id, name, name_key, is_private, created_ms, updated_ms) VALUES (?1, ?2, "
                "?3, ?4, ?5, ?6, ?6)",
                "iissii", (int64_t)j->t, j->owner_id, j->name, j->key, (int64_t)j->is_private, now));
    j->repo_id = db_last_id(d);
    return repo_event(d, "repo.created", j->user_id, j->repo_id, j->t, j->owner, j->name, "private",
                      j->is_private ? STR("true") : STR("false"));
}

err hub_db_repo_add(struct hub *h, int64_t user_id, enum repo_type t, int64_t owner_id, struct str owner,
                    struct str name, bool is_private, int64_t *repo_id) {
    struct arena a cleanup(arena_release);
    arena_init(&a, 64 * KiB);
    struct add_job j = {
        .user_id = user_id, .owner_id = owner_id, .t = t, .owner = owner, .name = name, .is_private = is_private};
    j.key = lower_key(&a, name);
    TRY(db_write(h->store, add_tx, &j));
    *repo_id = j.repo_id;
    return OK;
}

struct drop_job {
    int64_t user_id;
    const struct repo_rec *repo;
};

static err drop_tx(struct db *d, void *arg) {
    const struct drop_job *j = arg;
    int64_t id = j->repo->id;
    TRY(db_exec(d, "UPDATE repo SET deleted_ms = ?2, head = '' WHERE id = ?1 AND deleted_ms = 0", "ii", id,
                clock_wall_ms()));
    if (db_changes(d) == 0) return err_fail(E_REPO_NOT_FOUND, "the repository is already deleted");
    TRY(db_exec(d, "DELETE FROM repo_alias WHERE repo_id = ?1", "i", id));
    TRY(db_exec(d, "DELETE FROM repo_ref WHERE repo_id = ?1", "i", id));
    TRY(db_exec(d, "DELETE FROM repo_file WHERE repo_id = ?1", "i", id));
    TRY(db_exec(d, "DELETE FROM repo_blob WHERE repo_id = ?1", "i", id));
    TRY(db_exec(d, "DELETE FROM revision WHERE repo_id = ?1", "i", id));
    TRY(db_exec(d, "DELETE FROM hub_commit WHERE repo_id = ?1", "i", id));
    return repo_event(d, "repo.deleted", j->user_id, id, j->repo->type, j->repo->owner, j->repo->name, NULL, STR_NULL);
}

err hub_db_repo_drop(struct hub *h, int64_t user_id, const struct repo_rec *repo) {
    struct drop_job j = {user_id, repo};
    return db_write(h->store, drop_tx, &j);
}

struct settings_job {
    int64_t user_id;
    const struct repo_rec *repo;
    const struct hub_settings *s;
};

static err settings_tx(struct db *d, void *arg) {
    const struct settings_job *j = arg;
    const struct hub_settings *s = j->s;
    int64_t id = j->repo->id;
    struct buf b cleanup(buf_release);
    buf_init(&b, 8 * KiB);
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    if (s->set_private) {
        TRY(db_exec(d, "UPDATE repo SET is_private = ?2 WHERE id = ?1", "ii", id, (int64_t)s->is_private));
        jw_kbool(&w, "private", s->is_private);
    }
    if (s->set_gated) {
        TRY(db_exec(d, "UPDATE repo SET gated = ?2 WHERE id = ?1", "is", id, s->gated));
        jw_kstr(&w, "gated", s->gated);
    }
    if (s->set_description) {
        TRY(db_exec(d, "UPDATE repo SET description = ?2 WHERE id = ?1", "is", id, s->description));
        jw_kstr(&w, "description", s->description);
    }
    jw_obj_end(&w);
    TRY(buf_ok(&b, "event"));
    return repo_event(d, "repo.settings", j->user_id, id, j->repo->type, j->repo->owner, j->repo->name, "changed",
                      buf_view(&b));
}

err hub_db_settings(struct hub *h, int64_t user_id, const struct repo_rec *repo, const struct hub_settings *s) {
    struct settings_job j = {user_id, repo, s};
    return db_write(h->store, settings_tx, &j);
}

struct move_job {
    int64_t user_id, to_owner;
    const struct repo_rec *repo;
    struct str to_owner_name, to_name, old_key, new_key;
};

static err move_tx(struct db *d, void *arg) {
    const struct move_job *j = arg;
    const struct repo_rec *r = j->repo;
    TRY(repo_name_claim(d, r->type, j->to_owner, j->to_name, r->id));
    TRY(db_exec(d, "UPDATE repo SET owner_id = ?2, name = ?3, name_key = ?4, updated_ms = ?5 WHERE id = ?1", "iissi",
                r->id, j->to_owner, j->to_name, j->new_key, clock_wall_ms()));
    if (r->owner_id != j->to_owner || !str_eq(j->old_key, j->new_key))
        TRY(db_exec(d, "INSERT OR REPLACE INTO repo_alias (type, owner_id, name_key, repo_id) VALUES (?1, ?2, ?3, ?4)",
                    "iisi", (int64_t)r->type, r->owner_id, j->old_key, r->id));
    struct buf b cleanup(buf_release);
    buf_init(&b, 4 * KiB);
    buf_char(&b, '"');
    buf_str(&b, j->to_owner_name);
    buf_char(&b, '/');
    buf_str(&b, j->to_name);
    buf_char(&b, '"');
    return repo_event(d, "repo.moved", j->user_id, r->id, r->type, r->owner, r->name, "to", buf_view(&b));
}

err hub_db_move(struct hub *h, int64_t user_id, const struct repo_rec *repo, int64_t to_owner, struct str to_owner_name,
                struct str to_name) {
    struct arena a cleanup(arena_release);
    arena_init(&a, 64 * KiB);
    struct move_job j = {
        user_id, to_owner, repo, to_owner_name, to_name, lower_key(&a, repo->name), lower_key(&a, to_name)};
    return db_write(h->store, move_tx, &j);
}

struct card_job {
    int64_t repo_id;
    struct str card, tags, description;
};

static err card_tx(struct db *d, void *arg) {
    const struct card_job *j = arg;
    return db_exec(d,
                   "UPDATE repo SET card = ?2, tags = ?3, description = CASE WHEN ?4 <> '' THEN ?4 ELSE description "
                   "END WHERE id = ?1",
                   "isss", j->repo_id, j->card, j->tags, j->description);
}

err hub_db_card_set(struct hub *h, int64_t repo_id, struct str card, struct str tags, struct str description) {
    struct card_job j = {repo_id, card, tags, description};
    return db_write(h->store, card_tx, &j);
}

struct count_job {
    int64_t repo_id, n;
};

static err count_tx(struct db *d, void *arg) {
    struct count_job *j = arg;
    err e = db_exec(d, "UPDATE repo SET downloads = downloads + ?2 WHERE id = ?1", "ii", j->repo_id, j->n);
    free(j);
    return e;
}

void hub_db_count(struct hub *h, int64_t repo_id, int64_t n) {
    struct count_job *j = malloc(sizeof *j);
    if (j == NULL) return; /* a lost count is no error */
    *j = (struct count_job){repo_id, n};
    if (db_write_async(h->store, count_tx, j) != OK) free(j);
}

err hub_db_commit_seen(struct db *d, int64_t repo_id, struct str ref, const uint8_t digest[SHA256_LEN],
                       char commit[GIT_OID_HEX + 1]) {
    struct stmt *st;
    commit[0] = 0;
    TRY(db_prep(d, "SELECT commit_oid FROM hub_commit WHERE repo_id = ?1 AND ref = ?2 AND digest = ?3", &st));
    db_bind_i64(st, 1, repo_id);
    db_bind_str(st, 2, ref);
    db_bind_blob(st, 3, digest, SHA256_LEN);
    bool row;
    err e = db_step(st, &row);
    if (e == OK && row && db_str(st, 0).n == GIT_OID_HEX) {
        memcpy(commit, db_str(st, 0).p, GIT_OID_HEX);
        commit[GIT_OID_HEX] = 0;
    }
    db_done(st);
    return e;
}

struct note_job {
    int64_t repo_id;
    struct str ref, commit;
    const uint8_t *digest;
};

static err note_tx(struct db *d, void *arg) {
    const struct note_job *j = arg;
    return db_exec(
        d, "INSERT OR REPLACE INTO hub_commit (repo_id, ref, digest, commit_oid, time_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        "isbsi", j->repo_id, j->ref, str_make(j->digest, SHA256_LEN), j->commit, clock_wall_ms());
}

err hub_db_commit_note(struct hub *h, int64_t repo_id, struct str ref, const uint8_t digest[SHA256_LEN],
                       const char *commit) {
    struct note_job j = {repo_id, ref, {commit, GIT_OID_HEX}, digest};
    return db_write(h->store, note_tx, &j);
}
