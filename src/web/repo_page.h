/* SPDX-License-Identifier: Apache-2.0 */
/* repo_page.h — what the pages of one repository share: the revision picked, its head, facts of its card. */
#ifndef BALLAST_WEB_REPO_PAGE_H
#define BALLAST_WEB_REPO_PAGE_H

#include "web/web_int.h"

struct card_facts {
    struct str licence, base_model, task, library;
};
/* From the front matter as JSON; wrong types read as absent. Strings in the arena. */
void card_facts_read(struct arena *a, struct str card_json, struct card_facts *out);

struct repo_page {
    const struct repo_rec *repo;
    struct str rev;               /* as asked: "main", a tag, a commit */
    char commit[GIT_OID_HEX + 1]; /* empty: the repository has no commit */
    struct web_repo_facts facts;
    struct revision_verdict verdict;
    struct repo_head head;
};
/* Resolves the revision ({rev} of the path, else ?rev=, else main) and fills the head for `tab`. E_REV_NOT_FOUND. */
may_suspend err repo_page_open(struct http_req *r, const char *tab, struct repo_page *out) must_check;
/* Size, files and formats of the revision and its deployments: for pages with the side column. */
may_suspend err repo_page_side(struct http_req *r, struct repo_page *p) must_check;
/* Files below dir, bounded by max; sorted by path. */
may_suspend err repo_page_tree(struct http_req *r, const struct repo_page *p, struct str dir, bool recursive,
                               struct str after, size_t max, struct git_entry **out, size_t *n, bool *more) must_check;
struct str entry_oid(struct arena *a, const struct git_entry *e);
uint64_t entry_size(const struct git_entry *e);
/* "owner/name" of the path below dir as links, the last one current. */
void repo_page_crumbs(struct http_req *r, const struct repo_page *p, struct str path, const struct link **out,
                      size_t *n);
/* Markdown of this revision, from the folder dir; rendered in the work pool. Sets *cut when it was too long. */
may_suspend err repo_page_markdown(struct http_req *r, const struct repo_page *p, struct str text, struct str dir,
                                   struct html *out, bool *cut) must_check;
#endif
