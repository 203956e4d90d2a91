/* SPDX-License-Identifier: Apache-2.0 */
/* review_file.c — one open file: its hash (by us, never by the child), its facts (by the child), its verdict. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "review_int.h"
#include "rules.h"
#include "worker.h"

struct hash_job {
    int fd;
    uint64_t bytes;
    uint8_t *out;
};

static err hash_fd(void *arg) {
    struct hash_job *j = arg;
    struct hasher *h = hasher_new("SHA256");
    size_t cap = 1 * MiB;
    uint8_t *p = malloc(cap);
    uint64_t at = 0;
    err e = p ? OK : err_fail(E_NOMEM, "no memory to hash a file");
    while (e == OK && at < j->bytes) {
        ssize_t n = pread(j->fd, p, cap, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) e = err_errno(E_IO, errno, "reading the file");
        if (n <= 0) break;
        hasher_add(h, p, (size_t)n);
        at += (uint64_t)n;
    }
    if (e == OK) hasher_done(h, j->out);
    else hasher_free(h);
    free(p);
    return e;
}

err review_examine(struct arena *a, int fd, struct str name, struct review_file_result *out, struct facts *facts,
                   bool *examined) {
    struct stat st;
    *out = (struct review_file_result){0};
    *examined = false;
    if (fstat(fd, &st) != 0) return err_errno(E_IO, errno, "the file to examine");
    if (!S_ISREG(st.st_mode)) return err_fail(E_BAD_REQUEST, "only regular files are examined");
    out->bytes = (uint64_t)st.st_size;
    struct hash_job j = {fd, out->bytes, out->sha256};
    TRY(work_run(hash_fd, &j));
    err e = worker_examine(a, fd, out->bytes, name, facts);
    if (e == E_CANCELLED) return e;
    if (e != OK) {
        rules_not_examined(a, arena_strz(a, str_of(err_text_en())), out);
        facts_init(facts);
        facts->coverage = COVERAGE_NONE;
        return OK;
    }
    *examined = true;
    rules_judge(a, facts, out);
    return OK;
}

err review_file(struct arena *a, int fd, struct str name, struct review_file_result *out) {
    bool examined;
    struct facts *f = arena_new(a, struct facts);
    return review_examine(a, fd, name, out, f, &examined);
}
