# SPDX-License-Identifier: Apache-2.0
"""Creating, deleting, moving, settings, branches and tags, by the stock command and by raw requests."""
import json

from hub_helpers import commit, get_json


def test_create_twice_and_delete(server):
    out = server.hf("alice", "repos", "create", "alice/made", "--private").stdout
    assert "alice/made" in out
    again = server.hf("alice", "repos", "create", "alice/made", check=False)
    assert again.returncode != 0 and "already created" in again.stdout + again.stderr
    server.hf("alice", "repos", "create", "alice/made", "--exist-ok")
    s, h, b = server.http("POST", "/api/repos/create", "alice", {"name": "made", "type": "model"})
    assert s == 409 and json.loads(b)["url"] == server.url + "/alice/made" and "already" in h["X-Error-Message"]
    server.hf("alice", "repos", "delete", "alice/made", "--yes")
    s, h, _ = server.http("GET", "/api/models/alice/made", "alice")
    assert s == 404 and h["X-Error-Code"] == "RepoNotFound"


def test_a_new_repository_has_main_with_gitattributes(server):
    server.http("POST", "/api/repos/create", "alice", {"name": "fresh", "organization": None})
    info = get_json(server, "/api/models/alice/fresh", "alice")
    assert [f["rfilename"] for f in info["siblings"]] == [".gitattributes"] and len(info["sha"]) == 40
    refs = get_json(server, "/api/models/alice/fresh/refs")
    assert refs["branches"][0]["ref"] == "refs/heads/main" and refs["branches"][0]["targetCommit"] == info["sha"] and refs["converts"] == []
    assert "pullRequests" not in refs and get_json(server, "/api/models/alice/fresh/refs?include_prs=1")["pullRequests"] == []


def test_files_and_licence_come_with_the_repository(server):
    files = [{"path": "a.txt", "content": "hello"}, {"path": "b/c.bin", "content": "AAEC", "encoding": "base64"}]
    s, _, b = server.http("POST", "/api/repos/create", "alice", {"name": "withfiles", "license": "mit", "files": files})
    assert s == 200, b
    info = get_json(server, "/api/models/alice/withfiles")
    assert {f["rfilename"] for f in info["siblings"]} == {".gitattributes", "README.md", "a.txt", "b/c.bin"} and "license:mit" in info["tags"]
    assert server.http("GET", "/alice/withfiles/raw/main/b/c.bin")[2] == b"\0\1\2"
    own = {"path": "README.md", "content": "mine"}
    server.http("POST", "/api/repos/create", "alice", {"name": "owncard", "license": "mit", "files": [own]})
    assert server.http("GET", "/alice/owncard/raw/main/README.md")[2] == b"mine"
    for more, text in (({"license": "x: [\n"}, "licence name"), ({"files": [{"path": "../x", "content": ""}]}, "not allowed"),
                       ({"files": [{"path": "big.txt", "content": "x" * (10 * 1024 * 1024 + 1)}]}, "large files")):
        s, _, b = server.http("POST", "/api/repos/create", "alice", dict({"name": "refused"}, **more))
        assert s in (400, 422) and text in json.loads(b)["error"], (s, b[:200])
        assert server.http("GET", "/api/models/alice/refused", "alice")[0] == 404, "nothing is left of it"
    assert server.http("POST", "/api/repos/create", "alice", {"name": "refused"})[0] == 200


def test_names_and_rights_are_checked(server):
    for name in ("bad name", "a--b", "a..b", "-x", "x.git", "x" * 97):
        s, h, b = server.http("POST", "/api/repos/create", "alice", {"name": name})
        assert s in (400, 422), (name, s)
    s, h, b = server.http("POST", "/api/repos/create", "alice", {"name": "x", "organization": "bob"})
    assert s == 403 and "rights to create" in json.loads(b)["error"]
    s, h, b = server.http("POST", "/api/repos/create", None, {"name": "x"})
    assert s == 401
    s, h, b = server.http("POST", "/api/repos/create", "alice", {"name": "x", "type": "zoo"})
    assert s == 400 and "must be one of" in json.loads(b)["error"]


def test_private_is_hidden(server):
    for kind, t in (("models", "model"), ("datasets", "dataset"), ("spaces", "space")):
        server.http("POST", "/api/repos/create", "alice", {"name": "hidden", "type": t, "private": True})
        for path in ("/api/%s/alice/hidden", "/api/%s/alice/hidden/refs", "/api/%s/alice/hidden/tree/main", "/api/%s/alice/hidden/revision/main"):
            s, h, _ = server.http("GET", path % kind, None)
            assert (s, h["X-Error-Code"]) == (401, "RepoNotFound"), path
            s, h, _ = server.http("GET", path % kind, "bob")
            assert (s, h["X-Error-Code"]) == (404, "RepoNotFound"), path
            assert server.http("GET", path % kind, "alice")[0] == 200
        prefix = "" if t == "model" else kind + "/"
        assert server.http("HEAD", "/%salice/hidden/resolve/main/.gitattributes" % prefix, "bob")[0] == 404
        assert "alice/hidden" not in [m["id"] for m in get_json(server, "/api/" + kind, "bob")]
        assert "alice/hidden" in [m["id"] for m in get_json(server, "/api/" + kind, "alice")]


def test_settings(server):
    server.http("POST", "/api/repos/create", "alice", {"name": "set"})
    server.hf("alice", "repos", "settings", "alice/set", "--private")
    assert get_json(server, "/api/models/alice/set", "alice")["private"] is True
    server.hf("alice", "repos", "settings", "alice/set", "--public", "--gated", "auto")
    info = get_json(server, "/api/models/alice/set", "bob")
    assert info["private"] is False and info["gated"] == "auto"
    s, h, b = server.http("HEAD", "/alice/set/resolve/main/.gitattributes", "bob")
    assert (s, h["X-Error-Code"]) == (403, "GatedRepo")
    s, h, b = server.http("HEAD", "/alice/set/resolve/main/.gitattributes", None)
    assert (s, h["X-Error-Code"]) == (401, "GatedRepo")
    assert server.http("GET", "/api/models/alice/set/auth-check", "bob")[0] == 403
    assert server.http("GET", "/api/models/alice/set/auth-check/write", "bob")[0] == 403
    assert server.http("GET", "/api/models/alice/set/auth-check/write", "alice")[0] == 200
    assert server.http("PUT", "/api/models/alice/set/settings", "bob", {"private": True})[0] == 403
    assert server.http("PUT", "/api/models/alice/set/settings", "alice", {"gated": "sometimes"})[0] == 400
    server.http("PUT", "/api/models/alice/set/settings", "alice", {"gated": False})
    assert get_json(server, "/api/models/alice/set")["gated"] is False


def test_move_keeps_the_old_name_working(server):
    server.http("POST", "/api/repos/create", "alice", {"name": "old"})
    code = """
from huggingface_hub import HfApi
a = HfApi()
a.move_repo("alice/old", "alice/new")
assert a.repo_info("alice/old").id == "alice/new"
a.upload_file(path_or_fileobj=b"hello", path_in_repo="x.txt", repo_id="alice/old")
assert "x.txt" in a.list_repo_files("alice/new")
from huggingface_hub import hf_hub_download
print(open(hf_hub_download("alice/old", "x.txt")).read())
try:
    a.create_repo("alice/taken"); a.move_repo("alice/new", "alice/taken")
except Exception as e:
    print(type(e).__name__, e)
"""
    out = server.python("alice", code).stdout
    assert "hello" in out and "A model repository called alice/taken already exists" in out
    s, h, _ = server.http("GET", "/alice/old/resolve/main/x.txt")
    assert s in (307, 308) and h["Location"] == "/alice/new/resolve/main/x.txt"
    s, h, _ = server.http("DELETE", "/api/repos/delete", "alice", {"name": "old"})
    assert s == 404, "a moved name must not delete what it points to"


def test_branches_and_tags(server):
    server.http("POST", "/api/repos/create", "alice", {"name": "refs"})
    r = "alice/refs"
    server.hf("alice", "repos", "branch", "create", r, "dev")
    server.hf("alice", "repos", "tag", "create", r, "v1.0", "-m", "first")
    assert "v1.0" in server.hf("alice", "repos", "tag", "list", r).stdout
    clash = server.hf("alice", "repos", "branch", "create", r, "dev", check=False)
    assert clash.returncode != 0 and "refs/heads/dev already exists" in clash.stdout + clash.stderr
    server.hf("alice", "repos", "branch", "create", r, "dev", "--exist-ok")
    commit(server, "alice", r, ("header", {"summary": "on dev"}), ("file", {"path": "d.txt", "content": "ZGV2", "encoding": "base64"}), rev="dev")
    assert "d.txt" not in [e["path"] for e in get_json(server, "/api/models/%s/tree/v1.0" % r)]
    assert "d.txt" in [e["path"] for e in get_json(server, "/api/models/%s/tree/dev" % r)]
    server.hf("alice", "repos", "branch", "create", r, "feature/x", "--revision", "dev")
    assert "d.txt" in [e["path"] for e in get_json(server, "/api/models/%s/tree/feature%%2Fx" % r)]
    cases = [("POST", "branch/refs%2Fpr%2F5", {}, 400, "Invalid reference for a branch"), ("POST", "branch/a%20b", {}, 400, "Invalid reference for a branch"),
             ("POST", "branch/n", {"startingPoint": "nope"}, 404, "Invalid rev id"), ("DELETE", "branch/main", None, 403, "Cannot delete refs/heads/main"),
             ("DELETE", "branch/nope", None, 404, "Invalid rev id"), ("DELETE", "branch/v1.0", None, 404, "Invalid rev id"),
             ("POST", "tag/main", {"tag": "v1.0"}, 409, "already exists"), ("POST", "tag/nope", {"tag": "v2"}, 404, "Invalid rev id"),
             ("DELETE", "tag/nope", None, 404, "Invalid rev id")]
    for method, path, body, want, text in cases:
        s, h, b = server.http(method, "/api/models/%s/%s" % (r, path), "alice", body)
        assert s == want and text in json.loads(b)["error"], (method, path, s, b)
        if want == 404:
            assert h["X-Error-Code"] == "RevisionNotFound"
    assert server.http("POST", "/api/models/%s/branch/mine" % r, "bob", {})[0] == 403
    assert server.http("POST", "/api/models/%s/branch/dev" % r, "alice", {"overwrite": True})[0] == 200
    server.hf("alice", "repos", "branch", "delete", r, "dev")
    server.hf("alice", "repos", "tag", "delete", r, "v1.0", "--yes")
    assert [b["name"] for b in get_json(server, "/api/models/%s/refs" % r)["branches"]] == ["feature/x", "main"]


def test_super_squash_and_history(server):
    server.http("POST", "/api/repos/create", "alice", {"name": "hist"})
    for i in range(3):
        commit(server, "alice", "alice/hist", ("header", {"summary": "commit %d" % i, "description": "why <%d>" % i}),
               ("file", {"path": "f%d" % i, "content": "eA==", "encoding": "base64"}))
    code = """
from huggingface_hub import HfApi
a = HfApi()
c = a.list_repo_commits("alice/hist", formatted=True)
print([x.title for x in c], c[0].message, c[0].formatted_message, c[0].authors, len(c[0].commit_id), c[0].created_at.tzinfo)
a.super_squash_history("alice/hist", commit_message="one")
c = a.list_repo_commits("alice/hist")
print("squashed", [x.title for x in c], sorted(a.list_repo_files("alice/hist")))
"""
    out = server.python("alice", code).stdout
    assert "['commit 2', 'commit 1', 'commit 0'" in out and "why <2> why &lt;2&gt; ['alice'] 40" in out
    assert "squashed ['one'] ['.gitattributes', 'f0', 'f1', 'f2']" in out


def test_history_pages(server):
    server.http("POST", "/api/repos/create", "alice", {"name": "pages"})
    for i in range(5):
        commit(server, "alice", "alice/pages", ("header", {"summary": "c%d" % i}), ("file", {"path": "f%d" % i, "content": "", "encoding": "base64"}))
    s, h, b = server.http("GET", "/api/models/alice/pages/commits/main?limit=2")
    assert h["X-Total-Count"] == "6" and [c["title"] for c in json.loads(b)] == ["c4", "c3"]
    link = h["Link"]
    assert link.startswith("<" + server.url) and link.endswith('>; rel="next"')
    s, h, b = server.http("GET", link[1:link.index(">")])
    assert [c["title"] for c in json.loads(b)] == ["c2", "c1"]
    assert [c["title"] for c in get_json(server, "/api/models/alice/pages/commits/main?limit=2&p=2")][0] == "c0"


def test_names_without_namespace_do_not_exist(server):
    for path in ("/api/models/gpt2", "/api/models/gpt2/revision/main", "/api/datasets/squad/tree/main", "/gpt2/resolve/main/config.json"):
        s, h, _ = server.http("GET", path, "alice")
        assert (s, h["X-Error-Code"]) == (404, "RepoNotFound"), path
    server.http("POST", "/api/repos/create", "alice", {"name": "there"})
    s, h, b = server.http("GET", "/api/models/alice/there/no-such-route", "alice")
    assert s == 404 and h["X-Error-Code"] is None and "does not offer" in json.loads(b)["error"]
    assert server.http("GET", "/api/models/alice/nowhere/no-such-route", "alice")[1]["X-Error-Code"] == "RepoNotFound"
