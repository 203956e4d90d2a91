/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.c — what one event of an upstream's stream means.
 *
 * Content is what makes a client's answer: text, reasoning, a tool call, a refusal, audio, a finish
 * reason. A role alone, an empty delta, a comment are preamble: they commit to nobody. What a provider says is
 * judged mildly (a member twice, half a surrogate pair at the end of a token): it is passed on, not built upon.
 *
 * A provider that reports no usage gets an estimate, four bytes of text a token, and the ledger says so.
 */
#include "gate/gate_int.h"

enum { EST_BYTES = 4 };

void usage_take(struct jv usage, struct usage *u) {
    if (jv_type(usage) != JSON_OBJECT) return;
    u->prompt = jv_i64(jv_get(usage, "prompt_tokens"), u->prompt);
    u->completion = jv_i64(jv_get(usage, "completion_tokens"), u->known ? u->completion : 0);
    if (u->prompt < 0) u->prompt = 0;
    if (u->completion < 0) u->completion = 0;
    u->known = true;
}

/* A delta or message member that carries something. */
static bool has_value(struct jv v) {
    switch (jv_type(v)) {
    case JSON_STRING: return jv_raw(v).n > 2;
    case JSON_ARRAY:
    case JSON_OBJECT: return jv_len(v) > 0;
    case JSON_NUMBER:
    case JSON_TRUE: return true;
    case JSON_NONE:
    case JSON_NULL:
    case JSON_FALSE:
    default: return false;
    }
}

static bool delta_has_content(struct jv delta) {
    if (jv_type(delta) != JSON_OBJECT) return false;
    for (struct jv_iter it = jv_iter(delta); jv_next(&it);)
        if (!str_eqz(it.key, "role") && has_value(it.val)) return true;
    return false;
}

static bool is_error(struct jv root) {
    struct jv e = jv_get(root, "error");
    return jv_ok(e) && has_value(e);
}

enum ev_kind event_kind(struct arena *scratch, const struct sse_event *ev, struct usage *u, bool *content) {
    *content = false;
    if (ev->comment_only || ev->data.n == 0) return EV_COMMENT;
    if (str_eqz(str_trim(ev->data), "[DONE]")) return EV_DONE;
    struct json_limits lim = {.max_bytes = GATE_EVENT_MAX,
                              .max_depth = GATE_DEPTH_MAX,
                              .max_nodes = 1 << 18,
                              .allow_duplicate_keys = true,
                              .allow_lone_surrogates = true};
    struct jv root;
    if (json_parse(scratch, ev->data, &lim, &root) != OK || jv_type(root) != JSON_OBJECT) return EV_BAD;
    if (is_error(root) || str_eqz(ev->type, "error")) return EV_ERROR;
    struct jv usage = jv_get(root, "usage");
    usage_take(usage, u);
    struct jv choices = jv_get(root, "choices");
    if (jv_len(choices) == 0) return jv_type(usage) == JSON_OBJECT ? EV_USAGE : EV_PREAMBLE;
    bool finish = false;
    for (struct jv_iter it = jv_iter(choices); jv_next(&it);) {
        if (delta_has_content(jv_get(it.val, "delta")) || has_value(jv_get(it.val, "text"))) *content = true;
        if (jv_type(jv_get(it.val, "finish_reason")) == JSON_STRING) finish = true;
    }
    return finish ? EV_FINISH : *content ? EV_CONTENT : EV_PREAMBLE;
}

/* Bytes of text under v: strings that are no addresses of data; `member` alone of each object when given. */
static int64_t text_bytes(struct jv v, const char *const *members) {
    int64_t n = 0;
    switch (jv_type(v)) {
    case JSON_STRING: {
        struct str raw = jv_raw(v);
        return str_starts(raw, "\"data:") ? 0 : (int64_t)raw.n - 2;
    }
    case JSON_NUMBER: return EST_BYTES; /* a token by its number */
    case JSON_ARRAY:
        for (struct jv_iter it = jv_iter(v); jv_next(&it);) n += text_bytes(it.val, members);
        return n;
    case JSON_OBJECT:
        for (; *members != NULL; members++) n += text_bytes(jv_get(v, *members), members);
        return n;
    case JSON_NONE:
    case JSON_NULL:
    case JSON_TRUE:
    case JSON_FALSE:
    default: return 0;
    }
}

void usage_guess_prompt(struct str request, struct usage *u) {
    static const char *const in[] = {"messages", "prompt", "input", "content", "text", "arguments", NULL};
    struct arena a;
    arena_init(&a, 64 * MiB);
    struct jv root;
    if (json_parse(&a, request, &gate_request_json, &root) == OK)
        u->prompt = (text_bytes(root, in) + EST_BYTES - 1) / EST_BYTES;
    arena_release(&a);
}

static int64_t guess_completion(struct jv root) {
    static const char *const out[] = {"message",    "text",     "content",   "reasoning_content",
                                      "tool_calls", "function", "arguments", NULL};
    return (text_bytes(jv_get(root, "choices"), out) + EST_BYTES - 1) / EST_BYTES;
}

bool answer_good(struct str body, struct usage *u) {
    struct json_limits lim = {.max_bytes = GATE_BODY_MAX,
                              .max_depth = GATE_DEPTH_MAX,
                              .max_nodes = 8 << 20,
                              .allow_duplicate_keys = true,
                              .allow_lone_surrogates = true};
    /* An arena of its own: the nodes of a large batch of embeddings take several times its bytes. */
    struct arena a;
    arena_init(&a, 512 * MiB);
    struct jv root;
    bool good = json_parse(&a, body, &lim, &root) == OK && jv_type(root) == JSON_OBJECT && !is_error(root) &&
                (jv_len(jv_get(root, "choices")) > 0 || jv_len(jv_get(root, "data")) > 0);
    if (good) usage_take(jv_get(root, "usage"), u);
    if (good && !u->known) u->completion = guess_completion(root);
    arena_release(&a);
    return good;
}
