/* SPDX-License-Identifier: Apache-2.0 */
/*
 * override.c — a named reviewer answers for a verdict other than the automaton's: signed, with a
 * reason, an event, effective at once for that blob in that repository.
 */
#include "base/clock.h"
#include "base/log.h"
#include "review_db.h"

enum { REASON_MIN = 8, REASON_MAX = 2000 };

static err statement(struct arena *a, struct str repo, struct str oid, enum verdict verdict, struct str reason,
                     struct str who, const char *key_id, struct str *out) {
    struct buf b cleanup(buf_release);
    struct jw w;
    buf_init(&b, 32 * KiB);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kcstr(&w, "key_id", key_id);
    jw_kstr(&w, "oid", oid);
    jw_kstr(&w, "reason", reason);
    jw_kstr(&w, "repository", repo);
    jw_kstr(&w, "responsible", who);
    jw_kstr(&w, "time", clock_iso_str(a, clock_wall_ms()));
    jw_kcstr(&w, "type", "ballast-override/1");
    jw_kcstr(&w, "verdict", verdict_name(verdict));
    jw_obj_end(&w);
    TRY(buf_ok(&b, "override"));
    *out = arena_str(a, buf_view(&b));
    return OK;
}

static err event(struct arena *a, const struct override_record *r, struct str who, const struct blob_verdict *old,
                 struct str *out) {
    struct buf b cleanup(buf_release);
    struct jw w;
    buf_init(&b, 32 * KiB);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "oid", r->oid);
    jw_kcstr(&w, "verdict", verdict_name(r->verdict));
    jw_kcstr(&w, "automaton", verdict_name(old->raw_verdict));
    jw_kcstr(&w, "before", verdict_name(old->verdict));
    jw_kstr(&w, "reason", r->reason);
    jw_kstr(&w, "reviewer", who);
    jw_kstr(&w, "signature", r->signature);
    jw_obj_end(&w);
    TRY(buf_ok(&b, "event"));
    *out = arena_str(a, buf_view(&b));
    return OK;
}

static bool is_oid(struct str s) {
    if ((s.n != 40 && s.n != 64) || !str_is_hex(s)) return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 'A' && s.p[i] <= 'F') return false;
    return true;
}

static err apply(struct review *v, struct arena *a, const struct principal *who, struct override_record *r) {
    struct blob_verdict old;
    struct str repo;
    TRY(review_db_repo_name(db_reader(v->store), a, r->repo_id, &repo));
    TRY(verdict_blob_get(db_reader(v->store), a, r->repo_id, r->oid, &old));
    if (old.raw_verdict == VERDICT_PENDING && !old.overridden)
        return err_fail(E_CONFLICT, "this file has no verdict yet; wait for it, then override it");
    TRY(statement(a, repo, r->oid, r->verdict, r->reason, who->name, v->key.id, &r->statement));
    r->signature = sign_statement(a, &v->key, r->statement);
    TRY(event(a, r, who->name, &old, &r->event));
    TRY(review_db_override_put(v->store, r));
    log_info("review.override", LS("repo", repo), LS("oid", r->oid), LZ("verdict", verdict_name(r->verdict)),
             LS("reviewer", who->name));
    return OK;
}

err review_override(struct review *v, const struct principal *who, int64_t repo_id, struct str oid,
                    enum verdict verdict, struct str reason) {
    reason = str_trim(reason);
    if (!who->user_id || (!who->is_reviewer && !who->is_admin))
        return err_fail(E_FORBIDDEN, "only a reviewer may override a verdict");
    if (verdict < VERDICT_PASS || verdict > VERDICT_BLOCK)
        return err_fail(E_UNPROCESSABLE, "field verdict: expected pass, notice, review or block");
    if (!is_oid(oid)) return err_fail(E_UNPROCESSABLE, "field oid: expected 40 or 64 lower-case hex digits");
    if (reason.n < REASON_MIN || reason.n > REASON_MAX || !str_is_utf8(reason))
        return err_fail(E_UNPROCESSABLE,
                        "field reason: expected a sentence of %d to %d bytes; it is recorded and shown", REASON_MIN,
                        REASON_MAX);
    struct arena a;
    arena_init(&a, 4 * MiB);
    struct override_record r = {
        .repo_id = repo_id, .user_id = who->user_id, .oid = oid, .verdict = verdict, .reason = reason};
    err e = apply(v, &a, who, &r);
    arena_release(&a);
    return e;
}
