/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gc.c — frees what nothing names.
 *
 * An orphan is something no repository needs; its clock starts when a gc run first sees it so. Default
 * age 28 days: clients remember dedup answers for 21 and have no way to recover from a xorb that went
 * away. The order of steps is explained in xet_care_db.c. Files in DATA/xorb without a row (a crash
 * between rename and transaction) are removed when their last write is a day old.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "xet/xet_db.h"
#include "xet/xorb_file.h"

enum { STRAY_AGE_S = 24 * 3600 };

static err mark_tx(struct db *d, void *arg) { return xet_db_gc_mark(d, arg); }

struct unlink_arg {
    struct xet *x;
    struct xet_hash hash;
};
static err unlink_xorb(void *arg) {
    struct unlink_arg *u = arg;
    char path[XORB_PATH_MAX];
    xorb_path(u->x, &u->hash, path);
    if (unlink(path) == 0 || errno == ENOENT) return OK;
    return err_errno(E_IO, errno, "cannot remove %s; its record stays marked and the next gc tries again", path);
}

static err forget_tx(struct db *d, void *arg) { return xet_db_gc_forget(d, *(const int64_t *)arg); }

static err doomed_remove(struct xet *x) {
    enum { BATCH = 64 };
    struct scope_ids rows[BATCH];
    int64_t after = 0;
    for (;;) {
        size_t n;
        TRY(xet_db_gc_doomed(db_reader(x->store), after, rows, BATCH, &n));
        if (n == 0) return OK;
        for (size_t i = 0; i < n; i++) {
            struct unlink_arg u = {x, rows[i].hash};
            TRY(work_run(unlink_xorb, &u));
            TRY(db_write(x->store, forget_tx, &rows[i].id));
        }
        after = rows[n - 1].id;
    }
}

struct stray_arg {
    struct xet *x;
    unsigned dir;
    bool dry_run;
    uint64_t freed;
};

static err stray_one(struct stray_arg *s, int dir_fd, const char *name, time_t now) {
    struct xet_hash h;
    struct stat st;
    bool known;
    if (!xet_hash_parse(str_of(name), &h) || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) return OK;
    if (now - st.st_mtime < STRAY_AGE_S) return OK;
    TRY(xet_db_xorb_known(db_reader(s->x->store), &h, &known));
    if (known) return OK;
    s->freed += (uint64_t)st.st_size;
    if (!s->dry_run && unlinkat(dir_fd, name, 0) != 0 && errno != ENOENT) return err_errno(E_IO, errno, "cannot remove the stray file %s", name);
    return OK;
}

/* [work] One of the 256 directories. */
static err strays_remove(void *arg) {
    struct stray_arg *s = arg;
    char path[XORB_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%02x", s->x->dir_xorb, s->dir);
    BUG_ON(n < 0 || n >= (int)sizeof path);
    DIR *dir = opendir(path);
    if (dir == NULL) return err_errno(E_IO, errno, "cannot list %s", path);
    time_t now = (time_t)(clock_wall_ms() / 1000);
    err e = OK;
    for (struct dirent *d; e == OK && (d = readdir(dir)) != NULL;)
        if (d->d_name[0] != '.') e = stray_one(s, dirfd(dir), d->d_name, now);
    closedir(dir);
    return e;
}

err xet_gc(struct xet *x, int64_t min_age_ms, bool dry_run, uint64_t *freed_bytes) {
    struct gc_tx g = {.now_ms = clock_wall_ms(), .min_age_ms = min_age_ms, .dry_run = dry_run};
    TRY(db_write(x->store, mark_tx, &g));
    *freed_bytes = g.freed_bytes;
    if (!dry_run) TRY(doomed_remove(x));
    struct stray_arg s = {.x = x, .dry_run = dry_run};
    for (s.dir = 0; s.dir < 256; s.dir++) TRY(work_run(strays_remove, &s));
    *freed_bytes += s.freed;
    log_info("xet.gc", LI("files", g.n_files), LI("xorbs", g.n_xorbs), LI("freed_bytes", *freed_bytes), LI("dry_run", dry_run));
    return OK;
}
