/* SPDX-License-Identifier: Apache-2.0 */
/* repo_use.c — how to use it: snippets that run as they stand, with this host and this repository in them. */
#include "web/repo_page.h"

enum { SNIPPETS = 6 };

struct ctx {
    struct http_req *r;
    struct repo_page *p;
    struct str model; /* as clients call it: the deployment's name, or what a deployment would be called */
    struct str file;  /* one that is there */
};

static struct snippet snippet(const char *id, const char *name, const char *intro, struct str code) {
    return (struct snippet){.id = id, .name = name, .intro = intro, .code = code};
}

static struct snippet s_hf(const struct ctx *c) {
    enum repo_type t = c->p->repo->type;
    struct str rev =
        str_eqz(c->p->rev, "main") ? STR("") : arena_printf(c->r->arena, " --revision " STR_FMT, STR_ARG(c->p->rev));
    return snippet("hf", "hf", N_("Download all files of this revision with the command line."),
                   arena_printf(c->r->arena,
                                "pip install -U huggingface_hub\nexport HF_ENDPOINT=" STR_FMT "%s\nhf download " STR_FMT
                                "%s%s" STR_FMT,
                                STR_ARG(c->r->base_url), c->p->repo->is_private ? " HF_TOKEN=hf_…" : "",
                                STR_ARG(c->p->head.full), t == REPO_MODEL ? "" : " --repo-type ",
                                t == REPO_MODEL ? "" : repo_type_name(t), STR_ARG(rev)));
}

static struct snippet s_python(const struct ctx *c) {
    enum repo_type t = c->p->repo->type;
    struct str body;
    if (t == REPO_DATASET)
        body = arena_printf(c->r->arena,
                            "from datasets import load_dataset\n\ndata = load_dataset(\"" STR_FMT
                            "\", revision=\"" STR_FMT "\")\nprint(data)",
                            STR_ARG(c->p->head.full), STR_ARG(c->p->rev));
    else
        body =
            arena_printf(c->r->arena,
                         "from huggingface_hub import snapshot_download\n\npath = snapshot_download(\"" STR_FMT
                         "\", revision=\"" STR_FMT "\"%s)\nprint(path)",
                         STR_ARG(c->p->head.full), STR_ARG(c->p->rev), t == REPO_SPACE ? ", repo_type=\"space\"" : "");
    return snippet("python", "Python", N_("The same from a program; set the endpoint before the import."),
                   arena_printf(c->r->arena, "import os\nos.environ[\"HF_ENDPOINT\"] = \"" STR_FMT "\"\n" STR_FMT,
                                STR_ARG(c->r->base_url), STR_ARG(body)));
}

static struct snippet s_git(const struct ctx *c) {
    struct str branch =
        str_eqz(c->p->rev, "main") ? STR("") : arena_printf(c->r->arena, " --branch " STR_FMT, STR_ARG(c->p->rev));
    return snippet("git", "git",
                   N_("Clone with its history; large files come through git-lfs. The password is a token."),
                   arena_printf(c->r->arena, "git lfs install\ngit clone" STR_FMT " " STR_FMT STR_FMT, STR_ARG(branch),
                                STR_ARG(c->r->base_url), STR_ARG(c->p->head.url)));
}

static struct snippet s_curl(const struct ctx *c) {
    const char *auth = c->p->repo->is_private ? " -H \"Authorization: Bearer $HF_TOKEN\"" : "";
    return snippet("curl", "curl", N_("One file over plain HTTP."),
                   arena_printf(c->r->arena, "curl -fLOJ%s \\\n  '" STR_FMT STR_FMT "'", auth, STR_ARG(c->r->base_url),
                                STR_ARG(url_at(c->r->arena, c->p->repo, "resolve", c->p->rev, c->file))));
}

/* The first real file, so that the line works as it stands. */
static err file_pick(struct ctx *c) {
    enum { LOOK = 50 };
    struct git_entry *e;
    size_t n;
    bool more;
    c->file = STR("README.md");
    TRY(repo_page_tree(c->r, c->p, STR(""), false, STR(""), LOOK, &e, &n, &more));
    for (size_t i = n; i-- > 0;)
        if (!e[i].is_dir && e[i].path.p[0] != '.') c->file = e[i].path;
    return OK;
}

static struct snippet s_openai(const struct ctx *c) {
    return snippet(
        "openai", "openai", N_("Talk to a deployment of this model through the OpenAI client."),
        arena_printf(c->r->arena,
                     "import os\nfrom openai import OpenAI\n\nclient = OpenAI(base_url=\"" STR_FMT
                     "/v1\", api_key=os.environ[\"HF_TOKEN\"])\n"
                     "answer = client.chat.completions.create(\n    model=\"" STR_FMT
                     "\",\n    messages=[{\"role\": \"user\", \"content\": \"Hello\"}],\n    stream=True,\n)\n"
                     "for part in answer:\n    print(part.choices[0].delta.content or \"\", end=\"\")",
                     STR_ARG(c->r->base_url), STR_ARG(c->model)));
}

static struct snippet s_chat_curl(const struct ctx *c) {
    return snippet("chat", "curl · chat", N_("The same question over plain HTTP."),
                   arena_printf(c->r->arena,
                                "curl -fN " STR_FMT
                                "/v1/chat/completions \\\n  -H \"Authorization: Bearer $HF_TOKEN\" -H "
                                "\"Content-Type: application/json\" \\\n"
                                "  -d '{\"model\":\"" STR_FMT
                                "\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'",
                                STR_ARG(c->r->base_url), STR_ARG(c->model)));
}

err web_repo_use(struct http_req *r) {
    struct repo_page p;
    TRY(repo_page_open(r, "use", &p));
    TRY(repo_page_side(r, &p));
    struct view_use v = {.f = web_frame(r, p.head.full, "explore")};
    const struct link *d = p.head.deployments.n > 0 ? &p.head.deployments.p[0] : NULL; /* one that answers, if any */
    for (size_t i = 0; i < p.head.deployments.n; i++)
        if (p.head.deployments.p[i].current) d = &p.head.deployments.p[i];
    struct ctx c = {.r = r, .p = &p, .model = d != NULL ? d->text : p.head.full};
    TRY(file_pick(&c));
    struct snippet *rows = arena_array(r->arena, struct snippet, SNIPPETS);
    size_t n = 0;
    rows[n++] = s_hf(&c);
    rows[n++] = s_python(&c);
    rows[n++] = s_git(&c);
    if (p.head.is_model) {
        rows[n++] = s_openai(&c);
        rows[n++] = s_chat_curl(&c);
        rows[n - 1].needs_deployment = rows[n - 2].needs_deployment = d == NULL || !d->current;
    }
    rows[n++] = s_curl(&c);
    rows[0].first = true;
    v.snippets.p = rows, v.snippets.n = n;
    v.r = p.head;
    WEB_REPLY(r, 200, page_use, &v);
}
