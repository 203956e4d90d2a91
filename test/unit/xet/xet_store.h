/* SPDX-License-Identifier: Apache-2.0 */
/* xet_store.h — a byte store in a temp directory. */
#ifndef BALLAST_TEST_XET_STORE_H
#define BALLAST_TEST_XET_STORE_H

#include "xet_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdatomic.h>

#include "base/hash.h"
#include "xet/xet_int.h"

struct test_store {
    struct store *s;
    struct xet *x;
    char dir[64];
};
#define assert_ok(expr)                                                                                                \
    do {                                                                                                               \
        err ok_e_ = (expr);                                                                                            \
        if (ok_e_ != OK) fail_msg("%s: %s: %s", #expr, ok_e_->name, err_text());                                       \
    } while (0)

static inline struct test_store *test_store_open(void) {
    struct test_store *t = test_alloc(sizeof *t);
    snprintf(t->dir, sizeof t->dir, "/tmp/xet-test-XXXXXX");
    BUG_ON(mkdtemp(t->dir) == NULL);
    const struct store_opts so = {.dir = t->dir, .server = true};
    assert_ok(store_open(&so, &t->s));
    const struct xet_opts xo = {.store = t->s};
    assert_ok(xet_open(&xo, &t->x));
    return t;
}
static inline int test_rm_(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    return remove(path);
}
static inline void test_store_close(struct test_store *t) {
    xet_close(t->x);
    store_close(t->s);
    nftw(t->dir, test_rm_, 16, FTW_DEPTH | FTW_PHYS);
    free(t);
}
static inline err test_sql_(struct db *d, void *arg) {
    return db_exec(d, (const char *)arg, "");
}
static inline void test_sql(struct test_store *t, const char *sql_literal) {
    union {
        const char *in;
        void *out;
    } u = {.in = sql_literal};
    assert_ok(db_write(t->s, test_sql_, u.out));
}
static inline unsigned test_count_dir_(const char *path, unsigned depth) {
    unsigned n = 0;
    DIR *d = opendir(path);
    BUG_ON(d == NULL);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.') continue;
        char sub[1024];
        BUG_ON(snprintf(sub, sizeof sub, "%s/%s", path, e->d_name) >= (int)sizeof sub);
        if (e->d_type == DT_DIR) n += depth > 0 ? test_count_dir_(sub, depth - 1) : 0;
        else n++;
    }
    closedir(d);
    return n;
}
static inline unsigned test_count_files(struct test_store *t, const char *sub) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", t->dir, sub);
    return test_count_dir_(path, 3);
}
#endif
