# SPDX-License-Identifier: Apache-2.0
"""Git LFS over HTTP: stock git-lfs both ways, and the batch API's rules by hand."""
import hashlib
import json
import time

import pytest

from git_helpers import Git, judge, settle
from hub_helpers import get_json, random_bytes

TYPE = "application/vnd.git-lfs+json"


@pytest.fixture(scope="module")
def git(server, tmp_path_factory):
    return Git(server, tmp_path_factory.mktemp("lfs-alice"))


@pytest.fixture
def repo(server, request):
    name = "alice/" + request.node.name.replace("[", "-").replace("]", "").replace("_", "-")[:80]
    server.cli("repo", "create", name)
    settle(server)
    return name


def batch(server, repo, op, *objects, user="alice", **more):
    body = dict({"operation": op, "transfers": ["basic"], "objects": [{"oid": o, "size": s} for o, s in objects], "hash_algo": "sha256"}, **more)
    s, h, b = server.http("POST", "/%s.git/info/lfs/objects/batch" % repo, user, json.dumps(body).encode(), {"Content-Type": TYPE, "Accept": TYPE})
    assert h["Content-Type"].startswith(TYPE), (s, h, b)
    return s, json.loads(b), h


def put(server, repo, data, user="alice"):
    oid = hashlib.sha256(data).hexdigest()
    s, b, _ = batch(server, repo, "upload", (oid, len(data)), user=user)
    assert s == 200, b
    up = b["objects"][0]["actions"]["upload"]
    assert server.http("PUT", up["href"], None, data)[0] == 200
    return oid, b["objects"][0]


def test_push_and_pull_by_stock_git_lfs(server, git, repo):
    at = git.clone(repo)
    files = {"model.safetensors": random_bytes(6_000_000, 5), "small.bin": b"x" * 10, "empty.bin": b"", "odd/na me.gguf": random_bytes(300_000, 6)}
    for name, data in files.items():
        (at / name).parent.mkdir(exist_ok=True)
        (at / name).write_bytes(data)
    git.commit(at)
    p = git.run("push", cwd=at)
    assert "locking" not in p.stderr.lower(), "git-lfs must not nag about locks"
    settle(server)
    other = git.clone(repo, "pulled")
    for name, data in files.items():
        assert (other / name).read_bytes() == data
        s, _, body = server.http("GET", "/%s/resolve/main/%s" % (repo, name.replace(" ", "%20")), "alice")
        assert s == 200 and body == data
    entry = {e["path"]: e for e in get_json(server, "/api/models/%s/tree/main" % repo, "alice")}["model.safetensors"]
    assert entry["lfs"]["oid"] == hashlib.sha256(files["model.safetensors"]).hexdigest() and entry["size"] == 6_000_000
    p = git.run("lfs", "push", "--all", "origin", cwd=at)  # everything is there: nothing is sent again
    git.run("lfs", "fsck", cwd=other)


def test_batch_by_hand(server, repo):
    data = random_bytes(700_000, 7)
    oid, obj = put(server, repo, data)
    v = obj["actions"]["verify"]
    assert server.http("POST", v["href"], None, {"oid": oid, "size": len(data)}, {"Content-Type": TYPE})[0] == 200
    assert server.http("POST", v["href"], None, {"oid": oid, "size": 1}, {"Content-Type": TYPE})[0] == 422
    s, b, _ = batch(server, repo, "upload", (oid, len(data)))
    assert "actions" not in b["objects"][0] and "error" not in b["objects"][0]  # present
    judge(server, oid, 1)
    s, b, _ = batch(server, repo, "download", (oid, len(data)), ("0" * 64, 5))
    assert b["objects"][1]["error"]["code"] == 404
    href = b["objects"][0]["actions"]["download"]["href"]
    assert b["transfer"] == "basic" and isinstance(b["objects"][0]["size"], int)
    s, h, body = server.http("GET", href)
    assert (s, body) == (200, data) and h["Accept-Ranges"] == "bytes"
    s, h, body = server.http("GET", href, headers={"Range": "bytes=1000-1999"})
    assert s == 206 and body == data[1000:2000] and h["Content-Range"] == "bytes 1000-1999/700000"
    s, h, body = server.http("GET", href, headers={"Range": "bytes=699990-"})
    assert s == 206 and body == data[-10:]
    assert server.http("GET", href, headers={"Range": "bytes=700000-"})[0] == 416
    s, h, body = server.http("HEAD", href)
    assert s == 200 and h["Content-Length"] == "700000"


def test_javascript_spelling_of_the_hash(server, repo):
    s, b, _ = batch(server, repo, "upload", ("a" * 64, 5), hash_algo="sha_256", transfers=["basic", "multipart"])
    assert s == 200 and b["transfer"] == "basic" and "upload" in b["objects"][0]["actions"]
    assert batch(server, repo, "upload", ("a" * 64, 5), hash_algo="sha512")[0] == 409


def test_xet_is_chosen_where_it_is_offered(server, repo):
    """huggingface_hub 0.36 to 1.19 and npm's library offer it in the batch and then send only the chunks that are new."""
    s, b, _ = batch(server, repo, "upload", ("a" * 64, 5), ("b" * 64, -1), transfers=["basic", "multipart", "xet"])
    up = b["objects"][0]["actions"]["upload"]
    assert s == 200 and b["transfer"] == "xet" and up["href"] == "%s/api/models/%s/xet-write-token/main" % (server.url, repo)
    assert up["header"]["X-Xet-Cas-Url"].startswith(server.url + "/cas/") and int(up["header"]["X-Xet-Token-Expiration"]) > time.time() + 900
    assert b["objects"][1]["error"]["code"] == 422
    auth = {"Authorization": "Bearer " + up["header"]["X-Xet-Access-Token"]}
    assert server.http("POST", up["header"]["X-Xet-Cas-Url"] + "/v1/xorbs/default/" + "0" * 64, body=b"x", headers=auth)[0] == 400, "it may write"
    assert batch(server, repo, "upload", ("a" * 64, 5), transfers=["xet"], user="bob")[0] == 403
    s, b, _ = batch(server, repo, "download", ("a" * 64, 5), transfers=["basic", "xet"])
    assert b["transfer"] == "basic", "downloads stay basic"


def test_refusals(server, repo):
    assert batch(server, repo, "upload", *[("%064x" % i, 1) for i in range(1001)])[0] == 413
    s, b, _ = batch(server, repo, "upload", ("A" * 64, 5), ("zz", 5), ("b" * 64, -1))
    assert s == 200 and [o["error"]["code"] for o in b["objects"]] == [422, 422, 422]
    assert batch(server, repo, "destroy")[0] == 422
    s, h, b = server.http("POST", "/%s.git/info/lfs/objects/batch" % repo, "alice", b"{", {"Content-Type": TYPE})
    assert s == 400 and json.loads(b)["message"]
    s, b, h = batch(server, repo, "upload", ("a" * 64, 5), user=None)
    assert s == 401 and h["LFS-Authenticate"].startswith("Basic") and b["message"]
    assert batch(server, repo, "upload", ("a" * 64, 5), user="bob")[0] == 403
    s, h, b = server.http("POST", "/%s.git/info/lfs/locks/verify" % repo, "alice", {}, {"Content-Type": TYPE})
    assert s == 501 and json.loads(b)["message"]


def test_upload_is_verified(server, repo):
    data = random_bytes(100_000, 8)
    oid = hashlib.sha256(data).hexdigest()
    _, b, _ = batch(server, repo, "upload", (oid, len(data)))
    href = b["objects"][0]["actions"]["upload"]["href"]
    assert server.http("PUT", href, None, data[:-1] + b"\0")[0] == 422
    assert server.http("PUT", href, None, data[:-1])[0] == 422
    assert server.http("PUT", href.replace(oid, "c" * 64), None, data)[0] == 403
    assert server.http("PUT", href.replace("size=100000", "size=100001"), None, data + b"x")[0] == 403
    assert server.http("GET", href)[0] == 403 and server.http("POST", href, None, {})[0] == 403, "an address is for one verb"
    assert "actions" in batch(server, repo, "upload", (oid, len(data)))[1]["objects"][0], "nothing of it was kept"
    assert server.http("PUT", href, None, data)[0] == 200


def test_address_ends_with_the_right_it_was_given_for(server, repo):
    """Six hours are long: a repository made private, or an account disabled, closes addresses that were handed out before."""
    data = random_bytes(60_000, 10)
    oid, obj = put(server, repo, data)
    server.user("lena")
    judge(server, oid, 1)
    get = batch(server, repo, "download", (oid, len(data)), user="lena")[1]["objects"][0]["actions"]["download"]["href"]
    mine = batch(server, repo, "download", (oid, len(data)))[1]["objects"][0]["actions"]["download"]["href"]
    server.cli("repo", "create", "lena/own")
    up = batch(server, "lena/own", "upload", (oid, len(data)), user="lena")[1]["objects"][0]["actions"]["upload"]["href"]
    assert server.http("GET", get)[0] == 200
    server.http("PUT", "/api/models/%s/settings" % repo, "alice", {"private": True})
    assert server.http("GET", get)[0] in (401, 404) and server.http("GET", mine)[0] == 200
    server.http("PUT", "/api/models/%s/settings" % repo, "alice", {"private": False})
    server.cli("user", "disable", "lena")
    assert server.http("GET", get)[0] == 403 and server.http("PUT", up, None, data)[0] == 403


def test_knowing_a_hash_grants_nothing(server, repo):
    """Another repository's object is neither downloadable nor 'present' here."""
    data = random_bytes(50_000, 9)
    oid, _ = put(server, repo, data)
    server.cli("repo", "create", "bob/thief")
    s, b, _ = batch(server, "bob/thief", "upload", (oid, len(data)), user="bob")
    assert "upload" in b["objects"][0]["actions"], "must prove possession by uploading"
    s, b, _ = batch(server, "bob/thief", "download", (oid, len(data)), user="bob")
    assert b["objects"][0]["error"]["code"] == 404


def test_blocked_object_says_why(server, git, repo, tmp_path):
    at = git.clone(repo)
    data = b"blocked bytes " * 1000
    (at / "bad.bin").write_bytes(data)
    (at / "fine.bin").write_bytes(b"fine " * 1000)
    git.commit(at)
    git.run("push", cwd=at)
    settle(server)
    oid = hashlib.sha256(data).hexdigest()
    _, b, _ = batch(server, repo, "download", (oid, len(data)))
    href = b["objects"][0]["actions"]["download"]["href"]
    judge(server, oid, 4)
    _, b, _ = batch(server, repo, "download", (oid, len(data)))
    assert b["objects"][0]["error"]["code"] == 403 and "calls os.system" in b["objects"][0]["error"]["message"]
    assert server.http("GET", href)[0] == 403, "an address handed out before the verdict"
    p = git.run("clone", git.url(repo), tmp_path / "c", check=False)  # git itself may pass: a pointer is harmless
    assert p.returncode != 0 and "calls os.system" in p.stderr, p.stderr
