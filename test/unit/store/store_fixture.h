/* SPDX-License-Identifier: Apache-2.0 */
/* store_fixture.h — a store in a fresh directory per test, on plain threads. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include "unit.h"

#include <sqlite3.h>
#include <unistd.h>

#include "store/store.h"

struct fixture {
    char dir[64];
    struct store *store;
};

static inline int fixture_setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "/tmp/store-test-XXXXXX");
    if (mkdtemp(f->dir) == NULL) return -1;
    struct store_opts o = {f->dir, true};
    assert_ok(store_open(&o, &f->store));
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state) {
    struct fixture *f = *state;
    store_close(f->store);
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf %s", f->dir);
    int rc = system(cmd);
    free(f);
    return rc;
}

static inline void fixture_reopen(struct fixture *f) {
    store_close(f->store);
    f->store = NULL;
    struct store_opts o = {f->dir, true};
    assert_ok(store_open(&o, &f->store));
}

/* A connection of its own, as another program would have. */
static inline void fixture_shell_sql(struct fixture *f, const char *sql) {
    char path[128];
    sqlite3 *h;
    snprintf(path, sizeof path, "%s/ballast.db", f->dir);
    assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
    sqlite3_busy_timeout(h, 5000);
    char *msg = NULL;
    if (sqlite3_exec(h, sql, NULL, NULL, &msg) != SQLITE_OK) fail_msg("%s: %s", sql, msg);
    sqlite3_close(h);
}

#define FIXTURE(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
#endif
