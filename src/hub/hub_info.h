/* SPDX-License-Identifier: Apache-2.0 */
/* hub_info.h — the JSON object of a repository: which fields, and writing them. */
#ifndef BALLAST_HUB_INFO_H
#define BALLAST_HUB_INFO_H

#include "hub/hub_internal.h"

/* Sets of fields; see the table in hub_info_fields.c. */
enum hub_info_set { INFO_IN_REPO = 1, INFO_IN_LIST = 2, INFO_IN_FULL = 4 };
enum hub_info_field {
    F_AUTHOR,
    F_BASE_MODELS,
    F_CARD,
    F_CHILDREN,
    F_CITATION,
    F_CONFIG,
    F_CREATED,
    F_DATASETS,
    F_DESCRIPTION,
    F_DISABLED,
    F_DOWNLOADS,
    F_DOWNLOADS_ALL,
    F_EVAL,
    F_GATED,
    F_GGUF,
    F_INFERENCE,
    F_INFERENCE_MAP,
    F_LIBRARY,
    F_LIKES,
    F_MAIN_SIZE,
    F_MASK,
    F_MODEL_INDEX,
    F_MODELS,
    F_MODIFIED,
    F_PAPERS,
    F_PIPELINE,
    F_PRIVATE,
    F_REGION,
    F_RESOURCE,
    F_RUNTIME,
    F_SAFETENSORS,
    F_SDK,
    F_SECURITY,
    F_SHA,
    F_SIBLINGS,
    F_SPACES,
    F_SUBDOMAIN,
    F_TAGS,
    F_TRANSFORMERS,
    F_TRENDING,
    F_USED,
    F_WIDGET,
    F_XET,
    F_COUNT
};
struct hub_info_opts {
    uint64_t fields; /* bit per field */
    bool blobs;      /* size, blobId and lfs in siblings */
};
/* The fields of a set for a type. */
uint64_t hub_info_fields(enum repo_type t, unsigned sets);
/* Fields asked for by expand=; *given false when there is no such parameter. E_BAD_REQUEST lists the known ones. */
must_check err hub_info_expand(struct http_req *r, enum repo_type t, uint64_t *fields, bool *given);
const char *hub_info_field_name(enum hub_info_field f);
/* The object. commit: 40 hex of the revision shown; row.card is replaced by the revision's own card when it is not the
 * head. */
may_suspend err hub_info_write(struct hub *h, struct arena *a, const struct hub_list_row *row, struct str commit,
                               const struct hub_info_opts *o, struct jw *w) must_check;
/* The members that need the file tree: siblings, securityRepoStatus, config. */
may_suspend err hub_siblings_write(struct hub *h, struct arena *a, int64_t repo_id, struct str commit, bool blobs,
                                   struct jw *w) must_check;
may_suspend err hub_security_repo_write(struct hub *h, struct arena *a, int64_t repo_id, struct str commit,
                                        struct jw *w) must_check;
may_suspend err hub_config_write(struct hub *h, struct arena *a, int64_t repo_id, struct str commit,
                                 struct jw *w) must_check;
#endif
