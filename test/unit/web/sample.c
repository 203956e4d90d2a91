/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c — draws each page once. */
#include "sample.h"

#define AGO(s) (sample_now_ms - INT64_C(1000) * (s))
#define SET(list, rows) (list).p = (rows), (list).n = ARRAY_LEN(rows)

struct run {
    struct arena a;
    struct buf b;
    struct tmpl t;
    enum lang lang;
    const char *theme;
    sample_each each;
    void *ctx;
};

static struct frame frame(struct run *s, const char *title, const char *nav) {
    return sample_frame(s->lang, s->theme, title, nav);
}
#define DRAW(name, page, view)                                                                                         \
    do {                                                                                                               \
        buf_reset(&s->b);                                                                                              \
        page(&s->t, &(view));                                                                                          \
        BUG_ON(s->b.failed);                                                                                           \
        s->each(s->ctx, name, buf_view(&s->b));                                                                        \
    } while (0)

static void draw_public(struct run *s) {
    struct wait_row waits[] = {{.chip = sample_chip("block"),
                                .text = STR("amy/legacy-bert"),
                                .url = STR("/amy/legacy-bert"),
                                .what = N_("your upload"),
                                .time_ms = AGO(4000)},
                               {.chip = sample_chip("pending"),
                                .text = STR("amy/smollm2"),
                                .url = STR("/amy/smollm2"),
                                .what = N_("your upload"),
                                .time_ms = AGO(12)}};
    struct view_home home = {.f = frame(s, N_("Home"), ""),
                             .repos = sample_repos(),
                             .events = sample_events(),
                             .n_repos = 1284,
                             .n_verdicts = 96,
                             .n_requests = 120934,
                             .bytes_stored = 41200000000,
                             .bytes_uploaded = 98700000000,
                             .percent = 42};
    home.f.signed_in = false;
    DRAW("home", page_home, home);
    home.f.signed_in = true;
    SET(home.waiting, waits);
    DRAW("home_in", page_home, home);
    home.repos.n = home.events.n = home.waiting.n = 0;
    DRAW("home_empty", page_home, home);
    struct link types[] = {
        {.text = str_of(i18n(s->lang, N_("Models"))), .url = STR("/explore?type=model"), .current = true},
        {.text = str_of(i18n(s->lang, N_("Datasets"))), .url = STR("/explore?type=dataset")},
        {.text = str_of(i18n(s->lang, N_("Spaces"))), .url = STR("/explore?type=space")}};
    struct link sorts[] = {
        {.text = str_of(i18n(s->lang, N_("newest change"))), .note = STR("updated"), .current = true},
        {.text = str_of(i18n(s->lang, N_("most downloads"))), .note = STR("downloads")}};
    struct link licences[] = {{.text = str_of(i18n(s->lang, N_("any"))), .note = STR(""), .current = true},
                              {.text = STR("apache-2.0"), .note = STR("apache-2.0")}};
    struct view_explore ex = {.f = frame(s, N_("Explore"), "explore"),
                              .repos = sample_repos(),
                              .type = STR("model"),
                              .next_url = STR("/explore?cursor=x")};
    SET(ex.types, types);
    SET(ex.sorts, sorts);
    SET(ex.licences, licences);
    DRAW("explore", page_explore, ex);
    ex.repos.n = 0, ex.filtered = true, ex.q = STR("no such <thing>"), ex.clear_url = STR("/explore");
    DRAW("explore_empty", page_explore, ex);
    struct member_row members[] = {{STR("amy"), STR("/amy"), N_("admin")}, {STR("bo"), STR("/bo"), N_("read")}};
    struct view_owner ow = {.f = frame(s, "lab", ""),
                            .name = STR("lab"),
                            .fullname = STR("Laboratory of Rhetoric"),
                            .is_org = true,
                            .is_me = true,
                            .new_url = STR("/new?owner=lab"),
                            .created_ms = AGO(86400 * 400),
                            .models = sample_repos()};
    SET(ow.members, members);
    DRAW("owner", page_owner, ow);
    struct view_error er = {.f = frame(s, N_("Not found"), ""),
                            .status = 404,
                            .heading = N_("Not found"),
                            .text = STR("There is no repository amy/nothing, or it is private."),
                            .request_id = STR("01J5QW8Z7N2K4M6P8R0T2V4X6Z"),
                            .offer_signin = true};
    er.f.signed_in = false;
    DRAW("error", page_error, er);
}

static void draw_repo(struct run *s) {
    struct view_card card = {.f = frame(s, "amy/smollm2", "explore"),
                             .r = sample_repo("card"),
                             .has_card = true,
                             .card = {"<h2>SmolLM2 135M</h2><p>A <em>small</em> model. 一个 135M "
                                      "参数的小模型，可以在笔记本上回答问题。</p><pre><code>hf download "
                                      "amy/smollm2</code></pre><ul><li>one</li><li>two</li></ul>",
                                      0}};
    card.card.n = strlen(card.card.p);
    DRAW("card", page_card, card);
    struct link crumbs[] = {{.text = STR("smollm2"), .url = STR("/amy/smollm2/tree/main")},
                            {.text = STR("config"), .url = STR("/x"), .current = true}};
    struct file_row files[] = {
        {.name = STR("onnx"),
         .url = STR("/x"),
         .is_dir = true,
         .commit_title = STR("Add the ONNX export"),
         .commit_url = STR("/x"),
         .time_ms = AGO(90000)},
        {.name = STR("README.md"),
         .url = STR("/x"),
         .bytes = 2204,
         .chip = sample_chip("pass"),
         .commit_title = STR("Say where the weights come from and what they must not be used for"),
         .commit_url = STR("/x"),
         .time_ms = AGO(200)},
        {.name = STR("smollm2-135m-instruct-q4_k_m.gguf"),
         .url = STR("/x"),
         .bytes = 98610201,
         .is_lfs = true,
         .chip = sample_chip("notice"),
         .commit_title = STR("Upload weights"),
         .commit_url = STR("/x"),
         .time_ms = AGO(86400)}};
    struct view_files fs = {
        .f = frame(s, "amy/smollm2", "explore"), .r = sample_repo("files"), .has_up = true, .up_url = STR("/x")};
    SET(fs.crumbs, crumbs);
    SET(fs.files, files);
    DRAW("files", page_files, fs);
    struct commit_row commits[] = {{.oid = STR("9f2c1a7745d0aa6b1c9e0f7b3c2d4e5f60718293"),
                                    .title = STR("Say where the weights come from"),
                                    .author = STR("amy"),
                                    .files_url = STR("/x"),
                                    .chip = sample_chip("pass"),
                                    .time_ms = AGO(200)},
                                   {.oid = STR("1f2c1a7745d0aa6b1c9e0f7b3c2d4e5f60718293"),
                                    .title = STR("Upload weights"),
                                    .author = STR("amy"),
                                    .files_url = STR("/x"),
                                    .chip = sample_chip("block"),
                                    .time_ms = AGO(90000)}};
    struct view_history hi = {
        .f = frame(s, "amy/smollm2", "explore"), .r = sample_repo("history"), .total = 2, .older_url = STR("/x")};
    SET(hi.commits, commits);
    DRAW("history", page_history, hi);
    struct view_review re = {.f = frame(s, "mallory/totally-fine", "explore"), .r = sample_repo("review")};
    re.r.chip = sample_chip("block");
    sample_review(&re);
    DRAW("review", page_review, re);
    struct snippet sn[] = {
        {.id = "hf",
         .name = "hf",
         .intro = N_("Download all files of this revision with the command line."),
         .code = STR("export HF_ENDPOINT=http://127.0.0.1:8620 HF_TOKEN=hf_…\nhf download amy/smollm2"),
         .first = true},
        {.id = "curl",
         .name = "curl",
         .intro = N_("One file over plain HTTP."),
         .code = STR("curl -L -O http://127.0.0.1:8620/amy/smollm2/resolve/main/README.md")}};
    struct view_use us = {.f = frame(s, "amy/smollm2", "explore"), .r = sample_repo("use")};
    SET(us.snippets, sn);
    DRAW("use", page_use, us);
    struct view_settings se = {.f = frame(s, "amy/smollm2", "explore"), .r = sample_repo("settings")};
    DRAW("settings", page_settings, se);
}

static void draw_file(struct run *s) {
    struct link crumbs[] = {{.text = STR("smollm2"), .url = STR("/amy/smollm2/tree/main")},
                            {.text = STR("config.json"), .url = STR("/x"), .current = true}};
    struct line_row lines[] = {{1, STR("{")},
                               {2, STR("  \"architectures\": [\"LlamaForCausalLM\"],")},
                               {3, STR("  \"a\": \"<script>alert(1)</script>\"")},
                               {4, STR("}")}};
    struct hex_row hex[] = {
        {STR("00000000"), STR("47 47 55 46 03 00 00 00  10 01 00 00 00 00 00 00"), STR("GGUF............")}};
    struct tensor_row tensors[] = {{STR("token_embd.weight"), STR("Q8_0"), STR("576 × 49152"), 30081024},
                                   {STR("blk.0.attn_q.weight"), STR("Q4_K"), STR("576 × 576"), 186624}};
    struct meta_row meta[] = {
        {STR("general.architecture"), STR("llama")},
        {STR("tokenizer.chat_template"), STR("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' "
                                             "+ message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}")}};
    struct word cols[] = {{STR("question")}, {STR("answer")}};
    struct word cells[] = {{STR("Quid est veritas?")}, {STR("Est vir qui adest.")}};
    struct cell_row rows[1];
    rows[0].cells.p = cells, rows[0].cells.n = 2;
    struct view_file f = {.f = frame(s, "amy/smollm2", "explore"),
                          .r = sample_repo("files"),
                          .path = STR("config.json"),
                          .oid = STR("5d41402abc4b2a76b9719d911017c592aabbccddeeff00112233445566778899"),
                          .oid_kind = "SHA-256",
                          .bytes = 811,
                          .chip = sample_chip("pass"),
                          .format = STR("json"),
                          .kind = "text",
                          .download_url = STR("/x"),
                          .n_tensors = 272,
                          .n_params = 134515008};
    SET(f.crumbs, crumbs);
    SET(f.lines, lines);
    DRAW("file_text", page_file, f);
    f.kind = "hex", f.cut = true;
    SET(f.hex, hex);
    DRAW("file_hex", page_file, f);
    f.kind = "tensors";
    SET(f.tensors, tensors);
    SET(f.meta, meta);
    DRAW("file_tensors", page_file, f);
    f.kind = "table";
    SET(f.columns, cols);
    SET(f.rows, rows);
    DRAW("file_table", page_file, f);
    f.kind = "withheld", f.chip = sample_chip("block"), f.reason = STR("Calls os.system while loading.");
    DRAW("file_withheld", page_file, f);
}

static void draw_account(struct run *s) {
    struct link owners[] = {{.text = STR("amy"), .current = true}, {.text = STR("lab")}};
    struct view_new nw = {.f = frame(s, N_("New repository"), ""), .name = STR(""), .type = STR("model")};
    SET(nw.owners, owners);
    DRAW("new", page_new, nw);
    nw.is_org_form = true, nw.error = STR("field name: “api” is reserved. Nothing was created; choose another name.");
    DRAW("new_org", page_new, nw);
    struct view_signin si = {.f = frame(s, N_("Sign in"), ""), .next = STR("/"), .failed = true, .user = STR("amy")};
    si.f.signed_in = false;
    DRAW("signin", page_signin, si);
    struct token_row tokens[] = {{.id = 1,
                                  .name = STR("laptop"),
                                  .hint = STR("hf_…AbCd"),
                                  .role = N_("write"),
                                  .used_ms = AGO(300),
                                  .expires_ms = AGO(-86400 * 40)},
                                 {.id = 2,
                                  .name = STR("ci"),
                                  .hint = STR("hf_…ZzQ1"),
                                  .role = N_("read"),
                                  .expires_ms = AGO(86400),
                                  .expired = true}};
    struct view_tokens tk = {
        .f = frame(s, N_("Access tokens"), "tokens"),
        .secret = STR("hf_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789X"),
        .secret_name = STR("laptop"),
        .cmd_env = STR("export HF_ENDPOINT=http://127.0.0.1:8620 HF_TOKEN=hf_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789X")};
    SET(tk.tokens, tokens);
    DRAW("tokens", page_tokens, tk);
    struct session_row sessions[] = {{.id = STR("ab"),
                                      .agent = STR("Firefox 141 · Linux"),
                                      .current = true,
                                      .created_ms = AGO(900),
                                      .used_ms = AGO(1),
                                      .expires_ms = AGO(-86400 * 13)},
                                     {.id = STR("cd"),
                                      .agent = STR("Chrome 156 · Android"),
                                      .created_ms = AGO(90000),
                                      .used_ms = AGO(80000),
                                      .expires_ms = AGO(-86400 * 12)}};
    struct view_sessions ss = {.f = frame(s, N_("Sessions"), "sessions")};
    SET(ss.sessions, sessions);
    DRAW("sessions", page_sessions, ss);
    struct view_profile pr = {
        .f = frame(s, N_("Profile and language"), "profile"), .name = STR("amy"), .lang = STR("zh")};
    DRAW("profile", page_profile, pr);
}

static void draw_apply(struct run *s) {
    struct deploy_row rows[3] = {{.id = 1,
                                  .model = STR("smollm2"),
                                  .repo = STR("amy/smollm2"),
                                  .repo_url = STR("/amy/smollm2"),
                                  .commit = STR("9f2c1a7745d0"),
                                  .commit_url = STR("/x"),
                                  .file = STR("smollm2-135m-instruct-q4_k_m.gguf"),
                                  .engine = STR("llamacpp"),
                                  .state = "ready",
                                  .state_word = N_("ready"),
                                  .replicas = 1,
                                  .ready = 1,
                                  .tokens_per_s = 41.7,
                                  .memory_bytes = 312000000,
                                  .since_ms = AGO(5000),
                                  .url = STR("/deployments/1"),
                                  .play_url = STR("/playground?model=smollm2"),
                                  .action_url = STR("/deployments/1"),
                                  .live_url = STR("/deployments/1/live"),
                                  .live = true,
                                  .can_stop = true}};
    rows[1] = rows[0], rows[1].state = "failed", rows[1].state_word = N_("failed"),
    rows[1].detail = STR("the engine ended with status 1: not enough memory for the context"), rows[1].live = false,
    rows[1].play_url = STR_NULL, rows[1].model = STR("legacy-bert"), rows[1].ready = 0;
    rows[2] = rows[0], rows[2].state = "starting", rows[2].state_word = N_("starting"), rows[2].live = false,
    rows[2].play_url = STR_NULL, rows[2].model = STR("court-7b"), rows[2].ready = 0, rows[2].memory_bytes = 0;
    struct deploy_rows list = {.f = frame(s, N_("Deployments"), "deployments")};
    SET(list.rows, rows);
    DRAW("deployments", page_deployments, list);
    list.rows.n = 0;
    DRAW("deployments_empty", page_deployments, list);
    struct view_deployment d = {
        .f = frame(s, "smollm2", "deployments"),
        .d = rows[0],
        .may_log = true,
        .log = STR("main: server is listening on http://127.0.0.1:41233\nslot 0: prompt 24 tokens, 180.1 "
                   "tokens/s\nslot 0: answer 118 tokens, 41.7 tokens/s\n"),
        .snippet = STR("curl http://127.0.0.1:8620/v1/chat/completions \\\n  -H \"Authorization: Bearer $HF_TOKEN\" -H "
                       "\"Content-Type: application/json\" \\\n  -d "
                       "'{\"model\":\"smollm2\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'")};
    DRAW("deployment", page_deployment, d);
    struct link files[] = {{.text = STR("smollm2-135m-instruct-q4_k_m.gguf"), .current = true}};
    struct view_deploy_new dn = {.f = frame(s, N_("Deploy a model"), "deployments"),
                                 .repo = STR("amy/smollm2"),
                                 .rev = STR("main"),
                                 .name = STR("smollm2"),
                                 .has_repo = true,
                                 .allowed = true,
                                 .repo_url = STR("/amy/smollm2"),
                                 .chip = sample_chip("pass")};
    SET(dn.files, files);
    DRAW("deploy_new", page_deploy_new, dn);
    struct link models[] = {{.text = STR("smollm2"), .current = true}, {.text = STR("qwen-max")}};
    struct view_playground pl = {.f = frame(s, N_("Playground"), "playground"),
                                 .endpoint = STR("http://127.0.0.1:8620/v1")};
    SET(pl.models, models);
    DRAW("playground", page_playground, pl);
}

static void draw_log(struct run *s) {
    struct link kinds[] = {{.text = str_of(i18n(s->lang, N_("everything"))), .note = STR(""), .current = true},
                           {.text = str_of(i18n(s->lang, N_("verdicts"))), .note = STR("verdict.")}};
    struct view_activity ac = {
        .f = frame(s, N_("Activity"), "activity"), .events = sample_events(), .older_url = STR("/activity?before=1")};
    SET(ac.kinds, kinds);
    DRAW("activity", page_activity, ac);
    struct view_event ev = {.f = frame(s, N_("Activity"), "activity"),
                            .e = sample_events().p[0],
                            .payload = STR("{\n  \"verdict\": \"pass\",\n  \"coverage\": \"full\"\n}"),
                            .hash = STR("91b0a3f5c2d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6071"),
                            .actor = STR("lab"),
                            .repo = STR("amy/smollm2"),
                            .repo_url = STR("/amy/smollm2")};
    DRAW("event", page_event, ev);
    struct api_row routes[] = {{.method = STR("GET"),
                                .path = STR("/api/models/{ns}/{name}"),
                                .summary = STR("Facts of a model and its files."),
                                .auth = N_("readers of the repository")},
                               {.method = STR("POST"),
                                .path = STR("/v1/chat/completions"),
                                .summary = STR("Answers a conversation."),
                                .auth = N_("any token")}};
    struct api_group groups[1] = {{.name = STR("hub"), .title = STR("Git")}};
    SET(groups[0].rows, routes);
    struct view_api ap = {.f = frame(s, N_("API"), ""), .spec_url = STR("/api/ballast/openapi.json")};
    SET(ap.groups, groups);
    DRAW("api", page_api, ap);
}

void sample_pages(enum lang lang, const char *theme, sample_each each, void *ctx) {
    struct run run = {.lang = lang, .theme = theme, .each = each, .ctx = ctx}, *s = &run;
    arena_init(&s->a, 8 * MiB);
    buf_init(&s->b, 1 * MiB);
    s->t = (struct tmpl){&s->b, &s->a, lang, sample_now_ms};
    draw_public(s);
    draw_repo(s);
    draw_file(s);
    draw_account(s);
    draw_apply(s);
    draw_log(s);
    buf_release(&s->b);
    arena_release(&s->a);
}
