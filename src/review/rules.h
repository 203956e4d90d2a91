/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.h — facts to findings to a verdict. Pure; runs in the parent, so that a changed rule judges
 * recorded facts again without reading bytes.
 */
#ifndef BALLAST_REVIEW_RULES_H
#define BALLAST_REVIEW_RULES_H

#include "facts.h"
#include "review.h"

/* Verdict, coverage, format and findings (most severe first) of one file's facts. Strings in the arena. */
void rules_judge(struct arena *a, const struct facts *f, struct review_file_result *out);
/* The result of a file that could not be examined. */
void rules_not_examined(struct arena *a, const char *why, struct review_file_result *out);
/* [{"rule","severity","message","where"}…]; records are written in English. */
void rules_findings_json(struct arena *a, enum lang lang, const struct review_file_result *r, struct buf *b);
#endif
