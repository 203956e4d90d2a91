/* SPDX-License-Identifier: Apache-2.0 */
/*
 * durable.c — objects first, then the reference.
 *
 * A commit of many files would pay two fsyncs per loose object if libgit2 did them one by one. Here objects are
 * written without, and synced together just before the reference moves: a few one by one, many by one syncfs(2).
 * The reference itself is fsynced by libgit2 before its rename (core.fsyncObjectFiles in DATA/git/lib), its folder
 * here.
 */
#include "git/git_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"

enum { ONE_BY_ONE_MAX = 12 };

err git_oids_add(struct git_oids *o, const git_oid *oid) {
    if (o->n == o->cap) {
        size_t cap = o->cap == 0 ? 32 : o->cap * 2;
        git_oid *v = reallocarray(o->v, cap, sizeof *v);
        if (v == NULL) return err_fail(E_NOMEM, "out of memory");
        o->v = v;
        o->cap = cap;
    }
    o->v[o->n++] = *oid;
    return OK;
}

void git_oids_release(struct git_oids *o) {
    free(o->v);
    *o = (struct git_oids){0};
}

static err fd_sync(int fd, const char *path, bool whole_fs) {
    int rc = whole_fs ? syncfs(fd) : fsync(fd);
    int saved = errno;
    close(fd);
    return rc == 0 ? OK : err_errno(E_IO, saved, "cannot make %s durable; nothing was changed", path);
}

err git_dir_sync(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return err_errno(E_IO, errno, "cannot open %s", path);
    return fd_sync(fd, path, false);
}

/* A loose object and its folder; objects in packs were synced when the pack was made. */
static err object_sync(const char *objects, const git_oid *oid) {
    char hex[GIT_OID_HEX + 1], path[GIT_DIR_MAX + 64];
    git_oid_hex(oid, hex);
    snprintf(path, sizeof path, "%s/%.2s/%s", objects, hex, hex + 2);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return OK;
    if (fd < 0) return err_errno(E_IO, errno, "cannot open %s", path);
    TRY(fd_sync(fd, path, false));
    snprintf(path, sizeof path, "%s/%.2s", objects, hex);
    return git_dir_sync(path);
}

err git_objects_sync(git_repository *repo, const struct git_oids *o) {
    char objects[GIT_DIR_MAX];
    snprintf(objects, sizeof objects, "%sobjects", git_repository_path(repo));
    if (o->n > ONE_BY_ONE_MAX) {
        int fd = open(objects, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) return err_errno(E_IO, errno, "cannot open %s", objects);
        return fd_sync(fd, objects, true);
    }
    for (size_t i = 0; i < o->n; i++) TRY(object_sync(objects, &o->v[i]));
    return git_dir_sync(objects); /* fan-out folders that are new themselves */
}

/* The folder a loose reference lies in (and its parent: both may be new). */
static err ref_dir_sync(git_repository *repo, const char *ref) {
    char path[GIT_DIR_MAX];
    snprintf(path, sizeof path, "%s%s", git_repository_path(repo), ref);
    for (;;) {
        char *slash = strrchr(path, '/');
        if (slash == NULL) return OK;
        *slash = 0;
        if (access(path, F_OK) == 0) TRY(git_dir_sync(path)); /* deleting the last branch of a folder removes it */
        if (strlen(path) < 5 || strcmp(path + strlen(path) - 5, "/refs") == 0) return OK;
    }
}

/*
 * REF.lock of a process that was killed between making and renaming it. The caller holds the repository's lock and a
 * live writer would hold that too, so whatever lies there is nobody's. True when something was removed.
 */
static bool stale_lock_remove(git_repository *repo, const char *ref) {
    char path[GIT_DIR_MAX + 300];
    snprintf(path, sizeof path, "%s%s.lock", git_repository_path(repo), ref);
    if (unlink(path) != 0) return false;
    log_warn("git.stale_lock", LZ("path", path));
    return true;
}

static int ref_write(git_repository *repo, const char *ref, const git_oid *new_oid, const git_oid *old_oid) {
    cleanup(git_lib_ref_free) git_reference *out = NULL;
    if (old_oid != NULL && git_oid_is_zero(old_oid)) return git_reference_create(&out, repo, ref, new_oid, 0, NULL);
    return git_reference_create_matching(&out, repo, ref, new_oid, 1, old_oid, NULL);
}

err git_ref_move(git_repository *repo, const char *ref, const git_oid *new_oid, const git_oid *old_oid) {
    int rc = ref_write(repo, ref, new_oid, old_oid);
    if (rc == GIT_ELOCKED && stale_lock_remove(repo, ref)) rc = ref_write(repo, ref, new_oid, old_oid);
    if (rc == GIT_EEXISTS || rc == GIT_EMODIFIED || rc == GIT_ELOCKED)
        return err_fail(E_CONFLICT, "Reference %s already exists or moved meanwhile; nothing was changed, try again",
                        ref);
    if (rc == GIT_EINVALIDSPEC) return err_fail(E_BAD_REQUEST, "Invalid reference for a branch: %s", ref);
    if (rc != 0 && git_error_last() != NULL && git_error_last()->klass == GIT_ERROR_REFERENCE)
        return git_lib_fail(E_CONFLICT,
                            "the name of the reference collides with another; nothing was changed"); /* a and a/b */
    if (rc != 0) return git_lib_fail(E_IO, "cannot move a reference");
    return ref_dir_sync(repo, ref);
}

err git_ref_remove(git_repository *repo, const char *ref) {
    cleanup(git_lib_ref_free) git_reference *r = NULL;
    if (git_reference_lookup(&r, repo, ref) != 0) return git_rev_fail(str_of(ref));
    int rc = git_reference_delete(r);
    if (rc == GIT_ELOCKED) {
        bool own = stale_lock_remove(repo, ref), packed = stale_lock_remove(repo, "packed-refs");
        if (own || packed) rc = git_reference_delete(r);
    }
    if (rc != 0) return git_lib_fail(E_IO, "cannot delete a reference");
    return ref_dir_sync(repo, ref);
}
