/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_view.h — from the first bytes of a file to what its page shows. Pure: bytes in, rows out; hostile bytes only
 * ever give fewer rows. The caller has asked the gate.
 */
#ifndef BALLAST_WEB_FILE_VIEW_H
#define BALLAST_WEB_FILE_VIEW_H

#include "web/view.h"

enum {
    VIEW_TEXT_MAX = 128 * 1024,
    VIEW_LINES = 1500,
    VIEW_LINE_MAX = 2000,
    VIEW_ROWS = 100,
    VIEW_COLUMNS = 40,
    VIEW_CELL_MAX = 300,
    VIEW_HEX = 1024,
    VIEW_TENSORS = 400,
    VIEW_META = 64
};

/* UTF-8 without NUL (a character cut at the very end is forgiven: the head of a longer file). */
bool view_is_text(struct str head);
void view_lines(struct arena *a, struct str text, struct view_file *v);
void view_hex(struct arena *a, struct str head, struct view_file *v);
/* Comma or tab separated, quotes as RFC 4180; false when it has no two columns in its first lines. */
bool view_csv(struct arena *a, struct str text, char sep, struct view_file *v);
/* One object a line; columns are the keys met in the first rows. */
bool view_jsonl(struct arena *a, struct str text, struct view_file *v);

/* --- weights (tensors_*.c): reads on through a source, never the tensors themselves ------------------- */
struct byte_source {
    /* Next bytes; *n = 0 at the end. */
    err (*read)(void *arg, void *p, size_t cap, size_t *n);
    void *arg;
    uint64_t size; /* of the file */
};
/* E_UNPROCESSABLE when the header is not what it claims (the page then shows bytes). */
must_check err view_safetensors(struct arena *a, struct byte_source *s, struct view_file *v);
must_check err view_gguf(struct arena *a, struct byte_source *s, struct view_file *v);
/* Any text, shortened for a cell. */
struct str view_clip(struct arena *a, struct str s, size_t max);
#endif
