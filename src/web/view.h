/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.h — the data each page is drawn from, and the functions that tools/tmpl.py makes of pages/.
 *
 * Rules: 1. A view holds what the page shows, already looked up and already permitted: templates
 * decide nothing about rights. 2. A field named url or …_url was built by url.h from encoded parts.
 * 3. `const char *` fields that the page translates ({{ x | t }}) hold msgids marked N_().
 */
#ifndef BALLAST_WEB_VIEW_H
#define BALLAST_WEB_VIEW_H

#include "web/tmpl.h"

/* A run of rows, as loops of templates take it. */
#define LIST(T)                                                                                                        \
    struct {                                                                                                           \
        const T *p;                                                                                                    \
        size_t n;                                                                                                      \
    }

struct word {
    struct str text;
};
struct link {
    struct str text, url, note;
    bool current;
};

struct frame {
    const char *lang;  /* html lang: "en", "zh-CN" */
    const char *theme; /* "auto", "light", "dark" */
    const char *nav;   /* "explore" … : the current item of the main menu */
    struct str title;  /* page title, already in the reader's language or a name */
    struct str self;   /* path and query of this page, for the switches */
    struct str query;  /* in the search box */
    bool signed_in, is_admin, is_reviewer;
    struct str user, user_url, csrf, signin_url;
    struct str base_url, host; /* "http://127.0.0.1:8620", "127.0.0.1:8620" */
    const char *notice;        /* msgid of what was just done, or NULL */
    struct str script_url;     /* this page's live part, or empty */
    struct str version;
};

/* verdict: icon + word + coverage, linked to the why */
struct chip {
    const char *verdict;  /* "pass" "notice" "review" "block" "pending": class and icon */
    const char *word;     /* msgid */
    const char *coverage; /* msgid, NULL while pending */
    struct str url;       /* empty: not a link */
};

struct repo_row {
    struct str full, url, description, licence, task;
    const char *type; /* msgid: "model" … */
    bool is_private;
    struct chip chip;
    int64_t updated_ms, downloads;
    uint64_t bytes;
};
struct repo_rows {
    const struct repo_row *p;
    size_t n;
};

struct event_row {
    int64_t seq, time_ms;
    const char *icon, *tone; /* id in the sprite; class of its colour */
    struct html sentence;
    struct str kind, url;
    int64_t deployment; /* its number, when the entry tells of one */
};
struct event_rows {
    const struct event_row *p;
    size_t n;
};

struct view_home {
    struct frame f;
    int64_t n_repos, n_verdicts, n_requests;
    uint64_t bytes_stored, bytes_uploaded;
    int64_t percent;        /* stored of uploaded, 0 while nothing was uploaded */
    struct repo_rows repos; /* newest, or mine */
    struct event_rows events;
    LIST(struct wait_row) waiting;
};
struct wait_row { /* something that waits for the reader */
    struct chip chip;
    struct str text, url;
    const char *what; /* msgid */
    int64_t time_ms;
};

struct view_explore {
    struct frame f;
    LIST(struct link) types, sorts, licences;
    struct str q, type, author, sort;
    struct repo_rows repos;
    struct str next_url;
    bool filtered;
    struct str clear_url, new_url;
};

struct view_owner {
    struct frame f;
    struct str name, fullname, self_url;
    bool is_org, is_me;
    int64_t created_ms;
    struct repo_rows models, datasets, spaces;
    LIST(struct member_row) members, orgs;
    struct str new_url;
};
struct member_row {
    struct str name, url;
    const char *role; /* msgid */
};

/* --- a repository ------------------------------------------------------------------------------------ */
struct repo_head {
    const char *type, *type_many; /* msgids */
    struct str type_prefix;       /* "", "datasets/" */
    struct str owner, name, full, url, owner_url, list_url;
    bool is_private, can_write, can_admin, is_model, is_empty;
    const char *tab;        /* "card" "files" "history" "review" "use" "settings" */
    struct str rev, commit; /* as picked; resolved */
    LIST(struct link) branches, tags;
    struct str card_url, files_url, history_url, review_url, use_url, settings_url, deploy_url;
    struct chip chip;
    struct str reason; /* why blocked or pending, one sentence */
    /* the side column */
    struct str licence, base_model, base_model_url, task, library;
    LIST(struct word) formats;
    uint64_t bytes;
    int64_t n_files, downloads, updated_ms;
    LIST(struct link) deployments;
    bool can_deploy;
};

struct view_card {
    struct frame f;
    struct repo_head r;
    struct html card;
    bool has_card, card_cut;
    struct str withheld; /* why the card is not shown */
};

struct file_row {
    struct str name, url, commit_title, commit_url;
    bool is_dir, is_lfs;
    uint64_t bytes;
    struct chip chip;
    int64_t time_ms;
};
struct view_files {
    struct frame f;
    struct repo_head r;
    LIST(struct link) crumbs;
    LIST(struct file_row) files;
    bool has_up, more;
    struct str up_url, more_url;
};

struct line_row {
    int64_t no;
    struct str text;
};
struct hex_row {
    struct str offset, hex, ascii;
};
struct tensor_row {
    struct str name, dtype, shape;
    uint64_t bytes;
};
struct meta_row {
    struct str key, value;
};
struct cell_row {
    LIST(struct word) cells;
};

struct view_file {
    struct frame f;
    struct repo_head r;
    LIST(struct link) crumbs;
    struct str path, oid, download_url, other_url, sha256; /* other_url: Markdown as its source, or back */
    const char *oid_kind;                                  /* "SHA-256" or "git" */
    uint64_t bytes;
    bool is_lfs;
    struct chip chip;
    struct str format, reason;
    const char *kind; /* "text" "markdown" "hex" "image" "table" "tensors" "withheld" */
    bool cut;
    struct html markdown;
    LIST(struct line_row) lines;
    LIST(struct hex_row) hex;
    LIST(struct word) columns;
    LIST(struct cell_row) rows;
    LIST(struct tensor_row) tensors;
    LIST(struct meta_row) meta;
    int64_t n_tensors, n_params;
    struct str image_url;
};

struct commit_row {
    struct str oid, title, author, author_url, files_url, oid_url;
    struct chip chip;
    int64_t time_ms;
};
struct view_history {
    struct frame f;
    struct repo_head r;
    LIST(struct commit_row) commits;
    int64_t total;
    struct str path, newer_url, older_url;
};

struct finding_row {
    struct chip severity;
    struct str rule, message, where;
};
struct review_row {
    struct str path, url, override_url, oid, format;
    struct chip chip;
    bool overridden, can_override;
    struct str reason;
    LIST(struct finding_row) findings;
    uint64_t bytes;
};
struct view_review {
    struct frame f;
    struct repo_head r;
    bool decided;
    const char *sentence; /* msgid: what the verdict means */
    struct str policy, rule_pack, responsible, signature, key_id, statement, statement_url, verify_cmd;
    int64_t time_ms, n_block, n_review, n_notice, n_pass, n_pending, n_files;
    LIST(struct review_row) files;    /* worst first */
    bool can_override, more, partial; /* partial: some content was not examined */
};

struct snippet {
    const char *id, *name; /* "hf", name as shown (a program's name: not translated) */
    const char *intro;     /* msgid */
    struct str code;
    bool first, needs_deployment;
};
struct view_use {
    struct frame f;
    struct repo_head r;
    LIST(struct snippet) snippets;
};

struct view_settings {
    struct frame f;
    struct repo_head r;
    struct str error;
    struct str delete_error;
};

struct view_new {
    struct frame f;
    LIST(struct link) owners;
    struct str owner, name, fullname, type, error;
    bool is_private, is_org_form;
};

/* --- account ----------------------------------------------------------------------------------------- */
struct view_signin {
    struct frame f;
    struct str next, user, limited; /* limited: too many tries, with the wait */
    bool failed, needed;            /* needed: a page asked for it */
};
struct token_row {
    int64_t id, created_ms, expires_ms, used_ms;
    struct str name, hint;
    const char *role; /* msgid */
    bool expired;
};
struct view_tokens {
    struct frame f;
    LIST(struct token_row) tokens;
    struct str secret, secret_name, error, name; /* secret: only in the answer to its creation */
    struct str cmd_env;
};
struct session_row {
    struct str id, agent;
    bool current;
    int64_t created_ms, used_ms, expires_ms;
};
struct view_sessions {
    struct frame f;
    LIST(struct session_row) sessions;
};
struct view_profile {
    struct frame f;
    struct str name, fullname, lang, error;
    LIST(struct member_row) orgs;
};

/* --- apply ------------------------------------------------------------------------------------------- */
struct deploy_row {
    int64_t id, since_ms, restarts, replicas, ready;
    uint64_t memory_bytes;
    double tokens_per_s;
    struct str model, repo, repo_url, commit, commit_url, file, engine, detail, url, play_url, action_url, live_url;
    const char *state, *state_word; /* class; msgid */
    bool can_stop, live;
};
struct deploy_rows {
    struct frame f;
    LIST(struct deploy_row) rows;
};
struct view_deployment {
    struct frame f;
    struct deploy_row d;
    struct str log, snippet;
    bool may_log;
};
struct view_deploy_new {
    struct frame f;
    struct str repo, rev, file, name, engine, error, repo_url;
    LIST(struct link) files, repos, engines;
    struct chip chip;
    bool has_repo, allowed;
    struct str reason;
};
struct view_playground {
    struct frame f;
    LIST(struct link) models;
    struct str endpoint, want; /* want: the model asked for in the address */
};

/* --- the log and the rest ------------------------------------------------------------------------------ */
struct view_activity {
    struct frame f;
    LIST(struct link) kinds;
    struct event_rows events;
    struct str kind, repo, older_url, clear_url;
    bool filtered;
};
struct view_event {
    struct frame f;
    struct event_row e;
    struct str payload, hash, actor, repo, repo_url;
};
struct view_error {
    struct frame f;
    int64_t status;
    const char *heading; /* msgid */
    struct str text, request_id;
    bool offer_signin;
};
struct api_row {
    struct str method, path, summary;
    const char *auth; /* msgid */
};
struct api_group {
    struct str name, title;
    LIST(struct api_row) rows;
};
struct view_api {
    struct frame f;
    LIST(struct api_group) groups;
    struct str spec_url;
};

/* --- drawn by tools/tmpl.py from pages/NAME.html -------------------------------------------------------- */
void page_head(struct tmpl *t, const struct frame *v);
void page_foot(struct tmpl *t, const struct frame *v);
void page_chip(struct tmpl *t, const struct chip *v);
void page_repo_rows(struct tmpl *t, const struct repo_rows *v);
void page_event_rows(struct tmpl *t, const struct event_rows *v);
void page_repo_head(struct tmpl *t, const struct repo_head *v);
void page_repo_side(struct tmpl *t, const struct repo_head *v);
void page_home(struct tmpl *t, const struct view_home *v);
void page_explore(struct tmpl *t, const struct view_explore *v);
void page_owner(struct tmpl *t, const struct view_owner *v);
void page_card(struct tmpl *t, const struct view_card *v);
void page_files(struct tmpl *t, const struct view_files *v);
void page_file(struct tmpl *t, const struct view_file *v);
void page_file_body(struct tmpl *t, const struct view_file *v);
void page_history(struct tmpl *t, const struct view_history *v);
void page_review(struct tmpl *t, const struct view_review *v);
void page_use(struct tmpl *t, const struct view_use *v);
void page_settings(struct tmpl *t, const struct view_settings *v);
void page_new(struct tmpl *t, const struct view_new *v);
void page_signin(struct tmpl *t, const struct view_signin *v);
void page_account_nav(struct tmpl *t, const struct frame *v);
void page_tokens(struct tmpl *t, const struct view_tokens *v);
void page_sessions(struct tmpl *t, const struct view_sessions *v);
void page_profile(struct tmpl *t, const struct view_profile *v);
void page_deployments(struct tmpl *t, const struct deploy_rows *v);
void page_deploy_rows(struct tmpl *t, const struct deploy_rows *v);
void page_deployment(struct tmpl *t, const struct view_deployment *v);
void page_deployment_live(struct tmpl *t, const struct view_deployment *v);
void page_deploy_new(struct tmpl *t, const struct view_deploy_new *v);
void page_playground(struct tmpl *t, const struct view_playground *v);
void page_activity(struct tmpl *t, const struct view_activity *v);
void page_event(struct tmpl *t, const struct view_event *v);
void page_error(struct tmpl *t, const struct view_error *v);
void page_api(struct tmpl *t, const struct view_api *v);
#endif
