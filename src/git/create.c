/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create.c — a repository appears whole or not at all, and disappears at once.
 *
 * Creation builds <id>.git.new with its first commit, syncs it and renames it into place. Deletion renames to
 * <id>.git.gone and removes that; what a crash leaves of either is swept at the next server start.
 */
#include "git/git_internal.h"

#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "git/attr.h"

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void git_tree_remove(const char *path) {
    if (nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS) != 0) return; /* the sweep at start tries again */
}

struct create_job {
    struct git *g;
    int64_t repo_id;
    const struct git_author *who;
    const struct git_file *files;
    size_t n_files;
    char *head;
    char path[GIT_DIR_MAX], tmp[GIT_DIR_MAX + 8];
};

static err init_bare(const char *path, git_repository **out) {
    git_repository_init_options o;
    if (git_repository_init_options_init(&o, GIT_REPOSITORY_INIT_OPTIONS_VERSION) != 0)
        return git_lib_fail(E_INTERNAL, "options");
    o.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR | GIT_REPOSITORY_INIT_MKPATH |
              GIT_REPOSITORY_INIT_NO_REINIT;
    o.mode = 0700;
    o.initial_head = "main";
    git_repository *repo = NULL;
    if (git_repository_init_ext(&repo, path, &o) != 0) return git_lib_fail(E_IO, "cannot make a repository");
    git_repository_free(repo);
    return git_handle_open(path, out); /* as every later user sees it: quiet objects, our settings */
}

static err first_commit(struct create_job *j, git_repository *repo, struct git_oids *made, git_oid *commit) {
    cleanup(git_lib_tree_free) git2_tree *tree = NULL;
    cleanup(git_lib_sig_free) git_signature *sig = NULL;
    git_oid tree_oid;
    struct git_op *ops = calloc(j->n_files + 1, sizeof *ops);
    if (ops == NULL) return err_fail(E_NOMEM, "out of memory");
    ops[0] = (struct git_op){.kind = GIT_OP_ADD, .path = STR(".gitattributes"), .content = attr_default()};
    for (size_t i = 0; i < j->n_files; i++)
        ops[i + 1] = (struct git_op){.kind = GIT_OP_ADD, .path = j->files[i].path, .content = j->files[i].content};
    err e = git_edit_apply(j->g, repo, NULL, ops, j->n_files + 1, &tree_oid, made);
    free(ops);
    TRY(e);
    if (git_tree_lookup(&tree, repo, &tree_oid) != 0) return git_lib_fail(E_CORRUPT, "a folder is missing");
    TRY(git_lib_signature(j->who, &sig));
    if (git_commit_create(commit, repo, NULL, sig, sig, NULL, "initial commit", tree, 0, NULL) != 0)
        return git_lib_fail(E_IO, "cannot store the commit");
    return git_oids_add(made, commit);
}

static err fill(struct create_job *j, git_repository *repo) {
    struct git_oids made = {0};
    git_oid commit, zero = {{0}};
    err e = first_commit(j, repo, &made, &commit);
    if (e == OK) e = git_objects_sync(repo, &made);
    git_oids_release(&made);
    TRY(e);
    TRY(git_ref_move(repo, "refs/heads/main", &commit, &zero));
    git_oid_hex(&commit, j->head);
    return git_dir_sync(j->tmp);
}

static err create_run(void *arg) {
    struct create_job *j = arg;
    git_repository *repo = NULL;
    if (access(j->path, F_OK) == 0) return err_fail(E_CONFLICT, "a git folder for this repository exists already");
    git_tree_remove(j->tmp);
    err e = init_bare(j->tmp, &repo);
    if (e == OK) e = fill(j, repo);
    git_repository_free(repo);
    if (e == OK && rename(j->tmp, j->path) != 0) e = err_errno(E_IO, errno, "cannot put the repository into place");
    if (e != OK) {
        git_tree_remove(j->tmp);
        return e;
    }
    char *slash = strrchr(j->tmp, '/');
    *slash = 0;
    return git_dir_sync(j->tmp);
}

err git_repo_create(struct git *g, int64_t repo_id, const struct git_author *who, const struct git_file *files,
                    size_t n_files, char head[GIT_OID_HEX + 1]) {
    struct create_job j = {.g = g, .repo_id = repo_id, .who = who, .files = files, .n_files = n_files, .head = head};
    git_dir_path(g, repo_id, j.path, sizeof j.path);
    snprintf(j.tmp, sizeof j.tmp, "%s.new", j.path);
    return work_run(create_run, &j);
}

static err delete_run(void *arg) {
    struct create_job *j = arg;
    if (rename(j->path, j->tmp) != 0) {
        if (errno == ENOENT) return OK; /* deleted before */
        return err_errno(E_IO, errno, "cannot delete the repository's git folder");
    }
    git_handles_drop(j->g, j->repo_id);
    git_tree_remove(j->tmp);
    return OK;
}

err git_repo_delete(struct git *g, int64_t repo_id) {
    struct create_job j = {.g = g, .repo_id = repo_id};
    git_dir_path(g, repo_id, j.path, sizeof j.path);
    snprintf(j.tmp, sizeof j.tmp, "%s.gone", j.path);
    struct git_lock *l = NULL;
    err e = git_lock(g, repo_id, &l);
    if (e == E_REPO_NOT_FOUND) return OK;
    TRY(e);
    e = work_run(delete_run, &j);
    git_unlock(l);
    return e;
}
