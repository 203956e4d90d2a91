/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit.c — new trees from a list of operations, all or nothing.
 *
 * Operations become edits {path, set|delete|delete folder}; edits are sorted so that everything below one folder is
 * contiguous ('/' sorts first), and trees are rebuilt from there: only touched folders are read and written.
 * A later edit of the same path wins. Deleting a folder removes what the base has in it, never what the same commit
 * adds to it. A folder that becomes empty disappears, as git demands.
 */
#include "git/git_internal.h"

#include "git/attr.h"
#include "git/lfs_pointer.h"
#include "git/path.h"

enum edit_kind { EDIT_DELETE_DIR, EDIT_DELETE, EDIT_SET };
struct edit {
    struct str path;
    enum edit_kind kind;
    size_t order;
    git_oid oid;
    git_filemode_t mode;
};
struct edit_job {
    struct git *g;
    git_repository *repo;
    git_odb *odb;
    const git2_tree *base;
    const struct git_op *ops;
    size_t n_ops;
    struct edit *edits;
    size_t n;
    struct git_oids *made;
    struct buf attrs; /* .gitattributes as it will be */
    bool attrs_changed;
};

/* '/' before every other byte: a folder's content stands right behind the name itself. */
static int path_cmp(struct str a, struct str b) {
    size_t n = MIN(a.n, b.n);
    for (size_t i = 0; i < n; i++) {
        if (a.p[i] == b.p[i]) continue;
        int x = a.p[i] == '/' ? 0 : (unsigned char)a.p[i], y = b.p[i] == '/' ? 0 : (unsigned char)b.p[i];
        return x - y;
    }
    return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

static int edit_cmp(const void *x, const void *y) {
    const struct edit *a = x, *b = y;
    int c = path_cmp(a->path, b->path);
    if (c != 0) return c;
    bool dir_a = a->kind == EDIT_DELETE_DIR, dir_b = b->kind == EDIT_DELETE_DIR;
    if (dir_a != dir_b) return dir_a ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static err missing(struct str path) {
    return err_fail(E_ENTRY_NOT_FOUND, "A file with this name doesn't exist: \"" STR_FMT "\"; nothing was changed",
                    STR_ARG(str_sub(path, 0, 300)));
}

static err conflict(struct str path) {
    return err_fail(E_UNPROCESSABLE, "\"" STR_FMT "\" would be a file and a folder at once; nothing was changed",
                    STR_ARG(str_sub(path, 0, 300)));
}

/* --- rebuilding ---------------------------------------------------------------------------------------------- */

struct found { /* what the base has under a name */
    bool any, is_tree;
    git_oid oid;
    git_filemode_t mode;
};

static err rebuild(struct edit_job *j, const git_oid *base, const struct edit *e, size_t n, size_t prefix, git_oid *out,
                   size_t *count);

static struct found look(git_treebuilder *b, const char *name) {
    const git_tree_entry *te = git_treebuilder_get(b, name);
    struct found f = {0};
    if (te == NULL) return f;
    f.any = true;
    f.is_tree = git_tree_entry_type(te) == GIT_OBJECT_TREE;
    f.mode = git_tree_entry_filemode(te);
    git_oid_cpy(&f.oid, git_tree_entry_id(te));
    return f;
}

/* All edits of one name: e[0..own) are of the name itself, the rest below it. */
static err rebuild_name(struct edit_job *j, git_treebuilder *b, const char *name, const struct edit *e, size_t n,
                        size_t own, size_t prefix) {
    struct found f = look(b, name);
    const struct edit *set = NULL;
    for (size_t i = 0; i < own; i++) {
        bool last = i + 1 == own;
        if (e[i].kind == EDIT_DELETE_DIR) {
            if (!f.any || !f.is_tree) return missing(e[i].path);
            f.any = false;
        } else if (last && e[i].kind == EDIT_DELETE) {
            if (!f.any || f.is_tree) return missing(e[i].path);
            f.any = false;
        } else if (last) {
            set = &e[i];
        }
    }
    size_t below = n - own, count = 0;
    git_oid sub = {{0}};
    if (below > 0) {
        bool adds = false;
        for (size_t i = own; i < n; i++) adds = adds || e[i].kind == EDIT_SET;
        if (adds && (set != NULL || (f.any && !f.is_tree))) return conflict(e[own].path);
        TRY(rebuild(j, f.any && f.is_tree ? &f.oid : NULL, e + own, below, prefix, &sub, &count));
        f.any = count > 0 || (f.any && !f.is_tree);
    }
    int rc = 0;
    if (set != NULL) {
        if (f.any && f.is_tree) return conflict(set->path);
        git_filemode_t mode = set->mode;
        if (f.any && f.mode == GIT_FILEMODE_BLOB_EXECUTABLE && mode == GIT_FILEMODE_BLOB) mode = f.mode;
        rc = git_treebuilder_insert(NULL, b, name, &set->oid, mode);
    } else if (count > 0) {
        rc = git_treebuilder_insert(NULL, b, name, &sub, GIT_FILEMODE_TREE);
    } else if (!f.any) {
        if (git_treebuilder_get(b, name) != NULL) rc = git_treebuilder_remove(b, name);
    }
    return rc == 0 ? OK : git_lib_fail(E_UNPROCESSABLE, "cannot change a folder");
}

static void builder_free(git_treebuilder **b) {
    git_treebuilder_free(*b);
}

static err rebuild(struct edit_job *j, const git_oid *base, const struct edit *e, size_t n, size_t prefix, git_oid *out,
                   size_t *count) {
    cleanup(git_lib_tree_free) git2_tree *old = NULL;
    cleanup(builder_free) git_treebuilder *b = NULL;
    char name[256];
    if (base != NULL && git_tree_lookup(&old, j->repo, base) != 0)
        return git_lib_fail(E_CORRUPT, "a folder is missing");
    if (git_treebuilder_new(&b, j->repo, old) != 0) return git_lib_fail(E_NOMEM, "folder");
    for (size_t i = 0; i < n;) {
        struct str rest = str_from(e[i].path, prefix);
        ptrdiff_t slash = str_chr(rest, '/');
        struct str part = slash < 0 ? rest : str_sub(rest, 0, (size_t)slash);
        size_t end = i, own = 0;
        for (; end < n; end++) {
            struct str r = str_from(e[end].path, prefix);
            if (r.n < part.n || memcmp(r.p, part.p, part.n) != 0 || (r.n > part.n && r.p[part.n] != '/')) break;
            if (r.n == part.n) own++;
        }
        snprintf(name, sizeof name, STR_FMT, STR_ARG(part));
        TRY(rebuild_name(j, b, name, e + i, end - i, own, prefix + part.n + 1));
        i = end;
    }
    *count = git_treebuilder_entrycount(b);
    if (git_treebuilder_write(out, b) != 0) return git_lib_fail(E_IO, "cannot store a folder");
    return git_oids_add(j->made, out);
}

/* --- operations to edits --------------------------------------------------------------------------------------- */

static void te_free(git_tree_entry **te) {
    git_tree_entry_free(*te);
}

static err base_entry(const struct edit_job *j, struct str path, git_tree_entry **out) {
    char z[REPO_PATH_MAX + 1];
    *out = NULL;
    if (j->base == NULL || path.n > REPO_PATH_MAX) return OK;
    snprintf(z, sizeof z, STR_FMT, STR_ARG(path));
    if (git_tree_entry_bypath(out, j->base, z) != 0) *out = NULL; /* absent */
    return OK;
}

static err put_blob(struct edit_job *j, struct str content, git_oid *oid) {
    if (git_blob_create_from_buffer(oid, j->repo, content.p != NULL ? content.p : "", content.n) != 0)
        return git_lib_fail(E_IO, "cannot store a file");
    return git_oids_add(j->made, oid);
}

static err add_edit(struct edit_job *j, const struct git_op *op, struct edit *e) {
    size_t size = 0;
    git_object_t type;
    if (op->blob[0] == 0) return put_blob(j, op->content, &e->oid);
    if (!git_oid_parse(str_of(op->blob), &e->oid) || git_odb_read_header(&size, &type, j->odb, &e->oid) != 0 ||
        type != GIT_OBJECT_BLOB)
        return err_fail(E_UNPROCESSABLE, "the content of \"" STR_FMT "\" is not stored; nothing was changed",
                        STR_ARG(op->path));
    return git_oids_add(j->made, &e->oid);
}

static err lfs_edit(struct edit_job *j, const struct git_op *op, struct edit *e) {
    char text[256];
    if (op->lfs_sha256.n != 64 || !str_is_hex(op->lfs_sha256))
        return err_fail(E_UNPROCESSABLE, "\"" STR_FMT "\": oid: expected 64 hex digits (SHA-256); nothing was changed",
                        STR_ARG(op->path));
    size_t n = lfs_pointer_format(op->lfs_sha256, op->lfs_size, text, sizeof text);
    return put_blob(j, str_make(text, n), &e->oid);
}

static err copy_edit(struct edit_job *j, const struct git_op *op, struct edit *e) {
    cleanup(te_free) git_tree_entry *te = NULL;
    TRY(base_entry(j, op->old_path, &te));
    if (te == NULL || git_tree_entry_type(te) != GIT_OBJECT_BLOB) return missing(op->old_path);
    git_oid_cpy(&e->oid, git_tree_entry_id(te));
    e->mode = git_tree_entry_filemode(te);
    return OK;
}

static err op_edit(struct edit_job *j, const struct git_op *op, struct edit *e) {
    struct str path = op->path;
    while (op->kind == GIT_OP_DELETE_DIR && path.n > 0 && path.p[path.n - 1] == '/') path.n--;
    TRY(git_path_check(path));
    e->path = path;
    e->kind = EDIT_SET;
    e->mode = GIT_FILEMODE_BLOB;
    switch (op->kind) {
    case GIT_OP_ADD: return add_edit(j, op, e);
    case GIT_OP_ADD_LFS: return lfs_edit(j, op, e);
    case GIT_OP_COPY: return copy_edit(j, op, e);
    case GIT_OP_DELETE: e->kind = EDIT_DELETE; return OK;
    case GIT_OP_DELETE_DIR: e->kind = EDIT_DELETE_DIR; return OK;
    }
    return err_fail(E_INTERNAL, "unknown operation");
}

/* --- .gitattributes ---------------------------------------------------------------------------------------------- */

static err blob_text(struct edit_job *j, const git_oid *oid, struct buf *out) {
    git_odb_object *o = NULL;
    if (git_odb_read(&o, j->odb, oid) != 0) return git_lib_fail(E_CORRUPT, "a blob cannot be read");
    if (git_odb_object_type(o) == GIT_OBJECT_BLOB)
        buf_add(out, git_odb_object_data(o), MIN(git_odb_object_size(o), (size_t)ATTR_FILE_MAX));
    git_odb_object_free(o);
    return OK;
}

/* Text of the .gitattributes at path as this commit leaves it; empty when there is none. */
static err attr_text(struct edit_job *j, struct str path, struct buf *out) {
    buf_reset(out);
    for (size_t i = j->n; i-- > 0;)
        if (str_eq(j->edits[i].path, path))
            return j->edits[i].kind == EDIT_SET ? blob_text(j, &j->edits[i].oid, out) : OK;
    cleanup(te_free) git_tree_entry *te = NULL;
    TRY(base_entry(j, path, &te));
    return te == NULL || git_tree_entry_type(te) != GIT_OBJECT_BLOB ? OK : blob_text(j, git_tree_entry_id(te), out);
}

static err covered(struct edit_job *j, struct str path, bool *yes) {
    enum attr_state st = attr_lfs(buf_view(&j->attrs), path);
    struct buf text;
    buf_init(&text, ATTR_FILE_MAX);
    err e = OK;
    for (size_t i = 0; i < path.n && e == OK; i++) {
        if (path.p[i] != '/') continue;
        char file[REPO_PATH_MAX + 32];
        int n = snprintf(file, sizeof file, STR_FMT "/.gitattributes", STR_ARG(str_sub(path, 0, i)));
        cleanup(te_free) git_tree_entry *te = NULL;
        e = base_entry(j, str_make(file, (size_t)n), &te); /* nested files are rare: ask the base first */
        if (e == OK && te != NULL) e = attr_text(j, str_make(file, (size_t)n), &text);
        if (e != OK || te == NULL) continue;
        enum attr_state here = attr_lfs(buf_view(&text), str_from(path, i + 1));
        if (here != ATTR_UNSPECIFIED) st = here;
    }
    buf_release(&text);
    *yes = st == ATTR_LFS;
    return e;
}

static err is_large(struct edit_job *j, size_t i, bool *yes) {
    *yes = j->ops[i].kind == GIT_OP_ADD_LFS;
    if (j->ops[i].kind != GIT_OP_COPY) return OK;
    struct git_blob_meta m;
    TRY(git_blob_meta(j->g, j->odb, &j->edits[i].oid, &m));
    *yes = m.is_lfs;
    return OK;
}

/* Called with edits in the order of ops; may append one edit. */
static err cover_large_files(struct edit_job *j) {
    bool loaded = false;
    for (size_t i = 0; i < j->n_ops; i++) {
        bool large, yes;
        TRY(is_large(j, i, &large));
        if (!large) continue;
        if (!loaded) TRY(attr_text(j, STR(".gitattributes"), &j->attrs));
        loaded = true;
        TRY(covered(j, j->edits[i].path, &yes));
        if (yes) continue;
        if (j->attrs.n > 0 && j->attrs.p[j->attrs.n - 1] != '\n') buf_char(&j->attrs, '\n');
        attr_line(&j->attrs, j->edits[i].path);
        j->attrs_changed = true;
    }
    if (!j->attrs_changed) return OK;
    TRY(buf_ok(&j->attrs, ".gitattributes"));
    struct edit *e = &j->edits[j->n];
    *e = (struct edit){.path = STR(".gitattributes"), .kind = EDIT_SET, .order = j->n, .mode = GIT_FILEMODE_BLOB};
    TRY(put_blob(j, buf_view(&j->attrs), &e->oid));
    j->n++;
    return OK;
}

static err apply(struct edit_job *j, git_oid *tree) {
    for (size_t i = 0; i < j->n_ops; i++) {
        j->edits[i].order = i;
        TRY(op_edit(j, &j->ops[i], &j->edits[i]));
        j->n++;
    }
    TRY(cover_large_files(j));
    qsort(j->edits, j->n, sizeof *j->edits, edit_cmp);
    size_t count = 0;
    return rebuild(j, j->base != NULL ? git_tree_id(j->base) : NULL, j->edits, j->n, 0, tree, &count);
}

err git_edit_apply(struct git *g, git_repository *repo, const git2_tree *base, const struct git_op *ops, size_t n,
                   git_oid *tree, struct git_oids *made) {
    cleanup(git_lib_odb_free) git_odb *odb = NULL;
    if (git_repository_odb(&odb, repo) != 0) return git_lib_fail(E_CORRUPT, "objects");
    struct edit_job j = {.g = g, .repo = repo, .odb = odb, .base = base, .ops = ops, .n_ops = n, .made = made};
    j.edits = calloc(n + 1, sizeof *j.edits);
    if (j.edits == NULL) return err_fail(E_NOMEM, "out of memory");
    buf_init(&j.attrs, 4 * MiB);
    err e = apply(&j, tree);
    buf_release(&j.attrs);
    free(j.edits);
    return e;
}
