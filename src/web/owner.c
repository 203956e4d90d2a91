/* SPDX-License-Identifier: Apache-2.0 */
/* owner.c — the page of a person or an organisation. */
#include "web/web_int.h"

enum { OWNER_ROWS = 100 };

static const char *role_word(enum role role) {
    return role >= ROLE_ADMIN ? N_("admin") : role == ROLE_WRITE ? N_("write") : N_("read");
}

static err people_fill(struct http_req *r, const struct owner_rec *o, struct view_owner *v) {
    struct owner_rec *list;
    enum role *roles;
    size_t n;
    if (o->is_org) TRY(id_members_of(web_of(r)->o.id, r->arena, o->id, &list, &roles, &n));
    else TRY(id_orgs_of(web_of(r)->o.id, r->arena, o->id, &list, &roles, &n));
    struct member_row *rows = arena_array(r->arena, struct member_row, n > 0 ? n : 1);
    for (size_t i = 0; i < n; i++)
        rows[i] = (struct member_row){list[i].name, url_owner(r->arena, list[i].name), role_word(roles[i])};
    if (o->is_org) v->members.p = rows, v->members.n = n;
    else v->orgs.p = rows, v->orgs.n = n;
    return OK;
}

err web_owner(struct http_req *r) {
    struct owner_rec o;
    err e = id_owner_find(web_of(r)->o.id, r->arena, http_param(r, "ns"), &o);
    if (e == E_NOT_FOUND)
        return err_fail(E_NOT_FOUND,
                        "There is no person or organisation of this name here. Check the spelling, or search.");
    TRY(e);
    struct view_owner v = {.f = web_frame(r, o.name, ""),
                           .name = o.name,
                           .fullname = o.fullname,
                           .is_org = o.is_org,
                           .created_ms = o.created_ms};
    enum role mine;
    TRY(id_role_on_owner(web_of(r)->o.id, r->who, o.id, &mine));
    v.is_me = mine >= ROLE_WRITE && v.f.signed_in;
    v.new_url = arena_printf(r->arena, "/new?owner=" STR_FMT,
                             STR_ARG(o.name)); /* names need no encoding: their grammar is [A-Za-z0-9._-] */
    TRY(people_fill(r, &o, &v));
    struct hub_list_opts opts = {.type = REPO_MODEL, .author = o.name, .max = OWNER_ROWS, .who = r->who};
    TRY(web_repo_list(r, &opts, &v.models, NULL));
    opts.type = REPO_DATASET;
    TRY(web_repo_list(r, &opts, &v.datasets, NULL));
    opts.type = REPO_SPACE;
    TRY(web_repo_list(r, &opts, &v.spaces, NULL));
    WEB_REPLY(r, 200, page_owner, &v);
}
