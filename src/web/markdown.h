/* SPDX-License-Identifier: Apache-2.0 */
/*
 * markdown.h — Markdown of strangers as markup that may stand in our pages.
 *
 * md4c reads the text; this room writes the markup, and can write only the elements of its own list
 * (headings, paragraphs, lists, quotes, code, tables, emphasis, links, images of the repository).
 * Raw HTML of the source is dropped, what stands between its tags stays text. URLs: md_url.c.
 */
#ifndef BALLAST_WEB_MARKDOWN_H
#define BALLAST_WEB_MARKDOWN_H

#include "web/tmpl.h"

enum { MD_MAX = 256 * 1024, MD_OUT_MAX = 2 * 1024 * 1024 };

struct md_base {
    struct str link;         /* "/amy/m/blob/main": what relative links are below; empty: they are dropped */
    struct str image;        /* "/amy/m/resolve/main": the same for images */
    struct str dir;          /* folder of the document in the repository, "" at the top */
    const char *table_label; /* accessible names, already translated */
    const char *image_label; /* "image" */
};
/* At most MD_MAX bytes of text are read (*cut tells). The markup is in the arena; empty when nothing is left. */
struct html md_render(struct arena *a, struct str text, const struct md_base *base, bool *cut);
/* The text behind its YAML front matter. */
struct str md_body(struct str text);

enum md_url_kind { MD_URL_DROP, MD_URL_HERE, MD_URL_AWAY }; /* here: this site or a fragment */
/* The address made safe for an attribute's value (still to be escaped); entities are decoded by the caller. */
enum md_url_kind md_url(struct arena *a, struct str url, bool image, const struct md_base *base, struct str *out);
#endif
