/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cas_shard.c — POST of a shard. Version 1 answers once at the end; version 2 answers 200 at once and
 * then tells its progress in NDJSON lines, the last of which is a result or an error:
 *
 *   {"type":"validating","verified":n,"total":n}    at the start, per file, and every 5 s at least
 *   {"type":"committing","stage":"syncing"}
 *   {"type":"result","result":0|1}  or  {"type":"error","message":"…","retryable":bool}
 *
 * The error line is the only CAS text a person ever sees in stock clients, so it says what to do.
 */
#include "xet/cas.h"

#include <stdarg.h>

#include "base/clock.h"
#include "xet/accept.h"

enum { HEARTBEAT_MS = 5000 };

struct post {
    struct http_req *r;
    struct cas c;
    bool lines; /* version 2 */
    struct accept a;
    char *body;
    unsigned mem_mib;
    uint32_t n_done; /* files whose SHA-256 is settled */
    int64_t beat_ms;
    bool inserted;
};

static err line(struct post *p, const char *fmt, ...) printf_like(2, 3);
static err line(struct post *p, const char *fmt, ...) {
    if (!p->lines) return OK;
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    BUG_ON(n < 0 || n >= (int)sizeof text);
    p->beat_ms = clock_mono_ms();
    return http_write(p->r, text, (size_t)n);
}

static err progress(struct post *p, uint32_t done) {
    return line(p, "{\"type\":\"validating\",\"verified\":%u,\"total\":%u}\n", done, p->a.n_files);
}

/* The body in memory that was taken from the budget: its bytes, and terms and references made from them. */
static err body_take(struct post *p) {
    struct http_req *r = p->r;
    size_t cap = r->content_length >= 0 ? (size_t)r->content_length : SHARD_BODY_MAX;
    if (cap > SHARD_BODY_MAX) return err_fail(E_TOO_LARGE, "a shard may have at most 64 MiB; split it");
    unsigned mib = (unsigned)(3 * cap / MiB) + 1;
    TRY(xet_mem_take(p->c.x, mib));
    p->mem_mib = mib;
    char *buf = p->body = malloc(cap + 1);
    if (buf == NULL) return err_fail(E_NOMEM, "not enough memory for the shard; nothing was registered");
    p->a.body.p = buf;
    for (;;) {
        size_t n;
        TRY(http_body_read(r, buf + p->a.body.n, cap + 1 - p->a.body.n, &n));
        if (n == 0) return OK;
        p->a.body.n += n;
        if (p->a.body.n > cap) return err_fail(E_TOO_LARGE, "a shard may have at most 64 MiB; split it");
    }
}

/* Between two windows of a file being hashed: a sign of life, and an end when nobody waits any more. */
static err beat(void *arg) {
    struct post *p = arg;
    if (http_client_gone(p->r)) return err_fail(E_CANCELLED, "the client went away; nothing was registered");
    return p->lines && clock_mono_ms() - p->beat_ms >= HEARTBEAT_MS ? progress(p, p->n_done) : OK;
}

static err post_check(struct post *p) {
    TRY(accept_open(&p->a));
    TRY(progress(p, 0));
    while (p->a.n_checked < p->a.n_files) {
        TRY(work_run(accept_check, &p->a));
        TRY(beat(p));
    }
    for (p->n_done = 0; p->n_done < p->a.n_files;) {
        TRY(accept_digest(&p->a, p->n_done));
        p->n_done++;
        if (p->n_done == p->a.n_files || clock_mono_ms() - p->beat_ms > 200) TRY(progress(p, p->n_done));
    }
    TRY(line(p, "{\"type\":\"committing\",\"stage\":\"syncing\"}\n"));
    return accept_register(&p->a, p->c.scope.repo_id, &p->inserted);
}

static err post_run(struct post *p) {
    TRY(body_take(p));
    if (p->lines) TRY(http_begin(p->r, 200, "application/x-ndjson", -1));
    return post_check(p);
}

/* The terminal line. The head is out already, so an error is content now. */
static err lines_end(struct post *p, err e) {
    struct buf b cleanup(buf_release);
    buf_init(&b, 16 * KiB);
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kcstr(&w, "type", e == OK ? "result" : "error");
    if (e == OK) {
        jw_ki64(&w, "result", p->inserted ? 1 : 0);
    } else {
        jw_kcstr(&w, "message", err_text());
        jw_kbool(&w, "retryable", e->retryable);
    }
    jw_obj_end(&w);
    buf_char(&b, '\n');
    TRY(buf_ok(&b, "the last line"));
    TRY(http_write(p->r, b.p, b.n));
    return http_end(p->r);
}

static err shard_post(struct http_req *r, bool lines) {
    struct post *p = arena_new(r->arena, struct post);
    p->r = r;
    p->lines = lines;
    TRY(cas_begin(r, true, &p->c));
    p->a.x = p->c.x;
    p->a.beat = beat;
    p->a.beat_arg = p;
    p->beat_ms = clock_mono_ms();
    err e = post_run(p);
    if (http_head_sent(r)) e = lines_end(p, e);
    else if (e == OK)
        e = http_reply(r, 200, "application/json", p->inserted ? STR("{\"result\":1}") : STR("{\"result\":0}"));
    accept_release(&p->a);
    free(p->body);
    if (p->mem_mib > 0) xet_mem_give(p->c.x, p->mem_mib);
    return e;
}

err cas_shard_v1(struct http_req *r) {
    return shard_post(r, false);
}
err cas_shard_v2(struct http_req *r) {
    return shard_post(r, true);
}
