/* SPDX-License-Identifier: Apache-2.0 */
/* review.c — the room's life: key, start, stop. */
#include "base/log.h"
#include "review_int.h"

static struct str reason_for_reader(struct arena *a, enum lang lang, struct str reason) {
    return review_reason(a, lang, reason, true);
}

err review_open(const struct review_opts *o, struct review **out) {
    verdict_translator_set(reason_for_reader);
    struct review *v = calloc(1, sizeof *v);
    if (!v) return err_fail(E_NOMEM, "no memory for the review");
    v->store = o->store;
    v->hub = o->hub;
    v->id = o->id;
    v->max_workers = o->max_workers ? o->max_workers : 2;
    v->slow_ms = o->slow_ms;
    struct str who = o->responsible.n ? o->responsible : str_of(REVIEW_NOBODY_NAMED);
    snprintf(v->responsible, sizeof v->responsible, STR_FMT, STR_ARG(str_sub(who, 0, sizeof v->responsible - 1)));
    err e = store_key(v->store, "review.ed25519", v->key.seed, sizeof v->key.seed);
    if (e != OK) {
        free(v);
        return e;
    }
    sign_key_init(&v->key);
    *out = v;
    return OK;
}

err review_start(struct review *v) {
    done_init(&v->stopped);
    TRY(fiber_spawn(rt_loop(0), review_pipeline, v));
    v->started = true;
    return OK;
}

void review_stop(struct review *v) {
    if (!v->started) return;
    v->stopping = true;
    notify_bump(store_notify(v->store));
    done_wait(&v->stopped);
    v->started = false;
}

void review_close(struct review *v) {
    if (!v) return;
    explicit_bzero(&v->key, sizeof v->key);
    free(v);
}
