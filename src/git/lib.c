/* SPDX-License-Identifier: Apache-2.0 */
/* lib.c — small helpers over libgit2: errors, ids, revisions, frees for cleanup(). Work threads only. */
#include "git/git_internal.h"

err git_lib_fail(err kind, const char *what) {
    const git_error *e = git_error_last();
    return err_fail(kind, "git: %s: %s", what, e != NULL && e->message != NULL ? e->message : "no details");
}

bool git_oid_parse(struct str hex, git_oid *out) {
    return hex.n == GIT_OID_HEX && hex_decode(hex, out->id, GIT_OID_RAWSZ);
}

void git_oid_hex(const git_oid *oid, char out[GIT_OID_HEX + 1]) {
    hex_encode(oid->id, GIT_OID_RAWSZ, out);
}

void git_lib_tree_free(git2_tree **t) {
    git_tree_free(*t);
}
void git_lib_commit_free(git2_commit **c) {
    git_commit_free(*c);
}
void git_lib_object_free(git_object **o) {
    git_object_free(*o);
}
void git_lib_ref_free(git_reference **r) {
    git_reference_free(*r);
}
void git_lib_walk_free(git_revwalk **w) {
    git_revwalk_free(*w);
}
void git_lib_sig_free(git_signature **s) {
    git_signature_free(*s);
}
void git_lib_odb_free(git_odb **o) {
    git_odb_free(*o);
}

err git_rev_fail(struct str rev) {
    return err_fail(E_REV_NOT_FOUND, "Invalid rev id: " STR_FMT, STR_ARG(str_sub(rev, 0, 200)));
}

err git_commit_open(git_repository *repo, struct str hex, git2_commit **out) {
    git_oid oid;
    *out = NULL;
    if (!git_oid_parse(hex, &oid) || git_commit_lookup(out, repo, &oid) != 0) return git_rev_fail(hex);
    return OK;
}

err git_tree_of(git_repository *repo, struct str commit_hex, git2_tree **out) {
    cleanup(git_lib_commit_free) git2_commit *c = NULL;
    *out = NULL;
    TRY(git_commit_open(repo, commit_hex, &c));
    if (git_commit_tree(out, c) != 0) return git_lib_fail(E_CORRUPT, "tree of a commit");
    return OK;
}

/* The commit a full ref name leads to; false when there is none. */
static bool ref_commit(git_repository *repo, const char *name, git_oid *commit) {
    cleanup(git_lib_ref_free) git_reference *ref = NULL;
    cleanup(git_lib_object_free) git_object *o = NULL;
    if (!git_reference_is_valid_name(name) || git_reference_lookup(&ref, repo, name) != 0) return false;
    if (git_reference_peel(&o, ref, GIT_OBJECT_COMMIT) != 0) return false;
    git_oid_cpy(commit, git_object_id(o));
    return true;
}

static bool id_commit(git_repository *repo, struct str rev, git_oid *commit) {
    if (rev.n < 4 || rev.n > GIT_OID_HEX || !str_is_hex(rev)) return false;
    char hex[GIT_OID_HEX + 1];
    memcpy(hex, rev.p, rev.n);
    hex[rev.n] = 0;
    git_oid oid;
    if (git_oid_fromstrn(&oid, hex, rev.n) != 0) return false;
    cleanup(git_lib_object_free) git_object *o = NULL, *c = NULL;
    if (rev.n == GIT_OID_HEX) {
        /* a full id may also be that of an annotated tag */
        if (git_object_lookup(&o, repo, &oid, GIT_OBJECT_ANY) != 0) return false;
    } else if (git_object_lookup_prefix(&o, repo, &oid, rev.n, GIT_OBJECT_COMMIT) != 0) {
        return false; /* none or ambiguous */
    }
    if (git_object_peel(&c, o, GIT_OBJECT_COMMIT) != 0) return false;
    git_oid_cpy(commit, git_object_id(c));
    return true;
}

/*
 * HEAD, a full id, a full ref, a branch, a tag, a short id — in this order, so that no short id shadows a branch.
 * git's own revision syntax (^, ~, :, @{}) is not understood on purpose: nothing a client sends reaches a parser.
 */
err git_rev_parse(git_repository *repo, struct str rev, git_oid *commit) {
    char name[REPO_PATH_MAX + 16];
    if (rev.n == 0 || rev.n > REPO_PATH_MAX - 16 || memchr(rev.p, 0, rev.n) != NULL) return git_rev_fail(rev);
    if (str_eqz(rev, "HEAD")) return ref_commit(repo, "HEAD", commit) ? OK : git_rev_fail(rev);
    if (rev.n == GIT_OID_HEX && str_is_hex(rev) && id_commit(repo, rev, commit)) return OK;
    static const char *const forms[] = {"refs/heads/", "refs/tags/"};
    if (str_starts(rev, "refs/")) {
        snprintf(name, sizeof name, STR_FMT, STR_ARG(rev));
        if (ref_commit(repo, name, commit)) return OK;
    }
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        snprintf(name, sizeof name, "%s" STR_FMT, forms[i], STR_ARG(rev));
        if (ref_commit(repo, name, commit)) return OK;
    }
    return id_commit(repo, rev, commit) ? OK : git_rev_fail(rev);
}

err git_lib_signature(const struct git_author *a, git_signature **out) {
    /* git refuses <, > and line breaks in names; they carry no meaning worth keeping */
    char name[256], mail[256];
    const struct str in[2] = {a->name, a->email};
    char *const to[2] = {name, mail};
    for (int k = 0; k < 2; k++) {
        size_t n = 0;
        for (size_t i = 0; i < in[k].n && n < sizeof name - 1; i++) {
            char c = in[k].p[i];
            to[k][n++] = (c == '<' || c == '>' || (unsigned char)c < 0x20) ? ' ' : c;
        }
        to[k][n] = 0;
        if (str_trim(str_of(to[k])).n == 0)
            snprintf(to[k], sizeof name, "%s", k == 0 ? "unknown" : "unknown@localhost");
    }
    if (git_signature_new(out, name, mail, a->time_ms / 1000, 0) != 0) return git_lib_fail(E_UNPROCESSABLE, "author");
    return OK;
}
