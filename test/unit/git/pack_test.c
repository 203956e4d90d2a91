/* SPDX-License-Identifier: Apache-2.0 */
/* Packs written by us, judged by git: verify-pack, fsck --strict, and the bytes that come back. */
/* first: it names fields that banned.h poisons */
#include "git/packfile.h"

#include "git_test.h"

#include <unistd.h>

static int shell(struct git_fix *f, const char *what) {
    char cmd[512];
    snprintf(cmd, sizeof cmd, "cd %s/git/01/1.git && (%s) >/dev/null 2>&1", f->dir, what);
    return system(cmd);
}
#define GIT "git -c safe.directory='*' "

static struct str content_of(struct git_fix *f, unsigned i) {
    static const size_t sizes[] = {0, 1, 15, 16, 17, 2047, 2048, 2049, 65535, 300000, 1000000};
    if (i >= ARRAY_LEN(sizes)) return str_of(arena_printf(&f->a, "blob %u", i).p);
    char *p = arena_alloc(&f->a, sizes[i] + 1);
    uint64_t x = i + 1; /* noise: nothing shrinks */
    for (size_t k = 0; k < sizes[i]; k++) p[k] = (char)((x = x * 6364136223846793005u + 1442695040888963407u) >> 56);
    return str_make(p, sizes[i]);
}

/* 500 blobs of sizes around every boundary of the header's encoding, some of them twice, in one commit. */
static void test_blobs_become_one_pack(void **state) {
    struct git_fix *f = *state;
    enum { N = 500 };
    struct git_op *ops = calloc(N, sizeof *ops);
    struct git_blobs *b = git_blobs_new(f->git, 1);
    for (unsigned i = 0; i < N; i++) {
        struct str c = content_of(f, i < 120 ? i + 1000 : i % 300);
        ops[i] = (struct git_op){.kind = GIT_OP_ADD, .path = str_of(arena_printf(&f->a, "d/%03u", i).p)};
        assert_ok(git_blobs_add(b, c, ops[i].blob));
    }
    assert_int_equal(shell(f, "test -z \"$(ls objects/pack/*.idx 2>/dev/null)\""), 0); /* nothing to see yet */
    assert_ok(git_blobs_end(b));
    git_blobs_free(b);
    char head[GIT_OID_HEX + 1];
    struct git_commit_req r = {
        .ref = STR("refs/heads/main"), .author = f->who, .message = STR("x"), .ops = ops, .n_ops = N};
    assert_ok(git_commit_make(f->git, 1, &r, head));
    for (unsigned i = 0; i < N; i++) {
        struct str got, want = content_of(f, i < 120 ? i + 1000 : i % 300);
        assert_ok(git_blob(f->git, &f->a, 1, ops[i].blob, 2000000, &got));
        assert_true(str_eq(got, want));
    }
    assert_int_equal(shell(f, "test $(ls objects/pack/pack-*.pack | wc -l) = 1"), 0);
    assert_int_equal(shell(f, GIT "verify-pack objects/pack/pack-*.idx"), 0);
    assert_int_equal(shell(f, GIT "fsck --strict --full"), 0);
    assert_int_equal(shell(f, "test -z \"$(find objects -name 'tmp_*')\""), 0);
    free(ops);
}

/* The index git makes of our pack is the one we wrote. */
static void test_index_is_gits(void **state) {
    struct git_fix *f = *state;
    struct git_blobs *b = git_blobs_new(f->git, 1);
    char oid[GIT_OID_HEX + 1];
    for (unsigned i = 0; i < 300; i++) assert_ok(git_blobs_add(b, content_of(f, i), oid));
    assert_ok(git_blobs_end(b));
    git_blobs_free(b);
    assert_int_equal(
        shell(f,
              "p=$(ls objects/pack/pack-*.pack); cp $p /tmp/ours.$$.pack; " GIT
              "index-pack -o /tmp/ours.$$.idx /tmp/ours.$$.pack && cmp /tmp/ours.$$.idx ${p%.pack}.idx; rc=$?; rm -f "
              "/tmp/ours.$$.*; exit $rc"),
        0);
}

/* Given up half-way (a refused commit, a client that went away): nothing stays. Few blobs: no pack. */
static void test_dropped_and_few(void **state) {
    struct git_fix *f = *state;
    char oid[GIT_OID_HEX + 1];
    struct git_blobs *b = git_blobs_new(f->git, 1);
    for (unsigned i = 0; i < 300; i++) assert_ok(git_blobs_add(b, content_of(f, i + 50), oid));
    git_blobs_free(b);
    assert_int_equal(shell(f, "test -z \"$(ls objects/pack)\""), 0);
    b = git_blobs_new(f->git, 1);
    for (unsigned i = 0; i < 20; i++) assert_ok(git_blobs_add(b, content_of(f, i + 900), oid));
    assert_ok(git_blobs_end(b));
    git_blobs_free(b);
    assert_int_equal(shell(f, "test -z \"$(ls objects/pack)\""), 0);
    git_blobs_free(NULL);
}

/* The same blobs again, as a client does whose answer was lost: the same pack, not a second one. */
static void test_again_is_the_same_pack(void **state) {
    struct git_fix *f = *state;
    char oid[GIT_OID_HEX + 1];
    for (unsigned k = 0; k < 2; k++) {
        struct git_blobs *b = git_blobs_new(f->git, 1);
        for (unsigned i = 0; i < 300; i++) assert_ok(git_blobs_add(b, content_of(f, i + 50), oid));
        assert_ok(git_blobs_end(b));
        git_blobs_free(b);
    }
    assert_int_equal(shell(f, "test $(ls objects/pack/*.pack | wc -l) = 1 && " GIT "verify-pack objects/pack/*.idx"),
                     0);
}

/* Offsets past 2 GiB stand in a table of their own; git's own switch for tests makes the same index. */
static void test_large_offsets(void **state) {
    struct git_fix *f = *state;
    char path[256];
    snprintf(path, sizeof path, "%s/git/01/1.git/objects", f->dir);
    struct packfile *p;
    assert_ok(packfile_new(path, 1000, &p));
    packfile_large_from(p, 0x4000);
    for (unsigned i = 0; i < 300; i++) {
        git_oid oid;
        struct str c = content_of(f, i);
        assert_int_equal(git_odb_hash(&oid, c.p, c.n, GIT_OBJECT_BLOB), 0);
        assert_ok(packfile_add(p, &oid, c.p, c.n));
    }
    assert_ok(packfile_done(p));
    packfile_free(p);
    assert_int_equal(shell(f, "p=$(ls objects/pack/pack-*.pack); cp $p /tmp/ours.$$.pack; " GIT
                              "index-pack --index-version=2,0x4000 -o /tmp/ours.$$.idx /tmp/ours.$$.pack && cmp "
                              "/tmp/ours.$$.idx ${p%.pack}.idx; rc=$?; rm -f /tmp/ours.$$.*; exit $rc"),
                     0);
    assert_int_equal(shell(f, GIT "verify-pack objects/pack/pack-*.idx"), 0);
}

static void test_limit(void **state) {
    struct git_fix *f = *state;
    char path[256];
    snprintf(path, sizeof path, "%s/git/01/1.git/objects", f->dir);
    struct packfile *p;
    assert_ok(packfile_new(path, 2, &p));
    for (unsigned i = 0; i < 3; i++) {
        git_oid oid = {{0}};
        oid.id[0] = (unsigned char)(i + 1);
        err e = packfile_add(p, &oid, "x", 1);
        assert_ptr_equal(e, i < 2 ? OK : E_LIMIT);
    }
    packfile_free(p);
    assert_ptr_equal(packfile_new("/nonexistent/objects", 2, &p), E_IO);
    assert_null(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GT(test_blobs_become_one_pack),  GT(test_index_is_gits), GT(test_dropped_and_few),
        GT(test_again_is_the_same_pack), GT(test_limit),         GT(test_large_offsets)};
    return cmocka_run_group_tests_name("git_pack", tests, NULL, NULL);
}
