/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctx.h — the context switch: where a fiber goes on, its stack and its frame pointer.
 *
 * The asm saves three words and declares every other register clobbered, so the compiler spills
 * only what is alive at the two places that switch (fiber.c). It writes nothing to the stack, so
 * the red zone stays intact, and it leaves by an indirect jump, not `ret`: the return predictor
 * would be wrong each time (3 ns against 9 ns). The x87/SSE control words and the signal mask are
 * not saved: nobody here changes them.
 *
 * The landing places carry endbr64 / bti, so indirect-branch tracking may be on. A hardware shadow
 * stack may not (x86 SHSTK, opt-in by a glibc tunable): fibers would need one each.
 */
#ifndef BALLAST_CTX_H
#define BALLAST_CTX_H

#include "base/base.h"

struct ctx {
    void *ip, *sp, *fp;
};

#if defined(__x86_64__)
static inline __attribute__((always_inline)) void ctx_switch(struct ctx *from, const struct ctx *to) {
    __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
                     "movq %%rax, 0(%0)\n\t"
                     "movq %%rsp, 8(%0)\n\t"
                     "movq %%rbp, 16(%0)\n\t"
                     "movq 8(%1), %%rsp\n\t"
                     "movq 16(%1), %%rbp\n\t"
                     "jmpq *0(%1)\n"
                     "1:\tendbr64\n\t"
                     : "+D"(from), "+S"(to)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1",
                       "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
                       "xmm13", "xmm14", "xmm15", "memory", "cc");
}
/* A function is entered as if called: 8 below a 16-byte boundary, a null return address there. */
static inline void ctx_start(struct ctx *c, char *top, void (*entry)(void)) {
    void **sp = (void **)(void *)((uintptr_t)top & ~(uintptr_t)15);
    *--sp = NULL;
    *--sp = NULL;
    *--sp = NULL;
    *c = (struct ctx){(void *)(uintptr_t)entry, sp, NULL};
}
#elif defined(__aarch64__)
static inline __attribute__((always_inline)) void ctx_switch(struct ctx *from, const struct ctx *to) {
    __asm__ volatile("adr x16, 1f\n\t"
                     "mov x17, sp\n\t"
                     "stp x16, x17, [%0]\n\t"
                     "str x29, [%0, #16]\n\t"
                     "ldp x16, x17, [%1]\n\t"
                     "ldr x29, [%1, #16]\n\t"
                     "mov sp, x17\n\t"
                     "mov x30, xzr\n\t"
                     "br x16\n"
                     "1:\thint #36\n\t" /* bti j */
                     : "+r"(from), "+r"(to)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
                       "x17", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1",
                       "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16",
                       "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30",
                       "v31", "memory", "cc");
}
static inline void ctx_start(struct ctx *c, char *top, void (*entry)(void)) {
    *c = (struct ctx){(void *)(uintptr_t)entry, (void *)((uintptr_t)top & ~(uintptr_t)15), NULL};
}
#else
#error "ctx.h: write the switch for this processor (about ten instructions)"
#endif
#endif
