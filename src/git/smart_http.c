/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smart_http.c — git's smart HTTP protocol by git's own programs, one child per request.
 *
 *   GET  info/refs?service=git-upload-pack|git-receive-pack   advertisement (v0, v1) or capabilities (v2)
 *   POST git-upload-pack                                       body spooled, wants checked, pack streamed
 *   POST git-receive-pack                                      body spooled, then under the repository's lock:
 *                                                              child, records, and only then the answer
 *
 * Children see nothing of this process's environment and one configuration file, ours (repos.c). Memory per request:
 * one block in, one block out; a push's answer (progress and status lines) is held back, at most ANSWER_MAX.
 */
#include "git/git_internal.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "git/pkt.h"
#include "git/spool.h"
#include "rt/child.h"

/* clang tells of its sanitizer in another way than gcc. */
#ifdef __has_feature
#define GIT_HTTP_CLANG_ASAN __has_feature(address_sanitizer)
#else
#define GIT_HTTP_CLANG_ASAN 0
#endif

enum {
    OUT_BLOCK = 64 * 1024,
    ANSWER_MAX = 4 << 20,
    ADVERT_MAX = 64 << 20,
    FETCH_BODY_MAX = 64 << 20, /* wants and haves */
    WANTS_MAX = 65536,
    SILENCE_MS = 300000, /* a child that says nothing for so long is ended */
    PUSH_RUN_MS = 1800000,
    CHILDREN_MAX = 64,
    CHILD_WAIT_MS = 30000,
};

struct job {
    struct git *g;
    struct http_req *r;
    int64_t repo_id;
    const char *dir;
    const char *env[GIT_CHILD_ENV_MAX + 1];
    size_t n_env;
    struct child_opts opts;
};

/* At most CHILDREN_MAX children at once; a request waits a while for its turn, then 503. */
static err turn_get(struct git *g) {
    int64_t until = clock_mono_ms() + CHILD_WAIT_MS;
    for (;;) {
        unsigned n = atomic_load(&g->children);
        while (n < CHILDREN_MAX)
            if (atomic_compare_exchange_weak(&g->children, &n, n + 1)) return OK;
        if (clock_mono_ms() > until) break;
        TRY(fiber_sleep(50));
    }
    err e = err_fail(E_UNAVAILABLE, "too many git requests run at once; nothing was changed, try again in a moment");
    err_slot()->retry_after_s = 10;
    return e;
}

static void turn_put(struct git *g) {
    atomic_fetch_sub(&g->children, 1);
}

static void env_add(struct job *j, const char *name, struct str value) {
    BUG_ON(j->n_env >= GIT_CHILD_ENV_MAX);
    j->env[j->n_env++] = arena_printf(j->r->arena, "%s=" STR_FMT, name, STR_ARG(value)).p;
}

/* Git-Protocol: colon-separated key=value words; anything else is as if it were not sent. */
static struct str protocol_of(struct http_req *r) {
    struct str v = http_header(r, "git-protocol");
    if (v.p == NULL || v.n == 0 || v.n > 128) return STR_NULL;
    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '=' || c == ':' || c == '-' || c == '.'))
            return STR_NULL;
    }
    return v;
}

static bool is_v2(struct str protocol) {
    struct str word;
    while (str_split(&protocol, ':', &word))
        if (str_eqz(word, "version=2")) return true;
    return false;
}

size_t git_child_env(const struct git *g, struct arena *a, const char **env) {
    const char *path = getenv("PATH");
    size_t n = 0;
    env[n++] = arena_printf(a, "PATH=%s", path != NULL && *path != 0 ? path : "/usr/local/bin:/usr/bin:/bin").p;
    env[n++] = arena_printf(a, "HOME=%s", g->root).p;
    env[n++] = "LANG=C.UTF-8";
    env[n++] = "GIT_CONFIG_NOSYSTEM=1";
    env[n++] = arena_printf(a, "GIT_CONFIG_GLOBAL=%s", g->config).p;
    env[n++] = "GIT_ATTR_NOSYSTEM=1";
    env[n++] = "GIT_TERMINAL_PROMPT=0";
    env[n] = NULL;
    return n;
}

void git_child_opts(struct child_opts *o) {
    child_opts_init(o);
#if !defined(__SANITIZE_ADDRESS__) && !GIT_HTTP_CLANG_ASAN
    o->rlim_as_bytes = (uint64_t)8 << 30; /* the sanitizer's shadow needs terabytes of addresses */
#endif
    o->rlim_cpu_s = 1800;
    o->rlim_fsize_bytes = (uint64_t)16 << 30;
    o->rlim_nofile = 1024;
}

static err job_init(struct job *j, struct git *g, struct http_req *r, int64_t repo_id, bool receive) {
    *j = (struct job){.g = g, .r = r, .repo_id = repo_id};
    TRY(git_repo_path(g, r->arena, repo_id, &j->dir));
    if (access(j->dir, F_OK) != 0) return err_fail(E_REPO_NOT_FOUND, "the repository's git folder does not exist");
    j->n_env = git_child_env(g, r->arena, j->env);
    struct str protocol = protocol_of(r);
    if (protocol.n > 0 && !receive) env_add(j, "GIT_PROTOCOL", protocol);
    git_child_opts(&j->opts);
    j->opts.env = j->env;
    j->opts.cwd = j->dir;
    return OK;
}

static void no_cache(struct http_req *r) {
    http_set(r, "Cache-Control", STR("no-cache, max-age=0, must-revalidate"));
    http_set(r, "Expires", STR("Fri, 01 Jan 1980 00:00:00 GMT"));
    http_set(r, "Pragma", STR("no-cache"));
}

/* --- info/refs --------------------------------------------------------------------------------------------- */

static err git_child_failed(const char *what, int code, struct str errs) {
    log_error("git.child", LZ("what", what), LI("exit", code), LS("stderr", str_sub(str_trim(errs), 0, 1000)));
    return err_fail(E_INTERNAL, "git %s failed with exit code %d", what, code);
}

err git_http_info_refs(struct git *g, struct http_req *r, int64_t repo_id, bool receive) {
    struct job j;
    TRY(job_init(&j, g, r, repo_id, receive));
    const char *what = receive ? "receive-pack" : "upload-pack";
    const char *argv[] = {"git", what, "--stateless-rpc", "--http-backend-info-refs", "--strict", ".", NULL};
    if (receive) argv[4] = ".", argv[5] = NULL;
    struct buf out cleanup(buf_release), errs cleanup(buf_release);
    buf_init(&out, ADVERT_MAX);
    buf_init(&errs, 64 * KiB);
    if (receive || !is_v2(protocol_of(r))) {
        pkt_line(&out, arena_printf(r->arena, "# service=git-%s\n", what));
        pkt_flush(&out);
    }
    j.opts.argv = argv;
    int code = 0;
    TRY(turn_get(g));
    err e = child_run(&j.opts, STR_NULL, &out, &errs, SILENCE_MS, &code);
    turn_put(g);
    TRY(e);
    if (code != 0) return git_child_failed(what, code, buf_view(&errs));
    TRY(buf_ok(&out, "the list of references"));
    no_cache(r);
    return http_reply(r, 200,
                      receive ? "application/x-git-receive-pack-advertisement"
                              : "application/x-git-upload-pack-advertisement",
                      buf_view(&out));
}

static err check_type(struct http_req *r, const char *want) {
    struct str type = http_header(r, "content-type");
    if (str_eqz(type, want)) return OK;
    return err_fail(E_BAD_REQUEST, "Content-Type: expected %s", want);
}

/* --- upload-pack ------------------------------------------------------------------------------------------- */

/* The wants of a spooled request, handed to the gate. */
static err wants_check(struct job *j, const struct spool *sp, const struct git_http_hooks *hooks) {
    if (sp->size == 0) return err_fail(E_BAD_REQUEST, "the request is empty");
    void *p = mmap(NULL, sp->size, PROT_READ, MAP_PRIVATE, sp->fd, 0);
    if (p == MAP_FAILED) return err_fail(E_NOMEM, "out of memory");
    struct str *wants = arena_try(j->r->arena, WANTS_MAX * sizeof *wants);
    size_t n = 0;
    err e = wants == NULL ? err_fail(E_NOMEM, "out of memory") : OK;
    enum pkt_wants w = e == OK ? pkt_wants(str_make(p, sp->size), wants, WANTS_MAX, &n) : PKT_OK;
    if (w == PKT_MALFORMED) e = err_fail(E_BAD_REQUEST, "the request is not in git's pkt-line format");
    if (w == PKT_LIMIT) e = err_fail(E_LIMIT, "more than %d objects are asked for at once", WANTS_MAX);
    if (e == OK) e = hooks->fetch_wants(hooks->arg, j->r, j->repo_id, wants, n);
    munmap(p, sp->size);
    return e;
}

/* Child's stdout to the client; the head goes out with the first bytes, so an early failure can still be an error. */
static err stream_out(struct job *j, struct child *c, char *block) {
    struct http_req *r = j->r;
    for (;;) {
        size_t n = 0;
        err e = sock_read(c->out, block, OUT_BLOCK, SILENCE_MS, &n);
        if (e == E_EOF) break;
        TRY(e);
        if (!http_head_sent(r)) {
            no_cache(r);
            TRY(http_begin(r, 200, "application/x-git-upload-pack-result", -1));
        }
        TRY(http_write(r, block, n));
    }
    int code = 0;
    TRY(child_wait(c, 10000, &code));
    if (!http_head_sent(r)) {
        if (code != 0) return git_child_failed("upload-pack", code, STR(""));
        no_cache(r);
        return http_reply(r, 200, "application/x-git-upload-pack-result", STR(""));
    }
    /* A client that hangs up early, or a refusal git already told in its own stream: log, do not cut a whole answer. */
    if (code != 0) log_info("git.upload_pack", LI("repo", j->repo_id), LI("exit", code));
    return http_end(r);
}

static err upload_run(struct job *j, const struct spool *sp) {
    static const char *const argv[] = {"git", "upload-pack", "--stateless-rpc", "--strict", ".", NULL};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    j->opts.argv = argv;
    j->opts.in_fd = sp->fd;
    j->opts.pipe_out = true;
    j->opts.log_fd = null; /* what a client should know upload-pack says in the stream */
    struct child c;
    err e = child_spawn(&j->opts, &c);
    if (null >= 0) close(null);
    TRY(e);
    char *block = malloc(OUT_BLOCK);
    e = block == NULL ? err_fail(E_NOMEM, "out of memory") : stream_out(j, &c, block);
    free(block);
    child_release(&c);
    return e;
}

err git_http_upload(struct git *g, struct http_req *r, int64_t repo_id, const struct git_http_hooks *hooks) {
    struct job j;
    struct spool sp;
    TRY(check_type(r, "application/x-git-upload-pack-request"));
    TRY(job_init(&j, g, r, repo_id, false));
    TRY(spool_body(g->store, r, FETCH_BODY_MAX, &sp));
    err e = wants_check(&j, &sp, hooks);
    if (e == OK) e = turn_get(g);
    if (e == OK) {
        e = upload_run(&j, &sp);
        turn_put(g);
    }
    spool_close(&sp);
    return e;
}

/* --- receive-pack ------------------------------------------------------------------------------------------- */

static err receive_run(struct job *j, const struct spool *sp, struct buf *out) {
    const char *hooks = arena_printf(j->r->arena, "core.hooksPath=%s", j->g->hooks).p;
    const char *argv[] = {"git", "-c", hooks, "receive-pack", "--stateless-rpc", ".", NULL};
    struct buf errs cleanup(buf_release);
    buf_init(&errs, 64 * KiB);
    int code = 0;
    j->opts.argv = argv;
    j->opts.in_fd = sp->fd;
    TRY(child_run(&j->opts, STR_NULL, out, &errs, PUSH_RUN_MS, &code));
    if (code != 0 && out->n == 0) return git_child_failed("receive-pack", code, buf_view(&errs));
    return buf_ok(out, "git's answer");
}

static err receive_locked(struct job *j, const struct spool *sp, int64_t user_id, const struct git_http_hooks *hooks,
                          struct buf *out) {
    err e = receive_run(j, sp, out);
    struct err_slot first = *err_slot();
    /* also after a failure: some references may have moved before it */
    err recorded = hooks->refs_moved(hooks->arg, j->repo_id, user_id);
    if (e == OK) return recorded;
    *err_slot() = first;
    return e;
}

/* The lock before the turn: pushes to one busy repository then occupy one child, not all of them. */
static err receive_turn(struct job *j, const struct spool *sp, int64_t user_id, const struct git_http_hooks *hooks,
                        struct buf *out) {
    struct git_lock *lock = NULL;
    TRY(git_lock(j->g, j->repo_id, &lock));
    err e = turn_get(j->g);
    if (e == OK) {
        e = receive_locked(j, sp, user_id, hooks, out);
        turn_put(j->g);
    }
    git_unlock(lock);
    if (e == OK) git_tidy_note(j->g, j->repo_id);
    return e;
}

err git_http_receive(struct git *g, struct http_req *r, int64_t repo_id, int64_t user_id,
                     const struct git_push_limits *lim, const struct git_http_hooks *hooks) {
    struct job j;
    struct spool sp;
    TRY(check_type(r, "application/x-git-receive-pack-request"));
    TRY(job_init(&j, g, r, repo_id, true));
    env_add(&j, "BALLAST_DATA", str_of(g->data));
    env_add(&j, "BALLAST_REPO_ID", arena_printf(r->arena, "%" PRId64, repo_id));
    env_add(&j, "BALLAST_BLOB_MAX",
            arena_printf(r->arena, "%" PRIu64, lim->blob_max > 0 ? lim->blob_max : (uint64_t)(10 * MiB)));
#ifdef __SANITIZE_ADDRESS__
    env_add(&j, "ASAN_OPTIONS", STR("detect_leaks=0"));
#endif
    TRY(spool_body(g->store, r, lim->pack_max > 0 ? lim->pack_max : (uint64_t)4 << 30, &sp));
    struct buf out cleanup(buf_release);
    buf_init(&out, ANSWER_MAX);
    err e = receive_turn(&j, &sp, user_id, hooks, &out);
    spool_close(&sp);
    TRY(e);
    no_cache(r);
    return http_reply(r, 200, "application/x-git-receive-pack-result", buf_view(&out));
}
