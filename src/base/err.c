/* SPDX-License-Identifier: Apache-2.0 */
/* err.c — error kinds and the current error slot. */
#include "base/err.h"

#include <stdarg.h>

#include "base/i18n.h"

#define KIND(sym, name, status, code, retry) const struct err_kind sym[1] = {{name, status, code, retry}}
KIND(E_BAD_REQUEST, "bad_request", 400, NULL, false);
KIND(E_UNAUTHORIZED, "unauthorized", 401, NULL, false);
KIND(E_BAD_CREDENTIALS, "bad_credentials", 401, NULL, false);
KIND(E_PAYMENT, "payment_required", 402, NULL, false);
KIND(E_FORBIDDEN, "forbidden", 403, NULL, false);
KIND(E_BLOCKED, "review_blocked", 403, "ReviewBlocked", false);
KIND(E_GATED, "gated", 403, "GatedRepo", false);
KIND(E_NOT_FOUND, "not_found", 404, NULL, false);
KIND(E_REPO_NOT_FOUND, "repo_not_found", 404, "RepoNotFound", false);
KIND(E_REV_NOT_FOUND, "revision_not_found", 404, "RevisionNotFound", false);
KIND(E_ENTRY_NOT_FOUND, "entry_not_found", 404, "EntryNotFound", false);
KIND(E_METHOD, "method_not_allowed", 405, NULL, false);
KIND(E_CONFLICT, "conflict", 409, NULL, false);
KIND(E_PRECONDITION, "precondition_failed", 412, NULL, false);
KIND(E_TOO_LARGE, "too_large", 413, NULL, false);
KIND(E_URI_TOO_LONG, "uri_too_long", 414, NULL, false);
KIND(E_RANGE, "range_not_satisfiable", 416, NULL, false);
KIND(E_UNPROCESSABLE, "unprocessable", 422, NULL, false);
KIND(E_RATE, "rate_limited", 429, NULL, true);
KIND(E_HEADERS_TOO_LARGE, "headers_too_large", 431, NULL, false);
KIND(E_INTERNAL, "internal", 500, NULL, false);
KIND(E_NOT_IMPLEMENTED, "not_implemented", 501, NULL, false);
KIND(E_UPSTREAM, "upstream", 502, NULL, true);
KIND(E_UNAVAILABLE, "unavailable", 503, NULL, true);
KIND(E_PENDING, "review_pending", 503, "ReviewPending", true);
KIND(E_TIMEOUT, "timeout", 504, NULL, true);
KIND(E_IO, "io", 500, NULL, false);
KIND(E_NOMEM, "no_memory", 503, NULL, true);
KIND(E_CORRUPT, "corrupt", 500, NULL, false);
KIND(E_EOF, "eof", 400, NULL, false);
KIND(E_CANCELLED, "cancelled", 503, NULL, true);
KIND(E_LIMIT, "limit", 413, NULL, false);

static _Thread_local struct err_slot thread_slot;
static _Thread_local struct err_slot *current;

/* noinline: a fiber may move between calls only in the sense of switching, never of thread; still the address of
 * a thread-local must not be cached across a switch by the compiler. */
__attribute__((noinline)) struct err_slot *err_slot(void) {
    return current != NULL ? current : &thread_slot;
}

__attribute__((noinline)) struct err_slot *err_slot_swap(struct err_slot *s) {
    struct err_slot *old = current;
    current = s;
    return old;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void slot_format(struct err_slot *s, const char *fmt, va_list ap) {
    va_list en;
    va_copy(en, ap);
    const char *local = i18n((enum lang)s->lang, fmt);
    vsnprintf(s->text, sizeof s->text, local, ap);
    s->has_en = local != fmt;
    if (s->has_en) vsnprintf(s->text_en, sizeof s->text_en, fmt, en);
    va_end(en);
}
#pragma GCC diagnostic pop

err err_fail(err kind, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    struct err_slot *s = err_slot();
    slot_format(s, fmt, ap);
    s->retry_after_s = 0;
    va_end(ap);
    return kind;
}

err err_errno(err kind, int errnum, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    struct err_slot *s = err_slot();
    slot_format(s, fmt, ap);
    s->retry_after_s = 0;
    va_end(ap);
    size_t n = strlen(s->text);
    char tmp[128];
    const char *why = strerror_r(errnum, tmp, sizeof tmp);
    snprintf(s->text + n, sizeof s->text - n, ": %s", why);
    if (s->has_en) {
        n = strlen(s->text_en);
        snprintf(s->text_en + n, sizeof s->text_en - n, ": %s", why);
    }
    return kind;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
void err_local(const char *fmt, ...) {
    struct err_slot *s = err_slot();
    if (s->lang == LANG_EN) return;
    if (!s->has_en) memcpy(s->text_en, s->text, sizeof s->text_en);
    s->has_en = true;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s->text, sizeof s->text, i18n((enum lang)s->lang, fmt), ap);
    va_end(ap);
}
#pragma GCC diagnostic pop

err err_wrap(err kind, const char *fmt, ...) {
    struct err_slot *s = err_slot();
    char old[ERR_TEXT_MAX], old_en[ERR_TEXT_MAX];
    bool had_en = s->has_en;
    memcpy(old, s->text, sizeof old);
    memcpy(old_en, had_en ? s->text_en : s->text, sizeof old_en);
    va_list ap;
    va_start(ap, fmt);
    slot_format(s, fmt, ap);
    va_end(ap);
    if (had_en && !s->has_en) memcpy(s->text_en, s->text, sizeof s->text_en);
    s->has_en = s->has_en || had_en;
    size_t n = strlen(s->text);
    snprintf(s->text + n, sizeof s->text - n, ": %s", old);
    if (!s->has_en) return kind;
    n = strlen(s->text_en);
    snprintf(s->text_en + n, sizeof s->text_en - n, ": %s", old_en);
    return kind;
}

const char *err_text(void) {
    return err_slot()->text;
}

const char *err_text_en(void) {
    struct err_slot *s = err_slot();
    return s->has_en ? s->text_en : s->text;
}
