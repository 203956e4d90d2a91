/* SPDX-License-Identifier: Apache-2.0 */
/* pkt.c — pkt-lines: four lower- or upper-case hex digits, then length-4 bytes; at most 65,520 in all. */
#include "git/pkt.h"

#include "base/hex.h"

enum { PKT_MAX = 65520 };

enum pkt_kind pkt_next(struct str *rest, struct str *line) {
    uint8_t len[2];
    *line = STR_NULL;
    if (rest->n == 0) return PKT_DONE;
    if (rest->n < 4 || !hex_decode(str_sub(*rest, 0, 4), len, 2)) return PKT_BAD;
    size_t n = (size_t)len[0] << 8 | len[1];
    if (n < 4) {
        *rest = str_from(*rest, 4);
        return n == 0 ? PKT_FLUSH : n == 1 ? PKT_DELIM : n == 2 ? PKT_END : PKT_BAD;
    }
    if (n > PKT_MAX || n > rest->n) return PKT_BAD;
    *line = str_sub(*rest, 4, n - 4);
    *rest = str_from(*rest, n);
    if (line->n > 0 && line->p[line->n - 1] == '\n') line->n--;
    return PKT_DATA;
}

void pkt_line(struct buf *b, struct str text) {
    BUG_ON(text.n > PKT_MAX - 4);
    buf_printf(b, "%04zx", text.n + 4);
    buf_str(b, text);
}

void pkt_flush(struct buf *b) {
    buf_cstr(b, "0000");
}

enum pkt_wants pkt_wants(struct str body, struct str *oids, size_t max, size_t *n) {
    struct str line;
    *n = 0;
    for (;;) {
        enum pkt_kind k = pkt_next(&body, &line);
        if (k == PKT_BAD) return PKT_MALFORMED;
        if (k == PKT_DONE) return PKT_OK;
        if (k != PKT_DATA || !str_starts(line, "want ")) continue;
        struct str oid = str_sub(line, 5, 40);
        if (oid.n != 40 || !str_is_hex(oid) || (line.n > 45 && line.p[45] != ' ')) return PKT_MALFORMED;
        if (*n == max) return PKT_LIMIT;
        oids[(*n)++] = oid;
    }
}
