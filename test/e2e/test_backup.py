# SPDX-License-Identifier: Apache-2.0
"""docs/operations/backup.md, done: a copy of a running instance that is being written to is whole."""
import json
import subprocess
import sys
import threading

import conftest


def test_copy_of_a_running_server(fresh_server, tmp_path_factory):
    s = fresh_server
    folder = s.base / "up"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "weights.bin").write_bytes(bytes(range(256)) * 40000)  # 10 MB: lies in xorbs
    s.hf("alice", "upload", "alice/m", str(folder), ".")
    stop = threading.Event()

    def churn():
        n = 0
        while not stop.is_set():
            line = json.dumps({"key": "header", "value": {"summary": "n"}}) + "\n"
            line += json.dumps({"key": "file", "value": {"path": "n.txt", "content": "%d" % n, "encoding": "utf-8"}}) + "\n"
            s.http("POST", "/api/models/alice/m/commit/main", "alice", line.encode(), {"Content-Type": "application/x-ndjson"})
            n += 1

    t = threading.Thread(target=churn)
    t.start()
    try:
        base = tmp_path_factory.mktemp("restored")
        p = subprocess.run([sys.executable, str(conftest.ROOT / "tools" / "backup.py"), str(s.data), str(base / "data")], capture_output=True, text=True)
    finally:
        stop.set()
        t.join()
    assert p.returncode == 0, p.stderr
    copy = conftest.Server(base)
    copy.cli("log", "verify")
    copy.start()
    try:
        copy.cli("fsck")
        copy.tokens = s.tokens
        copy.wait_verdict("alice/m")
        out = base / "out"
        copy.hf("alice", "download", "alice/m", "--local-dir", str(out))
        assert (out / "weights.bin").read_bytes() == (folder / "weights.bin").read_bytes()
    finally:
        copy.stop()


def test_refuses_what_is_not_a_data_directory(tmp_path):
    p = subprocess.run([sys.executable, str(conftest.ROOT / "tools" / "backup.py"), str(tmp_path), str(tmp_path / "x")], capture_output=True, text=True)
    assert p.returncode != 0 and "not a data directory" in p.stderr and not (tmp_path / "x").exists()
