/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reserve.c — first fit over a map of 1 KiB units; each block begins with a 16-byte head that holds its length.
 *
 * One lock, one linear search: it runs only while the machine is out of memory. When the last block comes back the
 * pages return to the kernel.
 */
#include "base/reserve.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

enum { UNIT = 1024, N_UNITS = RESERVE_BYTES / UNIT };

struct head {
    size_t units;
    size_t bytes; /* as asked for; keeps what follows aligned, too */
};

static unsigned char *area;
static bool taken[N_UNITS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic size_t in_use; /* units */
static _Atomic uint64_t n_taken;

static bool mine(const void *p) {
    return area != NULL && (uintptr_t)p - (uintptr_t)area < RESERVE_BYTES;
}

void *reserve_take(size_t n) {
    if (area == NULL || n > RESERVE_BYTES / 2) return NULL;
    size_t want = (n + sizeof(struct head) + UNIT - 1) / UNIT, run = 0;
    struct head *h = NULL;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < N_UNITS && h == NULL; i++) {
        run = taken[i] ? 0 : run + 1;
        if (run < want) continue;
        size_t first = i + 1 - want;
        memset(taken + first, true, want);
        h = (struct head *)(void *)(area + first * UNIT);
        *h = (struct head){want, n};
        atomic_fetch_add(&in_use, want);
        atomic_fetch_add(&n_taken, 1);
    }
    pthread_mutex_unlock(&lock);
    return h == NULL ? NULL : h + 1;
}

bool reserve_give(void *p) {
    if (!mine(p)) return false;
    struct head *h = (struct head *)p - 1;
    size_t units = h->units, first = (size_t)((unsigned char *)h - area) / UNIT;
    pthread_mutex_lock(&lock);
    BUG_ON(units == 0 || first + units > N_UNITS || !taken[first]);
    memset(taken + first, false, units);
    if (atomic_fetch_sub(&in_use, units) == units) madvise(area, RESERVE_BYTES, MADV_DONTNEED);
    pthread_mutex_unlock(&lock);
    return true;
}

bool reserve_low(void) {
    return atomic_load_explicit(&in_use, memory_order_relaxed) > N_UNITS / 4;
}

uint64_t reserve_taken(void) {
    return atomic_load_explicit(&n_taken, memory_order_relaxed);
}

void *reserve_malloc(size_t n) {
    void *p = malloc(n);
    return p != NULL || n == 0 ? p : reserve_take(n);
}

void *reserve_calloc(size_t n) {
    void *p = reserve_malloc(n);
    if (p != NULL) memset(p, 0, n);
    return p;
}

void reserve_free(void *p) {
    if (!reserve_give(p)) free(p);
}

void *reserve_realloc(void *p, size_t n) {
    if (p == NULL) return reserve_malloc(n);
    size_t had;
    if (mine(p)) {
        had = ((struct head *)p - 1)->bytes;
    } else {
        void *q = realloc(p, n);
        if (q != NULL || n == 0) return q;
        had = malloc_usable_size(p);
    }
    void *q = reserve_malloc(n);
    if (q == NULL) return NULL;
    memcpy(q, p, MIN(had, n));
    reserve_free(p);
    return q;
}

/* --- OpenSSL: a digest that cannot be made would end the process ------------------------------------------------- */

static void *ssl_malloc(size_t n, const char *file, int line) {
    (void)file, (void)line;
    return reserve_malloc(n);
}
static void *ssl_realloc(void *p, size_t n, const char *file, int line) {
    (void)file, (void)line;
    return reserve_realloc(p, n);
}
static void ssl_free(void *p, const char *file, int line) {
    (void)file, (void)line;
    reserve_free(p);
}

bool reserve_init(void) {
    if (area != NULL) return true;
    void *p = mmap(NULL, RESERVE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return false;
    area = p;
    /* Refused by OpenSSL when it has allocated already; then it has no fallback, as before. */
    return CRYPTO_set_mem_functions(ssl_malloc, ssl_realloc, ssl_free) == 1;
}
