/* SPDX-License-Identifier: Apache-2.0 */
/* repo_settings.c — visibility and the end of a repository. */
#include "hub/hub_db.h"
#include "web/repo_page.h"

static err show(struct http_req *r, struct str error, struct str delete_error, int status) {
    struct repo_page p;
    TRY(repo_page_open(r, "settings", &p));
    TRY(repo_page_side(r, &p)); /* what deleting destroys is named with its size */
    struct view_settings v = {
        .f = web_frame(r, p.head.full, "explore"), .r = p.head, .error = error, .delete_error = delete_error};
    WEB_REPLY(r, status, page_settings, &v);
}

err web_repo_settings(struct http_req *r) {
    return show(r, STR_NULL, STR_NULL, 200);
}

err web_repo_settings_post(struct http_req *r) {
    struct web *w = web_of(r);
    struct str form, what;
    TRY(web_form(r, &form));
    what = form_get(r, form, "do");
    if (str_eqz(what, "visibility")) {
        err e = hub_db_settings(
            w->o.hub, r->who->user_id, r->repo,
            &(struct hub_settings){.set_private = true, .is_private = str_eqz(form_get(r, form, "private"), "1")});
        if (e != OK) return show(r, web_err_text(r), STR_NULL, e->status);
        return web_see(r, arena_printf(r->arena, STR_FMT "/settings", STR_ARG(url_repo(r->arena, r->repo))), "saved");
    }
    if (str_eqz(what, "delete")) {
        if (!str_eq(str_trim(form_get(r, form, "confirm")), repo_full(r->arena, r->repo)))
            return show(r, STR_NULL, web_text(r, N_("The name does not match. Nothing was deleted.")), 422);
        err e = hub_repo_delete(w->o.hub, r->who, r->repo);
        if (e != OK) return show(r, STR_NULL, web_err_text(r), e->status);
        return web_see(r, url_owner(r->arena, r->repo->owner), "deleted");
    }
    return err_fail(E_UNPROCESSABLE, "field do: expected visibility or delete. Nothing was changed.");
}
