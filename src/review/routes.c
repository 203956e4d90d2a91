/* SPDX-License-Identifier: Apache-2.0 */
/* routes.c — statements with per-file findings, overrides, the public key. */
#include "base/clock.h"
#include "base/hex.h"
#include "review_db.h"

enum { ANSWER_MAX = 60 * 1024 * 1024 };

static void key_json(struct jw *w, const struct review *v) {
    struct buf b cleanup(buf_release);
    buf_init(&b, 64);
    base64_encode(&b, v->key.pub, sizeof v->key.pub);
    jw_kstr(w, "key", buf_view(&b));
    jw_kcstr(w, "key_id", v->key.id);
}

static err get_key(struct http_req *r) {
    const struct review *v = r->ctx;
    struct buf b cleanup(buf_release);
    struct jw w;
    buf_init(&b, 4 * KiB);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kcstr(&w, "algorithm", "Ed25519");
    key_json(&w, v);
    jw_kcstr(&w, "policy", review_policy());
    jw_kstr(&w, "responsible", review_responsible(r->lang, str_of(v->responsible)));
    jw_kcstr(&w, "rule_pack_sha256", review_rule_pack());
    jw_obj_end(&w);
    return http_reply_json(r, 200, &b);
}

/* Findings in the reader's language; ids stay. */
static void findings_json(struct http_req *r, struct arena *a, struct jw *w, struct str stored) {
    struct jv root;
    jw_key(w, "findings");
    jw_arr(w);
    if (json_parse(a, stored, NULL, &root) == OK)
        for (struct jv_iter it = jv_iter(root); jv_next(&it);) {
            struct str rule = jv_str(jv_get(it.val, "rule"), STR(""));
            jw_obj(w);
            jw_kstr(w, "rule", rule);
            jw_kstr(w, "severity", jv_str(jv_get(it.val, "severity"), STR("")));
            jw_kstr(w, "message", review_message(a, r->lang, rule, jv_str(jv_get(it.val, "message"), STR(""))));
            jw_kstr(w, "where", jv_str(jv_get(it.val, "where"), STR("")));
            jw_obj_end(w);
        }
    jw_arr_end(w);
}

static err file_json(struct http_req *r, struct review *v, const struct git_entry *e, struct jw *w) {
    struct arena a;
    struct blob_verdict b;
    struct override_row o = {0};
    bool overridden = false;
    arena_init(&a, 8 * MiB);
    err er = verdict_blob_get(db_reader(v->store), &a, r->repo->id, hub_entry_key(&a, e), &b);
    if (er == OK && b.overridden)
        er = review_db_override_get(db_reader(v->store), &a, r->repo->id, hub_entry_oid(e), &o, &overridden);
    if (er == OK) {
        jw_obj(w);
        jw_kstr(w, "path", e->path);
        jw_kstr(w, "oid", hub_entry_oid(e));
        jw_kcstr(w, "verdict", verdict_name(b.verdict));
        jw_kcstr(w, "automaton", verdict_name(b.raw_verdict));
        jw_kcstr(w, "coverage", coverage_name(b.coverage));
        jw_kstr(w, "format", b.format);
        findings_json(r, &a, w, b.findings);
        if (overridden) {
            jw_key(w, "override");
            jw_obj(w);
            jw_kstr(w, "reviewer", o.reviewer);
            jw_kstr(w, "reason", o.reason);
            jw_kstr(w, "time", clock_iso_str(&a, o.time_ms));
            jw_kstr(w, "statement", o.statement);
            jw_kstr(w, "signature", o.signature);
            jw_obj_end(w);
        }
        jw_obj_end(w);
    }
    arena_release(&a);
    return er;
}

static err get_review(struct http_req *r) {
    struct review *v = r->ctx;
    char commit[GIT_OID_HEX + 1];
    struct revision_verdict rv;
    struct git_entry *files;
    size_t n;
    TRY(git_resolve(hub_git(v->hub), r->repo->id, http_param(r, "rev"), commit));
    TRY(verdict_revision_get(db_reader(v->store), r->arena, r->repo->id, str_of(commit), &rv));
    TRY(review_tree(v, r->arena, r->repo->id, str_of(commit), &files, &n));
    struct buf b cleanup(buf_release);
    struct jw w;
    buf_init(&b, ANSWER_MAX);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kcstr(&w, "commit", commit);
    jw_kcstr(&w, "verdict", verdict_name(rv.verdict));
    jw_kcstr(&w, "coverage", coverage_name(rv.coverage));
    jw_kstr(&w, "responsible", review_responsible(r->lang, rv.responsible));
    jw_kstr(&w, "reason", verdict_reason(r->arena, r->lang, rv.reason));
    if (rv.verdict != VERDICT_PENDING) {
        jw_kstr(&w, "time", clock_iso_str(r->arena, rv.time_ms));
        jw_kstr(&w, "statement", rv.statement);
        jw_kstr(&w, "signature", rv.signature);
    }
    key_json(&w, v);
    jw_key(&w, "files");
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) {
        TRY(file_json(r, v, &files[i], &w));
        if (i % 64 == 63) fiber_yield();
    }
    jw_arr_end(&w);
    jw_obj_end(&w);
    return http_reply_json(r, 200, &b);
}

/* The repository by its path; these routes are authorised by the reviewer's office, not by repository rights. */
static err named_repo(struct review *v, struct http_req *r, struct repo_rec *out) {
    enum repo_type t;
    bool moved;
    if (!repo_type_parse(http_param(r, "type"), &t))
        return err_fail(E_NOT_FOUND, "the first part must be models, datasets or spaces");
    return repo_find(v->id, r->arena, t, http_param(r, "ns"), http_param(r, "name"), out, &moved);
}

static err post_override(struct http_req *r) {
    struct review *v = r->ctx;
    struct repo_rec repo;
    struct jv body;
    struct str oid, verdict_word, reason, path;
    enum verdict verdict;
    TRY(named_repo(v, r, &repo));
    TRY(http_body_json(r, 64 * KiB, &body));
    TRY(jv_need_str(body, "verdict", &verdict_word));
    TRY(jv_need_str(body, "reason", &reason));
    if (!verdict_parse(verdict_word, &verdict) || verdict == VERDICT_PENDING)
        return err_fail(E_UNPROCESSABLE, "field verdict: expected pass, notice, review or block");
    oid = jv_str(jv_get(body, "oid"), STR_NULL);
    path = jv_str(jv_get(body, "path"), STR_NULL);
    if (oid.n == 0) {
        char commit[GIT_OID_HEX + 1];
        struct git_entry *e = arena_new(r->arena, struct git_entry);
        if (path.n == 0) return err_fail(E_UNPROCESSABLE, "field path: expected the file's path (or its oid)");
        TRY(git_resolve(hub_git(v->hub), repo.id, http_param(r, "rev"), commit));
        TRY(git_entry_get(hub_git(v->hub), r->arena, repo.id, str_of(commit), path, e));
        if (e->is_dir) return err_fail(E_UNPROCESSABLE, "field path: expected a file, not a folder");
        oid = hub_entry_oid(e);
    }
    TRY(review_override(v, r->who, repo.id, oid, verdict, reason));
    struct buf b cleanup(buf_release);
    struct jw w;
    buf_init(&b, 16 * KiB);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "oid", oid);
    jw_kcstr(&w, "verdict", verdict_name(verdict));
    jw_kstr(&w, "reviewer", r->who->name);
    jw_kstr(&w, "reason", str_trim(reason));
    jw_obj_end(&w);
    return http_reply_json(r, 200, &b);
}

static const struct http_route routes[] = {
    {.methods = HTTP_GET,
     .pattern = "/api/ballast/review/key",
     .fn = get_key,
     .auth = AUTH_PUBLIC,
     .dialect = DIALECT_HF,
     .name = "review.key",
     .summary = "Public key, policy and rule pack of the review"},
    {.methods = HTTP_GET,
     .pattern = "/api/ballast/review/{type}/{ns}/{name}/{rev}",
     .fn = get_review,
     .auth = AUTH_REPO_READ,
     .dialect = DIALECT_HF,
     .name = "review.get",
     .summary = "Signed statement of a revision with the findings of each file"},
    {.methods = HTTP_POST,
     .pattern = "/api/ballast/review/{type}/{ns}/{name}/{rev}/override",
     .fn = post_override,
     .auth = AUTH_REVIEWER,
     .dialect = DIALECT_HF,
     .name = "review.override",
     .summary = "Replace the verdict of a file, with a reason"},
};

err review_routes(struct review *v, struct http_router *rt) {
    return http_router_add(rt, routes, ARRAY_LEN(routes), v);
}
