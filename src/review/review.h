/* SPDX-License-Identifier: Apache-2.0 */
/*
 * review.h — facts, rules, verdicts, signatures; the sandboxed worker; the pipeline over pushed revisions.
 */
#ifndef BALLAST_REVIEW_H
#define BALLAST_REVIEW_H

#include "base/i18n.h"
#include "hub/hub.h"
#include "store/verdict.h"

struct review_finding {
    const char *rule; /* stable id: "pickle.call.exec" */
    enum verdict severity;
    struct str message; /* English msgid-able sentence, arguments already in */
    struct str where;   /* "data.pkl @ 0x1f3", "layer.0 / offset 128", … */
};
struct review_file_result {
    uint8_t sha256[32];
    uint64_t bytes;
    struct str format;
    enum verdict verdict;
    enum coverage coverage;
    struct review_finding *findings;
    size_t n_findings;
};
/* Examine one open file in a sandboxed child. Never fails on hostile bytes: crash or time-out = coverage none/partial.
 * [any] */
may_suspend err review_file(struct arena *a, int fd, struct str name, struct review_file_result *out) must_check;
/* `ballast review [--json] PATH…`; exit 0 pass/notice, 3 review, 4 block, 2 error. */
int review_cli_main(int argc, char **argv);
/* The hidden command the sandboxed child runs (fd 3: the file, fd 1: facts). */
int review_worker_main(int argc, char **argv);

/* Who answers for the automaton when the configuration names nobody: in statements in English, for people translated.
 */
#define REVIEW_NOBODY_NAMED N_("operator of this instance")
/* "block", "partly examined" for people; machines get verdict_name() and coverage_name(). */
const char *review_verdict_word(enum lang lang, enum verdict v);
const char *review_coverage_word(enum lang lang, enum coverage c);
struct str review_responsible(enum lang lang, struct str recorded);

struct review;
struct review_opts {
    struct store *store;
    struct hub *hub;
    struct id *id;
    struct str responsible; /* person or organisation on whose behalf the automaton decides */
    unsigned max_workers;   /* 0 = 2 */
    int64_t slow_ms;        /* test only: added delay per file */
};
must_check err review_open(const struct review_opts *o, struct review **out);
must_check err review_start(struct review *v); /* server: pipeline fibers; picks up unfinished revisions */
may_suspend void review_stop(struct review *v);
void review_close(struct review *v);
must_check err review_routes(struct review *v, struct http_router *rt); /* statements, override, public key */
/* An authorised reviewer replaces the verdict of a blob in a repository, with a reason. Signed, an event. */
may_suspend err review_override(struct review *v, const struct principal *who, int64_t repo_id, struct str oid,
                                enum verdict verdict, struct str reason) must_check;
/* Digest (hex) of the rule pack in force, and the name of the policy. */
const char *review_rule_pack(void);
const char *review_policy(void);
/* The sentence of a stored finding in a reader's language (found by rule id; the argument is carried over). */
struct str review_message(struct arena *a, enum lang lang, struct str rule, struct str message);
/* A recorded reason, "PATH: RULE: MESSAGE (WHERE)" or without its path, in a reader's language. */
struct str review_reason(struct arena *a, enum lang lang, struct str reason, bool with_rule);
/* `ballast review verify [--key KEY] FILE`: checks a signed statement offline; exit 0 valid, 1 not, 2 error. */
int review_verify_main(int argc, char **argv);
#endif
