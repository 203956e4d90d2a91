/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git.h — bare repositories in DATA/git/ab/<id>.git: objects and refs by libgit2, packs by git(1).
 *
 * Calls that touch the disk run in the work pool by themselves [any]. Refs are changed only under the
 * repository's lock (in process and flock, so the command line and git children exclude each other).
 */
#ifndef BALLAST_GIT_H
#define BALLAST_GIT_H

#include "http/http.h"
#include "store/store.h"

enum { GIT_OID_HEX = 40 };
struct git;
must_check err git_open(struct store *s, struct git **out);
void git_close(struct git *g);
/* Server start, before traffic: remove what interrupted creations and deletions left. */
void git_sweep(struct git *g);
/* Of one repository (the caller holds its lock): lock files and half-received packs of killed processes. */
may_suspend err git_sweep_repo(struct git *g, int64_t repo_id) must_check;

/* Pack loose objects when there are many; *did says whether there were. The server does this by itself. */
may_suspend err git_tidy(struct git *g, int64_t repo_id, bool *did) must_check;

/*
 * The lock of a repository: one holder in all fibers, threads and processes. Functions below that change refs take it
 * themselves; hold it only to record what they did (not around them: it is not recursive). E_UNAVAILABLE after 60 s.
 */
struct git_lock;
may_suspend err git_lock(struct git *g, int64_t repo_id, struct git_lock **out) must_check;
void git_unlock(struct git_lock *l); /* NULL ok */

struct git_author {
    struct str name, email;
    int64_t time_ms;
};
/* Create with main and one initial commit holding .gitattributes (and `extra` files). */
struct git_file {
    struct str path, content;
};
may_suspend err git_repo_create(struct git *g, int64_t repo_id, const struct git_author *who,
                                const struct git_file *files, size_t n_files, char head[GIT_OID_HEX + 1]) must_check;
may_suspend err git_repo_delete(struct git *g, int64_t repo_id) must_check;
must_check err git_repo_path(struct git *g, struct arena *a, int64_t repo_id, const char **out);

/* rev: branch, tag, HEAD, refs/..., full or short (>= 4) commit id. E_REV_NOT_FOUND. */
may_suspend err git_resolve(struct git *g, int64_t repo_id, struct str rev, char commit[GIT_OID_HEX + 1]) must_check;

struct git_entry {
    struct str path; /* full path */
    bool is_dir;
    uint32_t mode;
    char oid[GIT_OID_HEX + 1];
    uint64_t size; /* blob size in git (pointer size for LFS) */
    bool is_lfs;
    struct str lfs_sha256; /* 64 hex */
    uint64_t lfs_size;
};
/* Entries under dir ("" = root), sorted by path. E_ENTRY_NOT_FOUND when dir does not exist. after/max: paging by path.
 */
may_suspend err git_tree(struct git *g, struct arena *a, int64_t repo_id, struct str commit, struct str dir,
                         bool recursive, struct str after, size_t max, struct git_entry **out, size_t *n,
                         bool *more) must_check;
/* One path. E_ENTRY_NOT_FOUND. */
may_suspend err git_entry_get(struct git *g, struct arena *a, int64_t repo_id, struct str commit, struct str path,
                              struct git_entry *out) must_check;
/* Many paths in one job: out[i].path is empty where nothing is. */
may_suspend err git_entries_get(struct git *g, struct arena *a, int64_t repo_id, struct str commit,
                                const struct str *paths, size_t n, struct git_entry *out) must_check;
/* Blob content, at most max bytes (E_TOO_LARGE). */
may_suspend err git_blob(struct git *g, struct arena *a, int64_t repo_id, const char *oid, size_t max,
                         struct str *out) must_check;

struct git_commit {
    char oid[GIT_OID_HEX + 1];
    struct str title, message;
    struct git_author author;
    char parents[2][GIT_OID_HEX + 1];
    unsigned n_parents;
};
/* Newest first from commit, skipping `skip`. path non-empty: only commits that changed it. */
may_suspend err git_log(struct git *g, struct arena *a, int64_t repo_id, struct str commit, struct str path,
                        size_t skip, size_t max, struct git_commit **out, size_t *n,
                        size_t *total /* may be NULL */) must_check;
/* For each path the newest commit that changed it (bounded walk). */
may_suspend err git_last_commits(struct git *g, struct arena *a, int64_t repo_id, struct str commit,
                                 const struct str *paths, size_t n, struct git_commit *out) must_check;

struct git_ref {
    struct str name;              /* refs/heads/main */
    char target[GIT_OID_HEX + 1]; /* commit (annotated tags peeled) */
};
may_suspend err git_refs(struct git *g, struct arena *a, int64_t repo_id, struct git_ref **out, size_t *n) must_check;

/* --- changing ------------------------------------------------------------------------------------- */
enum git_op_kind { GIT_OP_ADD, GIT_OP_ADD_LFS, GIT_OP_DELETE, GIT_OP_DELETE_DIR, GIT_OP_COPY };
struct git_op {
    enum git_op_kind kind;
    struct str path, old_path;
    struct str content;         /* ADD: bytes … */
    char blob[GIT_OID_HEX + 1]; /* … or a blob already written (git_blob_write) */
    struct str lfs_sha256;
    uint64_t lfs_size;
};
may_suspend err git_blob_write(struct git *g, int64_t repo_id, struct str content,
                               char oid[GIT_OID_HEX + 1]) must_check;
/*
 * The blobs of one commit as they come: a few become loose objects, many one pack. They can be named in git_op.blob
 * after git_blobs_end(); freed without it, what was packed is dropped.
 */
struct git_blobs;
struct git_blobs *git_blobs_new(struct git *g, int64_t repo_id);
may_suspend err git_blobs_add(struct git_blobs *b, struct str content, char oid[GIT_OID_HEX + 1]) must_check;
may_suspend err git_blobs_end(struct git_blobs *b) must_check;
void git_blobs_free(struct git_blobs *b); /* NULL ok */
struct git_commit_req {
    struct str ref;    /* refs/heads/main */
    struct str parent; /* expected head (full or short) or empty; mismatch = E_PRECONDITION with the Hub's text */
    struct git_author author;
    struct str message; /* summary + blank line + description */
    const struct git_op *ops;
    size_t n_ops;
};
/* Apply ops on the ref's head; .gitattributes gains a line per new LFS path not covered. Durable (objects and ref
 * fsynced). */
may_suspend err git_commit_make(struct git *g, int64_t repo_id, const struct git_commit_req *req,
                                char commit[GIT_OID_HEX + 1]) must_check;
may_suspend err git_ref_create(struct git *g, int64_t repo_id, struct str ref, struct str commit,
                               struct str tag_message, const struct git_author *who) must_check; /* E_CONFLICT */
may_suspend err git_ref_delete(struct git *g, int64_t repo_id, struct str ref) must_check;       /* E_REV_NOT_FOUND */
may_suspend err git_squash(struct git *g, int64_t repo_id, struct str ref, struct str message,
                           const struct git_author *who, char commit[GIT_OID_HEX + 1]) must_check;

/* Every blob reachable from `new_oid` but not from any of `olds`: for review of a push. LFS pointers are recognised. */
may_suspend err git_new_blobs(struct git *g, struct arena *a, int64_t repo_id, struct str new_commit,
                              const struct str *olds, size_t n_olds, size_t max, struct git_entry **out,
                              size_t *n) must_check;

/* Is one of the blobs (40 hex) reachable from any reference and/or from the roots (ids of any object)? */
struct git_reach {
    bool found;
    char oid[GIT_OID_HEX + 1];
    struct str path; /* where it was met */
};
may_suspend err git_reachable(struct git *g, struct arena *a, int64_t repo_id, bool from_refs, const struct str *roots,
                              size_t n_roots, const struct str *blobs, size_t n_blobs,
                              struct git_reach *out) must_check;

/* --- smart HTTP: the handlers hub mounts (rights were checked by the route) ---------------------------- */
struct git_http_hooks {
    /* upload-pack: may this client have these objects (and whatever the references reach)? wants: 40-hex ids. */
    err (*fetch_wants)(void *arg, struct http_req *r, int64_t repo_id, const struct str *wants, size_t n);
    /* receive-pack: references may have moved; called under the repository's lock, before the pusher gets an answer. */
    err (*refs_moved)(void *arg, int64_t repo_id, int64_t user_id);
    void *arg;
};
/* GET info/refs of one service. */
may_suspend err git_http_info_refs(struct git *g, struct http_req *r, int64_t repo_id, bool receive) must_check;
/* POST git-upload-pack. The body is spooled first: wants are known before a pack is made. */
may_suspend err git_http_upload(struct git *g, struct http_req *r, int64_t repo_id,
                                const struct git_http_hooks *hooks) must_check;
struct git_push_limits {
    uint64_t blob_max; /* bytes of a file outside LFS; 0 = 10 MiB */
    uint64_t pack_max; /* bytes of one push; 0 = 4 GiB */
};
/* POST git-receive-pack. Spooled without the lock, then run under it; what the hook refuses moves nothing. */
may_suspend err git_http_receive(struct git *g, struct http_req *r, int64_t repo_id, int64_t user_id,
                                 const struct git_push_limits *lim, const struct git_http_hooks *hooks) must_check;
/* `ballast git-hook pre-receive` (called by git(1) as our hook): limits on blobs, refs, paths. Exit code. */
int git_hook_main(int argc, char **argv);
#endif
