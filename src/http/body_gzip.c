/* SPDX-License-Identifier: Apache-2.0 */
/* body_gzip.c — Content-Encoding: gzip of a request (git sends it), undone while it streams. */
#include <zlib.h>

#include "http/conn.h"

enum { GZ_IN = 8192 };
/* More than zlib's best ratio (1032:1) can only be an attack on whoever buffers it. */
enum { GZ_RATIO_MAX = 1040 };

struct gz_state {
    z_stream z;
    bool ended;
    uint64_t out_total;
    unsigned char in[GZ_IN];
};

err http_body_gunzip_begin(struct http_req *r) {
    struct http_conn *c = r->conn;
    struct str enc = http_header(r, "content-encoding");
    if (enc.n == 0 || str_ieqz(enc, "identity") || c->gz != NULL) return OK;
    if (!str_ieqz(enc, "gzip") && !str_ieqz(enc, "x-gzip"))
        return err_fail(E_BAD_REQUEST, "Content-Encoding: expected gzip or identity, got " STR_FMT, STR_ARG(enc));
    struct gz_state *g = calloc(1, sizeof *g);
    if (g == NULL) return err_fail(E_NOMEM, "no memory to unpack the request body");
    if (inflateInit2(&g->z, 15 + 16) != Z_OK) {
        free(g);
        return err_fail(E_NOMEM, "no memory to unpack the request body");
    }
    c->gz = g;
    return OK;
}

void gz_free(struct http_conn *c) {
    if (c->gz == NULL) return;
    inflateEnd(&c->gz->z);
    free(c->gz);
    c->gz = NULL;
}

err gz_read(struct http_conn *c, void *p, size_t cap, size_t *n) {
    struct gz_state *g = c->gz;
    *n = 0;
    if (cap > UINT32_MAX) cap = UINT32_MAX;
    while (*n == 0 && !g->ended) {
        if (g->z.avail_in == 0) {
            size_t got;
            TRY(body_read_raw(c, g->in, sizeof g->in, &got));
            if (got == 0) return err_fail(E_BAD_REQUEST, "the gzip data of the request body ends too early");
            g->z.next_in = g->in;
            g->z.avail_in = (uInt)got;
        }
        g->z.next_out = p;
        g->z.avail_out = (uInt)cap;
        int rc = inflate(&g->z, Z_NO_FLUSH);
        *n = cap - g->z.avail_out;
        g->out_total += *n;
        if (rc == Z_STREAM_END) g->ended = true;
        else if (rc != Z_OK && rc != Z_BUF_ERROR)
            return err_fail(E_BAD_REQUEST, "the gzip data of the request body is damaged");
    }
    if (g->out_total > (c->body_total + 4096) * GZ_RATIO_MAX)
        return err_fail(E_TOO_LARGE, "the request body unpacks to an absurd size");
    if (!g->ended || *n > 0) return OK;
    /* Bytes behind the gzip stream would be read by nobody. */
    size_t more = 0;
    if (g->z.avail_in == 0) TRY(body_read_raw(c, g->in, sizeof g->in, &more));
    if (g->z.avail_in > 0 || more > 0) return err_fail(E_BAD_REQUEST, "bytes follow the gzip data of the request body");
    return OK;
}
