/* SPDX-License-Identifier: Apache-2.0 */
/* repo_card.c — the card: README.md of the revision, behind the same gate as its bytes. */
#include "web/markdown.h"
#include "web/repo_page.h"

struct render_job {
    struct arena *a;
    struct str text;
    const struct md_base *base;
    struct html out;
    bool cut;
};

static err render(void *arg) {
    struct render_job *j = arg;
    j->out = md_render(j->a, j->text, j->base, &j->cut);
    return OK;
}

err repo_page_markdown(struct http_req *r, const struct repo_page *p, struct str text, struct str dir, struct html *out,
                       bool *cut) {
    struct md_base base = {.link = url_at(r->arena, p->repo, "blob", p->rev, STR_NULL),
                           .image = url_at(r->arena, p->repo, "resolve", p->rev, STR_NULL),
                           .dir = dir,
                           .table_label = i18n(r->lang, N_("Table")),
                           .image_label = i18n(r->lang, N_("image"))};
    struct render_job job = {.a = r->arena, .text = md_body(text), .base = &base};
    TRY(work_run(render, &job)); /* a long card takes milliseconds: not on the loop */
    *out = job.out;
    *cut = *cut || job.cut;
    return OK;
}

static err card_fill(struct http_req *r, struct repo_page *p, struct view_card *v) {
    struct web *w = web_of(r);
    struct git_entry e;
    if (p->head.is_empty) return OK;
    err x = git_entry_get(hub_git(w->o.hub), r->arena, p->repo->id, str_of(p->commit), STR("README.md"), &e);
    if (x == E_ENTRY_NOT_FOUND) return OK;
    TRY(x);
    struct str warn;
    x = verdict_gate(w->o.store, r->arena, p->repo->id, hub_entry_key(r->arena, &e), 0, &warn);
    if (x == E_BLOCKED || x == E_PENDING) {
        v->withheld = web_err_text(r);
        return OK;
    }
    TRY(x);
    struct hub_file *f;
    uint64_t size = MIN(entry_size(&e), (uint64_t)MD_MAX + 1);
    TRY(hub_file_open(w->o.hub, p->repo->id, &e, 0, size, &f));
    char *text = arena_alloc(r->arena, (size_t)size + 1);
    size_t got = 0, n = 1;
    while (x == OK && n > 0 && got < size) {
        x = hub_file_read(f, text + got, (size_t)size - got, &n);
        if (x == OK) got += n;
    }
    hub_file_close(f);
    TRY(x);
    TRY(repo_page_markdown(r, p, str_make(text, got), STR(""), &v->card, &v->card_cut));
    v->has_card = v->card.n > 0;
    return OK;
}

err web_repo_card(struct http_req *r) {
    struct repo_page p;
    TRY(repo_page_open(r, "card", &p));
    TRY(repo_page_side(r, &p));
    struct view_card v = {0};
    TRY(card_fill(r, &p, &v));
    v.f = web_frame(r, p.head.full, "explore");
    v.r = p.head;
    WEB_REPLY(r, 200, page_card, &v);
}
