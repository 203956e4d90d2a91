/* SPDX-License-Identifier: Apache-2.0 */
/* cli_help.c — help, man page and completion from the command table. */
#include "app/cli.h"
#include "app/config_schema.h"

static const struct {
    int code;
    const char *text;
} exits[] = {
    {0, N_("done; for review: pass or notice")},
    {1, N_("a check found problems (fsck, log verify)")},
    {2, N_("failed; nothing was changed unless the message says so")},
    {3, N_("review: a person should look")},
    {4, N_("review: blocked")},
    {64, N_("the command line was not understood")},
};

/* Text for roff: a hyphen that is typed is \-, and no line may begin with a control character. */
static void roff(struct buf *b, const char *text) {
    if (text[0] == '.' || text[0] == '\'') buf_cstr(b, "\\&");
    for (; *text != 0; text++) {
        if (*text == '-' || *text == '\\') buf_char(b, '\\');
        buf_char(b, *text == '\\' ? 'e' : *text);
    }
}

static void man_option(struct buf *b, const struct cli_opt *o) {
    buf_cstr(b, ".TP\n\\fB");
    roff(b, o->name);
    buf_printf(b, "\\fR %s\n", o->arg ? o->arg : "");
    roff(b, o->doc);
    buf_cstr(b, "\n");
}

void cli_help_man(struct buf *b) {
    buf_cstr(b, ".\\\" SPDX-License-Identifier: Apache-2.0\n.TH BALLAST 1 \"\" \"ballast " BALLAST_VERSION
                "\" \"User commands\"\n.SH NAME\n"
                "ballast \\- a sovereign AI community in one program\n.SH SYNOPSIS\n.B ballast\n.I "
                "COMMAND\n[\\fIARGUMENTS\\fR]\n.SH DESCRIPTION\n"
                "Share models and datasets with stock clients, review every revision before it can be loaded, serve "
                "what was reviewed\n"
                "behind an OpenAI-compatible endpoint. Every command works whether or not a server is running on the "
                "data directory.\n"
                ".SH COMMANDS\n");
    for (size_t i = 0; i < cli_n_cmds; i++) {
        const struct cli_cmd *m = &cli_cmds[i];
        if (m->hidden) continue;
        buf_printf(b, ".TP\n\\fB%s\\fR ", m->path);
        roff(b, m->args);
        buf_cstr(b, "\n");
        roff(b, m->summary);
        buf_cstr(b, "\n");
        for (size_t k = 0; k < ARRAY_LEN(m->opts) && m->opts[k].name != NULL; k++) {
            buf_cstr(b, ".RS\n");
            man_option(b, &m->opts[k]);
            buf_cstr(b, ".RE\n");
        }
    }
    buf_cstr(b, ".SH COMMON OPTIONS\n");
    for (size_t i = 0; i < cli_n_common; i++) man_option(b, &cli_common[i]);
    buf_cstr(b, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < ARRAY_LEN(exits); i++) buf_printf(b, ".TP\n%d\n%s\n", exits[i].code, exits[i].text);
    buf_cstr(b, ".SH ENVIRONMENT\n");
    for (size_t i = 0; i < config_schema_len; i++)
        if (config_schema[i].env != NULL)
            buf_printf(b, ".TP\n.B %s\nas the key %s of the configuration file\n", config_schema[i].env,
                       config_schema[i].name);
    buf_cstr(b, ".SH FILES\n.TP\n\\&./data\nthe data directory: records, chunk containers, git repositories, keys\n");
}

/* Each group once, in the order of the table. */
static void words_of_groups(struct buf *b) {
    for (size_t i = 0; i < cli_n_cmds; i++) {
        struct str word = str_sub(str_of(cli_cmds[i].path), 0, strcspn(cli_cmds[i].path, " "));
        if (!cli_cmds[i].hidden && word.n < strlen(cli_cmds[i].path) &&
            (i == 0 || !cli_in_group(&cli_cmds[i - 1], word)))
            buf_printf(b, STR_FMT " ", STR_ARG(word));
    }
}

static void words_of_group(struct buf *b, struct str group) {
    for (size_t i = 0; i < cli_n_cmds; i++)
        if (cli_in_group(&cli_cmds[i], group)) buf_printf(b, "%s ", cli_cmds[i].path + group.n + 1);
}

void cli_help_completion(struct buf *b, bool zsh) {
    if (zsh) buf_cstr(b, "autoload -U +X bashcompinit && bashcompinit\n");
    buf_cstr(b, "_ballast() {\n  local cur=${COMP_WORDS[COMP_CWORD]} words=${COMP_WORDS[*]:1:COMP_CWORD-1}\n"
                "  case \"${COMP_WORDS[COMP_CWORD-1]}\" in\n"
                "    --role) COMPREPLY=($(compgen -W 'read write admin' -- \"$cur\")); return ;;\n"
                "    --type) COMPREPLY=($(compgen -W 'model dataset space' -- \"$cur\")); return ;;\n"
                "    --completion) COMPREPLY=($(compgen -W 'bash zsh' -- \"$cur\")); return ;;\n"
                "    --data|--config) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
                "  esac\n  case \"$words\" in\n");
    for (size_t i = 0; i < cli_n_cmds; i++) {
        const struct cli_cmd *m = &cli_cmds[i];
        if (m->hidden) continue;
        buf_printf(b, "    '%s'*) COMPREPLY=($(compgen -f -W '", m->path);
        for (size_t k = 0; k < ARRAY_LEN(m->opts) && m->opts[k].name != NULL; k++)
            buf_printf(b, "%s ", m->opts[k].name);
        buf_cstr(b, "--data --config --json --help' -- \"$cur\")) ;;\n");
    }
    for (size_t i = 0; i < cli_n_cmds; i++) {
        struct str group = str_sub(str_of(cli_cmds[i].path), 0, strcspn(cli_cmds[i].path, " "));
        if (!cli_is_group(group) || (i > 0 && cli_in_group(&cli_cmds[i - 1], group))) continue;
        buf_printf(b, "    '" STR_FMT "') COMPREPLY=($(compgen -W '", STR_ARG(group));
        words_of_group(b, group);
        buf_cstr(b, "' -- \"$cur\")) ;;\n");
    }
    buf_cstr(b, "    '') COMPREPLY=($(compgen -W '");
    for (size_t i = 0; i < cli_n_cmds; i++)
        if (!cli_cmds[i].hidden && strchr(cli_cmds[i].path, ' ') == NULL) buf_printf(b, "%s ", cli_cmds[i].path);
    words_of_groups(b);
    buf_cstr(b, "' -- \"$cur\")) ;;\n  esac\n}\ncomplete -F _ballast ballast\n");
}

static int print(struct buf *b) {
    fwrite(b->p, 1, b->n, stdout);
    buf_release(b);
    return EXIT_DONE;
}

static void print_one(enum lang lang, const struct cli_cmd *m) {
    printf("ballast %s %s\n    %s\n", m->path, m->args, i18n(lang, m->summary));
    for (size_t i = 0; i < ARRAY_LEN(m->opts) && m->opts[i].name != NULL; i++) {
        char opt[64];
        snprintf(opt, sizeof opt, "%s %s", m->opts[i].name, m->opts[i].arg ? m->opts[i].arg : "");
        printf("  %-22s %s\n", opt, i18n(lang, m->opts[i].doc));
    }
}

static void print_common(enum lang lang) {
    printf("\n%s\n", i18n(lang, N_("Common options")));
    for (size_t i = 0; i < cli_n_common; i++)
        printf("  %-10s %-6s %s\n", cli_common[i].name, cli_common[i].arg ? cli_common[i].arg : "",
               i18n(lang, cli_common[i].doc));
}

void cli_print_cmd(struct cli *c) {
    print_one(c->lang, c->cmd);
    print_common(c->lang);
}

int cli_help_about(struct cli *c, int n, const char *const *words) {
    char *w[2] = {arena_strz(&c->arena, str_of(words[0])), n > 1 ? arena_strz(&c->arena, str_of(words[1])) : NULL};
    int used = 0;
    const struct cli_cmd *m = cli_find(MIN(n, 2), w, &used);
    if (m == NULL && (n > 1 || !cli_is_group(str_of(w[0])))) {
        c->cmd = NULL;
        return cli_unknown(c, MIN(n, 2), w);
    }
    if (m != NULL) print_one(c->lang, m);
    for (size_t i = 0; m == NULL && i < cli_n_cmds; i++)
        if (cli_in_group(&cli_cmds[i], str_of(w[0]))) print_one(c->lang, &cli_cmds[i]);
    print_common(c->lang);
    return EXIT_DONE;
}

static void list(struct cli *c) {
    printf("ballast " BALLAST_VERSION " — %s\n\n", i18n(c->lang, N_("a sovereign AI community in one program")));
    for (size_t i = 0; i < cli_n_cmds; i++)
        if (!cli_cmds[i].hidden)
            printf("  ballast %s %s\n      %s\n", cli_cmds[i].path, cli_cmds[i].args,
                   i18n(c->lang, cli_cmds[i].summary));
    print_common(c->lang);
    printf("\n%s\n", i18n(c->lang, N_("Exit codes")));
    for (size_t i = 0; i < ARRAY_LEN(exits); i++) printf("  %2d  %s\n", exits[i].code, i18n(c->lang, exits[i].text));
}

int cli_help(struct cli *c) {
    struct buf b;
    buf_init(&b, MiB);
    if (c->cmd != NULL && cli_opt(c, "--man") != NULL) return cli_help_man(&b), print(&b);
    if (c->cmd != NULL && cli_opt(c, "--config-doc") != NULL) return config_doc(&b), print(&b);
    const char *shell = c->cmd != NULL ? cli_opt(c, "--completion") : NULL;
    if (shell != NULL && strcmp(shell, "bash") != 0 && strcmp(shell, "zsh") != 0)
        return cli_usage(c, i18n(c->lang, N_("--completion: expected bash or zsh")));
    if (shell != NULL) return cli_help_completion(&b, strcmp(shell, "zsh") == 0), print(&b);
    if (c->n_pos > 0) return cli_help_about(c, (int)c->n_pos, c->pos);
    list(c);
    return EXIT_DONE;
}
