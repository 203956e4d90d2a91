/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c — the one thread that writes: group commit.
 *
 * Everything that waits goes into one transaction, each request inside its own SAVEPOINT:
 *   BEGIN IMMEDIATE, (SAVEPOINT r, fn, RELEASE r | ROLLBACK TO r)*, COMMIT (fsync), wake the waiters.
 * Invariants:
 *  1. A waiter is told OK only after the COMMIT that holds its changes returned OK (synchronous=FULL).
 *  2. When COMMIT fails, or SQLite gives up the transaction in the middle (disk full, I/O error), every
 *     request of that batch that had succeeded is told the error and none of its changes remain.
 *  3. A request is run at most once. Asynchronous ones wait for the next batch, at most ASYNC_DELAY_MS;
 *     they survive a BEGIN that fails (another process holds the lock too long), not a COMMIT that fails.
 *  4. A batch takes at most BATCH_MAX requests and starts no further one after BATCH_MS.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/store_int.h"

enum {
    QUEUE_MAX = 65536,
    BATCH_MAX = 1024,
    BATCH_MS = 200,
    ASYNC_DELAY_MS = 50,
    IDLE_POLL_MS = 200, /* how often another process's commits are looked for when nobody asks */
};

struct wreq {
    struct wreq *next;
    db_write_fn fn;
    void *arg;
    struct err_slot *slot; /* of the waiter */
    struct done done;
    err result;
    bool async;
    int64_t queued_ms;
};

struct writer {
    struct store *store;
    struct db *db;
    pthread_t thread;
    pthread_mutex_t mu;
    pthread_cond_t cond;
    struct wreq *head, **tail;
    unsigned n_queued, n_waiting; /* all; synchronous ones among them */
    bool stop;
};

/* --- one batch ---------------------------------------------------------------------------------------- */

static err request_run(struct writer *w, struct wreq *r) {
    TRY(db_exec(w->db, "SAVEPOINT r", ""));
    err e = r->fn(w->db, r->arg);
    db_reset_all(w->db);
    if (sqlite3_get_autocommit(w->db->h) != 0) /* SQLite rolled the whole transaction back */
        return e != OK ? e : err_fail(E_IO, "the database gave up the transaction; nothing was changed, try again");
    if (e != OK) {
        /* These two fail only when the transaction is gone, which the caller checks. */
        struct err_slot said = *err_slot();
        IGNORE_ERR(db_exec(w->db, "ROLLBACK TO r", ""));
        IGNORE_ERR(db_exec(w->db, "RELEASE r", ""));
        *err_slot() = said;
        return e;
    }
    return db_exec(w->db, "RELEASE r", "");
}

/* Copies the error of the writer's own slot to every request that had succeeded so far. */
static void batch_fail(struct wreq *first, const struct wreq *end, err e, const char *text) {
    for (struct wreq *r = first; r != end; r = r->next) {
        if (r->result != OK) continue;
        r->result = e;
        if (r->async) continue;
        snprintf(r->slot->text, sizeof r->slot->text, "%s", text);
        r->slot->has_en = false; /* the writer's own slot speaks English */
        r->slot->retry_after_s = 1;
    }
}

/*
 * Runs requests from *first on until the limits; returns the first that was not run. The transaction
 * is open before and after, unless SQLite gave it up: then *lost is set and nothing before it stands.
 */
static struct wreq *batch_run(struct writer *w, struct wreq *first, bool *lost) {
    int64_t until = clock_mono_ms() + BATCH_MS;
    unsigned n = 0;
    struct wreq *r = first;
    for (; r != NULL && n < BATCH_MAX; r = r->next, n++) {
        if (n > 0 && (n & 15) == 0 && clock_mono_ms() >= until) break;
        struct err_slot *mine = r->async ? NULL : err_slot_swap(r->slot);
        r->result = request_run(w, r);
        if (!r->async) err_slot_swap(mine);
        if (r->result != OK && r->async) log_error("store.async_failed", LZ("error", err_text()));
        if (sqlite3_get_autocommit(w->db->h) != 0) {
            *lost = true;
            return r->next;
        }
    }
    return r;
}

static void batch_wake(struct wreq *first, const struct wreq *end) {
    for (struct wreq *r = first, *next; r != end; r = next) {
        next = r->next; /* a synchronous request vanishes with its waiter's stack as soon as it is told */
        if (r->async) free(r);
        else done_signal(&r->done);
    }
}

static err batch_commit(struct writer *w) {
    err e = db_exec(w->db, "COMMIT", "");
    if (e != OK && sqlite3_get_autocommit(w->db->h) == 0) {
        struct err_slot said = *err_slot();
        IGNORE_ERR(db_exec(w->db, "ROLLBACK", "")); /* the COMMIT's error is the one to tell */
        *err_slot() = said;
    }
    return e;
}

/* Takes a prefix of the list through one transaction; returns what is left. */
static struct wreq *batch(struct writer *w, struct wreq *first) {
    bool lost = false;
    struct wreq *end = batch_run(w, first, &lost);
    err e =
        lost ? err_fail(E_IO, "the database gave up the transaction; nothing was changed, try again") : batch_commit(w);
    if (e != OK) {
        log_error("store.commit_failed", LZ("error", err_text()));
        batch_fail(first, end, e, err_text());
    } else {
        atomic_fetch_add(&w->store->gen, 1);
        notify_bump(w->store->notify);
    }
    batch_wake(first, end);
    return end;
}

/* BEGIN failed: the waiters are told, asynchronous requests stay for later. Returns those. */
static struct wreq *begin_failed(struct wreq *first, err e) {
    struct wreq *keep = NULL, **tail = &keep;
    log_error("store.begin_failed", LZ("error", err_text()));
    for (struct wreq *r = first, *next; r != NULL; r = next) {
        next = r->next;
        if (r->async) {
            r->next = NULL;
            *tail = r;
            tail = &r->next;
        } else {
            r->next = NULL;
            batch_fail(r, NULL, e, err_text());
            done_signal(&r->done);
        }
    }
    return keep;
}

/* --- the thread ------------------------------------------------------------------------------------------ */

static void wait_until(struct writer *w, int64_t mono_ms) {
    struct timespec ts = {mono_ms / 1000, (mono_ms % 1000) * 1000000};
    pthread_cond_timedwait(&w->cond, &w->mu, &ts);
}

/* w->mu is held. True when there is something to commit now. */
static bool due(const struct writer *w) {
    if (w->head == NULL) return false;
    if (w->n_waiting > 0 || w->stop || w->n_queued >= BATCH_MAX) return true;
    return clock_mono_ms() - w->head->queued_ms >= ASYNC_DELAY_MS;
}

/* Sleeps until there is work; takes all of it. NULL: the queue is empty and the writer stops. */
static struct wreq *take(struct writer *w) {
    pthread_mutex_lock(&w->mu);
    while (!due(w) && !(w->stop && w->head == NULL)) {
        int64_t now = clock_mono_ms();
        wait_until(w, w->head != NULL ? MIN(w->head->queued_ms + ASYNC_DELAY_MS, now + ASYNC_DELAY_MS)
                                      : now + IDLE_POLL_MS);
        if (w->head == NULL && !w->stop) {
            pthread_mutex_unlock(&w->mu);
            store_poll(w->store);
            pthread_mutex_lock(&w->mu);
        }
    }
    struct wreq *list = w->head;
    w->head = NULL;
    w->tail = &w->head;
    w->n_queued = w->n_waiting = 0;
    pthread_mutex_unlock(&w->mu);
    return list;
}

/* Asynchronous requests that could not begin go back to the front; dropped when the writer stops. */
static void put_back(struct writer *w, struct wreq *list) {
    if (list == NULL) return;
    unsigned n = 0;
    struct wreq *last = list;
    int64_t now = clock_mono_ms();
    for (struct wreq *r = list; r != NULL; r = r->next, n++) {
        r->queued_ms = now;
        last = r;
    }
    pthread_mutex_lock(&w->mu);
    bool stop = w->stop;
    if (!stop) {
        last->next = w->head;
        if (w->head == NULL) w->tail = &last->next;
        w->head = list;
        w->n_queued += n;
    }
    pthread_mutex_unlock(&w->mu);
    if (!stop) return;
    log_error("store.async_dropped", LI("requests", n));
    for (struct wreq *r = list, *next; r != NULL; r = next) {
        next = r->next;
        free(r); /* arg is the function's, which never ran: lost with the process that ends */
    }
}

static void *writer_main(void *arg) {
    struct writer *w = arg;
    pthread_setname_np(pthread_self(), "db-writer");
    for (struct wreq *list; (list = take(w)) != NULL;) {
        while (list != NULL) {
            err e = db_exec(w->db, "BEGIN IMMEDIATE", "");
            if (e == OK) {
                list = batch(w, list);
                continue;
            }
            put_back(w, begin_failed(list, e));
            list = NULL;
        }
    }
    return NULL;
}

err writer_start(struct store *s, struct writer **out) {
    struct writer *w = calloc(1, sizeof *w);
    if (w == NULL) return err_fail(E_NOMEM, "out of memory");
    w->store = s;
    w->db = s->wdb;
    w->tail = &w->head;
    pthread_mutex_init(&w->mu, NULL);
    pthread_condattr_t ca;
    pthread_condattr_init(&ca);
    pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
    pthread_cond_init(&w->cond, &ca);
    pthread_condattr_destroy(&ca);
    int rc = pthread_create(&w->thread, NULL, writer_main, w);
    if (rc != 0) {
        free(w);
        return err_errno(E_IO, rc, "cannot start the database writer");
    }
    *out = w;
    return OK;
}

void writer_stop(struct writer *w) {
    if (w == NULL) return;
    pthread_mutex_lock(&w->mu);
    w->stop = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->mu);
    pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->mu);
    pthread_cond_destroy(&w->cond);
    free(w);
}

/* --- callers ------------------------------------------------------------------------------------------------ */

static err enqueue(struct writer *w, struct wreq *r) {
    pthread_mutex_lock(&w->mu);
    bool refused = w->stop || (r->async && w->n_queued >= QUEUE_MAX);
    if (!refused) {
        *w->tail = r;
        w->tail = &r->next;
        w->n_queued++;
        if (!r->async) w->n_waiting++;
        /* The thread sleeps with a time limit anyway; wake it for a waiter, and when the delay must be started. */
        if (!r->async || w->n_queued == 1 || w->n_queued == BATCH_MAX) pthread_cond_signal(&w->cond);
    }
    pthread_mutex_unlock(&w->mu);
    if (refused)
        return err_fail(E_UNAVAILABLE, "the database cannot take more changes now; nothing was changed, try again");
    return OK;
}

err db_write(struct store *s, db_write_fn fn, void *arg) {
    struct wreq r = {.fn = fn, .arg = arg, .slot = err_slot()};
    done_init(&r.done);
    TRY(enqueue(s->writer, &r));
    done_wait(&r.done);
    return r.result;
}

err db_write_async(struct store *s, db_write_fn fn, void *arg) {
    struct wreq *r = calloc(1, sizeof *r);
    if (r == NULL) return err_fail(E_NOMEM, "out of memory");
    r->fn = fn;
    r->arg = arg;
    r->async = true;
    r->queued_ms = clock_mono_ms();
    err e = enqueue(s->writer, r);
    if (e != OK) free(r);
    return e;
}

static err nothing(struct db *d, void *arg) {
    (void)d;
    (void)arg;
    return OK;
}

void db_write_flush(struct store *s) {
    /* A waiter behind all that was queued: when it is told, so is everything before it. */
    IGNORE_ERR(db_write(s, nothing, NULL));
}
