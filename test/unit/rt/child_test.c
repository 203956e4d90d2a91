/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes: streams, exit codes, limits, groups, and that they die with the server. */
#include "rt_test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "rt/child.h"

static struct child_opts sh(const char *const argv[4]) {
    struct child_opts o;
    child_opts_init(&o);
    o.argv = argv;
    return o;
}
#define SH(script) ((const char *const[4]){"sh", "-c", (script), NULL})

static void run_expect(const char *script, struct str in, int code, const char *out, const char *errs) {
    struct buf o, e;
    buf_init(&o, 64 * KiB);
    buf_init(&e, 64 * KiB);
    struct child_opts co = sh(SH(script));
    int got = -1;
    CHECK(child_run(&co, in, &o, &e, 10000, &got) == OK);
    CHECK(got == code);
    CHECK(str_eqz(buf_view(&o), out));
    CHECK(str_eqz(buf_view(&e), errs));
    buf_release(&o);
    buf_release(&e);
}

static void body_run_limits(void *arg) {
    (void)arg;
    struct buf o;
    buf_init(&o, 4 * KiB);
    struct child_opts co =
        sh(SH("ulimit -n; ulimit -t; ulimit -f; pwd; ls /proc/self/fd | wc -l; readlink /proc/self/fd/3"));
    co.rlim_nofile = 77;
    co.rlim_cpu_s = 5;
    co.rlim_fsize_bytes = 1024 * 512;
    co.cwd = "/usr";
    co.extra_fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    int code;
    CHECK(child_run(&co, STR_NULL, &o, NULL, 10000, &code) == OK);
    /* 0, 1, 2, 3 and ls's own directory: nothing of ours leaked into it. */
    CHECK(str_eqz(buf_view(&o), "77\n5\n1024\n/usr\n5\n/etc/passwd\n"));
    close(co.extra_fd);
    buf_release(&o);
}

/* More than the pipes hold in both directions at once: no deadlock. */
static void body_big(void *arg) {
    (void)arg;
    size_t n = 3 << 20;
    char *data = malloc(n);
    for (size_t i = 0; i < n; i++) data[i] = (char)('a' + i % 26);
    struct buf o, e;
    buf_init(&o, 4 << 20);
    buf_init(&e, 4 << 20);
    struct child_opts co = sh(SH("tee /dev/stderr"));
    int code = -1;
    CHECK(child_run(&co, str_make(data, n), &o, &e, 20000, &code) == OK);
    CHECK(code == 0 && o.n == n && e.n == n && memcmp(o.p, data, n) == 0 && memcmp(e.p, data, n) == 0);
    buf_release(&o);
    buf_init(&o, 1000); /* output over the bound: refused, the child ended */
    CHECK(child_run(&co, str_make(data, n), &o, NULL, 20000, &code) == E_LIMIT);
    buf_release(&o);
    buf_release(&e);
    free(data);
}

static bool gone(pid_t pid) {
    for (int i = 0; i < 300; i++) {
        if (kill(pid, 0) != 0 && errno == ESRCH) return true;
        char p[64], state[256] = "";
        snprintf(p, sizeof p, "/proc/%d/stat", (int)pid);
        FILE *f = fopen(p, "r");
        if (f != NULL) {
            size_t n = fread(state, 1, sizeof state - 1, f);
            state[n] = 0;
            fclose(f);
        }
        if (strstr(state, ") Z ") != NULL) return true; /* dead; an init elsewhere reaps it */
        usleep(10000);
    }
    return false;
}

static void body_timeout(void *arg) {
    (void)arg;
    struct buf o;
    buf_init(&o, 4 * KiB);
    /* The grandchild holds the pipe: it goes with its group. */
    struct child_opts co = sh(SH("sleep 1000 & echo $!; wait"));
    int code = -1;
    int64_t t0 = clock_mono_ms();
    CHECK(child_run(&co, STR_NULL, &o, NULL, 200, &code) == E_TIMEOUT);
    CHECK(clock_mono_ms() - t0 < 5000);
    uint64_t pid;
    CHECK(str_to_u64(str_trim(buf_view(&o)), &pid));
    CHECK(gone((pid_t)pid));
    buf_reset(&o);
    /* A leader that ends leaves no helper behind, nor is its end waited for. */
    co = sh(SH("sleep 1000 & echo $!"));
    CHECK(child_run(&co, STR_NULL, &o, NULL, 5000, &code) == OK && code == 0);
    CHECK(str_to_u64(str_trim(buf_view(&o)), &pid));
    CHECK(gone((pid_t)pid));
    buf_release(&o);
}

static void body_long(void *arg) {
    (void)arg;
    struct child_opts co = sh(SH("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done"));
    co.pipe_out = true;
    struct child c;
    char b[16];
    size_t n;
    int code = -1;
    CHECK(child_spawn(&co, &c) == OK);
    CHECK(getpgid(c.pid) == c.pid);
    CHECK(sock_read(c.out, b, sizeof b, 5000, &n) == OK && n == 6);
    CHECK(child_wait(&c, 30, &code) == E_TIMEOUT);
    kill(c.pid, SIGTERM);
    CHECK(sock_read(c.out, b, sizeof b, 5000, &n) == OK && n == 4);
    CHECK(child_wait(&c, 5000, &code) == OK && code == 3);
    CHECK(child_wait(&c, 0, &code) == OK && code == 3);
    child_release(&c);
    child_release(&c); /* idempotent */
    CHECK(child_spawn(&co, &c) == OK);
    pid_t pid = c.pid;
    child_release(&c); /* still running: killed and reaped */
    CHECK(kill(pid, 0) != 0 && errno == ESRCH);
}

static void body_missing(void *arg) {
    (void)arg;
    const char *argv[] = {"no-such-program-here", NULL}, *path[] = {"/no/such/program", NULL}, *dir[] = {"/tmp", NULL};
    struct child_opts co;
    struct child c;
    child_opts_init(&co);
    co.argv = argv;
    CHECK(child_spawn(&co, &c) == E_NOT_FOUND);
    co.argv = path;
    CHECK(child_spawn(&co, &c) == E_NOT_FOUND);
    co.argv = dir;
    CHECK(child_spawn(&co, &c) == E_IO);
    CHECK(strstr(err_text(), "/tmp") != NULL);
    co.argv = SH("true");
    co.cwd = "/no/such/dir";
    CHECK(child_spawn(&co, &c) == E_NOT_FOUND);
    CHECK(strstr(err_text(), "working directory") != NULL);
    child_release(&c); /* after a failure: nothing to do */
}

static void body_all(void *arg) {
    body_run_limits(arg);
    body_big(arg);
    body_timeout(arg);
    body_long(arg);
    body_missing(arg);
}
static void body_exit_codes(void *arg) {
    (void)arg;
    run_expect("echo out; echo bad >&2; exit 7", STR_NULL, 7, "out\n", "bad\n");
    run_expect("cat", STR("fed in"), 0, "fed in", "");
    run_expect("exit 0", STR("nobody reads this"), 0, "", "");
    run_expect("kill -9 $$", STR_NULL, 128 + 9, "", "");
    run_expect("printf '%s|' \"$LANG\" \"$SECRET_OF_OURS\"", STR_NULL, 0, "C.UTF-8||", "");
}
static void test_on_a_fiber(void **state) {
    (void)state;
    setenv("SECRET_OF_OURS", "x", 1);
    in_fiber(0, body_exit_codes, NULL);
    in_fiber(1, body_all, NULL);
}
static void test_on_a_plain_thread(void **state) {
    (void)state;
    setenv("SECRET_OF_OURS", "x", 1);
    body_exit_codes(NULL);
    body_all(NULL);
    assert_int_equal(rt_test_bad, 0);
}

/* A server killed with SIGKILL takes its children along. */
static void test_children_die_with_the_server(void **state) {
    (void)state;
    int p[2];
    assert_int_equal(pipe(p), 0);
    pid_t server = fork();
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* not to outlive a failed test */
        struct rt_limits lim = {.n_loops = 1, .n_work = 1};
        struct child_opts co = sh(SH("exec sleep 1000"));
        struct child c;
        if (rt_start(&lim) != OK || child_spawn(&co, &c) != OK) _exit(1);
        if (write(p[1], &c.pid, sizeof c.pid) < 0) _exit(1);
        for (;;) pause();
    }
    pid_t engine = 0;
    assert_int_equal(read(p[0], &engine, sizeof engine), sizeof engine);
    assert_int_equal(kill(engine, 0), 0);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    assert_true(gone(engine));
    close(p[0]);
    close(p[1]);
}

#define RT(fn) cmocka_unit_test_setup_teardown(fn, rt_test_start, rt_test_stop)
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_children_die_with_the_server), /* first: it forks, and no thread runs yet */
        RT(test_on_a_fiber),
        cmocka_unit_test(test_on_a_plain_thread),
    };
    return cmocka_run_group_tests_name("rt_child", tests, NULL, NULL);
}
