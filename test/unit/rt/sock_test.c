/* SPDX-License-Identifier: Apache-2.0 */
/* Streams over loopback TCP and socket pairs: limits, deadlines, cancelling, hang-ups, files, many clients. */
#include "rt_test.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rt/sock.h"

/* --- an echo server ------------------------------------------------------------------------------------- */
static _Atomic int conns_now, conns_max, conns_total;
static void echo(void *arg, struct sock *s, struct str ip, uint16_t port) {
    (void)arg;
    CHECK(str_eqz(ip, "127.0.0.1") && port != 0);
    int now = ++conns_now;
    conns_total++;
    if (now > conns_max) conns_max = now;
    char b[4096];
    size_t n;
    while (sock_read(s, b, sizeof b, 5000, &n) == OK)
        if (sock_write(s, b, n, 5000) != OK) break;
    conns_now--;
    sock_close(s);
}
static struct listener *listen_echo(unsigned max_conns) {
    struct listener *l;
    conns_now = conns_max = conns_total = 0;
    assert_true(listener_open(STR("127.0.0.1"), 0, echo, NULL, max_conns, &l) == OK);
    assert_int_not_equal(listener_port(l), 0);
    return l;
}

static bool read_full(struct sock *s, char *p, size_t want) {
    size_t n;
    while (want > 0) {
        if (sock_read(s, p, want, 5000, &n) != OK) return false;
        p += n;
        want -= n;
    }
    return true;
}

static void body_echo(void *arg) {
    uint16_t port = *(uint16_t *)arg;
    struct sock *s;
    CHECK(sock_connect(STR("127.0.0.1"), port, 2000, &s) == OK);
    char big[20000], back[20000];
    for (size_t i = 0; i < sizeof big; i++) big[i] = (char)(i * 7);
    struct iovec v[3] = {{big, 1}, {big + 1, 0}, {big + 1, sizeof big - 1}};
    CHECK(sock_writev(s, v, 3, 2000) == OK);
    CHECK(read_full(s, back, sizeof back));
    CHECK(memcmp(big, back, sizeof big) == 0);
    CHECK(!sock_readable_now(s));
    CHECK(sock_shutdown_write(s) == OK);
    size_t n;
    CHECK(sock_read(s, back, 1, 2000, &n) == E_EOF);
    CHECK(sock_readable_now(s));
    sock_close(s);
}
static void test_echo(void **state) {
    (void)state;
    struct listener *l = listen_echo(0);
    uint16_t port = listener_port(l);
    for (unsigned i = 0; i < 8; i++) in_fiber(i % 2, body_echo, &port);
    body_echo(&port); /* the same calls on a plain thread */
    assert_int_equal(rt_test_bad, 0);
    listener_close(l);
    usleep(20000);
    struct sock *s;
    assert_true(sock_connect(STR("127.0.0.1"), port, 500, &s) == E_UPSTREAM);
    assert_null(s);
}

static void body_localhost(void *arg) {
    uint16_t port = *(uint16_t *)arg;
    struct sock *s;
    CHECK(sock_connect(STR("localhost"), port, 2000, &s) == OK);
    sock_close(s);
    CHECK(sock_connect(STR("no-such-host.invalid"), port, 5000, &s) == E_UPSTREAM);
    CHECK(sock_connect(STR(""), port, 5000, &s) == E_BAD_REQUEST);
}
static void test_names(void **state) {
    (void)state;
    struct listener *l = listen_echo(0);
    uint16_t port = listener_port(l);
    in_fiber(0, body_localhost, &port);
    listener_close(l);
}

/* --- many at once ----------------------------------------------------------------------------------------- */
static _Atomic int left;
static struct done all_done;
static void client(void *arg) {
    uint16_t port = *(uint16_t *)arg;
    struct sock *s;
    char b[64];
    if (sock_connect(STR("127.0.0.1"), port, 5000, &s) == OK) {
        for (int i = 0; i < 20; i++) {
            CHECK(sock_write(s, "0123456789", 10, 5000) == OK);
            CHECK(read_full(s, b, 10));
        }
        sock_close(s);
    } else {
        CHECK(false);
    }
    if (--left == 0) done_signal(&all_done);
}
static void run_clients(uint16_t port, int n) {
    left = n;
    done_init(&all_done);
    for (int i = 0; i < n; i++) assert_true(fiber_spawn(rt_loop((unsigned)i % 2), client, &port) == OK);
    done_wait(&all_done);
    assert_int_equal(rt_test_bad, 0);
    usleep(50000);
}
static void test_many_clients(void **state) {
    (void)state;
    struct listener *l = listen_echo(0);
    run_clients(listener_port(l), 200);
    assert_int_equal(conns_total, 200);
    assert_int_equal(conns_now, 0);
    listener_close(l);
}
static void test_max_conns_makes_others_wait(void **state) {
    (void)state;
    struct listener *l = listen_echo(3);
    run_clients(listener_port(l), 40);
    assert_int_equal(conns_total, 40);
    assert_true(conns_max <= 6); /* 3 a loop, 2 loops */
    listener_close(l);
}
static void test_port_is_taken(void **state) {
    (void)state;
    struct listener *l = listen_echo(0), *m;
    assert_true(listener_open(STR("127.0.0.1"), listener_port(l), echo, NULL, 0, &m) == E_CONFLICT);
    assert_null(m);
    listener_close(l);
    assert_true(listener_open(STR("example.org"), 0, echo, NULL, 0, &m) == E_BAD_REQUEST);
}

/* --- waiting on a pair -------------------------------------------------------------------------------------- */
static void pair(struct sock **a, struct sock **b) {
    int fd[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
    CHECK(sock_open_fd(fd[0], a) == OK);
    CHECK(sock_open_fd(fd[1], b) == OK);
}
static void body_timeout(void *arg) {
    (void)arg;
    struct sock *a, *b;
    pair(&a, &b);
    char c;
    size_t n;
    int64_t t0 = clock_mono_ms();
    CHECK(sock_read(a, &c, 1, 30, &n) == E_TIMEOUT);
    CHECK(clock_mono_ms() - t0 >= 30 && n == 0);
    /* A reader that never reads: the writer's deadline holds, after the buffers are full. */
    static char big[4 << 20];
    CHECK(sock_write(a, big, sizeof big, 50) == E_TIMEOUT);
    sock_close(a);
    sock_close(b);
}
static void test_deadlines(void **state) {
    (void)state;
    in_fiber(0, body_timeout, NULL);
    body_timeout(NULL);
    assert_int_equal(rt_test_bad, 0);
}

struct cancel {
    struct sock *s;
    struct timer t;
    int hangups;
};
static void do_cancel(void *arg) {
    sock_cancel(((struct cancel *)arg)->s);
}
static void body_cancel(void *arg) {
    (void)arg;
    struct sock *a, *b;
    pair(&a, &b);
    struct cancel c = {.s = a};
    timer_arm(&c.t, 10, do_cancel, &c);
    char x;
    size_t n;
    CHECK(sock_read(a, &x, 1, -1, &n) == E_CANCELLED);
    CHECK(sock_write(a, "x", 1, -1) == E_CANCELLED);
    sock_close(a);
    sock_close(b);
}
static void test_cancel(void **state) {
    (void)state;
    in_fiber(1, body_cancel, NULL);
}

static void on_hangup(void *arg) {
    ((struct cancel *)arg)->hangups++;
}
static void body_hangup(void *arg) {
    (void)arg;
    struct sock *a, *b;
    pair(&a, &b);
    struct cancel c = {.s = a};
    sock_on_hangup(a, on_hangup, &c);
    CHECK(sock_write(b, "data", 4, 100) == OK);
    CHECK(fiber_sleep(10) == OK);
    CHECK(c.hangups == 0); /* data is not a hang-up */
    sock_close(b);
    CHECK(fiber_sleep(10) == OK);
    CHECK(c.hangups == 1);
    sock_on_hangup(a, on_hangup, &c); /* it is gone already: still told */
    CHECK(fiber_sleep(10) == OK);
    CHECK(c.hangups == 2);
    sock_on_hangup(a, on_hangup, &c);
    sock_on_hangup(a, NULL, NULL);
    CHECK(fiber_sleep(10) == OK);
    CHECK(c.hangups == 2);
    char x[8];
    size_t n;
    CHECK(sock_read(a, x, sizeof x, 100, &n) == OK && n == 4); /* what was sent before is still there */
    CHECK(sock_read(a, x, sizeof x, 100, &n) == E_EOF);
    CHECK(sock_write(a, "x", 1, 100) == E_IO);
    sock_close(a);
}
static void test_hangup(void **state) {
    (void)state;
    in_fiber(0, body_hangup, NULL);
}

/* Two fibers on one sock: one reads, one writes, more than fits into the buffers. */
struct duplex {
    struct sock *a, *b;
    struct done writer, sink;
    size_t got;
};
enum { DUPLEX_BYTES = 8 << 20 };
static void duplex_writer(void *arg) {
    struct duplex *d = arg;
    static char big[DUPLEX_BYTES];
    memset(big, 'w', sizeof big);
    CHECK(sock_write(d->a, big, sizeof big, 5000) == OK);
    CHECK(sock_shutdown_write(d->a) == OK);
    done_signal(&d->writer);
}
static void duplex_sink(void *arg) {
    struct duplex *d = arg;
    char b[8192];
    size_t n;
    while (sock_read(d->b, b, sizeof b, 5000, &n) == OK) d->got += n;
    CHECK(sock_write(d->b, "end", 3, 5000) == OK);
    done_signal(&d->sink);
}
static void body_duplex(void *arg) {
    (void)arg;
    struct duplex d = {0};
    pair(&d.a, &d.b);
    done_init(&d.writer);
    done_init(&d.sink);
    CHECK(fiber_spawn(NULL, duplex_writer, &d) == OK);
    CHECK(fiber_spawn(NULL, duplex_sink, &d) == OK);
    char end[3];
    CHECK(read_full(d.a, end, 3) && memcmp(end, "end", 3) == 0);
    done_wait(&d.writer);
    done_wait(&d.sink);
    CHECK(d.got == DUPLEX_BYTES);
    sock_close(d.a);
    sock_close(d.b);
}
static void test_duplex(void **state) {
    (void)state;
    in_fiber(0, body_duplex, NULL);
}

/* --- files ---------------------------------------------------------------------------------------------------- */
struct filejob {
    struct sock *to;
    int fd;
    size_t n;
};
static void send_file(void *arg) {
    struct filejob *j = arg;
    CHECK(sock_sendfile(j->to, j->fd, 5, j->n, 5000) == OK);
    CHECK(sock_sendfile(j->to, j->fd, (off_t)j->n, 100, 5000) == E_CORRUPT); /* past the end */
    CHECK(sock_shutdown_write(j->to) == OK);
}
static void body_sendfile(void *arg) {
    (void)arg;
    char path[] = "/tmp/rt-sendfile-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    unlink(path);
    size_t total = (3 << 20) + 17;
    char *data = malloc(total);
    for (size_t i = 0; i < total; i++) data[i] = (char)(i ^ (i >> 8));
    CHECK(write(fd, data, total) == (ssize_t)total);
    struct sock *a, *b;
    pair(&a, &b);
    struct filejob j = {a, fd, total - 5};
    CHECK(fiber_spawn(NULL, send_file, &j) == OK);
    char *back = malloc(total);
    CHECK(read_full(b, back, total - 5));
    CHECK(memcmp(back, data + 5, total - 5) == 0);
    size_t n;
    err e;
    while ((e = sock_read(b, back, total, 5000, &n)) == OK) {}
    CHECK(e == E_EOF);
    sock_close(a);
    sock_close(b);
    free(data);
    free(back);
    close(fd);
}
static void test_sendfile(void **state) {
    (void)state;
    in_fiber(0, body_sendfile, NULL);
}

/* A stop in the middle of reads ends them at once. */
static void test_stop_ends_reads(void **state) {
    (void)state;
    struct rt_limits lim = {.n_loops = 2, .n_work = 1};
    assert_true(rt_start(&lim) == OK);
    struct listener *l = listen_echo(0);
    struct sock *s[10];
    for (int i = 0; i < 10; i++) assert_true(sock_connect(STR("127.0.0.1"), listener_port(l), 2000, &s[i]) == OK);
    for (int i = 0; i < 200 && conns_now < 10; i++) usleep(5000);
    assert_int_equal(conns_now, 10);
    listener_close(l);
    int64_t t0 = clock_mono_ms();
    rt_stop();
    assert_true(clock_mono_ms() - t0 < 2000);
    assert_int_equal(conns_now, 0);
    for (int i = 0; i < 10; i++) sock_close(s[i]);
}

#define RT(fn) cmocka_unit_test_setup_teardown(fn, rt_test_start, rt_test_stop)
int main(void) {
    const struct CMUnitTest tests[] = {
        RT(test_echo),
        RT(test_names),
        RT(test_many_clients),
        RT(test_max_conns_makes_others_wait),
        RT(test_port_is_taken),
        RT(test_deadlines),
        RT(test_cancel),
        RT(test_hangup),
        RT(test_duplex),
        RT(test_sendfile),
        cmocka_unit_test(test_stop_ends_reads),
    };
    return cmocka_run_group_tests_name("rt_sock", tests, NULL, NULL);
}
