/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exe.c — native programs and bytecode by structure, so that two chance bytes are not a program:
 * ELF class and version bytes, PE header behind e_lfanew, Mach-O CPU type, wasm version, pyc magic.
 */
#include "scan.h"

static bool macho(struct span b) {
    if (b.n < 28) return false;
    uint32_t m = le32(b.p), cpu = le32(b.p + 4) & 0xffffff;
    if (m == 0xfeedface || m == 0xfeedfacf) return cpu == 7 || cpu == 12 || cpu == 18;
    uint32_t n = be32(b.p + 4);
    if (be32(b.p) == 0xcafebabe && n > 0 && n < 20 && b.n > 28) { /* fat; a Java class has a version here */
        uint32_t c = be32(b.p + 8) & 0xffffff;
        return c == 7 || c == 12 || c == 18;
    }
    return false;
}

static bool pe(struct span b) {
    if (!span_is(b, 0, "MZ", 2) || b.n < 64) return false;
    uint32_t at = le32(b.p + 60);
    if (at < b.n && b.n - at >= 4 && memcmp(b.p + at, "PE\0\0", 4) == 0) return true;
    return b.n >= 128 && memmem(b.p, MIN(b.n, (size_t)512), "This program cannot be run", 26) != NULL;
}

static bool elf(struct span b) {
    return span_is(b, 0,
                   "\x7f"
                   "ELF",
                   4) &&
           b.n >= 16 && (b.p[4] == 1 || b.p[4] == 2) && (b.p[5] == 1 || b.p[5] == 2);
}

/* 2 bytes version magic, "\r\n", flags 0..3, then a marshalled code object (0xe3 or 'c'). */
static bool pyc(struct span b) {
    if (b.n < 17 || b.p[2] != '\r' || b.p[3] != '\n') return false;
    uint16_t magic = le16(b.p);
    bool known = (magic >= 3000 && magic < 4000) || (magic >= 62000 && magic < 62300);
    return known && (b.p[16] == 0xe3 || b.p[16] == 'c' || b.p[12] == 0xe3 || b.p[8] == 'c' || b.p[12] == 'c');
}

bool exe_scan(struct scan *s, struct span b) {
    static const char eicar[] = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR";
    const char *what = NULL;
    if (elf(b)) what = "ELF";
    else if (pe(b)) what = "PE";
    else if (macho(b)) what = "Mach-O";
    if (what) {
        facts_format(s->f, what[0] == 'E' ? "elf" : what[0] == 'P' ? "pe" : "mach-o");
        facts_addz(s->f, FACT_EXE, what, 0);
        if (zip_at_end(b) || memmem(b.p, MIN(b.n, (size_t)64 * MiB), "GGUF", 4))
            facts_addz(s->f, FACT_PARTIAL, "llamafile or self-extracting archive", -1);
        facts_cover(s->f, COVERAGE_PARTIAL);
        return true;
    }
    if (pyc(b)) what = "pyc";
    else if (span_is(b, 0, "\0asm\1\0\0\0", 8)) what = "wasm";
    else if (b.n > 10 && be32(b.p) == 0xcafebabe && be32(b.p + 4) >= 45 && be32(b.p + 4) < 100) what = "java";
    else if (span_is(b, 0, "\x1bLua", 4)) what = "lua";
    else if (span_is(b, 0, "BC\xc0\xde", 4)) what = "llvm";
    if (what) {
        facts_format(s->f, what);
        facts_addz(s->f, FACT_EXE_BYTECODE, what, 0);
        facts_cover(s->f, COVERAGE_PARTIAL);
        return true;
    }
    if (b.n < 256 && memmem(b.p, b.n, eicar, sizeof eicar - 1)) {
        facts_format(s->f, "eicar");
        facts_addz(s->f, FACT_EXE_TEST, "", 0);
        return true;
    }
    return false;
}
