/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait.c — done, notify, fmutex: waiting for something another fiber or thread does.
 *
 * done.state: 0 pending -> 1 signalled, with 2 (a fiber sleeps) or 3 (a plain thread sleeps) in
 * between. After the exchange to 1 the signaller touches the struct only when it saw 2, since then
 * the fiber cannot run before we wake it; a thread may be gone, so the futex wake uses the address
 * alone (a stray wake of a reused address is harmless: every waiter loops).
 */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/reserve.h"
#include "rt/rt_int.h"

enum { DONE_PENDING, DONE_SIGNALLED, DONE_FIBER, DONE_THREAD };

static void futex_wait(_Atomic int *p, int val) {
    syscall(SYS_futex, p, FUTEX_WAIT_PRIVATE, val, NULL, NULL, 0);
}
static void futex_wake(_Atomic int *p) {
    syscall(SYS_futex, p, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void done_init(struct done *d) {
    d->fiber = NULL;
    d->loop = NULL;
    d->result = 0;
    atomic_init(&d->state, DONE_PENDING);
}

void done_signal(struct done *d) {
    int old = atomic_exchange(&d->state, DONE_SIGNALLED);
    BUG_ON(old == DONE_SIGNALLED);
    if (old == DONE_FIBER) fiber_wake(d->fiber);
    else if (old == DONE_THREAD) futex_wake(&d->state);
}

void done_wait(struct done *d) {
    int expect = DONE_PENDING;
    struct fiber *f = fiber_self();
    if (f != NULL) {
        d->fiber = f;
        d->loop = f->loop;
        if (!atomic_compare_exchange_strong(&d->state, &expect, DONE_FIBER)) return;
        while (atomic_load(&d->state) != DONE_SIGNALLED) fiber_park(f);
        return;
    }
    /* A loop thread outside any fiber would stop its core. */
    BUG_ON(rt_loop_self() != NULL);
    if (!atomic_compare_exchange_strong(&d->state, &expect, DONE_THREAD)) return;
    while (atomic_load(&d->state) != DONE_SIGNALLED) futex_wait(&d->state, DONE_THREAD);
}

/* --- notify ------------------------------------------------------------------------------------------------ */
struct notify_waiter {
    struct notify_waiter *next, **pprev;
    struct fiber *fiber;
};
struct notify {
    _Atomic uint64_t gen;
    pthread_mutex_t mu;
    pthread_cond_t cond; /* plain threads */
    struct notify_waiter *fibers;
};

struct notify *notify_new(void) {
    struct notify *n = reserve_calloc(sizeof *n);
    BUG_ON(n == NULL);
    pthread_mutex_init(&n->mu, NULL);
    pthread_condattr_t at;
    pthread_condattr_init(&at);
    pthread_condattr_setclock(&at, CLOCK_MONOTONIC);
    pthread_cond_init(&n->cond, &at);
    pthread_condattr_destroy(&at);
    return n;
}

void notify_free(struct notify *n) {
    if (n == NULL) return;
    BUG_ON(n->fibers != NULL);
    pthread_cond_destroy(&n->cond);
    pthread_mutex_destroy(&n->mu);
    reserve_free(n);
}

uint64_t notify_gen(const struct notify *n) {
    return atomic_load(&n->gen);
}

void notify_bump(struct notify *n) {
    pthread_mutex_lock(&n->mu);
    atomic_fetch_add(&n->gen, 1);
    /* Waiters unlink themselves; a fiber cannot leave before it took the mutex. */
    for (struct notify_waiter *w = n->fibers; w != NULL; w = w->next) fiber_wake(w->fiber);
    pthread_cond_broadcast(&n->cond);
    pthread_mutex_unlock(&n->mu);
}

static err notify_wait_thread(struct notify *n, uint64_t seen, int64_t timeout_ms) {
    struct timespec by = {0};
    if (timeout_ms >= 0) {
        int64_t ns = clock_mono_ns() + timeout_ms * 1000000;
        by = (struct timespec){ns / 1000000000, ns % 1000000000};
    }
    int r = 0;
    pthread_mutex_lock(&n->mu);
    while (atomic_load(&n->gen) == seen && r != ETIMEDOUT)
        r = timeout_ms < 0 ? pthread_cond_wait(&n->cond, &n->mu) : pthread_cond_timedwait(&n->cond, &n->mu, &by);
    bool moved = atomic_load(&n->gen) != seen;
    pthread_mutex_unlock(&n->mu);
    return moved ? OK : err_fail(E_TIMEOUT, "nothing changed in time");
}

err notify_wait(struct notify *n, uint64_t seen, int64_t timeout_ms) {
    struct fiber *f = fiber_self();
    if (f == NULL) {
        BUG_ON(rt_loop_self() != NULL);
        return notify_wait_thread(n, seen, timeout_ms);
    }
    struct notify_waiter w = {.fiber = f};
    pthread_mutex_lock(&n->mu);
    w.next = n->fibers;
    w.pprev = &n->fibers;
    if (w.next != NULL) w.next->pprev = &w.next;
    n->fibers = &w;
    pthread_mutex_unlock(&n->mu);
    fiber_deadline_arm(f, rt_deadline(timeout_ms));
    while (atomic_load(&n->gen) == seen && !f->timed_out && !f->loop->stopping) fiber_park(f);
    fiber_deadline_disarm(f);
    pthread_mutex_lock(&n->mu);
    *w.pprev = w.next;
    if (w.next != NULL) w.next->pprev = w.pprev;
    pthread_mutex_unlock(&n->mu);
    if (atomic_load(&n->gen) != seen) return OK;
    if (f->loop->stopping) return fiber_stopping(f);
    return err_fail(E_TIMEOUT, "nothing changed in time");
}

/* --- fmutex ------------------------------------------------------------------------------------------------- */
struct fmutex_waiter {
    struct fmutex_waiter *next;
    struct done done;
};
struct fmutex {
    pthread_mutex_t mu;
    bool locked;
    struct fmutex_waiter *head, **tail;
};

struct fmutex *fmutex_new(void) {
    struct fmutex *m = reserve_calloc(sizeof *m);
    BUG_ON(m == NULL);
    pthread_mutex_init(&m->mu, NULL);
    m->tail = &m->head;
    return m;
}

void fmutex_free(struct fmutex *m) {
    if (m == NULL) return;
    BUG_ON(m->locked);
    pthread_mutex_destroy(&m->mu);
    reserve_free(m);
}

void fmutex_lock(struct fmutex *m) {
    pthread_mutex_lock(&m->mu);
    if (!m->locked) {
        m->locked = true;
        pthread_mutex_unlock(&m->mu);
        return;
    }
    struct fmutex_waiter w = {0};
    done_init(&w.done);
    *m->tail = &w;
    m->tail = &w.next;
    pthread_mutex_unlock(&m->mu);
    done_wait(&w.done); /* the unlocker hands the mutex over: `locked` stays true */
}

void fmutex_unlock(struct fmutex *m) {
    pthread_mutex_lock(&m->mu);
    BUG_ON(!m->locked);
    struct fmutex_waiter *w = m->head;
    if (w == NULL) {
        m->locked = false;
    } else {
        m->head = w->next;
        if (m->head == NULL) m->tail = &m->head;
    }
    pthread_mutex_unlock(&m->mu);
    if (w != NULL) done_signal(&w->done);
}
