/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter.c — one ledger row per request, gathered per loop and written in batches off the hot path.
 *
 * A batch leaves when it is full or 100 ms after its first row. The request id is the primary key and
 * rows are inserted with OR IGNORE, so a batch that is offered twice counts once. When the writer's
 * queue is full the batch waits here; rows beyond MAX_WAITING batches are counted as lost and logged,
 * since an unreachable store must not stop inference.
 */
#include "base/clock.h"
#include "base/log.h"
#include "gate/gate_int.h"

enum { FLUSH_MS = 100, MAX_WAITING = 256 };

struct meter {
    struct gate *g;
    struct usage_batch *open;
    struct usage_batch *waiting[MAX_WAITING]; /* refused by the writer's queue, oldest first */
    unsigned n_waiting;
    struct timer timer;
    bool armed;
};

const char *outcome_name(enum outcome o) {
    static const char *const names[] = {"ok", "client_error", "exhausted", "cut", "client_gone"};
    return names[o];
}

static void offer(struct meter *m) {
    unsigned sent = 0;
    while (sent < m->n_waiting && db_write_async(m->g->o.store, meter_write, m->waiting[sent]) == OK) sent++;
    m->n_waiting -= sent;
    memmove(m->waiting, m->waiting + sent, m->n_waiting * sizeof *m->waiting);
}

static void batch_close(struct meter *m) {
    struct usage_batch *b = m->open;
    m->open = NULL;
    if (b == NULL) return;
    if (m->n_waiting == MAX_WAITING) {
        log_error("gate.rows_lost", LI("rows", b->n));
        count(&m->g->c.rows_lost, b->n);
        free(b);
        return;
    }
    m->waiting[m->n_waiting++] = b;
}

static void meter_fire(void *arg);

static void arm(struct meter *m) {
    if (m->armed) return;
    m->armed = true;
    timer_arm(&m->timer, FLUSH_MS, meter_fire, m);
}

static void meter_fire(void *arg) {
    struct meter *m = arg;
    m->armed = false;
    batch_close(m);
    offer(m);
    if (m->n_waiting > 0) arm(m);
}

static struct meter *meter_here(struct gate *g) {
    unsigned i = 0;
    while (i + 1 < g->n_meters && rt_loop(i) != rt_loop_self()) i++;
    return &g->meter[i];
}

static void put(char *to, size_t cap, struct str s) {
    size_t n = MIN(s.n, cap - 1);
    if (n > 0) memcpy(to, s.p, n);
    while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80) n--; /* no half characters */
    to[n] = '\0';
}

static int64_t cost(const struct usage *u, const struct gate_model_price *p) {
    /* __int128: tokens x micros may pass 2^63 for absurd prices */
    __int128 v = (__int128)u->prompt * p->input_micros_per_mtok + (__int128)u->completion * p->output_micros_per_mtok;
    return (int64_t)((v + 500000) / 1000000);
}

static void row_fill(struct usage_row *w, const struct job *j) {
    memset(w, 0, offsetof(struct usage_row, model));
    int64_t now = clock_mono_ns();
    memcpy(w->request_id, j->r->id, sizeof w->request_id);
    w->time_ms = clock_wall_ms();
    if (j->r->who != NULL) {
        w->user_id = j->r->who->user_id;
        w->token_id = j->r->who->token_id;
    }
    /* Nothing is charged for what never gave content, nor for the client's own errors. */
    if (j->committed) {
        w->prompt = j->usage.prompt;
        w->completion = j->usage.completion;
        w->estimated = !j->usage.known;
        w->cost_micros = cost(&j->usage, &j->t->price);
    }
    w->ttft_ms = j->first_us / 1000;
    w->duration_ms = (now - j->t0_ns) / 1000000;
    w->status = j->status;
    w->attempts = j->attempts;
    w->stream = j->q.stream;
    w->outcome = j->outcome;
    put(w->model, sizeof w->model, j->q.model);
    put(w->target, sizeof w->target, j->t != NULL ? j->t->origin->name : STR(""));
    put(w->provider, sizeof w->provider,
        j->t == NULL                      ? STR("")
        : j->t->origin->deployment_id > 0 ? STR("local")
                                          : j->t->origin->name);
}

void meter_add(struct job *j) {
    struct gate *g = j->g;
    if (j->committed) {
        count(&g->c.prompt_tokens, (uint64_t)j->usage.prompt);
        count(&g->c.completion_tokens, (uint64_t)j->usage.completion);
    }
    if (g->o.store == NULL) return;
    struct meter *m = meter_here(g);
    if (m->open == NULL) {
        m->open = malloc(sizeof *m->open);
        if (m->open == NULL) {
            count(&g->c.rows_lost, 1);
            return;
        }
        m->open->g = g;
        m->open->n = 0;
    }
    row_fill(&m->open->row[m->open->n++], j);
    if (m->open->n == GATE_BATCH) {
        batch_close(m);
        offer(m);
    }
    if (m->open != NULL || m->n_waiting > 0) arm(m);
}

void meter_open(struct gate *g) {
    g->n_meters = MAX(rt_n_loops(), 1u);
    g->meter = calloc(g->n_meters, sizeof *g->meter);
    BUG_ON(g->meter == NULL);
    for (unsigned i = 0; i < g->n_meters; i++) g->meter[i].g = g;
}

struct quiet {
    struct meter *m;
    struct done done;
};
static void quiet_run(void *arg) {
    struct quiet *q = arg;
    timer_cancel(&q->m->timer);
    batch_close(q->m);
    offer(q->m);
    done_signal(&q->done);
}

void meter_close(struct gate *g) {
    for (unsigned i = 0; i < g->n_meters; i++) {
        struct quiet q = {.m = &g->meter[i]};
        done_init(&q.done);
        if (i < rt_n_loops()) {
            loop_post(rt_loop(i), quiet_run, &q);
            done_wait(&q.done);
        } else if (g->o.store != NULL) { /* the loops are gone: nobody else touches it */
            batch_close(q.m);
            offer(q.m);
        }
        for (unsigned k = 0; k < q.m->n_waiting; k++) {
            count(&g->c.rows_lost, q.m->waiting[k]->n);
            log_error("gate.rows_lost", LI("rows", q.m->waiting[k]->n));
            free(q.m->waiting[k]);
        }
    }
    if (g->o.store != NULL && g->n_meters > 0) db_write_flush(g->o.store); /* batches name this gate */
    free(g->meter);
    g->meter = NULL;
    g->n_meters = 0;
}
