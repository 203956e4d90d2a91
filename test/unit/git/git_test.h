/* SPDX-License-Identifier: Apache-2.0 */
/* git_test.h — a store and a git room in a fresh folder, without a runtime: every call runs inline on this thread. */
#ifndef GIT_TEST_H
#define GIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "git/git.h"

#define assert_ok(e)                                                                                                   \
    do {                                                                                                               \
        err ok_e_ = (e);                                                                                               \
        if (ok_e_ != OK) fail_msg("%s: %s", ok_e_->name, err_text());                                                  \
    } while (0)

struct git_fix {
    char dir[64];
    struct store *store;
    struct git *git;
    struct arena a;
    char head[GIT_OID_HEX + 1];
    struct git_author who;
};

static inline int git_fix_up(void **state) {
    struct git_fix *f = calloc(1, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "/tmp/git-unit-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    struct store_opts o = {.dir = f->dir};
    assert_ok(store_open(&o, &f->store));
    assert_ok(git_open(f->store, &f->git));
    arena_init(&f->a, 256 * MiB);
    f->who = (struct git_author){STR("amy"), STR("amy@example.org"), 1780000000000};
    assert_ok(git_repo_create(f->git, 1, &f->who, NULL, 0, f->head));
    *state = f;
    return 0;
}

static inline int git_fix_down(void **state) {
    struct git_fix *f = *state;
    arena_release(&f->a);
    git_close(f->git);
    store_close(f->store);
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf %s", f->dir);
    int rc = system(cmd);
    free(f);
    return rc;
}

static inline struct git_op op_add(const char *path, const char *text) {
    return (struct git_op){.kind = GIT_OP_ADD, .path = str_of(path), .content = str_of(text)};
}
static inline struct git_op op_del(const char *path) {
    return (struct git_op){.kind = GIT_OP_DELETE, .path = str_of(path)};
}

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
static inline struct git_op op_lfs(const char *path) {
    return (struct git_op){.kind = GIT_OP_ADD_LFS, .path = str_of(path), .lfs_sha256 = STR(SHA_A), .lfs_size = 12345};
}

static inline err commit_ops(struct git_fix *f, const char *message, const struct git_op *ops, size_t n) {
    struct git_commit_req r = {
        .ref = STR("refs/heads/main"), .author = f->who, .message = str_of(message), .ops = ops, .n_ops = n};
    f->who.time_ms += 1000;
    return git_commit_make(f->git, 1, &r, f->head);
}
#define COMMIT(f, message, ...)                                                                                        \
    commit_ops((f), (message), (const struct git_op[]){__VA_ARGS__}, ARRAY_LEN(((const struct git_op[]){__VA_ARGS__})))

/* Text of a file at head; fails the test when it is not there. */
static inline struct str file_text(struct git_fix *f, const char *path) {
    struct git_entry e;
    struct str s;
    assert_ok(git_entry_get(f->git, &f->a, 1, str_of(f->head), str_of(path), &e));
    assert_ok(git_blob(f->git, &f->a, 1, e.oid, 1 << 20, &s));
    return s;
}
static inline bool file_there(struct git_fix *f, const char *path) {
    struct git_entry e;
    return git_entry_get(f->git, &f->a, 1, str_of(f->head), str_of(path), &e) == OK;
}
#define GT(fn) cmocka_unit_test_setup_teardown(fn, git_fix_up, git_fix_down)
#endif
