/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipeline.c — pushed revisions become verdicts. One coordinator fiber takes pending revisions oldest
 * first; the files of one are examined by up to max_workers helper fibers of the same loop.
 *
 * Invariants: the list of pending revisions is the table itself, so a restart goes on where the last
 * run ended; every file is recorded as it is decided, so waiting downloads go as soon as they may.
 * A revision that fails (disk full, damage) is tried again later and holds up nobody else.
 */
#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "review_db.h"

enum {
    FAILED_MAX = 64,
    PENDING_BATCH = FAILED_MAX + 32, /* however many fail, fresh ones are among those listed */
    IDLE_MS = 10000,
    RETRY_MIN_MS = 250, /* doubles with each try: a short stall costs little, a full disk is not hammered */
    RETRY_MAX_MS = 32000,
    ORPHANS_MAX = 256,
    ABSENT_MAX = 256,
    PAGE = 1000
};

/* Blobs whose bytes had not arrived when their revision was decided; asked for again now and then. */
struct late {
    struct {
        int64_t repo_id;
        char oid[80]; /* a key: 64 hex digits, a colon, a kind */
    } list[ABSENT_MAX];
    unsigned n, next;
};
static void late_add(struct late *l, int64_t repo_id, struct str oid) {
    for (unsigned i = 0; i < l->n; i++)
        if (l->list[i].repo_id == repo_id && str_eqz(oid, l->list[i].oid)) return;
    unsigned i = l->n < ABSENT_MAX ? l->n++ : l->next++ % ABSENT_MAX;
    l->list[i].repo_id = repo_id;
    snprintf(l->list[i].oid, sizeof l->list[i].oid, STR_FMT, STR_ARG(str_sub(oid, 0, sizeof l->list[i].oid - 1)));
}

static void late_entry(struct late *l, int64_t repo_id, const struct git_entry *e) {
    struct arena a;
    arena_init(&a, 64 * KiB);
    late_add(l, repo_id, hub_entry_key(&a, e));
    arena_release(&a);
}

struct crew {
    struct review *v;
    struct late *late;
    int64_t repo_id;
    const struct git_entry *files;
    size_t n, next;
    unsigned active;
    err failed;
    struct err_slot why;
    struct done all;
};

/* All helpers run on one loop: next, active and failed need no lock. */
static void helper(void *arg) {
    struct crew *c = arg;
    while (c->failed == OK && c->next < c->n && !c->v->stopping) {
        const struct git_entry *e = &c->files[c->next++];
        bool absent;
        err er = review_blob(c->v, c->repo_id, e, &absent);
        if (er == OK && absent) late_entry(c->late, c->repo_id, e);
        if (er == OK || c->failed != OK) continue;
        c->failed = er;
        c->why = *err_slot();
    }
    if (--c->active == 0) done_signal(&c->all);
}

static err examine_all(struct review *v, struct late *late, int64_t repo_id, const struct git_entry *files, size_t n) {
    struct crew c = {.v = v, .late = late, .repo_id = repo_id, .files = files, .n = n};
    done_init(&c.all);
    unsigned want = (unsigned)MIN((size_t)v->max_workers, n);
    if (want == 0) return OK;
    c.active = 1; /* ours, so that helpers that end at once do not signal early */
    for (unsigned i = 0; i < want; i++) {
        c.active++;
        if (fiber_spawn(NULL, helper, &c) != OK) {
            c.active--;
            break;
        }
    }
    if (c.active == 1) { /* no fiber to spare: do it ourselves */
        helper(&c);
    } else if (--c.active > 0) {
        done_wait(&c.all);
    }
    if (c.failed != OK) {
        *err_slot() = c.why;
        return c.failed;
    }
    return v->stopping ? err_fail(E_CANCELLED, "the server stops") : OK;
}

static bool is_file(const struct git_entry *e) {
    return !e->is_dir && (e->mode & 0170000) != 0160000;
}

err review_tree(struct review *v, struct arena *a, int64_t repo_id, struct str commit, struct git_entry **out,
                size_t *n) {
    struct git_entry *list = NULL;
    size_t cap = 0;
    struct str after = STR("");
    bool more = true;
    *n = 0;
    while (more) {
        struct git_entry *page;
        size_t got;
        TRY(git_tree(hub_git(v->hub), a, repo_id, commit, STR(""), true, after, PAGE, &page, &got, &more));
        if (got == 0) break;
        if (*n + got > cap) {
            cap = MAX(cap * 2, *n + got);
            struct git_entry *p = arena_array(a, struct git_entry, cap);
            if (*n) memcpy(p, list, *n * sizeof *p);
            list = p;
        }
        for (size_t i = 0; i < got; i++)
            if (is_file(&page[i])) list[(*n)++] = page[i];
        after = page[got - 1].path;
        if (*n > REVIEW_FILES_MAX)
            return err_fail(E_LIMIT, "a revision of more than %d files is not examined", REVIEW_FILES_MAX);
    }
    *out = list;
    return OK;
}

/* A blob known by its key only: the kind gives it a name to be examined under. */
static void one_oid(struct review *v, int64_t repo_id, struct str key, bool *absent) {
    struct git_entry e = {.path = str_of(verdict_key_example(key))};
    struct str oid = verdict_key_oid(key);
    *absent = false;
    if (oid.n == 64) {
        e.is_lfs = true;
        e.lfs_sha256 = oid;
        e.lfs_size = UINT64_MAX; /* unknown: goes to a file */
    } else {
        snprintf(e.oid, sizeof e.oid, STR_FMT, STR_ARG(str_sub(oid, 0, GIT_OID_HEX)));
    }
    err er = review_blob(v, repo_id, &e, absent);
    if (er != OK && er != E_CANCELLED) log_warn("review.blob_failed", LS("oid", oid), LZ("error", err_text_en()));
}

/* Blobs that no tree at a reference leads to: earlier commits of the same push. repo_id 0: of all repositories. */
static err examine_orphans(struct review *v, struct late *late, struct arena *a, int64_t repo_id) {
    struct pending_revision *list = arena_array(a, struct pending_revision, ORPHANS_MAX);
    size_t n;
    TRY(review_db_orphans(db_reader(v->store), a, repo_id, list, ORPHANS_MAX, &n));
    for (size_t i = 0; i < n && !v->stopping; i++) {
        bool absent;
        one_oid(v, list[i].repo_id, list[i].commit, &absent);
        if (absent) late_add(late, list[i].repo_id, list[i].commit);
    }
    return OK;
}

static err one_revision(struct review *v, struct late *late, const struct pending_revision *p) {
    struct arena a;
    struct git_entry *files;
    size_t n;
    arena_init(&a, 512 * MiB);
    err e = review_tree(v, &a, p->repo_id, p->commit, &files, &n);
    if (e == OK) e = examine_all(v, late, p->repo_id, files, n);
    if (e == OK) e = review_issue(v, &a, p->repo_id, p->commit, files, n);
    if (e == OK) e = examine_orphans(v, late, &a, p->repo_id);
    if (e == E_REV_NOT_FOUND || e == E_REPO_NOT_FOUND) {
        log_info("review.revision_gone", LI("repo_id", p->repo_id), LS("commit", p->commit));
        e = review_db_revision_drop(v->store, p->repo_id, p->commit);
    }
    arena_release(&a);
    return e;
}

/* Revisions that failed lately, so that one of them does not spin. An entry without a commit is free. */
struct failures {
    struct failure {
        int64_t repo_id, until_ms;
        unsigned tries;
        char commit[GIT_OID_HEX + 1];
    } list[FAILED_MAX];
    unsigned next;
};
static struct failure *failure_find(struct failures *f, const struct pending_revision *p) {
    for (unsigned i = 0; i < FAILED_MAX; i++)
        if (f->list[i].repo_id == p->repo_id && str_eqz(p->commit, f->list[i].commit)) return &f->list[i];
    return NULL;
}
/* e: what failure_find said of it. Returns when it may be tried again. */
static int64_t failure_note(struct failures *f, struct failure *e, const struct pending_revision *p) {
    if (e == NULL) {
        e = &f->list[f->next++ % FAILED_MAX];
        *e = (struct failure){.repo_id = p->repo_id};
        snprintf(e->commit, sizeof e->commit, STR_FMT, STR_ARG(str_sub(p->commit, 0, GIT_OID_HEX)));
    }
    e->until_ms = clock_mono_ms() + MIN((int64_t)RETRY_MIN_MS << e->tries, (int64_t)RETRY_MAX_MS);
    if (e->tries < 16) e->tries++;
    return e->until_ms;
}
/* One pass over what is pending. *worked: something was decided; *due_ms: when the first of the failed may be tried
 * again. */
static err pass(struct review *v, struct late *late, struct failures *failed, bool *worked, int64_t *due_ms) {
    struct arena a;
    struct pending_revision list[PENDING_BATCH];
    size_t n;
    arena_init(&a, 4 * MiB);
    *worked = false;
    err e = review_db_pending(db_reader(v->store), &a, list, PENDING_BATCH, &n);
    for (size_t i = 0; e == OK && i < n && !v->stopping; i++) {
        struct failure *known = failure_find(failed, &list[i]);
        if (known && clock_mono_ms() < known->until_ms) {
            *due_ms = MIN(*due_ms, known->until_ms);
            continue;
        }
        err er = one_revision(v, late, &list[i]);
        if (er == OK) {
            *worked = true;
            if (known) *known = (struct failure){0};
        } else if (er == E_CANCELLED) {
            e = er;
        } else {
            log_warn("review.revision_failed", LI("repo_id", list[i].repo_id), LS("commit", list[i].commit),
                     LZ("error", err_text_en()));
            *due_ms = MIN(*due_ms, failure_note(failed, known, &list[i]));
        }
    }
    arena_release(&a);
    return e;
}

static void retry_late(struct review *v, struct late *l) {
    for (unsigned i = 0; i < l->n && !v->stopping;) {
        bool absent;
        one_oid(v, l->list[i].repo_id, str_of(l->list[i].oid), &absent);
        if (absent) i++;
        else l->list[i] = l->list[--l->n];
    }
}

static void note_key(struct review *v) {
    struct buf b cleanup(buf_release);
    bool changed = false;
    buf_init(&b, 64);
    base64_encode(&b, v->key.pub, sizeof v->key.pub);
    if (review_db_key(v->store, v->key.id, buf_view(&b), &changed) != OK)
        log_warn("review.key_failed", LZ("error", err_text_en()));
    if (changed) log_info("review.key_changed", LZ("key_id", v->key.id));
}

static void first_look(struct review *v, struct late *l) {
    struct arena a;
    size_t judged = 0;
    if (review_db_rejudge(v->store, &judged) != OK) log_warn("review.rejudge_failed", LZ("error", err_text_en()));
    if (judged) log_info("review.rejudged", LI("blobs", judged));
    note_key(v);
    arena_init(&a, 4 * MiB);
    if (examine_orphans(v, l, &a, 0) != OK) log_warn("review.sweep_failed", LZ("error", err_text_en()));
    arena_release(&a);
}

void review_pipeline(void *arg) {
    struct review *v = arg;
    struct failures *failed = calloc(1, sizeof *failed);
    struct late *late = calloc(1, sizeof *late);
    int64_t swept = clock_mono_ms();
    if (late) first_look(v, late);
    while (!v->stopping && failed && late) {
        uint64_t seen = notify_gen(store_notify(v->store));
        bool worked;
        int64_t due_ms = clock_mono_ms() + IDLE_MS;
        err e = pass(v, late, failed, &worked, &due_ms);
        if (e == E_CANCELLED) break;
        if (e != OK) log_warn("review.pass_failed", LZ("error", err_text_en()));
        if (worked) continue;
        if (clock_mono_ms() - swept > IDLE_MS) {
            swept = clock_mono_ms();
            retry_late(v, late);
        }
        e = notify_wait(store_notify(v->store), seen, MAX(due_ms - clock_mono_ms(), (int64_t)1));
        if (e == E_CANCELLED) break;
    }
    free(failed);
    free(late);
    done_signal(&v->stopped);
}
