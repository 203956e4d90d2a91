/* SPDX-License-Identifier: Apache-2.0 */
/* h1_test.c — the table of request shapes that two parsers could read differently, and the good ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "h1_shapes.h"
#include "http/h1.h"

static enum h1_result parse(struct h1_req *r, struct http_header *h, struct str in) {
    *r = (struct h1_req){.headers = h};
    /* An exact-size copy, so that a read past the end is seen by the sanitizer. */
    char *p = malloc(in.n + 1);
    assert_non_null(p);
    memcpy(p, in.p, in.n);
    char *q = malloc(in.n > 0 ? in.n : 1);
    assert_non_null(q);
    memcpy(q, p, in.n);
    free(p);
    enum h1_result res = h1_req_parse(r, q, in.n);
    free(q);
    return res;
}

static void ambiguous_shapes_are_refused(void **st) {
    (void)st;
    assert_true(N_BAD_SHAPES >= 60);
    for (size_t i = 0; i < N_BAD_SHAPES; i++) {
        struct http_header h[HTTP_MAX_HEADERS];
        struct h1_req r;
        enum h1_result res = parse(&r, h, bad_shapes[i].bytes);
        if (bad_shapes[i].in_body) {
            if (res != H1_OK) fail_msg("%s: the head itself should be fine (%s)", bad_shapes[i].what, r.why);
            struct h1_chunk c = {0};
            enum h1_chunk_result cr = H1_CHUNK_MORE;
            for (size_t at = r.head_len; at < bad_shapes[i].bytes.n;) {
                size_t used;
                struct str data;
                cr = h1_chunk_next(&c, bad_shapes[i].bytes.p + at, bad_shapes[i].bytes.n - at, &used, &data);
                if (cr == H1_CHUNK_BAD || cr == H1_CHUNK_END) break;
                at += used;
            }
            if (cr != H1_CHUNK_BAD) fail_msg("%s: chunked body accepted", bad_shapes[i].what);
            continue;
        }
        if (res != H1_BAD) fail_msg("%s: not refused", bad_shapes[i].what);
        if (r.status != bad_shapes[i].status)
            fail_msg("%s: status %d (%s), expected %d", bad_shapes[i].what, r.status, r.why, bad_shapes[i].status);
    }
}

static void long_lines_and_many_headers(void **st) {
    (void)st;
    static char big[H1_HEAD_MAX + 100];
    struct http_header h[HTTP_MAX_HEADERS];
    struct h1_req r = {.headers = h};
    memset(big, 'a', sizeof big);
    memcpy(big, "GET /", 5);
    assert_int_equal(h1_req_parse(&r, big, 8000), H1_MORE);
    assert_int_equal(h1_req_parse(&r, big, 9000), H1_BAD);
    assert_int_equal(r.status, 414);
    memcpy(big, "GET / HTTP/1.1\r\nHost: x\r\nX: ", 28);
    assert_int_equal(h1_req_parse(&r, big, 30000), H1_MORE);
    assert_int_equal(h1_req_parse(&r, big, H1_HEAD_MAX), H1_BAD);
    assert_int_equal(r.status, 431);
    size_t n = (size_t)snprintf(big, sizeof big, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 63; i++) n += (size_t)snprintf(big + n, sizeof big - n, "A%d: b\r\n", i);
    memcpy(big + n, "\r\n", 2);
    assert_int_equal(h1_req_parse(&r, big, n + 2), H1_OK);
    assert_int_equal(r.n_headers, 64);
    memcpy(big + n, "Z: b\r\n\r\n", 8);
    assert_int_equal(h1_req_parse(&r, big, n + 8), H1_BAD);
    assert_int_equal(r.status, 431);
}

static const char good[] =
    "POST /a%20b/c?q=1&r=/../ HTTP/1.1\r\nHost: example.org:80\r\nX-Empty:\r\nAccept:  text/html, */* \t\r\n"
    "Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello";

static void a_good_request(void **st) {
    (void)st;
    struct http_header h[HTTP_MAX_HEADERS];
    struct h1_req r = {.headers = h};
    size_t head = sizeof good - 1 - 5;
    for (size_t n = 0; n < head; n++) assert_int_equal(h1_req_parse(&r, good, n), H1_MORE);
    assert_int_equal(h1_req_parse(&r, good, sizeof good - 1), H1_OK);
    assert_int_equal(r.head_len, head);
    assert_int_equal(r.method, HTTP_POST);
    assert_true(str_eqz(r.path, "/a%20b/c"));
    assert_true(str_eqz(r.query, "q=1&r=/../"));
    assert_true(str_eqz(r.host, "example.org:80"));
    assert_int_equal(r.content_length, 5);
    assert_true(r.keep_alive && r.expect_continue && r.has_body);
    assert_int_equal(r.n_headers, 5);
    assert_int_equal(h[1].value.n, 0);
    assert_true(str_eqz(h[2].value, "text/html, */*"));
}

static void keep_alive_rules(void **st) {
    (void)st;
    static const struct {
        const char *text;
        bool keep;
    } t[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: foo, CLOSE\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
        {"GET http://x/ HTTP/1.1\r\nHost: X\r\n\r\n", true},
        {"OPTIONS * HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct http_header h[HTTP_MAX_HEADERS];
        struct h1_req r;
        assert_int_equal(parse(&r, h, str_of(t[i].text)), H1_OK);
        assert_int_equal(r.keep_alive, t[i].keep);
    }
}

static void responses(void **st) {
    (void)st;
    static const struct {
        const char *text;
        enum h1_result res;
        int64_t length;
        bool keep;
    } t[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", H1_OK, 3, true},
        {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", H1_OK, 0, true},
        {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", H1_OK, -1, true},
        {"HTTP/1.0 200 OK\r\n\r\n", H1_OK, -2, false},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n", H1_OK, 1, false},
        {"HTTP/1.1 204 No\r\n\r\n", H1_OK, 0, true},
        {"HTTP/1.1 100 Continue\r\n\r\n", H1_OK, 0, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", H1_BAD, 0, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", H1_BAD, 0, false},
        {"HTTP/1.1 200 OK\nContent-Length: 3\r\n\r\n", H1_BAD, 0, false},
        {"HTTP/1.1 99 OK\r\n\r\n", H1_BAD, 0, false},
        {"HTTP/1.1 600 OK\r\n\r\n", H1_BAD, 0, false},
        {"HTTP/2 200 OK\r\n\r\n", H1_BAD, 0, false},
        {"ICY 200 OK\r\n\r\n", H1_BAD, 0, false},
        {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", H1_BAD, 0, false},
        {"HTTP/1.1 200 O\rK\r\n\r\n", H1_BAD, 0, false},
        {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", H1_BAD, 0, false},
        {"HTTP/1.1 200 OK\r\n", H1_MORE, 0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct http_header h[HTTP_MAX_HEADERS];
        struct h1_res r = {.headers = h};
        size_t n = strlen(t[i].text);
        enum h1_result res = h1_res_parse(&r, t[i].text, n, false);
        if (res != t[i].res) fail_msg("%s: %d (%s)", t[i].text, res, r.why != NULL ? r.why : "");
        if (res != H1_OK) continue;
        assert_int_equal(r.content_length, t[i].length);
        assert_int_equal(r.keep_alive, t[i].keep);
        for (size_t k = 0; k < n; k++) assert_int_equal(h1_res_parse(&r, t[i].text, k, false), H1_MORE);
    }
}

static void chunks_split_anywhere(void **st) {
    (void)st;
    static const char body[] = "5\r\nhello\r\n0000B\r\n, wide worl\r\n0\r\nTrailer: x\r\nOther:\ty\r\n\r\nNEXT";
    size_t end = sizeof body - 1 - 4;
    for (size_t step = 1; step < sizeof body; step++) {
        struct h1_chunk c = {0};
        char got[64];
        size_t n = 0, at = 0;
        enum h1_chunk_result res = H1_CHUNK_MORE;
        while (at < sizeof body - 1) {
            size_t used, avail = MIN(step, sizeof body - 1 - at);
            struct str data;
            res = h1_chunk_next(&c, body + at, avail, &used, &data);
            at += used;
            if (res == H1_CHUNK_DATA) {
                memcpy(got + n, data.p, data.n);
                n += data.n;
            }
            if (res == H1_CHUNK_END || res == H1_CHUNK_BAD) break;
        }
        assert_int_equal(res, H1_CHUNK_END);
        assert_int_equal(at, end);
        assert_int_equal(n, 16);
        assert_memory_equal(got, "hello, wide worl", 16);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ambiguous_shapes_are_refused),
        cmocka_unit_test(long_lines_and_many_headers),
        cmocka_unit_test(a_good_request),
        cmocka_unit_test(keep_alive_rules),
        cmocka_unit_test(responses),
        cmocka_unit_test(chunks_split_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
