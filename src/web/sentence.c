/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentence.c — an entry of the log as a sentence: "amy pushed 3 files to amy/m".
 *
 * Who may read an entry: of a repository, whoever may read that; of an account (user., org., token.), that
 * account and administrators; everything else, anyone. A kind this file does not know is shown by its name.
 */
#include "base/clock.h"
#include "web/web_int.h"

struct talk {
    struct http_req *r;
    const struct event *e;
    struct tmpl *t;
    struct jv payload;
    struct html actor, repo;
};

static struct html cut_text(struct tmpl *t, struct str s) {
    size_t m = tmpl_mark(t);
    tmpl_show_str(t, s);
    return tmpl_cut(t, m);
}

static struct html cut_link(struct tmpl *t, struct str url, struct str text) {
    size_t m = tmpl_mark(t);
    buf_cstr(t->b, "<a href=\"");
    tmpl_put_str(t, url);
    buf_cstr(t->b, "\">");
    tmpl_show_str(t, text);
    buf_cstr(t->b, "</a>");
    return tmpl_cut(t, m);
}

static struct html cut_code(struct tmpl *t, struct str s) {
    size_t m = tmpl_mark(t);
    buf_cstr(t->b, "<code>");
    tmpl_show_str(t, s);
    buf_cstr(t->b, "</code>");
    return tmpl_cut(t, m);
}

static struct str field(const struct talk *k, const char *name) {
    return jv_str(jv_get(k->payload, name), STR(""));
}

#define SAY(msgid, ...)                                                                                                \
    do {                                                                                                               \
        const struct tmpl_arg args_[] = {{"who", k->actor}, {"repo", k->repo}, __VA_ARGS__};                           \
        tmpl_text(k->t, (msgid), args_, ARRAY_LEN(args_));                                                             \
    } while (0)

static void say_revision(struct talk *k, struct event_row *out) {
    out->icon = "push";
    struct str ref = field(k, "ref");
    if (str_starts(ref, "refs/heads/")) ref = str_from(ref, 11);
    int64_t files = jv_i64(jv_get(k->payload, "files"), 0);
    struct html branch = cut_code(k->t, ref);
    const struct tmpl_arg args[] = {{"who", k->actor}, {"repo", k->repo}, {"branch", branch}};
    size_t n = ARRAY_LEN(args);
    if (str_eqz(ref, "main")) n--;
    if (files == 0) tmpl_text(k->t, N_("{who} changed {repo}"), args, n);
    else if (n == 2)
        tmpl_count(k->t, files, "{who} pushed 1 file to {repo}", N_("{who} pushed {n} files to {repo}"), args, n);
    else
        tmpl_count(k->t, files, "{who} pushed 1 file to {repo} on {branch}",
                   N_("{who} pushed {n} files to {repo} on {branch}"), args, n);
}

static void say_ref(struct talk *k, struct event_row *out) {
    out->icon = "push";
    struct str ref = field(k, "ref");
    bool tag = str_starts(ref, "refs/tags/");
    ref = tag ? str_from(ref, 10) : str_starts(ref, "refs/heads/") ? str_from(ref, 11) : ref;
    struct html name = cut_code(k->t, ref);
    if (str_eqz(k->e->kind, "ref.deleted"))
        SAY(tag ? N_("{who} removed the tag {name} from {repo}") : N_("{who} removed the branch {name} from {repo}"),
            {"name", name});
    else SAY(tag ? N_("{who} tagged {repo} as {name}") : N_("{who} made the branch {name} in {repo}"), {"name", name});
}

static void say_repo(struct talk *k, struct event_row *out) {
    out->icon = "repo";
    struct html name = cut_text(k->t, field(k, "name"));
    if (str_eqz(k->e->kind, "repo.created")) SAY(N_("{who} created {repo}"), {"name", name});
    else if (str_eqz(k->e->kind, "repo.deleted")) SAY(N_("{who} deleted {repo}"), {"name", name});
    else if (str_eqz(k->e->kind, "repo.moved")) SAY(N_("{who} renamed {repo}"), {"name", name});
    else SAY(N_("{who} changed the settings of {repo}"), {"name", name});
}

static void say_verdict(struct talk *k, struct event_row *out) {
    enum verdict v = VERDICT_PENDING;
    struct str word = field(k, "verdict"), reason = field(k, "reason"), commit = field(k, "commit");
    if (!verdict_parse(word, &v)) v = VERDICT_PENDING;
    out->icon = out->tone = verdict_name(v);
    bool override = str_eqz(k->e->kind, "verdict.overridden") || str_eqz(k->e->kind, "verdict.override");
    if (override) {
        struct html rule = cut_text(k->t, web_text(k->r, chip_state(v).word)), path = cut_text(k->t, reason);
        SAY(N_("{who} decided “{verdict}” for a file of {repo}: {reason}"), {"verdict", rule}, {"reason", path});
        return;
    }
    struct html why = cut_text(k->t, web_reason(k->r, reason)), at = cut_code(k->t, str_sub(commit, 0, 8));
    switch (v) {
    case VERDICT_PASS: SAY(N_("The automaton passed {repo} at {commit}"), {"commit", at}); break;
    case VERDICT_NOTICE: SAY(N_("The automaton passed {repo} at {commit} with notices"), {"commit", at}); break;
    case VERDICT_REVIEW: SAY(N_("The automaton wants a person to look at {repo}: {reason}"), {"reason", why}); break;
    case VERDICT_BLOCK: SAY(N_("The automaton blocked {repo}: {reason}"), {"reason", why}); break;
    case VERDICT_PENDING: SAY(N_("The review of {repo} began"), {"commit", at}); break;
    }
}

static void say_deployment(struct talk *k, struct event_row *out) {
    out->icon = "run";
    struct str model = field(k, "model"), state = field(k, "state"), detail = field(k, "detail");
    if (model.n == 0) model = field(k, "name");
    int64_t id = jv_i64(jv_get(k->payload, "deployment"), jv_i64(jv_get(k->payload, "id"), 0));
    out->deployment = id;
    struct html name =
        id > 0 ? cut_link(k->t, arena_printf(k->r->arena, "/deployments/%" PRId64, id), model) : cut_text(k->t, model);
    struct html why = cut_text(k->t, web_said(k->r->arena, k->r->lang, detail));
    if (str_eqz(k->e->kind, "deployment.created")) SAY(N_("{who} deployed {repo} as {name}"), {"name", name});
    else if (str_eqz(k->e->kind, "deployment.deleted") || str_eqz(k->e->kind, "deployment.stopping"))
        SAY(N_("{who} stopped the deployment {name}"), {"name", name});
    else if (str_eqz(state, "ready")) {
        out->tone = "pass";
        SAY(N_("Deployment {name} is ready"), {"name", name});
    } else if (str_eqz(state, "failed")) {
        out->tone = "block";
        SAY(detail.n > 0 ? N_("Deployment {name} failed: {reason}") : N_("Deployment {name} failed"), {"name", name},
            {"reason", why});
    } else if (str_eqz(state, "stopped")) SAY(N_("Deployment {name} has stopped"), {"name", name});
    else if (str_eqz(state, "draining")) SAY(N_("Deployment {name} finishes its answers and stops"), {"name", name});
    else SAY(N_("Deployment {name} is starting"), {"name", name});
}

static void say_account(struct talk *k, struct event_row *out) {
    out->icon = "key";
    struct html name = cut_text(k->t, field(k, "name")), user = cut_text(k->t, field(k, "user")),
                org = cut_text(k->t, field(k, "org"));
    struct str kind = k->e->kind;
    if (str_eqz(kind, "user.created")) SAY(N_("The account {name} was made"), {"name", name});
    else if (str_eqz(kind, "user.password")) SAY(N_("{who} changed their password"), {"name", name});
    else if (str_eqz(kind, "org.created")) SAY(N_("The organisation {name} was made"), {"name", name});
    else if (str_eqz(kind, "org.member")) SAY(N_("The role of {user} in {org} changed"), {"user", user}, {"org", org});
    else if (str_eqz(kind, "token.created")) SAY(N_("{who} made the token {name}"), {"name", name});
    else if (str_eqz(kind, "token.revoked")) SAY(N_("{who} revoked the token {name}"), {"name", name});
    else SAY(N_("The account {name} was changed"), {"name", name});
}

static bool is_account(struct str kind) {
    return str_starts(kind, "user.") || str_starts(kind, "org.") || str_starts(kind, "token.") ||
           str_starts(kind, "session.");
}

/* Fills k->repo; false when the repository is hidden from this reader. */
static err repo_name(struct talk *k, bool *may_see) {
    struct repo_rec repo;
    *may_see = true;
    if (k->e->repo_id == 0) return OK;
    err e = repo_get(web_of(k->r)->o.id, k->r->arena, k->e->repo_id, &repo);
    if (e == OK) {
        *may_see = repo_access(web_of(k->r)->o.id, k->r->who, &repo, ROLE_READ) == OK;
        if (*may_see) k->repo = cut_link(k->t, url_repo(k->r->arena, &repo), repo_full(k->r->arena, &repo));
        return OK;
    }
    if (e != E_REPO_NOT_FOUND) return e;
    /* deleted: nobody can tell any more whether it was private, so only administrators read on */
    *may_see = k->r->who->is_admin;
    struct str owner = field(k, "owner"), name = field(k, "name");
    k->repo = cut_text(k->t, owner.n > 0 ? arena_printf(k->r->arena, STR_FMT "/" STR_FMT, STR_ARG(owner), STR_ARG(name))
                                         : web_text(k->r, N_("a deleted repository")));
    return OK;
}

static err actor_name(struct talk *k) {
    struct owner_rec o;
    if (k->e->actor_id == 0) {
        k->actor = cut_text(k->t, web_text(k->r, N_("The server")));
        return OK;
    }
    err e = id_owner_get(web_of(k->r)->o.id, k->r->arena, k->e->actor_id, &o);
    if (e == OK) k->actor = cut_link(k->t, url_owner(k->r->arena, o.name), o.name);
    return e == E_NOT_FOUND ? OK : e;
}

static void say(struct talk *k, struct event_row *out) {
    struct str kind = k->e->kind;
    if (str_eqz(kind, "revision.pushed")) say_revision(k, out);
    else if (str_starts(kind, "ref.")) say_ref(k, out);
    else if (str_starts(kind, "repo.")) say_repo(k, out);
    else if (str_starts(kind, "verdict.")) say_verdict(k, out);
    else if (str_starts(kind, "deployment.")) say_deployment(k, out);
    else if (is_account(kind)) say_account(k, out);
    else if (str_eqz(kind, "review.key")) {
        struct html key = cut_code(k->t, field(k, "key_id"));
        SAY(N_("The review signs with the key {key} from now on"), {"key", key});
    } else {
        struct html name = cut_code(k->t, kind);
        SAY(N_("{kind} by {who}"), {"kind", name});
    }
}

err event_draw(struct http_req *r, const struct event *e, struct event_row *out, bool *may_see) {
    struct buf b cleanup(buf_release);
    buf_init(&b, 64 * KiB);
    struct tmpl t = {&b, r->arena, r->lang, clock_wall_ms()};
    struct talk k = {.r = r, .e = e, .t = &t, .actor = {"", 0}, .repo = {"", 0}};
    *out = (struct event_row){.seq = e->seq,
                              .time_ms = e->time_ms,
                              .icon = "dot",
                              .tone = "",
                              .kind = e->kind,
                              .url = arena_printf(r->arena, "/activity/%" PRId64, e->seq)};
    if (json_parse(r->arena, e->payload, NULL, &k.payload) != OK) k.payload = (struct jv){0};
    if (is_account(e->kind) && !r->who->is_admin && (r->who->user_id == 0 || e->actor_id != r->who->user_id)) {
        *may_see = false;
        return OK;
    }
    TRY(repo_name(&k, may_see));
    if (!*may_see) return OK;
    TRY(actor_name(&k));
    size_t m = tmpl_mark(&t);
    say(&k, out);
    out->sentence = tmpl_cut(&t, m);
    return buf_ok(&b, "the sentence");
}
