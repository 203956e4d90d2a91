/* SPDX-License-Identifier: Apache-2.0 */
/* cas_chunk.c — the global dedup query. Overload answers 404 (no dedup), never an error: clients would stall on one. */
#include "xet/cas.h"

#include "base/clock.h"
#include "xet/dedup.h"

static err answer(struct http_req *r, struct dedup *d) {
    TRY(work_run(dedup_answer, d));
    return http_reply(r, 200, "application/octet-stream", buf_view(d->out));
}

err cas_chunk_get(struct http_req *r) {
    struct cas c;
    TRY(cas_begin(r, false, &c));
    struct buf out cleanup(buf_release);
    buf_init(&out, DEDUP_REPLY_MAX);
    struct dedup d = {.x = c.x, .scope = c.scope, .now_s = clock_wall_ms() / 1000, .out = &out};
    TRY(cas_hash(r, &d.chunk));
    if (xet_mem_try(c.x, DEDUP_MIB) != OK) return err_fail(E_NOT_FOUND, "no dedup now");
    err e = answer(r, &d);
    xet_mem_give(c.x, DEDUP_MIB);
    return e == E_UNAVAILABLE || e == E_NOMEM ? err_fail(E_NOT_FOUND, "no dedup now") : e;
}
