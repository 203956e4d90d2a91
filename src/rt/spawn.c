/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn.c — the spawner thread: every child of the process is started by it.
 *
 * PR_SET_PDEATHSIG fires when the *thread* that forked ends, so children must come from a thread
 * that lives as long as the process: this one, started on first use, detached, never ended.
 *
 * Between fork and exec only system calls run, on memory prepared before: the child shares our
 * memory (vfork) until exec. Sanitizer builds fork instead. Failures come back over a
 * close-on-exec pipe: end-of-file means the exec happened.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/child_int.h"
#include "rt/rt_int.h"

struct spawn_failure {
    int errnum;
    enum spawn_stage stage;
};
static struct {
    pthread_mutex_t mu;
    pthread_cond_t cond;
    pthread_once_t once;
    struct spawn_job *head, **tail;
    bool running;
} spawner = {.mu = PTHREAD_MUTEX_INITIALIZER,
             .cond = PTHREAD_COND_INITIALIZER,
             .once = PTHREAD_ONCE_INIT,
             .tail = &spawner.head};

/* --- in the child ------------------------------------------------------------------------------------------ */
static noreturn_fn void child_fail(int pipe_fd, enum spawn_stage stage) {
    struct spawn_failure f = {errno, stage};
    ssize_t r = write(pipe_fd, &f, sizeof f);
    _exit(r > 0 ? 127 : 126);
}

static void child_limit(int pipe_fd, int what, uint64_t value) {
    struct rlimit lim = {value, value};
    if (value != 0 && setrlimit((__rlimit_resource_t)what, &lim) != 0) child_fail(pipe_fd, SPAWN_LIMIT);
}

static noreturn_fn __attribute__((noinline)) void child_exec(const struct spawn_job *j, int pipe_fd) {
    const struct child_opts *o = j->opts;
    if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) child_fail(pipe_fd, SPAWN_SETUP);
    if (getppid() != j->server) _exit(127); /* it died before the line above took effect */
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    for (int sig = 1; sig < 64; sig++)
        if (j->handled >> sig & 1) sigaction(sig, &dfl, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int i = 0; i < 4; i++)
        if (j->fds[i] >= 0 && dup2(j->fds[i], i) < 0) child_fail(pipe_fd, SPAWN_SETUP);
    unsigned first = j->fds[3] >= 0 ? 4 : 3;
    if (syscall(SYS_close_range, first, ~0u, CLOSE_RANGE_CLOEXEC) != 0) child_fail(pipe_fd, SPAWN_SETUP);
    child_limit(pipe_fd, RLIMIT_AS, o->rlim_as_bytes);
    child_limit(pipe_fd, RLIMIT_CPU, o->rlim_cpu_s);
    child_limit(pipe_fd, RLIMIT_FSIZE, o->rlim_fsize_bytes);
    child_limit(pipe_fd, RLIMIT_NOFILE, o->rlim_nofile);
    if (o->cwd != NULL && chdir(o->cwd) != 0) child_fail(pipe_fd, SPAWN_CWD);
    execve(j->path, (char *const *)(uintptr_t)o->argv, (char *const *)(uintptr_t)j->env);
    child_fail(pipe_fd, SPAWN_EXEC);
}

/* --- in the spawner thread ------------------------------------------------------------------------------------ */
static pid_t fork_child(const struct spawn_job *j, int pipe_fd) {
#if defined(RT_ASAN) || defined(RT_TSAN)
    pid_t pid = fork();
#else
    pid_t pid = vfork();
#endif
    if (pid == 0) child_exec(j, pipe_fd);
    return pid;
}

static uint64_t handled_signals(void) {
    uint64_t set = 0;
    for (int sig = 1; sig < 64; sig++) {
        struct sigaction sa;
        if (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL) set |= (uint64_t)1 << sig;
    }
    return set;
}

static void spawn_one(struct spawn_job *j) {
    int p[2];
    j->pidfd = -1;
    j->pid = -1;
    j->stage = SPAWN_SETUP;
    j->server = getpid();
    j->handled = handled_signals();
    if (pipe2(p, O_CLOEXEC) != 0) {
        j->errnum = errno;
        return;
    }
    pid_t pid = fork_child(j, p[1]);
    j->errnum = pid < 0 ? errno : 0;
    close(p[1]);
    struct spawn_failure f = {0};
    ssize_t r = 0;
    if (pid > 0) {
        do r = read(p[0], &f, sizeof f);
        while (r < 0 && errno == EINTR);
        j->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (j->pidfd < 0) j->errnum = errno;
    }
    close(p[0]);
    if (r == (ssize_t)sizeof f) {
        j->errnum = f.errnum;
        j->stage = f.stage;
    }
    if (pid > 0 && j->errnum != 0) {
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        if (j->pidfd >= 0) close(j->pidfd);
    } else {
        j->pid = pid;
    }
}

static void *spawner_main(void *arg) {
    (void)arg;
    pthread_mutex_lock(&spawner.mu);
    for (;;) {
        while (spawner.head == NULL) pthread_cond_wait(&spawner.cond, &spawner.mu);
        struct spawn_job *j = spawner.head;
        spawner.head = j->next;
        if (spawner.head == NULL) spawner.tail = &spawner.head;
        pthread_mutex_unlock(&spawner.mu);
        spawn_one(j);
        done_signal(&j->done);
        pthread_mutex_lock(&spawner.mu);
    }
    return NULL;
}

static void spawner_start(void) {
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_t t;
    spawner.running = pthread_create(&t, NULL, spawner_main, NULL) == 0;
    if (spawner.running) pthread_detach(t);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void spawn_submit(struct spawn_job *job) {
    pthread_once(&spawner.once, spawner_start);
    if (!spawner.running) {
        job->errnum = EAGAIN;
        job->stage = SPAWN_SETUP;
        return;
    }
    done_init(&job->done);
    job->next = NULL;
    pthread_mutex_lock(&spawner.mu);
    *spawner.tail = job;
    spawner.tail = &job->next;
    pthread_cond_signal(&spawner.cond);
    pthread_mutex_unlock(&spawner.mu);
    done_wait(&job->done);
}
