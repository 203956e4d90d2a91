/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sock_io.c — reading and writing plain streams: try first, wait only when the kernel says so.
 *
 * The two sock_try_* calls are the only places that touch the fd. They clear `rd`/`wr` on EAGAIN and
 * on a short transfer (the kernel's buffer is then empty resp. full, and the next change is a fresh
 * edge), except when the peer has hung up: its end-of-file edge has been used already.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rt/rt_int.h"

enum { SENDFILE_TURN = 1 << 20, MAX_IOV = 64 };

static err io_error(int errnum, const char *verb) {
    if (errnum == ECONNRESET || errnum == EPIPE) return err_fail(E_IO, "the other side closed the connection");
    return err_errno(E_IO, errnum, "cannot %s the connection", verb);
}

err sock_try_read(struct sock *s, void *p, size_t cap, size_t *n) {
    *n = 0;
    ssize_t r;
    do r = s->is_socket ? recv(s->fd, p, cap, 0) : read(s->fd, p, cap);
    while (r < 0 && errno == EINTR);
    if (r > 0) {
        if ((size_t)r < cap && !s->hup && s->loop != NULL) s->rd = false;
        *n = (size_t)r;
        return OK;
    }
    if (r == 0) return err_fail(E_EOF, "the other side closed the connection");
    if (errno != EAGAIN) return io_error(errno, "read from");
    s->rd = false;
    return E_UNAVAILABLE;
}

static err try_writev(struct sock *s, const struct iovec *iov, int n_iov, size_t *n) {
    *n = 0;
    size_t want = 0;
    for (int i = 0; i < n_iov; i++) want += iov[i].iov_len;
    ssize_t r;
    do {
        struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n_iov};
        if (!s->is_socket) r = writev(s->fd, iov, n_iov);
        else if (n_iov == 1) r = send(s->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL);
        else r = sendmsg(s->fd, &m, MSG_NOSIGNAL);
    } while (r < 0 && errno == EINTR);
    if (r >= 0) {
        if ((size_t)r < want && s->loop != NULL) s->wr = false;
        *n = (size_t)r;
        return OK;
    }
    if (errno != EAGAIN) return io_error(errno, "write to");
    s->wr = false;
    return E_UNAVAILABLE;
}

err sock_try_write(struct sock *s, const void *p, size_t cap, size_t *n) {
    struct iovec v = {(void *)(uintptr_t)p, cap};
    return try_writev(s, &v, 1, n);
}

static void charge(struct sock *s, size_t bytes) {
    struct fiber *f = s->loop != NULL ? fiber_self() : NULL;
    if (f != NULL) fiber_charge(f, bytes);
}

err sock_read(struct sock *s, void *p, size_t cap, int64_t timeout_ms, size_t *n) {
    BUG_ON(cap == 0);
    if (s->ssl != NULL) return tls_read(s, p, cap, timeout_ms, n);
    *n = 0;
    int64_t by = -2;
    for (;;) {
        TRY(sock_check(s));
        if (s->rd) {
            err e = sock_try_read(s, p, cap, n);
            if (e == OK) charge(s, *n);
            if (e != E_UNAVAILABLE) return e;
        }
        if (by == -2) by = rt_deadline(timeout_ms);
        TRY(sock_wait(s, false, by));
    }
}

err sock_write(struct sock *s, const void *p, size_t n, int64_t timeout_ms) {
    struct iovec v = {(void *)(uintptr_t)p, n};
    return sock_writev(s, &v, 1, timeout_ms);
}

err sock_writev(struct sock *s, const struct iovec *iov, int n_iov, int64_t timeout_ms) {
    if (s->ssl != NULL) return tls_writev(s, iov, n_iov, timeout_ms);
    BUG_ON(n_iov > MAX_IOV);
    struct iovec v[MAX_IOV], *at = v;
    memcpy(v, iov, (size_t)n_iov * sizeof *v);
    int64_t by = -2;
    for (;;) {
        while (n_iov > 0 && at->iov_len == 0) at++, n_iov--;
        if (n_iov == 0) return OK;
        TRY(sock_check(s));
        if (!s->wr) {
            if (by == -2) by = rt_deadline(timeout_ms);
            TRY(sock_wait(s, true, by));
        }
        size_t n;
        err e = try_writev(s, at, n_iov, &n);
        if (e == E_UNAVAILABLE) continue;
        TRY(e);
        charge(s, n);
        while (n > 0) {
            size_t k = MIN(n, at->iov_len);
            at->iov_base = (char *)at->iov_base + k;
            at->iov_len -= k;
            n -= k;
            if (at->iov_len == 0) at++, n_iov--;
        }
    }
}

err sock_sendfile(struct sock *s, int fd, off_t off, size_t n, int64_t timeout_ms) {
    if (s->ssl != NULL) return tls_sendfile(s, fd, off, n, timeout_ms);
    int64_t by = -2;
    if (n > SENDFILE_TURN) posix_fadvise(fd, off, 2 * SENDFILE_TURN, POSIX_FADV_WILLNEED);
    while (n > 0) {
        TRY(sock_check(s));
        if (!s->wr) {
            if (by == -2) by = rt_deadline(timeout_ms);
            TRY(sock_wait(s, true, by));
        }
        size_t want = MIN(n, (size_t)SENDFILE_TURN);
        ssize_t r = sendfile(s->fd, fd, &off, want);
        if (r < 0 && errno == EINTR) continue;
        if (r < 0 && errno == EAGAIN) {
            s->wr = false;
            continue;
        }
        if (r < 0) return io_error(errno, "write to");
        if (r == 0) return err_fail(E_CORRUPT, "a file is shorter than its record says (%zu bytes are missing)", n);
        if ((size_t)r < want && s->loop != NULL) s->wr = false;
        n -= (size_t)r;
        if (n > 0) posix_fadvise(fd, off + SENDFILE_TURN, SENDFILE_TURN, POSIX_FADV_WILLNEED);
        charge(s, (size_t)r);
    }
    return OK;
}

err sock_shutdown_write(struct sock *s) {
    if (s->ssl != NULL) TRY(tls_shutdown_write(s));
    if (!s->is_socket) return err_fail(E_INTERNAL, "a pipe has one direction: close it instead");
    if (shutdown(s->fd, SHUT_WR) != 0 && errno != ENOTCONN) return io_error(errno, "half-close");
    return OK;
}
