/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach.c — is one of these blobs reachable? The gate on git fetch asks it before a pack is made.
 *
 * Every commit, folder and blob is visited once (a set of ids), so the price is the number of distinct objects. Past
 * GIT_WALK_OBJECTS_MAX the answer is "yes, the first": a gate fails closed.
 */
#include "git/git_internal.h"

struct reach_job {
    struct arena *a;
    const struct str *roots, *blobs;
    size_t n_roots, n_blobs;
    bool with_refs;
    struct git_reach *out;
    /* working state */
    git_repository *repo;
    struct git_set seen, wanted;
    struct git_oids commits; /* still to visit */
};

static err hit(struct reach_job *j, const git_oid *oid, struct str path) {
    j->out->found = true;
    git_oid_hex(oid, j->out->oid);
    j->out->path = arena_str(j->a, str_sub(path, 0, 512));
    return OK;
}

static err reach_tree(struct reach_job *j, const git_oid *oid, struct str prefix, unsigned depth) {
    cleanup(git_lib_tree_free) git2_tree *t = NULL;
    bool fresh;
    TRY(git_set_add(&j->seen, oid, &fresh));
    if (!fresh) return OK;
    if (depth > 1024) return err_fail(E_LIMIT, "folders are nested too deeply");
    if (git_tree_lookup(&t, j->repo, oid) != 0) return git_lib_fail(E_CORRUPT, "a folder is missing");
    for (size_t i = 0; i < git_tree_entrycount(t) && !j->out->found; i++) {
        const git_tree_entry *te = git_tree_entry_byindex(t, i);
        char path[600];
        int n = snprintf(path, sizeof path, STR_FMT "%s%s", STR_ARG(str_sub(prefix, 0, 400)), prefix.n > 0 ? "/" : "",
                         git_tree_entry_name(te));
        struct str full = str_make(path, MIN((size_t)n, sizeof path - 1));
        git_object_t type = git_tree_entry_type(te);
        if (type == GIT_OBJECT_TREE) TRY(reach_tree(j, git_tree_entry_id(te), full, depth + 1));
        else if (type == GIT_OBJECT_BLOB && git_set_has(&j->wanted, git_tree_entry_id(te)))
            return hit(j, git_tree_entry_id(te), full);
    }
    return OK;
}

static err reach_commits(struct reach_job *j) {
    while (j->commits.n > 0 && !j->out->found) {
        git_oid oid = j->commits.v[--j->commits.n];
        bool fresh;
        TRY(git_set_add(&j->seen, &oid, &fresh));
        if (!fresh) continue;
        cleanup(git_lib_commit_free) git2_commit *c = NULL;
        if (git_commit_lookup(&c, j->repo, &oid) != 0) return git_lib_fail(E_CORRUPT, "a commit is missing");
        TRY(reach_tree(j, git_commit_tree_id(c), STR_NULL, 0));
        for (unsigned i = 0; i < git_commit_parentcount(c); i++)
            TRY(git_oids_add(&j->commits, git_commit_parent_id(c, i)));
    }
    return OK;
}

/* A root of any type; one that does not exist reaches nothing. */
static err reach_root(struct reach_job *j, const git_oid *oid) {
    cleanup(git_lib_object_free) git_object *o = NULL, *target = NULL;
    if (git_object_lookup(&o, j->repo, oid, GIT_OBJECT_ANY) != 0) return OK;
    if (git_object_type(o) == GIT_OBJECT_TAG && git_tag_peel(&target, (git_tag *)o) != 0) return OK;
    git_object *peeled = target != NULL ? target : o;
    git_object_t type = git_object_type(peeled);
    if (type == GIT_OBJECT_COMMIT) return git_oids_add(&j->commits, git_object_id(peeled));
    if (type == GIT_OBJECT_TREE) return reach_tree(j, git_object_id(peeled), STR_NULL, 0);
    if (type == GIT_OBJECT_BLOB && git_set_has(&j->wanted, git_object_id(peeled)))
        return hit(j, git_object_id(peeled), STR_NULL);
    return OK;
}

static err reach_roots(struct reach_job *j) {
    git_oid oid;
    bool fresh;
    for (size_t i = 0; i < j->n_blobs; i++)
        if (git_oid_parse(j->blobs[i], &oid)) TRY(git_set_add(&j->wanted, &oid, &fresh));
    for (size_t i = 0; i < j->n_roots && !j->out->found; i++)
        if (git_oid_parse(j->roots[i], &oid)) TRY(reach_root(j, &oid));
    if (!j->with_refs) return reach_commits(j);
    git_strarray names = {0};
    if (git_reference_list(&names, j->repo) != 0) return git_lib_fail(E_CORRUPT, "references");
    err e = OK;
    for (size_t i = 0; i < names.count && e == OK; i++)
        if (git_reference_name_to_id(&oid, j->repo, names.strings[i]) == 0) e = reach_root(j, &oid);
    git_strarray_dispose(&names);
    TRY(e);
    return reach_commits(j);
}

static err reach_job(struct git *g, git_repository *repo, void *arg) {
    struct reach_job *j = arg;
    j->repo = repo;
    git_set_init(&j->seen, GIT_WALK_OBJECTS_MAX);
    git_set_init(&j->wanted, GIT_WALK_OBJECTS_MAX);
    err e = reach_roots(j);
    git_set_release(&j->seen);
    git_set_release(&j->wanted);
    git_oids_release(&j->commits);
    if (e == E_LIMIT && j->n_blobs > 0) { /* too much to walk: not known to be free of it */
        j->out->found = true;
        snprintf(j->out->oid, sizeof j->out->oid, "%.40s", j->blobs[0].p);
        return OK;
    }
    return e;
}

err git_reachable(struct git *g, struct arena *a, int64_t repo_id, bool from_refs, const struct str *roots,
                  size_t n_roots, const struct str *blobs, size_t n_blobs, struct git_reach *out) {
    *out = (struct git_reach){0};
    if (n_blobs == 0) return OK;
    struct reach_job j = {.a = a,
                          .roots = roots,
                          .n_roots = n_roots,
                          .blobs = blobs,
                          .n_blobs = n_blobs,
                          .with_refs = from_refs,
                          .out = out};
    return git_with_repo(g, repo_id, reach_job, &j);
}
