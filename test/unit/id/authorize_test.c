/* SPDX-License-Identifier: Apache-2.0 */
/* The hook alone: every class of http.h against every kind of caller; credentials, CSRF, passwords, rate limit. */
#include "id_fixture.h"

#include "base/buf.h"
#include "base/hex.h"

struct call {
    struct http_req r;
    struct http_route route;
    struct http_header h[4];
};

static void call_init(struct fixture *f, struct call *c, enum http_method m, enum http_auth auth) {
    memset(c, 0, sizeof *c);
    c->route = (struct http_route){.methods = (unsigned)m,
                                   .pattern = "/api/models/{ns}/{name}",
                                   .auth = auth,
                                   .dialect = DIALECT_HF,
                                   .name = "t",
                                   .repo_type = "model"};
    c->r = (struct http_req){.arena = &f->arena,
                             .method = m,
                             .route = &c->route,
                             .path = STR("/api/models/acme/priv"),
                             .host = STR("hub.test:8620"),
                             .base_url = STR("http://hub.test:8620"),
                             .remote_ip = STR("192.0.2.7"),
                             .headers = c->h};
    c->r.params[0] = (struct http_param){"ns", 2, STR("acme"), STR("acme")};
    c->r.params[1] = (struct http_param){"name", 4, STR("priv"), STR("priv")};
    c->r.n_params = 2;
}

static void header(struct call *c, const char *name, struct str value) {
    c->h[c->r.n_headers++] = (struct http_header){str_of(name), value};
}

static struct str bearer(struct fixture *f, struct str token) {
    return arena_printf(&f->arena, "Bearer " STR_FMT, STR_ARG(token));
}

enum who { ANON, OTHER, READER, WRITER, OWNER, OWNER_READ_TOKEN, ADMIN, ADMIN_READ_TOKEN, REVIEWER, REVOKED, N_WHO };

static void test_every_class_against_every_caller(void **state) {
    struct fixture *f = *state;
    assert_ok(id_org_member(f->id, f->acme, f->bob, ROLE_WRITE));
    int64_t reader = fixture_user(f, "reader", NULL, false), other = fixture_user(f, "other", NULL, false), revoked;
    assert_ok(id_org_member(f->id, f->acme, reader, ROLE_READ));
    struct str t[N_WHO] = {[OTHER] = fixture_token(f, other, ROLE_ADMIN, NULL),
                           [READER] = fixture_token(f, reader, ROLE_WRITE, NULL),
                           [WRITER] = fixture_token(f, f->bob, ROLE_WRITE, NULL),
                           [OWNER] = fixture_token(f, f->amy, ROLE_ADMIN, NULL),
                           [OWNER_READ_TOKEN] = fixture_token(f, f->amy, ROLE_READ, NULL),
                           [ADMIN] = fixture_token(f, f->root, ROLE_ADMIN, NULL),
                           [ADMIN_READ_TOKEN] = fixture_token(f, f->root, ROLE_READ, NULL),
                           [REVIEWER] = fixture_token(f, f->rita, ROLE_WRITE, NULL),
                           [REVOKED] = fixture_token(f, f->amy, ROLE_ADMIN, &revoked)};
    assert_ok(id_token_revoke(f->id, 0, revoked));
    const err NO = E_UNAUTHORIZED, BAD = E_BAD_CREDENTIALS, F = E_FORBIDDEN, H = E_REPO_NOT_FOUND;
    const struct {
        enum http_auth auth;
        err want[N_WHO];
    } rows[] = {
        /*                  anon other reader writer owner owner/r admin admin/r reviewer revoked */
        {AUTH_PUBLIC, {OK, OK, OK, OK, OK, OK, OK, OK, OK, BAD}},
        {AUTH_USER, {NO, OK, OK, OK, OK, OK, OK, OK, OK, BAD}},
        {AUTH_USER_WRITE, {NO, OK, OK, OK, OK, F, OK, F, OK, BAD}},
        {AUTH_REPO_READ, {H, H, OK, OK, OK, OK, OK, OK, H, BAD}},
        {AUTH_REPO_WRITE, {H, H, F, OK, OK, F, OK, F, H, BAD}},
        {AUTH_REPO_ADMIN, {H, H, F, F, OK, F, OK, F, H, BAD}},
        {AUTH_SITE_ADMIN, {NO, F, F, F, F, F, OK, F, F, BAD}},
        {AUTH_REVIEWER, {NO, F, F, F, F, F, OK, F, OK, BAD}},
        {AUTH_INFER, {NO, OK, OK, OK, OK, OK, OK, OK, OK, BAD}},
        {AUTH_SIGNED, {OK, OK, OK, OK, OK, OK, OK, OK, OK, OK}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned w = 0; w < N_WHO; w++) {
            struct call c;
            call_init(f, &c, HTTP_POST, rows[i].auth);
            if (w != ANON) header(&c, "Authorization", bearer(f, t[w]));
            err e = id_authorize(f->id, &c.r);
            if (e != rows[i].want[w])
                fail_msg("class %d caller %u: got %s, expected %s", (int)rows[i].auth, w, e ? e->name : "ok",
                         rows[i].want[w] ? rows[i].want[w]->name : "ok");
            assert_non_null(c.r.who);
            assert_true(c.r.authenticated == (c.r.who->user_id != 0));
        }
    }
}

static void test_undeclared_class_is_refused(void **state) {
    struct call c;
    call_init(*state, &c, HTTP_GET, AUTH_NONE_DECLARED);
    assert_err(id_authorize(((struct fixture *)*state)->id, &c.r), E_INTERNAL);
}

static void test_ways_to_send_a_token(void **state) {
    struct fixture *f = *state;
    struct str t = fixture_token(f, f->amy, ROLE_READ, NULL);
    const struct {
        const char *header;
        struct str pair; /* for Basic; empty: value as it is */
        struct str value;
        err want;
    } rows[] = {
        {"authorization", STR(""), bearer(f, t), OK},
        {"Authorization", STR(""), arena_printf(&f->arena, "bearer   " STR_FMT, STR_ARG(t)), OK},
        {"x-api-key", STR(""), t, OK},
        {"Authorization", arena_printf(&f->arena, "anyone:" STR_FMT, STR_ARG(t)), STR_NULL, OK},
        {"Authorization", arena_printf(&f->arena, STR_FMT ":", STR_ARG(t)), STR_NULL, OK},
        {"Authorization", STR("amy:wrong"), STR_NULL, E_BAD_CREDENTIALS},
        {"Authorization", STR("no colon"), STR_NULL, E_BAD_CREDENTIALS},
        {"Authorization", STR(""), STR("Basic !!!"), E_BAD_CREDENTIALS},
        {"Authorization", STR(""), STR("Digest x"), E_BAD_CREDENTIALS},
        {"Authorization", STR(""), STR("Bearer"), E_BAD_CREDENTIALS},
        {"Authorization", STR(""), STR(""), E_BAD_CREDENTIALS},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct call c;
        struct str v = rows[i].value;
        if (rows[i].pair.n > 0) {
            struct buf b cleanup(buf_release);
            buf_init(&b, 1000);
            buf_cstr(&b, "Basic ");
            base64_encode(&b, rows[i].pair.p, rows[i].pair.n);
            v = arena_str(&f->arena, buf_view(&b));
        }
        call_init(f, &c, HTTP_GET, AUTH_USER);
        header(&c, rows[i].header, v);
        err e = id_authorize(f->id, &c.r);
        if (e != rows[i].want) fail_msg("row %zu: %s", i, e ? e->name : "ok");
    }
}

static void test_git_suffix_and_unknown_type(void **state) {
    struct fixture *f = *state;
    struct str t = fixture_token(f, f->amy, ROLE_READ, NULL);
    struct call c;
    call_init(f, &c, HTTP_GET, AUTH_REPO_READ);
    c.r.params[1].value = STR("priv.git");
    header(&c, "Authorization", bearer(f, t));
    assert_ok(id_authorize(f->id, &c.r));
    assert_int_equal(c.r.repo->id, f->priv);
    call_init(f, &c, HTTP_GET, AUTH_REPO_READ);
    c.route.repo_type = NULL;
    c.r.params[2] = (struct http_param){"type", 4, STR("nonsense"), STR("nonsense")};
    c.r.n_params = 3;
    assert_err(id_authorize(f->id, &c.r), E_NOT_FOUND);
}

/* --- sessions -------------------------------------------------------------------------------------------------------
 */

static struct str session_of(struct fixture *f, int64_t user, struct principal *p) {
    char cookie[ID_COOKIE_LEN + 1];
    assert_ok(id_session_create(f->id, user, STR("test agent"), cookie));
    struct str v = arena_str(&f->arena, str_of(cookie));
    assert_ok(id_session_check(f->id, &f->arena, v, p));
    return v;
}

static err session_call(struct fixture *f, enum http_method m, enum http_auth auth, struct str cookie, struct str csrf,
                        const char *origin, int64_t *who) {
    struct call c;
    call_init(f, &c, m, auth);
    header(&c, "Cookie", arena_printf(&f->arena, "a=b; " ID_COOKIE "=" STR_FMT "; c=d", STR_ARG(cookie)));
    if (csrf.n > 0) header(&c, "X-CSRF-Token", csrf);
    if (origin != NULL) header(&c, "Origin", str_of(origin));
    err e = id_authorize(f->id, &c.r);
    *who = c.r.who->user_id;
    return e;
}

static void test_csrf(void **state) {
    struct fixture *f = *state;
    struct principal p, q;
    int64_t who;
    struct str cookie = session_of(f, f->amy, &p);
    (void)session_of(f, f->bob, &q);
    assert_int_equal(p.token_role, ROLE_ADMIN);
    assert_ok(session_call(f, HTTP_GET, AUTH_USER, cookie, STR(""), NULL, &who));
    assert_int_equal(who, f->amy);
    assert_err(session_call(f, HTTP_POST, AUTH_USER_WRITE, cookie, STR(""), NULL, &who), E_FORBIDDEN);
    assert_err(session_call(f, HTTP_POST, AUTH_USER_WRITE, cookie, q.csrf, NULL, &who), E_FORBIDDEN);
    assert_err(session_call(f, HTTP_DELETE, AUTH_USER, cookie, STR("x"), NULL, &who), E_FORBIDDEN);
    assert_err(session_call(f, HTTP_POST, AUTH_INFER, cookie, STR(""), NULL, &who), E_FORBIDDEN);
    assert_ok(session_call(f, HTTP_POST, AUTH_USER_WRITE, cookie, p.csrf, NULL, &who));
    assert_ok(session_call(f, HTTP_POST, AUTH_USER_WRITE, cookie, p.csrf, "http://hub.test:8620", &who));
    assert_err(session_call(f, HTTP_POST, AUTH_USER_WRITE, cookie, p.csrf, "http://evil.test", &who), E_FORBIDDEN);
    assert_err(session_call(f, HTTP_POST, AUTH_USER_WRITE, cookie, p.csrf, "null", &who), E_FORBIDDEN);
    assert_ok(session_call(f, HTTP_POST, AUTH_PUBLIC, cookie, STR(""), NULL, &who));
    assert_int_equal(who, 0); /* as nobody */
}

static void test_session_ends(void **state) {
    struct fixture *f = *state;
    struct principal p;
    int64_t who;
    struct str cookie = session_of(f, f->amy, &p), second = session_of(f, f->amy, &p);
    assert_err(session_call(f, HTTP_GET, AUTH_USER, STR("bs_0000000000000000000000000000000000000000000"), STR(""),
                            NULL, &who),
               E_UNAUTHORIZED);
    struct session_rec *s;
    size_t n;
    assert_ok(id_session_list(f->id, &f->arena, NULL, f->amy, &s, &n));
    assert_int_equal(n, 2);
    assert_err(id_session_revoke(f->id, NULL, f->bob, s[0].key), E_NOT_FOUND); /* another's */
    assert_ok(id_session_revoke(f->id, NULL, f->amy, STR("")));
    assert_err(session_call(f, HTTP_GET, AUTH_USER, cookie, STR(""), NULL, &who), E_UNAUTHORIZED);
    assert_err(session_call(f, HTTP_GET, AUTH_USER, second, STR(""), NULL, &who), E_UNAUTHORIZED);
    cookie = session_of(f, f->amy, &p);
    assert_ok(id_user_disable(f->id, STR("amy"), true));
    assert_err(session_call(f, HTTP_GET, AUTH_USER, cookie, STR(""), NULL, &who), E_UNAUTHORIZED);
    assert_ok(
        session_call(f, HTTP_GET, AUTH_PUBLIC, cookie, STR(""), NULL, &who)); /* a dead cookie closes no public page */
}

static void test_passwords(void **state) {
    struct fixture *f = *state;
    int64_t who = 0, carol;
    assert_err(id_user_add(f->id, STR("carol"), STR_NULL, STR_NULL, STR("short"), false, &carol), E_UNPROCESSABLE);
    assert_ok(id_user_add(f->id, STR("carol"), STR_NULL, STR_NULL, STR("correct horse"), false, &carol));
    assert_ok(id_password_verify(f->id, NULL, STR("CAROL"), STR("correct horse"), &who));
    assert_int_equal(who, carol);
    assert_err(id_password_verify(f->id, NULL, STR("carol"), STR("correct hors"), &who), E_BAD_CREDENTIALS);
    char wrong[200];
    snprintf(wrong, sizeof wrong, "%s", err_text());
    assert_err(id_password_verify(f->id, NULL, STR("nobody-here"), STR("x"), &who), E_BAD_CREDENTIALS);
    assert_string_equal(err_text(), wrong); /* the same answer whichever part was wrong */
    assert_err(id_password_verify(f->id, NULL, STR("amy"), STR(""), &who),
               E_BAD_CREDENTIALS); /* has no password at all */
    struct principal p;
    int64_t seen;
    struct str cookie = session_of(f, carol, &p);
    assert_err(id_password_change(f->id, NULL, carol, STR("wrong one"), STR("new password")), E_FORBIDDEN);
    assert_ok(id_password_change(f->id, NULL, carol, STR("correct horse"), STR("new password")));
    assert_err(session_call(f, HTTP_GET, AUTH_USER, cookie, STR(""), NULL, &seen),
               E_UNAUTHORIZED); /* other sessions end */
    assert_ok(id_password_verify(f->id, NULL, STR("carol"), STR("new password"), &who));
    assert_ok(id_user_disable(f->id, STR("carol"), true));
    assert_err(id_password_verify(f->id, NULL, STR("carol"), STR("new password"), &who), E_BAD_CREDENTIALS);
}

static void test_sign_in_is_limited(void **state) {
    struct fixture *f = *state;
    struct call c;
    int64_t who;
    call_init(f, &c, HTTP_POST, AUTH_PUBLIC);
    for (int i = 0; i < 10; i++)
        assert_err(id_password_verify(f->id, &c.r, STR("amy"), STR("guess"), &who), E_BAD_CREDENTIALS);
    assert_err(id_password_verify(f->id, &c.r, STR("amy"), STR("guess"), &who), E_RATE);
    assert_true(err_slot()->retry_after_s > 0);
    c.r.remote_ip = STR("192.0.2.8"); /* amy herself, elsewhere, is not locked out */
    assert_err(id_password_verify(f->id, &c.r, STR("amy"), STR("guess"), &who), E_BAD_CREDENTIALS);
}

static void test_language_of_the_account(void **state) {
    struct fixture *f = *state;
    struct call c;
    struct str t = fixture_token(f, f->amy, ROLE_READ, NULL);
    assert_ok(id_lang_set(f->id, f->amy, LANG_ZH, false));
    call_init(f, &c, HTTP_GET, AUTH_SITE_ADMIN);
    header(&c, "Authorization", bearer(f, t));
    assert_err(id_authorize(f->id, &c.r), E_FORBIDDEN);
    assert_int_equal(c.r.lang, LANG_ZH);
    assert_string_not_equal(err_text(), err_text_en());
    err_slot()->lang = LANG_EN;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE(test_every_class_against_every_caller),
        FIXTURE(test_undeclared_class_is_refused),
        FIXTURE(test_ways_to_send_a_token),
        FIXTURE(test_git_suffix_and_unknown_type),
        FIXTURE(test_csrf),
        FIXTURE(test_session_ends),
        FIXTURE(test_passwords),
        FIXTURE(test_sign_in_is_limited),
        FIXTURE(test_language_of_the_account),
    };
    return cmocka_run_group_tests_name("authorize", tests, NULL, NULL);
}
