/* SPDX-License-Identifier: Apache-2.0 */
/*
 * review_cli.c — `ballast review [--json] PATH…`: files and folders, offline.
 *
 * One JSON line a file, or one line a file and one per finding for people. Exit: 0 all pass or notice,
 * 3 some review, 4 some block, 2 something could not be read (which outranks the others).
 * Symbolic links are not followed; `.git` folders are skipped.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/i18n.h"
#include "base/json.h"
#include "review_int.h"
#include "rules.h"

enum { CLI_DEPTH_MAX = 64, CLI_NAMES_MAX = 1000000 };

struct cli_run {
    bool json, failed;
    enum lang lang;
    enum verdict worst;
    size_t files, counts[VERDICT_BLOCK + 1];
};

static enum lang cli_lang(void) {
    static const char *const vars[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < ARRAY_LEN(vars); i++) {
        const char *v = getenv(vars[i]);
        if (v && *v) return strncmp(v, "zh", 2) == 0 ? LANG_ZH : LANG_EN;
    }
    return LANG_EN;
}

static void print_json(struct arena *a, enum lang lang, const char *path, const struct review_file_result *r) {
    struct buf b cleanup(buf_release), list cleanup(buf_release);
    char hex[65];
    buf_init(&b, 1 * MiB);
    buf_init(&list, 1 * MiB);
    hex_encode(r->sha256, sizeof r->sha256, hex);
    rules_findings_json(a, lang, r, &list);
    struct jw w;
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kcstr(&w, "path", path);
    jw_kcstr(&w, "sha256", hex);
    jw_key(&w, "bytes");
    jw_u64(&w, r->bytes);
    jw_kstr(&w, "format", r->format);
    jw_kcstr(&w, "verdict", verdict_name(r->verdict));
    jw_kcstr(&w, "coverage", coverage_name(r->coverage));
    jw_key(&w, "findings");
    jw_raw(&w, buf_view(&list));
    jw_obj_end(&w);
    printf(STR_FMT "\n", STR_ARG(buf_view(&b)));
}

static void print_text(struct arena *a, const struct cli_run *c, const char *path, const struct review_file_result *r) {
    printf("%-7s %s  (" STR_FMT ", %s)\n", review_verdict_word(c->lang, r->verdict), path, STR_ARG(r->format),
           review_coverage_word(c->lang, r->coverage));
    for (size_t i = 0; i < r->n_findings; i++) {
        const struct review_finding *f = &r->findings[i];
        struct str m = review_message(a, c->lang, str_of(f->rule), f->message);
        printf("        %s %s: " STR_FMT "%s" STR_FMT "%s\n", review_verdict_word(c->lang, f->severity), f->rule,
               STR_ARG(m), f->where.n ? " [" : "", STR_ARG(f->where), f->where.n ? "]" : "");
    }
}

static void complain(struct cli_run *c, const char *path, const char *why) {
    fprintf(stderr, "ballast review: %s: %s\n", path, why);
    c->failed = true;
}

static void one_file(struct cli_run *c, const char *path, int fd) {
    struct arena a;
    struct review_file_result r;
    arena_init(&a, 64 * MiB);
    err e = review_file(&a, fd, str_of(path), &r);
    if (e != OK) {
        complain(c, path, err_text());
    } else {
        c->files++;
        c->counts[r.verdict]++;
        c->worst = MAX(c->worst, r.verdict);
        if (c->json) print_json(&a, c->lang, path, &r);
        else print_text(&a, c, path, &r);
    }
    arena_release(&a);
}

static int by_name(const void *x, const void *y) {
    return strcmp(*(char *const *)x, *(char *const *)y);
}

static size_t read_names(DIR *d, char ***out) {
    size_t n = 0, cap = 0;
    char **v = NULL;
    for (struct dirent *e; n < CLI_NAMES_MAX && (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || strcmp(e->d_name, ".git") == 0) continue;
        if (n == cap) {
            cap = cap ? cap * 2 : 64;
            char **p = realloc(v, cap * sizeof *p);
            if (!p) break;
            v = p;
        }
        if ((v[n] = strdup(e->d_name)) != NULL) n++;
    }
    if (n) qsort(v, n, sizeof *v, by_name);
    *out = v;
    return n;
}

static void visit(struct cli_run *c, const char *path, int fd, unsigned depth);

static void folder(struct cli_run *c, const char *path, int fd, unsigned depth) {
    DIR *d = depth < CLI_DEPTH_MAX ? fdopendir(fd) : NULL;
    if (!d) {
        close(fd);
        complain(c, path, i18n(c->lang, N_("the folder cannot be read or is nested too deeply")));
        return;
    }
    char **names, child[4096];
    size_t n = read_names(d, &names);
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        int k = snprintf(child, sizeof child, "%s/%s", path, names[i]);
        /* A link to a file is what a loader would read (a download cache is all links); one to a folder may go in
         * circles. What cannot be examined is said, and the exit code says it too. */
        int sub = -1;
        bool link = fstatat(dirfd(d), names[i], &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
        if (k <= 0 || (size_t)k >= sizeof child) complain(c, path, i18n(c->lang, N_("a name below it is too long")));
        else if (link && fstatat(dirfd(d), names[i], &st, 0) == 0 && S_ISDIR(st.st_mode))
            complain(c, child, i18n(c->lang, N_("a link to a folder is not followed")));
        else if ((sub = openat(dirfd(d), names[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
            complain(c, child, strerror(errno));
        else visit(c, child, sub, depth + 1);
        free(names[i]);
    }
    free(names);
    closedir(d);
}

/* Takes over fd. */
static void visit(struct cli_run *c, const char *path, int fd, unsigned depth) {
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        folder(c, path, fd, depth);
        return;
    }
    if (S_ISREG(st.st_mode)) one_file(c, path, fd);
    else complain(c, path, i18n(c->lang, N_("neither a file nor a folder")));
    close(fd);
}

static int usage(const struct cli_run *c) {
    fprintf(stderr, "%s\n",
            i18n(c->lang,
                 N_("usage: ballast review [--json] PATH…   or   ballast review verify [--key KEY] STATEMENT.json")));
    return 64; /* as for every other command; 2 is a file that cannot be read */
}

int review_cli_main(int argc, char **argv) {
    struct cli_run c = {.lang = cli_lang(), .worst = VERDICT_PASS};
    err_slot()->lang = (unsigned char)c.lang;
    int first = 1;
    if (argc > 1 && strcmp(argv[1], "verify") == 0) return review_verify_main(argc - 1, argv + 1);
    bool paths = false, only = false;
    for (int i = first; i < argc; i++) {
        if (!only && strcmp(argv[i], "--") == 0) only = true;
        else if (!only && strcmp(argv[i], "--json") == 0) c.json = true;
        else if (!only && argv[i][0] == '-' && argv[i][1]) return usage(&c);
        else paths = true;
    }
    if (!paths) return usage(&c);
    only = false;
    for (int i = first; i < argc; i++) {
        if (!only && strcmp(argv[i], "--") == 0) {
            only = true;
            continue;
        }
        if (!only && argv[i][0] == '-' && argv[i][1]) continue;
        int fd = open(argv[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0) complain(&c, argv[i], strerror(errno));
        else visit(&c, argv[i], fd, 0);
    }
    if (!c.json && c.files > 1)
        printf(i18n(c.lang, N_("%zu files: %zu pass, %zu notice, %zu review, %zu block\n")), c.files,
               c.counts[VERDICT_PASS], c.counts[VERDICT_NOTICE], c.counts[VERDICT_REVIEW], c.counts[VERDICT_BLOCK]);
    if (c.failed) return 2;
    return c.worst == VERDICT_BLOCK ? 4 : c.worst == VERDICT_REVIEW ? 3 : 0;
}
