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
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "xet/xet_db.h"
#include "xet/xorb_file.h"

enum { STRAY_AGE_S = 24 * 3600 };

static err mark_tx(struct db *d, void *arg) {
    return xet_db_gc_mark(d, arg);
}

/*
 * A file leaves its place inside a write transaction, by rename to DATA/tmp. Uploads record a xorb in such a
 * transaction too, and only if its file stands there: so an upload that comes between either keeps its file or is
 * told to try again, also when two gcs run. What a failed commit leaves is a doomed row without a file: harmless.
 */
struct removal {
    struct xet *x;
    int64_t id; /* 0: a stray, without a row */
    struct xet_hash hash;
    uint64_t tmp_id;
    bool moved;
};

static err move_away(struct removal *m) {
    char from[XORB_PATH_MAX], to[XORB_PATH_MAX];
    xorb_path(m->x, &m->hash, from);
    m->tmp_id = rnd_u64();
    xorb_tmp_path(m->x, m->tmp_id, to);
    m->moved = rename(from, to) == 0;
    if (m->moved || errno == ENOENT) return OK;
    return err_errno(E_IO, errno, "cannot remove %s; its record stays marked and the next gc tries again", from);
}

static err doomed_tx(struct db *d, void *arg) {
    struct removal *m = arg;
    bool doomed;
    TRY(xet_db_gc_is_doomed(d, m->id, &doomed));
    if (!doomed) return OK; /* another gc was faster */
    TRY(move_away(m));
    return xet_db_gc_forget(d, m->id);
}

/* [work] */
static err moved_unlink(void *arg) {
    struct removal *m = arg;
    xorb_tmp_remove(m->x, m->tmp_id);
    return OK;
}

static err doomed_remove(struct xet *x) {
    enum { BATCH = 64 };
    struct scope_ids rows[BATCH];
    int64_t after = 0;
    for (;;) {
        size_t n;
        TRY(xet_db_gc_doomed(db_reader(x->store), after, rows, BATCH, &n));
        if (n == 0) return OK;
        for (size_t i = 0; i < n; i++) {
            struct removal m = {.x = x, .id = rows[i].id, .hash = rows[i].hash};
            TRY(db_write(x->store, doomed_tx, &m));
            if (m.moved) TRY(work_run(moved_unlink, &m));
        }
        after = rows[n - 1].id;
    }
}

/* Is this a xorb file old enough to be nobody's upload in progress, and without a row? */
static err is_stray(struct xet *x, struct db *d, const struct xet_hash *h, uint64_t *size, bool *yes) {
    struct stat st;
    bool known;
    char path[XORB_PATH_MAX];
    xorb_path(x, h, path);
    *yes = false;
    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || clock_wall_ms() / 1000 - st.st_mtime < STRAY_AGE_S) return OK;
    TRY(xet_db_xorb_known(d, h, &known));
    *yes = !known;
    *size = (uint64_t)st.st_size;
    return OK;
}

static err stray_tx(struct db *d, void *arg) {
    struct removal *m = arg;
    uint64_t size;
    bool yes;
    TRY(is_stray(m->x, d, &m->hash, &size, &yes));
    return yes ? move_away(m) : OK;
}

struct stray_list { /* strays of one directory; what does not fit waits for the next gc */
    struct xet *x;
    unsigned dir, n;
    struct xet_hash hash[256];
    uint64_t size[256];
};

/* [work] One of the 256 directories. */
static err strays_find(void *arg) {
    struct stray_list *s = arg;
    char path[XORB_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%02x", s->x->dir_xorb, s->dir);
    BUG_ON(n < 0 || n >= (int)sizeof path);
    DIR *dir = opendir(path);
    if (dir == NULL) return err_errno(E_IO, errno, "cannot list %s", path);
    err e = OK;
    s->n = 0;
    for (struct dirent *d; e == OK && s->n < ARRAY_LEN(s->hash) && (d = readdir(dir)) != NULL;) {
        bool yes = false;
        if (xet_hash_parse(str_of(d->d_name), &s->hash[s->n]))
            e = is_stray(s->x, db_reader(s->x->store), &s->hash[s->n], &s->size[s->n], &yes);
        if (yes) s->n++;
    }
    closedir(dir);
    return e;
}

static err strays_remove(struct xet *x, bool dry_run, uint64_t *freed) {
    struct stray_list *s = malloc(sizeof *s);
    if (s == NULL) return err_fail(E_NOMEM, "not enough memory for gc");
    s->x = x;
    err e = OK;
    for (s->dir = 0; e == OK && s->dir < 256; s->dir++) {
        e = work_run(strays_find, s);
        for (unsigned i = 0; e == OK && i < s->n; i++) {
            struct removal m = {.x = x, .hash = s->hash[i]};
            *freed += s->size[i];
            if (!dry_run) e = db_write(x->store, stray_tx, &m);
            if (e == OK && m.moved) e = work_run(moved_unlink, &m);
        }
    }
    free(s);
    return e;
}

err xet_gc(struct xet *x, int64_t min_age_ms, bool dry_run, uint64_t *freed_bytes) {
    struct gc_tx g = {.now_ms = clock_wall_ms(), .min_age_ms = min_age_ms, .dry_run = dry_run};
    TRY(db_write(x->store, mark_tx, &g));
    *freed_bytes = g.freed_bytes;
    if (!dry_run) TRY(doomed_remove(x));
    uint64_t stray_bytes = 0;
    TRY(strays_remove(x, dry_run, &stray_bytes));
    *freed_bytes += stray_bytes;
    log_info("xet.gc", LI("files", g.n_files), LI("xorbs", g.n_xorbs), LI("freed_bytes", *freed_bytes),
             LI("dry_run", dry_run));
    return OK;
}
