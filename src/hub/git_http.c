/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git_http.c — git over HTTP at the address of a repository's page, with and without ".git".
 *
 * The gate on fetch: a pack cannot leave a blob out, so while any reference (or any object asked for by id) reaches a
 * blocked blob, info/refs and git-upload-pack answer 403; stock git prints a text/plain body of info/refs as
 * "remote: …" (docs/decisions/0051). A blob still under review holds the request up to FETCH_HOLD_MS, then 503.
 * Pushing stays possible, or nobody could ever repair such a repository.
 *
 * A revision nobody has judged yet holds it up as well, since it may give known bytes a name that changes what they
 * are.
 *
 * Large files do not count here: their pointers are harmless and their bytes have a gate of their own (lfs.c).
 */
#include "base/clock.h"
#include "base/log.h"
#include "hub/git_db.h"
#include "hub/hub_parts.h"
#include "hub/refs.h"

enum { FETCH_HOLD_MS = 60000, RECORD_WAIT_MS = 2000, RECORD_POLL_MS = 20 };

struct withheld_job {
    struct hub *h;
    struct arena *a;
    int64_t repo_id;
    struct git_withheld out;
};
static err withheld_run(void *arg) {
    struct withheld_job *j = arg;
    return git_db_withheld(db_reader(j->h->store), j->a, j->repo_id, &j->out);
}

/* The verdict's own words, with the file they are about. */
static err refuse(struct hub *h, struct http_req *r, int64_t repo_id, const struct git_reach *at, int64_t hold_ms) {
    struct str warn, path = at->path.n > 0 ? at->path : str_of(at->oid);
    err e = verdict_gate(h->store, r->arena, repo_id, verdict_key(r->arena, str_of(at->oid), at->path), hold_ms, &warn);
    return e == E_BLOCKED || e == E_PENDING ? err_wrap(e, STR_FMT, STR_ARG(path)) : e;
}

/* Do the records know every reference git has? Between a commit and its rows (refs.c) they do not, for a moment. */
static err refs_recorded(struct hub *h, struct arena *a, int64_t repo_id, bool *same) {
    struct git_ref *now, *rows;
    size_t n_now, n_rows;
    TRY(git_refs(h->git, a, repo_id, &now, &n_now));
    TRY(refs_db_list(db_reader(h->store), a, repo_id, &rows, &n_rows));
    *same = n_now == n_rows;
    for (size_t i = 0; i < n_now && *same; i++)
        *same = str_eq(now[i].name, rows[i].name) && memcmp(now[i].target, rows[i].target, GIT_OID_HEX) == 0;
    return OK;
}

/*
 * A blob that is not recorded is not known to be withheld. So a fetch waits until the records have caught up; if they
 * do not (a command line process died in between), it brings them up to date itself.
 */
static err catch_up(struct hub *h, struct arena *a, int64_t repo_id) {
    int64_t until = clock_mono_ms() + RECORD_WAIT_MS;
    for (bool same = false;;) {
        arena_reset(a);
        TRY(refs_recorded(h, a, repo_id, &same));
        if (same) return OK;
        if (clock_mono_ms() > until) break;
        TRY(fiber_sleep(RECORD_POLL_MS));
    }
    struct git_lock *lock = NULL;
    char main_oid[GIT_OID_HEX + 1];
    TRY(git_lock(h->git, repo_id, &lock));
    err e = hub_refs_sync_locked(h, repo_id, 0, "git", NULL, main_oid);
    git_unlock(lock);
    TRY(e);
    return main_oid[0] != 0 ? hub_card_refresh(h, repo_id, str_of(main_oid)) : OK;
}

/* Revisions whose verdict is only being issued anew (an override, another rule pack) are decided for this purpose. */
static err revisions_decided(struct hub *h, int64_t repo_id, int64_t until) {
    for (bool undecided = true;;) {
        uint64_t seen = notify_gen(store_notify(h->store));
        TRY(git_db_undecided(db_reader(h->store), repo_id, &undecided));
        if (!undecided) return OK;
        int64_t left = until - clock_mono_ms();
        err e = left > 0 ? notify_wait(store_notify(h->store), seen, left) : E_TIMEOUT;
        if (e == E_TIMEOUT)
            return err_fail(E_PENDING, "review of the newest revision is not finished; fetch again in a moment");
        TRY(e);
    }
}

static err fetch_gate(struct hub *h, struct http_req *r, int64_t repo_id, const struct str *wants, size_t n) {
    int64_t until = clock_mono_ms() + FETCH_HOLD_MS;
    struct arena a cleanup(arena_release);
    arena_init(&a, 128 * MiB);
    TRY(catch_up(h, &a, repo_id));
    TRY(revisions_decided(h, repo_id, until));
    for (;;) {
        struct git_reach at;
        arena_reset(&a);
        struct withheld_job j = {.h = h, .a = &a, .repo_id = repo_id};
        TRY(work_run(withheld_run, &j));
        if (j.out.n_blocked > 0) {
            TRY(git_reachable(h->git, &a, repo_id, true, wants, n, j.out.blocked, j.out.n_blocked, &at));
            if (at.found) return refuse(h, r, repo_id, &at, 0);
        }
        TRY(git_reachable(h->git, &a, repo_id, true, wants, n, j.out.pending, j.out.n_pending, &at));
        if (!at.found) return OK;
        TRY(refuse(h, r, repo_id, &at,
                   MAX(until - clock_mono_ms(), 0))); /* waits for this one, then all is asked anew */
    }
}

static err on_wants(void *arg, struct http_req *r, int64_t repo_id, const struct str *wants, size_t n) {
    return fetch_gate(arg, r, repo_id, wants, n);
}

static err on_moved(void *arg, int64_t repo_id, int64_t user_id) {
    struct hub *h = arg;
    char main_oid[GIT_OID_HEX + 1];
    TRY(hub_refs_sync_locked(h, repo_id, user_id, "git", NULL, main_oid));
    if (main_oid[0] == 0) return OK;
    err e = hub_card_refresh(h, repo_id, str_of(main_oid));
    if (e != OK) log_warn("hub.card", LI("repo", repo_id), LZ("why", err_text_en())); /* the push itself is recorded */
    return OK;
}

static struct git_http_hooks hooks_of(struct hub *h) {
    return (struct git_http_hooks){on_wants, on_moved, h};
}

/* --- handlers ---------------------------------------------------------------------------------------------- */

static err info_refs(struct http_req *r) {
    struct hub *h = hub_of(r);
    struct str service = http_query(r, "service", STR(""));
    if (str_eqz(service, "git-upload-pack")) {
        TRY(fetch_gate(h, r, r->repo->id, NULL, 0));
        return git_http_info_refs(h->git, r, r->repo->id, false);
    }
    if (!str_eqz(service, "git-receive-pack"))
        return err_fail(E_FORBIDDEN,
                        "service: expected git-upload-pack or git-receive-pack; git older than 1.6.6 is not supported");
    TRY(repo_access(h->id, r->who, r->repo, ROLE_WRITE));
    return git_http_info_refs(h->git, r, r->repo->id, true);
}

static err upload_pack(struct http_req *r) {
    struct hub *h = hub_of(r);
    struct git_http_hooks hooks = hooks_of(h);
    return git_http_upload(h->git, r, r->repo->id, &hooks);
}

static err receive_pack(struct http_req *r) {
    struct hub *h = hub_of(r);
    struct git_http_hooks hooks = hooks_of(h);
    struct git_push_limits lim = {.blob_max = h->inline_limit};
    return git_http_receive(h->git, r, r->repo->id, r->who->user_id, &lim, &hooks);
}

#define GIT1(PREFIX, SUFFIX, TYPE, TAG)                                                                                \
    {.methods = HTTP_GET,                                                                                              \
     .pattern = PREFIX "/{ns}/{name}" SUFFIX "/info/refs",                                                             \
     .fn = info_refs,                                                                                                  \
     .auth = AUTH_REPO_READ,                                                                                           \
     .dialect = DIALECT_GIT,                                                                                           \
     .name = "git.info_refs." TAG,                                                                                     \
     .summary = "References of a repository, for git fetch and push",                                                  \
     .repo_type = TYPE},                                                                                               \
        {.methods = HTTP_POST,                                                                                         \
         .pattern = PREFIX "/{ns}/{name}" SUFFIX "/git-upload-pack",                                                   \
         .fn = upload_pack,                                                                                            \
         .auth = AUTH_REPO_READ,                                                                                       \
         .dialect = DIALECT_GIT,                                                                                       \
         .name = "git.upload_pack." TAG,                                                                               \
         .summary = "Objects for git fetch and clone",                                                                 \
         .repo_type = TYPE,                                                                                            \
         .max_body = HTTP_BODY_ANY},                                                                                   \
    {                                                                                                                  \
        .methods = HTTP_POST, .pattern = PREFIX "/{ns}/{name}" SUFFIX "/git-receive-pack", .fn = receive_pack,         \
        .auth = AUTH_REPO_WRITE, .dialect = DIALECT_GIT, .name = "git.receive_pack." TAG,                              \
        .summary = "Objects and references of a git push", .repo_type = TYPE, .max_body = HTTP_BODY_ANY                \
    }

static const struct http_route routes[] = {
    GIT1("", "", "model", "model"),
    GIT1("", ".git", "model", "model_git"),
    GIT1("/datasets", "", "dataset", "dataset"),
    GIT1("/datasets", ".git", "dataset", "dataset_git"),
    GIT1("/spaces", "", "space", "space"),
    GIT1("/spaces", ".git", "space", "space_git"),
};

err hub_git_http_routes(struct hub *h, struct http_router *rt) {
    return http_router_add(rt, routes, ARRAY_LEN(routes), h);
}
