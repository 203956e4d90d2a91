# SPDX-License-Identifier: Apache-2.0
"""The byte store seen from outside: dedup between clients, ranges, rights on CAS routes, gc and fsck through the program."""
import hashlib
import json
import os
import random
import re
import shutil

from git_helpers import judge
from hub_helpers import settled

SIZE = 6_290_000


def stored(server):
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(server.data / "xorb") for f in fs)


def fresh_cache(server, user):
    shutil.rmtree(server.base / ("hf-home-" + user), ignore_errors=True)


def upload(server, user, repo, data, tmp_path, *flags):
    src = tmp_path / "up"
    shutil.rmtree(src, ignore_errors=True)
    src.mkdir()
    (src / "data.bin").write_bytes(data)
    if flags:
        server.hf(user, "repos", "create", repo, *flags)
    server.hf(user, "upload", repo, str(src), ".")
    settled(server, repo)


def read_token(server, user, repo):
    status, headers, _ = server.http("GET", "/api/models/%s/xet-read-token/main" % repo, user)
    assert status == 200
    return headers["X-Xet-Cas-Url"], headers["X-Xet-Access-Token"]


def xet_hash(server, user, repo):
    status, headers, _ = server.http("HEAD", "/%s/resolve/main/data.bin" % repo, user)
    assert status in (200, 302), status
    return headers["X-Xet-Hash"]


def test_dedup_between_clients(server, tmp_path):
    """Ten bytes inserted; another account with an empty cache sends only what is new (the repository is public)."""
    data = random.Random(1).randbytes(SIZE)
    upload(server, "alice", "alice/big", data, tmp_path)
    before = stored(server)
    changed = data[:3_000_000] + b"0123456789" + data[3_000_000:]
    fresh_cache(server, "bob")
    upload(server, "bob", "bob/big", changed, tmp_path)
    assert 0 < stored(server) - before < 400_000
    out = tmp_path / "out"
    server.hf("bob", "download", "bob/big", "--local-dir", str(out))
    assert (out / "data.bin").read_bytes() == changed


def test_private_chunks_are_not_told(server, tmp_path):
    """The same experiment against a private repository of another account: everything is sent, nothing is learned."""
    data = random.Random(2).randbytes(SIZE)
    upload(server, "alice", "alice/secret", data, tmp_path, "--private")
    before = stored(server)
    fresh_cache(server, "bob")
    upload(server, "bob", "bob/guess", b"x" + data, tmp_path)
    assert stored(server) - before > SIZE
    assert not re.search(r"path=/cas/\w+/v1/chunks/\S+ status=200", server.tail(20000).split("bob/guess")[-1])


def test_ranges_of_a_deduplicated_file(server, tmp_path):
    rnd = random.Random(3)
    base = rnd.randbytes(2_000_000)
    data = base[:1_500_000] + rnd.randbytes(700_000) + base[200_000:1_900_000] + base
    upload(server, "alice", "alice/pieces", data, tmp_path)
    for _ in range(25):
        a = rnd.randrange(len(data))
        b = min(len(data) - 1, a + rnd.choice([0, 1, 1000, 200_000, 3_000_000]))
        status, headers, body = server.http("GET", "/alice/pieces/resolve/main/data.bin", "alice", headers={"Range": "bytes=%d-%d" % (a, b)})
        if status == 302:
            status, headers, body = server.http("GET", headers["Location"], headers={"Range": "bytes=%d-%d" % (a, b)})
        assert status == 206 and body == data[a:b + 1]


def test_cas_refuses_what_a_token_does_not_cover(server, tmp_path):
    upload(server, "alice", "alice/one", random.Random(4).randbytes(300_000), tmp_path, "--private")
    upload(server, "alice", "alice/two", random.Random(5).randbytes(300_000), tmp_path)
    one = xet_hash(server, "alice", "alice/one")
    cas, two_token = read_token(server, "bob", "alice/two")
    auth = {"Authorization": "Bearer " + two_token}
    assert server.http("GET", cas + "/v2/reconstructions/" + one, headers=auth)[0] == 404
    assert server.http("GET", cas + "/v2/reconstructions/" + one)[0] == 401
    assert server.http("POST", cas + "/v1/xorbs/default/" + "0" * 64, body=b"x", headers=auth)[0] == 403
    status, _, plan = server.http("GET", cas + "/v2/reconstructions/" + xet_hash(server, "alice", "alice/two"), headers=auth)
    assert status == 200
    url = re.search(rb'"url":"([^"]+)"', plan).group(1).decode()
    assert url.startswith(server.url + "/cas/")
    assert server.http("GET", url)[0] == 200
    assert server.http("GET", re.sub(r"r=0-", "r=1-", url))[0] == 403
    assert server.http("GET", url, headers={"Range": "bytes=0-999999999"})[0] == 403


def test_url_handed_out_before_a_block_is_refused_after_it(server, tmp_path):
    """Plans are made before the verdict, bytes are asked for after it: Xet ranges in both versions and the LFS address."""
    data = random.Random(8).randbytes(400_000)
    upload(server, "alice", "alice/turns", data, tmp_path)
    sha = hashlib.sha256(data).hexdigest()
    cas, token = read_token(server, "bob", "alice/turns")
    auth = {"Authorization": "Bearer " + token}
    file = xet_hash(server, "bob", "alice/turns")
    urls = []
    for v in ("v1", "v2"):
        status, _, plan = server.http("GET", "%s/%s/reconstructions/%s" % (cas, v, file), headers=auth)
        assert status == 200
        urls.append(re.search(rb'"url":"([^"]+)"', plan).group(1).decode())
    body = {"operation": "download", "transfers": ["basic"], "objects": [{"oid": sha, "size": len(data)}], "hash_algo": "sha256"}
    urls.append(json.loads(server.http("POST", "/alice/turns.git/info/lfs/objects/batch", "bob", body)[2])["objects"][0]["actions"]["download"]["href"])
    assert [server.http("GET", u)[0] for u in urls] == [200, 200, 200]
    judge(server, sha, 4)
    for u in urls:
        status, headers, body = server.http("GET", u)
        assert status == 403 and b"calls os.system" in body and len(body) < 1000, u
        assert headers["X-Error-Code"] == "ReviewBlocked" or "/lfs/" in u  # git-lfs reads the body
    judge(server, sha, 1)
    assert [server.http("GET", u)[0] for u in urls] == [200, 200, 200]
    server.http("DELETE", "/api/repos/delete", "alice", {"name": "turns"})
    assert [server.http("GET", u)[0] for u in urls] == [404, 404, 401]  # LFS: hidden is missing, to nobody


def test_gc_and_fsck(fresh_server, tmp_path):
    s = fresh_server
    keep, drop = random.Random(6).randbytes(1_000_000), random.Random(7).randbytes(1_000_000)
    upload(s, "alice", "alice/keep", keep, tmp_path)
    upload(s, "alice", "alice/drop", drop, tmp_path)
    full = stored(s)
    assert s.http("DELETE", "/api/repos/delete", "alice", {"name": "drop", "organization": "alice"})[0] == 200
    s.cli("gc")
    assert stored(s) == full  # orphans wait: clients remember dedup answers for weeks
    s.cli("gc", "--days", "0")
    assert full - stored(s) > 990_000
    s.cli("fsck", "--deep")
    out = tmp_path / "out"
    s.hf("alice", "download", "alice/keep", "--local-dir", str(out))
    assert hashlib.sha256((out / "data.bin").read_bytes()).digest() == hashlib.sha256(keep).digest()
    victim = next(p for p in (s.data / "xorb").rglob("*") if p.is_file() and p.stat().st_size > 900_000)
    with open(victim, "r+b") as f:
        f.seek(500)
        byte = f.read(1)
        f.seek(500)
        f.write(bytes([byte[0] ^ 1]))
    assert s.cli("fsck", check=False).returncode == 0  # lengths and hashes of the index are still right
    assert s.cli("fsck", "--deep", check=False).returncode != 0
