/* SPDX-License-Identifier: Apache-2.0 */
/* hub_info_files.c — members of the repository object that come from its files: siblings, security, config. */
#include "hub/hub_info.h"
#include "hub/hub_parts.h"

enum { PAGE = 1000, CONFIG_MAX = 1024 * 1024, ISSUES_MAX = 1000 };

typedef err (*entry_fn)(void *arg, struct arena *a, const struct git_entry *e);

/* All files of a commit, page by page, so that memory does not grow with the tree. */
static err each_file(struct hub *h, int64_t repo_id, struct str commit, entry_fn fn, void *arg) {
    struct arena page;
    struct buf after cleanup(buf_release);
    arena_init(&page, 16 * MiB);
    buf_init(&after, 16 * KiB);
    bool more = true;
    err e = OK;
    while (e == OK && more) {
        struct git_entry *ent;
        size_t n = 0;
        e = git_tree(h->git, &page, repo_id, commit, STR(""), true, buf_view(&after), PAGE, &ent, &n, &more);
        for (size_t i = 0; e == OK && i < n; i++)
            if (!ent[i].is_dir) e = fn(arg, &page, &ent[i]);
        if (e == OK && n == 0) break;
        if (e == OK) {
            buf_reset(&after);
            buf_str(&after, ent[n - 1].path);
            e = buf_ok(&after, "path");
        }
        arena_reset(&page);
    }
    arena_release(&page);
    return e;
}

struct sib {
    struct jw *w;
    bool blobs;
};

static err sibling(void *arg, struct arena *a, const struct git_entry *e) {
    const struct sib *s = arg;
    struct jw *w = s->w;
    jw_obj(w);
    jw_kstr(w, "rfilename", e->path);
    if (s->blobs) {
        jw_ki64(w, "size", (int64_t)(e->is_lfs ? e->lfs_size : e->size));
        jw_kcstr(w, "blobId", e->oid);
        if (e->is_lfs) {
            jw_key(w, "lfs");
            jw_obj(w);
            jw_kstr(w, "sha256", e->lfs_sha256);
            jw_ki64(w, "size", (int64_t)e->lfs_size);
            jw_ki64(w, "pointerSize", (int64_t)e->size);
            jw_obj_end(w);
        }
    }
    jw_obj_end(w);
    return buf_ok(w->b, "list of files");
}

err hub_siblings_write(struct hub *h, struct arena *a, int64_t repo_id, struct str commit, bool blobs, struct jw *w) {
    struct sib s = {w, blobs};
    jw_arr(w);
    if (commit.n > 0) TRY(each_file(h, repo_id, commit, sibling, &s));
    jw_arr_end(w);
    return OK;
}

struct sec {
    struct hub *h;
    int64_t repo_id;
    struct jw *w;
    bool all_done;
    unsigned n_issues;
};

static err security_one(void *arg, struct arena *a, const struct git_entry *e) {
    struct sec *s = arg;
    struct blob_verdict v;
    TRY(verdict_blob_get(db_reader(s->h->store), a, s->repo_id, hub_entry_key(a, e), &v));
    if (v.verdict == VERDICT_PENDING) s->all_done = false;
    if (v.verdict < VERDICT_REVIEW || s->n_issues++ >= ISSUES_MAX) return OK;
    jw_obj(s->w);
    jw_kstr(s->w, "path", e->path);
    jw_kcstr(s->w, "level", hub_security_name(v.verdict));
    jw_obj_end(s->w);
    return OK;
}

err hub_security_repo_write(struct hub *h, struct arena *a, int64_t repo_id, struct str commit, struct jw *w) {
    struct sec s = {h, repo_id, w, true, 0};
    jw_obj(w);
    jw_key(w, "filesWithIssues");
    jw_arr(w);
    if (commit.n > 0) TRY(each_file(h, repo_id, commit, security_one, &s));
    jw_arr_end(w);
    jw_kbool(w, "scansDone", s.all_done);
    jw_obj_end(w);
    return OK;
}

err hub_config_write(struct hub *h, struct arena *a, int64_t repo_id, struct str commit, struct jw *w) {
    static const char *const keys[] = {"architectures", "model_type", "auto_map", "quantization_config"};
    struct git_entry e;
    struct blob_verdict v;
    struct str text;
    struct jv cfg = {NULL, 0};
    /* A config that is missing, large, not JSON or withheld simply is not summarised. */
    if (commit.n > 0 && git_entry_get(h->git, a, repo_id, commit, STR("config.json"), &e) == OK && !e.is_dir &&
        !e.is_lfs && e.size <= CONFIG_MAX &&
        verdict_blob_get(db_reader(h->store), a, repo_id, hub_entry_key(a, &e), &v) == OK &&
        v.verdict != VERDICT_PENDING && v.verdict != VERDICT_BLOCK &&
        git_blob(h->git, a, repo_id, e.oid, CONFIG_MAX, &text) == OK)
        IGNORE_ERR(json_parse(a, text, &(struct json_limits){.max_bytes = CONFIG_MAX, .max_nodes = 100000}, &cfg));
    jw_obj(w);
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++)
        if (jv_ok(jv_get(cfg, keys[i]))) {
            jw_key(w, keys[i]);
            jw_raw(w, jv_raw(jv_get(cfg, keys[i])));
        }
    jw_obj_end(w);
    return OK;
}
