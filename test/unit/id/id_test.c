/* SPDX-License-Identifier: Apache-2.0 */
/* Names, owners, tokens and their cache, rights, repository names. */
#include "id_fixture.h"

static void test_name_grammar(void **state) {
    static const char *const good[] = {"a", "amy", "A-b_c.d",      "__DUMMY_HUB_USER__",
                                       "0", "x.y", "Qwen2.5-0.5B", "admin"};
    static const char *const bad[] = {
        "",
        "-a",
        "a-",
        ".a",
        "a.",
        "a--b",
        "a..b",
        "a b",
        "a/b",
        "a\xc3\xa9",
        "x.git",
        "x.GIT",
        "a%2fb",
        "a\n",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) assert_ok(id_name_check(str_of(good[i]), true));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) assert_err(id_name_check(str_of(bad[i]), false), E_UNPROCESSABLE);
    assert_err(id_name_check(str_make("a\0b", 3), false), E_UNPROCESSABLE);
}

static void test_reserved_owner_names(void **state) {
    static const char *const words[] = {"api",         "API",        "v1",          "cas",     "login",
                                        "datasets",    "spaces",     "models",      "explore", "settings",
                                        "assets",      "healthz",    "readyz",      "metrics", "xet",
                                        "favicon.ico", "robots.txt", "sitemap.xml", "oauth",   "new"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        assert_err(id_name_check(str_of(words[i]), true), E_UNPROCESSABLE);
        assert_ok(id_name_check(str_of(words[i]), false)); /* as a repository's name it stands behind an owner */
    }
}

static void test_names_differ_by_more_than_case(void **state) {
    struct fixture *f = *state;
    int64_t n;
    assert_err(id_user_add(f->id, STR("AMY"), STR_NULL, STR_NULL, STR_NULL, false, &n), E_CONFLICT);
    assert_err(id_org_add(f->id, STR("bob"), STR_NULL, f->amy, &n), E_CONFLICT);
    struct owner_rec o;
    assert_ok(id_owner_find(f->id, &f->arena, STR("bOB"), &o));
    assert_str(o.name, "Bob");
}

static void test_token_round(void **state) {
    struct fixture *f = *state;
    struct str t = fixture_token(f, f->amy, ROLE_WRITE, NULL);
    struct principal p;
    assert_int_equal(t.n, 40);
    assert_true(str_starts(t, "hf_"));
    for (int i = 0; i < 3; i++) { /* from the records, then from the cache */
        assert_ok(id_token_check(f->id, &f->arena, t, &p));
        assert_int_equal(p.user_id, f->amy);
        assert_int_equal(p.token_role, ROLE_WRITE);
        assert_str(p.name, "amy");
        assert_str(p.token_name, "test");
    }
    struct str other = arena_str(&f->arena, t);
    ((char *)(uintptr_t)other.p)[39] ^= 1;
    assert_err(id_token_check(f->id, &f->arena, other, &p), E_BAD_CREDENTIALS);
    assert_err(id_token_check(f->id, &f->arena, STR(""), &p), E_BAD_CREDENTIALS);
}

static void test_any_token_string_can_be_seeded(void **state) {
    struct fixture *f = *state;
    char out[ID_TOKEN_MAX + 1];
    struct principal p;
    assert_ok(id_token_create(f->id, f->amy, STR("ci"), ROLE_ADMIN, 0, STR("hf_hub.js"), out));
    assert_string_equal(out, "hf_hub.js");
    assert_ok(id_token_check(f->id, &f->arena, STR("hf_hub.js"), &p));
    assert_err(id_token_create(f->id, f->bob, STR("ci"), ROLE_ADMIN, 0, STR("hf_hub.js"), out), E_CONFLICT);
    assert_err(id_token_create(f->id, f->bob, STR("ci"), ROLE_ADMIN, 0, STR("a b"), out), E_UNPROCESSABLE);
}

static void test_secret_is_not_in_the_database(void **state) {
    struct fixture *f = *state;
    struct str t = fixture_token(f, f->amy, ROLE_WRITE, NULL);
    char cookie[ID_COOKIE_LEN + 1], cmd[400];
    assert_ok(id_session_create(f->id, f->amy, STR("x"), cookie));
    db_write_flush(f->store);
    snprintf(cmd, sizeof cmd, "grep -c -a -e %.*s -e %s %s/ballast.db %s/ballast.db-wal | grep -v ':0$'", STR_ARG(t),
             cookie, f->dir, f->dir);
    assert_int_not_equal(system(cmd), 0);
}

static void test_revocation_in_process_is_at_once(void **state) {
    struct fixture *f = *state;
    int64_t token_id;
    struct principal p;
    struct str t = fixture_token(f, f->amy, ROLE_WRITE, &token_id);
    assert_ok(id_token_check(f->id, &f->arena, t, &p));
    assert_err(id_token_revoke(f->id, f->bob, token_id), E_NOT_FOUND); /* not his */
    assert_ok(id_token_check(f->id, &f->arena, t, &p));
    assert_ok(id_token_revoke(f->id, f->amy, token_id));
    assert_err(id_token_check(f->id, &f->arena, t, &p), E_BAD_CREDENTIALS);
}

/* By the sqlite3 shell even: triggers move auth_gen. */
static void foreign_change(struct fixture *f, const char *sql) {
    struct principal p;
    struct str t = fixture_token(f, f->amy, ROLE_WRITE, NULL);
    assert_ok(id_token_check(f->id, &f->arena, t, &p));
    fixture_shell_sql(f, sql);
    int64_t t0 = clock_mono_ms();
    while (id_token_check(f->id, &f->arena, t, &p) == OK) assert_true(clock_mono_ms() - t0 < 50);
}
static void test_revocation_by_another_process_within_50_ms(void **state) {
    foreign_change(*state, "UPDATE token SET revoked_ms = 1");
}
static void test_disabling_a_user_kills_its_tokens_within_50_ms(void **state) {
    foreign_change(*state, "UPDATE owner SET disabled = 1 WHERE name = 'amy'");
}
static void test_deleting_a_token_row_within_50_ms(void **state) {
    foreign_change(*state, "DELETE FROM token");
}

static void test_role_change_reaches_the_cache(void **state) {
    struct fixture *f = *state;
    struct principal p;
    struct str t = fixture_token(f, f->amy, ROLE_READ, NULL);
    assert_ok(id_token_check(f->id, &f->arena, t, &p));
    assert_false(p.is_admin);
    assert_ok(id_user_admin(f->id, STR("amy"), true));
    assert_ok(id_token_check(f->id, &f->arena, t, &p));
    assert_true(p.is_admin);
}

static void test_expiry(void **state) {
    struct fixture *f = *state;
    char out[ID_TOKEN_MAX + 1];
    struct principal p;
    assert_ok(id_token_create(f->id, f->amy, STR("brief"), ROLE_READ, clock_wall_ms() + 60, STR(""), out));
    assert_ok(id_token_check(f->id, &f->arena, str_of(out), &p));
    usleep(80000);
    assert_err(id_token_check(f->id, &f->arena, str_of(out), &p), E_BAD_CREDENTIALS); /* cached, and still it ends */
    assert_err(id_token_create(f->id, f->amy, STR("late"), ROLE_READ, 1, STR(""), out), E_UNPROCESSABLE);
}

static void test_last_use_is_recorded(void **state) {
    struct fixture *f = *state;
    struct principal p;
    struct token_rec *t;
    size_t n;
    struct str s = fixture_token(f, f->amy, ROLE_READ, NULL);
    assert_ok(id_token_check(f->id, &f->arena, s, &p));
    db_write_flush(f->store);
    assert_ok(id_token_list(f->id, &f->arena, f->amy, &t, &n));
    assert_int_equal(n, 1);
    assert_true(t[0].used_ms > clock_wall_ms() - 5000);
}

static void test_more_tokens_than_the_cache_holds(void **state) {
    struct fixture *f = *state;
    struct principal p;
    char out[ID_TOKEN_MAX + 1], fixed[32];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 600; i++) {
            snprintf(fixed, sizeof fixed, "tok-%d", i);
            if (round == 0) assert_ok(id_token_create(f->id, f->amy, STR("t"), ROLE_READ, 0, str_of(fixed), out));
            assert_ok(id_token_check(f->id, &f->arena, str_of(fixed), &p));
        }
    }
}

/* --- rights --------------------------------------------------------------------------------------------------- */

static enum role role_on(struct fixture *f, int64_t user, enum role token_role, int64_t repo_id, err *e,
                         enum role need) {
    struct principal p = {.user_id = user, .token_role = token_role, .is_admin = user == f->root};
    struct repo_rec r;
    assert_ok(repo_get(f->id, &f->arena, repo_id, &r));
    *e = repo_access(f->id, &p, &r, need);
    return r.my_role;
}

static void test_rights_matrix(void **state) {
    struct fixture *f = *state;
    err e;
    assert_ok(id_org_member(f->id, f->acme, f->bob, ROLE_WRITE));
    assert_ok(id_org_member(f->id, f->acme, f->rita, ROLE_READ));
    /* who, token role, role on the private repository, on the public one */
    const struct {
        int64_t who;
        enum role token, priv, pub;
    } rows[] = {{0, ROLE_NONE, ROLE_NONE, ROLE_READ},         {f->amy, ROLE_ADMIN, ROLE_ADMIN, ROLE_ADMIN},
                {f->amy, ROLE_WRITE, ROLE_WRITE, ROLE_WRITE}, {f->amy, ROLE_READ, ROLE_READ, ROLE_READ},
                {f->bob, ROLE_ADMIN, ROLE_WRITE, ROLE_WRITE}, {f->bob, ROLE_READ, ROLE_READ, ROLE_READ},
                {f->rita, ROLE_ADMIN, ROLE_READ, ROLE_READ},  {f->root, ROLE_ADMIN, ROLE_ADMIN, ROLE_ADMIN},
                {f->root, ROLE_READ, ROLE_READ, ROLE_READ}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(role_on(f, rows[i].who, rows[i].token, f->priv, &e, ROLE_READ), rows[i].priv);
        assert_ptr_equal(e, rows[i].priv >= ROLE_READ ? OK : E_REPO_NOT_FOUND);
        assert_int_equal(role_on(f, rows[i].who, rows[i].token, f->pub, &e, ROLE_WRITE), rows[i].pub);
        assert_ptr_equal(e, rows[i].pub >= ROLE_WRITE ? OK : rows[i].who == 0 ? E_UNAUTHORIZED : E_FORBIDDEN);
    }
    assert_int_equal(role_on(f, 9999, ROLE_ADMIN, f->priv, &e, ROLE_READ), ROLE_NONE);
    assert_ptr_equal(e, E_REPO_NOT_FOUND);
}

static void test_organisation_keeps_an_administrator(void **state) {
    struct fixture *f = *state;
    assert_err(id_org_member(f->id, f->acme, f->amy, ROLE_READ), E_CONFLICT);
    assert_ok(id_org_member(f->id, f->acme, f->bob, ROLE_ADMIN));
    assert_ok(id_org_member(f->id, f->acme, f->amy, ROLE_NONE));
    assert_err(id_org_member(f->id, f->acme, f->bob, ROLE_NONE), E_CONFLICT);
    assert_err(id_org_member(f->id, f->amy, f->bob, ROLE_READ), E_NOT_FOUND); /* amy is no organisation */
    struct owner_rec *o;
    enum role *r;
    size_t n;
    assert_ok(id_members_of(f->id, &f->arena, f->acme, &o, &r, &n));
    assert_int_equal(n, 1);
    assert_str(o[0].name, "Bob");
}

/* --- repository names ------------------------------------------------------------------------------------------- */

static void test_repo_find_ignores_case_and_follows_moves(void **state) {
    struct fixture *f = *state;
    struct repo_rec r;
    bool moved;
    assert_ok(repo_find(f->id, &f->arena, REPO_MODEL, STR("ACME"), STR("priv"), &r, &moved));
    assert_str(r.name, "Priv");
    assert_false(moved);
    assert_err(repo_find(f->id, &f->arena, REPO_DATASET, STR("acme"), STR("priv"), &r, &moved), E_REPO_NOT_FOUND);
    char sql[200];
    snprintf(sql, sizeof sql, "INSERT INTO repo_alias VALUES (1, %" PRId64 ", 'old', %" PRId64 ")", f->amy, f->pub);
    fixture_shell_sql(f, sql);
    assert_ok(repo_find(f->id, &f->arena, REPO_MODEL, STR("amy"), STR("OLD"), &r, &moved));
    assert_true(moved);
    assert_int_equal(r.id, f->pub);
    assert_str(r.owner, "acme");
}

static err claim_tx(struct db *d, void *arg) {
    const struct repo_row *r = arg;
    return repo_name_claim(d, REPO_MODEL, r->owner_id, r->name, r->id);
}

static void test_burned_names(void **state) {
    struct fixture *f = *state;
    char sql[300];
    snprintf(sql, sizeof sql,
             "INSERT INTO repo_alias VALUES (1, %" PRId64 ", 'gone', %" PRId64 "), (1, %" PRId64 ", 'mine', %" PRId64
             ")",
             f->amy, f->pub, f->acme, f->pub);
    fixture_shell_sql(f, sql);
    struct repo_row taken = {f->acme, 0, STR("PUB"), STR("pub"), false},
                    burned = {f->amy, 0, STR("gone"), STR("gone"), false};
    struct repo_row mine = {f->acme, 0, STR("mine"), STR("mine"), false},
                    fresh = {f->amy, 0, STR("fresh"), STR("fresh"), false};
    assert_err(db_write(f->store, claim_tx, &taken), E_CONFLICT);
    assert_err(db_write(f->store, claim_tx, &burned), E_CONFLICT);
    assert_ok(db_write(f->store, claim_tx, &mine)); /* its own redirect ends */
    assert_ok(db_write(f->store, claim_tx, &fresh));
    struct repo_row back = {f->amy, f->pub, STR("Gone"), STR("gone"), false},
                    recased = {f->acme, f->pub, STR("Pub"), STR("pub"), false};
    assert_ok(db_write(f->store, claim_tx, &recased));
    struct repo_rec r;
    assert_err(repo_find(f->id, &f->arena, REPO_MODEL, STR("acme"), STR("mine"), &r, NULL), E_REPO_NOT_FOUND);
    assert_ok(repo_find(f->id, &f->arena, REPO_MODEL, STR("amy"), STR("gone"), &r, NULL));
    assert_ok(db_write(f->store, claim_tx, &back)); /* the repository itself may come home */
}

static void test_changes_are_events(void **state) {
    struct fixture *f = *state;
    int64_t token_id;
    fixture_token(f, f->amy, ROLE_READ, &token_id);
    assert_ok(id_token_revoke(f->id, 0, token_id));
    static const char *const kinds[] = {"user.created", "user.reviewer", "org.created", "token.created",
                                        "token.revoked"};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct event *e;
        size_t n;
        assert_ok(event_list(db_reader(f->store), &f->arena, 0, 10, kinds[i], 0, true, &e, &n));
        if (n == 0) fail_msg("no event %s", kinds[i]);
    }
    struct event_check c;
    assert_ok(event_verify(db_reader(f->store), &c));
    assert_int_equal(c.first_bad_seq, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name_grammar),
        cmocka_unit_test(test_reserved_owner_names),
        FIXTURE(test_names_differ_by_more_than_case),
        FIXTURE(test_token_round),
        FIXTURE(test_any_token_string_can_be_seeded),
        FIXTURE(test_secret_is_not_in_the_database),
        FIXTURE(test_revocation_in_process_is_at_once),
        FIXTURE(test_revocation_by_another_process_within_50_ms),
        FIXTURE(test_disabling_a_user_kills_its_tokens_within_50_ms),
        FIXTURE(test_deleting_a_token_row_within_50_ms),
        FIXTURE(test_role_change_reaches_the_cache),
        FIXTURE(test_expiry),
        FIXTURE(test_last_use_is_recorded),
        FIXTURE(test_more_tokens_than_the_cache_holds),
        FIXTURE(test_rights_matrix),
        FIXTURE(test_organisation_keeps_an_administrator),
        FIXTURE(test_repo_find_ignores_case_and_follows_moves),
        FIXTURE(test_burned_names),
        FIXTURE(test_changes_are_events),
    };
    return cmocka_run_group_tests_name("id", tests, NULL, NULL);
}
