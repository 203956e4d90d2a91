/* SPDX-License-Identifier: Apache-2.0 */
/* id_int.h — shared by the files of this room only. */
#ifndef BALLAST_ID_INT_H
#define BALLAST_ID_INT_H

#include "base/hash.h"
#include "id/id.h"

struct cache;
struct rate;

struct id {
    struct store *store;
    int64_t session_ttl_ms;
    struct fmutex *kdf_mu; /* one scrypt at a time: 32 MiB and one work thread at most */
    struct cache *cache;
    struct rate *rate;
};

enum {
    NAME_MAX_LEN = 96,
    FULLNAME_MAX = 200,
    EMAIL_MAX = 254,
    TOKEN_NAME_MAX = 100,
    AGENT_MAX = 200,
    PASSWORD_MIN = 8,
    PASSWORD_MAX = 256,
    PASSWORD_RECORD_MAX = 256,
};

/* --- password.c --- */
/* "scrypt$N$r$p$salt$hash" into out. */
may_suspend err password_hash(struct id *id, struct str password, char out[PASSWORD_RECORD_MAX]) must_check;
/* A bad or empty record costs the same and is never *ok. */
may_suspend err password_verify(struct id *id, struct str record, struct str password, bool *ok) must_check;
must_check err password_policy(struct str name, struct str password);

/* --- rate.c: failures per key in a sliding window --- */
must_check err rate_new(struct rate **out);
void rate_free(struct rate *r);
/* Seconds to wait, 0 = go on. */
unsigned rate_wait_s(struct rate *r, struct str key, unsigned max_failures);
void rate_failed(struct rate *r, struct str key);
void rate_clear(struct rate *r, struct str key);

/* --- cache.c: what a token means --- */
struct token_grant { /* the row behind a secret */
    int64_t token_id, user_id, expires_ms, used_ms;
    enum role role;
    bool is_admin, is_reviewer, has_lang;
    enum lang lang;
    struct str name, fullname, token_name;
};
must_check err cache_new(struct cache **out);
void cache_free(struct cache *c);
/* *stamp: the last use was recorded long ago, record it now. False: not known, ask the records. */
bool cache_get(struct id *id, struct arena *a, const uint8_t hash[32], struct token_grant *out, bool *stamp);
void cache_put(struct id *id, const uint8_t hash[32], const struct token_grant *g, uint64_t epoch);
/* The generation under which a lookup made from now on may be cached. */
must_check err cache_epoch(struct id *id, uint64_t *out);

/* --- *_db.c: the only files with SQL --- */
struct owner_new {
    struct str name, fullname, email, password; /* password: the record, "" = cannot sign in */
    bool is_org, is_admin;
    int64_t org_owner; /* first administrator of an organisation */
    int64_t id;        /* out */
};
must_check err owner_db_add(struct id *id, struct owner_new *o);
must_check err owner_db_flag(struct id *id, struct str name, const char *flag /* "disabled" "is_reviewer" "is_admin" */,
                             bool on);
must_check err owner_db_password(struct db *d, struct arena *a, int64_t user_id, struct str *record, bool *disabled);
must_check err owner_db_password_set(struct id *id, int64_t user_id, struct str record,
                                     struct str keep_session /* hash; empty = none */);
must_check err owner_db_lang_set(struct id *id, int64_t user_id, struct str tag);
must_check err member_db_set(struct id *id, int64_t org_id, int64_t user_id, enum role role);
must_check err member_db_role(struct db *d, int64_t org_id, int64_t user_id, enum role *out);
struct repo_counts {
    int64_t models, datasets, spaces;
};
/* with_private: all, else the public ones. */
must_check err owner_db_counts(struct db *d, int64_t owner_id, bool with_private, struct repo_counts *out);

struct token_new {
    int64_t user_id, expires_ms;
    struct str name, hint;
    enum role role;
    uint8_t hash[SHA256_LEN];
    int64_t id; /* out */
};
must_check err token_db_add(struct id *id, struct token_new *t);
must_check err token_db_revoke(struct id *id, int64_t user_id, int64_t token_id);
/* *found false: no such live token. */
must_check err token_db_find(struct db *d, struct arena *a, const uint8_t hash[SHA256_LEN], struct token_grant *out,
                             bool *found);
void token_db_touch(struct id *id, int64_t token_id, int64_t now_ms);
must_check err auth_db_gen(struct db *d, uint64_t *out);

struct session_new {
    int64_t user_id, expires_ms;
    struct str agent, csrf;
    uint8_t hash[SHA256_LEN];
};
must_check err session_db_add(struct id *id, const struct session_new *s);
must_check err session_db_find(struct id *id, struct arena *a, const uint8_t hash[SHA256_LEN], struct principal *out,
                               bool *found);
/* All sessions of the user but `keep`, or the one whose hash starts with `key`; *n of them ended. */
must_check err session_db_end(struct id *id, int64_t user_id, struct str key_hex, struct str keep_hash, int64_t *n);
must_check err session_db_end_one(struct id *id, const uint8_t hash[SHA256_LEN]);

/* --- shared helpers --- */
void random_alnum(char *out, size_t n); /* n letters and digits and a NUL */
struct str lang_record(enum lang l);    /* as stored: "en", "zh-CN" */
bool lang_of_record(struct str s, enum lang *out);
must_check err route_tokens(struct id *id, struct http_router *rt);
must_check err route_sessions(struct id *id, struct http_router *rt);
must_check err route_people(struct id *id, struct http_router *rt);
must_check err route_hf(struct id *id, struct http_router *rt);
#endif
