/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.c — one epoll loop per core: posts, timers, ready fibers, events, in that order each turn.
 *
 * Posts come from any thread over a lock-free stack (pushed newest first, taken whole and turned
 * round). The poster writes the eventfd only when the loop said it sleeps; the order "loop: say
 * sleeping, then look at posts" / "poster: push, then look at sleeping" (both sequentially
 * consistent) loses no wake-up.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/reserve.h"
#include "rt/rt_int.h"

static struct {
    struct loop *loops[RT_MAX_LOOPS];
    unsigned n;
    bool pin;
    _Atomic bool draining;
} rt;

/* --- posts ------------------------------------------------------------------------------------------------ */
void loop_push(struct loop *l, struct post *p) {
    struct post *head = atomic_load_explicit(&l->posts, memory_order_relaxed);
    do p->next = head;
    while (!atomic_compare_exchange_weak(&l->posts, &head, p));
    if (atomic_load(&l->sleeping) && atomic_exchange(&l->sleeping, 0)) {
        uint64_t one = 1;
        while (write(l->evfd, &one, sizeof one) < 0 && errno == EINTR) {}
    }
}

void loop_post(struct loop *l, rt_fn fn, void *arg) {
    struct post *p = reserve_malloc(sizeof *p);
    BUG_ON(p == NULL);
    p->fn = fn;
    p->arg = arg;
    loop_push(l, p);
}

static void posts_run(struct loop *l) {
    if (atomic_load_explicit(&l->posts, memory_order_relaxed) == NULL) return;
    struct post *p = atomic_exchange(&l->posts, NULL), *in_order = NULL;
    while (p != NULL) {
        struct post *next = p->next;
        p->next = in_order;
        in_order = p;
        p = next;
    }
    while (in_order != NULL) {
        p = in_order;
        in_order = p->next;
        rt_fn fn = p->fn;
        void *arg = p->arg;
        if (fn == NULL) {
            struct fiber *f = arg;
            atomic_store(&f->wake_posted, false); /* from here on p may be pushed again */
            fiber_ready(f);
        } else {
            reserve_free(p);
            fn(arg);
        }
    }
}

/* --- a turn ------------------------------------------------------------------------------------------------- */
static void ready_run(struct loop *l) {
    struct fiber *f = l->ready;
    l->ready = NULL;
    l->ready_tail = &l->ready;
    while (f != NULL) {
        struct fiber *next = f->next;
        f->queued = false;
        fiber_resume(f);
        f = next;
    }
}

static int poll_timeout(struct loop *l, int64_t now_ms) {
    if (l->ready != NULL || (l->stopping && atomic_load(&l->n_live) == 0)) return 0;
    int64_t next = wheel_next(&l->wheel);
    if (l->stopping && (next < 0 || next > l->stop_by_ms)) next = l->stop_by_ms;
    if (next < 0) return -1;
    int64_t in = next - now_ms;
    return in <= 0 ? 0 : (int)MIN(in, 3600000);
}

static void turn(struct loop *l) {
    int64_t now = clock_mono_ms();
    posts_run(l);
    wheel_advance(&l->wheel, now);
    ready_run(l);
    sock_recycle(l);
    int timeout = poll_timeout(l, now);
    if (timeout != 0) {
        atomic_store(&l->sleeping, 1);
        if (atomic_load(&l->posts) != NULL) timeout = 0;
    }
    struct epoll_event evs[128];
    int n = epoll_wait(l->epfd, evs, (int)ARRAY_LEN(evs), timeout);
    atomic_store_explicit(&l->sleeping, 0, memory_order_relaxed);
    BUG_ON(n < 0 && errno != EINTR);
    for (int i = 0; i < n; i++) {
        struct ev *e = evs[i].data.ptr;
        if (e != NULL) e->fn(e, evs[i].events);
    }
    atomic_fetch_add_explicit(&l->turns, 1, memory_order_relaxed);
}

void loop_run(struct loop *l) {
    loop_set_self(l);
    while (!l->stopping || (atomic_load(&l->n_live) > 0 && clock_mono_ms() < l->stop_by_ms)) turn(l);
    if (atomic_load(&l->n_live) > 0)
        log_warn("rt.stop", LI("loop", l->index), LI("fibers_abandoned", atomic_load(&l->n_live)));
    posts_run(l);
    sock_recycle(l);
    loop_set_self(NULL);
}

err ev_add(struct loop *l, int fd, struct ev *e, uint32_t events) {
    struct epoll_event ee = {.events = events, .data.ptr = e};
    if (epoll_ctl(l->epfd, EPOLL_CTL_ADD, fd, &ee) != 0)
        return err_errno(E_IO, errno, "cannot watch a file descriptor");
    return OK;
}

struct loop *loop_new(unsigned index, const struct rt_limits *lim) {
    struct loop *l = calloc(1, sizeof *l);
    if (l == NULL) return NULL;
    l->index = index;
    l->epfd = epoll_create1(EPOLL_CLOEXEC);
    l->evfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->ready_tail = &l->ready;
    l->max_fibers = lim->max_fibers != 0 ? lim->max_fibers : 16384;
    l->stack_bytes = lim->fiber_stack_bytes != 0 ? lim->fiber_stack_bytes : 128 * KiB;
    pthread_mutex_init(&l->pool_mu, NULL);
    wheel_init(&l->wheel, clock_mono_ms());
    /* Edge-triggered, so the counter need never be read. */
    struct epoll_event ee = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};
    if (l->epfd < 0 || l->evfd < 0 || epoll_ctl(l->epfd, EPOLL_CTL_ADD, l->evfd, &ee) != 0) {
        loop_free(l);
        return NULL;
    }
    return l;
}

void loop_free(struct loop *l) {
    /* An abandoned fiber may still be named by a work job or a signaller: leak rather than crash. */
    bool abandoned = atomic_load(&l->n_live) > 0;
    if (l->epfd >= 0) close(l->epfd);
    if (l->evfd >= 0) close(l->evfd);
    l->epfd = l->evfd = -1;
    while (l->free_socks != NULL) {
        struct sock *s = l->free_socks;
        l->free_socks = s->next;
        free(s);
    }
    if (abandoned) return;
    fiber_pool_release(l);
    pthread_mutex_destroy(&l->pool_mu);
    free(l);
}

/* --- start and stop -------------------------------------------------------------------------------------------- */
static void *loop_thread(void *arg) {
    struct loop *l = arg;
    loop_run(l);
    return NULL;
}

static void pin_thread(pthread_t t, unsigned index) {
    cpu_set_t all, one;
    if (sched_getaffinity(0, sizeof all, &all) != 0 || CPU_COUNT(&all) == 0) return;
    unsigned want = index % (unsigned)CPU_COUNT(&all);
    for (unsigned c = 0; c < CPU_SETSIZE; c++) {
        if (!CPU_ISSET(c, &all) || want-- != 0) continue;
        CPU_ZERO(&one);
        CPU_SET(c, &one);
        if (pthread_setaffinity_np(t, sizeof one, &one) != 0) log_warn("rt.pin", LI("loop", index), LI("core", c));
        return;
    }
}

static unsigned online_cores(void) {
    cpu_set_t all;
    if (sched_getaffinity(0, sizeof all, &all) != 0) return 1;
    return (unsigned)MAX(1, CPU_COUNT(&all));
}

err rt_start(const struct rt_limits *lim) {
    BUG_ON(rt.n != 0);
    signal(SIGPIPE, SIG_IGN);
    unsigned n = MIN(lim->n_loops != 0 ? lim->n_loops : online_cores(), (unsigned)RT_MAX_LOOPS);
    atomic_store(&rt.draining, false);
    /* Signals are the main thread's business. */
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    err e = work_start(lim->n_work != 0 ? lim->n_work : 4, lim->max_work_queue != 0 ? lim->max_work_queue : 4096);
    for (unsigned i = 0; e == OK && i < n; i++) {
        struct loop *l = loop_new(i, lim);
        if (l == NULL) {
            e = err_errno(E_NOMEM, errno, "cannot make event loop %u", i);
        } else if (pthread_create(&l->thread, NULL, loop_thread, l) != 0) {
            e = err_fail(E_NOMEM, "cannot start the thread of event loop %u", i);
            loop_free(l);
        } else {
            if (lim->pin) pin_thread(l->thread, i);
            rt.loops[rt.n++] = l;
        }
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (e != OK) rt_stop();
    return e;
}

static void stop_loop(void *arg) {
    struct loop *l = arg;
    l->stopping = true;
    l->stop_by_ms = clock_mono_ms() + RT_STOP_MS;
    for (struct fiber *f = l->live; f != NULL; f = f->live_next) fiber_ready(f);
}

void rt_stop(void) {
    atomic_store(&rt.draining, true);
    for (unsigned i = 0; i < rt.n; i++) loop_post(rt.loops[i], stop_loop, rt.loops[i]);
    for (unsigned i = 0; i < rt.n; i++) pthread_join(rt.loops[i]->thread, NULL);
    work_stop();
    for (unsigned i = 0; i < rt.n; i++) {
        loop_free(rt.loops[i]);
        rt.loops[i] = NULL;
    }
    rt.n = 0;
}

unsigned rt_n_loops(void) {
    return rt.n;
}
struct loop *rt_loop(unsigned i) {
    BUG_ON(i >= rt.n);
    return rt.loops[i];
}
bool rt_draining(void) {
    return atomic_load_explicit(&rt.draining, memory_order_relaxed);
}
void rt_drain_begin(void) {
    atomic_store(&rt.draining, true);
}

void rt_stats_get(struct rt_stats *out) {
    *out = (struct rt_stats){0};
    for (unsigned i = 0; i < rt.n; i++) {
        out->fibers_live += atomic_load_explicit(&rt.loops[i]->n_live, memory_order_relaxed);
        out->fibers_spawned += atomic_load_explicit(&rt.loops[i]->spawned, memory_order_relaxed);
        out->loop_turns += atomic_load_explicit(&rt.loops[i]->turns, memory_order_relaxed);
    }
    work_stats(out);
}
