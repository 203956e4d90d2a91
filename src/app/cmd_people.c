/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_people.c — users, organisations, tokens. */
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "app/app_db.h"
#include "app/cli.h"
#include "base/clock.h"
#include "base/hash.h"

static const char *role_name(enum role r) {
    static const char *const names[] = {"none", "read", "write", "admin"};
    return names[r];
}

static bool role_parse(const char *s, enum role *out) {
    for (enum role r = ROLE_NONE; r <= ROLE_ADMIN; r++)
        if (s != NULL && strcmp(s, role_name(r)) == 0) return *out = r, true;
    return false;
}

/* 20 characters of an alphabet without look-alikes: 2^114 possibilities. */
static void make_password(char out[21]) {
    static const char alphabet[] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    for (int i = 0; i < 20;) {
        uint8_t b;
        rnd_bytes(&b, 1);
        if (b < 224) out[i++] = alphabet[b % 56]; /* 224 = 4 * 56: no bias */
    }
    out[20] = 0;
}

/* Whoever presses Ctrl-C at the prompt gets the terminal back as it was. */
static struct termios terminal;
static void give_back(int sig) {
    tcsetattr(0, TCSAFLUSH, &terminal);
    signal(sig, SIG_DFL);
    raise(sig);
}

static bool ask(const char *prompt, char *out, size_t cap) {
    if (tcgetattr(0, &terminal) != 0) return false;
    struct termios silent = terminal;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    signal(SIGINT, give_back);
    signal(SIGTERM, give_back);
    tcsetattr(0, TCSAFLUSH, &silent); /* before the prompt: what is typed at once must not show, nor be lost */
    fputs(prompt, stderr);
    bool ok = fgets(out, (int)cap, stdin) != NULL;
    tcsetattr(0, TCSAFLUSH, &terminal);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    fputc('\n', stderr);
    if (ok) out[strcspn(out, "\n")] = 0;
    return ok;
}

/* *made: the password was invented here and must be shown. */
static err choose_password(struct cli *c, char out[256], bool *made) {
    *made = false;
    if (cli_opt(c, "--password-stdin") != NULL) {
        if (fgets(out, 256, stdin) == NULL)
            return err_fail(E_BAD_REQUEST, "--password-stdin: no password on standard input");
        out[strcspn(out, "\n")] = 0;
        return OK;
    }
    char again[256];
    if (!c->json && cli_tty(0) && cli_tty(2)) {
        if (!ask(i18n(c->lang, N_("Password (empty = make one): ")), out, 256))
            return err_fail(E_BAD_REQUEST, "no password given; no user was added");
        if (out[0] != 0) {
            if (!ask(i18n(c->lang, N_("Again: ")), again, sizeof again) || strcmp(out, again) != 0)
                return err_fail(E_BAD_REQUEST, "the two passwords differ; no user was added");
            return OK;
        }
    }
    make_password(out);
    *made = true;
    return OK;
}

int cmd_user_add(struct cli *c) {
    if (c->n_pos != 1) return cli_usage(c, i18n(c->lang, N_("give one user name")));
    char pw[256] = "";
    bool made;
    int64_t id;
    err e = cli_app(c);
    if (e == OK) e = choose_password(c, pw, &made);
    if (e == OK)
        e = id_user_add(c->app->id, str_of(c->pos[0]), str_of(cli_opt(c, "--fullname")), str_of(cli_opt(c, "--email")),
                        str_of(pw), cli_opt(c, "--admin") != NULL, &id);
    if (e == OK && cli_opt(c, "--reviewer") != NULL) e = id_user_reviewer(c->app->id, str_of(c->pos[0]), true);
    if (e != OK) return cli_fail(c, e);
    if (c->json) {
        struct cli_out o;
        cli_out_begin(&o);
        jw_obj(&o.w);
        jw_ki64(&o.w, "id", id);
        jw_kcstr(&o.w, "name", c->pos[0]);
        if (made) jw_kcstr(&o.w, "password", pw);
        jw_obj_end(&o.w);
        return cli_out_end(c, &o);
    }
    printf(i18n(c->lang, N_("user %s added\n")), c->pos[0]);
    if (made) printf(i18n(c->lang, N_("password (shown once): %s\n")), pw);
    return EXIT_DONE;
}

int cmd_user_list(struct cli *c) {
    struct owner_rec *o;
    size_t n;
    err e = cli_app(c);
    if (e == OK) e = app_db_owners(db_reader(c->app->store), &c->arena, &o, &n);
    if (e != OK) return cli_fail(c, e);
    struct cli_out out;
    cli_out_begin(&out);
    struct jw *w = &out.w;
    if (c->json) jw_arr(w);
    for (size_t i = 0; i < n; i++) {
        if (!c->json) {
            printf("%-24.*s %-5s %s%s%s %.*s\n", STR_ARG(o[i].name), o[i].is_org ? "org" : "user",
                   o[i].is_admin ? "admin " : "", o[i].is_reviewer ? "reviewer " : "", o[i].disabled ? "disabled " : "",
                   STR_ARG(o[i].fullname));
            continue;
        }
        jw_obj(w);
        jw_kstr(w, "name", o[i].name);
        jw_kcstr(w, "kind", o[i].is_org ? "org" : "user");
        jw_kstr(w, "fullname", o[i].fullname);
        jw_kbool(w, "admin", o[i].is_admin);
        jw_kbool(w, "reviewer", o[i].is_reviewer);
        jw_kbool(w, "disabled", o[i].disabled);
        jw_key(w, "created");
        jw_str(w, clock_iso_str(&c->arena, o[i].created_ms));
        jw_obj_end(w);
    }
    if (!c->json) return buf_release(&out.b), EXIT_DONE;
    jw_arr_end(w);
    return cli_out_end(c, &out);
}

int cmd_user_disable(struct cli *c) {
    if (c->n_pos != 1) return cli_usage(c, i18n(c->lang, N_("give one user name")));
    bool off = cli_opt(c, "--undo") == NULL;
    err e = cli_app(c);
    if (e == OK) e = id_user_disable(c->app->id, str_of(c->pos[0]), off);
    if (e != OK) return cli_fail(c, e);
    if (c->json) {
        struct cli_out o;
        cli_out_begin(&o);
        jw_obj(&o.w);
        jw_kcstr(&o.w, "name", c->pos[0]);
        jw_kbool(&o.w, "disabled", off);
        jw_obj_end(&o.w);
        return cli_out_end(c, &o);
    }
    printf(i18n(c->lang, off ? N_("user %s is barred\n") : N_("user %s may sign in again\n")), c->pos[0]);
    return EXIT_DONE;
}

int cmd_org_add(struct cli *c) {
    const char *owner = cli_opt(c, "--owner");
    if (c->n_pos != 1 || owner == NULL) return cli_usage(c, i18n(c->lang, N_("give a name and --owner USER")));
    struct owner_rec o;
    int64_t id;
    err e = cli_app(c);
    if (e == OK) e = id_owner_find(c->app->id, &c->arena, str_of(owner), &o);
    if (e == OK) e = id_org_add(c->app->id, str_of(c->pos[0]), str_of(cli_opt(c, "--fullname")), o.id, &id);
    if (e != OK) return cli_fail(c, e);
    if (c->json) {
        struct cli_out out;
        cli_out_begin(&out);
        jw_obj(&out.w);
        jw_ki64(&out.w, "id", id);
        jw_kcstr(&out.w, "name", c->pos[0]);
        jw_kcstr(&out.w, "owner", owner);
        jw_obj_end(&out.w);
        return cli_out_end(c, &out);
    }
    printf(i18n(c->lang, N_("organisation %s added\n")), c->pos[0]);
    return EXIT_DONE;
}

int cmd_org_member(struct cli *c) {
    enum role role;
    if (c->n_pos != 2 || !role_parse(cli_opt(c, "--role"), &role))
        return cli_usage(c, i18n(c->lang, N_("give an organisation, a user and --role read, write, admin or none")));
    struct owner_rec org, user;
    err e = cli_app(c);
    if (e == OK) e = id_owner_find(c->app->id, &c->arena, str_of(c->pos[0]), &org);
    if (e == OK) e = id_owner_find(c->app->id, &c->arena, str_of(c->pos[1]), &user);
    if (e == OK) e = id_org_member(c->app->id, org.id, user.id, role);
    if (e != OK) return cli_fail(c, e);
    if (c->json) {
        struct cli_out o;
        cli_out_begin(&o);
        jw_obj(&o.w);
        jw_kcstr(&o.w, "org", c->pos[0]);
        jw_kcstr(&o.w, "user", c->pos[1]);
        jw_kcstr(&o.w, "role", role_name(role));
        jw_obj_end(&o.w);
        return cli_out_end(c, &o);
    }
    printf(i18n(c->lang, N_("%s has the role %s in %s\n")), c->pos[1], role_name(role), c->pos[0]);
    return EXIT_DONE;
}

int cmd_token_create(struct cli *c) {
    enum role role = ROLE_READ;
    const char *name = cli_opt(c, "--name"), *days = cli_opt(c, "--days"), *r = cli_opt(c, "--role");
    uint64_t n_days = 0;
    if (c->n_pos != 1) return cli_usage(c, i18n(c->lang, N_("give one user name")));
    if (r != NULL && (!role_parse(r, &role) || role == ROLE_NONE))
        return cli_usage(c, i18n(c->lang, N_("--role: expected read, write or admin")));
    if (days != NULL && (!str_to_u64(str_of(days), &n_days) || n_days == 0 || n_days > 36500))
        return cli_usage(c, i18n(c->lang, N_("--days: expected a whole number from 1 to 36500")));
    struct owner_rec u;
    char secret[ID_TOKEN_MAX + 1];
    int64_t until = n_days == 0 ? 0 : clock_wall_ms() + (int64_t)n_days * 86400000;
    err e = cli_app(c);
    if (e == OK) e = id_owner_find(c->app->id, &c->arena, str_of(c->pos[0]), &u);
    if (e == OK)
        e = id_token_create(c->app->id, u.id, str_of(name != NULL ? name : "cli"), role, until,
                            str_of(cli_opt(c, "--secret")), secret);
    if (e != OK) return cli_fail(c, e);
    if (c->json) {
        struct cli_out o;
        cli_out_begin(&o);
        jw_obj(&o.w);
        jw_kcstr(&o.w, "token", secret);
        jw_kcstr(&o.w, "user", c->pos[0]);
        jw_kcstr(&o.w, "role", role_name(role));
        jw_ki64(&o.w, "expires_ms", until);
        jw_obj_end(&o.w);
        return cli_out_end(c, &o);
    }
    printf("%s\n", secret);
    return EXIT_DONE;
}

int cmd_token_list(struct cli *c) {
    struct app_token *t;
    size_t n;
    err e = cli_app(c);
    if (e == OK) e = app_db_tokens(db_reader(c->app->store), &c->arena, str_of(c->n_pos > 0 ? c->pos[0] : ""), &t, &n);
    if (e != OK) return cli_fail(c, e);
    struct cli_out out;
    cli_out_begin(&out);
    struct jw *w = &out.w;
    if (c->json) jw_arr(w);
    for (size_t i = 0; i < n; i++) {
        const char *state = t[i].revoked_ms                                        ? "revoked"
                            : t[i].expires_ms && t[i].expires_ms < clock_wall_ms() ? "expired"
                                                                                   : "valid";
        if (!c->json) {
            printf("%6" PRId64 "  %-16.*s %-6s %-8s %.*s  %.*s\n", t[i].id, STR_ARG(t[i].user), role_name(t[i].role),
                   state, STR_ARG(t[i].hint), STR_ARG(t[i].name));
            continue;
        }
        jw_obj(w);
        jw_ki64(w, "id", t[i].id);
        jw_kstr(w, "user", t[i].user);
        jw_kstr(w, "name", t[i].name);
        jw_kstr(w, "hint", t[i].hint);
        jw_kcstr(w, "role", role_name(t[i].role));
        jw_kcstr(w, "state", state);
        jw_ki64(w, "created_ms", t[i].created_ms);
        jw_ki64(w, "expires_ms", t[i].expires_ms);
        jw_ki64(w, "used_ms", t[i].used_ms);
        jw_obj_end(w);
    }
    if (!c->json) return buf_release(&out.b), EXIT_DONE;
    jw_arr_end(w);
    return cli_out_end(c, &out);
}

int cmd_token_revoke(struct cli *c) {
    int64_t id;
    if (c->n_pos != 1 || !str_to_i64(str_of(c->pos[0]), &id))
        return cli_usage(c, i18n(c->lang, N_("give the number of a token (`ballast token list`)")));
    err e = cli_app(c);
    if (e == OK) e = id_token_revoke(c->app->id, 0, id);
    if (e != OK) return cli_fail(c, e);
    if (c->json) {
        struct cli_out o;
        cli_out_begin(&o);
        jw_obj(&o.w);
        jw_ki64(&o.w, "id", id);
        jw_kbool(&o.w, "revoked", true);
        jw_obj_end(&o.w);
        return cli_out_end(c, &o);
    }
    printf(i18n(c->lang, N_("token %s is revoked\n")), c->pos[0]);
    return EXIT_DONE;
}
