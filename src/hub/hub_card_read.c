/* SPDX-License-Identifier: Apache-2.0 */
/* hub_card_read.c — the card of a commit, and storing that of a repository's head. */
#include "hub/hub_card.h"
#include "hub/hub_db.h"

err hub_card_read(struct hub *h, struct arena *a, int64_t repo_id, enum repo_type type, struct str commit,
                  struct hub_card *out) {
    struct git_entry e, *ent;
    struct str text = STR("");
    unsigned files = 0;
    size_t n = 0;
    bool more;
    err er = git_entry_get(h->git, a, repo_id, commit, STR("README.md"), &e);
    if (er == OK && !e.is_dir && !e.is_lfs && e.size <= HUB_CARD_MAX)
        TRY(git_blob(h->git, a, repo_id, e.oid, HUB_CARD_MAX, &text));
    if (er != OK && er != E_ENTRY_NOT_FOUND) return er;
    /* Formats by the first thousand names at the root: enough to say what a repository is. */
    TRY(git_tree(h->git, a, repo_id, commit, STR(""), false, STR(""), 1000, &ent, &n, &more));
    for (size_t i = 0; i < n; i++)
        if (!ent[i].is_dir) hub_card_file_tag(ent[i].path, &files);
    hub_card_parse_files(a, type, text, files, out);
    return OK;
}

err hub_card_refresh(struct hub *h, int64_t repo_id, struct str commit) {
    struct arena a;
    struct hub_card c;
    struct repo_rec repo;
    arena_init(&a, 64 * MiB);
    err e = repo_get(h->id, &a, repo_id, &repo);
    if (e == OK) e = hub_card_read(h, &a, repo_id, repo.type, commit, &c);
    if (e == OK) e = hub_db_card_set(h, repo_id, c.card, c.tags, c.description);
    arena_release(&a);
    return e;
}
