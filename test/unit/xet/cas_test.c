/* SPDX-License-Identifier: Apache-2.0 */
/* The CAS over HTTP: who may do what, what is accepted, and what comes back. */
#include "cas_rig.h"

#include "base/clock.h"
#include "base/json.h"

static struct rig *g;
static uint8_t *data;
enum { N_DATA = 3000000 };
static struct made *m, *small;

static int group_setup(void **s) {
    g = rig_open();
    data = test_alloc(N_DATA);
    gen_splitmix(data, N_DATA / 2, 5);
    gen_floats(data + N_DATA / 2, N_DATA / 2, 6);
    m = made_new(data, N_DATA);
    small = made_new(data + 100, 5000);
    return 0;
}
static int group_teardown(void **s) {
    made_free(m);
    made_free(small);
    free(data);
    rig_close(g);
    return 0;
}
static int64_t count(const char *sql_literal) {
    struct stmt *st;
    bool row;
    assert_ok(db_prep(db_reader(g->t->s), sql_literal, &st));
    assert_ok(db_step(st, &row));
    int64_t n = db_i64(st, 0);
    db_done(st);
    return n;
}

static void test_token(void **s) {
    struct xet_scope sc;
    struct str tok = rig_token(g, 7, 9, true);
    int64_t now = clock_wall_ms() / 1000;
    assert_ok(xet_token_check(g->t->x, tok, now, &sc));
    assert_int_equal(sc.repo_id, 7);
    assert_int_equal(sc.user_id, 9);
    assert_true(sc.write);
    assert_true(sc.exp_s >= now + 15 * 60); /* shorter lives make clients ask all the time */
    assert_ptr_equal(xet_token_check(g->t->x, tok, sc.exp_s, &sc), E_BAD_CREDENTIALS);
    for (size_t i = 0; i < tok.n; i++) { /* no single changed character passes as another scope */
        char bad[256];
        memcpy(bad, tok.p, tok.n);
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        if (xet_token_check(g->t->x, str_make(bad, tok.n), now, &sc) == OK)
            assert_true(sc.repo_id == 7 && sc.user_id == 9 && sc.write);
    }
    assert_ptr_equal(xet_token_check(g->t->x, str_sub(tok, 0, tok.n - 1), now, &sc), E_BAD_CREDENTIALS);
    assert_ptr_equal(xet_token_check(g->t->x, STR("xt1."), now, &sc), E_BAD_CREDENTIALS);
}

static void test_auth(void **s) {
    const char *x = rig_path(g, "/v1/xorbs/default/", small->hex);
    assert_int_equal(rig_status(g, "POST", x, STR_NULL, "", buf_view(&small->xorb)), 401);
    assert_int_equal(rig_status(g, "POST", x, STR("nonsense"), "", buf_view(&small->xorb)), 401);
    assert_int_equal(rig_status(g, "POST", x, g->read_tok, "", buf_view(&small->xorb)), 403);
    assert_int_equal(rig_status(g, "POST", "/cas/0123456789abcdef/v2/shards", g->write_tok, "", STR("x")), 404);
    assert_int_equal(rig_status(g, "GET", rig_path(g, "/v2/reconstructions/", m->file_hex), STR_NULL, "", STR_NULL),
                     401);
    assert_int_equal(rig_status(g, "GET", rig_path(g, "/v1/chunks/default/", m->hex), STR_NULL, "", STR_NULL), 401);
    struct str gone = rig_token(g, 99, 1, true);
    assert_int_equal(rig_status(g, "POST", x, gone, "", buf_view(&small->xorb)), 404);
    test_sql(g->t, "UPDATE owner SET disabled = 1 WHERE id = 2");
    assert_int_equal(rig_status(g, "POST", x, rig_token(g, 3, 2, true), "", buf_view(&small->xorb)), 403);
    test_sql(g->t, "UPDATE owner SET disabled = 0 WHERE id = 2");
    assert_int_equal(count("SELECT count(*) FROM xorb"), 0);
    assert_int_equal(rig_status(g, "POST", rig_path(g, "/v1/xorb-grants/default/", small->hex), g->write_tok, "",
                                STR("{\"length\":1}")),
                     404);
    assert_int_equal(rig_status(g, "POST", "/v1/telemetry", STR_NULL, "", STR("{\"event\":1}")), 200);
}

static void test_xorb(void **s) {
    const char *x = rig_path(g, "/v1/xorbs/default/", m->hex);
    struct reply r = rig_do(g, "POST", x, g->write_tok, "", buf_view(&m->xorb));
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body.p, "{\"was_inserted\":true}");
    reply_release(&r);
    r = rig_do(g, "POST", x, g->write_tok, "", buf_view(&m->xorb));
    assert_string_equal(r.body.p, "{\"was_inserted\":false}");
    reply_release(&r);
    assert_int_equal(rig_status(g, "HEAD", x, g->read_tok, "", STR_NULL), 404); /* nobody's file uses it yet */
    /* claiming what is stored already is not uploading it */
    assert_int_equal(rig_status(g, "POST", x, g->write_tok, "", STR("")), 400);
    assert_int_equal(rig_status(g, "POST", x, g->write_tok, "", str_sub(buf_view(&m->xorb), 0, 1000)), 400);
    assert_int_equal(
        rig_status(g, "POST", rig_path(g, "/v1/xorbs/default/", small->hex), g->write_tok, "", buf_view(&m->xorb)),
        400);
    assert_int_equal(
        rig_status(g, "POST", rig_path(g, "/v1/xorbs/default/", "zz"), g->write_tok, "", buf_view(&m->xorb)), 400);
    assert_int_equal(count("SELECT count(*) FROM xorb"), 1);
    assert_int_equal(test_count_files(g->t, "tmp"), 0);
    char big[64];
    snprintf(big, sizeof big, "Content-Length: %d\r\n", 69 * 1024 * 1024);
    assert_int_equal(rig_status(g, "POST", x, g->write_tok, big, STR_NULL), 413);
    /* older spellings */
    assert_int_equal(
        rig_status(g, "POST", rig_path(g, "/xorbs/default/", small->hex), g->write_tok, "", buf_view(&small->xorb)),
        200);
    assert_int_equal(
        rig_status(g, "POST", rig_path(g, "/xorb/default/", small->hex), g->write_tok, "", buf_view(&small->xorb)),
        200);
    assert_int_equal(atomic_load(&g->t->x->mem_mib), 0);
}

static void test_shard_lies(void **s) {
    static const char *const want[LIES] = {[NO_RANGES] = "no verification records",
                                           [BAD_PROOF] = "does not prove possession",
                                           [BAD_LENGTH] = "length is not that",
                                           [OUT_OF_BOUNDS] = "lies outside",
                                           [EMPTY_TERM] = "lies outside",
                                           [NO_XORB] = "not stored here",
                                           [BAD_FILE_HASH] = "do not hash to the file hash",
                                           [BAD_SHA] = "SHA-256 is not",
                                           [SWAPPED_TERMS] = "do not hash to the file hash",
                                           [SHORT_TERMS] = "do not hash to the file hash"};
    for (enum lie lie = HONEST; lie < LIES; lie++) {
        if (want[lie] == NULL) continue;
        struct buf b;
        made_shard(m, lie, &b);
        struct reply r = rig_do(g, "POST", rig_path(g, "/v1/shards", ""), g->write_tok, "", buf_view(&b));
        if (r.status != 400 || strstr(r.body.p, want[lie]) == NULL)
            fail_msg("lie %d: %d %s", (int)lie, r.status, r.body.p);
        reply_release(&r);
        r = rig_do(g, "POST", rig_path(g, "/v2/shards", ""), g->write_tok, "", buf_view(&b));
        assert_int_equal(r.status, 200);
        if (strstr(r.body.p, "{\"type\":\"error\",\"message\":\"shard refused") == NULL ||
            strstr(r.body.p, want[lie]) == NULL || strstr(r.body.p, "\"retryable\":false}\n") == NULL ||
            strstr(r.body.p, "\"result\"") != NULL)
            fail_msg("lie %d: %s", (int)lie, r.body.p);
        reply_release(&r);
        buf_release(&b);
    }
    assert_int_equal(rig_status(g, "POST", rig_path(g, "/v1/shards", ""), g->write_tok, "", STR("")), 400);
    assert_int_equal(rig_status(g, "POST", rig_path(g, "/v1/shards", ""), g->read_tok, "", STR("x")), 403);
    assert_int_equal(count("SELECT count(*) FROM xet_file"), 0);
    assert_int_equal(count("SELECT count(*) FROM repo_file"), 0);
    assert_int_equal(count("SELECT count(*) FROM xet_ref"), 0);
    assert_int_equal(atomic_load(&g->t->x->mem_mib), 0);
}

static void test_shard(void **s) {
    struct buf b, nosha, lie;
    made_shard(m, HONEST, &b);
    made_shard(m, NO_SHA, &nosha);
    made_shard(m, BAD_SHA, &lie);
    const char *v1 = rig_path(g, "/v1/shards", ""), *v2 = rig_path(g, "/v2/shards", "");
    struct reply r = rig_do(g, "POST", v2, g->write_tok, "", buf_view(&b));
    assert_int_equal(r.status, 200);
    assert_non_null(strstr(r.head.p, "application/x-ndjson"));
    assert_non_null(strstr(r.body.p, "{\"type\":\"validating\",\"verified\":0,\"total\":1}\n"));
    assert_non_null(strstr(r.body.p, "{\"type\":\"validating\",\"verified\":1,\"total\":1}\n{\"type\":\"committing\""));
    assert_true(str_ends(buf_view(&r.body), "{\"type\":\"result\",\"result\":1}\n"));
    reply_release(&r);
    r = rig_do(g, "POST", v1, g->write_tok, "", buf_view(&b));
    assert_string_equal(r.body.p, "{\"result\":0}");
    reply_release(&r);
    assert_int_equal(rig_status(g, "POST", v1, g->write_tok, "", buf_view(&nosha)), 200);
    assert_int_equal(rig_status(g, "POST", v1, g->write_tok, "", buf_view(&lie)),
                     400); /* the bytes' digest is settled */
    assert_int_equal(rig_status(g, "POST", rig_path(g, "/shards", ""), g->write_tok, "", buf_view(&b)), 200);
    assert_int_equal(rig_status(g, "POST", rig_path(g, "/shard/default/", m->hex), g->write_tok, "", buf_view(&b)),
                     200);
    assert_int_equal(count("SELECT count(*) FROM xet_file"), 1);
    assert_int_equal(count("SELECT count(*) FROM repo_file"), 1);
    struct xet_file f;
    char hex[65];
    for (unsigned i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", m->sha[i]);
    assert_ok(xet_file_find(g->t->x, 1, str_of(hex), &f));
    assert_int_equal(f.size, N_DATA);
    /* with proof, another repository gets it too, from the same xorb */
    assert_ptr_equal(xet_file_find(g->t->x, 3, str_of(hex), &f), E_NOT_FOUND);
    assert_int_equal(rig_status(g, "POST", v1, rig_token(g, 3, 2, true), "", buf_view(&b)), 200);
    assert_ok(xet_file_find(g->t->x, 3, str_of(hex), &f));
    assert_int_equal(rig_status(g, "HEAD", rig_path(g, "/v1/xorbs/default/", m->hex), g->read_tok, "", STR_NULL), 200);
    uint64_t bad;
    assert_ok(xet_fsck(g->t->x, true, NULL, NULL, NULL, &bad));
    assert_int_equal(bad, 0);
    buf_release(&b);
    buf_release(&nosha);
    buf_release(&lie);
}

/* --- downloads ----------------------------------------------------------------------------------------- */

static struct jv parse(struct reply *r) {
    struct jv v;
    assert_ok(json_parse(&g->a, buf_view(&r->body), NULL, &v));
    return v;
}
static uint64_t num(struct jv v, const char *a, const char *b) {
    return (uint64_t)jv_i64(jv_get(jv_get(v, a), b), -1);
}

/* Follow a v2 plan like a client: fetch each range with its own GET, decode, assemble, skip, cut. */
static void rebuild(struct reply *plan, uint64_t off, uint64_t len) {
    struct jv v = parse(plan);
    struct jv_iter it = jv_iter(jv_get(v, "xorbs"));
    assert_true(jv_next(&it));
    struct jv desc = jv_at(it.val, 0), range = jv_at(jv_get(desc, "ranges"), 0);
    assert_int_equal(jv_len(jv_get(desc, "ranges")), 1);
    const char *url = strstr(arena_strz(&g->a, jv_str(jv_get(desc, "url"), STR_NULL)), "/cas/");
    char hdr[96];
    snprintf(hdr, sizeof hdr, "Range: bytes=%" PRIu64 "-%" PRIu64 "\r\n", num(range, "bytes", "start"),
             num(range, "bytes", "end"));
    struct reply r = rig_do(g, "GET", url, STR_NULL, hdr, STR_NULL);
    assert_int_equal(r.status, 206);
    assert_int_equal(r.body.n, num(range, "bytes", "end") - num(range, "bytes", "start") + 1);
    struct chunk_scratch *sc = test_alloc(sizeof *sc);
    struct buf raw;
    buf_init(&raw, 80 * MiB);
    for (size_t at = 0; at < r.body.n;) {
        struct chunk_head h;
        const char *why;
        const uint8_t *p = (const uint8_t *)r.body.p + at, *o;
        assert_true(chunk_head_parse(p, &h, &why));
        assert_true(chunk_decode(&h, p + CHUNK_HEAD, sc, &o, &why));
        buf_add(&raw, o, h.n_raw);
        at += CHUNK_HEAD + h.n_stored;
    }
    uint64_t skip = (uint64_t)jv_i64(jv_get(v, "offset_into_first_range"), -1), sum = 0;
    for (size_t i = 0; i < jv_len(jv_get(v, "terms")); i++)
        sum += (uint64_t)jv_i64(jv_get(jv_at(jv_get(v, "terms"), i), "unpacked_length"), 0);
    assert_int_equal(sum, raw.n); /* clients insist */
    assert_true(skip + len <= raw.n);
    assert_memory_equal(raw.p + skip, data + off, len);
    assert_true(skip < 131072 && raw.n - skip - len < 131072); /* trimmed to chunks */
    buf_release(&raw);
    free(sc);
    reply_release(&r);
}

static void test_reconstruction(void **s) {
    const char *v2 = rig_path(g, "/v2/reconstructions/", m->file_hex);
    struct reply r = rig_do(g, "GET", v2, g->read_tok, "", STR_NULL);
    assert_int_equal(r.status, 200);
    rebuild(&r, 0, N_DATA);
    reply_release(&r);
    static const uint64_t ranges[][2] = {
        {0, 0},           {0, N_DATA - 1},   {1, 1}, {1499999, 1500000}, {N_DATA - 1, N_DATA - 1},
        {12345, 2345678}, {2999000, 5000000}};
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        char hdr[96];
        snprintf(hdr, sizeof hdr, "Range: bytes=%" PRIu64 "-%" PRIu64 "\r\n", ranges[i][0], ranges[i][1]);
        r = rig_do(g, "GET", v2, g->read_tok, hdr, STR_NULL);
        assert_int_equal(r.status, 200);
        rebuild(&r, ranges[i][0], MIN(ranges[i][1], (uint64_t)N_DATA - 1) - ranges[i][0] + 1);
        reply_release(&r);
    }
    assert_int_equal(rig_status(g, "GET", v2, g->read_tok, "Range: bytes=5-18446744073709551614\r\n", STR_NULL), 200);
    assert_int_equal(rig_status(g, "GET", v2, g->read_tok, "Range: bytes=3000000-3000001\r\n", STR_NULL), 416);
    assert_int_equal(rig_status(g, "GET", v2, rig_token(g, 2, 1, false), "", STR_NULL), 404); /* not bound there */
    assert_int_equal(rig_status(g, "GET", rig_path(g, "/v2/reconstructions/", m->hex), g->read_tok, "", STR_NULL), 404);
    r = rig_do(g, "GET", rig_path(g, "/v1/reconstructions/", m->file_hex), g->write_tok, "Range: bytes=0-9\r\n",
               STR_NULL);
    assert_int_equal(r.status, 200);
    struct jv f = jv_at(jv_get(jv_get(parse(&r), "fetch_info"), m->hex), 0);
    assert_int_equal(num(f, "range", "start"), 0);
    assert_int_equal(num(f, "range", "end"), 1);
    assert_int_equal(num(f, "url_range", "start"), 0);
    assert_non_null(jv_str(jv_get(f, "url"), STR_NULL).p);
    reply_release(&r);
    assert_int_equal(rig_status(g, "GET", rig_path(g, "/reconstruction/", m->file_hex), g->read_tok, "", STR_NULL),
                     200);
    r = rig_do(g, "HEAD", rig_path(g, "/v1/files/", m->file_hex), g->read_tok, "", STR_NULL);
    assert_int_equal(r.status, 200);
    assert_non_null(strcasestr(r.head.p, "content-length: 3000000\r\n"));
    reply_release(&r);
}

static void test_gate(void **s) {
    const char *v2 = rig_path(g, "/v2/reconstructions/", m->file_hex);
    test_sql(g->t, "UPDATE blob_verdict SET verdict = 4");
    assert_int_equal(rig_status(g, "GET", v2, g->read_tok, "", STR_NULL), 403);
    assert_int_equal(rig_status(g, "HEAD", rig_path(g, "/v1/files/", m->file_hex), g->read_tok, "", STR_NULL), 403);
    test_sql(g->t, "DELETE FROM blob_verdict");
    assert_int_equal(rig_status(g, "GET", v2, g->read_tok, "", STR_NULL), 503); /* held, then told to come again */
    test_sql(g->t, "INSERT INTO blob_verdict (oid, verdict, coverage, format, findings, rule_pack, time_ms) SELECT "
                   "DISTINCT lower(hex(sha256)), 1, 2, '', '[]', 't', 0 FROM repo_file");
    assert_int_equal(rig_status(g, "GET", v2, g->read_tok, "", STR_NULL), 200);
}

static void test_empty_file(void **s) {
    struct buf b;
    buf_init(&b, MiB);
    struct xet_hash zero = {{0}}, sha;
    uint8_t digest[32];
    hash_sha256("", 0, digest);
    shard_sha256_swap(digest, sha.b);
    shard_put_head(&b, 0);
    shard_put_file(&b, &zero, shard_file_flags(SHARD_FLAG_RANGES | SHARD_FLAG_SHA256), 0);
    shard_put_hash(&b, &sha);
    shard_put_bookend(&b);
    shard_put_bookend(&b);
    assert_int_equal(rig_status(g, "POST", rig_path(g, "/v1/shards", ""), g->write_tok, "", buf_view(&b)), 200);
    buf_release(&b);
    const char *v2 =
        rig_path(g, "/v2/reconstructions/", "0000000000000000000000000000000000000000000000000000000000000000");
    struct reply r = rig_do(g, "GET", v2, g->read_tok, "Range: bytes=0-18446744073709551614\r\n", STR_NULL);
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body.p, "{\"offset_into_first_range\":0,\"terms\":[],\"xorbs\":{}}");
    reply_release(&r);
    assert_int_equal(rig_status(g, "GET", v2, g->read_tok, "Range: bytes=1-2\r\n", STR_NULL), 416);
}

/* A URL for ranges of m's xorb, signed as the server does. */
static const char *signed_url_for(int64_t repo_id, int64_t user_id, const char *ranges, int64_t exp_s) {
    char mac[XET_MAC_LEN + 1], grant[XET_GRANT_MAX + 1], tail[768];
    struct xet_grant gr = {.repo_id = repo_id, .user_id = user_id};
    memcpy(gr.sha256, m->sha, SHA256_LEN);
    xet_url_mac(g->t->x, &gr, &m->tf.xorb, str_of(ranges), exp_s, mac);
    xet_grant_put(&gr, grant);
    snprintf(tail, sizeof tail, "%s?r=%s&f=%s&e=%" PRId64 "&s=%s", m->hex, ranges, grant, exp_s, mac);
    return rig_path(g, "/x/", tail);
}
static const char *signed_url(const char *ranges, int64_t exp_s) {
    return signed_url_for(1, 1, ranges, exp_s);
}
static int get(const char *url, const char *range, struct reply *out) {
    char hdr[256] = "";
    if (range != NULL) snprintf(hdr, sizeof hdr, "Range: bytes=%s\r\n", range);
    struct reply r = rig_do(g, "GET", url, STR_NULL, hdr, STR_NULL);
    int status = r.status;
    if (out != NULL) *out = r;
    else reply_release(&r);
    return status;
}

static void test_signed_urls(void **s) {
    int64_t exp_s = clock_wall_ms() / 1000 + 100;
    const char *url = signed_url("100-199,1000-1999", exp_s);
    struct reply r;
    assert_int_equal(get(url, "100-199", &r), 206);
    assert_memory_equal(r.body.p, m->xorb.p + 100, 100);
    char cr[64];
    snprintf(cr, sizeof cr, "bytes 100-199/%zu\r\n", m->xorb.n);
    assert_non_null(strstr(r.head.p, cr));
    reply_release(&r);
    assert_int_equal(get(url, "150-150", NULL), 206); /* any part */
    assert_int_equal(get(url, "1500-", &r), 206);
    assert_int_equal(r.body.n, 500);
    reply_release(&r);
    assert_int_equal(get(url, "199-200", NULL), 403); /* across an end */
    assert_int_equal(get(url, "0-99", NULL), 403);
    assert_int_equal(get(url, "100-1999", NULL), 403); /* the gap is not allowed */
    assert_int_equal(get(url, "2000-2000", NULL), 403);
    assert_int_equal(get(url, "-5", NULL), 400);
    assert_int_equal(get(url, "199-100", NULL), 400);
    assert_int_equal(get(url, "x", NULL), 400);
    assert_int_equal(get(url, "100-199,100-199,1000-1999", NULL), 403); /* more than was signed */
    assert_int_equal(get(signed_url("100-199", exp_s), NULL, &r), 200);
    assert_int_equal(r.body.n, 100);
    reply_release(&r);
    assert_int_equal(get(signed_url("100-199", exp_s - 200), NULL, NULL), 403); /* expired */
    char *bad = arena_strz(&g->a, str_of(url));
    bad[strlen(bad) - 1] = bad[strlen(bad) - 1] == 'A' ? 'E' : 'A';
    assert_int_equal(get(bad, "100-199", NULL), 403);
    bad = arena_strz(&g->a, str_of(url));
    *strstr(bad, "1000-1999") = '0';
    assert_int_equal(get(bad, "100-199", NULL), 403);
    bad = arena_strz(&g->a, str_of(url));
    strstr(bad, "&e=")[4] ^= 1;
    assert_int_equal(get(bad, "100-199", NULL), 403);
    assert_int_equal(get(rig_path(g, "/x/", m->hex), NULL, NULL), 403);
    assert_int_equal(get(signed_url("200-100", exp_s), NULL, NULL), 403);
    assert_int_equal(get(signed_url("0-99999999", exp_s), "99999990-99999999", NULL), 416);
}

/* What changes after a URL was handed out reaches the URL: a verdict, the repository, the account. */
static void test_signed_url_does_not_outlive_a_verdict(void **s) {
    int64_t exp_s = clock_wall_ms() / 1000 + 100;
    const char *url = signed_url("100-199", exp_s);
    struct reply r;
    assert_int_equal(get(url, NULL, NULL), 200);
    test_sql(g->t, "UPDATE blob_verdict SET verdict = 4");
    assert_int_equal(get(url, NULL, &r), 403);
    assert_non_null(strstr(r.head.p, "X-Error-Code: ReviewBlocked"));
    assert_non_null(strstr(r.body.p, "review blocks this file"));
    reply_release(&r);
    test_sql(g->t, "UPDATE blob_verdict SET verdict = 1");
    assert_int_equal(get(url, NULL, NULL), 200);
    char *other = arena_strz(&g->a, str_of(url)), *f = strstr(other, "&f=1-1-");
    f[8] = f[8] == '0' ? '1' : '0'; /* another file's name does not pass for this one's */
    assert_int_equal(get(other, NULL, NULL), 403);
    assert_int_equal(get(signed_url_for(1, 2, "100-199", exp_s), NULL, NULL), 200);
    test_sql(g->t, "UPDATE owner SET disabled = 1 WHERE id = 2");
    assert_int_equal(get(signed_url_for(1, 2, "100-199", exp_s), NULL, NULL), 403);
    test_sql(g->t, "UPDATE owner SET disabled = 0 WHERE id = 2");
    assert_int_equal(get(signed_url_for(99, 1, "100-199", exp_s), NULL, NULL), 404);
    test_sql(g->t, "UPDATE repo SET deleted_ms = 1 WHERE id = 1");
    assert_int_equal(get(url, NULL, NULL), 404);
    test_sql(g->t, "UPDATE repo SET deleted_ms = 0 WHERE id = 1");
}

static void test_multirange(void **s) {
    const char *url = signed_url("100-199,1000-1999,5000-5009", clock_wall_ms() / 1000 + 100);
    for (unsigned form = 0; form < 2; form++) {
        struct reply r;
        assert_int_equal(get(url, form == 0 ? "100-149,1000-1999, 5000-5009" : NULL, &r), 206);
        char *b = strstr(r.head.p, "multipart/byteranges; boundary=");
        assert_non_null(b);
        char bound[40] = "--";
        memcpy(bound + 2, b + 31, 32);
        static const size_t off[3] = {100, 1000, 5000}, full[3] = {100, 1000, 10};
        const char *at = r.body.p;
        for (unsigned i = 0; i < 3; i++) {
            size_t n = i == 0 && form == 0 ? 50 : full[i];
            char cr[80];
            snprintf(cr, sizeof cr, "Content-Range: bytes %zu-%zu/%zu\r\n", off[i], off[i] + n - 1, m->xorb.n);
            const char *head = strstr(at, bound);
            assert_non_null(head);
            assert_non_null(strstr(head, cr));
            at = strstr(head, "\r\n\r\n") + 4;
            assert_memory_equal(at, m->xorb.p + off[i], n);
            at += n;
        }
        assert_memory_equal(at, "\r\n", 2);
        assert_memory_equal(at + 2, bound, 34);
        assert_memory_equal(at + 36, "--\r\n", 4);
        assert_int_equal(at + 40 - r.body.p, r.body.n);
        reply_release(&r);
    }
}

/* 4,000 tiny chunks, a file of 20,000 one-chunk terms that uses every second one: 2,000 ranges, so several URLs. */
enum { TINY = 37, N_TINY = 4000, N_TERMS = 20000 };

static void fragmented_upload(char file_hex[XET_HEX_LEN + 1]) {
    static uint8_t raw[N_TINY * TINY];
    static struct xet_hash h[N_TINY];
    gen_splitmix(raw, sizeof raw, 91);
    struct buf x, b;
    buf_init(&x, 4 * MiB);
    struct merkle *tree = test_alloc(sizeof *tree), *file = test_alloc(sizeof *file);
    merkle_init(tree);
    merkle_init(file);
    for (uint32_t i = 0; i < N_TINY; i++) {
        uint8_t head[CHUNK_HEAD];
        chunk_head_put(head, &(struct chunk_head){TINY, TINY, SCHEME_NONE});
        buf_add(&x, head, CHUNK_HEAD);
        buf_add(&x, raw + i * TINY, TINY);
        xhash_chunk(raw + i * TINY, TINY, &h[i]);
        merkle_add(tree, &h[i], TINY);
    }
    struct xet_hash root, fh;
    merkle_root(tree, &root);
    for (uint32_t i = 0; i < N_TERMS; i++) merkle_add(file, &h[i * 2 % N_TINY], TINY);
    merkle_file(file, &fh);
    buf_init(&b, 4 * MiB);
    shard_put_head(&b, 0);
    shard_put_file(&b, &fh, shard_file_flags(SHARD_FLAG_RANGES), N_TERMS);
    for (uint32_t i = 0; i < N_TERMS; i++)
        shard_put_term(&b, &(struct shard_term){root, TINY, i * 2 % N_TINY, i * 2 % N_TINY + 1});
    for (uint32_t i = 0; i < N_TERMS; i++) {
        struct xhash_range r;
        struct xet_hash proof;
        xhash_range_init(&r);
        xhash_range_add(&r, &h[i * 2 % N_TINY]);
        xhash_range_done(&r, &proof);
        shard_put_hash(&b, &proof);
    }
    shard_put_bookend(&b);
    shard_put_bookend(&b);
    char hex[XET_HEX_LEN + 1];
    xet_hash_str(&root, hex);
    xet_hash_str(&fh, file_hex);
    assert_int_equal(rig_status(g, "POST", rig_path(g, "/v1/xorbs/default/", hex), g->write_tok, "", buf_view(&x)),
                     200);
    assert_int_equal(rig_status(g, "POST", rig_path(g, "/v1/shards", ""), g->write_tok, "", buf_view(&b)), 200);
    buf_release(&x);
    buf_release(&b);
    free(tree);
    free(file);
}

static void test_fragmented(void **s) {
    char hex[XET_HEX_LEN + 1];
    struct arena a;
    struct jv v;
    fragmented_upload(hex);
    arena_init(&a, 64 * MiB);
    int64_t t = clock_mono_ns();
    struct reply r = rig_do(g, "GET", rig_path(g, "/v2/reconstructions/", hex), g->read_tok, "", STR_NULL);
    t = clock_mono_ns() - t;
    assert_int_equal(r.status, 200);
    assert_ok(json_parse(&a, buf_view(&r.body), NULL, &v));
    assert_int_equal(jv_len(jv_get(v, "terms")), N_TERMS);
    struct jv_iter it = jv_iter(jv_get(v, "xorbs"));
    assert_true(jv_next(&it));
    size_t n = 0, n_url = jv_len(it.val);
    assert_int_equal(n_url, 8); /* 2,000 ranges, 256 a URL */
    for (size_t i = 0; i < n_url; i++) {
        struct str url = jv_str(jv_get(jv_at(it.val, i), "url"), STR_NULL);
        assert_true(url.n < 8192);
        n += jv_len(jv_get(jv_at(it.val, i), "ranges"));
        const char *path = strstr(arena_strz(&a, url), "/cas/");
        assert_int_equal(get(path, NULL, NULL), 206); /* all of them at once, as multipart */
    }
    assert_int_equal(n, N_TINY / 2);
    print_message("# plan of %d terms: %.1f ms, %zu bytes\n", (int)N_TERMS, (double)t / 1e6, r.body.n);
    reply_release(&r);
    r = rig_do(g, "GET", rig_path(g, "/v2/reconstructions/", hex), g->read_tok, "Range: bytes=370000-370001\r\n",
               STR_NULL);
    assert_int_equal(r.status, 200);
    assert_true(r.body.n < 1000); /* one or two terms, not the file */
    reply_release(&r);
    arena_release(&a);
}

int main(void) {
    const struct CMUnitTest t[] = {
        cmocka_unit_test(test_token),       cmocka_unit_test(test_auth),
        cmocka_unit_test(test_xorb),        cmocka_unit_test(test_shard_lies),
        cmocka_unit_test(test_shard),       cmocka_unit_test(test_reconstruction),
        cmocka_unit_test(test_gate),        cmocka_unit_test(test_empty_file),
        cmocka_unit_test(test_signed_urls), cmocka_unit_test(test_signed_url_does_not_outlive_a_verdict),
        cmocka_unit_test(test_multirange),  cmocka_unit_test(test_fragmented)};
    return cmocka_run_group_tests(t, group_setup, group_teardown);
}
