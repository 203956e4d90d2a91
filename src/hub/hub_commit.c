/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_commit.c — POST …/commit/{rev}: a commit as newline-delimited JSON, read as it comes.
 *
 * Limits: COMMIT_BODY_MAX in all, one line at most 4/3 of the inline limit, COMMIT_OPS_MAX operations,
 * COMMIT_PATHS_MAX bytes of paths. Blobs go to git line by line, so memory is one line whatever the body's size.
 * Nothing is visible before git moves the reference; blobs of a refused commit stay in the object store, unreachable.
 *
 * A client whose answer was lost sends the identical body again: the digest of the body is kept per reference, and when
 * the branch still stands at that commit (or the body names a parent that is gone) the old answer is given again.
 */
#include "base/hash.h"
#include "hub/hub_commit.h"
#include "hub/hub_db.h"
#include "hub/hub_parts.h"

enum { WINDOW = 64 * 1024 };
#define COMMIT_BODY_MAX ((uint64_t)4 * GiB)

static err branch_ref(struct http_req *r, struct str *ref, char head[GIT_OID_HEX + 1]) {
    struct str rev = http_param(r, "rev");
    if (rev.n == 0 || str_eqz(rev, "None") || str_eqz(rev, "HEAD")) rev = STR("main");
    *ref = str_starts(rev, "refs/") ? rev : arena_printf(r->arena, "refs/heads/" STR_FMT, STR_ARG(rev));
    err e = str_starts(*ref, "refs/heads/") ? git_resolve(hub_of(r)->git, r->repo->id, *ref, head) : E_REV_NOT_FOUND;
    if (e == E_REV_NOT_FOUND)
        return err_fail(E_REV_NOT_FOUND,
                        "Invalid rev id: " STR_FMT " is not a branch of this repository; nothing was committed",
                        STR_ARG(rev));
    return e;
}

static err read_body(struct http_req *r, struct hub_commit *c, uint8_t digest[SHA256_LEN]) {
    struct hub_lines lines;
    struct hasher *hash = hasher_new("SHA256");
    char *window = malloc(WINDOW);
    err e = window != NULL ? OK : err_fail(E_NOMEM, "no memory to read a commit");
    uint64_t total = 0;
    hub_lines_init(&lines, hub_of(r)->inline_limit / 3 * 4 + 64 * KiB);
    for (bool end = false; e == OK && !end;) {
        size_t n = 0;
        struct str line;
        bool have = true;
        e = http_body_read(r, window, WINDOW, &n);
        if (e != OK) break;
        end = n == 0;
        total += n;
        if (total > COMMIT_BODY_MAX)
            e = err_fail(E_TOO_LARGE, "a commit has at most %" PRIu64 " bytes; split it", (uint64_t)COMMIT_BODY_MAX);
        hasher_add(hash, window, n);
        hub_lines_feed(&lines, (struct str){window, n});
        while (e == OK && have) {
            e = end ? hub_lines_last(&lines, &line, &have) : hub_lines_next(&lines, &line, &have);
            if (e == OK && have) {
                e = hub_commit_line(c, line);
                if (e != OK && e->status < 500) e = err_wrap(e, "line %zu of the commit", lines.n_line);
            }
        }
    }
    hub_lines_release(&lines);
    free(window);
    if (e == OK) hasher_done(hash, digest);
    else hasher_free(hash);
    return e;
}

static err reply_commit(struct http_req *r, const char *oid) {
    struct buf b cleanup(buf_release);
    buf_init(&b, 8 * KiB);
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kbool(&w, "success", true);
    jw_kstr(&w, "commitUrl", arena_printf(r->arena, STR_FMT "/commit/%s", STR_ARG(hub_repo_url(r, r->repo)), oid));
    jw_kcstr(&w, "commitOid", oid);
    jw_kcstr(&w, "hookOutput", "");
    jw_obj_end(&w);
    TRY(buf_ok(&b, "reply"));
    return http_reply_json(r, 200, &b);
}

/* The same body was committed before, and giving that answer again is right. */
static err seen_before(struct http_req *r, const struct hub_commit *c, struct str ref, const uint8_t digest[SHA256_LEN],
                       char oid[GIT_OID_HEX + 1], bool *seen) {
    struct hub *h = hub_of(r);
    char now[GIT_OID_HEX + 1];
    *seen = false;
    TRY(hub_db_commit_seen(db_reader(h->store), r->repo->id, ref, digest, oid));
    if (oid[0] == 0) return OK;
    TRY(git_resolve(h->git, r->repo->id, ref, now));
    *seen = strcmp(oid, now) == 0 ||
            (c->parent.n > 0 && strncmp(now, c->parent.p, MIN(c->parent.n, (size_t)GIT_OID_HEX)) != 0);
    return OK;
}

/* A file whose verdict is already known to be bad: say so now, not at the first download. */
static err warn_known(struct http_req *r, const struct hub_commit *c) {
    struct blob_verdict v;
    for (size_t i = 0; i < c->n_ops; i++) {
        const struct git_op *op = &c->ops[i];
        struct str oid = op->kind == GIT_OP_ADD_LFS ? op->lfs_sha256 : (struct str){op->blob, strlen(op->blob)};
        if ((op->kind != GIT_OP_ADD && op->kind != GIT_OP_ADD_LFS) || oid.n == 0) continue;
        TRY(verdict_blob_get(db_reader(hub_of(r)->store), r->arena, r->repo->id, verdict_key(r->arena, oid, op->path),
                             &v));
        if (v.verdict != VERDICT_BLOCK) continue;
        hub_warn(r, arena_printf(r->arena, STR_FMT " was stored but will not be served: review blocks it (" STR_FMT ")",
                                 STR_ARG(op->path), STR_ARG(v.reason)));
        return OK;
    }
    return OK;
}

static err commit_make(struct http_req *r, const struct hub_commit *c, struct str ref, const char *old,
                       const uint8_t digest[SHA256_LEN], char oid[GIT_OID_HEX + 1]) {
    struct hub *h = hub_of(r);
    struct git_commit_req req = {
        .ref = ref, .parent = c->parent, .author = hub_author(r), .ops = c->ops, .n_ops = c->n_ops};
    req.message = c->description.n > 0
                      ? arena_printf(r->arena, STR_FMT "\n\n" STR_FMT, STR_ARG(c->summary), STR_ARG(c->description))
                      : c->summary;
    TRY(git_commit_make(h->git, r->repo->id, &req, oid));
    struct hub_ref_change change = {ref, {old, GIT_OID_HEX}, {oid, GIT_OID_HEX}};
    TRY(hub_refs_record(h, r->repo->id, r->who->user_id, "api", c->summary, &change, 1));
    return hub_db_commit_note(h, r->repo->id, ref, digest, oid);
}

static err commit(struct http_req *r) {
    TRY(hub_no_pull_requests(r));
    struct hub *h = hub_of(r);
    struct hub_commit c;
    struct str ref;
    uint8_t digest[SHA256_LEN];
    char old[GIT_OID_HEX + 1], oid[GIT_OID_HEX + 1];
    bool seen;
    TRY(branch_ref(r, &ref, old));
    TRY(hub_commit_init(&c, h, r->arena, r->repo->id));
    err e = read_body(r, &c, digest);
    if (e == OK) e = hub_commit_end(&c);
    hub_commit_scratch_free(&c);
    TRY(e);
    TRY(seen_before(r, &c, ref, digest, oid, &seen));
    if (!seen && c.n_ops == 0) memcpy(oid, old, sizeof old);
    if (!seen && c.n_ops > 0) TRY(commit_make(r, &c, ref, old, digest, oid));
    TRY(warn_known(r, &c));
    return reply_commit(r, oid);
}

const struct http_route hub_commit_route[] = {
    HUB_API3(HTTP_POST, "/commit/{rev}", commit, AUTH_REPO_WRITE, "hub.commit", "Commit files to a branch",
             HTTP_BODY_ANY),
};
const size_t hub_commit_n = ARRAY_LEN(hub_commit_route);
