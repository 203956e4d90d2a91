/* SPDX-License-Identifier: Apache-2.0 */
/* id.c — opening the room; users, organisations, tokens. */
#include "base/clock.h"
#include "id/id_int.h"

enum { DAY_MS = 86400000 };

err id_open(const struct id_opts *o, struct id **out) {
    struct id *id = calloc(1, sizeof *id);
    if (id == NULL) return err_fail(E_NOMEM, "out of memory");
    id->store = o->store;
    id->session_ttl_ms = o->session_ttl_ms > 0 ? o->session_ttl_ms : (int64_t)14 * DAY_MS;
    id->kdf_mu = fmutex_new();
    err e = cache_new(&id->cache);
    if (e == OK) e = rate_new(&id->rate);
    if (e != OK) {
        id_close(id);
        return e;
    }
    *out = id;
    return OK;
}

void id_close(struct id *id) {
    if (id == NULL) return;
    cache_free(id->cache);
    rate_free(id->rate);
    if (id->kdf_mu != NULL) fmutex_free(id->kdf_mu);
    free(id);
}

/* --- owners ----------------------------------------------------------------------------------------------------------
 */

static err text_check(const char *field, struct str s, size_t max) {
    if (s.n > max) return err_fail(E_UNPROCESSABLE, "%s: %zu bytes, at most %zu are allowed", field, s.n, max);
    if (s.n > 0 && !str_is_utf8(s)) return err_fail(E_UNPROCESSABLE, "%s: expected UTF-8 text", field);
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return err_fail(E_UNPROCESSABLE, "%s: control characters are not allowed", field);
    return OK;
}

err id_user_add(struct id *id, struct str name, struct str fullname, struct str email, struct str password, bool admin,
                int64_t *user_id) {
    TRY(id_name_check(name, true));
    TRY(text_check("fullname", fullname, FULLNAME_MAX));
    TRY(text_check("email", email, EMAIL_MAX));
    char record[PASSWORD_RECORD_MAX] = "";
    if (password.p != NULL) {
        TRY(password_policy(name, password));
        TRY(password_hash(id, password, record));
    }
    struct owner_new o = {
        .name = name, .fullname = fullname, .email = email, .password = str_of(record), .is_admin = admin};
    TRY(owner_db_add(id, &o));
    if (user_id != NULL) *user_id = o.id;
    return OK;
}

err id_user_disable(struct id *id, struct str name, bool disabled) {
    return owner_db_flag(id, name, "disabled", disabled);
}
err id_user_reviewer(struct id *id, struct str name, bool reviewer) {
    return owner_db_flag(id, name, "is_reviewer", reviewer);
}
err id_user_admin(struct id *id, struct str name, bool admin) {
    return owner_db_flag(id, name, "is_admin", admin);
}

err id_org_add(struct id *id, struct str name, struct str fullname, int64_t owner_user_id, int64_t *org_id) {
    TRY(id_name_check(name, true));
    TRY(text_check("fullname", fullname, FULLNAME_MAX));
    struct owner_new o = {
        .name = name, .fullname = fullname, .password = STR(""), .is_org = true, .org_owner = owner_user_id};
    TRY(owner_db_add(id, &o));
    if (org_id != NULL) *org_id = o.id;
    return OK;
}

err id_org_member(struct id *id, int64_t org_id, int64_t user_id, enum role role) {
    return member_db_set(id, org_id, user_id, role);
}

err id_lang_set(struct id *id, int64_t user_id, enum lang lang, bool automatic) {
    return owner_db_lang_set(id, user_id, automatic ? STR("") : lang_record(lang));
}

err id_password_change(struct id *id, const struct http_req *r, int64_t user_id, struct str old, struct str fresh) {
    struct arena a cleanup(arena_release);
    arena_init(&a, 64 * KiB);
    struct owner_rec o;
    struct str record;
    bool disabled, ok = true;
    TRY(id_owner_get(id, &a, user_id, &o));
    TRY(password_policy(o.name, fresh));
    TRY(owner_db_password(db_reader(id->store), &a, user_id, &record, &disabled));
    if (record.n > 0) TRY(password_verify(id, record, old, &ok));
    if (!ok) return err_fail(E_FORBIDDEN, "the old password is wrong; nothing was changed");
    char made[PASSWORD_RECORD_MAX];
    TRY(password_hash(id, fresh, made));
    uint8_t keep[SHA256_LEN];
    struct str cookie = r != NULL ? http_cookie((struct http_req *)(uintptr_t)r, ID_COOKIE) : STR_NULL;
    if (cookie.n > 0) hash_sha256(cookie.p, cookie.n, keep);
    return owner_db_password_set(id, user_id, str_of(made), cookie.n > 0 ? str_make(keep, sizeof keep) : STR(""));
}

/* --- tokens
 * --------------------------------------------------------------------------------------------------------------- */

static err secret_make(struct str fixed, char out[ID_TOKEN_MAX + 1]) {
    if (fixed.n == 0) {
        memcpy(out, "hf_", 3);
        random_alnum(out + 3, 37);
        return OK;
    }
    if (fixed.n > ID_TOKEN_MAX)
        return err_fail(E_UNPROCESSABLE, "token: %zu characters, at most %d are allowed", fixed.n, ID_TOKEN_MAX);
    for (size_t i = 0; i < fixed.n; i++)
        if (fixed.p[i] <= 0x20 || fixed.p[i] >= 0x7f)
            return err_fail(E_UNPROCESSABLE, "token: expected printable ASCII without spaces");
    memcpy(out, fixed.p, fixed.n);
    out[fixed.n] = 0;
    return OK;
}

err id_token_create(struct id *id, int64_t user_id, struct str name, enum role role, int64_t expires_ms,
                    struct str fixed, char out[ID_TOKEN_MAX + 1]) {
    if (name.n == 0) return err_fail(E_UNPROCESSABLE, "name: a token needs a name");
    TRY(text_check("name", name, TOKEN_NAME_MAX));
    if (role < ROLE_READ || role > ROLE_ADMIN) return err_fail(E_UNPROCESSABLE, "role: expected read, write or admin");
    if (expires_ms != 0 && expires_ms <= clock_wall_ms())
        return err_fail(E_UNPROCESSABLE, "expires: the time lies in the past");
    TRY(secret_make(fixed, out));
    struct token_new t = {.user_id = user_id, .expires_ms = expires_ms, .name = name, .role = role};
    char hint[16];
    size_t n = strlen(out), tail = n >= 16 ? 4 : n >= 8 ? 2 : 0; /* enough to tell tokens apart, too little to guess */
    int k = snprintf(hint, sizeof hint, "%.3s…%s", out, out + n - tail);
    t.hint = str_make(hint, (size_t)k);
    hash_sha256(out, n, t.hash);
    return token_db_add(id, &t);
}

err id_token_revoke(struct id *id, int64_t user_id, int64_t token_id) {
    return token_db_revoke(id, user_id, token_id);
}

static err bad_token(void) {
    return err_fail(E_BAD_CREDENTIALS, "this token is not valid here: unknown, expired or revoked; make a new one in "
                                       "the account page or by ballast token create");
}

err id_token_check(struct id *id, struct arena *a, struct str secret, struct principal *out) {
    if (secret.n == 0 || secret.n > ID_TOKEN_MAX) return bad_token();
    uint8_t hash[SHA256_LEN];
    struct token_grant g;
    bool stamp;
    hash_sha256(secret.p, secret.n, hash);
    if (!cache_get(id, a, hash, &g, &stamp)) {
        uint64_t epoch;
        bool found;
        TRY(cache_epoch(id, &epoch)); /* before the row: see cache.c */
        TRY(token_db_find(db_reader(id->store), a, hash, &g, &found));
        if (!found) return bad_token();
        int64_t now = clock_wall_ms();
        stamp = now - g.used_ms >= 60000;
        if (stamp) g.used_ms = now;
        cache_put(id, hash, &g, epoch);
    }
    int64_t now = clock_wall_ms();
    if (g.expires_ms != 0 && g.expires_ms <= now) return bad_token();
    if (stamp) token_db_touch(id, g.token_id, now);
    *out = (struct principal){.user_id = g.user_id,
                              .name = g.name,
                              .fullname = g.fullname,
                              .is_admin = g.is_admin,
                              .is_reviewer = g.is_reviewer,
                              .token_role = g.role,
                              .token_id = g.token_id,
                              .token_name = g.token_name,
                              .csrf = STR(""),
                              .lang = g.lang,
                              .has_lang = g.has_lang};
    return OK;
}
