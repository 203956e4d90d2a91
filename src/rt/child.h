/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h — child processes with piped stdio, in their own process group, dying with the server
 * (PR_SET_PDEATHSIG from the spawning *process*: spawned by a long-lived helper thread).
 */
#ifndef BALLAST_CHILD_H
#define BALLAST_CHILD_H

#include <sys/types.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "rt/sock.h"

struct child_opts {
    const char *const *argv; /* argv[0] is looked up in PATH unless it has a slash */
    const char *const *env;  /* NULL = minimal environment (PATH, HOME, LANG=C.UTF-8, TZ) */
    const char *cwd;         /* NULL = unchanged */
    bool pipe_in, pipe_out, pipe_err;
    int log_fd; /* when >= 0: stdout and stderr go here unless piped */
    uint64_t rlim_as_bytes, rlim_cpu_s, rlim_fsize_bytes, rlim_nofile; /* 0 = inherited */
    int in_fd;    /* >= 0 and not pipe_in: becomes stdin (a file to read); else /dev/null */
    int extra_fd; /* >= 0: becomes fd 3 of the child */
};
/* All-zero is not the default for fds: call this first. */
void child_opts_init(struct child_opts *o);

struct child {
    pid_t pid;
    struct sock *in, *out, *errs; /* our ends (on the calling loop), NULL when not piped */
    struct child_rec *rec;
};
may_suspend err child_spawn(const struct child_opts *o, struct child *c) must_check;
/* Exit code 0..255, or 128+signal. E_TIMEOUT leaves it running. */
may_suspend err child_wait(struct child *c, int64_t timeout_ms, int *exit_code) must_check;
void child_kill(struct child *c, int sig); /* the whole process group */
/* Closes our pipe ends; kills (SIGKILL) and reaps if still running. */
may_suspend void child_release(struct child *c);
/* [any] spawn, feed `in`, collect out/err (bounded), wait. For short commands. */
may_suspend err child_run(const struct child_opts *o, struct str in, struct buf *out, struct buf *errs,
                          int64_t timeout_ms, int *exit_code) must_check;
#endif
