/* SPDX-License-Identifier: Apache-2.0 */
/* id_fixture.h — a store with amy, bob, an administrator, a reviewer, organisation acme and its repositories. */
#ifndef ID_FIXTURE_H
#define ID_FIXTURE_H

#include "unit.h"

#include <sqlite3.h>
#include <unistd.h>

#include "base/clock.h"
#include "id/id.h"

struct fixture {
    char dir[64];
    struct store *store;
    struct id *id;
    struct arena arena;
    int64_t amy, bob, root, rita, acme;
    int64_t pub, priv; /* acme/pub, acme/priv (models) */
};

struct repo_row {
    int64_t owner_id, id;
    struct str name, key;
    bool is_private;
};

static inline err fixture_repo_tx(struct db *d, void *arg) {
    struct repo_row *r = arg;
    TRY(db_exec(d,
                "INSERT INTO repo (type, owner_id, name, name_key, is_private, created_ms, updated_ms) VALUES (1, ?, "
                "?, ?, ?, 1, 1)",
                "issi", r->owner_id, r->name, r->key, (int64_t)r->is_private));
    r->id = db_last_id(d);
    return OK;
}

static inline int64_t fixture_repo(struct fixture *f, int64_t owner, const char *name, bool is_private) {
    struct repo_row r = {owner, 0, str_of(name), id_name_key(&f->arena, str_of(name)), is_private};
    assert_ok(db_write(f->store, fixture_repo_tx, &r));
    return r.id;
}

/* A connection of its own, as another program would have. */
static inline void fixture_shell_sql(struct fixture *f, const char *sql) {
    char path[128];
    sqlite3 *h;
    snprintf(path, sizeof path, "%s/ballast.db", f->dir);
    assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
    sqlite3_busy_timeout(h, 5000);
    char *msg = NULL;
    if (sqlite3_exec(h, sql, NULL, NULL, &msg) != SQLITE_OK) fail_msg("%s: %s", sql, msg);
    sqlite3_close(h);
}

static inline int64_t fixture_user(struct fixture *f, const char *name, const char *password, bool admin) {
    int64_t user_id;
    assert_ok(id_user_add(f->id, str_of(name), STR_NULL, STR_NULL, str_of(password), admin, &user_id));
    return user_id;
}

static inline int fixture_setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 64 * MiB);
    snprintf(f->dir, sizeof f->dir, "/tmp/id-test-XXXXXX");
    if (mkdtemp(f->dir) == NULL) return -1;
    struct store_opts so = {f->dir, true};
    assert_ok(store_open(&so, &f->store));
    struct id_opts io = {.store = f->store};
    assert_ok(id_open(&io, &f->id));
    f->amy = fixture_user(f, "amy", NULL, false);
    f->bob = fixture_user(f, "Bob", NULL, false);
    f->root = fixture_user(f, "boss", NULL, true);
    f->rita = fixture_user(f, "rita", NULL, false);
    assert_ok(id_user_reviewer(f->id, STR("rita"), true));
    assert_ok(id_org_add(f->id, STR("acme"), STR("Acme Ltd"), f->amy, &f->acme));
    f->pub = fixture_repo(f, f->acme, "pub", false);
    f->priv = fixture_repo(f, f->acme, "Priv", true);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state) {
    struct fixture *f = *state;
    id_close(f->id);
    store_close(f->store);
    arena_release(&f->arena);
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf %s", f->dir);
    int rc = system(cmd);
    free(f);
    return rc;
}

/* A token of the user; the string lives in the arena. */
static inline struct str fixture_token(struct fixture *f, int64_t user_id, enum role role, int64_t *token_id) {
    char secret[ID_TOKEN_MAX + 1];
    assert_ok(id_token_create(f->id, user_id, STR("test"), role, 0, STR(""), secret));
    struct token_rec *t;
    size_t n;
    assert_ok(id_token_list(f->id, &f->arena, user_id, &t, &n));
    if (token_id != NULL) *token_id = t[0].id;
    return arena_str(&f->arena, str_of(secret));
}

#define FIXTURE(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
#endif
