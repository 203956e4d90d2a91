/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asset.h — stylesheet, scripts and mark, embedded by tools/embed.py. The URL carries the content's
 * hash, so answers are cacheable for ever and a new build needs no cache to be cleared.
 */
#ifndef BALLAST_WEB_ASSET_H
#define BALLAST_WEB_ASSET_H

#include "base/base.h"
#include "base/str.h"

struct asset {
    const char *name; /* "app.css" */
    const char *url;  /* "/assets/app.0123456789ab.css" */
    const char *type;
    const char *p;
    size_t n;
    const char *gz; /* the same, gzip */
    size_t n_gz;
};
extern const struct asset asset_table[];
extern const size_t asset_table_len;

/* By plain name; a name that no file has is a bug in a template. */
const struct asset *asset_get(const char *name);
/* By URL path; NULL when unknown (or of an older build). */
const struct asset *asset_by_url(struct str path);
#endif
