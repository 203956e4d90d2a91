/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_internal.h — what the files of this room share. Not for other rooms.
 *
 * Rule 1: libgit2 runs on work threads (or plain threads) only, never on a fiber's stack.
 * Rule 2: a git_repository handle belongs to one job at a time (repos.c lends it).
 * Rule 3: refs move only under struct git_lock, after every object they need is on disk (durable.c).
 */
#ifndef BALLAST_GIT_INTERNAL_H
#define BALLAST_GIT_INTERNAL_H

/* first: it names fields that banned.h poisons */
#include "git/libgit2.h"

#include <pthread.h>

#include "base/hex.h"
#include "git/git.h"

enum {
    GIT_HANDLES_MAX = 64,     /* open repositories kept */
    REPO_PATH_MAX = 1024,     /* bytes of a path inside a repository */
    REPO_PATH_DEPTH_MAX = 64, /* directories */
    GIT_WALK_OBJECTS_MAX = 4000000,
    GIT_META_SLOTS = 1 << 15,
    GIT_TIDY_QUEUE = 256,
};

struct git_handle {
    int64_t repo_id;
    git_repository *repo;
    bool busy, doomed;
    uint64_t used;
};

struct git_lock_node;
struct git_meta;

struct git {
    struct store *store;
    char *root;         /* DATA/git */
    char *config;       /* DATA/git/config: for git(1), GIT_CONFIG_GLOBAL */
    char *hooks;        /* DATA/git/hooks */
    char *data;         /* DATA */
    pthread_mutex_t mu; /* handles, locks */
    struct git_handle handles[GIT_HANDLES_MAX];
    uint64_t tick;
    struct git_lock_node *locks;
    _Atomic unsigned children;    /* git(1) processes now running for requests */
    struct git_meta *meta;        /* sizes and pointers of blobs by id (meta.c) */
    int64_t tidy[GIT_TIDY_QUEUE]; /* repositories that changed (tidy.c), under mu */
    unsigned n_tidy;
    bool tidying;
};

/* --- repos.c ---------------------------------------------------------------------------------------- */
typedef err (*git_repo_fn)(struct git *g, git_repository *repo, void *arg);
/* Run fn in the work pool with an open handle of the repository. E_REPO_NOT_FOUND. */
may_suspend err git_with_repo(struct git *g, int64_t repo_id, git_repo_fn fn, void *arg) must_check;
must_check err git_handle_open(const char *path, git_repository **out);
/* rm -r; errors are left to the next sweep. */
void git_tree_remove(const char *path);
/* Forget idle handles of a repository (it is going away). */
void git_handles_drop(struct git *g, int64_t repo_id);
void git_dir_path(const struct git *g, int64_t repo_id, char *out, size_t cap);
enum { GIT_DIR_MAX = 4096 };

/* --- smart_http.c: what every git child runs with ------------------------------------------------------------ */
struct child_opts;
enum { GIT_CHILD_ENV_MAX = 20 };
/* Fills env (room for GIT_CHILD_ENV_MAX and a NULL); returns how many. */
size_t git_child_env(const struct git *g, struct arena *a, const char **env);
void git_child_opts(struct child_opts *o);

/* --- tidy.c ---------------------------------------------------------------------------------------------------- */
/* The repository changed: look in the background whether its loose objects should be packed. Fibers only; else nothing.
 */
void git_tidy_note(struct git *g, int64_t repo_id);

/* --- lib.c: small helpers over libgit2 ------------------------------------------------------------------ */
/* err_fail(kind, "what: libgit2's message"). */
/* Once before git_libgit2_init(): memory with the reserve behind it. */
void git_lib_alloc_setup(void);
must_check err git_lib_fail(err kind, const char *what);
bool git_oid_parse(struct str hex, git_oid *out); /* exactly 40 */
void git_oid_hex(const git_oid *oid, char out[GIT_OID_HEX + 1]);
/* Commit of a full hex id. E_REV_NOT_FOUND. */
must_check err git_commit_open(git_repository *repo, struct str hex, git2_commit **out);
must_check err git_tree_of(git_repository *repo, struct str commit_hex, git2_tree **out);
/* rev as a person writes it -> commit id. */
must_check err git_rev_parse(git_repository *repo, struct str rev, git_oid *commit);
err git_rev_fail(struct str rev) must_check;
void git_lib_tree_free(git2_tree **t);
void git_lib_commit_free(git2_commit **c);
void git_lib_object_free(git_object **o);
void git_lib_ref_free(git_reference **r);
void git_lib_walk_free(git_revwalk **w);
void git_lib_sig_free(git_signature **s);
void git_lib_odb_free(git_odb **o);
must_check err git_lib_signature(const struct git_author *a, git_signature **out);

/* --- lock.c ------------------------------------------------------------------------------------------------- */
struct git_lock_node {
    struct git_lock_node *next;
    int64_t repo_id;
    unsigned users;
    struct fmutex *mu;
};
/* git_with_repo under the repository's lock. */
may_suspend err git_locked(struct git *g, int64_t repo_id, git_repo_fn fn, void *arg) must_check;

/* --- meta.c: what a tree entry's blob is ------------------------------------------------------------------ */
struct git_blob_meta {
    uint64_t size;
    bool is_lfs;
    char sha256[65];
    uint64_t lfs_size;
};
must_check err git_meta_open(struct git_meta **out);
void git_meta_close(struct git_meta *m);
/* Size and LFS pointer of a blob, cached by id. E_CORRUPT when the object is missing. */
must_check err git_blob_meta(struct git *g, git_odb *odb, const git_oid *oid, struct git_blob_meta *out);

/* --- durable.c ---------------------------------------------------------------------------------------------- */
struct git_oids {
    git_oid *v;
    size_t n, cap;
};
must_check err git_oids_add(struct git_oids *o, const git_oid *oid);
void git_oids_release(struct git_oids *o);
/* The objects are on disk when this returns OK. */
must_check err git_objects_sync(git_repository *repo, const struct git_oids *o);
/* Point ref at oid; old NULL: whatever it was; zero: must not exist. Durable. E_CONFLICT when it moved meanwhile. */
must_check err git_ref_move(git_repository *repo, const char *ref, const git_oid *new_oid, const git_oid *old_oid);
must_check err git_ref_remove(git_repository *repo, const char *ref);
must_check err git_dir_sync(const char *path);
/* All references that lead to a commit, sorted by name. */
must_check err git_refs_read(git_repository *repo, struct arena *a, struct git_ref **out, size_t *n);

/* --- set.c: set of object ids ------------------------------------------------------------------------------- */
struct git_set {
    git_oid *slots;
    size_t cap, n, max;
};
void git_set_init(struct git_set *s, size_t max);
void git_set_release(struct git_set *s);
/* *fresh true when it was not there before. E_LIMIT at the maximum. */
must_check err git_set_add(struct git_set *s, const git_oid *oid, bool *fresh);
bool git_set_has(const struct git_set *s, const git_oid *oid);

/* --- edit.c: trees from operations ---------------------------------------------------------------------------- */
/*
 * Apply ops to base (NULL = empty) and write the new trees. Adds .gitattributes lines for uncovered LFS paths.
 * Every blob and tree it relies on is appended to `made`.
 */
must_check err git_edit_apply(struct git *g, git_repository *repo, const git2_tree *base, const struct git_op *ops,
                              size_t n, git_oid *tree, struct git_oids *made);
/* The three lines of a pointer file. */
enum { GIT_POINTER_MAX = 1024 };
#endif
