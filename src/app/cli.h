/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.h — the command line as one table: dispatch, help, man page and shell completion all come from it.
 *
 * Exit codes (documented in the man page): 0 done; 1 a check found problems (fsck, log verify);
 * 2 the command failed, nothing was changed unless it says so; 3 and 4 belong to `review`; 64 usage.
 */
#ifndef BALLAST_CLI_H
#define BALLAST_CLI_H

#include "app/app.h"

enum { EXIT_DONE = 0, EXIT_PROBLEMS = 1, EXIT_FAILED = 2, EXIT_USAGE = 64, CLI_MAX_ARGS = 64 };

struct cli_opt {
    const char *name; /* "--role" */
    const char *arg;  /* "ROLE", NULL = switch */
    const char *doc;
};
struct cli;
struct cli_cmd {
    const char *path;    /* "user add" */
    const char *args;    /* "NAME [--admin]" without common options */
    const char *summary; /* msgid */
    struct cli_opt opts[10];
    int (*fn)(struct cli *c);
    int (*raw)(int argc, char **argv); /* commands that parse for themselves */
    bool hidden;
};
extern const struct cli_cmd cli_cmds[];
extern const size_t cli_n_cmds;
extern const struct cli_opt cli_common[];
extern const size_t cli_n_common;

struct cli {
    const struct cli_cmd *cmd;
    const char *pos[CLI_MAX_ARGS];
    size_t n_pos;
    const char *opt[10]; /* values of cmd->opts, in order; "" for a switch that is on */
    const char *data, *config_path, *listen;
    bool json;
    enum lang lang;
    struct arena arena;
    struct app *app; /* after cli_app */
};

/* One JSON object on stdout, for commands that change something: begin, jw_k…(&o.w, …), end. */
struct cli_out {
    struct buf b;
    struct jw w;
};

int cli_main(int argc, char **argv);
void cli_out_begin(struct cli_out *o);
int cli_out_end(struct cli *c, struct cli_out *o);          /* exit code */
const char *cli_opt(const struct cli *c, const char *name); /* NULL when absent */
/* Load the configuration with --data and --config applied. */
must_check err cli_config(struct cli *c, struct config **out);
/* Open the rooms on the data directory. */
must_check err cli_app(struct cli *c);
/* "ballast: TEXT" on stderr; returns EXIT_FAILED. */
int cli_fail(struct cli *c, err e);
int cli_usage(struct cli *c, const char *why);
/* The administrator on whose behalf the command line acts. */
must_check err cli_principal(struct cli *c, struct principal *out);
/* "OWNER/NAME", with an optional "datasets/" or "spaces/" prefix and "@REV" suffix. */
must_check err cli_repo_split(const char *arg, enum repo_type *t, struct str *owner, struct str *name, struct str *rev);
must_check err cli_repo_arg(struct cli *c, const char *arg, struct repo_rec *repo, struct str *rev);
/* Is a person watching? */
bool cli_tty(int fd);

/* cli_find.c */
const struct cli_cmd *cli_find(int n, char **words, int *used);
bool cli_in_group(const struct cli_cmd *m, struct str group); /* "user add" is in "user" */
bool cli_is_group(struct str word);
const char *cli_near_option(const struct cli_cmd *m, struct str written); /* NULL: nothing is near */
int cli_unknown(struct cli *c, int n, char **words);

int cli_help(struct cli *c);
void cli_print_cmd(struct cli *c);
/* Help on one command or on a group of them. */
int cli_help_about(struct cli *c, int n, const char *const *words);
void cli_help_man(struct buf *out);
void cli_help_completion(struct buf *out, bool zsh);

int cmd_serve(struct cli *c);
int cmd_user_add(struct cli *c);
int cmd_user_list(struct cli *c);
int cmd_user_disable(struct cli *c);
int cmd_org_add(struct cli *c);
int cmd_org_member(struct cli *c);
int cmd_token_create(struct cli *c);
int cmd_token_list(struct cli *c);
int cmd_token_revoke(struct cli *c);
int cmd_repo_list(struct cli *c);
int cmd_repo_create(struct cli *c);
int cmd_repo_delete(struct cli *c);
int cmd_deploy(struct cli *c);
int cmd_deployments(struct cli *c);
int cmd_undeploy(struct cli *c);
int cmd_verdict(struct cli *c);
int cmd_log_list(struct cli *c);
int cmd_log_verify(struct cli *c);
int cmd_fsck(struct cli *c);
int cmd_gc(struct cli *c);
int cmd_version(struct cli *c);
#endif
