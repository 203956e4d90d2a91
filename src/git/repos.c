/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repos.c — the room's life: where repositories lie, the settings git(1) and libgit2 run with, open handles.
 *
 *   DATA/git/ab/<id>.git   ab = low byte of the id in hex
 *   DATA/git/config        the only configuration git children read (GIT_CONFIG_GLOBAL, system file off)
 *   DATA/git/lib/.gitconfig  the same for libgit2: references are fsynced before they are renamed into place
 *   DATA/git/hooks/        pre-receive, which runs this very program
 *
 * Handles: at most GIT_HANDLES_MAX stay open; a handle is lent to one job at a time, so two readers of one
 * repository get two handles. When all are lent, a job opens one for itself.
 */
#include "git/git_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void git_dir_path(const struct git *g, int64_t repo_id, char *out, size_t cap) {
    int n = snprintf(out, cap, "%s/%02x/%" PRId64 ".git", g->root, (unsigned)(repo_id & 0xff), repo_id);
    BUG_ON(n < 0 || (size_t)n >= cap);
}

err git_repo_path(struct git *g, struct arena *a, int64_t repo_id, const char **out) {
    char path[GIT_DIR_MAX];
    git_dir_path(g, repo_id, path, sizeof path);
    *out = arena_strz(a, str_of(path));
    return OK;
}

/* --- files this room writes for git ----------------------------------------------------------------------- */

static err write_file(const char *path, struct str text, mode_t mode) {
    char now[4096], tmp[GIT_DIR_MAX + 32];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t n = read(fd, now, sizeof now);
        close(fd);
        if (n >= 0 && (size_t)n == text.n && memcmp(now, text.p, text.n) == 0) return OK;
    }
    snprintf(tmp, sizeof tmp, "%s.%d", path, (int)getpid());
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0) return err_errno(E_IO, errno, "cannot write %s", tmp);
    bool good = write(fd, text.p, text.n) == (ssize_t)text.n && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int saved = errno;
    close(fd);
    if (good && rename(tmp, path) == 0) return OK;
    if (good) saved = errno;
    unlink(tmp);
    return err_errno(E_IO, saved, "cannot write %s", path);
}

static err make_dir(const char *path) {
    if (mkdir(path, 0700) == 0 || errno == EEXIST) return OK;
    return err_errno(E_IO, errno, "cannot make the folder %s", path);
}

/* Config of git children. Every line is here because its default would let users or the environment in. */
static const char child_config[] =
    "# written by ballast at each start; changes are lost\n"
    "[core]\n\tfsync = all\n\tfsyncMethod = batch\n\tlogAllRefUpdates = false\n\tbigFileThreshold = 16m\n"
    "\tprotectHFS = true\n\tprotectNTFS = true\n\tdeltaBaseCacheLimit = 32m\n\tpackedGitLimit = "
    "256m\n\tpackedGitWindowSize = 16m\n"
    "[safe]\n\tdirectory = *\n"
    "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"
    "[pack]\n\tthreads = 1\n\twindowMemory = 64m\n\tdeltaCacheSize = 32m\n\twriteBitmaps = false\n"
    "[transfer]\n\tfsckObjects = true\n\tunpackLimit = 64\n\tadvertiseSID = false\n"
    "[receive]\n\tautogc = false\n\tcertNonceSeed =\n\tdenyCurrentBranch = ignore\n\tadvertisePushOptions = false\n"
    "[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n\thideRefs = refs/ballast\n"
    "[receive \"fsck\"]\n\tmissingSpaceBeforeDate = warn\n\tzeroPaddedFilemode = warn\n\tbadTimezone = "
    "warn\n\tmissingTaggerEntry = warn\n" /* old, harmless */
    "[init]\n\tdefaultBranch = main\n";

static err write_settings(struct git *g) {
    char path[GIT_DIR_MAX], exe[GIT_DIR_MAX], text[GIT_DIR_MAX + 256];
    TRY(write_file(g->config, str_of(child_config), 0600));
    snprintf(path, sizeof path, "%s/lib", g->root);
    TRY(make_dir(path));
    int n = git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_GLOBAL, path);
    if (n != 0) return git_lib_fail(E_INTERNAL, "search path");
    snprintf(path, sizeof path, "%s/lib/.gitconfig", g->root);
    TRY(write_file(path, STR("[core]\n\tfsyncObjectFiles = true\n\tlogAllRefUpdates = false\n"), 0600));
    TRY(make_dir(g->hooks));
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (len < 0) return err_errno(E_IO, errno, "cannot find this program's own path");
    exe[len] = 0;
    if (strpbrk(exe, "'\n") != NULL)
        return err_fail(E_INTERNAL, "this program's path %s cannot be put into a script", exe);
    snprintf(text, sizeof text, "#!/bin/sh\n# written by ballast at each start\nexec '%s' git-hook pre-receive\n", exe);
    snprintf(path, sizeof path, "%s/pre-receive", g->hooks);
    return write_file(path, str_of(text), 0700);
}

static err lib_start(void) {
    git_lib_alloc_setup();
    if (git_libgit2_init() < 0) return git_lib_fail(E_INTERNAL, "start");
    static const int empty_levels[] = {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_PROGRAMDATA};
    for (size_t i = 0; i < ARRAY_LEN(empty_levels); i++)
        if (git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, empty_levels[i], "") != 0)
            return git_lib_fail(E_INTERNAL, "options");
    if (git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0) != 0 || /* DATA is ours whatever the uid of a mount says */
        git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)(64 * MiB)) != 0 ||
        git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)(512 * MiB)) != 0 ||
        git_libgit2_opts(GIT_OPT_SET_MWINDOW_FILE_LIMIT, (size_t)256) != 0)
        return git_lib_fail(E_INTERNAL, "options");
    return OK;
}

static char *join(const char *a, const char *b) {
    char *p = NULL;
    int n = asprintf(&p, "%s%s", a, b);
    BUG_ON(n < 0);
    return p;
}

err git_open(struct store *s, struct git **out) {
    *out = NULL;
    TRY(lib_start());
    struct git *g = calloc(1, sizeof *g);
    BUG_ON(g == NULL);
    pthread_mutex_init(&g->mu, NULL);
    g->store = s;
    g->data = join(store_dir(s), "");
    g->root = join(g->data, "/git");
    g->config = join(g->root, "/config");
    g->hooks = join(g->root, "/hooks");
    err e = make_dir(g->root);
    if (e == OK) e = write_settings(g);
    if (e == OK) e = git_meta_open(&g->meta);
    if (e != OK) {
        git_close(g);
        return e;
    }
    *out = g;
    return OK;
}

void git_close(struct git *g) {
    if (g == NULL) return;
    for (size_t i = 0; i < GIT_HANDLES_MAX; i++) git_repository_free(g->handles[i].repo);
    git_meta_close(g->meta);
    BUG_ON(g->locks != NULL);
    pthread_mutex_destroy(&g->mu);
    free(g->root);
    free(g->config);
    free(g->hooks);
    free(g->data);
    free(g);
    git_libgit2_shutdown();
}

/* --- handles ------------------------------------------------------------------------------------------------ */

/* An object database without fsync per object: durable.c syncs a commit's objects together. */
static int quiet_odb(git_repository *repo) {
    git_odb *odb = NULL;
    char path[GIT_DIR_MAX];
    snprintf(path, sizeof path, "%sobjects", git_repository_path(repo));
    int rc = git_odb_open(&odb, path);
    if (rc == 0) rc = git_repository_set_odb(repo, odb);
    git_odb_free(odb);
    return rc;
}

err git_handle_open(const char *path, git_repository **out) {
    int rc = git_repository_open_ext(
        out, path, GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_BARE | GIT_REPOSITORY_OPEN_NO_DOTGIT, NULL);
    if (rc == GIT_ENOTFOUND) return err_fail(E_REPO_NOT_FOUND, "the repository's git folder does not exist");
    if (rc != 0) return git_lib_fail(E_CORRUPT, "cannot open a repository");
    if (quiet_odb(*out) != 0) {
        git_repository_free(*out);
        *out = NULL;
        return git_lib_fail(E_CORRUPT, "cannot open a repository's objects");
    }
    return OK;
}

/* The slot of an idle handle of repo_id, or an empty or the least recently used idle slot; -1 when all are lent. */
static int pick_slot(struct git *g, int64_t repo_id) {
    int best = -1;
    for (int i = 0; i < GIT_HANDLES_MAX; i++) {
        struct git_handle *h = &g->handles[i];
        if (h->busy) continue;
        if (h->repo != NULL && h->repo_id == repo_id) return i;
        if (best < 0 || (h->repo == NULL && g->handles[best].repo != NULL) ||
            (g->handles[best].repo != NULL && h->used < g->handles[best].used))
            best = i;
    }
    return best;
}

static err handle_get(struct git *g, int64_t repo_id, struct git_handle **slot, git_repository **repo) {
    git_repository *old = NULL;
    pthread_mutex_lock(&g->mu);
    int i = pick_slot(g, repo_id);
    *slot = i < 0 ? NULL : &g->handles[i];
    *repo = NULL;
    if (*slot != NULL) {
        if ((*slot)->repo != NULL && (*slot)->repo_id == repo_id) *repo = (*slot)->repo;
        else old = (*slot)->repo;
        **slot = (struct git_handle){.repo_id = repo_id, .repo = *repo, .busy = true, .used = ++g->tick};
    }
    pthread_mutex_unlock(&g->mu);
    git_repository_free(old);
    if (*repo != NULL) return OK;
    char path[GIT_DIR_MAX];
    git_dir_path(g, repo_id, path, sizeof path);
    err e = git_handle_open(path, repo);
    if (*slot == NULL) return e;
    pthread_mutex_lock(&g->mu);
    (*slot)->repo = *repo;
    if (e != OK) (*slot)->busy = false;
    pthread_mutex_unlock(&g->mu);
    return e;
}

static void handle_put(struct git *g, struct git_handle *slot, git_repository *repo) {
    git_repository *drop = repo;
    pthread_mutex_lock(&g->mu);
    if (slot != NULL) {
        slot->busy = false;
        if (slot->doomed) slot->repo = NULL;
        else drop = NULL;
        slot->doomed = false;
    }
    pthread_mutex_unlock(&g->mu);
    git_repository_free(drop);
}

void git_handles_drop(struct git *g, int64_t repo_id) {
    git_repository *drop[GIT_HANDLES_MAX];
    size_t n = 0;
    pthread_mutex_lock(&g->mu);
    for (int i = 0; i < GIT_HANDLES_MAX; i++) {
        struct git_handle *h = &g->handles[i];
        if (h->repo_id != repo_id) continue;
        if (h->busy) h->doomed = true;
        else if (h->repo != NULL) {
            drop[n++] = h->repo;
            h->repo = NULL;
        }
    }
    pthread_mutex_unlock(&g->mu);
    for (size_t i = 0; i < n; i++) git_repository_free(drop[i]);
}

struct repo_job {
    struct git *g;
    int64_t repo_id;
    git_repo_fn fn;
    void *arg;
};

static err repo_job_run(void *arg) {
    struct repo_job *j = arg;
    struct git_handle *slot = NULL;
    git_repository *repo = NULL;
    TRY(handle_get(j->g, j->repo_id, &slot, &repo));
    err e = j->fn(j->g, repo, j->arg);
    handle_put(j->g, slot, repo);
    return e;
}

err git_with_repo(struct git *g, int64_t repo_id, git_repo_fn fn, void *arg) {
    struct repo_job j = {g, repo_id, fn, arg};
    return work_run(repo_job_run, &j);
}
