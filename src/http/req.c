/* SPDX-License-Identifier: Apache-2.0 */
/* req.c — what a handler asks of a request: headers, parameters, query, cookies; request ids. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/hex.h"
#include "http/conn.h"

struct str http_header(const struct http_req *r, const char *name) {
    size_t n = strlen(name);
    for (size_t i = 0; i < r->n_headers; i++)
        if (r->headers[i].name.n == n && str_ieq(r->headers[i].name, (struct str){name, n})) return r->headers[i].value;
    return STR_NULL;
}

struct str http_param(const struct http_req *r, const char *name) {
    struct str want = str_of(name);
    for (unsigned i = 0; i < r->n_params; i++)
        if (str_eq((struct str){r->params[i].name, r->params[i].n_name}, want)) return r->params[i].value;
    return STR_NULL;
}

struct str http_query(struct http_req *r, const char *name, struct str dflt) {
    struct str v;
    if (r->query.n == 0 || !uri_param(r->arena, r->query, name, 0, &v)) return dflt;
    return v;
}

bool http_query_bool(struct http_req *r, const char *name, bool dflt) {
    struct str v = http_query(r, name, STR_NULL);
    if (v.p == NULL) return dflt;
    return str_ieqz(v, "true") || str_eqz(v, "1") || str_ieqz(v, "yes") || str_ieqz(v, "on");
}

struct str http_cookie(struct http_req *r, const char *name) {
    struct str want = str_of(name);
    for (size_t i = 0; i < r->n_headers; i++) {
        if (!str_ieqz(r->headers[i].name, "cookie")) continue;
        struct str rest = r->headers[i].value, pair;
        while (str_split(&rest, ';', &pair)) {
            pair = str_trim(pair);
            ptrdiff_t eq = str_chr(pair, '=');
            if (eq > 0 && str_eq(str_sub(pair, 0, (size_t)eq), want)) return str_from(pair, (size_t)eq + 1);
        }
    }
    return STR_NULL;
}

/*
 * 26 characters, sortable by time: 10 of milliseconds, 16 of a per-loop salted counter (unique per
 * process and loop; not a secret). Crockford's base32 as in ULIDs.
 */
void req_id_make(struct http_loop_state *ls, char out[27]) {
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    if (ls->id_salt == 0) ls->id_salt = rnd_u64() | 1;
    uint64_t ms = (uint64_t)clock_wall_ms(), seq = ls->id_seq++;
    /* splitmix64 of the counter: neighbours do not look alike in a log */
    uint64_t z = ls->id_salt + seq * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    for (int i = 9; i >= 0; i--, ms >>= 5) out[i] = digits[ms & 31];
    for (int i = 22; i >= 10; i--, z >>= 5) out[i] = digits[z & 31];
    for (int i = 25; i >= 23; i--, seq >>= 5) out[i] = digits[seq & 31];
    out[26] = '\0';
}
