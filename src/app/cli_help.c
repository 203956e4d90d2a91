/* SPDX-License-Identifier: Apache-2.0 */
/* cli_help.c — help, man page and completion from the command table. */
#include "app/cli.h"

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
        buf_printf(b, ".TP\n.B %s\n%s\n.br\n%s\n", m->path, m->args[0] ? m->args : "\\&", m->summary);
        for (size_t k = 0; k < ARRAY_LEN(m->opts) && m->opts[k].name != NULL; k++)
            buf_printf(b, ".RS\n.TP\n\\fB%s\\fR %s\n%s\n.RE\n", m->opts[k].name, m->opts[k].arg ? m->opts[k].arg : "",
                       m->opts[k].doc);
    }
    buf_cstr(b, ".SH COMMON OPTIONS\n");
    for (size_t i = 0; i < cli_n_common; i++)
        buf_printf(b, ".TP\n\\fB%s\\fR %s\n%s\n", cli_common[i].name, cli_common[i].arg ? cli_common[i].arg : "",
                   cli_common[i].doc);
    buf_cstr(b, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < ARRAY_LEN(exits); i++) buf_printf(b, ".TP\n%d\n%s\n", exits[i].code, exits[i].text);
    buf_cstr(b, ".SH FILES\n.TP\n./data\nthe data directory: records, chunk containers, git repositories, keys\n");
}

void cli_help_completion(struct buf *b, bool zsh) {
    if (zsh) buf_cstr(b, "autoload -U +X bashcompinit && bashcompinit\n");
    buf_cstr(b, "_ballast() {\n  local cur=${COMP_WORDS[COMP_CWORD]} words=${COMP_WORDS[*]:1:COMP_CWORD-1}\n  case "
                "\"$words\" in\n");
    for (size_t i = 0; i < cli_n_cmds; i++) {
        const struct cli_cmd *m = &cli_cmds[i];
        if (m->hidden) continue;
        buf_printf(b, "    '%s'*) COMPREPLY=($(compgen -f -W '", m->path);
        for (size_t k = 0; k < ARRAY_LEN(m->opts) && m->opts[k].name != NULL; k++)
            buf_printf(b, "%s ", m->opts[k].name);
        buf_cstr(b, "--data --config --json' -- \"$cur\")) ;;\n");
    }
    static const char *const groups[] = {"user", "org", "token", "repo", "log"};
    for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
        buf_printf(b, "    '%s') COMPREPLY=($(compgen -W '", groups[g]);
        for (size_t i = 0; i < cli_n_cmds; i++)
            if (str_starts(str_of(cli_cmds[i].path), groups[g]) && cli_cmds[i].path[strlen(groups[g])] == ' ')
                buf_printf(b, "%s ", cli_cmds[i].path + strlen(groups[g]) + 1);
        buf_cstr(b, "' -- \"$cur\")) ;;\n");
    }
    buf_cstr(b, "    '') COMPREPLY=($(compgen -W '");
    for (size_t i = 0; i < cli_n_cmds; i++)
        if (!cli_cmds[i].hidden && strchr(cli_cmds[i].path, ' ') == NULL) buf_printf(b, "%s ", cli_cmds[i].path);
    for (size_t g = 0; g < ARRAY_LEN(groups); g++) buf_printf(b, "%s ", groups[g]);
    buf_cstr(b, "' -- \"$cur\")) ;;\n  esac\n}\ncomplete -F _ballast ballast\n");
}

static int print(struct buf *b) {
    fwrite(b->p, 1, b->n, stdout);
    buf_release(b);
    return EXIT_DONE;
}

static void list(struct cli *c) {
    printf("ballast " BALLAST_VERSION " — %s\n\n", i18n(c->lang, N_("a sovereign AI community in one program")));
    for (size_t i = 0; i < cli_n_cmds; i++)
        if (!cli_cmds[i].hidden)
            printf("  ballast %s %s\n      %s\n", cli_cmds[i].path, cli_cmds[i].args,
                   i18n(c->lang, cli_cmds[i].summary));
    printf("\n%s\n", i18n(c->lang, N_("Common options")));
    for (size_t i = 0; i < cli_n_common; i++)
        printf("  %-10s %-6s %s\n", cli_common[i].name, cli_common[i].arg ? cli_common[i].arg : "",
               i18n(c->lang, cli_common[i].doc));
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
    list(c);
    return EXIT_DONE;
}
