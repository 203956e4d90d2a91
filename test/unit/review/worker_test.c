/* SPDX-License-Identifier: Apache-2.0 */
/* worker_test.c — the child and its records: what the sandbox forbids, strict reading of facts, verdict rules, texts,
 * signatures. */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hex.h"
#include "review_test.h"

#include "review/sandbox.h"
#include "review/sign.h"
#include "review/worker.h"

static int file_of(const char *p, size_t n) {
    int fd = memfd_create("test", MFD_CLOEXEC);
    assert_true(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    return fd;
}

static void a_file_is_examined_in_a_child(void **state) {
    (void)state;
    struct arena a;
    struct review_file_result r;
    arena_init(&a, 16 * MiB);
    int fd = file_of(BYTES("cos\nsystem\n(S'id'\ntR."));
    assert_ok(review_file(&a, fd, STR("x"), &r));
    assert_int_equal(r.verdict, VERDICT_BLOCK);
    assert_int_equal(r.coverage, COVERAGE_FULL);
    assert_str(r.format, "pickle");
    assert_str(hex_str(&a, r.sha256, 4), "8cc73cee");
    close(fd);
    fd = file_of("", 0);
    assert_ok(review_file(&a, fd, STR("x"), &r));
    assert_int_equal(r.verdict, VERDICT_PASS);
    close(fd);
    arena_release(&a);
}

/* Code of a process that did WHAT inside the sandbox; 0 = it could. */
static int inside(void (*what)(void)) {
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        if (!sandbox_enter(null, 0)) _exit(99);
        what();
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
static void nothing(void) {}
static void opens(void) {
    if (open("/etc/passwd", O_RDONLY) < 0) _exit(1);
}
static void connects(void) {
    if (socket(AF_INET, SOCK_STREAM, 0) < 0) _exit(1);
}
static void executes(void) {
    execl("/bin/true", "true", (char *)0);
    _exit(1);
}
static void forks(void) {
    if (fork() < 0) _exit(1);
}
static void writes_elsewhere(void) {
    if (write(2, "x", 1) != 1) _exit(1);
}
static void traces(void) {
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(1);
}
static void signals(void) {
    if (kill(getppid(), 0) != 0) _exit(1);
}
static void reads(void) {
    char c;
    if (read(0, &c, 1) < 0) _exit(1);
}
static void spins(void) {
    for (volatile unsigned long i = 0; i < ~0ul; i++) {}
}
static void maps_code(void) {
    if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) _exit(1);
}
static void eats(void) {
    for (int i = 0; i < 64; i++) {
        char *p = malloc(16 * MiB);
        if (!p) _exit(1);
        memset(p, i, 16 * MiB);
    }
}

static void the_sandbox_holds(void **state) {
    (void)state;
    assert_int_equal(inside(nothing), 0);
    if (!sandbox_full()) return; /* sanitizers need the calls */
    assert_int_not_equal(inside(opens), 0);
    assert_int_not_equal(inside(connects), 0);
    assert_int_not_equal(inside(executes), 0);
    assert_int_not_equal(inside(forks), 0);
    assert_int_not_equal(inside(writes_elsewhere), 0);
    assert_int_not_equal(inside(maps_code), 0);
    assert_int_not_equal(inside(eats), 0);
    assert_int_not_equal(inside(traces), 0);
    assert_int_not_equal(inside(signals), 0);
    assert_int_not_equal(inside(reads), 0);
    assert_int_equal(inside(spins), 128 + SIGKILL); /* five seconds of CPU */
}

/* A kernel that refuses the filter: the child examines nothing rather than examining unfiltered. */
static void without_a_filter_nothing_is_examined(void **state) {
    (void)state;
    if (!sandbox_full()) return;
    pid_t pid = fork();
    if (pid == 0) {
        scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
        if (!c || seccomp_rule_add(c, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(seccomp), 0) != 0 ||
            seccomp_rule_add(c, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP, 0)) !=
                0 ||
            seccomp_load(c) != 0)
            _exit(90);
        struct arena a;
        struct review_file_result r;
        arena_init(&a, 16 * MiB);
        int fd = file_of("N.", 2);
        if (review_file(&a, fd, STR("x.pkl"), &r) != OK) _exit(91);
        if (r.coverage != COVERAGE_NONE || r.verdict != VERDICT_REVIEW) _exit(92);
        _exit(str_find(r.findings[0].message, STR("code 5")) >= 0 ? 0 : 93);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* A child that ends without an answer is an error of the examination, which becomes "not examined". */
static void a_dying_child_means_not_examined(void **state) {
    (void)state;
    struct arena a;
    struct review_file_result r;
    struct facts *f = calloc(1, sizeof *f);
    arena_init(&a, 16 * MiB);
    int fd = open("/", O_RDONLY | O_DIRECTORY); /* not a regular file: the child gives up at once */
    assert_err(worker_examine(&a, fd, 0, STR("x"), f), E_INTERNAL);
    close(fd);
    free(f);
    rules_not_examined(&a, "the examining process ended with code 135", &r);
    assert_int_equal(r.verdict, VERDICT_REVIEW);
    assert_int_equal(r.coverage, COVERAGE_NONE);
    assert_string_equal(r.findings[0].rule, "not_examined");
    arena_release(&a);
}

static void fact_records_are_read_strictly(void **state) {
    (void)state;
    struct arena a;
    struct facts *f = calloc(2, sizeof *f);
    struct buf b;
    arena_init(&a, 16 * MiB);
    buf_init(&b, 1 * MiB);
    facts_init(&f[0]);
    facts_format(&f[0], "pickle");
    size_t mark = facts_enter(&f[0], STR("a\xff.zip"));
    facts_add(&f[0], FACT_PICKLE_CALL, STR("os.system\n\x01"), 17);
    facts_add(&f[0], FACT_PICKLE_CALL, STR("os.system\n\x01"), 19);
    facts_leave(&f[0], mark);
    facts_cover(&f[0], COVERAGE_PARTIAL);
    facts_json(&f[0], &b);
    assert_ok(facts_from_json(&a, buf_view(&b), &f[1]));
    assert_int_equal(f[1].n, 1);
    assert_int_equal(f[1].list[0].count, 2);
    assert_string_equal(f[1].list[0].where, "a?.zip @ 0x11");
    assert_int_equal(f[1].coverage, COVERAGE_PARTIAL);
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"v\":1,\"format\":\"x\",\"coverage\":\"full\",\"facts\":[]}",
        "{\"v\":2,\"format\":\"x\",\"coverage\":\"whole\",\"facts\":[]}",
        "{\"v\":2,\"format\":\"x\",\"coverage\":\"full\"}",
        "{\"v\":2,\"format\":\"x\",\"coverage\":\"full\",\"facts\":[{\"k\":\"nope\",\"s\":\"\",\"w\":\"\",\"n\":1}]}",
        "{\"v\":2,\"format\":\"x\",\"coverage\":\"full\",\"facts\":[{\"k\":\"unknown.format\",\"s\":\"\",\"w\":\"\","
        "\"n\":0}]}",
        "{\"v\":2,\"format\":\"x\",\"coverage\":\"full\",\"facts\":[{\"k\":\"unknown.format\",\"s\":1,\"w\":\"\",\"n\":"
        "1}]}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (facts_from_json(&a, str_of(bad[i]), &f[1]) == OK) fail_msg("accepted: %s", bad[i]);
    buf_release(&b);
    free(f);
    arena_release(&a);
}

static void not_examined_is_never_clean(void **state) {
    (void)state;
    struct arena a;
    struct review_file_result r;
    struct facts *f = calloc(1, sizeof *f);
    arena_init(&a, 16 * MiB);
    facts_init(f);
    facts_cover(f, COVERAGE_PARTIAL);
    rules_judge(&a, f, &r);
    assert_int_equal(r.verdict, VERDICT_NOTICE);
    facts_cover(f, COVERAGE_NONE);
    rules_judge(&a, f, &r);
    assert_int_equal(r.verdict, VERDICT_REVIEW);
    facts_cover(f, COVERAGE_FULL); /* coverage never rises */
    assert_int_equal(f->coverage, COVERAGE_NONE);
    free(f);
    arena_release(&a);
}

static void a_full_record_keeps_the_gravest(void **state) {
    (void)state;
    struct arena a;
    struct review_file_result r;
    struct facts *f = calloc(1, sizeof *f);
    arena_init(&a, 16 * MiB);
    facts_init(f);
    for (int i = 0; i < 1000; i++) facts_addf(f, FACT_ZIP_FLAGS, i, "member %d", i);
    facts_addz(f, FACT_EXE, "ELF", 0);
    rules_judge(&a, f, &r);
    assert_int_equal(f->n, FACTS_MAX);
    assert_int_equal(r.verdict, VERDICT_BLOCK);
    assert_string_equal(r.findings[0].rule, "executable");
    free(f);
    arena_release(&a);
}

static void messages_carry_their_argument_across(void **state) {
    (void)state;
    struct arena a;
    arena_init(&a, 1 * MiB);
    struct str zh =
        review_message(&a, LANG_ZH, STR("pickle.call"), STR("The pickle calls os.system when it is loaded."));
    assert_str(zh, "加载此 pickle 时会调用 os.system。");
    assert_str(review_message(&a, LANG_EN, STR("pickle.call"), STR("The pickle calls a when it is loaded.")),
               "The pickle calls a when it is loaded.");
    assert_str(review_message(&a, LANG_ZH, STR("pickle.call"), STR("an older text")), "an older text");
    assert_str(review_message(&a, LANG_ZH, STR("no.such.rule"), STR("x")), "x");
    arena_release(&a);
}

/* What headers and the gate say is one line of rule, message and place; its argument may be a phrase of ours. */
static void reasons_are_translated_with_their_arguments(void **state) {
    (void)state;
    struct arena a;
    arena_init(&a, 1 * MiB);
    static const struct {
        const char *en, *zh;
    } v[] = {
        {"pickle.call: The pickle calls os.system when it is loaded (data.pkl @ 0x1f)",
         "pickle.call：加载此 pickle 时会调用 os.system（data.pkl @ 0x1f）"},
        {"a: b.pkl: pickle.call: The pickle calls os.system when it is loaded",
         "a: b.pkl：pickle.call：加载此 pickle 时会调用 os.system"},
        {"pickle.malformed: The pickle breaks off or contradicts itself (stack underflow)",
         "pickle.malformed：此 pickle 中途中断或自相矛盾（栈为空时出栈）"},
        {"safetensors.tiling: Tensors do not tile the data exactly (hole at 512) (@ 0x8)",
         "safetensors.tiling：各张量没有恰好铺满数据区（512 处有空洞）（@ 0x8）"},
        {"x.bin: not_examined: The file was not examined: the bytes are not here",
         "x.bin：not_examined：该文件未被检查：字节不在本服务器上"},
        {"a reviewer's own words: keep them", "a reviewer's own words: keep them"},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct str said = review_reason(&a, LANG_ZH, str_of(v[i].en), true);
        if (!str_eqz(said, v[i].zh)) fail_msg("%s: " STR_FMT, v[i].en, STR_ARG(said));
    }
    assert_str(review_reason(&a, LANG_EN, STR("pickle.call: The pickle calls x when it is loaded"), false),
               "The pickle calls x when it is loaded");
    assert_str(review_responsible(LANG_ZH, STR(REVIEW_NOBODY_NAMED)), "本实例的运营者");
    assert_str(review_responsible(LANG_ZH, STR("ACME")), "ACME");
    arena_release(&a);
}

static void every_kind_has_a_chinese_text(void **state) {
    (void)state;
    for (size_t i = 0; i < FACT_KIND_COUNT; i++) {
        const char *en = fact_message((enum fact_kind)i);
        if (strcmp(i18n(LANG_ZH, en), en) == 0) fail_msg("%s has no Chinese text", fact_name((enum fact_kind)i));
        enum fact_kind back;
        assert_true(fact_parse(str_of(fact_name((enum fact_kind)i)), &back) && back == (enum fact_kind)i);
    }
}

static void signatures(void **state) {
    (void)state;
    struct arena a;
    struct sign_key k = {.seed = {1, 2, 3}};
    arena_init(&a, 1 * MiB);
    sign_key_init(&k);
    struct str sig = sign_statement(&a, &k, STR("{\"a\":1}"));
    assert_true(sign_check(k.pub, STR("{\"a\":1}"), sig));
    assert_false(sign_check(k.pub, STR("{\"a\":2}"), sig));
    assert_false(sign_check(k.pub, STR("{\"a\":1}"), str_sub(sig, 0, sig.n - 4)));
    k.pub[0] ^= 1;
    assert_false(sign_check(k.pub, STR("{\"a\":1}"), sig));
    assert_int_equal(strlen(review_rule_pack()), 64);
    arena_release(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_examined_in_a_child),
        cmocka_unit_test(the_sandbox_holds),
        cmocka_unit_test(without_a_filter_nothing_is_examined),
        cmocka_unit_test(a_dying_child_means_not_examined),
        cmocka_unit_test(fact_records_are_read_strictly),
        cmocka_unit_test(not_examined_is_never_clean),
        cmocka_unit_test(a_full_record_keeps_the_gravest),
        cmocka_unit_test(messages_carry_their_argument_across),
        cmocka_unit_test(reasons_are_translated_with_their_arguments),
        cmocka_unit_test(every_kind_has_a_chinese_text),
        cmocka_unit_test(signatures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
