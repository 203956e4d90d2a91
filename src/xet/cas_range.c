/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cas_range.c — bytes of a xorb by a signed URL: /cas/INST/x/HASH?r=RANGES&f=GRANT&e=EXPIRY&s=MAC
 *
 * The URL alone authorises, for exactly the ranges it names and any part of them. It names the file it was made
 * for, and the gate is asked again: a URL made before a verdict does not outlive it. An invalid or expired one is
 * 403: stock clients then ask for a fresh reconstruction (401 would end their download).
 * One range is 206 by sendfile; several are multipart/byteranges, each part by sendfile.
 */
#include "xet/cas.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "store/verdict.h"
#include "xet/range_set.h"
#include "xet/xorb_file.h"

struct get {
    struct xet *x;
    struct xet_hash hash;
    struct xet_grant grant;
    struct range_set allowed, asked;
    int fd;
    uint64_t region_len;
    char boundary[33];
};

static err url_check(struct http_req *r, struct get *g) {
    struct str ranges = http_query(r, "r", STR_NULL), mac = http_query(r, "s", STR_NULL);
    char want[XET_MAC_LEN + 1];
    int64_t exp_s = 0;
    bool good = str_to_i64(http_query(r, "e", STR_NULL), &exp_s) && mac.n == XET_MAC_LEN && ranges.n > 0 &&
                xet_grant_parse(http_query(r, "f", STR_NULL), &g->grant);
    if (good) {
        xet_url_mac(g->x, &g->grant, &g->hash, ranges, exp_s, want);
        good = hash_equal(want, mac.p, XET_MAC_LEN);
    }
    if (!good || !range_set_parse(ranges, &g->allowed))
        return err_fail(E_FORBIDDEN, "this URL was not signed here; ask for a new reconstruction");
    if (exp_s <= clock_wall_ms() / 1000)
        return err_fail(E_FORBIDDEN, "this URL has expired; ask for a new reconstruction");
    return OK;
}

/* What was true when the URL was made must still be: repository, account, verdict. */
static err grant_check(struct http_req *r, const struct get *g) {
    struct str warn;
    struct xet_scope s = {.repo_id = g->grant.repo_id, .user_id = g->grant.user_id};
    TRY(xet_db_scope_alive(db_reader(g->x->store), &s));
    return verdict_gate(g->x->store, r->arena, s.repo_id, hex_str(r->arena, g->grant.sha256, SHA256_LEN),
                        g->x->gate_hold_ms, &warn);
}

/* [work] */
static err open_xorb(void *arg) {
    struct get *g = arg;
    return xorb_open_fd(g->x, &g->hash, &g->fd, &g->region_len);
}

static err send_one(struct http_req *r, const struct get *g, bool partial) {
    const struct byte_range *b = &g->asked.r[0];
    if (partial)
        http_setf(r, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, b->start, b->end - 1, g->region_len);
    TRY(http_begin(r, partial ? 206 : 200, "application/octet-stream", (int64_t)(b->end - b->start)));
    TRY(http_sendfile(r, g->fd, (off_t)b->start, b->end - b->start));
    return http_end(r);
}

static size_t part_head(const struct get *g, unsigned i, char out[256]) {
    const struct byte_range *b = &g->asked.r[i];
    int n = snprintf(out, 256,
                     "%s--%s\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes %" PRIu64 "-%" PRIu64
                     "/%" PRIu64 "\r\n\r\n",
                     i > 0 ? "\r\n" : "", g->boundary, b->start, b->end - 1, g->region_len);
    BUG_ON(n < 0 || n >= 256);
    return (size_t)n;
}

static err send_parts(struct http_req *r, struct get *g) {
    uint8_t rnd[16]; /* 128 random bits do not occur in the data */
    rnd_bytes(rnd, sizeof rnd);
    hex_encode(rnd, sizeof rnd, g->boundary);
    char head[256], tail[64];
    int n_tail = snprintf(tail, sizeof tail, "\r\n--%s--\r\n", g->boundary);
    uint64_t len = (uint64_t)n_tail;
    for (unsigned i = 0; i < g->asked.n; i++) len += part_head(g, i, head) + g->asked.r[i].end - g->asked.r[i].start;
    const char *type = arena_printf(r->arena, "multipart/byteranges; boundary=%s", g->boundary).p;
    TRY(http_begin(r, 206, type, (int64_t)len));
    for (unsigned i = 0; i < g->asked.n; i++) {
        TRY(http_write(r, head, part_head(g, i, head)));
        TRY(http_sendfile(r, g->fd, (off_t)g->asked.r[i].start, g->asked.r[i].end - g->asked.r[i].start));
    }
    TRY(http_write(r, tail, (size_t)n_tail));
    return http_end(r);
}

static err send(struct http_req *r, struct get *g, bool partial) {
    for (unsigned i = 0; i < g->asked.n; i++)
        if (g->asked.r[i].end > g->region_len) return err_fail(E_RANGE, "the range lies outside the xorb");
    http_set(r, "Accept-Ranges", STR("bytes"));
    http_set(r, "Cache-Control", STR("private, max-age=600, immutable"));
    return g->asked.n == 1 ? send_one(r, g, partial) : send_parts(r, g);
}

err cas_range_get(struct http_req *r) {
    struct get *g = arena_new(r->arena, struct get);
    g->fd = -1;
    TRY(cas_instance(r, &g->x));
    TRY(cas_hash(r, &g->hash));
    TRY(url_check(r, g));
    TRY(grant_check(r, g));
    struct str range = http_header(r, "range");
    if (range.n > 0) TRY(range_set_ask(range, &g->allowed, &g->asked));
    else g->asked = g->allowed; /* everything the URL names */
    TRY(work_run(open_xorb, g));
    err e = send(r, g, range.n > 0);
    close(g->fd);
    return e;
}
