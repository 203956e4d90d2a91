/* SPDX-License-Identifier: Apache-2.0 */
/* deploy.c — deployments: the live list, one deployment with the end of its log, its form and actions. */
#include "web/asset.h"
#include "web/web_int.h"

enum { LOG_TAIL = 16 * 1024, LOADABLE_MAX = 50 };

static const char *state_class(struct str s) {
    static const char *const known[] = {"pending", "starting", "ready", "draining", "stopped", "failed"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eqz(s, known[i])) return known[i];
    return "pending";
}

static const char *state_word(const char *s) {
    switch (s[0]) {
    case 'r': return N_("ready");
    case 'd': return N_("draining");
    case 'f': return N_("failed");
    case 's': return strcmp(s, "stopped") == 0 ? N_("stopped") : N_("starting");
    default: return N_("waiting");
    }
}

/* Who may write to the model's repository may stop what serves it. */
static bool may_change(struct http_req *r, int64_t repo_id) {
    struct repo_rec repo;
    if (!r->who->by_session) return false;
    if (repo_get(web_of(r)->o.id, r->arena, repo_id, &repo) != OK) return r->who->is_admin;
    return repo_access(web_of(r)->o.id, r->who, &repo, ROLE_WRITE) == OK;
}

static void row_fill(struct http_req *r, const struct pool_row *p, struct deploy_row *out) {
    struct arena *a = r->arena;
    struct repo_rec repo = {.type = REPO_MODEL, .owner = p->owner, .name = p->repo};
    static const char *const names[] = {"model"};
    *out = (struct deploy_row){.id = p->id,
                               .since_ms = p->ready_ms > 0 ? p->ready_ms : p->created_ms,
                               .restarts = p->restarts,
                               .replicas = (int64_t)p->replicas,
                               .ready = (int64_t)p->ready,
                               .memory_bytes = p->memory_bytes > 0 ? (uint64_t)p->memory_bytes : 0,
                               .tokens_per_s = p->tokens_per_s,
                               .model = p->model,
                               .repo = repo_full(a, &repo),
                               .repo_url = url_repo(a, &repo),
                               .commit = p->commit,
                               .commit_url = url_at(a, &repo, "tree", p->commit, STR_NULL),
                               .file = p->file,
                               .engine = p->engine,
                               .detail = web_said(a, r->lang, p->detail),
                               .url = arena_printf(a, "/deployments/%" PRId64, p->id)};
    out->state = state_class(p->state);
    out->state_word = state_word(out->state);
    out->live = strcmp(out->state, "ready") == 0;
    out->action_url = out->url;
    out->live_url = arena_printf(a, "/deployments/%" PRId64 "/live", p->id);
    if (p->ready > 0) out->play_url = url_query(a, "/playground", names, &p->model, 1);
}

static err rows_fill(struct http_req *r, struct deploy_rows *v) {
    struct pool_row *list = NULL;
    size_t n = 0;
    TRY(pool_list(web_of(r)->o.pool, r->arena, r->who, &list, &n));
    struct deploy_row *rows = arena_array(r->arena, struct deploy_row, n > 0 ? n : 1);
    for (size_t i = 0; i < n; i++) row_fill(r, &list[i], &rows[i]);
    v->rows.p = rows, v->rows.n = n;
    return OK;
}

err web_deployments(struct http_req *r) {
    struct deploy_rows v = {.f = web_frame(r, web_text(r, N_("Deployments")), "deployments")};
    v.f.script_url = str_of(asset_get("live.js")->url);
    TRY(rows_fill(r, &v));
    WEB_REPLY(r, 200, page_deployments, &v);
}

err web_deploy_rows(struct http_req *r) {
    struct deploy_rows v = {0};
    TRY(rows_fill(r, &v));
    WEB_REPLY(r, 200, page_deploy_rows, &v);
}

static err one_fill(struct http_req *r, struct view_deployment *v) {
    struct pool_row row;
    int64_t id;
    if (!str_to_i64(http_param(r, "id"), &id))
        return err_fail(E_NOT_FOUND, "There is no such deployment, or you may not see it.");
    TRY(pool_get(web_of(r)->o.pool, r->arena, r->who, id, ROLE_READ, &row));
    row_fill(r, &row, &v->d);
    v->may_log = may_change(r, row.repo_id);
    v->d.can_stop = v->may_log && strcmp(v->d.state, "stopped") != 0;
    if (v->may_log && pool_log_tail(web_of(r)->o.pool, r->arena, id, 0, LOG_TAIL, &v->log) != OK)
        v->log = STR_NULL; /* no log yet */
    return OK;
}

err web_deployment(struct http_req *r) {
    struct view_deployment v = {0};
    TRY(one_fill(r, &v));
    v.f = web_frame(r, v.d.model, "deployments");
    v.f.script_url = str_of(asset_get("live.js")->url);
    v.snippet = arena_printf(
        r->arena,
        "curl -N " STR_FMT
        "/v1/chat/completions \\\n  -H \"Authorization: Bearer $HF_TOKEN\" -H \"Content-Type: application/json\" \\\n"
        "  -d '{\"model\":\"" STR_FMT "\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'",
        STR_ARG(r->base_url), STR_ARG(v.d.model));
    WEB_REPLY(r, 200, page_deployment, &v);
}

err web_deployment_live(struct http_req *r) {
    struct view_deployment v = {0};
    TRY(one_fill(r, &v));
    WEB_REPLY(r, 200, page_deployment_live, &v);
}

err web_deployment_post(struct http_req *r) {
    struct str form;
    struct view_deployment v = {0};
    TRY(web_form(r, &form));
    TRY(one_fill(r, &v));
    if (!v.may_log)
        return err_fail(
            E_FORBIDDEN,
            "Only those who may write to the model's repository may stop or restart it. It goes on running.");
    if (str_eqz(form_get(r, form, "do"), "stop")) {
        TRY(pool_undeploy(web_of(r)->o.pool, r->who, v.d.id));
        return web_see(r, STR("/deployments"), "stopped");
    }
    if (!str_eqz(form_get(r, form, "do"), "restart"))
        return err_fail(E_UNPROCESSABLE, "field do: expected stop or restart. Nothing was changed.");
    TRY(pool_restart(web_of(r)->o.pool, r->who, v.d.id));
    return web_see(r, v.d.url, "restarted");
}
