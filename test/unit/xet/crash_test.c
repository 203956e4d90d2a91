/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill -9 during ingest: a child stores files as fast as it can and reports each one only after commit
 * returned; the parent kills it at a random moment, opens the same directory, and every reported file
 * must be there, whole, with no problem found by a deep fsck.
 */
#include "xet_store.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hex.h"

enum { ROUNDS = 12, FILE_MAX = 400000 };

static void file_bytes(uint8_t *p, size_t n, uint64_t seed) {
    gen_splitmix(p, n, seed);
    if (seed % 3 == 0) memset(p + n / 2, 'x', n / 2); /* some dedup */
}

static void child(const char *dir, int out, uint64_t base) {
    struct store *s;
    struct xet *x;
    const struct rt_limits lim = {.n_loops = 1};
    const struct store_opts so = {.dir = dir, .server = true};
    if (store_open(&so, &s) != OK || rt_start(&lim) != OK) _exit(1);
    const struct xet_opts xo = {.store = s};
    if (xet_open(&xo, &x) != OK) _exit(1);
    uint8_t *p = test_alloc(FILE_MAX);
    for (uint64_t i = base;; i++) {
        struct xet_writer *w;
        struct xet_file f;
        size_t n = 1000 + (size_t)(i * 7919 % (FILE_MAX - 1000));
        file_bytes(p, n, i);
        if (xet_writer_open(x, &w) != OK || xet_writer_add(w, p, n) != OK ||
            xet_writer_commit(w, 1, STR_NULL, n, &f) != OK)
            _exit(2);
        if (write(out, &i, sizeof i) != sizeof i) _exit(0);
    }
}

static void check_file(struct xet *x, uint64_t i) {
    uint8_t *p = test_alloc(FILE_MAX), *got = test_alloc(FILE_MAX), sha[32];
    size_t n = 1000 + (size_t)(i * 7919 % (FILE_MAX - 1000)), at = 0, k;
    file_bytes(p, n, i);
    hash_sha256(p, n, sha);
    char hex[65];
    hex_encode(sha, 32, hex);
    struct xet_file f;
    assert_ok(xet_file_find(x, 1, str_of(hex), &f));
    struct xet_reader *r;
    assert_ok(xet_reader_open(x, &f, 0, f.size, &r));
    for (;;) {
        assert_ok(xet_reader_read(r, got + at, FILE_MAX - at, &k));
        if (k == 0) break;
        at += k;
    }
    xet_reader_close(r);
    assert_int_equal(at, n);
    assert_memory_equal(p, got, n);
    free(p);
    free(got);
}

static void test_kill(void **state) {
    char dir[] = "/tmp/xet-crash-XXXXXX";
    assert_non_null(mkdtemp(dir));
    uint64_t seen[4096], n_seen = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(fds[0]);
            child(dir, fds[1], (uint64_t)round * 1000);
        }
        close(fds[1]);
        struct pollfd pf = {fds[0], POLLIN, 0};
        assert_int_equal(poll(&pf, 1, 20000), 1); /* at least one file is acknowledged */
        usleep((unsigned)(rnd_u64() % 60000));
        kill(pid, SIGKILL);
        int status;
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status));
        uint64_t i;
        while (read(fds[0], &i, sizeof i) == sizeof i && n_seen < ARRAY_LEN(seen)) seen[n_seen++] = i;
        close(fds[0]);
        struct store *s;
        struct xet *x;
        const struct store_opts so = {.dir = dir, .server = true};
        assert_ok(store_open(&so, &s));
        const struct xet_opts xo = {.store = s};
        assert_ok(xet_open(&xo, &x));
        uint64_t bad;
        assert_ok(xet_fsck(x, true, NULL, NULL, NULL, &bad));
        assert_int_equal(bad, 0);
        for (uint64_t k = n_seen > 40 ? n_seen - 40 : 0; k < n_seen; k++) check_file(x, seen[k]);
        xet_close(x);
        store_close(s);
    }
    print_message("# %u kills, %llu acknowledged files all there\n", (unsigned)ROUNDS, (unsigned long long)n_seen);
    nftw(dir, test_rm_, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void) {
    const struct CMUnitTest t[] = {cmocka_unit_test(test_kill)};
    return cmocka_run_group_tests(t, NULL, NULL);
}
