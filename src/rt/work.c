/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work.c — a small pool of plain threads for what blocks: hashing, pwrite, fsync, libgit2, names.
 *
 * One bounded FIFO. A job of work_run lies on the submitter's stack and lends its error slot to the
 * work thread for as long as it runs; a job of work_post is allocated.
 */
#include <signal.h>

#include "rt/rt_int.h"

enum { WORK_MAX_THREADS = 64, WORK_STACK_BYTES = 8 << 20 };

struct job {
    struct job *next;
    work_fn fn; /* work_run; NULL: post */
    rt_fn post;
    void *arg;
    err result;
    struct err_slot *slot;
    struct done *done;
};

static struct {
    pthread_mutex_t mu;
    pthread_cond_t cond;
    struct job *head, **tail;
    unsigned n_queued, max_queued, n_threads;
    bool stop;
    pthread_t threads[WORK_MAX_THREADS];
    _Atomic uint64_t done;
} work = {.mu = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER, .tail = &work.head};

static void job_run(struct job *j) {
    struct done *done = j->done;
    if (j->fn != NULL) {
        struct err_slot *own = err_slot_swap(j->slot);
        j->result = j->fn(j->arg);
        (void)err_slot_swap(own);
    } else {
        j->post(j->arg);
        free(j);
    }
    atomic_fetch_add_explicit(&work.done, 1, memory_order_relaxed);
    if (done != NULL) done_signal(done);
}

static void *work_thread(void *arg) {
    (void)arg;
    pthread_mutex_lock(&work.mu);
    for (;;) {
        while (work.head == NULL && !work.stop) pthread_cond_wait(&work.cond, &work.mu);
        struct job *j = work.head;
        if (j == NULL) break; /* stop: only when the queue is empty */
        work.head = j->next;
        if (work.head == NULL) work.tail = &work.head;
        work.n_queued--;
        pthread_mutex_unlock(&work.mu);
        job_run(j);
        pthread_mutex_lock(&work.mu);
    }
    pthread_mutex_unlock(&work.mu);
    return NULL;
}

err work_start(unsigned n_threads, unsigned max_queue) {
    work.stop = false;
    work.max_queued = max_queue;
    pthread_attr_t at;
    pthread_attr_init(&at);
    pthread_attr_setstacksize(&at, WORK_STACK_BYTES);
    n_threads = MIN(n_threads, (unsigned)WORK_MAX_THREADS);
    while (work.n_threads < n_threads) {
        if (pthread_create(&work.threads[work.n_threads], &at, work_thread, NULL) != 0) break;
        work.n_threads++;
    }
    pthread_attr_destroy(&at);
    if (work.n_threads < n_threads) return err_fail(E_NOMEM, "cannot start work thread %u", work.n_threads);
    return OK;
}

void work_stop(void) {
    pthread_mutex_lock(&work.mu);
    work.stop = true;
    pthread_cond_broadcast(&work.cond);
    pthread_mutex_unlock(&work.mu);
    for (unsigned i = 0; i < work.n_threads; i++) pthread_join(work.threads[i], NULL);
    work.n_threads = 0;
}

static bool job_push(struct job *j) {
    pthread_mutex_lock(&work.mu);
    bool ok = work.n_queued < work.max_queued && !work.stop;
    if (ok) {
        j->next = NULL;
        *work.tail = j;
        work.tail = &j->next;
        work.n_queued++;
        pthread_cond_signal(&work.cond);
    }
    pthread_mutex_unlock(&work.mu);
    return ok;
}

static err queue_full(void) {
    return err_fail(E_UNAVAILABLE, "the server's work queue is full (%u jobs); nothing was done, try again shortly",
                    work.max_queued);
}

err work_run(work_fn fn, void *arg) {
    if (fiber_self() == NULL) {
        BUG_ON(rt_loop_self() != NULL);
        return fn(arg);
    }
    struct done done;
    done_init(&done);
    struct job j = {.fn = fn, .arg = arg, .slot = err_slot(), .done = &done};
    if (!job_push(&j)) return queue_full();
    done_wait(&done);
    return j.result;
}

err work_post(rt_fn fn, void *arg, struct done *done) {
    if (work.n_threads == 0) { /* command line without a runtime */
        fn(arg);
        if (done != NULL) done_signal(done);
        return OK;
    }
    struct job *j = calloc(1, sizeof *j);
    if (j == NULL) return err_fail(E_NOMEM, "no memory for a background job; nothing was done");
    j->post = fn;
    j->arg = arg;
    j->done = done;
    if (job_push(j)) return OK;
    free(j);
    return queue_full();
}

void work_stats(struct rt_stats *out) {
    pthread_mutex_lock(&work.mu);
    out->work_queued = work.n_queued;
    pthread_mutex_unlock(&work.mu);
    out->work_done = atomic_load_explicit(&work.done, memory_order_relaxed);
}
