/* SPDX-License-Identifier: Apache-2.0 */
/* TLS: handshake, names, untrusted certificates, bytes both ways, files, half-close, plain clients. */
#include "rt_test.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rt/sock.h"

static char dir[] = "/tmp/rt-tls-XXXXXX", cert_path[64], key_path[64], other_path[64];
static struct tls_ctx *server_ctx, *client_ctx;

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

static int setup(void **state) {
    (void)state;
    if (mkdtemp(dir) == NULL) return -1;
    snprintf(cert_path, sizeof cert_path, "%s/cert", dir);
    snprintf(key_path, sizeof key_path, "%s/key", dir);
    snprintf(other_path, sizeof other_path, "%s/other", dir);
    make_cert(other_path, key_path);
    make_cert(cert_path, key_path);
    return tls_server_new(cert_path, key_path, &server_ctx) == OK && tls_client_new(cert_path, &client_ctx) == OK ? 0
                                                                                                                  : -1;
}
static int teardown(void **state) {
    (void)state;
    tls_ctx_put(server_ctx);
    tls_ctx_put(client_ctx);
    unlink(cert_path);
    unlink(key_path);
    unlink(other_path);
    rmdir(dir);
    return 0;
}

static _Atomic(err) server_result;
static bool server_said(err e) {
    for (int i = 0; i < 500 && server_result != e; i++) IGNORE_ERR(fiber_sleep(10)); /* E_CANCELLED: the CHECK fails */
    return server_result == e;
}
static void echo(void *arg, struct sock *s, struct str ip, uint16_t port) {
    (void)arg;
    (void)ip;
    (void)port;
    char b[8192];
    size_t n;
    server_result = sock_tls_server(s, server_ctx, 2000);
    if (server_result == OK)
        while (sock_read(s, b, sizeof b, 5000, &n) == OK)
            if (sock_write(s, b, n, 5000) != OK) break;
    sock_close(s);
}

static err dial(uint16_t port, struct tls_ctx *ctx, struct str host, struct sock **out) {
    TRY(sock_connect(STR("127.0.0.1"), port, 2000, out));
    err e = sock_tls_client(*out, ctx, host, 2000);
    if (e == OK) return OK;
    sock_close(*out);
    *out = NULL;
    return e;
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

struct job {
    uint16_t port;
    char *data;
    size_t n;
    struct sock *s;
    struct done done;
};
static void write_pieces(void *arg) {
    struct job *j = arg;
    struct iovec v[4] = {{j->data, 100}, {j->data + 100, 0}, {j->data + 100, 9000}, {j->data + 9100, j->n - 9100}};
    CHECK(sock_writev(j->s, v, 4, 5000) == OK);
    done_signal(&j->done);
}
static void body_echo(void *arg) {
    struct job *j = arg;
    CHECK(dial(j->port, client_ctx, STR("localhost"), &j->s) == OK);
    done_init(&j->done);
    CHECK(fiber_spawn(NULL, write_pieces, j) == OK); /* writes while this one reads */
    char *back = malloc(j->n);
    CHECK(read_full(j->s, back, j->n));
    CHECK(memcmp(back, j->data, j->n) == 0);
    done_wait(&j->done);
    CHECK(sock_shutdown_write(j->s) == OK);
    size_t n;
    CHECK(sock_read(j->s, back, 1, 2000, &n) == E_EOF);
    sock_close(j->s);
    free(back);
}
static struct listener *listen_tls(struct job *j) {
    struct listener *l;
    assert_true(listener_open(STR("127.0.0.1"), 0, echo, NULL, 0, &l) == OK);
    j->port = listener_port(l);
    j->n = (2 << 20) + 77;
    j->data = malloc(j->n);
    for (size_t i = 0; i < j->n; i++) j->data[i] = (char)(i * 31 ^ i >> 9);
    return l;
}
static void test_echo(void **state) {
    (void)state;
    struct job j = {0};
    struct listener *l = listen_tls(&j);
    in_fiber(0, body_echo, &j);
    in_fiber(1, body_echo, &j);
    listener_close(l);
    free(j.data);
}

static void body_trust(void *arg) {
    struct job *j = arg;
    struct sock *s;
    struct tls_ctx *stranger;
    size_t n;
    char b[64];
    CHECK(dial(j->port, client_ctx, STR("127.0.0.1"), &s) == OK); /* the address is in the certificate */
    CHECK(!sock_readable_now(s));
    CHECK(sock_write(s, "0123456789", 10, 1000) == OK);
    CHECK(sock_read(s, b, 3, 1000, &n) == OK && n == 3);
    CHECK(sock_readable_now(s)); /* the rest lies in the TLS buffer */
    CHECK(sock_read(s, b, sizeof b, 1000, &n) == OK && n == 7);
    sock_close(s);
    CHECK(dial(j->port, client_ctx, STR("example.org"), &s) == E_UPSTREAM);
    CHECK(strstr(err_text(), "hostname mismatch") != NULL);
    CHECK(dial(j->port, client_ctx, STR("127.0.0.2"), &s) == E_UPSTREAM);
    CHECK(tls_client_new(other_path, &stranger) == OK);
    CHECK(dial(j->port, stranger, STR("localhost"), &s) == E_UPSTREAM);
    tls_ctx_put(stranger);
    CHECK(tls_client_new(NULL, &stranger) == OK); /* the system's authorities do not know it either */
    CHECK(dial(j->port, stranger, STR("localhost"), &s) == E_UPSTREAM);
    tls_ctx_put(stranger);
    /* Plain text to a TLS port. */
    CHECK(sock_connect(STR("127.0.0.1"), j->port, 1000, &s) == OK);
    CHECK(sock_write(s, "GET / HTTP/1.1\r\n\r\n", 18, 1000) == OK);
    while (sock_read(s, b, sizeof b, 1000, &n) == OK) {}
    sock_close(s);
    CHECK(server_said(E_IO));
    /* Silence on a TLS port ends by the deadline, not never. */
    CHECK(sock_connect(STR("127.0.0.1"), j->port, 1000, &s) == OK);
    CHECK(server_said(E_TIMEOUT));
    sock_close(s);
}
static void test_trust(void **state) {
    (void)state;
    struct job j = {0};
    struct listener *l = listen_tls(&j);
    in_fiber(0, body_trust, &j);
    listener_close(l);
    free(j.data);
}

static void send_file(void *arg) {
    struct job *j = arg;
    char path[] = "/tmp/rt-tlsfile-XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    CHECK(write(fd, j->data, j->n) == (ssize_t)j->n);
    CHECK(sock_sendfile(j->s, fd, 3, j->n - 3, 5000) == OK);
    close(fd);
    done_signal(&j->done);
}
static void body_sendfile(void *arg) {
    struct job *j = arg;
    CHECK(dial(j->port, client_ctx, STR("localhost"), &j->s) == OK);
    done_init(&j->done);
    CHECK(fiber_spawn(NULL, send_file, j) == OK);
    char *back = malloc(j->n);
    CHECK(read_full(j->s, back, j->n - 3));
    CHECK(memcmp(back, j->data + 3, j->n - 3) == 0);
    done_wait(&j->done);
    sock_close(j->s);
    free(back);
}
static void test_sendfile(void **state) {
    (void)state;
    struct job j = {0};
    struct listener *l = listen_tls(&j);
    in_fiber(1, body_sendfile, &j);
    listener_close(l);
    free(j.data);
}

static void test_bad_files(void **state) {
    (void)state;
    struct tls_ctx *c;
    assert_true(tls_server_new("/no/such/file", key_path, &c) == E_BAD_REQUEST);
    assert_null(c);
    assert_true(tls_server_new(other_path, key_path, &c) == E_BAD_REQUEST); /* key of another certificate */
    assert_non_null(strstr(err_text(), other_path));
    assert_true(tls_server_new(cert_path, cert_path, &c) == E_BAD_REQUEST);
    assert_true(tls_client_new("/no/such/file", &c) == E_BAD_REQUEST);
}

#define RT(fn) cmocka_unit_test_setup_teardown(fn, rt_test_start, rt_test_stop)
int main(void) {
    const struct CMUnitTest tests[] = {RT(test_echo), RT(test_trust), RT(test_sendfile),
                                       cmocka_unit_test(test_bad_files)};
    return cmocka_run_group_tests_name("rt_tls", tests, setup, teardown);
}
