/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sweep.c — what killed processes leave: at server start, before traffic.
 *
 * Between repositories: <id>.git.new and <id>.git.gone (create.c), older than SWEEP_AGE_S, since a command line run may
 * be making one right now. Inside a repository, under its lock: NAME.lock of references (a leftover would refuse every
 * later change of that branch), quarantine folders of pushes, half-written packs.
 */
#include "git/git_internal.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { SWEEP_AGE_S = 600, SWEEP_DEPTH_MAX = 32 };

static void remove_logged(const char *path) {
    git_tree_remove(path);
    log_info("git.swept", LZ("path", path));
}

static bool wanted(const char *name, const char *prefix, const char *suffix) {
    struct str s = str_of(name);
    return str_starts(s, prefix) && str_ends(s, suffix) && s.n > strlen(prefix) + strlen(suffix);
}

/* Remove entries of dir whose names fit; with depth also in folders below. */
static void sweep_dir(const char *dir, const char *prefix, const char *suffix, unsigned depth) {
    DIR *d = opendir(dir);
    if (d == NULL) return;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[GIT_DIR_MAX + 300];
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (snprintf(path, sizeof path, "%s/%s", dir, e->d_name) >= (int)sizeof path) continue;
        if (wanted(e->d_name, prefix, suffix)) remove_logged(path);
        else if (depth > 0 && lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) sweep_dir(path, prefix, suffix, depth - 1);
    }
    closedir(d);
}

void git_sweep(struct git *g) {
    for (unsigned i = 0; i < 256; i++) {
        char dir[GIT_DIR_MAX];
        snprintf(dir, sizeof dir, "%s/%02x", g->root, i);
        DIR *d = opendir(dir);
        if (d == NULL) continue;
        for (struct dirent *e; (e = readdir(d)) != NULL;) {
            if (strstr(e->d_name, ".git.") == NULL) continue;
            char path[GIT_DIR_MAX + 300];
            struct stat st;
            snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
            if (stat(path, &st) == 0 && time(NULL) - st.st_mtime >= SWEEP_AGE_S) remove_logged(path);
        }
        closedir(d);
    }
}

struct sweep_job {
    struct git *g;
    int64_t repo_id;
};

static err sweep_run(void *arg) {
    struct sweep_job *j = arg;
    char dir[GIT_DIR_MAX], sub[GIT_DIR_MAX + 32];
    git_dir_path(j->g, j->repo_id, dir, sizeof dir);
    snprintf(sub, sizeof sub, "%s/refs", dir);
    sweep_dir(sub, "", ".lock", SWEEP_DEPTH_MAX);
    snprintf(sub, sizeof sub, "%s/packed-refs.lock", dir);
    if (access(sub, F_OK) == 0) remove_logged(sub);
    snprintf(sub, sizeof sub, "%s/HEAD.lock", dir);
    if (access(sub, F_OK) == 0) remove_logged(sub);
    snprintf(sub, sizeof sub, "%s/objects", dir);
    sweep_dir(sub, "tmp_objdir-", "", 0);
    sweep_dir(sub, "incoming-", "", 0);
    snprintf(sub, sizeof sub, "%s/objects/pack", dir);
    sweep_dir(sub, "tmp_", "", 0);
    sweep_dir(sub, ".tmp-", "", 0); /* git repack's */
    return OK;
}

err git_sweep_repo(struct git *g, int64_t repo_id) {
    struct sweep_job j = {g, repo_id};
    return work_run(sweep_run, &j);
}
