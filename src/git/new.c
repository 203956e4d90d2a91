/* SPDX-License-Identifier: Apache-2.0 */
/*
 * new.c — the blobs a push brought: reachable from the new commit, not from the old ones.
 *
 * Each new commit is compared with its first parent (with nothing when it has none), folder by folder; equal folders
 * are not opened, folders and blobs seen before are not reported again. So an intermediate commit's blob is found
 * even when the head no longer has it. A merge's other side is either new itself, and walked, or old.
 */
#include "git/git_internal.h"

enum { DIFF_DEPTH_MAX = 4096 };

struct new_job {
    struct arena *a;
    struct str commit;
    const struct str *olds;
    size_t n_olds, max;
    struct git_entry *out;
    size_t n, cap;
    /* working state */
    struct git *g;
    git_repository *repo;
    git_odb *odb;
    struct git_set seen;
};

static err report(struct new_job *j, const git_tree_entry *te, struct str path) {
    if (j->n == j->max) return err_fail(E_LIMIT, "the push brings more than %zu files", j->max);
    if (j->n == j->cap) {
        size_t cap = j->cap == 0 ? 64 : j->cap * 2;
        struct git_entry *v = arena_try(j->a, cap * sizeof *v);
        if (v == NULL)
            return err_fail(arena_why(j->a, cap * sizeof *v, E_LIMIT),
                            "the push brings more files than fit into memory");
        if (j->n > 0) memcpy(v, j->out, j->n * sizeof *v);
        j->out = v;
        j->cap = cap;
    }
    struct git_blob_meta m;
    TRY(git_blob_meta(j->g, j->odb, git_tree_entry_id(te), &m));
    struct git_entry *e = &j->out[j->n];
    char *copy = arena_try(j->a, path.n + 1 + 65);
    if (copy == NULL)
        return err_fail(arena_why(j->a, path.n + 66, E_LIMIT), "the push brings more files than fit into memory");
    memcpy(copy, path.p, path.n);
    *e = (struct git_entry){
        .path = str_make(copy, path.n), .mode = (uint32_t)git_tree_entry_filemode(te), .size = m.size};
    git_oid_hex(git_tree_entry_id(te), e->oid);
    if (m.is_lfs && e->mode != GIT_FILEMODE_LINK) {
        e->is_lfs = true;
        e->lfs_size = m.lfs_size;
        memcpy(copy + path.n + 1, m.sha256, 64);
        e->lfs_sha256 = str_make(copy + path.n + 1, 64);
    }
    j->n++;
    return OK;
}

static err diff(struct new_job *j, const git2_tree *now, const git2_tree *before, struct str prefix, unsigned depth);

static err diff_dir(struct new_job *j, const git_tree_entry *te, const git_tree_entry *old, struct str path,
                    unsigned depth) {
    cleanup(git_lib_tree_free) git2_tree *now = NULL, *before = NULL;
    if (git_tree_lookup(&now, j->repo, git_tree_entry_id(te)) != 0)
        return git_lib_fail(E_CORRUPT, "a folder is missing");
    if (old != NULL && git_tree_entry_type(old) == GIT_OBJECT_TREE &&
        git_tree_lookup(&before, j->repo, git_tree_entry_id(old)) != 0)
        return git_lib_fail(E_CORRUPT, "a folder is missing");
    return diff(j, now, before, path, depth + 1);
}

static err diff(struct new_job *j, const git2_tree *now, const git2_tree *before, struct str prefix, unsigned depth) {
    char *path = malloc(prefix.n + 4100);
    if (path == NULL || depth > DIFF_DEPTH_MAX) {
        free(path);
        return err_fail(E_LIMIT, "folders are nested too deeply");
    }
    err e = OK;
    for (size_t i = 0; i < git_tree_entrycount(now) && e == OK; i++) {
        const git_tree_entry *te = git_tree_entry_byindex(now, i), *old = NULL;
        git_object_t type = git_tree_entry_type(te);
        if (before != NULL) old = git_tree_entry_byname(before, git_tree_entry_name(te));
        if (old != NULL && git_oid_equal(git_tree_entry_id(te), git_tree_entry_id(old))) continue;
        bool fresh = false;
        if (type == GIT_OBJECT_BLOB || type == GIT_OBJECT_TREE)
            e = git_set_add(&j->seen, git_tree_entry_id(te), &fresh);
        if (e != OK || !fresh) continue;
        int n = snprintf(path, prefix.n + 4100, STR_FMT "%s%.4096s", STR_ARG(prefix), prefix.n > 0 ? "/" : "",
                         git_tree_entry_name(te));
        struct str full = str_make(path, (size_t)n);
        if (type == GIT_OBJECT_BLOB) e = report(j, te, full);
        else e = diff_dir(j, te, old, full, depth);
    }
    free(path);
    return e;
}

static err walk_commits(struct new_job *j, git_revwalk *w) {
    git_oid oid;
    while (git_revwalk_next(&oid, w) == 0) {
        cleanup(git_lib_commit_free) git2_commit *c = NULL, *p = NULL;
        cleanup(git_lib_tree_free) git2_tree *now = NULL, *before = NULL;
        if (git_commit_lookup(&c, j->repo, &oid) != 0 || git_commit_tree(&now, c) != 0)
            return git_lib_fail(E_CORRUPT, "a commit is missing");
        if (git_commit_parentcount(c) > 0 && (git_commit_parent(&p, c, 0) != 0 || git_commit_tree(&before, p) != 0))
            return git_lib_fail(E_CORRUPT, "a commit is missing");
        TRY(diff(j, now, before, STR_NULL, 0));
    }
    return OK;
}

static err new_job(struct git *g, git_repository *repo, void *arg) {
    struct new_job *j = arg;
    cleanup(git_lib_walk_free) git_revwalk *w = NULL;
    cleanup(git_lib_odb_free) git_odb *odb = NULL;
    git_oid oid;
    if (git_repository_odb(&odb, repo) != 0 || git_revwalk_new(&w, repo) != 0)
        return git_lib_fail(E_CORRUPT, "objects");
    if (!git_oid_parse(j->commit, &oid) || git_revwalk_push(w, &oid) != 0) return git_rev_fail(j->commit);
    for (size_t i = 0; i < j->n_olds; i++)
        if (git_oid_parse(j->olds[i], &oid) && git_odb_exists(odb, &oid) && git_revwalk_hide(w, &oid) != 0)
            return git_lib_fail(E_CORRUPT, "history");
    git_revwalk_sorting(w, GIT_SORT_TOPOLOGICAL | GIT_SORT_REVERSE); /* oldest first: paths as they appeared */
    j->g = g;
    j->repo = repo;
    j->odb = odb;
    git_set_init(&j->seen, GIT_WALK_OBJECTS_MAX);
    err e = walk_commits(j, w);
    git_set_release(&j->seen);
    return e;
}

err git_new_blobs(struct git *g, struct arena *a, int64_t repo_id, struct str new_commit, const struct str *olds,
                  size_t n_olds, size_t max, struct git_entry **out, size_t *n) {
    struct new_job j = {.a = a, .commit = new_commit, .olds = olds, .n_olds = n_olds, .max = max};
    *out = NULL;
    *n = 0;
    TRY(git_with_repo(g, repo_id, new_job, &j));
    *out = j.out;
    *n = j.n;
    return OK;
}
