/* SPDX-License-Identifier: Apache-2.0 */
/* hub_commit_ops.c — lines of a commit to git operations. Large lines are parsed and decoded on a work thread. */
#include "base/hex.h"
#include "git/path.h"
#include "hub/hub_commit.h"

enum { INLINE_PARSE_MAX = 128 * 1024 };

err hub_commit_init(struct hub_commit *c, struct hub *h, struct arena *a, int64_t repo_id) {
    *c = (struct hub_commit){.h = h, .arena = a, .repo_id = repo_id};
    arena_init(&c->scratch, h->inline_limit * 2 + 4 * MiB);
    buf_init(&c->decoded, h->inline_limit + 16);
    c->blobs = git_blobs_new(h->git, repo_id);
    return OK;
}

void hub_commit_scratch_free(struct hub_commit *c) {
    arena_release(&c->scratch);
    buf_release(&c->decoded);
    git_blobs_free(c->blobs);
    c->blobs = NULL;
}

static err keep_path(struct hub_commit *c, struct str path, struct str *out) {
    TRY(git_path_check(path));
    c->path_bytes += path.n;
    if (c->path_bytes > COMMIT_PATHS_MAX)
        return err_fail(E_TOO_LARGE, "the paths of one commit have at most %d bytes; split it", COMMIT_PATHS_MAX);
    *out = arena_str(c->arena, path);
    return OK;
}

static err next_op(struct hub_commit *c, struct git_op **out) {
    if (c->n_ops == COMMIT_OPS_MAX)
        return err_fail(E_TOO_LARGE, "a commit has at most %d operations; split it", COMMIT_OPS_MAX);
    if (c->n_ops == c->cap_ops) {
        size_t cap = c->cap_ops > 0 ? c->cap_ops * 2 : 64;
        struct git_op *ops = arena_array(c->arena, struct git_op, cap);
        if (c->n_ops > 0) memcpy(ops, c->ops, c->n_ops * sizeof *ops);
        c->ops = ops;
        c->cap_ops = cap;
    }
    *out = &c->ops[c->n_ops++];
    **out = (struct git_op){.kind = GIT_OP_ADD};
    return OK;
}

struct parse_job {
    struct hub_commit *c;
    struct str line;
    struct hub_line out;
    struct str content;
};

static err parse_work(void *arg) {
    struct parse_job *j = arg;
    TRY(hub_line_parse(&j->c->scratch, j->line, j->line.n + 1, &j->out));
    if (j->out.kind != LINE_FILE || !j->out.has_content) return OK;
    j->content = j->out.content;
    if (j->out.is_base64) {
        buf_reset(&j->c->decoded);
        bool good = base64_decode(&j->c->decoded, j->out.content);
        TRY(buf_ok(&j->c->decoded, "the file's content"));
        if (!good) return err_fail(E_BAD_REQUEST, "field content of " STR_FMT ": not base64", STR_ARG(j->out.path));
        j->content = buf_view(&j->c->decoded);
    }
    if (j->content.n > j->c->h->inline_limit)
        return err_fail(E_BAD_REQUEST,
                        STR_FMT " has %zu bytes; files above %zu bytes must be uploaded as large files (LFS or Xet)",
                        STR_ARG(j->out.path), j->content.n, j->c->h->inline_limit);
    return OK;
}

/* oldPath without bytes of its own: the file moves. */
static err add_rename(struct hub_commit *c, const struct hub_line *l) {
    struct git_op *copy, *gone;
    struct str from, to;
    TRY(keep_path(c, l->old_path, &from));
    TRY(keep_path(c, l->path, &to));
    TRY(next_op(c, &copy));
    *copy = (struct git_op){.kind = GIT_OP_COPY, .path = to, .old_path = from};
    TRY(next_op(c, &gone));
    *gone = (struct git_op){.kind = GIT_OP_DELETE, .path = from};
    return OK;
}

static err add_lfs(struct hub_commit *c, const struct hub_line *l) {
    struct xet_file f;
    err e = xet_file_find(c->h->xet, c->repo_id, l->oid, &f);
    if (e == E_NOT_FOUND)
        return err_fail(E_BAD_REQUEST,
                        "the large file " STR_FMT " (oid " STR_FMT
                        ") was not uploaded to this repository; nothing was committed. "
                        "Upload its bytes first.",
                        STR_ARG(l->path), STR_ARG(l->oid));
    TRY(e);
    if (l->size >= 0 && (uint64_t)l->size != f.size)
        return err_fail(E_BAD_REQUEST,
                        "the large file " STR_FMT " (oid " STR_FMT ") has %" PRIu64 " bytes, the commit says %" PRId64,
                        STR_ARG(l->path), STR_ARG(l->oid), f.size, l->size);
    struct git_op *op;
    struct str path;
    TRY(keep_path(c, l->path, &path));
    TRY(next_op(c, &op));
    *op = (struct git_op){
        .kind = GIT_OP_ADD_LFS, .path = path, .lfs_sha256 = arena_str(c->arena, l->oid), .lfs_size = f.size};
    return OK;
}

static err add_file(struct hub_commit *c, const struct parse_job *j) {
    struct git_op *op;
    struct str path;
    TRY(keep_path(c, j->out.path, &path));
    TRY(next_op(c, &op));
    op->path = path;
    return git_blobs_add(c->blobs, j->content, op->blob);
}

static err set_header(struct hub_commit *c, const struct hub_line *l) {
    if (c->has_header) return err_fail(E_BAD_REQUEST, "a second header; a commit has one, as its first line");
    if (str_trim(l->summary).n == 0)
        return err_fail(E_BAD_REQUEST, "field summary: the commit message must not be empty");
    if (l->summary.n + l->description.n > COMMIT_TEXT_MAX)
        return err_fail(E_BAD_REQUEST, "field description: summary and description have at most %d bytes",
                        COMMIT_TEXT_MAX);
    if (l->parent.n > 0 && (l->parent.n > GIT_OID_HEX || l->parent.n < 5 || !str_is_hex(l->parent)))
        return err_fail(E_BAD_REQUEST, "field parentCommit: expected 5 to 40 hex digits");
    c->has_header = true;
    c->summary = arena_str(c->arena, l->summary);
    c->description = arena_str(c->arena, l->description);
    c->parent = arena_str(c->arena, l->parent);
    return OK;
}

static err add_delete(struct hub_commit *c, const struct hub_line *l) {
    struct git_op *op;
    struct str path = l->path;
    if (l->kind == LINE_DELETE_DIR)
        while (path.n > 0 && path.p[path.n - 1] == '/') path.n--;
    TRY(keep_path(c, path, &path));
    TRY(next_op(c, &op));
    op->kind = l->kind == LINE_DELETE_DIR ? GIT_OP_DELETE_DIR : GIT_OP_DELETE;
    op->path = path;
    return OK;
}

err hub_commit_line(struct hub_commit *c, struct str line) {
    struct parse_job j = {.c = c, .line = line};
    arena_reset(&c->scratch);
    TRY(line.n > INLINE_PARSE_MAX ? work_run(parse_work, &j) : parse_work(&j));
    if (j.out.kind == LINE_HEADER) return set_header(c, &j.out);
    if (!c->has_header) return err_fail(E_BAD_REQUEST, "the first line of a commit must be its header");
    switch (j.out.kind) {
    case LINE_FILE: return j.out.has_content ? add_file(c, &j) : add_rename(c, &j.out);
    case LINE_LFS: return j.out.oid.n > 0 ? add_lfs(c, &j.out) : add_rename(c, &j.out);
    case LINE_DELETE:
    case LINE_DELETE_DIR: return add_delete(c, &j.out);
    case LINE_HEADER: break;
    }
    return OK;
}

err hub_commit_end(struct hub_commit *c) {
    if (!c->has_header) return err_fail(E_BAD_REQUEST, "the commit is empty: expected a header line and operations");
    return git_blobs_end(c->blobs);
}
