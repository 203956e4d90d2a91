/* SPDX-License-Identifier: Apache-2.0 */
/* repo_file.c — one file: verdict, hash, and its content as text, table, picture, tensors or first bytes. */
#include "web/file_view.h"
#include "web/repo_page.h"

static bool has_suffix(struct str path, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (str_iends(path, list[i])) return true;
    return false;
}

static err source_read(void *arg, void *p, size_t cap, size_t *n) {
    return hub_file_read(arg, p, cap, n);
}

static err weights(struct http_req *r, struct repo_page *p, const struct git_entry *e, struct view_file *v) {
    struct hub_file *f;
    TRY(hub_file_open(web_of(r)->o.hub, p->repo->id, e, 0, entry_size(e), &f));
    struct byte_source s = {source_read, f, entry_size(e)};
    err x = str_iends(v->path, ".gguf") ? view_gguf(r->arena, &s, v) : view_safetensors(r->arena, &s, v);
    hub_file_close(f);
    return x;
}

static err head_read(struct http_req *r, struct repo_page *p, const struct git_entry *e, struct str *out) {
    size_t size = (size_t)MIN(entry_size(e), (uint64_t)VIEW_TEXT_MAX), got = 0, n = 1;
    struct hub_file *f;
    TRY(hub_file_open(web_of(r)->o.hub, p->repo->id, e, 0, size, &f));
    char *text = arena_alloc(r->arena, size + 1);
    err x = OK;
    while (x == OK && n > 0 && got < size) {
        x = hub_file_read(f, text + got, size - got, &n);
        if (x == OK) got += n;
    }
    hub_file_close(f);
    *out = str_make(text, got);
    return x;
}

static err markdown(struct http_req *r, struct repo_page *p, struct str text, struct view_file *v) {
    ptrdiff_t slash = str_rchr(v->path, '/');
    v->kind = "markdown";
    return repo_page_markdown(r, p, text, slash < 0 ? STR("") : str_sub(v->path, 0, (size_t)slash), &v->markdown,
                              &v->cut);
}

static err body_fill(struct http_req *r, struct repo_page *p, const struct git_entry *e, struct view_file *v) {
    static const char *const images[] = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".ico", ".avif"};
    static const char *const tensors[] = {".gguf", ".safetensors"};
    if (has_suffix(v->path, images, ARRAY_LEN(images))) {
        v->kind = "image";
        v->image_url = url_at(r->arena, p->repo, "resolve", p->rev, v->path);
        return OK;
    }
    if (has_suffix(v->path, tensors, ARRAY_LEN(tensors))) {
        err x = weights(r, p, e, v);
        if (x != E_UNPROCESSABLE && x != E_NOMEM) return x; /* a header that lies: its bytes are shown instead */
    }
    struct str head;
    TRY(head_read(r, p, e, &head));
    v->cut = entry_size(e) > head.n;
    if (!view_is_text(head)) {
        view_hex(r->arena, head, v);
        return OK;
    }
    if (str_iends(v->path, ".md")) {
        bool plain = http_query_bool(r, "plain", false);
        struct str here = url_at(r->arena, p->repo, "blob", p->rev, v->path);
        v->other_url = plain ? here : arena_printf(r->arena, STR_FMT "?plain=1", STR_ARG(here));
        if (!plain) return markdown(r, p, head, v);
    }
    if (str_iends(v->path, ".csv") && view_csv(r->arena, head, ',', v)) return OK;
    if (str_iends(v->path, ".tsv") && view_csv(r->arena, head, '\t', v)) return OK;
    if ((str_iends(v->path, ".jsonl") || str_iends(v->path, ".ndjson")) && view_jsonl(r->arena, head, v)) return OK;
    view_lines(r->arena, head, v);
    return OK;
}

err web_repo_file(struct http_req *r) {
    struct repo_page p;
    struct git_entry e;
    TRY(repo_page_open(r, "files", &p));
    struct view_file v = {.path = http_param(r, "path")};
    if (p.head.is_empty) return err_fail(E_ENTRY_NOT_FOUND, "This revision has no files yet.");
    TRY(git_entry_get(hub_git(web_of(r)->o.hub), r->arena, p.repo->id, str_of(p.commit), v.path, &e));
    if (e.is_dir) return http_redirect(r, 303, url_at(r->arena, p.repo, "tree", p.rev, v.path));
    struct blob_verdict verdict;
    v.oid = entry_oid(r->arena, &e);
    struct str key = hub_entry_key(r->arena, &e);
    TRY(verdict_blob_get(db_reader(web_of(r)->o.store), r->arena, p.repo->id, key, &verdict));
    v.oid_kind = e.is_lfs ? "SHA-256" : "git";
    v.bytes = entry_size(&e);
    v.is_lfs = e.is_lfs;
    v.format = verdict.format;
    v.chip = chip_of(verdict.verdict, verdict.coverage, p.head.review_url);
    v.reason = verdict.verdict > VERDICT_PASS ? web_reason(r, verdict.reason) : STR_NULL;
    struct str warn;
    err x = verdict_gate(web_of(r)->o.store, r->arena, p.repo->id, key, 0, &warn);
    if (x == E_BLOCKED || x == E_PENDING) {
        if (x == E_PENDING || v.reason.n == 0) v.reason = web_err_text(r);
        v.kind = "withheld";
    } else {
        TRY(x);
        v.download_url = url_at(r->arena, p.repo, "resolve", p.rev, v.path);
        TRY(body_fill(r, &p, &e, &v));
    }
    repo_page_crumbs(r, &p, v.path, &v.crumbs.p, &v.crumbs.n);
    v.f = web_frame(r, p.head.full, "explore");
    v.r = p.head;
    WEB_REPLY(r, 200, page_file, &v);
}
