# SPDX-License-Identifier: Apache-2.0
"""Edges of the hub's wire: odd names, cut connections, ranges, conditional requests, names that replace each other, racing commits."""
import hashlib
import json
import os
import pathlib
import socket
import subprocess
import threading
import time
import urllib.parse

import pytest

from hub_helpers import blob_id, commit, get_json, random_bytes, settled

ODD = ["with space.txt", "\u00e9t\u00e9/\u6a21\u578b.txt", "100%25 sure.txt", "a#b?c&d=e+f.txt", 'quote"and;semi,comma.txt', "per%cent.txt", "emoji \U0001f600.txt", "dots...", "-dash", "~tilde", "[x]{y}(z)'"]


def text(path, content):
    return ("file", {"path": path, "content": content, "encoding": "utf-8"})


def create(server, name, *ops, user="alice"):
    assert server.http("POST", "/api/repos/create", user, {"name": name})[0] == 200
    if ops:
        s, _, r = commit(server, user, user + "/" + name, ("header", {"summary": "start"}), *ops)
        assert s == 200, r
    return user + "/" + name


def names(server, repo, rev="main"):
    return [e["path"] for e in get_json(server, "/api/models/%s/tree/%s?recursive=true" % (repo, rev), "alice") if e["type"] == "file"]


def test_odd_names_come_back_everywhere(server, tmp_path):
    repo = create(server, "odd", *[text(n, "content of " + n) for n in ODD])
    assert set(names(server, repo)) == set(ODD) | {".gitattributes"}
    for n in ODD:
        want = ("content of " + n).encode()
        for method in ("HEAD", "GET"):
            s, h, b = server.http(method, "/%s/resolve/main/%s" % (repo, urllib.parse.quote(n)), "alice")
            assert s == 200 and h["ETag"] == '"%s"' % blob_id(want) and b == (want if method == "GET" else b""), n
            d = h["Content-Disposition"]
            assert d.startswith("inline; ") and d.encode("latin-1") and d.count('"') - d.count('\\"') == 2, d
            assert urllib.parse.unquote(d.split("filename*=UTF-8''")[1].split(";")[0]) == n.rsplit("/", 1)[-1], d
        assert server.http("GET", "/%s/resolve/main/%s?download=true" % (repo, urllib.parse.quote(n)), "alice")[1]["Content-Disposition"].startswith("attachment; ")
        s, _, b = server.http("POST", "/api/models/%s/paths-info/main" % repo, "alice", {"paths": [n]})
        assert [e["path"] for e in json.loads(b)] == [n]
        d = n.rsplit("/", 1)[0] if "/" in n else ""
        if d:
            assert [e["path"] for e in get_json(server, "/api/models/%s/tree/main/%s" % (repo, urllib.parse.quote(d, safe="")))] == [n]
    settled(server, repo)
    server.hf("bob", "download", repo, "--local-dir", str(tmp_path / "d"))
    for n in ODD:
        assert (tmp_path / "d" / n).read_text() == "content of " + n
    # the same names through the client's own upload
    server.hf("alice", "upload", "alice/odd2", str(tmp_path / "d"), ".", "--exclude", ".cache/*")
    assert set(names(server, "alice/odd2")) == set(ODD) | {".gitattributes"}


def test_conditional_and_encoded_requests(server):
    repo = create(server, "cond", text("a.txt", "hello hello hello " * 200))
    body = ("hello hello hello " * 200).encode()
    tag = '"%s"' % blob_id(body)
    at = "/%s/resolve/main/a.txt" % repo
    for coding in ("identity", "gzip, deflate, br", "*"):
        for method in ("HEAD", "GET"):
            s, h, b = server.http(method, at, headers={"Accept-Encoding": coding})
            assert (s, h["Content-Encoding"], h["Content-Length"]) == (200, None, str(len(body))) and h["ETag"] == tag, "bytes of files are never coded"
    for value, want in ((tag, 304), ("W/" + tag, 304), ("*", 304), ('"x", ' + tag, 304), ('"x"', 200), (tag[1:-1], 200)):
        for method in ("HEAD", "GET"):
            s, h, b = server.http(method, at, headers={"If-None-Match": value})
            assert s == want and h["ETag"] == tag and (s == 200 or b == b""), value
    s, h, b = server.http("GET", at, headers={"If-None-Match": tag, "Range": "bytes=0-4"})
    assert s == 304
    for value, want in ((tag, 206), ('"x"', 200), ("Sat, 01 Jan 2000 00:00:00 GMT", 200)):
        assert server.http("GET", at, headers={"Range": "bytes=0-4", "If-Range": value})[0] == want, value


def test_ranges_at_the_edges(server):
    repo = create(server, "edges", text("ten.txt", "0123456789"))
    at = "/%s/resolve/main/ten.txt" % repo
    for rng, want, part in (("bytes=-3", 206, b"789"), ("bytes=-100", 206, b"0123456789"), ("bytes=9-", 206, b"9"), ("bytes=0-99999999999999999", 206, b"0123456789"), ("bytes=10-", 416, None),
                            ("bytes=-0", 416, None), ("bytes=11-12", 416, None), ("bytes=5-2", 200, b"0123456789"), ("bytes=0-1,3-4", 200, b"0123456789"), ("lines=0-1", 200, b"0123456789"),
                            ("bytes=99999999999999999999-", 200, b"0123456789"), ("bytes=a-b", 200, b"0123456789"), ("bytes=", 200, b"0123456789")):
        s, h, b = server.http("GET", at, headers={"Range": rng})
        assert s == want and (part is None or b == part), (rng, s, b)
        assert (h["Content-Range"] == "bytes */10") if s == 416 else (h["Content-Length"] == str(len(part))), rng
        s, h, b = server.http("HEAD", at, headers={"Range": rng})
        assert s == want and b == b"", ("HEAD", rng, s)


def test_a_repository_without_files(server, tmp_path):
    repo = create(server, "bare")
    server.hf("bob", "download", repo, "--local-dir", str(tmp_path / "fresh"))
    s, _, r = commit(server, "alice", repo, ("header", {"summary": "nothing left"}), ("deletedFile", {"path": ".gitattributes"}))
    assert s == 200, r
    assert get_json(server, "/api/models/%s/tree/main" % repo) == [] and get_json(server, "/api/models/" + repo)["siblings"] == []
    server.hf("bob", "download", repo, "--local-dir", str(tmp_path / "empty"))
    assert not [p for p in (tmp_path / "empty").rglob("*") if p.is_file() and ".cache" not in p.parts]
    p = server.python("bob", "from huggingface_hub import HfApi; print(HfApi().list_repo_files(%r))" % repo)
    assert p.stdout.strip() == "[]"
    server.hf("alice", "upload", repo, str(pathlib.Path(__file__)), "again.py")
    assert names(server, repo) == ["again.py"]


def test_files_and_folders_replace_each_other(server):
    repo = create(server, "swap", text("x", "a file"), text("d/one", "1"), text("d/two", "2"))
    s, _, r = commit(server, "alice", repo, ("header", {"summary": "file to folder"}), ("deletedFile", {"path": "x"}), text("x/inner", "now below"))
    assert s == 200 and "x/inner" in names(server, repo) and "x" not in names(server, repo), r
    s, _, r = commit(server, "alice", repo, ("header", {"summary": "folder to file"}), ("deletedFolder", {"path": "d/"}), text("d", "now a file"))
    assert s == 200 and "d" in names(server, repo) and "d/one" not in names(server, repo), r
    for ops, why in (([text("d/below", "x")], "under a file"), ([text("x", "x")], "over a folder"), ([text("new", "1"), text("new/er", "2")], "both at once")):
        before = get_json(server, "/api/models/" + repo)["sha"]
        s, _, r = commit(server, "alice", repo, ("header", {"summary": why}), *ops)
        assert s == 422 and "file and a folder at once" in r["error"], (why, s, r)
        assert get_json(server, "/api/models/" + repo)["sha"] == before
    both = create(server, "cases", text("README.md", "upper"), text("readme.md", "lower"), text("Readme.md", "mixed"))
    assert {n for n in names(server, both) if n.lower() == "readme.md"} == {"README.md", "readme.md", "Readme.md"}
    assert [server.http("GET", "/%s/resolve/main/%s" % (both, n))[2] for n in ("README.md", "readme.md", "Readme.md")] == [b"upper", b"lower", b"mixed"]


def test_long_paths(server):
    part = "p" * 63
    longest = "/".join([part] * 16)
    assert len(longest) == 1023
    repo = create(server, "long", text(longest, "deep"), text("n" * 255, "wide"))
    assert server.http("GET", "/%s/resolve/main/%s" % (repo, longest))[2] == b"deep" and server.http("GET", "/%s/resolve/main/%s" % (repo, "n" * 255))[2] == b"wide"
    for bad in (longest + "/x", "/".join(["d"] * 66), "n" * 256):
        s, _, r = commit(server, "alice", repo, ("header", {"summary": "too long"}), text(bad, "x"))
        assert s in (400, 422) and len(r["error"]) < 2000, (s, r)


def test_racing_commits_lose_nothing(server):
    """Forty commits by eight clients to one branch at once, none with a parent: all are there, in one line of history."""
    repo = create(server, "race")
    failed = []

    def run(k):
        for i in range(5):
            s, _, r = commit(server, "alice", repo, ("header", {"summary": "%d-%d" % (k, i)}), text("f/%d-%d" % (k, i), "x"))
            if s != 200:
                failed.append((s, r))

    threads = [threading.Thread(target=run, args=(k,)) for k in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not failed, failed[:3]
    assert len([n for n in names(server, repo) if n.startswith("f/")]) == 40
    titles = [c["title"] for c in get_json(server, "/api/models/%s/commits/main?limit=100" % repo)]
    assert len(titles) == 41 and len(set(titles)) == 41


def test_racing_commits_on_one_parent_let_one_through(server):
    repo = create(server, "race-parent")
    parent = get_json(server, "/api/models/" + repo)["sha"]
    got = []
    threads = [threading.Thread(target=lambda k=k: got.append(commit(server, "alice", repo, ("header", {"summary": "%d" % k, "parentCommit": parent}), text("f%d" % k, "x"))[0])) for k in range(6)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(got) == [200] + [412] * 5


class Cutter(threading.Thread):
    """A TCP proxy that cuts the first `cuts` answers larger than `after` bytes at that point; counts what it saw."""

    def __init__(self, url, after, cuts):
        super().__init__(daemon=True)
        self.to, self.after, self.left, self.cut, self.ranges = url.split("//")[1].split(":"), after, cuts, 0, []
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.sock.getsockname()[1]

    def run(self):
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.pipe, args=(c,), daemon=True).start()

    def pipe(self, c):
        s = socket.create_connection((self.to[0], int(self.to[1])))

        def up():
            try:
                while data := c.recv(65536):
                    self.ranges += [line.decode() for line in data.split(b"\r\n") if line.lower().startswith(b"range:")]
                    s.sendall(data)
            except OSError:
                pass

        threading.Thread(target=up, daemon=True).start()
        sent = 0
        try:
            while data := s.recv(65536):
                c.sendall(data)
                sent += len(data)
                if sent > self.after and self.left > 0:
                    self.left -= 1
                    self.cut += 1
                    break
        except OSError:
            pass
        for x in (c, s):
            try:
                x.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@pytest.mark.parametrize("xet", [False, True], ids=["plain", "xet"])
def test_download_over_a_line_that_breaks(server, tmp_path, xet):
    data = random_bytes(24_000_000, 31)  # the client resumes in steps of 10 MiB
    (tmp_path / "data.bin").write_bytes(data)
    if server.http("HEAD", "/alice/breaks")[0] != 200:
        server.hf("alice", "upload", "alice/breaks", str(tmp_path / "data.bin"), "data.bin")
        settled(server, "alice/breaks")
    proxy = Cutter(server.url, 13_000_000, 2)
    proxy.start()
    server.hf("bob", "download", "alice/breaks", "--local-dir", str(tmp_path / "d"), xet=xet, HF_ENDPOINT=proxy.url, HF_HOME=str(tmp_path / "home"), HF_XET_CACHE=str(tmp_path / "x"))
    assert (tmp_path / "d" / "data.bin").read_bytes() == data
    assert proxy.cut >= 1
    if not xet:
        assert any("bytes=" in r and not r.lower().endswith("bytes=0-") for r in proxy.ranges), "it resumed where it was: %s" % proxy.ranges
    proxy.sock.close()


@pytest.mark.parametrize("xet", [False, True], ids=["plain", "xet"])
def test_upload_killed_and_sent_again(server, tmp_path, xet):
    """The client dies in the middle; nothing of it is visible; the same command again completes it."""
    src = tmp_path / "src"
    src.mkdir()
    for i in range(4):
        (src / ("w%d.bin" % i)).write_bytes(random_bytes(12_000_000, 100 + i + 10 * xet))
    repo = "alice/killed-" + ("xet" if xet else "plain")
    server.hf("alice", "repos", "create", repo)
    exe = pathlib.Path(os.sys.executable).parent / "hf"
    head = get_json(server, "/api/models/" + repo)["sha"]
    for wait in (0.9, 1.3):
        p = subprocess.Popen([str(exe), "upload", repo, str(src), "."], env=server.client_env("alice", xet), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        p.kill()
        p.wait()
    assert get_json(server, "/api/models/" + repo)["sha"] == head or len(names(server, repo)) == 5, "half a commit is visible"
    server.hf("alice", "upload", repo, str(src), ".", xet=xet)
    settled(server, repo)
    server.hf("bob", "download", repo, "--local-dir", str(tmp_path / "d"))
    for f in src.iterdir():
        assert hashlib.sha256((tmp_path / "d" / f.name).read_bytes()).digest() == hashlib.sha256(f.read_bytes()).digest()


def test_an_lfs_put_that_breaks_leaves_nothing(server):
    repo = create(server, "half-put")
    data = random_bytes(3_000_000, 55)
    oid = hashlib.sha256(data).hexdigest()
    batch = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": oid, "size": len(data)}], "hash_algo": "sha256"}

    def href():
        o = json.loads(server.http("POST", "/%s.git/info/lfs/objects/batch" % repo, "alice", batch)[2])["objects"][0]
        return o.get("actions", {}).get("upload", {}).get("href")

    url = urllib.parse.urlsplit(href())
    s = socket.create_connection((url.hostname, url.port))
    s.sendall(("PUT %s?%s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n" % (url.path, url.query, url.netloc, len(data))).encode() + data[:2_000_000])
    s.close()
    time.sleep(0.3)
    assert href(), "the object is not present"
    tmp = [p for p in (server.data / "tmp").rglob("*") if p.is_file() and p.stat().st_size > 100_000]
    assert not tmp, tmp
    assert server.http("PUT", href(), None, data)[0] == 200 and href() is None
