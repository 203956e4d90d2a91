/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tmpl.h — what compiled page templates (tools/tmpl.py) call: escaped output, text in the reader's
 * language, numbers, sizes and times.
 *
 * Everything is escaped for text and for double-quoted attributes alike (& < > " '), except `struct
 * html`, which only code that builds markup itself may make. Output goes to one bounded buffer: a
 * page that would exceed it fails as a whole (buf_ok), it is never cut.
 */
#ifndef BALLAST_WEB_TMPL_H
#define BALLAST_WEB_TMPL_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/i18n.h"
#include "base/str.h"

/* Markup that is already safe. */
struct html {
    const char *p;
    size_t n;
};

struct tmpl {
    struct buf *b;
    struct arena *a;
    enum lang lang;
    int64_t now_ms; /* of the request: relative times count from here */
};

void tmpl_lit(struct tmpl *t, const char *p, size_t n);
void tmpl_esc(struct tmpl *t, const char *p, size_t n);
/*
 * As tmpl_esc, for text that a person reads: characters that reorder what follows (bidirectional overrides, embeddings,
 * isolates) are written as "[U+202E]". A file name could otherwise show another ending than it has.
 */
void tmpl_say(struct tmpl *t, const char *p, size_t n);
void tmpl_asset(struct tmpl *t, const char *name); /* the hashed URL */

/* --- values: picked by type. Attributes: tmpl_put, the bytes as they are; text: tmpl_show, by tmpl_say ----------- */
void tmpl_put_str(struct tmpl *t, struct str s);
void tmpl_put_cstr(struct tmpl *t, const char *z); /* NULL writes nothing */
void tmpl_put_html(struct tmpl *t, struct html h);
void tmpl_put_i64(struct tmpl *t, int64_t v); /* plain digits: ids, ports, line numbers */
void tmpl_put_u64(struct tmpl *t, uint64_t v);
void tmpl_put_double(struct tmpl *t, double v); /* one decimal */
#define tmpl_put(t, x)                                                                                                 \
    _Generic((x), struct str: tmpl_put_str, struct html: tmpl_put_html, const char *: tmpl_put_cstr, \
        char *: tmpl_put_cstr, int: tmpl_put_i64, unsigned: tmpl_put_u64, long: tmpl_put_i64,        \
        unsigned long: tmpl_put_u64, double: tmpl_put_double)((t), (x))

void tmpl_show_str(struct tmpl *t, struct str s);
void tmpl_show_cstr(struct tmpl *t, const char *z);
#define tmpl_show(t, x)                                                                                                \
    _Generic((x), struct str: tmpl_show_str, struct html: tmpl_put_html, const char *: tmpl_show_cstr, \
        char *: tmpl_show_cstr, int: tmpl_put_i64, unsigned: tmpl_put_u64, long: tmpl_put_i64,        \
        unsigned long: tmpl_put_u64, double: tmpl_put_double)((t), (x))

bool tmpl_true_str(struct str s);
bool tmpl_true_html(struct html h);
bool tmpl_true_cstr(const char *z);
bool tmpl_true_i64(int64_t v);
#define tmpl_true(x)                                                                                                   \
    _Generic((x), struct str: tmpl_true_str, struct html: tmpl_true_html, const char *: tmpl_true_cstr, \
        char *: tmpl_true_cstr, default: tmpl_true_i64)(x)
bool tmpl_eq_str(struct str s, const char *z);
bool tmpl_eq_cstr(const char *s, const char *z);
#define tmpl_eq(x, z)                                                                                                  \
    _Generic((x), struct str : tmpl_eq_str, const char * : tmpl_eq_cstr, char * : tmpl_eq_cstr)((x), (z))

/* --- filters: {{ value | name }} ------------------------------------------------------------------ */
#define tmpl_f_num(t, x) tmpl_num((t), (int64_t)(x))      /* 12,345 */
#define tmpl_f_bytes(t, x) tmpl_bytes((t), (uint64_t)(x)) /* 98.6 MB */
#define tmpl_f_ago(t, x) tmpl_ago((t), (int64_t)(x))      /* <time …>3 minutes ago</time>; 0 writes "never" */
#define tmpl_f_day(t, x) tmpl_day((t), (int64_t)(x))      /* <time …>2026-11-22 15:04 UTC</time> */
#define tmpl_f_date(t, x) tmpl_date((t), (int64_t)(x))    /* <time …>2026-11-22</time> */
#define tmpl_f_span(t, x) tmpl_span((t), (int64_t)(x))    /* milliseconds as "1.4 s" */
void tmpl_num(struct tmpl *t, int64_t v);
void tmpl_bytes(struct tmpl *t, uint64_t v);
void tmpl_ago(struct tmpl *t, int64_t wall_ms);
void tmpl_day(struct tmpl *t, int64_t wall_ms);
void tmpl_date(struct tmpl *t, int64_t wall_ms);
void tmpl_span(struct tmpl *t, int64_t ms);
void tmpl_f_short(struct tmpl *t, struct str oid); /* first 8 characters */
void tmpl_f_name(struct tmpl *t, struct str s);    /* a file's name: every invisible character is written out */
void tmpl_f_uri(struct tmpl *t, struct str s);     /* percent-encoded, also '/' */
void tmpl_f_uripath(struct tmpl *t, struct str s); /* percent-encoded but '/' */
void tmpl_f_t(struct tmpl *t, const char *msgid);  /* a msgid chosen by the view, in the reader's language */

/* --- text ------------------------------------------------------------------------------------------ */
struct tmpl_arg {
    const char *name;
    struct html value;
};
/* The translation of msgid, escaped, with {name} replaced by values (already markup). */
void tmpl_text(struct tmpl *t, const char *msgid, const struct tmpl_arg *args, size_t n);
/* `one` for exactly one in English, else `many` (Chinese has one form: that of `many`); {n} is the count. */
void tmpl_count(struct tmpl *t, int64_t count, const char *one, const char *many, const struct tmpl_arg *args,
                size_t n);
/* What was written since the mark, taken out of the page into the arena. */
size_t tmpl_mark(struct tmpl *t);
struct html tmpl_cut(struct tmpl *t, size_t mark);
#endif
