/* SPDX-License-Identifier: Apache-2.0 */
/* http_rig.h — a real server on loops of this process, and a blocking client that sends raw bytes. */
#ifndef TEST_HTTP_RIG_H
#define TEST_HTTP_RIG_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "http/http.h"

unused_arg static uint16_t rig_port;

unused_arg static int rig_connect(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(rig_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)(void *)&a, sizeof a), 0);
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* False when the server has already closed. */
unused_arg static bool rig_send(int fd, const void *p, size_t n) {
    const char *at = p;
    while (n > 0) {
        ssize_t k = send(fd, at, n, MSG_NOSIGNAL);
        if (k <= 0) return false;
        at += k;
        n -= (size_t)k;
    }
    return true;
}

/* Read until EOF, `until` is seen at the end, or ms pass. Returns bytes; *eof tells whether the peer closed. */
unused_arg static size_t rig_recv(int fd, char *out, size_t cap, const char *until, int ms, bool *eof) {
    size_t n = 0;
    int64_t end = clock_mono_ms() + ms;
    *eof = false;
    out[0] = '\0';
    while (n + 1 < cap) {
        struct pollfd pf = {fd, POLLIN, 0};
        int64_t left = end - clock_mono_ms();
        if (left <= 0 || poll(&pf, 1, (int)left) <= 0) break;
        ssize_t k = recv(fd, out + n, cap - 1 - n, 0);
        if (k <= 0) {
            *eof = true;
            break;
        }
        n += (size_t)k;
        out[n] = '\0';
        if (until != NULL && n >= strlen(until) && memcmp(out + n - strlen(until), until, strlen(until)) == 0) break;
    }
    return n;
}

/* One request on its own connection that the server must close (Connection: close is the caller's). */
unused_arg static size_t rig_once(const char *req, char *out, size_t cap) {
    int fd = rig_connect();
    rig_send(fd, req, strlen(req));
    bool eof;
    size_t n = rig_recv(fd, out, cap, NULL, 5000, &eof);
    assert_true(eof);
    close(fd);
    return n;
}

unused_arg static int rig_status(const char *answer) {
    if (strncmp(answer, "HTTP/1.1 ", 9) != 0) return -1;
    return (answer[9] - '0') * 100 + (answer[10] - '0') * 10 + (answer[11] - '0');
}
#endif
