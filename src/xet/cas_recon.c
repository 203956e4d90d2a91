/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cas_recon.c — reconstruction: how a client rebuilds a file (or a range of it) from ranges of xorbs.
 *
 * Given only for files bound to the token's repository whose verdict lets them pass. The reply is
 * streamed, so a file of a quarter million terms costs no more memory than its records.
 */
#include "xet/cas.h"

#include "base/clock.h"
#include "base/hex.h"
#include "store/verdict.h"
#include "xet/plan.h"

enum { FLUSH_AT = 48 * 1024 };

struct recon {
    struct http_req *r;
    struct cas c;
    struct xfile f;
    uint64_t off, len;
    struct plan plan;
    struct buf out;
    bool began;
    int64_t exp_s;
    struct xet_grant grant;
    char grant_text[XET_GRANT_MAX + 1];
};

/* The file, if this token may have it now. */
static err file_open(struct http_req *r, struct cas *c, struct xfile *f) {
    struct xet_hash h;
    struct str warn;
    TRY(cas_begin(r, false, c));
    TRY(cas_hash(r, &h));
    TRY(xet_db_file_bound(db_reader(c->x->store), c->scope.repo_id, &h, f));
    TRY(verdict_gate(c->x->store, r->arena, c->scope.repo_id, hex_str(r->arena, f->sha256, 32), c->x->gate_hold_ms,
                     &warn));
    if (warn.n > 0) http_set(r, "X-HF-Warning", arena_printf(r->arena, "review; " STR_FMT, STR_ARG(warn)));
    return OK;
}

/* An empty file has no bytes to range over: clients ask bytes=0-… and expect an empty plan. */
static err range_get(struct recon *q) {
    bool partial;
    q->off = 0;
    q->len = q->f.size;
    struct str v = http_header(q->r, "range");
    if (q->f.size == 0 && str_starts(v, "bytes=0-")) return OK;
    return http_range(q->r, q->f.size, &q->off, &q->len, &partial);
}

/* [work] */
static err plan_run(void *arg) {
    struct recon *q = arg;
    struct xfile f;
    TRY(xet_db_file_load(db_reader(q->c.x->store), &q->f.hash, &f));
    q->f.terms = f.terms;
    q->f.n_terms = f.n_terms;
    if (q->len == 0) return OK;
    return plan_make(q->c.x, &q->f, q->off, q->len, &q->plan);
}

/* --- writing the reply -------------------------------------------------------------------------------- */

static err flush(struct recon *q, bool last) {
    if (!last && q->out.n < FLUSH_AT) return OK;
    TRY(buf_ok(&q->out, "the reply"));
    if (!q->began && last) return http_reply(q->r, 200, "application/json", buf_view(&q->out));
    if (!q->began) TRY(http_begin(q->r, 200, "application/json", -1));
    q->began = true;
    TRY(http_write(q->r, q->out.p, q->out.n));
    buf_reset(&q->out);
    return last ? http_end(q->r) : OK;
}

static void put_hash(struct buf *b, const struct xet_hash *h) {
    char hex[XET_HEX_LEN + 1];
    xet_hash_str(h, hex);
    buf_add(b, hex, XET_HEX_LEN);
}

static err put_terms(struct recon *q) {
    struct buf *b = &q->out;
    buf_printf(b, "{\"offset_into_first_range\":%" PRIu64 ",\"terms\":[", q->plan.skip);
    for (uint32_t i = 0; i < q->plan.n_terms; i++) {
        const struct term *t = &q->plan.terms[i];
        buf_cstr(b, i > 0 ? ",{\"hash\":\"" : "{\"hash\":\"");
        put_hash(b, &t->xorb);
        buf_printf(b, "\",\"unpacked_length\":%" PRIu32 ",\"range\":{\"start\":%" PRIu32 ",\"end\":%" PRIu32 "}}",
                   t->raw_bytes, t->first, t->end);
        TRY(flush(q, false));
    }
    return OK;
}

/* A URL that is good for exactly these ranges of the xorb. */
static void put_url(struct recon *q, const struct fetch *f, uint32_t n) {
    char text[CAS_URL_RANGES_MAX + 32], mac[XET_MAC_LEN + 1], hex[XET_HEX_LEN + 1];
    size_t k = 0;
    for (uint32_t i = 0; i < n; i++) {
        int m = snprintf(text + k, sizeof text - k, "%s%" PRIu32 "-%" PRIu32, i > 0 ? "," : "", f[i].phys_start,
                         f[i].phys_end - 1);
        BUG_ON(m < 0 || (size_t)m >= sizeof text - k); /* 256 ranges of at most 18 characters */
        k += (size_t)m;
    }
    xet_url_mac(q->c.x, &q->grant, &f->xorb, str_make(text, k), q->exp_s, mac);
    xet_hash_str(&f->xorb, hex);
    buf_printf(&q->out, STR_FMT "/cas/%s/x/%s?r=%s&f=%s&e=%" PRId64 "&s=%s", STR_ARG(q->r->base_url), q->c.x->inst, hex,
               text, q->grant_text, q->exp_s, mac);
}

/* How many of the fetches from i on belong to one URL. */
static uint32_t group_len(const struct plan *p, uint32_t i, uint32_t max) {
    uint32_t n = 1;
    while (n < max && i + n < p->n_fetch && xhash_eq(&p->fetch[i + n].xorb, &p->fetch[i].xorb)) n++;
    return n;
}

static void put_range_v2(struct buf *b, const struct fetch *f, bool comma) {
    buf_printf(b,
               "%s{\"chunks\":{\"start\":%" PRIu32 ",\"end\":%" PRIu32 "},\"bytes\":{\"start\":%" PRIu32
               ",\"end\":%" PRIu32 "}}",
               comma ? "," : "", f->first, f->end, f->phys_start, f->phys_end - 1);
}

/* "xorbs": {hash: [{url, ranges: [...]}]} */
static err put_fetch_v2(struct recon *q) {
    struct buf *b = &q->out;
    const struct plan *p = &q->plan;
    buf_cstr(b, "],\"xorbs\":{");
    for (uint32_t i = 0; i < p->n_fetch;) {
        bool same = i > 0 && xhash_eq(&p->fetch[i].xorb, &p->fetch[i - 1].xorb);
        uint32_t n = group_len(p, i, CAS_RANGES_MAX);
        if (!same) {
            buf_cstr(b, i > 0 ? "],\"" : "\"");
            put_hash(b, &p->fetch[i].xorb);
            buf_cstr(b, "\":[");
        }
        buf_cstr(b, same ? ",{\"url\":\"" : "{\"url\":\"");
        put_url(q, &p->fetch[i], n);
        buf_cstr(b, "\",\"ranges\":[");
        for (uint32_t k = 0; k < n; k++) put_range_v2(b, &p->fetch[i + k], k > 0);
        buf_cstr(b, "]}");
        i += n;
        TRY(flush(q, false));
    }
    buf_cstr(b, p->n_fetch > 0 ? "]}}" : "}}");
    return flush(q, true);
}

/* "fetch_info": {hash: [{range, url, url_range}]}: one URL a range */
static err put_fetch_v1(struct recon *q) {
    struct buf *b = &q->out;
    const struct plan *p = &q->plan;
    buf_cstr(b, "],\"fetch_info\":{");
    for (uint32_t i = 0; i < p->n_fetch; i++) {
        const struct fetch *f = &p->fetch[i];
        bool same = i > 0 && xhash_eq(&f->xorb, &p->fetch[i - 1].xorb);
        if (!same) {
            buf_cstr(b, i > 0 ? "],\"" : "\"");
            put_hash(b, &f->xorb);
            buf_cstr(b, "\":[");
        }
        buf_printf(b, "%s{\"range\":{\"start\":%" PRIu32 ",\"end\":%" PRIu32 "},\"url\":\"", same ? "," : "", f->first,
                   f->end);
        put_url(q, f, 1);
        buf_printf(b, "\",\"url_range\":{\"start\":%" PRIu32 ",\"end\":%" PRIu32 "}}", f->phys_start, f->phys_end - 1);
        TRY(flush(q, false));
    }
    buf_cstr(b, p->n_fetch > 0 ? "]}}" : "}}");
    return flush(q, true);
}

static err recon(struct http_req *r, err (*put_fetch)(struct recon *)) {
    struct recon *q = arena_new(r->arena, struct recon);
    q->r = r;
    TRY(file_open(r, &q->c, &q->f));
    TRY(range_get(q));
    /* Expiry in steps of a minute: equal plans asked for twice get equal URLs. */
    q->exp_s = (clock_wall_ms() / 60000 + 1) * 60 + XET_URL_TTL_S;
    q->grant = (struct xet_grant){.repo_id = q->c.scope.repo_id, .user_id = q->c.scope.user_id};
    memcpy(q->grant.sha256, q->f.sha256, SHA256_LEN);
    xet_grant_put(&q->grant, q->grant_text);
    buf_init(&q->out, 256 * KiB);
    err e = work_run(plan_run, q);
    http_set(r, "Cache-Control", STR("private, no-store"));
    if (e == OK) e = put_terms(q);
    if (e == OK) e = put_fetch(q);
    buf_release(&q->out);
    plan_release(&q->plan);
    xfile_release(&q->f);
    return e;
}

err cas_recon_v1(struct http_req *r) {
    return recon(r, put_fetch_v1);
}
err cas_recon_v2(struct http_req *r) {
    return recon(r, put_fetch_v2);
}

err cas_file_head(struct http_req *r) {
    struct cas c;
    struct xfile f;
    TRY(file_open(r, &c, &f));
    TRY(http_begin(r, 200, "application/octet-stream", (int64_t)f.size));
    return http_end(r);
}
