# SPDX-License-Identifier: Apache-2.0
"""The server process: life signs, start time, memory, reload without a cut, graceful stop, secrets kept out of logs."""
import concurrent.futures
import json
import os
import random
import re
import signal
import threading
import time
import urllib.request

import pytest

from conftest import SANITIZED, Server


def rss_kib(pid):
    with open("/proc/%d/status" % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def test_life_signs(server):
    assert server.http("GET", "/healthz")[::2] == (200, b"ok\n")
    assert server.http("GET", "/readyz")[::2] == (200, b"ready\n")
    status, headers, body = server.http("GET", "/metrics")
    assert status == 200 and b"ballast_uptime_seconds" in body and b"http_requests" in body
    status, headers, body = server.http("GET", "/api/ballast/version")
    assert json.loads(body)["name"] == "ballast" and headers["X-Request-Id"]


@pytest.mark.skipif(SANITIZED, reason="sanitizers change time and memory")
def test_starts_within_a_second_and_stays_small(server):
    server.stop()
    t = time.time()
    server.start()
    assert time.time() - t <= 1.0
    time.sleep(0.5)
    assert rss_kib(server.proc.pid) <= 48 * 1024


def test_reload_changes_the_public_url_and_cuts_nothing(make_server):
    s = make_server()
    s.user("alice")
    s.cli("repo", "create", "alice/r")
    stop, bad = threading.Event(), []

    def hammer():
        while not stop.is_set():
            try:
                status = s.http("GET", "/api/models/alice/r", "alice")[0]
                if status != 200:
                    bad.append(status)
            except OSError as e:
                bad.append(repr(e))

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(hammer) for _ in range(4)]
        for i in range(5):
            s.config.write_text("public_url: https://hub%d.example.org\n" % i)
            s.proc.send_signal(signal.SIGHUP)
            time.sleep(0.2)
        s.config.write_text("no_such_key: 1\n")  # a bad file changes nothing
        s.proc.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        stop.set()
        [j.result() for j in jobs]
    assert not bad, bad[:5]
    status, headers, body = s.http("POST", "/api/repos/create", "alice", {"name": "q", "type": "model"})
    assert status == 200 and json.loads(body)["url"].startswith("https://hub4.example.org/")
    assert "config.reload_failed" in s.tail(10**7)


def test_a_download_in_progress_survives_reloads_and_a_stop(make_server):
    """A long answer, read slowly, crosses three reloads and the begin of a graceful stop and arrives whole."""
    import hashlib
    import socket
    s = make_server("server: {drain_s: 60}\n")
    s.user("alice")
    s.cli("repo", "create", "alice/long")
    data = random.Random(5).randbytes(24 << 20)
    (s.base / "big.bin").write_bytes(data)
    s.hf("alice", "upload", "alice/long", s.base / "big.bin", "big.bin")
    s.wait_verdict("alice/long")
    host, port = s.url.split("//")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=60) as c:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        c.sendall(("GET /alice/long/resolve/main/big.bin HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n" % s.tokens["alice"]).encode())
        got = b""
        for step in range(4):
            while len(got) < (step + 1) * (4 << 20):
                got += c.recv(65536)
            if step < 3:
                s.config.write_text("server: {drain_s: %d}\nlog: {level: %s}\n" % (50 + step, ["warn", "debug", "info"][step]))
                s.proc.send_signal(signal.SIGHUP)
            else:
                s.proc.send_signal(signal.SIGTERM)
            time.sleep(0.3)
        with pytest.raises(OSError):
            urllib.request.urlopen(s.url + "/healthz", timeout=5)
        while True:
            piece = c.recv(1 << 20)
            if not piece:
                break
            got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200") and hashlib.sha256(body).digest() == hashlib.sha256(data).digest()
    assert s.proc.wait(30) == 0
    s.proc = None


def test_reload_applies_live_keys_and_names_the_others(make_server):
    s = make_server("log: {format: json}\n")

    def reload(text):
        mark = len(s.tail(10**7))
        s.config.write_text(text)
        s.proc.send_signal(signal.SIGHUP)
        end = time.time() + 10
        while time.time() < end and "config.reload" not in s.tail(10**7)[mark:]:
            time.sleep(0.02)
        return [json.loads(l) for l in s.tail(10**7)[mark:].splitlines() if "config." in l]

    page = lambda: s.http("GET", "/explore")[2].decode()
    assert "lang=\"en" in page()
    events = reload("log: {format: json}\nlanguage: zh\nlisten: 127.0.0.1:1\nreview: {hold_ms: 9}\nengines: [{name: e, argv: [x]}]\n")
    # --listen and --data were flags: they keep winning, and need no restart
    assert [e["key"] for e in events if e["event"] == "config.needs_restart"] == ["review.hold_ms", "engines"], events
    assert "lang=\"zh" in page()
    events = reload("tls: {cert: /no/such.pem, key: /no/such.pem}\n")
    assert [e["event"] for e in events] == ["config.reload_failed"] and "No such file" in events[0]["error"]
    events = reload("log: {format: json}\nno_such_key: 1\n")
    assert [e["event"] for e in events] == ["config.reload_failed"] and "ballast.yaml:2" in events[0]["error"]
    assert "lang=\"zh" in page()


def test_a_second_signal_ends_a_drain_at_once(make_server):
    import socket
    s = make_server("server: {drain_s: 60}\n")
    s.user("alice")
    host, port = s.url.split("//")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=60) as c:
        c.sendall(("POST /api/repos/create HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\nContent-Length: 50\r\n\r\n{" % s.tokens["alice"]).encode())
        time.sleep(0.3)
        s.proc.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert s.proc.poll() is None
        s.proc.send_signal(signal.SIGTERM)
        assert s.proc.wait(10) == 130
    s.proc = None


def test_the_drain_ends_in_time(make_server):
    """A request that never ends holds a stop for drain_s, not longer."""
    import socket
    s = make_server("server: {drain_s: 1}\n")
    s.user("alice")
    host, port = s.url.split("//")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=60) as c:
        c.sendall(("POST /api/repos/create HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\nContent-Length: 50\r\n\r\n{" % s.tokens["alice"]).encode())
        time.sleep(0.3)
        t = time.time()
        assert s.stop() == 0 and 0.9 <= time.time() - t < 8


def test_graceful_stop_lets_a_running_request_finish(tmp_path):
    s = Server(tmp_path, "review: {slow_ms: 0}\n").start()
    s.user("alice")
    s.cli("repo", "create", "alice/r")
    result = {}

    def slow_upload():
        # A commit whose body arrives in two halves, the second after the stop began.
        import http.client
        host = s.url.split("//")[1]
        body = b'{"key":"header","value":{"summary":"slow"}}\n{"key":"file","value":{"path":"a.txt","content":"aGk=","encoding":"base64"}}\n'
        c = http.client.HTTPConnection(host, timeout=30)
        c.putrequest("POST", "/api/models/alice/r/commit/main")
        c.putheader("Authorization", "Bearer " + s.tokens["alice"])
        c.putheader("Content-Type", "application/x-ndjson")
        c.putheader("Content-Length", str(len(body)))
        c.endheaders()
        c.send(body[:40])
        time.sleep(1.0)
        c.send(body[40:])
        result["status"] = c.getresponse().status

    t = threading.Thread(target=slow_upload)
    t.start()
    time.sleep(0.3)
    code = s.stop()
    t.join()
    assert result["status"] == 200 and code == 0
    assert not (s.data / "server.json").exists()


def test_no_secret_reaches_the_log(make_server):
    """Every kind of secret that passes through: none of them stands in the log (level debug), nor in the event log."""
    import base64
    import hashlib
    import subprocess
    import urllib.parse
    s = make_server("log: {level: debug}\nproviders: [{name: p, base_url: 'http://127.0.0.1:9/v1', key_env: P_KEY, models: [{name: m}]}]\n", {"P_KEY": "sk-provider-secret"})
    secrets = {"provider key": "sk-provider-secret", "token": s.user("alice"), "unknown token": "hf_" + "wrong" * 8}
    s.http("GET", "/api/whoami-v2", "alice")
    s.http("GET", "/api/whoami-v2?token=" + secrets["token"])
    s.http("GET", "/api/whoami-v2", secrets["unknown token"])
    # sign in, rightly and wrongly
    secrets["password"], secrets["wrong password"] = "correct horse battery", "a wrong password"
    s.cli("user", "add", "sam", "--password-stdin", stdin=secrets["password"] + "\n")
    _, h, text = s.http("POST", "/api/ballast/session", body={"name": "sam", "password": secrets["password"]})
    secrets["cookie"], secrets["csrf"] = h["Set-Cookie"].split(";")[0].split("=", 1)[1], json.loads(text)["csrf"]
    s.http("POST", "/api/ballast/session", body={"name": "sam", "password": secrets["wrong password"]})
    s.http("POST", "/sign-in", body=("name=sam&password=" + urllib.parse.quote(secrets["wrong password"])).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})
    _, _, text = s.http("POST", "/api/ballast/tokens", headers={"Cookie": "ballast_session=" + secrets["cookie"], "X-CSRF-Token": secrets["csrf"]}, body={"name": "n", "role": "write"})
    secrets["new token"] = json.loads(text)["token"]
    # git and LFS with the token in the address, and the signed addresses handed out
    s.cli("repo", "create", "alice/r")
    url = s.url.replace("://", "://alice:%s@" % secrets["token"]) + "/alice/r"
    subprocess.run(["git", "clone", "-q", url, str(s.base / "clone")], check=True, env=dict(s.env, GIT_TERMINAL_PROMPT="0"))
    secrets["basic"] = base64.b64encode(("alice:" + secrets["token"]).encode()).decode()
    batch = {"operation": "upload", "transfers": ["basic"], "hash_algo": "sha256", "objects": [{"oid": hashlib.sha256(b"x").hexdigest(), "size": 1}]}
    _, _, text = s.http("POST", "/alice/r.git/info/lfs/objects/batch", "alice", json.dumps(batch).encode(), {"Content-Type": "application/vnd.git-lfs+json"})
    href = json.loads(text)["objects"][0]["actions"]["upload"]["href"]
    query = urllib.parse.parse_qs(urllib.parse.urlparse(href).query)
    secrets["lfs signature"] = max((v[0] for v in query.values()), key=len)
    assert len(secrets["lfs signature"]) > 16, href
    assert s.http("PUT", href, None, b"x")[0] == 200
    s.http("PUT", href.replace(secrets["lfs signature"], secrets["lfs signature"][::-1]), None, b"x")
    _, _, text = s.http("GET", "/api/models/alice/r/xet-write-token/main", "alice")
    secrets["xet token"] = json.loads(text)["accessToken"]
    s.http("GET", "/v1/reconstructions/" + "0" * 64, secrets["xet token"])
    (s.base / "big.bin").write_bytes(random.Random(2).randbytes(300_000))
    s.hf("alice", "upload", "alice/r", s.base / "big.bin", "big.bin")
    s.http("POST", "/v1/chat/completions", "alice", {"model": "m", "messages": []})  # the provider is down
    s.http("GET", "/alice/r?" + "x" * 9000 + secrets["token"])  # refused before any route
    s.http("GET", "/%s/nothing" % "token", "alice")
    log, events = s.tail(10**7), s.cli("log", "list", "--limit", "10000").stdout
    assert "http.request" in log and "token.created" in events
    for what, secret in secrets.items():
        assert secret not in log, "%s stands in the log: %s" % (what, [l for l in log.splitlines() if secret in l][:2])
        assert secret not in events, "%s stands in the event log" % what
    for f in (s.data / "ballast.db", s.data / "ballast.db-wal"):
        for what in ("token", "new token", "password", "cookie", "provider key"):
            assert not f.exists() or secrets[what].encode() not in f.read_bytes(), "%s is stored" % what


def test_json_logs_are_json_lines_with_request_ids(make_server):
    s = make_server("log: {format: json}\n")
    _, headers, _ = s.http("GET", "/healthz")
    time.sleep(0.1)
    lines = [json.loads(l) for l in s.tail(10**6).splitlines()]
    assert any(l.get("id") == headers["X-Request-Id"] for l in lines)


def certificate(d, name):
    """NAME.pem and NAME.key, signed by the authority in d (made when it is not there): what rustls accepts, too."""
    import subprocess
    run = lambda *a: subprocess.run(["openssl", *map(str, a)], check=True, capture_output=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    if not (d / "ca.pem").exists():
        run("req", "-x509", *key, "-days", "2", "-subj", "/CN=Test authority", "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign", "-keyout", d / "ca.key", "-out", d / "ca.pem")
    (d / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n")
    run("req", *key, "-subj", "/CN=" + name, "-keyout", d / (name + ".key"), "-out", d / "csr")
    run("x509", "-req", "-in", d / "csr", "-CA", d / "ca.pem", "-CAkey", d / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", d / "ext", "-out", d / (name + ".pem"))


@pytest.fixture
def trusted(tmp_path_factory):
    """A folder with two certificates; the harness's own requests trust their authority."""
    import ssl
    d = tmp_path_factory.mktemp("tls")
    for name in ("one", "two"):
        certificate(d, name)
    old = ssl._create_default_https_context
    ssl._create_default_https_context = lambda: ssl.create_default_context(cafile=d / "ca.pem")
    yield d
    ssl._create_default_https_context = old


@pytest.mark.parametrize("xet", [True, False], ids=["xet", "lfs"])
def test_tls_end_to_end_with_stock_clients(make_server, trusted, xet):
    """A certificate is configured: hf (both transfers), git and git-lfs work over https; every address handed out is https."""
    import subprocess
    s = make_server("tls: {cert: %s/one.pem, key: %s/one.key}\n" % (trusted, trusted), start=False)
    s.start()
    assert s.url.startswith("https://")
    s.user("alice")
    ca = {k: str(trusted / "ca.pem") for k in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO")}
    data = random.Random(9).randbytes(3_000_000)
    (s.base / "m.bin").write_bytes(data)
    s.hf("alice", "upload", "alice/tls", s.base / "m.bin", "m.bin", xet=xet, **ca)
    s.wait_verdict("alice/tls")
    s.hf("alice", "download", "alice/tls", "--local-dir", s.base / "got", xet=xet, **ca)
    assert (s.base / "got" / "m.bin").read_bytes() == data
    url = s.url.replace("://", "://alice:%s@" % s.tokens["alice"]) + "/alice/tls"
    subprocess.run(["git", "clone", "-q", url, str(s.base / "clone")], check=True, env=dict(s.env, GIT_TERMINAL_PROMPT="0", **ca))
    assert (s.base / "clone" / "m.bin").read_bytes() == data  # git-lfs fetched it
    _, _, text = s.http("GET", "/api/models/alice/tls/xet-read-token/main", "alice")
    assert json.loads(text)["casUrl"].startswith(s.url)
    _, h, _ = s.http("POST", "/api/ballast/session", body={"name": "alice", "password": "x" * 20})
    # a new certificate is taken by a reload; plain HTTP on this port gets nothing
    s.config.write_text("tls: {cert: %s/two.pem, key: %s/two.key}\n" % (trusted, trusted))
    s.proc.send_signal(signal.SIGHUP)
    import ssl
    host, port = s.url.split("//")[1].split(":")
    for _ in range(100):
        if ssl.get_server_certificate((host, int(port))).strip() == (trusted / "two.pem").read_text().strip():
            break
        time.sleep(0.05)
    else:
        raise AssertionError("the old certificate is still shown")
    with pytest.raises(OSError):
        urllib.request.urlopen("http://%s:%s/healthz" % (host, port), timeout=5)


@pytest.mark.parametrize("how", ["public_url", "proxy", "untrusted"])
def test_every_absolute_address_follows_the_public_one(make_server, how):
    """Behind a proxy no answer may name the inner address; from somebody who is not a trusted proxy the headers mean nothing."""
    s = make_server({"public_url": "public_url: https://hub.example.org\n", "proxy": "trusted_proxies: [127.0.0.1]\n", "untrusted": ""}[how])
    s.user("alice")
    seen = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "hub.example.org", "X-Forwarded-For": "203.0.113.7"} if how != "public_url" else {}
    want = "https://hub.example.org" if how != "untrusted" else s.url
    for i in range(3):
        s.cli("repo", "create", "alice/r%d" % i)
    body = json.dumps({"key": "header", "value": {"summary": "s"}}) + "\n" + "\n".join(
        json.dumps({"key": "file", "value": {"path": "f%d.txt" % i, "content": "aGk=", "encoding": "base64"}}) for i in range(3))
    status, h, text = s.http("POST", "/api/models/alice/r0/commit/main", "alice", body.encode(), dict(seen, **{"Content-Type": "application/x-ndjson"}))
    assert status == 200, text
    answers = {"commit": text.decode() + str(h)}
    batch = {"operation": "upload", "transfers": ["basic"], "hash_algo": "sha256", "objects": [{"oid": "ab" * 32, "size": 5}]}

    def ask(name, method, path, body=None, **headers):
        status, h, text = s.http(method, path, "alice", body, dict(seen, **headers))
        assert status < 400, (name, status, text)
        answers[name] = text.decode() + str(h)

    ask("lfs", "POST", "/alice/r0.git/info/lfs/objects/batch", json.dumps(batch).encode(), **{"Content-Type": "application/vnd.git-lfs+json"})
    ask("xet", "GET", "/api/models/alice/r0/xet-write-token/main")
    ask("list", "GET", "/api/models?limit=1")
    ask("tree", "GET", "/api/models/alice/r0/tree/main?limit=1")
    ask("commits", "GET", "/api/models/alice/r0/commits/main?limit=1")
    ask("create", "POST", "/api/repos/create", {"name": "new", "type": "model"})
    ask("use", "GET", "/alice/r0/use/main")
    ask("openapi", "GET", "/api/ballast/openapi.json")
    s.wait_verdict("alice/r0")
    ask("resolve", "GET", "/alice/r0/resolve/main/f0.txt")
    inner = s.url.split("//")[1]
    for name, text in answers.items():
        if name in ("commit", "lfs", "xet", "list", "tree", "commits", "create", "use", "openapi"):
            assert want in text, (name, text[:2000])
        if how != "untrusted":
            assert inner not in text, (name, [l for l in text.splitlines() if inner in l][:3])
        else:
            assert "hub.example.org" not in text, name
    ip = "203.0.113.7" if how == "proxy" else "127.0.0.1"
    assert " ip=%s " % ip in [l for l in s.tail(10**6).splitlines() if "path=/alice/r0/resolve" in l][-1]
    # over https the session cookie is for https only
    s.cli("user", "add", "sam", "--password-stdin", stdin="correct horse battery\n")
    _, h, _ = s.http("POST", "/api/ballast/session", body={"name": "sam", "password": "correct horse battery"}, headers=seen)
    assert ("Secure" in h["Set-Cookie"]) == (how != "untrusted"), h["Set-Cookie"]


UPLOADS, EACH_MIB = 20, 8  # src/xet/README.md, rule 6: a writer holds at most 8 MiB; docs/operations/install.md says so


@pytest.mark.skipif(SANITIZED, reason="sanitizers change memory")
def test_memory_of_uploads_is_bounded_and_does_not_grow_with_their_size(make_server):
    """Twenty LFS uploads at once, each stuck half-way: 8 MiB of memory each at most, whether 16 or 48 MiB have come."""
    import hashlib
    import socket
    s = make_server("server: {drain_s: 1}\nreview: {hold_ms: 0}\n")
    s.user("alice")
    s.cli("repo", "create", "alice/big")
    host, port = s.url.split("//")[1].split(":")
    rng, size, socks = random.Random(3), 64 << 20, []
    batch = {"operation": "upload", "transfers": ["basic"], "hash_algo": "sha256",
             "objects": [{"oid": hashlib.sha256(b"%d" % i).hexdigest(), "size": size} for i in range(UPLOADS)]}
    status, _, text = s.http("POST", "/alice/big.git/info/lfs/objects/batch", "alice", json.dumps(batch).encode(), {"Content-Type": "application/vnd.git-lfs+json"})
    assert status == 200
    before, seen = rss_kib(s.proc.pid), []
    for o in json.loads(text)["objects"]:
        c = socket.create_connection((host, int(port)), timeout=60)
        c.sendall(("PUT %s HTTP/1.1\r\nHost: %s:%s\r\nContent-Length: %d\r\n\r\n" % (o["actions"]["upload"]["href"][len(s.url):], host, port, size)).encode())
        socks.append(c)
    for part in (16, 32):
        for c in socks:
            block = rng.randbytes(1 << 20)
            for _ in range(part):
                c.sendall(block)
        time.sleep(1)
        seen.append(rss_kib(s.proc.pid) - before)
    assert s.http("GET", "/healthz")[0] == 200  # and others are served meanwhile
    for c in socks:
        c.close()
    print("RSS grew by %d and %d KiB for %d uploads" % (*seen, UPLOADS))
    assert max(seen) <= UPLOADS * EACH_MIB * 1024, seen
    assert seen[1] <= seen[0] * 1.5 + 8192, seen


def test_service_unit_and_example_are_valid(tmp_path):
    import pathlib
    import shutil
    import subprocess
    from conftest import BIN, ROOT
    docs = ROOT / "docs" / "operations"
    unit = (docs / "ballast.service").read_text()
    config = tmp_path / "ballast.yaml"
    config.write_text((docs / "ballast.example.yaml").read_text())
    p = subprocess.run([BIN, "serve", "--check-config", "--config", str(config)], capture_output=True, text=True)
    assert p.returncode == 0, p.stderr
    # The lines that are commented out are an example, too.
    config.write_text("\n".join(re.sub(r"^#(?! (An example|SPDX|Remote))", "", l) for l in config.read_text().splitlines()))
    p = subprocess.run([BIN, "serve", "--check-config", "--config", str(config)], capture_output=True, text=True, env=dict(os.environ, CAMPUS_LLM_KEY="k"))
    assert p.returncode == 0 and "providers:" in config.read_text(), p.stderr
    if shutil.which("systemd-analyze"):
        here = tmp_path / "ballast.service"
        here.write_text(re.sub("/usr/local/bin/ballast", str(pathlib.Path(BIN).resolve()), unit).replace("User=ballast", "User=root").replace("Group=ballast", "Group=root"))
        p = subprocess.run(["systemd-analyze", "verify", str(here)], capture_output=True, text=True)
        assert p.returncode == 0 and not p.stderr, p.stderr
