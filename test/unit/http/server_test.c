/* SPDX-License-Identifier: Apache-2.0 */
/* server_test.c — the server over real sockets: framing, bodies, deadlines, errors by dialect, drain. */
#include "http_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <zlib.h>

#include "h1_shapes.h"

static struct http_server *server;
static struct http_router *router;
static _Atomic int slow_running;

static err h_hello(struct http_req *r) {
    return http_reply(r, 200, "text/plain", STR("hello\n"));
}

static err h_echo(struct http_req *r) {
    TRY(http_body_gunzip_begin(r));
    struct str body;
    TRY(http_body_all(r, 100000, &body));
    http_setf(r, "X-Len", "%zu", body.n);
    return http_reply(r, 200, "text/plain", body);
}

/* Counts a body of any size through one block. */
static err h_count(struct http_req *r) {
    static _Thread_local char block[65536];
    uint64_t total = 0, sum = 0;
    for (size_t n;;) {
        TRY(http_body_read(r, block, sizeof block, &n));
        if (n == 0) break;
        for (size_t i = 0; i < n; i++) sum += (unsigned char)block[i];
        total += n;
    }
    return http_reply(r, 200, "text/plain", arena_printf(r->arena, "%" PRIu64 " %" PRIu64 "\n", total, sum));
}

static err h_stream(struct http_req *r) {
    TRY(http_begin(r, 200, "text/event-stream", -1));
    for (int i = 0; i < 3; i++) TRY(http_write(r, "data: x\n\n", 9));
    if (http_query_bool(r, "cut", false)) return err_fail(E_UPSTREAM, "gone");
    return http_finish(r, "end", 3);
}

static err h_short(struct http_req *r) {
    TRY(http_begin(r, 200, "text/plain", 100));
    TRY(http_write(r, "only this", 9));
    return http_end(r);
}

static err h_file(struct http_req *r) {
    char name[] = "/tmp/http-file-XXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    char block[1000];
    for (int k = 0; k < 1000; k++) {
        memset(block, 'a' + k % 26, sizeof block);
        assert_int_equal(write(fd, block, sizeof block), sizeof block);
    }
    uint64_t start, len;
    bool partial;
    err e = http_range(r, 1000000, &start, &len, &partial);
    if (e == OK && partial)
        http_setf(r, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/1000000", start, start + len - 1);
    if (e == OK) e = http_begin(r, partial ? 206 : 200, "application/octet-stream", (int64_t)len);
    if (e == OK) e = http_sendfile(r, fd, (off_t)start, len);
    if (e == OK) e = http_end(r);
    close(fd);
    return e;
}

static err h_who(struct http_req *r) {
    return http_reply(
        r, 200, "text/plain",
        arena_printf(r->arena, STR_FMT " " STR_FMT " %d", STR_ARG(r->base_url), STR_ARG(r->remote_ip), r->is_tls));
}

static err h_fail(struct http_req *r) {
    struct str k = http_param(r, "kind");
    http_set(r, "ETag", STR("\"stale\""));
    http_set(r, "X-Keep", STR("caf\xc3\xa9 \xe5\x8e\x8b\r\nInjected: 1"));
    if (str_eqz(k, "repo")) return err_fail(E_REPO_NOT_FOUND, "repository %s not found", "a/b");
    if (str_eqz(k, "cred")) return err_fail(E_BAD_CREDENTIALS, "this token is unknown");
    if (str_eqz(k, "block")) return err_fail(E_BLOCKED, "refused by review: os.system in a pickle");
    if (str_eqz(k, "unauth")) return err_fail(E_UNAUTHORIZED, "sign in first");
    if (str_eqz(k, "none")) return OK;
    if (str_eqz(k, "io")) return err_errno(E_IO, ENOSPC, "/srv/secret/path: SELECT secret");
    if (str_eqz(k, "nomem")) return err_fail(E_NOMEM, "no memory in /srv/secret/path");
    err e = err_fail(E_PENDING, "under review");
    err_slot()->retry_after_s = 7;
    return e;
}

static err h_slow(struct http_req *r) {
    slow_running = 1;
    err e = fiber_sleep(300);
    slow_running = 2;
    TRY(e);
    return h_hello(r);
}

static void gone(void *arg) {
    done_signal(arg);
}
static _Atomic int gone_seen;
static err h_wait_gone(struct http_req *r) {
    struct done d;
    done_init(&d);
    http_on_client_gone(r, gone, &d);
    slow_running = 3;
    done_wait(&d);
    gone_seen = http_client_gone(r) ? 2 : 1;
    return err_fail(E_CANCELLED, "nobody waits");
}

#define R(m, p, f, d)                                                                                                  \
    { .methods = (m), .pattern = (p), .fn = (f), .auth = AUTH_PUBLIC, .dialect = (d), .name = (p) }
static const struct http_route routes[] = {
    R(HTTP_GET, "/hello", h_hello, DIALECT_PLAIN),
    {.methods = HTTP_POST, .pattern = "/x", .fn = h_echo, .auth = AUTH_PUBLIC, .dialect = DIALECT_HF, .name = "x"},
    {.methods = HTTP_POST,
     .pattern = "/hasty",
     .fn = h_echo,
     .auth = AUTH_PUBLIC,
     .dialect = DIALECT_HF,
     .name = "hasty",
     .body_timeout_s = 1},
    {.methods = HTTP_POST,
     .pattern = "/count",
     .fn = h_count,
     .auth = AUTH_PUBLIC,
     .name = "count",
     .max_body = HTTP_BODY_ANY},
    {.methods = HTTP_POST,
     .pattern = "/ignore",
     .fn = h_hello,
     .auth = AUTH_PUBLIC,
     .name = "ignore",
     .max_body = HTTP_BODY_ANY},
    R(HTTP_GET, "/stream", h_stream, DIALECT_PLAIN),
    R(HTTP_GET, "/short", h_short, DIALECT_PLAIN),
    R(HTTP_GET, "/file", h_file, DIALECT_PLAIN),
    R(HTTP_GET, "/who", h_who, DIALECT_PLAIN),
    R(HTTP_GET, "/slow", h_slow, DIALECT_PLAIN),
    R(HTTP_GET, "/gone", h_wait_gone, DIALECT_PLAIN),
    R(HTTP_GET, "/hf/{kind}", h_fail, DIALECT_HF),
    R(HTTP_GET, "/oai/{kind}", h_fail, DIALECT_OPENAI),
    R(HTTP_GET, "/git/{kind}", h_fail, DIALECT_GIT),
    R(HTTP_GET, "/lfs/{kind}", h_fail, DIALECT_LFS),
    R(HTTP_GET, "/ant/{kind}", h_fail, DIALECT_ANTHROPIC),
};

static const struct http_config base_config = {
    .listen_host = {"127.0.0.1", 9}, .header_timeout_ms = 700, .idle_timeout_ms = 2000, .write_timeout_ms = 5000};

static int setup(void **st) {
    (void)st;
    struct rt_limits lim = {.n_loops = 2};
    assert_null(rt_start(&lim));
    router = http_router_new();
    assert_null(http_router_add(router, routes, ARRAY_LEN(routes), NULL));
    assert_null(http_server_start(&base_config, router, NULL, &server));
    rig_port = http_server_port(server);
    return 0;
}

static int teardown(void **st) {
    (void)st;
    if (server != NULL) http_server_stop(server, 1000);
    rt_stop();
    http_router_free(router);
    return 0;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
static char out[1 << 21];

static void keep_alive_and_pipelining(void **st) {
    (void)st;
    int fd = rig_connect();
    bool eof;
    for (int i = 0; i < 3; i++) {
        rig_send(fd, "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n", 32);
        rig_recv(fd, out, sizeof out, "hello\n", 3000, &eof);
        assert_int_equal(rig_status(out), 200);
        assert_non_null(strstr(out, "\r\nX-Request-Id: "));
        assert_non_null(strstr(out, "\r\nDate: "));
    }
    static const char three[] =
        "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\noneGET /hello HTTP/1.1\r\nHost: h\r\n\r\n"
        "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n" GET("/hello");
    rig_send(fd, three, sizeof three - 1);
    rig_recv(fd, out, sizeof out, NULL, 3000, &eof);
    assert_true(eof);
    char *one = strstr(out, "\r\n\r\none"), *two = strstr(out, "\r\n\r\ntwo");
    assert_true(one != NULL && two != NULL && one < two);
    close(fd);
}

static void ambiguous_requests_close_the_connection(void **st) {
    (void)st;
    for (size_t i = 0; i < N_BAD_SHAPES; i++) {
        int fd = rig_connect();
        rig_send(fd, bad_shapes[i].bytes.p, bad_shapes[i].bytes.n);
        /* what a confused parser would take for the next request */
        rig_send(fd, GET("/hello"), sizeof GET("/hello") - 1);
        shutdown(fd, SHUT_WR);
        bool eof;
        rig_recv(fd, out, sizeof out, NULL, 3000, &eof);
        if (!eof) fail_msg("%s: connection left open", bad_shapes[i].what);
        if (rig_status(out) != bad_shapes[i].status) fail_msg("%s: got %.60s", bad_shapes[i].what, out);
        if (strstr(out + 9, "HTTP/1.1 ") != NULL) fail_msg("%s: a second request was answered", bad_shapes[i].what);
        assert_non_null(strstr(out, "\r\nConnection: close\r\n"));
        close(fd);
    }
}

static void head_has_the_length_and_no_body(void **st) {
    (void)st;
    rig_once("HEAD /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", out, sizeof out);
    assert_non_null(strstr(out, "\r\nContent-Length: 6\r\n"));
    assert_string_equal(strstr(out, "\r\n\r\n"), "\r\n\r\n");
}

static void expect_continue(void **st) {
    (void)st;
    int fd = rig_connect();
    bool eof;
    static const char head[] = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    rig_send(fd, head, sizeof head - 1);
    rig_recv(fd, out, sizeof out, "\r\n\r\n", 3000, &eof);
    assert_string_equal(out, "HTTP/1.1 100 Continue\r\n\r\n");
    rig_send(fd, "abcd", 4);
    rig_recv(fd, out, sizeof out, "abcd", 3000, &eof);
    assert_int_equal(rig_status(out), 200);
    close(fd);
    /* a handler that does not want the body: final answer at once, and the connection ends */
    static const char no[] = "POST /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    rig_once(no, out, sizeof out);
    assert_int_equal(rig_status(out), 200);
    assert_non_null(strstr(out, "Connection: close"));
}

static void bodies_of_any_size_stream(void **st) {
    (void)st;
    enum { TOTAL = 20 << 20, PIECE = 70001 };
    static char piece[PIECE + 16];
    for (int chunked = 0; chunked < 2; chunked++) {
        int fd = rig_connect();
        char head[200];
        int k =
            chunked
                ? snprintf(head, sizeof head, "POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
                : snprintf(head, sizeof head, "POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", TOTAL);
        rig_send(fd, head, (size_t)k);
        for (int sent = 0; sent < TOTAL;) {
            int n = MIN(PIECE, TOTAL - sent);
            memset(piece, 1, (size_t)n);
            if (chunked) {
                k = snprintf(head, sizeof head, "%x\r\n", (unsigned)n);
                rig_send(fd, head, (size_t)k);
            }
            assert_true(rig_send(fd, piece, (size_t)n));
            if (chunked) rig_send(fd, "\r\n", 2);
            sent += n;
        }
        if (chunked) rig_send(fd, "0\r\n\r\n", 5);
        bool eof;
        rig_recv(fd, out, sizeof out, "\n", 10000, &eof);
        char want[64];
        snprintf(want, sizeof want, "\r\n\r\n%d %d\n", TOTAL, TOTAL);
        if (strstr(out, want) == NULL) {
            rig_recv(fd, out, sizeof out, "\n", 3000, &eof);
            fail_msg("chunked=%d: %s", chunked, out);
        }
        close(fd);
    }
}

static void too_large_bodies_are_refused_and_the_answer_arrives(void **st) {
    (void)st;
    int fd = rig_connect();
    static const char head[] = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n";
    rig_send(fd, head, sizeof head - 1);
    static char zero[50000];
    for (int i = 0; i < 100; i++)
        if (!rig_send(fd, zero, sizeof zero)) fail_msg("reset after %d blocks: the client would lose the answer", i);
    bool eof;
    shutdown(fd, SHUT_WR);
    rig_recv(fd, out, sizeof out, NULL, 3000, &eof);
    assert_true(eof);
    assert_int_equal(rig_status(out), 413);
    close(fd);
}

static void slow_clients_meet_a_deadline(void **st) {
    (void)st;
    bool eof;
    int fd = rig_connect();
    int64_t t0 = clock_mono_ms();
    for (int i = 0; i < 20; i++) { /* one byte now and then does not extend the deadline */
        if (!rig_send(fd, &"GET /hello HTTP/1.1\r\n"[i], 1)) break;
        usleep(60000);
    }
    rig_recv(fd, out, sizeof out, NULL, 3000, &eof);
    assert_int_equal(rig_status(out), 408);
    assert_true(clock_mono_ms() - t0 < 2500);
    close(fd);
    fd = rig_connect();
    static const char head[] = "POST /hasty HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc";
    rig_send(fd, head, sizeof head - 1);
    rig_recv(fd, out, sizeof out, "}", 3000, &eof);
    assert_int_equal(rig_status(out), 408);
    close(fd);
}

static void a_truncated_answer_looks_truncated(void **st) {
    (void)st;
    rig_once(GET("/stream"), out, sizeof out);
    assert_non_null(strstr(out, "\r\n3\r\nend\r\n0\r\n\r\n"));
    int fd = rig_connect();
    rig_send(fd, "GET /stream?cut=1 HTTP/1.1\r\nHost: h\r\n\r\n", 39);
    bool eof;
    rig_recv(fd, out, sizeof out, NULL, 3000, &eof);
    assert_true(eof);
    assert_null(strstr(out, "\r\n0\r\n"));
    close(fd);
    size_t n = rig_once(GET("/short"), out, sizeof out);
    assert_non_null(strstr(out, "Content-Length: 100\r\n"));
    assert_string_equal(out + n - 9, "only this");
}

static void ranges_and_files(void **st) {
    (void)st;
    size_t n = rig_once("GET /file HTTP/1.1\r\nHost: h\r\nConnection: close\r\nRange: bytes=999-1000\r\n\r\n", out,
                        sizeof out);
    assert_int_equal(rig_status(out), 206);
    assert_non_null(strstr(out, "Content-Range: bytes 999-1000/1000000\r\n"));
    assert_string_equal(out + n - 2, "ab");
    rig_once("GET /file HTTP/1.1\r\nHost: h\r\nConnection: close\r\nRange: bytes=1000000-\r\n\r\n", out, sizeof out);
    assert_int_equal(rig_status(out), 416);
    assert_non_null(strstr(out, "Content-Range: bytes */1000000\r\n"));
    n = rig_once(GET("/file"), out, sizeof out);
    assert_int_equal(strlen(strstr(out, "\r\n\r\n") + 4), 1000000);
}

static void errors_by_dialect(void **st) {
    (void)st;
    rig_once(GET("/hf/repo"), out, sizeof out);
    assert_int_equal(rig_status(out), 401);
    assert_non_null(strstr(out, "X-Error-Code: RepoNotFound\r\n"));
    assert_non_null(strstr(out, "X-Error-Message: repository a/b not found\r\n"));
    assert_non_null(strstr(out, "{\"error\":\"repository a/b not found\"}"));
    assert_null(strstr(out, "stale"));
    assert_non_null(strstr(out, "X-Keep: caf\xe9 ?  Injected: 1\r\n"));
    rig_once("GET /hf/repo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer t\r\n\r\n", out,
             sizeof out);
    assert_int_equal(rig_status(out), 404);
    rig_once(GET("/hf/cred"), out, sizeof out);
    assert_int_equal(rig_status(out), 401);
    assert_null(strstr(out, "X-Error-Code"));
    assert_non_null(strstr(out, "X-Error-Message: Invalid credentials in Authorization header\r\n"));
    rig_once(GET("/hf/block"), out, sizeof out);
    assert_int_equal(rig_status(out), 403);
    assert_non_null(strstr(out, "X-HF-Warning: review_blocked; refused by review: os.system in a pickle\r\n"));
    rig_once(GET("/hf/pending"), out, sizeof out);
    assert_int_equal(rig_status(out), 503);
    assert_non_null(strstr(out, "Retry-After: 7\r\n"));
    rig_once(GET("/hf/none"), out, sizeof out);
    assert_int_equal(rig_status(out), 500);
    static const char *const inside[] = {GET("/hf/io"),  GET("/oai/io"),   GET("/git/io"),   GET("/lfs/io"),
                                         GET("/ant/io"), GET("/hf/nomem"), GET("/oai/nomem")};
    for (size_t i = 0; i < ARRAY_LEN(inside); i++) { /* what failed inside is told to the log only */
        rig_once(inside[i], out, sizeof out);
        assert_int_equal(rig_status(out), i < 5 ? 500 : 503);
        assert_null(strstr(out, "secret"));
        assert_non_null(strstr(out, i < 5 ? "its log tells why under request " : "out of memory"));
    }
    rig_once(GET("/oai/cred"), out, sizeof out);
    assert_non_null(
        strstr(out, "{\"error\":{\"message\":\"this token is "
                    "unknown\",\"type\":\"authentication_error\",\"param\":null,\"code\":\"invalid_api_key\"}}"));
    rig_once(GET("/git/unauth"), out, sizeof out);
    assert_non_null(strstr(out, "WWW-Authenticate: Basic realm=\"ballast\""));
    assert_non_null(strstr(out, "Content-Type: text/plain"));
    rig_once(GET("/lfs/unauth"), out, sizeof out);
    assert_non_null(strstr(out, "LFS-Authenticate: Basic"));
    assert_non_null(strstr(out, "application/vnd.git-lfs+json"));
    rig_once(GET("/ant/unauth"), out, sizeof out);
    assert_non_null(strstr(out, "{\"type\":\"error\",\"error\":{\"type\":\"authentication_error\""));
    rig_once(GET("/api/nothing"), out, sizeof out);
    assert_non_null(strstr(out, "{\"error\":"));
    rig_once("DELETE /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", out, sizeof out);
    assert_int_equal(rig_status(out), 405);
    assert_non_null(strstr(out, "Allow: GET, HEAD\r\n"));
    rig_once("OPTIONS /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", out, sizeof out);
    assert_int_equal(rig_status(out), 204);
}

static void gzip_bodies(void **st) {
    (void)st;
    unsigned char packed[512];
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    static unsigned char plain[20000];
    memset(plain, 'z', sizeof plain);
    z.next_in = plain;
    z.avail_in = sizeof plain;
    z.next_out = packed;
    z.avail_out = sizeof packed;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t n = sizeof packed - z.avail_out;
    deflateEnd(&z);
    for (int damage = 0; damage < 2; damage++) {
        int fd = rig_connect();
        char head[200];
        int k = snprintf(
            head, sizeof head,
            "POST /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
            n);
        if (damage) packed[n - 6] ^= 1;
        rig_send(fd, head, (size_t)k);
        rig_send(fd, packed, n);
        bool eof;
        rig_recv(fd, out, sizeof out, NULL, 3000, &eof);
        assert_int_equal(rig_status(out), damage ? 400 : 200);
        if (!damage) assert_non_null(strstr(out, "X-Len: 20000\r\n"));
        close(fd);
    }
}

static void proxies_and_reload(void **st) {
    (void)st;
    static const char req[] =
        "GET /who HTTP/1.1\r\nHost: seen.example\r\nX-Forwarded-For: 6.6.6.6, 9.9.9.9\r\nX-Forwarded-Proto: https\r\n"
        "X-Forwarded-Host: hub.example\r\n\r\n";
    int fd = rig_connect();
    bool eof;
    rig_send(fd, req, sizeof req - 1);
    rig_recv(fd, out, sizeof out, " 0", 3000, &eof);
    assert_non_null(strstr(out, "\r\n\r\nhttp://seen.example 127.0.0.1 0"));
    close(fd);
    struct http_config c = base_config;
    c.trusted_proxies[0] = STR("127.0.0.0/8");
    c.n_trusted_proxies = 1;
    assert_null(http_server_reload(server, &c));
    fd = rig_connect();
    rig_send(fd, req, sizeof req - 1);
    rig_recv(fd, out, sizeof out, " 1", 3000, &eof);
    assert_non_null(strstr(out, "\r\n\r\nhttps://hub.example 9.9.9.9 1"));
    c.public_url = STR("https://hub.example/base/");
    assert_null(http_server_reload(server, &c));
    rig_send(fd, req, sizeof req - 1); /* the same connection goes on, with the new snapshot */
    rig_recv(fd, out, sizeof out, " 1", 3000, &eof);
    assert_non_null(strstr(out, "\r\n\r\nhttps://hub.example/base 9.9.9.9 1"));
    close(fd);
    c.trusted_proxies[0] = STR("nonsense");
    assert_ptr_equal(http_server_reload(server, &c), E_BAD_REQUEST);
    assert_null(http_server_reload(server, &base_config));
}

static void a_client_that_leaves_is_noticed(void **st) {
    (void)st;
    int fd = rig_connect();
    rig_send(fd, GET("/gone"), sizeof GET("/gone") - 1);
    while (slow_running != 3) usleep(1000);
    usleep(20000);
    assert_int_equal(gone_seen, 0);
    close(fd);
    for (int i = 0; i < 200 && gone_seen == 0; i++) usleep(10000);
    assert_int_equal(gone_seen, 2);
}

static void metrics_name_routes(void **st) {
    (void)st;
    struct buf b;
    buf_init(&b, MiB);
    http_server_metrics(server, &b);
    buf_char(&b, '\0');
    assert_non_null(strstr(b.p, "ballast_http_requests_total{route=\"/hello\",class=\"2xx\"} "));
    assert_non_null(strstr(b.p, "ballast_http_requests_total{route=\"none\",class=\"4xx\"} "));
    assert_non_null(strstr(b.p, "ballast_http_request_seconds_bucket{route=\"/hello\",le=\"+Inf\"} "));
    buf_release(&b);
}

static void stop_lets_running_requests_finish(void **st) {
    (void)st;
    int busy = rig_connect(), idle = rig_connect();
    slow_running = 0;
    rig_send(idle, "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n", 32);
    bool eof;
    rig_recv(idle, out, sizeof out, "hello\n", 3000, &eof);
    rig_send(busy, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n", 31);
    while (slow_running != 1) usleep(1000);
    http_server_stop(server, 5000);
    server = NULL;
    assert_int_equal(slow_running, 2);
    rig_recv(busy, out, sizeof out, NULL, 3000, &eof);
    assert_int_equal(rig_status(out), 200);
    assert_non_null(strstr(out, "Connection: close"));
    assert_int_equal(rig_recv(idle, out, sizeof out, NULL, 3000, &eof), 0);
    assert_true(eof);
    close(busy);
    close(idle);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(rig_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_not_equal(connect(fd, (struct sockaddr *)(void *)&a, sizeof a), 0);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keep_alive_and_pipelining),
        cmocka_unit_test(ambiguous_requests_close_the_connection),
        cmocka_unit_test(head_has_the_length_and_no_body),
        cmocka_unit_test(expect_continue),
        cmocka_unit_test(bodies_of_any_size_stream),
        cmocka_unit_test(too_large_bodies_are_refused_and_the_answer_arrives),
        cmocka_unit_test(slow_clients_meet_a_deadline),
        cmocka_unit_test(a_truncated_answer_looks_truncated),
        cmocka_unit_test(ranges_and_files),
        cmocka_unit_test(errors_by_dialect),
        cmocka_unit_test(gzip_bodies),
        cmocka_unit_test(proxies_and_reload),
        cmocka_unit_test(a_client_that_leaves_is_noticed),
        cmocka_unit_test(metrics_name_routes),
        cmocka_unit_test(stop_lets_running_requests_finish),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
