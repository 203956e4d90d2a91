# SPDX-License-Identifier: Apache-2.0
"""Review on the wire: a stock client waits for a pending verdict and finishes by itself; a refused file says why."""
import pickle
import zipfile

import pytest

from hub_helpers import commit, get_json, random_bytes, settled, tree_of


class Evil:
    def __reduce__(self):
        import os
        return os.system, ("id",)


@pytest.fixture(scope="module")
def slow(make_server):
    s = make_server(config="review:\n  slow_ms: 2500\n  hold_ms: 300\n")
    s.user("alice")
    s.user("bob")
    return s


def test_download_waits_prints_why_and_completes(slow, tmp_path):
    src = tmp_path / "w"
    src.mkdir()
    (src / "data.bin").write_bytes(random_bytes(300_000, 3))
    (src / "a.txt").write_text("text")
    slow.hf("alice", "upload", "alice/waits", str(src), ".")
    entry = [e for e in get_json(slow, "/api/models/alice/waits/tree/main?expand=true") if e["path"] == "data.bin"][0]
    s, h, _ = slow.http("HEAD", "/alice/waits/resolve/main/data.bin")
    if s == 503:
        assert int(h["Retry-After"]) >= 1 and ";" in h["X-HF-Warning"] and h["X-Error-Message"] and h["X-Error-Code"] == "ReviewPending"
        assert "xetHash" not in entry and entry["securityFileStatus"]["status"] == "queued"
        assert get_json(slow, "/api/models/alice/waits")["sha"], "repository info never waits"
        assert slow.http("GET", "/api/models/alice/waits/xet-read-token/main")[0] == 503
    assert s == 503, "the slow review must still be going on"
    p = slow.hf("bob", "download", "alice/waits", "--local-dir", str(tmp_path / "d"))
    assert tree_of(tmp_path / "d") == tree_of(src)
    assert "review" in (p.stdout + p.stderr).lower(), p.stderr
    entry = [e for e in get_json(slow, "/api/models/alice/waits/tree/main") if e["path"] == "data.bin"][0]
    assert len(entry["xetHash"]) == 64


@pytest.fixture(scope="module")
def blocked(server, tmp_path_factory):
    src = tmp_path_factory.mktemp("bad") / "b"
    src.mkdir()
    (src / "evil.pkl").write_bytes(pickle.dumps(Evil(), protocol=2))
    with zipfile.ZipFile(src / "pytorch_model.bin", "w") as z:
        z.writestr("archive/data.pkl", pickle.dumps(Evil(), protocol=2))
        z.writestr("archive/version", "3")
    (src / "fine.txt").write_text("fine")
    server.hf("alice", "upload", "alice/bad", str(src), ".")
    assert settled(server, "alice/bad")["verdict"] == "block"
    return src


def test_refused_file_says_why_everywhere(server, blocked, tmp_path):
    for method in ("HEAD", "GET"):
        s, h, b = server.http(method, "/alice/bad/resolve/main/evil.pkl")
        assert (s, h["X-Error-Code"]) == (403, "ReviewBlocked") and "evil.pkl" in h["X-Error-Message"] and ";" in h["X-HF-Warning"]
        assert "ETag" not in h and "X-Linked-ETag" not in h or h["X-Linked-ETag"] is None
    for e in get_json(server, "/api/models/alice/bad/tree/main?expand=true"):
        if e["path"] in ("evil.pkl", "pytorch_model.bin"):
            assert "xetHash" not in e and e["securityFileStatus"]["status"] == "unsafe", e
        if e["path"] == "fine.txt":
            assert e["securityFileStatus"]["status"] == "safe"
    p = server.hf("bob", "download", "alice/bad", "--local-dir", str(tmp_path / "d"), check=False)
    assert p.returncode != 0 and "403" in p.stdout + p.stderr and ("evil.pkl" in p.stdout + p.stderr or "pytorch_model.bin" in p.stdout + p.stderr), p.stderr
    assert not (tmp_path / "d" / "evil.pkl").exists()
    server.hf("bob", "download", "alice/bad", "fine.txt", "--local-dir", str(tmp_path / "f"))
    s, h, b = server.http("GET", "/api/models/alice/bad/xet-read-token/main")
    assert s == 403 and h["X-Error-Code"] == "ReviewBlocked"


def test_status_of_the_repository(server, blocked):
    code = """
from huggingface_hub import HfApi
s = HfApi().model_info("alice/bad", securityStatus=True).security_repo_status
print("STATUS", s["scansDone"], sorted((f["path"], f["level"]) for f in s["filesWithIssues"]))
f = HfApi().get_paths_info("alice/bad", ["evil.pkl"], expand=True)[0]
print("FILE", f.security.status if hasattr(f.security, "status") else f.security)
"""
    out = server.python("bob", code).stdout
    assert "STATUS True [('evil.pkl', 'unsafe'), ('pytorch_model.bin', 'unsafe')]" in out


def test_commit_of_known_bad_bytes_warns(server, blocked, tmp_path):
    server.http("POST", "/api/repos/create", "alice", {"name": "again"})
    p = server.hf("alice", "upload", "alice/again", str(blocked / "evil.pkl"), "evil.pkl")
    assert "will not be served" in p.stdout + p.stderr
