/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sock.c — byte streams: life cycle, readiness, waiting. (Reading and writing: sock_io.c; TLS: tls.c.)
 *
 * A sock is registered once, edge-triggered, for both directions. `rd`/`wr` mean "may be tried":
 * an edge sets them, EAGAIN or a short transfer clears them. So a keep-alive request costs one
 * epoll_wait, one read and one write, and never a second epoll_ctl.
 *
 * Closed socks stay on the loop's `dead` list until the turn ends, because an event of the same
 * batch may still point to them; then they are reused.
 *
 * A sock opened on a plain thread (command line) has no loop: its waits are poll(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rt/rt_int.h"

enum { MAX_FREE_SOCKS = 4096 };

static void hangup_fire(void *arg) {
    struct sock *s = arg;
    rt_fn fn = s->hup_fn;
    s->hup_fn = NULL; /* once */
    if (fn != NULL) fn(s->hup_arg);
}

static void sock_event(struct ev *e, uint32_t events) {
    struct sock *s = CONTAINER_OF(e, struct sock, ev);
    if (s->fd < 0) return; /* closed earlier in this batch */
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        s->rd = true;
        if (s->rd_waiter != NULL) fiber_ready(s->rd_waiter);
    }
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
        s->wr = true;
        if (s->wr_waiter != NULL) fiber_ready(s->wr_waiter);
    }
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        s->hup = true;
        hangup_fire(s);
    }
}

struct sock *sock_alloc(struct loop *l, int fd) {
    struct sock *s = l != NULL ? l->free_socks : NULL;
    if (s != NULL) {
        l->free_socks = s->next;
        l->n_free_socks--;
        memset(s, 0, sizeof *s);
    } else {
        s = calloc(1, sizeof *s);
        if (s == NULL) return NULL;
    }
    s->ev.fn = sock_event;
    s->fd = fd;
    s->loop = l;
    s->rd = s->wr = true;
    return s;
}

void sock_recycle(struct loop *l) {
    while (l->dead != NULL) {
        struct sock *s = l->dead;
        l->dead = s->next;
        if (l->n_free_socks >= MAX_FREE_SOCKS) {
            free(s);
            continue;
        }
        s->next = l->free_socks;
        l->free_socks = s;
        l->n_free_socks++;
    }
}

err sock_open_fd(int fd, struct sock **out) {
    *out = NULL;
    struct loop *l = rt_loop_self();
    int one = 1;
    bool is_tcp = setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0;
    bool is_socket = is_tcp || errno != ENOTSOCK;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0))
        return err_errno(E_IO, errno, "cannot use file descriptor %d", fd);
    struct sock *s = sock_alloc(l, fd);
    if (s == NULL) return err_fail(E_NOMEM, "no memory for another connection");
    s->is_socket = is_socket;
    err e = l == NULL ? OK : ev_add(l, fd, &s->ev, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    if (e != OK) {
        free(s); /* never registered: nobody can name it */
        return e;
    }
    *out = s;
    return OK;
}

void sock_close(struct sock *s) {
    if (s == NULL) return;
    BUG_ON(s->rd_waiter != NULL || s->wr_waiter != NULL);
    BUG_ON(s->loop != rt_loop_self());
    if (s->ssl != NULL) tls_close(s);
    timer_cancel(&s->hup_timer);
    s->hup_fn = NULL;
    /* Explicit, since a child between fork and exec may hold the file open a little longer. */
    if (s->loop != NULL) epoll_ctl(s->loop->epfd, EPOLL_CTL_DEL, s->fd, NULL);
    close(s->fd);
    s->fd = -1;
    if (s->loop == NULL) {
        free(s);
        return;
    }
    s->next = s->loop->dead;
    s->loop->dead = s;
}

int sock_fd(const struct sock *s) {
    return s->fd;
}

err sock_check(const struct sock *s) {
    if (s->cancelled) return err_fail(E_CANCELLED, "the connection was cancelled");
    if (s->loop != NULL && s->loop->stopping) {
        struct fiber *f = fiber_self();
        if (f != NULL) return fiber_stopping(f);
    }
    return OK;
}

/* --- waiting --------------------------------------------------------------------------------------------- */
static err timed_out(void) {
    return err_fail(E_TIMEOUT, "the other side did not answer in time");
}

static err wait_thread(const struct sock_want *w, unsigned n, int64_t by_ms) {
    struct pollfd p[4];
    BUG_ON(n > ARRAY_LEN(p));
    for (unsigned i = 0; i < n; i++)
        p[i] = (struct pollfd){.fd = w[i].s != NULL ? w[i].s->fd : -1, .events = w[i].wr ? POLLOUT : POLLIN};
    for (;;) {
        int64_t in = by_ms < 0 ? -1 : MAX(0, by_ms - clock_mono_ms());
        int r = poll(p, n, (int)MIN(in, 3600000));
        if (r < 0 && errno != EINTR) return err_errno(E_IO, errno, "cannot wait for a connection");
        if (r == 0 && by_ms >= 0 && clock_mono_ms() >= by_ms) return timed_out();
        if (r <= 0) continue;
        for (unsigned i = 0; i < n; i++) {
            if (w[i].s == NULL || p[i].revents == 0) continue;
            if (w[i].wr) w[i].s->wr = true;
            else w[i].s->rd = true;
        }
        return OK;
    }
}

static bool any_ready(const struct sock_want *w, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        if (w[i].s != NULL && (w[i].s->cancelled || (w[i].wr ? w[i].s->wr : w[i].s->rd))) return true;
    return false;
}

static void set_waiters(const struct sock_want *w, unsigned n, struct fiber *f) {
    for (unsigned i = 0; i < n; i++) {
        if (w[i].s == NULL) continue;
        struct fiber **slot = w[i].wr ? &w[i].s->wr_waiter : &w[i].s->rd_waiter;
        BUG_ON(f != NULL && *slot != NULL); /* one fiber a direction */
        *slot = f;
    }
}

err sock_wait_any(const struct sock_want *w, unsigned n, int64_t by_ms) {
    struct fiber *f = fiber_self();
    if (f == NULL) return wait_thread(w, n, by_ms);
    set_waiters(w, n, f);
    fiber_deadline_arm(f, by_ms);
    while (!any_ready(w, n) && !f->loop->stopping && !f->timed_out) fiber_park(f);
    fiber_deadline_disarm(f);
    set_waiters(w, n, NULL);
    for (unsigned i = 0; i < n; i++)
        if (w[i].s != NULL) TRY(sock_check(w[i].s));
    return any_ready(w, n) ? OK : timed_out();
}

err sock_wait(struct sock *s, bool wr, int64_t by_ms) {
    BUG_ON(s->loop != rt_loop_self());
    struct sock_want w = {s, wr};
    return sock_wait_any(&w, 1, by_ms);
}

void sock_cancel(struct sock *s) {
    s->cancelled = true;
    if (s->rd_waiter != NULL) fiber_ready(s->rd_waiter);
    if (s->wr_waiter != NULL) fiber_ready(s->wr_waiter);
}

void sock_on_hangup(struct sock *s, rt_fn fn, void *arg) {
    if (s->loop == NULL) return;
    s->hup_fn = fn;
    s->hup_arg = arg;
    timer_cancel(&s->hup_timer);
    if (fn != NULL && s->hup) timer_arm(&s->hup_timer, 0, hangup_fire, s);
}

bool sock_readable_now(struct sock *s) {
    if (s->ssl != NULL && tls_pending(s)) return true;
    if (!s->rd) return false;
    char c;
    ssize_t r = s->is_socket ? recv(s->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) : 1;
    if (r >= 0 || (errno != EAGAIN && errno != EINTR)) return true;
    if (s->loop != NULL) s->rd = false;
    return false;
}
