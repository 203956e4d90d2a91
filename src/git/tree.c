/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.c — reading a revision: one entry, a folder, everything below it; and blob bytes.
 *
 * Order is git's own: a folder sorts as if its name ended in a slash. Paging continues after a path; folders wholly
 * before it are skipped without being read.
 */
#include "git/git_internal.h"

/* --- one entry -------------------------------------------------------------------------------------------- */

static err entry_fill(struct git *g, git_odb *odb, struct arena *a, const git_tree_entry *te, struct str path,
                      struct git_entry *out) {
    *out = (struct git_entry){.path = path, .mode = (uint32_t)git_tree_entry_filemode(te)};
    git_oid_hex(git_tree_entry_id(te), out->oid);
    git_object_t type = git_tree_entry_type(te);
    if (type == GIT_OBJECT_TREE) {
        out->is_dir = true;
        return OK;
    }
    if (type != GIT_OBJECT_BLOB) return OK; /* a submodule: size 0, mode 0160000 */
    struct git_blob_meta m;
    TRY(git_blob_meta(g, odb, git_tree_entry_id(te), &m));
    out->size = m.size;
    if (m.is_lfs && out->mode != GIT_FILEMODE_LINK) {
        out->is_lfs = true;
        out->lfs_size = m.lfs_size;
        out->lfs_sha256 = arena_str(a, str_make(m.sha256, 64));
    }
    return OK;
}

static err entry_fail(struct str path) {
    return err_fail(E_ENTRY_NOT_FOUND, "\"" STR_FMT "\" does not exist at this revision",
                    STR_ARG(str_sub(path, 0, 300)));
}

static void te_free(git_tree_entry **te) {
    git_tree_entry_free(*te);
}

/* The entry at path below root; E_ENTRY_NOT_FOUND. */
static err entry_at(const git2_tree *root, struct str path, git_tree_entry **out) {
    char z[REPO_PATH_MAX + 1];
    *out = NULL;
    while (path.n > 0 && path.p[path.n - 1] == '/') path.n--;
    if (path.n == 0 || path.n > REPO_PATH_MAX || memchr(path.p, 0, path.n) != NULL) return entry_fail(path);
    snprintf(z, sizeof z, STR_FMT, STR_ARG(path));
    if (git_tree_entry_bypath(out, root, z) != 0) return entry_fail(path);
    return OK;
}

struct get_job {
    struct arena *a;
    struct str commit, path;
    struct git_entry *out;
};

static err entry_job(struct git *g, git_repository *repo, void *arg) {
    struct get_job *j = arg;
    cleanup(git_lib_tree_free) git2_tree *root = NULL;
    cleanup(git_lib_odb_free) git_odb *odb = NULL;
    cleanup(te_free) git_tree_entry *te = NULL;
    TRY(git_tree_of(repo, j->commit, &root));
    TRY(entry_at(root, j->path, &te));
    if (git_repository_odb(&odb, repo) != 0) return git_lib_fail(E_CORRUPT, "objects");
    return entry_fill(g, odb, j->a, te, arena_str(j->a, j->path), j->out);
}

struct get_many_job {
    struct arena *a;
    struct str commit;
    const struct str *paths;
    size_t n;
    struct git_entry *out;
};

static err entries_job(struct git *g, git_repository *repo, void *arg) {
    struct get_many_job *j = arg;
    cleanup(git_lib_tree_free) git2_tree *root = NULL;
    cleanup(git_lib_odb_free) git_odb *odb = NULL;
    TRY(git_tree_of(repo, j->commit, &root));
    if (git_repository_odb(&odb, repo) != 0) return git_lib_fail(E_CORRUPT, "objects");
    for (size_t i = 0; i < j->n; i++) {
        cleanup(te_free) git_tree_entry *te = NULL;
        j->out[i] = (struct git_entry){.path = STR("")};
        if (entry_at(root, j->paths[i], &te) == OK)
            TRY(entry_fill(g, odb, j->a, te, arena_str(j->a, j->paths[i]), &j->out[i]));
    }
    return OK;
}

err git_entries_get(struct git *g, struct arena *a, int64_t repo_id, struct str commit, const struct str *paths,
                    size_t n, struct git_entry *out) {
    struct get_many_job j = {a, commit, paths, n, out};
    return git_with_repo(g, repo_id, entries_job, &j);
}

err git_entry_get(struct git *g, struct arena *a, int64_t repo_id, struct str commit, struct str path,
                  struct git_entry *out) {
    struct get_job j = {a, commit, path, out};
    return git_with_repo(g, repo_id, entry_job, &j);
}

/* --- a folder --------------------------------------------------------------------------------------------- */

struct list_job {
    struct arena *a;
    struct str commit, dir, after;
    bool recursive;
    size_t max;
    struct git_entry *out;
    size_t n, cap;
    bool more;
    /* working state */
    struct git *g;
    git_repository *repo;
    git_odb *odb;
    char after_key[REPO_PATH_MAX + 2]; /* sort key of `after`: folders end in a slash */
    size_t n_after;
};

static err list_push(struct list_job *j, const git_tree_entry *te, struct str path) {
    if (j->n == j->max) {
        j->more = true;
        return OK;
    }
    if (j->n == j->cap) {
        size_t cap = j->cap == 0 ? 64 : j->cap * 2;
        struct git_entry *v = arena_try(j->a, cap * sizeof *v);
        if (v == NULL)
            return err_fail(arena_why(j->a, cap * sizeof *v, E_LIMIT),
                            "the folder is too large to list at once; ask for fewer entries");
        if (j->n > 0) memcpy(v, j->out, j->n * sizeof *v);
        j->out = v;
        j->cap = cap;
    }
    char *copy = arena_try(j->a, path.n + 1);
    if (copy == NULL)
        return err_fail(arena_why(j->a, path.n + 1, E_LIMIT),
                        "the folder is too large to list at once; ask for fewer entries");
    memcpy(copy, path.p, path.n);
    TRY(entry_fill(j->g, j->odb, j->a, te, str_make(copy, path.n), &j->out[j->n]));
    j->n++;
    return OK;
}

/* Is what sorts under `key` not after the point where the page starts? *inside: the point lies within folder `key`. */
static bool before_page(const struct list_job *j, struct str key, bool *inside) {
    *inside = false;
    if (j->n_after == 0) return false;
    struct str after = str_make(j->after_key, j->n_after);
    if (key.n < after.n && key.p[key.n - 1] == '/' && memcmp(after.p, key.p, key.n) == 0) *inside = true;
    return str_cmp(key, after) <= 0;
}

static err list_walk(struct list_job *j, const git2_tree *tree, struct str prefix, unsigned depth) {
    if (depth > REPO_PATH_DEPTH_MAX * 2) return err_fail(E_LIMIT, "folders are nested too deeply");
    char path[REPO_PATH_MAX * 4];
    size_t n_entries = git_tree_entrycount(tree);
    for (size_t i = 0; i < n_entries && !j->more; i++) {
        const git_tree_entry *te = git_tree_entry_byindex(tree, i);
        bool is_dir = git_tree_entry_type(te) == GIT_OBJECT_TREE, inside;
        int n = snprintf(path, sizeof path, STR_FMT "%s%s/", STR_ARG(prefix), prefix.n > 0 ? "/" : "",
                         git_tree_entry_name(te));
        if (n < 0 || (size_t)n >= sizeof path) continue; /* pushed before the path limit existed */
        struct str full = str_make(path, (size_t)n - 1), key = str_make(path, is_dir ? (size_t)n : (size_t)n - 1);
        bool skip = before_page(j, key, &inside);
        if (!skip) TRY(list_push(j, te, full));
        if (!is_dir || !j->recursive || j->more ||
            (skip && !inside && str_cmp(key, str_make(j->after_key, j->n_after)) != 0))
            continue;
        cleanup(git_lib_tree_free) git2_tree *sub = NULL;
        if (git_tree_lookup(&sub, j->repo, git_tree_entry_id(te)) != 0)
            return git_lib_fail(E_CORRUPT, "a folder is missing");
        TRY(list_walk(j, sub, full, depth + 1));
    }
    return OK;
}

/* After a folder comes its content: the key of a folder ends in a slash. */
static void after_key(struct list_job *j, const git2_tree *root) {
    cleanup(te_free) git_tree_entry *te = NULL;
    if (j->after.n == 0 || j->after.n > REPO_PATH_MAX) return;
    bool is_dir = false;
    if (entry_at(root, j->after, &te) == OK) is_dir = git_tree_entry_type(te) == GIT_OBJECT_TREE;
    memcpy(j->after_key, j->after.p, j->after.n);
    j->n_after = j->after.n;
    if (is_dir) j->after_key[j->n_after++] = '/';
}

static err list_job(struct git *g, git_repository *repo, void *arg) {
    struct list_job *j = arg;
    cleanup(git_lib_tree_free) git2_tree *root = NULL, *dir = NULL;
    cleanup(git_lib_odb_free) git_odb *odb = NULL;
    cleanup(te_free) git_tree_entry *te = NULL;
    TRY(git_tree_of(repo, j->commit, &root));
    if (git_repository_odb(&odb, repo) != 0) return git_lib_fail(E_CORRUPT, "objects");
    j->g = g;
    j->repo = repo;
    j->odb = odb;
    after_key(j, root);
    while (j->dir.n > 0 && j->dir.p[j->dir.n - 1] == '/') j->dir.n--;
    if (j->dir.n == 0) return list_walk(j, root, STR_NULL, 0);
    TRY(entry_at(root, j->dir, &te));
    if (git_tree_entry_type(te) != GIT_OBJECT_TREE) return entry_fail(j->dir);
    if (git_tree_lookup(&dir, repo, git_tree_entry_id(te)) != 0) return git_lib_fail(E_CORRUPT, "a folder is missing");
    return list_walk(j, dir, j->dir, 0);
}

err git_tree(struct git *g, struct arena *a, int64_t repo_id, struct str commit, struct str dir, bool recursive,
             struct str after, size_t max, struct git_entry **out, size_t *n, bool *more) {
    struct list_job j = {.a = a, .commit = commit, .dir = dir, .after = after, .recursive = recursive, .max = max};
    *out = NULL;
    *n = 0;
    *more = false;
    TRY(git_with_repo(g, repo_id, list_job, &j));
    *out = j.out;
    *n = j.n;
    *more = j.more;
    return OK;
}

/* --- blobs ------------------------------------------------------------------------------------------------ */

struct blob_job {
    struct arena *a;
    const char *oid;
    size_t max;
    struct str *out;
};

static err blob_job(struct git *g, git_repository *repo, void *arg) {
    struct blob_job *j = arg;
    cleanup(git_lib_odb_free) git_odb *odb = NULL;
    git_oid oid;
    size_t size = 0;
    git_object_t type;
    if (!git_oid_parse(str_of(j->oid), &oid)) return err_fail(E_ENTRY_NOT_FOUND, "no such blob");
    if (git_repository_odb(&odb, repo) != 0) return git_lib_fail(E_CORRUPT, "objects");
    if (git_odb_read_header(&size, &type, odb, &oid) != 0 || type != GIT_OBJECT_BLOB)
        return err_fail(E_ENTRY_NOT_FOUND, "blob %s does not exist in this repository", j->oid);
    if (size > j->max)
        return err_fail(E_TOO_LARGE, "the file has %zu bytes; at most %zu are read at once", size, j->max);
    git_odb_object *o = NULL;
    if (git_odb_read(&o, odb, &oid) != 0) return git_lib_fail(E_CORRUPT, "a blob cannot be read");
    char *p = arena_try(j->a, size + 1);
    if (p != NULL) memcpy(p, git_odb_object_data(o), size);
    git_odb_object_free(o);
    if (p == NULL)
        return err_fail(arena_why(j->a, size + 1, E_TOO_LARGE),
                        "the file has %zu bytes, more than fit into memory at once", size);
    *j->out = str_make(p, size);
    return OK;
}

err git_blob(struct git *g, struct arena *a, int64_t repo_id, const char *oid, size_t max, struct str *out) {
    struct blob_job j = {a, oid, max, out};
    return git_with_repo(g, repo_id, blob_job, &j);
}

struct write_job {
    struct str content;
    char *oid;
};

static err write_job(struct git *g, git_repository *repo, void *arg) {
    struct write_job *j = arg;
    git_oid oid;
    if (git_blob_create_from_buffer(&oid, repo, j->content.p != NULL ? j->content.p : "", j->content.n) != 0)
        return git_lib_fail(E_IO, "cannot store a file");
    git_oid_hex(&oid, j->oid);
    return OK;
}

/* Durable only with the commit that uses it (durable.c); an unused blob is garbage. */
err git_blob_write(struct git *g, int64_t repo_id, struct str content, char oid[GIT_OID_HEX + 1]) {
    struct write_job j = {content, oid};
    return git_with_repo(g, repo_id, write_job, &j);
}
