/* SPDX-License-Identifier: Apache-2.0 */
/* config_check.c — what a value must be beyond its type. Each check names the place where the value was written. */
#include <ctype.h>

#include "app/config_schema.h"
#include "http/http.h"

static struct str text_at(const struct config_key *k, const void *base) {
    return *(const struct str *)(const void *)((const char *)base + k->offset);
}

err config_check_listen(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place) {
    (void)i;
    char field[600];
    snprintf(field, sizeof field, "%s: %s", place, k->name);
    TRY(config_parse_listen(c, text_at(k, base), field));
    struct str host = c->listen_host;
    if (str_eqz(host, "localhost") || (str_chr(host, '/') < 0 && http_proxy_ok(host))) return OK;
    return err_fail(E_UNPROCESSABLE, "%s: expected an IP address before the port, got \"" STR_FMT "\"", field,
                    STR_ARG(host));
}

err config_check_data(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place) {
    (void)c, (void)i;
    if (text_at(k, base).n > 0) return OK;
    return err_fail(E_UNPROCESSABLE, "%s: %s: expected a directory, got nothing", place, k->name);
}

/* http(s)://HOST[:PORT][/PATH]: no user, query or fragment — what is built from it must stay an address. */
static bool url_ok(struct str u) {
    size_t scheme = str_starts(u, "https://") ? 8 : str_starts(u, "http://") ? 7 : 0;
    if (scheme == 0) return false;
    struct str rest = str_from(u, scheme);
    ptrdiff_t slash = str_chr(rest, '/');
    struct str host = slash < 0 ? rest : str_sub(rest, 0, (size_t)slash);
    for (size_t i = 0; i < u.n; i++)
        if (u.p[i] <= ' ' || u.p[i] > '~' || strchr("?#\"<>\\^`{|}", u.p[i]) != NULL) return false;
    return host.n > 0 && str_chr(host, '@') < 0 && h1_host_ok(host);
}

err config_check_url(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place) {
    (void)c, (void)i;
    struct str u = text_at(k, base);
    if (u.n == 0 && k->dflt != NULL) return OK; /* an optional one */
    if (url_ok(u)) return OK;
    /* The value is not repeated: an address with a password in it would land in a log. */
    return err_fail(E_UNPROCESSABLE,
                    "%s: %s: expected http://HOST or https://HOST, with a path at most (no user, query or fragment)",
                    place, k->name);
}

err config_check_proxy(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place) {
    const struct config_list *l = (const struct config_list *)(const void *)((const char *)base + k->offset);
    (void)c;
    if (http_proxy_ok(l->v[i])) return OK;
    return err_fail(E_UNPROCESSABLE, "%s: %s: expected an address or a CIDR range, got \"" STR_FMT "\"", place, k->name,
                    STR_ARG(l->v[i]));
}

err config_check_tls(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place) {
    (void)base, (void)i;
    if ((c->tls_cert.n > 0) == (c->tls_key.n > 0)) return OK;
    return err_fail(E_UNPROCESSABLE, "%s: %s: cert and key are needed together", place, k->name);
}

err config_check_model(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place) {
    const struct config_model *m = base;
    (void)c;
    if (m[i].name.n == 0) return err_fail(E_UNPROCESSABLE, "%s: %s: a name is empty", place, k->name);
    for (size_t j = 0; j < i; j++)
        if (str_eq(m[i].name, m[j].name))
            return err_fail(E_UNPROCESSABLE, "%s: %s: the name \"" STR_FMT "\" is used twice", place, k->name,
                            STR_ARG(m[i].name));
    return OK;
}

/* It stands in response headers and metrics. */
static bool plain_name(struct str s) {
    for (size_t i = 0; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && strchr("._-", s.p[i]) == NULL) return false;
    return s.n > 0 && s.n <= 64;
}

err config_check_provider(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place) {
    const struct config_provider *p = base;
    (void)c;
    if (!plain_name(p[i].name))
        return err_fail(E_UNPROCESSABLE, "%s: %s: name: expected 1 to 64 of A-Z a-z 0-9 . _ -, got \"" STR_FMT "\"",
                        place, k->name, STR_ARG(p[i].name));
    if (p[i].key_env.n > 0 && p[i].key_file.n > 0)
        return err_fail(E_UNPROCESSABLE, "%s: %s: give key_env or key_file, not both", place, k->name);
    for (size_t j = 0; j < i; j++)
        if (str_eq(p[i].name, p[j].name))
            return err_fail(E_UNPROCESSABLE, "%s: %s: the name \"" STR_FMT "\" is used twice", place, k->name,
                            STR_ARG(p[i].name));
    return OK;
}

err config_check_engine(struct config *c, const struct config_key *k, const void *base, size_t i, const char *place) {
    const struct config_engine *e = base;
    (void)c;
    if (!plain_name(e[i].name))
        return err_fail(E_UNPROCESSABLE, "%s: %s: name: expected 1 to 64 of A-Z a-z 0-9 . _ -, got \"" STR_FMT "\"",
                        place, k->name, STR_ARG(e[i].name));
    if (e[i].argv.n == 0) return err_fail(E_UNPROCESSABLE, "%s: %s: argv is empty", place, k->name);
    if (e[i].formats.n > CONFIG_MAX_FORMATS)
        return err_fail(E_UNPROCESSABLE, "%s: %s: at most %d formats", place, k->name, CONFIG_MAX_FORMATS);
    for (size_t j = 0; j < i; j++)
        if (str_eq(e[i].name, e[j].name))
            return err_fail(E_UNPROCESSABLE, "%s: %s: the name \"" STR_FMT "\" is used twice", place, k->name,
                            STR_ARG(e[i].name));
    return OK;
}
