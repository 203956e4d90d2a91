/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.c — child processes: pipes, waiting, ending. (The fork itself: spawn.c.)
 *
 * A child leads its own process group. Its end is seen through a pidfd, so no SIGCHLD handler and
 * no race over a reused pid: while we have not reaped it, pid and group id stay taken. Before it is
 * reaped the rest of its group is killed: helpers never outlive their leader.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/child_int.h"
#include "rt/rt_int.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
enum { MIN_FD = 10, KILL_WAIT_MS = 5000, PUMP_BYTES = 8192, MAX_PATH = 4096 };

struct child_rec {
    int pidfd;
    struct sock *exit; /* the pidfd as something to wait for; opened at the first wait */
    bool reaped;
    int exit_code;
};

void child_opts_init(struct child_opts *o) {
    *o = (struct child_opts){.log_fd = -1, .in_fd = -1, .extra_fd = -1};
}

/* --- starting ----------------------------------------------------------------------------------------------- */
static err find_program(const char *name, char out[MAX_PATH]) {
    if (strchr(name, '/') != NULL) {
        if (snprintf(out, MAX_PATH, "%s", name) >= MAX_PATH)
            return err_fail(E_BAD_REQUEST, "the path of a program is too long");
        return OK;
    }
    const char *path = getenv("PATH");
    struct str rest = str_of(path != NULL && *path != 0 ? path : "/usr/local/bin:/usr/bin:/bin"), dir;
    while (str_split(&rest, ':', &dir)) {
        if (dir.n == 0) continue; /* never the current directory */
        if (snprintf(out, MAX_PATH, STR_FMT "/%s", STR_ARG(dir), name) < MAX_PATH && access(out, X_OK) == 0) return OK;
    }
    return err_fail(E_NOT_FOUND, "the program '%s' was not found in PATH", name);
}

struct min_env {
    char text[4][1024];
    const char *list[5];
};
static const char *const *minimal_env(struct min_env *e) {
    static const char *const names[] = {"PATH", "HOME", "TZ"};
    static const char *const defaults[] = {"/usr/local/bin:/usr/bin:/bin", "/", "UTC"};
    unsigned n = 0;
    for (unsigned i = 0; i < 3; i++) {
        const char *v = getenv(names[i]);
        if (v == NULL || strlen(v) > 1000) v = defaults[i];
        snprintf(e->text[i], sizeof e->text[i], "%s=%s", names[i], v);
        e->list[n++] = e->text[i];
    }
    e->list[n++] = "LANG=C.UTF-8";
    e->list[n] = NULL;
    return e->list;
}

/* A close-on-exec duplicate out of the way of 0..3, in the order dup2 needs them. */
static int high_dup(int fd) {
    return fcntl(fd, F_DUPFD_CLOEXEC, MIN_FD);
}

struct stdio {
    int theirs[4], ours[3];
};
static void stdio_close(struct stdio *io) {
    for (int i = 0; i < 4; i++)
        if (io->theirs[i] >= 0) close(io->theirs[i]);
    for (int i = 0; i < 3; i++)
        if (io->ours[i] >= 0) close(io->ours[i]);
}

static err stdio_open(const struct child_opts *o, struct stdio *io) {
    const bool piped[3] = {o->pipe_in, o->pipe_out, o->pipe_err};
    for (int i = 0; i < 4; i++) io->theirs[i] = -1;
    for (int i = 0; i < 3; i++) io->ours[i] = -1;
    for (int i = 0; i < 3; i++) {
        int p[2];
        if (piped[i]) {
            if (pipe2(p, O_CLOEXEC) != 0) return err_errno(E_IO, errno, "cannot make a pipe");
            io->ours[i] = p[i == 0 ? 1 : 0];
            io->theirs[i] = high_dup(p[i == 0 ? 0 : 1]);
            close(p[i == 0 ? 0 : 1]);
        } else if (i == 0 && o->in_fd >= 0) {
            io->theirs[0] = high_dup(o->in_fd);
        } else if (i == 0 || fcntl(i, F_GETFD) < 0) {
            int null = open("/dev/null", O_RDWR | O_CLOEXEC);
            io->theirs[i] = null >= 0 ? high_dup(null) : -1;
            if (null >= 0) close(null);
        } else {
            io->theirs[i] = high_dup(o->log_fd >= 0 ? o->log_fd : i);
        }
        if (io->theirs[i] < 0) return err_errno(E_IO, errno, "cannot prepare the streams of a child process");
    }
    if (o->extra_fd >= 0 && (io->theirs[3] = high_dup(o->extra_fd)) < 0)
        return err_errno(E_IO, errno, "cannot prepare the streams of a child process");
    return OK;
}

/* Hands our pipe ends over to socks. */
static err wrap_ends(struct stdio *io, struct child *c) {
    struct sock **ends[3] = {&c->in, &c->out, &c->errs};
    for (int i = 0; i < 3; i++) {
        if (io->ours[i] < 0) continue;
        TRY(sock_open_fd(io->ours[i], ends[i]));
        io->ours[i] = -1;
    }
    return OK;
}

static err spawn_error(const struct spawn_job *j) {
    err kind = j->errnum == ENOENT ? E_NOT_FOUND : E_IO;
    const char *name = j->opts->argv[0];
    switch (j->stage) {
    case SPAWN_SETUP: return err_errno(kind, j->errnum, "cannot prepare to start the program '%s'", name);
    case SPAWN_LIMIT: return err_errno(kind, j->errnum, "cannot set the limits of the program '%s'", name);
    case SPAWN_CWD: return err_errno(kind, j->errnum, "cannot enter the working directory of the program '%s'", name);
    case SPAWN_EXEC: return err_errno(kind, j->errnum, "cannot start the program '%s'", name);
    }
    return E_INTERNAL;
}

err child_spawn(const struct child_opts *o, struct child *c) {
    *c = (struct child){.pid = -1};
    char path[MAX_PATH];
    TRY(find_program(o->argv[0], path));
    struct min_env me;
    struct stdio io;
    struct spawn_job j = {.opts = o, .path = path, .env = o->env != NULL ? o->env : minimal_env(&me)};
    struct child_rec *rec = calloc(1, sizeof *rec);
    if (rec == NULL) return err_fail(E_NOMEM, "no memory to start a child process");
    err e = stdio_open(o, &io);
    if (e == OK) {
        memcpy(j.fds, io.theirs, sizeof j.fds);
        spawn_submit(&j);
        if (j.errnum != 0) e = spawn_error(&j);
    }
    if (e != OK) {
        stdio_close(&io);
        free(rec);
        return e;
    }
    rec->pidfd = j.pidfd;
    c->pid = j.pid;
    c->rec = rec;
    e = wrap_ends(&io, c);
    stdio_close(&io);
    if (e != OK) child_release(c);
    return e;
}

/* --- waiting --------------------------------------------------------------------------------------------------- */
/* Reaps when it has exited. */
static bool reap(struct child *c) {
    struct child_rec *r = c->rec;
    siginfo_t si = {0};
    if (r->reaped) return true;
    int rc = waitid((idtype_t)P_PIDFD, (id_t)r->pidfd, &si, WEXITED | WNOHANG | WNOWAIT);
    if (rc != 0 && errno != EINTR) { /* somebody else reaped it: a bug, but not one to hang on */
        r->reaped = true;
        r->exit_code = 255;
        return true;
    }
    if (rc != 0 || si.si_pid == 0) return false;
    kill(-c->pid, SIGKILL);
    while (waitid((idtype_t)P_PIDFD, (id_t)r->pidfd, &si, WEXITED) != 0 && errno == EINTR) {}
    r->reaped = true;
    r->exit_code = si.si_code == CLD_EXITED ? si.si_status & 255 : 128 + si.si_status;
    return true;
}

static err exit_sock(struct child *c, struct sock **out) {
    struct child_rec *r = c->rec;
    if (r->exit == NULL) {
        int fd = fcntl(r->pidfd, F_DUPFD_CLOEXEC, MIN_FD);
        if (fd < 0) return err_errno(E_IO, errno, "cannot watch a child process");
        err e = sock_open_fd(fd, &r->exit);
        if (e != OK) {
            close(fd);
            return e;
        }
    }
    *out = r->exit;
    return OK;
}

err child_wait(struct child *c, int64_t timeout_ms, int *exit_code) {
    int64_t by = rt_deadline(timeout_ms);
    struct sock *s;
    while (!reap(c)) {
        TRY(exit_sock(c, &s));
        s->rd = false;
        /* It may have ended between the look and the line above: epoll tells edges, so look again. */
        if (reap(c)) break;
        err e = sock_wait(s, false, by);
        if (e == E_TIMEOUT) return err_fail(E_TIMEOUT, "the child process %d is still running", (int)c->pid);
        TRY(e);
    }
    if (exit_code != NULL) *exit_code = c->rec->exit_code;
    return OK;
}

void child_kill(struct child *c, int sig) {
    if (c->rec != NULL && !c->rec->reaped) kill(-c->pid, sig);
}

static err wait_killed(void *arg) {
    struct child *c = arg;
    struct pollfd p = {.fd = c->rec->pidfd, .events = POLLIN};
    int64_t by = clock_mono_ms() + KILL_WAIT_MS;
    while (!reap(c) && clock_mono_ms() < by) poll(&p, 1, 200);
    return c->rec->reaped
               ? OK
               : err_fail(E_TIMEOUT, "the child process %d does not end although it was killed", (int)c->pid);
}

void child_release(struct child *c) {
    if (c->rec == NULL) return;
    sock_close(c->in);
    sock_close(c->out);
    sock_close(c->errs);
    c->in = c->out = c->errs = NULL;
    if (!reap(c)) {
        kill(-c->pid, SIGKILL);
        /* In the work pool, since this must also work while the loop stops; a process stuck in the
         * kernel is left to init when we end. */
        IGNORE_ERR(work_run(wait_killed, c));
    }
    sock_close(c->rec->exit);
    close(c->rec->pidfd);
    free(c->rec);
    c->rec = NULL;
}

/* --- short commands ------------------------------------------------------------------------------------------------
 */
static void pump_in(struct child *c, struct str *in) {
    while (c->in != NULL && c->in->wr) {
        size_t n = 0;
        err e = in->n > 0 ? sock_try_write(c->in, in->p, in->n, &n) : E_EOF;
        if (e == E_UNAVAILABLE) return;
        *in = str_from(*in, n);
        if (e == OK && in->n > 0) continue;
        sock_close(c->in); /* all sent, or it does not want it */
        c->in = NULL;
    }
}

static err pump_out(struct sock **s, struct buf *out, const char *what) {
    char b[PUMP_BYTES];
    while (*s != NULL && (*s)->rd) {
        size_t n;
        err e = sock_try_read(*s, b, sizeof b, &n);
        if (e == E_UNAVAILABLE) return OK;
        if (e != OK) {
            sock_close(*s);
            *s = NULL;
            return e == E_EOF ? OK : e;
        }
        buf_add(out, b, n);
        TRY(buf_ok(out, what));
    }
    return OK;
}

static err pump(struct child *c, struct str in, struct buf *out, struct buf *errs, int64_t by) {
    struct sock *ended;
    TRY(exit_sock(c, &ended));
    for (;;) {
        bool gone = reap(c); /* before the reads below, so that they see all it wrote */
        if (!gone) ended->rd = false, gone = reap(c);
        if (gone) { /* the edge of its last words may not have been seen yet */
            if (c->out != NULL) c->out->rd = true;
            if (c->errs != NULL) c->errs->rd = true;
        }
        pump_in(c, &in);
        TRY(pump_out(&c->out, out, "the output of a command"));
        TRY(pump_out(&c->errs, errs, "the error output of a command"));
        if (gone) return OK;
        struct sock_want w[4] = {{c->in, true}, {c->out, false}, {c->errs, false}, {ended, false}};
        TRY(sock_wait_any(w, 4, by));
    }
}

err child_run(const struct child_opts *o, struct str in, struct buf *out, struct buf *errs, int64_t timeout_ms,
              int *exit_code) {
    struct child_opts co = *o;
    struct child c;
    int null = -1;
    co.pipe_in = in.n > 0;
    co.pipe_out = out != NULL;
    co.pipe_err = errs != NULL;
    if (co.log_fd < 0 && (null = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0) co.log_fd = null;
    err e = child_spawn(&co, &c);
    if (null >= 0) close(null);
    TRY(e);
    e = pump(&c, in, out, errs, rt_deadline(timeout_ms));
    if (e == E_TIMEOUT)
        e = err_fail(E_TIMEOUT, "the command '%s' took longer than %lld ms and was ended", o->argv[0],
                     (long long)timeout_ms);
    if (e == OK && exit_code != NULL) *exit_code = c.rec->exit_code;
    child_release(&c);
    return e;
}
