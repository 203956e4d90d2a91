/* SPDX-License-Identifier: Apache-2.0 */
/* repo_review.c — the why of a verdict: sentence, files worst first, who answers, how to check it, the reviewer's form.
 */
#include "web/repo_page.h"

enum { REVIEW_FILES = 2000, REVIEW_SHOWN = 200, FINDINGS_SHOWN = 50 };

static const char *sentence(enum verdict v, enum coverage c) {
    if (v == VERDICT_PASS && c != COVERAGE_FULL)
        return N_(
            "This revision passed as far as it was examined: some of its content has a form that no rule can read.");
    switch (v) {
    case VERDICT_PASS: return N_("This revision passed: nothing in it runs code or misleads a loader.");
    case VERDICT_NOTICE: return N_("This revision passed with notices: it may be used; read what was noticed.");
    case VERDICT_REVIEW: return N_("A person should look at this revision before it is used.");
    case VERDICT_BLOCK: return N_("This revision is blocked: nobody can download the files named below.");
    case VERDICT_PENDING: return N_("This revision is still being reviewed; downloads wait until it is done.");
    }
    return N_("This revision is still being reviewed; downloads wait until it is done.");
}

static void findings_fill(struct http_req *r, struct str json, struct review_row *row) {
    struct jv list;
    if (json.n == 0 || json_parse(r->arena, json, NULL, &list) != OK) return;
    size_t n = MIN(jv_len(list), (size_t)FINDINGS_SHOWN);
    struct finding_row *rows = arena_array(r->arena, struct finding_row, n > 0 ? n : 1);
    for (size_t i = 0; i < n; i++) {
        struct jv f = jv_at(list, i);
        enum verdict severity = VERDICT_NOTICE;
        if (!verdict_parse(jv_str(jv_get(f, "severity"), STR("notice")), &severity)) severity = VERDICT_NOTICE;
        struct str message = jv_str(jv_get(f, "message"), STR(""));
        rows[i] = (struct finding_row){
            .severity = chip_state(severity),
            .rule = jv_str(jv_get(f, "rule"), STR("")),
            .message = review_message(r->arena, r->lang, jv_str(jv_get(f, "rule"), STR("")), message),
            .where = jv_str(jv_get(f, "where"), STR(""))};
    }
    row->findings.p = rows, row->findings.n = n;
}

static void count(struct view_review *v, enum verdict verdict) {
    v->n_files++;
    v->n_block += verdict == VERDICT_BLOCK;
    v->n_review += verdict == VERDICT_REVIEW;
    v->n_notice += verdict == VERDICT_NOTICE;
    v->n_pass += verdict == VERDICT_PASS;
    v->n_pending += verdict == VERDICT_PENDING;
}

struct judged {
    const struct git_entry *e;
    struct blob_verdict v;
};

/* Pending counts as worse than pass: it is not known to be good. */
static int weight(enum verdict v) {
    return v == VERDICT_PENDING ? 5 : (int)v * 2;
}
static int worst_first(const void *a, const void *b) {
    const struct judged *x = a, *y = b;
    int d = weight(y->v.verdict) - weight(x->v.verdict);
    return d != 0 ? d : str_cmp(x->e->path, y->e->path);
}

static err files_fill(struct http_req *r, struct repo_page *p, struct view_review *v) {
    struct git_entry *entries;
    size_t n, k = 0;
    TRY(repo_page_tree(r, p, STR(""), true, STR(""), REVIEW_FILES, &entries, &n, &v->more));
    struct judged *all = arena_array(r->arena, struct judged, n > 0 ? n : 1);
    for (size_t i = 0; i < n; i++) {
        if (entries[i].is_dir) continue;
        TRY(verdict_blob_get(db_reader(web_of(r)->o.store), r->arena, p->repo->id, hub_entry_key(r->arena, &entries[i]),
                             &all[k].v));
        all[k].e = &entries[i];
        count(v, all[k++].v.verdict);
    }
    qsort(all, k, sizeof *all, worst_first);
    v->more = v->more || k > REVIEW_SHOWN;
    k = MIN(k, (size_t)REVIEW_SHOWN);
    struct review_row *rows = arena_array(r->arena, struct review_row, k > 0 ? k : 1);
    for (size_t i = 0; i < k; i++) {
        const struct git_entry *e = all[i].e;
        rows[i] = (struct review_row){.path = e->path,
                                      .oid = entry_oid(r->arena, e),
                                      .bytes = entry_size(e),
                                      .format = all[i].v.format,
                                      .url = url_at(r->arena, p->repo, "blob", p->rev, e->path),
                                      .override_url = p->head.review_url,
                                      .overridden = all[i].v.overridden,
                                      .chip = chip_of(all[i].v.verdict, all[i].v.coverage, STR_NULL),
                                      .can_override = v->can_override && all[i].v.verdict != VERDICT_PENDING};
        if (all[i].v.overridden) rows[i].reason = web_reason(r, all[i].v.reason);
        findings_fill(r, all[i].v.findings, &rows[i]);
    }
    v->files.p = rows, v->files.n = k;
    return OK;
}

/* Statement members that a page names; the whole of it is shown too. */
static void statement_fill(struct http_req *r, struct repo_page *p, struct view_review *v) {
    struct jv s;
    v->decided = p->verdict.statement.n > 0;
    v->responsible = review_responsible(r->lang, p->verdict.responsible);
    v->signature = p->verdict.signature;
    v->key_id = p->verdict.key_id;
    v->statement = p->verdict.statement;
    v->time_ms = p->verdict.time_ms;
    if (!v->decided || json_parse(r->arena, v->statement, NULL, &s) != OK) return;
    v->policy = jv_str(jv_get(s, "policy"), STR(""));
    v->rule_pack = jv_str(jv_get(s, "rule_pack_sha256"), STR(""));
}

/* The signed statement, checked without this server; then the same rules over the reader's own copy of the bytes. */
static struct str verify_cmd(struct http_req *r, struct repo_page *p) {
    return arena_printf(r->arena,
                        "curl -fsS " STR_FMT "/api/ballast/review/%s/" STR_FMT
                        "/%s -o verdict.json\nballast review verify verdict.json\nballast review ./" STR_FMT,
                        STR_ARG(r->base_url), repo_type_plural(p->repo->type), STR_ARG(p->head.full), p->commit,
                        STR_ARG(p->repo->name));
}

err web_repo_review(struct http_req *r) {
    struct repo_page p;
    TRY(repo_page_open(r, "review", &p));
    struct view_review v = {.f = web_frame(r, p.head.full, "explore")};
    v.can_override = v.f.is_reviewer;
    v.sentence = sentence(p.verdict.verdict, p.verdict.coverage);
    v.partial = p.verdict.verdict != VERDICT_PENDING && p.verdict.coverage != COVERAGE_FULL;
    TRY(files_fill(r, &p, &v));
    statement_fill(r, &p, &v);
    v.verify_cmd = verify_cmd(r, &p);
    v.r = p.head;
    if (p.head.is_empty) v.r.chip = chip_state(VERDICT_PENDING), v.sentence = N_("There is nothing to review yet.");
    WEB_REPLY(r, 200, page_review, &v);
}

/* POST: a reviewer decides. The route checks the right; the signature and the event are review's. */
err web_repo_override(struct http_req *r) {
    struct str form;
    enum verdict verdict;
    TRY(web_form(r, &form));
    if (!verdict_parse(form_get(r, form, "verdict"), &verdict) || verdict == VERDICT_PENDING)
        return err_fail(
            E_UNPROCESSABLE,
            "field verdict: expected pass, notice, review or block. Nothing was decided; choose one of them.");
    /* the route asks for a reviewer, so the hook has looked up no repository */
    enum repo_type type = REPO_MODEL;
    struct repo_rec repo;
    bool moved;
    if (!repo_type_parse(str_of(r->route->repo_type), &type))
        return err_fail(E_INTERNAL, "the route names no kind of repository");
    TRY(repo_find(web_of(r)->o.id, r->arena, type, http_param(r, "ns"), http_param(r, "name"), &repo, &moved));
    TRY(repo_access(web_of(r)->o.id, r->who, &repo, ROLE_READ));
    TRY(review_override(web_of(r)->o.review, r->who, repo.id, form_get(r, form, "oid"), verdict,
                        str_trim(form_get(r, form, "reason"))));
    return web_see(r, form_get(r, form, "next"), "decided");
}
