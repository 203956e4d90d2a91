/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h — strict JSON reader (a tape over borrowed text) and writer.
 *
 * Reader: RFC 8259 only, UTF-8 checked, duplicate object keys refused, depth and size bounded.
 * The text must outlive the document (strings without escapes are borrowed from it).
 *
 * Tape layout: one 16-byte node per value, in document order. Containers know the node index after
 * their end, so skipping is O(1). Object members are key node, value node, ...
 */
#ifndef BALLAST_JSON_H
#define BALLAST_JSON_H

#include "arena.h"
#include "base.h"
#include "buf.h"
#include "err.h"
#include "str.h"

enum json_type { JSON_NONE, JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_limits {
    size_t max_bytes;           /* 0 = 8 MiB */
    unsigned max_depth;         /* 0 = 128 */
    size_t max_nodes;           /* 0 = 4 Mi */
    bool allow_duplicate_keys;  /* first wins on lookup; for hostile-format parsers that report them */
    bool allow_lone_surrogates; /* half of a \\ud83d\\ude00 pair, as text cut between tokens has; read as U+FFFD */
};

struct json_node {
    uint32_t off;    /* byte offset of the value's first byte (strings: after the quote) */
    uint32_t len;    /* raw length (strings: without quotes; containers: element or member count) */
    uint32_t next;   /* index of the node after this value */
    uint8_t type;    /* enum json_type */
    uint8_t escaped; /* string contains backslashes */
    uint8_t is_key, pad_;
};

struct json_doc {
    const char *text;
    size_t n_text;
    struct json_node *nodes;
    uint32_t n_nodes;
    struct arena *arena; /* for unescaped strings */
};

/* A value of a document; {doc, 0xffffffff} or doc==NULL is "none" and safe to ask anything of. */
struct jv {
    const struct json_doc *doc;
    uint32_t i;
};

/* E_BAD_REQUEST with "line L column C: what" on bad text. Nodes live in the arena. */
must_check err json_parse(struct arena *a, struct str text, const struct json_limits *lim /* NULL = defaults */,
                          struct jv *root);
enum json_type jv_type(struct jv v);
bool jv_ok(struct jv v);                          /* exists (also null values) */
struct jv jv_get(struct jv obj, const char *key); /* none when absent or not an object */
struct jv jv_at(struct jv arr, size_t i);
size_t jv_len(struct jv v);   /* elements or members; 0 for scalars */
bool jv_is_null(struct jv v); /* none or null */
/* The value as given type or the default. */
struct str jv_str(struct jv v, struct str dflt); /* unescaped */
int64_t jv_i64(struct jv v, int64_t dflt);
double jv_double(struct jv v, double dflt);
bool jv_bool(struct jv v, bool dflt);
struct str jv_raw(struct jv v); /* exact source bytes of the value (strings with quotes) */
size_t jv_offset(struct jv v);  /* byte offset of jv_raw in the text */
/* Iteration: for (struct jv_iter it = jv_iter(v); jv_next(&it);) use it.key (objects), it.val. */
struct jv_iter {
    struct jv val;
    struct str key;
    struct jv parent_;
    uint32_t next_, end_;
};
struct jv_iter jv_iter(struct jv container);
bool jv_next(struct jv_iter *it);
/* Required members with precise errors: "field NAME: expected a string". */
must_check err jv_need_str(struct jv obj, const char *key, struct str *out);
must_check err jv_need_i64(struct jv obj, const char *key, int64_t min, int64_t max, int64_t *out);

/* Writer: appends to a buf; commas are automatic. Keys and strings are escaped; invalid UTF-8 becomes U+FFFD. */
struct jw {
    struct buf *b;
    uint64_t need_comma; /* bit per depth */
    unsigned depth;
};
void jw_init(struct jw *w, struct buf *b);
void jw_obj(struct jw *w);
void jw_obj_end(struct jw *w);
void jw_arr(struct jw *w);
void jw_arr_end(struct jw *w);
void jw_key(struct jw *w, const char *key);
void jw_keys(struct jw *w, struct str key);
void jw_str(struct jw *w, struct str s);
void jw_cstr(struct jw *w, const char *z); /* NULL = null */
void jw_i64(struct jw *w, int64_t v);
void jw_u64(struct jw *w, uint64_t v);
void jw_double(struct jw *w, double v);
void jw_bool(struct jw *w, bool v);
void jw_null(struct jw *w);
void jw_raw(struct jw *w, struct str json); /* a complete JSON value, trusted */
/* key + value in one */
void jw_kstr(struct jw *w, const char *key, struct str s);
void jw_kcstr(struct jw *w, const char *key, const char *z);
void jw_ki64(struct jw *w, const char *key, int64_t v);
void jw_kbool(struct jw *w, const char *key, bool v);
void json_escape(struct buf *b, struct str s); /* with quotes */
#endif
