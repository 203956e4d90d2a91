/* SPDX-License-Identifier: Apache-2.0 */
/* router_test.c — precedence, backtracking, raw matching, methods; ranges and trusted proxies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/conn.h"

static err nop(struct http_req *r) {
    (void)r;
    return OK;
}
#define R(m, p)                                                                                                        \
    { .methods = (m), .pattern = (p), .fn = nop, .auth = AUTH_PUBLIC, .name = (p) }
static const struct http_route routes[] = {
    R(HTTP_GET, "/"),
    R(HTTP_GET, "/api/models/{ns}/{name}"),
    R(HTTP_GET, "/api/models/{ns}/{name}/tree/{rev}"),
    R(HTTP_GET, "/api/models/{ns}/{name}/tree/{rev}/{path...}"),
    R(HTTP_GET, "/api/models/{ns}/{name}/revision/{rev}"),
    R(HTTP_GET | HTTP_POST, "/api/models/special/list"),
    R(HTTP_POST, "/{ns}/{name}.git/git-upload-pack"),
    R(HTTP_GET, "/{ns}/{name}/resolve/{rev}/{path...}"),
    R(HTTP_GET, "/datasets/{ns}/{name}/resolve/{rev}/{path...}"),
    R(HTTP_PUT, "/{ns}/{name}"),
    R(HTTP_GET, "/{page}"),
};

static struct http_router *make(void) {
    struct http_router *rt = http_router_new();
    assert_null(http_router_add(rt, routes, ARRAY_LEN(routes), NULL));
    return rt;
}

static const struct {
    unsigned method;
    const char *path, *pattern; /* NULL pattern: see result */
    const char *params;         /* "a,b" decoded values */
    enum route_result res;
} t[] = {
    {HTTP_GET, "/", "/", "", ROUTE_OK},
    {HTTP_HEAD, "/", "/", "", ROUTE_OK},
    {HTTP_GET, "/api/models/a/b", "/api/models/{ns}/{name}", "a,b", ROUTE_OK},
    {HTTP_GET, "/api/models/special/list", "/api/models/special/list", "", ROUTE_OK},
    {HTTP_GET, "/api/models/special/other", "/api/models/{ns}/{name}", "special,other", ROUTE_OK},
    {HTTP_GET, "/api/models/special/list/tree/main", "/api/models/{ns}/{name}/tree/{rev}", "special,list,main",
     ROUTE_OK},
    {HTTP_GET, "/api/models/a/b/tree/refs%2Fpr%2F1", "/api/models/{ns}/{name}/tree/{rev}", "a,b,refs/pr/1", ROUTE_OK},
    {HTTP_GET, "/api/models/a/b/tree/refs%2Fpr%2F1/x/y%20z", "/api/models/{ns}/{name}/tree/{rev}/{path...}",
     "a,b,refs/pr/1,x/y z", ROUTE_OK},
    {HTTP_GET, "/api/models/a/b/tree/main/", "/api/models/{ns}/{name}/tree/{rev}/{path...}", "a,b,main,", ROUTE_OK},
    {HTTP_GET, "/api/models/a/b/revision/a/b", NULL, "", ROUTE_NOT_FOUND},
    {HTTP_GET, "/datasets/o/d/resolve/main/f", "/datasets/{ns}/{name}/resolve/{rev}/{path...}", "o,d,main,f", ROUTE_OK},
    /* the literal "datasets" leads nowhere, so the parameter is tried */
    {HTTP_GET, "/datasets/o/resolve/main/f", "/{ns}/{name}/resolve/{rev}/{path...}", "datasets,o,main,f", ROUTE_OK},
    {HTTP_POST, "/a/b.git/git-upload-pack", "/{ns}/{name}.git/git-upload-pack", "a,b", ROUTE_OK},
    {HTTP_POST, "/a/.git/git-upload-pack", NULL, "", ROUTE_NOT_FOUND},
    {HTTP_GET, "/a/b.git/git-upload-pack", NULL, "", ROUTE_METHOD},
    {HTTP_DELETE, "/a", NULL, "", ROUTE_METHOD},
    {HTTP_PUT, "/a/b", "/{ns}/{name}", "a,b", ROUTE_OK},
    {HTTP_GET, "//b", NULL, "", ROUTE_NOT_FOUND},
    {HTTP_GET, "/100%25", "/{page}", "100%", ROUTE_OK},
};

static void matching(void **st) {
    (void)st;
    struct http_router *rt = make();
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct arena a;
        arena_init(&a, MiB);
        struct http_req r = {.arena = &a, .method = (enum http_method)t[i].method, .path = str_of(t[i].path)};
        unsigned allowed = 0;
        size_t index;
        enum route_result res = router_match(rt, &r, &allowed, &index);
        if (res != t[i].res) fail_msg("%s: result %d", t[i].path, (int)res);
        if (res == ROUTE_OK) {
            assert_string_equal(r.route->pattern, t[i].pattern);
            assert_ptr_equal(http_router_at(rt, index), r.route);
            char got[256] = "";
            size_t n = 0;
            for (unsigned k = 0; k < r.n_params; k++)
                n += (size_t)snprintf(got + n, sizeof got - n, "%s" STR_FMT, k > 0 ? "," : "",
                                      STR_ARG(r.params[k].value));
            assert_string_equal(got, t[i].params);
        }
        arena_release(&a);
    }
    http_router_free(rt);
}

static void allow_lists_every_method_of_the_path(void **st) {
    (void)st;
    struct http_router *rt = make();
    struct arena a;
    arena_init(&a, MiB);
    struct http_req r = {.arena = &a, .method = HTTP_DELETE, .path = STR("/api/models/special/list")};
    unsigned allowed = 0;
    size_t index;
    assert_int_equal(router_match(rt, &r, &allowed, &index), ROUTE_METHOD);
    assert_int_equal(allowed, HTTP_GET | HTTP_HEAD | HTTP_POST);
    arena_release(&a);
    http_router_free(rt);
}

static void bad_registrations_are_refused(void **st) {
    (void)st;
    static const struct http_route bad[] = {
        R(HTTP_GET, "/api/models/{a}/{b}"), /* same shape as an existing one */
        R(HTTP_GET, "no-slash"),
        R(HTTP_GET, "/{rest...}/more"),
        R(HTTP_GET, "/x{y}"),
        R(HTTP_GET, "/{}"),
        {.methods = HTTP_GET, .pattern = "/noauth", .fn = nop, .name = "x"},
        {.methods = 0, .pattern = "/nomethod", .fn = nop, .auth = AUTH_PUBLIC, .name = "x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct http_router *rt = make();
        if (http_router_add(rt, &bad[i], 1, NULL) == OK) fail_msg("%s accepted", bad[i].pattern);
        http_router_free(rt);
    }
}

static void a_path_of_many_segments(void **st) {
    (void)st;
    struct http_router *rt = make();
    struct arena a;
    arena_init(&a, MiB);
    char path[600] = "/a/b/resolve/main";
    for (int i = 0; i < 100; i++) memcpy(path + 17 + 2 * i, "/x", 3);
    struct http_req r = {.arena = &a, .method = HTTP_GET, .path = str_of(path)};
    unsigned allowed = 0;
    size_t index;
    assert_int_equal(router_match(rt, &r, &allowed, &index), ROUTE_OK);
    assert_int_equal(http_param(&r, "path").n, 199);
    arena_release(&a);
    http_router_free(rt);
}

static void ranges(void **st) {
    (void)st;
    static const struct {
        const char *v;
        enum range_kind k;
        uint64_t start, len;
    } c[] = {
        {"bytes=0-9", RANGE_OK, 0, 10},
        {"bytes=90-", RANGE_OK, 90, 10},
        {"bytes=-10", RANGE_OK, 90, 10},
        {"bytes=-1000", RANGE_OK, 0, 100},
        {"bytes=99-1000", RANGE_OK, 99, 1},
        {"bytes=100-", RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-0", RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=5-4", RANGE_NONE, 0, 100},
        {"bytes=0-1,3-4", RANGE_NONE, 0, 100},
        {"bytes=a-b", RANGE_NONE, 0, 100},
        {"lines=0-9", RANGE_NONE, 0, 100},
        {"bytes=", RANGE_NONE, 0, 100},
        {"Bytes=0-0", RANGE_OK, 0, 1},
        {"bytes=18446744073709551616-", RANGE_NONE, 0, 100},
        {"bytes=0-18446744073709551615", RANGE_OK, 0, 100},
    };
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        uint64_t s, l;
        enum range_kind k = http_range_parse(str_of(c[i].v), 100, &s, &l);
        if (k != c[i].k) fail_msg("%s: %d", c[i].v, (int)k);
        if (k == RANGE_UNSATISFIABLE) continue;
        assert_int_equal(s, c[i].start);
        assert_int_equal(l, c[i].len);
    }
}

static void cidrs(void **st) {
    (void)st;
    static const struct {
        const char *net, *ip;
        bool in;
    } c[] = {
        {"127.0.0.1", "127.0.0.1", true},
        {"127.0.0.1", "127.0.0.2", false},
        {"10.0.0.0/8", "10.255.1.2", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.16.0.0/12", "10.31.0.1", true},
        {"10.16.0.0/12", "10.32.0.1", false},
        {"fd00::/8", "fd12::1", true},
        {"fd00::/8", "fe80::1", false},
        {"0.0.0.0/0", "1.2.3.4", true},
        {"0.0.0.0/0", "::1", false},
        {"::1", "::1", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        struct cidr n;
        uint8_t ip[16];
        assert_true(cidr_parse(str_of(c[i].net), &n));
        assert_true(ip_parse(str_of(c[i].ip), ip));
        assert_int_equal(cidr_has(&n, ip), c[i].in);
    }
    struct cidr n;
    assert_false(cidr_parse(STR("10.0.0.0/33"), &n));
    assert_false(cidr_parse(STR("proxy.example"), &n));
    assert_false(cidr_parse(STR("10.0.0.0/"), &n));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matching),
        cmocka_unit_test(allow_lists_every_method_of_the_path),
        cmocka_unit_test(bad_registrations_are_refused),
        cmocka_unit_test(a_path_of_many_segments),
        cmocka_unit_test(ranges),
        cmocka_unit_test(cidrs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
