/* SPDX-License-Identifier: Apache-2.0 */
/* hub_ndjson.c — cutting a commit body into lines and reading them. */
#include "hub/hub_ndjson.h"

void hub_lines_init(struct hub_lines *l, size_t max_line) {
    *l = (struct hub_lines){.piece = STR_NULL};
    buf_init(&l->hold, max_line);
}

void hub_lines_release(struct hub_lines *l) {
    buf_release(&l->hold);
}

void hub_lines_feed(struct hub_lines *l, struct str piece) {
    l->piece = piece;
}

static err too_long(struct hub_lines *l) {
    return err_fail(E_BAD_REQUEST,
                    "line %zu of the commit exceeds %zu bytes; a file of that size must be uploaded as a large file "
                    "(LFS or Xet). Nothing was committed.",
                    l->n_line + 1, l->hold.max);
}

err hub_lines_next(struct hub_lines *l, struct str *line, bool *have) {
    *have = false;
    if (l->spent) {
        buf_reset(&l->hold);
        l->spent = false;
    }
    while (l->piece.n > 0) {
        ptrdiff_t nl = str_chr(l->piece, '\n');
        size_t n = nl >= 0 ? (size_t)nl : l->piece.n;
        struct str part = str_sub(l->piece, 0, n);
        l->piece = str_from(l->piece, nl >= 0 ? n + 1 : n);
        if (l->hold.n + part.n > l->hold.max) return too_long(l);
        if (nl < 0 || l->hold.n > 0) {
            buf_str(&l->hold, part);
            if (l->hold.failed) return too_long(l);
            if (nl < 0) return OK;
            part = buf_view(&l->hold);
            l->spent = true;
        }
        if (str_trim(part).n == 0) {
            buf_reset(&l->hold);
            l->spent = false;
            continue;
        }
        l->n_line++;
        *line = part;
        *have = true;
        return OK;
    }
    return OK;
}

err hub_lines_last(struct hub_lines *l, struct str *line, bool *have) {
    TRY(hub_lines_next(l, line, have));
    if (*have || str_trim(buf_view(&l->hold)).n == 0) return OK;
    l->n_line++;
    *line = buf_view(&l->hold);
    l->spent = true;
    *have = true;
    return OK;
}

static err read_file(struct jv v, struct hub_line *out) {
    struct jv content = jv_get(v, "content");
    struct str encoding = jv_str(jv_get(v, "encoding"), STR("utf-8"));
    out->has_content = jv_type(content) == JSON_STRING;
    out->content = jv_str(content, STR(""));
    out->is_base64 = str_eqz(encoding, "base64");
    if (!out->is_base64 && !str_eqz(encoding, "utf-8"))
        return err_fail(E_BAD_REQUEST, "field encoding of " STR_FMT ": expected \"base64\" or \"utf-8\"",
                        STR_ARG(out->path));
    if (!out->has_content && out->old_path.n == 0)
        return err_fail(E_BAD_REQUEST, "field content of " STR_FMT ": expected a string", STR_ARG(out->path));
    return OK;
}

static err read_lfs(struct jv v, struct hub_line *out) {
    struct str algo = jv_str(jv_get(v, "algo"), STR("sha256"));
    out->oid = jv_str(jv_get(v, "oid"), STR_NULL);
    out->size = jv_i64(jv_get(v, "size"), -1);
    if (!str_eqz(algo, "sha256"))
        return err_fail(E_BAD_REQUEST, "field algo of " STR_FMT ": expected \"sha256\"", STR_ARG(out->path));
    if (out->oid.n == 0 && out->old_path.n > 0) return OK;
    bool lower = out->oid.n == 64 && str_is_hex(out->oid);
    for (size_t i = 0; lower && i < out->oid.n; i++)
        if (out->oid.p[i] >= 'A' && out->oid.p[i] <= 'F') lower = false;
    if (!lower)
        return err_fail(E_BAD_REQUEST, "field oid of " STR_FMT ": expected 64 lower-case hex digits",
                        STR_ARG(out->path));
    return OK;
}

err hub_line_parse(struct arena *a, struct str line, size_t max_bytes, struct hub_line *out) {
    static const char *const keys[] = {"header", "file", "lfsFile", "deletedFile", "deletedFolder"};
    const struct json_limits lim = {.max_bytes = max_bytes, .max_depth = 16, .max_nodes = 4096};
    struct jv root;
    struct str key;
    *out = (struct hub_line){.size = -1};
    TRY(json_parse(a, line, &lim, &root));
    TRY(jv_need_str(root, "key", &key));
    struct jv v = jv_get(root, "value");
    if (jv_type(v) != JSON_OBJECT) return err_fail(E_BAD_REQUEST, "field value: expected an object");
    unsigned k = 0;
    while (k < ARRAY_LEN(keys) && !str_eqz(key, keys[k])) k++;
    if (k == ARRAY_LEN(keys))
        return err_fail(E_BAD_REQUEST,
                        "field key: expected header, file, lfsFile, deletedFile or deletedFolder, got \"" STR_FMT "\"",
                        STR_ARG(key));
    out->kind = (enum hub_line_kind)k;
    if (out->kind == LINE_HEADER) {
        out->summary = jv_str(jv_get(v, "summary"), STR(""));
        out->description = jv_str(jv_get(v, "description"), STR(""));
        out->parent = jv_str(jv_get(v, "parentCommit"), STR(""));
        return OK;
    }
    TRY(jv_need_str(v, "path", &out->path));
    out->old_path = jv_str(jv_get(v, "oldPath"), STR_NULL);
    if (out->kind == LINE_FILE) return read_file(v, out);
    if (out->kind == LINE_LFS) return read_lfs(v, out);
    return OK;
}
