/* SPDX-License-Identifier: Apache-2.0 */
/* json.c — the JSON shapes of this room that more than one route answers with. */
#include "id/routes.h"

#include "base/clock.h"

err json_begin(struct buf *b, struct jw *w) {
    buf_init(b, 16 * MiB);
    jw_init(w, b);
    return OK;
}

void json_time(struct jw *w, const char *key, int64_t ms) {
    jw_key(w, key);
    if (ms == 0) {
        jw_null(w);
        return;
    }
    char t[CLOCK_ISO_LEN + 1];
    clock_iso(ms, t);
    jw_str(w, str_make(t, CLOCK_ISO_LEN));
}

void json_owner(struct jw *w, const struct owner_rec *o) {
    jw_obj(w);
    jw_ki64(w, "id", o->id);
    jw_kstr(w, "name", o->name);
    jw_kcstr(w, "type", o->is_org ? "org" : "user");
    jw_kstr(w, "fullname", o->fullname);
    jw_kstr(w, "email", o->email);
    jw_kbool(w, "admin", o->is_admin);
    jw_kbool(w, "reviewer", o->is_reviewer);
    jw_kbool(w, "disabled", o->disabled);
    json_time(w, "createdAt", o->created_ms);
    jw_obj_end(w);
}

/* What the stock client calls a user object. */
void json_hf_user(struct jw *w, const struct owner_rec *o, const char *role) {
    jw_obj(w);
    jw_kstr(w, "user", o->name);
    jw_kstr(w, "fullname", o->fullname.n > 0 ? o->fullname : o->name);
    jw_kcstr(w, "avatarUrl", "");
    jw_kbool(w, "isPro", false);
    jw_kcstr(w, "type", "user");
    if (role != NULL) jw_kcstr(w, "role", role);
    jw_obj_end(w);
}

err json_reply(struct http_req *r, int status, struct buf *b) {
    TRY(buf_ok(b, "the answer"));
    return http_reply_json(r, status, b);
}
