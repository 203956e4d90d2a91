/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_read.c — strict JSON to a tape of 16-byte nodes. One pass, no recursion: an explicit stack of open
 * containers lives on the C stack (max_depth is capped at 512 levels of 8 bytes).
 *
 * Invariant: node.next of a closed container is the index after its last descendant; of a scalar, its own index + 1.
 * Duplicate keys are searched per object when it closes: pairwise up to 16 members, by sorted hashes above.
 */
#include "base/json.h"

#include <math.h>

enum { MAX_DEPTH = 512, NONE = 0xffffffff };

struct parser {
    struct arena *a;
    const char *text, *p, *end;
    struct json_doc *doc;
    size_t cap, max_nodes;
    unsigned depth, max_depth;
    bool allow_dup, allow_lone;
    uint32_t open[MAX_DEPTH];
};

static err bad(const struct parser *s, const char *at, const char *what) {
    size_t line = 1, col = 1;
    for (const char *q = s->text; q < at; q++) {
        col++;
        if (*q == '\n') line++, col = 1;
    }
    return err_fail(E_BAD_REQUEST, "bad JSON at line %zu column %zu: %s", line, col, what);
}

static err no_memory(void) {
    return err_fail(E_NOMEM, "out of memory");
}

static err push(struct parser *s, enum json_type t, const char *at, uint32_t *index) {
    struct json_doc *d = s->doc;
    if (d->n_nodes == s->cap) {
        size_t cap = s->cap * 2;
        if (cap > s->max_nodes) cap = s->max_nodes;
        struct json_node *n = cap > s->cap ? arena_try(s->a, cap * sizeof *n) : NULL;
        if (n == NULL && cap > s->cap && !arena_full(s->a, cap * sizeof *n)) return no_memory();
        if (n == NULL) return err_fail(E_LIMIT, "JSON has more than %zu values", s->cap);
        memcpy(n, d->nodes, d->n_nodes * sizeof *n);
        d->nodes = n;
        s->cap = cap;
    }
    *index = d->n_nodes++;
    d->nodes[*index] = (struct json_node){(uint32_t)(at - s->text), 0, *index + 1, (uint8_t)t, 0, 0, 0};
    return OK;
}

static void skip_space(struct parser *s) {
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t')) s->p++;
}

static int hex4(const char *p) {
    int v = 0;
    for (int i = 0; i < 4; i++) {
        int c = p[i];
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0) return -1;
        v = v * 16 + d;
    }
    return v;
}

/* The other half of a pair, `left` bytes at p; -1 when what follows is no low surrogate. */
static int low_half(const char *p, ptrdiff_t left) {
    int lo = left >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2) : -1;
    return lo >= 0xdc00 && lo <= 0xdfff ? lo : -1;
}

/* One backslash escape at s->p; surrogates come as pairs, unless lone ones are allowed. */
static err scan_escape(struct parser *s) {
    const char *at = s->p++;
    if (s->p >= s->end) return bad(s, at, "string is not closed");
    char c = *s->p++;
    if (strchr("\"\\/bfnrt", c) != NULL && c != 0) return OK;
    if (c != 'u' || s->end - s->p < 4) return bad(s, at, "unknown escape");
    int v = hex4(s->p);
    if (v < 0) return bad(s, at, "\\u wants four hexadecimal digits");
    s->p += 4;
    if (v >= 0xdc00 && v <= 0xdfff && !s->allow_lone) return bad(s, at, "lone low surrogate");
    if (v >= 0xd800 && v <= 0xdbff) {
        if (low_half(s->p, s->end - s->p) >= 0) s->p += 6;
        else if (!s->allow_lone) return bad(s, at, "lone high surrogate");
    }
    return OK;
}

static err scan_string(struct parser *s, uint32_t *index) {
    const char *at = s->p++;
    TRY(push(s, JSON_STRING, at + 1, index));
    bool high = false, escaped = false;
    for (;;) {
        if (s->p >= s->end) return bad(s, at, "string is not closed");
        unsigned char c = (unsigned char)*s->p;
        if (c == '"') break;
        if (c == '\\') {
            escaped = true;
            TRY(scan_escape(s));
            continue;
        }
        if (c < 0x20) return bad(s, s->p, "control character in a string");
        high |= c >= 0x80;
        s->p++;
    }
    struct json_node *n = &s->doc->nodes[*index];
    n->len = (uint32_t)(s->p - (at + 1));
    n->escaped = escaped;
    if (high && !str_is_utf8(str_make(at + 1, n->len))) return bad(s, at, "string is not valid UTF-8");
    s->p++;
    return OK;
}

static bool digit(const struct parser *s) {
    return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

static err scan_number(struct parser *s) {
    const char *at = s->p;
    uint32_t i;
    TRY(push(s, JSON_NUMBER, at, &i));
    if (*s->p == '-') s->p++;
    if (!digit(s)) return bad(s, at, "expected a value");
    if (*s->p == '0') s->p++;
    else
        while (digit(s)) s->p++;
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (!digit(s)) return bad(s, at, "digits expected after the decimal point");
        while (digit(s)) s->p++;
    }
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-')) s->p++;
        if (!digit(s)) return bad(s, at, "digits expected in the exponent");
        while (digit(s)) s->p++;
    }
    s->doc->nodes[i].len = (uint32_t)(s->p - at);
    return OK;
}

static err scan_word(struct parser *s, const char *word, enum json_type t) {
    size_t n = strlen(word);
    uint32_t i;
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0) return bad(s, s->p, "expected a value");
    TRY(push(s, t, s->p, &i));
    s->doc->nodes[i].len = (uint32_t)n;
    s->p += n;
    return OK;
}

static struct str node_text(const struct json_doc *d, uint32_t i);

static int cmp_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Key of the k-th member is compared unescaped, so "a" and "\u0061" count as the same. */
static err check_duplicates(struct parser *s, uint32_t obj, const char *at) {
    struct json_doc *d = s->doc;
    uint32_t n = d->nodes[obj].len;
    if (n < 2) return OK;
    uint64_t small[64], *h = n <= ARRAY_LEN(small) ? small : arena_try(s->a, n * sizeof *h);
    if (h == NULL && !arena_full(s->a, n * sizeof *h)) return no_memory();
    if (h == NULL) return err_fail(E_LIMIT, "JSON object with too many members");
    uint32_t i = obj + 1;
    for (uint32_t k = 0; k < n; k++) {
        h[k] = str_hash(node_text(d, i));
        i = d->nodes[i + 1].next;
    }
    if (n <= 16) {
        for (uint32_t k = 1; k < n; k++)
            for (uint32_t j = 0; j < k; j++)
                if (h[k] == h[j]) return bad(s, at, "duplicate key in an object");
        return OK;
    }
    qsort(h, n, sizeof *h, cmp_u64);
    for (uint32_t k = 1; k < n; k++)
        if (h[k] == h[k - 1]) return bad(s, at, "duplicate key in an object");
    return OK;
}

/* After '{' or ',' in an object: the key and the colon. */
static err scan_key(struct parser *s) {
    skip_space(s);
    if (s->p >= s->end || *s->p != '"') return bad(s, s->p, "expected a key in double quotes");
    uint32_t i;
    TRY(scan_string(s, &i));
    s->doc->nodes[i].is_key = 1;
    skip_space(s);
    if (s->p >= s->end || *s->p != ':') return bad(s, s->p, "expected ':' after the key");
    s->p++;
    return OK;
}

static err open_container(struct parser *s, bool *closed_at_once) {
    bool obj = *s->p == '{';
    uint32_t i;
    if (s->depth >= s->max_depth) return bad(s, s->p, "nested too deeply");
    TRY(push(s, obj ? JSON_OBJECT : JSON_ARRAY, s->p, &i));
    s->p++;
    s->open[s->depth++] = i;
    skip_space(s);
    *closed_at_once = s->p < s->end && *s->p == (obj ? '}' : ']');
    if (!*closed_at_once && obj) return scan_key(s);
    return OK;
}

static err scan_value(struct parser *s, bool *opened, bool *closed_at_once) {
    uint32_t i;
    *opened = false;
    skip_space(s);
    if (s->p >= s->end) return bad(s, s->p, "unexpected end");
    switch (*s->p) {
    case '{':
    case '[': *opened = true; return open_container(s, closed_at_once);
    case '"': return scan_string(s, &i);
    case 't': return scan_word(s, "true", JSON_TRUE);
    case 'f': return scan_word(s, "false", JSON_FALSE);
    case 'n': return scan_word(s, "null", JSON_NULL);
    default: return scan_number(s);
    }
}

static err close_container(struct parser *s) {
    uint32_t i = s->open[--s->depth];
    struct json_node *n = &s->doc->nodes[i];
    n->next = s->doc->n_nodes;
    if (n->type == JSON_OBJECT && !s->allow_dup) TRY(check_duplicates(s, i, s->text + n->off));
    s->p++;
    return OK;
}

/* A value is complete: count it in its parent and take ',' or the closing brackets that follow. */
static err after_value(struct parser *s, bool *want_value) {
    *want_value = false;
    while (s->depth > 0) {
        struct json_node *parent = &s->doc->nodes[s->open[s->depth - 1]];
        bool obj = parent->type == JSON_OBJECT;
        parent->len++;
        skip_space(s);
        if (s->p >= s->end) return bad(s, s->p, obj ? "object is not closed" : "array is not closed");
        if (*s->p == ',') {
            s->p++;
            *want_value = true;
            return obj ? scan_key(s) : OK;
        }
        if (*s->p != (obj ? '}' : ']')) return bad(s, s->p, obj ? "expected ',' or '}'" : "expected ',' or ']'");
        TRY(close_container(s));
    }
    return OK;
}

static err parse_all(struct parser *s) {
    for (bool want = true; want;) {
        bool opened, closed = false;
        TRY(scan_value(s, &opened, &closed));
        if (opened && !closed) continue;
        if (closed) TRY(close_container(s));
        TRY(after_value(s, &want));
    }
    skip_space(s);
    return s->p == s->end ? OK : bad(s, s->p, "more text after the value");
}

err json_parse(struct arena *a, struct str text, const struct json_limits *lim, struct jv *root) {
    struct json_limits l = lim != NULL ? *lim : (struct json_limits){0, 0, 0, false, false};
    size_t max_bytes = l.max_bytes != 0 ? l.max_bytes : 8 * MiB;
    *root = (struct jv){NULL, NONE};
    if (text.n > max_bytes || text.n > UINT32_MAX - 8)
        return err_fail(E_LIMIT, "JSON is larger than %zu bytes", max_bytes);
    struct parser s = {.a = a,
                       .text = text.p,
                       .p = text.p,
                       .end = text.p + text.n,
                       .allow_dup = l.allow_duplicate_keys,
                       .allow_lone = l.allow_lone_surrogates};
    s.max_depth = MIN(l.max_depth != 0 ? l.max_depth : 128u, (unsigned)MAX_DEPTH);
    s.max_nodes = l.max_nodes != 0 ? l.max_nodes : 4 * MiB;
    s.cap = MIN(MIN(text.n / 8 + 8, (size_t)4096), s.max_nodes);
    struct json_doc *d = arena_try(a, sizeof *d);
    struct json_node *nodes = arena_try(a, s.cap * sizeof *nodes);
    if (d == NULL || nodes == NULL) return no_memory();
    *d = (struct json_doc){text.p, text.n, nodes, 0, a};
    s.doc = d;
    TRY(parse_all(&s));
    *root = (struct jv){d, 0};
    return OK;
}

/* --- access ------------------------------------------------------------------------------------- */

static const struct json_node *node(struct jv v) {
    return v.doc == NULL || v.i >= v.doc->n_nodes ? NULL : &v.doc->nodes[v.i];
}

static size_t put_utf8(char *to, uint32_t c) {
    if (c < 0x80) return to[0] = (char)c, 1;
    if (c < 0x800) return to[0] = (char)(0xc0 | c >> 6), to[1] = (char)(0x80 | (c & 63)), 2;
    if (c < 0x10000)
        return to[0] = (char)(0xe0 | c >> 12), to[1] = (char)(0x80 | (c >> 6 & 63)), to[2] = (char)(0x80 | (c & 63)), 3;
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 63));
    to[2] = (char)(0x80 | (c >> 6 & 63));
    to[3] = (char)(0x80 | (c & 63));
    return 4;
}

static struct str unescape(struct arena *a, struct str s) {
    char *out = arena_try(a, s.n + 1);
    if (out == NULL && arena_full(a, s.n + 1)) return STR_NULL;
    if (out == NULL) out = arena_alloc(a, s.n + 1); /* from the reserve: a value must not seem absent */
    size_t w = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '\\') {
            out[w++] = s.p[i];
            continue;
        }
        static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
        char c = s.p[++i];
        if (c != 'u') {
            out[w++] = to[strchr(from, c) - from];
            continue;
        }
        uint32_t v = (uint32_t)hex4(s.p + i + 1);
        i += 4;
        int lo = v >= 0xd800 && v <= 0xdbff ? low_half(s.p + i + 1, (ptrdiff_t)(s.n - i - 1)) : -1;
        if (lo >= 0) {
            v = 0x10000 + ((v - 0xd800) << 10) + ((uint32_t)lo - 0xdc00);
            i += 6;
        } else if (v >= 0xd800 && v <= 0xdfff) {
            v = 0xfffd;
        }
        w += put_utf8(out + w, v);
    }
    return str_make(out, w);
}

static struct str node_text(const struct json_doc *d, uint32_t i) {
    const struct json_node *n = &d->nodes[i];
    struct str raw = str_make(d->text + n->off, n->len);
    return n->escaped ? unescape(d->arena, raw) : raw;
}

enum json_type jv_type(struct jv v) {
    const struct json_node *n = node(v);
    return n == NULL ? JSON_NONE : (enum json_type)n->type;
}
bool jv_ok(struct jv v) {
    return node(v) != NULL;
}
bool jv_is_null(struct jv v) {
    return jv_type(v) <= JSON_NULL;
}

size_t jv_len(struct jv v) {
    enum json_type t = jv_type(v);
    return t == JSON_ARRAY || t == JSON_OBJECT ? node(v)->len : 0;
}

struct jv_iter jv_iter(struct jv c) {
    struct jv_iter it = {{c.doc, NONE}, STR_NULL, c, 1, 0};
    if (jv_len(c) > 0) it.next_ = c.i + 1, it.end_ = node(c)->next;
    return it;
}

bool jv_next(struct jv_iter *it) {
    if (it->next_ >= it->end_) return false;
    const struct json_doc *d = it->parent_.doc;
    if (d->nodes[it->parent_.i].type == JSON_OBJECT) it->key = node_text(d, it->next_++);
    it->val = (struct jv){d, it->next_};
    it->next_ = d->nodes[it->next_].next;
    return true;
}

struct jv jv_get(struct jv obj, const char *key) {
    if (jv_type(obj) == JSON_OBJECT)
        for (struct jv_iter it = jv_iter(obj); jv_next(&it);)
            if (str_eqz(it.key, key)) return it.val;
    return (struct jv){obj.doc, NONE};
}

struct jv jv_at(struct jv arr, size_t i) {
    if (jv_type(arr) == JSON_ARRAY)
        for (struct jv_iter it = jv_iter(arr); jv_next(&it);)
            if (i-- == 0) return it.val;
    return (struct jv){arr.doc, NONE};
}

struct str jv_str(struct jv v, struct str dflt) {
    return jv_type(v) == JSON_STRING ? node_text(v.doc, v.i) : dflt;
}

int64_t jv_i64(struct jv v, int64_t dflt) {
    int64_t out;
    return jv_type(v) == JSON_NUMBER && str_to_i64(jv_raw(v), &out) ? out : dflt;
}
double jv_double(struct jv v, double dflt) {
    double out;
    return jv_type(v) == JSON_NUMBER && str_to_double(jv_raw(v), &out) ? out : dflt;
}
bool jv_bool(struct jv v, bool dflt) {
    enum json_type t = jv_type(v);
    return t == JSON_TRUE ? true : t == JSON_FALSE ? false : dflt;
}

size_t jv_offset(struct jv v) {
    const struct json_node *n = node(v);
    return n == NULL ? 0 : n->off - (n->type == JSON_STRING ? 1u : 0u);
}

struct str jv_raw(struct jv v) {
    const struct json_node *n = node(v);
    if (n == NULL) return STR_NULL;
    const char *p = v.doc->text + jv_offset(v);
    if (n->type == JSON_STRING) return str_make(p, n->len + 2);
    if (n->type != JSON_ARRAY && n->type != JSON_OBJECT) return str_make(p, n->len);
    /* The tape keeps no end offset for containers: it is the first bracket after the last descendant. */
    const char *q = p + 1, *end = v.doc->text + v.doc->n_text;
    if (n->len > 0) {
        struct jv last = {v.doc, v.i + 1};
        for (struct jv_iter it = jv_iter(v); jv_next(&it);) last = it.val;
        struct str r = jv_raw(last);
        q = r.p + r.n;
    }
    while (q < end && *q != (n->type == JSON_ARRAY ? ']' : '}')) q++;
    return str_make(p, (size_t)(q + 1 - p));
}

err jv_need_str(struct jv obj, const char *key, struct str *out) {
    struct jv v = jv_get(obj, key);
    if (jv_type(v) != JSON_STRING) return err_fail(E_BAD_REQUEST, "field \"%s\": expected a string", key);
    *out = jv_str(v, STR_NULL);
    return OK;
}

err jv_need_i64(struct jv obj, const char *key, int64_t min, int64_t max, int64_t *out) {
    struct jv v = jv_get(obj, key);
    if (jv_type(v) != JSON_NUMBER || !str_to_i64(jv_raw(v), out) || *out < min || *out > max)
        return err_fail(E_BAD_REQUEST, "field \"%s\": expected a whole number from %" PRId64 " to %" PRId64, key, min,
                        max);
    return OK;
}
