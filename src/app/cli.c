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

int cli_usage(struct cli *c, const char *why) {
    fprintf(stderr, "ballast: %s\n", why);
    if (c->cmd != NULL) fprintf(stderr, "%s: ballast %s %s\n", i18n(c->lang, N_("usage")), c->cmd->path, c->cmd->args);
    fprintf(stderr, "%s\n", i18n(c->lang, N_("`ballast help` lists the commands")));
    return EXIT_USAGE;
}

err cli_config(struct cli *c, struct config **out) {
    TRY(config_load(c->config_path, out));
    struct config *cf = *out;
    err e = OK;
    if (c->data != NULL) cf->data = arena_str(&cf->arena, str_of(c->data));
    if (c->listen != NULL) {
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

err cli_repo_arg(struct cli *c, const char *arg, struct repo_rec *repo, struct str *rev) {
    struct str s = str_of(arg), type_word = STR("models");
    enum repo_type t = REPO_MODEL;
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
    if (!repo_type_parse(type_word, &t) || slash <= 0 || (size_t)slash + 1 >= s.n || rev->n == 0)
        return err_fail(E_BAD_REQUEST, "\"%s\": expected OWNER/NAME, datasets/OWNER/NAME or spaces/OWNER/NAME", arg);
    bool moved;
    return repo_find(c->app->id, &c->arena, t, str_sub(s, 0, (size_t)slash), str_from(s, (size_t)slash + 1), repo,
                     &moved);
}

/* Longest command path that matches the leading words; *used = number of words taken. */
static const struct cli_cmd *find(int argc, char **argv, int *used) {
    const struct cli_cmd *best = NULL;
    for (size_t i = 0; i < cli_n_cmds; i++) {
        struct str rest = str_of(cli_cmds[i].path), word;
        int k = 0;
        while (str_split(&rest, ' ', &word) && 1 + k < argc && str_eqz(word, argv[1 + k])) {
            k++;
            if (rest.p == NULL && (best == NULL || k > *used)) best = &cli_cmds[i], *used = k;
        }
    }
    return best;
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

static int parse(struct cli *c, int argc, char **argv, int from) {
    bool only_pos = false;
    for (int i = from; i < argc; i++) {
        char why[256];
        if (!only_pos && strcmp(argv[i], "--") == 0) {
            only_pos = true;
            continue;
        }
        if (!only_pos && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) return -1;
        if (!only_pos && argv[i][0] == '-' && argv[i][1] != 0) {
            const char *name = argv[i];
            int t = take_option(c, argc, argv, &i);
            if (t == 1) continue;
            snprintf(why, sizeof why, i18n(c->lang, t < 0 ? N_("%s wants a value") : N_("unknown option %s")), name);
            return cli_usage(c, why);
        }
        if (c->n_pos == CLI_MAX_ARGS) return cli_usage(c, i18n(c->lang, N_("too many arguments")));
        c->pos[c->n_pos++] = argv[i];
    }
    return 0;
}

static void print_cmd(struct cli *c) {
    const struct cli_cmd *m = c->cmd;
    printf("ballast %s %s\n    %s\n", m->path, m->args, i18n(c->lang, m->summary));
    for (size_t i = 0; i < ARRAY_LEN(m->opts) && m->opts[i].name != NULL; i++)
        printf("  %s %-12s %s\n", m->opts[i].name, m->opts[i].arg ? m->opts[i].arg : "", i18n(c->lang, m->opts[i].doc));
}

int cli_main(int argc, char **argv) {
    struct cli c = {.lang = env_lang()};
    err_slot()->lang = (unsigned char)c.lang;
    int used = 0;
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) return cli_help(&c);
    if (strcmp(argv[1], "--version") == 0) return cmd_version(&c);
    c.cmd = find(argc, argv, &used);
    if (c.cmd == NULL) {
        char why[256];
        snprintf(why, sizeof why, i18n(c.lang, N_("unknown command \"%s\"")), argv[1]);
        return cli_usage(&c, why);
    }
    if (c.cmd->raw != NULL) return c.cmd->raw(argc - used, argv + used);
    arena_init(&c.arena, 256 * MiB);
    int code = parse(&c, argc, argv, 1 + used);
    if (code < 0) {
        print_cmd(&c);
        code = EXIT_DONE;
    } else if (code == 0) {
        code = c.cmd->fn(&c);
    }
    app_close(c.app);
    arena_release(&c.arena);
    return code;
}
