/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_rig.h — scripted providers on plain threads. Each provider answers every request by its script:
 * a list of steps of raw bytes, sleeps and ends. What it was asked is kept.
 */
#ifndef TEST_GATE_RIG_H
#define TEST_GATE_RIG_H

#include "../http/http_rig.h"

#include <pthread.h>
#include <stdatomic.h>

#define SSE_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
#define ROLE                                                                                                           \
    "data: "                                                                                                           \
    "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n"
#define TOK(t) "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" t "\"},\"finish_reason\":null}]}\n\n"
#define FIN "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define USE "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2,\"total_tokens\":9}}\n\n"
#define DONE "data: [DONE]\n\n"
#define JSON_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
#define WHOLE(t)                                                                                                       \
    JSON_HEAD "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"" t                        \
              "\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}"

struct provider {
    const char *steps[8]; /* bytes; "SLEEP" 300 ms; "HANG" until the peer leaves; "RST" reset; NULL ends. First a reply,
                             then "IF text": the reply to requests with the text, the rest to the others */
    int fd;
    uint16_t port;
    pthread_t thread;
    _Atomic unsigned hits, left; /* left: the gateway hung up during HANG */
    char request[70000];         /* newest */
};

static bool rig_read_request(struct provider *p, int fd) {
    size_t n = 0;
    for (;;) {
        ssize_t k = recv(fd, p->request + n, sizeof p->request - 1 - n, 0);
        if (k <= 0) return false;
        n += (size_t)k;
        p->request[n] = '\0';
        char *end = strstr(p->request, "\r\n\r\n"), *cl = strstr(p->request, "Content-Length: ");
        if (end != NULL && n >= (size_t)(end + 4 - p->request) + (cl != NULL ? strtoul(cl + 16, NULL, 10) : 0))
            return true;
    }
}

static void rig_play(struct provider *p, int fd) {
    int i = 0;
    if (p->steps[1] != NULL && strncmp(p->steps[1], "IF ", 3) == 0) {
        if (strstr(p->request, p->steps[1] + 3) != NULL) return (void)rig_send(fd, p->steps[0], strlen(p->steps[0]));
        i = 2;
    }
    for (; i < 8 && p->steps[i] != NULL; i++) {
        const char *s = p->steps[i];
        if (strcmp(s, "SLEEP") == 0) usleep(300000);
        else if (strcmp(s, "HANG") == 0) {
            char c;
            if (recv(fd, &c, 1, 0) <= 0) p->left++;
            return;
        } else if (strcmp(s, "RST") == 0) {
            struct linger l = {1, 0};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
        } else rig_send(fd, s, strlen(s));
    }
}

static void *rig_conn(void *arg) {
    struct {
        struct provider *p;
        int fd;
    } a;
    memcpy(&a, arg, sizeof a);
    free(arg);
    if (rig_read_request(a.p, a.fd)) {
        a.p->hits++;
        rig_play(a.p, a.fd);
    }
    close(a.fd);
    return NULL;
}

static void *rig_accept(void *arg) {
    struct provider *p = arg;
    for (;;) {
        int fd = accept(p->fd, NULL, NULL);
        if (fd < 0) return NULL;
        struct {
            struct provider *p;
            int fd;
        } a = {p, fd};
        void *copy = malloc(sizeof a);
        memcpy(copy, &a, sizeof a);
        pthread_t t;
        pthread_create(&t, NULL, rig_conn, copy);
        pthread_detach(t);
    }
}

static void provider_open(struct provider *p) {
    p->fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    assert_int_equal(bind(p->fd, (struct sockaddr *)(void *)&a, n), 0);
    assert_int_equal(listen(p->fd, 64), 0);
    getsockname(p->fd, (struct sockaddr *)(void *)&a, &n);
    p->port = ntohs(a.sin_port);
    pthread_create(&p->thread, NULL, rig_accept, p);
}

static void provider_close(struct provider *p) {
    shutdown(p->fd, SHUT_RDWR);
    close(p->fd);
    pthread_join(p->thread, NULL);
}
#endif
