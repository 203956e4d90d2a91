/* SPDX-License-Identifier: Apache-2.0 */
/* archive_test.c — zip, tar and wrappers made here byte by byte: entered, bounded, and every ambiguity named. */
#include <zlib.h>

#include "review_test.h"

static const char evil[] = "\x80\x02"
                           "cos\nsystem\nX\2\0\0\0id\x85R.";
enum { EVIL = sizeof evil - 1 };

struct zipper {
    struct buf b, cd;
    unsigned n;
};
struct member {
    const char *name, *local_name; /* NULL: the same */
    const char *data;
    size_t size;
    uint16_t flags;
    bool deflate;
};

static void put_head(struct buf *b, const struct member *m, const char *name, uint16_t method, uint32_t crc,
                     size_t csize) {
    buf_u16le(b, 20);
    buf_u16le(b, m->flags);
    buf_u16le(b, method);
    buf_u32le(b, 0);
    buf_u32le(b, crc);
    buf_u32le(b, (uint32_t)csize);
    buf_u32le(b, (uint32_t)m->size);
    buf_u16le(b, (uint16_t)strlen(name));
    buf_u16le(b, 0);
}

static void zip_add(struct zipper *z, const struct member *m) {
    uint32_t crc = (uint32_t)crc32(0, (const Bytef *)m->data, (uInt)m->size);
    size_t at = z->b.n, csize = m->size;
    uint8_t *out = malloc(m->size + 1000);
    memcpy(out, m->data, m->size);
    if (m->deflate) {
        z_stream s = {0};
        deflateInit2(&s, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
        s.next_in = (Bytef *)(uintptr_t)m->data;
        s.avail_in = (uInt)m->size;
        s.next_out = out;
        s.avail_out = (uInt)m->size + 1000;
        deflate(&s, Z_FINISH);
        csize = s.total_out;
        deflateEnd(&s);
    }
    const char *local = m->local_name ? m->local_name : m->name;
    buf_u32le(&z->b, 0x04034b50);
    put_head(&z->b, m, local, m->deflate ? 8 : 0, crc, csize);
    buf_cstr(&z->b, local);
    buf_add(&z->b, out, csize);
    buf_u32le(&z->cd, 0x02014b50);
    buf_u16le(&z->cd, 20);
    put_head(&z->cd, m, m->name, m->deflate ? 8 : 0, crc, csize);
    buf_u16le(&z->cd, 0);
    buf_u16le(&z->cd, 0);
    buf_u16le(&z->cd, 0);
    buf_u32le(&z->cd, 0);
    buf_u32le(&z->cd, (uint32_t)at);
    buf_cstr(&z->cd, m->name);
    z->n++;
    free(out);
}

static void zip_end(struct zipper *z) {
    size_t at = z->b.n;
    buf_add(&z->b, z->cd.p, z->cd.n);
    buf_u32le(&z->b, 0x06054b50);
    buf_u32le(&z->b, 0);
    buf_u16le(&z->b, (uint16_t)z->n);
    buf_u16le(&z->b, (uint16_t)z->n);
    buf_u32le(&z->b, (uint32_t)z->cd.n);
    buf_u32le(&z->b, (uint32_t)at);
    buf_u16le(&z->b, 0);
}

static void zip_begin(struct zipper *z) {
    memset(z, 0, sizeof *z);
    buf_init(&z->b, 64 * MiB);
    buf_init(&z->cd, 1 * MiB);
}
static void zip_free(struct zipper *z) {
    buf_release(&z->b);
    buf_release(&z->cd);
}
static void expect(const char *what, const struct buf *b, enum verdict verdict, const char *rule) {
    const struct sample s = {what, b->p, b->n, "model.bin", verdict, rule};
    samples_run(&s, 1);
}
static void one(const char *what, const struct member *m, size_t n, enum verdict verdict, const char *rule) {
    struct zipper z;
    zip_begin(&z);
    for (size_t i = 0; i < n; i++) zip_add(&z, &m[i]);
    zip_end(&z);
    expect(what, &z.b, verdict, rule);
    zip_free(&z);
}

static void zip_members(void **state) {
    (void)state;
    const struct member text = {.name = "a.txt", .data = "hello\n", .size = 6};
    one("plain", &text, 1, VERDICT_PASS, "");
    const struct member deep = {.name = "weights/x", .data = evil, .size = EVIL, .deflate = true};
    one("pickle without an extension", &deep, 1, VERDICT_BLOCK, "pickle.call.evidence");
    const struct member two_names = {.name = "safe.txt", .local_name = "data.pkl", .data = "hello\n", .size = 6};
    one("two names", &two_names, 1, VERDICT_BLOCK, "zip.mismatch");
    const struct member twice[] = {text, text};
    one("twice", twice, 2, VERDICT_BLOCK, "zip.duplicate");
    const struct member lying = {.name = "data.pkl", .data = evil, .size = EVIL, .flags = 1};
    one("encryption flag that lies", &lying, 1, VERDICT_BLOCK, "pickle.call.evidence");
    const struct member slip = {.name = "../../etc/x", .data = "a", .size = 1};
    one("leaves the directory", &slip, 1, VERDICT_BLOCK, "archive.name");
    const struct member elf = {.name = "lib",
                               .data = "\x7f"
                                       "ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0",
                               .size = 18};
    one("program inside", &elf, 1, VERDICT_BLOCK, "executable");
}

static void zip_ambiguity(void **state) {
    (void)state;
    struct zipper z;
    const struct member text = {.name = "a.txt", .data = "hello\n", .size = 6};
    zip_begin(&z);
    zip_add(&z, &text);
    zip_end(&z);
    struct buf b;
    buf_init(&b, 1 * MiB);
    buf_add(&b, evil, EVIL);
    buf_add(&b, z.b.p, z.b.n);
    expect("a pickle before the archive", &b, VERDICT_BLOCK, "polyglot");
    buf_reset(&b);
    buf_add(&b, z.b.p, z.b.n);
    buf_add(&b, evil, EVIL);
    expect("a pickle behind the archive", &b, VERDICT_BLOCK, "");
    z.b.p[0] = 'X';
    expect("local header gone", &z.b, VERDICT_BLOCK, "zip.mismatch");
    zip_free(&z);
    buf_release(&b);
}

static void bombs_end(void **state) {
    (void)state;
    size_t n = 40 * MiB;
    char *zeros = calloc(1, n);
    const struct member big = {.name = "a", .data = zeros, .size = n, .deflate = true};
    one("ratio", &big, 1, VERDICT_REVIEW, "archive.bomb");
    free(zeros);
    struct buf inner, outer;
    buf_init(&inner, 1 * MiB);
    buf_init(&outer, 1 * MiB);
    buf_cstr(&inner, "hello");
    for (int i = 0; i < 12; i++) {
        struct zipper z;
        const struct member m = {.name = "n", .data = inner.p, .size = inner.n};
        zip_begin(&z);
        zip_add(&z, &m);
        zip_end(&z);
        buf_reset(&inner);
        buf_add(&inner, z.b.p, z.b.n);
        zip_free(&z);
    }
    expect("twelve levels", &inner, VERDICT_REVIEW, "archive.depth");
    buf_release(&inner);
    buf_release(&outer);
}

static void wrappers(void **state) {
    (void)state;
    uint8_t out[512];
    uLongf n = sizeof out;
    assert_int_equal(compress(out, &n, (const Bytef *)evil, EVIL), Z_OK);
    struct buf b;
    buf_init(&b, 1 * MiB);
    buf_add(&b, out, n);
    expect("zlib as joblib writes it", &b, VERDICT_BLOCK, "pickle.call.evidence");
    b.n -= 3;
    expect("cut off", &b, VERDICT_BLOCK, "archive.broken");
    buf_release(&b);
}

static void tar_add(struct buf *b, const char *name, char type, const char *link, const char *data, size_t n) {
    char h[512] = {0};
    snprintf(h, 100, "%s", name);
    snprintf(h + 124, 12, "%011zo", n);
    memset(h + 148, ' ', 8);
    h[156] = type;
    snprintf(h + 157, 100, "%s", link);
    memcpy(h + 257, "ustar", 6);
    unsigned sum = 0;
    for (int i = 0; i < 512; i++) sum += (unsigned char)h[i];
    snprintf(h + 148, 8, "%06o", sum & 0777777u);
    buf_add(b, h, 512);
    buf_add(b, data, n);
    while (b->n % 512) buf_char(b, 0);
}

static void tars(void **state) {
    (void)state;
    static const struct {
        const char *name;
        char type;
        const char *link, *data;
        size_t n;
        enum verdict verdict;
        const char *rule;
    } v[] = {
        {"a.txt", '0', "", "hello\n", 6, VERDICT_PASS, ""},
        {"pickle", '0', "", evil, EVIL, VERDICT_BLOCK, "pickle.call.evidence"},
        {"a", '2', "/etc/passwd", "", 0, VERDICT_BLOCK, "archive.link.out"},
        {"a/b", '2', "../c", "", 0, VERDICT_REVIEW, "archive.link"},
        {"../x", '0', "", "a", 1, VERDICT_BLOCK, "archive.name"},
        {"null", '3', "", "", 0, VERDICT_BLOCK, "archive.device"},
    };
    struct buf b;
    buf_init(&b, 1 * MiB);
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        buf_reset(&b);
        tar_add(&b, v[i].name, v[i].type, v[i].link, v[i].data, v[i].n);
        for (int k = 0; k < 1024; k++) buf_char(&b, 0);
        expect(v[i].name, &b, v[i].verdict, v[i].rule);
    }
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zip_members), cmocka_unit_test(zip_ambiguity), cmocka_unit_test(bombs_end),
        cmocka_unit_test(wrappers),    cmocka_unit_test(tars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
