/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_preupload.c — POST …/preupload/{rev}: for each file, how it must travel and what is there already.
 *
 * `oid` is the id of the existing file (sha256 of a large one, git blob id of a regular one): clients drop additions
 * whose id is equal, so a wrong one loses an upload silently.
 */
#include "base/hex.h"
#include "git/path.h"
#include "hub/hub_classify.h"
#include "hub/hub_parts.h"

enum { MAX_FILES = 2000, BODY_MAX = 8 * 1024 * 1024, TEXT_MAX = 1024 * 1024 };

/* A small text file of the revision; empty when it is not there. */
static err text_at(struct http_req *r, struct str commit, const char *path, struct str *out) {
    struct git_entry e;
    *out = STR("");
    err er = git_entry_get(hub_of(r)->git, r->arena, r->repo->id, commit, str_of(path), &e);
    if (er == E_ENTRY_NOT_FOUND || (er == OK && (e.is_dir || e.is_lfs || e.size > TEXT_MAX))) return OK;
    TRY(er);
    return git_blob(hub_of(r)->git, r->arena, r->repo->id, e.oid, TEXT_MAX, out);
}

static err file_write(struct jv file, const struct git_entry *e, const struct hub_classify *c, struct str ignore,
                      struct jw *w) {
    struct str path, sample = jv_str(jv_get(file, "sample"), STR(""));
    int64_t size;
    TRY(jv_need_str(file, "path", &path));
    TRY(jv_need_i64(file, "size", 0, INT64_MAX, &size));
    struct buf raw cleanup(buf_release);
    buf_init(&raw, 4 * KiB);
    if (sample.n > 4 * KiB || !base64_decode(&raw, sample))
        return err_fail(E_BAD_REQUEST, "field files[].sample of " STR_FMT ": expected base64 of at most 512 bytes",
                        STR_ARG(path));
    jw_obj(w);
    jw_kstr(w, "path", path);
    jw_kcstr(w, "uploadMode", hub_is_large(c, path, (uint64_t)size, buf_view(&raw)) ? "lfs" : "regular");
    jw_kbool(w, "shouldIgnore", ignore.n > 0 && hub_is_ignored(ignore, path));
    if (e->path.n > 0 && !e->is_dir) jw_kstr(w, "oid", hub_entry_oid(e));
    jw_obj_end(w);
    return OK;
}

/* What stands at each path now, asked in one go. */
static err existing(struct http_req *r, struct str commit, struct jv files, struct git_entry **out) {
    size_t n = jv_len(files), i = 0;
    struct str *paths = arena_array(r->arena, struct str, n + 1);
    *out = arena_array(r->arena, struct git_entry, n + 1);
    for (struct jv_iter it = jv_iter(files); jv_next(&it); i++) {
        TRY(jv_need_str(it.val, "path", &paths[i]));
        TRY(git_path_check(paths[i]));
    }
    return git_entries_get(hub_of(r)->git, r->arena, r->repo->id, commit, paths, n, *out);
}

static err preupload(struct http_req *r) {
    TRY(hub_no_pull_requests(r));
    struct jv body;
    char head[GIT_OID_HEX + 1];
    TRY(http_body_json(r, BODY_MAX, &body));
    TRY(hub_rev(r, head));
    struct str commit = {head, GIT_OID_HEX}, ignore;
    struct hub_classify c = {STR(""), hub_of(r)->inline_limit};
    c.attributes = jv_str(jv_get(body, "gitAttributes"), STR(""));
    if (c.attributes.n == 0) TRY(text_at(r, commit, ".gitattributes", &c.attributes));
    ignore = jv_str(jv_get(body, "gitIgnore"), STR(""));
    if (ignore.n == 0) TRY(text_at(r, commit, ".gitignore", &ignore));
    struct jv files = jv_get(body, "files");
    if (jv_type(files) != JSON_ARRAY)
        return err_fail(E_BAD_REQUEST, "field files: expected an array of {path, sample, size}");
    if (jv_len(files) > MAX_FILES)
        return err_fail(E_TOO_LARGE, "field files: at most %d in one request, got %zu", MAX_FILES, jv_len(files));
    struct git_entry *now;
    TRY(existing(r, commit, files, &now));
    struct buf b cleanup(buf_release);
    buf_init(&b, BODY_MAX);
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_key(&w, "files");
    jw_arr(&w);
    for (struct jv_iter it = jv_iter(files); jv_next(&it);) TRY(file_write(it.val, now++, &c, ignore, &w));
    jw_arr_end(&w);
    jw_kcstr(&w, "commitOid", head);
    jw_obj_end(&w);
    TRY(buf_ok(&b, "reply"));
    return http_reply_json(r, 200, &b);
}

const struct http_route hub_preupload_route[] = {
    HUB_API3(HTTP_POST, "/preupload/{rev}", preupload, AUTH_REPO_WRITE, "hub.preupload",
             "How each file of an upload must travel", BODY_MAX),
};
const size_t hub_preupload_n = ARRAY_LEN(hub_preupload_route);
