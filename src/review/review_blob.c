/* SPDX-License-Identifier: Apache-2.0 */
/*
 * review_blob.c — one blob: its bytes into an anonymous file, a child to examine it, facts and verdict
 * into the records. Small blobs go to memory, large ones to a nameless file in DATA/tmp.
 *
 * Invariant: the record of a large file is written only when the bytes hash to its name.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "review_db.h"
#include "rules.h"

enum { IN_MEMORY_MAX = 4 * 1024 * 1024 };

static err anonymous(struct review *v, struct arena *a, uint64_t bytes, int *fd) {
    if (bytes <= IN_MEMORY_MAX) {
        *fd = memfd_create("ballast-review", MFD_CLOEXEC);
    } else {
        const char *path;
        TRY(store_path(v->store, a, "tmp", "", &path));
        *fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    }
    return *fd >= 0 ? OK : err_errno(E_IO, errno, "no temporary file for the examination");
}

static err write_all(int fd, const char *p, size_t n) {
    while (n) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return err_errno(E_IO, errno, "writing the temporary file of the examination");
        p += k;
        n -= (size_t)k;
    }
    return OK;
}

static err fill(struct review *v, int64_t repo_id, const struct git_entry *e, int fd) {
    if (e->is_lfs) {
        struct xet_file x;
        TRY(xet_file_find_any(hub_xet(v->hub), e->lfs_sha256, &x));
        return xet_file_export(hub_xet(v->hub), &x, fd);
    }
    struct hub_file *f;
    TRY(hub_file_open(v->hub, repo_id, e, 0, UINT64_MAX, &f));
    char *p = malloc(256 * KiB);
    err er = p ? OK : err_fail(E_NOMEM, "no memory to export a file");
    for (size_t n = 1; er == OK && n > 0;) {
        er = hub_file_read(f, p, 256 * KiB, &n);
        if (er == OK) er = write_all(fd, p, n);
    }
    free(p);
    hub_file_close(f);
    return er;
}

static err record(struct review *v, struct arena *a, struct str oid, const struct review_file_result *r,
                  const struct facts *f, bool examined) {
    struct buf findings cleanup(buf_release), facts cleanup(buf_release);
    buf_init(&findings, 256 * KiB);
    buf_init(&facts, 512 * KiB);
    rules_findings_json(a, LANG_EN, r, &findings);
    if (examined) facts_json(f, &facts);
    TRY(buf_ok(&findings, "findings"));
    TRY(buf_ok(&facts, "facts"));
    struct blob_record b = {.oid = oid,
                            .format = r->format,
                            .findings = buf_view(&findings),
                            .facts = buf_view(&facts),
                            .bytes = r->bytes,
                            .verdict = r->verdict,
                            .coverage = r->coverage};
    memcpy(b.sha256, r->sha256, sizeof b.sha256);
    return review_db_blob_put(v->store, &b);
}

static err examine(struct review *v, struct arena *a, int64_t repo_id, const struct git_entry *e, bool *absent) {
    struct review_file_result r;
    struct facts *f = arena_new(a, struct facts);
    bool examined = false;
    struct str oid = hub_entry_oid(e), key = hub_entry_key(a, e);
    int fd = -1;
    TRY(anonymous(v, a, e->is_lfs ? e->lfs_size : e->size, &fd));
    err er = fill(v, repo_id, e, fd);
    if (er == OK) er = review_examine(a, fd, e->path, &r, f, &examined);
    close(fd);
    if (er != OK) {
        *absent = er == E_NOT_FOUND || er == E_ENTRY_NOT_FOUND || er == E_TOO_LARGE;
        return *absent ? OK : er;
    }
    char hex[65];
    hex_encode(r.sha256, sizeof r.sha256, hex);
    if (e->is_lfs && !str_eqz(oid, hex))
        return err_fail(E_CORRUPT,
                        "the stored bytes of " STR_FMT " hash to %s; the file stays unexamined: run ballast fsck",
                        STR_ARG(oid), hex);
    if (v->slow_ms > 0) TRY(fiber_sleep(v->slow_ms));
    TRY(record(v, a, key, &r, f, examined));
    log_info("review.file", LS("oid", key), LS("format", r.format), LZ("verdict", verdict_name(r.verdict)),
             LZ("coverage", coverage_name(r.coverage)));
    return OK;
}

err review_blob(struct review *v, int64_t repo_id, const struct git_entry *e, bool *absent) {
    struct arena a;
    bool known;
    *absent = false;
    arena_init(&a, 48 * MiB);
    struct str key = hub_entry_key(&a, e);
    err er = review_db_known(db_reader(v->store), key, &known);
    if (er == OK && !known) er = examine(v, &a, repo_id, e, absent);
    if (er == OK && key.n != hub_entry_oid(e).n) er = review_db_key_note(v->store, repo_id, key);
    arena_release(&a);
    return er;
}
