/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_log.c — one log per replica: DATA/log/<deployment>/<replica>.log, stdout and stderr of the engine.
 *
 * Bounded: above POOL_LOG_MAX the text moves to <replica>.log.1 (replacing the one before) and the file is cut; engines
 * write in append mode, so they go on at the new end.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "pool/pool_int.h"

#define START_MARK "--- ballast: start"

static err log_path(struct pool *p, struct arena *a, int64_t id, unsigned replica, const char **out) {
    char sub[48], name[32];
    snprintf(sub, sizeof sub, "log/%" PRId64, id);
    snprintf(name, sizeof name, "%u.log", replica);
    TRY(store_path(p->o.store, a, "log", "x", out)); /* makes the parent */
    return store_path(p->o.store, a, sub, name, out);
}

err engine_log_open(struct pool *p, int64_t id, unsigned replica, int *fd) {
    struct arena a;
    arena_init(&a, 64 * KiB);
    const char *path;
    *fd = -1;
    err e = log_path(p, &a, id, replica, &path);
    if (e == OK) {
        *fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (*fd < 0) e = err_errno(E_IO, errno, "cannot open the engine's log");
    }
    if (e == OK) {
        char now[CLOCK_ISO_LEN + 1];
        clock_iso(clock_wall_ms(), now);
        if (dprintf(*fd, START_MARK " %s\n", now) < 0) e = err_errno(E_IO, errno, "cannot write the engine's log");
    }
    if (e != OK && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    arena_release(&a);
    return e;
}

struct trim {
    const char *path;
};
static err trim_job(void *arg) {
    const char *path = ((struct trim *)arg)->path;
    char old[4300], b[64 * 1024];
    snprintf(old, sizeof old, "%s.1", path);
    int in = open(path, O_RDWR | O_CLOEXEC), out = open(old, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t n;
    err e = in >= 0 && out >= 0 ? OK : err_errno(E_IO, errno, "cannot cut the engine's log");
    while (e == OK && (n = read(in, b, sizeof b)) > 0)
        if (write(out, b, (size_t)n) != n) e = err_errno(E_IO, errno, "cannot cut the engine's log");
    if (e == OK && ftruncate(in, 0) != 0) e = err_errno(E_IO, errno, "cannot cut the engine's log");
    if (in >= 0) close(in);
    if (out >= 0) close(out);
    return e;
}

void engine_log_trim(struct pool *p, int64_t id, unsigned replica) {
    struct arena a;
    arena_init(&a, 64 * KiB);
    struct stat st;
    struct trim t;
    if (log_path(p, &a, id, replica, &t.path) == OK && stat(t.path, &st) == 0 && st.st_size > POOL_LOG_MAX)
        IGNORE_ERR(work_run(trim_job, &t)); /* tried again at the next look */
    arena_release(&a);
}

struct tail {
    const char *path;
    char *p;
    size_t max, n;
};
static err tail_job(void *arg) {
    struct tail *t = arg;
    int fd = open(t->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? OK : err_errno(E_IO, errno, "cannot read the engine's log");
    off_t end = lseek(fd, 0, SEEK_END), from = end > (off_t)t->max ? end - (off_t)t->max : 0;
    ssize_t n = end > 0 ? pread(fd, t->p, t->max, from) : 0;
    t->n = n > 0 ? (size_t)n : 0;
    close(fd);
    return OK;
}

/* The newest line with letters in it after the last start mark. */
static struct str last_line(struct str text) {
    struct str line, best = STR("");
    for (struct str rest = text; str_split(&rest, '\n', &line);) {
        line = str_trim(line);
        if (str_starts(line, START_MARK)) best = STR("");
        else if (line.n > 0) best = line;
    }
    return best;
}

void engine_last_words(struct pool *p, int64_t id, unsigned replica, char *out, size_t cap) {
    struct arena a;
    struct str text;
    arena_init(&a, 256 * KiB);
    out[0] = 0;
    if (pool_log_tail(p, &a, id, replica, 64 * KiB, &text) == OK) {
        struct str line = last_line(text);
        if (!str_is_utf8(line)) line = STR("");
        size_t n = 0;
        for (size_t i = 0; i < line.n && n + 1 < cap; i++) out[n++] = (unsigned char)line.p[i] < 0x20 ? ' ' : line.p[i];
        while (n > 0 && n < line.n && ((unsigned char)line.p[n] & 0xc0) == 0x80) n--; /* no half characters */
        out[n] = 0;
    }
    arena_release(&a);
}

err pool_log_tail(struct pool *p, struct arena *a, int64_t id, unsigned replica, size_t max, struct str *out) {
    struct tail t = {.max = MIN(MAX(max, (size_t)1), (size_t)POOL_LOG_TAIL_MAX)};
    *out = STR("");
    if (replica >= POOL_MAX_REPLICAS)
        return err_fail(E_BAD_REQUEST, "replica: expected a number from 0 to %d", POOL_MAX_REPLICAS - 1);
    TRY(log_path(p, a, id, replica, &t.path));
    t.p = arena_alloc(a, t.max);
    TRY(work_run(tail_job, &t));
    *out = (struct str){t.p, t.n};
    /* Begin with a whole line. */
    ptrdiff_t nl = t.n == t.max ? str_chr(*out, '\n') : -1;
    if (nl >= 0) *out = str_from(*out, (size_t)nl + 1);
    return OK;
}
