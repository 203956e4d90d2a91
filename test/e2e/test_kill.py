# SPDX-License-Identifier: Apache-2.0
"""Nothing acknowledged is lost: SIGKILL at random instants during mixed uploads, restart, fsck, download everything."""
import base64
import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time
import urllib.request

KILLS = 20


class Writer(threading.Thread):
    """Uploads one file after another until told to stop; `acked` holds (repo, commit, path, sha256) of what was acknowledged."""

    def __init__(self, server, repo, seed):
        super().__init__(daemon=True)
        self.server, self.repo, self.rnd = server, repo, random.Random(seed)
        self.acked, self.tries, self.halt = [], 0, threading.Event()

    def run(self):
        while not self.halt.is_set():
            self.tries += 1
            name = "%s-%05d" % (type(self).__name__.lower(), self.tries)
            data = self.rnd.randbytes(self.rnd.randint(1, self.max_size))
            try:
                commit = self.upload(name, data)
            except Exception:
                time.sleep(0.05)
                continue
            if commit:
                self.acked.append((self.repo, commit, name, hashlib.sha256(data).hexdigest()))

    def post(self, path, body, content_type="application/json", method="POST", auth=True):
        h = {"Content-Type": content_type}
        if auth:
            h["Authorization"] = "Bearer " + self.server.tokens["alice"]
        url = path if path.startswith("http") else self.server.url + path
        req = urllib.request.Request(url, data=body, method=method, headers=h)
        with urllib.request.urlopen(req, timeout=20) as r:
            return r.read()

    def commit(self, lines):
        body = "\n".join(json.dumps(l) for l in [{"key": "header", "value": {"summary": "k"}}] + lines).encode()
        return json.loads(self.post("/api/models/%s/commit/main" % self.repo, body, "application/x-ndjson"))["commitOid"]


class Inline(Writer):
    max_size = 60000

    def upload(self, name, data):
        return self.commit([{"key": "file", "value": {"path": name, "encoding": "base64", "content": base64.b64encode(data).decode()}}])


class Lfs(Writer):
    max_size = 3_000_000

    def upload(self, name, data):
        oid = hashlib.sha256(data).hexdigest()
        batch = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": oid, "size": len(data)}], "hash_algo": "sha256"}
        reply = json.loads(self.post("/%s.git/info/lfs/objects/batch" % self.repo, json.dumps(batch).encode(), "application/vnd.git-lfs+json"))
        up = reply["objects"][0].get("actions", {}).get("upload")
        if up:
            self.post(up["href"], data, "application/octet-stream", "PUT", auth=False)
        return self.commit([{"key": "lfsFile", "value": {"path": name, "algo": "sha256", "oid": oid, "size": len(data)}}])


class Xet(Writer):
    """The stock client with hf_xet, in a process of its own that reports what was acknowledged."""

    code = """
import os, sys, random
from huggingface_hub import HfApi
api, rnd = HfApi(), random.Random(int(sys.argv[2]))
for i in range(int(sys.argv[3]), 100000):
    data = os.urandom(rnd.randint(1, 4_000_000)); name = "xet-%05d" % i + ".bin"
    import hashlib
    c = api.upload_file(path_or_fileobj=data, path_in_repo=name, repo_id=sys.argv[1])
    print(c.oid, name, hashlib.sha256(data).hexdigest(), flush=True)
"""
    max_size = 1

    def run(self):
        while not self.halt.is_set():
            p = subprocess.Popen([sys.executable, "-c", self.code, self.repo, str(self.rnd.random())[2:8], str(self.tries)],
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=self.server.client_env("alice"))
            self.proc = p
            for line in p.stdout:
                if len(line.split()) != 3:
                    break  # the client was killed while it wrote this line
                commit, name, sha = line.split()
                self.tries += 1
                self.acked.append((self.repo, commit, name, sha))
            p.wait()
            self.tries += 1

    def stop(self):
        self.halt.set()
        self.proc.kill()


class Git(Writer):
    max_size = 200000

    def run(self):
        self.dir = self.server.base / "gitwork"
        self.env = dict(self.server.env, GIT_TERMINAL_PROMPT="0", GIT_CONFIG_NOSYSTEM="1", HOME=str(self.server.base))
        url = self.server.url.replace("//", "//alice:%s@" % self.server.tokens["alice"]) + "/" + self.repo
        for _ in range(50):
            if subprocess.run(["git", "clone", "-q", url, str(self.dir)], env=self.env, capture_output=True).returncode == 0:
                break
            time.sleep(0.3)
        super().run()

    def git(self, *args):
        return subprocess.run(["git", "-C", str(self.dir), "-c", "user.name=a", "-c", "user.email=a@b", *args], env=self.env, capture_output=True,
                              text=True, timeout=60, check=True).stdout.strip()

    def upload(self, name, data):
        (self.dir / (name + ".txt")).write_bytes(base64.b64encode(data))
        self.git("add", "-A")
        self.git("commit", "-qm", name)
        commit = self.git("rev-parse", "HEAD")
        try:
            self.git("push", "-q", "origin", "HEAD:main")
        except subprocess.CalledProcessError:
            # Unknown whether it went through; drop the local commit and continue from what the server has.
            self.git("fetch", "-q", "origin")
            self.git("reset", "-q", "--hard", "origin/main")
            return None
        self.acked.append((self.repo, commit, name + ".txt", hashlib.sha256(base64.b64encode(data)).hexdigest()))
        return None


def test_kill_9_loses_nothing_that_was_acknowledged(make_server):
    s = make_server("review: {hold_ms: 0}\nlog: {level: warn}\n")
    s.user("alice")
    rnd = random.Random(20261122)
    writers = [Inline(s, "alice/inline", 1), Lfs(s, "alice/lfs", 2), Xet(s, "alice/xet", 3), Git(s, "alice/git", 4)]
    for w in writers:
        s.cli("repo", "create", w.repo)
        # The CLI makes it for the administrator's rights; alice owns her namespace.
    for w in writers:
        w.start()
    for _ in range(KILLS):
        time.sleep(rnd.uniform(0.3, 2.5))
        s.kill()
        s.start()
    time.sleep(2)
    for w in writers:
        w.stop() if hasattr(w, "stop") else w.halt.set()
    for w in writers:
        w.join(60)
    acked = [a for w in writers for a in w.acked]
    assert all(len(w.acked) >= 3 for w in writers), {type(w).__name__: (len(w.acked), w.tries) for w in writers}
    for repo in {a[0] for a in acked}:
        s.wait_verdict(repo)
    missing = []
    for repo, commit, path, sha in acked:
        for _ in range(100):
            status, _, body = s.http("GET", "/%s/resolve/%s/%s" % (repo, commit, path), "alice")
            if status != 503:
                break
            time.sleep(0.1)
        if status != 200 or hashlib.sha256(body).hexdigest() != sha:
            missing.append((repo, commit, path, status))
    assert not missing, missing[:5]
    s.stop()
    p = s.cli("fsck", "--deep", check=False)
    assert p.returncode == 0, p.stdout[-3000:] + p.stderr
    assert s.cli("log", "verify").returncode == 0
    print("%d acknowledged uploads over %d kills" % (len(acked), KILLS))
    s.start()
