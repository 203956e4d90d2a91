/* SPDX-License-Identifier: Apache-2.0 */
/* pkt.h — pkt-lines of git's wire protocol, and what an upload-pack request wants. Pure. */
#ifndef BALLAST_GIT_PKT_H
#define BALLAST_GIT_PKT_H

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

enum pkt_kind { PKT_DATA, PKT_FLUSH, PKT_DELIM, PKT_END, PKT_BAD, PKT_DONE };
/*
 * The next line: 4 hex digits of length (itself included), then bytes. 0000 flush, 0001 delimiter, 0002 response end.
 * *line loses one trailing newline. PKT_DONE when *rest is used up, PKT_BAD on anything else.
 */
enum pkt_kind pkt_next(struct str *rest, struct str *line);
/* A whole line: length, text. */
void pkt_line(struct buf *b, struct str text);
void pkt_flush(struct buf *b);

/*
 * Ids after "want " of an upload-pack request, protocol v0/v1 or v2, in order, at most max (more: PKT_LIMIT).
 * want_ref is set when the request names references to want (not offered by this server).
 */
enum pkt_wants { PKT_OK, PKT_MALFORMED, PKT_LIMIT };
enum pkt_wants pkt_wants(struct str body, struct str *oids, size_t max, size_t *n);
#endif
