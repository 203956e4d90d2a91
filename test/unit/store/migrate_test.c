/* SPDX-License-Identifier: Apache-2.0 */
/* Migrations: applied once, in order, all or nothing; strange databases are left alone. */
#include "store_fixture.h"

#include "store/store_int.h"

static struct db *fresh(char dir[64], struct store *s) {
    struct db *d;
    snprintf(dir, 64, "/tmp/migrate-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
    memset(s, 0, sizeof *s);
    assert_true(asprintf(&s->db_path, "%s/x.db", dir) > 0);
    assert_ok(db_open_file(s, true, &d));
    return d;
}

static void drop(char dir[64], struct store *s, struct db *d) {
    char cmd[100];
    db_free(d);
    free(s->db_path);
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
}

static int64_t number(struct db *d, const char *sql) {
    struct stmt *st;
    bool row;
    assert_ok(db_prep(d, sql, &st));
    assert_ok(db_step(st, &row));
    int64_t v = db_i64(st, 0);
    db_done(st);
    return v;
}

static const struct migration one = {1, "0001_a", "d1", "CREATE TABLE a (x); INSERT INTO a VALUES (1);"};
static const struct migration three = {3, "0003_c", "d3", "UPDATE a SET x = x * 10;"};
static const struct migration two = {2, "0002_b", "d2", "UPDATE a SET x = x + 1;"};
static const struct migration broken = {4, "0004_d", "d4", "UPDATE a SET x = 99; CREATE TABLE nonsense (;"};

static void test_order_once_and_late_numbers(void **state) {
    char dir[64];
    struct store s;
    struct db *d = fresh(dir, &s);
    const struct migration all[] = {one, two, three}, without_two[] = {one, three};
    assert_ok(migrate_run(d, without_two, 2));
    assert_int_equal(number(d, "SELECT x FROM a"), 10);
    assert_ok(migrate_run(d, without_two, 2));
    assert_int_equal(number(d, "SELECT x FROM a"), 10);
    assert_ok(migrate_run(d, all, 3)); /* another room's lower number comes later */
    assert_int_equal(number(d, "SELECT x FROM a"), 11);
    assert_int_equal(number(d, "PRAGMA user_version"), 3);
    drop(dir, &s, d);
}

static void test_newer_database_is_refused(void **state) {
    char dir[64];
    struct store s;
    struct db *d = fresh(dir, &s);
    const struct migration all[] = {one, two, three};
    assert_ok(migrate_run(d, all, 3));
    assert_err(migrate_run(d, all, 2), E_CONFLICT);
    assert_non_null(strstr(err_text(), "newer ballast"));
    assert_non_null(strstr(err_text(), "0003_c"));
    drop(dir, &s, d);
}

static void test_changed_migration_is_refused(void **state) {
    char dir[64];
    struct store s;
    struct db *d = fresh(dir, &s);
    struct migration other = one;
    assert_ok(migrate_run(d, &one, 1));
    other.digest = "d1x";
    assert_err(migrate_run(d, &other, 1), E_CONFLICT);
    drop(dir, &s, d);
}

static void test_failure_changes_nothing(void **state) {
    char dir[64];
    struct store s;
    struct db *d = fresh(dir, &s);
    const struct migration all[] = {one, two, broken};
    assert_ok(migrate_run(d, &one, 1));
    assert_err(migrate_run(d, all, 3), E_CORRUPT);
    assert_non_null(strstr(err_text(), "0004_d"));
    assert_int_equal(number(d, "SELECT x FROM a"), 1); /* 0002 went back with it */
    assert_int_equal(number(d, "SELECT count(*) FROM migration"), 1);
    drop(dir, &s, d);
}

static void test_foreign_database_is_left_alone(void **state) {
    char dir[64];
    struct store s;
    struct db *d = fresh(dir, &s);
    assert_ok(db_run_text(d, "CREATE TABLE theirs (x)"));
    assert_err(migrate_run(d, &one, 1), E_CONFLICT);
    assert_int_equal(number(d, "SELECT count(*) FROM sqlite_master"), 1);
    drop(dir, &s, d);
}

static void test_the_real_ones_have_digests(void **state) {
    for (size_t i = 0; i < store_migrations_len; i++) {
        assert_int_equal(strlen(store_migrations[i].digest), 16);
        if (i > 0) assert_true(store_migrations[i].number > store_migrations[i - 1].number);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_once_and_late_numbers),    cmocka_unit_test(test_newer_database_is_refused),
        cmocka_unit_test(test_changed_migration_is_refused),   cmocka_unit_test(test_failure_changes_nothing),
        cmocka_unit_test(test_foreign_database_is_left_alone), cmocka_unit_test(test_the_real_ones_have_digests),
    };
    return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}
