/* SPDX-License-Identifier: Apache-2.0 */
/* Packing in the background: nothing is lost, nothing is left over, open handles read on. */
#include "git_test.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
static size_t loose_count(struct git_fix *f, size_t *packs) {
    char cmd[256], line[64];
    snprintf(
        cmd, sizeof cmd,
        "find %s/git/01/1.git/objects -type f -name '*.pack' | wc -l; find %s/git/01/1.git/objects/?? -type f | wc -l",
        f->dir, f->dir);
    FILE *p = popen(cmd, "r");
    assert_non_null(p);
    assert_non_null(fgets(line, sizeof line, p));
    *packs = (size_t)strtoul(line, NULL, 10);
    assert_non_null(fgets(line, sizeof line, p));
    size_t n = (size_t)strtoul(line, NULL, 10);
    pclose(p);
    return n;
}

static void many_files(struct git_fix *f, unsigned n, const char *what, char head[GIT_OID_HEX + 1]) {
    struct git_op *ops = calloc(n, sizeof *ops);
    for (unsigned i = 0; i < n; i++) {
        const char *name = arena_printf(&f->a, "d%u/%s%u", i % 7, what, i).p;
        ops[i] = op_add(name, name);
    }
    struct git_commit_req r = {
        .ref = STR("refs/heads/main"), .author = f->who, .message = STR("many"), .ops = ops, .n_ops = n};
    assert_ok(git_commit_make(f->git, 1, &r, head));
    free(ops);
}

/* Thousands of loose objects become one pack; an open handle reads on, unreachable objects stay, nothing is left over.
 */
static void test_tidy(void **state) {
    struct git_fix *f = *state;
    char head[GIT_OID_HEX + 1], lonely[GIT_OID_HEX + 1], cmd[256];
    bool did, more;
    size_t packs, n;
    assert_ok(git_tidy(f->git, 1, &did));
    assert_false(did);
    assert_ok(git_blob_write(f->git, 1, STR("of a commit that is still under way"), lonely));
    many_files(f, 2900, "a", head);
    assert_true(loose_count(f, &packs) > 2900);
    assert_int_equal(packs, 0);
    struct git_entry *v;
    assert_ok(
        git_tree(f->git, &f->a, 1, str_of(head), STR(""), true, STR(""), 10000, &v, &n, &more)); /* opens a handle */
    assert_ok(git_tidy(f->git, 1, &did));
    assert_true(did);
    assert_int_equal(loose_count(f, &packs), 0);
    assert_int_equal(packs, 1);
    for (size_t i = 0; i < n; i++) {
        struct str text;
        if (v[i].is_dir) continue;
        assert_ok(git_blob(f->git, &f->a, 1, v[i].oid, 4096, &text));
        if (v[i].path.p[0] == 'd') assert_true(str_eq(text, v[i].path));
    }
    struct git_op op = {.kind = GIT_OP_ADD, .path = STR("late")}; /* the blob written before was packed meanwhile */
    memcpy(op.blob, lonely, sizeof lonely);
    struct git_commit_req r = {
        .ref = STR("refs/heads/main"), .author = f->who, .message = STR("late"), .ops = &op, .n_ops = 1};
    assert_ok(git_commit_make(f->git, 1, &r, head));
    assert_ok(git_tidy(f->git, 1, &did));
    assert_false(did);
    snprintf(cmd, sizeof cmd, "git -c safe.directory='*' -C %s/git/01/1.git fsck --strict >/dev/null 2>&1", f->dir);
    assert_int_equal(system(cmd), 0);
    snprintf(cmd, sizeof cmd, "test -z \"$(find %s/git/01/1.git/objects -name 'tmp_*' -o -name '.tmp-*')\"", f->dir);
    assert_int_equal(system(cmd), 0);
}

/* Many small packs (pushes leave one each) are merged. */
static void test_tidy_merges_packs(void **state) {
    struct git_fix *f = *state;
    char head[GIT_OID_HEX + 1], cmd[512];
    bool did;
    size_t packs;
    for (unsigned i = 0; i < 34; i++) {
        many_files(f, 3, arena_printf(&f->a, "p%u-", i).p, head);
        snprintf(cmd, sizeof cmd, "git -c safe.directory='*' -C %s/git/01/1.git repack -d -l -q >/dev/null 2>&1",
                 f->dir);
        assert_int_equal(system(cmd), 0);
    }
    loose_count(f, &packs);
    assert_int_equal(packs, 34);
    assert_ok(git_tidy(f->git, 1, &did));
    assert_true(did);
    loose_count(f, &packs);
    assert_true(packs < 10);
    struct git_entry *v;
    size_t n;
    bool more;
    assert_ok(git_tree(f->git, &f->a, 1, str_of(head), STR(""), true, STR(""), 10000, &v, &n, &more));
    assert_true(n > 100);
    snprintf(cmd, sizeof cmd, "git -c safe.directory='*' -C %s/git/01/1.git fsck --strict >/dev/null 2>&1", f->dir);
    assert_int_equal(system(cmd), 0);
}

/* Somebody copies the repository (tools/backup.py): hands off. */
static void test_tidy_waits_for_a_copy(void **state) {
    struct git_fix *f = *state;
    char head[GIT_OID_HEX + 1], path[256];
    bool did;
    many_files(f, 2900, "a", head);
    snprintf(path, sizeof path, "%s/git/01/1.git/tidy.lock", f->dir);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_ok(git_tidy(f->git, 1, &did));
    assert_false(did);
    close(fd);
    assert_ok(git_tidy(f->git, 1, &did));
    assert_true(did);
}

int main(void) {
    const struct CMUnitTest tests[] = {GT(test_tidy), GT(test_tidy_merges_packs), GT(test_tidy_waits_for_a_copy)};
    return cmocka_run_group_tests_name("git_tidy", tests, NULL, NULL);
}
