/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy.c — who is asking, and under which URL we are seen.
 *
 * X-Forwarded-For/Proto/Host count only when the peer of the TCP connection is a trusted proxy, and
 * of X-Forwarded-For only the rightmost address that is not itself a trusted proxy: everything left
 * of it was written by somebody we do not trust.
 */
#include <arpa/inet.h>

#include "http/conn.h"

/* IPv4 becomes ::ffff:a.b.c.d so that both families compare alike. */
bool ip_parse(struct str s, uint8_t out[16]) {
    char z[64];
    if (s.n == 0 || s.n >= sizeof z) return false;
    memcpy(z, s.p, s.n);
    z[s.n] = '\0';
    memset(out, 0, 16);
    out[10] = out[11] = 0xff;
    if (inet_pton(AF_INET, z, out + 12) == 1) return true;
    return inet_pton(AF_INET6, z, out) == 1;
}

bool cidr_parse(struct str s, struct cidr *out) {
    ptrdiff_t slash = str_chr(s, '/');
    struct str ip = slash < 0 ? s : str_sub(s, 0, (size_t)slash);
    if (!ip_parse(ip, out->addr)) return false;
    bool v4 = str_chr(ip, ':') < 0;
    uint64_t bits = v4 ? 32 : 128;
    if (slash >= 0 && (!str_to_u64(str_from(s, (size_t)slash + 1), &bits) || bits > (v4 ? 32 : 128))) return false;
    out->bits = (unsigned)bits + (v4 ? 96 : 0);
    return true;
}

bool http_proxy_ok(struct str s) {
    struct cidr c;
    return cidr_parse(s, &c);
}

bool cidr_has(const struct cidr *c, const uint8_t ip[16]) {
    unsigned whole = c->bits / 8, rest = c->bits % 8;
    if (memcmp(c->addr, ip, whole) != 0) return false;
    return rest == 0 || ((c->addr[whole] ^ ip[whole]) & (0xff << (8 - rest)) & 0xff) == 0;
}

static bool is_trusted(const struct http_snap *s, const uint8_t ip[16]) {
    for (unsigned i = 0; i < s->n_trusted; i++)
        if (cidr_has(&s->trusted[i], ip)) return true;
    return false;
}

static void forwarded_for(struct http_conn *c) {
    struct str list = http_header(&c->req, "x-forwarded-for");
    while (list.n > 0) {
        ptrdiff_t comma = str_rchr(list, ',');
        struct str one = str_trim(comma < 0 ? list : str_from(list, (size_t)comma + 1));
        list = comma < 0 ? STR_NULL : str_sub(list, 0, (size_t)comma);
        uint8_t ip[16];
        if (!ip_parse(one, ip)) return; /* keep the last address that made sense */
        c->req.remote_ip = one;
        if (!is_trusted(c->snap, ip)) return;
    }
}

void req_origin(struct http_conn *c) {
    struct http_req *r = &c->req;
    r->remote_ip = (struct str){c->peer, c->n_peer};
    r->is_tls = c->is_tls;
    struct str host = r->host;
    if (c->snap->n_trusted > 0 && !c->have_peer_ip) c->have_peer_ip = ip_parse(r->remote_ip, c->peer_ip);
    if (c->snap->n_trusted > 0 && c->have_peer_ip && is_trusted(c->snap, c->peer_ip)) {
        forwarded_for(c);
        struct str proto = http_header(r, "x-forwarded-proto"), fwd = http_header(r, "x-forwarded-host");
        if (str_ieqz(proto, "https")) r->is_tls = true;
        if (str_ieqz(proto, "http")) r->is_tls = false;
        if (h1_host_ok(fwd)) host = fwd;
    }
    if (c->snap->c.public_url.n > 0) {
        r->base_url = c->snap->c.public_url;
        return;
    }
    if (host.n == 0) host = STR("localhost"); /* HTTP/1.0 without Host */
    struct str scheme = r->is_tls ? STR("https://") : STR("http://");
    char *p = arena_alloc(r->arena, scheme.n + host.n + 1);
    memcpy(p, scheme.p, scheme.n);
    memcpy(p + scheme.n, host.p, host.n);
    r->base_url = (struct str){p, scheme.n + host.n};
}
