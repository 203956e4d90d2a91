/* SPDX-License-Identifier: Apache-2.0 */
/* cli.c — finds the command, parses its options, runs it. */
#include "app/cli.h"

#include <unistd.h>

#include "app/app_db.h"

bool cli_tty(int fd) {
    return isatty(fd) == 1;
}

static enum lang env_lang(void) {
    static const char *const vars[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < ARRAY_LEN(vars); i++) {
        const char *v = getenv(vars[i]);
        if (v != NULL && v[0] != 0) return str_starts(str_of(v), "zh") ? LANG_ZH : LANG_EN;
    }
    return LANG_EN;
}

const char *cli_opt(const struct cli *c, const char *name) {
    for (size_t i = 0; i < ARRAY_LEN(c->cmd->opts) && c->cmd->opts[i].name != NULL; i++)
        if (strcmp(c->cmd->opts[i].name, name) == 0) return c->opt[i];
    return NULL;
}

int cli_fail(struct cli *c, err e) {
    if (c->json) {
        struct buf b cleanup(buf_release);
        buf_init(&b, 16 * KiB);
        struct jw w;
        jw_init(&w, &b);
        jw_obj(&w);
        jw_kcstr(&w, "error", err_text());
        jw_kcstr(&w, "kind", e->name);
        jw_obj_end(&w);
        fprintf(stderr, STR_FMT "\n", STR_ARG(buf_view(&b)));
    } else {
        fprintf(stderr, "ballast: %s\n", err_text());
    }
    return EXIT_FAILED;
}

void cli_out_begin(struct cli_out *o) {
    buf_init(&o->b, 64 * MiB);
    jw_init(&o->w, &o->b);
}

int cli_out_end(struct cli *c, struct cli_out *o) {
    err e = buf_ok(&o->b, "the output");
    if (e == OK) printf(STR_FMT "\n", STR_ARG(buf_view(&o->b)));
    buf_release(&o->b);
    return e == OK ? EXIT_DONE : cli_fail(c, e);
}

int cli_usage(struct cli *c, const char *why) {
    fprintf(stderr, "ballast: %s\n", why);
    if (c->cmd != NULL) {
        fprintf(stderr, "%s: ballast %s %s\n", i18n(c->lang, N_("usage")), c->cmd->path, c->cmd->args);
        fprintf(stderr, i18n(c->lang, N_("`ballast %s --help` explains it\n")), c->cmd->path);
        return EXIT_USAGE;
    }
    fprintf(stderr, "%s\n", i18n(c->lang, N_("`ballast help` lists the commands")));
    return EXIT_USAGE;
}

err cli_config(struct cli *c, struct config **out) {
    TRY(config_load(c->config_path, out));
    struct config *cf = *out;
    err e = OK;
    if (c->data != NULL) {
        cf->data = arena_str(&cf->arena, str_of(c->data));
        cf->data_is_flag = true;
        if (cf->data.n == 0) e = err_fail(E_UNPROCESSABLE, "--data: expected a directory, got nothing");
    }
    if (e == OK && c->listen != NULL) {
        cf->listen_is_flag = true;
        cf->listen = arena_str(&cf->arena, str_of(c->listen));
        e = config_parse_listen(cf, cf->listen, "--listen");
    }
    if (e != OK) config_free(cf);
    return e;
}

err cli_app(struct cli *c) {
    struct config *cf;
    TRY(cli_config(c, &cf));
    if (access(arena_strz(&c->arena, cf->data), F_OK) != 0) {
        err e = err_fail(E_NOT_FOUND, "no data directory at \"" STR_FMT "\": start the server once, or give --data DIR",
                         STR_ARG(cf->data));
        config_free(cf);
        return e;
    }
    return app_open(cf, false, &c->app);
}

err cli_principal(struct cli *c, struct principal *out) {
    return app_db_first_admin(db_reader(c->app->store), &c->arena, out);
}

err cli_repo_split(const char *arg, enum repo_type *t, struct str *owner, struct str *name, struct str *rev) {
    struct str s = str_of(arg), type_word = STR("models");
    *t = REPO_MODEL;
    *rev = STR("main");
    ptrdiff_t at_sign = str_rchr(s, '@');
    if (at_sign >= 0) {
        *rev = str_from(s, (size_t)at_sign + 1);
        s = str_sub(s, 0, (size_t)at_sign);
    }
    static const char *const prefixes[] = {"models/", "datasets/", "spaces/"};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (str_starts(s, prefixes[i])) {
            type_word = str_sub(s, 0, strlen(prefixes[i]) - 1);
            s = str_from(s, strlen(prefixes[i]));
        }
    ptrdiff_t slash = str_chr(s, '/');
    *owner = str_sub(s, 0, (size_t)MAX(slash, (ptrdiff_t)0));
    *name = str_from(s, (size_t)(slash + 1));
    if (!repo_type_parse(type_word, t) || slash <= 0 || name->n == 0 || str_chr(*name, '/') >= 0 || rev->n == 0)
        return err_fail(E_BAD_REQUEST, "\"%s\": expected OWNER/NAME, datasets/OWNER/NAME or spaces/OWNER/NAME", arg);
    return OK;
}

err cli_repo_arg(struct cli *c, const char *arg, struct repo_rec *repo, struct str *rev) {
    enum repo_type t;
    struct str owner, name;
    bool moved;
    TRY(cli_repo_split(arg, &t, &owner, &name, rev));
    return repo_find(c->app->id, &c->arena, t, owner, name, repo, &moved);
}

static bool take_value(const char *name, int argc, char **argv, int *i, const char **value) {
    size_t n = strlen(name);
    if (strncmp(argv[*i], name, n) != 0) return false;
    if (argv[*i][n] == '=') {
        *value = argv[*i] + n + 1;
        return true;
    }
    if (argv[*i][n] != 0) return false;
    *value = *i + 1 < argc ? argv[++*i] : NULL;
    return true;
}

/* 1 = taken, 0 = not one of them, -1 = value missing */
static int take_option(struct cli *c, int argc, char **argv, int *i) {
    const char *v = NULL;
    if (strcmp(argv[*i], "--json") == 0) return c->json = true, 1;
    if (take_value("--data", argc, argv, i, &v)) return c->data = v, v ? 1 : -1;
    if (take_value("--config", argc, argv, i, &v)) return c->config_path = v, v ? 1 : -1;
    if (c->cmd == NULL) return 0;
    for (size_t k = 0; k < ARRAY_LEN(c->cmd->opts) && c->cmd->opts[k].name != NULL; k++) {
        const struct cli_opt *o = &c->cmd->opts[k];
        if (o->arg == NULL) {
            if (strcmp(argv[*i], o->name) == 0) return c->opt[k] = "", 1;
        } else if (take_value(o->name, argc, argv, i, &v)) {
            return c->opt[k] = v, v ? 1 : -1;
        }
    }
    return 0;
}

static int bad_option(struct cli *c, const char *name, int taken) {
    char why[256];
    if (taken < 0) {
        snprintf(why, sizeof why, i18n(c->lang, N_("%s wants a value")), name);
        return cli_usage(c, why);
    }
    struct str written = str_sub(str_of(name), 0, strcspn(name, "="));
    const char *best = cli_near_option(c->cmd, written);
    if (best == NULL) snprintf(why, sizeof why, i18n(c->lang, N_("unknown option %s")), name);
    else snprintf(why, sizeof why, i18n(c->lang, N_("unknown option %s (did you mean %s?)")), name, best);
    return cli_usage(c, why);
}

static int parse(struct cli *c, int argc, char **argv, int from) {
    bool only_pos = false;
    for (int i = from; i < argc; i++) {
        if (!only_pos && strcmp(argv[i], "--") == 0) {
            only_pos = true;
            continue;
        }
        if (!only_pos && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) return -1;
        if (!only_pos && argv[i][0] == '-' && argv[i][1] != 0) {
            const char *name = argv[i];
            int t = take_option(c, argc, argv, &i);
            if (t == 1) continue;
            return bad_option(c, name, t);
        }
        if (c->n_pos == CLI_MAX_ARGS) return cli_usage(c, i18n(c->lang, N_("too many arguments")));
        c->pos[c->n_pos++] = argv[i];
    }
    return 0;
}

/* Common options may stand before the command as well; *i becomes the place of the command's first word. */
static int leading_options(struct cli *c, int argc, char **argv, int *i) {
    while (*i < argc && argv[*i][0] == '-' && argv[*i][1] != 0) {
        const char *name = argv[*i];
        if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) return cli_help(c), -1;
        if (strcmp(name, "--version") == 0) return cmd_version(c), -1;
        int t = take_option(c, argc, argv, i);
        if (t != 1) return bad_option(c, name, t);
        ++*i;
    }
    return EXIT_DONE;
}

/* Commands that parse for themselves know --json, and get it also when it stood in front. */
static int run_raw(struct cli *c, int argc, char **argv, int last_word) {
    bool help =
        last_word + 1 < argc && (strcmp(argv[last_word + 1], "--help") == 0 || strcmp(argv[last_word + 1], "-h") == 0);
    if (help) return cli_print_cmd(c), EXIT_DONE;
    if (c->json && last_word > 1) {
        argv[last_word - 1] = argv[last_word];
        static char json[] = "--json";
        argv[last_word] = json;
        last_word--;
    }
    return c->cmd->raw(argc - last_word, argv + last_word);
}

static int run_parsed(struct cli *c, int argc, char **argv, int from) {
    int code = parse(c, argc, argv, from);
    if (code == EXIT_DONE) return c->cmd->fn(c);
    if (code > 0) return code;
    cli_print_cmd(c);
    return EXIT_DONE;
}

static int run(struct cli *c, int argc, char **argv) {
    int i = 1, used = 0, code = leading_options(c, argc, argv, &i);
    if (code != EXIT_DONE) return MAX(code, EXIT_DONE);
    if (i >= argc) return cli_help(c);
    c->cmd = cli_find(argc - i, argv + i, &used);
    if (c->cmd == NULL) return cli_unknown(c, argc - i, argv + i);
    if (c->cmd->raw != NULL) return run_raw(c, argc, argv, i + used - 1);
    return run_parsed(c, argc, argv, i + used);
}

int cli_main(int argc, char **argv) {
    struct cli c = {.lang = env_lang()};
    err_slot()->lang = (unsigned char)c.lang;
    arena_init(&c.arena, 256 * MiB);
    int code = run(&c, argc, argv);
    app_close(c.app);
    arena_release(&c.arena);
    return code;
}
