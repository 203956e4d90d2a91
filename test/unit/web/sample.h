/* SPDX-License-Identifier: Apache-2.0 */
/* sample.h — every page of the console drawn from made-up data: for tests, and to look at (web_sample DIR). */
#ifndef TEST_WEB_SAMPLE_H
#define TEST_WEB_SAMPLE_H

#include "web/view.h"

typedef void (*sample_each)(void *ctx, const char *name, struct str html);
/* Calls each(ctx, "home", page) for every page in one language and theme. */
void sample_pages(enum lang lang, const char *theme, sample_each each, void *ctx);

/* sample_data.c */
extern const int64_t sample_now_ms;
struct frame sample_frame(enum lang lang, const char *theme, const char *title, const char *nav);
struct repo_head sample_repo(const char *tab);
struct repo_rows sample_repos(void);
struct event_rows sample_events(void);
struct chip sample_chip(const char *verdict);
void sample_review(struct view_review *v);
#endif
