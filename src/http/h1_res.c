/* SPDX-License-Identifier: Apache-2.0 */
/* h1_res.c — response head of an upstream, with the same strictness; reason phrases. */
#include "http/h1.h"

static enum h1_result bad(struct h1_res *r, const char *why) {
    r->why = why;
    return H1_BAD;
}

/* "HTTP/1.x NNN[ reason]CRLF" */
static enum h1_result status_line(struct h1_res *r, const char *p, size_t n, size_t *at) {
    static const char version[] = "HTTP/1.";
    size_t have = MIN(n, sizeof version - 1);
    if (memcmp(p, version, have) != 0) return bad(r, "the answer is not HTTP/1.x");
    if (n < 13) return H1_MORE;
    if ((p[7] != '0' && p[7] != '1') || p[8] != ' ') return bad(r, "the answer is not HTTP/1.x");
    for (int i = 9; i < 12; i++)
        if (p[i] < '0' || p[i] > '9') return bad(r, "bad status code");
    if (p[9] == '0' || p[9] > '5') return bad(r, "bad status code");
    r->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
    r->minor = (unsigned)(p[7] - '0');
    if (p[12] != ' ' && p[12] != '\r') return bad(r, "bad status line");
    size_t i = p[12] == ' ' ? 13 : 12, text = i;
    while (i < n && ((unsigned char)p[i] >= 0x20 || p[i] == '\t') && p[i] != 0x7f) i++;
    if (i + 1 >= n && (i == n || p[i] == '\r')) return H1_MORE;
    if (p[i] != '\r' || p[i + 1] != '\n') return bad(r, "the status line does not end in CRLF");
    r->reason = (struct str){p + text, i - text};
    *at = i + 2;
    return H1_OK;
}

enum h1_result h1_res_parse(struct h1_res *r, const char *p, size_t n, bool no_body) {
    size_t at = 0;
    enum h1_result res = status_line(r, p, n, &at);
    if (res == H1_OK) {
        struct h1_fields f = {.headers = r->headers};
        res = h1_fields_parse(&f, p, n, &at);
        r->n_headers = f.n;
        if (res == H1_BAD) return bad(r, f.why);
        if (res == H1_OK) {
            if (f.n_te > 0 && r->minor == 0) return bad(r, "Transfer-Encoding in HTTP/1.0");
            r->head_len = at;
            r->content_length = f.n_te > 0 ? -1 : f.n_length > 0 ? f.content_length : -2;
            if (no_body || r->status < 200 || r->status == 204 || r->status == 304) r->content_length = 0;
            r->keep_alive = (r->minor == 1 ? !f.close : f.keep_alive && !f.close) && r->content_length != -2;
        }
    }
    if ((res == H1_MORE && n >= H1_HEAD_MAX) || at > H1_HEAD_MAX)
        return bad(r, "the answer's head is larger than 32 KiB");
    return res;
}

const char *h1_reason(int status) {
    static const struct {
        int status;
        const char *text;
    } table[] = {
        {100, "Continue"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };
    if (status == 200) return "OK";
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].status == status) return table[i].text;
    return "Unknown";
}
