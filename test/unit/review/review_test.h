/* SPDX-License-Identifier: Apache-2.0 */
/* review_test.h — examine bytes in this process (no sandbox) and ask about the result. */
#ifndef REVIEW_TEST_H
#define REVIEW_TEST_H

#include "unit.h"

#include "review/rules.h"
#include "review/scan.h"

struct exam {
    struct arena a;
    struct facts f;
    struct review_file_result r;
};

static inline void exam_run(struct exam *e, const void *p, size_t n, const char *name) {
    struct scan s;
    arena_init(&e->a, 16 * MiB);
    facts_init(&e->f);
    scan_init(&s, &e->f, n);
    uint8_t *copy = malloc(n ? n : 1); /* exact size: a read past the end is seen by ASan */
    memcpy(copy, p, n);
    scan_bytes(&s, (struct span){copy, n}, str_of(name));
    free(copy);
    rules_judge(&e->a, &e->f, &e->r);
}
static inline void exam_end(struct exam *e) {
    arena_release(&e->a);
}

static inline bool exam_has(const struct exam *e, const char *rule) {
    for (size_t i = 0; i < e->r.n_findings; i++)
        if (strcmp(e->r.findings[i].rule, rule) == 0) return true;
    return false;
}

/* One table row: bytes, name, expected verdict, a rule that must (or "" none) be found. */
struct sample {
    const char *what;
    const char *p;
    size_t n;
    const char *name;
    enum verdict verdict;
    const char *rule;
};
#define BYTES(lit) (lit), sizeof(lit) - 1

static inline void samples_run(const struct sample *v, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct exam *e = calloc(1, sizeof *e);
        exam_run(e, v[i].p, v[i].n, v[i].name);
        if (e->r.verdict != v[i].verdict || (v[i].rule[0] && !exam_has(e, v[i].rule)))
            fail_msg("%s: verdict %s (%s), expected %s with %s; first finding %s", v[i].what,
                     verdict_name(e->r.verdict), e->f.format, verdict_name(v[i].verdict), v[i].rule,
                     e->r.n_findings ? e->r.findings[0].rule : "none");
        exam_end(e);
        free(e);
    }
}
#endif
