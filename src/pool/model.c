/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.c — from a reviewed revision to files an engine can open: DATA/deploy/<deployment>/<path>.
 *
 * Rules: nothing is exported whose verdict is worse than allowed, of the revision or of one of the files; each file is
 * hashed as it lies on disk (SHA-256 of a large file, git's SHA-1 of a small one) before the first engine of this
 * server process opens it, also when it was exported earlier. The work runs in the work pool as one job.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "review/review.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/log.h"
#include "pool/pool_int.h"

enum { EXPORT_MAX_FILES = 4096, EXPORT_BLOCK = 1 << 20 };

/* --- verdicts ---------------------------------------------------------------------------------------------------- */
static err revision_allowed(struct pool *p, struct arena *a, enum verdict v, struct str reason) {
    if (v == VERDICT_PENDING) {
        err e = err_fail(E_PENDING,
                         "the revision is still being reviewed; it can be deployed as soon as its verdict is known");
        err_slot()->retry_after_s = 5;
        return e;
    }
    if (v <= p->max_verdict) return OK;
    err e = err_fail(E_BLOCKED,
                     "the revision has the verdict '%s' (" STR_FMT
                     "); this server deploys up to '%s'. A reviewer can override it with a reason",
                     verdict_name(v), STR_ARG(reason), verdict_name(p->max_verdict));
    enum lang lang = (enum lang)err_slot()->lang;
    struct str said = verdict_reason(a, lang, reason);
    err_local(N_("the revision has the verdict '%s' (" STR_FMT
                 "); this server deploys up to '%s'. A reviewer can override it with a reason"),
              review_verdict_word(lang, v), STR_ARG(said), review_verdict_word(lang, p->max_verdict));
    return e;
}

static err file_allowed(struct pool *p, struct arena *a, enum verdict v, struct str path, struct str reason) {
    if (v == VERDICT_PENDING) {
        err e =
            err_fail(E_PENDING,
                     "the file " STR_FMT " is still being reviewed; it can be deployed as soon as its verdict is known",
                     STR_ARG(path));
        err_slot()->retry_after_s = 5;
        return e;
    }
    if (v <= p->max_verdict) return OK;
    err e = err_fail(E_BLOCKED,
                     "the file " STR_FMT " has the verdict '%s' (" STR_FMT
                     "); this server deploys up to '%s'. A reviewer can override it with a reason",
                     STR_ARG(path), verdict_name(v), STR_ARG(reason), verdict_name(p->max_verdict));
    enum lang lang = (enum lang)err_slot()->lang;
    struct str said = verdict_reason(a, lang, reason);
    err_local(N_("the file " STR_FMT " has the verdict '%s' (" STR_FMT
                 "); this server deploys up to '%s'. A reviewer can override it with a reason"),
              STR_ARG(path), review_verdict_word(lang, v), STR_ARG(said), review_verdict_word(lang, p->max_verdict));
    return e;
}

static err files_allowed(struct pool *p, struct arena *a, int64_t repo_id, const struct git_entry *files, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct blob_verdict v;
        TRY(verdict_blob_get(db_reader(p->o.store), a, repo_id, hub_entry_key(a, &files[i]), &v));
        TRY(file_allowed(p, a, v.verdict, files[i].path, v.reason));
    }
    return OK;
}

/* The name without "-00001-of-00003.gguf", or empty when it has no such part. */
static struct str split_stem(struct str path) {
    ptrdiff_t at = str_find(path, STR("-00001-of-"));
    return at > 0 ? str_sub(path, 0, (size_t)at) : STR("");
}

/* The files the deployment consists of: all, one, or the parts of one. */
static err select_files(struct pool *p, struct arena *a, int64_t repo_id, struct str commit, struct str file,
                        struct git_entry **out, size_t *n) {
    struct git_entry *all;
    size_t n_all;
    bool more;
    TRY(git_tree(hub_git(p->o.hub), a, repo_id, commit, STR(""), true, STR(""), EXPORT_MAX_FILES, &all, &n_all, &more));
    if (more) return err_fail(E_LIMIT, "the revision has more than %d files; nothing was deployed", EXPORT_MAX_FILES);
    struct str stem = split_stem(file);
    *n = 0;
    for (size_t i = 0; i < n_all; i++) {
        struct str path = all[i].path;
        bool part = stem.n > 0 && path.n > stem.n && str_eq(str_sub(path, 0, stem.n), stem) &&
                    str_starts(str_from(path, stem.n), "-0");
        if (all[i].is_dir || (file.n > 0 && !str_eq(path, file) && !part)) continue;
        all[(*n)++] = all[i];
    }
    if (*n == 0) return err_fail(E_ENTRY_NOT_FOUND, "the revision has no file '" STR_FMT "'", STR_ARG(file));
    *out = all;
    return OK;
}

err model_verdict(struct pool *p, struct arena *a, int64_t repo_id, struct str commit, struct str file) {
    struct revision_verdict v;
    TRY(verdict_revision_get(db_reader(p->o.store), a, repo_id, commit, &v));
    TRY(revision_allowed(p, a, v.verdict, v.reason));
    if (file.p == NULL) return OK; /* the revision alone */
    struct git_entry *files;
    size_t n;
    TRY(select_files(p, a, repo_id, commit, file, &files, &n));
    return files_allowed(p, a, repo_id, files, n);
}

/* --- export --------------------------------------------------------------------------------------------------------
 */
struct export {
    struct deployment *d;
    struct arena arena;
    struct git_entry *files;
    size_t n;
    const char *dir;
    char *block;
};

static bool path_is_safe(struct str path) {
    struct str rest = path, part;
    if (path.n == 0 || memchr(path.p, 0, path.n) != NULL) return false;
    while (str_split(&rest, '/', &part))
        if (part.n == 0 || str_eqz(part, ".") || str_eqz(part, "..")) return false;
    return true;
}

static err make_parents(char *path, size_t from) {
    for (char *s = path + from; (s = strchr(s, '/')) != NULL; s++) {
        *s = 0;
        int rc = mkdir(path, 0700), errnum = errno;
        *s = '/';
        if (rc != 0 && errnum != EEXIST) return err_errno(E_IO, errnum, "cannot make a folder for a deployment");
    }
    return OK;
}

/* Hashing or copying a large model must not hold up a stop. */
static bool given_up(const struct export *x) {
    return x->d->stop || x->d->pool->stopping;
}

/* Do the bytes on disk have the hash of the entry? */
static bool file_matches(struct export *x, const char *path, const struct git_entry *e) {
    uint64_t want = e->is_lfs ? e->lfs_size : e->size;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0 || (uint64_t)st.st_size != want) {
        if (fd >= 0) close(fd);
        return false;
    }
    struct hasher *h = hasher_new(e->is_lfs ? "SHA256" : "SHA1");
    char head[32], hex[2 * SHA256_LEN + 1];
    if (!e->is_lfs) hasher_add(h, head, (size_t)snprintf(head, sizeof head, "blob %" PRIu64, want) + 1);
    ssize_t n = -1;
    while (!given_up(x) && (n = read(fd, x->block, EXPORT_BLOCK)) > 0) hasher_add(h, x->block, (size_t)n);
    close(fd);
    uint8_t d[SHA256_LEN];
    hasher_done(h, d);
    for (size_t i = 0; i < (e->is_lfs ? SHA256_LEN : SHA1_LEN); i++) snprintf(hex + 2 * i, 3, "%02x", d[i]);
    return n == 0 && str_eqz(hub_entry_oid(e), hex);
}

static err copy_out(struct export *x, const struct git_entry *e, int fd) {
    struct hub_file *f;
    TRY(hub_file_open(x->d->pool->o.hub, x->d->row.repo_id, e, 0, e->is_lfs ? e->lfs_size : e->size, &f));
    size_t n = 0;
    err er = OK;
    while (er == OK && !given_up(x) && (er = hub_file_read(f, x->block, EXPORT_BLOCK, &n)) == OK && n > 0) {
        for (size_t at = 0; at < n && er == OK;) {
            ssize_t k = write(fd, x->block + at, n - at);
            if (k < 0 && errno == EINTR) continue;
            if (k < 0) er = err_errno(E_IO, errno, "cannot write the model for the engine");
            else at += (size_t)k;
        }
        if (er != OK) break;
    }
    hub_file_close(f);
    return er == OK && given_up(x) ? err_fail(E_CANCELLED, "the deployment is not wanted any more") : er;
}

static err export_file(struct export *x, const struct git_entry *e) {
    if (!path_is_safe(e->path))
        return err_fail(E_UNPROCESSABLE, "the file name '" STR_FMT "' cannot be deployed", STR_ARG(e->path));
    struct str full = arena_printf(&x->arena, "%s/" STR_FMT, x->dir, STR_ARG(e->path));
    char *path = arena_strz(&x->arena, full),
         *tmp = arena_strz(&x->arena, arena_printf(&x->arena, STR_FMT ".part", STR_ARG(full)));
    if (file_matches(x, path, e)) return OK;
    TRY(make_parents(path, strlen(x->dir) + 1));
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return err_errno(E_IO, errno, "cannot write the model for the engine");
    err er = copy_out(x, e, fd);
    if (close(fd) != 0 && er == OK) er = err_errno(E_IO, errno, "cannot write the model for the engine");
    if (er == OK && !file_matches(x, tmp, e))
        er = err_fail(E_CORRUPT, "the stored bytes of " STR_FMT " do not have its hash; run `ballast fsck`",
                      STR_ARG(e->path));
    if (er == OK && rename(tmp, path) != 0) er = err_errno(E_IO, errno, "cannot write the model for the engine");
    if (er != OK) unlink(tmp);
    return er;
}

static err export_job(void *arg) {
    struct export *x = arg;
    struct deployment *d = x->d;
    TRY(model_verdict(d->pool, &x->arena, d->row.repo_id, d->row.commit, (struct str){NULL, 0}));
    TRY(select_files(d->pool, &x->arena, d->row.repo_id, d->row.commit, d->row.file, &x->files, &x->n));
    TRY(files_allowed(d->pool, &x->arena, d->row.repo_id, x->files, x->n));
    x->block = arena_alloc(&x->arena, EXPORT_BLOCK);
    for (size_t i = 0; i < x->n; i++) TRY(export_file(x, &x->files[i]));
    return OK;
}

static err deploy_dir(struct pool *p, struct arena *a, int64_t id, const char **out) {
    char sub[32];
    const char *any;
    snprintf(sub, sizeof sub, "deploy/%" PRId64, id);
    TRY(store_path(p->o.store, a, "deploy", "x", &any)); /* makes the parent */
    TRY(store_path(p->o.store, a, sub, "x", &any));
    *out = arena_printf(a, "%.*s", (int)(strlen(any) - 2), any).p;
    return OK;
}

err model_prepare(struct deployment *d) {
    fmutex_lock(d->prepare);
    err e = OK;
    if (!d->verified) {
        struct export x = {.d = d};
        arena_init(&x.arena, 64 * MiB);
        e = deploy_dir(d->pool, &x.arena, d->row.id, &x.dir);
        if (e == OK) e = work_run(export_job, &x);
        if (e == OK)
            snprintf(d->model_path, sizeof d->model_path, "%s%s" STR_FMT, x.dir, d->row.file.n > 0 ? "/" : "",
                     STR_ARG(d->row.file));
        d->verified = e == OK;
        arena_release(&x.arena);
    }
    fmutex_unlock(d->prepare);
    return e;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}
static err drop_job(void *arg) {
    if (nftw(arg, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 && errno != ENOENT)
        return err_errno(E_IO, errno, "cannot remove %s", (const char *)arg);
    return OK;
}
void model_drop(struct pool *p, int64_t id) {
    struct arena a;
    arena_init(&a, 64 * KiB);
    const char *dir;
    err e = deploy_dir(p, &a, id, &dir);
    if (e == OK) e = work_run(drop_job, (void *)(uintptr_t)dir);
    if (e != OK) log_warn("pool.model_drop", LI("deployment", id), LZ("error", err_text()));
    arena_release(&a);
}
