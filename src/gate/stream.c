/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.c — event streams: one client stream, fed by one upstream at a time.
 *
 * Before the first content nothing reaches the client: the preamble (roles, comments) is kept, and a
 * failure lets the next target begin from nothing. With the first content the head, the preamble and
 * that event leave in one write. After it:
 *   - events are passed on as they came, byte for byte; several that arrived together leave together;
 *   - an event that is not JSON is dropped and counted, the stream lives on;
 *   - a usage event the client did not ask for is taken for the ledger and kept back;
 *   - the end is [DONE], or a proper end of the body after a finish reason (then [DONE] is added);
 *   - anything else (cut, stall, error event) gives one error event and a connection cut without its
 *     last chunk: an answer that is not whole never looks whole.
 */
#include "base/clock.h"
#include "base/log.h"
#include "gate/gate_int.h"

enum { OUT_FLUSH = 64 << 10, DRAIN_MS = 20 };

struct stream {
    struct job *j;
    struct sse_scan scan;
    struct buf out; /* preamble, then what one turn brought */
    struct arena scratch;
    int64_t deadline_ms; /* of the first content */
    uint64_t n_content;
    bool finished, done;
};

static err commit(struct stream *s) {
    struct job *j = s->j;
    int64_t now = clock_mono_ns();
    j->committed = true;
    j->status = 200;
    j->first_us = (now - j->t0_ns) / 1000;
    j->attempt_first_us = (now - j->attempt_ns) / 1000;
    job_headers(j);
    http_set(j->r, "Cache-Control", STR("no-cache"));
    http_set(j->r, "X-Accel-Buffering", STR("no"));
    return http_begin(j->r, 200, "text/event-stream; charset=utf-8", -1);
}

/* One event: into `out`, dropped, or the end of this upstream (*e). */
static bool take_event(struct stream *s, const struct sse_event *ev, enum fault *f, err *e) {
    struct job *j = s->j;
    bool content;
    arena_reset(&s->scratch);
    switch (event_kind(&s->scratch, ev, &j->usage, &content)) {
    case EV_BAD: count(&j->g->c.bad_events, 1); return true;
    case EV_ERROR:
        *f = j->committed ? FAULT_CUT : FAULT_CONTENT;
        *e = err_fail(E_UPSTREAM, "the upstream reported an error in its stream");
        return false;
    case EV_DONE:
        s->done = true;
        if (!j->committed && !s->finished && s->n_content == 0) {
            *f = FAULT_CONTENT;
            *e = err_fail(E_UPSTREAM, "the upstream ended its stream without content");
            return false;
        }
        buf_str(&s->out, ev->raw);
        return true;
    case EV_USAGE:
        if (!j->q.wants_usage) return true;
        break;
    case EV_FINISH: s->finished = true; break;
    case EV_CONTENT:
    case EV_PREAMBLE:
    case EV_COMMENT:
    default: break;
    }
    if (content) s->n_content++;
    buf_str(&s->out, ev->raw);
    if ((content || s->finished) && !j->committed) *e = commit(s);
    return *e == OK;
}

/* All complete events of what was fed. False: this upstream is over, see *f and *e. */
static bool take_events(struct stream *s, enum fault *f, err *e) {
    while (!s->done) {
        struct sse_event ev;
        bool have;
        *e = sse_next(&s->scan, &ev, &have);
        if (*e != OK) {
            *f = s->j->committed ? FAULT_CUT : FAULT_CONTENT;
            return false;
        }
        if (!have) return true;
        if (!take_event(s, &ev, f, e)) return false;
    }
    return true;
}

static err flush(struct stream *s) {
    if (!s->j->committed || s->out.n == 0) return OK;
    err e = http_write(s->j->r, s->out.p, s->out.n);
    buf_reset(&s->out);
    return e;
}

/* A whole turn: everything that is there without waiting is scanned before one write. */
static bool turn(struct stream *s, enum fault *f, err *e) {
    struct job *j = s->j;
    do {
        int64_t ms = j->committed ? j->t->origin->idle_ms : s->deadline_ms - clock_mono_ms();
        struct str v = STR("");
        *e = ms > 0 ? http_call_view(j->call, ms, &v) : err_fail(E_TIMEOUT, "the upstream gave no content in time");
        if (*e != OK) {
            *f = j->committed ? FAULT_CUT : *e == E_TIMEOUT ? FAULT_HANG : FAULT_CONTENT;
            return false;
        }
        if (v.n > 0) sse_feed(&s->scan, v.p, v.n);
        if (!take_events(s, f, e)) return false;
        if (!j->committed && s->out.n > GATE_PREAMBLE_MAX) {
            *f = FAULT_CONTENT;
            *e = err_fail(E_UPSTREAM, "the upstream sent a long preamble without content");
            return false;
        }
        if (s->done || http_call_done(j->call)) return true;
    } while (http_call_buffered(j->call) > 0 && s->out.n < OUT_FLUSH);
    return true;
}

/* The upstream died after the first content. */
static enum attempt cut(struct stream *s, err why) {
    struct job *j = s->j;
    static const char text[] =
        "data: {\"error\":{\"message\":\"the provider's stream broke off; the answer is incomplete\","
        "\"type\":\"server_error\",\"code\":\"upstream_cut\",\"param\":null},"
        "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"error\"}]}\n\n";
    log_warn("gate.cut", LS("id", ((struct str){j->r->id, 26})), LS("target", j->t->origin->name),
             LS("model", j->t->model), LZ("error", err_text_en()));
    (void)why;
    buf_add(&s->out, text, sizeof text - 1);
    err e = flush(s);
    return e == OK && !j->gone ? ATTEMPT_CUT : ATTEMPT_GONE;
}

static enum attempt end(struct stream *s, err *e) {
    struct job *j = s->j;
    if (!s->done) buf_cstr(&s->out, "data: [DONE]\n\n");
    *e = http_finish(j->r, s->out.p, s->out.n);
    if (*e != OK) return ATTEMPT_GONE;
    /* The rest of the body is its terminator: taking it keeps the connection. */
    struct str v;
    for (int i = 0; i < 4 && !http_call_done(j->call); i++)
        if (http_call_view(j->call, DRAIN_MS, &v) != OK) break;
    return ATTEMPT_DONE;
}

static enum attempt run(struct stream *s, enum fault *f, err *e) {
    struct job *j = s->j;
    *f = FAULT_NONE;
    for (;;) {
        bool on = turn(s, f, e);
        if (j->gone) return ATTEMPT_GONE;
        if (!on && !j->committed && (*f != FAULT_NONE || *e != OK))
            return *f != FAULT_NONE ? ATTEMPT_NEXT : ATTEMPT_GONE;
        if (!on) return cut(s, *e);
        bool over = s->done || http_call_done(j->call);
        if (over && !j->committed) {
            *f = FAULT_CONTENT;
            *e = err_fail(E_UPSTREAM, "the upstream ended its stream without content");
            return ATTEMPT_NEXT;
        }
        if (over && !s->done && !s->finished) {
            *f = FAULT_CUT;
            *e = err_fail(E_UPSTREAM, "the upstream ended its stream without a finish reason");
            return cut(s, *e);
        }
        if (over) return end(s, e);
        *e = flush(s);
        if (*e != OK || j->gone) return ATTEMPT_GONE;
    }
}

enum attempt stream_relay(struct job *j, const struct http_call_head *head, enum fault *f, err *e) {
    struct str type = http_call_header(head, "content-type"), enc = http_call_header(head, "content-encoding");
    if (enc.n > 0 && !str_ieqz(enc, "identity")) {
        *f = FAULT_CONTENT;
        *e = err_fail(E_UPSTREAM, "the upstream compressed its stream");
        return ATTEMPT_NEXT;
    }
    /* A whole answer or an error as plain JSON: a client that reads events would see an empty stream without a fault.
     */
    if (type.n < 17 || !str_ieq(str_sub(type, 0, 17), STR("text/event-stream"))) {
        *f = FAULT_CONTENT;
        *e = err_fail(E_UPSTREAM, "the upstream answered a request for a stream with " STR_FMT,
                      STR_ARG(type.n > 0 ? type : STR("no content type")));
        return ATTEMPT_NEXT;
    }
    struct stream s = {.j = j, .deadline_ms = j->attempt_ns / 1000000 + j->t->origin->first_ms};
    sse_init(&s.scan, GATE_EVENT_MAX);
    buf_init(&s.out, GATE_EVENT_MAX + GATE_PREAMBLE_MAX + 2 * OUT_FLUSH);
    arena_init(&s.scratch, 64 * MiB);
    enum attempt a = run(&s, f, e);
    if (!j->usage.known) j->usage.completion = (int64_t)s.n_content;
    sse_release(&s.scan);
    buf_release(&s.out);
    arena_release(&s.scratch);
    return a;
}
