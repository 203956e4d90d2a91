/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sock.h — byte streams on fibers: TCP, unix sockets, pipes, with or without TLS.
 *
 * On a plain thread the same calls block the thread. All calls belong to the loop of the fiber that opened the sock;
 * one fiber reads and (possibly another) one writes at a time. Deadlines are absolute per call (timeout_ms from now, -1
 * = none). E_EOF: orderly close by the peer; E_IO: reset and friends; E_TIMEOUT; E_CANCELLED.
 */
#ifndef BALLAST_SOCK_H
#define BALLAST_SOCK_H

#include <sys/uio.h>

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"
#include "rt/rt.h"

struct sock;
struct tls_ctx; /* server or client TLS settings, immutable, reference-counted */

/* Take ownership of a non-blocking fd on the calling loop (on failure it stays the caller's). */
must_check err sock_open_fd(int fd, struct sock **out);
void sock_close(struct sock *s); /* NULL ok; sends TLS close_notify best effort, closes at once */
int sock_fd(const struct sock *s);

/* At least 1 byte unless error; *n = bytes read. */
may_suspend err sock_read(struct sock *s, void *p, size_t cap, int64_t timeout_ms, size_t *n) must_check;
/* All of it. */
may_suspend err sock_write(struct sock *s, const void *p, size_t n, int64_t timeout_ms) must_check;
may_suspend err sock_writev(struct sock *s, const struct iovec *iov, int n_iov, int64_t timeout_ms) must_check;
/* n bytes of a file from off; sendfile on plain sockets, pread+write under TLS. Yields every 1 MiB. */
may_suspend err sock_sendfile(struct sock *s, int fd, off_t off, size_t n, int64_t timeout_ms) must_check;
/* Half-close for writing. */
may_suspend err sock_shutdown_write(struct sock *s) must_check;
/* Bytes can be read now without waiting (kernel or TLS buffer), or the peer has closed. */
bool sock_readable_now(struct sock *s);
/*
 * Watch for the peer going away while the fiber waits for something else (upstream answer):
 * when the peer closes or resets, fn(arg) runs on the loop. Cancel with fn NULL. Data that arrives
 * (pipelined requests) does not fire it.
 */
void sock_on_hangup(struct sock *s, rt_fn fn, void *arg);
/* Make the pending and every later call of this sock return E_CANCELLED (from its own loop). */
void sock_cancel(struct sock *s);

/* [fiber] host is a name or an address literal; names are resolved in the work pool. */
may_suspend err sock_connect(struct str host, uint16_t port, int64_t timeout_ms, struct sock **out) must_check;
/* Client handshake with SNI and verification for `host`; ctx from tls_client_new. */
may_suspend err sock_tls_client(struct sock *s, struct tls_ctx *ctx, struct str host, int64_t timeout_ms) must_check;
may_suspend err sock_tls_server(struct sock *s, struct tls_ctx *ctx, int64_t timeout_ms) must_check;

must_check err tls_server_new(const char *cert_pem_path, const char *key_pem_path, struct tls_ctx **out);
/* ca_path NULL = system store. */
must_check err tls_client_new(const char *ca_pem_path, struct tls_ctx **out);
struct tls_ctx *tls_ctx_ref(struct tls_ctx *c);
void tls_ctx_put(struct tls_ctx *c);

/* Listening. One SO_REUSEPORT socket per loop; on_conn runs as a fresh fiber per connection. */
struct listener;
/* [fiber] Owns `s`: closes it before it returns. */
typedef void (*conn_fn)(void *arg, struct sock *s, struct str peer_ip, uint16_t peer_port);
must_check err listener_open(struct str host, uint16_t port /* 0 = any */, conn_fn fn, void *arg,
                             unsigned max_conns_per_loop, struct listener **out);
uint16_t listener_port(const struct listener *l);
/* Stops accepting; live connections go on. Before rt_stop. NULL ok. */
may_suspend void listener_close(struct listener *l);
#endif
