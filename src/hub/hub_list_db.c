/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_list_db.c — listing and searching repositories.
 *
 * Pages are keyset pages: the cursor holds the sort key and id of the last row, so a page costs the same wherever it
 * is and rows that arrive meanwhile neither repeat nor hide others.
 * A private row is shown to its owner, to members of its organisation and to administrators only.
 */
#include "hub/hub_db.h"
#include "hub/hub_parts.h"

#define COLS                                                                                                           \
    "r.id, r.type, r.owner_id, o.name, r.name, r.is_private, r.gated, r.created_ms, r.updated_ms, r.downloads, "       \
    "r.likes, r.head, r.card, r.tags, r.description"
#define TAG(n) "AND (" n " = '' OR instr(lower(r.tags), " n ") > 0) "
#define WORD(n)                                                                                                        \
    "AND (" n " = '' OR instr(o.name_key || '/' || r.name_key, " n ") > 0 OR instr(lower(r.description), " n ") > 0) "
#define LIST_SQL(KEY)                                                                                                  \
    "SELECT " COLS ", " KEY " FROM repo r JOIN owner o ON o.id = r.owner_id WHERE r.deleted_ms = 0 "                   \
    "AND (?1 = 0 OR r.type = ?1) AND (?2 = '' OR o.name_key = ?2) AND (r.is_private = 0 OR ?3 = 1 OR r.owner_id = ?4 " \
    "OR EXISTS (SELECT 1 FROM member m WHERE m.org_id = r.owner_id AND m.user_id = ?4)) " WORD("?5") WORD("?6")        \
        WORD("?7") WORD("?8") TAG("?9") TAG("?10") TAG("?11") TAG("?12") TAG("?13") TAG("?14") TAG("?15")              \
            TAG("?16") "AND (?17 = 0 OR " KEY " < ?18 OR (" KEY                                                        \
                       " = ?18 AND r.id < ?19)) AND (?21 < 0 OR (r.gated <> '') = ?21) "                               \
                       "ORDER BY " KEY " DESC, r.id DESC LIMIT ?20"

static err list_prep(struct db *d, struct str sort, struct stmt **st) {
    if (sort.n == 0 || str_eqz(sort, "lastModified") || str_eqz(sort, "updated"))
        return db_prep(d, LIST_SQL("r.updated_ms"), st);
    if (str_eqz(sort, "createdAt") || str_eqz(sort, "created")) return db_prep(d, LIST_SQL("r.created_ms"), st);
    if (str_eqz(sort, "downloads")) return db_prep(d, LIST_SQL("r.downloads"), st);
    if (str_eqz(sort, "likes")) return db_prep(d, LIST_SQL("r.likes"), st);
    if (str_eqz(sort, "trendingScore") || str_eqz(sort, "trending"))
        return db_prep(d, LIST_SQL("(r.downloads + 10 * r.likes)"), st);
    return err_fail(E_BAD_REQUEST,
                    "\"sort\" must be one of [lastModified, createdAt, downloads, likes, trendingScore], not \"" STR_FMT
                    "\"",
                    STR_ARG(sort));
}

static struct str lower(struct arena *a, struct str s) {
    char *p = arena_strz(a, s);
    for (size_t i = 0; i < s.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z') p[i] = (char)(p[i] + 32);
    return (struct str){p, s.n};
}

static void bind_words(struct stmt *st, struct arena *a, struct str search) {
    struct str rest = lower(a, str_sub(search, 0, 256)), word;
    int i = 5;
    while (i <= 8 && rest.n > 0 && str_split(&rest, ' ', &word)) {
        word = str_trim(word);
        if (word.n > 0) db_bind_str(st, i++, word);
    }
    while (i <= 8) db_bind_str(st, i++, STR(""));
}

static void row_read(struct stmt *st, struct arena *a, struct hub_list_row *out) {
    struct repo_rec *r = &out->repo;
    *r = (struct repo_rec){.id = db_i64(st, 0), .type = (enum repo_type)db_i64(st, 1), .owner_id = db_i64(st, 2)};
    r->owner = arena_str(a, db_str(st, 3));
    r->name = arena_str(a, db_str(st, 4));
    r->is_private = db_i64(st, 5) != 0;
    r->gated = arena_str(a, db_str(st, 6));
    r->created_ms = db_i64(st, 7);
    r->updated_ms = db_i64(st, 8);
    r->downloads = db_i64(st, 9);
    r->likes = db_i64(st, 10);
    out->head = arena_str(a, db_str(st, 11));
    out->card = arena_str(a, db_str(st, 12));
    out->tags = arena_str(a, db_str(st, 13));
    out->description = arena_str(a, db_str(st, 14));
}

static err cursor_parse(struct arena *a, struct str cursor, int64_t *key, int64_t *id) {
    struct str text, head;
    if (hub_cursor_read(a, cursor, &text) && str_split(&text, '.', &head) && str_to_i64(head, key) &&
        str_to_i64(text, id))
        return OK;
    return err_fail(E_BAD_REQUEST, "\"cursor\" is not one this server gave out; start again without it");
}

err hub_list(struct hub *h, struct arena *a, const struct hub_list_opts *o, struct hub_list_row **out, size_t *n,
             struct str *next_cursor) {
    size_t max = o->max > 0 && o->max < 1000 ? o->max : 1000;
    int64_t key = 0, id = 0;
    if (o->cursor.n > 0) TRY(cursor_parse(a, o->cursor, &key, &id));
    struct hub_list_row *rows = arena_array(a, struct hub_list_row, max);
    struct stmt *st;
    TRY(list_prep(db_reader(h->store), o->sort, &st));
    db_bind_i64(st, 1, (int64_t)o->type);
    db_bind_str(st, 2, o->author.n > 0 ? lower(a, o->author) : STR(""));
    db_bind_i64(st, 3, o->who != NULL && o->who->is_admin);
    db_bind_i64(st, 4, o->who != NULL ? o->who->user_id : 0);
    bind_words(st, a, o->search);
    for (unsigned i = 0; i < 8; i++)
        db_bind_str(st, 9 + (int)i,
                    i < o->n_filter && o->filter[i].n > 0
                        ? lower(a, arena_printf(a, "\"" STR_FMT "\"", STR_ARG(o->filter[i])))
                        : STR(""));
    db_bind_i64(st, 17, o->cursor.n > 0);
    db_bind_i64(st, 18, key);
    db_bind_i64(st, 19, id);
    db_bind_i64(st, 20, (int64_t)max + 1);
    db_bind_i64(st, 21, o->gated == 0 ? -1 : o->gated > 0);
    *n = 0;
    *next_cursor = STR_NULL;
    err er;
    for (bool row; (er = db_step(st, &row)) == OK && row;) {
        if (*n == max) {
            *next_cursor = hub_cursor_make(a, arena_printf(a, "%" PRId64 ".%" PRId64, key, rows[max - 1].repo.id));
            break;
        }
        row_read(st, a, &rows[(*n)++]);
        key = db_i64(st, 15);
    }
    db_done(st);
    *out = rows;
    return er;
}

err hub_db_row(struct db *d, struct arena *a, int64_t repo_id, struct hub_list_row *out) {
    struct stmt *st;
    TRY(db_prep(d, "SELECT " COLS " FROM repo r JOIN owner o ON o.id = r.owner_id WHERE r.id = ?1 AND r.deleted_ms = 0",
                &st));
    db_bind_i64(st, 1, repo_id);
    bool row;
    err er = db_step(st, &row);
    if (er == OK && !row) er = err_fail(E_REPO_NOT_FOUND, "the repository was deleted meanwhile");
    if (er == OK) row_read(st, a, out);
    db_done(st);
    return er;
}

err hub_db_head(struct db *d, int64_t repo_id, char commit[GIT_OID_HEX + 1]) {
    struct stmt *st;
    TRY(db_prep(d, "SELECT head FROM repo WHERE id = ?1 AND deleted_ms = 0", &st));
    db_bind_i64(st, 1, repo_id);
    bool row;
    err er = db_step(st, &row);
    commit[0] = 0;
    if (er == OK && row && db_str(st, 0).n == GIT_OID_HEX) {
        memcpy(commit, db_str(st, 0).p, GIT_OID_HEX);
        commit[GIT_OID_HEX] = 0;
    }
    db_done(st);
    return er;
}

err hub_db_used(struct db *d, int64_t repo_id, int64_t *bytes) {
    struct stmt *st;
    TRY(db_prep(d, "SELECT coalesce(sum(size), 0) FROM repo_file WHERE repo_id = ?1", &st));
    db_bind_i64(st, 1, repo_id);
    bool row;
    err e = db_step(st, &row);
    *bytes = e == OK && row ? db_i64(st, 0) : 0;
    db_done(st);
    return e;
}
