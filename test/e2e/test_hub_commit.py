# SPDX-License-Identifier: Apache-2.0
"""The commit and preupload protocol itself: every refusal, every operation, a body that comes twice."""
import base64
import hashlib
import json

import pytest

from hub_helpers import blob_id, commit, get_json, ndjson, random_bytes


@pytest.fixture(scope="module")
def repo(server):
    server.http("POST", "/api/repos/create", "alice", {"name": "proto"})
    return "alice/proto"


def head(server, repo):
    return get_json(server, "/api/models/" + repo)["sha"]


def b64(data):
    return base64.b64encode(data).decode()


def file(path, data):
    return ("file", {"path": path, "content": b64(data), "encoding": "base64"})


def paths(server, repo):
    return [f["rfilename"] for f in get_json(server, "/api/models/" + repo)["siblings"]]


def test_reply_and_identity(server, repo):
    s, h, r = commit(server, "alice", repo, ("header", {"summary": "S", "description": "D"}), file("a.txt", b"hello"), ("file", {"path": "u.txt", "content": "utf\u00e9"}))
    assert s == 200 and r["success"] is True and r["hookOutput"] == "" and len(r["commitOid"]) == 40
    assert r["commitUrl"] == "%s/%s/commit/%s" % (server.url, repo, r["commitOid"]) and head(server, repo) == r["commitOid"]
    e = {x["path"]: x for x in get_json(server, "/api/models/%s/tree/main" % repo)}
    assert e["a.txt"]["oid"] == blob_id(b"hello") and e["a.txt"]["size"] == 5 and "lfs" not in e["a.txt"]
    assert e["u.txt"]["oid"] == blob_id("utf\u00e9".encode())
    c = get_json(server, "/api/models/%s/commits/main" % repo)[0]
    assert (c["title"], c["message"], c["authors"][0]["user"]) == ("S", "D", "alice")


def test_parent_commit(server, repo):
    old = head(server, repo)
    s, _, r = commit(server, "alice", repo, ("header", {"summary": "p", "parentCommit": old[:10]}), file("p.txt", b"1"))
    assert s == 200
    s, h, r = commit(server, "alice", repo, ("header", {"summary": "stale", "parentCommit": old}), file("q.txt", b"1"))
    assert s == 412 and "The branch was updated since you opened this page. Please refresh and try again." in r["error"]
    assert "q.txt" not in paths(server, repo)


def test_delete_rename_folder(server, repo):
    commit(server, "alice", repo, ("header", {"summary": "more"}), file("d/x", b"x"), file("d/y", b"y"), file("gone", b"g"), file("from", b"f"))
    s, _, r = commit(server, "alice", repo, ("header", {"summary": "ops"}), ("deletedFolder", {"path": "d/"}), ("deletedFile", {"path": "gone"}),
                     ("file", {"path": "to", "oldPath": "from"}))
    assert s == 200, r
    p = paths(server, repo)
    assert "to" in p and not {"d/x", "d/y", "gone", "from"} & set(p)
    s, h, r = commit(server, "alice", repo, ("header", {"summary": "again"}), ("deletedFile", {"path": "gone"}))
    assert s == 404 and h["X-Error-Code"] == "EntryNotFound" and "A file with this name doesn't exist" in r["error"]


@pytest.mark.parametrize("path", ["../up", "a/../b", ".git/config", "a\\b", "/abs", "a//b", "", "a/.git/hooks", "c\u0000d"])
def test_unsafe_paths(server, repo, path):
    before = head(server, repo)
    s, _, r = commit(server, "alice", repo, ("header", {"summary": "x"}), file(path, b"1"))
    assert s in (400, 422) and head(server, repo) == before, r


def test_refusals_name_the_line(server, repo):
    before = head(server, repo)
    oid = hashlib.sha256(b"never uploaded").hexdigest()
    cases = [([("header", {"summary": "x"}), ("lfsFile", {"path": "w.bin", "algo": "sha256", "oid": oid, "size": 14})], 400, oid),
             ([file("a", b"1")], 400, "header"), ([("header", {"summary": " "})], 400, "summary"),
             ([("header", {"summary": "x"}), ("header", {"summary": "y"})], 400, "line 2"),
             ([("header", {"summary": "x"}), ("file", {"path": "a", "content": "###", "encoding": "base64"})], 400, "base64"),
             ([("header", {"summary": "x"}), ("what", {})], 400, "deletedFolder"),
             ([("header", {"summary": "x", "parentCommit": "zz"})], 400, "parentCommit"),
             ([("header", {"summary": "x"}), file("big.txt", b"x" * (10 * 1024 * 1024 + 1))], 400, "large file")]
    for lines, want, text in cases:
        s, _, r = commit(server, "alice", repo, *lines)
        assert s == want and text in r["error"], (s, r)
    s, _, b = server.http("POST", "/api/models/%s/commit/main" % repo, "alice", b"\n\n", {"Content-Type": "application/x-ndjson"})
    assert s == 400
    s, h, r = commit(server, "alice", repo, ("header", {"summary": "x"}), file("a", b"1"), rev="nobranch")
    assert s == 404 and h["X-Error-Code"] == "RevisionNotFound"
    s, h, r = commit(server, "alice", repo, ("header", {"summary": "x"}), file("a", b"1"), rev=before)
    assert s == 404 and h["X-Error-Code"] == "RevisionNotFound"
    assert commit(server, "bob", repo, ("header", {"summary": "x"}), file("a", b"1"))[0] == 403
    assert commit(server, None, repo, ("header", {"summary": "x"}), file("a", b"1"))[0] == 401
    assert head(server, repo) == before


def test_identical_body_twice_is_one_commit(server, repo):
    before = head(server, repo)
    lines = [("header", {"summary": "once", "parentCommit": before}), file("once.txt", b"1")]
    s1, _, r1 = commit(server, "alice", repo, *lines)
    s2, _, r2 = commit(server, "alice", repo, *lines)
    assert (s1, s2) == (200, 200) and r1["commitOid"] == r2["commitOid"]
    titles = [c["title"] for c in get_json(server, "/api/models/%s/commits/main" % repo)]
    assert titles.count("once") == 1


def test_identical_body_after_other_work_is_applied(server, repo):
    lines = [("header", {"summary": "put"}), file("put.txt", b"1")]
    commit(server, "alice", repo, *lines)
    commit(server, "alice", repo, ("header", {"summary": "take away"}), ("deletedFile", {"path": "put.txt"}))
    s, _, _ = commit(server, "alice", repo, *lines)
    assert s == 200 and "put.txt" in paths(server, repo)


def test_a_large_body_streams(server, repo):
    data = [random_bytes(6_000_000, i) for i in range(6)]  # 48 MB of base64 in one body
    s, _, r = commit(server, "alice", repo, ("header", {"summary": "big"}), *[file("big%d.txt" % i, d) for i, d in enumerate(data)])
    assert s == 200, r
    e = {x["path"]: x for x in get_json(server, "/api/models/%s/tree/main" % repo)}
    assert all(e["big%d.txt" % i]["oid"] == blob_id(d) for i, d in enumerate(data))


def test_many_operations_without_final_newline(server, repo):
    body = ndjson(("header", {"summary": "many"}), *[file("many/%04d" % i, b"%d" % i) for i in range(1000)]).rstrip(b"\n")
    s, _, b = server.http("POST", "/api/models/%s/commit/main" % repo, "alice", body, {"Content-Type": "application/x-ndjson"})
    assert s == 200, b
    assert len([p for p in paths(server, repo) if p.startswith("many/")]) == 1000


def test_preupload(server, repo):
    commit(server, "alice", repo, ("header", {"summary": "readme"}), file("there.txt", b"there"), file(".gitignore", b"*.log\n"))
    text, binary = b64(b"some text"), b64(bytes(range(256)))
    files = [{"path": "n.txt", "sample": text, "size": 9}, {"path": "n.xyz", "sample": binary, "size": 256}, {"path": "m.safetensors", "sample": text, "size": 9},
             {"path": "long.txt", "sample": text, "size": 11_000_000}, {"path": "empty.bin", "sample": "", "size": 0},
             {"path": "there.txt", "sample": text, "size": 9}, {"path": "a.log", "sample": text, "size": 9}]
    s, _, b = server.http("POST", "/api/models/%s/preupload/main" % repo, "alice", {"files": files})
    r = {f["path"]: f for f in json.loads(b)["files"]}
    assert [r[f["path"]]["uploadMode"] for f in files] == ["regular", "lfs", "lfs", "lfs", "regular", "regular", "regular"]
    assert r["there.txt"]["oid"] == blob_id(b"there") and "oid" not in r["n.txt"]
    assert r["a.log"]["shouldIgnore"] is True and r["n.txt"]["shouldIgnore"] is False
    s, _, b = server.http("POST", "/api/models/%s/preupload/main" % repo, "alice", {"files": [files[0]], "gitIgnore": "n.*\n", "gitAttributes": "n.txt filter=lfs\n"})
    f = json.loads(b)["files"][0]
    assert f["shouldIgnore"] is True and f["uploadMode"] == "lfs"
    for bad in ({}, {"files": [{"path": "x"}]}, {"files": [{"path": "../x", "sample": "", "size": 1}]}, {"files": [{"path": "x", "sample": "#", "size": 1}]}):
        assert server.http("POST", "/api/models/%s/preupload/main" % repo, "alice", bad)[0] in (400, 422)
    s, h, _ = server.http("POST", "/api/models/%s/preupload/nope" % repo, "alice", {"files": files})
    assert s == 404 and h["X-Error-Code"] == "RevisionNotFound"


def test_validate_yaml(server):
    def ask(content):
        s, _, b = server.http("POST", "/api/validate-yaml", None, {"content": content, "repoType": "model"})
        return s, json.loads(b)

    assert ask("---\nlicense: mit\n---\n") == (200, {"errors": [], "warnings": []})
    s, r = ask("---\nlicense: my-own\n---\n")
    assert s == 400 and r["errors"][0]["message"].startswith('Error: "license" must be one of [apache-2.0')
    s, h, b = server.http("POST", "/api/validate-yaml", None, {"content": "---\nlicense: my-own\n---\n", "repoType": "model"}, {"Accept": "text/plain"})
    assert s == 400 and b.startswith(b'- Error: "license" must be one of') and h["Content-Type"].startswith("text/plain")
    s, r = ask("no card")
    assert s == 200 and r["warnings"][0]["message"] == "empty or missing yaml metadata in repo card"
    s, r = ask("---\na: [\n---\n")
    assert s == 400 and "line 2" in r["errors"][0]["message"]
    s, r = ask("---\ntags: x\nmodel-index:\n- a: 1\n---\n")
    assert s == 400 and len(r["errors"]) == 2
    s, _, b = server.http("POST", "/api/validate-yaml", None, b"not json", {"Content-Type": "application/json"})
    assert s == 400 and json.loads(b)["errors"]


def test_pull_requests_are_refused_clearly(server, repo, tmp_path):
    (tmp_path / "f.txt").write_text("x")
    for args in ((str(tmp_path / "f.txt"), "f.txt"), (str(tmp_path), ".")):
        p = server.hf("alice", "upload", repo, *args, "--create-pr", check=False)
        assert p.returncode != 0 and "Pull requests are not offered by this server yet" in p.stdout + p.stderr, p.stderr
        assert "Traceback" not in p.stderr
    assert "f.txt" not in paths(server, repo)
