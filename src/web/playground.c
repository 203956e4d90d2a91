/* SPDX-License-Identifier: Apache-2.0 */
/*
 * playground.c — the page; play.js streams from /v1/chat/completions with the session and its CSRF token. The page
 * lists what is deployed here; the script adds what else /v1/models offers this reader (remote providers).
 */
#include "web/asset.h"
#include "web/web_int.h"

err web_playground(struct http_req *r) {
    struct view_playground v = {.f = web_frame(r, web_text(r, N_("Playground")), "playground")};
    struct pool_row *list = NULL;
    size_t n = 0, k = 0;
    v.want = http_query(r, "model", STR(""));
    v.f.script_url = str_of(asset_get("play.js")->url);
    v.endpoint = arena_printf(r->arena, STR_FMT "/v1", STR_ARG(r->base_url));
    TRY(pool_list(web_of(r)->o.pool, r->arena, r->who, &list, &n));
    struct link *rows = arena_array(r->arena, struct link, n > 0 ? n : 1);
    for (size_t i = 0; i < n; i++)
        if (list[i].ready > 0)
            rows[k++] = (struct link){.text = list[i].model, .current = str_eq(list[i].model, v.want)};
    v.models.p = rows, v.models.n = k;
    WEB_REPLY(r, 200, page_playground, &v);
}
