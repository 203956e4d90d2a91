/* SPDX-License-Identifier: Apache-2.0 */
/* pool_fixture.h — a data directory with one user and one model repository, a pool with a fake engine, a fake gateway.
 */
#ifndef POOL_FIXTURE_H
#define POOL_FIXTURE_H

#include "unit/rt/rt_test.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pool/pool_int.h"

/* --- gateway: what the pool told it --------------------------------------------------------------------------- */
static struct {
    _Atomic int adds, removes, here;
    _Atomic unsigned busy;
    _Atomic bool expected;
    char why[GATE_WHY_MAX];
    char base[POOL_MAX_REPLICAS][80];
} gw;
err gate_local_add(struct gate *g, const struct gate_local *l) {
    (void)g;
    snprintf(gw.base[l->replica], sizeof gw.base[0], STR_FMT, STR_ARG(l->base_url));
    gw.here++;
    gw.adds++;
    return OK;
}
void gate_local_remove(struct gate *g, int64_t d, int64_t r) {
    (void)g;
    (void)d;
    (void)r;
    gw.here--;
    gw.removes++;
}
err gate_expect(struct gate *g, int64_t d, struct str model, int64_t repo, const char *why) {
    (void)g;
    (void)d;
    (void)model;
    (void)repo;
    snprintf(gw.why, sizeof gw.why, "%s", why);
    gw.expected = true;
    return OK;
}
void gate_unexpect(struct gate *g, int64_t d) {
    (void)g;
    (void)d;
    gw.expected = false;
}
bool gate_is_remote(struct gate *g, struct str model) {
    (void)g;
    return str_eqz(model, "remote");
}
unsigned gate_local_busy(struct gate *g, int64_t d, int64_t r) {
    (void)g;
    (void)d;
    (void)r;
    return gw.busy;
}

/* --- fixture ------------------------------------------------------------------------------------------------------ */
struct fx {
    char dir[64], commit[GIT_OID_HEX + 1];
    struct store *store;
    struct git *git;
    struct xet *xet;
    struct id *id;
    struct hub *hub;
    struct pool *pool;
    struct principal who;
    int64_t repo_id, user_id;
    struct arena arena;
};
static struct fx fx;

static void fx_pool_open(void) {
    struct pool_engine e = {
        .name = STR("fake"), .n_argv = 4, .n_formats = 1, .start_timeout_ms = 5000, .stop_timeout_ms = 700};
    e.argv[0] = STR("python3");
    const char *root = getenv("BALLAST_SOURCE");
    e.argv[1] = arena_printf(&fx.arena, "%s/test/unit/pool/fake_engine.py", root != NULL ? root : ".");
    e.argv[2] = STR("{model}");
    e.argv[3] = STR("{port}");
    e.formats[0] = STR("gguf");
    struct pool_opts o = {.store = fx.store,
                          .hub = fx.hub,
                          .id = fx.id,
                          .gate = (struct gate *)(uintptr_t)8,
                          .engines = &e,
                          .n_engines = 1,
                          .backoff_ms = 50,
                          .drain_ms = 3000};
    CHECK(pool_open(&o, &fx.pool) == OK);
}

/* One commit with `name` holding the mode of the fake engine. */
static void fx_commit(const char *name, const char *mode) {
    struct git_op op = {.kind = GIT_OP_ADD, .path = str_of(name), .content = str_of(mode)};
    struct git_commit_req q = {.ref = STR("refs/heads/main"),
                               .author = {STR("a"), STR("a@b"), 1},
                               .message = STR("m"),
                               .ops = &op,
                               .n_ops = 1};
    CHECK(git_commit_make(fx.git, fx.repo_id, &q, fx.commit) == OK);
}

static err verdict_tx(struct db *d, void *arg) {
    int64_t v = *(int64_t *)arg;
    struct git_entry *e;
    size_t n;
    bool more;
    TRY(db_exec(
        d,
        "INSERT OR REPLACE INTO revision (repo_id, commit_oid, pushed_ms, pushed_by, verdict, coverage, reason) "
        "VALUES (?1, ?2, 1, 1, ?3, 2, 'because')",
        "isi", fx.repo_id, str_of(fx.commit), v));
    TRY(git_tree(fx.git, &fx.arena, fx.repo_id, str_of(fx.commit), STR(""), true, STR(""), 100, &e, &n, &more));
    for (size_t i = 0; i < n; i++)
        TRY(db_exec(
            d,
            "INSERT OR REPLACE INTO blob_verdict (oid, verdict, coverage, format, findings, rule_pack, time_ms) "
            "VALUES (?1, ?2, 2, 'text', '[]', 'x', 1)",
            "si", hub_entry_oid(&e[i]), v));
    return OK;
}
static void fx_verdict(enum verdict v) {
    int64_t arg = v;
    CHECK(db_write(fx.store, verdict_tx, &arg) == OK);
}

static void fx_open_rooms(bool server) {
    struct store_opts so = {fx.dir, server};
    CHECK(store_open(&so, &fx.store) == OK);
    CHECK(git_open(fx.store, &fx.git) == OK);
    struct xet_opts xo = {fx.store};
    CHECK(xet_open(&xo, &fx.xet) == OK);
    struct id_opts io = {.store = fx.store};
    CHECK(id_open(&io, &fx.id) == OK);
    struct hub_opts ho = {.store = fx.store, .git = fx.git, .xet = fx.xet, .id = fx.id};
    CHECK(hub_open(&ho, &fx.hub) == OK);
}

static int fx_open(void) {
    memset(&fx, 0, sizeof fx);
    gw.adds = gw.removes = gw.here = 0;
    gw.busy = 0;
    snprintf(fx.dir, sizeof fx.dir, "/tmp/pool-test-XXXXXX");
    if (mkdtemp(fx.dir) == NULL) return -1;
    arena_init(&fx.arena, 64 * MiB);
    fx_open_rooms(true);
    CHECK(id_user_add(fx.id, STR("ann"), STR(""), STR(""), STR_NULL, true, &fx.user_id) == OK);
    fx.who = (struct principal){.user_id = fx.user_id, .name = STR("ann"), .is_admin = true, .token_role = ROLE_ADMIN};
    struct repo_rec repo;
    CHECK(hub_repo_create(fx.hub, &fx.who, REPO_MODEL, STR("ann"), STR("m"), false, &repo) == OK);
    fx.repo_id = repo.id;
    fx_pool_open();
    return rt_test_bad == 0 ? 0 : -1;
}

static int fx_remove(const char *path, const struct stat *st, int type, struct FTW *f) {
    (void)st;
    (void)type;
    (void)f;
    return remove(path);
}
static void fx_close_rooms(void) {
    pool_close(fx.pool);
    hub_close(fx.hub);
    id_close(fx.id);
    xet_close(fx.xet);
    store_close(fx.store); /* its writer thread has used libgit2, too */
    git_close(fx.git);
}
static void fx_close(void) {
    fx_close_rooms();
    arena_release(&fx.arena);
    nftw(fx.dir, fx_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static err fx_deploy(const char *name, unsigned replicas, int64_t *id) {
    struct pool_deploy_req q = {
        .owner = STR("ann"), .repo = STR("m"), .name = str_of(name), .engine = STR("fake"), .replicas = replicas};
    return pool_deploy(fx.pool, &fx.who, &q, id);
}
/* As pool_list shows it; strings live until 16 looks later. */
static struct pool_row fx_row(int64_t id) {
    static struct arena turn[16];
    static unsigned at;
    struct arena *a = &turn[at++ % 16];
    struct pool_row *r, none = {.state = STR("gone")};
    size_t n;
    arena_release(a);
    arena_init(a, MiB);
    CHECK(pool_list(fx.pool, a, &fx.who, &r, &n) == OK);
    for (size_t i = 0; i < n; i++)
        if (r[i].id == id) return r[i];
    return none;
}
/* Wait until the deployment shows the state (and at least so many replicas ready). */
static bool fx_wait(int64_t id, const char *state, unsigned ready) {
    for (int i = 0; i < 600; i++) {
        struct pool_row r = fx_row(id);
        if (str_eqz(r.state, state) && r.ready >= ready) return true;
        if (fiber_sleep(25) != OK) return false;
    }
    struct pool_row r = fx_row(id);
    fprintf(stderr, "state " STR_FMT ", detail " STR_FMT "\n", STR_ARG(r.state), STR_ARG(r.detail));
    return false;
}
static pid_t fx_engine(void) {
    struct db_proc *v;
    size_t n;
    struct arena a;
    arena_init(&a, MiB);
    CHECK(pool_db_procs(fx.pool, &a, &v, &n) == OK);
    pid_t pid = n > 0 ? v[0].pid : 0;
    arena_release(&a);
    return pid;
}
static bool pid_gone(pid_t pid) {
    for (int i = 0; i < 400; i++) {
        if (proc_start_ticks(pid) < 0) return true;
        char p[64], b[64] = "";
        snprintf(p, sizeof p, "/proc/%d/cmdline", (int)pid); /* empty: a zombie that init has not reaped */
        FILE *f = fopen(p, "r");
        size_t n = f != NULL ? fread(b, 1, sizeof b, f) : 0;
        if (f != NULL) fclose(f);
        if (n == 0) return true;
        usleep(10000);
    }
    return false;
}
#endif
