/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dir.c — directories and key files of the data directory.
 *
 * Everything is private to the user that runs Ballast: directories 0700, keys 0600. A key file is
 * made complete before it gets its name (temp file, fsync, link, directory fsync), so that two
 * processes that want it at once agree on one and a crash leaves none or a whole one.
 */
#include "store/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "store/store_int.h"

err dir_make(const char *path) {
    char buf[4096];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof buf) return err_fail(E_BAD_REQUEST, "directory name is empty or too long");
    memcpy(buf, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (buf[i] != '/' && buf[i] != 0) continue;
        char c = buf[i];
        buf[i] = 0;
        if (mkdir(buf, 0700) != 0 && errno != EEXIST) return err_errno(E_IO, errno, "cannot make directory %s", buf);
        buf[i] = c;
    }
    struct stat st;
    if (stat(path, &st) != 0) return err_errno(E_IO, errno, "cannot look at %s", path);
    if (!S_ISDIR(st.st_mode)) return err_fail(E_IO, "%s is not a directory", path);
    return OK;
}

err dir_absolute(const char *path, char **out) {
    if (path == NULL || path[0] == 0) return err_fail(E_BAD_REQUEST, "the data directory has no name");
    char cwd[4096];
    if (path[0] == '/') *out = strdup(path);
    else if (getcwd(cwd, sizeof cwd) == NULL) return err_errno(E_IO, errno, "cannot find the current directory");
    else if (asprintf(out, "%s/%s", cwd, path) < 0) *out = NULL;
    if (*out == NULL) return err_fail(E_NOMEM, "out of memory");
    size_t n = strlen(*out);
    while (n > 1 && (*out)[n - 1] == '/') (*out)[--n] = 0;
    return OK;
}

err dir_fsync(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return err_errno(E_IO, errno, "cannot open directory %s", path);
    err e = fsync(fd) == 0 ? OK : err_errno(E_IO, errno, "cannot sync directory %s", path);
    close(fd);
    return e;
}

/* --- sweeping ------------------------------------------------------------------------------------------------ */

enum { SWEEP_DEPTH_MAX = 32 };

/* Empties the directory `fd` (consumed). What cannot be removed is counted, not fatal. */
static void sweep_fd(int fd, unsigned depth, unsigned *failed) {
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL) {
        if (fd >= 0) close(fd);
        (*failed)++;
        return;
    }
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (unlinkat(dirfd(d), e->d_name, 0) == 0) continue;
        if ((errno != EISDIR && errno != EPERM) || depth == 0) {
            (*failed)++;
            continue;
        }
        sweep_fd(openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), depth - 1, failed);
        if (unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) != 0) (*failed)++;
    }
    closedir(d);
}

err dir_sweep(const char *dir, const char *sub) {
    char path[4200];
    if (snprintf(path, sizeof path, "%s/%s", dir, sub) >= (int)sizeof path)
        return err_fail(E_BAD_REQUEST, "directory name is empty or too long");
    TRY(dir_make(path));
    unsigned failed = 0;
    sweep_fd(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), SWEEP_DEPTH_MAX, &failed);
    if (failed > 0) log_warn("store.sweep_incomplete", LZ("path", path), LI("entries", failed));
    return OK;
}

/* --- paths and keys ------------------------------------------------------------------------------------------- */

/* Relative, without empty, "." or ".." components. */
static bool path_is_plain(const char *p) {
    struct str rest = str_of(p), part;
    if (rest.n == 0) return false;
    while (str_split(&rest, '/', &part))
        if (part.n == 0 || str_eqz(part, ".") || str_eqz(part, "..")) return false;
    return true;
}

err store_path(struct store *s, struct arena *a, const char *sub, const char *name, const char **out) {
    if (!path_is_plain(sub) || (name[0] != 0 && !path_is_plain(name)))
        return err_fail(E_INTERNAL, "not a plain path: %s/%s", sub, name);
    struct str dir = arena_printf(a, "%s/%s", s->dir, sub);
    TRY(dir_make(dir.p));
    *out = name[0] == 0 ? dir.p : arena_printf(a, "%s/%s", dir.p, name).p;
    return OK;
}

static err write_all(int fd, const uint8_t *p, size_t n) {
    while (n > 0) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return err_errno(E_IO, errno, "cannot write a key file");
        p += k;
        n -= (size_t)k;
    }
    return fsync(fd) == 0 ? OK : err_errno(E_IO, errno, "cannot sync a key file");
}

static err key_create(const char *dir, const char *path, size_t n) {
    uint8_t secret[256];
    char tmp[4400];
    BUG_ON(n > sizeof secret);
    if (snprintf(tmp, sizeof tmp, "%s.%" PRIx64, path, rnd_u64()) >= (int)sizeof tmp)
        return err_fail(E_INTERNAL, "key name too long");
    rnd_bytes(secret, n);
    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return err_errno(E_IO, errno, "cannot make %s", tmp);
    err e = write_all(fd, secret, n);
    close(fd);
    explicit_bzero(secret, sizeof secret);
    if (e == OK && link(tmp, path) != 0 && errno != EEXIST) e = err_errno(E_IO, errno, "cannot make %s", path);
    unlink(tmp);
    return e == OK ? dir_fsync(dir) : e;
}

/* *have false when there is no such file. */
static err key_read(const char *path, uint8_t *out, size_t n, bool *have) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    *have = fd >= 0;
    if (fd < 0) return errno == ENOENT ? OK : err_errno(E_IO, errno, "cannot open %s", path);
    uint8_t extra;
    ssize_t k = read(fd, out, n);
    bool whole = k == (ssize_t)n && read(fd, &extra, 1) == 0;
    close(fd);
    if (!whole) return err_fail(E_CORRUPT, "key file %s is not %zu bytes long; restore it from a backup", path, n);
    return OK;
}

err store_key(struct store *s, const char *name, void *out, size_t n) {
    struct arena a;
    arena_init(&a, 64 * KiB);
    const char *path;
    bool have = false;
    err e = store_path(s, &a, "keys", name, &path);
    if (e == OK) e = key_read(path, out, n, &have);
    if (e == OK && !have) {
        e = key_create(arena_printf(&a, "%s/keys", s->dir).p, path, n);
        if (e == OK) e = key_read(path, out, n, &have);
        if (e == OK && !have) e = err_fail(E_IO, "key file %s vanished", path);
    }
    arena_release(&a);
    return e;
}
