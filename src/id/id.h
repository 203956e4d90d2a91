/* SPDX-License-Identifier: Apache-2.0 */
/*
 * id.h — users, organisations, tokens, sessions, repository identity, and "may X do Y on Z".
 *
 * Tokens are stored as SHA-256 only (they carry 200+ bits, so no slow hash is needed); passwords by
 * scrypt. Lookups are cached per process and fall with store_change_gen(), so a revocation by the
 * command line reaches a running server within 50 ms.
 */
#ifndef BALLAST_ID_H
#define BALLAST_ID_H

#include "http/http.h"
#include "store/store.h"

enum role { ROLE_NONE = 0, ROLE_READ = 1, ROLE_WRITE = 2, ROLE_ADMIN = 3 };
enum repo_type { REPO_MODEL = 1, REPO_DATASET = 2, REPO_SPACE = 3 };
const char *repo_type_name(enum repo_type t);            /* "model" */
const char *repo_type_plural(enum repo_type t);          /* "models" (as in /api/{t}) */
const char *repo_type_prefix(enum repo_type t);          /* "" "datasets/" "spaces/" (URL prefix of pages) */
bool repo_type_parse(struct str s, enum repo_type *out); /* accepts singular and plural */

struct principal {
    int64_t user_id; /* 0 = anonymous */
    struct str name, fullname;
    bool is_admin, is_reviewer;
    enum role token_role; /* ROLE_ADMIN for sessions */
    int64_t token_id;     /* 0 for sessions and anonymous */
    struct str token_name;
    bool by_session;
    struct str csrf; /* of the session */
    enum lang lang;
    bool has_lang;
};

struct repo_rec {
    int64_t id;
    enum repo_type type;
    int64_t owner_id;
    struct str owner, name; /* canonical case */
    bool is_private;
    struct str gated; /* "" , "auto", "manual" */
    int64_t created_ms, updated_ms, downloads, likes;
    enum role my_role; /* of the principal it was looked up for */
};

struct id;
struct id_opts {
    struct store *store;
    int64_t session_ttl_ms; /* 0 = 14 days */
};
must_check err id_open(const struct id_opts *o, struct id **out);
void id_close(struct id *id);
/* The http hook: authenticates (Bearer, Basic password=token, x-api-key, session cookie), authorises by route. */
may_suspend err id_authorize(void *id, struct http_req *r) must_check;
/* Routes of this room: sign-in, tokens, whoami-v2, orgs (HF and /api/ballast). */
must_check err id_routes(struct id *id, struct http_router *rt);

/* --- owners ---------------------------------------------------------------------------------- */
struct owner_rec {
    int64_t id;
    bool is_org, is_admin, is_reviewer, disabled;
    struct str name, fullname, email;
    int64_t created_ms;
};
/* E_CONFLICT name taken; E_UNPROCESSABLE bad or reserved name. password NULL_STR = none can sign in. */
may_suspend err id_user_add(struct id *id, struct str name, struct str fullname, struct str email, struct str password,
                            bool admin, int64_t *user_id) must_check;
may_suspend err id_user_disable(struct id *id, struct str name, bool disabled) must_check;
/* Give or take the right to override verdicts. */
may_suspend err id_user_reviewer(struct id *id, struct str name, bool reviewer) must_check;
may_suspend err id_org_add(struct id *id, struct str name, struct str fullname, int64_t owner_user_id,
                           int64_t *org_id) must_check;
may_suspend err id_org_member(struct id *id, int64_t org_id, int64_t user_id, enum role role) must_check;
must_check err id_owner_find(struct id *id, struct arena *a, struct str name, struct owner_rec *out); /* E_NOT_FOUND */
must_check err id_owner_get(struct id *id, struct arena *a, int64_t owner_id, struct owner_rec *out);
enum { ID_LIST_MAX = 10000 };
/* All owners by name; kind: 0 both, 1 users, 2 organisations. */
must_check err id_owner_list(struct id *id, struct arena *a, int kind, struct owner_rec **out, size_t *n);
/* Members of an organisation with their roles. */
must_check err id_members_of(struct id *id, struct arena *a, int64_t org_id, struct owner_rec **users,
                             enum role **roles, size_t *n);
may_suspend err id_user_admin(struct id *id, struct str name, bool admin) must_check;
/* Organisations of a user with the role there. */
must_check err id_orgs_of(struct id *id, struct arena *a, int64_t user_id, struct owner_rec **orgs, enum role **roles,
                          size_t *n);
/* Role of the principal on an owner's namespace (itself: ADMIN). Token role caps it. */
must_check err id_role_on_owner(struct id *id, const struct principal *p, int64_t owner_id, enum role *out);
/* Name grammar and reserved words; text says what is wrong. */
must_check err id_name_check(struct str name, bool is_owner);

/* --- tokens ------------------------------------------------------------------------------------- */
enum { ID_TOKEN_MAX = 256 };
/* Writes the secret (once, "hf_" + 37 letters and digits) to out. `fixed` non-empty: use that string (tests,
 * migration). */
may_suspend err id_token_create(struct id *id, int64_t user_id, struct str name, enum role role,
                                int64_t expires_ms /* 0 never */, struct str fixed,
                                char out[ID_TOKEN_MAX + 1]) must_check;
may_suspend err id_token_revoke(struct id *id, int64_t user_id /* 0 any */, int64_t token_id) must_check;
/* Principal for a secret; E_BAD_CREDENTIALS. Strings in the arena. */
must_check err id_token_check(struct id *id, struct arena *a, struct str secret, struct principal *out);

/* For lists: everything but the secret. */
struct token_rec {
    int64_t id, user_id, created_ms, expires_ms, used_ms, revoked_ms;
    struct str user, name, hint;
    enum role role;
};
enum { ID_TOKEN_LIST_MAX = 1000 };
must_check err id_token_list(struct id *id, struct arena *a, int64_t user_id, struct token_rec **out, size_t *n);
/* "read" "write" "admin" "none" and back. */
const char *id_role_name(enum role r);
bool id_role_parse(struct str s, enum role *out);

/* --- sessions (browsers) --------------------------------------------------------------------------- */
#define ID_COOKIE "ballast_session"
enum { ID_COOKIE_LEN = 46 }; /* "bs_" + 43 letters and digits */
/*
 * Sign in: name and password, limited per name and address. E_BAD_CREDENTIALS (the same whichever part was
 * wrong), E_RATE with retry_after. r may be NULL (no address is counted then).
 */
may_suspend err id_password_verify(struct id *id, struct http_req *r, struct str name, struct str password,
                                   int64_t *user_id) must_check;
may_suspend err id_session_create(struct id *id, int64_t user_id, struct str agent,
                                  char cookie[ID_COOKIE_LEN + 1]) must_check;
/* The two above and Set-Cookie; a foreign Origin is refused. What sign-in pages call. Sets *r->who. */
may_suspend err id_sign_in(struct id *id, struct http_req *r, struct str name, struct str password) must_check;
/* Ends the request's session, if any, and clears the cookie. */
may_suspend err id_sign_out(struct id *id, struct http_req *r) must_check;
/* Principal of a cookie value; E_UNAUTHORIZED when it names no live session. Strings in the arena. */
must_check err id_session_check(struct id *id, struct arena *a, struct str cookie, struct principal *out);
void id_session_cookie_set(struct http_req *r, const char *cookie /* NULL clears */, int64_t ttl_ms);
struct session_rec {
    struct str key; /* 16 hex digits that name it in lists; not the secret */
    struct str agent;
    int64_t created_ms, used_ms, expires_ms;
    bool current;
};
enum { ID_SESSION_LIST_MAX = 200 };
must_check err id_session_list(struct id *id, struct arena *a,
                               const struct http_req *r /* marks the current one; NULL ok */, int64_t user_id,
                               struct session_rec **out, size_t *n);
/* key empty: all but the request's own (r NULL: all). E_NOT_FOUND when key names none of this user's. */
may_suspend err id_session_revoke(struct id *id, const struct http_req *r, int64_t user_id, struct str key) must_check;
/*
 * Unsafe methods with a session need its CSRF token: header X-CSRF-Token, or the field `csrf` of an
 * urlencoded form. id_authorize checks this for every route before the handler runs; a handler needs
 * id_csrf_check only for values it takes from elsewhere.
 */
must_check err id_csrf_check(const struct http_req *r, struct str given);
/* Needs the old password (unless none was set); ends every other session of the user. */
may_suspend err id_password_change(struct id *id, const struct http_req *r, int64_t user_id, struct str old,
                                   struct str fresh) must_check;
may_suspend err id_lang_set(struct id *id, int64_t user_id, enum lang lang,
                            bool automatic /* forget the preference */) must_check;

/* --- repositories (identity and rights; contents are hub's) --------------------------------------- */
/* By type/owner/name, case-insensitive, redirects of moved names followed (*moved). E_REPO_NOT_FOUND. */
must_check err repo_find(struct id *id, struct arena *a, enum repo_type t, struct str owner, struct str name,
                         struct repo_rec *out, bool *moved);
must_check err repo_get(struct id *id, struct arena *a, int64_t repo_id, struct repo_rec *out);
/* OK, or the error this principal must see: E_REPO_NOT_FOUND (hidden), E_FORBIDDEN, E_UNAUTHORIZED. Sets my_role. */
must_check err repo_access(struct id *id, const struct principal *p, struct repo_rec *repo, enum role need);
/*
 * Inside a transaction: may the owner give this name to a repository (repo_id of one that moves, 0 = a new one)?
 * E_CONFLICT when it is taken, or burned: a redirect to a repository that now belongs to somebody else. A redirect
 * of the owner's own is dropped, and so is the repository's own when it comes back.
 */
must_check err repo_name_claim(struct db *d, enum repo_type t, int64_t owner_id, struct str name, int64_t repo_id);
/* Lower-case key of a name, as stored in *_key columns. */
struct str id_name_key(struct arena *a, struct str name);
#endif
