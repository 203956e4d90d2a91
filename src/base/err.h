/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h — the one error type.
 *
 * An `err` is NULL (success) or a pointer to a constant of kind. The human text of the newest
 * error lives in the current *error slot*: one per fiber, one per plain thread. rt swaps the slot
 * pointer when it switches fibers and lends the submitter's slot to work-pool jobs, so
 * err_text() after a failed call always shows that call's text.
 *
 * Text is for people: it says what happened, what is unchanged and what to do. It is translated
 * (i18n) before it is formatted; formats may use POSIX positional arguments for that.
 */
#ifndef BALLAST_ERR_H
#define BALLAST_ERR_H

#include "base.h"

struct err_kind {
    const char *name; /* stable machine name, snake_case: "not_found" */
    int status;       /* HTTP status */
    const char *code; /* X-Error-Code for the HF dialect, or NULL */
    bool retryable;   /* a later identical attempt may succeed */
};
typedef const struct err_kind *err;
#define OK ((err)0)

/* Kinds. Add one only where a client must act differently on it. */
extern const struct err_kind E_BAD_REQUEST[1];       /* 400 */
extern const struct err_kind E_UNAUTHORIZED[1];      /* 401 no credentials */
extern const struct err_kind E_BAD_CREDENTIALS[1];   /* 401 wrong credentials */
extern const struct err_kind E_PAYMENT[1];           /* 402 */
extern const struct err_kind E_FORBIDDEN[1];         /* 403 */
extern const struct err_kind E_BLOCKED[1];           /* 403, code ReviewBlocked: a verdict refuses the bytes */
extern const struct err_kind E_GATED[1];             /* 403, code GatedRepo */
extern const struct err_kind E_NOT_FOUND[1];         /* 404 */
extern const struct err_kind E_REPO_NOT_FOUND[1];    /* 404, code RepoNotFound (401 for anonymous) */
extern const struct err_kind E_REV_NOT_FOUND[1];     /* 404, code RevisionNotFound */
extern const struct err_kind E_ENTRY_NOT_FOUND[1];   /* 404, code EntryNotFound */
extern const struct err_kind E_METHOD[1];            /* 405 */
extern const struct err_kind E_CONFLICT[1];          /* 409 */
extern const struct err_kind E_PRECONDITION[1];      /* 412 */
extern const struct err_kind E_TOO_LARGE[1];         /* 413 */
extern const struct err_kind E_URI_TOO_LONG[1];      /* 414 */
extern const struct err_kind E_RANGE[1];             /* 416 */
extern const struct err_kind E_UNPROCESSABLE[1];     /* 422 */
extern const struct err_kind E_RATE[1];              /* 429 */
extern const struct err_kind E_HEADERS_TOO_LARGE[1]; /* 431 */
extern const struct err_kind E_INTERNAL[1];          /* 500 */
extern const struct err_kind E_NOT_IMPLEMENTED[1];   /* 501 */
extern const struct err_kind E_UPSTREAM[1];          /* 502 */
extern const struct err_kind E_UNAVAILABLE[1];       /* 503 */
extern const struct err_kind E_PENDING[1];           /* 503, retryable: a verdict is still to come */
extern const struct err_kind E_TIMEOUT[1];           /* 504 (also deadlines inside) */
/* Kinds that never reach a client as such. */
extern const struct err_kind E_IO[1];        /* errno in text; 500 */
extern const struct err_kind E_NOMEM[1];     /* bounded memory exhausted; 503 */
extern const struct err_kind E_CORRUPT[1];   /* stored data contradicts itself; 500 */
extern const struct err_kind E_EOF[1];       /* peer closed in the middle; 400 */
extern const struct err_kind E_CANCELLED[1]; /* the fiber's connection is gone or the server stops; 503 */
extern const struct err_kind E_LIMIT[1];     /* a stated maximum was reached; 413 */

enum { ERR_TEXT_MAX = 1024 };
struct err_slot {
    char text[ERR_TEXT_MAX];
    char text_en[ERR_TEXT_MAX]; /* its English twin, only when has_en: headers must stay Latin-1 */
    bool has_en;
    unsigned char lang;     /* enum lang of the reader */
    unsigned retry_after_s; /* for 429/503: suggested wait; 0 = none */
};

/* The current slot (fiber's or thread's). Never NULL. */
struct err_slot *err_slot(void);
/* Used by rt only: install `s` (NULL = the thread's own); returns the previous one. */
struct err_slot *err_slot_swap(struct err_slot *s);

/* Record text and return `kind`. The format is translated for the slot's language first. */
must_check err err_fail(err kind, const char *fmt, ...) printf_like(2, 3);
/* As err_fail with ": strerror(errnum)" appended. */
must_check err err_errno(err kind, int errnum, const char *fmt, ...) printf_like(3, 4);
/* After err_fail: the reader's own text, where arguments differ by language too. The English text stays as it is; for
 * an English reader this does nothing. */
void err_local(const char *fmt, ...) printf_like(1, 2);
/* Put "context: " before the recorded text; returns `kind` unchanged. */
must_check err err_wrap(err kind, const char *fmt, ...) printf_like(2, 3);
const char *err_text(void);
/* English text of the newest error (headers must stay Latin-1); same as err_text() when lang is English. */
const char *err_text_en(void);

#define TRY(expr)                                                                                                      \
    do {                                                                                                               \
        err try_e_ = (expr);                                                                                           \
        if (__builtin_expect(try_e_ != OK, 0)) return try_e_;                                                          \
    } while (0)
/* For results that a caller deliberately does not act on; say why in a comment beside it. */
#define IGNORE_ERR(expr)                                                                                               \
    do {                                                                                                               \
        err ignore_e_ = (expr);                                                                                        \
        (void)ignore_e_;                                                                                               \
    } while (0)
#endif
