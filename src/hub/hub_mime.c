/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_mime.c — Content-Type and Content-Disposition of files that strangers wrote.
 *
 * Nothing served from resolve may run in a browser with this site's rights: markup goes out as plain text, everything
 * unknown as octets, and the caller adds `Content-Security-Policy: sandbox` and `nosniff`.
 */
#include "base/hex.h"
#include "hub/hub_mime.h"

static const struct {
    const char *ext, *type;
} types[] = {
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".gif", "image/gif"},
    {".webp", "image/webp"},
    {".svg", "image/svg+xml"},
    {".pdf", "application/pdf"},
    {".wav", "audio/wav"},
    {".mp3", "audio/mpeg"},
    {".flac", "audio/flac"},
    {".mp4", "video/mp4"},
    {".json", "text/plain; charset=utf-8"},
    {".md", "text/plain; charset=utf-8"},
    {".txt", "text/plain; charset=utf-8"},
    {".py", "text/plain; charset=utf-8"},
    {".yaml", "text/plain; charset=utf-8"},
    {".yml", "text/plain; charset=utf-8"},
    {".csv", "text/plain; charset=utf-8"},
    {".jsonl", "text/plain; charset=utf-8"},
    {".html", "text/plain; charset=utf-8"},
    {".js", "text/plain; charset=utf-8"},
    {".css", "text/plain; charset=utf-8"},
    {".xml", "text/plain; charset=utf-8"},
    {".jinja", "text/plain; charset=utf-8"},
    {".gitattributes", "text/plain; charset=utf-8"},
    {".gitignore", "text/plain; charset=utf-8"},
};

const char *hub_mime_type(struct str path) {
    for (unsigned i = 0; i < ARRAY_LEN(types); i++)
        if (str_iends(path, types[i].ext)) return types[i].type;
    return "application/octet-stream";
}

struct str hub_mime_disposition(struct arena *a, struct str path, bool attachment) {
    struct str name = str_from(path, (size_t)(str_rchr(path, '/') + 1));
    struct buf b cleanup(buf_release);
    buf_init(&b, 16 * KiB);
    buf_printf(&b, "%s; filename*=UTF-8''", attachment ? "attachment" : "inline");
    uri_encode(&b, name, false);
    buf_cstr(&b, "; filename=\"");
    for (size_t i = 0; i < name.n; i++)
        buf_char(&b, name.p[i] >= 0x20 && name.p[i] < 0x7f && name.p[i] != '"' && name.p[i] != '\\' ? name.p[i] : '_');
    buf_cstr(&b, "\";");
    return arena_str(a, buf_view(&b));
}
