/* SPDX-License-Identifier: Apache-2.0 */
/* Revisions, trees, history, references, new and reachable blobs. */
#include "git_test.h"

static void test_revisions(void **state) {
    struct git_fix *f = *state;
    char c[41], first[41];
    memcpy(first, f->head, sizeof first);
    assert_ok(COMMIT(f, "one", op_add("a", "1")));
    static const char *const forms[] = {"main", "HEAD", "refs/heads/main"};
    for (size_t i = 0; i < 3; i++) {
        assert_ok(git_resolve(f->git, 1, str_of(forms[i]), c));
        assert_string_equal(c, f->head);
    }
    assert_ok(git_resolve(f->git, 1, str_of(first), c));
    assert_string_equal(c, first);
    assert_ok(git_resolve(f->git, 1, str_make(first, 8), c));
    assert_string_equal(c, first);
    static const char *const bad[] = {"",      "nope",     "main~1",
                                      "main^", "HEAD@{0}", ":/one",
                                      "abc",   "../../x",  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (git_resolve(f->git, 1, str_of(bad[i]), c) != E_REV_NOT_FOUND) fail_msg("%s", bad[i]);
    assert_true(git_resolve(f->git, 99, STR("main"), c) == E_REPO_NOT_FOUND);
    struct git_entry e;
    assert_ok(git_entry_get(f->git, &f->a, 1, str_of(f->head), STR("a"), &e));
    assert_true(git_resolve(f->git, 1, str_of(e.oid), c) == E_REV_NOT_FOUND); /* a blob is no revision */
}

static void test_tree_order_and_paging(void **state) {
    struct git_fix *f = *state;
    assert_ok(COMMIT(f, "x", op_add("a/b", "1"), op_add("a-b", "2"), op_add("a.b", "3"), op_add("a/c/d", "4"),
                     op_add("ab", "5"), op_add("a0", "6")));
    struct git_entry *v;
    size_t n;
    bool more;
    static const char *const want[] = {".gitattributes", "a-b", "a.b", "a", "a/b", "a/c", "a/c/d", "a0", "ab"};
    assert_ok(git_tree(f->git, &f->a, 1, str_of(f->head), STR(""), true, STR(""), 100, &v, &n, &more));
    assert_int_equal(n, ARRAY_LEN(want));
    for (size_t i = 0; i < n; i++) assert_true(str_eqz(v[i].path, want[i]));
    assert_false(more);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) { /* after each: exactly the rest */
        assert_ok(git_tree(f->git, &f->a, 1, str_of(f->head), STR(""), true, str_of(want[i]), 100, &v, &n, &more));
        assert_int_equal(n, ARRAY_LEN(want) - i - 1);
        for (size_t k = 0; k < n; k++) assert_true(str_eqz(v[k].path, want[i + 1 + k]));
    }
    assert_ok(git_tree(f->git, &f->a, 1, str_of(f->head), STR("a"), false, STR(""), 1, &v, &n, &more));
    assert_int_equal(n, 1);
    assert_true(str_eqz(v[0].path, "a/b"));
    assert_true(more);
    assert_ok(git_tree(f->git, &f->a, 1, str_of(f->head), STR("a"), false, STR("a/b"), 5, &v, &n, &more));
    assert_int_equal(n, 1);
    assert_true(v[0].is_dir && str_eqz(v[0].path, "a/c"));
    assert_true(git_tree(f->git, &f->a, 1, str_of(f->head), STR("zz"), false, STR(""), 5, &v, &n, &more) ==
                E_ENTRY_NOT_FOUND);
    assert_true(git_tree(f->git, &f->a, 1, str_of(f->head), STR("ab"), false, STR(""), 5, &v, &n, &more) ==
                E_ENTRY_NOT_FOUND);
    struct str s;
    struct git_entry e;
    assert_ok(git_entry_get(f->git, &f->a, 1, str_of(f->head), STR("ab"), &e));
    assert_true(git_blob(f->git, &f->a, 1, e.oid, 0, &s) == E_TOO_LARGE);
    assert_true(git_blob(f->git, &f->a, 1, SHA_A, 10, &s) == E_ENTRY_NOT_FOUND);
}

static void test_log(void **state) {
    struct git_fix *f = *state;
    assert_ok(COMMIT(f, "Add a\n\nwhy", op_add("a", "1"), op_add("d/x", "1")));
    char c1[41];
    memcpy(c1, f->head, 41);
    assert_ok(COMMIT(f, "Add b", op_add("b", "1")));
    assert_ok(COMMIT(f, "Change a", op_add("a", "2")));
    struct git_commit *log, last[4];
    size_t n, total;
    assert_ok(git_log(f->git, &f->a, 1, str_of(f->head), STR(""), 1, 2, &log, &n, &total));
    assert_int_equal(n, 2);
    assert_int_equal(total, 4);
    assert_true(str_eqz(log[0].title, "Add b"));
    assert_true(str_eqz(log[1].title, "Add a") && str_eqz(log[1].message, "Add a\n\nwhy"));
    assert_true(str_eqz(log[1].author.name, "amy"));
    assert_ok(git_log(f->git, &f->a, 1, str_of(f->head), STR("a"), 0, 10, &log, &n, &total));
    assert_int_equal(n, 2);
    assert_int_equal(total, 2);
    assert_true(str_eqz(log[0].title, "Change a"));
    const struct str paths[4] = {STR("a"), STR("b"), STR("d"), STR(".gitattributes")};
    assert_ok(git_last_commits(f->git, &f->a, 1, str_of(f->head), paths, 4, last));
    assert_true(str_eqz(last[0].title, "Change a"));
    assert_true(str_eqz(last[1].title, "Add b"));
    assert_string_equal(last[2].oid, c1);
    assert_true(str_eqz(last[3].title, "initial commit"));
}

static void test_references(void **state) {
    struct git_fix *f = *state;
    char first[41], c[41];
    memcpy(first, f->head, 41);
    assert_ok(COMMIT(f, "x", op_add("a", "1")));
    assert_ok(git_ref_create(f->git, 1, STR("refs/heads/feature/x"), STR("main"), STR(""), &f->who));
    assert_true(git_ref_create(f->git, 1, STR("refs/heads/feature/x"), STR("main"), STR(""), &f->who) == E_CONFLICT);
    assert_string_equal(err_text(), "Reference refs/heads/feature/x already exists");
    assert_true(git_ref_create(f->git, 1, STR("refs/heads/feature"), STR("main"), STR(""), &f->who) == E_CONFLICT);
    assert_true(git_ref_create(f->git, 1, STR("refs/heads/a..b"), STR("main"), STR(""), &f->who) == E_BAD_REQUEST);
    assert_non_null(strstr(err_text(), "Invalid reference for a branch"));
    assert_true(git_ref_create(f->git, 1, STR("refs/heads/y"), STR("nope"), STR(""), &f->who) == E_REV_NOT_FOUND);
    assert_non_null(strstr(err_text(), "Invalid rev id"));
    assert_ok(git_ref_create(f->git, 1, STR("refs/tags/v1"), str_of(first), STR("the first"), &f->who));
    assert_ok(git_ref_create(f->git, 1, STR("refs/tags/light"), str_of(first), STR(""), &f->who));
    assert_ok(git_resolve(f->git, 1, STR("v1"), c));
    assert_string_equal(c, first);
    struct git_ref *refs;
    size_t n;
    assert_ok(git_refs(f->git, &f->a, 1, &refs, &n));
    assert_int_equal(n, 4);
    assert_true(str_eqz(refs[3].name, "refs/tags/v1"));
    assert_string_equal(refs[3].target, first); /* peeled */
    assert_true(git_ref_delete(f->git, 1, STR("refs/heads/main")) == E_BAD_REQUEST);
    assert_non_null(strstr(err_text(), "Cannot delete refs/heads/main"));
    assert_true(git_ref_delete(f->git, 1, STR("refs/heads/v1")) == E_REV_NOT_FOUND);
    assert_string_equal(err_text(), "Invalid rev id: v1");
    assert_ok(git_ref_delete(f->git, 1, STR("refs/tags/v1")));
    assert_ok(git_ref_delete(f->git, 1, STR("refs/heads/feature/x")));
    assert_ok(
        git_ref_create(f->git, 1, STR("refs/heads/feature"), STR("main"), STR(""), &f->who)); /* the folder is gone */
    assert_ok(git_squash(f->git, 1, STR("refs/heads/main"), STR("all in one"), &f->who, c));
    struct git_commit *log;
    size_t total;
    assert_ok(git_log(f->git, &f->a, 1, str_of(c), STR(""), 0, 10, &log, &n, &total));
    assert_int_equal(total, 1);
    memcpy(f->head, c, 41);
    assert_true(file_there(f, "a"));
}

static void test_new_blobs(void **state) {
    struct git_fix *f = *state;
    char base[41];
    memcpy(base, f->head, 41);
    assert_ok(COMMIT(f, "one", op_add("keep", "k"), op_add("gone", "secret"), op_lfs("l.bin")));
    assert_ok(COMMIT(f, "two", op_del("gone"), op_add("same-as-keep", "k")));
    struct git_entry *v;
    size_t n;
    const struct str olds[1] = {str_of(base)};
    assert_ok(git_new_blobs(f->git, &f->a, 1, str_of(f->head), olds, 1, 100, &v, &n));
    assert_int_equal(n, 3); /* the deleted one counts: it is in history */
    bool gone = false, lfs = false;
    for (size_t i = 0; i < n; i++) {
        gone |= str_eqz(v[i].path, "gone");
        lfs |= v[i].is_lfs && str_eqz(v[i].lfs_sha256, SHA_A);
    }
    assert_true(gone && lfs);
    assert_ok(git_new_blobs(f->git, &f->a, 1, str_of(f->head), NULL, 0, 100, &v, &n));
    assert_int_equal(n, 4);
    assert_true(git_new_blobs(f->git, &f->a, 1, str_of(f->head), NULL, 0, 2, &v, &n) == E_LIMIT);
    const struct str self[1] = {str_of(f->head)};
    assert_ok(git_new_blobs(f->git, &f->a, 1, str_of(f->head), self, 1, 100, &v, &n));
    assert_int_equal(n, 0);
}

static void test_reachable(void **state) {
    struct git_fix *f = *state;
    char base[41];
    memcpy(base, f->head, 41);
    assert_ok(COMMIT(f, "one", op_add("d/bad", "evil")));
    struct git_entry e;
    assert_ok(git_entry_get(f->git, &f->a, 1, str_of(f->head), STR("d/bad"), &e));
    assert_ok(COMMIT(f, "two", op_del("d/bad")));
    struct git_reach r;
    const struct str bad[1] = {str_of(e.oid)}, none[1] = {STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")};
    assert_ok(git_reachable(f->git, &f->a, 1, true, NULL, 0, bad, 1, &r));
    assert_true(r.found); /* still in history */
    assert_true(str_eqz(r.path, "d/bad"));
    assert_ok(git_reachable(f->git, &f->a, 1, true, NULL, 0, none, 1, &r));
    assert_false(r.found);
    char c[41];
    assert_ok(git_squash(f->git, 1, STR("refs/heads/main"), STR("clean"), &f->who, c));
    assert_ok(git_reachable(f->git, &f->a, 1, true, NULL, 0, bad, 1, &r));
    assert_false(r.found);
    assert_ok(git_reachable(f->git, &f->a, 1, false, bad, 1, bad, 1, &r)); /* asked for by its own id */
    assert_true(r.found);
    const struct str old[1] = {str_of(f->head)};
    assert_ok(git_reachable(f->git, &f->a, 1, false, old, 1, bad, 1, &r)); /* or by an old commit's */
    assert_true(r.found);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        GT(test_revisions), GT(test_tree_order_and_paging), GT(test_log), GT(test_references), GT(test_new_blobs),
        GT(test_reachable),
    };
    return cmocka_run_group_tests_name("git_read", tests, NULL, NULL);
}
