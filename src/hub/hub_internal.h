/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_internal.h — what the files of this room share (also lfs*.c, git_http.c and refs.c). Not for other rooms.
 */
#ifndef BALLAST_HUB_INTERNAL_H
#define BALLAST_HUB_INTERNAL_H

#include "hub/hub.h"

struct hub_counts; /* download counters waiting to be written (hub_count.c) */

struct hub {
    struct store *store;
    struct git *git;
    struct xet *xet;
    struct id *id;
    size_t inline_limit;  /* bytes; blobs above must be large files */
    int64_t gate_hold_ms; /* how long a request waits for a verdict */
    struct hub_counts *counts;
};

/* --- recording (refs.c) -------------------------------------------------------------------------- */
struct hub_ref_change {
    struct str ref;     /* refs/heads/main */
    struct str old_oid; /* 40 hex, empty = created */
    struct str new_oid; /* 40 hex, empty = deleted */
};
/*
 * Record refs that git has already moved: repo_ref, revision rows (pending), repo_blob rows, repo.head and updated_ms,
 * and the events revision.pushed / ref.created / ref.deleted, in one transaction. Then, when refs/heads/main moved,
 * hub_card_refresh(). Idempotent: recording the same change twice leaves one revision row and one event.
 * via: "api" or "git". message: first line of the newest commit (may be empty).
 */
may_suspend err hub_refs_record(struct hub *h, int64_t repo_id, int64_t user_id, const char *via, struct str message,
                                const struct hub_ref_change *changes, size_t n) must_check;

/* --- card (hub_card.c) ---------------------------------------------------------------------------- */
/* Parse README.md at `commit` and store card, tags, description. A broken card stores {} and is no error. */
may_suspend err hub_card_refresh(struct hub *h, int64_t repo_id, struct str commit) must_check;

/* --- routes of the parts; hub_routes() mounts them all with ctx = struct hub ------------------------- */
must_check err hub_lfs_routes(struct hub *h, struct http_router *rt);      /* lfs*.c */
must_check err hub_git_http_routes(struct hub *h, struct http_router *rt); /* git_http.c */

#endif
