/* SPDX-License-Identifier: Apache-2.0 */
/* hub_card.h — the card (README.md): front matter as JSON, tags derived from it, its first sentence. */
#ifndef BALLAST_HUB_CARD_H
#define BALLAST_HUB_CARD_H

#include "hub/hub_internal.h"

enum { HUB_CARD_MAX = 4 * 1024 * 1024, HUB_DESCRIPTION_MAX = 300 };
struct hub_card {
    struct str card, tags; /* JSON object, JSON array */
    struct str description;
};
/* Front matter ("---" line … "---" line at the start) without its fences; empty when there is none. *body: what
 * follows. */
struct str hub_card_front(struct str readme, struct str *body);
/* All of it from text. Broken YAML gives {} (and the texts are still read). */
void hub_card_parse(struct arena *a, enum repo_type t, struct str readme, struct hub_card *out);
/* The same, with formats known from file names (hub_card_file_tag). */
void hub_card_parse_files(struct arena *a, enum repo_type t, struct str readme, unsigned files, struct hub_card *out);
/* First sentence of Markdown text, plain, at most HUB_DESCRIPTION_MAX bytes of UTF-8. */
struct str hub_card_sentence(struct arena *a, struct str body);
/* Adds tags that file names prove ("gguf", "safetensors", ...); seen is a bit set kept by the caller. */
void hub_card_file_tag(struct str path, unsigned *seen);
/* The same from README.md of a commit. No README gives an empty card. */
may_suspend err hub_card_read(struct hub *h, struct arena *a, int64_t repo_id, enum repo_type t, struct str commit,
                              struct hub_card *out) must_check;
/* library_name of the card, else the library a tag names; empty when neither. */
struct str hub_card_library(struct jv card, struct str tags);
#endif
