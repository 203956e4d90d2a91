/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secrets.c — access tokens by forms so specific that chance does not make them: fixed prefix, exact
 * alphabet, exact or minimum length, several different characters. The token itself is never recorded.
 */
#include "scan.h"

struct form {
    const char *prefix, *say;
    unsigned min, max; /* characters behind the prefix */
};
static const struct form forms[] = {
    {"hf_", "Hugging Face", 34, 40},
    {"ghp_", "GitHub", 36, 36},
    {"gho_", "GitHub", 36, 36},
    {"ghs_", "GitHub", 36, 36},
    {"github_pat_", "GitHub", 82, 82},
    {"AKIA", "AWS", 16, 16},
    {"sk-ant-api03-", "Anthropic", 90, 110},
    {"sk-proj-", "OpenAI", 100, 200},
    {"xoxb-", "Slack", 40, 80},
    {"glpat-", "GitLab", 20, 20},
    {"AIzaSy", "Google", 33, 33},
    {"npm_", "npm", 36, 36},
};

static bool token_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool varied(struct str v) {
    bool seen[128] = {false};
    unsigned n = 0, digits = 0;
    for (size_t i = 0; i < v.n; i++) {
        n += !seen[(unsigned char)v.p[i] & 127];
        seen[(unsigned char)v.p[i] & 127] = true;
        digits += v.p[i] >= '0' && v.p[i] <= '9';
    }
    return n >= 10 && digits >= 1 && digits < v.n;
}

static void form_scan(struct scan *s, struct str t, const struct form *f) {
    size_t n = strlen(f->prefix);
    for (size_t at = 0; at < t.n;) {
        const char *p = memmem(t.p + at, t.n - at, f->prefix, n);
        if (!p) return;
        size_t from = (size_t)(p - t.p) + n, end = from;
        while (end < t.n && token_char(t.p[end])) end++;
        bool fresh = p == t.p || !token_char(p[-1]);
        if (fresh && end - from >= f->min && end - from <= f->max && varied(str_sub(t, from, end - from)))
            facts_addz(s->f, FACT_SECRET, f->say, p - t.p);
        at = end;
    }
}

void secrets_scan(struct scan *s, struct str t) {
    for (size_t i = 0; i < ARRAY_LEN(forms) && !scan_late(s); i++) form_scan(s, t, &forms[i]);
    const char *p = memmem(t.p, t.n, "-----BEGIN ", 11);
    if (p && memmem(p, MIN((size_t)(t.p + t.n - p), (size_t)64), "PRIVATE KEY-----", 16) &&
        memmem(p, (size_t)(t.p + t.n - p), "-----END ", 9))
        facts_addz(s->f, FACT_SECRET_KEY, "", p - t.p);
}
