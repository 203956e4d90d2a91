/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c — the examining child and its parent's side.
 *
 * The child gets one open file and one pipe. Whatever happens to it — crash, limit, a call the filter
 * kills, silence — the parent sees a record that is missing or not valid, and says "not examined".
 * On fibers the child is this binary started again (`ballast review-worker NAME`, file on fd 3, facts
 * on stdout); the command line, a single thread, forks.
 */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "review.h"
#include "rt/child.h"
#include "sandbox.h"
#include "scan.h"

static bool write_all(int fd, const char *p, size_t n) {
    while (n) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

void worker_child(int fd, struct str name, int out_fd) {
    struct stat st;
    static struct facts f; /* one file per process: static keeps 90 KiB off the stack */
    struct scan s;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) _exit(3);
    void *map = NULL;
    if (st.st_size > 0) {
        map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED) _exit(4);
        madvise(map, (size_t)st.st_size, MADV_SEQUENTIAL);
    }
    if (!sandbox_enter(out_fd, (uint64_t)st.st_size)) _exit(5);
    facts_init(&f);
    scan_init(&s, &f, (uint64_t)st.st_size);
    scan_bytes(&s, (struct span){map, (size_t)st.st_size}, name);
    struct buf b;
    buf_init(&b, WORKER_ANSWER_MAX);
    facts_json(&f, &b);
    if (buf_ok(&b, "facts") != OK || !write_all(out_fd, b.p, b.n)) _exit(6);
    _exit(0);
}

int review_worker_main(int argc, char **argv) {
    worker_child(3, argc > 1 ? str_of(argv[1]) : STR_NULL, 1);
}

int64_t worker_patience_ms(uint64_t bytes) {
    return 6000 + (int64_t)(bytes / (60 * KiB));
}

static err answer(struct arena *a, int code, struct str json, struct facts *out) {
    if (code != 0)
        return err_fail(E_INTERNAL, "the examining process ended with code %d; the file counts as not examined", code);
    return facts_from_json(a, json, out);
}

/* Read until the end or the deadline. */
static err collect(int fd, int64_t patience_ms, struct buf *b) {
    int64_t until = clock_mono_ms() + patience_ms;
    for (;;) {
        int64_t left = until - clock_mono_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int r = poll(&p, 1, (int)MAX(left, (int64_t)0));
        if (r < 0 && errno == EINTR) continue;
        if (r <= 0) return err_fail(E_TIMEOUT, "the examination took too long; the file counts as not examined");
        char *room = buf_room(b, 64 * KiB);
        if (!room) return err_fail(E_LIMIT, "the examining process said too much; the file counts as not examined");
        ssize_t n = read(fd, room, 64 * KiB);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return OK;
        buf_used(b, (size_t)n);
    }
}

/*
 * The child keeps the file and the pipe only, under low numbers: of a deep folder the walk holds a descriptor a level,
 * and the sandbox allows sixteen.
 */
static noreturn_fn void child_of_fork(int fd, struct str name, int out_fd) {
    enum { FILE_FD = 3, OUT_FD = 4 };
    int file = fcntl(fd, F_DUPFD, OUT_FD + 1), out = fcntl(out_fd, F_DUPFD, OUT_FD + 1);
    if (file < 0 || out < 0 || dup2(file, FILE_FD) < 0 || dup2(out, OUT_FD) < 0) _exit(8);
    if (close_range(OUT_FD + 1, ~0u, 0) != 0) _exit(8);
    worker_child(FILE_FD, name, OUT_FD);
}

static err by_fork(struct arena *a, int fd, uint64_t bytes, struct str name, struct facts *out) {
    int p[2];
    if (pipe2(p, O_CLOEXEC) != 0) return err_errno(E_IO, errno, "no pipe for the examining process");
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(7);
        child_of_fork(fd, name, p[1]);
    }
    close(p[1]);
    if (pid < 0) {
        close(p[0]);
        return err_errno(E_IO, errno, "the examining process could not be started");
    }
    struct buf b cleanup(buf_release);
    buf_init(&b, WORKER_ANSWER_MAX + 64 * KiB);
    err e = collect(p[0], worker_patience_ms(bytes), &b);
    close(p[0]);
    if (e != OK) kill(pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    TRY(e);
    return answer(a, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), arena_str(a, buf_view(&b)), out);
}

static err by_spawn(struct arena *a, int fd, uint64_t bytes, struct str name, struct facts *out) {
    char base[200];
    snprintf(base, sizeof base, STR_FMT, (int)MIN(name.n, sizeof base - 1), name.p);
    const char *const argv[] = {"/proc/self/exe", "review-worker", base, NULL};
    struct child_opts o;
    child_opts_init(&o);
    o.argv = argv;
    o.pipe_out = true;
    o.extra_fd = fd;
    struct buf b cleanup(buf_release);
    buf_init(&b, WORKER_ANSWER_MAX);
    int code = 255;
    TRY(child_run(&o, STR_NULL, &b, NULL, worker_patience_ms(bytes), &code));
    return answer(a, code, arena_str(a, buf_view(&b)), out);
}

err worker_examine(struct arena *a, int fd, uint64_t bytes, struct str name, struct facts *out) {
    ptrdiff_t slash = str_rchr(name, '/');
    if (slash >= 0) name = str_from(name, (size_t)slash + 1);
    return fiber_self() ? by_spawn(a, fd, bytes, name, out) : by_fork(a, fd, bytes, name, out);
}
