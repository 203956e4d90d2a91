/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h1.h — strict HTTP/1.1 codec: pure functions over bytes, no I/O, no allocation.
 *
 * Request and response heads are parsed whole (the caller hands the bytes it has; H1_MORE asks for
 * more). Everything that two parsers could read differently is refused:
 *
 *   1. Lines end in CRLF; a bare CR or LF anywhere in a head or a chunk line is bad.
 *   2. No folded header lines, no space before the colon, no empty or non-token names.
 *   3. Content-Length: digits only, once, never together with Transfer-Encoding.
 *   4. Transfer-Encoding: exactly "chunked", once, HTTP/1.1 only.
 *   5. Host: exactly once in HTTP/1.1; equal to the authority of an absolute-form target.
 *   6. Targets: visible ASCII without '#'; percent escapes of the path well formed and not %00; no
 *      "." or ".." segment in any spelling.
 *   7. Chunk sizes: 1 to 15 hex digits, no sign, no extension. Trailer fields are checked and dropped.
 *   8. Limits: request line 8 KiB + 64 (414), head 32 KiB (431), 64 header lines (431).
 *
 * The strs point into the caller's bytes.
 */
#ifndef BALLAST_HTTP_H1_H
#define BALLAST_HTTP_H1_H

#include "base/base.h"
#include "base/str.h"

enum http_method {
    HTTP_GET = 1,
    HTTP_HEAD = 2,
    HTTP_POST = 4,
    HTTP_PUT = 8,
    HTTP_DELETE = 16,
    HTTP_PATCH = 32,
    HTTP_OPTIONS = 64
};

struct http_header {
    struct str name; /* as sent; compare with str_ieq */
    struct str value;
};

enum { HTTP_MAX_HEADERS = 64, H1_LINE_MAX = 8192 + 64, H1_HEAD_MAX = 32768, H1_TRAILER_MAX = 8192 };
enum h1_result { H1_OK, H1_MORE, H1_BAD };

struct h1_req {
    enum http_method method;
    unsigned minor; /* HTTP/1.minor */
    struct str target, path, query, host;
    struct http_header *headers; /* room for HTTP_MAX_HEADERS, given by the caller */
    size_t n_headers;
    int64_t content_length; /* 0 none, -1 chunked */
    size_t head_len;        /* bytes of the head, blank line included */
    bool keep_alive, expect_continue, has_body;
    /* On H1_BAD: */
    int status; /* 400, 414, 431, 501, 505 */
    const char *why;
};
/* Parse the request head at p[0..n). r->headers must be set before. */
enum h1_result h1_req_parse(struct h1_req *r, const char *p, size_t n);

struct h1_res {
    int status;
    unsigned minor;
    struct str reason;
    struct http_header *headers;
    size_t n_headers;
    int64_t content_length; /* as announced; -1 chunked; -2 until close */
    size_t head_len;
    bool keep_alive;
    const char *why;
};
/* Parse a response head. no_body: the answer to HEAD. 1xx, 204 and 304 have length 0. */
enum h1_result h1_res_parse(struct h1_res *r, const char *p, size_t n, bool no_body);

/* Incremental chunked decoder. Zero-initialise before the body. */
struct h1_chunk {
    uint64_t left;  /* data bytes still to come in this chunk */
    unsigned state; /* private */
    unsigned count; /* digits of the size, bytes of the trailer */
};
enum h1_chunk_result { H1_CHUNK_MORE, H1_CHUNK_DATA, H1_CHUNK_END, H1_CHUNK_BAD };
/*
 * Consumes *used bytes of p[0..n). DATA: `data` is the next run of body bytes (inside p). END: the
 * body is complete. MORE: all n bytes were consumed. When left > 0 the caller may also take body
 * bytes from its source directly and report them with h1_chunk_took().
 */
enum h1_chunk_result h1_chunk_next(struct h1_chunk *c, const char *p, size_t n, size_t *used, struct str *data);
/* Bytes of the current chunk that may be read past the decoder; 0 between chunks. */
uint64_t h1_chunk_left(const struct h1_chunk *c);
void h1_chunk_took(struct h1_chunk *c, uint64_t n);

/* Canonical reason phrase; "Unknown" for codes without one. */
const char *h1_reason(int status);
/* "GET" … for one method bit. */
const char *h1_method_name(enum http_method m);
/* host[:port] made of unreserved characters, or [v6][:port]. */
bool h1_host_ok(struct str host);

/* --- shared by the two head parsers (h1_fields.c) ----------------------------------------------- */
struct h1_fields {
    struct http_header *headers;
    size_t n;
    struct str host;
    int64_t content_length;
    unsigned n_host, n_length, n_te;
    bool chunked, te_bad, close, keep_alive, expect_continue, expect_bad;
    const char *why;
    bool too_many;
};
/* Header lines from *at up to and including the blank line; *at is advanced past it on H1_OK. */
enum h1_result h1_fields_parse(struct h1_fields *f, const char *p, size_t n, size_t *at);
#endif
