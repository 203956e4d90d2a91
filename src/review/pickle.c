/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pickle.c — whole pickle files: all streams one behind the other, what stands behind them, joblib
 * files, torch's legacy layout, and carving of bytes nobody could parse.
 *
 * Bytes without a protocol mark may be anything. They count as a pickle when a stream reaches its
 * end using all bytes, or makes a call; otherwise every fact of the attempt is forgotten.
 */
#include "pickle_vm.h"

void pickle_stream(struct scan *s, struct span b, size_t from, bool joblib, struct pickle_end *end) {
    struct vm *v = malloc(sizeof *v);
    if (!v) {
        facts_cover(s->f, COVERAGE_PARTIAL);
        end->error = true;
        return;
    }
    vm_init(v, s, b, from);
    v->joblib = joblib;
    vm_run(v);
    end->used = v->at;
    end->stopped = v->stopped;
    end->called = end->called || v->called;
    end->error = v->error;
    end->streams++;
    vm_release(v);
    free(v);
}

static bool may_start(uint8_t c) {
    return c == 0x80 || (c != 0 && strchr("(c]})ILFSVNKMJUTXGPBC2", c) != NULL);
}

/* A tentative stream: facts stay only if it proves to be a pickle. */
static bool try_stream(struct scan *s, struct span b, size_t from, struct pickle_end *end) {
    if (!may_start(b.p[from])) return false;
    struct facts *keep = malloc(sizeof *keep);
    if (!keep) return false;
    *keep = *s->f;
    struct pickle_end e = {0};
    pickle_stream(s, b, from, true, &e);
    bool yes = e.called || (e.stopped && e.used - from >= 2);
    if (yes) *end = e;
    else *s->f = *keep;
    free(keep);
    return yes;
}

static bool only_padding(struct span b) {
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] != 0 && b.p[i] != '\n' && b.p[i] != '\r' && b.p[i] != ' ') return false;
    return true;
}

/* What stands behind the first stream: more streams, padding, or (false) bytes at end->used that nobody can explain. */
static bool streams_behind(struct scan *s, struct span b, struct pickle_end *end) {
    while (end->stopped && end->used < b.n && !scan_late(s)) {
        size_t from = end->used;
        bool called = end->called;
        if (only_padding(span_from(b, from))) return true;
        if (b.n - from >= 2 && b.p[from] == 0x80 && b.p[from + 1] <= 6) pickle_stream(s, b, from, true, end);
        else if (!try_stream(s, b, from, end)) return false;
        end->called = end->called || called;
    }
    return true;
}

/*
 * Text may parse as a stream that ends early ("GIT v1.5.", "Licence: …."): without a mark, it must call or import
 * something or be all of the bytes. Else it is no pickle and all that was noted is forgotten.
 */
static bool unmarked_pickle(struct scan *s, struct span b, struct pickle_end *end, bool *whole) {
    if (!may_start(b.p[0])) return false; /* before the facts are copied: most files end here */
    struct facts *keep = malloc(sizeof *keep);
    if (!keep) return false;
    *keep = *s->f;
    bool yes = try_stream(s, b, 0, end);
    *whole = yes && streams_behind(s, b, end);
    if (yes && !*whole && !end->called && !facts_has(s->f, FACT_PICKLE_IMPORT)) {
        *s->f = *keep;
        yes = false;
    }
    free(keep);
    return yes;
}

bool pickle_scan(struct scan *s, struct span b, struct str name, bool sure) {
    struct pickle_end end = {0};
    bool whole;
    (void)name;
    if (b.n == 0) return false;
    bool marked = b.n >= 2 && b.p[0] == 0x80 && b.p[1] <= 6;
    if (marked || sure) {
        pickle_stream(s, b, 0, true, &end);
        whole = streams_behind(s, b, &end);
    } else if (!unmarked_pickle(s, b, &end, &whole)) {
        return false;
    }
    facts_format(s->f, "pickle");
    if (!whole) {
        facts_addz(s->f, FACT_PICKLE_TRAILING, "", (int64_t)end.used);
        facts_cover(s->f, COVERAGE_PARTIAL);
        pickle_carve(s, span_from(b, end.used));
        scan_payload(s, span_from(b, end.used), STR("trailing"));
    } else if (!end.stopped) {
        pickle_carve(s, span_from(b, end.used));
    }
    return true;
}

/* The text up to the newline, if it is a dotted identifier of sane length. */
static bool carve_line(struct span b, size_t at, struct str *out, size_t *next) {
    size_t i = at;
    while (i < b.n && i - at < 100) {
        uint8_t c = b.p[i];
        if (c == '\n') break;
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.'))
            return false;
        i++;
    }
    if (i == at || i >= b.n || b.p[i] != '\n') return false;
    *out = str_make(b.p + at, i - at);
    *next = i + 1;
    return true;
}

/* A length-prefixed ASCII identifier at `at`; tells where it ends. */
static bool carve_counted(struct span b, size_t at, struct str *out, size_t *next) {
    if (b.n - at < 3 || b.p[at] != 0x8c) return false;
    size_t n = b.p[at + 1];
    if (n == 0 || n > 60 || b.n - at - 2 < n) return false;
    *out = str_make(b.p + at + 2, n);
    for (size_t i = 0; i < n; i++)
        if (!((out->p[i] >= 'a' && out->p[i] <= 'z') || (out->p[i] >= 'A' && out->p[i] <= 'Z') || out->p[i] == '_' ||
              out->p[i] == '.' || (out->p[i] >= '0' && out->p[i] <= '9')))
            return false;
    *next = at + 2 + n;
    return true;
}

static void carve_pair(struct scan *s, struct str m, struct str n, size_t at) {
    char d[256];
    size_t len = policy_canonical(m, n, d, sizeof d);
    if (!policy_is_danger_root(str_make(d, len)) || policy_lookup(m, n).cls != PY_DANGER) return;
    facts_add(s->f, FACT_PICKLE_CARVED, str_make(d, len), (int64_t)at);
}

void pickle_carve(struct scan *s, struct span b) {
    struct span r = span_sub(b, 0, 64 * MiB);
    struct str m, n;
    size_t next, after;
    for (size_t i = 0; i + 4 < r.n; i++) {
        if ((i & 0xfffff) == 0 && scan_late(s)) return;
        uint8_t c = r.p[i];
        if (c == 'c' || c == 'i') {
            if (carve_line(r, i + 1, &m, &next) && carve_line(r, next, &n, &after) && after < r.n && r.p[after] != ' ')
                carve_pair(s, m, n, i);
        } else if (c == 0x8c && carve_counted(r, i, &m, &next)) {
            if (next < r.n && r.p[next] == 0x94) next++;
            if (next < r.n && carve_counted(r, next, &n, &after)) {
                if (after < r.n && r.p[after] == 0x94) after++;
                if (after < r.n && r.p[after] == 0x93) carve_pair(s, m, n, i);
            }
        }
    }
}
