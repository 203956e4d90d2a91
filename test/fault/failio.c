/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failio.c — LD_PRELOAD library: the n-th storage call fails, once.
 *
 * FAILIO_FILE names a page-sized control file, mapped shared: the harness arms a fault in the running server by
 * writing the page, and reads there whether the fault has struck.
 * The calls are write, pwrite, fsync, rename, open, and malloc with its kin. Only descriptors of regular files count
 * (sockets, pipes and the log are left alone), and of allocations those of at least min_bytes. A lasting fault goes on
 * until it is disarmed.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* The control page: a 64-byte file mapped shared. armed: calls left until the fault, 0 = off. */
struct control {
    _Atomic int64_t armed;
    int64_t mask, error;
    _Atomic int64_t struck; /* how many calls failed */
    int64_t min_bytes;
    int64_t lasting;
};
enum { C_WRITE = 1, C_PWRITE = 2, C_FSYNC = 4, C_RENAME = 8, C_OPEN = 16, C_MALLOC = 32 };
static struct control *control;

__attribute__((constructor)) static void map_control(void) {
    const char *path = getenv("FAILIO_FILE");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p != MAP_FAILED) control = p;
}

static bool strike(int call) {
    if (control == NULL || (control->mask & call) == 0 || atomic_load(&control->armed) <= 0) return false;
    if (atomic_fetch_sub(&control->armed, 1) != 1) return false;
    if (control->lasting != 0) atomic_store(&control->armed, 1);
    atomic_fetch_add(&control->struck, 1);
    errno = (int)control->error;
    return true;
}

static bool regular(int fd) {
    struct stat st;
    int saved = errno;
    bool yes = fd > 2 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    errno = saved;
    return yes;
}

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *p, size_t n) {
    static __typeof__(write) *real;
    if (real == NULL) real = REAL(write);
    if (control != NULL && (control->mask & C_WRITE) && regular(fd) && strike(C_WRITE)) return -1;
    return real(fd, p, n);
}
ssize_t pwrite(int fd, const void *p, size_t n, off_t off) {
    static __typeof__(pwrite) *real;
    if (real == NULL) real = REAL(pwrite);
    if (control != NULL && (control->mask & C_PWRITE) && regular(fd) && strike(C_PWRITE)) return -1;
    return real(fd, p, n, off);
}
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t off) {
    static __typeof__(pwrite64) *real;
    if (real == NULL) real = REAL(pwrite64);
    if (control != NULL && (control->mask & C_PWRITE) && regular(fd) && strike(C_PWRITE)) return -1;
    return real(fd, p, n, off);
}
int fsync(int fd) {
    static __typeof__(fsync) *real;
    if (real == NULL) real = REAL(fsync);
    return strike(C_FSYNC) ? -1 : real(fd);
}
int fdatasync(int fd) {
    static __typeof__(fdatasync) *real;
    if (real == NULL) real = REAL(fdatasync);
    return strike(C_FSYNC) ? -1 : real(fd);
}
int rename(const char *a, const char *b) {
    static __typeof__(rename) *real;
    if (real == NULL) real = REAL(rename);
    return strike(C_RENAME) ? -1 : real(a, b);
}

static int open_mode(int flags, va_list ap) {
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(ap, int) : 0;
}
int open(const char *path, int flags, ...) {
    static int (*real)(const char *, int, ...);
    if (real == NULL) real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    va_list ap;
    va_start(ap, flags);
    int mode = open_mode(flags, ap);
    va_end(ap);
    if ((flags & (O_WRONLY | O_RDWR)) != 0 && strike(C_OPEN)) return -1;
    return real(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    static int (*real)(const char *, int, ...);
    if (real == NULL) real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
    va_list ap;
    va_start(ap, flags);
    int mode = open_mode(flags, ap);
    va_end(ap);
    if ((flags & (O_WRONLY | O_RDWR)) != 0 && strike(C_OPEN)) return -1;
    return real(path, flags, mode);
}

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
static bool refused(size_t n) {
    return control != NULL && n >= (size_t)control->min_bytes && strike(C_MALLOC);
}
void *malloc(size_t n) {
    return refused(n) ? NULL : __libc_malloc(n);
}
void *calloc(size_t n, size_t size) {
    size_t total;
    if (!__builtin_mul_overflow(n, size, &total) && refused(total)) return NULL;
    return __libc_calloc(n, size);
}
void *realloc(void *p, size_t n) {
    return n > 0 && refused(n) ? NULL : __libc_realloc(p, n);
}
