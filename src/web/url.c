/* SPDX-License-Identifier: Apache-2.0 */
/* url.c — paths of this site, from parts that are encoded here: what a template may put into href. */
#include "base/hex.h"
#include "web/web_int.h"

enum { URL_MAX = 16384 };

static struct str finish(struct arena *a, struct buf *b) {
    struct str s = b->failed ? STR("/") : arena_str(a, buf_view(b));
    buf_release(b);
    return s;
}

static void put_repo(struct buf *b, const struct repo_rec *r) {
    buf_char(b, '/');
    buf_cstr(b, repo_type_prefix(r->type));
    uri_encode(b, r->owner, false);
    buf_char(b, '/');
    uri_encode(b, r->name, false);
}

struct str url_repo(struct arena *a, const struct repo_rec *r) {
    struct buf b;
    buf_init(&b, URL_MAX);
    put_repo(&b, r);
    return finish(a, &b);
}

struct str url_owner(struct arena *a, struct str owner) {
    struct buf b;
    buf_init(&b, URL_MAX);
    buf_char(&b, '/');
    uri_encode(&b, owner, false);
    return finish(a, &b);
}

struct str url_at(struct arena *a, const struct repo_rec *r, const char *verb, struct str rev, struct str path) {
    struct buf b;
    buf_init(&b, URL_MAX);
    put_repo(&b, r);
    buf_printf(&b, "/%s/", verb);
    uri_encode(&b, rev, false);
    if (path.n > 0) {
        buf_char(&b, '/');
        uri_encode(&b, path, true);
    }
    return finish(a, &b);
}

/* Empty values are left out. */
struct str url_query(struct arena *a, const char *path, const char *const *names, const struct str *values, size_t n) {
    struct buf b;
    buf_init(&b, URL_MAX);
    buf_cstr(&b, path);
    char sep = '?';
    for (size_t i = 0; i < n; i++) {
        if (values[i].n == 0) continue;
        buf_char(&b, sep);
        buf_cstr(&b, names[i]);
        buf_char(&b, '=');
        uri_encode(&b, values[i], false);
        sep = '&';
    }
    return finish(a, &b);
}

struct str repo_full(struct arena *a, const struct repo_rec *r) {
    return arena_printf(a, STR_FMT "/" STR_FMT, STR_ARG(r->owner), STR_ARG(r->name));
}
