/* SPDX-License-Identifier: Apache-2.0 */
/* hub_card_text.c — the first plain sentence of a card's Markdown, for lists. */
#include "hub/hub_card.h"

/* Lines that are not prose: headings, HTML, images, lists, tables, quotes, fences, badges. */
static bool is_prose(struct str line) {
    if (line.n < 3) return false;
    if (strchr("#<!|>-*+=`~:", line.p[0]) != NULL) return false;
    return !str_starts(line, "[![") && !str_starts(line, "http");
}

/* Drop emphasis and code marks, keep the text of links. */
static size_t plain(struct str in, char *out, size_t cap) {
    size_t n = 0;
    for (size_t i = 0; i < in.n && n < cap; i++) {
        char c = in.p[i];
        if (c == '*' || c == '`' || c == '[' || c == '\r') continue;
        if (c == ']') {
            if (i + 1 < in.n && in.p[i + 1] == '(') {
                ptrdiff_t end = str_chr(str_from(in, i), ')');
                if (end > 0) i += (size_t)end;
            }
            continue;
        }
        out[n++] = (unsigned char)c < 0x20 ? ' ' : c;
    }
    return n;
}

struct str hub_card_sentence(struct arena *a, struct str body) {
    struct str rest = body, line;
    char out[HUB_DESCRIPTION_MAX + 4];
    size_t n = 0;
    bool fence = false;
    while (rest.n > 0 && str_split(&rest, '\n', &line)) {
        line = str_trim(line);
        if (str_starts(line, "```")) fence = !fence;
        if (fence || !is_prose(line)) {
            if (n > 0) break;
            continue;
        }
        if (n > 0 && n < HUB_DESCRIPTION_MAX) out[n++] = ' ';
        n += plain(line, out + n, HUB_DESCRIPTION_MAX - n);
        if (n >= HUB_DESCRIPTION_MAX) break;
    }
    for (size_t i = 0; i + 1 < n; i++)
        if (out[i] == '.' && out[i + 1] == ' ' && i >= 12) {
            n = i + 1;
            break;
        }
    /* Cut only between characters. */
    while (n > 0 && !str_is_utf8((struct str){out, n})) n--;
    return arena_str(a, str_trim((struct str){out, n}));
}
