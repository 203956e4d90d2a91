/* SPDX-License-Identifier: Apache-2.0 */
/* Global dedup replies: form, visibility, and that nothing leaks about chunks the asker may not read. */
#include "cas_rig.h"

#include "xet/dedup.h"

static struct rig *g;
static uint8_t *data;
enum { N_DATA = 2000000 };
static struct made *m;

static int setup(void **s) {
    g = rig_open();
    data = test_alloc(N_DATA);
    gen_splitmix(data, N_DATA, 77);
    m = made_new(data, N_DATA);
    return 0;
}
static int teardown(void **s) {
    made_free(m);
    free(data);
    rig_close(g);
    return 0;
}

static const char *chunk_path(const char *prefix, const struct xet_hash *h) {
    char hex[XET_HEX_LEN + 1];
    xet_hash_str(h, hex);
    return rig_path(g, prefix, hex);
}
static int ask(const struct xet_hash *h, struct str tok, struct reply *out) {
    struct reply r = rig_do(g, "GET", chunk_path("/v1/chunks/default/", h), tok, "", STR_NULL);
    int status = r.status;
    if (out != NULL) *out = r;
    else reply_release(&r);
    return status;
}

/* The key and the keyed hash of entry i of the first xorb of a reply. */
static void entry(const struct reply *r, uint32_t i, uint8_t key[32], struct xet_hash *h, struct shard_xorb *x) {
    struct shard s;
    assert_ok(shard_parse(r->body.p, r->body.n, &s));
    assert_int_equal(s.n_files, 0);
    assert_true(s.footer_off > 0); /* clients drop replies without one */
    memcpy(key, s.p + s.footer_off + 72, 32);
    struct shard_iter it = {&s, s.xorb_off};
    assert_true(shard_next_xorb(&it, x));
    memcpy(h->b, x->entries + (size_t)i * SHARD_REC, 32);
}

static void test_reply_form(void **s) {
    assert_int_equal(ask(&m->tf.chunk[0], g->write_tok, NULL), 404);
    rig_upload(g, m, g->write_tok);
    struct reply r;
    assert_int_equal(ask(&m->tf.chunk[0], g->write_tok, &r), 200);
    uint8_t key[32];
    struct xet_hash h, want;
    struct shard_xorb x;
    for (uint32_t i = 0; i < m->tf.n; i++) {
        entry(&r, i, key, &h, &x);
        xhash_hmac(key, &m->tf.chunk[i], &want);
        assert_true(xhash_eq(&h, &want));
        assert_false(xhash_eq(&h, &m->tf.chunk[i])); /* never plain */
    }
    assert_int_equal(x.n, m->tf.n);
    assert_true(xhash_eq(&x.hash, &m->tf.xorb));
    const uint8_t zero[32] = {0};
    assert_memory_not_equal(key, zero, 32);
    uint64_t created, expires;
    struct shard sh;
    assert_ok(shard_parse(r.body.p, r.body.n, &sh));
    memcpy(&created, sh.p + sh.footer_off + 104, 8);
    memcpy(&expires, sh.p + sh.footer_off + 112, 8);
    assert_true(expires >= created + 7 * 24 * 3600 && expires <= created + 14 * 24 * 3600); /* gc waits 28 days */
    reply_release(&r);
    assert_int_equal(
        rig_status(g, "GET", chunk_path("/v1/chunks/default-merkledb/", &m->tf.chunk[0]), g->read_tok, "", STR_NULL),
        200);
    assert_int_equal(rig_status(g, "GET", chunk_path("/chunk/default/", &m->tf.chunk[0]), g->read_tok, "", STR_NULL),
                     200);
    assert_int_equal(ask(&m->tf.chunk[1], g->write_tok, NULL), 404); /* stored, but not eligible */
    assert_int_equal(atomic_load(&g->t->x->mem_mib), 0);
}

static void test_key_of_the_week(void **s) {
    uint8_t a[32], b[32], c[32];
    uint64_t created, expires, expires_b;
    enum { WEEK = 7 * 24 * 3600 };
    xet_dedup_key(g->t->x, 100 * WEEK, a, &created, &expires);
    xet_dedup_key(g->t->x, 100 * WEEK + WEEK - 1, b, &created, &expires_b);
    xet_dedup_key(g->t->x, 101 * WEEK, c, &created, &expires);
    assert_memory_equal(a, b, 32); /* few keys: clients hash every query once a key */
    assert_memory_not_equal(a, c, 32);
    assert_int_equal(expires_b, 102 * WEEK);
}

static void test_visibility(void **s) {
    rig_upload(g, m, rig_token(g, 3, 2, true)); /* bob's private repository */
    const struct xet_hash *h = &m->tf.chunk[0];
    assert_int_equal(ask(h, rig_token(g, 3, 2, false), NULL), 200);
    assert_int_equal(ask(h, rig_token(g, 1, 1, true), NULL), 404);  /* amy must not learn of it */
    assert_int_equal(ask(h, rig_token(g, 1, 0, false), NULL), 404); /* nor anybody */
    assert_int_equal(ask(h, rig_token(g, 1, 2, true), NULL), 200);  /* bob, through any repository of his reach */
    test_sql(g->t, "UPDATE repo SET is_private = 0, gated = 'auto' WHERE id = 3");
    assert_int_equal(ask(h, rig_token(g, 1, 1, true), NULL), 404);
    test_sql(g->t, "UPDATE repo SET gated = '' WHERE id = 3");
    assert_int_equal(ask(h, rig_token(g, 1, 1, true), NULL), 200);
    test_sql(g->t, "UPDATE repo SET deleted_ms = 5 WHERE id = 3");
    assert_int_equal(ask(h, rig_token(g, 1, 1, true), NULL), 404);
    test_sql(g->t, "UPDATE repo SET deleted_ms = 0, is_private = 1 WHERE id = 3");
    test_sql(g->t, "INSERT INTO owner (id, is_org, name, name_key, created_ms) VALUES (5, 1, 'org', 'org', 0)");
    test_sql(g->t, "UPDATE repo SET owner_id = 5 WHERE id = 3");
    assert_int_equal(ask(h, rig_token(g, 1, 1, true), NULL), 404);
    test_sql(g->t, "INSERT INTO member (org_id, user_id, role) VALUES (5, 1, 1)");
    assert_int_equal(ask(h, rig_token(g, 1, 1, true), NULL), 200);
}

/* A xorb with chunks of a public and of a private file: the private ones' hashes are not told. */
static void test_masked_chunks(void **s) {
    assert_int_equal(
        rig_status(g, "POST", rig_path(g, "/v1/xorbs/default/", m->hex), g->write_tok, "", buf_view(&m->xorb)), 200);
    rig_upload(g, m, rig_token(g, 3, 2, true)); /* bob, private: the whole xorb */
    /* amy, public: the first three chunks of it */
    size_t n = m->tf.len[0] + m->tf.len[1] + m->tf.len[2];
    struct made *part = made_new(data, n);
    assert_int_equal(part->tf.n, 3);
    struct buf b;
    buf_init(&b, MiB);
    struct xet_hash sha;
    shard_sha256_swap(part->sha, sha.b);
    shard_put_head(&b, 0);
    shard_put_file(&b, &part->tf.file, shard_file_flags(SHARD_FLAG_RANGES | SHARD_FLAG_SHA256), 1);
    shard_put_term(&b, &(struct shard_term){m->tf.xorb, (uint32_t)n, 0, 3});
    shard_put_hash(&b, &part->tf.range);
    shard_put_hash(&b, &sha);
    shard_put_bookend(&b);
    shard_put_bookend(&b);
    assert_int_equal(rig_status(g, "POST", rig_path(g, "/v1/shards", ""), g->write_tok, "", buf_view(&b)), 200);
    buf_release(&b);
    struct reply r;
    assert_int_equal(ask(&m->tf.chunk[0], g->write_tok, &r), 200);
    for (uint32_t i = 0; i < m->tf.n; i++) {
        uint8_t key[32];
        struct xet_hash h, want;
        struct shard_xorb x;
        entry(&r, i, key, &h, &x);
        assert_int_equal(x.n, m->tf.n);
        xhash_hmac(key, &m->tf.chunk[i], &want);
        assert_int_equal(xhash_eq(&h, &want), i < 3);
    }
    reply_release(&r);
    assert_int_equal(ask(&m->tf.chunk[0], rig_token(g, 3, 2, true), &r), 200); /* bob sees all of it */
    uint8_t key[32];
    struct xet_hash h, want;
    struct shard_xorb x;
    entry(&r, m->tf.n - 1, key, &h, &x);
    xhash_hmac(key, &m->tf.chunk[m->tf.n - 1], &want);
    assert_true(xhash_eq(&h, &want));
    reply_release(&r);
    made_free(part);
}

/* A shard of amy's over two one-chunk terms of bob's xorb; the second term is chunk `end - 1`, said to start at
 * `first`. */
static int two_terms(const struct made *file, uint32_t first, uint32_t end, struct reply *out) {
    struct buf b;
    buf_init(&b, MiB);
    struct xet_hash sha, proof[2];
    struct xhash_range r;
    uint32_t raw = 0;
    for (unsigned k = 0; k < 2; k++) { /* what amy can compute: one chunk each */
        xhash_range_init(&r);
        xhash_range_add(&r, &file->tf.chunk[k]);
        xhash_range_done(&r, &proof[k]);
    }
    for (uint32_t i = first; i < end; i++) raw += m->tf.len[i];
    shard_sha256_swap(file->sha, sha.b);
    shard_put_head(&b, 0);
    shard_put_file(&b, &file->tf.file, shard_file_flags(SHARD_FLAG_RANGES | SHARD_FLAG_SHA256), 2);
    shard_put_term(&b, &(struct shard_term){m->tf.xorb, m->tf.len[0], 0, 1});
    shard_put_term(&b, &(struct shard_term){m->tf.xorb, raw, first, end});
    for (unsigned k = 0; k < 2; k++) shard_put_hash(&b, &proof[k]);
    shard_put_hash(&b, &sha);
    shard_put_bookend(&b);
    shard_put_bookend(&b);
    struct reply reply = rig_do(g, "POST", rig_path(g, "/v1/shards", ""), g->write_tok, "", buf_view(&b));
    buf_release(&b);
    *out = reply;
    return reply.status;
}

/* Who knows the chunks around a gap gets these, and not a byte of what lies between. */
static void test_a_gap_is_not_bridged(void **s) {
    rig_upload(g, m, rig_token(g, 3, 2, true)); /* bob, private: the whole xorb */
    size_t l0 = m->tf.len[0], l1 = m->tf.len[1], l2 = m->tf.len[2];
    uint8_t *known = test_alloc(l0 + l2);
    memcpy(known, data, l0);
    memcpy(known + l0, data + l0 + l1, l2);
    struct made *file = made_new(known, l0 + l2);
    assert_int_equal(file->tf.n, 2);
    struct reply r;
    assert_int_equal(two_terms(file, 1, 3, &r), 400); /* the middle one, claimed along with what she knows */
    assert_non_null(strstr(r.body.p, "does not prove possession"));
    reply_release(&r);
    assert_int_equal(two_terms(file, 1, 2, &r), 400); /* the middle one alone */
    reply_release(&r);
    assert_int_equal(rig_status(g, "GET", rig_path(g, "/v2/reconstructions/", m->file_hex), g->read_tok, "", STR_NULL),
                     404);
    assert_int_equal(two_terms(file, 2, 3, &r), 200);
    reply_release(&r);
    r = rig_do(g, "GET", rig_path(g, "/v2/reconstructions/", file->file_hex), g->read_tok, "", STR_NULL);
    assert_int_equal(r.status, 200);
    size_t end0 = CHUNK_HEAD + l0, at2 = end0 + CHUNK_HEAD + l1; /* noise does not compress */
    char want[96];
    snprintf(want, sizeof want, "?r=0-%zu,%zu-%zu&", end0 - 1, at2, at2 + CHUNK_HEAD + l2 - 1);
    char *url = strstr(r.body.p, "/cas/");
    assert_non_null(url);
    *strchr(url, '"') = 0;
    assert_non_null(strstr(url, want));
    static const int wanted[3] = {206, 403, 403};
    for (unsigned k = 0; k < 3; k++) {
        char hdr[96];
        size_t from = k == 1 ? end0 : 0, to = k == 0 ? end0 - 1 : k == 1 ? end0 : at2;
        snprintf(hdr, sizeof hdr, "Range: bytes=%zu-%zu\r\n", from, to);
        assert_int_equal(rig_status(g, "GET", url, STR_NULL, hdr, STR_NULL), wanted[k]);
    }
    reply_release(&r);
    made_free(file);
    free(known);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest t[] = {T(test_reply_form), T(test_key_of_the_week), T(test_visibility),
                                   T(test_masked_chunks), T(test_a_gap_is_not_bridged)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
