/* SPDX-License-Identifier: Apache-2.0 */
/* client_test.c — the upstream client on fibers against a scripted peer on a plain thread. */
#include "http_rig.h"

#include <pthread.h>

#include "http/client.h"

/* The peer answers each accepted connection by the next script: bytes sent after each request seen. */
struct script {
    const char *answers[3]; /* per request on this connection; NULL = close */
    bool reset;             /* close with RST instead */
    bool once;              /* close after the first answer */
};
static const struct script *scripts;
static _Atomic unsigned n_accepted, n_requests;
static int listen_fd;
static char last_request[65536];

static bool request_read(int fd) {
    size_t n = 0;
    for (;;) {
        ssize_t k = recv(fd, last_request + n, sizeof last_request - 1 - n, 0);
        if (k <= 0) return false;
        n += (size_t)k;
        last_request[n] = '\0';
        char *end = strstr(last_request, "\r\n\r\n"), *cl = strstr(last_request, "Content-Length: ");
        if (end == NULL) continue;
        size_t body = cl != NULL ? strtoul(cl + 16, NULL, 10) : 0;
        if (n >= (size_t)(end + 4 - last_request) + body) return true;
    }
}

static void *peer(void *arg) {
    (void)arg;
    for (;;) {
        int fd = accept(listen_fd, NULL, NULL);
        if (fd < 0) return NULL;
        const struct script *s = &scripts[n_accepted++];
        for (int i = 0; i < 3 && request_read(fd); i++) {
            n_requests++;
            if (s->answers[i] == NULL) break;
            if (strcmp(s->answers[i], "HANG") == 0) {
                char c;
                while (recv(fd, &c, 1, 0) > 0) {}
                break;
            }
            send(fd, s->answers[i], strlen(s->answers[i]), MSG_NOSIGNAL);
            if (s->once) break;
        }
        if (s->reset) {
            struct linger l = {1, 0};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
        }
        close(fd);
    }
}

static pthread_t peer_thread;
static struct upstream *up;

static void peer_start(const struct script *s) {
    scripts = s;
    n_accepted = n_requests = 0;
    listen_fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    assert_int_equal(bind(listen_fd, (struct sockaddr *)(void *)&a, n), 0);
    assert_int_equal(listen(listen_fd, 16), 0);
    getsockname(listen_fd, (struct sockaddr *)(void *)&a, &n);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/base/", ntohs(a.sin_port));
    struct upstream_opts o = {.base_url = str_of(url)};
    assert_null(upstream_new(&o, &up));
    assert_int_equal(pthread_create(&peer_thread, NULL, peer, NULL), 0);
}

static void peer_stop(void) {
    upstream_put(up);
    usleep(20000); /* the loops close their idle connections */
    shutdown(listen_fd, SHUT_RDWR);
    close(listen_fd);
    pthread_join(peer_thread, NULL);
}

struct job {
    err want, got;
    int status;
    char body[4096];
    size_t n_body;
    bool use_view;
    int64_t timeout_ms;
    struct http_call_timing timing;
    struct http_call *call; /* for cancel */
    struct done done;
};

static void job_run(void *arg) {
    struct job *j = arg;
    struct http_header h = {STR("X-Test"), STR("1")};
    struct str parts[3] = {STR("{\"a\":"), STR(""), STR("1}")};
    struct http_call_head head;
    int64_t ms = j->timeout_ms > 0 ? j->timeout_ms : 2000;
    j->got = http_call_startv(up, "POST", STR("/path"), &h, 1, parts, 3, ms, &j->call, &head, &j->timing);
    if (j->got == OK) {
        j->status = head.status;
        for (;;) {
            size_t n;
            struct str v;
            if (j->use_view) {
                j->got = http_call_view(j->call, ms, &v);
                n = v.n;
                if (j->got == OK) memcpy(j->body + j->n_body, v.p, n);
            } else {
                j->got = http_call_read(j->call, j->body + j->n_body, 3, ms, &n);
            }
            if (j->got != OK || n == 0) break;
            j->n_body += n;
        }
        http_call_free(j->call);
    }
    j->call = NULL;
    done_signal(&j->done);
}

static void run(struct job *j) {
    done_init(&j->done);
    assert_null(fiber_spawn(rt_loop(0), job_run, j));
    done_wait(&j->done);
}

#define OKAY "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define CHUNKED                                                                                                        \
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "                                              \
    "chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"

static void connections_are_reused(void **st) {
    (void)st;
    static const struct script s[] = {{.answers = {OKAY, CHUNKED, OKAY}}};
    peer_start(s);
    for (int i = 0; i < 3; i++) {
        struct job j = {.use_view = i == 2};
        run(&j);
        assert_null(j.got);
        assert_int_equal(j.status, 200);
        assert_int_equal(j.n_body, 5);
        assert_memory_equal(j.body, "hello", 5);
        assert_int_equal(j.timing.reused, i > 0);
    }
    assert_int_equal(n_accepted, 1);
    assert_non_null(strstr(last_request, "POST /base/path HTTP/1.1\r\nHost: 127.0.0.1:"));
    assert_non_null(strstr(last_request, "\r\nX-Test: 1\r\n"));
    assert_non_null(strstr(last_request, "\r\nContent-Length: 7\r\n\r\n{\"a\":1}"));
    peer_stop();
}

static void a_dead_idle_connection_is_replaced(void **st) {
    (void)st;
    static const struct script s[] = {{.answers = {OKAY, NULL}}, {.answers = {OKAY}}};
    peer_start(s);
    struct job a = {0}, b = {0};
    run(&a);
    run(&b); /* the peer reads this one on the old connection and closes without an answer */
    assert_null(a.got);
    assert_null(b.got);
    assert_int_equal(n_accepted, 2);
    peer_stop();
}

static void answers_that_must_not_be_trusted(void **st) {
    (void)st;
    static const struct {
        struct script s;
        const struct err_kind *want;
    } t[] = {
        {{.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"}, .once = true}, E_EOF},
        {{.answers = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}, .once = true}, E_EOF},
        {{.answers = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}, .once = true}, E_UPSTREAM},
        {{.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"}, .once = true},
         E_UPSTREAM},
        {{.answers = {"nonsense\r\n\r\n"}, .once = true}, E_UPSTREAM},
        {{.answers = {NULL}}, E_UPSTREAM},
        {{.answers = {NULL}, .reset = true}, NULL}, /* any error */
        {{.answers = {"HTTP/1.1 200 OK\r\n"}, .once = true}, E_UPSTREAM},
        {{.answers = {"HTTP/1.1 101 Switching\r\n\r\n"}, .once = true}, E_UPSTREAM},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        peer_start(&t[i].s);
        struct job j = {0};
        run(&j);
        if (j.got == OK || (t[i].want != NULL && j.got != t[i].want))
            fail_msg("case %zu: %s", i, j.got != OK ? j.got->name : "ok");
        peer_stop();
    }
}

static void until_close_ends_properly(void **st) {
    (void)st;
    static const struct script s[] = {{.answers = {"HTTP/1.0 200 OK\r\n\r\nhello"}, .once = true}};
    peer_start(s);
    struct job j = {0};
    run(&j);
    assert_null(j.got);
    assert_int_equal(j.n_body, 5);
    peer_stop();
}

static void a_hang_times_out_and_a_cancel_wakes(void **st) {
    (void)st;
    static const struct script s[] = {{.answers = {"HANG"}}, {.answers = {"HANG"}}};
    peer_start(s);
    struct job j = {.timeout_ms = 150};
    int64_t t0 = clock_mono_ms();
    run(&j);
    assert_ptr_equal(j.got, E_TIMEOUT);
    assert_true(clock_mono_ms() - t0 < 1500);
    assert_true(j.timing.sent);
    struct job k = {.timeout_ms = 10000};
    done_init(&k.done);
    assert_null(fiber_spawn(rt_loop(0), job_run, &k));
    while (n_requests < 2) usleep(1000);
    t0 = clock_mono_ms();
    loop_post(rt_loop(0), (rt_fn)(void (*)(void))http_call_cancel, k.call);
    done_wait(&k.done);
    assert_ptr_equal(k.got, E_CANCELLED);
    assert_true(clock_mono_ms() - t0 < 2000);
    peer_stop();
}

static void refused_connections_and_bad_urls(void **st) {
    (void)st;
    struct upstream_opts o = {.base_url = STR("http://127.0.0.1:1/v1")};
    assert_null(upstream_new(&o, &up));
    struct job j = {0};
    run(&j);
    assert_non_null(j.got);
    assert_false(j.timing.sent);
    upstream_put(up);
    static const char *const bad[] = {"ftp://x/",     "http://",     "http://u@h/", "http://h:0/",
                                      "http://h/a b", "http://h/?q", "h:80"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        o.base_url = str_of(bad[i]);
        if (upstream_new(&o, &up) == OK) fail_msg("%s accepted", bad[i]);
    }
}

static int setup(void **st) {
    (void)st;
    struct rt_limits lim = {.n_loops = 1};
    assert_null(rt_start(&lim));
    return 0;
}
static int teardown(void **st) {
    (void)st;
    rt_stop();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_are_reused),
        cmocka_unit_test(a_dead_idle_connection_is_replaced),
        cmocka_unit_test(answers_that_must_not_be_trusted),
        cmocka_unit_test(until_close_ends_properly),
        cmocka_unit_test(a_hang_times_out_and_a_cancel_wakes),
        cmocka_unit_test(refused_connections_and_bad_urls),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
