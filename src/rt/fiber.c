/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fiber.c — fibers: their stacks, switching, parking and waking.
 *
 * A stack is one mapping: a guard page at its low end, then fiber_stack_bytes touched on demand.
 * Free stacks are reused newest first (warm caches); the first RT_HOT_STACKS keep their pages, up
 * to RT_COLD_STACKS keep the address space, the rest is unmapped. The error slot follows the fiber.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "rt/rt_int.h"

#ifdef RT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef RT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

static _Thread_local struct loop *self_loop;

/* noinline: see err_slot(); these are also read on both sides of a switch. */
__attribute__((noinline)) struct loop *rt_loop_self(void) {
    return self_loop;
}
void loop_set_self(struct loop *l) {
    self_loop = l;
#ifdef RT_TSAN
    if (l != NULL) l->san_tsan = __tsan_get_current_fiber();
#endif
}
struct fiber *fiber_self(void) {
    struct loop *l = rt_loop_self();
    return l != NULL ? l->current : NULL;
}

/* --- stacks ------------------------------------------------------------------------------------------- */
static bool stack_map(struct fiber *f, size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t total = ((bytes + page - 1) & ~(page - 1)) + page;
    char *p = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (p == MAP_FAILED) return false;
    if (mprotect(p, page, PROT_NONE) != 0) {
        munmap(p, total);
        return false;
    }
    f->map = p;
    f->map_bytes = total;
    f->stack_lo = p + page;
    f->stack_bytes = total - page;
    return true;
}

/* [any] A fiber with a stack, or NULL. */
static struct fiber *pool_take(struct loop *l) {
    pthread_mutex_lock(&l->pool_mu);
    struct fiber *f = l->free;
    if (f != NULL) {
        l->free = f->next;
        l->n_free--;
    } else if ((f = l->bare) != NULL) {
        l->bare = f->next;
    } else if ((f = calloc(1, sizeof *f)) != NULL) {
        f->id = l->n_made++;
        f->loop = l;
        f->wake.arg = f;
    }
    pthread_mutex_unlock(&l->pool_mu);
    if (f == NULL || f->map != NULL || stack_map(f, l->stack_bytes)) return f;
    pthread_mutex_lock(&l->pool_mu);
    f->next = l->bare;
    l->bare = f;
    pthread_mutex_unlock(&l->pool_mu);
    return NULL;
}

/* Loop thread: a fiber that has ended. */
static void pool_give(struct loop *l, struct fiber *f) {
#ifdef RT_ASAN
    __asan_unpoison_memory_region(f->stack_lo, f->stack_bytes);
#endif
#ifdef RT_TSAN
    __tsan_destroy_fiber(f->san_tsan);
    f->san_tsan = NULL;
#endif
    pthread_mutex_lock(&l->pool_mu);
    unsigned n = l->n_free;
    pthread_mutex_unlock(&l->pool_mu);
    if (n >= RT_COLD_STACKS) {
        munmap(f->map, f->map_bytes);
        f->map = NULL;
    } else if (n >= RT_HOT_STACKS) {
        madvise(f->stack_lo, f->stack_bytes, MADV_DONTNEED);
    }
    pthread_mutex_lock(&l->pool_mu);
    struct fiber **list = f->map != NULL ? &l->free : &l->bare;
    f->next = *list;
    *list = f;
    if (f->map != NULL) l->n_free++;
    pthread_mutex_unlock(&l->pool_mu);
}

void fiber_pool_release(struct loop *l) {
    struct fiber *lists[2] = {l->free, l->bare};
    for (int i = 0; i < 2; i++) {
        while (lists[i] != NULL) {
            struct fiber *f = lists[i];
            lists[i] = f->next;
            if (f->map != NULL) munmap(f->map, f->map_bytes);
            free(f);
        }
    }
    l->free = l->bare = NULL;
}

/* --- switching ------------------------------------------------------------------------------------------ */
static void switch_to_loop(struct fiber *f, struct loop *l) {
#ifdef RT_ASAN
    __sanitizer_start_switch_fiber(f->finished ? NULL : &f->san_fake, l->san_lo, l->san_bytes);
#endif
#ifdef RT_TSAN
    __tsan_switch_to_fiber(l->san_tsan, 0);
#endif
    ctx_switch(&f->ctx, &l->ctx);
#ifdef RT_ASAN
    __sanitizer_finish_switch_fiber(f->san_fake, &l->san_lo, &l->san_bytes);
#endif
}

static void fiber_entry(void) {
    struct loop *l = rt_loop_self();
    struct fiber *f = l->current;
#ifdef RT_ASAN
    __sanitizer_finish_switch_fiber(NULL, &l->san_lo, &l->san_bytes);
#endif
    f->fn(f->arg);
    f->finished = true;
    switch_to_loop(f, l);
    __builtin_unreachable();
}

static void fiber_end(struct loop *l, struct fiber *f) {
    BUG_ON(f->timer.pprev != NULL);
    atomic_store(&f->live, false);
    *f->live_pprev = f->live_next;
    if (f->live_next != NULL) f->live_next->live_pprev = f->live_pprev;
    f->linked = false;
    pool_give(l, f);
    atomic_fetch_sub(&l->n_live, 1);
}

void fiber_resume(struct fiber *f) {
    struct loop *l = f->loop;
    f->turn_ops = 0;
    f->turn_bytes = 0;
    l->current = f;
    struct err_slot *outer = err_slot_swap(&f->slot);
#ifdef RT_ASAN
    __sanitizer_start_switch_fiber(&l->san_fake, f->stack_lo, f->stack_bytes);
#endif
#ifdef RT_TSAN
    __tsan_switch_to_fiber(f->san_tsan, 0);
#endif
    ctx_switch(&l->ctx, &f->ctx);
#ifdef RT_ASAN
    __sanitizer_finish_switch_fiber(l->san_fake, NULL, NULL);
#endif
    (void)err_slot_swap(outer);
    l->current = NULL;
    if (f->finished) fiber_end(l, f);
}

void fiber_park(struct fiber *f) {
    switch_to_loop(f, f->loop);
}

void fiber_ready(struct fiber *f) {
    struct loop *l = f->loop;
    if (f->queued || !atomic_load_explicit(&f->live, memory_order_acquire)) return;
    if (!f->linked) {
        f->linked = true;
        f->live_next = l->live;
        if (f->live_next != NULL) f->live_next->live_pprev = &f->live_next;
        f->live_pprev = &l->live;
        l->live = f;
    }
    f->queued = true;
    f->next = NULL;
    *l->ready_tail = f;
    l->ready_tail = &f->next;
}

void fiber_wake(struct fiber *f) {
    if (rt_loop_self() == f->loop) {
        fiber_ready(f);
        return;
    }
    if (!atomic_exchange(&f->wake_posted, true)) loop_push(f->loop, &f->wake);
}

/* --- the public part -------------------------------------------------------------------------------------- */
err fiber_spawn(struct loop *l, rt_fn fn, void *arg) {
    if (l == NULL) l = rt_loop_self();
    if (l == NULL) return err_fail(E_UNAVAILABLE, "no event loop runs here, so nothing was started");
    unsigned live = atomic_fetch_add(&l->n_live, 1);
    if (live >= l->max_fibers) {
        atomic_fetch_sub(&l->n_live, 1);
        return err_fail(E_UNAVAILABLE, "the server is at its limit of %u tasks per core; try again shortly",
                        l->max_fibers);
    }
    struct fiber *f = pool_take(l);
    if (f == NULL) {
        atomic_fetch_sub(&l->n_live, 1);
        return err_fail(E_UNAVAILABLE, "no memory for the stack of another task; try again shortly");
    }
    f->fn = fn;
    f->arg = arg;
    f->local = NULL;
    f->queued = f->linked = f->timed_out = f->finished = false;
    f->slot.text[0] = 0;
    f->slot.lang = 0;
    f->slot.retry_after_s = 0;
    f->san_fake = NULL;
    ctx_start(&f->ctx, f->stack_lo + f->stack_bytes - (f->id * RT_STAGGER) % 4096, fiber_entry);
#ifdef RT_TSAN
    f->san_tsan = __tsan_create_fiber(0);
#endif
    atomic_store_explicit(&f->live, true, memory_order_release);
    atomic_fetch_add_explicit(&l->spawned, 1, memory_order_relaxed);
    fiber_wake(f);
    return OK;
}

void fiber_set_local(void *p) {
    struct fiber *f = fiber_self();
    BUG_ON(f == NULL);
    f->local = p;
}
void *fiber_local(void) {
    struct fiber *f = fiber_self();
    return f != NULL ? f->local : NULL;
}

static void deadline_hit(void *arg) {
    struct fiber *f = arg;
    f->timed_out = true;
    fiber_ready(f);
}
void fiber_deadline_arm(struct fiber *f, int64_t by_ms) {
    f->timed_out = false;
    if (by_ms < 0) return;
    f->timer.due_ms = by_ms;
    f->timer.fn = deadline_hit;
    f->timer.arg = f;
    wheel_insert(&f->loop->wheel, &f->timer);
}
void fiber_deadline_disarm(struct fiber *f) {
    timer_cancel(&f->timer);
}

err fiber_stopping(struct fiber *f) {
    /* A fiber that ignores the error and waits again must not hold the loop. */
    fiber_ready(f);
    fiber_park(f);
    return err_fail(E_CANCELLED, "the server is stopping");
}

err fiber_sleep(int64_t ms) {
    struct fiber *f = fiber_self();
    if (f == NULL) {
        struct timespec t = {ms > 0 ? ms / 1000 : 0, ms > 0 ? (ms % 1000) * 1000000 : 0};
        while (nanosleep(&t, &t) != 0) {}
        return OK;
    }
    fiber_deadline_arm(f, rt_deadline(MAX(ms, 0)));
    while (!f->timed_out && !f->loop->stopping) fiber_park(f);
    fiber_deadline_disarm(f);
    return f->loop->stopping ? fiber_stopping(f) : OK;
}

void fiber_yield(void) {
    struct fiber *f = fiber_self();
    if (f == NULL) return;
    fiber_ready(f);
    fiber_park(f);
}

void fiber_charge(struct fiber *f, size_t bytes) {
    f->turn_bytes += bytes;
    if (++f->turn_ops < RT_TURN_OPS && f->turn_bytes < RT_TURN_BYTES) return;
    fiber_yield();
}
