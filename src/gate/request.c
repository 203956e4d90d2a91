/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.c — the one strict scan of a request, and the splice for a target.
 *
 * The body is checked to be one JSON object (no duplicate keys, valid UTF-8) and never rebuilt: the
 * bytes of the `model` value are replaced, `stream_options.include_usage` is added to streams that
 * lack it, everything else goes out byte for byte, so a provider's prompt cache keeps working.
 */
#include "gate/gate_int.h"

static err need_bool(struct jv obj, const char *key, bool *out) {
    struct jv v = jv_get(obj, key);
    enum json_type t = jv_type(v);
    if (!jv_ok(v) || t == JSON_NULL) return OK;
    if (t != JSON_TRUE && t != JSON_FALSE) return err_fail(E_BAD_REQUEST, "field %s: expected true or false", key);
    *out = t == JSON_TRUE;
    return OK;
}

/* Where and how include_usage is added: into stream_options, in its place, or as a new last member. */
static err plan_usage(struct gate_req *q, struct jv root) {
    struct jv so = jv_get(root, "stream_options");
    if (!jv_ok(so)) {
        struct str raw = jv_raw(root);
        q->usage_at = jv_offset(root) + raw.n - 1; /* before the closing brace; the object holds "model" at least */
        q->usage_n = 0;
        q->usage_text = STR(",\"stream_options\":{\"include_usage\":true}");
        return OK;
    }
    struct str raw = jv_raw(so);
    if (jv_type(so) == JSON_NULL) {
        q->usage_at = jv_offset(so);
        q->usage_n = raw.n;
        q->usage_text = STR("{\"include_usage\":true}");
        return OK;
    }
    if (jv_type(so) != JSON_OBJECT) return err_fail(E_BAD_REQUEST, "field stream_options: expected an object");
    TRY(need_bool(so, "include_usage", &q->wants_usage));
    if (q->wants_usage) return OK;
    struct jv old = jv_get(so, "include_usage");
    if (jv_ok(old)) {
        q->usage_at = jv_offset(old);
        q->usage_n = jv_raw(old).n;
        q->usage_text = STR("true");
        return OK;
    }
    q->usage_at = jv_offset(so) + 1;
    q->usage_n = 0;
    q->usage_text = jv_len(so) > 0 ? STR("\"include_usage\":true,") : STR("\"include_usage\":true");
    return OK;
}

const struct json_limits gate_request_json = {
    .max_bytes = GATE_BODY_MAX, .max_depth = GATE_DEPTH_MAX, .max_nodes = 1 << 20, .allow_lone_surrogates = true};

err request_scan(struct http_req *r, struct str body, bool may_stream, struct gate_req *out) {
    *out = (struct gate_req){.body = body};
    struct jv root;
    TRY(json_parse(r->arena, body, &gate_request_json, &root));
    if (jv_type(root) != JSON_OBJECT) return err_fail(E_BAD_REQUEST, "the request body: expected a JSON object");
    TRY(jv_need_str(root, "model", &out->model));
    if (out->model.n == 0 || out->model.n > 128) return err_fail(E_BAD_REQUEST, "field model: expected 1 to 128 bytes");
    struct jv m = jv_get(root, "model");
    out->model_at = jv_offset(m);
    out->model_n = jv_raw(m).n;
    if (!may_stream) return OK;
    TRY(need_bool(root, "stream", &out->stream));
    return out->stream ? plan_usage(out, root) : OK;
}

struct cut {
    size_t at, n;
    struct str text;
};

size_t request_splice(const struct gate_req *q, const struct target *t, struct str parts[6]) {
    struct cut c[2] = {{q->model_at, q->model_n, t->upstream_json}, {q->usage_at, q->usage_n, q->usage_text}};
    size_t n_cuts = q->usage_text.n > 0 && !atomic_load_explicit(&t->no_usage_wish, memory_order_relaxed) ? 2 : 1;
    if (n_cuts == 2 && c[1].at < c[0].at) {
        struct cut first = c[1];
        c[1] = c[0];
        c[0] = first;
    }
    size_t n = 0, at = 0;
    for (size_t i = 0; i < n_cuts; i++) {
        parts[n++] = str_sub(q->body, at, c[i].at - at);
        parts[n++] = c[i].text;
        at = c[i].at + c[i].n;
    }
    parts[n++] = str_from(q->body, at);
    return n;
}
