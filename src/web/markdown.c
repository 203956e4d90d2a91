/* SPDX-License-Identifier: Apache-2.0 */
/*
 * markdown.c — writes markup from md4c's events. Every tag below is a literal of this file and every value in one is
 * escaped, so the output holds no element, attribute or scheme that is not on the list, whatever the input.
 *
 * Headings are one level lower than written (the page has its own first heading) and get ids "md-words-of-it".
 * Containers deeper than MAX_DEPTH lose their tags, not their text.
 */
#include <md4c.h>

#include "base/hex.h"
#include "web/markdown.h"

enum { SOURCE_PAD = 64, MAX_DEPTH = 24, MAX_IDS = 256, ID_MAX = 96 };

struct md {
    struct tmpl t; /* for escaping into out */
    struct buf out;
    struct arena *a;
    const struct md_base *base;
    struct str source; /* our copy, ended by "\n" and NULs */
    unsigned depth;    /* open containers */
    unsigned image;    /* inside so many images: only text counts, as their name */
    size_t image_mark;
    unsigned link; /* open links that were written */
    bool heading;
    size_t heading_mark;
    char id[ID_MAX + 1];
    size_t n_id;
    uint64_t ids[MAX_IDS];
    size_t n_ids;
};

static void put(struct md *m, const char *z) {
    buf_cstr(&m->out, z);
}

/* --- heading ids --------------------------------------------------------------------------------- */
/* Letters, digits and anything beyond ASCII stay; runs of the rest become one "-". */
static void id_add(struct md *m, const char *p, size_t n) {
    for (size_t i = 0; i < n && m->n_id < ID_MAX; i++) {
        unsigned char c = (unsigned char)p[i];
        bool keep = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
        if (keep) m->id[m->n_id++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        else if (m->n_id > 0 && m->id[m->n_id - 1] != '-') m->id[m->n_id++] = '-';
    }
}

static void heading_close(struct md *m, unsigned level) {
    struct html inner = tmpl_cut(&m->t, m->heading_mark);
    while (m->n_id > 0 && (m->id[m->n_id - 1] == '-')) m->n_id--;
    uint64_t h = str_hash(str_make(m->id, m->n_id));
    unsigned same = 0;
    for (size_t i = 0; i < m->n_ids; i++) same += m->ids[i] == h;
    if (m->n_ids < MAX_IDS) m->ids[m->n_ids++] = h;
    level = MIN(level + 1, 6u);
    buf_printf(&m->out, "<h%u", level);
    if (m->n_id > 0 && m->n_ids < MAX_IDS) {
        put(m, " id=\"md-");
        tmpl_esc(&m->t, m->id, m->n_id);
        if (same > 0) buf_printf(&m->out, "-%u", same);
        put(m, "\"");
    }
    put(m, ">");
    tmpl_put_html(&m->t, inner);
    buf_printf(&m->out, "</h%u>\n", level);
    m->heading = false;
}

/* --- attributes: text with entities, decoded ------------------------------------------------------ */
static void utf8_put(struct buf *b, uint32_t c) {
    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) c = 0xFFFD;
    if (c < 0x80) {
        buf_char(b, (char)c);
    } else if (c < 0x800) {
        buf_char(b, (char)(0xC0 | (c >> 6)));
        buf_char(b, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        buf_char(b, (char)(0xE0 | (c >> 12)));
        buf_char(b, (char)(0x80 | ((c >> 6) & 0x3F)));
        buf_char(b, (char)(0x80 | (c & 0x3F)));
    } else {
        buf_char(b, (char)(0xF0 | (c >> 18)));
        buf_char(b, (char)(0x80 | ((c >> 12) & 0x3F)));
        buf_char(b, (char)(0x80 | ((c >> 6) & 0x3F)));
        buf_char(b, (char)(0x80 | (c & 0x3F)));
    }
}

/* "&#58;", "&#x3a;" and the five names of XML; other names are kept as their letters, which no scheme contains. */
static void entity_put(struct buf *b, struct str e) {
    static const struct {
        const char *name;
        char c;
    } names[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eqz(e, names[i].name)) {
            buf_char(b, names[i].c);
            return;
        }
    if (e.n < 4 || e.p[1] != '#') {
        buf_str(b, e);
        return;
    }
    bool hex = e.p[2] == 'x' || e.p[2] == 'X';
    uint32_t c = 0;
    for (size_t i = hex ? 3 : 2; i + 1 < e.n && c <= 0x10FFFF; i++) {
        unsigned d = (unsigned char)e.p[i];
        d = d >= '0' && d <= '9'   ? d - '0'
            : d >= 'a' && d <= 'f' ? d - 'a' + 10
            : d >= 'A' && d <= 'F' ? d - 'A' + 10
                                   : 0;
        c = c * (hex ? 16 : 10) + d;
    }
    utf8_put(b, c);
}

/*
 * md4c 0.4.8 looks past the end of its input in some broken links (found by the fuzz target) and then reports text that
 * reaches beyond it. So it gets a copy with a line end and zeros behind, and no more of a text is taken than is in it.
 */
static MD_SIZE clamp(const struct md *m, const char *p, MD_SIZE n) {
    uintptr_t at = (uintptr_t)p, from = (uintptr_t)m->source.p, end = from + m->source.n;
    if (at < from || at > end + SOURCE_PAD) return n; /* md4c's own strings: " ", "\n" */
    return at >= end ? 0 : (MD_SIZE)MIN((uintptr_t)n, end - at);
}

static struct str attribute(struct md *m, const MD_ATTRIBUTE *at) {
    struct buf b;
    buf_init(&b, 16 * 1024);
    for (size_t i = 0; at->text != NULL && at->substr_offsets[i] < at->size; i++) {
        struct str part = str_make(at->text + at->substr_offsets[i], at->substr_offsets[i + 1] - at->substr_offsets[i]);
        part.n = clamp(m, part.p, (MD_SIZE)part.n);
        if (at->substr_types[i] == MD_TEXT_ENTITY) entity_put(&b, part);
        else if (at->substr_types[i] == MD_TEXT_NULLCHAR) utf8_put(&b, 0xFFFD);
        else buf_str(&b, part);
    }
    struct str s = b.failed ? STR("") : arena_str(m->a, buf_view(&b));
    buf_release(&b);
    return s;
}

/* --- blocks ---------------------------------------------------------------------------------------- */
static void cell(struct md *m, const char *name, MD_ALIGN align) {
    buf_printf(&m->out, "<%s%s>", name,
               align == MD_ALIGN_CENTER  ? " class=\"al-c\""
               : align == MD_ALIGN_RIGHT ? " class=\"al-r\""
                                         : "");
}

static void container(struct md *m, MD_BLOCKTYPE type, void *detail) {
    if (m->depth++ >= MAX_DEPTH) return;
    const MD_BLOCK_LI_DETAIL *li = detail;
    if (type == MD_BLOCK_QUOTE) put(m, "<blockquote>\n");
    else if (type == MD_BLOCK_UL) put(m, "<ul>\n");
    else if (type == MD_BLOCK_OL)
        buf_printf(&m->out, "<ol start=\"%u\">\n", ((const MD_BLOCK_OL_DETAIL *)detail)->start);
    else if (li->is_task) /* a sign, not a control that would do nothing */
        put(m, li->task_mark == ' ' ? "<li class=\"task\">\xE2\x98\x90 " : "<li class=\"task\">\xE2\x98\x91 ");
    else put(m, "<li>");
}

static void container_end(struct md *m, MD_BLOCKTYPE type) {
    if (--m->depth >= MAX_DEPTH) return;
    put(m, type == MD_BLOCK_QUOTE ? "</blockquote>\n"
           : type == MD_BLOCK_UL  ? "</ul>\n"
           : type == MD_BLOCK_OL  ? "</ol>\n"
                                  : "</li>\n");
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *arg) {
    struct md *m = arg;
    switch (type) {
    case MD_BLOCK_DOC:
    case MD_BLOCK_HTML: break;
    case MD_BLOCK_QUOTE:
    case MD_BLOCK_UL:
    case MD_BLOCK_OL:
    case MD_BLOCK_LI: container(m, type, detail); break;
    case MD_BLOCK_HR: put(m, "<hr>\n"); break;
    case MD_BLOCK_H:
        m->heading = true;
        m->n_id = 0;
        m->heading_mark = tmpl_mark(&m->t);
        break;
    case MD_BLOCK_CODE: put(m, "<pre tabindex=\"0\"><code>"); break;
    case MD_BLOCK_P: put(m, "<p>"); break;
    case MD_BLOCK_TABLE:
        put(m, "<div class=\"tablebox\" tabindex=\"0\" role=\"region\" aria-label=\"");
        tmpl_put_cstr(&m->t, m->base->table_label);
        put(m, "\"><table>\n");
        break;
    case MD_BLOCK_THEAD: put(m, "<thead>\n"); break;
    case MD_BLOCK_TBODY: put(m, "<tbody>\n"); break;
    case MD_BLOCK_TR: put(m, "<tr>"); break;
    case MD_BLOCK_TH: cell(m, "th", ((const MD_BLOCK_TD_DETAIL *)detail)->align); break;
    case MD_BLOCK_TD: cell(m, "td", ((const MD_BLOCK_TD_DETAIL *)detail)->align); break;
    }
    return m->out.failed;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *arg) {
    struct md *m = arg;
    switch (type) {
    case MD_BLOCK_DOC:
    case MD_BLOCK_HTML:
    case MD_BLOCK_HR: break;
    case MD_BLOCK_QUOTE:
    case MD_BLOCK_UL:
    case MD_BLOCK_OL:
    case MD_BLOCK_LI: container_end(m, type); break;
    case MD_BLOCK_H: heading_close(m, ((const MD_BLOCK_H_DETAIL *)detail)->level); break;
    case MD_BLOCK_CODE: put(m, "</code></pre>\n"); break;
    case MD_BLOCK_P: put(m, "</p>\n"); break;
    case MD_BLOCK_TABLE: put(m, "</table></div>\n"); break;
    case MD_BLOCK_THEAD: put(m, "</thead>\n"); break;
    case MD_BLOCK_TBODY: put(m, "</tbody>\n"); break;
    case MD_BLOCK_TR: put(m, "</tr>\n"); break;
    case MD_BLOCK_TH: put(m, "</th>"); break;
    case MD_BLOCK_TD: put(m, "</td>"); break;
    }
    return m->out.failed;
}

/* --- spans ------------------------------------------------------------------------------------------ */
static void link_open(struct md *m, const MD_SPAN_A_DETAIL *d) {
    struct str url;
    enum md_url_kind kind = md_url(m->a, attribute(m, &d->href), false, m->base, &url);
    /* dropped addresses leave a link without one: its end tag needs no memory of it */
    put(m, "<a");
    if (kind != MD_URL_DROP) {
        put(m, " href=\"");
        tmpl_put_str(&m->t, url);
        put(m, kind == MD_URL_AWAY ? "\" rel=\"nofollow ugc noopener noreferrer\"" : "\"");
    }
    put(m, ">");
    m->link++;
}

/* Images of the repository are shown; one from elsewhere would tell its host who reads the page, so it is a link. */
static void image_close(struct md *m, const MD_SPAN_IMG_DETAIL *d) {
    struct html name = tmpl_cut(&m->t, m->image_mark);
    struct str url;
    enum md_url_kind kind = md_url(m->a, attribute(m, &d->src), true, m->base, &url);
    if (kind == MD_URL_HERE) {
        put(m, "<img loading=\"lazy\" src=\"");
        tmpl_put_str(&m->t, url);
        put(m, "\" alt=\"");
        tmpl_put_html(&m->t, name); /* escaped text */
        put(m, "\">");
        return;
    }
    bool linked = kind == MD_URL_AWAY && m->link == 0;
    if (linked) {
        put(m, "<a class=\"external-image\" rel=\"nofollow ugc noopener noreferrer\" href=\"");
        tmpl_put_str(&m->t, url);
        put(m, "\">");
    }
    if (name.n > 0) tmpl_put_html(&m->t, name);
    else tmpl_put_cstr(&m->t, m->base->image_label);
    if (linked) put(m, "</a>");
}

static int enter_span(MD_SPANTYPE type, void *detail, void *arg) {
    struct md *m = arg;
    if (type == MD_SPAN_IMG && m->image++ == 0) m->image_mark = tmpl_mark(&m->t);
    if (m->image > 0) return 0;
    if (type == MD_SPAN_EM) put(m, "<em>");
    if (type == MD_SPAN_STRONG) put(m, "<strong>");
    if (type == MD_SPAN_CODE) put(m, "<code>");
    if (type == MD_SPAN_DEL) put(m, "<del>");
    if (type == MD_SPAN_A) link_open(m, detail);
    return m->out.failed;
}

static int leave_span(MD_SPANTYPE type, void *detail, void *arg) {
    struct md *m = arg;
    if (type == MD_SPAN_IMG) {
        if (--m->image == 0) image_close(m, detail);
        return m->out.failed;
    }
    if (m->image > 0) return 0;
    if (type == MD_SPAN_EM) put(m, "</em>");
    if (type == MD_SPAN_STRONG) put(m, "</strong>");
    if (type == MD_SPAN_CODE) put(m, "</code>");
    if (type == MD_SPAN_DEL) put(m, "</del>");
    if (type == MD_SPAN_A && m->link > 0) {
        put(m, "</a>");
        m->link--;
    }
    return m->out.failed;
}

static int text(MD_TEXTTYPE type, const MD_CHAR *p, MD_SIZE n, void *arg) {
    struct md *m = arg;
    n = clamp(m, p, n);
    switch (type) {
    case MD_TEXT_HTML: return 0; /* raw HTML is dropped */
    case MD_TEXT_NULLCHAR: put(m, "\xEF\xBF\xBD"); return 0;
    case MD_TEXT_BR: put(m, m->image > 0 ? " " : "<br>\n"); break;
    case MD_TEXT_SOFTBR: put(m, "\n"); break;
    case MD_TEXT_ENTITY: { /* decoded and escaped again: what the source means, never markup */
        struct buf b;
        buf_init(&b, 256);
        entity_put(&b, str_make(p, n));
        struct str s = buf_view(&b);
        if (s.n > 1 && s.p[0] == '&' && str_eq(s, str_make(p, n)))
            buf_str(&m->out, s); /* a name that only the browser knows: &eacute; */
        else tmpl_show_str(&m->t, s);
        buf_release(&b);
        return m->out.failed;
    }
    case MD_TEXT_NORMAL:
    case MD_TEXT_CODE:
    case MD_TEXT_LATEXMATH: tmpl_say(&m->t, p, n); break;
    }
    if (m->heading && m->image == 0)
        id_add(m, type == MD_TEXT_BR || type == MD_TEXT_SOFTBR ? " " : p,
               type == MD_TEXT_BR || type == MD_TEXT_SOFTBR ? 1 : n);
    return m->out.failed;
}

struct str md_body(struct str s) {
    if (str_starts(s, "\xEF\xBB\xBF")) s = str_from(s, 3);
    if (!str_starts(s, "---\n") && !str_starts(s, "---\r\n")) return s;
    struct str rest = s, line;
    str_split(&rest, '\n', &line);
    while (rest.n > 0 && str_split(&rest, '\n', &line)) {
        line = str_trim(line);
        if (str_eqz(line, "---") || str_eqz(line, "...")) return rest;
    }
    return s; /* never closed: not front matter */
}

struct html md_render(struct arena *a, struct str source, const struct md_base *base, bool *cut) {
    struct md *m = arena_new(a, struct md);
    m->a = a;
    m->base = base;
    buf_init(&m->out, MD_OUT_MAX);
    m->t = (struct tmpl){.b = &m->out, .a = a};
    *cut = source.n > MD_MAX;
    source = str_sub(source, 0, MD_MAX);
    char *copy = arena_alloc(a, source.n + 1 + SOURCE_PAD); /* zeroed */
    if (source.n > 0) memcpy(copy, source.p, source.n);
    copy[source.n] = '\n';
    m->source = source = str_make(copy, source.n + 1);
    const MD_PARSER parser = {.flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_TASKLISTS |
                                       MD_FLAG_PERMISSIVEURLAUTOLINKS,
                              .enter_block = enter_block,
                              .leave_block = leave_block,
                              .enter_span = enter_span,
                              .leave_span = leave_span,
                              .text = text};
    struct html h = {"", 0};
    if (md_parse(source.p, (MD_SIZE)source.n, &parser, m) == 0 && !m->out.failed) {
        struct str s = arena_str(a, buf_view(&m->out));
        h = (struct html){s.p, s.n};
    }
    buf_release(&m->out);
    return h;
}
