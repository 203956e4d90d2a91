/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tidy.c — loose objects become packs, in the background, one repository at a time.
 *
 * API commits and small pushes leave one file per object. Past LOOSE_MAX of them the loose objects, reachable or not,
 * are written into one pack by git pack-objects; the pack and its folder are fsynced; only then git prune-packed
 * removes the loose copies. No object is ever without a file, so readers (libgit2 and git look again when an object
 * is not where it was), commits under way and kill -9 are safe at every instant, and no lock of the repository is
 * needed. Past PACKS_MAX packs git repack --geometric merges the small ones.
 *
 * REPO/tidy.lock (flock) keeps a second process and tools/backup.py away: a copy must not list the packs before and
 * the loose objects after.
 */
#include "git/git_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "rt/child.h"

enum {
    LOOSE_MAX = 2048,
    PACKS_MAX = 32,
    SAMPLE = 4,           /* of the 256 folders of loose objects, to estimate their number */
    BATCH_MAX = 50000,    /* objects of one pack */
    TIDY_RUN_MS = 1800000 /* of one child */
};

struct tidy_job {
    struct git *g;
    int64_t repo_id;
    char path[GIT_DIR_MAX];
    size_t loose, packs; /* loose: an estimate */
    struct buf ids;      /* a line each */
};

static bool is_loose_name(const char *name) {
    return strlen(name) == GIT_OID_HEX - 2 && strspn(name, "0123456789abcdef") == GIT_OID_HEX - 2;
}

/* Entries of objects/SUB that count; with ids non-NULL their ids as lines. */
static size_t folder_count(const struct tidy_job *j, const char *sub, bool packs, struct buf *ids, size_t max) {
    char path[GIT_DIR_MAX + 32];
    snprintf(path, sizeof path, "%s/objects/%s", j->path, sub);
    DIR *d = opendir(path);
    size_t n = 0;
    if (d == NULL) return 0;
    for (struct dirent *e; n < max && (e = readdir(d)) != NULL;) {
        if (packs ? !str_ends(str_of(e->d_name), ".pack") : !is_loose_name(e->d_name)) continue;
        n++;
        if (ids != NULL) buf_printf(ids, "%s%s\n", sub, e->d_name);
    }
    closedir(d);
    return n;
}

/* [work] */
static err count_run(void *arg) {
    struct tidy_job *j = arg;
    static const char *const sample[SAMPLE] = {"17", "5e", "a3", "f0"};
    j->loose = 0;
    for (unsigned i = 0; i < SAMPLE; i++) j->loose += folder_count(j, sample[i], false, NULL, SIZE_MAX);
    j->loose *= 256 / SAMPLE;
    j->packs = folder_count(j, "pack", true, NULL, SIZE_MAX);
    return OK;
}

/* [work] */
static err list_run(void *arg) {
    struct tidy_job *j = arg;
    size_t n = 0;
    for (unsigned i = 0; i < 256; i++) {
        char sub[3];
        snprintf(sub, sizeof sub, "%02x", i);
        n += folder_count(j, sub, false, &j->ids, BATCH_MAX - n);
    }
    return buf_ok(&j->ids, "the list of loose objects");
}

/* [work] */
static err pack_sync_run(void *arg) {
    struct tidy_job *j = arg;
    char path[GIT_DIR_MAX + 32];
    snprintf(path, sizeof path, "%s/objects/pack", j->path);
    return git_dir_sync(path);
}

static may_suspend err run(struct tidy_job *j, const char *const *argv, struct str in) {
    struct arena a;
    const char *env[GIT_CHILD_ENV_MAX + 1] = {0};
    struct child_opts o;
    int code = 0;
    struct buf out cleanup(buf_release), errs cleanup(buf_release);
    buf_init(&out, 64 * KiB);
    buf_init(&errs, 64 * KiB);
    arena_init(&a, MiB);
    git_child_env(j->g, &a, env);
    git_child_opts(&o);
    o.argv = argv;
    o.env = env;
    o.cwd = j->path;
    err e = child_run(&o, in, &out, &errs, TIDY_RUN_MS, &code);
    if (e == OK && code != 0)
        e = err_fail(E_INTERNAL, "git %s failed with exit code %d: " STR_FMT, argv[1], code,
                     STR_ARG(str_sub(str_trim(buf_view(&errs)), 0, 300)));
    arena_release(&a);
    return e;
}

static may_suspend err loose_to_pack(struct tidy_job *j) {
    static const char *const pack[] = {"git", "pack-objects", "-q", "objects/pack/pack", NULL};
    static const char *const prune[] = {"git", "prune-packed", "-q", NULL};
    buf_init(&j->ids, (BATCH_MAX + 1) * (GIT_OID_HEX + 1));
    err e = work_run(list_run, j);
    if (e == OK) e = run(j, pack, buf_view(&j->ids));
    buf_release(&j->ids);
    TRY(e);
    TRY(work_run(pack_sync_run, j)); /* the files themselves: core.fsync of the child's configuration */
    return run(j, prune, STR_NULL);
}

static may_suspend err tidy_locked(struct tidy_job *j) {
    static const char *const merge[] = {"git", "repack", "--geometric=2", "-d", "-l", "-q", NULL};
    if (j->loose > LOOSE_MAX) {
        TRY(loose_to_pack(j));
        j->packs++;
    }
    return j->packs > PACKS_MAX ? run(j, merge, STR_NULL) : OK;
}

err git_tidy(struct git *g, int64_t repo_id, bool *did) {
    struct tidy_job j = {.g = g, .repo_id = repo_id};
    char path[GIT_DIR_MAX + 32];
    git_dir_path(g, repo_id, j.path, sizeof j.path);
    TRY(work_run(count_run, &j));
    *did = j.loose > LOOSE_MAX || j.packs > PACKS_MAX;
    if (!*did) return OK;
    int64_t began = clock_mono_ms();
    snprintf(path, sizeof path, "%s/tidy.lock", j.path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return err_errno(E_IO, errno, "cannot open %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) { /* somebody else is at it; the next change asks again */
        close(fd);
        *did = false;
        return OK;
    }
    err e = tidy_locked(&j);
    close(fd);
    TRY(e);
    log_info("git.tidied", LI("repo", repo_id), LI("loose_before", (int64_t)j.loose), LI("packs", (int64_t)j.packs),
             LI("ms", clock_mono_ms() - began));
    return OK;
}

/* --- the queue ----------------------------------------------------------------------------------------------- */

static bool queue_take(struct git *g, int64_t *repo_id) {
    pthread_mutex_lock(&g->mu);
    bool any = g->n_tidy > 0;
    if (any) *repo_id = g->tidy[--g->n_tidy];
    else g->tidying = false;
    pthread_mutex_unlock(&g->mu);
    return any;
}

/* The one background fiber: ends when the queue is empty. */
static void tidy_fiber(void *arg) {
    struct git *g = arg;
    int64_t repo_id;
    bool did;
    while (queue_take(g, &repo_id)) {
        err e = git_tidy(g, repo_id, &did);
        if (e != OK && e != E_CANCELLED) log_warn("git.tidy", LI("repo", repo_id), LZ("error", err_text_en()));
    }
}

void git_tidy_note(struct git *g, int64_t repo_id) {
    bool known = false, start = false;
    if (fiber_self() == NULL) return; /* the command line leaves it to the server */
    pthread_mutex_lock(&g->mu);
    for (unsigned i = 0; i < g->n_tidy; i++) known = known || g->tidy[i] == repo_id;
    if (!known && g->n_tidy < GIT_TIDY_QUEUE) {
        g->tidy[g->n_tidy++] = repo_id;
        start = !g->tidying;
        g->tidying = true;
    }
    pthread_mutex_unlock(&g->mu);
    if (!start || fiber_spawn(NULL, tidy_fiber, g) == OK) return;
    pthread_mutex_lock(&g->mu);
    g->tidying = false; /* no fiber to be had: the next change starts it */
    pthread_mutex_unlock(&g->mu);
}
