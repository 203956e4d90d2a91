# SPDX-License-Identifier: Apache-2.0
"""The stock command and library against a hub: upload, download, listing, for models and datasets, public and private."""
import json
import shutil

import pytest

from hub_helpers import blob_id, get_json, make_folder, random_bytes, settled, tree_of


@pytest.fixture(scope="module", params=["model-public", "dataset-private"])
def uploaded(request, server, tmp_path_factory):
    """One folder uploaded by `hf upload`; (flags, id, local folder, api prefix, page prefix)."""
    kind, vis = request.param.split("-")
    folder = make_folder(tmp_path_factory.mktemp("src") / "f")
    repo = "alice/%s-%s" % (kind, vis)
    flags = ["--repo-type", kind] + (["--private"] if vis == "private" else [])
    out = server.hf("alice", "upload", repo, str(folder), ".", *flags)
    # hf prints a link to the commit or the tree of the repository
    assert repo in out.stdout + out.stderr
    if kind == "model":
        settled(server, repo)
    return kind, repo, folder, "/api/%ss/%s" % (kind, repo), ("" if kind == "model" else "/datasets") + "/" + repo


def test_upload_then_download_is_byte_equal(server, uploaded, tmp_path):
    kind, repo, folder, _, _ = uploaded
    server.hf("alice", "download", repo, "--repo-type", kind, "--local-dir", str(tmp_path / "d"))
    assert tree_of(tmp_path / "d") == tree_of(folder)
    server.hf("alice", "download", repo, "data.bin", "--repo-type", kind, "--local-dir", str(tmp_path / "one"), xet=False)
    assert (tmp_path / "one" / "data.bin").read_bytes() == (folder / "data.bin").read_bytes()


def test_nothing_changed_makes_no_commit(server, uploaded):
    kind, repo, folder, api, _ = uploaded
    before = get_json(server, api, "alice")["sha"]
    out = server.hf("alice", "upload", repo, str(folder), ".", "--repo-type", kind)
    assert get_json(server, api, "alice")["sha"] == before
    assert "No files have been modified" in out.stdout + out.stderr


def test_entries_carry_git_and_large_file_identity(server, uploaded):
    kind, repo, folder, api, _ = uploaded
    e = {x["path"]: x for x in get_json(server, api + "/tree/main?recursive=true&expand=true", "alice")}
    data = (folder / "data.bin").read_bytes()
    import hashlib
    assert e["data.bin"]["lfs"]["oid"] == hashlib.sha256(data).hexdigest() and e["data.bin"]["size"] == len(data) == e["data.bin"]["lfs"]["size"]
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n" % (e["data.bin"]["lfs"]["oid"], len(data))
    assert e["data.bin"]["oid"] == blob_id(pointer.encode()) and e["data.bin"]["lfs"]["pointerSize"] == len(pointer)
    assert e["config.json"]["oid"] == blob_id((folder / "config.json").read_bytes())
    assert e["sub"]["type"] == "directory" and e["sub"]["size"] == 0 and "lfs" not in e["config.json"]
    assert e["empty.txt"]["size"] == 0
    last = e["sub/notes.txt"]["lastCommit"]
    assert len(last["id"]) == 40 and last["date"].endswith("Z") and last["title"]
    assert e["data.bin"]["securityFileStatus"]["status"] in ("safe", "queued", "suspicious")


def test_headers_of_resolve(server, uploaded):
    kind, repo, folder, api, page = uploaded
    sha = get_json(server, api, "alice")["sha"]
    server.http("GET", page + "/resolve/main/data.bin", "alice", headers={"Range": "bytes=0-0"})
    for method in ("HEAD", "GET"):
        s, h, b = server.http(method, page + "/resolve/main/config.json", "alice")
        body = (folder / "config.json").read_bytes()
        assert s == 200 and h["X-Repo-Commit"] == sha and h["ETag"] == '"%s"' % blob_id(body) and int(h["Content-Length"]) == len(body)
        assert h["Accept-Ranges"] == "bytes" and h["Content-Encoding"] is None and h["Transfer-Encoding"] is None and "X-Xet-Hash" not in h
        assert 'filename="config.json"' in h["Content-Disposition"] and b == (body if method == "GET" else b"")
        s, h, b = server.http(method, page + "/resolve/main/data.bin", "alice")
        data = (folder / "data.bin").read_bytes()
        e = [x for x in get_json(server, api + "/tree/main", "alice") if x["path"] == "data.bin"][0]
        assert s == 200 and h["ETag"] == h["X-Linked-ETag"] == '"%s"' % e["lfs"]["oid"] and h["X-Linked-Size"] == str(len(data)) == h["Content-Length"]
        assert h["X-Xet-Hash"] == e["xetHash"] and len(e["xetHash"]) == 64
        assert "<%s%s/xet-read-token/%s>; rel=\"xet-auth\"" % (server.url, api, sha) in h["Link"]
        assert "/v1/reconstructions/%s>; rel=\"xet-reconstruction-info\"" % e["xetHash"] in h["Link"]
        assert b == (data if method == "GET" else b"")
    s, h, b = server.http("HEAD", page + "/resolve/main/empty.txt", "alice")
    assert s == 200 and h["Content-Length"] == "0"
    s, h, b = server.http("GET", page + "/resolve/main/config.json", "alice", headers={"If-None-Match": '"%s"' % blob_id((folder / "config.json").read_bytes())})
    assert s == 304


def test_range_of_an_empty_file_tells_its_size(server, uploaded):
    """@huggingface/hub asks bytes=0-0 for the size of everything and gave up at 416 for an empty file."""
    kind, repo, folder, api, page = uploaded
    s, h, b = server.http("GET", page + "/resolve/main/empty.txt", "alice", headers={"Range": "bytes=0-0"})
    assert (s, h["Content-Range"], h["Content-Length"], b) == (200, "bytes */0", "0", b"")
    for rng in ("bytes=1-", "bytes=-5"):
        s, h, b = server.http("GET", page + "/resolve/main/empty.txt", "alice", headers={"Range": rng})
        assert s == 416 and h["Content-Range"] == "bytes */0", rng


@pytest.mark.parametrize("name", ["data.bin", "config.json"])
def test_ranges(server, uploaded, name):
    kind, repo, folder, api, page = uploaded
    data = (folder / name).read_bytes()
    n = len(data)
    for rng, want in [("bytes=0-0", (0, 1)), ("bytes=1-99", (1, 100)), ("bytes=100-", (100, n)), ("bytes=-7", (n - 7, n)), ("bytes=0-", (0, n)),
                      ("bytes=%d-%d" % (n - 1, n + 50), (n - 1, n)), ("bytes=%d-%d" % (n // 2, n // 2 + 70000), (n // 2, min(n, n // 2 + 70001)))]:
        if want[0] >= n:
            continue
        s, h, b = server.http("GET", page + "/resolve/main/" + name, "alice", headers={"Range": rng})
        assert s == 206 and b == data[want[0]:want[1]] and h["Content-Range"] == "bytes %d-%d/%d" % (want[0], min(want[1], n) - 1, n), rng
    s, h, b = server.http("GET", page + "/resolve/main/" + name, "alice", headers={"Range": "bytes=%d-" % n})
    assert s == 416 and h["Content-Range"] == "bytes */%d" % n
    s, h, b = server.http("GET", page + "/resolve/main/" + name, "alice", headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert s == 200 and len(b) == n


def test_raw_gives_the_pointer(server, uploaded):
    kind, repo, folder, api, page = uploaded
    s, h, b = server.http("GET", page + "/raw/main/data.bin", "alice")
    assert s == 200 and b.startswith(b"version https://git-lfs.github.com/spec/v1\noid sha256:") and "X-Xet-Hash" not in h
    assert server.http("GET", page + "/raw/main/config.json", "alice")[2] == (folder / "config.json").read_bytes()


def test_javascript_file_info(server, uploaded):
    kind, repo, folder, api, page = uploaded
    s, h, b = server.http("GET", page + "/resolve/main/data.bin", "alice", headers={"Accept": "application/vnd.xet-fileinfo+json, */*", "Range": "bytes=0-0"})
    assert s == 200 and h["Content-Type"].startswith("application/vnd.xet-fileinfo+json")
    assert h["X-Linked-Size"] == "5000000" and json.loads(b)["hash"] == h["X-Xet-Hash"] and 'rel="xet-auth"' in h["Link"] and 'rel="xet-reconstruction-info"' in h["Link"]
    s, h, b = server.http("GET", page + "/resolve/main/config.json", "alice", headers={"Accept": "application/vnd.xet-fileinfo+json, */*", "Range": "bytes=0-0"})
    assert s == 206 and h["Content-Range"].startswith("bytes 0-0/")


def test_tokens_come_as_headers_and_json(server, uploaded):
    kind, repo, folder, api, page = uploaded
    for which, rev in (("read", "main"), ("write", "main"), ("read", "None")):
        s, h, b = server.http("GET", "%s/xet-%s-token/%s" % (api, which, rev), "alice")
        j = json.loads(b)
        assert s == 200 and (h["X-Xet-Access-Token"], h["X-Xet-Cas-Url"], int(h["X-Xet-Token-Expiration"])) == (j["accessToken"], j["casUrl"], j["exp"])
        assert j["casUrl"].startswith(server.url) and not j["casUrl"].endswith("/")
    s, h, b = server.http("GET", api + "/xet-write-token/main", "bob")
    assert s in (403, 404)
    assert server.http("GET", api + "/xet-read-token/nope", "alice")[1]["X-Error-Code"] == "RevisionNotFound"


def test_what_is_missing_says_so(server, uploaded):
    kind, repo, folder, api, page = uploaded
    sha = get_json(server, api, "alice")["sha"]
    for method in ("HEAD", "GET"):
        s, h, _ = server.http(method, page + "/resolve/main/nope.txt", "alice")
        assert (s, h["X-Error-Code"], h["X-Repo-Commit"]) == (404, "EntryNotFound", sha) and h["X-Error-Message"]
        s, h, _ = server.http(method, page + "/resolve/nope/config.json", "alice")
        assert (s, h["X-Error-Code"]) == (404, "RevisionNotFound")
    assert server.http("GET", page + "/resolve/main/sub", "alice")[1]["X-Error-Code"] == "EntryNotFound"
    for path, code in (("/tree/main/nope", "EntryNotFound"), ("/tree/nope", "RevisionNotFound"), ("/revision/nope", "RevisionNotFound"),
                       ("/commits/nope", "RevisionNotFound")):
        s, h, _ = server.http("GET", api + path, "alice")
        assert (s, h["X-Error-Code"]) == (404, code), path


def test_library(server, uploaded):
    kind, repo, folder, api, page = uploaded
    code = """
import json
from huggingface_hub import HfApi, HfFileSystem, hf_hub_download, snapshot_download
from huggingface_hub.errors import EntryNotFoundError, RevisionNotFoundError, RepositoryNotFoundError
kind, repo = %r, %r
a = HfApi()
info = a.repo_info(repo, repo_type=kind, files_metadata=True)
s = {x.rfilename: x for x in info.siblings}
assert s["data.bin"].lfs.sha256 and s["data.bin"].size == 5_000_000 and s["config.json"].blob_id, s
assert info.last_modified.year >= 2026 and info.created_at.tzinfo and info.card_data.license == "apache-2.0", info
assert ("license:apache-2.0" in info.tags) and (("en" if kind == "model" else "language:en") in info.tags), info.tags
assert a.file_exists(repo, "config.json", repo_type=kind) and not a.file_exists(repo, "nope", repo_type=kind)
assert a.revision_exists(repo, "main", repo_type=kind) and not a.revision_exists(repo, "nope", repo_type=kind)
assert a.repo_exists(repo, repo_type=kind) and not a.repo_exists("alice/nothing", repo_type=kind)
assert "sub/notes.txt" in a.list_repo_files(repo, repo_type=kind)
t = list(a.list_repo_tree(repo, repo_type=kind, recursive=True, expand=True))
assert any(e.path == "data.bin" and e.last_commit and e.security is not None for e in t), t
p = a.get_paths_info(repo, ["sub", "data.bin", "gone"], repo_type=kind, expand=True)
assert sorted(e.path for e in p) == ["data.bin", "sub"], p
assert a.list_repo_refs(repo, repo_type=kind).branches[0].name == "main"
assert len(a.list_repo_commits(repo, repo_type=kind)) >= 2
for f, exc in ((lambda: hf_hub_download(repo, "nope", repo_type=kind), EntryNotFoundError), (lambda: hf_hub_download(repo, "config.json", repo_type=kind, revision="nope"), RevisionNotFoundError),
               (lambda: a.repo_info("alice/nothing", repo_type=kind), RepositoryNotFoundError), (lambda: list(a.list_repo_tree(repo, "nope", repo_type=kind)), EntryNotFoundError)):
    try:
        f()
        raise SystemExit("no exception for " + exc.__name__)
    except exc as e:
        print(exc.__name__, str(e)[:80].replace("\\n", " "))
a.auth_check(repo, repo_type=kind)
info = a.repo_info(repo, repo_type=kind, expand=["sha", "xetEnabled", "siblings"] if False else ["sha", "likes"])
assert info.sha and info.likes == 0
if kind == "model":
    st = a.model_info(repo, securityStatus=True).security_repo_status
    assert st["scansDone"] is True and isinstance(st["filesWithIssues"], list), st
fs = HfFileSystem()
root = ("datasets/" if kind == "dataset" else "") + repo
assert root + "/data.bin" in fs.glob(root + "/*.bin") and fs.isdir(root + "/sub") and fs.info(root + "/data.bin")["size"] == 5_000_000
with fs.open(root + "/data.bin", "rb") as f:
    f.seek(1000)
    x = f.read(100)
assert x == open(%r, "rb").read()[1000:1100]
d = snapshot_download(repo, repo_type=kind)
print("ALL OK", len(d) > 0)
""" % (kind, repo, str(folder / "data.bin"))
    out = server.python("alice", code).stdout
    assert "ALL OK" in out
    for name in ("EntryNotFoundError", "RevisionNotFoundError", "RepositoryNotFoundError"):
        assert name in out


def test_one_file_change_and_delete_files(server, uploaded, tmp_path):
    kind, repo, folder, api, page = uploaded
    data = (folder / "data.bin").read_bytes()
    changed = data[:2_000_000] + b"0123456789" + data[2_000_000:]
    (tmp_path / "data.bin").write_bytes(changed)
    server.hf("alice", "upload", repo, str(tmp_path / "data.bin"), "data2.bin", "--repo-type", kind)
    (tmp_path / "note.txt").write_text("one small file")
    server.hf("alice", "upload", repo, str(tmp_path / "note.txt"), "sub/note.txt", "--repo-type", kind, "--commit-message", "a note", "--commit-description", "why")
    top = get_json(server, api + "/commits/main", "alice")[0]
    assert (top["title"], top["message"]) == ("a note", "why")
    server.hf("alice", "download", repo, "data2.bin", "sub/note.txt", "--repo-type", kind, "--local-dir", str(tmp_path / "d"))
    assert (tmp_path / "d" / "data2.bin").read_bytes() == changed and (tmp_path / "d" / "sub" / "note.txt").read_text() == "one small file"
    server.hf("alice", "repos", "delete-files", repo, "sub/note.txt", "data2.*", "--repo-type", kind)
    paths = [e["path"] for e in get_json(server, api + "/tree/main?recursive=true", "alice")]
    assert "sub/note.txt" not in paths and "data2.bin" not in paths and "sub/notes.txt" in paths


def test_upload_without_xet(server, uploaded, tmp_path):
    kind, repo, folder, api, page = uploaded
    (tmp_path / "lfs.bin").write_bytes(random_bytes(1_500_000, 77))
    server.hf("alice", "upload", repo, str(tmp_path / "lfs.bin"), "lfs.bin", "--repo-type", kind, xet=False)
    server.hf("alice", "download", repo, "lfs.bin", "--repo-type", kind, "--local-dir", str(tmp_path / "d"))
    assert (tmp_path / "d" / "lfs.bin").read_bytes() == (tmp_path / "lfs.bin").read_bytes()


def test_more_than_twenty_files(server, tmp_path):
    src = tmp_path / "many"
    src.mkdir()
    for i in range(60):
        (src / ("f%02d.txt" % i)).write_text("file %d\n" % i)
    for i in range(3):
        (src / ("b%d.bin" % i)).write_bytes(random_bytes(100_000, i))
    server.hf("alice", "upload", "alice/many", str(src), ".")
    assert len([e for e in get_json(server, "/api/models/alice/many/tree/main") if e["type"] == "file"]) == 64
    settled(server, "alice/many")
    server.hf("bob", "download", "alice/many", "--local-dir", str(tmp_path / "d"))
    assert tree_of(tmp_path / "d") == tree_of(src)


def test_upload_to_a_branch(server, tmp_path):
    (tmp_path / "x.txt").write_text("x")
    server.hf("alice", "repos", "create", "alice/branchy")
    server.hf("alice", "repos", "branch", "create", "alice/branchy", "dev")
    server.hf("alice", "upload", "alice/branchy", str(tmp_path / "x.txt"), "x.txt", "--revision", "dev")
    assert server.http("HEAD", "/alice/branchy/resolve/main/x.txt")[0] == 404
    assert server.http("HEAD", "/alice/branchy/resolve/dev/x.txt")[0] == 200


def test_bad_card_stops_the_upload_with_our_text(server, tmp_path):
    src = tmp_path / "bad"
    src.mkdir()
    (src / "README.md").write_text("---\nlicense: my-own-licence\n---\n")
    p = server.hf("alice", "upload", "alice/badcard", str(src), ".", check=False)
    assert p.returncode != 0 and '"license" must be one of' in p.stdout + p.stderr


def test_strangers_cannot_write_or_see(server, uploaded, tmp_path):
    kind, repo, folder, api, page = uploaded
    (tmp_path / "x.txt").write_text("x")
    p = server.hf("bob", "upload", repo, str(tmp_path / "x.txt"), "x.txt", "--repo-type", kind, check=False)
    assert p.returncode != 0
    p = server.hf("bob", "download", repo, "config.json", "--repo-type", kind, "--local-dir", str(tmp_path / "b"), check=False)
    assert (p.returncode == 0) == ("public" in repo), p.stderr
    if "private" in repo:
        assert "not found" in (p.stdout + p.stderr).lower()


def test_downloads_are_counted_once_per_client(server, tmp_path):
    src = make_folder(tmp_path / "c", 9)
    server.hf("alice", "upload", "alice/counted", str(src), ".")
    settled(server, "alice/counted")
    before = get_json(server, "/api/models/alice/counted")["downloads"]
    server.hf("bob", "download", "alice/counted", "--local-dir", str(tmp_path / "d"))
    shutil.rmtree(tmp_path / "d")
    server.hf("bob", "download", "alice/counted", "--local-dir", str(tmp_path / "d"))
    import time
    for _ in range(50):
        after = get_json(server, "/api/models/alice/counted")["downloads"]
        if after != before:
            break
        time.sleep(0.1)
    assert after == before + 1
