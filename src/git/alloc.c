/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alloc.c — libgit2's memory, with the reserve behind it: some of its paths do not survive a refusal (a reference that
 * is looked up ends the process). Set before the library starts.
 */
#include "git/git_internal.h"

#include "base/reserve.h"

static void *g_malloc(size_t n, const char *file, int line) {
    (void)file, (void)line;
    return reserve_malloc(n);
}
static void *g_realloc(void *p, size_t n, const char *file, int line) {
    (void)file, (void)line;
    return reserve_realloc(p, n);
}
#if LIBGIT2_VER_MAJOR == 1 && LIBGIT2_VER_MINOR < 6 /* later versions derive these themselves */
static void *g_array(size_t n, size_t size, const char *file, int line) {
    size_t total;
    return __builtin_mul_overflow(n, size, &total) ? NULL : g_malloc(total, file, line);
}
static void *g_calloc(size_t n, size_t size, const char *file, int line) {
    void *p = g_array(n, size, file, line);
    if (p != NULL) memset(p, 0, n * size);
    return p;
}
static void *g_rearray(void *p, size_t n, size_t size, const char *file, int line) {
    size_t total;
    return __builtin_mul_overflow(n, size, &total) ? NULL : g_realloc(p, total, file, line);
}
static char *g_substr(const char *s, size_t n, const char *file, int line) {
    char *p = g_malloc(n + 1, file, line);
    if (p == NULL) return NULL;
    memcpy(p, s, n);
    p[n] = 0;
    return p;
}
static char *g_strn(const char *s, size_t n, const char *file, int line) {
    return g_substr(s, strnlen(s, n), file, line);
}
static char *g_str(const char *s, const char *file, int line) {
    return g_substr(s, strlen(s), file, line);
}
#endif

void git_lib_alloc_setup(void) {
    static git_allocator a = {
        .gmalloc = g_malloc,
        .grealloc = g_realloc,
        .gfree = reserve_free,
#if LIBGIT2_VER_MAJOR == 1 && LIBGIT2_VER_MINOR < 6
        .gcalloc = g_calloc,
        .gmallocarray = g_array,
        .greallocarray = g_rearray,
        .gstrdup = g_str,
        .gstrndup = g_strn,
        .gsubstrdup = g_substr,
#endif
    };
    git_libgit2_opts(GIT_OPT_SET_ALLOCATOR, &a); /* fails only for NULL fields */
}
