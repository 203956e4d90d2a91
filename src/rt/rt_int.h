/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rt_int.h — what the files of this room share. Nothing outside src/rt includes it.
 *
 * Ownership: every field of a loop, fiber or sock belongs to the loop's thread, except those marked
 * [any], which are atomic or behind pool_mu. Waits are loops around fiber_park(): a wake-up is a
 * hint, never a promise, so a late one for a recycled fiber is harmless (fibers are freed only when
 * their loop ends).
 */
#ifndef BALLAST_RT_INT_H
#define BALLAST_RT_INT_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "rt/ctx.h"
#include "rt/rt.h"
#include "rt/sock.h"

#if defined(__SANITIZE_ADDRESS__)
#define RT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RT_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define RT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RT_TSAN 1
#endif
#endif

enum {
    RT_MAX_LOOPS = 256,
    RT_HOT_STACKS = 64,    /* free stacks of a loop kept with their pages */
    RT_COLD_STACKS = 1024, /* more kept as address space only; beyond that unmapped */
    RT_TURN_OPS = 64,      /* I/O calls in a row before a fiber lets others run */
    RT_TURN_BYTES = 1 << 20,
    RT_STOP_MS = 5000, /* fibers get this long to end after E_CANCELLED */
    RT_STAGGER = 192,  /* stack tops differ by this, so that they do not share cache sets */
};

/* --- posts: the one way into a loop from another thread ------------------------------------------ */
struct post {
    struct post *next;
    rt_fn fn; /* NULL: wake `arg` (a fiber; the post is its own `wake`) */
    void *arg;
};

/* --- timers: a hierarchical wheel, 6 levels of 64 slots, 1 ms at the bottom ------------------------ */
enum { WHEEL_BITS = 6, WHEEL_SLOTS = 64, WHEEL_LEVELS = 6 };
struct wheel {
    int64_t now_ms;
    uint64_t bits[WHEEL_LEVELS]; /* slot may be non-empty */
    struct timer *slot[WHEEL_LEVELS][WHEEL_SLOTS];
};
void wheel_init(struct wheel *w, int64_t now_ms);
void wheel_insert(struct wheel *w, struct timer *t); /* t->due_ms set */
void wheel_advance(struct wheel *w, int64_t now_ms); /* fires what is due */
int64_t wheel_next(struct wheel *w);                 /* ms of the next slot to look at, -1 = none */

/* --- fibers --------------------------------------------------------------------------------------- */
struct fiber {
    struct ctx ctx;
    struct loop *loop;
    struct fiber *next; /* in the ready queue, or in the free pool */
    rt_fn fn;
    void *arg, *local;
    bool queued, linked, timed_out, finished;
    unsigned turn_ops;
    size_t turn_bytes;
    struct timer timer;             /* of the wait in progress */
    _Atomic bool live, wake_posted; /* [any] */
    struct post wake;
    struct fiber *live_next, **live_pprev;
    char *map; /* guard page, then the stack */
    size_t map_bytes;
    char *stack_lo;
    size_t stack_bytes;
    unsigned id;
    void *san_fake, *san_tsan;
    struct err_slot slot;
};

struct loop {
    struct fiber *current;
    struct fiber *ready, **ready_tail;
    struct ctx ctx;
    struct wheel wheel;
    int epfd, evfd;
    unsigned index;
    bool stopping;
    int64_t stop_by_ms;
    struct sock *dead, *free_socks; /* dead: closed in this turn, an event of the batch may still name them */
    unsigned n_free_socks;
    struct fiber *live;
    pthread_t thread;
    _Atomic(struct post *) posts; /* [any] newest first */
    _Atomic int sleeping;         /* [any] in a blocking epoll_wait */
    _Atomic unsigned n_live;      /* [any] */
    _Atomic uint64_t turns, spawned;
    pthread_mutex_t pool_mu;
    struct fiber *free, *bare; /* pool_mu; with a stack, without one */
    unsigned n_free, n_made;   /* pool_mu */
    unsigned max_fibers;
    size_t stack_bytes;
    void *san_fake, *san_tsan;
    const void *san_lo;
    size_t san_bytes;
};

struct loop *loop_new(unsigned index, const struct rt_limits *lim);
void loop_free(struct loop *l);
void loop_run(struct loop *l);
void loop_push(struct loop *l, struct post *p); /* [any] */
void loop_set_self(struct loop *l);

void fiber_resume(struct fiber *f); /* loop context: run until it parks or ends */
void fiber_park(struct fiber *f);   /* fiber context: until fiber_wake; may return for no reason */
void fiber_ready(struct fiber *f);  /* loop thread: put into the ready queue */
void fiber_wake(struct fiber *f);   /* [any] */
void fiber_pool_release(struct loop *l);
/* Deadline of the wait in progress; sets f->timed_out and wakes. by_ms < 0: none. */
void fiber_deadline_arm(struct fiber *f, int64_t by_ms);
void fiber_deadline_disarm(struct fiber *f);
/* The E_CANCELLED of a stopping loop; lets others run first. */
err fiber_stopping(struct fiber *f) must_check;
/* Called after each I/O call that did not wait: yields when the fiber had its share of the turn. */
void fiber_charge(struct fiber *f, size_t bytes);
static inline int64_t rt_deadline(int64_t timeout_ms) {
    return timeout_ms < 0 ? -1 : clock_mono_ms() + timeout_ms;
}

must_check err work_start(unsigned n_threads, unsigned max_queue);
void work_stop(void);
void work_stats(struct rt_stats *out);

/* --- event sources --------------------------------------------------------------------------------- */
struct ev {
    void (*fn)(struct ev *e, uint32_t events);
};
must_check err ev_add(struct loop *l, int fd, struct ev *e, uint32_t events);

struct ssl_st;
struct listen_part;
struct sock {
    struct ev ev;
    int fd;
    bool rd, wr; /* may be tried: false only after EAGAIN or a short read, until the next edge */
    bool hup, cancelled, is_socket, tls_dead;
    struct loop *loop; /* NULL: opened on a plain thread, waits block */
    struct fiber *rd_waiter, *wr_waiter;
    struct ssl_st *ssl;
    rt_fn hup_fn;
    void *hup_arg;
    struct timer hup_timer;
    struct sock *next;
    struct listen_part *part;
    uint16_t peer_port;
    char peer_ip[46];
};
struct sock *sock_alloc(struct loop *l, int fd);
void sock_recycle(struct loop *l); /* end of turn */
/* Until readable (or writable): OK, E_TIMEOUT, E_CANCELLED. */
may_suspend err sock_wait(struct sock *s, bool wr, int64_t by_ms) must_check;
/* Wait until any of n directions may be tried (sets nothing else). */
struct sock_want {
    struct sock *s; /* NULL entries are skipped */
    bool wr;
};
may_suspend err sock_wait_any(const struct sock_want *w, unsigned n, int64_t by_ms) must_check;
/* One non-blocking try. E_UNAVAILABLE here means "would block" (no text is set). */
must_check err sock_try_read(struct sock *s, void *p, size_t cap, size_t *n);
must_check err sock_try_write(struct sock *s, const void *p, size_t cap, size_t *n);
err sock_check(const struct sock *s) must_check; /* E_CANCELLED when cancelled or stopping */

may_suspend err tls_read(struct sock *s, void *p, size_t cap, int64_t timeout_ms, size_t *n) must_check;
may_suspend err tls_write(struct sock *s, const void *p, size_t n, int64_t timeout_ms) must_check;
may_suspend err tls_writev(struct sock *s, const struct iovec *iov, int n_iov, int64_t timeout_ms) must_check;
may_suspend err tls_sendfile(struct sock *s, int fd, off_t off, size_t n, int64_t timeout_ms) must_check;
may_suspend err tls_shutdown_write(struct sock *s) must_check;
bool tls_pending(const struct sock *s);
void tls_close(struct sock *s);
#endif
