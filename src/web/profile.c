/* SPDX-License-Identifier: Apache-2.0 */
/* profile.c — language, password, organisations of the account; signing in and out. */
#include "web/web_int.h"

static err profile_show(struct http_req *r, struct str error, int status) {
    struct owner_rec *orgs;
    enum role *roles;
    size_t n;
    TRY(id_orgs_of(web_of(r)->o.id, r->arena, r->who->user_id, &orgs, &roles, &n));
    struct member_row *rows = arena_array(r->arena, struct member_row, n > 0 ? n : 1);
    for (size_t i = 0; i < n; i++)
        rows[i] = (struct member_row){orgs[i].name, url_owner(r->arena, orgs[i].name),
                                      roles[i] >= ROLE_ADMIN   ? N_("admin")
                                      : roles[i] == ROLE_WRITE ? N_("write")
                                                               : N_("read")};
    struct view_profile v = {.f = web_frame(r, web_text(r, N_("Profile and language")), "profile"),
                             .name = r->who->name,
                             .fullname = r->who->fullname,
                             .lang = !r->who->has_lang         ? STR("")
                                     : r->who->lang == LANG_ZH ? STR("zh")
                                                               : STR("en"),
                             .error = error};
    v.orgs.p = rows, v.orgs.n = n;
    WEB_REPLY(r, status, page_profile, &v);
}

err web_profile(struct http_req *r) {
    return profile_show(r, STR_NULL, 200);
}

err web_profile_post(struct http_req *r) {
    struct str form, what;
    TRY(web_form(r, &form));
    what = form_get(r, form, "do");
    if (str_eqz(what, "lang")) {
        struct str lang = form_get(r, form, "lang");
        TRY(id_lang_set(web_of(r)->o.id, r->who->user_id, str_starts(lang, "zh") ? LANG_ZH : LANG_EN, lang.n == 0));
        return web_see(r, STR("/settings/profile"), "saved");
    }
    if (!str_eqz(what, "password"))
        return err_fail(E_UNPROCESSABLE, "field do: expected lang or password. Nothing was changed.");
    struct str fresh = form_get(r, form, "new");
    if (fresh.n < 10)
        return profile_show(
            r, web_text(r, N_("field new password: expected at least 10 characters. The password is unchanged.")), 422);
    err e = id_password_change(web_of(r)->o.id, r, r->who->user_id, form_get(r, form, "old"), fresh);
    if (e != OK && e->status < 500) return profile_show(r, web_err_text(r), e == E_FORBIDDEN ? 422 : e->status);
    TRY(e);
    return web_see(r, STR("/settings/profile"), "password");
}

/* --- sign-in: without JavaScript, and silent about which part was wrong ------------------------------ */
static err signin_show(struct http_req *r, struct str next, struct str user, bool failed, struct str limited,
                       int status) {
    struct view_signin v = {.f = web_frame(r, web_text(r, N_("Sign in")), ""),
                            .next = web_local_path(next),
                            .user = user,
                            .failed = failed,
                            .limited = limited};
    WEB_REPLY(r, status, page_signin, &v);
}

err web_signin(struct http_req *r) {
    struct str next = web_local_path(http_query(r, "next", STR("/")));
    if (r->who->by_session) return web_see(r, next, NULL);
    return signin_show(r, next, STR_NULL, false, STR_NULL, 200);
}

err web_signin_post(struct http_req *r) {
    struct str form;
    TRY(web_form(r, &form));
    struct str user = str_trim(form_get(r, form, "user")), next = web_local_path(form_get(r, form, "next"));
    err e = id_sign_in(web_of(r)->o.id, r, user, form_get(r, form, "password"));
    if (e == OK) return web_see(r, next, NULL);
    if (e == E_RATE) return signin_show(r, next, user, false, web_err_text(r), 429);
    if (e->status >= 500) return e;
    return signin_show(r, next, user, true, STR_NULL, e == E_FORBIDDEN ? 403 : 401);
}

err web_signout(struct http_req *r) {
    TRY(id_sign_out(web_of(r)->o.id, r));
    return web_see(r, STR("/"), NULL);
}
