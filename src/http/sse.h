/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sse.h — incremental server-sent-events scanner over arriving bytes (pure, no I/O).
 *
 * Accepts LF, CRLF and CR line ends, comments, multi-line data, a leading BOM, events split at any
 * byte. An event larger than max is E_LIMIT. Reports each event's raw bytes (for byte-exact
 * forwarding) and its joined data.
 */
#ifndef BALLAST_SSE_H
#define BALLAST_SSE_H

#include "base/buf.h"

struct sse_event {
    struct str raw;  /* exact bytes including the blank line */
    struct str type; /* "event:" value or empty */
    struct str data; /* data lines joined by LF */
    bool comment_only;
};
struct sse_scan {
    struct buf in;   /* input; bytes before `off` are consumed */
    struct buf data; /* joined data of the current event when it has several lines */
    size_t off;      /* first byte of the current event */
    size_t scanned;  /* bytes of `in` searched for line ends */
    size_t line_at;  /* first byte of the current line */
    size_t max;      /* largest event */
    bool started;    /* a byte order mark can no longer come */
    bool skip_lf;    /* the last line ended in CR: an LF that follows belongs to it */
};
void sse_init(struct sse_scan *s, size_t max_event_bytes);
void sse_release(struct sse_scan *s);
void sse_feed(struct sse_scan *s, const void *p, size_t n);
/* Next complete event; pointers live until the next sse_ call. *have=false: feed more. */
must_check err sse_next(struct sse_scan *s, struct sse_event *ev, bool *have);
size_t sse_pending(const struct sse_scan *s); /* bytes not yet part of an event */
#endif
