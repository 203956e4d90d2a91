/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spool.c — body to file: memory while it is small and its size is known, else a nameless file in DATA/tmp.
 *
 * Memory per request is one block of BLOCK bytes whatever the body; blocks reach the file by the work pool. The
 * file has no name (O_TMPFILE), so a crash leaves nothing behind.
 */
#include "git/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCK = 256 * 1024, MEMORY_MAX = 1 << 20 };

struct write_job {
    int fd;
    const char *p;
    size_t n;
};

static err write_run(void *arg) {
    struct write_job *j = arg;
    while (j->n > 0) {
        ssize_t k = write(j->fd, j->p, j->n);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return err_errno(errno == ENOSPC ? E_UNAVAILABLE : E_IO, errno, "cannot store the request");
        j->p += k;
        j->n -= (size_t)k;
    }
    return OK;
}

static err spool_open(struct store *s, struct http_req *r, struct spool *sp, bool *in_memory) {
    const char *dir;
    *in_memory =
        r->content_length >= 0 && r->content_length <= MEMORY_MAX && http_header(r, "content-encoding").p == NULL;
    if (*in_memory) {
        sp->fd = memfd_create("git-request", MFD_CLOEXEC);
    } else {
        TRY(store_path(s, r->arena, "tmp", "spool", &dir)); /* makes DATA/tmp; the file itself has no name */
        dir = arena_printf(r->arena, "%s/tmp", store_dir(s)).p;
        sp->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    }
    return sp->fd >= 0 ? OK : err_errno(E_IO, errno, "cannot store the request");
}

static err spool_fill(struct http_req *r, uint64_t max, struct spool *sp, bool in_memory, char *block) {
    for (bool end = false; !end;) {
        size_t have = 0, n;
        while (have < BLOCK) {
            TRY(http_body_read(r, block + have, BLOCK - have, &n));
            if (n == 0) {
                end = true;
                break;
            }
            have += n;
        }
        if (have > max - sp->size)
            return err_fail(E_TOO_LARGE,
                            "the request exceeds %" PRIu64
                            " bytes; nothing was changed. Push less at once, large files by Git LFS",
                            max);
        struct write_job j = {sp->fd, block, have};
        if (have > 0) TRY(in_memory ? write_run(&j) : work_run(write_run, &j));
        sp->size += have;
    }
    return lseek(sp->fd, 0, SEEK_SET) == 0 ? OK : err_errno(E_IO, errno, "cannot store the request");
}

err spool_body(struct store *s, struct http_req *r, uint64_t max, struct spool *out) {
    bool in_memory;
    *out = (struct spool){.fd = -1};
    TRY(http_body_gunzip_begin(r));
    TRY(spool_open(s, r, out, &in_memory));
    char *block = malloc(BLOCK);
    err e = block == NULL ? err_fail(E_NOMEM, "out of memory") : spool_fill(r, max, out, in_memory, block);
    free(block);
    if (e != OK) spool_close(out);
    return e;
}

void spool_close(struct spool *sp) {
    if (sp->fd >= 0) close(sp->fd);
    sp->fd = -1;
}
