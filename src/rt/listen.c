/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen.c — accepting: one SO_REUSEPORT socket per loop, one fresh fiber per connection.
 *
 * At max_conns_per_loop (or out of descriptors) a loop stops watching its listening socket: new
 * connections wait in the kernel's backlog until one ends. A part outlives its listener until its
 * last connection ended.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "rt/rt_int.h"

enum { ACCEPT_BATCH = 64, BACKLOG = 1024, EMFILE_PAUSE_MS = 100 };

struct listen_part { /* of one loop */
    struct ev ev;
    struct loop *loop;
    int fd;
    bool paused, closed;
    unsigned n_conns, max_conns;
    conn_fn fn;
    void *arg;
    struct timer timer;
    struct done *done; /* of the open or close in progress */
    err result;
};
struct listener {
    unsigned n;
    uint16_t port;
    struct listen_part *parts[RT_MAX_LOOPS];
};

static void part_watch(struct listen_part *p, bool on) {
    if (p->closed || p->paused == !on) return;
    p->paused = !on;
    struct epoll_event ee = {.events = on ? EPOLLIN : 0u, .data.ptr = &p->ev};
    BUG_ON(epoll_ctl(p->loop->epfd, EPOLL_CTL_MOD, p->fd, &ee) != 0);
}

static void part_resume(void *arg) {
    struct listen_part *p = arg;
    if (p->n_conns < p->max_conns) part_watch(p, true);
}

static void part_maybe_free(struct listen_part *p) {
    if (!p->closed || p->n_conns > 0) return;
    timer_cancel(&p->timer);
    free(p);
}

static void conn_main(void *arg) {
    struct sock *s = arg;
    struct listen_part *p = s->part;
    char ip[sizeof s->peer_ip];
    memcpy(ip, s->peer_ip, sizeof ip);
    uint16_t port = s->peer_port;
    p->fn(p->arg, s, str_of(ip), port);
    p->n_conns--;
    part_resume(p);
    part_maybe_free(p);
}

static void peer_name(struct sock *s, const struct sockaddr_storage *sa) {
    if (sa->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;
        inet_ntop(AF_INET, &in->sin_addr, s->peer_ip, sizeof s->peer_ip);
        s->peer_port = ntohs(in->sin_port);
    } else if (sa->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)sa;
        if (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr))
            inet_ntop(AF_INET, &in->sin6_addr.s6_addr[12], s->peer_ip, sizeof s->peer_ip);
        else inet_ntop(AF_INET6, &in->sin6_addr, s->peer_ip, sizeof s->peer_ip);
        s->peer_port = ntohs(in->sin6_port);
    }
}

static void conn_start(struct listen_part *p, int fd, const struct sockaddr_storage *sa) {
    struct sock *s = sock_alloc(p->loop, fd);
    if (s == NULL) {
        close(fd);
        return;
    }
    s->is_socket = true; /* TCP_NODELAY is inherited from the listening socket */
    s->part = p;
    peer_name(s, sa);
    if (ev_add(p->loop, fd, &s->ev, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) != OK ||
        fiber_spawn(p->loop, conn_main, s) != OK) {
        log_warn("rt.accept", LZ("error", err_text()));
        sock_close(s);
        return;
    }
    p->n_conns++;
}

static void on_accept(struct ev *e, uint32_t events) {
    struct listen_part *p = CONTAINER_OF(e, struct listen_part, ev);
    (void)events;
    for (unsigned i = 0; i < ACCEPT_BATCH && !p->closed; i++) {
        if (p->n_conns >= p->max_conns) {
            part_watch(p, false);
            return;
        }
        struct sockaddr_storage sa;
        socklen_t len = sizeof sa;
        int fd = accept4(p->fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            conn_start(p, fd, &sa);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED) continue;
        if (errno == EAGAIN) return;
        log_warn("rt.accept", LZ("error", strerror(errno)), LI("pause_ms", EMFILE_PAUSE_MS));
        part_watch(p, false);
        timer_arm(&p->timer, EMFILE_PAUSE_MS, part_resume, p);
        return;
    }
}

static void part_open(void *arg) {
    struct listen_part *p = arg;
    p->result = ev_add(p->loop, p->fd, &p->ev, EPOLLIN);
    done_signal(p->done);
}

static void part_close(void *arg) {
    struct listen_part *p = arg;
    struct done *done = p->done;
    epoll_ctl(p->loop->epfd, EPOLL_CTL_DEL, p->fd, NULL);
    close(p->fd);
    p->closed = true;
    part_maybe_free(p);
    done_signal(done);
}

/* --- binding ------------------------------------------------------------------------------------------------ */
struct addr {
    struct sockaddr_storage ss;
    socklen_t len;
};

static err parse_host(struct str host, uint16_t port, struct addr *a) {
    char z[64] = "127.0.0.1";
    memset(a, 0, sizeof *a);
    if (host.n >= sizeof z)
        return err_fail(E_BAD_REQUEST, "listen address: expected an IP address, got '" STR_FMT "'", STR_ARG(host));
    if (host.n > 0 && !str_eqz(host, "localhost")) {
        memcpy(z, host.p, host.n);
        z[host.n] = 0;
    }
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&a->ss;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&a->ss;
    if (inet_pton(AF_INET, z, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        a->len = sizeof *in;
        return OK;
    }
    if (inet_pton(AF_INET6, z, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        a->len = sizeof *in6;
        return OK;
    }
    return err_fail(E_BAD_REQUEST, "listen address: expected an IP address, got '" STR_FMT "'", STR_ARG(host));
}

static err bind_one(const struct addr *a, bool reuse_port, int *out) {
    int one = 1, fd = socket(a->ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return err_errno(E_IO, errno, "cannot make a socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (reuse_port) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(fd, (const struct sockaddr *)&a->ss, a->len) != 0 || (reuse_port && listen(fd, BACKLOG) != 0)) {
        err e = err_errno(errno == EADDRINUSE ? E_CONFLICT : E_IO, errno, "cannot listen on port %u",
                          ntohs(((const struct sockaddr_in *)(const void *)&a->ss)->sin_port));
        close(fd);
        return e;
    }
    *out = fd;
    return OK;
}

static err bind_all(struct addr *a, uint16_t port, int *fds, unsigned n, uint16_t *bound) {
    if (port != 0) {
        /* SO_REUSEPORT would let a second server of the same user share the port: look first. */
        int probe;
        TRY(bind_one(a, false, &probe));
        close(probe);
    }
    for (unsigned i = 0; i < n; i++) {
        TRY(bind_one(a, true, &fds[i]));
        if (i > 0) continue;
        socklen_t len = sizeof a->ss;
        if (getsockname(fds[0], (struct sockaddr *)&a->ss, &len) != 0) return err_errno(E_IO, errno, "cannot listen");
        *bound = ntohs(((const struct sockaddr_in *)(const void *)&a->ss)->sin_port);
    }
    return OK;
}

/* Run fn(part) on the part's loop and wait. */
static void part_call(struct listen_part *p, rt_fn fn) {
    struct done d;
    done_init(&d);
    p->done = &d;
    if (rt_loop_self() == p->loop) fn(p);
    else loop_post(p->loop, fn, p);
    done_wait(&d);
}

err listener_open(struct str host, uint16_t port, conn_fn fn, void *arg, unsigned max_conns_per_loop,
                  struct listener **out) {
    *out = NULL;
    struct addr a;
    TRY(parse_host(host, port, &a));
    int fds[RT_MAX_LOOPS];
    unsigned n = rt_n_loops();
    if (n == 0) return err_fail(E_INTERNAL, "cannot listen before the event loops run");
    for (unsigned i = 0; i < n; i++) fds[i] = -1;
    struct listener *l = calloc(1, sizeof *l);
    err e = l == NULL ? err_fail(E_NOMEM, "no memory for a listener") : bind_all(&a, port, fds, n, &l->port);
    for (unsigned i = 0; e == OK && i < n; i++) {
        struct listen_part *p = calloc(1, sizeof *p);
        BUG_ON(p == NULL);
        *p = (struct listen_part){.ev = {on_accept},
                                  .loop = rt_loop(i),
                                  .fd = fds[i],
                                  .fn = fn,
                                  .arg = arg,
                                  .max_conns = max_conns_per_loop != 0 ? max_conns_per_loop : 8192};
        fds[i] = -1;
        l->parts[l->n++] = p;
        part_call(p, part_open);
        e = p->result;
    }
    if (e == OK) {
        *out = l;
        return OK;
    }
    for (unsigned i = 0; i < n; i++)
        if (fds[i] >= 0) close(fds[i]);
    listener_close(l);
    return e;
}

uint16_t listener_port(const struct listener *l) {
    return l->port;
}

void listener_close(struct listener *l) {
    if (l == NULL) return;
    for (unsigned i = 0; i < l->n; i++) part_call(l->parts[i], part_close);
    free(l);
}
