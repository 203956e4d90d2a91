/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.c — engines as command templates: which file they load, their arguments, their environment.
 *
 * An engine is any program that speaks the OpenAI API on a port. The built-in "llamacpp" runs our small script
 * (tools/engine/llamacpp_server.py) in a private virtual environment. Others come from the configuration.
 */
#include <sched.h>
#include <unistd.h>

#include "pool/pool_int.h"

enum { MAX_ENGINES = 32, MAX_ENV = 128, DEFAULT_CTX = 4096 };

static const struct pool_engine builtin = {
    .name = {"llamacpp", 8},
    .argv = {{"{python}", 8},
             {"{script}", 8},
             {"{model}", 7},
             {"--port", 6},
             {"{port}", 6},
             {"--alias", 7},
             {"{alias}", 7},
             {"--threads", 9},
             {"{threads}", 9}},
    .n_argv = 9,
    .formats = {{"gguf", 4}},
    .n_formats = 1,
    .health_path = {"/health", 7},
    .start_timeout_ms = 180000,
    .stop_timeout_ms = 10000,
};

err engines_init(struct pool *p, const struct pool_opts *o) {
    if (o->n_engines >= MAX_ENGINES) return err_fail(E_UNPROCESSABLE, "engines: at most %d", MAX_ENGINES - 1);
    p->engines = arena_array(&p->arena, struct pool_engine, o->n_engines + 1);
    for (size_t i = 0; i < o->n_engines; i++) {
        const struct pool_engine *s = &o->engines[i];
        struct pool_engine *e = &p->engines[p->n_engines++];
        *e = *s;
        if (e->n_argv == 0 || e->n_argv > ARRAY_LEN(e->argv) || e->name.n == 0)
            return err_fail(E_UNPROCESSABLE, "engines: each needs a name and an argv of 1 to %zu words",
                            ARRAY_LEN(e->argv));
        for (size_t k = 0; k < e->n_argv; k++) e->argv[k] = arena_str(&p->arena, s->argv[k]);
        for (size_t k = 0; k < e->n_formats; k++) e->formats[k] = arena_str(&p->arena, s->formats[k]);
        e->name = arena_str(&p->arena, s->name);
        e->health_path = arena_str(&p->arena, s->health_path.n > 0 ? s->health_path : STR("/health"));
        if (e->start_timeout_ms <= 0) e->start_timeout_ms = 120000;
        if (e->stop_timeout_ms <= 0) e->stop_timeout_ms = 20000;
    }
    if (engine_find(p, builtin.name) == NULL) p->engines[p->n_engines++] = builtin;
    return OK;
}

const struct pool_engine *engine_find(struct pool *p, struct str name) {
    for (size_t i = 0; i < p->n_engines; i++)
        if (str_eq(p->engines[i].name, name)) return &p->engines[i];
    return NULL;
}

/* --- which file --------------------------------------------------------------------------------------------------- */
static bool has_format(const struct pool_engine *e, struct str path) {
    for (size_t i = 0; i < e->n_formats; i++) {
        struct str f = e->formats[i];
        if (path.n > f.n + 1 && path.p[path.n - f.n - 1] == '.' && str_ieq(str_from(path, path.n - f.n), f))
            return true;
    }
    return false;
}
/* Parts 2… of a split model come with the first. */
static bool is_later_part(struct str path) {
    ptrdiff_t at = str_find(path, STR("-of-"));
    return at >= 6 && path.p[at - 6] == '-' && !str_eqz(str_sub(path, (size_t)at - 5, 5), "00001");
}
static bool loads_folder(const struct pool_engine *e) {
    if (e->n_formats == 0) return true;
    for (size_t i = 0; i < e->n_formats; i++)
        if (str_eqz(e->formats[i], "safetensors")) return true;
    return false;
}

static err pick_single(const struct pool_engine *e, const struct git_entry *files, size_t n, struct str *out,
                       bool *found) {
    size_t hits = 0;
    for (size_t i = 0; i < n; i++) {
        if (files[i].is_dir || !has_format(e, files[i].path) || is_later_part(files[i].path)) continue;
        if (hits++ == 0) *out = files[i].path;
    }
    *found = hits == 1;
    if (hits > 1)
        return err_fail(E_UNPROCESSABLE,
                        "the revision has %zu files that engine '" STR_FMT "' loads; nothing was deployed. Say which: "
                        "file, for example '" STR_FMT "'",
                        hits, STR_ARG(e->name), STR_ARG(*out));
    return OK;
}

static err wrong_format(const struct pool_engine *e, struct str path) {
    char list[160] = "";
    size_t at = 0;
    for (size_t i = 0; i < e->n_formats && at < sizeof list; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s." STR_FMT, i > 0 ? ", " : "", STR_ARG(e->formats[i]));
    return err_fail(E_UNPROCESSABLE,
                    "file: engine '" STR_FMT "' loads %s, and '" STR_FMT
                    "' is not one; nothing was deployed. Name such a file, or an engine that loads this one",
                    STR_ARG(e->name), list, STR_ARG(path));
}

err engine_pick_file(const struct pool_engine *e, struct arena *a, const struct git_entry *files, size_t n,
                     struct str wish, struct str *out) {
    *out = STR("");
    if (wish.n > 0) {
        for (size_t i = 0; i < n; i++) {
            if (files[i].is_dir || !str_eq(files[i].path, wish)) continue;
            if (e->n_formats > 0 && !has_format(e, wish)) return wrong_format(e, wish);
            *out = arena_str(a, wish);
            return OK;
        }
        return err_fail(E_ENTRY_NOT_FOUND, "file: the revision has no file '" STR_FMT "'; nothing was deployed",
                        STR_ARG(wish));
    }
    bool found = false;
    if (loads_folder(e)) {
        for (size_t i = 0; i < n && !found; i++) found = e->n_formats == 0 || has_format(e, files[i].path);
        if (found) return OK;
    } else {
        TRY(pick_single(e, files, n, out, &found));
        if (found) return OK;
    }
    return err_fail(E_UNPROCESSABLE, "the revision has no file that engine '" STR_FMT "' loads; nothing was deployed",
                    STR_ARG(e->name));
}

/* --- arguments and environment
 * ---------------------------------------------------------------------------------------- */
bool engine_needs_python(const struct pool_engine *e) {
    for (size_t i = 0; i < e->n_argv; i++)
        if (str_find(e->argv[i], STR("{python}")) >= 0 || str_find(e->argv[i], STR("{script}")) >= 0) return true;
    return false;
}

static unsigned engine_threads(void) {
    cpu_set_t set;
    int n = sched_getaffinity(getpid(), sizeof set, &set) == 0 ? CPU_COUNT(&set) : 2;
    return n > 2 ? (unsigned)n - 1 : 1;
}

static char *fill(struct arena *a, struct str t, const struct engine_vars *v) {
    char port[8], threads[16], ctx[16];
    snprintf(port, sizeof port, "%u", v->port);
    snprintf(threads, sizeof threads, "%u", engine_threads());
    snprintf(ctx, sizeof ctx, "%d", DEFAULT_CTX);
    const struct {
        const char *key, *value;
    } vars[] = {{"{model}", v->model}, {"{port}", port},        {"{alias}", v->alias},  {"{threads}", threads},
                {"{ctx}", ctx},        {"{python}", v->python}, {"{script}", v->script}};
    struct buf b cleanup(buf_release);
    buf_init(&b, 64 * KiB);
    while (t.n > 0) {
        size_t hit = 0;
        for (size_t i = 0; i < ARRAY_LEN(vars) && hit == 0; i++) {
            if (!str_starts(t, vars[i].key)) continue;
            buf_cstr(&b, vars[i].value != NULL ? vars[i].value : "");
            hit = strlen(vars[i].key);
        }
        if (hit == 0) buf_char(&b, t.p[0]);
        t = str_from(t, MAX(hit, (size_t)1));
    }
    return arena_strz(a, buf_view(&b));
}

const char **engine_argv(const struct pool_engine *e, struct arena *a, const struct engine_vars *v) {
    const char **argv = arena_array(a, const char *, e->n_argv + 1);
    for (size_t i = 0; i < e->n_argv; i++) argv[i] = fill(a, e->argv[i], v);
    return argv;
}

/* Secrets of the server (provider keys) stay out: names are allowed one by one or by prefix. */
static bool env_allowed(const char *var) {
    static const char *const names[] = {"PATH=",         "HOME=",
                                        "TZ=",           "LD_LIBRARY_PATH=",
                                        "http_proxy=",   "https_proxy=",
                                        "no_proxy=",     "HTTP_PROXY=",
                                        "HTTPS_PROXY=",  "NO_PROXY=",
                                        "ALL_PROXY=",    "SSL_CERT_FILE=",
                                        "SSL_CERT_DIR=", "REQUESTS_CA_BUNDLE=",
                                        "CUDA_",         "NVIDIA_",
                                        "ROCR_",         "HIP_",
                                        "VLLM_",         "SGLANG_",
                                        "GGML_",         "LLAMA_",
                                        "OMP_",          "PIP_",
                                        "XDG_"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strncmp(var, names[i], strlen(names[i])) == 0) return true;
    return false;
}

const char **engine_env(struct pool *p, struct arena *a) {
    const char **env = arena_array(a, const char *, MAX_ENV + 8);
    size_t n = 0;
    for (char **v = environ; *v != NULL && n < MAX_ENV; v++)
        if (env_allowed(*v)) env[n++] = arena_strz(a, str_of(*v));
    env[n++] = "LANG=C.UTF-8";
    env[n++] = "HF_HUB_OFFLINE=1"; /* the model is on disk; an engine fetches nothing */
    env[n++] = "TRANSFORMERS_OFFLINE=1";
    env[n++] = "PYTHONUNBUFFERED=1";
    env[n++] = p->env_mark;
    return env;
}
