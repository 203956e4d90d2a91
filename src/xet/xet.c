/* SPDX-License-Identifier: Apache-2.0 */
/* xet.c — opening the byte store, and the small questions of its header. */
#include "xet/xet_int.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "xet/xet_db.h"
#include "xet/xorb_file.h"

/* All 256 directories exist from the start: publishing a xorb then needs one directory sync, not three. */
static err dirs_make(struct xet *x) {
    for (unsigned i = 0; i < 256; i++) {
        char path[XORB_PATH_MAX];
        int n = snprintf(path, sizeof path, "%s/%02x", x->dir_xorb, i);
        if (n < 0 || n + XET_HEX_LEN + 2 >= (int)sizeof path)
            return err_fail(E_LIMIT, "the data directory's path is too long");
        if (mkdir(path, 0700) != 0 && errno != EEXIST) return err_errno(E_IO, errno, "cannot create %s", path);
    }
    int fd = open(x->dir_xorb, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return err_errno(E_IO, errno, "cannot open %s", x->dir_xorb);
    int rc = fsync(fd), saved = errno;
    close(fd);
    return rc == 0 ? OK : err_errno(E_IO, saved, "cannot sync %s", x->dir_xorb);
}

static err setup(struct xet *x) {
    struct arena a;
    arena_init(&a, 64 * KiB);
    const char *any;
    uint8_t inst[XET_INST_LEN / 2];
    err e = store_path(x->store, &a, "xorb", "x", &any);
    if (e == OK) e = store_path(x->store, &a, "tmp", "x", &any);
    if (e == OK && (asprintf(&x->dir_xorb, "%s/xorb", store_dir(x->store)) < 0 ||
                    asprintf(&x->dir_tmp, "%s/tmp", store_dir(x->store)) < 0))
        e = err_fail(E_NOMEM, "out of memory");
    if (e == OK) e = dirs_make(x);
    if (e == OK) e = store_key(x->store, "xet-instance", inst, sizeof inst);
    if (e == OK) e = store_key(x->store, "xet-token", x->key_token, sizeof x->key_token);
    if (e == OK) e = store_key(x->store, "xet-url", x->key_url, sizeof x->key_url);
    if (e == OK) e = store_key(x->store, "xet-dedup", x->key_dedup, sizeof x->key_dedup);
    if (e == OK) hex_encode(inst, sizeof inst, x->inst);
    arena_release(&a);
    return e;
}

static int64_t mem_budget_mib(void) {
    int64_t all = (int64_t)sysconf(_SC_PHYS_PAGES) / 256 * ((int64_t)sysconf(_SC_PAGESIZE) / 4096);
    return MAX((int64_t)XET_MEM_LEAST_MIB, MIN(all / 8, (int64_t)XET_MEM_MOST_MIB));
}

err xet_open(const struct xet_opts *o, struct xet **out) {
    struct xet *x = calloc(1, sizeof *x);
    if (x == NULL) return err_fail(E_NOMEM, "out of memory");
    x->store = o->store;
    x->gate_hold_ms = XET_GATE_HOLD_MS;
    x->mem_max_mib = mem_budget_mib();
    err e = setup(x);
    if (e != OK) {
        xet_close(x);
        return e;
    }
    *out = x;
    return OK;
}

void xet_close(struct xet *x) {
    if (x == NULL) return;
    free(x->dir_xorb);
    free(x->dir_tmp);
    free(x);
}

struct str xet_cas_url(struct xet *x, struct arena *a, struct str base_url) {
    return arena_printf(a, STR_FMT "/cas/%s", STR_ARG(base_url), x->inst);
}

static err sha_parse(struct str hex, uint8_t out[32]) {
    if (hex_decode(hex, out, 32)) return OK;
    return err_fail(E_BAD_REQUEST, "a SHA-256 must be 64 hexadecimal digits");
}

err xet_file_find(struct xet *x, int64_t repo_id, struct str sha256_hex, struct xet_file *out) {
    TRY(sha_parse(sha256_hex, out->sha256));
    return xet_db_file_in_repo(db_reader(x->store), repo_id, out);
}

err xet_file_find_any(struct xet *x, struct str sha256_hex, struct xet_file *out) {
    TRY(sha_parse(sha256_hex, out->sha256));
    return xet_db_file_any(db_reader(x->store), out);
}

struct bind_arg {
    int64_t from, to;
    struct xet_file f;
};
static err bind_tx(struct db *d, void *arg) {
    struct bind_arg *b = arg;
    TRY(xet_db_file_in_repo(d, b->from, &b->f));
    return xet_db_bind(d, b->to, b->f.sha256, b->f.size, &b->f.hash);
}
err xet_file_bind(struct xet *x, int64_t from_repo, int64_t to_repo, struct str sha256_hex) {
    struct bind_arg b = {.from = from_repo, .to = to_repo};
    TRY(sha_parse(sha256_hex, b.f.sha256));
    return db_write(x->store, bind_tx, &b);
}

err xet_stats_get(struct xet *x, struct xet_stats *out) {
    return xet_db_stats(db_reader(x->store), out);
}
