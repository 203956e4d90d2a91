/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_entry.c — one file or folder as clients read it in tree and paths-info.
 *
 * Rule: `xetHash` is written only for a file that may be served now. A client that sees it skips the HEAD on resolve,
 * which is where a withheld file says why; without it every client asks there first.
 */
#include "base/clock.h"
#include "hub/hub_parts.h"

const char *hub_security_name(enum verdict v) {
    switch (v) {
    case VERDICT_PASS:
    case VERDICT_NOTICE: return "safe";
    case VERDICT_REVIEW: return "suspicious";
    case VERDICT_BLOCK: return "unsafe";
    case VERDICT_PENDING: break;
    }
    return "queued";
}

bool hub_entry_xet(struct hub *h, struct arena *a, int64_t repo_id, const struct git_entry *e,
                   char hex[XET_HEX_LEN + 1]) {
    struct xet_file f;
    struct blob_verdict v;
    if (!e->is_lfs || xet_file_find(h->xet, repo_id, e->lfs_sha256, &f) != OK) return false;
    if (verdict_blob_get(db_reader(h->store), a, repo_id, hub_entry_key(a, e), &v) != OK) return false;
    if (v.verdict == VERDICT_PENDING || v.verdict == VERDICT_BLOCK) return false;
    xet_hash_str(&f.hash, hex);
    return true;
}

/* {"status","avScan":{status},"pickleImportScan":{status,pickleImports:[]}, and ours: "verdict","coverage","message"}
 */
err hub_security_write(struct hub *h, struct arena *a, int64_t repo_id, struct str oid, struct jw *w) {
    struct blob_verdict v;
    TRY(verdict_blob_get(db_reader(h->store), a, repo_id, oid, &v));
    const char *status = hub_security_name(v.verdict);
    jw_obj(w);
    jw_kcstr(w, "status", status);
    if (v.reason.n > 0) jw_kstr(w, "message", verdict_reason(a, (enum lang)err_slot()->lang, v.reason));
    jw_key(w, "avScan");
    jw_obj(w);
    jw_kcstr(w, "status", status);
    jw_obj_end(w);
    jw_key(w, "pickleImportScan");
    if (str_find(v.format, STR("pickle")) >= 0 || str_find(v.format, STR("torch")) >= 0) {
        jw_obj(w);
        jw_kcstr(w, "status", status);
        jw_key(w, "pickleImports");
        jw_arr(w);
        struct jv findings;
        if (json_parse(a, v.findings, NULL, &findings) == OK)
            for (struct jv_iter it = jv_iter(findings); jv_next(&it);) {
                jw_obj(w);
                jw_kstr(w, "module", jv_str(jv_get(it.val, "rule"), STR("")));
                jw_kstr(w, "name", jv_str(jv_get(it.val, "message"), STR("")));
                struct str severity = jv_str(jv_get(it.val, "severity"), STR(""));
                jw_kcstr(w, "safety",
                         str_eqz(severity, "block")    ? "dangerous"
                         : str_eqz(severity, "review") ? "suspicious"
                                                       : "innocuous");
                jw_obj_end(w);
            }
        jw_arr_end(w);
        jw_obj_end(w);
    } else {
        jw_null(w);
    }
    jw_kcstr(w, "verdict", verdict_name(v.verdict));
    jw_kcstr(w, "coverage", coverage_name(v.coverage));
    jw_obj_end(w);
    return OK;
}

static void lfs_write(const struct git_entry *e, struct jw *w) {
    jw_key(w, "lfs");
    jw_obj(w);
    jw_kstr(w, "oid", e->lfs_sha256);
    jw_ki64(w, "size", (int64_t)e->lfs_size);
    jw_ki64(w, "pointerSize", (int64_t)e->size);
    jw_obj_end(w);
}

err hub_entry_write(struct hub *h, struct arena *a, int64_t repo_id, const struct git_entry *e,
                    const struct hub_entry_opts *o, struct jw *w) {
    char hex[XET_HEX_LEN + 1];
    jw_obj(w);
    jw_kcstr(w, "type", e->is_dir ? "directory" : "file");
    jw_kcstr(w, "oid", e->oid);
    jw_ki64(w, "size", e->is_dir ? 0 : (int64_t)(e->is_lfs ? e->lfs_size : e->size));
    if (!e->is_dir && e->is_lfs) {
        lfs_write(e, w);
        if (hub_entry_xet(h, a, repo_id, e, hex)) jw_kcstr(w, "xetHash", hex);
    }
    jw_kstr(w, "path", e->path);
    if (o->expand && o->last != NULL && o->last->oid[0] != 0) {
        jw_key(w, "lastCommit");
        jw_obj(w);
        jw_kcstr(w, "id", o->last->oid);
        jw_kstr(w, "title", o->last->title);
        jw_kstr(w, "date", clock_iso_str(a, o->last->author.time_ms));
        jw_obj_end(w);
    }
    if (o->expand && !e->is_dir) {
        jw_key(w, "securityFileStatus");
        TRY(hub_security_write(h, a, repo_id, hub_entry_key(a, e), w));
    }
    jw_obj_end(w);
    return OK;
}

void hub_xet_headers(struct http_req *r, const char *hex, const char *commit) {
    struct hub *h = hub_of(r);
    http_set(r, "X-Xet-Hash", arena_str(r->arena, str_of(hex)));
    struct str refresh =
        arena_printf(r->arena, STR_FMT "/api/%s/" STR_FMT "/" STR_FMT "/xet-read-token/%s", STR_ARG(r->base_url),
                     repo_type_plural(r->repo->type), STR_ARG(r->repo->owner), STR_ARG(r->repo->name), commit);
    struct str cas = xet_cas_url(h->xet, r->arena, r->base_url);
    http_set(r, "X-Xet-Refresh-Route", refresh);
    http_set(r, "Link",
             arena_printf(r->arena,
                          "<" STR_FMT ">; rel=\"xet-auth\", <" STR_FMT
                          "/v1/reconstructions/%s>; rel=\"xet-reconstruction-info\"",
                          STR_ARG(refresh), STR_ARG(cas), hex));
}
