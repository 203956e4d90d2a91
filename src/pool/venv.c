/* SPDX-License-Identifier: Apache-2.0 */
/*
 * venv.c — the private Python environment of the built-in engine: DATA/engine/venv, made on first use.
 *
 * Packages are pinned by version and hash (tools/engine/requirements.txt, carried in the binary) and installed with
 * --require-hashes --no-deps --only-binary, so no code runs at installation and nothing else comes along. The mark
 * DATA/engine/venv/.ballast holds the digest of the requirements it was made from; another digest or none: made anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/log.h"
#include "pool/engine_files.h"
#include "pool/pool_int.h"

enum { VENV_TIMEOUT_MS = 120000, PIP_TIMEOUT_MS = 900000, WORDS_MAX = 64 << 10 };

/* Write text to DATA/engine/name (when it differs, by rename). */
static err write_file(struct pool *p, struct arena *a, const char *name, const char *text, const char **path) {
    char tmp_name[64];
    const char *tmp;
    snprintf(tmp_name, sizeof tmp_name, "%s.tmp", name);
    TRY(store_path(p->o.store, a, "engine", name, path));
    TRY(store_path(p->o.store, a, "engine", tmp_name, &tmp));
    FILE *f = fopen(tmp, "we");
    if (f == NULL) return err_errno(E_IO, errno, "cannot write %s", tmp);
    bool ok = fputs(text, f) >= 0;
    ok = fclose(f) == 0 && ok;
    if (!ok || rename(tmp, *path) != 0) return err_errno(E_IO, errno, "cannot write %s", *path);
    return OK;
}

static void digest_of(const char *text, char out[2 * SHA256_LEN + 1]) {
    uint8_t d[SHA256_LEN];
    hash_sha256(text, strlen(text), d);
    for (size_t i = 0; i < SHA256_LEN; i++) snprintf(out + 2 * i, 3, "%02x", d[i]);
}

static bool mark_is(const char *path, const char *want) {
    char b[128] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, b, sizeof b - 1) : 0;
    if (fd >= 0) close(fd);
    return n > 0 && strcmp(b, want) == 0;
}

/* pip's words for an index it cannot reach; it repeats them per attempt and then complains about the version. */
static bool index_unreachable(struct str words) {
    static const char *const signs[] = {"NewConnectionError", "ConnectTimeout", "ReadTimeout",  "NameResolutionError",
                                        "ProxyError",         "SSLError",       "MaxRetryError"};
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (str_find(words, str_of(signs[i])) >= 0) return true;
    return false;
}

/* The last line that says something, without line ends. */
static struct str last_line(struct str words) {
    ptrdiff_t nl;
    words = str_trim(words);
    while ((nl = str_rchr(words, '\n')) >= 0) words = str_trim(str_from(words, (size_t)nl + 1));
    return words.n > 200 ? str_sub(words, 0, 200) : words;
}

/* What the command said, newest last; in the arena. */
static struct str words_of(struct arena *a, int fd) {
    char *text = arena_alloc(a, WORDS_MAX);
    struct stat st;
    off_t from = fstat(fd, &st) == 0 && st.st_size > WORDS_MAX ? st.st_size - WORDS_MAX : 0;
    ssize_t n = pread(fd, text, WORDS_MAX, from);
    return n > 0 ? str_make(text, (size_t)n) : STR("");
}

static err failed(const char *const *argv, int code, struct str words) {
    struct str last = last_line(words);
    if (index_unreachable(words))
        return err_fail(E_UNAVAILABLE,
                        "the engine's package cannot be installed: the package index cannot be reached (" STR_FMT
                        "). Set PIP_INDEX_URL to one that can, or name an interpreter that has the package in "
                        "BALLAST_ENGINE_PYTHON; trying goes on",
                        STR_ARG(last));
    return err_fail(E_UNAVAILABLE,
                    "making the engine's Python environment failed: `%s %s %s` ended with code %d: " STR_FMT, argv[0],
                    argv[1], argv[2], code, STR_ARG(last));
}

/* Until it ends, its time is over, or the server stops: an installation must not hold up a stop. */
static err command_wait(struct pool *p, struct child *c, int64_t timeout_ms, int *code) {
    int64_t by = clock_mono_ms() + timeout_ms;
    err e;
    while ((e = child_wait(c, POOL_NAP_MS, code)) == E_TIMEOUT) {
        if (p->stopping) return err_fail(E_CANCELLED, "the server stops");
        if (clock_mono_ms() > by)
            return err_fail(E_TIMEOUT, "making the engine's Python environment took longer than %lld s and was ended",
                            (long long)timeout_ms / 1000);
    }
    return e;
}

/* Run a command to its end; what it says is kept in DATA/engine/install.log, its last words go into the error. */
static err command(struct pool *p, struct arena *a, const char *const *argv, int64_t timeout_ms) {
    struct child_opts o;
    struct child c;
    const char *log;
    int code = 0;
    TRY(store_path(p->o.store, a, "engine", "install.log", &log));
    child_opts_init(&o);
    o.argv = argv;
    o.env = engine_env(p, a);
    o.log_fd = open(log, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (o.log_fd < 0) return err_errno(E_IO, errno, "cannot write %s", log);
    err e = child_spawn(&o, &c);
    if (e == OK) {
        e = command_wait(p, &c, timeout_ms, &code);
        child_release(&c);
    }
    if (e == OK && code != 0) e = failed(argv, code, words_of(a, o.log_fd));
    close(o.log_fd);
    return e;
}

static err venv_make(struct pool *p, struct arena *a, const char *dir, const char *python, const char *requirements) {
    log_info("pool.venv", LZ("dir", dir));
    const char *const venv[] = {"python3", "-m", "venv", "--clear", dir, NULL};
    const char *const pip[] = {python,       "-m",        "pip",
                               "install",    "--quiet",   "--disable-pip-version-check",
                               "--no-input", "--no-deps", "--require-hashes",
                               "--retries",  "2",         "--only-binary",
                               ":all:",      "-r",        requirements,
                               NULL};
    TRY(command(p, a, venv, VENV_TIMEOUT_MS));
    return command(p, a, pip, PIP_TIMEOUT_MS);
}

static err venv_ready(struct pool *p, struct arena *a, const char **python) {
    const char *dir, *mark, *requirements;
    char digest[2 * SHA256_LEN + 1];
    digest_of(engine_file_requirements, digest);
    TRY(store_path(p->o.store, a, "engine", "venv", &dir));
    mark = arena_printf(a, "%s/.ballast", dir).p;
    *python = arena_printf(a, "%s/bin/python", dir).p;
    if (mark_is(mark, digest) && access(*python, X_OK) == 0) return OK;
    TRY(write_file(p, a, "requirements.txt", engine_file_requirements, &requirements));
    TRY(venv_make(p, a, dir, *python, requirements));
    FILE *f = fopen(mark, "we");
    if (f == NULL || fputs(digest, f) < 0 || fclose(f) != 0) return err_errno(E_IO, errno, "cannot write %s", mark);
    return OK;
}

err engine_python(struct pool *p, struct arena *a, const char **python, const char **script) {
    fmutex_lock(p->engine_mu);
    err e = write_file(p, a, "llamacpp_server.py", engine_file_script, script);
    const char *env = getenv("BALLAST_ENGINE_PYTHON");
    if (e == OK) {
        if (p->o.engine_python.n > 0) *python = arena_strz(a, p->o.engine_python);
        else if (env != NULL && *env != 0) *python = env;
        else e = venv_ready(p, a, python);
    }
    fmutex_unlock(p->engine_mu);
    return e;
}
