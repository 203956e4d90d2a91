/* SPDX-License-Identifier: Apache-2.0 */
/* Pointer files, gitattributes matching, paths and reference names. */
#include "git_test.h"

#include "git/attr.h"
#include "git/lfs_pointer.h"
#include "git/path.h"

static void test_pointer_round(void **state) {
    (void)state;
    char text[256];
    struct lfs_pointer p;
    size_t n = lfs_pointer_format(STR(SHA_A), 98, text, sizeof text);
    assert_string_equal(text, "version https://git-lfs.github.com/spec/v1\noid sha256:" SHA_A "\nsize 98\n");
    assert_true(lfs_pointer_parse(str_make(text, n), &p));
    assert_int_equal(p.size, 98);
    assert_string_equal(p.sha256, SHA_A);
}

/* What git-lfs takes for a pointer must be one for us too, or bytes could pass unproven. */
static void test_pointer_as_lenient_as_git_lfs(void **state) {
    (void)state;
    static const char *const good[] = {
        "version https://git-lfs.github.com/spec/v1\r\noid sha256:" SHA_A "\r\nsize 0\r\n",
        "\n\nversion https://git-lfs.github.com/spec/v1\noid sha256:" SHA_A "\nsize 5",
        "version https://git-lfs.github.com/spec/v1\next-0-x sha256:" SHA_A "\noid sha256:" SHA_A "\nsize 5\n",
        "version https://hawser.github.com/spec/v1\noid sha256:" SHA_A "\nsize 5\n",
    };
    static const char *const bad[] = {
        "",
        "version https://git-lfs.github.com/spec/v1\n",
        "version https://git-lfs.github.com/spec/v2\noid sha256:" SHA_A "\nsize 5\n",
        "oid sha256:" SHA_A "\nversion https://git-lfs.github.com/spec/v1\nsize 5\n",
        "version https://git-lfs.github.com/spec/v1\noid sha256:AAAA" SHA_A "\nsize 5\n",
        "version https://git-lfs.github.com/spec/v1\noid sha256:" SHA_A "\nsize -5\n",
        "version https://git-lfs.github.com/spec/v1\noid sha256:" SHA_A "\nsize 99999999999999999999\n",
        "version https://git-lfs.github.com/spec/v1\noid sha256:" SHA_A "\nsize 5\nmore\n",
        "version https://git-lfs.github.com/spec/v1\noid md5:" SHA_A "\nsize 5\n",
    };
    struct lfs_pointer p;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!lfs_pointer_parse(str_of(good[i]), &p)) fail_msg("good %zu", i);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (lfs_pointer_parse(str_of(bad[i]), &p)) fail_msg("bad %zu", i);
}

static void test_attr_match(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool want;
    } t[] = {
        {"*.bin", "a.bin", true},
        {"*.bin", "x/y/a.bin", true},
        {"*.bin", "a.bin.txt", false},
        {"/a.bin", "a.bin", true},
        {"/a.bin", "x/a.bin", false},
        {"x/*.bin", "x/a.bin", true},
        {"x/*.bin", "x/y/a.bin", false},
        {"x/**", "x/y/a", true},
        {"x/**", "x", false},
        {"saved_model/**/*", "saved_model/a", true},
        {"saved_model/**/*", "saved_model/v/b/a", true},
        {"**/foo", "foo", true},
        {"**/foo", "a/b/foo", true},
        {"a/**/b", "a/b", true},
        {"a/**/b", "a/x/y/b", true},
        {"a/**/b", "ab", false},
        {"*tfevents*", "run/events.out.tfevents.1", true},
        {"[ab].x", "b.x", true},
        {"[!ab].x", "b.x", false},
        {"[a-c]?", "bz", true},
        {"?", "/", false},
        {"\\*", "*", true},
        {"\\*", "x", false},
        {"dir/", "dir", false},
        {"*.tar.*", "d/w.tar.gz", true},
        {"[", "[", true},
        {"", "x", false},
        {"*", "a/b", true},
        {"foo**bar", "fooxbar", true},
        {"A.bin", "a.bin", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++)
        if (attr_match(str_of(t[i].pattern), str_of(t[i].path)) != t[i].want)
            fail_msg("%s ~ %s", t[i].pattern, t[i].path);
}

/* A pattern of many stars must not take exponential time. */
static void test_attr_match_is_bounded(void **state) {
    (void)state;
    assert_false(attr_match(STR("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"),
                            STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
    assert_false(
        attr_match(STR("**/a/**/a/**/a/**/a/**/a/**/b"), STR("a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a")));
}

static void test_attr_file(void **state) {
    (void)state;
    struct str f = STR("# c\n*.bin filter=lfs diff=lfs\n\n\"with space.dat\"\tfilter=lfs\nkeep.bin -filter\n[attr]x "
                       "filter=lfs\n!neg filter=lfs\r\n*.txt text\r\n*.crlf filter=lfs\r\n");
    assert_int_equal(attr_lfs(f, STR("d/a.bin")), ATTR_LFS);
    assert_int_equal(attr_lfs(f, STR("keep.bin")), ATTR_NOT_LFS);
    assert_int_equal(attr_lfs(f, STR("with space.dat")), ATTR_LFS);
    assert_int_equal(attr_lfs(f, STR("x")), ATTR_UNSPECIFIED);
    assert_int_equal(attr_lfs(f, STR("neg")), ATTR_UNSPECIFIED);
    assert_int_equal(attr_lfs(f, STR("a.txt")), ATTR_UNSPECIFIED);
    assert_int_equal(attr_lfs(f, STR("a.crlf")), ATTR_LFS);
    assert_int_equal(attr_lfs(attr_default(), STR("model-00001-of-00002.safetensors")), ATTR_LFS);
    assert_int_equal(attr_lfs(attr_default(), STR("config.json")), ATTR_UNSPECIFIED);
}

/* The line written for a path covers exactly names like it, whatever characters they hold; git must agree. */
static void test_attr_line_round(void **state) {
    (void)state;
    static const char *const paths[] = {"plain",  "a b.dat",      "#x",      "!x",        "[x]",
                                        "w*i?ld", "dir/sub/file", "q\"uote", "模型.数据", "a b/[c]*.x"};
    char dir[] = "/tmp/git-attr-XXXXXX", cmd[4096];
    assert_non_null(mkdtemp(dir));
    snprintf(cmd, sizeof cmd, "git init -q %s", dir);
    assert_int_equal(system(cmd), 0);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct buf b;
        buf_init(&b, 4096);
        attr_line(&b, str_of(paths[i]));
        if (attr_lfs(buf_view(&b), str_of(paths[i])) != ATTR_LFS)
            fail_msg("%s: " STR_FMT, paths[i], STR_ARG(buf_view(&b)));
        char file[128];
        snprintf(file, sizeof file, "%s/.gitattributes", dir);
        FILE *fp = fopen(file, "wb");
        assert_non_null(fp);
        fwrite(b.p, 1, b.n, fp);
        fclose(fp);
        snprintf(cmd, sizeof cmd,
                 "cd %s && git -c core.quotePath=false check-attr filter -- '%s' | grep -q 'filter: lfs$'", dir,
                 paths[i]);
        if (system(cmd) != 0) fail_msg("git disagrees about %s: " STR_FMT, paths[i], STR_ARG(buf_view(&b)));
        buf_release(&b);
    }
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
}

static void test_paths(void **state) {
    (void)state;
    static const char *const good[] = {
        "a", "a/b/c", ".gitattributes", ".gitignore", "x.git", "a b", "模型/权重.bin", "...", ".github/x"};
    static const char *const bad[] = {"",
                                      "/a",
                                      "a/",
                                      "a//b",
                                      ".",
                                      "..",
                                      "a/../b",
                                      "./a",
                                      ".git",
                                      ".GIT/config",
                                      "a/.git",
                                      ".git/x",
                                      ".git.",
                                      ".git ",
                                      ".git::$INDEX_ALLOCATION",
                                      "git~1",
                                      "GIT~1/x",
                                      "a\\b",
                                      "a\nb",
                                      "a\x7f",
                                      "\xff\xfe",
                                      ".g\xe2\x80\x8cit",
                                      "\xef\xbb\xbf.git"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (git_path_fault(str_of(good[i])) != NULL) fail_msg("good %s: %s", good[i], git_path_fault(str_of(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (git_path_fault(str_of(bad[i])) == NULL) fail_msg("bad %zu %s", i, bad[i]);
    assert_non_null(git_path_fault(str_make("a\0b", 3)));
    assert_true(git_path_check(STR("../x")) == E_UNPROCESSABLE);
}

static void test_ref_names(void **state) {
    (void)state;
    static const char *const good[] = {"refs/heads/main", "refs/heads/feature/x", "refs/tags/v1.0", "refs/pr/1"};
    static const char *const bad[] = {"main",
                                      "refs/heads/",
                                      "refs/heads/a..b",
                                      "refs/heads/a b",
                                      "refs/heads/-x",
                                      "refs/heads/x.lock",
                                      "refs/notes/x",
                                      "refs/heads/HEAD",
                                      "refs/heads/~x",
                                      "refs/heads/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                      "refs/heads/../../config",
                                      "refs/heads/a@{b"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!git_ref_name_ok(str_of(good[i]))) fail_msg("good %s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (git_ref_name_ok(str_of(bad[i]))) fail_msg("bad %s", bad[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pointer_round), cmocka_unit_test(test_pointer_as_lenient_as_git_lfs),
        cmocka_unit_test(test_attr_match),    cmocka_unit_test(test_attr_match_is_bounded),
        cmocka_unit_test(test_attr_file),     cmocka_unit_test(test_attr_line_round),
        cmocka_unit_test(test_paths),         GT(test_ref_names),
    };
    return cmocka_run_group_tests_name("git_text", tests, NULL, NULL);
}
