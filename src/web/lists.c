/* SPDX-License-Identifier: Apache-2.0 */
/* lists.c — runs of repositories: home, explore and owner pages draw them alike. */
#include "web/repo_page.h"
#include "web/web_int.h"

const char *type_word(enum repo_type t) {
    return t == REPO_DATASET ? N_("dataset") : t == REPO_SPACE ? N_("space") : N_("model");
}
const char *type_words(enum repo_type t) {
    return t == REPO_DATASET ? N_("Datasets") : t == REPO_SPACE ? N_("Spaces") : N_("Models");
}

static err row_fill(struct http_req *r, const struct hub_list_row *h, struct repo_row *out) {
    struct arena *a = r->arena;
    const struct repo_rec *repo = &h->repo;
    *out = (struct repo_row){.full = repo_full(a, repo),
                             .url = url_repo(a, repo),
                             .description = h->description,
                             .type = type_word(repo->type),
                             .is_private = repo->is_private,
                             .updated_ms = repo->updated_ms,
                             .downloads = repo->downloads};
    struct card_facts facts;
    card_facts_read(a, h->card, &facts);
    out->licence = facts.licence;
    out->task = facts.task;
    if (h->head.n == 0) return OK; /* nothing pushed: nothing to judge */
    struct revision_verdict v;
    TRY(verdict_revision_get(db_reader(web_of(r)->o.store), a, repo->id, h->head, &v));
    out->chip = chip_of(v.verdict, v.coverage, url_at(a, repo, "review", STR("main"), STR_NULL));
    return OK;
}

err web_repo_list(struct http_req *r, const struct hub_list_opts *o, struct repo_rows *out, struct str *next) {
    struct hub_list_row *rows;
    size_t n;
    struct str cursor = STR_NULL;
    TRY(hub_list(web_of(r)->o.hub, r->arena, o, &rows, &n, &cursor));
    struct repo_row *list = arena_array(r->arena, struct repo_row, n > 0 ? n : 1);
    for (size_t i = 0; i < n; i++) TRY(row_fill(r, &rows[i], &list[i]));
    *out = (struct repo_rows){list, n};
    if (next != NULL) *next = cursor;
    return OK;
}
