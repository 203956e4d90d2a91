/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.c — the hash-chained log: appending and verifying. Layout: docs/formats/event-log.md.
 *
 *   canonical(n) = "ballast-event-1" 00  seq u64le  time_ms u64le  actor u64le  repo u64le
 *                  kind_len u32le  kind  payload_len u32le  payload
 *   hash(n)      = SHA-256(canonical(n) || hash(n-1)),  hash(0) = 32 zero bytes
 *
 * Entries are numbered 1, 2, 3, … without gaps. meta.event_head repeats the newest number and hash,
 * so that a lost tail is noticed as well.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "store/store_int.h"

enum { KIND_MAX = 64, PAYLOAD_MAX = 1 << 20 };

static void add_u64(struct hasher *h, uint64_t v) {
    uint8_t le[8];
    for (int i = 0; i < 8; i++) le[i] = (uint8_t)(v >> 8 * i);
    hasher_add(h, le, 8);
}

static void add_u32(struct hasher *h, uint32_t v) {
    const uint8_t le[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    hasher_add(h, le, 4);
}

static void event_hash(const struct event *e, const uint8_t prev[32], uint8_t out[32]) {
    struct hasher *h = hasher_new("SHA256");
    hasher_add(h, "ballast-event-1", 16);
    add_u64(h, (uint64_t)e->seq);
    add_u64(h, (uint64_t)e->time_ms);
    add_u64(h, (uint64_t)e->actor_id);
    add_u64(h, (uint64_t)e->repo_id);
    add_u32(h, (uint32_t)e->kind.n);
    hasher_add(h, e->kind.p, e->kind.n);
    add_u32(h, (uint32_t)e->payload.n);
    hasher_add(h, e->payload.p, e->payload.n);
    hasher_add(h, prev, 32);
    hasher_done(h, out);
}

static err kind_check(const char *kind) {
    size_t n = strlen(kind);
    bool ok = n > 0 && n <= KIND_MAX;
    for (size_t i = 0; i < n; i++)
        if ((kind[i] < 'a' || kind[i] > 'z') && (kind[i] < '0' || kind[i] > '9') && strchr("._-", kind[i]) == NULL)
            ok = false;
    return ok ? OK : err_fail(E_INTERNAL, "bad event kind: %s", kind);
}

static err payload_check(struct str payload) {
    if (payload.n > PAYLOAD_MAX)
        return err_fail(E_TOO_LARGE, "event payload: %zu bytes, at most %d", payload.n, PAYLOAD_MAX);
    struct arena a;
    arena_init(&a, 64 * MiB);
    struct jv v;
    err e = json_parse(&a, payload, NULL, &v);
    if (e == OK && jv_type(v) != JSON_OBJECT) e = err_fail(E_INTERNAL, "event payload: expected a JSON object");
    arena_release(&a);
    return e;
}

err event_append(struct db *d, const char *kind, int64_t actor_id, int64_t repo_id, struct str payload_json,
                 int64_t *seq) {
    BUG_ON(!d->writer);
    TRY(kind_check(kind));
    TRY(payload_check(payload_json));
    uint8_t prev[32] = {0}, hash[32];
    struct event e = {.seq = 1,
                      .time_ms = clock_wall_ms(),
                      .actor_id = actor_id,
                      .repo_id = repo_id,
                      .kind = str_of(kind),
                      .payload = payload_json};
    struct stmt *st;
    bool row;
    TRY(db_prep(d, "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1", &st));
    TRY(db_step(st, &row));
    if (row) {
        struct str h = db_blob(st, 1);
        e.seq = db_i64(st, 0) + 1;
        if (h.n == 32) memcpy(prev, h.p, 32);
        bool whole = h.n == 32;
        db_done(st);
        if (!whole) return err_fail(E_CORRUPT, "the newest entry of the event log is damaged; run ballast log verify");
    }
    event_hash(&e, prev, hash);
    TRY(db_exec(d,
                "INSERT INTO event (seq, time_ms, kind, actor_id, repo_id, payload, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
                "iisiisb", e.seq, e.time_ms, e.kind, actor_id, repo_id, payload_json, str_make(hash, 32)));
    char head[96], hex[65];
    hex_encode(hash, 32, hex);
    int n = snprintf(head, sizeof head, "%" PRId64 " %s", e.seq, hex);
    TRY(db_exec(
        d,
        "INSERT INTO meta (key, value) VALUES ('event_head', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        "s", str_make(head, (size_t)n)));
    if (seq != NULL) *seq = e.seq;
    return OK;
}

void event_begin(struct event_draft *e) {
    buf_init(&e->b, PAYLOAD_MAX);
    jw_init(&e->w, &e->b);
    jw_obj(&e->w);
}
err event_end(struct db *d, struct event_draft *e, const char *kind, int64_t actor_id, int64_t repo_id) {
    jw_obj_end(&e->w);
    err er = buf_ok(&e->b, "event");
    if (er == OK) er = event_append(d, kind, actor_id, repo_id, buf_view(&e->b), NULL);
    buf_release(&e->b);
    return er;
}

/* --- verify ---------------------------------------------------------------------------------------------------- */

static void bad(struct event_check *c, int64_t seq, const char *why) {
    if (c->first_bad_seq != 0) return;
    c->first_bad_seq = seq > 0 ? seq : 1;
    snprintf(c->why, sizeof c->why, "%s", why);
}

/* NULL when the row's columns have the stored types (a flipped type byte in the file shows here). */
static const char *types_check(struct stmt *st) {
    static const int want[] = {SQLITE_INTEGER, SQLITE_INTEGER, SQLITE_TEXT, SQLITE_INTEGER,
                               SQLITE_INTEGER, SQLITE_TEXT,    SQLITE_BLOB};
    static const char *const name[] = {"seq", "time_ms", "kind", "actor_id", "repo_id", "payload", "hash"};
    static _Thread_local char text[64];
    for (int i = 0; i < (int)ARRAY_LEN(want); i++) {
        if (sqlite3_column_type(st->h, i) == want[i]) continue;
        snprintf(text, sizeof text, "column %s has the wrong type", name[i]);
        return text;
    }
    return NULL;
}

static void verify_row(struct stmt *st, int64_t expect, uint8_t prev[32], struct event_check *c) {
    const char *type = types_check(st); /* first: reading a column as text makes it text */
    struct event e = {.seq = db_i64(st, 0),
                      .time_ms = db_i64(st, 1),
                      .kind = db_str(st, 2),
                      .actor_id = db_i64(st, 3),
                      .repo_id = db_i64(st, 4),
                      .payload = db_str(st, 5)};
    struct str stored = db_blob(st, 6);
    if (type != NULL) bad(c, expect, type);
    else if (e.seq != expect)
        bad(c, expect, e.seq > expect ? "the entry is missing" : "the entry's number is out of order");
    else if (stored.n != 32 || e.kind.n > KIND_MAX || e.payload.n > PAYLOAD_MAX)
        bad(c, expect, "a column has an impossible length");
    else {
        uint8_t hash[32];
        event_hash(&e, prev, hash);
        if (memcmp(hash, stored.p, 32) != 0) bad(c, expect, "the entry does not match its hash");
        memcpy(prev, hash, 32);
    }
}

static err verify_head(struct db *d, struct event_check *c) {
    struct stmt *st;
    bool row;
    TRY(db_prep(d, "SELECT value FROM meta WHERE key = 'event_head'", &st));
    TRY(db_step(st, &row));
    char want[96], hex[65];
    hex_encode(c->head, 32, hex);
    int n = snprintf(want, sizeof want, "%" PRId64 " %s", c->entries, hex);
    bool same = row ? str_eq(db_str(st, 0), str_make(want, (size_t)n)) : c->entries == 0;
    db_done(st);
    if (!same)
        bad(c, c->entries + 1, "the newest entries are missing, or the recorded head (meta.event_head) was changed");
    return OK;
}

static err verify_all(struct db *d, struct event_check *out) {
    struct stmt *st;
    TRY(db_prep(d, "SELECT seq, time_ms, kind, actor_id, repo_id, payload, hash FROM event NOT INDEXED ORDER BY seq",
                &st));
    while (out->first_bad_seq == 0) {
        bool row;
        err e = db_step(st, &row);
        if (e == E_CORRUPT) {
            bad(out, out->entries + 1, err_text());
            break;
        }
        TRY(e);
        if (!row) break;
        verify_row(st, out->entries + 1, out->head, out);
        if (out->first_bad_seq == 0) out->entries++;
    }
    db_done(st);
    return out->first_bad_seq == 0 ? verify_head(d, out) : OK;
}

err event_verify(struct db *d, struct event_check *out) {
    *out = (struct event_check){0};
    bool own = !d->writer;
    if (own) TRY(db_read_begin(d)); /* the log and its recorded head of one instant */
    err e = verify_all(d, out);
    if (own) db_read_end(d);
    return e;
}
