/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sweep.c — no engine outlives its server.
 *
 * Engines die with the server by PR_SET_PDEATHSIG. What that cannot reach (helpers an engine forked itself, an engine
 * that gave up its death signal) is ended at the next start, found two ways: recorded process ids whose start time is
 * still the recorded one, and every process of ours whose environment carries the mark BALLAST_POOL=<data directory>.
 * A process id alone proves nothing; it may have been given to somebody else since.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "pool/pool_int.h"

enum { ENV_MAX = 256 * 1024 };

static ssize_t read_proc(pid_t pid, const char *what, char *out, size_t cap) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    size_t n = 0;
    ssize_t r;
    while (n < cap - 1 && (r = read(fd, out + n, cap - 1 - n)) > 0) n += (size_t)r;
    close(fd);
    out[n] = 0;
    return (ssize_t)n;
}

/* Field k (from 3) of stat, counted behind the name in parentheses, which may hold anything. */
static int64_t stat_field(pid_t pid, unsigned k) {
    char b[1024];
    ssize_t n = read_proc(pid, "stat", b, sizeof b);
    if (n <= 0) return -1;
    struct str rest = str_make(b, (size_t)n), word;
    ptrdiff_t at = str_rchr(rest, ')');
    if (at < 0) return -1;
    rest = str_from(rest, (size_t)at + 2);
    uint64_t v = 0;
    for (unsigned i = 3; str_split(&rest, ' ', &word); i++)
        if (i == k) return str_to_u64(word, &v) ? (int64_t)v : -1;
    return -1;
}

int64_t proc_start_ticks(pid_t pid) {
    return stat_field(pid, 22);
}
int64_t proc_memory_bytes(pid_t pid) {
    int64_t pages = stat_field(pid, 24);
    return pages > 0 ? pages * sysconf(_SC_PAGESIZE) : 0;
}

static bool has_mark(pid_t pid, const char *mark, char *b) {
    ssize_t n = read_proc(pid, "environ", b, ENV_MAX);
    if (n <= 0) return false;
    struct str rest = str_make(b, (size_t)n), var;
    while (str_split(&rest, 0, &var))
        if (str_eqz(var, mark)) return true;
    return false;
}

static void end(pid_t pid, const char *how) {
    log_warn("pool.orphan_ended", LI("pid", pid), LZ("found_by", how));
    kill(-pid, SIGKILL); /* its group, when it leads one */
    kill(pid, SIGKILL);
}

static void sweep_recorded(struct pool *p, struct arena *a) {
    struct db_proc *v;
    size_t n = 0;
    if (pool_db_procs(p, a, &v, &n) != OK) log_warn("pool.sweep", LZ("error", err_text()));
    for (size_t i = 0; i < n; i++) {
        if (v[i].pid > 1 && proc_start_ticks(v[i].pid) == v[i].start_ticks) end(v[i].pid, "record");
        if (pool_db_proc_del(p, v[i].pid) != OK) log_warn("pool.sweep", LZ("error", err_text()));
    }
}

void sweep_orphans(struct pool *p) {
    struct arena a;
    arena_init(&a, MiB);
    sweep_recorded(p, &a);
    char *env = arena_alloc(&a, ENV_MAX);
    DIR *d = opendir("/proc");
    struct dirent *e;
    while (d != NULL && (e = readdir(d)) != NULL) {
        uint64_t pid;
        if (!str_to_u64(str_of(e->d_name), &pid) || pid <= 1 || (pid_t)pid == getpid()) continue;
        if (has_mark((pid_t)pid, p->env_mark, env)) end((pid_t)pid, "mark");
    }
    if (d != NULL) closedir(d);
    arena_release(&a);
}
