/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c — history: commits newest first, and the newest commit of each path.
 *
 * Order is by commit time with children before their parents. Both walks are bounded: LOG_WALK_MAX commits for a log,
 * LAST_LOOKUPS_MAX path look-ups for last commits (whatever is still open then gets the oldest commit reached).
 */
#include "git/git_internal.h"

enum { LOG_WALK_MAX = 1000000, LOG_RESULT_MAX = 10000, LAST_LOOKUPS_MAX = 3000000 };

static err commit_fill(struct arena *a, const git2_commit *c, struct git_commit *out) {
    *out = (struct git_commit){0};
    git_oid_hex(git_commit_id(c), out->oid);
    const char *raw = git_commit_message(c);
    struct str message = str_sub(str_of(raw != NULL ? raw : ""), 0, 65536), title;
    out->message = arena_str(a, str_trim(message));
    struct str rest = out->message;
    title = STR_NULL;
    (void)str_split(&rest, '\n', &title); /* no newline: the whole message is the title */
    out->title = title.p == NULL ? STR("") : title;
    const git_signature *who = git_commit_author(c);
    if (who != NULL) {
        out->author.name = arena_str(a, str_of(who->name));
        out->author.email = arena_str(a, str_of(who->email));
    }
    out->author.time_ms = (int64_t)git_commit_time(c) * 1000;
    out->n_parents = MIN(git_commit_parentcount(c), 2u);
    for (unsigned i = 0; i < out->n_parents; i++) git_oid_hex(git_commit_parent_id(c, i), out->parents[i]);
    return OK;
}

static err walk_new(git_repository *repo, struct str from, git_revwalk **out) {
    git_oid oid;
    if (!git_oid_parse(from, &oid)) return git_rev_fail(from);
    if (git_revwalk_new(out, repo) != 0) return git_lib_fail(E_NOMEM, "history");
    git_revwalk_sorting(*out, GIT_SORT_TOPOLOGICAL | GIT_SORT_TIME); /* commits of one second stay in order */
    if (git_revwalk_push(*out, &oid) != 0) return git_rev_fail(from);
    return OK;
}

/* Id at path in a commit's tree; zero when it is not there. */
static void path_id(const git2_commit *c, const char *path, git_oid *out) {
    cleanup(git_lib_tree_free) git2_tree *t = NULL;
    git_tree_entry *te = NULL;
    *out = (git_oid){{0}};
    if (git_commit_tree(&t, c) != 0 || git_tree_entry_bypath(&te, t, path) != 0) return;
    git_oid_cpy(out, git_tree_entry_id(te));
    git_tree_entry_free(te);
}

/* Did the commit change path with respect to every parent? (A merge that took one side did not.) */
static bool changed(const git2_commit *c, const char *path) {
    git_oid here;
    path_id(c, path, &here);
    unsigned n = git_commit_parentcount(c);
    if (n == 0) return !git_oid_is_zero(&here);
    for (unsigned i = 0; i < n; i++) {
        cleanup(git_lib_commit_free) git2_commit *p = NULL;
        git_oid there = {{0}};
        if (git_commit_parent(&p, c, i) == 0) path_id(p, path, &there);
        if (git_oid_equal(&here, &there)) return false;
    }
    return true;
}

struct log_job {
    struct arena *a;
    struct str commit, path;
    size_t skip, max, n, total;
    bool want_total;
    struct git_commit *out;
};

static err log_job(struct git *g, git_repository *repo, void *arg) {
    struct log_job *j = arg;
    cleanup(git_lib_walk_free) git_revwalk *w = NULL;
    char path[REPO_PATH_MAX + 1];
    if (j->path.n > REPO_PATH_MAX || memchr(j->path.p != NULL ? j->path.p : "", 0, j->path.n) != NULL) return OK;
    snprintf(path, sizeof path, STR_FMT, STR_ARG(j->path));
    TRY(walk_new(repo, j->commit, &w));
    git_oid oid;
    for (size_t walked = 0; walked < LOG_WALK_MAX && git_revwalk_next(&oid, w) == 0; walked++) {
        bool wanted = j->n < j->max && j->total >= j->skip;
        if (!wanted && !j->want_total && j->n == j->max) break;
        if (!wanted && j->path.n == 0) { /* only counted */
            j->total++;
            continue;
        }
        cleanup(git_lib_commit_free) git2_commit *c = NULL;
        if (git_commit_lookup(&c, repo, &oid) != 0) return git_lib_fail(E_CORRUPT, "a commit is missing");
        if (j->path.n > 0 && !changed(c, path)) continue;
        if (wanted) TRY(commit_fill(j->a, c, &j->out[j->n++]));
        j->total++;
    }
    return OK;
}

err git_log(struct git *g, struct arena *a, int64_t repo_id, struct str commit, struct str path, size_t skip,
            size_t max, struct git_commit **out, size_t *n, size_t *total) {
    max = MIN(max, LOG_RESULT_MAX);
    while (path.n > 0 && path.p[path.n - 1] == '/') path.n--;
    struct log_job j = {.a = a, .commit = commit, .path = path, .skip = skip, .max = max, .want_total = total != NULL};
    j.out = arena_array(a, struct git_commit, max + 1);
    TRY(git_with_repo(g, repo_id, log_job, &j));
    *out = j.out;
    *n = j.n;
    if (total != NULL) *total = j.total;
    return OK;
}

/* --- the newest commit of each path ------------------------------------------------------------------------------ */

struct last_job {
    struct arena *a;
    struct str commit;
    const struct str *paths;
    size_t n, open;
    struct git_commit *out;
    char **zpaths;
    bool *found;
};

/* Settle the paths this commit changed; all of them when it has no parent or the budget is used up. */
static err last_step(struct last_job *j, const git2_commit *c, bool settle_all) {
    struct git_commit info = {0};
    for (size_t i = 0; i < j->n; i++) {
        if (j->found[i] || (!settle_all && !changed(c, j->zpaths[i]))) continue;
        if (info.oid[0] == 0) TRY(commit_fill(j->a, c, &info));
        j->out[i] = info;
        j->found[i] = true;
        j->open--;
    }
    return OK;
}

static bool same_tree_as_parent(const git2_commit *c) {
    cleanup(git_lib_commit_free) git2_commit *p = NULL;
    if (git_commit_parentcount(c) != 1 || git_commit_parent(&p, c, 0) != 0) return false;
    return git_oid_equal(git_commit_tree_id(c), git_commit_tree_id(p)) != 0;
}

static err last_job(struct git *g, git_repository *repo, void *arg) {
    struct last_job *j = arg;
    cleanup(git_lib_walk_free) git_revwalk *w = NULL;
    cleanup(git_lib_commit_free) git2_commit *c = NULL;
    TRY(walk_new(repo, j->commit, &w));
    git_oid oid;
    size_t lookups = 0;
    while (j->open > 0 && git_revwalk_next(&oid, w) == 0) {
        git_commit_free(c);
        c = NULL;
        if (git_commit_lookup(&c, repo, &oid) != 0) return git_lib_fail(E_CORRUPT, "a commit is missing");
        if (same_tree_as_parent(c)) continue;
        lookups += 2 * j->open;
        TRY(last_step(j, c, lookups > LAST_LOOKUPS_MAX));
    }
    return c != NULL && j->open > 0 ? last_step(j, c, true) : OK;
}

err git_last_commits(struct git *g, struct arena *a, int64_t repo_id, struct str commit, const struct str *paths,
                     size_t n, struct git_commit *out) {
    struct last_job j = {.a = a, .commit = commit, .paths = paths, .n = n, .open = n, .out = out};
    j.zpaths = arena_array(a, char *, n + 1);
    j.found = arena_array(a, bool, n + 1);
    for (size_t i = 0; i < n; i++) j.zpaths[i] = arena_strz(a, paths[i]);
    return git_with_repo(g, repo_id, last_job, &j);
}
