/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_parts.h — what the Hugging Face API files of this room share: route tables, request helpers, the entry writer.
 *
 * Route patterns come in three spellings, one per repository type, made by HUB_ROUTES3 (API) and HUB_PAGES3 (pages),
 * so that /api/ballast/... never collides with /api/{type}/... .
 */
#ifndef BALLAST_HUB_PARTS_H
#define BALLAST_HUB_PARTS_H

#include "hub/hub_internal.h"

extern const struct http_route hub_repos_route[], hub_info_route[], hub_listing_route[], hub_tree_route[],
    hub_resolve_route[], hub_token_route[], hub_preupload_route[], hub_commit_route[], hub_refs_route[],
    hub_commits_route[], hub_validate_route[], hub_later_route[];
extern const size_t hub_repos_n, hub_info_n, hub_listing_n, hub_tree_n, hub_resolve_n, hub_token_n, hub_preupload_n,
    hub_commit_n, hub_refs_n, hub_commits_n, hub_validate_n, hub_later_n;

/* One route per type under /api/models/{ns}/{name}, /api/datasets/..., /api/spaces/... */
#define HUB_API1(METHODS, TAIL, FN, AUTH, NAME, SUMMARY, PLURAL, TYPE, BODY)                                           \
    {                                                                                                                  \
        .methods = (METHODS), .pattern = "/api/" PLURAL "/{ns}/{name}" TAIL, .fn = (FN), .auth = (AUTH),               \
        .dialect = DIALECT_HF, .name = NAME, .summary = SUMMARY, .repo_type = TYPE, .max_body = (BODY)                 \
    }
#define HUB_API3(METHODS, TAIL, FN, AUTH, NAME, SUMMARY, BODY)                                                         \
    HUB_API1(METHODS, TAIL, FN, AUTH, NAME ".model", SUMMARY, "models", "model", BODY),                                \
        HUB_API1(METHODS, TAIL, FN, AUTH, NAME ".dataset", SUMMARY, "datasets", "dataset", BODY),                      \
        HUB_API1(METHODS, TAIL, FN, AUTH, NAME ".space", SUMMARY, "spaces", "space", BODY)

/* --- request helpers (hub_util.c) ------------------------------------------------------------------- */
static inline struct hub *hub_of(struct http_req *r) {
    return r->ctx;
}
/* "ns/name" in canonical case. */
struct str hub_repo_id(struct arena *a, const struct repo_rec *repo);
/* BASE/{prefix}ns/name */
struct str hub_repo_url(struct http_req *r, const struct repo_rec *repo);
/* Commit of path parameter {rev} ("None", absent = main). Sets nothing. */
may_suspend err hub_rev(struct http_req *r, char commit[GIT_OID_HEX + 1]) must_check;
/* Author of changes made by this request. */
struct git_author hub_author(struct http_req *r);
/* Split "a, b" style and JSON string lists: true when `want` equals an element of repeated parameter `name` or
 * `name[]`. */
bool hub_query_has(struct http_req *r, const char *name, const char *want);
/* Link: <BASE/path?query without cursor & cursor=...>; rel="next" */
void hub_link_next(struct http_req *r, struct str cursor);
/* base64url in the arena, and back (false on bad text). */
struct str hub_cursor_make(struct arena *a, struct str s);
bool hub_cursor_read(struct arena *a, struct str cursor, struct str *out);
/* Refuse ?create_pr=1 and refs/pr/... with a text that tells what to do instead. */
must_check err hub_no_pull_requests(struct http_req *r);
/* The repository is gated and the caller has no write right: E_GATED (or E_UNAUTHORIZED for anonymous callers). */
must_check err hub_gated_check(struct http_req *r);
/* One of the licence names a card may carry (hub_validate.c). */
bool hub_license_known(struct str s);
/* X-HF-Warning: review; TEXT (Latin-1 safe, one line) */
void hub_warn(struct http_req *r, struct str text);
/* verdict_gate plus the headers a stock client prints. */
may_suspend err hub_gate(struct http_req *r, struct str oid, struct str path) must_check;

/* --- entries (hub_entry.c) ----------------------------------------------------------------------------- */
struct hub_entry_opts {
    bool expand;                   /* lastCommit and securityFileStatus */
    const struct git_commit *last; /* with expand; may be NULL */
};
/* One element of tree and paths-info. */
must_check err hub_entry_write(struct hub *h, struct arena *a, int64_t repo_id, const struct git_entry *e,
                               const struct hub_entry_opts *o, struct jw *w);
/* Xet hash of an entry that may be served now: false when there is none, or the verdict holds it back. */
bool hub_entry_xet(struct hub *h, struct arena *a, int64_t repo_id, const struct git_entry *e,
                   char hex[XET_HEX_LEN + 1]);
/* securityFileStatus object of a blob. */
must_check err hub_security_write(struct hub *h, struct arena *a, int64_t repo_id, struct str oid, struct jw *w);
/* "safe" "suspicious" "unsafe" "queued" */
const char *hub_security_name(enum verdict v);
/* Two-argument Link value and refresh headers for a Xet file of this repository at `commit`. */
void hub_xet_headers(struct http_req *r, const char *hex, const char *commit);

/* --- downloads (hub_count.c) ---------------------------------------------------------------------------- */
struct hub_counts *hub_counts_new(void);
void hub_counts_free(struct hub_counts *c);
/* One download per client and repository in five minutes; written without waiting. */
void hub_count_download(struct http_req *r);

/* --- small texts ---------------------------------------------------------------------------------------- */
#define HUB_TEXT_UPDATED "The branch was updated since you opened this page. Please refresh and try again."
#endif
