/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_server.c — the bare loop under wrk: reads up to the empty line, writes a fixed reply.
 *
 *     json_server [PORT]          then: wrk -c64 -t1 -d3 http://127.0.0.1:PORT/
 *
 * No HTTP grammar, no limits: it measures src/rt alone (epoll, fibers, read, write). One loop.
 * Prints CPU microseconds per reply each second with traffic. See bench/rt/run.sh.
 */
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "rt/rt.h"
#include "rt/sock.h"

static _Atomic uint64_t n_replies;
static const char reply[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 212\r\n\r\n"
    "{\"id\":\"demo/smollm2\",\"sha\":\"0123456789abcdef0123456789abcdef01234567\",\"private\":false,\"do"
    "wnloads\":12345,\"likes\":67,\"tags\":[\"gguf\",\"text-generation\",\"license:apache-2.0\"],\"lastModified\":"
    "\"2026-11-22T15:00:00Z\"    }";

static void serve(void *arg, struct sock *s, struct str ip, uint16_t port) {
    (void)arg;
    (void)ip;
    (void)port;
    char b[4096];
    size_t have = 0, n;
    while (sock_read(s, b + have, sizeof b - have, 60000, &n) == OK) {
        have += n;
        if (have < 4 || memcmp(b + have - 4, "\r\n\r\n", 4) != 0) {
            if (have == sizeof b) break;
            continue;
        }
        have = 0;
        if (sock_write(s, reply, sizeof reply - 1, 60000) != OK) break;
        atomic_fetch_add_explicit(&n_replies, 1, memory_order_relaxed);
    }
    sock_close(s);
}

static int64_t cpu_us(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000LL + r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}

int main(int argc, char **argv) {
    struct rt_limits lim = {.n_loops = 1, .n_work = 1};
    struct listener *l;
    uint64_t port = 0;
    if (argc > 1 && !str_to_u64(str_of(argv[1]), &port)) return 2;
    if (rt_start(&lim) != OK || listener_open(STR("127.0.0.1"), (uint16_t)port, serve, NULL, 0, &l) != OK) {
        fprintf(stderr, "%s\n", err_text());
        return 1;
    }
    printf("port %u\n", listener_port(l));
    fflush(stdout);
    uint64_t seen = 0;
    for (int64_t cpu = cpu_us();;) {
        IGNORE_ERR(fiber_sleep(1000)); /* a plain thread's sleep cannot fail */
        uint64_t now = atomic_load(&n_replies);
        int64_t c = cpu_us();
        if (now != seen)
            printf("%.2f us/reply  %llu replies/s\n", (double)(c - cpu) / (double)(now - seen),
                   (unsigned long long)(now - seen));
        fflush(stdout);
        seen = now;
        cpu = c;
    }
}
