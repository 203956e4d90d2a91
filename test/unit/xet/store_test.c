/* SPDX-License-Identifier: Apache-2.0 */
/* Plain bytes in, plain bytes out: writer, reader, dedup, binding, fsck, gc — on a store in a temp directory. */
#include "xet_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "xet/xorb_file.h"

static int setup(void **s) {
    *s = test_store_open();
    return 0;
}
static int teardown(void **s) {
    test_store_close(*s);
    return 0;
}

static struct xet_file put(struct test_store *t, const uint8_t *p, size_t n, size_t step, int64_t repo) {
    struct xet_writer *w;
    assert_null(xet_writer_open(t->x, &w));
    for (size_t at = 0; at < n; at += step) assert_null(xet_writer_add(w, p + at, MIN(step, n - at)));
    struct xet_file f;
    uint8_t sha[32];
    char hex[65];
    hash_sha256(p, n, sha);
    hex_encode(sha, 32, hex);
    assert_ok(xet_writer_commit(w, repo, str_of(hex), n, &f));
    assert_memory_equal(f.sha256, sha, 32);
    assert_int_equal(f.size, n);
    return f;
}

static void check_range(struct test_store *t, const struct xet_file *f, const uint8_t *want, uint64_t off, uint64_t len,
                        size_t cap) {
    struct xet_reader *r;
    assert_ok(xet_reader_open(t->x, f, off, len, &r));
    uint8_t *got = test_alloc(cap);
    uint64_t at = 0;
    for (;;) {
        size_t n;
        assert_ok(xet_reader_read(r, got, cap, &n));
        if (n == 0) break;
        assert_true(at + n <= len);
        assert_memory_equal(got, want + off + at, n);
        at += n;
    }
    assert_int_equal(at, len);
    xet_reader_close(r);
    free(got);
}

static uint64_t problems(struct test_store *t, bool deep) {
    uint64_t n;
    assert_ok(xet_fsck(t->x, deep, NULL, NULL, NULL, &n));
    return n;
}

static void test_roundtrip(void **s) {
    struct test_store *t = *s;
    enum { N = 9 * 1000 * 1000 + 7 };
    uint8_t *p = test_alloc(N);
    gen_splitmix(p, N / 3, 11);
    gen_floats(p + N / 3, N / 3, 12);
    for (size_t i = 2 * (N / 3); i < N; i++)
        p[i] = (uint8_t)("lorem ipsum dolor "[i % 18] ^ (uint8_t)((i / 40000) % 7));
    struct xet_file f = put(t, p, N, 777777, 1);
    static struct test_file tf;
    test_chunk(&tf, p, N, 1 << 20);
    assert_true(xhash_eq(&f.hash, &tf.file)); /* the same hash a stock client would compute */
    check_range(t, &f, p, 0, N, 100000);
    check_range(t, &f, p, 0, 1, 10);
    check_range(t, &f, p, N - 1, 1, 10);
    check_range(t, &f, p, N, 0, 10);
    for (unsigned i = 0; i < 40; i++) {
        uint64_t off = (uint64_t)i * 219781, len = MIN((uint64_t)i * 31337 + 1, (uint64_t)N - off);
        check_range(t, &f, p, off, len, 65536);
    }
    struct xet_reader *r;
    assert_ptr_equal(xet_reader_open(t->x, &f, N, 1, &r), E_RANGE);
    assert_ptr_equal(xet_reader_open(t->x, &f, UINT64_MAX, 2, &r), E_RANGE);
    assert_int_equal(problems(t, true), 0);
    free(p);
}

static void test_small_and_empty(void **s) {
    struct test_store *t = *s;
    struct xet_file f = put(t, (const uint8_t *)"hello world", 11, 4, 1);
    assert_hash(&f.hash, "f15edd43b7e85cfd25e2758ffe13b99fdd09dfa817e8d9f6548722a7a126db7f");
    check_range(t, &f, (const uint8_t *)"hello world", 0, 11, 3);
    struct xet_file z = put(t, (const uint8_t *)"", 0, 1, 1);
    assert_true(xhash_is_zero(&z.hash));
    check_range(t, &z, (const uint8_t *)"", 0, 0, 8);
    assert_int_equal(problems(t, true), 0);
}

static struct xet_stats stats(struct test_store *t) {
    struct xet_stats st;
    assert_ok(xet_stats_get(t->x, &st));
    return st;
}

static void test_dedup(void **s) {
    struct test_store *t = *s;
    enum { N = 6290000 };
    uint8_t *p = test_alloc(N + 10);
    gen_splitmix(p, N, 21);
    put(t, p, N, 1 << 20, 1);
    uint64_t before = stats(t).stored_bytes;
    memmove(p + 3000010, p + 3000000, N - 3000000);
    memcpy(p + 3000000, "0123456789", 10);
    struct xet_file f = put(t, p, N + 10, 1 << 20, 2);
    uint64_t added = stats(t).stored_bytes - before;
    print_message("# insertion of 10 bytes into %d: %llu bytes stored\n", (int)N, (unsigned long long)added);
    assert_true(added > 0 && added <= 2 * 131072 + 64);
    check_range(t, &f, p, 0, N + 10, 1 << 20);
    before = stats(t).stored_bytes;
    put(t, p, N + 10, 100000, 3); /* the same bytes for another repository: nothing new */
    assert_int_equal(stats(t).stored_bytes, before);
    assert_int_equal(stats(t).n_files, 2);
    assert_int_equal(problems(t, true), 0);
    free(p);
}

/* A file with repetitions: later chunks refer to earlier ones of the xorb still open. */
static void test_dedup_within(void **s) {
    struct test_store *t = *s;
    enum { HALF = 3000000 };
    uint8_t *p = test_alloc(2 * HALF);
    gen_splitmix(p, HALF, 31);
    memcpy(p + HALF, p, HALF);
    struct xet_file f = put(t, p, 2 * HALF, 1 << 20, 1);
    assert_true(stats(t).raw_bytes < HALF + 400000);
    check_range(t, &f, p, 0, 2 * HALF, 1 << 20);
    assert_int_equal(problems(t, true), 0);
    free(p);
}

/* More than one xorb; duplicates of sealed ones. */
static void test_many_xorbs(void **s) {
    struct test_store *t = *s;
    enum { N = 150 * 1000 * 1000 };
    uint8_t *p = test_alloc(N);
    gen_splitmix(p, N, 41);
    memcpy(p + 140 * 1000 * 1000, p + 1000, 10 * 1000 * 1000);
    struct xet_file f = put(t, p, N, 1 << 20, 1);
    assert_int_equal(stats(t).n_xorbs, 3);
    assert_true(stats(t).raw_bytes < 141 * 1000 * 1000);
    check_range(t, &f, p, 60 * 1000 * 1000, 12 * 1000 * 1000, 1 << 20);
    check_range(t, &f, p, 139 * 1000 * 1000, 11 * 1000 * 1000, 1 << 20);
    assert_int_equal(problems(t, false), 0);
    free(p);
}

static void test_wrong_digest(void **s) {
    struct test_store *t = *s;
    struct xet_writer *w;
    struct xet_file f;
    assert_null(xet_writer_open(t->x, &w));
    assert_null(xet_writer_add(w, "abc", 3));
    assert_ptr_equal(
        xet_writer_commit(w, 1, STR("0000000000000000000000000000000000000000000000000000000000000000"), 3, &f),
        E_UNPROCESSABLE);
    assert_null(xet_writer_open(t->x, &w));
    assert_null(xet_writer_add(w, "abc", 3));
    assert_ptr_equal(xet_writer_commit(w, 1, STR_NULL, 4, &f), E_UNPROCESSABLE);
    assert_null(xet_writer_open(t->x, &w));
    assert_null(xet_writer_add(w, "abc", 3));
    xet_writer_abort(w);
    assert_int_equal(stats(t).n_files, 0);
    assert_int_equal(stats(t).n_xorbs, 0);
    assert_int_equal(atomic_load(&t->x->mem_mib), 0);
    assert_int_equal(test_count_files(t, "tmp"), 0); /* nothing is left lying about */
}

static void test_binding(void **s) {
    struct test_store *t = *s;
    struct xet_file f = put(t, (const uint8_t *)"some data", 9, 9, 1), g;
    const struct str sha = STR("1307990e6ba5ca145eb35e99182a9bec46531bc54ddf656a602c780fa0240dee");
    assert_ok(xet_file_find(t->x, 1, sha, &g));
    assert_true(xhash_eq(&g.hash, &f.hash));
    assert_ptr_equal(xet_file_find(t->x, 2, sha, &g), E_NOT_FOUND); /* knowing the hash grants nothing */
    assert_ptr_equal(xet_file_bind(t->x, 3, 2, sha), E_NOT_FOUND);
    assert_ok(xet_file_bind(t->x, 1, 2, sha));
    assert_ok(xet_file_find(t->x, 2, sha, &g));
    assert_ok(xet_file_find_any(t->x, sha, &g));
    assert_ptr_equal(xet_file_find(t->x, 1, STR("zz"), &g), E_BAD_REQUEST);
}

static void damage(struct test_store *t, const struct xet_hash *h, off_t at) {
    char path[XORB_PATH_MAX];
    xorb_path(t->x, h, path);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    uint8_t b;
    assert_int_equal(pread(fd, &b, 1, at), 1);
    b ^= 0x10;
    assert_int_equal(pwrite(fd, &b, 1, at), 1);
    close(fd);
}

static void test_damage_is_found(void **s) {
    struct test_store *t = *s;
    uint8_t *p = test_alloc(300000);
    gen_splitmix(p, 300000, 51);
    struct xet_file f = put(t, p, 300000, 300000, 1);
    static struct test_file tf;
    test_chunk(&tf, p, 300000, 300000);
    damage(t, &tf.xorb, 1000); /* one bit of content */
    assert_int_equal(problems(t, false), 0);
    assert_true(problems(t, true) >= 1);
    struct xet_reader *r;
    uint8_t *out = test_alloc(300000);
    size_t n;
    assert_ok(xet_reader_open(t->x, &f, 0, 300000, &r));
    assert_ptr_equal(xet_reader_read(r, out, 300000, &n), E_CORRUPT); /* never served */
    xet_reader_close(r);
    damage(t, &tf.xorb, 1000);
    assert_int_equal(problems(t, true), 0);
    damage(t, &tf.xorb, 300000 + 8 * tf.n + 5); /* the first chunk hash of the side index */
    assert_true(problems(t, false) >= 1);
    damage(t, &tf.xorb, 300000 + 8 * tf.n + 5);
    char path[XORB_PATH_MAX];
    xorb_path(t->x, &tf.xorb, path);
    assert_int_equal(truncate(path, 1000), 0);
    assert_true(problems(t, false) >= 1);
    unlink(path);
    assert_true(problems(t, false) >= 1);
    free(p);
    free(out);
}

static void test_gc(void **s) {
    struct test_store *t = *s;
    uint8_t *p = test_alloc(2000000);
    gen_splitmix(p, 2000000, 61);
    struct xet_file a = put(t, p, 2000000, 1 << 20, 1), b = put(t, p + 1000, 500000, 1 << 20, 2);
    assert_int_equal(stats(t).n_files, 2);
    uint64_t freed;
    assert_ok(xet_gc(t->x, 0, false, &freed));
    assert_int_equal(freed, 0); /* both are named */
    test_sql(t, "DELETE FROM repo_file WHERE repo_id = 1");
    assert_ok(xet_gc(t->x, 3600 * 1000, false, &freed));
    assert_int_equal(freed, 0); /* orphaned, but the clock has only started */
    assert_ok(xet_gc(t->x, 0, true, &freed));
    assert_int_equal(stats(t).n_files, 2); /* dry run */
    assert_ok(xet_gc(t->x, 0, false, &freed));
    assert_int_equal(stats(t).n_files, 1);
    assert_int_equal(problems(t, true), 0);
    check_range(t, &b, p + 1000, 0, 500000, 1 << 20);
    struct xet_reader *r;
    assert_ptr_equal(xet_reader_open(t->x, &a, 0, 1, &r), E_NOT_FOUND);
    test_sql(t, "DELETE FROM repo_file WHERE repo_id = 2");
    assert_ok(xet_gc(t->x, 0, false, &freed));
    assert_true(freed > 0);
    assert_int_equal(stats(t).n_xorbs, 0);
    assert_int_equal(test_count_files(t, "xorb"), 0);
    put(t, p, 2000000, 1 << 20, 1); /* what was collected can come again */
    assert_int_equal(problems(t, true), 0);
    free(p);
}

/* A repository that was deleted keeps nothing alive. */
static void test_gc_deleted_repo(void **s) {
    struct test_store *t = *s;
    put(t, (const uint8_t *)"bytes of a repository", 21, 21, 7);
    test_sql(t, "INSERT INTO owner (id, is_org, name, name_key, created_ms) VALUES (1, 0, 'amy', 'amy', 0)");
    test_sql(t, "INSERT INTO repo (id, type, owner_id, name, name_key, created_ms, updated_ms, deleted_ms) VALUES (7, "
                "1, 1, 'x', 'x', 0, 0, 5)");
    uint64_t freed;
    assert_ok(xet_gc(t->x, 0, false, &freed));
    assert_true(freed > 0);
    assert_int_equal(stats(t).n_files, 0);
    assert_int_equal(problems(t, true), 0);
}

/* gc marked the xorb and died before unlinking: uploads of the same bytes are told to come back, then a later gc
 * finishes. */
static void test_gc_interrupted(void **s) {
    struct test_store *t = *s;
    put(t, (const uint8_t *)"doomed bytes", 12, 12, 1);
    test_sql(t, "DELETE FROM repo_file");
    test_sql(t, "DELETE FROM xet_ref");
    test_sql(t, "DELETE FROM xet_file");
    test_sql(t, "UPDATE xorb SET doomed = 1, orphan_ms = 1");
    struct xet_writer *w;
    struct xet_file f;
    assert_null(xet_writer_open(t->x, &w));
    assert_null(xet_writer_add(w, "doomed bytes", 12));
    assert_ptr_equal(xet_writer_commit(w, 1, STR_NULL, 12, &f), E_UNAVAILABLE);
    uint64_t freed;
    assert_ok(xet_gc(t->x, 0, false, &freed));
    put(t, (const uint8_t *)"doomed bytes", 12, 12, 1);
    assert_int_equal(problems(t, true), 0);
}

/* A file without a row (a crash between rename and transaction): kept while fresh, removed a day later; never with a
 * row. */
static void test_gc_strays(void **s) {
    struct test_store *t = *s;
    struct xet_file f = put(t, (const uint8_t *)"kept bytes", 10, 10, 1);
    struct test_file *tf = test_alloc(sizeof *tf);
    test_chunk(tf, (const uint8_t *)"stray bytes", 11, 11);
    put(t, (const uint8_t *)"stray bytes", 11, 11, 2);
    test_sql(t, "DELETE FROM repo_file WHERE repo_id = 2");
    test_sql(t, "DELETE FROM xet_ref WHERE file_id = (SELECT max(id) FROM xet_file)");
    test_sql(t, "DELETE FROM xet_file WHERE id = (SELECT max(id) FROM xet_file)");
    test_sql(t, "DELETE FROM xet_chunk WHERE xorb_id = (SELECT max(id) FROM xorb)");
    test_sql(t, "DELETE FROM xorb WHERE id = (SELECT max(id) FROM xorb)");
    uint64_t freed;
    assert_ok(xet_gc(t->x, 0, false, &freed));
    assert_int_equal(freed, 0);
    char path[XORB_PATH_MAX];
    const struct timespec old[2] = {{1000, 0}, {1000, 0}};
    xorb_path(t->x, &tf->xorb, path);
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    test_chunk(tf, (const uint8_t *)"kept bytes", 10, 10);
    char kept[XORB_PATH_MAX];
    xorb_path(t->x, &tf->xorb, kept);
    assert_int_equal(utimensat(AT_FDCWD, kept, old, 0), 0);
    assert_ok(xet_gc(t->x, 0, true, &freed));
    assert_true(freed > 0);
    assert_int_equal(access(path, F_OK), 0); /* dry run */
    assert_ok(xet_gc(t->x, 0, false, &freed));
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(access(kept, F_OK), 0);
    assert_int_equal(test_count_files(t, "tmp"), 0);
    check_range(t, &f, (const uint8_t *)"kept bytes", 0, 10, 10);
    free(tf);
}

static void test_export(void **s) {
    struct test_store *t = *s;
    uint8_t *p = test_alloc(3000000);
    gen_splitmix(p, 3000000, 71);
    struct xet_file f = put(t, p, 3000000, 1 << 20, 1);
    FILE *out = tmpfile();
    assert_ok(xet_file_export(t->x, &f, fileno(out)));
    uint8_t *got = test_alloc(3000000);
    rewind(out);
    assert_int_equal(fread(got, 1, 3000000, out), 3000000);
    assert_memory_equal(p, got, 3000000);
    fclose(out);
    free(p);
    free(got);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest t[] = {T(test_roundtrip),       T(test_small_and_empty), T(test_dedup),
                                   T(test_dedup_within),    T(test_many_xorbs),      T(test_wrong_digest),
                                   T(test_binding),         T(test_damage_is_found), T(test_gc),
                                   T(test_gc_deleted_repo), T(test_gc_interrupted),  T(test_gc_strays),
                                   T(test_export)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
