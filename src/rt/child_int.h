/* SPDX-License-Identifier: Apache-2.0 */
/* child_int.h — what spawn.c hands to child.c. */
#ifndef BALLAST_CHILD_INT_H
#define BALLAST_CHILD_INT_H

#include "rt/child.h"

enum spawn_stage { SPAWN_SETUP, SPAWN_LIMIT, SPAWN_CWD, SPAWN_EXEC };
struct spawn_job {
    struct spawn_job *next;
    const struct child_opts *opts;
    const char *path; /* resolved */
    const char *const *env;
    int fds[4];       /* become 0..3; >= 10, close-on-exec; [3] < 0: none */
    pid_t server;     /* our process */
    uint64_t handled; /* signals that are not at their default */
    pid_t pid;        /* result */
    int pidfd, errnum;
    enum spawn_stage stage; /* what failed, when errnum != 0 */
    struct done done;
};
/* [any] Have the spawner thread start job->path. Fills pid and pidfd, or errnum and stage. */
may_suspend void spawn_submit(struct spawn_job *job);
#endif
