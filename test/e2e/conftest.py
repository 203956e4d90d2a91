# SPDX-License-Identifier: Apache-2.0
"""End-to-end harness: the real binary on a fresh data directory and a free port, driven by the real clients.

    def test_x(server): server.url, server.admin (token), server.cli("user", "list"), server.hf(user, "upload", ...)

`server` is shared by a module; `fresh_server` is one per test. `make_server(config=..., env=...)` starts more.
BALLAST_BIN names the binary (default build/ballast); the same tests run on the sanitized build.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHARED = ROOT.parent / "shared"
BIN = os.environ.get("BALLAST_BIN", str(ROOT / "build" / "ballast"))
SANITIZED = "asan" in BIN


class Server:
    """One `ballast serve` with its data directory."""

    def __init__(self, base, config="", env=None):
        self.base = pathlib.Path(base)
        self.data = self.base / "data"
        self.config = self.base / "ballast.yaml"
        self.config.write_text(config)
        self.env = dict(os.environ, HF_HUB_DISABLE_UPDATE_CHECK="1", HF_HUB_DISABLE_TELEMETRY="1", NO_PROXY="127.0.0.1,localhost",
                        ASAN_OPTIONS="detect_leaks=1:exitcode=99:handle_abort=0", UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1", **(env or {}))
        self.proc = None
        self.url = ""
        self.tokens = {}
        self.log_path = self.base / "server.log"

    # --- life ---------------------------------------------------------------------------------
    def start(self, timeout=30):
        info = self.data / "server.json"
        if info.exists():
            info.unlink()
        listen = "127.0.0.1:0" if not self.url else self.url.split("//")[1]
        self.log = open(self.log_path, "ab")
        self.proc = subprocess.Popen([BIN, "serve", "--data", str(self.data), "--config", str(self.config), "--listen", listen],
                                     stdout=self.log, stderr=self.log, env=self.env, cwd=self.base)
        end = time.time() + timeout
        while time.time() < end:
            if self.proc.poll() is not None:
                raise RuntimeError("the server ended: " + self.tail())
            try:
                self.url = json.loads(info.read_text())["url"]
                with urllib.request.urlopen(self.url + "/readyz", timeout=5) as r:
                    if r.status == 200:
                        return self
            except (OSError, ValueError):
                time.sleep(0.02)
        raise RuntimeError("the server is not ready: " + self.tail())

    def stop(self):
        if self.proc and self.proc.poll() is None:
            self.proc.send_signal(signal.SIGTERM)
            try:
                self.proc.wait(40)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
                raise RuntimeError("the server did not stop: " + self.tail())
        code = self.proc.returncode if self.proc else 0
        self.proc = None
        assert code == 0, "the server ended with %d: %s" % (code, self.tail())
        return code

    def kill(self):
        self.proc.kill()
        self.proc.wait()
        self.proc = None

    def tail(self, n=6000):
        return self.log_path.read_text(errors="replace")[-n:] if self.log_path.exists() else ""

    # --- command line ---------------------------------------------------------------------------
    def cli(self, *args, check=True, stdin=None, env={}):
        p = subprocess.run([BIN, *args, "--data", str(self.data)], capture_output=True, text=True, env=dict(self.env, **env), input=stdin, timeout=120)
        if check and p.returncode != 0:
            raise AssertionError("ballast %s: exit %d\n%s%s" % (" ".join(args), p.returncode, p.stdout, p.stderr))
        return p

    def user(self, name, *flags, role="write"):
        """Add a user and return a token of that role."""
        self.cli("user", "add", name, *flags)
        self.tokens[name] = self.token(name, role)
        return self.tokens[name]

    def token(self, name, role="write", *flags):
        return self.cli("token", "create", name, "--role", role, *flags).stdout.strip()

    # --- stock clients --------------------------------------------------------------------------
    def client_env(self, user=None, xet=True, **more):
        home = self.base / ("hf-home-" + (user or "anonymous") + ("" if xet else "-noxet"))
        env = dict(self.env, HF_ENDPOINT=self.url, HF_HOME=str(home), HF_XET_CACHE=str(home / "xet"), PYTHONUNBUFFERED="1")
        env.update(more)
        env.pop("HF_TOKEN", None)
        if user:
            env["HF_TOKEN"] = self.tokens.get(user, user)
        if not xet:
            env["HF_HUB_DISABLE_XET"] = "1"
        return env

    def hf(self, user, *args, check=True, xet=True, timeout=180, **env):
        exe = pathlib.Path(sys.executable).parent / "hf"
        p = subprocess.run([str(exe), *map(str, args)], capture_output=True, text=True, env=self.client_env(user, xet, **env), timeout=timeout, cwd=self.base)
        if check and p.returncode != 0:
            raise AssertionError("hf %s: exit %d\n%s%s\n--- server:\n%s" % (args, p.returncode, p.stdout, p.stderr, self.tail(2500)))
        return p

    def python(self, user, code, check=True, xet=True, timeout=180, **env):
        """Run Python code with the stock libraries in a process of its own (they read their environment at import)."""
        p = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=self.client_env(user, xet, **env), timeout=timeout, cwd=self.base)
        if check and p.returncode != 0:
            raise AssertionError("python: exit %d\n%s%s\n--- server:\n%s" % (p.returncode, p.stdout, p.stderr, self.tail(2500)))
        return p

    def http(self, method, path, user=None, body=None, headers=None, timeout=60):
        """(status, headers, bytes) of one request; path may be absolute."""
        url = path if path.startswith("http") else self.url + path
        h = dict(headers or {})
        if user:
            h["Authorization"] = "Bearer " + self.tokens.get(user, user)
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            h.setdefault("Content-Type", "application/json")
        req = urllib.request.Request(url, data=body, method=method, headers=h)
        try:
            with urllib.request.build_opener(_NoRedirect).open(req, timeout=timeout) as r:
                return r.status, r.headers, r.read()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read()

    def wait_verdict(self, repo, rev="main", timeout=60):
        """Wait until the revision has a verdict; returns the parsed `ballast verdict --json`."""
        end = time.time() + timeout
        while True:
            p = self.cli("verdict", repo + "@" + rev, "--json")
            v = json.loads(p.stdout)
            if v["verdict"] != "pending" or time.time() > end:
                return v
            time.sleep(0.1)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *a, **k):
        return None


@pytest.fixture(scope="module")
def make_server(tmp_path_factory):
    made = []

    def make(config="", env=None, start=True):
        s = Server(tmp_path_factory.mktemp("ballast"), config, env)
        made.append(s)
        return s.start() if start else s

    yield make
    for s in made:
        s.stop()
        text = s.tail(200000)
        assert "ERROR: AddressSanitizer" not in text and "runtime error:" not in text and "LeakSanitizer" not in text, text[-4000:]
        # A reader that is never let go sees a frozen past (store README, rule 4).
        assert "store.statement_left_open" not in text, [line for line in text.splitlines() if "statement_left_open" in line]
        shutil.rmtree(s.base, ignore_errors=True)


@pytest.fixture(scope="module")
def server(make_server):
    s = make_server()
    s.user("root", "--admin", role="admin")
    s.user("alice")
    s.user("bob")
    return s


@pytest.fixture
def fresh_server(tmp_path):
    s = Server(tmp_path).start()
    s.user("root", "--admin", role="admin")
    s.user("alice")
    yield s
    s.stop()
