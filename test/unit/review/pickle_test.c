/* SPDX-License-Identifier: Apache-2.0 */
/* pickle_test.c — the abstract machine: what is a call, what is proven, what errors and tricks cannot hide. */
#include "review_test.h"

/* cos\nsystem\n(S'id'\ntR. in every dress */
static void dangerous_calls(void **state) {
    (void)state;
    static const struct sample v[] = {
        {"protocol 0", BYTES("cos\nsystem\n(S'id'\ntR."), "x", VERDICT_BLOCK, "pickle.call.evidence"},
        {"no argument that tells", BYTES("cos\nsystem\n(tR."), "x", VERDICT_BLOCK, "pickle.call"},
        {"INST", BYTES("(S'id'\nios\nsystem\n."), "x", VERDICT_BLOCK, "pickle.call.evidence"},
        {"OBJ", BYTES("\x80\x02(cos\nsystem\nX\2\0\0\0ido."), "x", VERDICT_BLOCK, "pickle.call.evidence"},
        {"NEWOBJ",
         BYTES("\x80\x02"
               "cos\nsystem\nX\2\0\0\0id\x85\x81."),
         "x", VERDICT_BLOCK, "pickle.call.evidence"},
        {"STACK_GLOBAL", BYTES("\x80\x04\x8c\2os\x8c\6system\x93\x8c\2id\x85R."), "x", VERDICT_BLOCK,
         "pickle.call.evidence"},
        {"STACK_GLOBAL by memo",
         BYTES("\x80\x04\x8c\2os\x94"
               "0h\0\x8c\6system\x93\x8c\2id\x85R."),
         "x", VERDICT_BLOCK, "pickle.call.evidence"},
        {"PUT and MEMOIZE mixed",
         BYTES("\x80\x04\x8c\2os\x94q\7"
               "0h\7\x8c\6system\x93\x8c\2id\x85R."),
         "x", VERDICT_BLOCK, "pickle.call.evidence"},
        {"escaped name", BYTES("\x80\x04V\\u006f\\u0073\n\x8c\6system\x93\x8c\2id\x85R."), "x", VERDICT_BLOCK,
         "pickle.call.evidence"},
        {"STRING with escapes", BYTES("\x80\x04S'\\x6fs'\n\x8c\6system\x93\x8c\2id\x85R."), "x", VERDICT_BLOCK,
         "pickle.call.evidence"},
        {"Python 2 name", BYTES("c__builtin__\neval\n(S'1'\ntR."), "x", VERDICT_BLOCK, "pickle.call"},
        {"commands became subprocess", BYTES("ccommands\ngetoutput\n(S'id'\ntR."), "x", VERDICT_BLOCK,
         "pickle.call.evidence"},
        {"dotted walk", BYTES("\x80\x04\x8c\7pathlib\x8c\x09os.system\x93\x8c\2id\x85R."), "x", VERDICT_BLOCK,
         "pickle.call.evidence"},
        {"submodule of a listed one", BYTES("casyncio.unix_events\n_UnixSubprocessTransport._start\n(tR."), "x",
         VERDICT_BLOCK, "pickle.call"},
        {"called, then popped",
         BYTES("\x80\x02"
               "cos\nsystem\nX\2\0\0\0id\x85R0N."),
         "x", VERDICT_BLOCK, "pickle.call.evidence"},
        {"error behind the call",
         BYTES("\x80\x02"
               "cos\nsystem\nX\2\0\0\0id\x85R\xff\xff"),
         "x", VERDICT_BLOCK, "pickle.call.evidence"},
        {"cut off behind the call",
         BYTES("\x80\x02"
               "cos\nsystem\nX\2\0\0\0id\x85R"),
         "x", VERDICT_BLOCK, "pickle.call.evidence"},
        {"second stream",
         BYTES("\x80\x02N.\x80\x02"
               "cos\nsystem\nX\2\0\0\0id\x85R."),
         "x", VERDICT_BLOCK, "pickle.call.evidence"},
        {"behind an unknown opcode",
         BYTES("\x80\x02\xff"
               "cposix\nsystem\nX\2\0\0\0id\x85R."),
         "x", VERDICT_BLOCK, "pickle.carved"},
        {"imported only",
         BYTES("\x80\x02"
               "cos\nsystem\n."),
         "x", VERDICT_BLOCK, "pickle.import"},
        {"unknown callee, telling argument",
         BYTES("\x80\x02"
               "cmy.mod\nrun\nX\x12\0\0\0curl http://x.y/zz\x85R."),
         "x", VERDICT_BLOCK, "pickle.call.evidence"},
        {"extension called", BYTES("\x80\x02\x82\x05)R."), "x", VERDICT_BLOCK, "pickle.ext.call"},
        {"item into an imported object",
         BYTES("\x80\x02"
               "csys\nmodules\nX\1\0\0\0aX\1\0\0\0bs."),
         "x", VERDICT_BLOCK, "pickle.global.write"},
        {"BUILD on an imported object",
         BYTES("\x80\x02"
               "ctorch.nn\nLinear\n}X\1\0\0\0aNsb."),
         "x", VERDICT_BLOCK, "pickle.global.write"},
        {"__setstate__ installed",
         BYTES("\x80\x02"
               "csklearn.base\nBaseEstimator\n)\x81}X\x0c\0\0\0__setstate__cmy.mod\nrun\nsb."),
         "x", VERDICT_BLOCK, "pickle.dunder"},
        {"getattr for no enum",
         BYTES("\x80\x02"
               "cbuiltins\ngetattr\ncmy.mod\nthing\nX\1\0\0\0a\x86R."),
         "x", VERDICT_BLOCK, "pickle.call.odd"},
        {"nested in bytes",
         BYTES("\x80\x03"
               "C\x1d\x80\x02"
               "cposix\nsystem\nX\2\0\0\0id\x85R.0000."),
         "x", VERDICT_BLOCK, "pickle.call.evidence"},
    };
    samples_run(v, ARRAY_LEN(v));
}

static void uncertain_calls(void **state) {
    (void)state;
    static const struct sample v[] = {
        {"unknown class",
         BYTES("\x80\x02"
               "c__main__\nPoint\n)\x81}X\1\0\0\0xK\1sb."),
         "x", VERDICT_REVIEW, "pickle.call"},
        {"unknown import only",
         BYTES("\x80\x02"
               "cmy.mod\nthing\n."),
         "x", VERDICT_NOTICE, "pickle.import"},
        {"extension", BYTES("\x80\x02\x82\x05."), "x", VERDICT_REVIEW, "pickle.ext"},
        {"library function called",
         BYTES("\x80\x02"
               "cnumpy\nmean\nK\1\x85R."),
         "x", VERDICT_REVIEW, "pickle.call"},
        {"class with arguments",
         BYTES("\x80\x02"
               "csklearn.svm._classes\nSVC\nK\1\x85R."),
         "x", VERDICT_REVIEW, "pickle.call.odd"},
        {"encode with a codec that computes",
         BYTES("\x80\x02"
               "c_codecs\nencode\nX\1\0\0\0aX\5\0\0\0rot13\x86R."),
         "x", VERDICT_REVIEW, "pickle.call.odd"},
        {"result called",
         BYTES("\x80\x02"
               "ccollections\nOrderedDict\n)R)R."),
         "x", VERDICT_REVIEW, "pickle.call.computed"},
        {"missing memo key", BYTES("\x80\x02h\5."), "x", VERDICT_REVIEW, "pickle.malformed"},
        {"protocol mark in the middle", BYTES("\x80\x02N0\x80\x03N."), "x", VERDICT_REVIEW, "pickle.proto"},
        {"length beyond the end", BYTES("\x80\x04\x8e\0\0\0\0\0\0\0\x40N."), "x", VERDICT_REVIEW, "pickle.malformed"},
        {"something behind the end", BYTES("\x80\x02N.\xde\xad\xbe\xef"), "x", VERDICT_REVIEW, "pickle.trailing"},
        {"out-of-band buffer", BYTES("\x80\x05\x97."), "x", VERDICT_REVIEW, "pickle.buffer"},
        {"computed name", BYTES("\x80\x04\x8c\2os)\x93."), "x", VERDICT_REVIEW, "pickle.name.computed"},
    };
    samples_run(v, ARRAY_LEN(v));
}

static void unmarked_streams(void **state) {
    (void)state;
    static const struct sample v[] = {
        /* Regression: a plain value called last made the calls before it forgotten, and the bytes passed as text. */
        {"a call, then a call of a plain value", BYTES("cmymod\nfunc\n(S'x'\ntR0I1\n)R."), "a.pkl", VERDICT_REVIEW,
         "pickle.call"},
        /* Regression: the Mozilla licence reads as BININT2, a list item and an import without a mark. */
        {"licence that reads as opcodes", BYTES("Mozilla Public License, version 2.0\n\n1. Definitions\n"), "LICENSE",
         VERDICT_PASS, ""},
        {"notes that read as a float and a stop", BYTES("GIT v1.5.0.1 Release Notes\n\nFixes since then.\n"), "a.txt",
         VERDICT_PASS, ""},
        {"a stop, then text", BYTES("N. is how this note begins.\n"), "a.txt", VERDICT_PASS, ""},
        {"an import, a stop, then text", BYTES("cmymod\nfunc\n. is how this note begins.\n"), "a.txt", VERDICT_REVIEW,
         "pickle.import"},
        {"a call, a stop, then text", BYTES("cmymod\nfunc\n(tR. is how this note begins.\n"), "a.txt", VERDICT_REVIEW,
         "pickle.call"},
        {"a stop, then a call", BYTES("N.cos\nsystem\n(S'id'\ntR."), "a.txt", VERDICT_BLOCK, "pickle.call.evidence"},
    };
    samples_run(v, ARRAY_LEN(v));
}

static void frames(void **state) {
    (void)state;
    static const struct sample v[] = {
        {"whole frame", BYTES("\x80\x04\x95\2\0\0\0\0\0\0\0N."), "x", VERDICT_PASS, ""},
        {"opcode across the end of a frame", BYTES("\x80\x04\x95\2\0\0\0\0\0\0\0\x8c\4abcd."), "x", VERDICT_BLOCK,
         "pickle.frame"},
        {"frame in a frame", BYTES("\x80\x04\x95\x0b\0\0\0\0\0\0\0\x95\1\0\0\0\0\0\0\0N."), "x", VERDICT_BLOCK,
         "pickle.frame"},
        {"frame beyond the end", BYTES("\x80\x04\x95\xff\0\0\0\0\0\0\0N."), "x", VERDICT_REVIEW, "pickle.malformed"},
    };
    samples_run(v, ARRAY_LEN(v));
}

static void proven_shapes_are_quiet(void **state) {
    (void)state;
    static const struct sample v[] = {
        {"plain data", BYTES("\x80\x02}q\0(X\1\0\0\0aK\1X\1\0\0\0b]q\1(K\1K\2eu."), "x", VERDICT_PASS, ""},
        {"ordered dictionary",
         BYTES("\x80\x02"
               "ccollections\nOrderedDict\n)RX\1\0\0\0aK\1s."),
         "x", VERDICT_PASS, ""},
        {"estimator",
         BYTES("\x80\x02"
               "csklearn.svm._classes\nSVC\n)\x81}X\1\0\0\0CK\1sb."),
         "x", VERDICT_PASS, ""},
        {"copyreg",
         BYTES("\x80\x02"
               "ccopy_reg\n_reconstructor\n(csklearn.svm._classes\nSVC\nc__builtin__\nobject\nNtR}X\1\0\0\0CK\1sb."),
         "x", VERDICT_PASS, ""},
        {"array",
         BYTES("\x80\x02"
               "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R(K\1K\1\x85"
               "cnumpy\ndtype\nX\2\0\0\0f8K\0K\1\x87R(K\3X\1\0\0\0<NNNtb\x89U\4abcdtb."),
         "x", VERDICT_PASS, ""},
        {"bytes of protocol 2",
         BYTES("\x80\x02"
               "c_codecs\nencode\nX\1\0\0\0aX\6\0\0\0latin1\x86R."),
         "x", VERDICT_PASS, ""},
        {"protocol 0", BYTES("(dp0\nS'a'\np1\nI1\ns."), "x", VERDICT_PASS, ""},
    };
    samples_run(v, ARRAY_LEN(v));
}

static void only_text_is_no_pickle(void **state) {
    (void)state;
    static const struct sample v[] = {
        {"word list", BYTES("cat\ndog\nelephant\n"), "x", VERDICT_PASS, ""},
        {"prose", BYTES("I think so.\nNo doubt.\n"), "x", VERDICT_PASS, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct exam *e = calloc(1, sizeof *e);
        exam_run(e, v[i].p, v[i].n, "x");
        assert_string_equal(e->f.format, "text");
        exam_end(e);
        free(e);
    }
    samples_run(v, ARRAY_LEN(v));
}

/* A stack that overflows forgets its lower half; the call above it is still seen. */
static void a_deep_stack_hides_no_call(void **state) {
    (void)state;
    size_t n = 5000000;
    static const char tail[] = "cos\nsystem\nX\2\0\0\0id\x85R.";
    char *p = malloc(n + sizeof tail + 2);
    struct exam *e = calloc(1, sizeof *e);
    memcpy(p, "\x80\x02", 2);
    memset(p + 2, 'N', n);
    memcpy(p + 2 + n, tail, sizeof tail - 1);
    exam_run(e, p, n + 2 + sizeof tail - 1, "x");
    assert_int_equal(e->r.verdict, VERDICT_BLOCK);
    assert_true(exam_has(e, "pickle.limit"));
    exam_end(e);
    free(e);
    free(p);
}

/* Many harmless names cannot push a dangerous one out of the record. */
static void many_names_hide_nothing(void **state) {
    (void)state;
    struct buf b;
    struct exam *e = calloc(1, sizeof *e);
    buf_init(&b, 8 * MiB);
    buf_add(&b, "\x80\x02", 2);
    for (int i = 0; i < 6000; i++) buf_printf(&b, "cmod%d\nthing\n0", i);
    buf_add(&b, BYTES("cos\nsystem\nX\2\0\0\0id\x85R."));
    assert_ok(buf_ok(&b, "pickle"));
    exam_run(e, b.p, b.n, "x");
    assert_int_equal(e->r.verdict, VERDICT_BLOCK);
    assert_true(e->f.n <= FACTS_MAX && e->r.n_findings <= 64);
    exam_end(e);
    free(e);
    buf_release(&b);
}

/* Names of the allow-list in uses that no pickler writes: each of these came through once (held-out samples, 2026-11).
 */
static void known_names_misused(void **state) {
    (void)state;
    static const struct sample v[] = {
        {"numpy.memmap opens a file",
         BYTES("\x80\x02"
               "cnumpy\nmemmap\n(X\1\0\0\0aX\5\0\0\0uint8X\2\0\0\0w+t\x81."),
         "x", VERDICT_REVIEW, "pickle.call.odd"},
        {"an index of no pandas class",
         BYTES("\x80\x02"
               "cpandas.core.indexes.base\n_new_Index\ncnumpy\nmemmap\n}\x86R."),
         "x", VERDICT_REVIEW, "pickle.call.odd"},
        {"an unknown class is handed over to be called",
         BYTES("\x80\x02"
               "cnumpy.random._pickle\n__bit_generator_ctor\ncmy.mod\nRun\n\x85R."),
         "x", VERDICT_REVIEW, "pickle.call.odd"},
        {"_reconstructor runs the __init__ of a class",
         BYTES("\x80\x02"
               "ccopyreg\n_reconstructor\ncsklearn.svm\nSVC\ncsklearn.svm\nSVC\nX\1\0\0\0a\x87R."),
         "x", VERDICT_REVIEW, "pickle.call.odd"},
        {"only settings are built by value",
         BYTES("\x80\x02"
               "ctransformers\nAutoModel\nX\1\0\0\0a\x85R."),
         "x", VERDICT_REVIEW, "pickle.call.odd"},
        {"a protocol 0 file within",
         BYTES("\x80\x02"
               "ctorch.storage\n_load_from_bytes\nC\x15"
               "cos\nsystem\n(S'id'\ntR.\x85R."),
         "x", VERDICT_BLOCK, "pickle.call.evidence"},
        {"a picture and a pickle", BYTES("GIF89a\1\0\1cos\nsystem\n(S'id'\ntR."), "x.gif", VERDICT_BLOCK, "polyglot"},
        {"an act of an unknown module", BYTES("cmy.mod\nload_model\n(S'a'\ntR."), "x", VERDICT_BLOCK, "pickle.call"},
    };
    samples_run(v, ARRAY_LEN(v));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dangerous_calls),         cmocka_unit_test(known_names_misused),
        cmocka_unit_test(uncertain_calls),         cmocka_unit_test(frames),
        cmocka_unit_test(unmarked_streams),        cmocka_unit_test(proven_shapes_are_quiet),
        cmocka_unit_test(only_text_is_no_pickle),  cmocka_unit_test(a_deep_stack_hides_no_call),
        cmocka_unit_test(many_names_hide_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
