/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_int.h — what the files of this room share.
 *
 * The supervisor, all deployments in memory and all replica fibers live on loop 0: no locks among them. Other loops and
 * processes meet them only through the records (table deployment) and store_notify.
 */
#ifndef BALLAST_POOL_INT_H
#define BALLAST_POOL_INT_H

#include <stdatomic.h>

#include "pool/pool.h"
#include "rt/child.h"

enum {
    POOL_NAP_MS = 100, /* how often waits look at the wish to stop */
    POOL_BACKOFF_MAX_MS = 60000,
    POOL_STEADY_MS = 60000,  /* served this long: the next crash starts with the first pause again */
    POOL_FAILS_SHOWN = 3,    /* this many failed starts in a row are shown as `failed` (trying goes on) */
    POOL_SAMPLE_MS = 5000,   /* memory and log size */
    POOL_LOG_MAX = 16 << 20, /* then the log moves to NAME.1 */
    POOL_NAME_MAX = 96,
    POOL_DETAIL_MAX = 400,
    POOL_WORDS_MAX = 200, /* of an engine's last words */
};

enum dep_state { DEP_PENDING, DEP_STARTING, DEP_READY, DEP_DRAINING, DEP_STOPPED, DEP_FAILED };
const char *dep_state_name(enum dep_state s);

struct deployment;
struct replica {
    struct deployment *d;
    unsigned index;
    enum dep_state state;
    unsigned fails; /* starts in a row that did not get to serve for POOL_STEADY_MS */
    int64_t turn;   /* the wish it was started for: pool_restart raises that of the deployment */
    int64_t memory_bytes;
    char detail[POOL_DETAIL_MAX];
};

struct deployment { /* in memory while wanted or stopping */
    struct pool *pool;
    struct deployment *next;
    struct pool_row row; /* as read at first; strings in the arena */
    struct arena arena;
    const struct pool_engine *engine;
    _Atomic bool stop; /* not wanted any more; the work pool looks, too */
    bool blocked;      /* its verdict got worse than allowed; engines are stopped */
    char blocked_why[POOL_DETAIL_MAX];
    unsigned n_live; /* replica fibers */
    int64_t restarts, ready_ms, turn;
    struct fmutex *prepare; /* one replica exports, the others wait */
    struct fmutex *publish;
    bool verified; /* the files at model_path are, in this process and for this turn */
    char model_path[4200];
    struct { /* as last written */
        enum dep_state state;
        unsigned ready;
        int64_t restarts, memory_bytes, memory_ms;
        char detail[POOL_DETAIL_MAX];
    } shown;
    struct { /* what the event log was told last */
        enum dep_state state;
        unsigned ready;
    } told;
    struct replica replicas[POOL_MAX_REPLICAS];
};

struct pool {
    struct pool_opts o;
    struct arena arena;
    struct pool_engine *engines;
    size_t n_engines;
    enum verdict max_verdict;
    struct deployment *list; /* supervisor's */
    unsigned n_list;
    bool started;
    _Atomic bool stopping; /* the work pool looks, too */
    struct done stopped;
    struct fmutex *engine_mu; /* making the virtual environment */
    char env_mark[4200];      /* BALLAST_POOL=/abs/data: marks every engine process of this data directory */
};

/* engine.c */
err engines_init(struct pool *p, const struct pool_opts *o) must_check;
const struct pool_engine *engine_find(struct pool *p, struct str name);
/* Which file of the revision this engine loads ("" = whole folder). E_UNPROCESSABLE with what to do. */
err engine_pick_file(const struct pool_engine *e, struct arena *a, const struct git_entry *files, size_t n,
                     struct str wish, struct str *out) must_check;
struct engine_vars {
    const char *model, *alias, *python, *script;
    uint16_t port;
};
/* NULL-terminated argv with templates filled. */
const char **engine_argv(const struct pool_engine *e, struct arena *a, const struct engine_vars *v);
bool engine_needs_python(const struct pool_engine *e);
/* Environment for engines: an allow-list of ours, offline switches, the mark. */
const char **engine_env(struct pool *p, struct arena *a);

/* venv.c: interpreter and script for {python} {script}; makes the environment when missing. */
may_suspend err engine_python(struct pool *p, struct arena *a, const char **python, const char **script) must_check;

/* model.c: the reviewed files of the deployment as files, verified; path in d->model_path. */
may_suspend err model_prepare(struct deployment *d) must_check;
may_suspend void model_drop(struct pool *p, int64_t deployment_id);
/* Worse than allowed? E_PENDING, E_BLOCKED. */
err model_verdict(struct pool *p, struct arena *a, int64_t repo_id, struct str commit, struct str file) must_check;

/* replica.c */
void replica_main(void *arg);
bool replica_wanted(const struct replica *r);
/* Fold the replicas' states into the record when something changed. */
may_suspend void deployment_publish(struct deployment *d);
/* Tell the gateway what to say to clients while no replica answers. */
void deployment_expect(struct deployment *d);

/* engine_log.c */
/* The last words of the newest start, one line of printable text for a person; empty when it said nothing. */
may_suspend void engine_last_words(struct pool *p, int64_t deployment_id, unsigned replica, char *out, size_t cap);
err engine_log_open(struct pool *p, int64_t deployment_id, unsigned replica, int *fd) must_check;
void engine_log_trim(struct pool *p, int64_t deployment_id, unsigned replica);

/* sweep.c */
int64_t proc_start_ticks(pid_t pid); /* -1 = no such process */
int64_t proc_memory_bytes(pid_t pid);
/* End what an earlier server left behind. */
void sweep_orphans(struct pool *p);

/* pool_db.c */
struct new_deployment {
    struct str model, commit, file, engine;
    int64_t repo_id, user_id;
    unsigned replicas;
    int64_t id; /* out */
};
may_suspend err pool_db_add(struct pool *p, struct new_deployment *n) must_check;
may_suspend err pool_db_unwant(struct pool *p, int64_t id, int64_t user_id) must_check;
may_suspend err pool_db_turn(struct pool *p, int64_t id, int64_t user_id) must_check; /* restart */
struct dep_shown {
    int64_t id, repo_id, ready_ms, restarts, memory_bytes;
    const char *model, *state, *detail;
    unsigned ready, replicas;
    bool is_event;
};
may_suspend err pool_db_show(struct pool *p, const struct dep_shown *s) must_check;
struct db_dep {
    struct pool_row row;
    int64_t turn;
    bool wanted;
};
/* Wanted, or not stopped yet. id 0: all. */
err pool_db_list(struct pool *p, struct arena *a, int64_t id, struct db_dep **out, size_t *n) must_check;
err pool_db_rates(struct pool *p, struct db_dep *rows, size_t n) must_check; /* fills tokens_per_s */
may_suspend err pool_db_reset(struct pool *p) must_check;                    /* at start and stop: nothing runs */
may_suspend err pool_db_proc_add(struct pool *p, pid_t pid, int64_t start_ticks, int64_t deployment_id,
                                 unsigned replica) must_check;
may_suspend err pool_db_proc_del(struct pool *p, pid_t pid) must_check;
struct db_proc {
    pid_t pid;
    int64_t start_ticks;
};
err pool_db_procs(struct pool *p, struct arena *a, struct db_proc **out, size_t *n) must_check;
err pool_db_model_free(struct pool *p, struct str model) must_check; /* E_CONFLICT */
#endif
