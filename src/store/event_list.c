/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_list.c — pages of the event log, by kind prefix and repository.
 *
 * Each filter walks an index in the wanted order, so a page costs its length, not the log's. A kind
 * prefix is resolved to the (few) distinct kinds first, found by hopping through the index.
 */
#include "store/store_int.h"

enum { LIST_MAX = 1000, KINDS_MAX = 64 };
#define COLS "SELECT seq, time_ms, kind, actor_id, repo_id, payload, hash FROM event "

static void row_read(struct stmt *st, struct arena *a, struct event *e) {
    *e = (struct event){.seq = db_i64(st, 0),
                        .time_ms = db_i64(st, 1),
                        .kind = arena_str(a, db_str(st, 2)),
                        .actor_id = db_i64(st, 3),
                        .repo_id = db_i64(st, 4),
                        .payload = arena_str(a, db_str(st, 5))};
    struct str h = db_blob(st, 6);
    if (h.n == 32) memcpy(e->hash, h.p, 32);
}

/* The distinct kinds that start with the prefix. */
static err kinds_find(struct db *d, struct arena *a, struct str prefix, struct str *kinds, size_t *n) {
    *n = 0;
    struct str after = STR("");
    struct stmt *st;
    for (;;) {
        bool row;
        TRY(db_prep(d, "SELECT min(kind) FROM event WHERE kind >= ? AND kind > ?", &st));
        db_bind_str(st, 1, prefix);
        db_bind_str(st, 2, after);
        TRY(db_step(st, &row));
        struct str k = row ? db_str(st, 0) : STR_NULL;
        bool more = k.p != NULL && k.n >= prefix.n && memcmp(k.p, prefix.p, prefix.n) == 0;
        if (more) after = kinds[(*n)++] = arena_str(a, k);
        db_done(st);
        if (!more) return OK;
        if (*n == KINDS_MAX)
            return err_fail(E_BAD_REQUEST, "kind " STR_FMT ": too many kinds start like this; give more of it",
                            STR_ARG(prefix));
    }
}

/* At most max rows of one kind (all kinds when kind.p is NULL) in the wanted order. */
static err rows_of(struct db *d, struct arena *a, struct str kind, int64_t from, int64_t repo_id, bool desc, size_t max,
                   struct event *out, size_t *n) {
    /* [kind given][repo given][desc] */
    static const char *const sql[2][2][2] = {
        {{COLS "WHERE seq > ?1 ORDER BY seq LIMIT ?2", COLS "WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2"},
         {COLS "WHERE repo_id = ?3 AND seq > ?1 ORDER BY seq LIMIT ?2",
          COLS "WHERE repo_id = ?3 AND seq < ?1 ORDER BY seq DESC LIMIT ?2"}},
        {{COLS "WHERE kind = ?4 AND seq > ?1 ORDER BY seq LIMIT ?2",
          COLS "WHERE kind = ?4 AND seq < ?1 ORDER BY seq DESC LIMIT ?2"},
         {COLS "WHERE repo_id = ?3 AND +kind = ?4 AND seq > ?1 ORDER BY seq LIMIT ?2",
          COLS "WHERE repo_id = ?3 AND +kind = ?4 AND seq < ?1 ORDER BY seq DESC LIMIT ?2"}}};
    struct stmt *st;
    TRY(db_prep(d, sql[kind.p != NULL][repo_id != 0][desc], &st));
    db_bind_i64(st, 1, from);
    db_bind_i64(st, 2, (int64_t)max);
    if (repo_id != 0) db_bind_i64(st, 3, repo_id);
    if (kind.p != NULL) db_bind_str(st, 4, kind);
    *n = 0;
    for (;;) {
        bool row;
        TRY(db_step(st, &row));
        if (!row || *n == max) break;
        row_read(st, a, &out[(*n)++]);
    }
    db_done(st);
    return OK;
}

static int by_seq(const void *a, const void *b) {
    const struct event *x = a, *y = b;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}
static int by_seq_desc(const void *a, const void *b) {
    return by_seq(b, a);
}

err event_list(struct db *d, struct arena *a, int64_t after, size_t max, const char *kind_prefix, int64_t repo_id,
               bool desc, struct event **out, size_t *n) {
    if (max == 0 || max > LIST_MAX) max = LIST_MAX;
    struct str kinds[KINDS_MAX];
    size_t n_kinds = 0;
    bool all = kind_prefix == NULL || kind_prefix[0] == 0;
    if (desc && after <= 0) after = INT64_MAX; /* "before" nothing in particular: the newest */
    if (all) kinds[n_kinds++] = STR_NULL;
    else TRY(kinds_find(d, a, str_of(kind_prefix), kinds, &n_kinds));
    struct event *found = arena_array(a, struct event, max * 2);
    size_t have = 0;
    for (size_t k = 0; k < n_kinds; k++) {
        size_t got;
        TRY(rows_of(d, a, kinds[k], after, repo_id, desc, max, found + have, &got));
        have += got;
        if (n_kinds > 1) qsort(found, have, sizeof *found, desc ? by_seq_desc : by_seq);
        have = MIN(have, max); /* the best so far; the upper half of the array is free again */
    }
    *out = found;
    *n = have;
    return OK;
}
