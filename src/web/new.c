/* SPDX-License-Identifier: Apache-2.0 */
/* new.c — forms that make a repository or an organisation. */
#include "web/web_int.h"

static err owners_fill(struct http_req *r, struct view_new *v) {
    struct owner_rec *orgs;
    enum role *roles;
    size_t n, k = 0;
    TRY(id_orgs_of(web_of(r)->o.id, r->arena, r->who->user_id, &orgs, &roles, &n));
    struct link *rows = arena_array(r->arena, struct link, n + 1);
    rows[k++] = (struct link){.text = r->who->name, .current = v->owner.n == 0 || str_ieq(v->owner, r->who->name)};
    for (size_t i = 0; i < n; i++)
        if (roles[i] >= ROLE_WRITE)
            rows[k++] = (struct link){.text = orgs[i].name, .current = str_ieq(v->owner, orgs[i].name)};
    v->owners.p = rows, v->owners.n = k;
    return OK;
}

static err repo_form(struct http_req *r, struct view_new *v, int status) {
    TRY(owners_fill(r, v));
    v->f = web_frame(r, web_text(r, N_("New repository")), "");
    WEB_REPLY(r, status, page_new, v);
}

err web_new(struct http_req *r) {
    struct view_new v = {.owner = http_query(r, "owner", STR("")), .type = http_query(r, "type", STR("model"))};
    return repo_form(r, &v, 200);
}

err web_new_post(struct http_req *r) {
    struct str form;
    struct repo_rec repo;
    enum repo_type type = REPO_MODEL;
    TRY(web_form(r, &form));
    struct view_new v = {.owner = form_get(r, form, "owner"),
                         .name = str_trim(form_get(r, form, "name")),
                         .type = form_get(r, form, "type"),
                         .is_private = str_eqz(form_get(r, form, "private"), "1")};
    if (!repo_type_parse(v.type, &type)) {
        v.error = web_text(r, N_("field kind: expected model, dataset or space. Nothing was created."));
        return repo_form(r, &v, 422);
    }
    err e = hub_repo_create(web_of(r)->o.hub, r->who, type, v.owner, v.name, v.is_private, &repo);
    if (e != OK && e->status < 500) {
        v.error = web_err_text(r);
        return repo_form(r, &v, e->status);
    }
    TRY(e);
    return web_see(r, url_repo(r->arena, &repo), "created");
}

static err org_form(struct http_req *r, struct view_new *v, int status) {
    v->is_org_form = true;
    v->f = web_frame(r, web_text(r, N_("New organisation")), "");
    WEB_REPLY(r, status, page_new, v);
}

err web_new_org(struct http_req *r) {
    return org_form(r, &(struct view_new){0}, 200);
}

err web_new_org_post(struct http_req *r) {
    struct str form;
    int64_t org;
    TRY(web_form(r, &form));
    struct view_new v = {.name = str_trim(form_get(r, form, "name")),
                         .fullname = str_trim(form_get(r, form, "fullname"))};
    err e = id_org_add(web_of(r)->o.id, v.name, v.fullname, r->who->user_id, &org);
    if (e != OK && e->status < 500) {
        v.error = web_err_text(r);
        return org_form(r, &v, e->status);
    }
    TRY(e);
    return web_see(r, url_owner(r->arena, v.name), "created");
}
