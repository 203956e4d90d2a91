/* SPDX-License-Identifier: Apache-2.0 */
/* sample_main.c — web_sample DIR: writes NAME.LANG.THEME.html and assets/ there, to be looked at without a server. */
#include <errno.h>
#include <sys/stat.h>

#include "sample.h"
#include "web/asset.h"

struct place {
    const char *dir, *lang, *theme;
};

static void write_file(const char *path, const char *p, size_t n) {
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(p, 1, n, f) != n || fclose(f) != 0) {
        fprintf(stderr, "cannot write %s\n", path);
        abort();
    }
}

static void each(void *ctx, const char *name, struct str html) {
    const struct place *at = ctx;
    char path[512];
    snprintf(path, sizeof path, "%s/%s.%s.%s.html", at->dir, name, at->lang, at->theme);
    write_file(path, html.p, html.n);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: web_sample DIR\n");
        return 2;
    }
    char path[512];
    snprintf(path, sizeof path, "%s/assets", argv[1]);
    if (mkdir(path, 0755) != 0 && errno != EEXIST) return 1;
    for (size_t i = 0; i < asset_table_len; i++) {
        snprintf(path, sizeof path, "%s%s", argv[1], asset_table[i].url);
        write_file(path, asset_table[i].p, asset_table[i].n);
    }
    for (int lang = 0; lang < LANG_COUNT; lang++)
        for (int dark = 0; dark < 2; dark++) {
            struct place at = {argv[1], lang == LANG_ZH ? "zh" : "en", dark ? "dark" : "light"};
            sample_pages((enum lang)lang, at.theme, each, &at);
        }
    return 0;
}
