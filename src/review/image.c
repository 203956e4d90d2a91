/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.c — raster images, fonts, audio and PDF by magic and outer structure. PNG chunks and JPEG
 * segments are walked to the end so that bytes behind the picture are noticed; pixels are data.
 */
#include "scan.h"

static size_t png_end(struct span b) {
    size_t at = 8;
    while (b.n - at >= 12) {
        uint64_t n = be32(b.p + at);
        if (n > b.n - at - 12) return 0;
        bool end = memcmp(b.p + at + 4, "IEND", 4) == 0;
        at += 12 + (size_t)n;
        if (end) return at;
    }
    return 0;
}

static size_t jpeg_end(struct span b) {
    for (size_t i = b.n; i-- > 3;)
        if (b.p[i] == 0xd9 && b.p[i - 1] == 0xff) return i + 1;
    return 0;
}

static size_t riff_end(struct span b) {
    uint64_t n = (uint64_t)le32(b.p + 4) + 8;
    return n <= b.n ? (size_t)n : 0;
}

struct magic {
    const char *bytes;
    size_t n, at;
    const char *format;
};

static const struct magic data_formats[] = {
    {"\x89PNG\r\n\x1a\n", 8, 0, "png"},
    {"\xff\xd8\xff", 3, 0, "jpeg"},
    {"GIF87a", 6, 0, "gif"},
    {"GIF89a", 6, 0, "gif"},
    {"RIFF", 4, 0, "riff"},
    {"II*\0", 4, 0, "tiff"},
    {"MM\0*", 4, 0, "tiff"},
    {"\0\0\1\0", 4, 0, "ico"},
    {"ftyp", 4, 4, "mp4"},
    {"OggS", 4, 0, "ogg"},
    {"fLaC", 4, 0, "flac"},
    {"ID3", 3, 0, "mp3"},
    {"wOFF", 4, 0, "woff"},
    {"wOF2", 4, 0, "woff2"},
    {"\0\1\0\0\0", 5, 0, "ttf"},
    {"OTTO", 4, 0, "otf"},
    {"\x1a\x45\xdf\xa3", 4, 0, "matroska"},
    {"8BPS", 4, 0, "psd"},
};

bool image_scan(struct scan *s, struct span b, struct str name) {
    const char *format = NULL;
    for (size_t i = 0; i < ARRAY_LEN(data_formats) && !format; i++)
        if (span_is(b, data_formats[i].at, data_formats[i].bytes, data_formats[i].n)) format = data_formats[i].format;
    if (!format && span_is(b, 0, "BM", 2) && b.n > 54 && le32(b.p + 2) == b.n) format = "bmp";
    if (!format || b.n < 16) return false;
    facts_format(s->f, format);
    size_t end = b.n;
    if (strcmp(format, "png") == 0) end = png_end(b);
    else if (strcmp(format, "jpeg") == 0) end = jpeg_end(b);
    else if (strcmp(format, "riff") == 0) end = riff_end(b);
    if (end == 0) {
        facts_addz(s->f, FACT_IMG_BROKEN, format, 0);
        facts_cover(s->f, COVERAGE_PARTIAL);
        pickle_carve(s, b);
    } else if (end < b.n) {
        struct span rest = span_from(b, end);
        facts_addf(s->f, FACT_IMG_BROKEN, (int64_t)end, "%zu bytes behind the picture", rest.n);
        scan_payload(s, rest, STR("trailing"));
        pickle_carve(s, rest);
    }
    if (zip_at_end(b)) facts_addf(s->f, FACT_POLYGLOT, -1, "%s + zip", format);
    (void)name;
    return true;
}
