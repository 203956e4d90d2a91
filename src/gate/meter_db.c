/* SPDX-License-Identifier: Apache-2.0 */
/* meter_db.c — the only SQL of the room: rows of the usage ledger. */
#include "gate/gate_int.h"

static err row_insert(struct db *d, const struct usage_row *w) {
    return db_exec(d,
                   "INSERT OR IGNORE INTO usage_row (request_id, time_ms, user_id, token_id, model, target, provider, "
                   "stream, outcome, status,"
                   " attempts, prompt_tokens, completion_tokens, estimated, ttft_ms, duration_ms, cost_micros)"
                   " VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17)",
                   "siiisssisiiiiiiii", (struct str){w->request_id, 26}, w->time_ms, w->user_id, w->token_id,
                   str_of(w->model), str_of(w->target), str_of(w->provider), (int64_t)w->stream,
                   str_of(outcome_name(w->outcome)), (int64_t)w->status, (int64_t)w->attempts, w->prompt, w->completion,
                   (int64_t)w->estimated, w->ttft_ms, w->duration_ms, w->cost_micros);
}

err meter_write(struct db *d, void *arg) {
    struct usage_batch *b = arg;
    err e = OK;
    for (unsigned i = 0; i < b->n && e == OK; i++) e = row_insert(d, &b->row[i]);
    count(e == OK ? &b->g->c.rows_written : &b->g->c.rows_lost, b->n);
    free(b);
    return e;
}
