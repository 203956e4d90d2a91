/* SPDX-License-Identifier: Apache-2.0 */
/* Records that follow git: API commits, reports in any order and twice, repair after a crash, withheld blobs. */
#include "../git/git_test.h"

#include "base/clock.h"
#include "hub/git_db.h"
#include "hub/refs.h"

struct fix {
    struct git_fix *g;
    struct hub h;
};

static err repo_tx(struct db *d, void *arg) {
    (void)arg;
    TRY(db_exec(
        d, "INSERT OR IGNORE INTO owner (id, is_org, name, name_key, created_ms) VALUES (1, 0, 'amy', 'amy', 0)", ""));
    return db_exec(d,
                   "INSERT INTO repo (id, type, owner_id, name, name_key, created_ms, updated_ms) VALUES (1, 1, 1, "
                   "'m', 'm', 0, 0)",
                   "");
}
static int up(void **state) {
    git_fix_up(state);
    struct fix *f = calloc(1, sizeof *f);
    f->g = *state;
    f->h.store = f->g->store;
    f->h.git = f->g->git;
    struct id_opts io = {.store = f->g->store};
    assert_ok(id_open(&io, &f->h.id));
    assert_ok(db_write(f->h.store, repo_tx, NULL));
    *state = f;
    return 0;
}
static int down(void **state) {
    struct fix *f = *state;
    void *g = f->g;
    id_close(f->h.id);
    free(f);
    return git_fix_down(&g);
}

static err record(struct fix *f, const char *ref, const char *old, const char *new_oid) {
    struct hub_ref_change c = {str_of(ref), str_of(old), str_of(new_oid)};
    return hub_refs_record_locked(&f->h, 1, 7, "api", STR(""), &c, 1);
}
static size_t events(struct fix *f, const char *kind) {
    struct event *v;
    size_t n;
    assert_ok(event_list(db_reader(f->h.store), &f->g->a, 0, 1000, kind, 1, false, &v, &n));
    return n;
}
static int64_t count(struct fix *f, const char *sql) {
    struct stmt *st;
    bool row;
    assert_ok(db_prep(db_reader(f->h.store), sql, &st));
    assert_ok(db_step(st, &row));
    int64_t n = row ? db_i64(st, 0) : -1;
    db_done(st);
    return n;
}

static void test_record_once(void **state) {
    struct fix *f = *state;
    char first[41];
    memcpy(first, f->g->head, 41);
    assert_ok(record(f, "refs/heads/main", "", first));
    assert_ok(record(f, "refs/heads/main", "", first));
    assert_int_equal(events(f, "revision.pushed"), 1);
    assert_int_equal(events(f, "ref.created"), 1);
    assert_int_equal(count(f, "SELECT count(*) FROM revision WHERE verdict = 0 AND pushed_by = 7"), 1);
    assert_int_equal(count(f, "SELECT count(*) FROM repo_blob"), 1);
    assert_ok(COMMIT(f->g, "two", op_add("a", "1"), op_lfs("m.bin")));
    assert_ok(record(f, "refs/heads/main", first, f->g->head));
    assert_int_equal(events(f, "revision.pushed"), 2);
    assert_int_equal(count(f, "SELECT count(*) FROM repo_blob"), 3);
    assert_int_equal(count(f, "SELECT count(*) FROM repo_blob WHERE oid = '" SHA_A "'"),
                     1); /* large files by their own id */
    struct event *v;
    size_t n;
    assert_ok(event_list(db_reader(f->h.store), &f->g->a, 0, 10, "revision.pushed", 1, true, &v, &n));
    assert_true(str_find(v[0].payload, STR("\"files\":2,\"via\":\"api\",\"message\":\"two\"")) > 0);
}

/* Two commits reported in the wrong order: the row ends where git stands, both revisions are there. */
static void test_reports_out_of_order(void **state) {
    struct fix *f = *state;
    char c0[41], c1[41], c2[41];
    memcpy(c0, f->g->head, 41);
    assert_ok(record(f, "refs/heads/main", "", c0));
    assert_ok(COMMIT(f->g, "one", op_add("a", "1")));
    memcpy(c1, f->g->head, 41);
    assert_ok(COMMIT(f->g, "two", op_add("b", "1")));
    memcpy(c2, f->g->head, 41);
    assert_ok(record(f, "refs/heads/main", c1, c2));
    assert_ok(record(f, "refs/heads/main", c0, c1));
    assert_int_equal(events(f, "revision.pushed"), 3);
    struct git_ref *v;
    size_t n;
    assert_ok(refs_db_list(db_reader(f->h.store), &f->g->a, 1, &v, &n));
    assert_int_equal(n, 1);
    assert_string_equal(v[0].target, c2);
}

static void test_branches_and_tags(void **state) {
    struct fix *f = *state;
    assert_ok(record(f, "refs/heads/main", "", f->g->head));
    assert_ok(git_ref_create(f->g->git, 1, STR("refs/tags/v1"), STR("main"), STR("m"), &f->g->who));
    assert_ok(record(f, "refs/tags/v1", "", f->g->head));
    assert_int_equal(events(f, "ref.created"), 2);
    assert_int_equal(events(f, "revision.pushed"), 1); /* a tag on a known commit brings nothing new */
    assert_ok(git_ref_delete(f->g->git, 1, STR("refs/tags/v1")));
    assert_ok(record(f, "refs/tags/v1", f->g->head, ""));
    assert_ok(record(f, "refs/tags/v1", f->g->head, ""));
    assert_int_equal(events(f, "ref.deleted"), 1);
    assert_int_equal(count(f, "SELECT count(*) FROM repo_ref"), 1);
}

/* The server died after git moved and before the rows were written. */
static void test_repair(void **state) {
    struct fix *f = *state;
    size_t n_bad;
    assert_ok(record(f, "refs/heads/main", "", f->g->head));
    assert_ok(COMMIT(f->g, "unrecorded", op_add("README.md", "# hi\n")));
    assert_ok(git_ref_create(f->g->git, 1, STR("refs/heads/dev"), STR("main"), STR(""), &f->g->who));
    assert_ok(hub_refs_repair(&f->h, &n_bad));
    assert_int_equal(n_bad, 0);
    assert_int_equal(count(f, "SELECT count(*) FROM repo_ref"), 2);
    assert_int_equal(count(f, "SELECT count(*) FROM revision"), 2);
    assert_int_equal(events(f, "revision.pushed"), 3); /* dev brought the commit, main moved to it */
    assert_ok(hub_refs_repair(&f->h, &n_bad));
    assert_int_equal(events(f, "revision.pushed"), 3);
    assert_ok(git_repo_delete(f->g->git, 1)); /* a lost folder is reported and does not stop the rest */
    assert_ok(hub_refs_repair(&f->h, &n_bad));
    assert_int_equal(n_bad, 1);
}

static err verdict_tx(struct db *d, void *arg) {
    TRY(db_exec(d, "INSERT INTO blob_verdict VALUES (?1, 4, 2, 'pickle', '[]', 'x', 0)", "s", str_of(arg)));
    return OK;
}
static err override_tx(struct db *d, void *arg) {
    return db_exec(d, "INSERT INTO verdict_override VALUES (1, ?1, 1, 'fine', 1, 0, '', '')", "s", str_of(arg));
}
static void test_withheld(void **state) {
    struct fix *f = *state;
    struct git_entry e;
    struct git_withheld w;
    assert_ok(COMMIT(f->g, "one", op_add("bad.pkl", "x"), op_lfs("l.bin")));
    assert_ok(record(f, "refs/heads/main", "", f->g->head));
    assert_ok(git_entry_get(f->g->git, &f->g->a, 1, str_of(f->g->head), STR("bad.pkl"), &e));
    assert_ok(git_db_withheld(db_reader(f->h.store), &f->g->a, 1, &w));
    assert_int_equal(w.n_pending, 2); /* .gitattributes and bad.pkl; the large file has its own gate */
    assert_int_equal(w.n_blocked, 0);
    assert_ok(db_write(f->h.store, verdict_tx, e.oid));
    assert_ok(git_db_withheld(db_reader(f->h.store), &f->g->a, 1, &w));
    assert_int_equal(w.n_blocked, 1);
    assert_true(str_eqz(w.blocked[0], e.oid));
    assert_ok(db_write(f->h.store, override_tx, e.oid));
    assert_ok(git_db_withheld(db_reader(f->h.store), &f->g->a, 1, &w));
    assert_int_equal(w.n_blocked, 0);
}

#define RT(fn) cmocka_unit_test_setup_teardown(fn, up, down)
int main(void) {
    const struct CMUnitTest tests[] = {RT(test_record_once), RT(test_reports_out_of_order), RT(test_branches_and_tags),
                                       RT(test_repair), RT(test_withheld)};
    return cmocka_run_group_tests_name("hub_refs", tests, NULL, NULL);
}
