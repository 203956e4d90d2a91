/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commit.c — one commit from a list of operations.
 *
 * Order on disk: blobs, trees and the commit (synced together), then the reference (compare and swap). A crash
 * before the last step leaves unreachable objects, nothing visible.
 *
 * A repeated request is harmless: clients send a commit again when its answer was lost. If the head is already the
 * commit this request would have made (same parent, message, author and resulting tree), the head is the answer.
 */
#include "git/git_internal.h"

#include "git/path.h"

struct commit_job {
    const struct git_commit_req *req;
    char *out;
    struct git_oids made;
};

static bool parent_matches(struct str want, const git_oid *head) {
    char hex[GIT_OID_HEX + 1];
    git_oid_hex(head, hex);
    if (want.n < 4 || want.n > GIT_OID_HEX) return false;
    for (size_t i = 0; i < want.n; i++) {
        char c = want.p[i];
        if ((c >= 'A' && c <= 'F' ? c + 32 : c) != hex[i]) return false;
    }
    return true;
}

static struct str message_of(const git2_commit *c) {
    const char *m = git_commit_message(c);
    return str_of(m != NULL ? m : "");
}

/* Is head what this very request made before? The trees compared are written, but a match means they existed. */
static bool is_replay(struct git *g, git_repository *repo, struct commit_job *j, const git2_commit *head) {
    const struct git_commit_req *r = j->req;
    const git_signature *who = git_commit_author(head);
    cleanup(git_lib_commit_free) git2_commit *parent = NULL;
    cleanup(git_lib_tree_free) git2_tree *base = NULL;
    if (git_commit_parentcount(head) != 1 || !str_eq(str_trim(message_of(head)), str_trim(r->message))) return false;
    if (who == NULL || !str_eq(str_of(who->email), r->author.email)) return false;
    if (git_commit_parent(&parent, head, 0) != 0 || git_commit_tree(&base, parent) != 0) return false;
    if (r->parent.n > 0 && !parent_matches(r->parent, git_commit_id(parent))) return false;
    git_oid tree;
    struct git_oids made = {0};
    bool same = git_edit_apply(g, repo, base, r->ops, r->n_ops, &tree, &made) == OK &&
                git_oid_equal(&tree, git_commit_tree_id(head)) != 0;
    git_oids_release(&made);
    return same;
}

static err write_commit(git_repository *repo, struct commit_job *j, const git2_commit *head, const git_oid *tree_oid,
                        git_oid *out) {
    const struct git_commit_req *r = j->req;
    cleanup(git_lib_sig_free) git_signature *sig = NULL;
    cleanup(git_lib_tree_free) git2_tree *tree = NULL;
    TRY(git_lib_signature(&r->author, &sig));
    if (git_tree_lookup(&tree, repo, tree_oid) != 0) return git_lib_fail(E_CORRUPT, "a folder is missing");
    char *message = strndup(r->message.n > 0 ? r->message.p : "", r->message.n);
    if (message == NULL) return err_fail(E_NOMEM, "out of memory; nothing was changed, try again shortly");
    const git2_commit *parents[1] = {head};
    int rc = git_commit_create(out, repo, NULL, sig, sig, NULL, message, tree, 1, parents);
    free(message);
    if (rc != 0) return git_lib_fail(E_IO, "cannot store the commit");
    return git_oids_add(&j->made, out);
}

static err commit_on(struct git *g, git_repository *repo, struct commit_job *j, const char *ref,
                     const git2_commit *head) {
    const struct git_commit_req *r = j->req;
    cleanup(git_lib_tree_free) git2_tree *base = NULL;
    git_oid tree, made;
    git_oid_hex(git_commit_id(head), j->out);
    if (git_commit_tree(&base, head) != 0) return git_lib_fail(E_CORRUPT, "a folder is missing");
    if (r->parent.n > 0 && !parent_matches(r->parent, git_commit_id(head))) {
        if (is_replay(g, repo, j, head)) return OK;
        return err_fail(E_PRECONDITION,
                        "The branch was updated since you opened this page. Please refresh and try again.");
    }
    err e = git_edit_apply(g, repo, base, r->ops, r->n_ops, &tree, &j->made);
    if (e == E_ENTRY_NOT_FOUND) {
        struct err_slot saved = *err_slot();
        if (is_replay(g, repo, j, head)) return OK;
        *err_slot() = saved;
    }
    TRY(e);
    if (git_oid_equal(&tree, git_tree_id(base))) return OK; /* nothing changes: the head is the answer */
    TRY(write_commit(repo, j, head, &tree, &made));
    TRY(git_objects_sync(repo, &j->made));
    TRY(git_ref_move(repo, ref, &made, git_commit_id(head)));
    git_oid_hex(&made, j->out);
    return OK;
}

static err commit_job(struct git *g, git_repository *repo, void *arg) {
    struct commit_job *j = arg;
    cleanup(git_lib_commit_free) git2_commit *head = NULL;
    char ref[REPO_PATH_MAX], hex[GIT_OID_HEX + 1];
    git_oid oid;
    if (!git_ref_name_ok(j->req->ref)) return git_rev_fail(j->req->ref);
    snprintf(ref, sizeof ref, STR_FMT, STR_ARG(j->req->ref));
    TRY(git_rev_parse(repo, j->req->ref, &oid));
    git_oid_hex(&oid, hex);
    TRY(git_commit_open(repo, str_of(hex), &head));
    return commit_on(g, repo, j, ref, head);
}

err git_commit_make(struct git *g, int64_t repo_id, const struct git_commit_req *req, char commit[GIT_OID_HEX + 1]) {
    struct commit_job j = {.req = req, .out = commit};
    err e = git_locked(g, repo_id, commit_job, &j);
    git_oids_release(&j.made);
    if (e == OK) git_tidy_note(g, repo_id);
    return e;
}
