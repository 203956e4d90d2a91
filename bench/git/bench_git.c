/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_git.c DIR — numbers of docs/decisions/0050: durable commits, big commits, listings, child spawn.
 * Runs on one plain thread, without loops; DIR must be on the disk that is to be measured and is left behind.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "git/git.h"
#include "rt/child.h"

static void die(err e) {
    fprintf(stderr, "%s: %s\n", e->name, err_text());
    _exit(1);
}
#define NEED(expr)                                                                                                     \
    do {                                                                                                               \
        err need_e_ = (expr);                                                                                          \
        if (need_e_ != OK) die(need_e_);                                                                               \
    } while (0)

static void say(const char *what, size_t n, int64_t ns) {
    printf("%-44s %8zu in %8.1f ms  = %10.1f us each\n", what, n, (double)ns / 1e6, (double)ns / 1e3 / (double)n);
}

static void commits(struct git *g, struct arena *a, size_t n_commits, size_t n_files, const char *what) {
    struct git_op *ops = arena_array(a, struct git_op, n_files);
    int64_t t = clock_mono_ns();
    for (size_t i = 0; i < n_commits; i++) {
        for (size_t k = 0; k < n_files; k++)
            ops[k] = (struct git_op){.kind = GIT_OP_ADD,
                                     .path = arena_printf(a, "d%zu/f%zu.txt", k % 100, k),
                                     .content = arena_printf(a, "%s %zu %zu", what, i, k)};
        struct git_commit_req r = {.ref = STR("refs/heads/main"),
                                   .author = {STR("a"), STR("a@b"), clock_wall_ms()},
                                   .message = STR("m"),
                                   .ops = ops,
                                   .n_ops = n_files};
        char c[41];
        NEED(git_commit_make(g, 1, &r, c));
    }
    say(what, n_commits, clock_mono_ns() - t);
}

static void reads(struct git *g, struct arena *a) {
    char head[41];
    struct git_entry *v, e;
    struct git_commit *log;
    size_t n, total;
    bool more;
    int64_t t = clock_mono_ns();
    NEED(git_resolve(g, 1, STR("main"), head));
    say("resolve main", 1, clock_mono_ns() - t);
    for (int i = 0; i < 2; i++) {
        t = clock_mono_ns();
        NEED(git_tree(g, a, 1, str_of(head), STR(""), true, STR(""), 100000, &v, &n, &more));
        say(i == 0 ? "list 10,000 files, cold (entries)" : "list 10,000 files, sizes cached (entries)", n,
            clock_mono_ns() - t);
    }
    t = clock_mono_ns();
    for (int i = 0; i < 1000; i++) NEED(git_entry_get(g, a, 1, str_of(head), STR("d7/f7.txt"), &e));
    say("one entry", 1000, clock_mono_ns() - t);
    t = clock_mono_ns();
    NEED(git_log(g, a, 1, str_of(head), STR(""), 0, 50, &log, &n, &total));
    say("log: 50 of all, counted (commits)", total, clock_mono_ns() - t);
}

static void spawn(const char *what, const char *const *argv, const char *dir) {
    enum { N = 50 };
    int64_t t = clock_mono_ns();
    for (int i = 0; i < N; i++) {
        struct child_opts o;
        struct buf out;
        int code;
        child_opts_init(&o);
        o.argv = argv;
        o.cwd = dir;
        buf_init(&out, 1 << 20);
        NEED(child_run(&o, STR_NULL, &out, NULL, 10000, &code));
        buf_release(&out);
    }
    say(what, N, clock_mono_ns() - t);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    struct store_opts so = {.dir = argv[1]};
    struct store *s;
    struct git *g;
    struct arena a;
    char head[41];
    const char *dir;
    arena_init(&a, 1 * GiB);
    NEED(store_open(&so, &s));
    NEED(git_open(s, &g));
    struct git_author who = {STR("a"), STR("a@b"), clock_wall_ms()};
    int64_t t = clock_mono_ns();
    NEED(git_repo_create(g, 1, &who, NULL, 0, head));
    say("create a repository", 1, clock_mono_ns() - t);
    commits(g, &a, 1, 10000, "commit of 10,000 new files, durable");
    commits(g, &a, 20, 1, "commit of one file, durable");
    commits(g, &a, 3, 1000, "commit of 1,000 files, durable");
    reads(g, &a);
    NEED(git_repo_path(g, &a, 1, &dir));
    const char *const v0[] = {"git", "upload-pack", "--stateless-rpc", "--http-backend-info-refs", ".", NULL};
    const char *const nop[] = {"true", NULL};
    spawn("spawn true", nop, dir);
    spawn("spawn git upload-pack, advertisement", v0, dir);
    arena_release(&a);
    git_close(g);
    store_close(s);
    return 0;
}
