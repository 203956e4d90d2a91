/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sse.c — event scanner. First pass: find the blank line that ends the event, resuming where the
 * last call stopped, so each byte is searched once. Second pass over the complete event: fields.
 *
 * A CR at the very end of the input ends its line at once (a stream with CR line ends must not wait
 * for a byte that never comes); the LF of a split CRLF is then the first raw byte of what follows.
 */
#include "http/sse.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

void sse_init(struct sse_scan *s, size_t max_event_bytes) {
    memset(s, 0, sizeof *s);
    s->max = max_event_bytes;
    /* Room for one whole event and what arrived behind it in one read. */
    buf_init(&s->in, max_event_bytes + 256 * KiB);
    buf_init(&s->data, max_event_bytes);
}

void sse_release(struct sse_scan *s) {
    buf_release(&s->in);
    buf_release(&s->data);
}

size_t sse_pending(const struct sse_scan *s) {
    return s->in.n - s->off;
}

static void sse_compact(struct sse_scan *s) {
    if (s->off == 0) return;
    buf_eat(&s->in, s->off);
    s->scanned -= s->off;
    s->line_at -= s->off;
    s->off = 0;
}

void sse_feed(struct sse_scan *s, const void *p, size_t n) {
    sse_compact(s);
    buf_add(&s->in, p, n);
}

/* Index of the first CR or LF in [i, n), or n. */
static size_t eol_find(const char *p, size_t i, size_t n) {
#ifdef __SSE2__
    const __m128i cr = _mm_set1_epi8('\r'), lf = _mm_set1_epi8('\n');
    for (; i + 16 <= n; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        unsigned m = (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(v, cr), _mm_cmpeq_epi8(v, lf)));
        if (m != 0) return i + (size_t)__builtin_ctz(m);
    }
#endif
    while (i < n && p[i] != '\r' && p[i] != '\n') i++;
    return i;
}

/* True when the current event is complete; *end is one past its blank line. */
static bool event_end(struct sse_scan *s, size_t *end) {
    const char *p = s->in.p;
    size_t n = s->in.n;
    while (s->scanned < n) {
        if (s->skip_lf) {
            s->skip_lf = false;
            if (p[s->scanned] == '\n') {
                s->line_at = ++s->scanned;
                continue;
            }
        }
        size_t i = eol_find(p, s->scanned, n);
        s->scanned = i;
        if (i == n) return false;
        bool is_blank = i == s->line_at;
        s->scanned = i + 1;
        if (p[i] == '\r') {
            if (i + 1 == n) s->skip_lf = true;
            else if (p[i + 1] == '\n') s->scanned++;
        }
        s->line_at = s->scanned;
        if (is_blank) {
            *end = s->scanned;
            return true;
        }
    }
    return false;
}

/* Cut the next line off [*at, n). */
static struct str line_cut(const char *p, size_t *at, size_t n) {
    size_t i = eol_find(p, *at, n);
    struct str line = {p + *at, i - *at};
    if (i < n) i += p[i] == '\r' && i + 1 < n && p[i + 1] == '\n' ? 2 : 1;
    *at = i;
    return line;
}

static void event_fields(struct sse_scan *s, struct sse_event *ev) {
    const char *p = ev->raw.p;
    size_t at = 0, n = ev->raw.n;
    unsigned n_data = 0, n_fields = 0;
    if (!s->started && n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) at = 3;
    s->started = true;
    buf_reset(&s->data);
    while (at < n) {
        struct str line = line_cut(p, &at, n);
        if (line.n == 0 || line.p[0] == ':') continue;
        n_fields++;
        ptrdiff_t colon = str_chr(line, ':');
        struct str name = colon < 0 ? line : str_sub(line, 0, (size_t)colon);
        struct str value = colon < 0 ? STR("") : str_from(line, (size_t)colon + 1);
        if (value.n > 0 && value.p[0] == ' ') value = str_from(value, 1);
        if (str_eqz(name, "event")) ev->type = value;
        if (!str_eqz(name, "data")) continue;
        if (n_data == 0) ev->data = value;
        if (n_data == 1) buf_str(&s->data, ev->data);
        if (n_data >= 1) {
            buf_char(&s->data, '\n');
            buf_str(&s->data, value);
            ev->data = buf_view(&s->data);
        }
        n_data++;
    }
    ev->comment_only = n_fields == 0;
}

err sse_next(struct sse_scan *s, struct sse_event *ev, bool *have) {
    *have = false;
    *ev = (struct sse_event){0};
    if (s->in.failed) return err_fail(E_LIMIT, "an event of the stream is larger than %zu bytes", s->max);
    size_t end;
    bool complete = event_end(s, &end);
    if ((complete ? end : s->in.n) - s->off > s->max)
        return err_fail(E_LIMIT, "an event of the stream is larger than %zu bytes", s->max);
    if (!complete) return OK;
    ev->raw = (struct str){s->in.p + s->off, end - s->off};
    event_fields(s, ev);
    s->off = end;
    *have = true;
    return OK;
}
