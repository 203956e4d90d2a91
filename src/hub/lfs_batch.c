/* SPDX-License-Identifier: Apache-2.0 */
/* lfs_batch.c — reading LFS batch and verify requests. Pure; hostile input ends in a fault, not in a surprise. */
#include "hub/lfs.h"

static bool oid_ok(struct str s) {
    if (s.n != 64) return false;
    for (size_t i = 0; i < 64; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f'))) return false;
    return true;
}

err lfs_object_parse(struct jv obj, struct lfs_object *out) {
    *out = (struct lfs_object){0};
    if (jv_type(obj) != JSON_OBJECT) return err_fail(E_BAD_REQUEST, "objects: expected objects {oid, size}");
    out->oid = jv_str(jv_get(obj, "oid"), STR(""));
    int64_t size = jv_i64(jv_get(obj, "size"), -1);
    if (!oid_ok(out->oid)) out->fault = N_("oid: expected 64 lower-case hex digits (SHA-256)");
    else if (size < 0 || (uint64_t)size > LFS_SIZE_MAX)
        out->fault = N_("size: expected a number of bytes up to 16 TiB");
    else out->size = (uint64_t)size;
    return OK;
}

err lfs_batch_parse(struct arena *a, struct jv root, struct lfs_batch *out) {
    *out = (struct lfs_batch){0};
    if (jv_type(root) != JSON_OBJECT) return err_fail(E_BAD_REQUEST, "expected a JSON object");
    struct str op, algo = jv_str(jv_get(root, "hash_algo"), STR("sha256"));
    TRY(jv_need_str(root, "operation", &op));
    out->upload = str_eqz(op, "upload");
    if (!out->upload && !str_eqz(op, "download"))
        return err_fail(E_UNPROCESSABLE, "operation: expected \"upload\" or \"download\"");
    if (!str_eqz(algo, "sha256") && !str_eqz(algo, "sha_256")) /* the second is what the JavaScript library says */
        return err_fail(E_CONFLICT, "hash_algo: expected \"sha256\"");
    for (struct jv_iter it = jv_iter(jv_get(root, "transfers")); jv_next(&it);)
        if (str_eqz(jv_str(it.val, STR("")), "xet")) out->xet = true;
    struct jv list = jv_get(root, "objects");
    if (jv_type(list) != JSON_ARRAY) return err_fail(E_UNPROCESSABLE, "objects: expected an array");
    if (jv_len(list) > LFS_OBJECTS_MAX) return err_fail(E_TOO_LARGE, "objects: expected at most %d", LFS_OBJECTS_MAX);
    out->objects = arena_array(a, struct lfs_object, jv_len(list) + 1);
    for (struct jv_iter it = jv_iter(list); jv_next(&it);) TRY(lfs_object_parse(it.val, &out->objects[out->n++]));
    return OK;
}
