/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.c — one error, seven shapes: what each family of clients understands (docs/decisions/0021).
 *
 * HF headers: X-Error-Code lets huggingface_hub raise its typed exception; X-Error-Message is printed
 * by it, English and Latin-1 only. A missing or hidden repository is 401 for anonymous callers.
 */
#include "base/json.h"
#include "http/conn.h"

/* Nobody is known: neither the auth hook found somebody nor were credentials offered. */
static bool is_anonymous(const struct http_req *r) {
    return !r->authenticated && http_header(r, "authorization").p == NULL;
}

static int status_of(const struct http_req *r, err e) {
    if ((e == E_REPO_NOT_FOUND || e == E_GATED) && is_anonymous(r)) return 401; /* signing in may help */
    if (e == E_EOF) return 400;
    if (e == E_TIMEOUT && r->conn->body_late) return 408; /* the client was slow, not we */
    return e->status;
}

static void hf_body(struct http_req *r, err e, struct jw *w) {
    const char *en = err_text_en();
    if (e == E_BAD_CREDENTIALS) {
        http_set(r, "X-Error-Message", STR("Invalid credentials in Authorization header"));
    } else {
        const char *code = r->conn->res.err_code != NULL ? r->conn->res.err_code : e->code;
        if (code != NULL) http_set(r, "X-Error-Code", str_of(code));
        http_set(r, "X-Error-Message", str_of(en));
    }
    /* The stock client prints a warning once per topic and process: the kind is the topic. */
    if (e == E_PENDING || e == E_BLOCKED) http_setf(r, "X-HF-Warning", "%s; %s", e->name, en);
    jw_obj(w);
    jw_kcstr(w, "error", err_text());
    jw_obj_end(w);
}

static const char *openai_type(err e) {
    if (e == E_UNAUTHORIZED || e == E_BAD_CREDENTIALS) return "authentication_error";
    if (e == E_FORBIDDEN || e == E_BLOCKED || e == E_GATED) return "permission_error";
    if (e == E_RATE) return "rate_limit_error";
    if (e == E_PAYMENT) return "insufficient_quota";
    return e->status < 500 ? "invalid_request_error" : "server_error";
}

static void openai_body(struct http_req *r, err e, struct jw *w) {
    const char *code = r->conn->res.err_code;
    if (code == NULL) code = e == E_BAD_CREDENTIALS || e == E_UNAUTHORIZED ? "invalid_api_key" : e->name;
    jw_obj(w);
    jw_key(w, "error");
    jw_obj(w);
    jw_kcstr(w, "message", err_text());
    jw_kcstr(w, "type", openai_type(e));
    jw_key(w, "param");
    jw_null(w);
    jw_kcstr(w, "code", code);
    jw_obj_end(w);
    jw_obj_end(w);
}

static void anthropic_body(err e, struct jw *w) {
    const char *type = e == E_PAYMENT     ? "billing_error"
                       : e->status == 404 ? "not_found_error"
                       : e->status == 413 ? "request_too_large"
                       : e->status == 503 ? "overloaded_error"
                       : e->status >= 500 ? "api_error"
                                          : openai_type(e);
    jw_obj(w);
    jw_kcstr(w, "type", "error");
    jw_key(w, "error");
    jw_obj(w);
    jw_kcstr(w, "type", type);
    jw_kcstr(w, "message", err_text());
    jw_obj_end(w);
    jw_obj_end(w);
}

static void lfs_body(struct http_req *r, int status, struct jw *w) {
    if (status == 401) http_set(r, "LFS-Authenticate", STR("Basic realm=\"ballast\""));
    jw_obj(w);
    jw_kcstr(w, "message", err_text());
    jw_kstr(w, "request_id", (struct str){r->id, 26});
    jw_obj_end(w);
}

/* Requests that reached no route: guess the family from the path. */
static enum http_dialect dialect_of(const struct http_req *r) {
    if (r->route != NULL) return r->route->dialect;
    if (str_starts(r->path, "/api/")) return DIALECT_HF;
    if (str_starts(r->path, "/v1/")) return DIALECT_OPENAI;
    return str_find(http_header(r, "accept"), STR("text/html")) >= 0 ? DIALECT_HTML : DIALECT_PLAIN;
}

static err plain_reply(struct http_req *r, int status) {
    struct str text = arena_printf(r->arena, "%s\n", err_text());
    return http_reply(r, status, "text/plain; charset=utf-8", text);
}

static err json_reply(struct http_req *r, err e, int status, enum http_dialect d) {
    struct buf b cleanup(buf_release);
    buf_init(&b, 64 * KiB);
    struct jw w;
    jw_init(&w, &b);
    const char *type = "application/json; charset=utf-8";
    if (d == DIALECT_OPENAI) openai_body(r, e, &w);
    else if (d == DIALECT_ANTHROPIC) anthropic_body(e, &w);
    else if (d == DIALECT_LFS) {
        lfs_body(r, status, &w);
        type = "application/vnd.git-lfs+json";
    } else hf_body(r, e, &w);
    TRY(buf_ok(&b, "the error"));
    return http_reply(r, status, type, buf_view(&b));
}

/*
 * What these kinds say is for the log: paths, SQL, messages of libraries. A client gets the request's number, under
 * which the log has it (dispatch.c writes the line before it answers).
 */
static err veil(const struct http_req *r, err e) {
    if (e == E_NOMEM) return err_fail(e, "the server is out of memory; try again shortly");
    if (e != E_INTERNAL && e != E_IO && e != E_CORRUPT) return e;
    return err_fail(e, "the server failed; its log tells why under request %.26s", r->id);
}

err http_reply_error(struct http_req *r, err e) {
    struct http_conn *c = r->conn;
    if (c->res.began) return err_fail(E_INTERNAL, "an error came after the answer had begun");
    res_drop_entity_headers(&c->res);
    int status = status_of(r, e);
    unsigned wait_s = err_slot()->retry_after_s;
    e = veil(r, e);
    if (wait_s == 0 && e == E_PENDING) wait_s = 5;
    if (wait_s > 0 && (status == 429 || status == 503)) http_setf(r, "Retry-After", "%u", wait_s);
    if (status >= 500) http_set(r, "Cache-Control", STR("no-store"));
    enum http_dialect d = dialect_of(r);
    if (d == DIALECT_HTML && c->srv->hooks.html_error != NULL) {
        err he = c->srv->hooks.html_error(c->srv->hooks.arg, r, e);
        if (he == OK || c->res.began) return he;
    }
    if (d == DIALECT_GIT) {
        if (status == 401) http_set(r, "WWW-Authenticate", STR("Basic realm=\"ballast\", charset=\"UTF-8\""));
        return plain_reply(r, status);
    }
    if (d == DIALECT_HTML || d == DIALECT_PLAIN) return plain_reply(r, status);
    if (d == DIALECT_LFS && status == 401)
        http_set(r, "WWW-Authenticate", STR("Basic realm=\"ballast\", charset=\"UTF-8\""));
    return json_reply(r, e, status, d);
}
