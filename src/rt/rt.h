/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rt.h — loops, fibers, timers, work pool, waiting.
 *
 * One epoll loop per core on its own pinned thread; fibers are straight-line tasks of one loop for
 * life. A plain thread (CLI, db writer, work threads) may use the functions marked [any]; on a
 * plain thread a "suspending" call blocks the thread instead. So rooms write one code path that
 * runs in the server and in the command line alike.
 */
#ifndef BALLAST_RT_H
#define BALLAST_RT_H

#include "base/base.h"
#include "base/err.h"

struct loop;
struct fiber;
typedef void (*rt_fn)(void *arg);

struct rt_limits {
    unsigned n_loops;         /* 0 = online cores */
    unsigned n_work;          /* 0 = 4 */
    unsigned max_fibers;      /* per loop; 0 = 16384 */
    size_t fiber_stack_bytes; /* 0 = 128 KiB, plus a guard page; pages are touched on demand */
    unsigned max_work_queue;  /* 0 = 4096 jobs */
    bool pin;                 /* pin loop i to core i */
};
/* Start loops and work threads. */
must_check err rt_start(const struct rt_limits *lim);
/* Stop loops (fibers get E_CANCELLED from whatever they wait for), join threads. */
void rt_stop(void);
unsigned rt_n_loops(void);
struct loop *rt_loop(unsigned i);
struct loop *rt_loop_self(void); /* NULL on plain threads */

/* --- fibers ------------------------------------------------------------------------------ */
struct fiber *fiber_self(void); /* NULL on plain threads */
/* [any] Start fn(arg) as a fiber of `l` (NULL: the calling loop). E_UNAVAILABLE at max_fibers. */
must_check err fiber_spawn(struct loop *l, rt_fn fn, void *arg);
/* [any] */
may_suspend err fiber_sleep(int64_t ms) must_check;
/* Let other ready fibers run. */
may_suspend void fiber_yield(void);
/* A private pointer per fiber (request context for logs). */
void fiber_set_local(void *p);
void *fiber_local(void);

/* --- completion: one event, one waiter, signalled from any thread -------------------------- */
struct done {
    struct fiber *fiber; /* waiter, or NULL for a plain thread */
    struct loop *loop;
    _Atomic int state; /* 0 pending, 1 signalled, 2 waiter asleep */
    int result;
};
void done_init(struct done *d);
/* [any] Wake the waiter; exactly once per init. The struct may vanish as soon as this is called. */
void done_signal(struct done *d);
/* [any] Wait until signalled; not cancellable (the signaller owns memory of ours). */
may_suspend void done_wait(struct done *d);

/* --- broadcast: wait for a generation to move (config, event log, verdicts) ---------------- */
struct notify;
struct notify *notify_new(void);
void notify_free(struct notify *n);
uint64_t notify_gen(const struct notify *n);
void notify_bump(struct notify *n); /* [any] */
/* [any] Until notify_gen() != seen or timeout. E_TIMEOUT, E_CANCELLED. */
may_suspend err notify_wait(struct notify *n, uint64_t seen, int64_t timeout_ms) must_check;

/* --- mutex for fibers and threads alike (FIFO, held across suspension allowed) -------------- */
struct fmutex;
struct fmutex *fmutex_new(void);
void fmutex_free(struct fmutex *m);
may_suspend void fmutex_lock(struct fmutex *m); /* [any] */
void fmutex_unlock(struct fmutex *m);

/* --- blocking work ------------------------------------------------------------------------- */
/*
 * [any] Run fn(arg) on a work thread and wait for it (inline on a plain thread). The submitter's
 * error slot is lent to the job, so err text set inside is visible after. E_UNAVAILABLE when the
 * queue is full (fn did not run).
 */
typedef err (*work_fn)(void *arg);
may_suspend err work_run(work_fn fn, void *arg) must_check;
/* [any] Queue without waiting; `done` may be NULL. */
must_check err work_post(rt_fn fn, void *arg, struct done *done);

/* --- timers -------------------------------------------------------------------------------- */
struct timer {
    struct timer *next, **pprev;
    int64_t due_ms;
    rt_fn fn;
    void *arg;
};
/* Loop thread only. fn runs on the loop, outside any fiber: it must not suspend. */
void timer_arm(struct timer *t, int64_t in_ms, rt_fn fn, void *arg); /* rearms if armed */
void timer_cancel(struct timer *t);                                  /* idempotent; t zero-initialised first */

/* [any] Run fn(arg) soon on loop `l`, outside any fiber. */
void loop_post(struct loop *l, rt_fn fn, void *arg);

/* --- counters for /metrics ------------------------------------------------------------------ */
struct rt_stats {
    uint64_t fibers_live, fibers_spawned, work_queued, work_done, loop_turns;
};
void rt_stats_get(struct rt_stats *out);
/* The program is draining: new long work should be refused; streams finish. */
bool rt_draining(void);
void rt_drain_begin(void);
#endif
