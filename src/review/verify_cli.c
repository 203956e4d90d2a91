/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_cli.c — `ballast review verify [--key KEY] FILE`: check a signed statement without a server.
 *
 * FILE is what GET /api/ballast/review/… answers: {"statement":"…","signature":"…","key":"…"}. KEY is the
 * public key (base64) obtained from somewhere trusted, or a file holding it; without it the key inside
 * the file is used and the answer says so, since that proves only that the file fits itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/i18n.h"
#include "base/json.h"
#include "review.h"
#include "sign.h"

enum { VERIFY_MAX = 64 * 1024 * 1024 };

static err read_file(struct arena *a, const char *path, struct str *out) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct buf b cleanup(buf_release);
    buf_init(&b, VERIFY_MAX);
    if (fd < 0) return err_errno(E_IO, errno, "%s", path);
    for (;;) {
        char *p = buf_room(&b, 64 * KiB);
        ssize_t n = p ? read(fd, p, 64 * KiB) : 0;
        if (n <= 0) break;
        buf_used(&b, (size_t)n);
    }
    close(fd);
    TRY(buf_ok(&b, path));
    *out = arena_str(a, buf_view(&b));
    return OK;
}

static bool key_bytes(struct str text, uint8_t pub[32]) {
    struct buf b cleanup(buf_release);
    buf_init(&b, 256);
    if (!base64_decode(&b, str_trim(text)) || b.n != 32) return false;
    memcpy(pub, b.p, 32);
    return true;
}

static err the_key(struct arena *a, const char *arg, struct jv root, uint8_t pub[32], bool *own) {
    struct str text = jv_str(jv_get(root, "key"), STR_NULL);
    *own = arg == NULL;
    if (arg) {
        text = str_of(arg);
        if (key_bytes(text, pub)) return OK;
        TRY(read_file(a, arg, &text));
    }
    if (!key_bytes(text, pub))
        return err_fail(E_BAD_REQUEST,
                        "the public key must be 32 bytes in base64, as /api/ballast/review/key gives it");
    return OK;
}

static err check(struct arena *a, const char *path, const char *key, enum lang lang, bool *good) {
    struct str text, statement, signature;
    struct jv root;
    uint8_t pub[32];
    bool own;
    const struct json_limits lim = {.max_bytes = VERIFY_MAX};
    TRY(read_file(a, path, &text));
    TRY(json_parse(a, text, &lim, &root));
    TRY(jv_need_str(root, "statement", &statement));
    TRY(jv_need_str(root, "signature", &signature));
    TRY(the_key(a, key, root, pub, &own));
    char id[17];
    sign_key_id(pub, id);
    *good = sign_check(pub, statement, signature);
    if (!*good) {
        printf("%s\n", i18n(lang, N_("INVALID: the signature does not fit the statement and the key")));
        return OK;
    }
    struct jv s;
    TRY(json_parse(a, statement, &lim, &s));
    struct str verdict = jv_str(jv_get(s, "verdict"), STR("?")), repo = jv_str(jv_get(s, "repository"), STR("?"));
    struct str commit = jv_str(jv_get(s, "commit"), STR("?")), who = jv_str(jv_get(s, "responsible"), STR("?"));
    printf(i18n(lang, N_("valid: %.*s at %.*s: %.*s, answered for by %.*s (key %s)\n")), STR_ARG(repo), STR_ARG(commit),
           STR_ARG(verdict), STR_ARG(review_responsible(lang, who)), id);
    if (own) printf("%s\n", i18n(lang, N_("The key came from the same file: give --key with the key you trust.")));
    return OK;
}

int review_verify_main(int argc, char **argv) {
    const char *lang_name = getenv("LC_ALL") && *getenv("LC_ALL") ? getenv("LC_ALL") : getenv("LANG");
    enum lang lang = lang_name && strncmp(lang_name, "zh", 2) == 0 ? LANG_ZH : LANG_EN;
    err_slot()->lang = (unsigned char)lang;
    const char *key = NULL, *path = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--key") == 0 && i + 1 < argc) key = argv[++i];
        else if (!path) path = argv[i];
    }
    if (!path) {
        fprintf(stderr, "%s\n", i18n(lang, N_("usage: ballast review verify [--key KEY] STATEMENT.json")));
        return 64;
    }
    struct arena a;
    bool good = false;
    arena_init(&a, 512 * MiB);
    err e = check(&a, path, key, lang, &good);
    if (e != OK) fprintf(stderr, "ballast review: %s\n", err_text());
    arena_release(&a);
    return e != OK ? 2 : good ? 0 : 1;
}
