# SPDX-License-Identifier: Apache-2.0
"""The n-th write, fsync, rename, open or allocation fails: the client gets an error or a whole result, never half of one."""
import base64
import errno
import hashlib
import json
import mmap
import os
import pathlib
import struct
import time

import pytest

from conftest import BIN, SANITIZED, Server

LIB = pathlib.Path(BIN).parent / "test" / "fault" / "libfailio.so"
CALLS = {"write": 1, "pwrite": 2, "fsync": 4, "rename": 8, "open": 16, "malloc": 32}

pytestmark = [pytest.mark.release_only, pytest.mark.skipif(SANITIZED, reason="the preload library and ASan both replace malloc")]


class Faults:
    def __init__(self, path):
        path.write_bytes(b"\0" * 4096)
        self.f = open(path, "r+b")
        self.page = mmap.mmap(self.f.fileno(), 4096)

    def arm(self, call, n, error, min_bytes=65536, lasting=False):
        self.page[8:48] = struct.pack("<qqqqq", CALLS[call], error, 0, min_bytes, lasting)
        self.page[0:8] = struct.pack("<q", n)

    def disarm(self):
        self.page[0:8] = struct.pack("<q", 0)
        return struct.unpack("<q", self.page[24:32])[0] != 0


@pytest.fixture
def faulty(tmp_path):
    assert LIB.exists(), "build it with ninja"
    control = tmp_path / "control"
    faults = Faults(control)
    s = Server(tmp_path, "review: {hold_ms: 0}\n", {"LD_PRELOAD": str(LIB), "FAILIO_FILE": str(control)}).start()
    s.user("alice")
    s.cli("repo", "create", "alice/f")
    yield s, faults
    faults.disarm()
    if s.proc:
        s.stop()


def commit(s, lines):
    body = "\n".join(map(json.dumps, [{"key": "header", "value": {"summary": "f"}}] + lines)).encode()
    return s.http("POST", "/api/models/alice/f/commit/main", "alice", body, {"Content-Type": "application/x-ndjson"})


def upload(s, name, data):
    """LFS upload and commit, plus one inline file; returns (all acknowledged?, statuses)."""
    oid = hashlib.sha256(data).hexdigest()
    batch = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": oid, "size": len(data)}], "hash_algo": "sha256"}
    st, _, body = s.http("POST", "/alice/f.git/info/lfs/objects/batch", "alice", json.dumps(batch).encode(), {"Content-Type": "application/vnd.git-lfs+json"})
    if st != 200:
        return False, [st]
    up = json.loads(body)["objects"][0].get("actions", {}).get("upload")
    if up:
        st2, _, _ = s.http("PUT", up["href"], None, data)
        if st2 not in (200, 201):
            return False, [st, st2]
    st3, _, _ = commit(s, [{"key": "lfsFile", "value": {"path": name + ".bin", "algo": "sha256", "oid": oid, "size": len(data)}},
                           {"key": "file", "value": {"path": name + ".txt", "encoding": "base64", "content": base64.b64encode(data[:999]).decode()}}])
    return st3 == 200, [st, st3]


def whole(s, name, data):
    for path, want in ((name + ".bin", data), (name + ".txt", data[:999])):
        for _ in range(100):
            st, _, body = s.http("GET", "/alice/f/resolve/main/" + path, "alice")
            if st != 503:
                break
            time.sleep(0.05)
        assert st == 200 and body == want, (path, st)


@pytest.mark.parametrize("call,error,steps", [("fsync", errno.EIO, 14), ("write", errno.ENOSPC, 16), ("pwrite", errno.ENOSPC, 12),
                                              ("rename", errno.EIO, 8), ("open", errno.EMFILE, 14), ("malloc", errno.ENOMEM, 12)])
def test_nth_call_fails(faulty, call, error, steps):
    s, faults = faulty
    struck = refused = 0
    for n in range(1, steps + 1):
        data, name = os.urandom(300_000 + n), "%s-%d" % (call, n)
        faults.arm(call, n, error)
        try:
            ok, _ = upload(s, name, data)
        except OSError:
            ok = False
        hit = faults.disarm()
        struck += hit
        assert s.proc.poll() is None, "the server ended: " + s.tail()
        if not ok:
            refused += 1
            assert hit, "refused without a fault"
            ok, statuses = upload(s, name, data)  # the same again, without the fault
            assert ok, statuses
        whole(s, name, data)
    assert struck >= steps // 3, "the faults did not strike: %d of %d" % (struck, steps)
    s.stop()
    p = s.cli("fsck", "--deep", check=False)
    assert p.returncode == 0, p.stdout + p.stderr
    print("%s: %d struck, %d refused cleanly" % (call, struck, refused))


def everything(s, tag):
    """One request of each room; what came back (a status, or the kind of a cut connection)."""
    out = []
    for method, path, body in (("GET", "/explore", None), ("GET", "/alice/f", None), ("GET", "/api/models/alice/f", None), ("GET", "/api/models?limit=3", None),
                               ("GET", "/metrics", None), ("POST", "/v1/chat/completions", {"model": "none", "messages": []}), ("GET", "/activity", None)):
        try:
            out.append(s.http(method, path, "alice", body, timeout=30)[0])
        except OSError as e:
            out.append(type(e).__name__)
    try:
        out += upload(s, tag, tag.encode() * 20000)[1]
    except OSError as e:
        out.append(type(e).__name__)
    return out


@pytest.mark.parametrize("min_bytes", [1, 1000, 65536])
def test_memory_is_out_for_a_while(faulty, min_bytes):
    """The allocator refuses everything for two seconds: requests fail politely or are cut, the process lives and recovers."""
    s, faults = faulty
    well = everything(s, "before")
    faults.arm("malloc", 1, errno.ENOMEM, min_bytes=min_bytes, lasting=True)
    end, answers = time.time() + 2, []
    while time.time() < end:
        answers += everything(s, "during%d" % len(answers))
    assert faults.disarm()
    assert s.proc.poll() is None, "the server ended: " + s.tail()
    assert not [a for a in answers if a in (400, 413, 422)], answers  # want of memory is nobody's fault
    assert everything(s, "after") == well
    whole(s, "after", b"after" * 20000)
    taken = next(l for l in s.http("GET", "/metrics")[2].decode().splitlines() if l.startswith("ballast_memory_reserve_taken_total"))
    assert int(taken.split()[1]) > 0
    s.stop()
    assert s.cli("fsck", "--deep", check=False).returncode == 0


def test_each_small_allocation_fails_once(faulty):
    """n-th allocation of any size: never the end of the process, and the same request works the next time."""
    s, faults = faulty
    well, struck = everything(s, "before"), 0
    for n in range(1, 1500, 11):
        faults.arm("malloc", n, errno.ENOMEM, min_bytes=1)
        everything(s, "n%d" % n)
        struck += faults.disarm()
        assert s.proc.poll() is None, "allocation %d ended the server: %s" % (n, s.tail())
    assert struck > 100
    assert everything(s, "after") == well
    s.stop()
    assert s.cli("fsck", "--deep", check=False).returncode == 0
