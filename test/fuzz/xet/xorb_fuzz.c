/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a xorb body, whole and cut in two places: both ways must agree, and what is accepted must be consistent.
 */
#include "xet/xorb_verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The root when accepted (footers are judged against it too). */
static bool run(const uint8_t *p, size_t n, size_t cut_a, size_t cut_b, struct xet_hash *root, uint64_t *region,
                uint64_t *raw) {
    struct xorb_verify *v;
    BUG_ON(xorb_verify_new(&v) != OK);
    size_t a = MIN(cut_a, n), b = MAX(a, MIN(cut_b, n));
    err e = xorb_verify_feed(v, p, a);
    if (e == OK) e = xorb_verify_feed(v, p + a, b - a);
    if (e == OK) e = xorb_verify_feed(v, p + b, n - b);
    memset(root, 0, sizeof *root);
    if (e == OK && v->n > 0) xorb_entries_root(v->e, v->n, root);
    if (e == OK) e = xorb_verify_done(v, root);
    if (e == OK) {
        BUG_ON(v->region_len + v->n_footer != n || v->raw_len > XORB_RAW_MAX || v->n > XORB_CHUNKS_MAX);
        BUG_ON(v->e[v->n - 1].phys_end != v->region_len || v->e[v->n - 1].raw_end != v->raw_len);
    }
    *region = v->region_len;
    *raw = v->raw_len;
    xorb_verify_free(v);
    return e == OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct xet_hash a, b;
    uint64_t ra, rb, ua, ub;
    size_t cut = size > 0 ? data[size - 1] : 0;
    bool whole = run(data, size, size, size, &a, &ra, &ua);
    bool parts = run(data, size, cut, size / 2 + cut % 9, &b, &rb, &ub);
    BUG_ON(whole != parts);
    BUG_ON(whole && (!xhash_eq(&a, &b) || ra != rb || ua != ub));
    return 0;
}
