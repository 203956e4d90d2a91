/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_store.c — DIR [SECONDS]: what a commit, a lookup and a token check cost on this machine.
 * Lines: name, operations per second, microseconds each; writes in wall time, the rest in CPU time of the thread. The
 * figures are in docs/decisions/0030 and 0031.
 */
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "id/id.h"

static double seconds = 1;
static _Atomic bool over;

/* What this thread really used: the figure that a busy machine does not spoil. */
static int64_t cpu_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void report(const char *name, int64_t n, int64_t ns, unsigned threads) {
    printf("%-44s %10.0f /s %10.2f us\n", name, (double)n * 1e9 / (double)ns, (double)ns * threads / (double)n / 1e3);
}

static err make_table(struct db *d, void *arg) {
    (void)arg;
    return db_exec(d, "CREATE TABLE IF NOT EXISTS bench (id INTEGER PRIMARY KEY, v TEXT NOT NULL)", "");
}
static err add_row(struct db *d, void *arg) {
    return db_exec(d, "INSERT INTO bench (v) VALUES (?)", "s", *(struct str *)arg);
}
static err add_event(struct db *d, void *arg) {
    int64_t seq;
    return event_append(d, "bench.entry", 1, 1, *(struct str *)arg, &seq);
}

struct job {
    struct store *s;
    db_write_fn fn;
    int64_t n;
    pthread_t t;
};

static void *write_main(void *arg) {
    struct job *j = arg;
    struct str v =
        STR("{\"value\":\"some hundred bytes of record, as rows of this program are, more or less, on average\"}");
    while (!over) {
        if (db_write(j->s, j->fn, &v) != OK) fprintf(stderr, "write: %s\n", err_text());
        j->n++;
    }
    return NULL;
}

static void bench_write(struct store *s, const char *name, db_write_fn fn, unsigned threads) {
    struct job j[64];
    int64_t n = 0, t0 = clock_mono_ns();
    over = false;
    for (unsigned i = 0; i < threads; i++) {
        j[i] = (struct job){s, fn, 0, 0};
        if (pthread_create(&j[i].t, NULL, write_main, &j[i]) != 0) return;
    }
    usleep((useconds_t)(seconds * 1e6));
    over = true;
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(j[i].t, NULL);
        n += j[i].n;
    }
    report(name, n, clock_mono_ns() - t0, threads);
}

static void bench_read(struct store *s) {
    int64_t n = 0, t0 = cpu_ns(), end = t0 + (int64_t)(seconds * 1e9);
    struct db *d = db_reader(s);
    while (cpu_ns() < end) {
        for (int i = 0; i < 100; i++, n++) {
            struct stmt *st;
            bool row;
            if (db_prep(d, "SELECT v FROM bench WHERE id = ?", &st) != OK) return;
            db_bind_i64(st, 1, n % 1000 + 1);
            if (db_step(st, &row) != OK) return;
            db_done(st);
        }
    }
    report("read by key, one statement (CPU)", n, cpu_ns() - t0, 1);
}

static void bench_gen(struct store *s) {
    int64_t n = 0, t0 = cpu_ns(), end = t0 + (int64_t)(seconds * 1e9);
    uint64_t sum = 0;
    while (cpu_ns() < end)
        for (int i = 0; i < 1000; i++, n++) sum += store_change_gen(s);
    report(sum == 0 ? "?" : "store_change_gen (CPU)", n, cpu_ns() - t0, 1);
}

static void bench_token(struct id *id, int64_t user) {
    char secret[ID_TOKEN_MAX + 1];
    struct arena a;
    struct principal p;
    arena_init(&a, MiB);
    if (id_token_create(id, user, STR("bench"), ROLE_READ, 0, STR(""), secret) != OK) return;
    int64_t n = 0, t0 = cpu_ns(), end = t0 + (int64_t)(seconds * 1e9);
    while (cpu_ns() < end) {
        for (int i = 0; i < 100; i++, n++) {
            arena_reset(&a);
            if (id_token_check(id, &a, str_of(secret), &p) != OK) fprintf(stderr, "token: %s\n", err_text());
        }
    }
    report("token check, cached (CPU)", n, cpu_ns() - t0, 1);
    arena_release(&a);
}

static void bench_password(struct id *id) {
    int64_t who, t0 = clock_mono_ns();
    err e = id_password_verify(id, NULL, STR("bench-user"), STR("a password"), &who);
    report(e == OK ? "password check (scrypt)" : "password check FAILED", 1, clock_mono_ns() - t0, 1);
}

static err bench_all(const char *dir) {
    struct store *s;
    struct id *id;
    int64_t user;
    struct store_opts so = {dir, true};
    TRY(store_open(&so, &s));
    struct id_opts io = {.store = s};
    TRY(id_open(&io, &id));
    TRY(db_write(s, make_table, NULL));
    bench_write(s, "durable write, 1 thread", add_row, 1);
    bench_write(s, "durable write, 8 threads", add_row, 8);
    bench_write(s, "durable write, 64 threads", add_row, 64);
    bench_write(s, "event_append, 1 thread", add_event, 1);
    bench_write(s, "event_append, 64 threads", add_event, 64);
    bench_read(s);
    bench_gen(s);
    struct event_check c;
    int64_t t0 = cpu_ns();
    TRY(event_verify(db_reader(s), &c));
    report("event_verify, per entry (CPU)", c.entries, cpu_ns() - t0, 1);
    TRY(id_user_add(id, STR("bench-user"), STR_NULL, STR_NULL, STR("a password"), false, &user));
    bench_token(id, user);
    bench_password(id);
    id_close(id);
    store_close(s);
    return OK;
}

int main(int argc, char **argv) {
    if (argc < 2) return 64;
    if (argc > 2 && str_to_double(str_of(argv[2]), &seconds) && seconds <= 0) return 64;
    if (bench_all(argv[1]) == OK) return 0;
    fprintf(stderr, "%s\n", err_text());
    return 1;
}
