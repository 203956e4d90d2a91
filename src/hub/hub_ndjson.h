/* SPDX-License-Identifier: Apache-2.0 */
/* hub_ndjson.h — the lines of a commit body, one at a time. Pure. */
#ifndef BALLAST_HUB_NDJSON_H
#define BALLAST_HUB_NDJSON_H

#include "base/buf.h"
#include "base/json.h"

enum hub_line_kind { LINE_HEADER, LINE_FILE, LINE_LFS, LINE_DELETE, LINE_DELETE_DIR };
struct hub_line {
    enum hub_line_kind kind;
    struct str path, old_path;
    struct str summary, description, parent; /* header */
    struct str content;                      /* file: as sent */
    bool has_content, is_base64;
    struct str oid; /* lfsFile: 64 hex, lower-case checked; empty when only old_path is given */
    int64_t size;   /* lfsFile; -1 = absent */
};
/* One line of JSON (no newline). Strings borrow from the line or live in the arena. E_BAD_REQUEST names the field. */
must_check err hub_line_parse(struct arena *a, struct str line, size_t max_bytes, struct hub_line *out);

/*
 * Cuts a stream into lines. Feed pieces of any size; complete lines come out one by one, borrowed until the next call.
 * A line above max_line is E_BAD_REQUEST naming its number; memory is that of the longest line seen.
 */
struct hub_lines {
    struct buf hold;  /* the unfinished line */
    struct str piece; /* what is left of the piece fed last */
    size_t n_line;    /* lines given out */
    bool spent;       /* hold was given out and must be emptied */
};
void hub_lines_init(struct hub_lines *l, size_t max_line);
void hub_lines_release(struct hub_lines *l);
void hub_lines_feed(struct hub_lines *l, struct str piece);
/* *have false: feed more. Empty lines are skipped. */
must_check err hub_lines_next(struct hub_lines *l, struct str *line, bool *have);
/* After the last piece: the final line when it lacks a newline. */
must_check err hub_lines_last(struct hub_lines *l, struct str *line, bool *have);
#endif
