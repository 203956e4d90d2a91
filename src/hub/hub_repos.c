/* SPDX-License-Identifier: Apache-2.0 */
/* hub_repos.c — POST /api/repos/create, DELETE /api/repos/delete, POST /api/repos/move, settings, auth-check. */
#include "base/hex.h"
#include "hub/hub_db.h"
#include "hub/hub_parts.h"
#include "hub/hub_repo.h"

enum { MAX_FILES = 64, MAX_CREATE_BODY = 16 * 1024 * 1024 };

/* {url, name, id} and, for a refusal, {error}. The client reads url also from a 409. */
static err reply_repo(struct http_req *r, int status, const struct repo_rec *repo, const char *error) {
    struct buf b cleanup(buf_release);
    buf_init(&b, 16 * KiB);
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    if (error != NULL) {
        jw_kcstr(&w, "error", error);
        http_set(r, "X-Error-Message", arena_str(r->arena, str_of(err_text_en())));
    }
    jw_kstr(&w, "url", hub_repo_url(r, repo));
    jw_kstr(&w, "name", hub_repo_id(r->arena, repo));
    jw_key(&w, "id");
    jw_str(&w, hub_repo_id(r->arena, repo));
    jw_obj_end(&w);
    TRY(buf_ok(&b, "reply"));
    return http_reply_json(r, status, &b);
}

static err body_type(struct jv body, enum repo_type *t) {
    struct str s = jv_str(jv_get(body, "type"), STR("model"));
    if (repo_type_parse(s, t)) return OK;
    return err_fail(E_BAD_REQUEST, "\"type\" must be one of [model, dataset, space], not \"" STR_FMT "\"", STR_ARG(s));
}

/* name may be "ns/name"; otherwise organization, else the caller's own namespace. */
static err body_name(struct http_req *r, struct jv body, struct str *ns, struct str *name) {
    TRY(jv_need_str(body, "name", name));
    *ns = jv_str(jv_get(body, "organization"), STR_NULL);
    ptrdiff_t slash = str_chr(*name, '/');
    if (slash >= 0) {
        *ns = str_sub(*name, 0, (size_t)slash);
        *name = str_from(*name, (size_t)slash + 1);
    }
    if (ns->n == 0) *ns = r->who->name;
    return OK;
}

/* visibility (new clients) or private (old ones). */
static err body_private(struct jv body, bool *is_private, bool *given) {
    struct str v = jv_str(jv_get(body, "visibility"), STR_NULL);
    *given = v.n > 0 || jv_type(jv_get(body, "private")) == JSON_TRUE || jv_type(jv_get(body, "private")) == JSON_FALSE;
    *is_private = jv_bool(jv_get(body, "private"), false);
    if (v.n == 0) return OK;
    if (!str_eqz(v, "public") && !str_eqz(v, "private") && !str_eqz(v, "protected"))
        return err_fail(E_BAD_REQUEST,
                        "\"visibility\" must be one of [public, private, protected], not \"" STR_FMT "\"", STR_ARG(v));
    *is_private = !str_eqz(v, "public");
    return OK;
}

static err body_files(struct http_req *r, struct jv body, struct git_file *files, size_t *n) {
    *n = 0;
    struct jv list = jv_get(body, "files");
    if (jv_len(list) > MAX_FILES)
        return err_fail(E_TOO_LARGE, "\"files\": at most %d files may come with a new repository", MAX_FILES);
    for (struct jv_iter it = jv_iter(list); jv_next(&it);) {
        struct str content;
        TRY(jv_need_str(it.val, "path", &files[*n].path));
        TRY(jv_need_str(it.val, "content", &content));
        if (str_eqz(jv_str(jv_get(it.val, "encoding"), STR("utf-8")), "base64")) {
            struct buf b cleanup(buf_release);
            buf_init(&b, MAX_CREATE_BODY);
            if (!base64_decode(&b, content))
                return err_fail(E_BAD_REQUEST, "\"files\": the content of " STR_FMT " is not base64",
                                STR_ARG(files[*n].path));
            content = arena_str(r->arena, buf_view(&b));
        }
        if (content.n > hub_of(r)->inline_limit)
            return err_fail(E_BAD_REQUEST,
                            STR_FMT
                            " has %zu bytes; files above %zu bytes must be uploaded as large files (LFS or Xet)",
                            STR_ARG(files[*n].path), content.n, hub_of(r)->inline_limit);
        files[(*n)++].content = content;
    }
    return OK;
}

/* A space says what it is, and a licence named at creation (npm's client) goes into the card, unless a card comes
 * along. */
static err first_card(struct http_req *r, struct jv body, struct hub_repo_wish *wish, struct git_file *card) {
    struct str license = jv_str(jv_get(body, "license"), STR_NULL), text;
    if (license.n > 0 && !hub_license_known(license))
        return err_fail(E_BAD_REQUEST, "\"license\": \"" STR_FMT "\" is not a licence name the card may carry",
                        STR_ARG(license));
    for (size_t i = 0; i < wish->n_files; i++)
        if (str_eqz(wish->files[i].path, "README.md")) return OK;
    if (wish->type == REPO_SPACE && wish->n_files == 0)
        text = arena_printf(r->arena, "---\ntitle: " STR_FMT "\nsdk: " STR_FMT "\n", STR_ARG(wish->name),
                            STR_ARG(jv_str(jv_get(body, "sdk"), STR("static"))));
    else if (license.n > 0) text = STR("---\n");
    else return OK;
    if (license.n > 0) text = arena_printf(r->arena, STR_FMT "license: " STR_FMT "\n", STR_ARG(text), STR_ARG(license));
    *card = (struct git_file){STR("README.md"), arena_printf(r->arena, STR_FMT "---\n", STR_ARG(text))};
    wish->n_files++;
    return OK;
}

static err repos_create(struct http_req *r) {
    struct jv body;
    TRY(http_body_json(r, MAX_CREATE_BODY, &body));
    struct hub_repo_wish wish = {0};
    bool given;
    struct git_file files[MAX_FILES + 1];
    TRY(body_type(body, &wish.type));
    TRY(body_name(r, body, &wish.owner, &wish.name));
    TRY(body_private(body, &wish.is_private, &given));
    TRY(body_files(r, body, files, &wish.n_files));
    wish.files = files;
    TRY(first_card(r, body, &wish, &files[wish.n_files]));
    struct repo_rec repo;
    err e = hub_repo_make(hub_of(r), r->arena, r->who, &wish, &repo);
    if (e == E_CONFLICT) return reply_repo(r, 409, &repo, err_text());
    TRY(e);
    return reply_repo(r, 200, &repo, NULL);
}

/* The repository a body names, with write right; a name it moved away from does not count. */
static err named_repo(struct http_req *r, enum repo_type t, struct str ns, struct str name, struct repo_rec *repo) {
    struct hub *h = hub_of(r);
    bool moved;
    TRY(repo_find(h->id, r->arena, t, ns, name, repo, &moved));
    if (moved)
        return err_fail(E_REPO_NOT_FOUND, "Repository not found: " STR_FMT "/" STR_FMT, STR_ARG(ns), STR_ARG(name));
    return repo_access(h->id, r->who, repo, ROLE_WRITE);
}

static err repos_delete(struct http_req *r) {
    struct jv body;
    enum repo_type t;
    struct str ns, name;
    struct repo_rec repo;
    TRY(http_body_json(r, 64 * KiB, &body));
    TRY(body_type(body, &t));
    TRY(body_name(r, body, &ns, &name));
    TRY(named_repo(r, t, ns, name, &repo));
    TRY(hub_repo_delete(hub_of(r), r->who, &repo));
    return http_reply(r, 200, "application/json", STR("{}"));
}

static err split_id(struct str id, const char *field, struct str *ns, struct str *name) {
    ptrdiff_t slash = str_chr(id, '/');
    if (slash <= 0 || (size_t)slash + 1 >= id.n)
        return err_fail(E_BAD_REQUEST, "field %s: expected \"namespace/name\", got \"" STR_FMT "\"", field,
                        STR_ARG(id));
    *ns = str_sub(id, 0, (size_t)slash);
    *name = str_from(id, (size_t)slash + 1);
    return OK;
}

static err repos_move(struct http_req *r) {
    struct hub *h = hub_of(r);
    struct jv body;
    enum repo_type t;
    struct str from, to, ns, name, to_ns, to_name;
    struct repo_rec repo;
    struct owner_rec owner;
    enum role role;
    TRY(http_body_json(r, 64 * KiB, &body));
    TRY(body_type(body, &t));
    TRY(jv_need_str(body, "fromRepo", &from));
    TRY(jv_need_str(body, "toRepo", &to));
    TRY(split_id(from, "fromRepo", &ns, &name));
    TRY(split_id(to, "toRepo", &to_ns, &to_name));
    TRY(named_repo(r, t, ns, name, &repo));
    TRY(id_owner_find(h->id, r->arena, to_ns, &owner));
    TRY(id_role_on_owner(h->id, r->who, owner.id, &role));
    if (role < ROLE_WRITE)
        return err_fail(E_FORBIDDEN,
                        "You don't have the rights to move a %s to the namespace \"" STR_FMT "\"; nothing was moved",
                        repo_type_name(t), STR_ARG(to_ns));
    TRY(id_name_check(to_name, false));
    err e = hub_db_move(h, r->who->user_id, &repo, owner.id, owner.name, to_name);
    if (e == E_CONFLICT)
        return err_fail(E_CONFLICT, "A %s repository called " STR_FMT " already exists", repo_type_name(t),
                        STR_ARG(to));
    TRY(e);
    TRY(repo_get(h->id, r->arena, repo.id, &repo));
    return reply_repo(r, 200, &repo, NULL);
}

static err settings_read(struct jv body, struct hub_settings *s) {
    TRY(body_private(body, &s->is_private, &s->set_private));
    struct jv gated = jv_get(body, "gated");
    if (jv_ok(gated)) {
        s->set_gated = true;
        s->gated = jv_type(gated) == JSON_STRING ? jv_str(gated, STR("")) : STR("");
        if (jv_type(gated) != JSON_FALSE && !str_eqz(s->gated, "auto") && !str_eqz(s->gated, "manual"))
            return err_fail(E_BAD_REQUEST, "\"gated\" must be one of [auto, manual, false]");
    }
    struct jv text = jv_get(body, "description");
    if (jv_type(text) == JSON_STRING) {
        s->set_description = true;
        s->description = jv_str(text, STR(""));
        if (s->description.n > 1000)
            return err_fail(E_BAD_REQUEST, "\"description\": at most 1000 bytes, got %zu", s->description.n);
    }
    return OK;
}

static err repo_settings(struct http_req *r) {
    struct jv body;
    struct hub_settings s = {0};
    TRY(http_body_json(r, 64 * KiB, &body));
    TRY(settings_read(body, &s));
    TRY(hub_db_settings(hub_of(r), r->who->user_id, r->repo, &s));
    struct buf b cleanup(buf_release);
    buf_init(&b, 8 * KiB);
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kbool(&w, "private", s.set_private ? s.is_private : r->repo->is_private);
    struct str gated = s.set_gated ? s.gated : r->repo->gated;
    jw_key(&w, "gated");
    if (gated.n > 0) jw_str(&w, gated);
    else jw_bool(&w, false);
    jw_obj_end(&w);
    return http_reply_json(r, 200, &b);
}

static err auth_check(struct http_req *r) {
    TRY(hub_gated_check(r));
    return http_reply(r, 200, "application/json", STR("{}"));
}

const struct http_route hub_repos_route[] = {
    {.methods = HTTP_POST,
     .pattern = "/api/repos/create",
     .fn = repos_create,
     .auth = AUTH_USER_WRITE,
     .dialect = DIALECT_HF,
     .name = "hub.repos.create",
     .summary = "Make a repository",
     .max_body = MAX_CREATE_BODY},
    {.methods = HTTP_DELETE,
     .pattern = "/api/repos/delete",
     .fn = repos_delete,
     .auth = AUTH_USER_WRITE,
     .dialect = DIALECT_HF,
     .name = "hub.repos.delete",
     .summary = "Remove the repository named in the body"},
    {.methods = HTTP_POST,
     .pattern = "/api/repos/move",
     .fn = repos_move,
     .auth = AUTH_USER_WRITE,
     .dialect = DIALECT_HF,
     .name = "hub.repos.move",
     .summary = "Rename a repository; the old name redirects"},
    HUB_API3(HTTP_PUT, "/settings", repo_settings, AUTH_REPO_WRITE, "hub.settings",
             "Change visibility, gating or description", 0),
    HUB_API3(HTTP_GET, "/auth-check", auth_check, AUTH_REPO_READ, "hub.authcheck", "May the caller read the files", 0),
    HUB_API3(HTTP_GET, "/auth-check/write", auth_check, AUTH_REPO_WRITE, "hub.authcheckwrite", "May the caller write",
             0),
};
const size_t hub_repos_n = ARRAY_LEN(hub_repos_route);
