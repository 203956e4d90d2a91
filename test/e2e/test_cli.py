# SPDX-License-Identifier: Apache-2.0
"""The command line: the same with and without a running server, exit codes, what goes to which stream."""
import json
import os
import re
import shutil
import subprocess
import time

import pytest

from conftest import BIN, Server


def test_help_man_and_completion_come_from_one_table(server):
    text = server.cli("help").stdout
    man = server.cli("help", "--man").stdout
    bash = server.cli("help", "--completion", "bash").stdout
    for cmd in ("serve", "user add", "token create", "repo delete", "review", "deploy", "log verify", "fsck"):
        assert "ballast " + cmd in text and "\\fB%s\\fR" % cmd in man and cmd in bash
    assert "git-hook" not in text and "review-worker" not in man
    assert subprocess.run(["bash", "-n"], input=bash, text=True).returncode == 0
    zh = subprocess.run([BIN, "help"], capture_output=True, text=True, env={"LANG": "zh_CN.UTF-8"}).stdout
    assert "创建访问令牌" in zh


@pytest.mark.skipif(not shutil.which("man"), reason="no man on this machine")
def test_man_page_is_sound_and_loses_nothing(server):
    """A line that begins with a dot would vanish: every word of the help stands in what man shows."""
    source = server.cli("help", "--man").stdout
    p = subprocess.run(["man", "--warnings", "-l", "-"], input=source, capture_output=True, text=True, env=dict(os.environ, MANWIDTH="200", LC_ALL="C.UTF-8"))
    assert p.returncode == 0 and not p.stderr, p.stderr
    shown = re.sub(r"\s+", " ", re.sub(".\b", "", p.stdout))
    for text in ("./data", "--check-config", "BALLAST_LISTEN", "Make an access token; only the token is printed on standard output.", "a check found problems"):
        assert text in shown, text


def complete(words):
    """What bash offers behind these words."""
    script = subprocess.run([BIN, "help", "--completion", "bash"], capture_output=True, text=True).stdout
    words = ["ballast"] + words
    script += "\nCOMP_WORDS=(%s); COMP_CWORD=%d; _ballast; printf '%%s\\n' \"${COMPREPLY[@]}\"" % (" ".join("'%s'" % w for w in words), len(words) - 1)
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()


def test_completion_completes():
    assert complete(["to"]) == ["token"] and "user" in complete([""]) and "review-worker" not in complete([""])
    assert complete(["token", "cr"]) == ["create"]
    assert complete(["token", "create", "alice", "--ro"]) == ["--role"]
    assert complete(["token", "create", "alice", "--role", "w"]) == ["write"]
    assert "--days" in complete(["gc", "--"]) and "--days" not in complete(["fsck", "--"])


def test_messages_suggest_what_was_meant():
    def said(*args):
        p = subprocess.run([BIN, *args], capture_output=True, text=True)
        assert p.returncode == 64 and p.stdout == "", (args, p)
        return p.stderr
    assert 'did you mean "serve"?' in said("serv")
    assert 'did you mean "user add"?' in said("usr", "add")
    assert 'did you mean "token create"?' in said("token", "craete", "bob")
    assert "did you mean" not in said("frobnicate")
    assert "did you mean --role?" in said("token", "create", "bob", "--rol", "read")
    assert "did you mean --json?" in said("--jsn", "version")
    assert "ballast log verify" in said("log") and "ballast log list" in said("log", "zzz")
    assert '"nameless": expected OWNER/NAME' in said("repo", "create", "nameless")
    assert 'did you mean "user"' in said("help", "usr")


def test_help_explains_one_command_and_groups():
    def out(*args):
        return subprocess.run([BIN, *args], capture_output=True, text=True, check=True).stdout
    for args in (("help", "token", "create"), ("token", "create", "--help"), ("token", "create", "-h")):
        assert "--days N" in out(*args) and "user add" not in out(*args)
    for args in (("help", "token"), ("token", "--help")):
        assert "token create" in out(*args) and "token revoke" in out(*args) and "serve" not in out(*args)
    assert "ballast review" in out("review", "--help")


def test_options_may_stand_before_the_command(server):
    p = subprocess.run([BIN, "--data", str(server.data), "--json", "user", "list"], capture_output=True, text=True)
    assert p.returncode == 0 and any(u["name"] == "alice" for u in json.loads(p.stdout))
    f = server.base / "plain.txt"
    f.write_text("hello")
    p = subprocess.run([BIN, "--json", "review", str(f)], capture_output=True, text=True)
    assert p.returncode == 0 and json.loads(p.stdout)["verdict"] == "pass"


def test_json_of_every_command_that_changes_something(server):
    def done(*args):
        return json.loads(server.cli(*args, "--json").stdout)
    assert done("user", "add", "jane")["name"] == "jane"
    assert done("org", "add", "json-org", "--owner", "jane")["owner"] == "jane"
    server.cli("user", "add", "joe")
    assert done("org", "member", "json-org", "joe", "--role", "write") == {"org": "json-org", "user": "joe", "role": "write"}
    token = done("token", "create", "jane", "--role", "write", "--days", "3")
    assert token["role"] == "write" and server.http("GET", "/api/whoami-v2", token["token"])[0] == 200 and token["expires_ms"] > time.time() * 1000
    ident = json.loads(server.cli("token", "list", "jane", "--json").stdout)[-1]["id"]
    assert done("token", "revoke", str(ident)) == {"id": ident, "revoked": True}
    repo = done("repo", "create", "datasets/jane/d", "--private")
    assert repo["type"] == "dataset" and repo["name"] == "jane/d" and repo["private"] is True
    assert done("repo", "delete", "datasets/jane/d", "--yes")["deleted"] is True
    assert done("user", "disable", "jane") == {"name": "jane", "disabled": True}
    assert done("log", "verify")["first_bad"] == 0
    p = server.cli("repo", "delete", "jane/none", "--yes", "--json", check=False)
    assert p.returncode == 2 and p.stdout == "" and json.loads(p.stderr)["kind"] == "repo_not_found"


def test_exit_codes(server):
    assert subprocess.run([BIN, "frobnicate"], capture_output=True).returncode == 64
    p = server.cli("token", "create", check=False)
    assert p.returncode == 64 and "usage" in p.stderr
    p = server.cli("token", "create", "nobody", check=False)
    assert p.returncode == 2 and p.stdout == "" and "nobody" in p.stderr
    p = server.cli("user", "list", "--json=1", check=False)
    assert p.returncode == 64
    for words in (["review"], ["review", "--frob", "x"], ["review", "verify"]):
        assert subprocess.run([BIN, *words], capture_output=True).returncode == 64, words
    assert subprocess.run([BIN, "review", "/no/such/file"], capture_output=True).returncode == 2


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


def on_a_terminal(*args, answers=()):
    """Run a command with a terminal for all three streams, answering each prompt: (exit code, what was shown)."""
    import pty
    import select
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(BIN, [BIN, *args], dict(os.environ, LC_ALL="C.UTF-8"))
    shown, answers, end = b"", list(answers), time.time() + 60
    while time.time() < end:
        if not select.select([fd], [], [], 1)[0]:
            continue
        try:
            piece = os.read(fd, 4096)
        except OSError:  # the other end is closed
            break
        shown += piece
        if answers and piece.endswith(b": "):
            os.write(fd, answers.pop(0).encode() + b"\n")
    else:
        os.kill(pid, 9)
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_progress_is_shown_on_a_terminal_only(tmp_path):
    s = Server(tmp_path).start()
    s.user("alice")
    (tmp_path / "big.bin").write_bytes(os.urandom(20 << 20))
    s.hf("alice", "upload", "alice/big", tmp_path / "big.bin", "big.bin")
    s.stop()
    code, shown = on_a_terminal("fsck", "--deep", "--data", str(s.data))
    assert code == 0 and "checking chunk containers and files" in shown and "100 %" in shown and shown.endswith("0 problems\r\n"), shown
    p = s.cli("fsck", "--deep")
    assert p.stderr == "" and p.stdout == "0 problems\n"


def test_user_add_on_a_terminal_asks_and_does_not_echo(server):
    pw = "typed by a person"
    code, shown = on_a_terminal("user", "add", "typist", "--data", str(server.data), answers=[pw, pw])
    assert code == 0 and "Again" in shown and "typist" in shown and pw not in shown, shown
    assert server.http("POST", "/api/ballast/session", body={"name": "typist", "password": pw})[0] == 201
    code, shown = on_a_terminal("user", "add", "sloppy", "--data", str(server.data), answers=[pw, "other than it"])
    assert code == 2 and "differ" in shown and "sloppy" not in server.cli("user", "list").stdout
