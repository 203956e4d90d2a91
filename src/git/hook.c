/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook.c — `ballast git-hook pre-receive`: what a push may bring. Runs as a child of git receive-pack, in the
 * repository, with the pushed objects in quarantine; exit code 1 drops them all.
 *
 * Only objects of the quarantine are looked at: what the repository's own store holds was checked when it came.
 * Every new tree is walked once. Refused: references outside refs/heads and refs/tags, deletion of main, unsafe
 * names, files above the limit outside LFS, pointers to large files this repository does not hold.
 *
 * Environment: BALLAST_DATA, BALLAST_REPO_ID, BALLAST_BLOB_MAX (bytes), and git's own quarantine variables.
 */
#include "git/git_internal.h"

#include <unistd.h>

#include "base/map.h"
#include "git/hook_db.h"
#include "git/path.h"

enum { PUSH_REFS_MAX = 10000, PUSH_OBJECTS_MAX = 2000000, COMPLAINTS_MAX = 10, LINE_MAX = 2048 };

struct hook {
    struct git g;         /* only meta is used */
    git_repository *repo; /* quarantine and own store together */
    git_odb *all, *own;
    struct store *store;
    struct git_set seen;
    struct git_oids todo; /* commits to visit */
    int64_t repo_id;
    uint64_t blob_max;
    unsigned complaints;
    bool lfs_missing;
};

/* Lines on stderr reach the pusher as "remote: …". */
#define complain(h, ...)                                                                                               \
    do {                                                                                                               \
        if ((h)->complaints++ < COMPLAINTS_MAX) {                                                                      \
            fputs("ballast: ", stderr);                                                                                \
            fprintf(stderr, __VA_ARGS__);                                                                              \
            fputc('\n', stderr);                                                                                       \
        }                                                                                                              \
    } while (0)

static bool in_own_store(struct hook *h, const git_oid *oid) {
    return git_odb_exists_ext(h->own, oid, GIT_ODB_LOOKUP_NO_REFRESH) == 1;
}

static void shown(struct str s, char out[300]) {
    size_t n = 0;
    for (size_t i = 0; i < s.n && n < 299; i++)
        out[n++] = (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F ? '?' : s.p[i];
    out[n] = 0;
}

/* --- objects -------------------------------------------------------------------------------------------------- */

static err check_blob(struct hook *h, const git_oid *oid, struct str path) {
    char name[300];
    bool fresh;
    TRY(git_set_add(&h->seen, oid, &fresh));
    if (!fresh || in_own_store(h, oid)) return OK;
    struct git_blob_meta m;
    TRY(git_blob_meta(&h->g, h->all, oid, &m));
    shown(path, name);
    if (m.size > h->blob_max) {
        complain(h,
                 "%s has %" PRIu64 " bytes; files above %" PRIu64
                 " bytes must go through Git LFS. Rewrite your history with:",
                 name, m.size, h->blob_max);
        if (h->complaints <= COMPLAINTS_MAX)
            fprintf(stderr, "ballast:     git lfs migrate import --everything --include=\"%s\"\n", name);
    }
    if (!m.is_lfs) return OK;
    bool held = false;
    TRY(hook_db_has_file(db_reader(h->store), h->repo_id, m.sha256, &held));
    if (held) return OK;
    complain(h, "%s points to the large file sha256:%s, which this repository does not hold", name, m.sha256);
    h->lfs_missing = true;
    return OK;
}

static err check_tree(struct hook *h, const git_oid *oid, struct str prefix, unsigned depth) {
    cleanup(git_lib_tree_free) git2_tree *t = NULL;
    bool fresh;
    char name[300];
    TRY(git_set_add(&h->seen, oid, &fresh));
    if (!fresh || in_own_store(h, oid)) return OK;
    if (git_tree_lookup(&t, h->repo, oid) != 0) return git_lib_fail(E_CORRUPT, "a folder is missing");
    for (size_t i = 0; i < git_tree_entrycount(t) && h->complaints < COMPLAINTS_MAX; i++) {
        const git_tree_entry *te = git_tree_entry_byindex(t, i);
        char path[REPO_PATH_MAX + 600];
        int n = snprintf(path, sizeof path, STR_FMT "%s%s", STR_ARG(prefix), prefix.n > 0 ? "/" : "",
                         git_tree_entry_name(te));
        struct str full = str_make(path, MIN((size_t)n, sizeof path - 1));
        shown(full, name);
        const char *fault = git_name_fault(str_of(git_tree_entry_name(te)));
        if (fault == NULL && full.n > REPO_PATH_MAX) fault = "more than 1024 bytes";
        if (fault == NULL && depth >= REPO_PATH_DEPTH_MAX) fault = "more than 64 folders";
        if (fault != NULL) {
            complain(h, "path \"%s\" is not allowed: it has %s", name, fault);
            continue;
        }
        git_object_t type = git_tree_entry_type(te);
        if (type == GIT_OBJECT_TREE) TRY(check_tree(h, git_tree_entry_id(te), full, depth + 1));
        else if (type == GIT_OBJECT_BLOB) TRY(check_blob(h, git_tree_entry_id(te), full));
    }
    return OK;
}

static err check_commits(struct hook *h) {
    while (h->todo.n > 0 && h->complaints < COMPLAINTS_MAX) {
        git_oid oid = h->todo.v[--h->todo.n];
        bool fresh;
        TRY(git_set_add(&h->seen, &oid, &fresh));
        if (!fresh || in_own_store(h, &oid)) continue;
        cleanup(git_lib_commit_free) git2_commit *c = NULL;
        if (git_commit_lookup(&c, h->repo, &oid) != 0) return git_lib_fail(E_CORRUPT, "a commit is missing");
        TRY(check_tree(h, git_commit_tree_id(c), STR_NULL, 0));
        for (unsigned i = 0; i < git_commit_parentcount(c); i++)
            TRY(git_oids_add(&h->todo, git_commit_parent_id(c, i)));
    }
    return OK;
}

/* --- references ------------------------------------------------------------------------------------------------ */

static err check_ref(struct hook *h, struct str new_hex, struct str ref) {
    char name[300];
    git_oid oid;
    shown(ref, name);
    if (!git_ref_name_ok(ref) || (!str_starts(ref, "refs/heads/") && !str_starts(ref, "refs/tags/"))) {
        complain(h, "%s: only branches (refs/heads/) and tags (refs/tags/) can be pushed", name);
        return OK;
    }
    if (!git_oid_parse(new_hex, &oid)) return err_fail(E_BAD_REQUEST, "git sent an id that is none");
    if (git_oid_is_zero(&oid)) {
        if (str_eqz(ref, "refs/heads/main")) complain(h, "Cannot delete refs/heads/main: it is the default branch");
        return OK;
    }
    cleanup(git_lib_object_free) git_object *o = NULL, *commit = NULL;
    if (git_object_lookup(&o, h->repo, &oid, GIT_OBJECT_ANY) != 0)
        return git_lib_fail(E_CORRUPT, "a pushed object is missing");
    if (git_object_peel(&commit, o, GIT_OBJECT_COMMIT) != 0) {
        complain(h, "%s does not lead to a commit", name);
        return OK;
    }
    return git_oids_add(&h->todo, git_object_id(commit));
}

/* Lines "<old> <new> <ref>" on stdin. */
static err check_input(struct hook *h) {
    char line[LINE_MAX];
    unsigned n = 0;
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct str rest = str_of(line), old_hex, new_hex;
        if (rest.n == 0 || rest.p[rest.n - 1] != '\n') return err_fail(E_BAD_REQUEST, "a reference line is too long");
        rest.n--;
        if (!str_split(&rest, ' ', &old_hex) || !str_split(&rest, ' ', &new_hex))
            return err_fail(E_BAD_REQUEST, "a reference line is malformed");
        if (++n > PUSH_REFS_MAX) return err_fail(E_LIMIT, "more than %d references in one push", PUSH_REFS_MAX);
        TRY(check_ref(h, new_hex, rest));
    }
    return check_commits(h);
}

/* --- set-up ----------------------------------------------------------------------------------------------------- */

static err env_need(const char *name, struct str *out) {
    *out = str_of(getenv(name));
    return out->n > 0
               ? OK
               : err_fail(E_BAD_REQUEST, "%s is not set: git-hook is run by Ballast's own git push, not by hand", name);
}

static err hook_open(struct hook *h) {
    struct str data, repo_id, blob_max;
    TRY(env_need("BALLAST_DATA", &data));
    TRY(env_need("BALLAST_REPO_ID", &repo_id));
    TRY(env_need("BALLAST_BLOB_MAX", &blob_max));
    if (!str_to_i64(repo_id, &h->repo_id) || !str_to_u64(blob_max, &h->blob_max))
        return err_fail(E_BAD_REQUEST, "BALLAST_*: expected numbers");
    struct store_opts so = {.dir = data.p};
    TRY(store_open(&so, &h->store));
    TRY(git_meta_open(&h->g.meta));
    git_set_init(&h->seen, PUSH_OBJECTS_MAX);
    if (git_odb_open(&h->own, "objects") != 0 || git_odb_new(&h->all) != 0) return git_lib_fail(E_IO, "objects");
    const char *quarantine = getenv("GIT_QUARANTINE_PATH");
    if (git_odb_add_disk_alternate(h->all, "objects") != 0 ||
        (quarantine != NULL && git_odb_add_disk_alternate(h->all, quarantine) != 0) ||
        git_repository_wrap_odb(&h->repo, h->all) != 0)
        return git_lib_fail(E_IO, "objects");
    return OK;
}

static void hook_close(struct hook *h) {
    git_repository_free(h->repo);
    git_odb_free(h->all);
    git_odb_free(h->own);
    git_set_release(&h->seen);
    git_oids_release(&h->todo);
    git_meta_close(h->g.meta);
    if (h->store != NULL) store_close(h->store);
}

static int pre_receive(void) {
    struct hook h = {0};
    if (git_libgit2_init() < 0) return 1;
    err e = hook_open(&h);
    if (e == OK) e = check_input(&h);
    if (e != OK) fprintf(stderr, "ballast: the push could not be checked: %s\n", err_text());
    if (h.complaints > COMPLAINTS_MAX) fprintf(stderr, "ballast: … and %u more\n", h.complaints - COMPLAINTS_MAX);
    if (h.lfs_missing) fputs("ballast: upload large files first:  git lfs push --all origin\n", stderr);
    bool good = e == OK && h.complaints == 0;
    if (!good) fputs("ballast: the push was refused; nothing was changed\n", stderr);
    hook_close(&h);
    git_libgit2_shutdown();
    return good ? 0 : 1;
}

int git_hook_main(int argc, char **argv) {
    if (argc >= 1 && strcmp(argv[argc - 1], "pre-receive") == 0) return pre_receive();
    fputs("usage: ballast git-hook pre-receive (run by git itself during a push)\n", stderr);
    return 2;
}
