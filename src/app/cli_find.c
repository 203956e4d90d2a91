/* SPDX-License-Identifier: Apache-2.0 */
/* cli_find.c — the command that was meant: exact, or the nearest one for the message. */
#include "app/cli.h"

/* Longest command path that matches the leading words; *used = number of words taken. */
const struct cli_cmd *cli_find(int n, char **words, int *used) {
    const struct cli_cmd *best = NULL;
    for (size_t i = 0; i < cli_n_cmds; i++) {
        struct str rest = str_of(cli_cmds[i].path), word;
        int k = 0;
        while (k < n && str_split(&rest, ' ', &word) && str_eqz(word, words[k])) {
            k++;
            if (rest.p == NULL && (best == NULL || k > *used)) best = &cli_cmds[i], *used = k;
        }
    }
    return best;
}

bool cli_in_group(const struct cli_cmd *m, struct str group) {
    return !m->hidden && strlen(m->path) > group.n && m->path[group.n] == ' ' &&
           str_eq(str_sub(str_of(m->path), 0, group.n), group);
}

bool cli_is_group(struct str word) {
    for (size_t i = 0; i < cli_n_cmds; i++)
        if (cli_in_group(&cli_cmds[i], word)) return true;
    return false;
}

/* The command whose path is nearest to the words written; one word is compared with first words, and of a known group
 * only the second word can be wrong. */
static const char *near_command(struct cli *c, int n, char **words) {
    char two[128];
    snprintf(two, sizeof two, "%s %s", words[0], n > 1 ? words[1] : "");
    const char *best = NULL;
    unsigned best_d = 99, d;
    for (size_t i = 0; i < cli_n_cmds; i++) {
        const struct cli_cmd *m = &cli_cmds[i];
        if (m->hidden) continue;
        bool pair = strchr(m->path, ' ') != NULL;
        struct str first = str_sub(str_of(m->path), 0, strcspn(m->path, " "));
        struct str written = pair && n > 1 ? str_of(two) : str_of(words[0]);
        struct str guess = pair && n == 1 ? first : str_of(m->path);
        if (pair && n > 1 && str_eqz(first, words[0])) written = str_of(words[1]), guess = str_from(guess, first.n + 1);
        if (str_near(written, guess, &d) && d < best_d)
            best_d = d, best = pair && n == 1 ? arena_strz(&c->arena, first) : m->path;
    }
    return best;
}

const char *cli_near_option(const struct cli_cmd *m, struct str written) {
    const char *best = NULL;
    unsigned best_d = 99, d;
    for (size_t i = 0; m != NULL && i < ARRAY_LEN(m->opts) && m->opts[i].name != NULL; i++)
        if (str_near(written, str_of(m->opts[i].name), &d) && d < best_d) best_d = d, best = m->opts[i].name;
    for (size_t i = 0; i < cli_n_common; i++)
        if (str_near(written, str_of(cli_common[i].name), &d) && d < best_d) best_d = d, best = cli_common[i].name;
    return best;
}

static int unknown(struct cli *c, int n, char **words) {
    const char *best = near_command(c, n, words);
    bool pair =
        n > 1 && words[1][0] != '-' && (best != NULL ? strchr(best, ' ') != NULL : cli_is_group(str_of(words[0])));
    char written[128], why[512];
    snprintf(written, sizeof written, "%.60s%s%.60s", words[0], pair ? " " : "", pair ? words[1] : "");
    if (best == NULL) snprintf(why, sizeof why, i18n(c->lang, N_("unknown command \"%s\"")), written);
    else snprintf(why, sizeof why, i18n(c->lang, N_("unknown command \"%s\" (did you mean \"%s\"?)")), written, best);
    return cli_usage(c, why);
}

/* "user" alone, or with an unknown second word, is answered by what there is under it. */
int cli_unknown(struct cli *c, int n, char **words) {
    struct str group = str_of(words[0]);
    bool help = n > 1 && (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0);
    if (!cli_is_group(group)) return unknown(c, n, words);
    if (help) return cli_help_about(c, 1, (const char *const *)words);
    int code = EXIT_USAGE;
    if (n > 1) code = unknown(c, n, words);
    else fprintf(stderr, i18n(c->lang, N_("ballast: \"%s\" is a group of commands:\n")), words[0]);
    for (size_t i = 0; i < cli_n_cmds; i++)
        if (cli_in_group(&cli_cmds[i], group)) fprintf(stderr, "  ballast %s %s\n", cli_cmds[i].path, cli_cmds[i].args);
    return code;
}
