/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub.h — repositories as people see them: files of a revision, commits, Hugging Face API, LFS, git.
 */
#ifndef BALLAST_HUB_H
#define BALLAST_HUB_H

#include "git/git.h"
#include "http/http.h"
#include "id/id.h"
#include "store/store.h"
#include "store/verdict.h"
#include "xet/xet.h"

struct hub;
struct hub_opts {
    struct store *store;
    struct git *git;
    struct xet *xet;
    struct id *id;
    size_t inline_limit;  /* blobs above must be LFS; 0 = 10 MiB */
    int64_t gate_hold_ms; /* how long a request waits for a pending verdict before it answers 503; 0 = 1500 */
};
must_check err hub_open(const struct hub_opts *o, struct hub **out);
void hub_close(struct hub *h);
must_check err hub_routes(struct hub *h, struct http_router *rt);

/* --- for web, review, pool and the command line ------------------------------------------------------- */
/*
 * Server start, before traffic: compare recorded references with git's and record what a crash left unrecorded.
 * *n_bad: repositories that could not be checked (logged; the server may start).
 */
may_suspend err hub_refs_repair(struct hub *h, size_t *n_bad) must_check;
struct git *hub_git(struct hub *h);
struct xet *hub_xet(struct hub *h);
may_suspend err hub_repo_create(struct hub *h, const struct principal *who, enum repo_type t, struct str owner,
                                struct str name, bool is_private, struct repo_rec *out) must_check;
may_suspend err hub_repo_delete(struct hub *h, const struct principal *who, const struct repo_rec *repo) must_check;

/* The gate key of an entry: LFS sha256, else the git blob id. */
struct str hub_entry_oid(const struct git_entry *e);
/* The same with the kind of text its path makes of it (store/verdict.h): what is asked of the gate. */
struct str hub_entry_key(struct arena *a, const struct git_entry *e);
/* Bytes of an entry of either kind, by pieces. Does not consult the gate (callers that face clients do). */
struct hub_file;
may_suspend err hub_file_open(struct hub *h, int64_t repo_id, const struct git_entry *e, uint64_t off, uint64_t len,
                              struct hub_file **out) must_check;
may_suspend err hub_file_read(struct hub_file *f, void *p, size_t cap, size_t *n) must_check;
void hub_file_close(struct hub_file *f);
/* Whole file into memory, at most max. */
may_suspend err hub_file_all(struct hub *h, struct arena *a, int64_t repo_id, const struct git_entry *e, size_t max,
                             struct str *out) must_check;

struct hub_list_opts {
    enum repo_type type;
    struct str search, author, filter[8], sort, cursor;
    unsigned n_filter;
    int gated;                   /* 0 any, 1 gated only, -1 open only */
    size_t max;                  /* rows a page; 0 or above 1000 = 1000 */
    const struct principal *who; /* private ones only as this principal may know them */
};
struct hub_list_row {
    struct repo_rec repo;
    struct str head;        /* commit of main */
    struct str card;        /* JSON object: parsed front matter */
    struct str tags;        /* JSON array */
    struct str description; /* first sentence of the card, plain */
};
err hub_list(struct hub *h, struct arena *a, const struct hub_list_opts *o, struct hub_list_row **out, size_t *n,
             struct str *next_cursor) must_check;

/*
 * Prove that refs as recorded stand in git, that their trees are whole, and that every LFS pointer names a file this
 * repository may use. deep: git fsck of every repository.
 */
may_suspend err hub_fsck(struct hub *h, bool deep, xet_fsck_fn report, xet_progress_fn progress, void *arg,
                         uint64_t *n_problems) must_check;

/*
 * Facts other rooms react to (event log kinds written here):
 *   repo.created {type,owner,name,private}   repo.deleted {…}   repo.settings {…}
 *   revision.pushed {ref, old, new, files, via: "api"|"git", message}
 *   ref.created / ref.deleted {ref, target}
 */
#endif
