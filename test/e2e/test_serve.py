# SPDX-License-Identifier: Apache-2.0
"""The server process: life signs, start time, memory, reload without a cut, graceful stop, secrets kept out of logs."""
import concurrent.futures
import json
import random
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
    s = make_server("log: {level: debug}\n")
    tok = s.user("alice")
    s.http("GET", "/api/whoami-v2", "alice")
    s.http("GET", "/api/whoami-v2?token=" + tok)
    s.http("GET", "/api/whoami-v2", "hf_wrongwrongwrongwrongwrongwrongwrongwro")
    text = s.tail(10**6)
    assert "http" in text and tok not in text and "hf_wrong" not in text


def test_json_logs_are_json_lines_with_request_ids(make_server):
    s = make_server("log: {format: json}\n")
    _, headers, _ = s.http("GET", "/healthz")
    time.sleep(0.1)
    lines = [json.loads(l) for l in s.tail(10**6).splitlines()]
    assert any(l.get("id") == headers["X-Request-Id"] for l in lines)


def test_tls(make_server, tmp_path_factory):
    import ssl
    import subprocess
    d = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", d / "k.pem", "-out", d / "c.pem"], check=True, capture_output=True)
    s = make_server("tls: {cert: %s/c.pem, key: %s/k.pem}\n" % (d, d), start=False)
    ctx = ssl.create_default_context(cafile=d / "c.pem")
    urllib.request.install_opener(urllib.request.build_opener(urllib.request.HTTPSHandler(context=ctx)))
    try:
        s.start()
        assert s.url.startswith("https://")
        with urllib.request.urlopen(s.url + "/healthz", timeout=10) as r:
            assert r.read() == b"ok\n"
    finally:
        urllib.request.install_opener(urllib.request.build_opener())
