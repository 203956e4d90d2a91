/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packfile.c — see packfile.h. Layout (all integers big-endian):
 *
 *   pack   "PACK" u32 2, u32 count; per object: type and length (4 + 7 bits a byte), zlib data; SHA-1 of all before
 *   index  ff 74 4f 63 u32 2; 256 × u32 running counts by first byte; ids sorted; CRC-32s of the packed objects;
 *          u32 offsets, top bit set: number in the table of u64 offsets that follows; SHA-1 of the pack; SHA-1 of all
 * before
 *
 * The count stands in front of what it counts, so it is written last and the pack is read once more for its SHA-1.
 * The name is that hash: the same blobs packed again (a commit sent twice) become the same file.
 */
#include "git/packfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#define ZLIB_CONST
#include <zlib.h>

#include "base/hash.h"

enum { OUT_BLOCK = 256 * 1024, HEAD_LEN = 12, OBJ_BLOB = 3, LEVEL = 1 };

struct packed {
    git_oid oid;
    uint32_t crc;
    uint64_t offset;
};
struct packfile {
    char dir[GIT_DIR_MAX];
    char tmp[GIT_DIR_MAX + 32]; /* "" once it is in place */
    int fd;
    struct git_set seen;
    struct packed *v;
    size_t n, cap, max;
    uint64_t at; /* bytes so far, the buffer included */
    uint64_t large_from;
    uint8_t *out;
    size_t n_out;
    z_stream z;
    bool z_open;
};

static err io_fail(const char *path) {
    return err_errno(E_IO, errno, "cannot write %s; nothing was changed", path);
}

static err write_all(int fd, const char *path, const uint8_t *p, size_t n) {
    while (n > 0) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return io_fail(path);
        p += k;
        n -= (size_t)k;
    }
    return OK;
}

static err flush(struct packfile *p) {
    size_t n = p->n_out;
    p->n_out = 0;
    return write_all(p->fd, p->tmp, p->out, n);
}

err packfile_new(const char *objects, size_t max, struct packfile **out) {
    struct packfile *p = calloc(1, sizeof *p);
    *out = NULL;
    if (p == NULL) return err_fail(E_NOMEM, "out of memory");
    p->fd = -1;
    p->max = max;
    p->large_from = 0x80000000;
    git_set_init(&p->seen, max);
    snprintf(p->dir, sizeof p->dir, "%s/pack", objects);
    snprintf(p->tmp, sizeof p->tmp, "%s/tmp_ballast_XXXXXX", p->dir);
    err e = mkdir(p->dir, 0777) != 0 && errno != EEXIST ? io_fail(p->dir) : OK;
    if (e == OK && (p->fd = mkostemp(p->tmp, O_CLOEXEC)) < 0) {
        e = io_fail(p->tmp);
        p->tmp[0] = 0;
    }
    p->out = malloc(OUT_BLOCK);
    p->z_open = deflateInit(&p->z, LEVEL) == Z_OK;
    if (e == OK && (p->out == NULL || !p->z_open)) e = err_fail(E_NOMEM, "out of memory");
    if (e == OK) {
        memset(p->out, 0, HEAD_LEN); /* written by packfile_done() */
        p->n_out = p->at = HEAD_LEN;
        *out = p;
        return OK;
    }
    packfile_free(p);
    return e;
}

void packfile_large_from(struct packfile *p, uint64_t offset) {
    p->large_from = MIN(offset, (uint64_t)0x80000000);
}

void packfile_free(struct packfile *p) {
    if (p == NULL) return;
    if (p->z_open) deflateEnd(&p->z);
    if (p->fd >= 0) close(p->fd);
    if (p->tmp[0] != 0) unlink(p->tmp);
    git_set_release(&p->seen);
    free(p->out);
    free(p->v);
    free(p);
}

/* Bytes n that stand at out + n_out become part of the pack. */
static err took(struct packfile *p, struct packed *o, size_t n) {
    o->crc = (uint32_t)crc32(o->crc, p->out + p->n_out, (unsigned)n);
    p->n_out += n;
    p->at += n;
    return p->n_out == OUT_BLOCK ? flush(p) : OK;
}

static err put_head(struct packfile *p, struct packed *o, size_t size) {
    if (OUT_BLOCK - p->n_out < 16) TRY(flush(p));
    uint8_t *h = p->out + p->n_out;
    size_t n = 0, rest = size >> 4;
    h[n] = (uint8_t)(OBJ_BLOB << 4 | (size & 15));
    for (; rest > 0; rest >>= 7) {
        h[n++] |= 0x80;
        h[n] = (uint8_t)(rest & 0x7f);
    }
    return took(p, o, n + 1);
}

static err put_data(struct packfile *p, struct packed *o, const void *data, size_t size) {
    deflateReset(&p->z);
    p->z.next_in = data;
    p->z.avail_in = (unsigned)size;
    for (int rc = Z_OK; rc != Z_STREAM_END;) {
        size_t room = OUT_BLOCK - p->n_out;
        p->z.next_out = p->out + p->n_out;
        p->z.avail_out = (unsigned)room;
        rc = deflate(&p->z, Z_FINISH);
        BUG_ON(rc == Z_STREAM_ERROR);
        TRY(took(p, o, room - p->z.avail_out));
    }
    return OK;
}

err packfile_add(struct packfile *p, const git_oid *oid, const void *data, size_t n) {
    bool fresh;
    if (n > UINT32_MAX / 2) return err_fail(E_LIMIT, "a file of more than 2 GiB does not belong into git");
    TRY(git_set_add(&p->seen, oid, &fresh));
    if (!fresh) return OK;
    if (p->n == p->cap) {
        size_t cap = p->cap == 0 ? 256 : p->cap * 2;
        struct packed *v = reallocarray(p->v, cap, sizeof *v);
        if (v == NULL) return err_fail(E_NOMEM, "out of memory");
        p->v = v;
        p->cap = cap;
    }
    struct packed *o = &p->v[p->n];
    *o = (struct packed){.oid = *oid, .crc = (uint32_t)crc32(0, NULL, 0), .offset = p->at};
    TRY(put_head(p, o, n));
    TRY(put_data(p, o, data, n));
    p->n++;
    return OK;
}

/* --- the end ---------------------------------------------------------------------------------------------------- */

static void put_u32(struct buf *b, uint32_t v) {
    const uint8_t be[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    buf_add(b, be, sizeof be);
}

static err pack_seal(struct packfile *p, uint8_t sha[SHA1_LEN]) {
    uint8_t head[HEAD_LEN] = {'P', 'A', 'C', 'K', 0, 0, 0, 2};
    for (unsigned i = 0; i < 4; i++) head[8 + i] = (uint8_t)((uint32_t)p->n >> (24 - 8 * i));
    TRY(flush(p));
    if (pwrite(p->fd, head, sizeof head, 0) != (ssize_t)sizeof head) return io_fail(p->tmp);
    struct hasher *h = hasher_new("SHA1");
    ssize_t k = 0;
    for (uint64_t at = 0; (k = pread(p->fd, p->out, OUT_BLOCK, (off_t)at)) > 0; at += (uint64_t)k)
        hasher_add(h, p->out, (size_t)k);
    hasher_done(h, sha);
    if (k < 0) return err_errno(E_IO, errno, "cannot read %s; nothing was changed", p->tmp);
    TRY(write_all(p->fd, p->tmp, sha, SHA1_LEN));
    return fchmod(p->fd, 0444) == 0 && fsync(p->fd) == 0 ? OK : io_fail(p->tmp);
}

static int by_oid(const void *a, const void *b) {
    return memcmp(((const struct packed *)a)->oid.id, ((const struct packed *)b)->oid.id, SHA1_LEN);
}

static void index_text(struct packfile *p, const uint8_t sha[SHA1_LEN], struct buf *b) {
    uint32_t large = 0;
    size_t i = 0;
    qsort(p->v, p->n, sizeof *p->v, by_oid);
    buf_add(b, "\377tOc", 4);
    put_u32(b, 2);
    for (unsigned first = 0; first < 256; first++) {
        while (i < p->n && p->v[i].oid.id[0] <= first) i++;
        put_u32(b, (uint32_t)i);
    }
    for (i = 0; i < p->n; i++) buf_add(b, p->v[i].oid.id, SHA1_LEN);
    for (i = 0; i < p->n; i++) put_u32(b, p->v[i].crc);
    for (i = 0; i < p->n; i++)
        put_u32(b, p->v[i].offset < p->large_from ? (uint32_t)p->v[i].offset : 0x80000000 | large++);
    for (i = 0; i < p->n; i++) {
        if (p->v[i].offset < p->large_from) continue;
        put_u32(b, (uint32_t)(p->v[i].offset >> 32));
        put_u32(b, (uint32_t)p->v[i].offset);
    }
    buf_add(b, sha, SHA1_LEN);
    uint8_t own[SHA1_LEN];
    struct hasher *h = hasher_new("SHA1");
    hasher_add(h, b->p, b->n);
    hasher_done(h, own);
    buf_add(b, own, SHA1_LEN);
}

static err index_write(struct packfile *p, const uint8_t sha[SHA1_LEN], const char *path) {
    char tmp[GIT_DIR_MAX + 32];
    struct buf b cleanup(buf_release);
    buf_init(&b, 4096 + p->n * 40);
    index_text(p, sha, &b);
    TRY(buf_ok(&b, "the index of a pack"));
    snprintf(tmp, sizeof tmp, "%s/tmp_ballast_XXXXXX", p->dir);
    int fd = mkostemp(tmp, O_CLOEXEC);
    if (fd < 0) return io_fail(tmp);
    err e = write_all(fd, tmp, (const uint8_t *)b.p, b.n);
    if (e == OK && (fchmod(fd, 0444) != 0 || fsync(fd) != 0 || rename(tmp, path) != 0)) e = io_fail(path);
    close(fd);
    if (e != OK) unlink(tmp);
    return e;
}

err packfile_done(struct packfile *p) {
    uint8_t sha[SHA1_LEN];
    char hex[2 * SHA1_LEN + 1], path[GIT_DIR_MAX + 64];
    if (p->n == 0) return OK;
    TRY(pack_seal(p, sha));
    hex_encode(sha, SHA1_LEN, hex);
    snprintf(path, sizeof path, "%s/pack-%s.pack", p->dir, hex);
    if (rename(p->tmp, path) != 0) return io_fail(path); /* the pack first: readers find packs by their index */
    p->tmp[0] = 0;
    snprintf(path, sizeof path, "%s/pack-%s.idx", p->dir, hex);
    TRY(index_write(p, sha, path));
    return git_dir_sync(p->dir);
}
