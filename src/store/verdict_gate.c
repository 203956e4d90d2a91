/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict_gate.c — may these bytes go out?
 *
 * Texts are what a person reads in `hf` and `git` ("403 Forbidden: TEXT."), so they carry the rule's
 * reason and the page to look at, in one line without a final stop. A header must stay Latin-1: callers
 * take err_text_en() there.
 *
 * Retry-After of a pending verdict grows with its age: a stock client asks six times with waits of N+1 s,
 * so 3, 3, 5, 9, 15 … seconds follow a young revision closely and still reach an old one.
 */
#include "base/clock.h"
#include "store/verdict.h"

enum { RETRY_MIN_S = 3, RETRY_MAX_S = 30 };

/* "/amy/m/review/main", or "" when the repository is gone. */
static err review_page(struct db *d, struct arena *a, int64_t repo_id, struct str *out) {
    struct stmt *st;
    bool row;
    *out = STR("");
    TRY(db_prep(d, "SELECT r.type, o.name, r.name FROM repo r JOIN owner o ON o.id = r.owner_id WHERE r.id = ?", &st));
    db_bind_i64(st, 1, repo_id);
    TRY(db_step(st, &row));
    if (!row) return OK;
    static const char *const prefix[] = {"", "", "datasets/", "spaces/"}; /* by enum repo_type of id.h */
    int64_t type = db_i64(st, 0);
    struct str owner = db_str(st, 1), name = db_str(st, 2);
    *out = arena_printf(a, "/%s" STR_FMT "/" STR_FMT "/review/main", type > 0 && type < 4 ? prefix[type] : "",
                        STR_ARG(owner), STR_ARG(name));
    db_done(st);
    return OK;
}

static err pending_age_s(struct db *d, int64_t repo_id, int64_t *out) {
    struct stmt *st;
    bool row;
    *out = 0;
    TRY(db_prep(d, "SELECT max(pushed_ms) FROM revision WHERE repo_id = ? AND verdict = 0", &st));
    db_bind_i64(st, 1, repo_id);
    TRY(db_step(st, &row));
    if (row && !db_is_null(st, 0)) *out = (clock_wall_ms() - db_i64(st, 0)) / 1000;
    db_done(st);
    return OK;
}

static err say_blocked(struct db *d, struct arena *a, int64_t repo_id, const struct blob_verdict *v) {
    struct str page;
    TRY(review_page(d, a, repo_id, &page));
    if (v->reason.n == 0)
        return err_fail(E_BLOCKED, "review blocks this file; the findings are at " STR_FMT, STR_ARG(page));
    if (v->overridden)
        return err_fail(E_BLOCKED, "a reviewer blocks this file: " STR_FMT "; see " STR_FMT, STR_ARG(v->reason),
                        STR_ARG(page));
    err e =
        err_fail(E_BLOCKED, "review blocks this file: " STR_FMT "; see " STR_FMT, STR_ARG(v->reason), STR_ARG(page));
    struct str said = verdict_reason(a, (enum lang)err_slot()->lang, v->reason);
    err_local(N_("review blocks this file: " STR_FMT "; see " STR_FMT), STR_ARG(said), STR_ARG(page));
    return e;
}

static err say_pending(struct db *d, struct arena *a, int64_t repo_id) {
    struct str page;
    int64_t age;
    TRY(review_page(d, a, repo_id, &page));
    TRY(pending_age_s(d, repo_id, &age));
    err e = err_fail(E_PENDING,
                     "review of this file is not finished; it is served as soon as the verdict allows it; see " STR_FMT,
                     STR_ARG(page));
    err_slot()->retry_after_s = (unsigned)MAX(RETRY_MIN_S, MIN(RETRY_MAX_S, age / 2));
    return e;
}

static err decided(struct db *d, struct arena *a, int64_t repo_id, const struct blob_verdict *v, struct str *warn) {
    if (v->verdict == VERDICT_BLOCK) return say_blocked(d, a, repo_id, v);
    if (v->verdict != VERDICT_REVIEW) return OK;
    struct str page;
    TRY(review_page(d, a, repo_id, &page));
    if (v->reason.n > 0)
        *warn = arena_printf(a, "Review asks for care with this file: " STR_FMT "; see " STR_FMT, STR_ARG(v->reason),
                             STR_ARG(page));
    else *warn = arena_printf(a, "Review asks for care with this file; see " STR_FMT, STR_ARG(page));
    return OK;
}

err verdict_gate(struct store *s, struct arena *a, int64_t repo_id, struct str key, int64_t hold_ms, struct str *warn) {
    *warn = STR_NULL;
    int64_t until = clock_mono_ms() + hold_ms;
    for (;;) {
        uint64_t seen = notify_gen(store_notify(s));
        struct blob_verdict v;
        TRY(verdict_blob_get(db_reader(s), a, repo_id, key, &v));
        if (v.verdict != VERDICT_PENDING) return decided(db_reader(s), a, repo_id, &v, warn);
        int64_t left = until - clock_mono_ms();
        err e = left > 0 ? notify_wait(store_notify(s), seen, left) : E_TIMEOUT;
        if (e == E_TIMEOUT) return say_pending(db_reader(s), a, repo_id);
        TRY(e);
    }
}
