/* SPDX-License-Identifier: Apache-2.0 */
/* sse_test.c — events found identically however the bytes are split; limits; raw bytes preserved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/sse.h"

static const struct {
    const char *in;
    const char *out; /* per event: [type|data] or [#] for comments only */
    bool all;        /* nothing pending at the end */
} cases[] = {
    {"data: a\n\ndata: b\n\n", "[|a][|b]", true},
    {"data: a\r\n\r\ndata: b\r\n\r\n", "[|a][|b]", true},
    {"data: a\r\rdata: b\r\r", "[|a][|b]", true},
    {"\xef\xbb\xbf"
     "data: a\n\n",
     "[|a]", true},
    {"event: x\ndata: 1\ndata:2\ndata\n\n", "[x|1\n2\n]", true},
    {": keep-alive\n\ndata: z\n\n", "[#][|z]", true},
    {":c\ndata: z\nid: 4\nretry: 5\n\n", "[|z]", true},
    {"data:  two spaces\n\n", "[| two spaces]", true},
    {"data: \xe5\x8e\x8b\xe8\x88\xb1\n\n", "[|\xe5\x8e\x8b\xe8\x88\xb1]", true},
    {"data: unfinished\n", "", false},
    {"data: [DONE]\n\ndata: cut", "[|[DONE]]", false},
    {"event: only\n\n", "[only|]", true},
};

static void run(const char *in, size_t step, struct buf *out, struct buf *raw, size_t *pending) {
    struct sse_scan s;
    sse_init(&s, 4096);
    size_t n = strlen(in);
    for (size_t at = 0; at < n; at += step) {
        sse_feed(&s, in + at, MIN(step, n - at));
        for (;;) {
            struct sse_event ev;
            bool have;
            assert_null(sse_next(&s, &ev, &have));
            if (!have) break;
            buf_str(raw, ev.raw);
            buf_char(out, '[');
            if (ev.comment_only) buf_char(out, '#');
            else {
                buf_str(out, ev.type);
                buf_char(out, '|');
                buf_str(out, ev.data);
            }
            buf_char(out, ']');
        }
    }
    *pending = sse_pending(&s);
    sse_release(&s);
}

static void same_events_however_split(void **st) {
    (void)st;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t n = strlen(cases[i].in);
        for (size_t step = 1; step <= n; step++) {
            struct buf out, raw;
            buf_init(&out, 4096);
            buf_init(&raw, 4096);
            size_t pending;
            run(cases[i].in, step, &out, &raw, &pending);
            if (!str_eqz(buf_view(&out), cases[i].out))
                fail_msg("case %zu step %zu: got " STR_FMT, i, step, STR_ARG(buf_view(&out)));
            assert_int_equal(raw.n + pending, n);
            assert_memory_equal(raw.p != NULL ? raw.p : "", cases[i].in, raw.n);
            /* a split CRLF leaves its LF to the next event */
            if (cases[i].all) assert_true(pending <= 1);
            buf_release(&out);
            buf_release(&raw);
        }
    }
}

static void an_event_beyond_the_limit_is_refused(void **st) {
    (void)st;
    struct sse_scan s;
    sse_init(&s, 100);
    struct sse_event ev;
    bool have;
    char line[90];
    memset(line, 'x', sizeof line);
    sse_feed(&s, "data: ", 6);
    sse_feed(&s, line, sizeof line);
    assert_null(sse_next(&s, &ev, &have));
    assert_false(have);
    sse_feed(&s, line, sizeof line);
    assert_ptr_equal(sse_next(&s, &ev, &have), E_LIMIT);
    sse_release(&s);
}

static void a_one_megabyte_event(void **st) {
    (void)st;
    struct sse_scan s;
    sse_init(&s, 2 * MiB);
    static char blob[MiB];
    memset(blob, 'y', sizeof blob);
    struct sse_event ev;
    bool have = false;
    sse_feed(&s, "data: ", 6);
    for (size_t at = 0; at < sizeof blob; at += 1000) {
        sse_feed(&s, blob + at, MIN((size_t)1000, sizeof blob - at));
        assert_null(sse_next(&s, &ev, &have));
        assert_false(have);
    }
    sse_feed(&s, "\n\n", 2);
    assert_null(sse_next(&s, &ev, &have));
    assert_true(have);
    assert_int_equal(ev.data.n, MiB);
    sse_release(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_events_however_split),
        cmocka_unit_test(an_event_beyond_the_limit_is_refused),
        cmocka_unit_test(a_one_megabyte_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
