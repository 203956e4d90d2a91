/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes by the real git(1) against a bare repository with our hook; this program plays the ballast binary. */
#include "git_test.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/hex.h"
#include "git/pkt.h"

static char out_path[128];

/* Runs a shell line in the work folder; output goes to out_path. */
static int sh(struct git_fix *f, const char *line) {
    char cmd[4096];
    snprintf(cmd, sizeof cmd, "cd %s && ( %s ) >%s 2>&1", f->dir, line, out_path);
    int rc = system(cmd);
    return WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}
static bool said(const char *text) {
    char buf[16384];
    FILE *fp = fopen(out_path, "rb");
    assert_non_null(fp);
    size_t n = fread(buf, 1, sizeof buf - 1, fp);
    fclose(fp);
    buf[n] = 0;
    if (strstr(buf, text) != NULL) return true;
    fprintf(stderr, "---- expected \"%s\" in:\n%s----\n", text, buf);
    return false;
}

#define PUSH "git push -q --receive-pack=\"git -c core.hooksPath=$H receive-pack\" $R "

static int up(void **state) {
    git_fix_up(state);
    struct git_fix *f = *state;
    char v[160];
    snprintf(out_path, sizeof out_path, "%s/out.txt", f->dir);
    setenv("BALLAST_DATA", f->dir, 1);
    setenv("BALLAST_REPO_ID", "1", 1);
    setenv("BALLAST_BLOB_MAX", "1000", 1);
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    snprintf(v, sizeof v, "%s/git/config", f->dir);
    setenv("GIT_CONFIG_GLOBAL", v, 1);
    snprintf(v, sizeof v, "%s/git/hooks", f->dir);
    setenv("H", v, 1);
    snprintf(v, sizeof v, "%s/git/01/1.git", f->dir);
    setenv("R", v, 1);
    setenv("GIT_AUTHOR_NAME", "t", 1);
    setenv("GIT_AUTHOR_EMAIL", "t@t", 1);
    setenv("GIT_COMMITTER_NAME", "t", 1);
    setenv("GIT_COMMITTER_EMAIL", "t@t", 1);
    assert_int_equal(sh(f, "git clone -q $R w"), 0);
    return 0;
}

static bool unmoved(struct git_fix *f) {
    char c[41];
    assert_ok(git_resolve(f->git, 1, STR("main"), c));
    return strcmp(c, f->head) == 0;
}

static void test_good_push(void **state) {
    struct git_fix *f = *state;
    if (sh(f,
           "cd w && echo hi > README.md && mkdir -p a/b && echo x > a/b/c && git add . && git commit -qm one && " PUSH
           "main main:refs/heads/dev main:refs/tags/v1") != 0)
        fail_msg("%d", said("\n"));
    assert_ok(git_resolve(f->git, 1, STR("v1"), f->head));
    assert_true(file_there(f, "a/b/c"));
    assert_int_equal(sh(f, "cd w && " PUSH ":refs/heads/dev"), 0);
    assert_int_equal(sh(f, "cd w && echo again >> README.md && git commit -qam two && " PUSH "main"), 0);
}

static void test_large_blob_is_refused(void **state) {
    struct git_fix *f = *state;
    /* in the middle of history: the head does not have it any more */
    assert_int_not_equal(sh(f, "cd w && mkdir d && head -c 5000 /dev/urandom > d/big.bin && git add . && git commit "
                               "-qm big && git rm -q d/big.bin && "
                               "git commit -qm gone && " PUSH "main"),
                         0);
    assert_true(said("d/big.bin has 5000 bytes"));
    assert_true(said("git lfs migrate import --everything --include=\"d/big.bin\""));
    assert_true(unmoved(f));
    assert_int_equal(sh(f, "ls $R/objects | grep -c incoming"), 1); /* grep finds none: quarantine is gone */
}

static void test_pointer_needs_possession(void **state) {
    struct git_fix *f = *state;
    const char *make =
        "cd w && printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:" SHA_A "\\nsize 12\\n' > m.bin && "
        "git -c filter.lfs.clean=cat -c filter.lfs.required=false add . && git commit -qm ptr";
    assert_int_equal(sh(f, make), 0);
    assert_int_not_equal(sh(f, "cd w && " PUSH "main"), 0);
    assert_true(said("m.bin points to the large file sha256:" SHA_A));
    assert_true(said("git lfs push --all"));
    assert_true(unmoved(f));
    char line[512];
    snprintf(line, sizeof line,
             "sqlite3 %s/ballast.db \"INSERT INTO repo_file VALUES (2, x'" SHA_A "', 12, x'00', 0)\" || "
             "python3 -c \"import sqlite3; d=sqlite3.connect('%s/ballast.db'); d.execute('INSERT INTO repo_file VALUES "
             "(2, ?, 12, ?, 0)', (bytes.fromhex('" SHA_A "'), b'0')); d.commit()\"",
             f->dir, f->dir);
    assert_int_equal(sh(f, line), 0);
    assert_int_not_equal(sh(f, "cd w && " PUSH "main"), 0); /* somebody else's object */
    assert_true(unmoved(f));
    snprintf(line, sizeof line,
             "python3 -c \"import sqlite3; d=sqlite3.connect('%s/ballast.db'); d.execute('UPDATE repo_file SET repo_id "
             "= 1'); d.commit()\"",
             f->dir);
    assert_int_equal(sh(f, line), 0);
    if (sh(f, "cd w && " PUSH "main") != 0) fail_msg("%d", said("\n"));
}

static void test_refs_are_checked(void **state) {
    struct git_fix *f = *state;
    assert_int_equal(sh(f, "cd w && echo 1 > f && git add . && git commit -qm one"), 0);
    assert_int_not_equal(sh(f, "cd w && " PUSH "main:refs/notes/x"), 0);
    assert_true(said("only branches (refs/heads/) and tags (refs/tags/) can be pushed"));
    assert_int_not_equal(sh(f, "cd w && " PUSH "main:refs/pr/1"), 0);
    assert_int_not_equal(sh(f, "cd w && " PUSH ":main"), 0);
    assert_int_not_equal(sh(f, "cd w && " PUSH "HEAD^{tree}:refs/tags/tree"), 0);
    assert_true(unmoved(f));
}

/* git add refuses such names, so the tree is written by hand. */
static void test_unsafe_names(void **state) {
    struct git_fix *f = *state;
    static const char *const names[] = {"a\\\\b", "git~1", "c\\tx"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char line[1024];
        snprintf(line, sizeof line,
                 "cd w && b=$(echo hi | git hash-object -w --stdin) && t=$(printf '100644 blob %%s\\t\"%s\"\\n' $b | "
                 "git mktree) && "
                 "c=$(git commit-tree -m bad -p main $t) && " PUSH "$c:refs/heads/main",
                 names[i]);
        assert_int_not_equal(sh(f, line), 0);
        assert_true(said("not allowed") || said("fsck error"));
        assert_true(unmoved(f));
    }
}

static void test_symlinks_and_force_pass(void **state) {
    struct git_fix *f = *state;
    assert_int_equal(sh(f, "cd w && ln -s README.md link && git add . && git commit -qm link && " PUSH "main"), 0);
    assert_int_equal(sh(f, "cd w && git commit -q --amend -m other && " PUSH "+main"), 0);
}

static void test_by_hand(void **state) {
    (void)state;
    unsetenv("BALLAST_DATA");
    char a0[] = "git-hook", a1[] = "pre-receive", a2[] = "post-update";
    char *no[] = {a0, a2, NULL}, *yes[] = {a0, a1, NULL};
    assert_int_equal(git_hook_main(2, no), 2);
    assert_int_equal(git_hook_main(2, yes), 1);
}

/* --- pkt-lines ---------------------------------------------------------------------------------------------- */

#define O1 "1111111111111111111111111111111111111111"
#define O2 "2222222222222222222222222222222222222222"
static void test_wants(void **state) {
    (void)state;
    struct str v[2];
    size_t n;
    struct buf b;
    buf_init(&b, 4096);
    pkt_line(&b, STR("want " O1 " side-band-64k\n"));
    pkt_line(&b, STR("want " O2 "\n"));
    pkt_flush(&b);
    pkt_line(&b, STR("have " O1 "\n"));
    pkt_line(&b, STR("done\n"));
    assert_int_equal(pkt_wants(buf_view(&b), v, 2, &n), PKT_OK);
    assert_int_equal(n, 2);
    assert_true(str_eqz(v[1], O2));
    assert_int_equal(pkt_wants(buf_view(&b), v, 1, &n), PKT_LIMIT);
    buf_reset(&b);
    pkt_line(&b, STR("command=fetch"));
    buf_cstr(&b, "0001");
    pkt_line(&b, STR("want " O2));
    pkt_flush(&b);
    assert_int_equal(pkt_wants(buf_view(&b), v, 2, &n), PKT_OK);
    assert_int_equal(n, 1);
    static const char *const bad[] = {"000",
                                      "zzzz",
                                      "0003",
                                      "0010abc",
                                      "ffff",
                                      "000cwant zz\n",
                                      "0032want 11111111111111111111111111111111111111zz\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (pkt_wants(str_of(bad[i]), v, 2, &n) != PKT_MALFORMED) fail_msg("%s", bad[i]);
    buf_release(&b);
}

#define HT(fn) cmocka_unit_test_setup_teardown(fn, up, git_fix_down)
int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "git-hook") == 0) return git_hook_main(argc, argv);
    const struct CMUnitTest tests[] = {
        HT(test_good_push),
        HT(test_large_blob_is_refused),
        HT(test_pointer_needs_possession),
        HT(test_refs_are_checked),
        HT(test_unsafe_names),
        HT(test_symlinks_and_force_pass),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_wants),
    };
    return cmocka_run_group_tests_name("git_hook", tests, NULL, NULL);
}
