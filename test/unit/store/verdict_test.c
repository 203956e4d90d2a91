/* SPDX-License-Identifier: Apache-2.0 */
/* Reading verdicts, and the gate: what passes, what waits, what is refused and with which words. */
#include "store_fixture.h"

#include <pthread.h>

#include "base/clock.h"
#include "store/verdict.h"

#define OID "da39a3ee5e6b4b0d3255bfef95601890afd80709"
static const char findings[] =
    "[{\"rule\":\"text.long\",\"severity\":\"notice\",\"message\":\"a long line\",\"where\":\"line 3\"},"
    "{\"rule\":\"pickle.call\",\"severity\":\"block\",\"message\":\"calls os.system.\",\"where\":\"data.pkl @ 0x1f\"}]";

static int setup(void **state) {
    if (fixture_setup(state) != 0) return -1;
    fixture_shell_sql(*state,
                      "INSERT INTO owner (id, is_org, name, name_key, created_ms) VALUES (1, 0, 'amy', 'amy', 1);"
                      "INSERT INTO repo (id, type, owner_id, name, name_key, created_ms, updated_ms) VALUES (5, 2, 1, "
                      "'m', 'm', 1, 1)");
    return 0;
}

static void put(struct fixture *f, enum verdict v) {
    char *sql = sqlite3_mprintf("INSERT OR REPLACE INTO blob_verdict VALUES (%Q, %d, 2, 'pickle', %Q, 'rp', 9)", OID,
                                (int)v, findings);
    fixture_shell_sql(f, sql);
    sqlite3_free(sql);
}

static err gate(struct fixture *f, int64_t hold_ms, struct str *warn) {
    static struct arena a; /* warn lives on */
    if (a.max == 0) arena_init(&a, 16 * MiB);
    return verdict_gate(f->store, &a, 5, STR(OID), hold_ms, warn);
}

static void test_gate_by_verdict(void **state) {
    struct fixture *f = *state;
    struct str warn;
    put(f, VERDICT_PASS);
    assert_ok(gate(f, 0, &warn));
    assert_null(warn.p);
    put(f, VERDICT_NOTICE);
    assert_ok(gate(f, 0, &warn));
    assert_null(warn.p);
    put(f, VERDICT_REVIEW);
    assert_ok(gate(f, 0, &warn));
    assert_str(warn, "Review asks for care with this file: pickle.call: calls os.system (data.pkl @ 0x1f); see "
                     "/datasets/amy/m/review/main");
    put(f, VERDICT_BLOCK);
    assert_err(gate(f, 0, &warn), E_BLOCKED);
    assert_string_equal(
        err_text(),
        "review blocks this file: pickle.call: calls os.system (data.pkl @ 0x1f); see /datasets/amy/m/review/main");
}

static void test_words_in_chinese_keep_an_english_twin(void **state) {
    struct fixture *f = *state;
    struct str warn;
    put(f, VERDICT_BLOCK);
    err_slot()->lang = 1;
    err e = gate(f, 0, &warn);
    err_slot()->lang = 0;
    assert_ptr_equal(e, E_BLOCKED);
    assert_non_null(strstr(err_text(), "审核"));
    assert_non_null(strstr(err_text_en(), "review blocks this file: pickle.call"));
}

static void test_unknown_blob_is_pending(void **state) {
    struct fixture *f = *state;
    struct str warn;
    int64_t t0 = clock_mono_ms();
    assert_err(gate(f, 100, &warn), E_PENDING);
    assert_in_range(clock_mono_ms() - t0, 90, 1000);
    assert_int_equal(err_slot()->retry_after_s, 3);
    assert_non_null(strstr(err_text(), "/datasets/amy/m/review/main"));
    char sql[200];
    snprintf(sql, sizeof sql,
             "INSERT INTO revision (repo_id, commit_oid, pushed_ms, pushed_by) VALUES (5, 'c', %ld, 1)",
             (long)(clock_wall_ms() - 40000));
    fixture_shell_sql(f, sql);
    assert_err(gate(f, 0, &warn), E_PENDING);
    assert_in_range(err_slot()->retry_after_s, 19, 21); /* patience grows with the age */
}

static void test_override_replaces(void **state) {
    struct fixture *f = *state;
    struct str warn;
    put(f, VERDICT_BLOCK);
    fixture_shell_sql(f, "INSERT INTO verdict_override VALUES (5, '" OID "', 1, 'read by hand', 1, 9, '', '')");
    assert_ok(gate(f, 0, &warn));
    struct arena a;
    arena_init(&a, MiB);
    struct blob_verdict v;
    assert_ok(verdict_blob_get(db_reader(f->store), &a, 5, STR(OID), &v));
    assert_int_equal(v.verdict, VERDICT_PASS);
    assert_int_equal(v.raw_verdict, VERDICT_BLOCK);
    assert_true(v.overridden);
    assert_str(v.reason, "read by hand");
    assert_ok(
        verdict_blob_get(db_reader(f->store), &a, 6, STR(OID), &v)); /* another repository's blob stays as it was */
    assert_int_equal(v.verdict, VERDICT_BLOCK);
    assert_str(v.reason, "pickle.call: calls os.system (data.pkl @ 0x1f)");
    fixture_shell_sql(f, "UPDATE verdict_override SET verdict = 4");
    assert_err(gate(f, 0, &warn), E_BLOCKED);
    assert_non_null(strstr(err_text(), "a reviewer blocks this file: read by hand"));
    arena_release(&a);
}

static void test_override_of_a_blob_never_examined(void **state) {
    struct fixture *f = *state;
    struct str warn;
    fixture_shell_sql(f, "INSERT INTO verdict_override VALUES (5, '" OID "', 4, 'known bad', 1, 9, '', '')");
    assert_err(gate(f, 0, &warn), E_BLOCKED);
}

static void *decide_later(void *arg) {
    usleep(150000);
    put(arg, VERDICT_PASS);
    return NULL;
}

/* A name decides what text means: records are kept per kind, and another kind is another question. */
static void test_keys(void **state) {
    struct fixture *f = *state;
    struct arena a;
    struct blob_verdict v;
    arena_init(&a, 1 * MiB);
    assert_str(verdict_key(&a, STR("ab"), STR("dir/Model.PY")), "ab:py");
    assert_str(verdict_key(&a, STR("ab"), STR("model.bin")), "ab");
    assert_str(verdict_key_oid(STR("ab:py")), "ab");
    assert_string_equal(verdict_kind(str_of(verdict_key_example(STR("ab:yaml")))), "yaml");
    assert_string_equal(verdict_key_example(STR("ab")), "");
    struct db *d = db_reader(f->store);
    fixture_shell_sql(f, "INSERT INTO blob_verdict VALUES ('ab:md', 1, 2, 'markdown', '[]', 'rp', 1)");
    fixture_shell_sql(f, "INSERT INTO repo_blob VALUES (5, 'ab:md'), (6, 'ab:sh'), (5, 'abc')");
    assert_ok(verdict_blob_get(d, &a, 5, STR("ab:md"), &v));
    assert_int_equal(v.verdict, VERDICT_PASS);
    assert_ok(verdict_blob_get(d, &a, 5, STR("ab"), &v)); /* by oid alone: what this repository makes of it */
    assert_int_equal(v.verdict, VERDICT_PASS);
    assert_ok(verdict_blob_get(d, &a, 5, STR("ab:py"), &v)); /* passed as Markdown, never seen as Python */
    assert_int_equal(v.verdict, VERDICT_PENDING);
    fixture_shell_sql(f, "INSERT INTO blob_verdict VALUES ('ab:sh', 4, 2, 'shell', '[]', 'rp', 1)");
    assert_ok(verdict_blob_get(d, &a, 5, STR("ab:md"), &v)); /* a script elsewhere does not make a README bad */
    assert_int_equal(v.verdict, VERDICT_PASS);
    assert_ok(verdict_blob_get(d, &a, 6, STR("ab"), &v));
    assert_int_equal(v.verdict, VERDICT_BLOCK);
    fixture_shell_sql(f, "INSERT INTO repo_blob VALUES (5, 'ab:sh')");
    assert_ok(verdict_blob_get(d, &a, 5, STR("ab"), &v)); /* the strictest use within the repository */
    assert_int_equal(v.verdict, VERDICT_BLOCK);
    fixture_shell_sql(f, "INSERT INTO verdict_override VALUES (5, 'ab', 2, 'read by hand', 1, 9, '', '')");
    assert_ok(verdict_blob_get(d, &a, 5, STR("ab:sh"), &v)); /* a reviewer decides about the bytes, under every name */
    assert_int_equal(v.verdict, VERDICT_NOTICE);
    arena_release(&a);
}

/* Asked once per file of a commit: a look through all of a repository's blobs made 10,000 files cost 10 s of CPU. */
static void test_lookup_does_not_grow_with_the_repository(void **state) {
    struct fixture *f = *state;
    struct arena a;
    struct blob_verdict v;
    arena_init(&a, MiB);
    fixture_shell_sql(f, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
                         "INSERT INTO repo_blob (repo_id, oid) SELECT 5, printf('%040x', i * 7919) FROM n");
    int64_t began = clock_mono_ms();
    for (unsigned i = 0; i < 1000; i++) {
        arena_reset(&a);
        assert_ok(verdict_blob_get(db_reader(f->store), &a, 5, STR(OID), &v));
    }
    assert_true(clock_mono_ms() - began < 2000); /* 10 ms; with a scan 10 s */
    arena_release(&a);
}

static void test_hold_ends_with_the_verdict(void **state) {
    struct fixture *f = *state;
    struct str warn;
    pthread_t t;
    pthread_create(&t, NULL, decide_later, f);
    int64_t t0 = clock_mono_ms();
    assert_ok(gate(f, 5000, &warn));
    assert_in_range(clock_mono_ms() - t0, 100, 1500);
    pthread_join(t, NULL);
}

static void test_damaged_numbers_are_not_clean(void **state) {
    struct fixture *f = *state;
    struct str warn;
    put(f, (enum verdict)9);
    assert_err(gate(f, 0, &warn), E_PENDING);
}

static void test_revision(void **state) {
    struct fixture *f = *state;
    struct arena a;
    arena_init(&a, MiB);
    struct revision_verdict v;
    assert_ok(verdict_revision_get(db_reader(f->store), &a, 5, STR("c"), &v));
    assert_int_equal(v.verdict, VERDICT_PENDING);
    fixture_shell_sql(f,
                      "INSERT INTO revision VALUES (5, 'c', 1, 1, 2, 1, '{\"x\":1}', 'sig', 'key', 'amy', 'why', 77)");
    assert_ok(verdict_revision_get(db_reader(f->store), &a, 5, STR("c"), &v));
    assert_int_equal(v.verdict, VERDICT_NOTICE);
    assert_int_equal(v.coverage, COVERAGE_PARTIAL);
    assert_str(v.statement, "{\"x\":1}");
    assert_str(v.responsible, "amy");
    assert_int_equal(v.time_ms, 77);
    arena_release(&a);
}

static void test_names(void **state) {
    for (enum verdict v = VERDICT_PENDING; v <= VERDICT_BLOCK; v++) {
        enum verdict back = VERDICT_PENDING;
        assert_true(verdict_parse(str_of(verdict_name(v)), &back));
        assert_int_equal(back, v);
    }
    enum verdict v;
    assert_false(verdict_parse(STR("clean"), &v));
    assert_string_equal(coverage_name(COVERAGE_NONE), "none");
    assert_string_equal(coverage_name((enum coverage)7), "none");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, fixture_teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(test_gate_by_verdict),
        T(test_keys),
        T(test_words_in_chinese_keep_an_english_twin),
        T(test_unknown_blob_is_pending),
        T(test_override_replaces),
        T(test_override_of_a_blob_never_examined),
        T(test_lookup_does_not_grow_with_the_repository),
        T(test_hold_ends_with_the_verdict),
        T(test_damaged_numbers_are_not_clean),
        T(test_revision),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
