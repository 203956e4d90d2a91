/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_int.h — what the files of this room share: the room itself, page replies, URLs, records.
 */
#ifndef BALLAST_WEB_INT_H
#define BALLAST_WEB_INT_H

#include <pthread.h>

#include "web/view.h"
#include "web/web.h"

struct web_figures {
    int64_t n_repos, n_verdicts_day, n_requests;
    uint64_t bytes_uploaded, bytes_stored;
};

struct web {
    struct web_opts o;
    const struct http_router *router; /* for the page of the API */
    pthread_mutex_t figures_mu;       /* the first page's figures are counted at most every FIGURES_MS */
    int64_t figures_ms;
    struct web_figures figures;
};
static inline struct web *web_of(const struct http_req *r) {
    return r->ctx;
}

enum { FIGURES_MS = 30000 };
enum { PAGE_MAX = 4 * 1024 * 1024, FORM_MAX = 64 * 1024, PAGE_ROWS = 30, TREE_MAX = 1000 };
#define COOKIE_THEME "ballast_theme"

/* --- frame.c: a page, from begin to reply ------------------------------------------------------ */
struct page {
    struct buf b;
    struct tmpl t;
};
struct frame web_frame(struct http_req *r, struct str title, const char *nav);
/* The translation of a literal as str. */
struct str web_text(const struct http_req *r, const char *msgid);
void web_begin(struct http_req *r, struct page *p);
/* Headers (policy, caching), one write. Releases the page. */
may_suspend err web_end(struct http_req *r, struct page *p, int status) must_check;
#define WEB_REPLY(r, status, page_fn, view)                                                                            \
    do {                                                                                                               \
        struct page page_;                                                                                             \
        web_begin((r), &page_);                                                                                        \
        page_fn(&page_.t, (view));                                                                                     \
        return web_end((r), &page_, (status));                                                                         \
    } while (0)
/* A form of this site: the whole urlencoded body. Fields by form_get (decoded, trimmed of nothing). */
may_suspend err web_form(struct http_req *r, struct str *body) must_check;
struct str form_get(struct http_req *r, struct str body, const char *name);
/* 303 to a path of this site. `done` (may be NULL) names what the next page says was done: frame.c's table. */
may_suspend err web_see(struct http_req *r, struct str path, const char *done) must_check;
/* A path of this site and nothing else ("/x", not "//host"), else "/". */
struct str web_local_path(struct str path);
/* The error's text for a form that is shown again. */
struct str web_err_text(struct http_req *r);

/* --- url.c ------------------------------------------------------------------------------------- */
struct str url_repo(struct arena *a, const struct repo_rec *r);
struct str url_owner(struct arena *a, struct str owner);
/* "/amy/m/VERB/REV/PATH": rev is one encoded segment; path may be empty. */
struct str url_at(struct arena *a, const struct repo_rec *r, const char *verb, struct str rev, struct str path);
struct str url_query(struct arena *a, const char *path, const char *const *names, const struct str *values, size_t n);
struct str repo_full(struct arena *a, const struct repo_rec *r);

/* --- verdicts ------------------------------------------------------------------------------------ */
struct chip chip_of(enum verdict v, enum coverage c, struct str url);
struct chip chip_state(enum verdict v); /* no coverage, no link: severities */
/* A recorded reason ("PATH: RULE: MESSAGE (WHERE)") for people: the message in their language, without the rule's id.
 */
struct str web_reason(struct http_req *r, struct str reason);
/* A text that was stored in English, in the reader's language where the catalogue knows its format (said.c). */
struct str web_said(struct arena *a, enum lang lang, struct str text);

/* --- records of other rooms that have no call of their own (web_db.c) ------------------------------ */
must_check err web_db_figures(struct db *d, int64_t now_ms, struct web_figures *out);
struct web_repo_facts {
    struct str card, tags, description, head;
};
must_check err web_db_repo_facts(struct db *d, struct arena *a, int64_t repo_id, struct web_repo_facts *out);
struct web_wait {
    int64_t repo_id, time_ms;
    struct str commit;
    enum verdict verdict;
    enum coverage coverage;
};
/* Newest pushes of a user whose verdict is not yet given or not favourable; one per repository. */
must_check err web_db_waiting(struct db *d, struct arena *a, int64_t user_id, size_t max, struct web_wait **out,
                              size_t *n);
must_check err web_db_licences(struct db *d, struct arena *a, enum repo_type t, struct str **out, size_t *n);

/* --- lists of repositories (lists.c) ---------------------------------------------------------------- */
must_check err web_repo_list(struct http_req *r, const struct hub_list_opts *o, struct repo_rows *out,
                             struct str *next);
const char *type_word(enum repo_type t);  /* msgid "model" */
const char *type_words(enum repo_type t); /* msgid "Models" */

/* --- activity (activity.c, sentence.c) ----------------------------------------------------------------- */
struct event_query {
    int64_t before; /* 0: from the newest */
    int64_t repo_id;
    struct str kind;
    size_t max;
};
/* Only what this reader may know. *next: seq to go on below, 0 at the end. */
must_check err web_events(struct http_req *r, const struct event_query *q, struct event_rows *out, int64_t *next);
/* The entry as a sentence in the reader's language; false when this reader may not see it. */
must_check err event_draw(struct http_req *r, const struct event *e, struct event_row *out, bool *may_see);

/* --- handlers, by page ------------------------------------------------------------------------------- */
err web_home(struct http_req *r);
err web_explore(struct http_req *r);
err web_owner(struct http_req *r);
err web_repo_card(struct http_req *r);
err web_repo_files(struct http_req *r);
err web_repo_file(struct http_req *r);
err web_repo_history(struct http_req *r);
err web_repo_commit(struct http_req *r);
err web_repo_review(struct http_req *r);
err web_repo_override(struct http_req *r);
err web_repo_use(struct http_req *r);
err web_repo_settings(struct http_req *r);
err web_repo_settings_post(struct http_req *r);
err web_new(struct http_req *r);
err web_new_post(struct http_req *r);
err web_new_org(struct http_req *r);
err web_new_org_post(struct http_req *r);
err web_signin(struct http_req *r);
err web_signin_post(struct http_req *r);
err web_signout(struct http_req *r);
err web_tokens(struct http_req *r);
err web_tokens_post(struct http_req *r);
err web_tokens_revoke(struct http_req *r);
err web_sessions(struct http_req *r);
err web_sessions_end(struct http_req *r);
err web_profile(struct http_req *r);
err web_profile_post(struct http_req *r);
err web_deployments(struct http_req *r);
err web_deploy_rows(struct http_req *r);
err web_deployment(struct http_req *r);
err web_deployment_live(struct http_req *r);
err web_deployment_post(struct http_req *r);
err web_deploy_new(struct http_req *r);
err web_deploy_new_post(struct http_req *r);
err web_playground(struct http_req *r);
err web_activity(struct http_req *r);
err web_event(struct http_req *r);
err web_api_docs(struct http_req *r);
err web_switch(struct http_req *r);
err web_asset(struct http_req *r);
#endif
