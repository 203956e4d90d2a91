/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_info.c — GET /api/{t}/{id} and /revision/{rev}: the object of a repository.
 *
 * `sha` belongs to the revision asked for and drives every download; `siblings` lists all files of it; dates carry
 * milliseconds and Z. Never waits for a verdict: repository info is the one call that no client repeats.
 */
#include "base/clock.h"
#include "hub/hub_card.h"
#include "hub/hub_db.h"
#include "hub/hub_info.h"
#include "hub/hub_parts.h"

enum { INFO_MAX = 64 * 1024 * 1024 };

/* Everything one object is written from. */
struct info {
    struct hub *h;
    struct arena *a;
    const struct hub_list_row *row;
    struct str commit;
    const struct hub_info_opts *o;
    struct jv card;
    struct str card_text, tags;
    struct jw *w;
};

static void write_card_member(struct info *in, const char *key) {
    struct jv v = jv_get(in->card, key);
    if (jv_is_null(v)) jw_null(in->w);
    else jw_raw(in->w, jv_raw(v));
}

static void write_date(struct info *in, int64_t ms) {
    jw_str(in->w, clock_iso_str(in->a, ms));
}

static void write_library(struct info *in) {
    struct str lib = hub_card_library(in->card, in->tags);
    if (lib.n > 0) jw_str(in->w, lib);
    else jw_null(in->w);
}

static void write_base_models(struct info *in) {
    struct jv v = jv_get(in->card, "base_model");
    jw_obj(in->w);
    jw_kcstr(in->w, "relation", "finetune");
    jw_key(in->w, "models");
    jw_arr(in->w);
    if (jv_type(v) == JSON_STRING) {
        jw_obj(in->w);
        jw_kstr(in->w, "id", jv_str(v, STR("")));
        jw_obj_end(in->w);
    }
    for (struct jv_iter it = jv_iter(v); jv_type(v) == JSON_ARRAY && jv_next(&it);) {
        jw_obj(in->w);
        jw_kstr(in->w, "id", jv_str(it.val, STR("")));
        jw_obj_end(in->w);
    }
    jw_arr_end(in->w);
    jw_obj_end(in->w);
}

static void write_runtime(struct info *in) {
    jw_raw(in->w,
           STR("{\"stage\":\"NO_APP_FILE\",\"hardware\":{\"current\":null,\"requested\":null},\"gcTimeout\":null,"
               "\"storage\":null,\"devMode\":false}"));
}

/* Fields that need a walk over the tree or a query of their own. */
static err write_heavy(struct info *in, enum hub_info_field f, bool *done) {
    int64_t id = in->row->repo.id;
    *done = true;
    if (f == F_SIBLINGS) return hub_siblings_write(in->h, in->a, id, in->commit, in->o->blobs, in->w);
    if (f == F_SECURITY) return hub_security_repo_write(in->h, in->a, id, in->commit, in->w);
    if (f == F_CONFIG) return hub_config_write(in->h, in->a, id, in->commit, in->w);
    if (f == F_USED) {
        int64_t bytes;
        TRY(hub_db_used(db_reader(in->h->store), id, &bytes));
        jw_i64(in->w, bytes);
        return OK;
    }
    *done = false;
    return OK;
}

static void write_light(struct info *in, enum hub_info_field f) {
    const struct repo_rec *r = &in->row->repo;
    struct jw *w = in->w;
    switch ((int)f) {
    case F_AUTHOR: jw_str(w, r->owner); return;
    case F_CARD: jw_raw(w, in->card_text); return;
    case F_CREATED: write_date(in, r->created_ms); return;
    case F_MODIFIED: write_date(in, r->updated_ms); return;
    case F_DESCRIPTION: jw_str(w, in->row->description); return;
    case F_DISABLED: jw_bool(w, false); return;
    case F_DOWNLOADS:
    case F_DOWNLOADS_ALL: jw_i64(w, r->downloads); return;
    case F_LIKES: jw_i64(w, r->likes); return;
    case F_TRENDING: jw_i64(w, r->downloads + 10 * r->likes); return;
    case F_GATED:
        if (r->gated.n > 0) jw_str(w, r->gated);
        else jw_bool(w, false);
        return;
    case F_PRIVATE: jw_bool(w, r->is_private); return;
    case F_SHA: jw_str(w, in->commit); return;
    case F_TAGS: jw_raw(w, in->tags); return;
    case F_LIBRARY: write_library(in); return;
    case F_PIPELINE: write_card_member(in, "pipeline_tag"); return;
    case F_MODEL_INDEX: write_card_member(in, "model-index"); return;
    case F_MASK: write_card_member(in, "mask_token"); return;
    case F_WIDGET: write_card_member(in, "widget"); return;
    case F_SDK: write_card_member(in, "sdk"); return;
    case F_DATASETS:
    case F_MODELS: write_card_member(in, f == F_MODELS ? "models" : "datasets"); return;
    case F_BASE_MODELS: write_base_models(in); return;
    case F_CHILDREN:
    case F_INFERENCE_MAP: jw_raw(w, STR("{}")); return;
    case F_SPACES:
    case F_EVAL: jw_raw(w, STR("[]")); return;
    case F_RUNTIME: write_runtime(in); return;
    case F_SUBDOMAIN: jw_str(w, arena_printf(in->a, STR_FMT "-" STR_FMT, STR_ARG(r->owner), STR_ARG(r->name))); return;
    case F_XET: jw_bool(w, true); return;
    default: jw_null(w); return; /* known to clients, nothing here has it */
    }
}

/* Clients build typed objects of these when the key is there at all, so absence is the only way to say "none". */
static bool omitted_when_empty(enum hub_info_field f, struct info *in) {
    if (f == F_PIPELINE) return jv_is_null(jv_get(in->card, "pipeline_tag"));
    if (f == F_LIBRARY) return hub_card_library(in->card, in->tags).n == 0;
    if (f == F_MODEL_INDEX) return jv_is_null(jv_get(in->card, "model-index"));
    return f == F_SAFETENSORS || f == F_GGUF || f == F_TRANSFORMERS || f == F_INFERENCE;
}

err hub_info_write(struct hub *h, struct arena *a, const struct hub_list_row *row, struct str commit,
                   const struct hub_info_opts *o, struct jw *w) {
    struct info in = {h, a, row, commit, o, {NULL, 0}, row->card, row->tags, w};
    if (commit.n > 0 && !str_eq(commit, row->head)) {
        struct hub_card c;
        TRY(hub_card_read(h, a, row->repo.id, row->repo.type, commit, &c));
        in.card_text = c.card;
        in.tags = c.tags;
    }
    /* What the database holds was written by us; should it not parse, the object goes without a card. */
    if (json_parse(a, in.card_text, NULL, &in.card) != OK) in.card_text = STR("{}");
    struct str id = hub_repo_id(a, &row->repo);
    jw_obj(w);
    jw_kstr(w, "_id", arena_printf(a, "%024" PRIx64, (uint64_t)row->repo.id));
    jw_kstr(w, "id", id);
    if (row->repo.type == REPO_MODEL) jw_kstr(w, "modelId", id);
    for (unsigned f = 0; f < F_COUNT; f++) {
        if ((o->fields >> f & 1) == 0 || omitted_when_empty((enum hub_info_field)f, &in)) continue;
        bool done;
        jw_key(w, hub_info_field_name((enum hub_info_field)f));
        TRY(write_heavy(&in, (enum hub_info_field)f, &done));
        if (!done) write_light(&in, (enum hub_info_field)f);
    }
    jw_obj_end(w);
    return OK;
}

static err repo_info(struct http_req *r) {
    struct hub *h = hub_of(r);
    struct hub_info_opts o = {.blobs = http_query_bool(r, "blobs", false)};
    bool given;
    TRY(hub_info_expand(r, r->repo->type, &o.fields, &given));
    if (!given) o.fields = hub_info_fields(r->repo->type, INFO_IN_REPO);
    if (http_query_bool(r, "securityStatus", false)) o.fields |= (uint64_t)1 << F_SECURITY;
    char commit[GIT_OID_HEX + 1];
    TRY(hub_rev(r, commit));
    struct hub_list_row row;
    TRY(hub_db_row(db_reader(h->store), r->arena, r->repo->id, &row));
    struct buf b cleanup(buf_release);
    buf_init(&b, INFO_MAX);
    struct jw w;
    jw_init(&w, &b);
    TRY(hub_info_write(h, r->arena, &row, (struct str){commit, GIT_OID_HEX}, &o, &w));
    TRY(buf_ok(&b, "repository info"));
    return http_reply_json(r, 200, &b);
}

const struct http_route hub_info_route[] = {
    HUB_API3(HTTP_GET, "", repo_info, AUTH_REPO_READ, "hub.info", "A repository at its default branch", 0),
    HUB_API3(HTTP_GET, "/revision/{rev}", repo_info, AUTH_REPO_READ, "hub.revision", "A repository at a revision", 0),
};
const size_t hub_info_n = ARRAY_LEN(hub_info_route);
