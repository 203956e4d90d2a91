/* SPDX-License-Identifier: Apache-2.0 */
/* Commits by operations: all or nothing, conflicts, parents, replays, .gitattributes. */
#include "git_test.h"

#include <pthread.h>
#include <unistd.h>

static void test_create_has_attributes(void **state) {
    struct git_fix *f = *state;
    struct git_entry *v;
    size_t n;
    bool more;
    assert_ok(git_tree(f->git, &f->a, 1, str_of(f->head), STR(""), true, STR(""), 100, &v, &n, &more));
    assert_int_equal(n, 1);
    assert_true(str_eqz(v[0].path, ".gitattributes"));
    assert_true(str_find(file_text(f, ".gitattributes"), STR("*.safetensors filter=lfs diff=lfs merge=lfs -text")) >=
                0);
    char head[41];
    assert_ok(git_resolve(f->git, 1, STR("HEAD"), head));
    assert_string_equal(head, f->head);
    assert_true(git_repo_create(f->git, 1, &f->who, NULL, 0, head) == E_CONFLICT);
    char cmd[256];
    snprintf(cmd, sizeof cmd, "git --git-dir=%s/git/01/1.git fsck --strict >/dev/null 2>&1", f->dir);
    assert_int_equal(system(cmd), 0);
}

static void test_add_change_delete(void **state) {
    struct git_fix *f = *state;
    assert_ok(COMMIT(f, "one", op_add("README.md", "hi"), op_add("d/e/f.txt", "deep"), op_add("empty", "")));
    assert_true(str_eqz(file_text(f, "d/e/f.txt"), "deep"));
    assert_int_equal(file_text(f, "empty").n, 0);
    assert_ok(COMMIT(f, "two", op_add("README.md", "ho"), op_del("d/e/f.txt")));
    assert_true(str_eqz(file_text(f, "README.md"), "ho"));
    assert_false(file_there(f, "d/e/f.txt"));
    assert_false(file_there(f, "d")); /* empty folders vanish */
    assert_ok(COMMIT(f, "three", op_add("d/a", "1"), op_add("d/b", "2"), op_add("d-x", "3"), op_add("d.y", "4")));
    struct git_op rm = {.kind = GIT_OP_DELETE_DIR, .path = STR("d/")};
    assert_ok(COMMIT(f, "four", rm, op_add("d/c", "5")));
    assert_false(file_there(f, "d/a"));
    assert_true(str_eqz(file_text(f, "d/c"), "5"));
    assert_true(str_eqz(file_text(f, "d-x"), "3"));
    assert_true(str_eqz(file_text(f, "d.y"), "4"));
    assert_ok(
        COMMIT(f, "five", ((struct git_op){.kind = GIT_OP_DELETE_DIR, .path = STR("d")}), op_add("d", "now a file")));
    assert_true(str_eqz(file_text(f, "d"), "now a file"));
}

static void test_refused_changes_nothing(void **state) {
    struct git_fix *f = *state;
    assert_ok(COMMIT(f, "base", op_add("file", "x"), op_add("dir/in", "y")));
    char before[41], after[41];
    memcpy(before, f->head, sizeof before);
    assert_true(COMMIT(f, "m", op_add("new", "1"), op_del("nope")) == E_ENTRY_NOT_FOUND);
    assert_non_null(strstr(err_text(), "A file with this name doesn't exist"));
    assert_true(COMMIT(f, "m", op_del("dir")) == E_ENTRY_NOT_FOUND);
    assert_true(COMMIT(f, "m", ((struct git_op){.kind = GIT_OP_DELETE_DIR, .path = STR("file")})) == E_ENTRY_NOT_FOUND);
    assert_true(COMMIT(f, "m", op_add("file/below", "1")) == E_UNPROCESSABLE);
    assert_true(COMMIT(f, "m", op_add("dir", "1")) == E_UNPROCESSABLE);
    assert_true(COMMIT(f, "m", op_add("q", "1"), op_add("q/r", "1")) == E_UNPROCESSABLE);
    assert_true(COMMIT(f, "m", op_add("../x", "1")) == E_UNPROCESSABLE);
    assert_true(COMMIT(f, "m", op_add(".git/config", "1")) == E_UNPROCESSABLE);
    assert_ok(git_resolve(f->git, 1, STR("main"), after));
    assert_string_equal(before, after);
}

static void test_parent(void **state) {
    struct git_fix *f = *state;
    char first[41], out[41];
    assert_ok(COMMIT(f, "one", op_add("a", "1")));
    memcpy(first, f->head, sizeof first);
    assert_ok(COMMIT(f, "two", op_add("a", "2")));
    struct git_op op = op_add("a", "3");
    struct git_commit_req r = {.ref = STR("refs/heads/main"),
                               .author = f->who,
                               .message = STR("three"),
                               .ops = &op,
                               .n_ops = 1,
                               .parent = str_of(first)};
    assert_true(git_commit_make(f->git, 1, &r, out) == E_PRECONDITION);
    assert_string_equal(err_text(), "The branch was updated since you opened this page. Please refresh and try again.");
    r.parent = str_make(f->head, 7); /* short ids are fine */
    assert_ok(git_commit_make(f->git, 1, &r, out));
    r.ref = STR("refs/heads/none");
    assert_true(git_commit_make(f->git, 1, &r, out) == E_REV_NOT_FOUND);
}

/* A client that did not see the answer sends the same commit again. */
static void test_repeated_commit_is_harmless(void **state) {
    struct git_fix *f = *state;
    char base[41], first[41], again[41];
    assert_ok(COMMIT(f, "base", op_add("old", "x")));
    memcpy(base, f->head, sizeof base);
    struct git_op ops[2] = {op_add("a", "1"), op_del("old")};
    struct git_commit_req r = {.ref = STR("refs/heads/main"),
                               .author = f->who,
                               .message = STR("add\n\nmore"),
                               .ops = ops,
                               .n_ops = 2,
                               .parent = str_of(base)};
    assert_ok(git_commit_make(f->git, 1, &r, first));
    assert_ok(git_commit_make(f->git, 1, &r, again));
    assert_string_equal(first, again);
    r.parent = STR(""); /* the delete would fail on the new head */
    assert_ok(git_commit_make(f->git, 1, &r, again));
    assert_string_equal(first, again);
    r.message = STR("another");
    assert_true(git_commit_make(f->git, 1, &r, again) == E_ENTRY_NOT_FOUND);
    struct git_op same = op_add("a", "1");
    assert_ok(commit_ops(f, "no change", &same, 1));
    assert_string_equal(f->head, first);
}

static void test_lfs_and_attributes(void **state) {
    struct git_fix *f = *state;
    struct git_entry e;
    assert_ok(COMMIT(f, "lfs", op_lfs("model.safetensors"), op_lfs("weights"), op_lfs("sub/odd name.dat")));
    assert_ok(git_entry_get(f->git, &f->a, 1, str_of(f->head), STR("weights"), &e));
    assert_true(e.is_lfs);
    assert_int_equal(e.lfs_size, 12345);
    assert_true(str_eqz(e.lfs_sha256, SHA_A));
    assert_true(str_eqz(file_text(f, "weights"),
                        "version https://git-lfs.github.com/spec/v1\noid sha256:" SHA_A "\nsize 12345\n"));
    struct str attrs = file_text(f, ".gitattributes");
    assert_true(str_find(attrs, STR("\nweights filter=lfs diff=lfs merge=lfs -text\n")) >= 0);
    assert_true(str_find(attrs, STR("\n\"sub/odd name.dat\" filter=lfs")) >= 0);
    assert_true(str_find(attrs, STR("\nmodel.safetensors ")) < 0);
    /* covered by a nested file and by the one in the same commit: no further line */
    assert_ok(COMMIT(f, "nested", op_add("n/.gitattributes", "*.q filter=lfs\n"), op_lfs("weights")));
    assert_ok(COMMIT(f, "nested2", op_lfs("n/a.q")));
    assert_true(str_find(file_text(f, ".gitattributes"), STR("n/a.q")) < 0);
    assert_ok(COMMIT(f, "own", op_add(".gitattributes", "*.zz filter=lfs\n"), op_lfs("b.zz"), op_lfs("c.yy")));
    assert_true(str_eqz(file_text(f, ".gitattributes"), "*.zz filter=lfs\nc.yy filter=lfs diff=lfs merge=lfs -text\n"));
    struct git_op bad = {.kind = GIT_OP_ADD_LFS, .path = STR("x.bin"), .lfs_sha256 = STR("zz")};
    assert_true(commit_ops(f, "bad", &bad, 1) == E_UNPROCESSABLE);
}

static void test_copy_and_blob(void **state) {
    struct git_fix *f = *state;
    struct git_op add = {.kind = GIT_OP_ADD, .path = STR("big")};
    assert_ok(git_blob_write(f->git, 1, STR("by blob"), add.blob));
    assert_ok(COMMIT(f, "one", add, op_lfs("l.bin")));
    assert_true(str_eqz(file_text(f, "big"), "by blob"));
    struct git_op cp = {.kind = GIT_OP_COPY, .path = STR("copy/l"), .old_path = STR("l.bin")};
    struct git_op cp2 = {.kind = GIT_OP_COPY, .path = STR("copy/none"), .old_path = STR("none")};
    assert_ok(COMMIT(f, "two", cp));
    struct git_entry e;
    assert_ok(git_entry_get(f->git, &f->a, 1, str_of(f->head), STR("copy/l"), &e));
    assert_true(e.is_lfs);
    assert_true(COMMIT(f, "three", cp2) == E_ENTRY_NOT_FOUND);
    memset(add.blob, 'a', 40);
    assert_true(COMMIT(f, "four", add) == E_UNPROCESSABLE);
}

static void test_many_files(void **state) {
    struct git_fix *f = *state;
    enum { N = 3000 };
    struct git_op *ops = calloc(N, sizeof *ops);
    for (size_t i = 0; i < N; i++)
        ops[i] = (struct git_op){.kind = GIT_OP_ADD,
                                 .path = arena_printf(&f->a, "dir%zu/file%zu.txt", i % 30, i),
                                 .content = arena_printf(&f->a, "%zu", i)};
    assert_ok(commit_ops(f, "many", ops, N));
    struct git_entry *v;
    size_t n, total = 0;
    bool more = true;
    struct str after = STR("");
    struct str last = STR("");
    while (more) { /* pages of 700, no gap, no repeat */
        assert_ok(git_tree(f->git, &f->a, 1, str_of(f->head), STR(""), true, after, 700, &v, &n, &more));
        for (size_t i = 0; i < n; i++) {
            assert_false(str_eq(v[i].path, last));
            last = v[i].path;
            total += !v[i].is_dir;
        }
        after = last;
    }
    assert_int_equal(total, N + 1);
    char cmd[256];
    snprintf(cmd, sizeof cmd, "git --git-dir=%s/git/01/1.git fsck --strict >/dev/null 2>&1", f->dir);
    assert_int_equal(system(cmd), 0);
    free(ops);
}

struct racer {
    struct git_fix *f;
    int k, done;
};
static void *race(void *arg) {
    struct racer *r = arg;
    for (int i = 0; i < 10; i++) {
        char path[32], head[41];
        snprintf(path, sizeof path, "t%d/f%d", r->k, i);
        struct git_op op = op_add(path, path);
        struct git_commit_req q = {.ref = STR("refs/heads/main"),
                                   .author = {STR("a"), STR("a@x"), 1780000000000},
                                   .message = str_of(path),
                                   .ops = &op,
                                   .n_ops = 1};
        if (git_commit_make(r->f->git, 1, &q, head) == OK) r->done++;
    }
    return NULL;
}
static void test_concurrent_commits(void **state) {
    struct git_fix *f = *state;
    struct racer r[4];
    pthread_t t[4];
    for (int i = 0; i < 4; i++) {
        r[i] = (struct racer){f, i, 0};
        assert_int_equal(pthread_create(&t[i], NULL, race, &r[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(r[i].done, 10);
    }
    assert_ok(git_resolve(f->git, 1, STR("main"), f->head));
    struct git_commit *log;
    size_t n, total;
    assert_ok(git_log(f->git, &f->a, 1, str_of(f->head), STR(""), 0, 100, &log, &n, &total));
    assert_int_equal(total, 41);
    for (int i = 0; i < 4; i++)
        assert_true(file_there(f, i == 0 ? "t0/f9" : i == 1 ? "t1/f9" : i == 2 ? "t2/f0" : "t3/f5"));
}

static void test_delete_repo(void **state) {
    struct git_fix *f = *state;
    char head[41];
    const char *path;
    assert_ok(git_repo_path(f->git, &f->a, 1, &path));
    assert_int_equal(access(path, F_OK), 0);
    assert_ok(git_repo_delete(f->git, 1));
    assert_int_not_equal(access(path, F_OK), 0);
    assert_true(git_resolve(f->git, 1, STR("main"), head) == E_REPO_NOT_FOUND);
    assert_ok(git_repo_delete(f->git, 1)); /* again: nothing to do */
    assert_ok(git_repo_create(f->git, 1, &f->who, NULL, 0, head));
    assert_ok(git_resolve(f->git, 1, STR("main"), head));
}

/* A process killed inside a reference update leaves main.lock; that must not close the branch for ever. */
static void test_stale_lock_files(void **state) {
    struct git_fix *f = *state;
    char cmd[512];
    snprintf(cmd, sizeof cmd,
             "cd %s/git/01/1.git && touch refs/heads/main.lock && mkdir -p objects/tmp_objdir-incoming-x objects/pack "
             "&& touch objects/pack/tmp_pack_x packed-refs.lock",
             f->dir);
    assert_int_equal(system(cmd), 0);
    assert_ok(COMMIT(f, "one", op_add("a", "1")));
    assert_int_equal(system(cmd), 0);
    assert_ok(git_sweep_repo(f->git, 1));
    snprintf(cmd, sizeof cmd,
             "cd %s/git/01/1.git && test -z \"$(find . -name '*.lock' -not -name ballast.lock; find . -name 'tmp_*')\"",
             f->dir);
    assert_int_equal(system(cmd), 0);
    assert_ok(COMMIT(f, "two", op_add("a", "2")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GT(test_create_has_attributes),
        GT(test_add_change_delete),
        GT(test_refused_changes_nothing),
        GT(test_parent),
        GT(test_repeated_commit_is_harmless),
        GT(test_lfs_and_attributes),
        GT(test_copy_and_blob),
        GT(test_many_files),
        GT(test_concurrent_commits),
        GT(test_delete_repo),
        GT(test_stale_lock_files),
    };
    return cmocka_run_group_tests_name("git_commit", tests, NULL, NULL);
}
