/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect.c — outbound TCP: names are resolved in the work pool, addresses tried in turn.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rt/rt_int.h"

enum { MAX_ADDRS = 8 };
struct resolve {
    char host[256];
    uint16_t port;
    unsigned n;
    struct sockaddr_storage ss[MAX_ADDRS];
    socklen_t len[MAX_ADDRS];
};

static bool resolve_literal(struct resolve *r) {
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&r->ss[0];
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&r->ss[0];
    if (inet_pton(AF_INET, r->host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons(r->port);
        r->len[0] = sizeof *in;
    } else if (inet_pton(AF_INET6, r->host, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(r->port);
        r->len[0] = sizeof *in6;
    } else {
        return false;
    }
    r->n = 1;
    return true;
}

static err resolve_name(void *arg) {
    struct resolve *r = arg;
    char port[8];
    snprintf(port, sizeof port, "%u", r->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV}, *list = NULL;
    int rc = getaddrinfo(r->host, port, &hints, &list);
    if (rc != 0) return err_fail(E_UPSTREAM, "cannot resolve host name '%s': %s", r->host, gai_strerror(rc));
    for (struct addrinfo *a = list; a != NULL && r->n < MAX_ADDRS; a = a->ai_next) {
        if (a->ai_addrlen > sizeof r->ss[0]) continue;
        memcpy(&r->ss[r->n], a->ai_addr, a->ai_addrlen);
        r->len[r->n++] = a->ai_addrlen;
    }
    freeaddrinfo(list);
    return r->n > 0 ? OK : err_fail(E_UPSTREAM, "host name '%s' has no address", r->host);
}

static err connect_one(const struct resolve *r, unsigned i, int64_t by_ms, struct sock **out) {
    int fd = socket(r->ss[i].ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return err_errno(E_IO, errno, "cannot make a socket");
    int rc;
    do rc = connect(fd, (const struct sockaddr *)&r->ss[i], r->len[i]);
    while (rc != 0 && errno == EINTR);
    int errnum = rc == 0 ? 0 : errno;
    if (errnum != 0 && errnum != EINPROGRESS) {
        close(fd);
        return err_errno(E_UPSTREAM, errnum, "cannot connect to %s port %u", r->host, r->port);
    }
    struct sock *s;
    err e = sock_open_fd(fd, &s);
    if (e != OK) {
        close(fd);
        return e;
    }
    if (errnum == EINPROGRESS) {
        s->wr = false;
        e = sock_wait(s, true, by_ms);
        socklen_t len = sizeof errnum;
        errnum = 0;
        if (e == OK && getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len) != 0) errnum = errno;
        if (e == OK && errnum != 0) e = err_errno(E_UPSTREAM, errnum, "cannot connect to %s port %u", r->host, r->port);
        if (e == E_TIMEOUT) e = err_fail(E_TIMEOUT, "connecting to %s port %u took too long", r->host, r->port);
    }
    if (e != OK) {
        sock_close(s);
        return e;
    }
    s->rd = s->loop == NULL; /* nothing can have been sent yet that an edge will not announce */
    *out = s;
    return OK;
}

err sock_connect(struct str host, uint16_t port, int64_t timeout_ms, struct sock **out) {
    *out = NULL;
    struct resolve r = {.port = port};
    /* "[::1]" as in URLs. */
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') host = str_sub(host, 1, host.n - 2);
    if (host.n == 0 || host.n >= sizeof r.host || memchr(host.p, 0, host.n) != NULL)
        return err_fail(E_BAD_REQUEST, "host: expected a name or an address of 1 to 255 bytes");
    memcpy(r.host, host.p, host.n);
    int64_t by = rt_deadline(timeout_ms);
    if (!resolve_literal(&r)) TRY(work_run(resolve_name, &r));
    err e = OK;
    for (unsigned i = 0; i < r.n; i++) {
        e = connect_one(&r, i, by, out);
        if (e == OK || e == E_TIMEOUT || e == E_CANCELLED) return e;
    }
    return e;
}
