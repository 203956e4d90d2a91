/* SPDX-License-Identifier: Apache-2.0 */
/* xorb_file.c — see xorb_file.h. */
#include "xet/xorb_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = {'B', 'L', 'S', 'T', 'X', 'O', 'R', 'B'};

void xfile_release(struct xfile *f) {
    free(f->terms);
    f->terms = NULL;
    f->n_terms = 0;
}

void xorb_path(const struct xet *x, const struct xet_hash *h, char out[XORB_PATH_MAX]) {
    char hex[XET_HEX_LEN + 1];
    xet_hash_str(h, hex);
    int n = snprintf(out, XORB_PATH_MAX, "%s/%c%c/%s", x->dir_xorb, hex[0], hex[1], hex);
    BUG_ON(n < 0 || n >= XORB_PATH_MAX); /* dir_xorb's length is checked at open */
}

bool xorb_exists(const struct xet *x, const struct xet_hash *h) {
    char path[XORB_PATH_MAX];
    xorb_path(x, h, path);
    return access(path, F_OK) == 0;
}

static err corrupt(const struct xet_hash *h, const char *what) {
    char hex[XET_HEX_LEN + 1];
    xet_hash_str(h, hex);
    return err_fail(E_CORRUPT, "stored xorb %s is damaged: %s; run ballast fsck and restore it from a backup", hex,
                    what);
}

static err read_at(int fd, void *p, size_t n, uint64_t off, const struct xet_hash *h) {
    char *at = p;
    while (n > 0) {
        ssize_t k = pread(fd, at, n, (off_t)off);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return err_errno(E_IO, errno, "cannot read a xorb file");
        if (k == 0) return corrupt(h, "the file is shorter than its records say");
        at += k;
        n -= (size_t)k;
        off += (uint64_t)k;
    }
    return OK;
}

err xorb_pread(const struct xorb *xo, void *p, size_t n, uint64_t off) {
    if (n > xo->region_len || off > xo->region_len - n) return corrupt(&xo->hash, "a term points outside of it");
    return read_at(xo->fd, p, n, off, &xo->hash);
}

static err tail_read(int fd, const struct xet_hash *h, struct xorb_tail *t) {
    struct stat st;
    if (fstat(fd, &st) != 0) return err_errno(E_IO, errno, "cannot stat a xorb file");
    if (st.st_size < (off_t)sizeof *t) return corrupt(h, "the file is too short");
    TRY(read_at(fd, t, sizeof *t, (uint64_t)st.st_size - sizeof *t, h));
    if (memcmp(t->magic, magic, sizeof magic) != 0 || t->version != 1) return corrupt(h, "its tail has no known form");
    if (!xhash_eq(&t->hash, h)) return corrupt(h, "its tail names another xorb");
    if (t->n == 0 || t->n > XORB_CHUNKS_MAX || t->raw_len > XORB_RAW_MAX || t->region_len > XORB_BODY_MAX ||
        t->region_len + (uint64_t)t->n * sizeof(struct xorb_entry) + sizeof *t != (uint64_t)st.st_size)
        return corrupt(h, "its lengths contradict each other");
    return OK;
}

static err file_open(struct xet *x, const struct xet_hash *h, int *fd) {
    char path[XORB_PATH_MAX];
    xorb_path(x, h, path);
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd >= 0) return OK;
    if (errno != ENOENT) return err_errno(E_IO, errno, "cannot open %s", path);
    char hex[XET_HEX_LEN + 1];
    xet_hash_str(h, hex);
    return err_fail(E_NOT_FOUND, "xorb %s is not stored here", hex);
}

err xorb_open_fd(struct xet *x, const struct xet_hash *h, int *fd, uint64_t *region_len) {
    struct xorb_tail t;
    TRY(file_open(x, h, fd));
    err e = tail_read(*fd, h, &t);
    if (e != OK) {
        close(*fd);
        *fd = -1;
        return e;
    }
    *region_len = t.region_len;
    return OK;
}

/* Ends must grow, and end where the tail says. */
static bool index_sane(const struct xorb *xo) {
    for (uint32_t i = 0; i < xo->n; i++) {
        uint32_t ps = xorb_phys_start(xo, i), rs = xorb_raw_start(xo, i);
        if (xo->e[i].phys_end <= ps + CHUNK_HEAD || xo->e[i].phys_end - ps > CHUNK_HEAD + CHUNK_STORED_MAX)
            return false;
        if (xo->e[i].raw_end <= rs || xo->e[i].raw_end - rs > CHUNK_RAW_MAX) return false;
    }
    return xo->e[xo->n - 1].phys_end == xo->region_len && xo->e[xo->n - 1].raw_end == xo->raw_len;
}

static err index_read(struct xorb *xo) {
    struct xorb_tail t;
    TRY(tail_read(xo->fd, &xo->hash, &t));
    xo->n = t.n;
    xo->region_len = t.region_len;
    xo->raw_len = t.raw_len;
    xo->e = malloc(t.n * sizeof *xo->e);
    if (xo->e == NULL) return err_fail(E_NOMEM, "not enough memory to read a xorb's index");
    TRY(read_at(xo->fd, xo->e, t.n * sizeof *xo->e, t.region_len, &xo->hash));
    return index_sane(xo) ? OK : corrupt(&xo->hash, "its index is not ascending");
}

err xorb_open(struct xet *x, const struct xet_hash *h, struct xorb *out) {
    *out = (struct xorb){.hash = *h, .fd = -1};
    TRY(file_open(x, h, &out->fd));
    err e = index_read(out);
    if (e != OK) xorb_close(out);
    return e;
}

void xorb_close(struct xorb *xo) {
    if (xo->fd >= 0) close(xo->fd);
    free(xo->e);
    xo->fd = -1;
    xo->e = NULL;
    xo->n = 0;
}

err xorb_chunk_decode(const struct xorb *xo, uint32_t i, const uint8_t *stored, bool verify, struct chunk_scratch *s,
                      const uint8_t **raw, uint32_t *n_raw) {
    struct chunk_head h;
    const char *why;
    uint32_t want_raw = xo->e[i].raw_end - xorb_raw_start(xo, i),
             want_stored = xo->e[i].phys_end - xorb_phys_start(xo, i);
    if (!chunk_head_parse(stored, &h, &why)) return corrupt(&xo->hash, why);
    if (h.n_raw != want_raw || h.n_stored + CHUNK_HEAD != want_stored)
        return corrupt(&xo->hash, "a chunk differs from the index");
    if (!chunk_decode(&h, stored + CHUNK_HEAD, s, raw, &why)) return corrupt(&xo->hash, why);
    *n_raw = h.n_raw;
    if (!verify) return OK;
    struct xet_hash got;
    xhash_chunk(*raw, h.n_raw, &got);
    return xhash_eq(&got, &xo->e[i].hash) ? OK : corrupt(&xo->hash, "a chunk's content differs from its hash");
}

/* --- cache -------------------------------------------------------------------------------------------- */

void xorb_cache_init(struct xorb_cache *c, struct xet *x) {
    memset(c, 0, sizeof *c);
    c->x = x;
    for (unsigned i = 0; i < XORB_CACHE; i++) c->slot[i].xo.fd = -1;
}

void xorb_cache_release(struct xorb_cache *c) {
    for (unsigned i = 0; i < XORB_CACHE; i++) {
        if (c->slot[i].used != 0) xorb_close(&c->slot[i].xo);
        c->slot[i].used = 0;
    }
}

err xorb_cache_get(struct xorb_cache *c, const struct xet_hash *h, const struct xorb **out) {
    struct xorb_slot *oldest = &c->slot[0];
    for (unsigned i = 0; i < XORB_CACHE; i++) {
        struct xorb_slot *s = &c->slot[i];
        if (s->used != 0 && xhash_eq(&s->xo.hash, h)) {
            s->used = ++c->tick;
            *out = &s->xo;
            return OK;
        }
        if (s->used < oldest->used) oldest = s;
    }
    if (oldest->used != 0) xorb_close(&oldest->xo);
    oldest->used = 0;
    TRY(xorb_open(c->x, h, &oldest->xo));
    oldest->used = ++c->tick;
    *out = &oldest->xo;
    return OK;
}

/* --- writing ------------------------------------------------------------------------------------------- */

void xorb_tmp_path(const struct xet *x, uint64_t id, char out[XORB_PATH_MAX]) {
    int n = snprintf(out, XORB_PATH_MAX, "%s/xorb-%016" PRIx64, x->dir_tmp, id);
    BUG_ON(n < 0 || n >= XORB_PATH_MAX);
}

err xorb_out_open(struct xet *x, struct xorb_out *o) {
    char path[XORB_PATH_MAX];
    o->x = x;
    o->id = rnd_u64();
    xorb_tmp_path(x, o->id, path);
    o->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return o->fd >= 0 ? OK : err_errno(E_IO, errno, "cannot create %s; nothing was stored", path);
}

err xorb_out_write(struct xorb_out *o, const void *p, size_t n) {
    const char *at = p;
    while (n > 0) {
        ssize_t k = write(o->fd, at, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return err_errno(E_IO, k < 0 ? errno : ENOSPC, "cannot write a xorb; nothing of it was kept");
        at += k;
        n -= (size_t)k;
    }
    return OK;
}

err xorb_out_seal(struct xorb_out *o, const struct xet_hash *h, const struct xorb_entry *e, uint32_t n,
                  uint64_t region_len, uint64_t raw_len) {
    struct xorb_tail t = {.version = 1, .n = n, .region_len = region_len, .raw_len = raw_len, .hash = *h};
    memcpy(t.magic, magic, sizeof magic);
    if (ftruncate(o->fd, (off_t)region_len) != 0 || lseek(o->fd, (off_t)region_len, SEEK_SET) < 0)
        return err_errno(E_IO, errno, "cannot write a xorb; nothing of it was kept");
    TRY(xorb_out_write(o, e, n * sizeof *e));
    TRY(xorb_out_write(o, &t, sizeof t));
    if (fsync(o->fd) != 0) return err_errno(E_IO, errno, "cannot sync a xorb; nothing of it was kept");
    int fd = o->fd;
    o->fd = -1;
    return close(fd) == 0 ? OK : err_errno(E_IO, errno, "cannot close a xorb; nothing of it was kept");
}

static err dir_sync_of(const char *path) {
    char dir[XORB_PATH_MAX];
    snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    BUG_ON(slash == NULL);
    *slash = 0;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return err_errno(E_IO, errno, "cannot open %s", dir);
    int rc = fsync(fd), saved = errno;
    close(fd);
    return rc == 0 ? OK : err_errno(E_IO, saved, "cannot sync %s", dir);
}

err xorb_publish(struct xet *x, uint64_t id, const struct xet_hash *h) {
    char from[XORB_PATH_MAX], to[XORB_PATH_MAX];
    xorb_tmp_path(x, id, from);
    xorb_path(x, h, to);
    if (rename(from, to) != 0) return err_errno(E_IO, errno, "cannot move a xorb to %s; nothing of it was kept", to);
    return dir_sync_of(to);
}

void xorb_tmp_remove(struct xet *x, uint64_t id) {
    char path[XORB_PATH_MAX];
    xorb_tmp_path(x, id, path);
    unlink(path); /* what stays is swept at the next start */
}

void xorb_out_abort(struct xorb_out *o) {
    if (o->fd >= 0) close(o->fd);
    o->fd = -1;
    xorb_tmp_remove(o->x, o->id);
}
