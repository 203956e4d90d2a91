/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.c — which names owners and repositories may have.
 *
 * The grammar is the one the Hugging Face client checks before it sends anything: letters, digits,
 * '_', '-', '.'; 1 to 96 of them; no "--" or ".."; neither first nor last may be '-' or '.'; not
 * ending in ".git". Owners stand in the first path segment beside our own routes, so the words
 * below and names that look like files ("robots.txt") are reserved for them. Lookup ignores case.
 */
#include "id/id_int.h"

/* Sorted, lower-case. First segments of routes, of the public hub's routes, and words that would mislead. */
static const char *const reserved[] = {
    "about",
    "account",
    "activity",
    "api",
    "apple-touch-icon",
    "apps",
    "assets",
    "audit",
    "auth",
    "avatars",
    "ballast",
    "blog",
    "buckets",
    "cas",
    "cases",
    "chat",
    "collections",
    "contact",
    "credit",
    "datasets",
    "deploy",
    "deployments",
    "docs",
    "enterprise",
    "eval",
    "evals",
    "events",
    "explore",
    "favicon.ico",
    "federation",
    "feed",
    "files",
    "git",
    "health",
    "healthz",
    "help",
    "home",
    "inference",
    "info",
    "jobs",
    "join",
    "kernels",
    "lang",
    "language",
    "leaderboard",
    "ledger",
    "lfs",
    "login",
    "logout",
    "media",
    "metrics",
    "models",
    "new",
    "new-dataset",
    "new-model",
    "new-space",
    "notifications",
    "null",
    "oauth",
    "org",
    "organizations",
    "orgs",
    "papers",
    "password",
    "playground",
    "pool",
    "posts",
    "pricing",
    "privacy",
    "public",
    "readyz",
    "register",
    "repos",
    "resolve",
    "review",
    "reviews",
    "scheduled-jobs",
    "search",
    "security",
    "session",
    "sessions",
    "settings",
    "sign-in",
    "sign-out",
    "signin",
    "signout",
    "signup",
    "spaces",
    "static",
    "status",
    "system",
    "tasks",
    "terms",
    "theme",
    "token",
    "tokens",
    "undefined",
    "upload",
    "usage",
    "user",
    "users",
    "v1",
    "v2",
    "v3",
    "verdicts",
    "webhooks",
    "welcome",
    "www",
    "xet",
};

static int word_cmp(const void *key, const void *item) {
    return strcmp(key, *(const char *const *)item);
}

static bool is_reserved(const char *low, size_t n) {
    static const char *const ends[] = {".css", ".gif", ".html", ".ico", ".js",          ".json", ".map",
                                       ".php", ".png", ".svg",  ".txt", ".webmanifest", ".xml"};
    if (bsearch(low, reserved, ARRAY_LEN(reserved), sizeof reserved[0], word_cmp) != NULL) return true;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (str_ends(str_make(low, n), ends[i])) return true;
    return false;
}

err id_name_check(struct str name, bool is_owner) {
    if (name.n == 0) return err_fail(E_UNPROCESSABLE, "name: expected 1 to 96 letters, digits, '_', '-' or '.'");
    if (name.n > NAME_MAX_LEN) return err_fail(E_UNPROCESSABLE, "name: %zu characters, at most 96 are allowed", name.n);
    char low[NAME_MAX_LEN + 1] = {0};
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                  c == '.';
        if (!ok) return err_fail(E_UNPROCESSABLE, "name: character %zu is not a letter, digit, '_', '-' or '.'", i + 1);
        if (i > 0 && (c == '-' || c == '.') && name.p[i - 1] == c)
            return err_fail(E_UNPROCESSABLE, "name: \"%c%c\" is not allowed in it", c, c);
        low[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    char first = name.p[0], last = name.p[name.n - 1];
    if (first == '-' || first == '.' || last == '-' || last == '.')
        return err_fail(E_UNPROCESSABLE, "name: it must neither begin nor end with '-' or '.'");
    if (str_ends(str_make(low, name.n), ".git")) return err_fail(E_UNPROCESSABLE, "name: it must not end in .git");
    if (is_owner && is_reserved(low, name.n))
        return err_fail(E_UNPROCESSABLE, "name: \"%s\" is reserved; choose another", low);
    return OK;
}

struct str id_name_key(struct arena *a, struct str name) {
    char *p = arena_strz(a, name);
    for (size_t i = 0; i < name.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z') p[i] = (char)(p[i] + 32);
    return str_make(p, name.n);
}

/* --- small vocabularies --------------------------------------------------------------------------------------- */

static const char *const type_names[] = {"", "model", "dataset", "space"};
static const char *const type_plurals[] = {"", "models", "datasets", "spaces"};
static const char *const type_prefixes[] = {"", "", "datasets/", "spaces/"};
static unsigned type_index(enum repo_type t) {
    return (unsigned)t < ARRAY_LEN(type_names) ? (unsigned)t : 0;
}

const char *repo_type_name(enum repo_type t) {
    return type_names[type_index(t)];
}
const char *repo_type_plural(enum repo_type t) {
    return type_plurals[type_index(t)];
}
const char *repo_type_prefix(enum repo_type t) {
    return type_prefixes[type_index(t)];
}

bool repo_type_parse(struct str s, enum repo_type *out) {
    for (unsigned i = 1; i < ARRAY_LEN(type_names); i++) {
        if (!str_eqz(s, type_names[i]) && !str_eqz(s, type_plurals[i])) continue;
        *out = (enum repo_type)i;
        return true;
    }
    return false;
}

static const char *const role_names[] = {"none", "read", "write", "admin"};

const char *id_role_name(enum role r) {
    return (unsigned)r < ARRAY_LEN(role_names) ? role_names[r] : "none";
}

bool id_role_parse(struct str s, enum role *out) {
    for (unsigned i = 0; i < ARRAY_LEN(role_names); i++) {
        if (!str_eqz(s, role_names[i])) continue;
        *out = (enum role)i;
        return true;
    }
    return false;
}

struct str lang_record(enum lang l) {
    return str_of(i18n_tag(l));
}

bool lang_of_record(struct str s, enum lang *out) {
    if (s.n == 0) return false;
    if (str_ieqz(s, i18n_tag(LANG_EN))) *out = LANG_EN;
    else if (str_ieqz(s, i18n_tag(LANG_ZH)) || str_ieqz(s, "zh")) *out = LANG_ZH;
    else return false;
    return true;
}

void random_alnum(char *out, size_t n) {
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (size_t i = 0; i < n;) {
        uint8_t b[64];
        rnd_bytes(b, sizeof b);
        for (size_t k = 0; k < sizeof b && i < n; k++)
            if (b[k] < 248) out[i++] = digits[b[k] % 62]; /* 248 = 4 * 62: no bias */
    }
    out[n] = 0;
}
