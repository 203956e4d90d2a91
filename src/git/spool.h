/* SPDX-License-Identifier: Apache-2.0 */
/* spool.h — a request body in a nameless file, so that a slow client holds no lock and no process. */
#ifndef BALLAST_GIT_SPOOL_H
#define BALLAST_GIT_SPOOL_H

#include "git/git.h"

struct spool {
    int fd; /* positioned at 0; becomes a child's stdin */
    uint64_t size;
};
/* Reads the whole body (gzip undone), at most max bytes (E_TOO_LARGE). */
may_suspend err spool_body(struct store *s, struct http_req *r, uint64_t max, struct spool *out) must_check;
void spool_close(struct spool *sp);
#endif
