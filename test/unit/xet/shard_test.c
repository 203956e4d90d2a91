/* SPDX-License-Identifier: Apache-2.0 */
/* Shards: what clients send parses, what the server writes parses, and every structural lie is refused. */
#include "xet_test.h"

#include "xet/shard.h"

static const struct xet_hash h1 = {{1}}, h2 = {{2}};

struct made {
    struct buf b;
    size_t files_end, xorb_off, xorb_end;
};
/* One file of two terms with ranges and sha256, one xorb of three chunks. */
static void make(struct made *m, unsigned flags) {
    buf_init(&m->b, MiB);
    struct buf *b = &m->b;
    shard_put_head(b, 0);
    shard_put_file(b, &h1, shard_file_flags(flags), 2);
    shard_put_term(b, &(struct shard_term){h2, 100, 0, 1});
    shard_put_term(b, &(struct shard_term){h2, 500, 1, 3});
    if (flags & SHARD_FLAG_RANGES)
        for (unsigned i = 0; i < 2; i++) shard_put_hash(b, &h1);
    if (flags & SHARD_FLAG_SHA256) {
        struct xet_hash s;
        for (unsigned i = 0; i < 32; i++) s.b[i] = (uint8_t)i;
        shard_put_hash(b, &s);
    }
    m->files_end = b->n;
    shard_put_bookend(b);
    m->xorb_off = b->n;
    shard_put_xorb(b, &h2, 3, 600, 0);
    shard_put_chunk(b, &h1, 0, 100, true);
    shard_put_chunk(b, &h1, 100, 200, false);
    shard_put_chunk(b, &h1, 300, 300, false);
    m->xorb_end = b->n;
    shard_put_bookend(b);
}

static void test_parse(void **s) {
    struct made m;
    struct shard sh;
    make(&m, SHARD_FLAG_RANGES | SHARD_FLAG_SHA256);
    assert_null(shard_parse(m.b.p, m.b.n, &sh));
    assert_int_equal(sh.n_files, 1);
    assert_int_equal(sh.n_xorbs, 1);
    struct shard_iter it = shard_files(&sh);
    struct shard_file f;
    assert_true(shard_next(&it, &f));
    assert_true(xhash_eq(&f.hash, &h1));
    assert_int_equal(f.n_terms, 2);
    assert_true(f.has_ranges && f.has_sha256);
    assert_int_equal(f.sha256[0], 7); /* octets swapped */
    assert_int_equal(f.sha256[31], 24);
    struct shard_term t;
    shard_term_get(&f, 1, &t);
    assert_int_equal(t.raw_bytes, 500);
    assert_int_equal(t.first, 1);
    assert_int_equal(t.end, 3);
    assert_false(shard_next(&it, &f));
    struct shard_iter xi = {&sh, sh.xorb_off};
    struct shard_xorb x;
    assert_true(shard_next_xorb(&xi, &x));
    assert_int_equal(x.n, 3);
    assert_false(shard_next_xorb(&xi, &x));
    buf_release(&m.b);
    make(&m, 0);
    assert_null(shard_parse(m.b.p, m.b.n, &sh)); /* structure only: possession is the acceptance's business */
    buf_release(&m.b);
}

static void test_footer(void **s) {
    struct made m;
    struct shard sh;
    make(&m, SHARD_FLAG_RANGES);
    struct shard_key k = {{9}, 1000, 2000};
    size_t at = m.b.n;
    shard_put_footer(&m.b, m.xorb_off, &k);
    assert_int_equal(m.b.n - at, SHARD_FOOTER);
    assert_null(shard_parse(m.b.p, m.b.n, &sh));
    assert_int_equal(sh.footer_off, at);
    const uint8_t *f = (const uint8_t *)m.b.p + at;
    uint64_t at24, at40, at56;
    memcpy(&at24, f + 24, 8);
    memcpy(&at40, f + 40, 8);
    memcpy(&at56, f + 56, 8);
    assert_true(at24 == at && at40 == at && at56 == at); /* clients take the end of the xorb section from there */
    assert_int_equal(f[72], 9);
    buf_release(&m.b);
}

static unsigned n_poison;
static void refused(struct made *m, const char *want) {
    /* an exact-size copy, so that the sanitizer sees every read beyond the end */
    void *p = malloc(m->b.n);
    assert_non_null(p);
    memcpy(p, m->b.p, m->b.n);
    struct shard sh;
    err e = shard_parse(p, m->b.n, &sh);
    free(p);
    if (e == OK) fail_msg("accepted a shard that should fail with \"%s\"", want);
    assert_ptr_equal(e, E_BAD_REQUEST);
    if (strstr(err_text(), want) == NULL) fail_msg("text \"%s\" lacks \"%s\"", err_text(), want);
    n_poison++;
    buf_release(&m->b);
}

static void poke(size_t from_start, uint8_t v, const char *want) {
    struct made m;
    make(&m, SHARD_FLAG_RANGES | SHARD_FLAG_SHA256);
    m.b.p[from_start] = (char)v;
    refused(&m, want);
}
static void poke_xorb(size_t off, uint8_t v, const char *want) {
    struct made m;
    make(&m, SHARD_FLAG_RANGES | SHARD_FLAG_SHA256);
    m.b.p[m.xorb_off + off] = (char)v;
    refused(&m, want);
}
static void poke_footer(size_t off, uint8_t v, const char *want) {
    struct made m;
    make(&m, SHARD_FLAG_RANGES);
    size_t at = m.b.n;
    shard_put_footer(&m.b, m.xorb_off, &(struct shard_key){{9}, 1, 2});
    m.b.p[at + off] = (char)v;
    refused(&m, want);
}
static void cut_to(size_t n, const char *want) {
    struct made m;
    make(&m, SHARD_FLAG_RANGES | SHARD_FLAG_SHA256);
    if (n < m.b.n) m.b.n = n;
    refused(&m, want);
}

static void test_poison(void **s) {
    poke(0, 'X', "not a shard");
    poke(31, 0, "not a shard");
    poke(32, 1, "version");
    poke(39, 1, "version");
    poke(40, 7, "footer size");
    poke(48 + 32, 1, "unknown file flags");
    poke(48 + 39, 0x01, "more than 262144 terms");
    poke(48 + 39, 0xff, "more than 262144 terms");
    poke(48 + 36, 200, "cut short");
    poke_xorb(36, 0, "1 to 8192 chunks");
    poke_xorb(37, 0x21, "1 to 8192 chunks");
    poke_xorb(36, 4, "does not start"); /* the end mark taken for a chunk */
    poke_xorb(36, 200, "cut short");
    poke_xorb(36, 2, "size differs");
    poke_xorb(40, 1, "size differs");
    poke_xorb(48 + 32, 1, "does not start");
    poke_xorb(96 + 32, 1, "does not start");
    poke_xorb(48 + 38, 3, "length is out of bounds");
    poke_xorb(48 + 36, 0, "length is out of bounds");
    cut_to(0, "shorter");
    cut_to(100, "shorter");
    cut_to(48 * 3, "cut short");
    cut_to(48 * 7, "no end mark");
    cut_to(48 * 8, "no end mark");
    cut_to(48 * 8 + 47, "no end mark");
    cut_to(48 * 9, "cut short");
    cut_to(48 * 12, "no end mark");
    cut_to(48 * 12 + 10, "no end mark");
    poke_footer(0, 2, "footer version");
    poke_footer(8, 49, "offsets");
    poke_footer(16, 1, "offsets");
    poke_footer(192, 1, "offsets");
    poke_footer(32, 1, "lookup tables");
    poke_footer(48, 1, "lookup tables");
    poke_footer(71, 0xff, "lookup tables");
    struct made m;
    make(&m, SHARD_FLAG_RANGES);
    buf_char(&m.b, 0);
    refused(&m, "no footer");
    make(&m, SHARD_FLAG_RANGES);
    m.b.p[m.files_end] = 0; /* the bookend spoiled: reads as a file header with flags of ones */
    refused(&m, "shard refused");
    print_message("# %u poisoned shards refused\n", n_poison);
    assert_true(n_poison >= 30);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(test_parse), cmocka_unit_test(test_footer),
                                   cmocka_unit_test(test_poison)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
