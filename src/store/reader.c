/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.c — the read-only connection of each thread.
 *
 * A thread finds its connection in a small thread-local table keyed by the store's process-unique
 * id, so a slot of a closed store is recognised as dead. Connections are owned by the store's list:
 * they are closed when the thread ends or when the store closes, whichever comes first; `live`
 * below decides that race.
 */
#include "store/store_int.h"

enum { TLS_SLOTS = 4, STORES_MAX = 64 };
struct tls_slot {
    uint64_t store_id; /* 0 = free */
    struct db *db;
};
struct tls_table {
    struct tls_slot slot[TLS_SLOTS];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static pthread_mutex_t live_mu = PTHREAD_MUTEX_INITIALIZER;
static struct store *live[STORES_MAX];

/* live_mu is held. */
static struct store *live_find(uint64_t id) {
    for (unsigned i = 0; i < STORES_MAX; i++)
        if (live[i] != NULL && live[i]->id == id) return live[i];
    return NULL;
}

static void unlink_reader(struct store *s, struct db *d) {
    pthread_mutex_lock(&s->readers_mu);
    for (struct db **p = &s->readers; *p != NULL; p = &(*p)->next) {
        if (*p != d) continue;
        *p = d->next;
        s->n_readers--;
        break;
    }
    pthread_mutex_unlock(&s->readers_mu);
}

static void slot_close(struct tls_slot *t) {
    if (t->store_id == 0) return;
    pthread_mutex_lock(&live_mu);
    struct store *s = live_find(t->store_id);
    if (s != NULL) {
        unlink_reader(s, t->db);
        db_free(t->db);
    }
    pthread_mutex_unlock(&live_mu);
    t->store_id = 0;
}

static void thread_end(void *arg) {
    struct tls_table *t = arg;
    for (unsigned i = 0; i < TLS_SLOTS; i++) slot_close(&t->slot[i]);
    free(t);
}

static void key_make(void) {
    BUG_ON(pthread_key_create(&key, thread_end) != 0);
}

void store_registry_add(struct store *s) {
    pthread_once(&once, key_make);
    pthread_mutex_lock(&live_mu);
    unsigned i = 0;
    while (i < STORES_MAX && live[i] != NULL) i++;
    BUG_ON(i == STORES_MAX); /* a process opens one store; tests a few */
    live[i] = s;
    pthread_mutex_unlock(&live_mu);
}

void store_registry_del(struct store *s) {
    pthread_mutex_lock(&live_mu);
    for (unsigned i = 0; i < STORES_MAX; i++)
        if (live[i] == s) live[i] = NULL;
    pthread_mutex_unlock(&live_mu);
}

void store_readers_close(struct store *s) {
    while (s->readers != NULL) {
        struct db *d = s->readers;
        s->readers = d->next;
        db_free(d);
    }
    s->n_readers = 0;
}

/* A connection that says at its first statement why it is none: db_reader itself cannot fail. */
static struct db *broken_reader(struct store *s, int rc) {
    struct db *d = calloc(1, sizeof *d);
    BUG_ON(d == NULL);
    d->store = s;
    d->open_rc = rc;
    return d;
}

static struct db *reader_new(struct store *s) {
    struct db *d = NULL;
    pthread_mutex_lock(&s->readers_mu);
    bool room = s->n_readers < DB_READERS_MAX;
    if (room) s->n_readers++;
    pthread_mutex_unlock(&s->readers_mu);
    if (!room) d = broken_reader(s, SQLITE_BUSY);
    else if (db_open_file(s, false, &d) != OK) d = broken_reader(s, SQLITE_CANTOPEN);
    pthread_mutex_lock(&s->readers_mu);
    if (!room) s->n_readers++; /* counted for unlink_reader */
    d->next = s->readers;
    s->readers = d;
    pthread_mutex_unlock(&s->readers_mu);
    return d;
}

/* noinline: the address of thread-local data must not be kept across a fiber switch. */
__attribute__((noinline)) static struct tls_table *table(void) {
    struct tls_table *t = pthread_getspecific(key);
    if (t == NULL) {
        t = calloc(1, sizeof *t);
        BUG_ON(t == NULL || pthread_setspecific(key, t) != 0);
    }
    return t;
}

struct db *db_reader(struct store *s) {
    struct tls_table *t = table();
    unsigned victim = 0;
    for (unsigned i = 0; i < TLS_SLOTS; i++) {
        if (t->slot[i].store_id == s->id) {
            struct db *d = t->slot[i].db;
            if (d->h != NULL) return d;
            slot_close(&t->slot[i]); /* broken last time: try again */
        }
        if (t->slot[i].store_id == 0) victim = i;
    }
    slot_close(&t->slot[victim]);
    t->slot[victim] = (struct tls_slot){s->id, reader_new(s)};
    return t->slot[victim].db;
}
