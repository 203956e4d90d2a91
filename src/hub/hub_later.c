/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_later.c — small routes around the main ones: own repositories, tags by type, the manifest old llama.cpp asks for,
 * and a clear answer where pull requests are not offered.
 */
#include "base/clock.h"
#include "hub/hub_db.h"
#include "hub/hub_parts.h"

enum { LIST_JSON_MAX = 16 * 1024 * 1024 };

/* Repositories of a namespace, all types, newest change first, by pages. */
static err settings_repositories(struct http_req *r) {
    struct str ns = http_param(r, "ns"), next;
    struct hub_list_opts o = {
        .author = ns.n > 0 ? ns : r->who->name, .who = r->who, .max = 500, .cursor = http_query(r, "cursor", STR(""))};
    struct hub_list_row *rows;
    size_t n;
    TRY(hub_list(hub_of(r), r->arena, &o, &rows, &n, &next));
    struct buf b cleanup(buf_release);
    buf_init(&b, LIST_JSON_MAX);
    struct jw w;
    jw_init(&w, &b);
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) {
        int64_t bytes;
        TRY(hub_db_used(db_reader(hub_of(r)->store), rows[i].repo.id, &bytes));
        jw_obj(&w);
        jw_kcstr(&w, "type", repo_type_name(rows[i].repo.type));
        jw_kstr(&w, "id", hub_repo_id(r->arena, &rows[i].repo));
        jw_kstr(&w, "updatedAt", clock_iso_str(r->arena, rows[i].repo.updated_ms));
        jw_kcstr(&w, "visibility", rows[i].repo.is_private ? "private" : "public");
        jw_ki64(&w, "storage", bytes);
        jw_ki64(&w, "storagePercent", 0);
        jw_obj_end(&w);
    }
    jw_arr_end(&w);
    TRY(buf_ok(&b, "the list"));
    if (next.n > 0) hub_link_next(r, next);
    return http_reply_json(r, 200, &b);
}

/* The vocabulary is what repositories use; the page of filters in a client gets the fixed part. */
static err tags_by_type(struct http_req *r) {
    return http_reply(
        r, 200, "application/json",
        STR("{\"pipeline_tag\":[{\"id\":\"text-generation\",\"label\":\"Text Generation\",\"type\":\"pipeline_tag\"},"
            "{\"id\":\"feature-extraction\",\"label\":\"Feature Extraction\",\"type\":\"pipeline_tag\"}],"
            "\"library\":[{\"id\":\"transformers\",\"label\":\"Transformers\",\"type\":\"library\"},"
            "{\"id\":\"safetensors\",\"label\":\"Safetensors\",\"type\":\"library\"},{\"id\":\"gguf\",\"label\":"
            "\"GGUF\",\"type\":\"library\"}],"
            "\"dataset\":[],\"language\":[],\"license\":[],\"region\":[],\"other\":[]}"));
}

static err no_discussions(struct http_req *r) {
    return err_fail(
        E_BAD_REQUEST,
        "Pull requests and discussions are not offered by this server yet; nothing was changed. Upload without "
        "--create-pr (create_pr=True), or to a branch of your own: hf repos branch create, then --revision.");
}

/*
 * What no other route took below /api/{t}/: names without a namespace do not exist here (clients expect the typed
 * error); below a repository that does exist the route is what is missing.
 */
static err nothing_here(struct http_req *r) {
    enum repo_type t = REPO_MODEL;
    struct repo_rec repo;
    struct str rest = str_from(r->path, 5), plural, ns, name;
    bool moved;
    (void)str_split(&rest, '/', &plural);
    if (str_starts(r->path, "/api/") && repo_type_parse(plural, &t) && str_split(&rest, '/', &ns) &&
        str_split(&rest, '/', &name) && repo_find(hub_of(r)->id, r->arena, t, ns, name, &repo, &moved) == OK &&
        repo_access(hub_of(r)->id, r->who, &repo, ROLE_READ) == OK)
        return err_fail(E_NOT_FOUND, "this server does not offer " STR_FMT " here", STR_ARG(str_sub(r->path, 0, 200)));
    return err_fail(E_REPO_NOT_FOUND, "Repository not found: a repository is named namespace/name");
}

/* --- GET /v2/{ns}/{name}/manifests/{tag} ------------------------------------------------------------------ */
static bool quant_matches(struct str path, struct str tag) {
    if (str_eqz(tag, "latest")) return false;
    for (size_t i = 0; i + tag.n <= path.n; i++)
        if (str_ieq(str_sub(path, i, tag.n), tag)) return true;
    return false;
}

static void gguf_write(struct jw *w, const char *key, const struct git_entry *e) {
    jw_key(w, key);
    jw_obj(w);
    jw_kstr(w, "rfilename", e->path);
    jw_kcstr(w, "blobId", e->oid);
    jw_ki64(w, "size", (int64_t)(e->is_lfs ? e->lfs_size : e->size));
    if (e->is_lfs) {
        jw_key(w, "lfs");
        jw_obj(w);
        jw_kstr(w, "sha256", e->lfs_sha256);
        jw_ki64(w, "size", (int64_t)e->lfs_size);
        jw_ki64(w, "pointerSize", (int64_t)e->size);
        jw_obj_end(w);
    }
    jw_obj_end(w);
}

/* The file for a quantisation tag; "latest" prefers Q4_K_M, then Q8_0, then the first. Parts after the first are
 * skipped. */
static const struct git_entry *pick(const struct git_entry *ent, size_t n, struct str tag, bool mmproj) {
    static const char *const wish[] = {"Q4_K_M", "Q8_0", ""};
    for (unsigned k = 0; k < ARRAY_LEN(wish); k++)
        for (size_t i = 0; i < n; i++) {
            struct str p = ent[i].path;
            bool is_mm = str_find(p, STR("mmproj")) >= 0;
            if (ent[i].is_dir || !str_iends(p, ".gguf") || is_mm != mmproj) continue;
            if (str_find(p, STR("-of-")) >= 0 && str_find(p, STR("00001-of-")) < 0) continue;
            if (mmproj || quant_matches(p, tag) || (str_eqz(tag, "latest") && quant_matches(p, str_of(wish[k]))))
                return &ent[i];
        }
    return NULL;
}

static err manifest(struct http_req *r) {
    struct hub *h = hub_of(r);
    struct repo_rec repo;
    char commit[GIT_OID_HEX + 1];
    struct git_entry *ent;
    size_t n;
    bool more, moved;
    TRY(repo_find(h->id, r->arena, REPO_MODEL, http_param(r, "owner"), http_param(r, "model"), &repo, &moved));
    TRY(repo_access(h->id, r->who, &repo, ROLE_READ));
    TRY(git_resolve(h->git, repo.id, STR("main"), commit));
    TRY(git_tree(h->git, r->arena, repo.id, (struct str){commit, GIT_OID_HEX}, STR(""), true, STR(""), 5000, &ent, &n,
                 &more));
    const struct git_entry *model = pick(ent, n, http_param(r, "tag"), false), *mm = pick(ent, n, STR("latest"), true);
    if (model == NULL)
        return err_fail(E_ENTRY_NOT_FOUND, "no GGUF file for \"" STR_FMT "\" in " STR_FMT "/" STR_FMT,
                        STR_ARG(http_param(r, "tag")), STR_ARG(repo.owner), STR_ARG(repo.name));
    struct buf b cleanup(buf_release);
    buf_init(&b, 64 * KiB);
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    gguf_write(&w, "ggufFile", model);
    if (mm != NULL) gguf_write(&w, "mmprojFile", mm);
    jw_obj_end(&w);
    TRY(buf_ok(&b, "manifest"));
    return http_reply_json(r, 200, &b);
}

#define ANY (HTTP_GET | HTTP_POST | HTTP_PUT | HTTP_DELETE)
#define PLAIN(METHODS, PATTERN, FN, AUTH, NAME, SUMMARY)                                                               \
    {                                                                                                                  \
        .methods = METHODS, .pattern = PATTERN, .fn = FN, .auth = AUTH, .dialect = DIALECT_HF, .name = NAME,           \
        .summary = SUMMARY                                                                                             \
    }
const struct http_route hub_later_route[] = {
    PLAIN(HTTP_GET, "/api/settings/repositories", settings_repositories, AUTH_USER, "hub.myrepos",
          "Repositories of the caller"),
    PLAIN(HTTP_GET, "/api/organizations/{ns}/settings/repositories", settings_repositories, AUTH_USER, "hub.orgrepos",
          "Repositories of an organisation"),
    PLAIN(HTTP_GET, "/api/models-tags-by-type", tags_by_type, AUTH_PUBLIC, "hub.modeltags", "Tags of models by kind"),
    PLAIN(HTTP_GET, "/api/datasets-tags-by-type", tags_by_type, AUTH_PUBLIC, "hub.datasettags",
          "Tags of datasets by kind"),
    PLAIN(HTTP_GET, "/v2/{owner}/{model}/manifests/{tag}", manifest, AUTH_PUBLIC, "hub.manifest",
          "GGUF file of a model for older llama.cpp"),
    PLAIN(ANY, "/api/models/{rest...}", nothing_here, AUTH_PUBLIC, "hub.nothing.model", "No such model or route"),
    PLAIN(ANY, "/api/datasets/{rest...}", nothing_here, AUTH_PUBLIC, "hub.nothing.dataset", "No such dataset or route"),
    PLAIN(ANY, "/api/spaces/{rest...}", nothing_here, AUTH_PUBLIC, "hub.nothing.space", "No such space or route"),
    PLAIN(HTTP_GET, "/{model}/resolve/{rev}/{path...}", nothing_here, AUTH_PUBLIC, "hub.nothing.file",
          "Names without a namespace do not exist"),
    HUB_API3(HTTP_POST, "/discussions", no_discussions, AUTH_REPO_READ, "hub.discussions", "Not offered yet: says so",
             1024 * 1024),
};
const size_t hub_later_n = ARRAY_LEN(hub_later_route);
