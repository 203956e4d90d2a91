# SPDX-License-Identifier: Apache-2.0
"""The command line: the same with and without a running server, exit codes, what goes to which stream."""
import json
import re
import subprocess
import time

from conftest import BIN, Server


def test_help_man_and_completion_come_from_one_table(server):
    text = server.cli("help").stdout
    man = server.cli("help", "--man").stdout
    bash = server.cli("help", "--completion", "bash").stdout
    for cmd in ("serve", "user add", "token create", "repo delete", "review", "deploy", "log verify", "fsck"):
        assert "ballast " + cmd in text and ".B " + cmd in man and cmd in bash
    assert "git-hook" not in text and "review-worker" not in man
    assert subprocess.run(["bash", "-n"], input=bash, text=True).returncode == 0
    zh = subprocess.run([BIN, "help"], capture_output=True, text=True, env={"LANG": "zh_CN.UTF-8"}).stdout
    assert "创建访问令牌" in zh


def test_exit_codes(server):
    assert subprocess.run([BIN, "frobnicate"], capture_output=True).returncode == 64
    p = server.cli("token", "create", check=False)
    assert p.returncode == 64 and "usage" in p.stderr
    p = server.cli("token", "create", "nobody", check=False)
    assert p.returncode == 2 and p.stdout == "" and "nobody" in p.stderr
    p = server.cli("user", "list", "--json=1", check=False)
    assert p.returncode == 64


def test_user_add_without_terminal_prints_a_password_once(server):
    p = server.cli("user", "add", "carol", "--json")
    pw = json.loads(p.stdout)["password"]
    assert len(pw) == 20
    assert pw not in server.tail(10**6)
    assert pw not in (server.data / "ballast.db").read_bytes().decode("latin-1")
    p = server.cli("user", "add", "carol", check=False)
    assert p.returncode == 2 and "carol" in p.stderr


def test_token_is_the_only_thing_on_stdout_and_is_not_stored(server):
    p = server.cli("token", "create", "alice", "--role", "write")
    assert re.fullmatch(r"hf_[A-Za-z0-9]{34,}\n", p.stdout)
    for f in server.data.glob("ballast.db*"):
        assert p.stdout.strip().encode() not in f.read_bytes()


def test_commands_reach_a_running_server_at_once(server):
    tok = server.token("bob")
    assert server.http("GET", "/api/whoami-v2", tok)[0] == 200
    ident = [t["id"] for t in json.loads(server.cli("token", "list", "bob", "--json").stdout)][-1]
    server.cli("token", "revoke", str(ident))
    time.sleep(0.1)
    assert server.http("GET", "/api/whoami-v2", tok)[0] == 401
    server.cli("repo", "create", "bob/from-cli", "--private")
    status, _, body = server.http("GET", "/api/models/bob/from-cli", "bob")
    assert status == 200 and json.loads(body)["private"] is True
    assert server.http("GET", "/api/models/bob/from-cli", "alice")[0] == 404
    server.cli("user", "disable", "bob")
    time.sleep(0.1)
    assert server.http("GET", "/api/whoami-v2", "bob")[0] == 401
    server.cli("user", "disable", "bob", "--undo")
    time.sleep(0.1)
    assert server.http("GET", "/api/whoami-v2", "bob")[0] == 200


def test_the_same_without_a_server(tmp_path):
    s = Server(tmp_path).start()
    s.user("alice")
    s.stop()
    s.cli("repo", "create", "alice/offline")
    assert "alice/offline" in s.cli("repo", "list").stdout
    s.cli("org", "add", "team", "--owner", "alice")
    assert "team" in s.cli("user", "list").stdout
    assert s.cli("fsck").returncode == 0
    assert "chain intact" in s.cli("log", "verify").stdout
    kinds = [json.loads(l)["kind"] for l in s.cli("log", "list", "--json").stdout.splitlines()]
    assert "repo.created" in kinds
    s.cli("repo", "delete", "alice/offline", "--yes")
    assert "alice/offline" not in s.cli("repo", "list").stdout


def test_log_verify_finds_a_flipped_byte(tmp_path):
    import sqlite3
    s = Server(tmp_path).start()
    s.user("alice")
    s.cli("repo", "create", "alice/x")
    s.stop()
    db = sqlite3.connect(s.data / "ballast.db")
    (seq,) = db.execute("SELECT seq FROM event WHERE kind = 'repo.created'").fetchone()
    db.execute("UPDATE event SET payload = replace(payload, 'x', 'y') WHERE seq = ?", (seq,))
    db.commit()
    db.close()
    p = s.cli("log", "verify", check=False)
    assert p.returncode == 1 and str(seq) in p.stdout


def test_second_server_on_one_data_directory_is_refused(server):
    p = subprocess.run([BIN, "serve", "--data", str(server.data), "--listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=60)
    assert p.returncode == 2 and "ballast:" in p.stderr


def test_check_config_and_bad_config(tmp_path, server):
    f = tmp_path / "c.yaml"
    f.write_text("review:\n  wrokers: 3\n")
    p = subprocess.run([BIN, "serve", "--check-config", "--config", str(f)], capture_output=True, text=True)
    assert p.returncode == 2 and "c.yaml:2" in p.stderr and "workers" in p.stderr
    f.write_text("review:\n  workers: 3\n")
    assert subprocess.run([BIN, "serve", "--check-config", "--config", str(f)], capture_output=True).returncode == 0
