/* SPDX-License-Identifier: Apache-2.0 */
/* The event log: chain, paging, and that no byte of it can change unnoticed. */
#include "store_fixture.h"

#include "base/hash.h"
#include "base/hex.h"

static err append_one(struct db *d, void *arg) {
    int64_t seq;
    return event_append(d, "test.done", 7, 3, str_of(arg), &seq);
}

struct entry {
    const char *kind;
    int64_t actor, repo;
    const char *payload;
};
static err append_entry(struct db *d, void *arg) {
    const struct entry *e = arg;
    int64_t seq;
    return event_append(d, e->kind, e->actor, e->repo, str_of(e->payload), &seq);
}

static const struct entry entries[] = {
    {"repo.created", 1, 5, "{\"type\":\"model\"}"},
    {"revision.pushed", 1, 5, "{\"files\":3,\"说\":\"明\"}"},
    {"verdict.issued", 0, 5, "{}"},
    {"repo.created", 2, 6, "{\"type\":\"dataset\"}"},
    {"deployment.state", 0, 0, "{\"state\":\"ready\"}"},
    {"revision.pushed", 2, 6, "{}"},
};

static void fill(struct fixture *f) {
    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        assert_ok(db_write(f->store, append_entry, (void *)(uintptr_t)&entries[i]));
}

static struct event_check verify(struct fixture *f) {
    struct event_check c;
    assert_ok(event_verify(db_reader(f->store), &c));
    return c;
}

static void test_empty_log_is_good(void **state) {
    struct event_check c = verify(*state);
    assert_int_equal(c.entries, 0);
    assert_int_equal(c.first_bad_seq, 0);
}

static void test_chain_is_what_the_format_says(void **state) {
    struct fixture *f = *state;
    fill(f);
    struct event_check c = verify(f);
    assert_int_equal(c.entries, ARRAY_LEN(entries));
    assert_int_equal(c.first_bad_seq, 0);
    struct arena a;
    arena_init(&a, MiB);
    struct event *e;
    size_t n;
    assert_ok(event_list(db_reader(f->store), &a, 0, 100, NULL, 0, false, &e, &n));
    assert_int_equal(n, ARRAY_LEN(entries));
    uint8_t prev[32] = {0};
    for (size_t i = 0; i < n; i++) { /* docs/formats/event-log.md, written a second time */
        uint8_t bytes[512], *p = bytes;
        memcpy(p, "ballast-event-1\0", 16), p += 16;
        memcpy(p, &e[i].seq, 8), p += 8;
        memcpy(p, &e[i].time_ms, 8), p += 8;
        memcpy(p, &e[i].actor_id, 8), p += 8;
        memcpy(p, &e[i].repo_id, 8), p += 8;
        uint32_t k = (uint32_t)e[i].kind.n, l = (uint32_t)e[i].payload.n;
        memcpy(p, &k, 4), p += 4;
        memcpy(p, e[i].kind.p, k), p += k;
        memcpy(p, &l, 4), p += 4;
        memcpy(p, e[i].payload.p, l), p += l;
        memcpy(p, prev, 32), p += 32;
        hash_sha256(bytes, (size_t)(p - bytes), prev);
        assert_memory_equal(prev, e[i].hash, 32);
    }
    assert_memory_equal(prev, c.head, 32);
    arena_release(&a);
}

static void test_bad_entries_are_refused(void **state) {
    struct fixture *f = *state;
    assert_err(db_write(f->store, append_one, (void *)(uintptr_t) "[1]"), E_INTERNAL);
    assert_err(db_write(f->store, append_one, (void *)(uintptr_t) "{\"a\":"), E_BAD_REQUEST);
    struct entry bad = {"Bad Kind", 0, 0, "{}"};
    assert_err(db_write(f->store, append_entry, &bad), E_INTERNAL);
    assert_int_equal(verify(f).entries, 0);
}

/* --- tampering ------------------------------------------------------------------------------------------------- */

static sqlite3 *shell_open(struct fixture *f) {
    char path[128];
    sqlite3 *h;
    snprintf(path, sizeof path, "%s/ballast.db", f->dir);
    assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
    sqlite3_busy_timeout(h, 5000);
    return h;
}

static void shell(sqlite3 *h, const char *sql) {
    char *msg = NULL;
    if (sqlite3_exec(h, sql, NULL, NULL, &msg) != SQLITE_OK) fail_msg("%s: %s", sql, msg);
}

static void expect_bad_at(struct fixture *f, int64_t seq, const char *what) {
    struct event_check c = verify(f);
    if (c.first_bad_seq != seq)
        fail_msg("%s: first_bad_seq is %ld, expected %ld", what, (long)c.first_bad_seq, (long)seq);
    assert_true(strlen(c.why) > 0);
}

static int column_bytes(sqlite3 *h, int64_t seq, const char *col) {
    char sql[200];
    sqlite3_stmt *st;
    snprintf(sql, sizeof sql, "SELECT length(CAST(%s AS BLOB)) FROM event WHERE seq = %ld", col, (long)seq);
    assert_int_equal(sqlite3_prepare_v2(h, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int n = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return n;
}

static void put_bytes(sqlite3 *h, int64_t seq, const char *col, bool text, const uint8_t *p, int n) {
    char sql[200];
    sqlite3_stmt *st;
    snprintf(sql, sizeof sql, "UPDATE event SET %s = ? WHERE seq = %ld", col, (long)seq);
    assert_int_equal(sqlite3_prepare_v2(h, sql, -1, &st, NULL), SQLITE_OK);
    if (text) sqlite3_bind_text(st, 1, (const char *)p, n, SQLITE_STATIC);
    else sqlite3_bind_blob(st, 1, p, n, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(st), SQLITE_DONE);
    sqlite3_finalize(st);
}

static void flip_bytes_of(struct fixture *f, sqlite3 *h, int64_t seq, const char *col, bool text) {
    char sql[200];
    sqlite3_stmt *st;
    int n = column_bytes(h, seq, col);
    uint8_t old[512], now[512];
    snprintf(sql, sizeof sql, "SELECT CAST(%s AS BLOB) FROM event WHERE seq = %ld", col, (long)seq);
    assert_int_equal(sqlite3_prepare_v2(h, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    memcpy(old, sqlite3_column_blob(st, 0), (size_t)n);
    sqlite3_finalize(st);
    for (int i = 0; i < n; i++) {
        memcpy(now, old, (size_t)n);
        now[i] = (uint8_t)(now[i] ^ (1u << (i % 8)));
        put_bytes(h, seq, col, text, now, n);
        expect_bad_at(f, seq, col);
    }
    put_bytes(h, seq, col, text, old, n);
    assert_int_equal(verify(f).first_bad_seq, 0);
}

static void flip_number(struct fixture *f, sqlite3 *h, int64_t seq, const char *col) {
    for (int bit = 0; bit < 63; bit += 3) {
        char sql[200];
        /* a ^ b = (a | b) - (a & b) */
        snprintf(sql, sizeof sql, "UPDATE event SET %s = (%s | %lld) - (%s & %lld) WHERE seq = %ld", col, col,
                 1LL << bit, col, 1LL << bit, (long)seq);
        shell(h, sql);
        expect_bad_at(f, seq, col);
        shell(h, sql);
    }
    assert_int_equal(verify(f).first_bad_seq, 0);
}

static void test_every_flipped_byte_is_found_and_located(void **state) {
    struct fixture *f = *state;
    fill(f);
    sqlite3 *h = shell_open(f);
    shell(h, "PRAGMA synchronous=OFF");
    for (int64_t seq = 1; seq <= (int64_t)ARRAY_LEN(entries); seq++) {
        flip_bytes_of(f, h, seq, "kind", true);
        flip_bytes_of(f, h, seq, "payload", true);
        flip_bytes_of(f, h, seq, "hash", false);
        flip_number(f, h, seq, "time_ms");
        flip_number(f, h, seq, "actor_id");
        flip_number(f, h, seq, "repo_id");
    }
    sqlite3_close(h);
}

static void test_numbers_types_and_lost_entries(void **state) {
    struct fixture *f = *state;
    fill(f);
    sqlite3 *h = shell_open(f);
    static const struct {
        const char *sql;
        int64_t at;
    } rows[] = {
        {"UPDATE event SET seq = 99 WHERE seq = 6", 6},
        {"UPDATE event SET seq = -1 WHERE seq = 1", 1},
        {"DELETE FROM event WHERE seq = 3", 3},
        {"DELETE FROM event WHERE seq = 6", 6}, /* the tail: only the recorded head knows */
        {"DELETE FROM event", 1},
        {"UPDATE event SET payload = CAST(payload AS BLOB) WHERE seq = 2", 2},
        {"UPDATE event SET hash = CAST(hash AS TEXT) WHERE seq = 4", 4},
        {"UPDATE event SET hash = x'00' WHERE seq = 4", 4},
        {"UPDATE event SET actor_id = 1.5 WHERE seq = 5", 5},
        {"UPDATE meta SET value = '6 0000' WHERE key = 'event_head'", 7},
        {"DELETE FROM meta WHERE key = 'event_head'", 7},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        shell(h, "CREATE TABLE keep AS SELECT * FROM event");
        shell(h, "CREATE TABLE keep_meta AS SELECT * FROM meta");
        shell(h, rows[i].sql);
        expect_bad_at(f, rows[i].at, rows[i].sql);
        shell(h, "DELETE FROM event; INSERT INTO event SELECT * FROM keep; DROP TABLE keep");
        shell(h, "DELETE FROM meta; INSERT INTO meta SELECT * FROM keep_meta; DROP TABLE keep_meta");
        assert_int_equal(verify(f).first_bad_seq, 0);
    }
    sqlite3_close(h);
}

/* Bytes changed in the file itself, behind SQLite's back. */
static void test_flipped_bytes_in_the_file(void **state) {
    struct fixture *f = *state;
    assert_ok(db_write(f->store, append_one, (void *)(uintptr_t) "{\"marker\":\"LODESTONE-LODESTONE\"}"));
    store_close(f->store);
    char path[128];
    snprintf(path, sizeof path, "%s/ballast.db", f->dir);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    static uint8_t all[4 << 20];
    size_t n = fread(all, 1, sizeof all, file);
    uint8_t *at = memmem(all, n, "LODESTONE-LODESTONE", 19);
    assert_non_null(at);
    for (int i = 0; i < 19; i += 3) {
        fseek(file, at - all + i, SEEK_SET);
        fputc(at[i] ^ 0x20, file);
        fflush(file);
        struct store_opts o = {f->dir, true};
        assert_ok(store_open(&o, &f->store));
        expect_bad_at(f, 1, "file");
        store_close(f->store);
        fseek(file, at - all + i, SEEK_SET);
        fputc(at[i], file);
        fflush(file);
    }
    fclose(file);
    struct store_opts o = {f->dir, true};
    assert_ok(store_open(&o, &f->store));
    assert_int_equal(verify(f).first_bad_seq, 0);
}

/* --- paging ----------------------------------------------------------------------------------------------------- */

static void expect_page(struct fixture *f, int64_t after, size_t max, const char *kind, int64_t repo, bool desc,
                        const char *seqs) {
    struct arena a;
    arena_init(&a, 4 * MiB);
    struct event *e;
    size_t n;
    char got[200] = "";
    assert_ok(event_list(db_reader(f->store), &a, after, max, kind, repo, desc, &e, &n));
    for (size_t i = 0; i < n; i++) snprintf(got + strlen(got), sizeof got - strlen(got), "%ld ", (long)e[i].seq);
    assert_string_equal(got, seqs);
    arena_release(&a);
}

static void test_pages(void **state) {
    struct fixture *f = *state;
    fill(f);
    expect_page(f, 0, 3, NULL, 0, false, "1 2 3 ");
    expect_page(f, 3, 3, NULL, 0, false, "4 5 6 ");
    expect_page(f, 0, 2, NULL, 0, true, "6 5 ");
    expect_page(f, 5, 2, NULL, 0, true, "4 3 ");
    expect_page(f, 0, 9, "re", 0, false, "1 2 4 6 ");
    expect_page(f, 0, 3, "re", 0, true, "6 4 2 ");
    expect_page(f, 1, 2, "re", 0, false, "2 4 ");
    expect_page(f, 0, 9, "repo.created", 0, false, "1 4 ");
    expect_page(f, 0, 9, NULL, 6, false, "4 6 ");
    expect_page(f, 0, 9, "rev", 5, true, "2 ");
    expect_page(f, 0, 9, "zzz", 0, false, "");
    expect_page(f, 6, 9, NULL, 0, false, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE(test_empty_log_is_good),
        FIXTURE(test_chain_is_what_the_format_says),
        FIXTURE(test_bad_entries_are_refused),
        FIXTURE(test_every_flipped_byte_is_found_and_located),
        FIXTURE(test_numbers_types_and_lost_entries),
        FIXTURE(test_flipped_bytes_in_the_file),
        FIXTURE(test_pages),
    };
    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
