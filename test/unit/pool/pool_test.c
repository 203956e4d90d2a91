/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor with a fake engine: start, serve, crash, drain, kill, verdicts, restart of the server, orphans. */
#include "pool_fixture.h"

#include <sys/prctl.h>

static unsigned count_events(const char *kind) {
    struct event *e;
    size_t n;
    CHECK(event_list(db_reader(fx.store), &fx.arena, 0, 1000, kind, 0, false, &e, &n) == OK);
    return (unsigned)n;
}

static err engine_answers(void) {
    struct upstream *u;
    struct upstream_opts o = {.base_url = str_of(gw.base[0])};
    struct http_call *c;
    struct http_call_head h;
    TRY(upstream_new(&o, &u));
    err e = http_call_start(u, "POST", STR("/chat/completions"), NULL, 0, STR("{}"), 2000, &c, &h);
    if (e == OK) {
        if (h.status != 200) e = E_UPSTREAM;
        http_call_free(c);
    }
    upstream_put(u);
    return e;
}

/* --- from wish to answer to nothing --------------------------------------------------------------------------------
 */
static void body_life(void *arg) {
    (void)arg;
    int64_t id, second;
    struct str log;
    CHECK(fx_open() == 0);
    fx_commit("model.gguf", "ok");
    fx_verdict(VERDICT_PASS);
    CHECK(fx_deploy("tiny", 1, &id) == OK); /* without a running supervisor: only the wish is written */
    CHECK(str_eqz(fx_row(id).state, "pending"));
    CHECK(count_events("deployment.created") == 1);
    CHECK(fx_deploy("tiny", 1, &second) == E_CONFLICT);
    CHECK(pool_start(fx.pool) == OK);
    CHECK(fx_wait(id, "ready", 1));
    CHECK(gw.here == 1 && engine_answers() == OK);
    struct pool_row r = fx_row(id);
    CHECK(r.ready_ms > 0 && r.restarts == 0 && r.memory_bytes > 0 && str_eqz(r.file, "model.gguf") &&
          str_eqz(r.commit, fx.commit));
    CHECK(pool_log_tail(fx.pool, &fx.arena, id, 0, 4096, &log) == OK);
    CHECK(str_find(log, STR("fake engine, mode ok")) >= 0);
    CHECK(pool_log_tail(fx.pool, &fx.arena, id, 5, 4096, &log) == OK && log.n == 0);
    /* Draining: out of the gateway at once, the process only when its last request is done. */
    pid_t pid = fx_engine();
    gw.busy = 1;
    CHECK(pool_undeploy(fx.pool, &fx.who, id) == OK);
    CHECK(fx_wait(id, "draining", 0));
    for (int i = 0; i < 100 && gw.here > 0; i++) CHECK(fiber_sleep(20) == OK);
    CHECK(gw.here == 0);
    CHECK(fiber_sleep(300) == OK);
    CHECK(kill(pid, 0) == 0);
    gw.busy = 0;
    CHECK(fx_wait(id, "gone", 0));
    CHECK(pid_gone(pid));
    char dir[128];
    snprintf(dir, sizeof dir, "%s/deploy/%d", fx.dir, (int)id);
    for (int i = 0; i < 100 && access(dir, F_OK) == 0; i++) CHECK(fiber_sleep(20) == OK);
    CHECK(access(dir, F_OK) != 0);
    CHECK(count_events("deployment.deleted") == 1 && count_events("deployment.state") >= 3);
    CHECK(pool_undeploy(fx.pool, &fx.who, id) == E_NOT_FOUND);
    CHECK(fx_deploy("tiny", 1, &second) == OK && second != id); /* the name is free again, the number is not */
    pool_stop(fx.pool);
}

/* --- crashes
 * ------------------------------------------------------------------------------------------------------------ */
static void body_crash(void *arg) {
    (void)arg;
    int64_t id;
    CHECK(fx_open() == 0);
    fx_commit("model.gguf", "crash");
    fx_verdict(VERDICT_NOTICE);
    CHECK(pool_start(fx.pool) == OK);
    CHECK(fx_deploy("c", 1, &id) == OK);
    CHECK(fx_wait(id, "failed", 0));
    struct pool_row r = fx_row(id);
    CHECK(r.restarts >= 3 && gw.adds == 0);
    CHECK(str_find(r.detail, STR("code 3")) >= 0);
    CHECK(str_find(r.detail, STR("fake engine, mode crash")) >= 0); /* its last words */
    CHECK(gw.expected && strstr(gw.why, "failed: ") == gw.why);     /* and the gateway knows, too */
    /* Regression: each publication took memory of the deployment for good. */
    struct deployment *d = fx.pool->list;
    size_t used = d->arena.used_total;
    for (int i = 0; i < 3000; i++) {
        d->shown.restarts = -1;
        deployment_publish(d);
    }
    CHECK(d->arena.used_total == used);
    int64_t before = r.restarts, t0 = clock_mono_ms();
    unsigned told = count_events("deployment.state"); /* starting, failed: not one more for each try */
    CHECK(told >= 1 && told <= 2);
    for (int i = 0; i < 400 && fx_row(id).restarts < before + 2; i++) CHECK(fiber_sleep(25) == OK);
    CHECK(fx_row(id).restarts >= before + 2); /* it goes on trying … */
    CHECK(clock_mono_ms() - t0 >= 400);       /* … with growing pauses: 200 + 400 ms after the third failure */
    CHECK(str_eqz(fx_row(id).state, "failed"));
    CHECK(count_events("deployment.state") == told);
    CHECK(pool_undeploy(fx.pool, &fx.who, id) == OK);
    CHECK(fx_wait(id, "gone", 0));
    /* Healthy, but not able to make a token: never at the gateway. */
    fx_commit("model.gguf", "sick");
    fx_verdict(VERDICT_PASS);
    CHECK(fx_deploy("s", 1, &id) == OK);
    CHECK(fx_wait(id, "failed", 0));
    CHECK(gw.adds == 0 && str_find(fx_row(id).detail, STR("500")) >= 0);
    pool_stop(fx.pool);
    CHECK(fx_engine() == 0);
}

static void body_killed(void *arg) {
    (void)arg;
    int64_t id;
    CHECK(fx_open() == 0);
    fx_commit("model.gguf", "ok");
    fx_verdict(VERDICT_PASS);
    CHECK(pool_start(fx.pool) == OK);
    CHECK(fx_deploy("k", 2, &id) == OK);
    CHECK(fx_wait(id, "ready", 2));
    pid_t pid = fx_engine();
    kill(pid, SIGKILL);
    for (int i = 0; i < 400 && gw.adds < 3; i++) CHECK(fiber_sleep(25) == OK);
    CHECK(gw.adds == 3 && gw.removes == 1 && gw.here == 2);
    CHECK(fx_wait(id, "ready", 2));
    CHECK(fx_row(id).restarts == 1);
    pool_stop(fx.pool); /* the server stops: engines gone, wish kept */
    CHECK(gw.here == 0 && fx_engine() == 0);
    CHECK(str_eqz(fx_row(id).state, "pending"));
}

/* A restart keeps the deployment, renews its engines one after another, and asks the verdict first. */
static void body_restart(void *arg) {
    (void)arg;
    int64_t id;
    CHECK(fx_open() == 0);
    fx_commit("model.gguf", "ok");
    fx_verdict(VERDICT_PASS);
    CHECK(pool_start(fx.pool) == OK);
    CHECK(fx_deploy("r", 2, &id) == OK);
    CHECK(fx_wait(id, "ready", 2));
    struct db_proc *old;
    size_t n;
    CHECK(pool_db_procs(fx.pool, &fx.arena, &old, &n) == OK && n == 2);
    CHECK(pool_restart(fx.pool, &fx.who, id) == OK);
    int least = 2;
    for (int i = 0; i < 1200 && gw.adds < 4; i++) {
        CHECK(fiber_sleep(10) == OK);
        least = MIN(least, (int)gw.here);
    }
    CHECK(gw.adds == 4 && gw.removes == 2);
    CHECK(least == 1); /* the other one answered meanwhile */
    CHECK(fx_wait(id, "ready", 2));
    CHECK(pid_gone(old[0].pid) && pid_gone(old[1].pid));
    struct pool_row r = fx_row(id);
    CHECK(r.restarts == 0 && count_events("deployment.restarted") == 1 && count_events("deployment.created") == 1);
    fx_verdict(VERDICT_PENDING);
    CHECK(pool_restart(fx.pool, &fx.who, id) == E_PENDING);
    CHECK(fiber_sleep(300) == OK && gw.here == 2); /* and the running ones stay */
    CHECK(pool_restart(fx.pool, &fx.who, id + 1) == E_NOT_FOUND);
    fx_verdict(VERDICT_PASS);
    CHECK(pool_undeploy(fx.pool, &fx.who, id) == OK);
    CHECK(fx_wait(id, "gone", 0));
    CHECK(!gw.expected);
    pool_stop(fx.pool);
}

/* A name decides whose requests arrive: nobody takes another's. */
static void body_names(void *arg) {
    (void)arg;
    int64_t id;
    CHECK(fx_open() == 0);
    fx_commit("model.gguf", "ok");
    fx_commit("notes.txt", "ok");
    fx_verdict(VERDICT_PASS);
    fx.who.is_admin = false;
    CHECK(fx_deploy("remote", 1, &id) == E_FORBIDDEN && strstr(err_text(), "'remote'") != NULL);
    CHECK(fx_deploy("bob/m", 1, &id) == E_FORBIDDEN && strstr(err_text(), "'ann/'") != NULL);
    CHECK(fx_deploy("ann/other", 1, &id) == OK);
    fx.who.is_admin = true;
    CHECK(fx_deploy("remote", 1, &id) == OK);
    /* Regression: a named file went to llamacpp whatever it was. */
    struct pool_deploy_req q = {.owner = STR("ann"), .repo = STR("m"), .name = STR("t"), .file = STR("notes.txt")};
    CHECK(pool_deploy(fx.pool, &fx.who, &q, &id) == E_UNPROCESSABLE);
    CHECK(strstr(err_text(), "'llamacpp' loads .gguf, and 'notes.txt' is not one") != NULL);
    q.engine = STR("fake");
    CHECK(pool_deploy(fx.pool, &fx.who, &q, &id) == E_UNPROCESSABLE);
    q.engine = STR("");
    q.file = STR("model.gguf");
    CHECK(pool_deploy(fx.pool, &fx.who, &q, &id) == OK && str_eqz(fx_row(id).engine, "llamacpp"));
}

static void body_deaf(void *arg) {
    (void)arg;
    int64_t id;
    CHECK(fx_open() == 0);
    fx_commit("model.gguf", "deaf");
    fx_verdict(VERDICT_PASS);
    CHECK(pool_start(fx.pool) == OK);
    CHECK(fx_deploy("d", 1, &id) == OK);
    CHECK(fx_wait(id, "ready", 1));
    pid_t pid = fx_engine();
    int64_t t0 = clock_mono_ms();
    CHECK(pool_undeploy(fx.pool, &fx.who, id) == OK);
    CHECK(fx_wait(id, "gone", 0));
    CHECK(pid_gone(pid));
    CHECK(clock_mono_ms() - t0 >= 700); /* stop_timeout_ms between SIGTERM and SIGKILL */
    pool_stop(fx.pool);
}

/* --- verdicts
 * ---------------------------------------------------------------------------------------------------------------- */
static void body_verdict(void *arg) {
    (void)arg;
    int64_t id;
    CHECK(fx_open() == 0);
    fx_commit("model.gguf", "ok");
    CHECK(pool_start(fx.pool) == OK);
    CHECK(fx_deploy("v", 1, &id) == E_PENDING);
    fx_verdict(VERDICT_BLOCK);
    CHECK(fx_deploy("v", 1, &id) == E_BLOCKED);
    CHECK(strstr(err_text(), "because") != NULL);
    fx_verdict(VERDICT_REVIEW);
    CHECK(fx_deploy("v", 1, &id) == E_BLOCKED);
    fx_verdict(VERDICT_PASS);
    CHECK(fx_deploy("v", 1, &id) == OK);
    CHECK(fx_wait(id, "ready", 1));
    pid_t pid = fx_engine();
    fx_verdict(VERDICT_BLOCK); /* turns while it runs */
    CHECK(fx_wait(id, "failed", 0));
    CHECK(pid_gone(pid) && gw.here == 0);
    CHECK(str_find(fx_row(id).detail, STR("because")) >= 0);
    fx_verdict(VERDICT_NOTICE); /* a reviewer overrides */
    CHECK(fx_wait(id, "ready", 1));
    pool_stop(fx.pool);
}

/* --- files
 * ---------------------------------------------------------------------------------------------------------------------
 */
static void body_files(void *arg) {
    (void)arg;
    int64_t id;
    CHECK(fx_open() == 0);
    fx_commit("model.gguf", "ok");
    fx_verdict(VERDICT_PASS);
    CHECK(fx_deploy("f", 1, &id) == OK);
    CHECK(pool_start(fx.pool) == OK);
    CHECK(fx_wait(id, "ready", 1));
    pool_stop(fx.pool);
    pool_close(fx.pool);
    fx_pool_open();
    /* Somebody changed the exported file meanwhile (same length): it is noticed and exported anew. */
    char path[128], b[8] = "";
    snprintf(path, sizeof path, "%s/deploy/%d/model.gguf", fx.dir, (int)id);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs("no", f) >= 0 && fclose(f) == 0);
    CHECK(pool_start(fx.pool) == OK);
    CHECK(fx_wait(id, "ready", 1));
    f = fopen(path, "r");
    CHECK(f != NULL && fgets(b, sizeof b, f) != NULL && strcmp(b, "ok") == 0);
    fclose(f);
    fx_commit("other.gguf", "ok"); /* two candidates: it must be said */
    fx_verdict(VERDICT_PASS);
    CHECK(fx_deploy("g", 1, &id) == E_UNPROCESSABLE);
    struct pool_deploy_req q = {
        .owner = STR("ann"), .repo = STR("m"), .file = STR("other.gguf"), .engine = STR("fake")};
    CHECK(pool_deploy(fx.pool, &fx.who, &q, &id) == OK);
    CHECK(str_eqz(fx_row(id).model, "ann/m"));
    q.file = STR("none.gguf");
    CHECK(pool_deploy(fx.pool, &fx.who, &q, &id) == E_ENTRY_NOT_FOUND);
    q.file = STR("other.gguf");
    q.name = STR("bad name");
    CHECK(pool_deploy(fx.pool, &fx.who, &q, &id) == E_UNPROCESSABLE);
    q.name = STR("x");
    q.engine = STR("nope");
    CHECK(pool_deploy(fx.pool, &fx.who, &q, &id) == E_UNPROCESSABLE);
    struct principal nobody = {.token_role = ROLE_ADMIN};
    q.engine = STR("fake");
    CHECK(pool_deploy(fx.pool, &nobody, &q, &id) != OK);
    pool_stop(fx.pool);
}

/* --- orphans
 * ----------------------------------------------------------------------------------------------------------------------
 */
static void body_sweep(void *arg) {
    (void)arg;
    CHECK(fx_open() == 0);
    /* A helper that nobody recorded: only the mark in its environment tells. */
    const char *argv[] = {"sleep", "1000", NULL};
    const char *env[] = {"PATH=/usr/bin:/bin", fx.pool->env_mark, NULL};
    struct child_opts o;
    struct child marked, recorded, innocent;
    child_opts_init(&o);
    o.argv = argv;
    o.env = env;
    CHECK(child_spawn(&o, &marked) == OK);
    o.env = NULL;
    CHECK(child_spawn(&o, &recorded) == OK);
    CHECK(child_spawn(&o, &innocent) == OK);
    CHECK(fiber_sleep(100) == OK);
    CHECK(pool_db_proc_add(fx.pool, recorded.pid, proc_start_ticks(recorded.pid), 1, 0) == OK);
    CHECK(pool_db_proc_add(fx.pool, innocent.pid, proc_start_ticks(innocent.pid) - 1, 1, 0) ==
          OK); /* the id was used again */
    CHECK(pool_start(fx.pool) == OK);
    int code;
    CHECK(child_wait(&marked, 2000, &code) == OK && code == 128 + SIGKILL);
    CHECK(child_wait(&recorded, 2000, &code) == OK && code == 128 + SIGKILL);
    CHECK(child_wait(&innocent, 100, &code) == E_TIMEOUT);
    CHECK(fx_engine() == 0);
    child_release(&marked);
    child_release(&recorded);
    child_release(&innocent);
    pool_stop(fx.pool);
}

#define ON_FIBER(name, body)                                                                                           \
    static void name(void **state) {                                                                                   \
        (void)state;                                                                                                   \
        in_fiber(0, body, NULL);                                                                                       \
    }
ON_FIBER(test_from_wish_to_answer_to_nothing, body_life)
ON_FIBER(test_crashes_back_off, body_crash)
ON_FIBER(test_killed_engine_comes_back, body_killed)
ON_FIBER(test_restart_keeps_the_deployment, body_restart)
ON_FIBER(test_names_and_formats, body_names)
ON_FIBER(test_deaf_engine_is_killed, body_deaf)
ON_FIBER(test_verdict_gates_and_turns, body_verdict)
ON_FIBER(test_files_are_verified, body_files)
ON_FIBER(test_orphans_are_swept, body_sweep)

/* kill -9 of the server, with an engine that has a helper of its own: nothing of it is left after the next start. */
static void server_body(void *arg) {
    int64_t id;
    if (fx_open() != 0) _exit(1);
    fx_commit("model.gguf", "parent");
    fx_verdict(VERDICT_PASS);
    if (pool_start(fx.pool) != OK || fx_deploy("o", 1, &id) != OK || !fx_wait(id, "ready", 1)) _exit(2);
    pid_t pid = fx_engine();
    if (write(*(int *)arg, &pid, sizeof pid) < 0 || write(*(int *)arg, fx.dir, sizeof fx.dir) < 0) _exit(3);
    for (;;)
        if (fiber_sleep(1000) != OK) _exit(4);
}
static void body_next_start(void *arg) {
    (void)arg;
    fx_open_rooms(true);
    fx_pool_open();
    int64_t id = 1;
    CHECK(pool_start(fx.pool) == OK);
    CHECK(fx_wait(id, "ready", 1)); /* and it serves again */
    pid_t pid = fx_engine();
    pool_stop(fx.pool);
    CHECK(pid_gone(pid));
}
static void test_no_orphan_after_sigkill(void **state) {
    (void)state;
    int p[2];
    assert_int_equal(pipe(p), 0);
    pid_t server = fork();
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* not to outlive a failed test */
        struct rt_limits lim = {.n_loops = 1, .n_work = 2};
        if (rt_start(&lim) != OK || fiber_spawn(rt_loop(0), server_body, &p[1]) != OK) _exit(5);
        for (;;) pause();
    }
    close(p[1]);
    pid_t engine = 0;
    char dir[64] = "";
    assert_int_equal(read(p[0], &engine, sizeof engine), sizeof engine);
    assert_int_equal(read(p[0], dir, sizeof dir), sizeof dir);
    close(p[0]);
    assert_true(proc_start_ticks(engine) > 0);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    assert_true(pid_gone(engine)); /* by its death signal, before any sweep */
    memset(&fx, 0, sizeof fx);
    memcpy(fx.dir, dir, sizeof dir);
    arena_init(&fx.arena, 64 * MiB);
    assert_int_equal(rt_test_start(NULL), 0);
    in_fiber(0, body_next_start, NULL);
    rt_stop();
    fx_close();
}

/* The rooms are closed after the work threads ended: libgit2 keeps something per thread. */
static int teardown(void **state) {
    (void)state;
    rt_stop();
    fx_close();
    return 0;
}

#define RT(fn) cmocka_unit_test_setup_teardown(fn, rt_test_start, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_orphan_after_sigkill), /* first: it forks, and no thread runs yet */
        RT(test_from_wish_to_answer_to_nothing),
        RT(test_crashes_back_off),
        RT(test_killed_engine_comes_back),
        RT(test_restart_keeps_the_deployment),
        RT(test_names_and_formats),
        RT(test_deaf_engine_is_killed),
        RT(test_verdict_gates_and_turns),
        RT(test_files_are_verified),
        RT(test_orphans_are_swept),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
