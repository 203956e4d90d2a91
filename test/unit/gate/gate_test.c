/* SPDX-License-Identifier: Apache-2.0 */
/* gate_test.c — a gateway between a raw client and scripted providers: each fault, seen from both ends. */
#include "gate_rig.h"

#include <signal.h>

#include "gate/gate_int.h"

static struct gate *gate;
static struct http_server *server;
static struct http_router *router;
static struct store *store;
static struct provider a, b;
static char dir[64];
static char out[1 << 20];

static struct principal someone = {.user_id = 42, .token_id = 7};
static err authorize(void *arg, struct http_req *r) {
    (void)arg;
    r->who = &someone;
    r->authenticated = true;
    return OK;
}

static void table_set(struct gate_provider p[2], bool only_a) {
    static char url[2][64];
    static struct {
        struct str name, upstream;
        struct gate_model_price price;
    } model[2];
    struct provider *src[2] = {&a, &b};
    for (int i = 0; i < 2; i++) {
        snprintf(url[i], sizeof url[i], "http://127.0.0.1:%u/v1", src[i]->port);
        model[i].name = STR("m");
        model[i].upstream = i == 0 ? STR("up/\"a\"") : STR("up-b");
        model[i].price = (struct gate_model_price){1000000, 2000000};
        p[i] = (struct gate_provider){.name = i == 0 ? STR("A") : STR("B"),
                                      .base_url = str_of(url[i]),
                                      .key = i == 0 ? STR("key-a\n") : STR("key-b"),
                                      .models = (void *)&model[i],
                                      .n_models = 1,
                                      .connect_timeout_ms = 300,
                                      .first_content_timeout_ms = 400,
                                      .idle_timeout_ms = 400,
                                      .answer_timeout_ms = 900,
                                      .priority = (unsigned)i};
    }
    (void)only_a;
}

/* Fresh providers and a fresh gate for each case: health must not leak between them. */
static void begin_n(const char *const sa[8], const char *const sb[8], size_t n) {
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    memcpy(a.steps, sa, sizeof a.steps);
    if (sb != NULL) memcpy(b.steps, sb, sizeof b.steps);
    provider_open(&a);
    provider_open(&b);
    struct gate_provider p[2];
    table_set(p, n == 1);
    struct gate_opts o = {.store = store, .providers = p, .n_providers = n};
    assert_null(gate_open(&o, &gate));
    router = http_router_new();
    assert_null(gate_routes(gate, router));
    struct http_config c = {.listen_host = STR("127.0.0.1"), .write_timeout_ms = 5000};
    struct http_hooks h = {.authorize = authorize};
    assert_null(http_server_start(&c, router, &h, &server));
    rig_port = http_server_port(server);
}
#define LIST(...) ((const char *const[8]){__VA_ARGS__})
#define begin(sa, sb) begin_n(sa, sb, 2)

static void end(void) {
    http_server_stop(server, 2000);
    gate_close(gate);
    http_router_free(router);
    provider_close(&a);
    provider_close(&b);
}

static size_t post(const char *path, const char *json) {
    static char req[4096];
    snprintf(req, sizeof req, "POST %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", path,
             strlen(json), json);
    return rig_once(req, out, sizeof out);
}
#define STREAM "{\"model\":\"m\",\"stream\":true,\"messages\":[]}"
#define PLAIN "{ \"messages\":[], \"model\" : \"m\" }"
#define CHAT "/v1/chat/completions"

static unsigned occurrences(const char *needle) {
    unsigned n = 0;
    for (const char *p = out; (p = strstr(p, needle)) != NULL; p++) n++;
    return n;
}

/* B's clean stream, nothing of A. */
static void assert_stream_of_b(const char *what) {
    if (rig_status(out) != 200 || occurrences("[DONE]") != 1 || strstr(out, "b1") == NULL ||
        strstr(out, "b2") == NULL || strstr(out, "error") != NULL || occurrences("\"role\"") != 1 ||
        strstr(out, "\r\n0\r\n\r\n") == NULL)
        fail_msg("%s: %s", what, out);
    assert_non_null(strstr(out, "x-ballast-target: B\r\n"));
}
#define B_STREAM SSE_HEAD, ROLE TOK("b1"), TOK("b2") FIN USE DONE

static void a_stream_is_passed_on(void **st) {
    (void)st;
    begin(LIST(SSE_HEAD, ": hello\n\n" ROLE TOK("a1"), "SLEEP", TOK("a2") FIN USE DONE), LIST(B_STREAM));
    post(CHAT, STREAM);
    assert_int_equal(rig_status(out), 200);
    assert_non_null(strstr(out, "x-ballast-target: A\r\n"));
    assert_non_null(strstr(out, "x-ballast-attempts: 1\r\n"));
    assert_non_null(strstr(out, "X-Accel-Buffering: no\r\n"));
    assert_non_null(strstr(out, "Cache-Control: no-cache\r\n"));
    assert_non_null(strstr(out, "Content-Type: text/event-stream"));
    assert_non_null(strstr(out, ": hello\n\n" ROLE TOK("a1")));
    /* usage was asked for by us only: the ledger has it, the client does not */
    assert_non_null(strstr(a.request, "\"stream_options\":{\"include_usage\":true}}"));
    assert_null(strstr(out, "usage"));
    assert_non_null(strstr(a.request, "\r\nAuthorization: Bearer key-a\r\n"));
    assert_non_null(strstr(a.request, "{\"model\":\"up/\\\"a\\\"\",\"stream\":true,\"messages\":[]"));
    assert_non_null(strstr(a.request, "POST /v1/chat/completions HTTP/1.1\r\n"));
    assert_int_equal(b.hits, 0);
    end();
}

/* Regression: the CRLF behind a chunk counted as buffered data, and events waited for the next chunk. */
static void chunked_events_pass_one_by_one(void **st) {
    (void)st;
    begin(LIST("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
               "4f\r\n" TOK("a1") "\r\n", "HANG"),
          NULL);
    assert_int_equal(sizeof TOK("a1") - 1, 0x4f);
    int fd = rig_connect();
    char req[300];
    int n = snprintf(req, sizeof req, "POST " CHAT " HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n%s",
                     strlen(STREAM), STREAM);
    int64_t t0 = clock_mono_ms();
    bool eof;
    rig_send(fd, req, (size_t)n);
    rig_recv(fd, out, sizeof out, TOK("a1") "\r\n", 2000, &eof);
    assert_non_null(strstr(out, "a1"));
    assert_true(clock_mono_ms() - t0 < 350); /* the stall is noticed after 400 ms */
    close(fd);
    end();
}

static void usage_asked_for_is_passed_on(void **st) {
    (void)st;
    begin(LIST(SSE_HEAD, ROLE TOK("a1") FIN USE DONE), LIST(B_STREAM));
    post(CHAT, "{\"model\":\"m\",\"stream_options\":{\"include_usage\":true},\"stream\":true}");
    assert_non_null(strstr(out, "\"usage\":{\"prompt_tokens\":7"));
    assert_int_equal(occurrences("[DONE]"), 1);
    end();
}

static void a_plain_answer_is_byte_equal(void **st) {
    (void)st;
    begin(LIST(WHOLE("a1")), LIST(WHOLE("b1")));
    post(CHAT, PLAIN);
    assert_int_equal(rig_status(out), 200);
    assert_string_equal(strstr(out, "\r\n\r\n") + 4, strstr(WHOLE("a1"), "\r\n\r\n") + 4);
    assert_non_null(strstr(a.request, "\r\n\r\n{ \"messages\":[], \"model\" : \"up/\\\"a\\\"\" }"));
    end();
}

/* Regression: judging a batch of embeddings must not exhaust the request's arena. */
static void a_large_batch_of_embeddings_passes(void **st) {
    (void)st;
    enum { NUMBERS = 2000000 };
    static char big[4 * NUMBERS + 300];
    size_t n = (size_t)snprintf(big, sizeof big, JSON_HEAD "{\"data\":[{\"embedding\":[0.5");
    for (int i = 1; i < NUMBERS; i++, n += 4) memcpy(big + n, ",0.5", 4);
    snprintf(big + n, sizeof big - n, "]}]}");
    begin(LIST(big), NULL);
    static const char req[] = "POST /v1/embeddings HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: "
                              "23\r\n\r\n{\"model\":\"m\",\"input\":1}";
    int fd = rig_connect();
    rig_send(fd, req, sizeof req - 1);
    static char back[4 * NUMBERS + 2000];
    bool eof;
    rig_recv(fd, back, sizeof back, NULL, 20000, &eof);
    assert_int_equal(rig_status(back), 200);
    assert_string_equal(strstr(back, "\r\n\r\n") + 4, strstr(big, "\r\n\r\n") + 4);
    close(fd);
    end();
}

static void faults_before_content_go_to_the_next_target(void **st) {
    (void)st;
    static const struct {
        const char *what;
        const char *steps[8];
    } t[] = {
        {"closed at once", {NULL}},
        {"reset", {"RST"}},
        {"500", {"HTTP/1.1 500 X\r\nConnection: close\r\n\r\noops"}},
        {"502 page", {"HTTP/1.1 502 X\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>"}},
        {"529", {"HTTP/1.1 529 X\r\nContent-Length: 0\r\n\r\n"}},
        {"429", {"HTTP/1.1 429 X\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"}},
        {"401 of our key", {"HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n"}},
        {"402", {"HTTP/1.1 402 X\r\nContent-Length: 0\r\n\r\n"}},
        {"403", {"HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n"}},
        {"redirect", {"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"}},
        {"hang before headers", {"HANG"}},
        {"hang after headers", {SSE_HEAD, "HANG"}},
        {"hang after the role", {SSE_HEAD, ROLE, "HANG"}},
        {"reset after the role", {SSE_HEAD, ROLE, "RST"}},
        {"error in a 200 body", {JSON_HEAD "{\"error\":{\"message\":\"x\"}}"}},
        {"error event first", {SSE_HEAD, "data: {\"error\":{\"message\":\"x\"}}\n\n"}},
        {"error event after the role", {SSE_HEAD, ROLE "data: {\"error\":{\"message\":\"x\"}}\n\n"}},
        {"a whole answer instead of a stream", {WHOLE("a1")}},
        {"html in a 200", {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>"}},
        {"broken json in a 200", {JSON_HEAD "{\"choices\":[{"}},
        {"short body",
         {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{\"choices\":[1]}"}},
        {"empty stream", {SSE_HEAD}},
        {"done only", {SSE_HEAD, DONE}},
        {"role and done only", {SSE_HEAD, ROLE DONE}},
        {"two lengths", {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc"}},
        {"not http", {"hello there\r\n\r\n"}},
        {"compressed",
         {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nConnection: "
          "close\r\n\r\n\x1f\x8b"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        begin(t[i].steps, LIST(B_STREAM));
        post(CHAT, STREAM);
        assert_stream_of_b(t[i].what);
        if (a.hits != 1 || b.hits != 1) fail_msg("%s: A %u B %u", t[i].what, a.hits, b.hits);
        assert_non_null(strstr(out, "x-ballast-attempts: 2\r\n"));
        if (strstr(out, "etry-") != NULL) fail_msg("%s: Retry-After leaked", t[i].what);
        /* the next request does not try A first */
        post(CHAT, STREAM);
        assert_stream_of_b(t[i].what);
        if (a.hits != 1) fail_msg("%s: A was asked again", t[i].what);
        end();
    }
}

/* A whole answer has a wait of its own: longer than that of a stream's first content, but not for ever. */
static void a_whole_answer_that_hangs_goes_to_the_next(void **st) {
    (void)st;
    static const char *const hangs[][8] = {{"HANG"}, {JSON_HEAD, "HANG"}};
    for (size_t i = 0; i < ARRAY_LEN(hangs); i++) {
        begin(hangs[i], LIST(WHOLE("b1")));
        int64_t t0 = clock_mono_ms();
        post(CHAT, PLAIN);
        int64_t ms = clock_mono_ms() - t0;
        if (rig_status(out) != 200 || strstr(out, "b1") == NULL || ms < 850 || ms > 4000)
            fail_msg("shape %zu after %d ms: %s", i, (int)ms, out);
        end();
    }
    begin(LIST("SLEEP", JSON_HEAD, "SLEEP", strstr(WHOLE("a1"), "\r\n\r\n") + 4), LIST(WHOLE("b1")));
    post(CHAT, PLAIN); /* 600 ms: longer than first_content_timeout_ms, which is for streams */
    assert_non_null(strstr(out, "a1"));
    end();
}

static void a_refused_connection_goes_to_the_next(void **st) {
    (void)st;
    begin(LIST(NULL), LIST(WHOLE("b1")));
    shutdown(a.fd, SHUT_RDWR);
    close(a.fd);
    post(CHAT, PLAIN);
    assert_int_equal(rig_status(out), 200);
    assert_non_null(strstr(out, "b1"));
    http_server_stop(server, 2000);
    gate_close(gate);
    http_router_free(router);
    pthread_join(a.thread, NULL);
    provider_close(&b);
}

static void the_clients_mistakes_go_back_once(void **st) {
    (void)st;
    static const char body[] =
        "{\"error\":{\"message\":\"maximum context length\",\"code\":\"context_length_exceeded\"}}";
    static char answer[300];
    snprintf(answer, sizeof answer, "HTTP/1.1 400 X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(body), body);
    begin(LIST(answer), LIST(WHOLE("b1")));
    for (int i = 0; i < 5; i++) {
        post(CHAT, STREAM);
        assert_int_equal(rig_status(out), 400);
        assert_string_equal(strstr(out, "\r\n\r\n") + 4, body);
    }
    assert_int_equal(a.hits, 5); /* the breaker was not touched */
    assert_int_equal(b.hits, 0);
    end();
}

/* A provider that does not know stream_options: the client has not sent it and must not hear of it. */
static void a_refused_wish_for_usage_is_left_out(void **st) {
    (void)st;
    static const char body[] = "{\"error\":{\"message\":\"Unrecognized request argument: stream_options\"}}";
    static char answer[300];
    snprintf(answer, sizeof answer, "HTTP/1.1 400 X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(body), body);
    begin_n(LIST(answer, "IF stream_options", SSE_HEAD, ROLE TOK("a1") FIN DONE), NULL, 1);
    post(CHAT, STREAM);
    assert_int_equal(rig_status(out), 200);
    assert_non_null(strstr(out, "a1"));
    assert_int_equal(a.hits, 2);
    post(CHAT, STREAM); /* remembered */
    assert_int_equal(a.hits, 3);
    /* a client's own wish is its own affair */
    post(CHAT, "{\"model\":\"m\",\"stream_options\":{\"include_usage\":true},\"stream\":true}");
    assert_int_equal(rig_status(out), 400);
    assert_int_equal(a.hits, 4);
    end();
}

static void all_fail_is_one_honest_503(void **st) {
    (void)st;
    begin(LIST("HTTP/1.1 429 X\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n"),
          LIST("HTTP/1.1 429 X\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n"));
    for (int i = 0; i < 3; i++) {
        post(CHAT, i % 2 ? STREAM : PLAIN);
        assert_int_equal(rig_status(out), 503);
        assert_non_null(strstr(out, "Retry-After: 3\r\n"));
        assert_non_null(strstr(out, "\"code\":\"no_target_available\""));
    }
    assert_int_equal(a.hits + b.hits, 2); /* both rest: no storm */
    end();
}

static void repeated_failures_open_the_breaker(void **st) {
    (void)st;
    begin_n(LIST("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"), NULL, 1);
    for (int i = 0; i < 10; i++) {
        post(CHAT, PLAIN);
        assert_int_equal(rig_status(out), 503);
        assert_non_null(strstr(out, "Retry-After: "));
    }
    assert_int_equal(a.hits, 3);
    usleep(1100000);
    post(CHAT, PLAIN); /* one probe after the rest */
    post(CHAT, PLAIN);
    assert_int_equal(a.hits, 4);
    end();
}

static void death_after_content_is_an_error_event_and_a_cut(void **st) {
    (void)st;
    static const struct {
        const char *what;
        const char *steps[8];
    } t[] = {
        {"reset", {SSE_HEAD, ROLE TOK("a1"), "SLEEP", "RST"}},
        {"end without finish", {SSE_HEAD, ROLE TOK("a1")}},
        {"stall", {SSE_HEAD, ROLE TOK("a1"), "HANG"}},
        {"error event", {SSE_HEAD, ROLE TOK("a1") "data: {\"error\":{\"message\":\"mid\"}}\n\n" DONE}},
        {"cut chunk",
         {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
          "4f\r\n" TOK("a1") "\r\n", "40\r\ndata"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        begin(t[i].steps, LIST(B_STREAM));
        post(CHAT, STREAM);
        if (rig_status(out) != 200 || strstr(out, "a1") == NULL || strstr(out, "\"code\":\"upstream_cut\"") == NULL ||
            strstr(out, "[DONE]") != NULL || strstr(out, "\r\n0\r\n") != NULL || strstr(out, "b1") != NULL)
            fail_msg("%s: %s", t[i].what, out);
        assert_int_equal(b.hits, 0);
        end();
    }
}

static void streams_with_quirks_end_well(void **st) {
    (void)st;
    /* no [DONE] after a finish reason: added */
    begin(LIST(SSE_HEAD, ROLE TOK("a1") FIN), NULL);
    post(CHAT, STREAM);
    assert_int_equal(occurrences("[DONE]"), 1);
    assert_non_null(strstr(out, "\r\n0\r\n\r\n"));
    end();
    /* a line that is not JSON is dropped */
    begin(LIST(SSE_HEAD, ROLE TOK("a1") "data: {\"choices\":[{\"ind\n\n" TOK("a2") FIN DONE), NULL);
    post(CHAT, STREAM);
    assert_null(strstr(out, "[{\"ind\n"));
    assert_non_null(strstr(out, "a2"));
    end();
    /* the upstream never closes after [DONE]: the client does not wait */
    begin(LIST(SSE_HEAD, ROLE TOK("a1") FIN DONE, "HANG"), NULL);
    int64_t t0 = clock_mono_ms();
    post(CHAT, STREAM);
    assert_true(clock_mono_ms() - t0 < 350);
    assert_int_equal(occurrences("[DONE]"), 1);
    end();
    /* HTTP/1.0: no length, no chunks, the end of the connection ends the answer */
    begin(LIST("HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", ROLE TOK("a1") FIN DONE), NULL);
    post(CHAT, STREAM);
    assert_int_equal(occurrences("[DONE]"), 1);
    assert_non_null(strstr(out, "\r\n0\r\n\r\n"));
    end();
    begin(LIST("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n", strstr(WHOLE("a1"), "\r\n\r\n") + 4), NULL);
    post(CHAT, PLAIN);
    assert_string_equal(strstr(out, "\r\n\r\n") + 4, strstr(WHOLE("a1"), "\r\n\r\n") + 4);
    end();
    /* Regression: half a surrogate pair at the end of a token, or a member twice, lost the event and its text */
    begin(LIST(SSE_HEAD,
               ROLE TOK("a1\\ud83d") TOK(
                   "\\ude00") "data: {\"id\":1,\"id\":2,\"choices\":[{\"delta\":{\"content\":\"a3\"}}]}\n\n" FIN DONE),
          NULL);
    post(CHAT, STREAM);
    assert_non_null(strstr(out, TOK("a1\\ud83d") TOK("\\ude00")));
    assert_non_null(strstr(out, "a3"));
    end();
    /* CRLF line ends and a byte order mark */
    begin(LIST(SSE_HEAD, "\xef\xbb\xbf"
                         "data: {\"choices\":[{\"delta\":{\"content\":\"a1\"}}]}\r\n\r\ndata: "
                         "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\r\n\r\ndata: [DONE]\r\n\r\n"),
          NULL);
    post(CHAT, STREAM);
    assert_int_equal(occurrences("[DONE]"), 1);
    assert_non_null(strstr(out, "a1"));
    end();
}

static void a_client_that_leaves_stops_the_upstream(void **st) {
    (void)st;
    static const char *const phases[][8] = {{"HANG"}, {SSE_HEAD, "HANG"}, {SSE_HEAD, ROLE TOK("a1"), "HANG"}};
    for (size_t i = 0; i < ARRAY_LEN(phases); i++) {
        begin(phases[i], LIST("HANG"));
        int fd = rig_connect();
        char req[300];
        int n = snprintf(req, sizeof req, "POST " CHAT " HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n%s",
                         strlen(STREAM), STREAM);
        rig_send(fd, req, (size_t)n);
        for (int k = 0; k < 300 && a.hits == 0; k++) usleep(1000);
        usleep(50000);
        assert_int_equal(a.left, 0);
        close(fd);
        for (int k = 0; k < 300 && a.left == 0; k++) usleep(1000);
        if (a.left != 1 || b.hits != 0) fail_msg("phase %zu: left %u, B %u", i, a.left, b.hits);
        end();
    }
}

static void bad_requests_are_named(void **st) {
    (void)st;
    static const struct {
        const char *json;
        int status;
        const char *text;
    } t[] = {
        {"{\"model\":\"nobody\"}", 404, "model_not_found"},
        {"{}", 400, "model"},
        {"{\"model\":1}", 400, "model"},
        {"[]", 400, "object"},
        {"{\"model\":\"m\",\"model\":\"x\"}", 400, "duplicate key"},
        {"{\"model\":\"m\",\"stream\":\"yes\"}", 400, "stream"},
        {"{\"model\":\"m\",\"stream\":true,\"stream_options\":3}", 400, "stream_options"},
        {"nonsense", 400, "line 1"},
    };
    begin(LIST(WHOLE("a1")), NULL);
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        post(CHAT, t[i].json);
        if (rig_status(out) != t[i].status || strstr(out, t[i].text) == NULL ||
            strstr(out, "\"type\":\"invalid_request_error\"") == NULL)
            fail_msg("%s: %s", t[i].json, out);
    }
    assert_int_equal(a.hits, 0);
    end();
}

static void splices(void **st) {
    (void)st;
    static const struct {
        const char *in, *want;
    } t[] = {
        {"{\"model\":\"m\",\"stream\":true}",
         "{\"model\":\"X\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}"},
        {"{\"stream_options\":{},\"stream\":true,\"model\":\"m\"} ",
         "{\"stream_options\":{\"include_usage\":true},\"stream\":true,\"model\":\"X\"} "},
        {"{\"stream_options\":{\"a\":1},\"stream\":true,\"model\":\"m\"}",
         "{\"stream_options\":{\"include_usage\":true,\"a\":1},\"stream\":true,\"model\":\"X\"}"},
        {"{\"stream_options\":null,\"stream\":true,\"model\":\"m\"}",
         "{\"stream_options\":{\"include_usage\":true},\"stream\":true,\"model\":\"X\"}"},
        {"{\"stream\":true,\"model\":\"m\",\"stream_options\":{\"include_usage\":false}}",
         "{\"stream\":true,\"model\":\"X\",\"stream_options\":{\"include_usage\":true}}"},
        {"{\"stream\":true,\"model\":\"m\",\"stream_options\":{\"include_usage\":true}}",
         "{\"stream\":true,\"model\":\"X\",\"stream_options\":{\"include_usage\":true}}"},
        {" {\"x\":{\"model\":\"y\"},\"mod\\u0065l\":\"\\u006d\"}", " {\"x\":{\"model\":\"y\"},\"mod\\u0065l\":\"X\"}"},
        {"{\"seed\":123456789012345678901234567890,\"x\":-1.50e+0400, \"model\" :\"m\",\t\"s\":\"\\u00e9\\/\\ud83d\"}",
         "{\"seed\":123456789012345678901234567890,\"x\":-1.50e+0400, \"model\" :\"X\",\t\"s\":\"\\u00e9\\/\\ud83d\"}"},
        {"{\"model\":\"m\",\"stream\":false}", "{\"model\":\"X\",\"stream\":false}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct arena ar;
        arena_init(&ar, MiB);
        struct http_req r = {.arena = &ar};
        struct gate_req q;
        if (request_scan(&r, str_of(t[i].in), true, &q) != OK) fail_msg("%s: %s", t[i].in, err_text());
        struct target tg = {.upstream_json = STR("\"X\"")};
        struct str parts[6];
        struct buf bb;
        buf_init(&bb, 4096);
        size_t n = request_splice(&q, &tg, parts);
        for (size_t k = 0; k < n; k++) buf_str(&bb, parts[k]);
        if (!str_eqz(buf_view(&bb), t[i].want)) fail_msg("%s: " STR_FMT, t[i].in, STR_ARG(buf_view(&bb)));
        buf_release(&bb);
        arena_release(&ar);
    }
}

static int64_t db_sum(const char *sql) {
    struct stmt *s;
    bool row;
    assert_null(db_prep(db_reader(store), sql, &s));
    assert_null(db_step(s, &row));
    int64_t v = row ? db_i64(s, 0) : -1;
    db_done(s);
    return v;
}

static void every_request_is_one_row(void **st) {
    (void)st;
    db_write_flush(store);
    int64_t before = db_sum("SELECT count(*) FROM usage_row");
    begin(LIST(SSE_HEAD, ROLE TOK("a1") FIN USE DONE), NULL);
    for (int i = 0; i < 150; i++) post(CHAT, STREAM);
    end(); /* closing flushes */
    assert_int_equal(db_sum("SELECT count(*) FROM usage_row"), before + 150);
    assert_int_equal(db_sum("SELECT count(*) FROM usage_row WHERE user_id = 42 AND token_id = 7 AND prompt_tokens = 7 "
                            "AND completion_tokens = 2"
                            " AND outcome = 'ok' AND cost_micros = 11 AND estimated = 0 AND stream = 1 AND attempts = "
                            "1 AND provider = 'A'") >= 150,
                     1);
    assert_true(
        db_sum("SELECT count(*) FROM usage_row WHERE outcome = 'cut' AND estimated = 1 AND completion_tokens = 1") >=
        4);
    assert_true(db_sum("SELECT count(*) FROM usage_row WHERE outcome = 'client_gone' AND status = 499") >= 3);
    assert_true(db_sum("SELECT count(*) FROM usage_row WHERE outcome = 'exhausted' AND cost_micros = 0") >= 10);
    assert_true(
        db_sum("SELECT count(*) FROM usage_row WHERE outcome = 'client_error' AND status = 400 AND cost_micros = 0") ==
        6);
    assert_int_equal(db_sum("SELECT count(*) FROM usage_row WHERE model <> 'm'"), 0);
}

/* A provider that reports no usage: four bytes of text a token, and the row says that it is a guess. */
static void usage_not_reported_is_guessed_and_marked(void **st) {
    (void)st;
    static const char body[] = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"twelve bytes\"},"
                               "{\"content\":[{\"type\":\"text\",\"text\":\"four\"},{\"type\":\"image_url\","
                               "\"image_url\":{\"url\":\"data:image/png;base64,AAAAAAAAAAAA\"}}]}]}";
    begin(LIST(JSON_HEAD "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"8 bytes.\"}}]}"), NULL);
    post(CHAT, body);
    assert_int_equal(rig_status(out), 200);
    end();
    assert_int_equal(db_sum("SELECT count(*) FROM usage_row WHERE outcome = 'ok' AND stream = 0 AND estimated = 1 AND "
                            "prompt_tokens = 4 AND completion_tokens = 2 AND cost_micros = 8"),
                     1);
    begin(LIST(JSON_HEAD "{\"data\":[{\"embedding\":[0.5]}]}"), NULL);
    post("/v1/embeddings", "{\"model\":\"m\",\"input\":[\"four\",\"more\",\"than\"]}");
    assert_int_equal(rig_status(out), 200);
    end();
    assert_int_equal(db_sum("SELECT count(*) FROM usage_row WHERE outcome = 'ok' AND estimated = 1 AND "
                            "prompt_tokens = 3 AND completion_tokens = 0"),
                     1);
}

/* Deployed but without a replica: not "does not exist", but why and when to come back. */
static void a_deployment_without_replicas_says_why(void **st) {
    (void)st;
    begin(LIST(WHOLE("a1")), LIST(WHOLE("b1")));
    static const char body[] = "{\"model\":\"mine\"}";
    assert_null(gate_expect(gate, 5, STR("mine"), 0, "starting"));
    assert_null(gate_expect(gate, 5, STR("mine"), 0, "failed: the file is blocked"));
    post(CHAT, body);
    assert_int_equal(rig_status(out), 503);
    assert_non_null(strstr(out, "Retry-After: 5\r\n"));
    assert_non_null(strstr(out, "failed: the file is blocked"));
    assert_non_null(strstr(out, "\"code\":\"deployment_not_ready\""));
    gate_unexpect(gate, 5);
    post(CHAT, body);
    assert_int_equal(rig_status(out), 404);
    assert_null(gate_expect(gate, 6, STR("mine"), 99, "secret reason")); /* of a private repository */
    post(CHAT, body);
    assert_int_equal(rig_status(out), 404);
    rig_once("GET /v1/models HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", out, sizeof out);
    assert_null(strstr(out, "mine"));
    assert_true(gate_is_remote(gate, STR("m")));
    assert_false(gate_is_remote(gate, STR("mine")));
    end();
}

/* One name, a provider's model and a private deployment: who may not read the repository gets the provider only. */
static void a_private_replica_beside_a_provider_is_not_asked(void **st) {
    (void)st;
    begin(LIST(WHOLE("a1")), LIST(WHOLE("b1")));
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1", b.port);
    struct gate_provider p[2];
    table_set(p, true);
    assert_null(gate_reload(gate, p, 1));
    struct gate_local l = {
        .deployment_id = 5, .model = STR("m"), .base_url = str_of(url), .upstream_model = STR("alias"), .repo_id = 99};
    assert_null(gate_local_add(gate, &l));
    assert_null(gate_expect(gate, 5, STR("m"), 99, "ready"));
    for (int i = 0; i < 4; i++) {
        post(CHAT, PLAIN);
        assert_non_null(strstr(out, "x-ballast-target: A\r\n"));
    }
    assert_int_equal(b.hits, 0);
    someone.is_admin = true;
    for (int i = 0; i < 4; i++) post(CHAT, PLAIN);
    someone.is_admin = false;
    assert_true(b.hits > 0);
    end();
}

static void replicas_come_and_go(void **st) {
    (void)st;
    begin(LIST(WHOLE("a1")), LIST("SLEEP", WHOLE("b1")));
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1", b.port);
    struct gate_local l = {.deployment_id = 5,
                           .replica = 1,
                           .model = STR("mine"),
                           .base_url = str_of(url),
                           .upstream_model = STR("alias")};
    assert_null(gate_local_add(gate, &l));
    assert_ptr_equal(gate_local_add(gate, &l), E_CONFLICT);
    rig_once("GET /v1/models HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", out, sizeof out);
    assert_non_null(strstr(out, "\"id\":\"m\""));
    assert_non_null(strstr(out, "\"id\":\"mine\""));
    int fd = rig_connect();
    static const char body[] = "{\"model\":\"mine\"}";
    char req[200];
    int n = snprintf(req, sizeof req,
                     "POST " CHAT " HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
                     sizeof body - 1, body);
    rig_send(fd, req, (size_t)n);
    for (int k = 0; k < 300 && b.hits == 0; k++) usleep(1000);
    gate_local_remove(gate, 5, 1);
    assert_int_equal(gate_local_busy(gate, 5, 1), 1); /* it still answers */
    bool eof;
    rig_recv(fd, out, sizeof out, NULL, 3000, &eof);
    assert_int_equal(rig_status(out), 200);
    assert_non_null(strstr(out, "x-ballast-target: local-5-1\r\n"));
    close(fd);
    usleep(20000);
    assert_int_equal(gate_local_busy(gate, 5, 1), 0);
    post(CHAT, body);
    assert_int_equal(rig_status(out), 404);
    /* a model of a private repository is hidden from those who may not read it */
    l.repo_id = 99;
    assert_null(gate_local_add(gate, &l));
    post(CHAT, body);
    assert_int_equal(rig_status(out), 404);
    someone.is_admin = true;
    post(CHAT, body);
    assert_int_equal(rig_status(out), 200);
    someone.is_admin = false;
    end();
}

static void reload_keeps_what_did_not_change(void **st) {
    (void)st;
    begin(LIST("HTTP/1.1 429 X\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"), LIST(WHOLE("b1")));
    post(CHAT, PLAIN);
    struct gate_provider p[2];
    table_set(p, false);
    assert_null(gate_reload(gate, p, 2));
    post(CHAT, PLAIN);
    assert_int_equal(a.hits, 1); /* still resting */
    p[0].key = STR("new key");
    assert_null(gate_reload(gate, p, 2));
    post(CHAT, PLAIN);
    assert_int_equal(a.hits, 2); /* a new key is a new start */
    p[1].base_url = STR("nonsense");
    assert_non_null(gate_reload(gate, p, 2));
    post(CHAT, PLAIN);
    assert_int_equal(rig_status(out), 200); /* the old table stays */
    struct buf m;
    buf_init(&m, MiB);
    gate_metrics(gate, &m);
    buf_char(&m, '\0');
    assert_non_null(strstr(m.p, "ballast_gate_target_resting{model=\"m\",target=\"A\"} 1\n"));
    assert_non_null(strstr(m.p, "ballast_gate_requests_total 4\n"));
    buf_release(&m);
    end();
}

static int setup(void **st) {
    (void)st;
    signal(SIGPIPE, SIG_IGN);
    struct rt_limits lim = {.n_loops = 2};
    assert_null(rt_start(&lim));
    snprintf(dir, sizeof dir, "/tmp/gate-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
    struct store_opts o = {.dir = dir};
    assert_null(store_open(&o, &store));
    return 0;
}

static int teardown(void **st) {
    (void)st;
    rt_stop();
    store_close(store);
    char cmd[100];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splices),
        cmocka_unit_test(a_stream_is_passed_on),
        cmocka_unit_test(chunked_events_pass_one_by_one),
        cmocka_unit_test(usage_asked_for_is_passed_on),
        cmocka_unit_test(a_plain_answer_is_byte_equal),
        cmocka_unit_test(a_large_batch_of_embeddings_passes),
        cmocka_unit_test(faults_before_content_go_to_the_next_target),
        cmocka_unit_test(a_whole_answer_that_hangs_goes_to_the_next),
        cmocka_unit_test(a_refused_connection_goes_to_the_next),
        cmocka_unit_test(the_clients_mistakes_go_back_once),
        cmocka_unit_test(a_refused_wish_for_usage_is_left_out),
        cmocka_unit_test(all_fail_is_one_honest_503),
        cmocka_unit_test(repeated_failures_open_the_breaker),
        cmocka_unit_test(death_after_content_is_an_error_event_and_a_cut),
        cmocka_unit_test(streams_with_quirks_end_well),
        cmocka_unit_test(a_client_that_leaves_stops_the_upstream),
        cmocka_unit_test(bad_requests_are_named),
        cmocka_unit_test(every_request_is_one_row),
        cmocka_unit_test(usage_not_reported_is_guessed_and_marked),
        cmocka_unit_test(a_deployment_without_replicas_says_why),
        cmocka_unit_test(a_private_replica_beside_a_provider_is_not_asked),
        cmocka_unit_test(replicas_come_and_go),
        cmocka_unit_test(reload_keeps_what_did_not_change),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
