/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.c — complete answers: held until they are whole and judged, then passed on byte for byte.
 */
#include "base/clock.h"
#include "base/log.h"
#include "gate/gate_int.h"

/* Some servers send the head at once and the body when all of it is made: the same wait from the request on. */
static int64_t first_byte_ms(const struct job *j) {
    const struct origin *o = j->t->origin;
    int64_t spent = (clock_mono_ns() - j->attempt_ns) / 1000000;
    return MAX((j->q.stream ? o->first_ms : o->answer_ms) - spent, (int64_t)1);
}

/* The whole body: where it lies when it came in one piece, else joined in the request's arena. */
static err body_take(struct job *j, size_t max, struct str *out) {
    struct str v;
    TRY(http_call_view(j->call, first_byte_ms(j), &v));
    *out = v;
    if (v.n == 0) return OK;
    struct buf b;
    buf_init(&b, max);
    bool joined = false;
    err e = OK;
    /* The next view overwrites the buffer unless more of it is already there; copy first. */
    while (e == OK) {
        if (!joined && http_call_done(j->call)) break;
        if (!joined) buf_str(&b, *out);
        joined = true;
        e = http_call_view(j->call, j->t->origin->idle_ms, &v);
        if (e != OK || v.n == 0) break;
        buf_str(&b, v);
        if (b.failed) e = err_fail(E_UPSTREAM, "the upstream's answer is larger than %zu bytes", max);
    }
    if (e == OK && joined) {
        char *p = arena_try(j->r->arena, b.n + 1);
        if (p == NULL) e = err_fail(E_NOMEM, "no memory for the upstream's answer");
        else {
            if (b.n > 0) memcpy(p, b.p, b.n);
            *out = (struct str){p, b.n};
        }
    }
    buf_release(&b);
    return e;
}

static const char *type_of(const struct http_req *r, const struct http_call_head *head) {
    struct str t = http_call_header(head, "content-type");
    return t.n > 0 ? arena_strz(r->arena, t) : "application/json";
}

enum attempt answer_relay(struct job *j, const struct http_call_head *head, enum fault *f, err *e) {
    struct str body;
    *e = body_take(j, GATE_BODY_MAX, &body);
    if (j->gone) return ATTEMPT_GONE;
    if (*e != OK) {
        *f = *e == E_TIMEOUT ? FAULT_HANG : FAULT_CONTENT;
        return ATTEMPT_NEXT;
    }
    struct str enc = http_call_header(head, "content-encoding");
    if ((enc.n > 0 && !str_ieqz(enc, "identity")) || !answer_good(body, &j->usage)) {
        *f = FAULT_CONTENT;
        *e = err_fail(E_UPSTREAM, "the upstream answered 200 with an error or no content");
        return ATTEMPT_NEXT;
    }
    *f = FAULT_NONE;
    int64_t now = clock_mono_ns();
    j->first_us = (now - j->t0_ns) / 1000;
    j->attempt_first_us = (now - j->attempt_ns) / 1000;
    j->committed = true;
    j->status = 200;
    job_headers(j);
    *e = http_reply(j->r, 200, type_of(j->r, head), body);
    return j->gone || *e != OK ? ATTEMPT_GONE : ATTEMPT_DONE;
}

/* Our own limits, key and addresses are no business of the client's; the rest of 4xx is. */
static enum fault refusal_fault(int status) {
    switch (status) {
    case 401:
    case 402:
    case 403: return FAULT_KEY;
    case 429: return FAULT_RATE;
    case 404:
    case 408:
    case 425: return FAULT_STATUS;
    default: return status >= 400 && status < 500 ? FAULT_NONE : FAULT_STATUS;
    }
}

static bool names_quota(struct str body) {
    struct str low = str_sub(body, 0, 4096);
    return str_find(low, STR("quota")) >= 0 || str_find(low, STR("Quota")) >= 0 || str_find(low, STR("QUOTA")) >= 0;
}

/* A 4xx about stream_options, which the client has not sent: our mistake, made once per target. */
static bool refuses_our_wish(struct job *j, struct str body) {
    if (j->q.usage_text.n == 0 || str_find(str_sub(body, 0, 4096), STR("stream_options")) < 0) return false;
    return !atomic_exchange(&j->t->no_usage_wish, true);
}

enum attempt answer_refusal(struct job *j, const struct http_call_head *head, enum fault *f, err *e) {
    *f = refusal_fault(head->status);
    struct str body = STR("");
    /* The body decides about quota texts and is what the client gets of its own mistake. */
    err be = body_take(j, GATE_ERROR_BODY_MAX, &body);
    if (j->gone) return ATTEMPT_GONE;
    uint64_t wait_s = 0;
    if (str_to_u64(http_call_header(head, "retry-after"), &wait_s))
        j->rest_ms = (int64_t)MIN(wait_s, (uint64_t)3600) * 1000;
    if (*f == FAULT_RATE && be == OK && names_quota(body)) j->rest_ms = MAX(j->rest_ms, (int64_t)600000);
    if (*f == FAULT_NONE && be == OK && refuses_our_wish(j, body)) return ATTEMPT_AGAIN;
    if (*f == FAULT_NONE && be == OK) {
        j->outcome = OUTCOME_CLIENT_ERROR;
        j->status = head->status;
        job_headers(j);
        *e = http_reply(j->r, head->status, type_of(j->r, head), body);
        return *e == OK ? ATTEMPT_DONE : ATTEMPT_GONE;
    }
    if (*f == FAULT_NONE) *f = FAULT_STATUS;
    log_warn("gate.refused", LS("target", j->t->origin->name), LS("model", j->t->model), LI("status", head->status));
    *e = err_fail(E_UPSTREAM, "the upstream answered %d", head->status);
    return ATTEMPT_NEXT;
}
