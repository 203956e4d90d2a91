/* SPDX-License-Identifier: Apache-2.0 */
/* export.c — a whole file into a descriptor. */
#include "xet/xet_int.h"

#include <errno.h>
#include <unistd.h>

struct write_arg {
    int fd;
    struct str s;
};
static err write_all(void *arg) {
    struct write_arg *w = arg;
    while (w->s.n > 0) {
        ssize_t k = write(w->fd, w->s.p, w->s.n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return err_errno(E_IO, k < 0 ? errno : ENOSPC, "cannot write a copy of a stored file");
        w->s = str_from(w->s, (size_t)k);
    }
    return OK;
}

err xet_file_export(struct xet *x, const struct xet_file *f, int fd) {
    struct xet_reader *r;
    TRY(xet_reader_open(x, f, 0, f->size, &r));
    err e;
    for (;;) {
        struct write_arg w = {.fd = fd};
        e = xet_reader_next(r, &w.s);
        if (e != OK || w.s.n == 0) break;
        e = work_run(write_all, &w);
        if (e != OK) break;
    }
    xet_reader_close(r);
    return e;
}
