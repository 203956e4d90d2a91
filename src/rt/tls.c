/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.c — TLS on a sock by OpenSSL: settings, handshake, reading, writing.
 *
 * The SSL object does its own read(2)/write(2) on the non-blocking fd; we only wait where it says
 * WANT_READ or WANT_WRITE. No suspension happens inside an SSL call, so one fiber may read while
 * another writes. TLS 1.2 is the floor, ALPN offers and accepts only http/1.1.
 * Kernel TLS is asked for; where the kernel has none, nothing changes.
 */
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "rt/rt_int.h"

enum { GATHER_BYTES = 4096, FILE_WINDOW = 256 << 10, MAX_IOV = 64 };

struct tls_ctx {
    SSL_CTX *ctx;
    _Atomic unsigned refs;
    bool is_server;
};

/* Recorded text of OpenSSL's newest error; the queue is emptied. */
static err tls_fail(err kind, const char *what) {
    char text[128];
    const char *why = NULL;
    /* The newest says what was being done ("system lib"), an older system error why it failed. */
    for (unsigned long code; (code = ERR_get_error()) != 0;) {
        if (ERR_SYSTEM_ERROR(code)) {
            why = strerror_r(ERR_GET_REASON(code), text, sizeof text);
            break;
        }
        why = ERR_reason_error_string(code);
    }
    ERR_clear_error();
    return err_fail(kind, "TLS: %s: %s", what, why != NULL ? why : "no further reason known");
}

/* --- settings -------------------------------------------------------------------------------------------- */
static const unsigned char alpn_http11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

static int alpn_select(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                       unsigned in_len, void *arg) {
    (void)ssl;
    (void)arg;
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_len, alpn_http11, sizeof alpn_http11, in, in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static err ctx_new(const SSL_METHOD *m, bool is_server, struct tls_ctx **out) {
    *out = NULL;
    struct tls_ctx *c = calloc(1, sizeof *c);
    if (c == NULL) return err_fail(E_NOMEM, "no memory for TLS settings");
    c->ctx = SSL_CTX_new(m);
    c->is_server = is_server;
    atomic_init(&c->refs, 1);
    if (c->ctx == NULL || SSL_CTX_set_min_proto_version(c->ctx, TLS1_2_VERSION) != 1) {
        SSL_CTX_free(c->ctx);
        free(c);
        return tls_fail(E_NOMEM, "cannot make settings");
    }
    SSL_CTX_set_mode(c->ctx,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(c->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_ENABLE_KTLS |
                                    (is_server ? SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA : 0));
    *out = c;
    return OK;
}

err tls_server_new(const char *cert_pem_path, const char *key_pem_path, struct tls_ctx **out) {
    struct tls_ctx *c;
    TRY(ctx_new(TLS_server_method(), true, &c));
    *out = NULL;
    err e = OK;
    if (SSL_CTX_use_certificate_chain_file(c->ctx, cert_pem_path) != 1)
        e = tls_fail(E_BAD_REQUEST, "the certificate file cannot be used");
    else if (SSL_CTX_use_PrivateKey_file(c->ctx, key_pem_path, SSL_FILETYPE_PEM) != 1)
        e = tls_fail(E_BAD_REQUEST, "the private key file cannot be used");
    else if (SSL_CTX_check_private_key(c->ctx) != 1)
        e = tls_fail(E_BAD_REQUEST, "the private key does not belong to the certificate");
    if (e != OK) {
        tls_ctx_put(c);
        return err_wrap(e, "%s, %s", cert_pem_path, key_pem_path);
    }
    SSL_CTX_set_alpn_select_cb(c->ctx, alpn_select, NULL);
    SSL_CTX_set_session_id_context(c->ctx, (const unsigned char *)"ballast", 7);
    *out = c;
    return OK;
}

err tls_client_new(const char *ca_pem_path, struct tls_ctx **out) {
    struct tls_ctx *c;
    TRY(ctx_new(TLS_client_method(), false, &c));
    *out = NULL;
    int ok = ca_pem_path != NULL ? SSL_CTX_load_verify_locations(c->ctx, ca_pem_path, NULL)
                                 : SSL_CTX_set_default_verify_paths(c->ctx);
    if (ok != 1) {
        err e = tls_fail(E_BAD_REQUEST, "the file of trusted certificates cannot be used");
        tls_ctx_put(c);
        return e;
    }
    SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
    *out = c;
    return OK;
}

struct tls_ctx *tls_ctx_ref(struct tls_ctx *c) {
    if (c != NULL) atomic_fetch_add(&c->refs, 1);
    return c;
}
void tls_ctx_put(struct tls_ctx *c) {
    if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1) return;
    SSL_CTX_free(c->ctx);
    free(c);
}

/* --- one SSL call and its waits ------------------------------------------------------------------------------ */
/* After a call returned r <= 0: OK = waited, call again. */
static err tls_wait(struct sock *s, int r, int64_t timeout_ms, int64_t *by) {
    int errnum = errno, why = SSL_get_error(s->ssl, r);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        bool wr = why == SSL_ERROR_WANT_WRITE;
        if (wr) s->wr = false;
        else s->rd = false;
        if (*by == -2) *by = rt_deadline(timeout_ms);
        return sock_wait(s, wr, *by);
    }
    if (why == SSL_ERROR_ZERO_RETURN) return err_fail(E_EOF, "the other side closed the connection");
    s->tls_dead = true; /* no further call is allowed on this object */
    if (why == SSL_ERROR_SYSCALL && ERR_peek_error() == 0) {
        if (errnum == 0 || errnum == ECONNRESET || errnum == EPIPE)
            return err_fail(E_IO, "the other side cut the TLS connection");
        return err_errno(E_IO, errnum, "TLS connection");
    }
    return tls_fail(E_IO, "the connection broke");
}

static err tls_ready(const struct sock *s) {
    TRY(sock_check(s));
    if (s->tls_dead) return err_fail(E_IO, "the TLS connection has failed before");
    ERR_clear_error();
    errno = 0;
    return OK;
}

static err handshake(struct sock *s, int64_t timeout_ms) {
    int64_t by = -2;
    for (;;) {
        TRY(tls_ready(s));
        int r = SSL_do_handshake(s->ssl);
        if (r == 1) return OK;
        long verify = SSL_get_verify_result(s->ssl);
        int why = SSL_get_error(s->ssl, r);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE && verify != X509_V_OK) {
            s->tls_dead = true;
            ERR_clear_error();
            return err_fail(E_UPSTREAM, "TLS: the certificate of the other side is not trusted: %s",
                            X509_verify_cert_error_string(verify));
        }
        TRY(tls_wait(s, r, timeout_ms, &by));
    }
}

static err tls_attach(struct sock *s, struct tls_ctx *ctx) {
    BUG_ON(s->ssl != NULL);
    s->ssl = SSL_new(ctx->ctx); /* holds its own reference to the settings */
    if (s->ssl == NULL || SSL_set_fd(s->ssl, s->fd) != 1) return tls_fail(E_NOMEM, "cannot start");
    return OK;
}

err sock_tls_client(struct sock *s, struct tls_ctx *ctx, struct str host, int64_t timeout_ms) {
    BUG_ON(ctx->is_server);
    char z[256];
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') host = str_sub(host, 1, host.n - 2);
    if (host.n == 0 || host.n >= sizeof z)
        return err_fail(E_BAD_REQUEST, "host: expected a name or an address of 1 to 255 bytes");
    memcpy(z, host.p, host.n);
    z[host.n] = 0;
    TRY(tls_attach(s, ctx));
    X509_VERIFY_PARAM *vp = SSL_get0_param(s->ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(vp, z) != 1) { /* not an address: a name */
        ERR_clear_error();
        X509_VERIFY_PARAM_set_hostflags(vp, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (SSL_set_tlsext_host_name(s->ssl, z) != 1 || SSL_set1_host(s->ssl, z) != 1)
            return tls_fail(E_BAD_REQUEST, "bad host name");
    }
    if (SSL_set_alpn_protos(s->ssl, alpn_http11, sizeof alpn_http11) != 0) return tls_fail(E_NOMEM, "cannot start");
    SSL_set_connect_state(s->ssl);
    return handshake(s, timeout_ms);
}

err sock_tls_server(struct sock *s, struct tls_ctx *ctx, int64_t timeout_ms) {
    BUG_ON(!ctx->is_server);
    TRY(tls_attach(s, ctx));
    SSL_set_accept_state(s->ssl);
    return handshake(s, timeout_ms);
}

/* --- bytes ------------------------------------------------------------------------------------------------------ */
static void charge(struct sock *s, size_t bytes) {
    struct fiber *f = s->loop != NULL ? fiber_self() : NULL;
    if (f != NULL) fiber_charge(f, bytes);
}

err tls_read(struct sock *s, void *p, size_t cap, int64_t timeout_ms, size_t *n) {
    *n = 0;
    int64_t by = -2;
    for (;;) {
        TRY(tls_ready(s));
        int r = SSL_read(s->ssl, p, (int)MIN(cap, (size_t)INT_MAX));
        if (r > 0) {
            *n = (size_t)r;
            charge(s, *n);
            return OK;
        }
        TRY(tls_wait(s, r, timeout_ms, &by));
    }
}

static err write_all(struct sock *s, const char *p, size_t n, int64_t timeout_ms, int64_t *by) {
    while (n > 0) {
        TRY(tls_ready(s));
        int r = SSL_write(s->ssl, p, (int)MIN(n, (size_t)INT_MAX));
        if (r <= 0) {
            TRY(tls_wait(s, r, timeout_ms, by));
            continue;
        }
        p += r;
        n -= (size_t)r;
        charge(s, (size_t)r);
    }
    return OK;
}

err tls_write(struct sock *s, const void *p, size_t n, int64_t timeout_ms) {
    int64_t by = -2;
    return write_all(s, p, n, timeout_ms, &by);
}

/* Small pieces (a head and a short body) are gathered into one record. */
err tls_writev(struct sock *s, const struct iovec *iov, int n_iov, int64_t timeout_ms) {
    int64_t by = -2;
    char gather[GATHER_BYTES];
    size_t held = 0;
    BUG_ON(n_iov > MAX_IOV);
    for (int i = 0; i < n_iov; i++) {
        const char *p = iov[i].iov_base;
        size_t n = iov[i].iov_len;
        if (n == 0) continue;
        if (held + n > sizeof gather) {
            size_t fill = held > 0 ? sizeof gather - held : 0;
            memcpy(gather + held, p, fill);
            TRY(write_all(s, gather, held + fill, timeout_ms, &by));
            held = 0;
            p += fill;
            n -= fill;
        }
        if (n > sizeof gather) {
            TRY(write_all(s, p, n, timeout_ms, &by));
            continue;
        }
        memcpy(gather + held, p, n);
        held += n;
    }
    return held > 0 ? write_all(s, gather, held, timeout_ms, &by) : OK;
}

struct window {
    int fd;
    off_t off;
    size_t n;
    char *p;
};
static err window_read(void *arg) {
    struct window *w = arg;
    size_t got = 0;
    while (got < w->n) {
        ssize_t r = pread(w->fd, w->p + got, w->n - got, w->off + (off_t)got);
        if (r < 0 && errno == EINTR) continue;
        if (r < 0) return err_errno(E_IO, errno, "cannot read a stored file");
        if (r == 0)
            return err_fail(E_CORRUPT, "a file is shorter than its record says (%zu bytes are missing)", w->n - got);
        got += (size_t)r;
    }
    return OK;
}

err tls_sendfile(struct sock *s, int fd, off_t off, size_t n, int64_t timeout_ms) {
    struct window w = {.fd = fd, .off = off, .p = malloc(MIN(n + 1, (size_t)FILE_WINDOW))};
    if (w.p == NULL) return err_fail(E_NOMEM, "no memory to send a file");
    int64_t by = -2;
    err e = OK;
    while (e == OK && n > 0) {
        w.n = MIN(n, (size_t)FILE_WINDOW);
        e = work_run(window_read, &w);
        if (e == OK) e = write_all(s, w.p, w.n, timeout_ms, &by);
        w.off += (off_t)w.n;
        n -= w.n;
    }
    free(w.p);
    return e;
}

err tls_shutdown_write(struct sock *s) {
    TRY(tls_ready(s));
    SSL_shutdown(s->ssl); /* our close_notify; theirs is not waited for */
    ERR_clear_error();
    return OK;
}

bool tls_pending(const struct sock *s) {
    return SSL_pending(s->ssl) > 0;
}

void tls_close(struct sock *s) {
    if (!s->tls_dead && SSL_is_init_finished(s->ssl)) SSL_shutdown(s->ssl);
    ERR_clear_error();
    SSL_free(s->ssl);
    s->ssl = NULL;
}
