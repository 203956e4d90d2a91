/* SPDX-License-Identifier: Apache-2.0 */
/* https_test.c — the server with a certificate, asked by our own client: answers, reuse, is_tls, plain clients, reload.
 */
#include "http_rig.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "http/client.h"

static char dir[] = "/tmp/http-tls-XXXXXX", cert_path[64], key_path[64];
static struct http_server *server;
static struct http_router *router;

/* A certificate for localhost and 127.0.0.1, signed by itself. */
static void make_cert(const char *cert, const char *key) {
    EVP_PKEY *k = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, k);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509V3_CTX c;
    X509V3_set_ctx_nodb(&c);
    X509V3_set_ctx(&c, x, x, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &c, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    X509_add_ext(x, ext, -1);
    X509_EXTENSION_free(ext);
    assert_int_not_equal(X509_sign(x, k, EVP_sha256()), 0);
    FILE *f = fopen(cert, "w");
    PEM_write_X509(f, x);
    fclose(f);
    f = fopen(key, "w");
    PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    X509_free(x);
    EVP_PKEY_free(k);
}

static err h_echo(struct http_req *r) {
    struct str body;
    TRY(http_body_all(r, 900000, &body));
    http_set(r, "X-Base", r->base_url);
    return http_reply(r, 200, "text/plain", body);
}
static const struct http_route routes[] = {{.methods = HTTP_POST,
                                            .pattern = "/echo",
                                            .fn = h_echo,
                                            .auth = AUTH_PUBLIC,
                                            .dialect = DIALECT_PLAIN,
                                            .name = "echo"}};

struct ask {
    struct upstream *up;
    err e;
    bool reused;
    size_t n;
    char base[64];
    struct done done;
};

static void ask_run(void *arg) {
    struct ask *a = arg;
    static char big[900000], back[900001];
    memset(big, 'q', sizeof big);
    struct str body = {big, sizeof big};
    struct http_call *c;
    struct http_call_head head;
    struct http_call_timing t;
    a->e = http_call_startv(a->up, "POST", STR("/echo"), NULL, 0, &body, 1, 5000, &c, &head, &t);
    if (a->e == OK) {
        struct str base = http_call_header(&head, "x-base");
        snprintf(a->base, sizeof a->base, STR_FMT, STR_ARG(base));
        for (size_t n = 1; a->e == OK && n > 0; a->n += n)
            a->e = http_call_read(c, back + a->n, sizeof back - a->n, 5000, &n);
        if (a->n != sizeof big || memcmp(big, back, sizeof big) != 0) a->n = 0;
        http_call_free(c);
    }
    a->reused = t.reused;
    done_signal(&a->done);
}

static void ask(struct ask *a) {
    done_init(&a->done);
    assert_null(fiber_spawn(rt_loop(0), ask_run, a));
    done_wait(&a->done);
}

static void answers_over_tls(void **st) {
    (void)st;
    char url[64];
    snprintf(url, sizeof url, "https://localhost:%u", rig_port);
    struct tls_ctx *trust;
    assert_null(tls_client_new(cert_path, &trust));
    struct upstream_opts o = {.base_url = str_of(url), .tls = trust, .connect_timeout_ms = 5000};
    struct upstream *up;
    assert_null(upstream_new(&o, &up));
    for (int i = 0; i < 3; i++) {
        struct ask a = {.up = up};
        ask(&a);
        assert_null(a.e);
        assert_int_equal(a.n, 900000);
        assert_int_equal(a.reused, i > 0);
        assert_string_equal(a.base, url);
    }
    upstream_put(up);
    /* the system's store does not know our certificate */
    o.tls = NULL;
    assert_null(upstream_new(&o, &up));
    struct ask a = {.up = up};
    ask(&a);
    assert_non_null(a.e);
    upstream_put(up);
    tls_ctx_put(trust);
}

static void plain_http_on_the_tls_port_is_cut(void **st) {
    (void)st;
    int fd = rig_connect();
    static const char req[] = "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n";
    rig_send(fd, req, sizeof req - 1);
    char out[4096];
    bool eof;
    rig_recv(fd, out, sizeof out, NULL, 5000, &eof);
    assert_true(eof);
    assert_null(strstr(out, "HTTP/1.1 200"));
    close(fd);
}

static int setup(void **st) {
    (void)st;
    assert_non_null(mkdtemp(dir));
    snprintf(cert_path, sizeof cert_path, "%s/cert", dir);
    snprintf(key_path, sizeof key_path, "%s/key", dir);
    make_cert(cert_path, key_path);
    struct rt_limits lim = {.n_loops = 1};
    assert_null(rt_start(&lim));
    router = http_router_new();
    assert_null(http_router_add(router, routes, ARRAY_LEN(routes), NULL));
    struct http_config c = {.listen_host = STR("127.0.0.1"), .tls_cert = cert_path, .tls_key = key_path};
    assert_null(http_server_start(&c, router, NULL, &server));
    rig_port = http_server_port(server);
    assert_null(http_server_reload(server, &c));
    c.tls_cert = "/nowhere";
    assert_non_null(http_server_reload(server, &c)); /* the old certificate stays */
    return 0;
}

static int teardown(void **st) {
    (void)st;
    http_server_stop(server, 1000);
    rt_stop();
    http_router_free(router);
    unlink(cert_path);
    unlink(key_path);
    return rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_over_tls),
                                       cmocka_unit_test(plain_http_on_the_tls_port_is_cut)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
