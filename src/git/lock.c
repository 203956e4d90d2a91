/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.c — one holder per repository: a fiber mutex inside the process, flock(2) on REPO/ballast.lock between the
 * server, the command line and whoever else runs Ballast on the same data directory.
 *
 * Taken on the caller's fiber or thread, never inside a work job: a waiting job would occupy a work thread that the
 * holder needs. The kernel drops the flock of a killed process, so nothing is ever left locked.
 */
#include "git/git_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reserve.h"

enum { LOCK_WAIT_MS = 60000 };

struct git_lock {
    struct git *g;
    struct git_lock_node *node;
    int fd;
};

static struct git_lock_node *node_get(struct git *g, int64_t repo_id) {
    pthread_mutex_lock(&g->mu);
    struct git_lock_node *n = g->locks;
    while (n != NULL && n->repo_id != repo_id) n = n->next;
    if (n == NULL) {
        n = reserve_calloc(sizeof *n);
        BUG_ON(n == NULL);
        *n = (struct git_lock_node){.next = g->locks, .repo_id = repo_id, .mu = fmutex_new()};
        g->locks = n;
    }
    n->users++;
    pthread_mutex_unlock(&g->mu);
    return n;
}

static void node_put(struct git *g, struct git_lock_node *n) {
    pthread_mutex_lock(&g->mu);
    bool last = --n->users == 0;
    if (last) {
        struct git_lock_node **at = &g->locks;
        while (*at != n) at = &(*at)->next;
        *at = n->next;
    }
    pthread_mutex_unlock(&g->mu);
    if (!last) return;
    fmutex_free(n->mu);
    reserve_free(n);
}

static may_suspend err file_lock(struct git *g, int64_t repo_id, int *fd) {
    char path[GIT_DIR_MAX];
    git_dir_path(g, repo_id, path, sizeof path);
    size_t n = strlen(path);
    snprintf(path + n, sizeof path - n, "/ballast.lock");
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return err_fail(E_REPO_NOT_FOUND, "the repository's git folder does not exist");
    if (*fd < 0) return err_errno(E_IO, errno, "cannot lock the repository");
    int64_t until = clock_mono_ms() + LOCK_WAIT_MS;
    for (int64_t pause = 1;; pause = MIN(pause * 2, 50)) {
        if (flock(*fd, LOCK_EX | LOCK_NB) == 0) return OK;
        err e = OK;
        if (errno != EWOULDBLOCK && errno != EINTR) e = err_errno(E_IO, errno, "cannot lock the repository");
        else if (clock_mono_ms() > until)
            e = err_fail(E_UNAVAILABLE, "the repository is busy with another change; nothing was changed, try again");
        else e = fiber_sleep(pause);
        if (e != OK) {
            close(*fd);
            *fd = -1;
            return e;
        }
    }
}

err git_lock(struct git *g, int64_t repo_id, struct git_lock **out) {
    *out = NULL;
    struct git_lock_node *n = node_get(g, repo_id);
    fmutex_lock(n->mu);
    int fd = -1;
    err e = file_lock(g, repo_id, &fd);
    if (e != OK) {
        fmutex_unlock(n->mu);
        node_put(g, n);
        return e;
    }
    struct git_lock *l = calloc(1, sizeof *l);
    BUG_ON(l == NULL);
    *l = (struct git_lock){g, n, fd};
    *out = l;
    return OK;
}

void git_unlock(struct git_lock *l) {
    if (l == NULL) return;
    close(l->fd);
    fmutex_unlock(l->node->mu);
    node_put(l->g, l->node);
    free(l);
}

err git_locked(struct git *g, int64_t repo_id, git_repo_fn fn, void *arg) {
    struct git_lock *l = NULL;
    TRY(git_lock(g, repo_id, &l));
    err e = git_with_repo(g, repo_id, fn, arg);
    git_unlock(l);
    return e;
}
