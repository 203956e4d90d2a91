/* SPDX-License-Identifier: Apache-2.0 */
/* cas_rig.h — the CAS routes on a real server, a blocking client, and makers of xorbs and shards. */
#ifndef BALLAST_TEST_CAS_RIG_H
#define BALLAST_TEST_CAS_RIG_H

#include "xet_store.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "xet/chunk_codec.h"
#include "xet/shard.h"
#include "xet/xet_db.h"

struct rig {
    struct test_store *t;
    struct http_router *router;
    struct http_server *srv;
    struct arena a;
    struct str write_tok, read_tok;
};
struct reply {
    int status;
    struct buf head, body;
};

static inline struct str rig_token(struct rig *g, int64_t repo, int64_t user, bool write) {
    struct str tok;
    int64_t exp_s;
    assert_ok(xet_token_make(g->t->x, &g->a, repo, user, write, &tok, &exp_s));
    return tok;
}

/* Users amy (1) and bob (2); repositories 1 amy public, 2 amy private, 3 bob private. Every file passes review. */
static inline struct rig *rig_open(void) {
    struct rig *g = test_alloc(sizeof *g);
    const struct rt_limits lim = {.n_loops = 1, .n_work = 4};
    assert_ok(rt_start(&lim));
    g->t = test_store_open();
    g->t->x->gate_hold_ms = 50;
    arena_init(&g->a, MiB);
    test_sql(g->t, "INSERT INTO owner (id, is_org, name, name_key, created_ms) VALUES (1, 0, 'amy', 'amy', 0), (2, 0, "
                   "'bob', 'bob', 0)");
    test_sql(g->t, "INSERT INTO repo (id, type, owner_id, name, name_key, is_private, created_ms, updated_ms) VALUES "
                   "(1, 1, 1, 'r', 'r', 0, 0, 0), (2, 1, 1, 's', 's', 1, 0, 0), (3, 1, 2, 't', 't', 1, 0, 0)");
    test_sql(g->t, "CREATE TRIGGER pass AFTER INSERT ON repo_file BEGIN INSERT OR IGNORE INTO blob_verdict (oid, "
                   "verdict, coverage, format, "
                   "findings, rule_pack, time_ms) VALUES (lower(hex(new.sha256)), 1, 2, 'raw', '[]', 't', 0); END");
    g->router = http_router_new();
    assert_ok(xet_routes(g->t->x, g->router));
    const struct http_config c = {.listen_host = STR("127.0.0.1")};
    const struct http_hooks hooks = {0};
    assert_ok(http_server_start(&c, g->router, &hooks, &g->srv));
    g->write_tok = rig_token(g, 1, 1, true);
    g->read_tok = rig_token(g, 1, 1, false);
    return g;
}
static inline void rig_close(struct rig *g) {
    http_server_stop(g->srv, 100);
    test_store_close(g->t); /* its writer thread wakes fibers: before the loops end */
    rt_stop();
    http_router_free(g->router);
    arena_release(&g->a);
    free(g);
}

static inline void reply_release(struct reply *r) {
    buf_release(&r->head);
    buf_release(&r->body);
}

static inline void unchunk_(struct buf *b) {
    struct buf out;
    buf_init(&out, 512 * MiB);
    size_t at = 0;
    for (;;) {
        char *end;
        unsigned long n = strtoul(b->p + at, &end, 16);
        at = (size_t)(end - b->p) + 2;
        if (n == 0 || at + n > b->n) break;
        buf_add(&out, b->p + at, n);
        at += n + 2;
    }
    buf_release(b);
    *b = out;
}

/* One request on its own connection. `headers` are whole lines with CRLF, or "". */
static inline struct reply rig_do(struct rig *g, const char *method, const char *path, struct str token,
                                  const char *headers, struct str body) {
    struct reply r;
    buf_init(&r.head, MiB);
    buf_init(&r.body, 512 * MiB);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(http_server_port(g->srv)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)(void *)&a, sizeof a), 0);
    struct buf q;
    buf_init(&q, MiB);
    buf_printf(&q, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n%s", method, path,
               http_server_port(g->srv), headers);
    if (token.n > 0) buf_printf(&q, "Authorization: Bearer " STR_FMT "\r\n", STR_ARG(token));
    if (body.p != NULL) buf_printf(&q, "Content-Length: %zu\r\n", body.n);
    buf_cstr(&q, "\r\n");
    assert_int_equal(send(fd, q.p, q.n, MSG_NOSIGNAL), (ssize_t)q.n);
    buf_release(&q);
    for (size_t at = 0; at < body.n;) {
        ssize_t k = send(fd, body.p + at, body.n - at, MSG_NOSIGNAL);
        if (k <= 0) break; /* refused early */
        at += (size_t)k;
    }
    for (;;) {
        char *p = buf_room(&r.body, 65536);
        ssize_t k = recv(fd, p, 65536, 0);
        if (k <= 0) break;
        buf_used(&r.body, (size_t)k);
    }
    close(fd);
    buf_char(&r.body, 0);
    char *end = strstr(r.body.p, "\r\n\r\n");
    assert_non_null(end);
    size_t n_head = (size_t)(end - r.body.p) + 4;
    buf_add(&r.head, r.body.p, n_head);
    buf_char(&r.head, 0);
    r.body.n--;
    buf_eat(&r.body, n_head);
    r.status = (int)strtol(r.head.p + 9, NULL, 10);
    if (strcasestr(r.head.p, "transfer-encoding: chunked") != NULL) unchunk_(&r.body);
    buf_char(&r.body, 0);
    r.body.n--;
    return r;
}
static inline int rig_status(struct rig *g, const char *method, const char *path, struct str token, const char *headers,
                             struct str body) {
    struct reply r = rig_do(g, method, path, token, headers, body);
    int s = r.status;
    reply_release(&r);
    return s;
}
/* "/cas/INST" + tail */
static inline const char *rig_path(struct rig *g, const char *fmt, const char *a) {
    static char out[4][8192];
    static unsigned turn;
    char *p = out[turn++ % 4];
    int n = snprintf(p, 8192, "/cas/%s%s%s", g->t->x->inst, fmt, a);
    BUG_ON(n >= 8192);
    return p;
}

/* --- data ------------------------------------------------------------------------------------------------ */

/* A xorb of the chunks of `p`, and what a shard needs to say about it. */
struct made {
    struct buf xorb;
    struct test_file tf;
    char hex[XET_HEX_LEN + 1], file_hex[XET_HEX_LEN + 1];
    uint8_t sha[32];
    const uint8_t *raw;
    size_t n_raw;
};
static inline struct made *made_new(const uint8_t *p, size_t n) {
    struct made *m = test_alloc(sizeof *m);
    m->raw = p;
    m->n_raw = n;
    test_chunk(&m->tf, p, n, 1 << 20);
    buf_init(&m->xorb, 80 * MiB);
    struct chunk_encoder e;
    assert_null(chunk_encoder_init(&e));
    size_t at = 0;
    for (uint32_t i = 0; i < m->tf.n; i++) {
        char *o = buf_room(&m->xorb, CHUNK_HEAD + m->tf.len[i]);
        buf_used(&m->xorb, chunk_encode(&e, p + at, m->tf.len[i], (uint8_t *)o));
        at += m->tf.len[i];
    }
    chunk_encoder_release(&e);
    xet_hash_str(&m->tf.xorb, m->hex);
    xet_hash_str(&m->tf.file, m->file_hex);
    hash_sha256(p, n, m->sha);
    return m;
}
static inline void made_free(struct made *m) {
    buf_release(&m->xorb);
    free(m);
}
/* A shard of one file that is all of the xorb. The lies a test wants are told through `lie`. */
enum lie {
    HONEST,
    NO_RANGES,
    BAD_PROOF,
    BAD_LENGTH,
    OUT_OF_BOUNDS,
    EMPTY_TERM,
    NO_XORB,
    BAD_FILE_HASH,
    BAD_SHA,
    NO_SHA,
    SWAPPED_TERMS,
    SHORT_TERMS,
    LIES
};
static inline void made_shard(const struct made *m, enum lie lie, struct buf *b) {
    buf_init(b, MiB);
    struct xet_hash file = m->tf.file, xorb = m->tf.xorb, proof[2], sha;
    if (lie == BAD_FILE_HASH) file.b[0] ^= 1;
    if (lie == NO_XORB) xorb.b[0] ^= 1;
    uint32_t mid = m->tf.n / 2, raw[2] = {0, 0};
    for (unsigned k = 0; k < 2; k++) {
        struct xhash_range r;
        xhash_range_init(&r);
        for (uint32_t i = k == 0 ? 0 : mid; i < (k == 0 ? mid : m->tf.n); i++) {
            xhash_range_add(&r, &m->tf.chunk[i]);
            raw[k] += m->tf.len[i];
        }
        xhash_range_done(&r, &proof[k]);
    }
    struct shard_term t[2] = {{xorb, raw[0], 0, mid}, {xorb, raw[1], mid, m->tf.n}};
    if (lie == BAD_PROOF) proof[1].b[5] ^= 1;
    if (lie == BAD_LENGTH) t[0].raw_bytes++;
    if (lie == OUT_OF_BOUNDS) t[1].end++;
    if (lie == EMPTY_TERM) t[0].end = 0;
    if (lie == SWAPPED_TERMS) {
        struct shard_term x = t[0];
        struct xet_hash h = proof[0];
        t[0] = t[1];
        t[1] = x;
        proof[0] = proof[1];
        proof[1] = h;
    }
    unsigned flags = (lie == NO_RANGES ? 0 : SHARD_FLAG_RANGES) | (lie == NO_SHA ? 0 : SHARD_FLAG_SHA256);
    uint32_t n = lie == SHORT_TERMS ? 1 : 2;
    shard_put_head(b, 0);
    shard_put_file(b, &file, shard_file_flags(flags), n);
    for (unsigned k = 0; k < n; k++) shard_put_term(b, &t[k]);
    for (unsigned k = 0; k < n && lie != NO_RANGES; k++) shard_put_hash(b, &proof[k]);
    shard_sha256_swap(m->sha, sha.b);
    if (lie == BAD_SHA) sha.b[9] ^= 1;
    if (lie != NO_SHA) shard_put_hash(b, &sha);
    shard_put_bookend(b);
    shard_put_bookend(b);
}
/* Xorb and honest shard through HTTP; both must be accepted. */
static inline void rig_upload(struct rig *g, const struct made *m, struct str token) {
    assert_int_equal(rig_status(g, "POST", rig_path(g, "/v1/xorbs/default/", m->hex), token, "", buf_view(&m->xorb)),
                     200);
    struct buf sh;
    made_shard(m, HONEST, &sh);
    assert_int_equal(rig_status(g, "POST", rig_path(g, "/v1/shards", ""), token, "", buf_view(&sh)), 200);
    buf_release(&sh);
}
#endif
