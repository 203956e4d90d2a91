/* SPDX-License-Identifier: Apache-2.0 */
/* hub_info_fields.c — which fields a repository object has, by type and by question asked. */
#include "base/hex.h"
#include "hub/hub_info.h"

enum { M = 1, D = 2, S = 4, ALL = 7 }; /* model, dataset, space */

static const struct {
    const char *name;
    unsigned char types, sets;
} field_table[F_COUNT] = {
    [F_AUTHOR] = {"author", ALL, INFO_IN_REPO | INFO_IN_FULL},
    [F_BASE_MODELS] = {"baseModels", M, 0},
    [F_CARD] = {"cardData", ALL, INFO_IN_REPO},
    [F_CHILDREN] = {"childrenModelCount", M, 0},
    [F_CITATION] = {"citation", D, 0},
    [F_CONFIG] = {"config", M, INFO_IN_REPO},
    [F_CREATED] = {"createdAt", ALL, INFO_IN_REPO | INFO_IN_LIST},
    [F_DATASETS] = {"datasets", S, 0},
    [F_DESCRIPTION] = {"description", D, INFO_IN_REPO | INFO_IN_FULL},
    [F_DISABLED] = {"disabled", ALL, INFO_IN_REPO | INFO_IN_FULL},
    [F_DOWNLOADS] = {"downloads", M | D, INFO_IN_REPO | INFO_IN_LIST},
    [F_DOWNLOADS_ALL] = {"downloadsAllTime", M | D, 0},
    [F_EVAL] = {"evalResults", M, 0},
    [F_GATED] = {"gated", M | D, INFO_IN_REPO | INFO_IN_FULL},
    [F_GGUF] = {"gguf", M, 0},
    [F_INFERENCE] = {"inference", M, 0},
    [F_INFERENCE_MAP] = {"inferenceProviderMapping", M, 0},
    [F_LIBRARY] = {"library_name", M, INFO_IN_REPO | INFO_IN_LIST},
    [F_LIKES] = {"likes", ALL, INFO_IN_REPO | INFO_IN_LIST},
    [F_MAIN_SIZE] = {"mainSize", D, 0},
    [F_MASK] = {"mask_token", M, 0},
    [F_MODEL_INDEX] = {"model-index", M, INFO_IN_REPO},
    [F_MODELS] = {"models", S, 0},
    [F_MODIFIED] = {"lastModified", ALL, INFO_IN_REPO | INFO_IN_FULL},
    [F_PAPERS] = {"paperswithcode_id", D, 0},
    [F_PIPELINE] = {"pipeline_tag", M, INFO_IN_REPO | INFO_IN_LIST},
    [F_PRIVATE] = {"private", ALL, INFO_IN_REPO | INFO_IN_LIST},
    [F_REGION] = {"region", S, 0},
    [F_RESOURCE] = {"resourceGroup", ALL, 0},
    [F_RUNTIME] = {"runtime", S, INFO_IN_REPO},
    [F_SAFETENSORS] = {"safetensors", M, 0},
    [F_SDK] = {"sdk", S, INFO_IN_REPO | INFO_IN_LIST},
    [F_SECURITY] = {"securityRepoStatus", M | D, 0},
    [F_SHA] = {"sha", ALL, INFO_IN_REPO | INFO_IN_FULL},
    [F_SIBLINGS] = {"siblings", ALL, INFO_IN_REPO | INFO_IN_FULL},
    [F_SPACES] = {"spaces", M, INFO_IN_REPO},
    [F_SUBDOMAIN] = {"subdomain", S, INFO_IN_REPO},
    [F_TAGS] = {"tags", ALL, INFO_IN_REPO | INFO_IN_LIST},
    [F_TRANSFORMERS] = {"transformersInfo", M, 0},
    [F_TRENDING] = {"trendingScore", ALL, 0},
    [F_USED] = {"usedStorage", ALL, INFO_IN_REPO},
    [F_WIDGET] = {"widgetData", M, 0},
    [F_XET] = {"xetEnabled", ALL, 0},
};

static unsigned type_bit(enum repo_type t) {
    return t == REPO_DATASET ? D : t == REPO_SPACE ? S : M;
}

const char *hub_info_field_name(enum hub_info_field f) {
    return field_table[f].name;
}

uint64_t hub_info_fields(enum repo_type t, unsigned sets) {
    uint64_t m = 0;
    for (unsigned i = 0; i < F_COUNT; i++)
        if ((field_table[i].types & type_bit(t)) != 0 && (field_table[i].sets & sets) != 0) m |= (uint64_t)1 << i;
    return m;
}

static err expand_one(struct arena *a, enum repo_type t, struct str v, uint64_t *fields) {
    for (unsigned i = 0; i < F_COUNT; i++)
        if ((field_table[i].types & type_bit(t)) != 0 && str_eqz(v, field_table[i].name)) {
            *fields |= (uint64_t)1 << i;
            return OK;
        }
    struct buf b cleanup(buf_release);
    buf_init(&b, 4 * KiB);
    for (unsigned i = 0; i < F_COUNT; i++)
        if ((field_table[i].types & type_bit(t)) != 0) buf_printf(&b, "%s%s", b.n > 0 ? ", " : "", field_table[i].name);
    return err_fail(E_BAD_REQUEST, "\"expand\" must be one of [" STR_FMT "]", STR_ARG(buf_view(&b)));
}

err hub_info_expand(struct http_req *r, enum repo_type t, uint64_t *fields, bool *given) {
    static const char *const spelling[] = {"expand", "expand[]"};
    *fields = 0;
    *given = false;
    for (unsigned s = 0; s < ARRAY_LEN(spelling); s++) {
        struct str v;
        for (unsigned i = 0; i < 2 * F_COUNT && uri_param(r->arena, r->query, spelling[s], i, &v); i++) {
            *given = true;
            TRY(expand_one(r->arena, t, v, fields));
        }
    }
    return OK;
}
