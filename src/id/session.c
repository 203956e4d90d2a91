/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.c — browsers: signing in and out, the cookie, the CSRF token.
 *
 * The cookie is HttpOnly, SameSite=Lax, Secure under TLS; only its hash is stored. Signing in is
 * limited per (name, address), per address and per name; a refusal never says which part was wrong,
 * and an unknown name costs the same time as a wrong password.
 */
#include "base/clock.h"
#include "id/id_int.h"

enum { FAIL_PAIR = 10, FAIL_ADDRESS = 60, FAIL_NAME = 200, CSRF_LEN = 32 };

static err wrong(void) {
    return err_fail(E_BAD_CREDENTIALS, "the name or the password is wrong");
}

struct keys {
    struct str pair, address, name;
};

static struct keys keys_of(struct arena *a, const struct http_req *r, struct str name) {
    struct str ip = r != NULL ? r->remote_ip : STR("-"), key = id_name_key(a, str_sub(name, 0, NAME_MAX_LEN));
    return (struct keys){arena_printf(a, "p " STR_FMT " " STR_FMT, STR_ARG(key), STR_ARG(ip)),
                         arena_printf(a, "a " STR_FMT, STR_ARG(ip)), arena_printf(a, "n " STR_FMT, STR_ARG(key))};
}

static err limit_check(struct id *id, const struct keys *k) {
    unsigned wait = rate_wait_s(id->rate, k->pair, FAIL_PAIR);
    wait = MAX(wait, rate_wait_s(id->rate, k->address, FAIL_ADDRESS));
    wait = MAX(wait, rate_wait_s(id->rate, k->name, FAIL_NAME));
    if (wait == 0) return OK;
    err e = err_fail(E_RATE, "too many failed attempts to sign in; try again in %u s", wait);
    err_slot()->retry_after_s = wait;
    return e;
}

err id_password_verify(struct id *id, struct http_req *r, struct str name, struct str password, int64_t *user_id) {
    struct arena a cleanup(arena_release);
    arena_init(&a, 64 * KiB);
    struct keys k = keys_of(&a, r, name);
    TRY(limit_check(id, &k));
    struct owner_rec o = {0};
    struct str record = STR("");
    bool disabled = true, ok;
    err e = id_owner_find(id, &a, name, &o);
    if (e != OK && e != E_NOT_FOUND) return e;
    if (e == OK) TRY(owner_db_password(db_reader(id->store), &a, o.id, &record, &disabled));
    TRY(password_verify(id, record, password, &ok));
    if (ok && !disabled) {
        rate_clear(id->rate, k.pair);
        *user_id = o.id;
        return OK;
    }
    rate_failed(id->rate, k.pair);
    rate_failed(id->rate, k.address);
    rate_failed(id->rate, k.name);
    return wrong();
}

err id_session_create(struct id *id, int64_t user_id, struct str agent, char cookie[ID_COOKIE_LEN + 1]) {
    memcpy(cookie, "bs_", 3);
    random_alnum(cookie + 3, ID_COOKIE_LEN - 3);
    char csrf[CSRF_LEN + 1];
    random_alnum(csrf, CSRF_LEN);
    struct str ag = str_sub(agent, 0, AGENT_MAX);
    struct session_new s = {.user_id = user_id,
                            .expires_ms = clock_wall_ms() + id->session_ttl_ms,
                            .agent = ag.p != NULL && str_is_utf8(ag) ? ag : STR(""),
                            .csrf = str_of(csrf)};
    hash_sha256(cookie, ID_COOKIE_LEN, s.hash);
    return session_db_add(id, &s);
}

err id_session_check(struct id *id, struct arena *a, struct str cookie, struct principal *out) {
    bool found = false;
    if (cookie.n == ID_COOKIE_LEN) {
        uint8_t hash[SHA256_LEN];
        hash_sha256(cookie.p, cookie.n, hash);
        TRY(session_db_find(id, a, hash, out, &found));
    }
    return found ? OK : err_fail(E_UNAUTHORIZED, "you are signed out; sign in again");
}

void id_session_cookie_set(struct http_req *r, const char *cookie, int64_t ttl_ms) {
    bool tls = r->is_tls || str_starts(r->base_url, "https://");
    http_setf(r, "Set-Cookie", ID_COOKIE "=%s; Path=/; Max-Age=%" PRId64 "; HttpOnly; SameSite=Lax%s",
              cookie != NULL ? cookie : "", cookie != NULL ? ttl_ms / 1000 : 0, tls ? "; Secure" : "");
}

/* Browsers say where a form was; a form of another site must not sign anybody in or act for them. */
static bool origin_is_ours(const struct http_req *r) {
    struct str o = http_header(r, "origin");
    if (o.p == NULL) return true;
    ptrdiff_t at = str_find(o, STR("://"));
    struct str host = at < 0 ? STR("") : str_from(o, (size_t)at + 3);
    ptrdiff_t base = str_find(r->base_url, STR("://"));
    struct str ours = base < 0 ? STR("") : str_from(r->base_url, (size_t)base + 3);
    ptrdiff_t slash = str_chr(ours, '/');
    if (slash >= 0) ours = str_sub(ours, 0, (size_t)slash);
    return host.n > 0 && (str_ieq(host, r->host) || str_ieq(host, ours));
}

err id_csrf_check(const struct http_req *r, struct str given) {
    if (!r->who->by_session) return OK; /* other sites cannot make a browser send a token */
    if (!origin_is_ours(r))
        return err_fail(E_FORBIDDEN, "this request came from a page of another site; nothing was changed");
    struct str want = r->who->csrf;
    if (want.n > 0 && given.n == want.n && hash_equal(given.p, want.p, want.n)) return OK;
    return err_fail(E_FORBIDDEN, "the page was too old or the request came from elsewhere (no valid CSRF token); "
                                 "reload the page and try again; nothing was changed");
}

err id_sign_in(struct id *id, struct http_req *r, struct str name, struct str password) {
    if (!origin_is_ours(r))
        return err_fail(E_FORBIDDEN, "this request came from a page of another site; nothing was changed");
    int64_t user_id;
    char cookie[ID_COOKIE_LEN + 1];
    TRY(id_password_verify(id, r, name, password, &user_id));
    TRY(id_session_create(id, user_id, http_header(r, "user-agent"), cookie));
    struct str old = http_cookie(r, ID_COOKIE);
    if (old.n == ID_COOKIE_LEN) { /* the browser forgets it now: so do we */
        uint8_t hash[SHA256_LEN];
        hash_sha256(old.p, old.n, hash);
        TRY(session_db_end_one(id, hash));
    }
    TRY(id_session_check(id, r->arena, arena_str(r->arena, str_make(cookie, ID_COOKIE_LEN)), r->who));
    id_session_cookie_set(r, cookie, id->session_ttl_ms);
    return OK;
}

err id_sign_out(struct id *id, struct http_req *r) {
    struct str cookie = http_cookie(r, ID_COOKIE);
    if (cookie.n == ID_COOKIE_LEN) {
        uint8_t hash[SHA256_LEN];
        hash_sha256(cookie.p, cookie.n, hash);
        TRY(session_db_end_one(id, hash));
    }
    id_session_cookie_set(r, NULL, 0);
    return OK;
}

err id_session_revoke(struct id *id, const struct http_req *r, int64_t user_id, struct str key) {
    uint8_t hash[SHA256_LEN];
    struct str cookie = r != NULL ? http_cookie((struct http_req *)(uintptr_t)r, ID_COOKIE) : STR_NULL;
    if (cookie.n > 0) hash_sha256(cookie.p, cookie.n, hash);
    int64_t n;
    TRY(session_db_end(id, user_id, key, cookie.n > 0 ? str_make(hash, sizeof hash) : STR(""), &n));
    if (key.n > 0 && n == 0) return err_fail(E_NOT_FOUND, "there is no session " STR_FMT, STR_ARG(str_sub(key, 0, 32)));
    return OK;
}
