/* SPDX-License-Identifier: Apache-2.0 */
/* frame.c — what every page has: frame, headers, forms, the word after a deed. */
#include "base/clock.h"
#include "base/hex.h"
#include "web/asset.h"
#include "web/web_int.h"

/*
 * Nothing from elsewhere, nothing inline. connect-src is this site too: the playground and the live parts.
 * Stated in docs/operations/console.md; the end-to-end test holds each page to it.
 */
#define CONTENT_POLICY                                                                                                 \
    "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'"

/* What ?done=… says on the page after a redirect; unknown words say nothing. */
static const struct {
    const char *word, *msgid;
} deeds[] = {
    {"token-revoked", N_("The token is revoked. Programs that used it are refused from now on.")},
    {"session-ended", N_("That session has ended.")},
    {"password", N_("The password is changed. All your other sessions have ended.")},
    {"saved", N_("Saved.")},
    {"created", N_("Created.")},
    {"deleted", N_("The repository is deleted.")},
    {"decided", N_("Your decision is signed and recorded.")},
    {"deploying", N_("The deployment is on its way; its state is shown here.")},
    {"stopped", N_("The deployment stops: running answers finish first.")},
    {"restarted", N_("The deployment restarts.")},
};

static const char *deed(struct http_req *r) {
    struct str word = http_query(r, "done", STR_NULL);
    for (size_t i = 0; i < ARRAY_LEN(deeds); i++)
        if (str_eqz(word, deeds[i].word)) return deeds[i].msgid;
    return NULL;
}

struct str web_text(const struct http_req *r, const char *msgid) {
    return str_of(i18n(r->lang, msgid));
}

static const char *theme_of(struct http_req *r) {
    struct str c = http_cookie(r, COOKIE_THEME);
    return str_eqz(c, "dark") ? "dark" : str_eqz(c, "light") ? "light" : "auto";
}

/* Path and query of this page without the "done" of a redirect. */
static struct str self_of(struct http_req *r) {
    struct str q = r->query, part;
    struct buf b;
    buf_init(&b, 8192);
    buf_str(&b, r->path);
    char sep = '?';
    while (q.n > 0 && str_split(&q, '&', &part)) {
        if (part.n == 0 || str_starts(part, "done=")) continue;
        buf_char(&b, sep);
        buf_str(&b, part);
        sep = '&';
    }
    struct str s = b.failed ? STR("/") : arena_str(r->arena, buf_view(&b));
    buf_release(&b);
    return s;
}

struct frame web_frame(struct http_req *r, struct str title, const char *nav) {
    struct str host = r->base_url;
    ptrdiff_t scheme = str_find(host, STR("://"));
    if (scheme >= 0) host = str_from(host, (size_t)scheme + 3);
    struct frame f = {.lang = i18n_tag(r->lang),
                      .theme = theme_of(r),
                      .nav = nav,
                      .title = title,
                      .base_url = r->base_url,
                      .host = host,
                      .version = STR(BALLAST_VERSION),
                      .notice = deed(r)};
    f.self = r->method == HTTP_POST ? STR("/") : self_of(r);
    const struct principal *who = r->who;
    if (who != NULL && who->user_id != 0 && who->by_session) {
        f.signed_in = true;
        f.is_admin = who->is_admin;
        f.is_reviewer = who->is_reviewer || who->is_admin;
        f.user = who->name;
        f.user_url = url_owner(r->arena, who->name);
        f.csrf = who->csrf;
    } else {
        static const char *const names[] = {"next"};
        f.signin_url = url_query(r->arena, "/sign-in", names, &f.self, str_starts(f.self, "/sign-in") ? 0 : 1);
    }
    return f;
}

void web_begin(struct http_req *r, struct page *p) {
    buf_init(&p->b, PAGE_MAX);
    p->t = (struct tmpl){&p->b, r->arena, r->lang, clock_wall_ms()};
}

err web_end(struct http_req *r, struct page *p, int status) {
    err e = buf_ok(&p->b, "the page");
    if (e == OK) {
        http_set(r, "Content-Security-Policy", STR(CONTENT_POLICY));
        http_set(r, "X-Content-Type-Options", STR("nosniff"));
        http_set(r, "Referrer-Policy", STR("same-origin"));
        http_set(r, "Cache-Control", STR("private, no-cache"));
        http_set(r, "Vary", STR("Cookie, Accept-Language"));
        http_set(r, "Content-Language", str_of(i18n_tag(r->lang)));
        e = http_reply(r, status, "text/html; charset=utf-8", buf_view(&p->b));
    }
    buf_release(&p->b);
    return e;
}

/* --- forms ------------------------------------------------------------------------------------ */
err web_form(struct http_req *r, struct str *body) {
    return http_body_all(r, FORM_MAX, body);
}

struct str form_get(struct http_req *r, struct str body, const char *name) {
    struct str v;
    return uri_param(r->arena, body, name, 0, &v) ? v : STR("");
}

struct str web_local_path(struct str p) {
    /* "/\" and "//" would leave the site in a browser; control characters have no place in a header */
    if (p.n == 0 || p.p[0] != '/' || (p.n > 1 && (p.p[1] == '/' || p.p[1] == '\\')) || p.n > 4096) return STR("/");
    for (size_t i = 0; i < p.n; i++)
        if ((unsigned char)p.p[i] <= 0x20 || p.p[i] == 0x7F || p.p[i] == '\\') return STR("/");
    return p;
}

err web_see(struct http_req *r, struct str path, const char *done) {
    path = web_local_path(path);
    if (done != NULL) {
        ptrdiff_t hash = str_chr(path, '#');
        if (hash >= 0) path = str_sub(path, 0, (size_t)hash);
        path = arena_printf(r->arena, STR_FMT "%cdone=%s", STR_ARG(path), str_chr(path, '?') < 0 ? '?' : '&', done);
    }
    http_set(r, "Cache-Control", STR("no-store"));
    return http_redirect(r, 303, path);
}

/* Errors are written to stand behind a context; on a page they are sentences. */
struct str web_err_text(struct http_req *r) {
    const char *z = err_text();
    size_t n = strlen(z);
    if (n == 0) return STR("");
    bool ended = strchr(".!?)", z[n - 1]) != NULL || str_ends(str_of(z), "。") || str_ends(str_of(z), "）");
    char *s = arena_strz(r->arena, arena_printf(r->arena, "%s%s", z, ended ? "" : r->lang == LANG_ZH ? "。" : "."));
    bool word = n > 1 && z[0] >= 'a' && z[0] <= 'z' && z[1] >= 'a' && z[1] <= 'z';
    if (word) s[0] = (char)(s[0] - 'a' + 'A');
    return str_of(s);
}
