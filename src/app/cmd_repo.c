/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_repo.c — repositories and their verdicts. */
#include "app/app_db.h"
#include "app/cli.h"
#include "base/clock.h"

static int type_opt(struct cli *c, enum repo_type *t) {
    const char *s = cli_opt(c, "--type");
    *t = REPO_MODEL;
    if (s != NULL && !repo_type_parse(str_of(s), t))
        return cli_usage(c, i18n(c->lang, N_("--type: expected model, dataset or space")));
    return EXIT_DONE;
}

int cmd_repo_list(struct cli *c) {
    enum repo_type t;
    int code = type_opt(c, &t);
    if (code != EXIT_DONE) return code;
    struct repo_rec *r;
    size_t n;
    err e = cli_app(c);
    if (e == OK)
        e = app_db_repos(db_reader(c->app->store), &c->arena, str_of(c->n_pos > 0 ? c->pos[0] : ""),
                         cli_opt(c, "--type") ? (int)t : 0, &r, &n);
    if (e != OK) return cli_fail(c, e);
    struct buf b;
    struct jw w;
    buf_init(&b, 64 * MiB);
    jw_init(&w, &b);
    if (c->json) jw_arr(&w);
    for (size_t i = 0; i < n; i++) {
        if (!c->json) {
            printf("%-8s %s" STR_FMT "/" STR_FMT "%s\n", repo_type_name(r[i].type), repo_type_prefix(r[i].type),
                   STR_ARG(r[i].owner), STR_ARG(r[i].name), r[i].is_private ? "  (private)" : "");
            continue;
        }
        jw_obj(&w);
        jw_ki64(&w, "id", r[i].id);
        jw_kcstr(&w, "type", repo_type_name(r[i].type));
        jw_kstr(&w, "name", arena_printf(&c->arena, STR_FMT "/" STR_FMT, STR_ARG(r[i].owner), STR_ARG(r[i].name)));
        jw_kbool(&w, "private", r[i].is_private);
        jw_ki64(&w, "downloads", r[i].downloads);
        jw_key(&w, "updated");
        jw_str(&w, clock_iso_str(&c->arena, r[i].updated_ms));
        jw_obj_end(&w);
    }
    if (c->json) {
        jw_arr_end(&w);
        printf(STR_FMT "\n", STR_ARG(buf_view(&b)));
    }
    buf_release(&b);
    return EXIT_DONE;
}

static int say_repo(struct cli *c, const struct repo_rec *r, const char *key, bool value) {
    struct cli_out o;
    cli_out_begin(&o);
    jw_obj(&o.w);
    jw_ki64(&o.w, "id", r->id);
    jw_kcstr(&o.w, "type", repo_type_name(r->type));
    jw_kstr(&o.w, "name", arena_printf(&c->arena, STR_FMT "/" STR_FMT, STR_ARG(r->owner), STR_ARG(r->name)));
    jw_kbool(&o.w, key, value);
    jw_obj_end(&o.w);
    return cli_out_end(c, &o);
}

int cmd_repo_create(struct cli *c) {
    enum repo_type t;
    int code = type_opt(c, &t);
    if (code != EXIT_DONE) return code;
    if (c->n_pos != 1) return cli_usage(c, i18n(c->lang, N_("give OWNER/NAME")));
    enum repo_type named;
    struct str owner, name, rev;
    if (cli_repo_split(c->pos[0], &named, &owner, &name, &rev) != OK) return cli_usage(c, err_text());
    if (cli_opt(c, "--type") == NULL) t = named;
    struct principal who;
    struct repo_rec repo;
    err e = cli_app(c);
    if (e == OK) e = cli_principal(c, &who);
    if (e == OK) e = hub_repo_create(c->app->hub, &who, t, owner, name, cli_opt(c, "--private") != NULL, &repo);
    if (e != OK) return cli_fail(c, e);
    if (c->json) return say_repo(c, &repo, "private", repo.is_private);
    printf(i18n(c->lang, N_("repository %s created\n")), c->pos[0]);
    return EXIT_DONE;
}

int cmd_repo_delete(struct cli *c) {
    if (c->n_pos != 1) return cli_usage(c, i18n(c->lang, N_("give OWNER/NAME")));
    if (cli_opt(c, "--yes") == NULL)
        return cli_usage(c, i18n(c->lang, N_("this destroys the history and files for ever; add --yes to do it")));
    struct principal who;
    struct repo_rec repo;
    struct str rev;
    err e = cli_app(c);
    if (e == OK) e = cli_principal(c, &who);
    if (e == OK) e = cli_repo_arg(c, c->pos[0], &repo, &rev);
    if (e == OK) e = hub_repo_delete(c->app->hub, &who, &repo);
    if (e != OK) return cli_fail(c, e);
    if (c->json) return say_repo(c, &repo, "deleted", true);
    printf(i18n(c->lang, N_("repository %s deleted\n")), c->pos[0]);
    return EXIT_DONE;
}

static err print_files(struct cli *c, const struct repo_rec *repo, const char *commit, struct jw *w) {
    struct git_entry *ent;
    size_t n;
    bool more = true;
    struct str after = STR("");
    struct db *d = db_reader(c->app->store);
    while (more) {
        TRY(git_tree(c->app->git, &c->arena, repo->id, str_of(commit), STR(""), true, after, 1000, &ent, &n, &more));
        for (size_t i = 0; i < n; i++) {
            after = ent[i].path;
            if (ent[i].is_dir) continue;
            struct blob_verdict v;
            TRY(verdict_blob_get(d, &c->arena, repo->id, hub_entry_key(&c->arena, &ent[i]), &v));
            if (!c->json) {
                struct str why = v.verdict > VERDICT_PASS ? verdict_reason(&c->arena, c->lang, v.reason) : STR("");
                printf("  %-8s %-8s " STR_FMT "%s" STR_FMT "\n", review_verdict_word(c->lang, v.verdict),
                       review_coverage_word(c->lang, v.coverage), STR_ARG(ent[i].path), why.n > 0 ? "  — " : "",
                       STR_ARG(why));
                continue;
            }
            jw_obj(w);
            jw_kstr(w, "path", ent[i].path);
            jw_kstr(w, "oid", hub_entry_oid(&ent[i]));
            jw_kcstr(w, "verdict", verdict_name(v.verdict));
            jw_kcstr(w, "coverage", coverage_name(v.coverage));
            jw_kstr(w, "format", v.format);
            jw_kbool(w, "overridden", v.overridden);
            jw_key(w, "findings");
            jw_raw(w, v.findings.n > 0 ? v.findings : STR("[]"));
            jw_obj_end(w);
        }
    }
    return OK;
}

static err verdict_print(struct cli *c, const struct repo_rec *repo, struct str rev) {
    char commit[GIT_OID_HEX + 1];
    struct revision_verdict v;
    TRY(git_resolve(c->app->git, repo->id, rev, commit));
    TRY(verdict_revision_get(db_reader(c->app->store), &c->arena, repo->id, str_of(commit), &v));
    struct buf b cleanup(buf_release);
    struct jw w;
    buf_init(&b, 64 * MiB);
    jw_init(&w, &b);
    if (!c->json) {
        const char *colon = c->lang == LANG_ZH ? "：" : ": ";
        printf(STR_FMT "/" STR_FMT "@%.12s  %s · %s", STR_ARG(repo->owner), STR_ARG(repo->name), commit,
               review_verdict_word(c->lang, v.verdict), review_coverage_word(c->lang, v.coverage));
        if (v.signature.n > 0)
            printf("\n  %s%s" STR_FMT "   %s " STR_FMT "%s" STR_FMT, i18n(c->lang, N_("responsible")), colon,
                   STR_ARG(review_responsible(c->lang, v.responsible)), i18n(c->lang, N_("signed by key")),
                   STR_ARG(v.key_id), colon, STR_ARG(v.signature));
        printf("\n");
        return print_files(c, repo, commit, &w);
    }
    jw_obj(&w);
    jw_kcstr(&w, "commit", commit);
    jw_kcstr(&w, "verdict", verdict_name(v.verdict));
    jw_kcstr(&w, "coverage", coverage_name(v.coverage));
    jw_kstr(&w, "responsible", v.responsible);
    jw_kstr(&w, "statement", v.statement);
    jw_kstr(&w, "signature", v.signature);
    jw_kstr(&w, "key_id", v.key_id);
    jw_key(&w, "files");
    jw_arr(&w);
    TRY(print_files(c, repo, commit, &w));
    jw_arr_end(&w);
    jw_obj_end(&w);
    TRY(buf_ok(&b, "verdict"));
    printf(STR_FMT "\n", STR_ARG(buf_view(&b)));
    return OK;
}

int cmd_verdict(struct cli *c) {
    if (c->n_pos != 1) return cli_usage(c, i18n(c->lang, N_("give OWNER/NAME")));
    struct repo_rec repo;
    struct str rev;
    err e = cli_app(c);
    if (e == OK) e = cli_repo_arg(c, c->pos[0], &repo, &rev);
    if (e == OK) e = verdict_print(c, &repo, rev);
    return e == OK ? EXIT_DONE : cli_fail(c, e);
}
