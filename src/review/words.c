/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.c — findings in a reader's language. Records and signed statements hold English; the sentence is found again by
 * rule id, and its argument by this table: fixed phrases, or phrases around one number or name (%s). An argument that
 * stands here under no phrase is a name of the file's own and is left as it is.
 */
#include "base/i18n.h"
#include "facts.h"
#include "review.h"

static const char *const phrases[] = {
    N_("memo key was never stored"),
    N_("memo key is not a number"),
    N_("stack underflow"),
    N_("no mark"),
    N_("no end"),
    N_("unknown protocol"),
    N_("unknown opcode"),
    N_("an operand goes beyond the end"),
    N_("an imported name is not an identifier"),
    N_("odd number of dictionary items"),
    N_("frame longer than the file"),
    N_("a frame inside a frame"),
    N_("an opcode crosses the end of its frame"),
    N_("OBJ without a class"),
    N_("a plain value is called"),
    N_("an item is put into a plain value"),
    N_("an inline array of unknown size"),
    N_("an inline array goes beyond the end"),
    N_("an object array breaks off"),
    N_("object arrays nested too deeply"),
    N_("a file within the pickle"),
    N_("imported names"),
    N_("torch file with fewer than five streams"),
    N_("zip behind other content"),
    N_("no end record"),
    N_("end record"),
    N_("zip64 and 32-bit end records differ"),
    N_("zip64 locator"),
    N_("central directory"),
    N_("inside the central directory"),
    N_("tar record"),
    N_("llamafile or self-extracting archive"),
    N_("large JSON"),
    N_("too many tensors"),
    N_("unclosed block"),
    N_("too long"),
    N_("cut off"),
    N_("value cut off"),
    N_("string length"),
    N_("string beyond the end"),
    N_("array type"),
    N_("arrays nested too deeply"),
    N_("array beyond the end"),
    N_("value type"),
    N_("key length"),
    N_("tensor dimensions"),
    N_("tensor size overflows"),
    N_("row is not whole blocks"),
    N_("tensor offset"),
    N_("number of keys"),
    N_("number of tensors"),
    N_("the bytes are not here"),
    N_("the examination took too long; the file counts as not examined"),
    N_("the examining process said too much; the file counts as not examined"),
    N_("the examining process ended with code %s; the file counts as not examined"),
    N_("bad JSON at %s"),
    N_("tensors overlap at %s"),
    N_("hole at %s"),
    N_("overlap at %s"),
    N_("ends at %s"),
    N_("more than %s bytes"),
    N_("%s bytes behind the picture"),
    N_("%s bytes behind the end"),
    N_("method of %s"),
    N_("length %s"),
    N_("%s bytes"), /* behind the longer ones that end so */
    N_("size of %s"),
};
/* Words so short that other rooms have them too; the same Chinese serves. */
static const char *const words[] = {N_("time"),   N_("stack"),   N_("marks"),     N_("memo"),
                                    N_("limit"),  N_("version"), N_("memory"),    N_("shorter"),
                                    N_("longer"), N_("boolean"), N_("alignment"), N_("dictionary")};

static struct str fill(struct arena *a, const char *format, struct str subject) {
    const char *at = strstr(format, "%s");
    if (!at) return str_of(format);
    return arena_printf(a, "%.*s" STR_FMT "%s", (int)(at - format), format, STR_ARG(subject), at + 2);
}

/* What stands where `format` has its %s. False: the text is not made from it. */
static bool unfill(const char *format, struct str text, struct str *subject) {
    const char *at = strstr(format, "%s");
    *subject = STR("");
    if (!at) return str_eqz(text, format);
    struct str tail = str_of(at + 2);
    size_t head = (size_t)(at - format);
    if (text.n < head + tail.n || memcmp(text.p, format, head) != 0 || !str_ends(text, tail.p)) return false;
    *subject = str_sub(text, head, text.n - head - tail.n);
    return true;
}

static struct str argument(struct arena *a, enum lang lang, struct str arg) {
    struct str inner;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eqz(arg, words[i])) return str_of(i18n(lang, words[i]));
    for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
        if (unfill(phrases[i], arg, &inner)) return fill(a, i18n(lang, phrases[i]), inner);
    return arg;
}

struct str review_message(struct arena *a, enum lang lang, struct str rule, struct str message) {
    enum fact_kind k;
    struct str arg;
    if (lang == LANG_EN || !fact_parse(rule, &k)) return message;
    const char *en = fact_message(k), *other = i18n(lang, en);
    if (other == en) return message;
    bool whole = unfill(en, message, &arg);
    if (!whole && !str_ends(message, ".")) /* headers and reasons drop the full stop */
        whole = unfill(en, arena_printf(a, STR_FMT ".", STR_ARG(message)), &arg);
    return whole ? fill(a, other, argument(a, lang, arg)) : message;
}

/* "pickle.call.exec", "not_examined": what a rule's id looks like (and some file names, so two in a row mean a path
 * first). */
static bool is_rule(struct str s) {
    enum fact_kind k;
    return fact_parse(s, &k);
}

static bool cut_at(struct str s, struct str *head, struct str *rest) {
    ptrdiff_t at = str_find(s, STR(": "));
    if (at < 0) return false;
    *head = str_sub(s, 0, (size_t)at);
    *rest = str_from(s, (size_t)at + 2);
    return true;
}

/* Where the parenthesis opens that ends s, over those inside it; -1 when s does not end with one. */
static ptrdiff_t last_parenthesis(struct str s) {
    size_t depth = 0;
    if (!str_ends(s, ")")) return -1;
    for (size_t i = s.n; i-- > 0;) {
        if (s.p[i] == ')') depth++;
        if (s.p[i] == '(' && --depth == 0) return (ptrdiff_t)i;
    }
    return -1;
}

struct str review_reason(struct arena *a, enum lang lang, struct str reason, bool with_rule) {
    struct str path = STR(""), rule, rest, next, after, where = STR("");
    if (!cut_at(reason, &rule, &rest)) return reason;
    while (!is_rule(rule)) { /* a path may hold ": " itself */
        if (!cut_at(rest, &next, &after)) return reason;
        path = str_make(reason.p, (size_t)(rest.p - reason.p) - 2);
        rule = next;
        rest = after;
    }
    ptrdiff_t open = last_parenthesis(rest);
    if (open > 0 && rest.p[open - 1] == ' ') {
        where = str_from(rest, (size_t)open - 1);
        rest = str_sub(rest, 0, (size_t)open - 1);
    }
    struct str said = review_message(a, lang, rule, rest);
    if (str_eq(said, rest) && where.n) { /* the parenthesis belonged to the sentence */
        struct str whole = str_make(rest.p, rest.n + where.n), again = review_message(a, lang, rule, whole);
        if (!str_eq(again, whole)) said = again, where = STR("");
    }
    if (!str_ends(rest, ".") && str_ends(said, "。")) said = str_sub(said, 0, said.n - strlen("。"));
    if (where.n && lang == LANG_ZH) /* full width, as everything in a Chinese sentence */
        where = arena_printf(a, "（" STR_FMT "）", STR_ARG(str_sub(where, 2, where.n - 3)));
    const char *colon = lang == LANG_ZH ? "：" : ": ";
    return arena_printf(a, STR_FMT "%s" STR_FMT "%s" STR_FMT STR_FMT, STR_ARG(path), path.n ? colon : "",
                        STR_ARG(with_rule ? rule : STR("")), with_rule ? colon : "", STR_ARG(said), STR_ARG(where));
}

struct str review_responsible(enum lang lang, struct str recorded) {
    return str_eqz(recorded, REVIEW_NOBODY_NAMED) ? str_of(i18n(lang, REVIEW_NOBODY_NAMED)) : recorded;
}

const char *review_verdict_word(enum lang lang, enum verdict v) {
    static const char *const names[] = {N_("pending"), N_("pass"), N_("notice"), N_("review"), N_("block")};
    return i18n(lang, names[(unsigned)v < ARRAY_LEN(names) ? v : 0]);
}

const char *review_coverage_word(enum lang lang, enum coverage c) {
    static const char *const names[] = {N_("not examined"), N_("partly examined"), N_("fully examined")};
    return i18n(lang, names[(unsigned)c < ARRAY_LEN(names) ? c : 0]);
}
