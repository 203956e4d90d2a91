/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_fsck.c — proves that repositories are what the records say: recorded references stand in git, the trees they name
 * are whole, and every LFS pointer names a file the repository may use. Deep also lets git check every object.
 */
#include "base/hex.h"
#include "hub/hub_fsck.h"
#include "hub/refs.h"
#include "rt/child.h"

enum { FSCK_PAGE = 1000, FSCK_GIT_TIMEOUT_MS = 600000 };

struct fsck {
    struct hub *hub;
    struct arena *arena; /* per repository */
    const struct hub_fsck_repo *repo;
    xet_fsck_fn report;
    void *arg;
    uint64_t problems;
};

static void problem(struct fsck *f, const char *kind, const char *what) {
    f->problems++;
    f->report(f->arg, kind, f->repo->name, what);
}

static err check_entry(struct fsck *f, const struct git_entry *e) {
    uint8_t sha[32];
    bool yes = false;
    char what[512];
    if (e->is_dir || !e->is_lfs) return OK;
    if (hex_decode(e->lfs_sha256, sha, sizeof sha))
        TRY(hub_fsck_db_has_file(db_reader(f->hub->store), f->repo->id, sha, e->lfs_size, &yes));
    if (yes) return OK;
    snprintf(what, sizeof what, STR_FMT ": large file " STR_FMT " is not held by this repository", STR_ARG(e->path),
             STR_ARG(e->lfs_sha256));
    problem(f, "lfs", what);
    return OK;
}

static err check_tree(struct fsck *f, struct str commit) {
    struct str after = STR("");
    bool more = true;
    while (more) {
        struct git_entry *e;
        size_t n;
        err got = git_tree(f->hub->git, f->arena, f->repo->id, commit, STR(""), true, after, FSCK_PAGE, &e, &n, &more);
        if (got != OK) {
            problem(f, "tree", err_text());
            return OK;
        }
        for (size_t i = 0; i < n; i++) TRY(check_entry(f, &e[i]));
        if (n > 0) after = e[n - 1].path;
        else more = false;
    }
    return OK;
}

static const struct git_ref *find_ref(const struct git_ref *refs, size_t n, struct str name) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(refs[i].name, name)) return &refs[i];
    return NULL;
}

static err check_refs(struct fsck *f) {
    struct git_ref *have, *recorded;
    size_t n_have, n_recorded;
    if (git_refs(f->hub->git, f->arena, f->repo->id, &have, &n_have) != OK) {
        problem(f, "repository", err_text());
        return OK;
    }
    TRY(refs_db_list(db_reader(f->hub->store), f->arena, f->repo->id, &recorded, &n_recorded));
    char what[512];
    for (size_t i = 0; i < n_recorded; i++) {
        const struct git_ref *r = find_ref(have, n_have, recorded[i].name);
        if (r != NULL && strcmp(r->target, recorded[i].target) == 0) continue;
        snprintf(what, sizeof what, STR_FMT ": recorded as %s, in git %s", STR_ARG(recorded[i].name),
                 recorded[i].target, r != NULL ? r->target : "absent");
        problem(f, "ref", what);
    }
    for (size_t i = 0; i < n_have; i++) {
        if (find_ref(recorded, n_recorded, have[i].name) == NULL) {
            snprintf(what, sizeof what, STR_FMT ": in git, not recorded", STR_ARG(have[i].name));
            problem(f, "ref", what);
        }
        TRY(check_tree(f, str_of(have[i].target)));
    }
    return OK;
}

static err git_fsck(struct fsck *f) {
    const char *path;
    TRY(git_repo_path(f->hub->git, f->arena, f->repo->id, &path));
    struct child_opts o;
    child_opts_init(&o);
    const char *argv[] = {"git", "-C", path, "fsck", "--full", "--no-dangling", "--no-progress", NULL};
    o.argv = argv;
    o.pipe_out = o.pipe_err = true;
    struct buf out cleanup(buf_release), errs cleanup(buf_release);
    buf_init(&out, MiB);
    buf_init(&errs, MiB);
    int code = 0;
    TRY(child_run(&o, STR(""), &out, &errs, FSCK_GIT_TIMEOUT_MS, &code));
    if (code == 0) return OK;
    struct str said = str_trim(errs.n > 0 ? buf_view(&errs) : buf_view(&out));
    problem(f, "git", arena_strz(f->arena, str_sub(said, 0, 400)));
    return OK;
}

err hub_fsck(struct hub *h, bool deep, xet_fsck_fn report, xet_progress_fn progress, void *arg, uint64_t *n_problems) {
    struct arena all, one;
    struct hub_fsck_repo *repos;
    size_t n;
    arena_init(&all, 256 * MiB);
    struct fsck f = {.hub = h, .arena = &one, .report = report, .arg = arg};
    err e = hub_fsck_db_repos(db_reader(h->store), &all, &repos, &n);
    for (size_t i = 0; e == OK && i < n; i++) {
        arena_init(&one, GiB);
        f.repo = &repos[i];
        e = check_refs(&f);
        if (e == OK && deep) e = git_fsck(&f);
        arena_release(&one);
        if (progress != NULL) progress(arg, i + 1, n);
    }
    arena_release(&all);
    *n_problems = f.problems;
    return e;
}
