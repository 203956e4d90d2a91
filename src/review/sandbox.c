/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.c — what the examining child gives up before it touches hostile bytes.
 *
 * Order: limits, no new privileges, Landlock (no path at all), then seccomp: memory calls, write on the
 * result pipe, exit. No open, no socket, no exec, no signal to others. The file is already mapped.
 * A kernel that cannot filter calls examines nothing: the child ends, the file counts as not examined.
 * Sanitizer builds keep the limits that shadow memory allows and skip seccomp: their runtimes need more
 * calls than a child of ours may have.
 */
#include "sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static bool limit(int what, rlim_t n) {
    struct rlimit r = {n, n};
    return setrlimit((__rlimit_resource_t)what, &r) == 0;
}

/* Landlock without any rule: every file system access is refused. Absent or switched off: seccomp stands alone, which
 * has no call that opens anything. Present and not working: the sandbox is not whole. */
static bool landlock_all(void) {
#ifdef SYS_landlock_create_ruleset
    struct {
        uint64_t handled_access_fs;
    } attr = {(1ull << 13) - 1};
    long fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (fd < 0) return errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM;
    bool ok = syscall(SYS_landlock_restrict_self, fd, 0) == 0;
    close((int)fd);
    return ok;
#else
    return true;
#endif
}

static bool seccomp_all(int out_fd) {
    static const int plain[] = {SCMP_SYS(munmap),
                                SCMP_SYS(mremap),
                                SCMP_SYS(brk),
                                SCMP_SYS(madvise),
                                SCMP_SYS(exit),
                                SCMP_SYS(exit_group),
                                SCMP_SYS(rt_sigreturn),
                                SCMP_SYS(futex),
                                SCMP_SYS(clock_gettime),
                                SCMP_SYS(gettimeofday),
                                SCMP_SYS(restart_syscall),
                                SCMP_SYS(getrandom)};
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_KILL_PROCESS);
    bool ok = c != NULL;
    for (size_t i = 0; ok && i < ARRAY_LEN(plain); i++) ok = seccomp_rule_add(c, SCMP_ACT_ALLOW, plain[i], 0) == 0;
    ok = ok &&
         seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)out_fd, 0)) == 0;
    ok = ok && seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
    ok = ok &&
         seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
    ok = ok && seccomp_load(c) == 0;
    if (c) seccomp_release(c);
    return ok;
}

bool sandbox_enter(int out_fd, uint64_t file_bytes) {
    bool ok =
        limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_CPU, 5 + (rlim_t)(file_bytes / (100 * MiB)));
    ok = ok && limit(RLIMIT_NOFILE, 16);
    if (!SANITIZED) ok = ok && limit(RLIMIT_DATA, 256 * MiB) && limit(RLIMIT_AS, file_bytes + 768 * MiB);
    ok = ok && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
    if (!ok) return false;
    return landlock_all() && (SANITIZED || seccomp_all(out_fd));
}
bool sandbox_full(void) {
    return !SANITIZED;
}
