/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jinja.c — chat templates: tokens of Jinja, looked at for reaches into Python and for behaviour that
 * depends on what people wrote.
 *
 * Inside {{ }} and {% %} the text is split into names, strings, numbers and operators. Strings are
 * unescaped (\x5f is an underscore) and neighbouring ones folded over ~ and +, so `'__cla'~'ss__'`
 * is seen. Outside is text and never looked at.
 */
#include "scan.h"

enum { LEX_MAX = 256 * 1024, STR_MAX = 512 };

struct lex {
    struct scan *s;
    struct str t;
    size_t at;
    char folded[STR_MAX]; /* the string being folded */
    size_t n_folded;
    char prev_op;
    struct str prev_name;
    bool in_if, saw_content, saw_in_literal, exec;
    char literal[64];
};

static bool name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool hot_word(struct str w) {
    static const char *const words[] = {"__class__",
                                        "__mro__",
                                        "__base__",
                                        "__bases__",
                                        "__subclasses__",
                                        "__globals__",
                                        "__builtins__",
                                        "__import__",
                                        "__init__",
                                        "__dict__",
                                        "__getattribute__",
                                        "__getitem__",
                                        "__code__",
                                        "__call__",
                                        "__self__",
                                        "__module__",
                                        "mro",
                                        "func_globals",
                                        "gi_frame",
                                        "cr_frame",
                                        "f_globals",
                                        "popen",
                                        "subprocess",
                                        "os.system",
                                        "lipsum",
                                        "cycler",
                                        "joiner",
                                        "g.pop",
                                        "url_for",
                                        "get_flashed_messages",
                                        "_TemplateReference__context",
                                        "importlib",
                                        "eval(",
                                        "exec(",
                                        "os.popen",
                                        "builtins"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eqz(w, words[i])) return true;
    return w.n > 4 && str_starts(w, "__") && str_ends(w, "__");
}

static void exec_fact(struct lex *x, struct str what) {
    facts_add(x->s->f, FACT_TPL_EXEC, what, (int64_t)x->at);
    x->exec = true;
}

static void string_done(struct lex *x) {
    struct str w = str_make(x->folded, x->n_folded);
    if (w.n == 0) return;
    if (hot_word(w)) exec_fact(x, w);
    else if (str_find(w, STR("__")) >= 0 && (str_find(w, STR("__class")) >= 0 || str_find(w, STR("__glob")) >= 0 ||
                                             str_find(w, STR("__import")) >= 0 || str_find(w, STR("__built")) >= 0))
        exec_fact(x, w);
}

static int hexv(char c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static void lex_string(struct lex *x, size_t end) {
    char q = x->t.p[x->at++];
    bool join = x->prev_op == '~' || x->prev_op == '+' || x->prev_op == '"';
    if (!join) {
        string_done(x);
        x->n_folded = 0;
    }
    size_t from = x->n_folded;
    while (x->at < end && x->t.p[x->at] != q) {
        char c = x->t.p[x->at++];
        if (c == '\\' && x->at < end) {
            char e = x->t.p[x->at++];
            size_t digits = e == 'x' ? 2 : e == 'u' ? 4 : 0;
            int v = 0;
            if (digits && x->at + digits <= end) {
                for (size_t i = 0; i < digits; i++) v = v * 16 + MAX(hexv(x->t.p[x->at + i]), 0);
                x->at += digits;
                c = v < 128 ? (char)v : '?';
            } else {
                c = e == 'n' ? '\n' : e;
            }
        }
        if (x->n_folded < STR_MAX - 1) x->folded[x->n_folded++] = c;
    }
    x->at++;
    x->prev_op = '"';
    struct str lit = str_make(x->folded + from, x->n_folded - from);
    if (x->in_if && lit.n >= 3 && lit.n < sizeof x->literal) {
        memcpy(x->literal, lit.p, lit.n);
        x->literal[lit.n] = 0;
    }
}

static void lex_name(struct lex *x, size_t end) {
    size_t from = x->at;
    while (x->at < end && name_char(x->t.p[x->at])) x->at++;
    struct str w = str_sub(x->t, from, x->at - from);
    string_done(x);
    x->n_folded = 0;
    if (hot_word(w) && !(str_eqz(w, "joiner") || str_eqz(w, "cycler") || str_eqz(w, "mro"))) exec_fact(x, w);
    if (x->prev_op == '.' && (str_eqz(x->prev_name, "cycler") || str_eqz(x->prev_name, "joiner") ||
                              str_eqz(x->prev_name, "namespace") || str_eqz(x->prev_name, "self"))) {
        if (!str_eqz(w, "next") && !str_eqz(w, "reset") && !str_eqz(w, "current") && (w.n && w.p[0] == '_'))
            exec_fact(x, w);
    }
    static const char *const loads[] = {"import", "include", "extends", "from"};
    for (size_t i = 0; i < ARRAY_LEN(loads); i++)
        if (str_eqz(w, loads[i]) && x->prev_op == '%') facts_add(x->s->f, FACT_TPL_INCLUDE, w, (int64_t)from);
    if (x->prev_op == '|' && str_eqz(w, "attr")) facts_addz(x->s->f, FACT_TPL_UNKNOWN, "|attr", (int64_t)from);
    if (x->prev_op == '%' && (str_eqz(w, "if") || str_eqz(w, "elif"))) {
        x->in_if = true;
        x->saw_content = x->saw_in_literal = false;
        x->literal[0] = 0;
    }
    if (x->in_if && (str_eqz(w, "content") || str_eqz(w, "messages")))
        x->saw_content = x->saw_content || str_eqz(w, "content");
    if (x->in_if && str_eqz(w, "in") && x->literal[0]) x->saw_in_literal = true;
    x->prev_name = w;
    x->prev_op = 'n';
}

/* Thinking marks, tool tags and the like are formatting; words of a language are behaviour. */
static bool wordy(const char *z) {
    struct str s = str_of(z);
    if (s.n < 3) return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ' ' || c >= 0x80;
        if (!ok) return false;
    }
    static const char *const types[] = {"text",        "image", "video", "audio",    "image_url",
                                        "input_audio", "parts", "type",  "thinking", "think"};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eqz(s, types[i])) return false;
    return true;
}

/* From behind the opening to behind the closing mark; a closing mark inside a string closes nothing. */
static bool block(struct lex *x, char kind) {
    size_t end = x->t.n;
    char close = kind == '{' ? '}' : kind;
    bool closed = false;
    x->prev_op = kind;
    x->in_if = false;
    x->n_folded = 0;
    while (x->at < end && !closed) {
        char c = x->t.p[x->at];
        if (c == '\'' || c == '"') lex_string(x, end);
        else if (name_char(c) && !(c >= '0' && c <= '9')) lex_name(x, end);
        else {
            closed = c == close && x->at + 1 < end && x->t.p[x->at + 1] == '}';
            bool trim = c == '-' && (x->prev_op == '%' || x->prev_op == '{') && x->t.p[x->at - 1] == kind;
            if (!closed && !trim && c != ' ' && c != '\n' && c != '\r' && c != '\t') x->prev_op = c;
            x->at += closed ? 2 : 1;
        }
    }
    string_done(x);
    if (kind == '%' && x->in_if && x->saw_content && x->saw_in_literal && wordy(x->literal))
        facts_addz(x->s->f, FACT_TPL_CONTENT, x->literal, (int64_t)x->at);
    return closed;
}

/* Bounded and total: an unclosed block ends at the end of the text. */
void jinja_scan(struct scan *s, struct str text) {
    struct lex x = {.s = s, .t = str_sub(text, 0, LEX_MAX)};
    if (text.n > LEX_MAX) {
        facts_addz(s->f, FACT_TPL_MALFORMED, "too long", LEX_MAX);
        facts_cover(s->f, COVERAGE_PARTIAL);
    }
    while (x.at + 1 < x.t.n) {
        const char *p = memchr(x.t.p + x.at, '{', x.t.n - x.at - 1);
        if (!p) break;
        x.at = (size_t)(p - x.t.p);
        char kind = x.t.p[x.at + 1];
        if (kind != '{' && kind != '%' && kind != '#') {
            x.at++;
            continue;
        }
        x.at += 2;
        if (kind == '#') {
            ptrdiff_t e = str_find(str_from(x.t, x.at), STR("#}"));
            x.at = e < 0 ? x.t.n : x.at + (size_t)e + 2;
        } else if (!block(&x, kind)) {
            facts_addz(s->f, FACT_TPL_MALFORMED, "unclosed block", (int64_t)x.at);
        }
    }
}
