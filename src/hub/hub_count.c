/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_count.c — what counts as a download: one client (account, else address) fetching from one repository within five
 * minutes, however many files, ranges and retries that takes. So a snapshot of a hundred files counts once.
 *
 * The table of recent clients is a fixed array; a collision forgets the older entry, which can only count once more.
 */
#include <pthread.h>

#include "base/clock.h"
#include "hub/hub_db.h"
#include "hub/hub_parts.h"

enum { SLOTS = 8192, WINDOW_MS = 5 * 60 * 1000 };

struct hub_counts {
    pthread_mutex_t lock;
    struct {
        uint64_t key;
        int64_t until_ms;
    } slot[SLOTS];
};

struct hub_counts *hub_counts_new(void) {
    struct hub_counts *c = calloc(1, sizeof *c);
    BUG_ON(c == NULL);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void hub_counts_free(struct hub_counts *c) {
    if (c == NULL) return;
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void hub_count_download(struct http_req *r) {
    struct hub *h = hub_of(r);
    struct str client = r->who->user_id != 0 ? arena_printf(r->arena, "u%" PRId64, r->who->user_id) : r->remote_ip;
    uint64_t key = str_hash(client) ^ ((uint64_t)r->repo->id * 0x9e3779b97f4a7c15u);
    int64_t now = clock_mono_ms();
    pthread_mutex_lock(&h->counts->lock);
    bool fresh = h->counts->slot[key % SLOTS].key != key || h->counts->slot[key % SLOTS].until_ms < now;
    if (fresh) {
        h->counts->slot[key % SLOTS].key = key;
        h->counts->slot[key % SLOTS].until_ms = now + WINDOW_MS;
    }
    pthread_mutex_unlock(&h->counts->lock);
    if (fresh) hub_db_count(h, r->repo->id, 1);
}
