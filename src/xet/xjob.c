/* SPDX-License-Identifier: Apache-2.0 */
/* xjob.c — jobs that run beside their submitter, and the room's memory budget. */
#include "xet/xet_int.h"

#include <stdatomic.h>

#include "base/clock.h"

static void xjob_body(void *arg) {
    struct xjob *j = arg;
    struct err_slot *own = err_slot_swap(&j->slot); /* the text must survive until the submitter asks for it */
    j->e = j->fn(j->arg);
    (void)err_slot_swap(own);
}

err xjob_start(struct xjob *j, work_fn fn, void *arg) {
    BUG_ON(j->pending);
    j->fn = fn;
    j->arg = arg;
    j->e = OK;
    j->slot.lang = err_slot()->lang;
    j->slot.has_en = false;
    j->slot.retry_after_s = 0;
    j->slot.text[0] = 0;
    if (fiber_self() == NULL) { /* command line: nobody to overlap with */
        xjob_body(j);
        j->pending = true;
        done_init(&j->done);
        done_signal(&j->done);
        return OK;
    }
    done_init(&j->done);
    TRY(work_post(xjob_body, j, &j->done));
    j->pending = true;
    return OK;
}

err xjob_wait(struct xjob *j) {
    if (!j->pending) return OK;
    done_wait(&j->done);
    j->pending = false;
    if (j->e != OK) {
        struct err_slot *s = err_slot();
        memcpy(s->text, j->slot.text, sizeof s->text);
        memcpy(s->text_en, j->slot.text_en, sizeof s->text_en);
        s->has_en = j->slot.has_en;
        s->retry_after_s = j->slot.retry_after_s;
    }
    return j->e;
}

err xet_mem_try(struct xet *x, unsigned mib) {
    int64_t now = atomic_fetch_add(&x->mem_mib, mib) + mib;
    if (now <= x->mem_max_mib) return OK;
    atomic_fetch_sub(&x->mem_mib, mib);
    err e =
        err_fail(E_UNAVAILABLE,
                 "too many transfers at once: their memory (%u MiB) is used up; nothing was changed, try again shortly",
                 (unsigned)x->mem_max_mib);
    err_slot()->retry_after_s = 2;
    return e;
}

err xet_mem_take(struct xet *x, unsigned mib) {
    int64_t until = clock_mono_ms() + 30 * 1000;
    for (;;) {
        err e = xet_mem_try(x, mib);
        if (e == OK || clock_mono_ms() >= until) return e;
        TRY(fiber_sleep(20));
    }
}

void xet_mem_give(struct xet *x, unsigned mib) {
    atomic_fetch_sub(&x->mem_mib, mib);
}
