/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict.h — the records of review, readable by every room above store (git, xet, hub gate on them),
 * written by review only. See docs/decisions/ for why they live here.
 *
 * A blob is known by its oid: 40-hex git blob SHA-1 for regular files, 64-hex SHA-256 for large ones.
 * A blob with no row was never examined: for the gate that is PENDING.
 *
 * What text means depends on its name (a README may quote what a script would run), so text is examined as what each
 * path makes of it. The key of a record is the oid, and for those names the oid, a colon and the kind: "5ab…:py".
 * repo_blob holds the keys a repository uses. A question by oid alone gets the strictest answer among them.
 */
#ifndef BALLAST_VERDICT_H
#define BALLAST_VERDICT_H

#include "base/i18n.h"
#include "store/store.h"

enum verdict { VERDICT_PENDING = 0, VERDICT_PASS = 1, VERDICT_NOTICE = 2, VERDICT_REVIEW = 3, VERDICT_BLOCK = 4 };
enum coverage { COVERAGE_NONE = 0, COVERAGE_PARTIAL = 1, COVERAGE_FULL = 2 };
const char *verdict_name(enum verdict v);   /* "pending" "pass" "notice" "review" "block" */
const char *coverage_name(enum coverage c); /* "none" "partial" "full" */
bool verdict_parse(struct str s, enum verdict *out);

struct blob_verdict {
    enum verdict verdict;     /* effective: an override replaces the automaton's */
    enum verdict raw_verdict; /* the automaton's */
    enum coverage coverage;
    struct str format;   /* "pickle", "gguf", "text", ... */
    struct str findings; /* JSON array [{rule,severity,message,where}] */
    struct str reason;   /* one line for headers: newest override reason or first finding */
    int64_t time_ms;
    bool overridden;
};
/* "py" "sh" "md" "yaml" "tpl", or "" for a name that decides nothing. */
const char *verdict_kind(struct str path);
struct str verdict_key(struct arena *a, struct str oid, struct str path);
struct str verdict_key_oid(struct str key);      /* without the kind */
const char *verdict_key_example(struct str key); /* a name of that kind: "x.py" */

/* The verdict of one blob, by oid or by key; PENDING when none. Strings in the arena. */
must_check err verdict_blob_get(struct db *d, struct arena *a, int64_t repo_id, struct str key,
                                struct blob_verdict *out);

/*
 * A recorded reason in a reader's language; its rule id stays. The sentences are review's, which stands above: it sets
 * the translator when it opens. Until then, and for English, the reason is as it was recorded.
 */
typedef struct str verdict_translator(struct arena *a, enum lang lang, struct str reason);
void verdict_translator_set(verdict_translator *fn);
struct str verdict_reason(struct arena *a, enum lang lang, struct str reason);

struct revision_verdict {
    enum verdict verdict;
    enum coverage coverage;
    struct str statement; /* JSON, the signed bytes; empty while pending */
    struct str signature; /* base64 Ed25519 */
    struct str key_id;
    struct str responsible; /* automaton owner or reviewer's name */
    struct str reason;
    int64_t time_ms;
};
/* The verdict of a commit (40-hex) of a repository; PENDING when none or unfinished. */
must_check err verdict_revision_get(struct db *d, struct arena *a, int64_t repo_id, struct str commit,
                                    struct revision_verdict *out);

/*
 * The gate. OK: may be served (a `review` verdict is served with *warn set to a sentence for X-HF-Warning).
 * E_PENDING: retry_after set in the error slot, text says why. E_BLOCKED: text is the reason.
 * Waits up to hold_ms for a pending verdict to be decided first.
 */
may_suspend err verdict_gate(struct store *s, struct arena *a, int64_t repo_id, struct str key, int64_t hold_ms,
                             struct str *warn) must_check;
#endif
