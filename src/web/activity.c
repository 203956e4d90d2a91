/* SPDX-License-Identifier: Apache-2.0 */
/* activity.c — the event log: a page of sentences, filtered, and one raw entry with its hash. */
#include "base/hex.h"
#include "web/web_int.h"

enum { EVENT_BATCH = 100, EVENT_BATCHES = 20 };

static const struct {
    const char *prefix, *msgid;
} kinds[] = {{"", N_("everything")},          {"revision.", N_("uploads")},
             {"verdict.", N_("verdicts")},    {"deployment.", N_("deployments")},
             {"repo.", N_("repositories")},   {"ref.", N_("branches and tags")},
             {"token.", N_("access tokens")}, {"user.", N_("accounts")}};

/* Entries that the reader may not see are passed over, so a page may look at many; the walk is bounded. */
err web_events(struct http_req *r, const struct event_query *q, struct event_rows *out, int64_t *next) {
    struct event_row *rows = arena_array(r->arena, struct event_row, q->max);
    const char *prefix = q->kind.n > 0 ? arena_strz(r->arena, q->kind) : NULL;
    size_t k = 0;
    int64_t before = q->before > 0 ? q->before : INT64_MAX;
    *next = 0;
    for (int batch = 0; batch < EVENT_BATCHES; batch++) {
        struct event *list;
        size_t n;
        TRY(event_list(db_reader(web_of(r)->o.store), r->arena, before, EVENT_BATCH, prefix, q->repo_id, true, &list,
                       &n));
        for (size_t i = 0; i < n; i++) {
            bool may_see;
            if (k == q->max) {
                *next = before;
                break;
            }
            before = list[i].seq;
            TRY(event_draw(r, &list[i], &rows[k], &may_see));
            if (may_see) k++;
        }
        if (*next != 0 || n < EVENT_BATCH) break;
        if (batch + 1 == EVENT_BATCHES) *next = before; /* go on from here by hand */
    }
    *out = (struct event_rows){rows, k};
    return OK;
}

static void kinds_fill(struct http_req *r, struct view_activity *v) {
    struct link *rows = arena_array(r->arena, struct link, ARRAY_LEN(kinds));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        rows[i] = (struct link){.text = web_text(r, kinds[i].msgid),
                                .note = str_of(kinds[i].prefix),
                                .current = str_eqz(v->kind, kinds[i].prefix)};
    v->kinds.p = rows, v->kinds.n = ARRAY_LEN(kinds);
}

/* "owner/name" or "datasets/owner/name"; a name that is hidden or missing filters everything away. */
static int64_t repo_of(struct http_req *r, struct str full) {
    enum repo_type type = REPO_MODEL;
    struct str rest = full, head;
    struct repo_rec repo;
    bool moved;
    if (!str_split(&rest, '/', &head)) return -1;
    if (str_chr(rest, '/') >= 0) {
        if (!repo_type_parse(head, &type) || !str_split(&rest, '/', &head)) return -1;
    }
    bool typed = str_chr(full, '/') >= 0 && rest.n > 0;
    if (!typed) return -1;
    for (int t = REPO_MODEL; t <= REPO_SPACE; t++) {
        enum repo_type want = str_starts(full, "datasets/") || str_starts(full, "spaces/") ? type : (enum repo_type)t;
        if (repo_find(web_of(r)->o.id, r->arena, want, head, rest, &repo, &moved) == OK &&
            repo_access(web_of(r)->o.id, r->who, &repo, ROLE_READ) == OK)
            return repo.id;
    }
    return -1;
}

err web_activity(struct http_req *r) {
    struct view_activity v = {.f = web_frame(r, web_text(r, N_("Activity")), "activity"),
                              .kind = http_query(r, "kind", STR("")),
                              .repo = str_trim(http_query(r, "repo", STR("")))};
    struct event_query q = {.kind = v.kind, .max = 50};
    uint64_t before = 0;
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) known = known || str_eqz(v.kind, kinds[i].prefix);
    if (!known) q.kind = v.kind = STR("");
    if (str_to_u64(http_query(r, "before", STR("")), &before) && before <= INT64_MAX) q.before = (int64_t)before;
    if (v.repo.n > 0) q.repo_id = repo_of(r, v.repo);
    v.filtered = v.repo.n > 0 || v.kind.n > 0;
    int64_t next = 0;
    if (q.repo_id >= 0) TRY(web_events(r, &q, &v.events, &next));
    if (next > 0) {
        static const char *const names[] = {"kind", "repo", "before"};
        struct str values[] = {v.kind, v.repo, arena_printf(r->arena, "%" PRId64, next)};
        v.older_url = url_query(r->arena, "/activity", names, values, 3);
    }
    kinds_fill(r, &v);
    WEB_REPLY(r, 200, page_activity, &v);
}

/* JSON with line breaks for reading; the hash is over the stored bytes, which the API gives out. */
static void pretty(struct buf *b, struct jv v, unsigned depth) {
    enum json_type t = jv_type(v);
    if ((t != JSON_OBJECT && t != JSON_ARRAY) || jv_len(v) == 0 || depth > 12) {
        buf_str(b, jv_raw(v));
        return;
    }
    bool first = true;
    buf_char(b, t == JSON_OBJECT ? '{' : '[');
    for (struct jv_iter it = jv_iter(v); jv_next(&it);) {
        buf_printf(b, "%s\n%*s", first ? "" : ",", (int)(depth * 2 + 2), "");
        if (t == JSON_OBJECT) {
            json_escape(b, it.key);
            buf_cstr(b, ": ");
        }
        pretty(b, it.val, depth + 1);
        first = false;
    }
    buf_printf(b, "\n%*s%c", (int)(depth * 2), "", t == JSON_OBJECT ? '}' : ']');
}

static struct str payload_text(struct arena *a, struct str json) {
    struct jv root;
    struct buf b cleanup(buf_release);
    buf_init(&b, 256 * KiB);
    if (json_parse(a, json, NULL, &root) != OK) return json;
    pretty(&b, root, 0);
    return b.failed ? json : arena_str(a, buf_view(&b));
}

err web_event(struct http_req *r) {
    struct view_event v = {.f = web_frame(r, web_text(r, N_("Activity")), "activity")};
    struct event *e;
    size_t n;
    int64_t seq;
    bool may_see = false;
    if (!str_to_i64(http_param(r, "seq"), &seq) || seq < 1)
        return err_fail(E_NOT_FOUND, "There is no such entry of the log, or you may not see it.");
    TRY(event_list(db_reader(web_of(r)->o.store), r->arena, seq - 1, 1, NULL, 0, false, &e, &n));
    if (n == 1 && e->seq == seq) TRY(event_draw(r, e, &v.e, &may_see));
    if (!may_see) return err_fail(E_NOT_FOUND, "There is no such entry of the log, or you may not see it.");
    v.payload = payload_text(r->arena, e->payload);
    v.hash = hex_str(r->arena, e->hash, sizeof e->hash);
    struct owner_rec o;
    v.actor = e->actor_id != 0 && id_owner_get(web_of(r)->o.id, r->arena, e->actor_id, &o) == OK
                  ? o.name
                  : web_text(r, N_("The server"));
    struct repo_rec repo;
    if (e->repo_id != 0 && repo_get(web_of(r)->o.id, r->arena, e->repo_id, &repo) == OK) {
        v.repo = repo_full(r->arena, &repo);
        v.repo_url = url_repo(r->arena, &repo);
    }
    WEB_REPLY(r, 200, page_event, &v);
}
