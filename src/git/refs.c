/* SPDX-License-Identifier: Apache-2.0 */
/* refs.c — branches and tags: resolve, list, create, delete; and the squash of a branch into one commit. */
#include "git/git_internal.h"

#include "git/path.h"

struct resolve_job {
    struct str rev;
    char *out;
};

static err resolve_job(struct git *g, git_repository *repo, void *arg) {
    struct resolve_job *j = arg;
    git_oid oid;
    TRY(git_rev_parse(repo, j->rev, &oid));
    git_oid_hex(&oid, j->out);
    return OK;
}

err git_resolve(struct git *g, int64_t repo_id, struct str rev, char commit[GIT_OID_HEX + 1]) {
    struct resolve_job j = {rev, commit};
    return git_with_repo(g, repo_id, resolve_job, &j);
}

/* --- list --------------------------------------------------------------------------------------------------- */

enum { REFS_MAX = 20000 };

struct refs_job {
    struct arena *a;
    struct git_ref *out;
    size_t n;
};

static int ref_cmp(const void *a, const void *b) {
    const struct git_ref *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

err git_refs_read(git_repository *repo, struct arena *a, struct git_ref **out, size_t *n) {
    git_strarray names = {0};
    *n = 0;
    if (git_reference_list(&names, repo) != 0) return git_lib_fail(E_CORRUPT, "references");
    size_t max = MIN(names.count, REFS_MAX);
    struct git_ref *v = arena_try(a, (max + 1) * sizeof *v);
    for (size_t i = 0; v != NULL && i < max; i++) {
        git_oid oid;
        if (git_rev_parse(repo, str_of(names.strings[i]), &oid) != OK) continue; /* broken or not a commit */
        v[*n].name = arena_str(a, str_of(names.strings[i]));
        git_oid_hex(&oid, v[*n].target);
        ++*n;
    }
    git_strarray_dispose(&names);
    if (v == NULL)
        return err_fail(arena_why(a, (max + 1) * sizeof *v, E_LIMIT), "the repository has too many references");
    qsort(v, *n, sizeof *v, ref_cmp);
    *out = v;
    return OK;
}

static err refs_job(struct git *g, git_repository *repo, void *arg) {
    struct refs_job *j = arg;
    return git_refs_read(repo, j->a, &j->out, &j->n);
}

err git_refs(struct git *g, struct arena *a, int64_t repo_id, struct git_ref **out, size_t *n) {
    struct refs_job j = {.a = a};
    TRY(git_with_repo(g, repo_id, refs_job, &j));
    *out = j.out;
    *n = j.n;
    return OK;
}

/* --- create and delete ------------------------------------------------------------------------------------------ */

struct ref_job {
    struct str ref, commit, message;
    const struct git_author *who;
    char *head; /* squash */
};

static err ref_name(struct str ref, char z[REPO_PATH_MAX]) {
    struct str shown = str_sub(ref, 0, 300);
    if (!git_ref_name_ok(ref) && str_starts(ref, "refs/tags/"))
        return err_fail(E_BAD_REQUEST, "Invalid reference for a tag: " STR_FMT, STR_ARG(shown));
    if (!git_ref_name_ok(ref))
        return err_fail(E_BAD_REQUEST, "Invalid reference for a branch: " STR_FMT, STR_ARG(shown));
    snprintf(z, REPO_PATH_MAX, STR_FMT, STR_ARG(ref));
    return OK;
}

static err ref_exists_fail(struct str ref) {
    return err_fail(E_CONFLICT, "Reference " STR_FMT " already exists", STR_ARG(ref));
}

static err tag_object(git_repository *repo, const struct ref_job *j, git_oid *target) {
    cleanup(git_lib_object_free) git_object *o = NULL;
    cleanup(git_lib_sig_free) git_signature *sig = NULL;
    if (git_object_lookup(&o, repo, target, GIT_OBJECT_COMMIT) != 0) return git_rev_fail(j->commit);
    TRY(git_lib_signature(j->who, &sig));
    char name[REPO_PATH_MAX], *message = strndup(j->message.p, j->message.n);
    if (message == NULL) return err_fail(E_NOMEM, "out of memory; nothing was changed, try again shortly");
    snprintf(name, sizeof name, STR_FMT, STR_ARG(str_from(j->ref, strlen("refs/tags/"))));
    int rc = git_tag_annotation_create(target, repo, name, o, sig, message);
    free(message);
    return rc == 0 ? OK : git_lib_fail(E_UNPROCESSABLE, "cannot make the tag");
}

static err create_job(struct git *g, git_repository *repo, void *arg) {
    struct ref_job *j = arg;
    char name[REPO_PATH_MAX];
    git_oid oid, zero = {{0}};
    TRY(ref_name(j->ref, name));
    cleanup(git_lib_ref_free) git_reference *old = NULL;
    if (git_reference_lookup(&old, repo, name) == 0) return ref_exists_fail(j->ref);
    TRY(git_rev_parse(repo, j->commit, &oid));
    if (j->message.n > 0 && str_starts(j->ref, "refs/tags/")) {
        TRY(tag_object(repo, j, &oid));
        struct git_oids made = {0};
        err e = git_oids_add(&made, &oid);
        if (e == OK) e = git_objects_sync(repo, &made);
        git_oids_release(&made);
        TRY(e);
    }
    return git_ref_move(repo, name, &oid, &zero);
}

err git_ref_create(struct git *g, int64_t repo_id, struct str ref, struct str commit, struct str tag_message,
                   const struct git_author *who) {
    struct ref_job j = {ref, commit, tag_message, who, NULL};
    return git_locked(g, repo_id, create_job, &j);
}

static err delete_job(struct git *g, git_repository *repo, void *arg) {
    struct ref_job *j = arg;
    char name[REPO_PATH_MAX];
    if (!git_ref_name_ok(j->ref)) return git_rev_fail(j->ref);
    snprintf(name, sizeof name, STR_FMT, STR_ARG(j->ref));
    if (str_eqz(j->ref, "refs/heads/main"))
        return err_fail(E_BAD_REQUEST, "Cannot delete refs/heads/main: it is the default branch");
    cleanup(git_lib_ref_free) git_reference *old = NULL;
    if (git_reference_lookup(&old, repo, name) != 0) {
        /* the name a person gave, without refs/heads/ */
        return git_rev_fail(str_from(j->ref, (size_t)str_chr(str_from(j->ref, 5), '/') + 6));
    }
    return git_ref_remove(repo, name);
}

err git_ref_delete(struct git *g, int64_t repo_id, struct str ref) {
    struct ref_job j = {.ref = ref};
    return git_locked(g, repo_id, delete_job, &j);
}

/* --- squash ---------------------------------------------------------------------------------------------------- */

static err squash_job(struct git *g, git_repository *repo, void *arg) {
    struct ref_job *j = arg;
    char name[REPO_PATH_MAX], hex[GIT_OID_HEX + 1];
    git_oid head, oid;
    cleanup(git_lib_tree_free) git2_tree *tree = NULL;
    cleanup(git_lib_sig_free) git_signature *sig = NULL;
    TRY(ref_name(j->ref, name));
    TRY(git_rev_parse(repo, j->ref, &head));
    git_oid_hex(&head, hex);
    TRY(git_tree_of(repo, str_of(hex), &tree));
    TRY(git_lib_signature(j->who, &sig));
    char *message = strndup(j->message.n > 0 ? j->message.p : "Squash", j->message.n > 0 ? j->message.n : 6);
    if (message == NULL) return err_fail(E_NOMEM, "out of memory; nothing was changed, try again shortly");
    int rc = git_commit_create(&oid, repo, NULL, sig, sig, NULL, message, tree, 0, NULL);
    free(message);
    if (rc != 0) return git_lib_fail(E_IO, "cannot store the commit");
    struct git_oids made = {0};
    err e = git_oids_add(&made, &oid);
    if (e == OK) e = git_objects_sync(repo, &made);
    git_oids_release(&made);
    TRY(e);
    TRY(git_ref_move(repo, name, &oid, &head));
    git_oid_hex(&oid, j->head);
    return OK;
}

err git_squash(struct git *g, int64_t repo_id, struct str ref, struct str message, const struct git_author *who,
               char commit[GIT_OID_HEX + 1]) {
    struct ref_job j = {ref, STR_NULL, message, who, commit};
    return git_locked(g, repo_id, squash_job, &j);
}
