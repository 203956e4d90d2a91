/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c — Prometheus text of the gateway. */
#include "base/clock.h"
#include "gate/gate_int.h"

static uint64_t get(const _Atomic uint64_t *c) {
    return atomic_load_explicit(c, memory_order_relaxed);
}

static void label(struct buf *out, struct str s) {
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\') buf_char(out, '\\');
        buf_char(out, s.p[i] == '\n' ? ' ' : s.p[i]);
    }
}

static void target_line(struct buf *out, const char *name, const struct target *t, int64_t v) {
    buf_printf(out, "ballast_gate_target_%s{model=\"", name);
    label(out, t->model);
    buf_cstr(out, "\",target=\"");
    label(out, t->origin->name);
    buf_printf(out, "\"} %" PRId64 "\n", v);
}

void gate_metrics(struct gate *g, struct buf *out) {
    const struct gate_counters *c = &g->c;
    const struct {
        const char *name;
        uint64_t v;
    } lines[] = {
        {"requests", get(&c->requests)},
        {"attempts", get(&c->attempts)},
        {"failovers", get(&c->failovers)},
        {"served", get(&c->served)},
        {"client_errors", get(&c->refused)},
        {"exhausted", get(&c->exhausted)},
        {"cut", get(&c->cut)},
        {"client_gone", get(&c->client_gone)},
        {"bad_events", get(&c->bad_events)},
        {"prompt_tokens", get(&c->prompt_tokens)},
        {"completion_tokens", get(&c->completion_tokens)},
        {"ledger_rows", get(&c->rows_written)},
        {"ledger_rows_lost", get(&c->rows_lost)},
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        buf_printf(out, "# TYPE ballast_gate_%s_total counter\nballast_gate_%s_total %" PRIu64 "\n", lines[i].name,
                   lines[i].name, lines[i].v);
    static const char *const types[] = {"busy gauge", "resting gauge", "ok_total counter", "failed_total counter"};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) buf_printf(out, "# TYPE ballast_gate_target_%s\n", types[i]);
    struct snap *s = gate_snap_get(g);
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < s->n_models; i++)
        for (unsigned k = 0; k < s->models[i]->n; k++) {
            struct target *t = s->models[i]->t[k];
            bool rests = atomic_load(&t->h.soft_until) > now || atomic_load(&t->h.hard_until) > now ||
                         atomic_load(&t->origin->key_rest_until) > now;
            target_line(out, "busy", t, atomic_load(&t->h.busy));
            target_line(out, "resting", t, rests);
            target_line(out, "ok_total", t, (int64_t)get(&t->h.n_ok));
            target_line(out, "failed_total", t, (int64_t)get(&t->h.n_fail));
        }
    gate_snap_put(s);
}
