# SPDX-License-Identifier: Apache-2.0
"""The gateway byte by byte: what a provider gets of a request, what a client gets of a stream, what the ledger keeps, what nobody may see."""
import gzip
import http.client
import json
import re
import socket
import sqlite3
import statistics
import threading
import time

import openai
import pytest

from conftest import SANITIZED

KEY = "sk-never-to-be-seen-0123456789"
WHOLE = b'{"id":"c","object":"chat.completion","created":1,"model":"up","choices":[{"index":0,"message":{"role":"assistant","content":"fine"},"finish_reason":"stop"}]%s}'
USAGE = b',"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}'
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def data(delta, finish=None):
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}, ensure_ascii=False).encode() + b"\n\n"


def whole(body, head=b""):
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (head, len(body), body)


class Upstream:
    """Answers each connection's one request as the model's name says; keeps the request as it came."""

    def __init__(self):
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.seen, self.sent, self.play = [], [], {}
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw = b""
        while b"\r\n\r\n" not in raw:
            raw += c.recv(65536)
        head, body = raw.split(b"\r\n\r\n", 1)
        n = int(re.search(rb"content-length: (\d+)", head, re.I)[1])
        parts, have = [body], len(body)
        while have < n:
            parts.append(c.recv(1 << 20))
            have += len(parts[-1])
        body = b"".join(parts)
        self.seen.append((head, body))
        name = re.search(rb'"model"\s*:\s*"([^"]+)"', body)[1].decode()
        try:
            self.play[name](c)
            c.close()
        except OSError:
            pass


@pytest.fixture(scope="module")
def wire(make_server):
    a, b = Upstream(), Upstream()
    names = ["whole", "nousage", "events", "paced", "gzip", "endless", "boom"]
    rows = [{"name": n, "base_url": "http://127.0.0.1:%d/v1" % u.port, "key_env": "WIRE_KEY", "priority": i, "models": [{"name": x, "upstream": x} for x in names]}
            for i, (n, u) in enumerate([("a", a), ("b", b)])]
    s = make_server(json.dumps({"providers": rows}), {"WIRE_KEY": KEY})
    s.user("alice", role="read")
    s.a, s.b = a, b
    for u in (a, b):
        u.play["whole"] = lambda c: c.sendall(whole(WHOLE % USAGE))
        u.play["nousage"] = lambda c: c.sendall(whole(WHOLE % b""))
        u.play["boom"] = u.play["whole"]
        u.play["gzip"] = u.play["whole"]
    yield s
    a.sock.close()
    b.sock.close()


def post(s, body, path="/v1/chat/completions"):
    c = http.client.HTTPConnection(*s.url.split("//")[1].split(":"), timeout=120)
    c.request("POST", path, body, {"Authorization": "Bearer " + s.tokens["alice"], "Content-Type": "application/json"})
    return c.getresponse()


def ledger(s, request_id):
    end = time.time() + 10
    while time.time() < end:
        with sqlite3.connect(s.data / "ballast.db", timeout=10) as db:
            db.row_factory = sqlite3.Row
            rows = db.execute("SELECT * FROM usage_row WHERE request_id = ?", (request_id,)).fetchall()
        if rows:
            assert len(rows) == 1
            return dict(rows[0])
        time.sleep(0.05)
    raise AssertionError("no row of " + request_id)


@pytest.mark.parametrize("name,body", [
    ("numbers", b'{"seed":123456789012345678901234567890, "temperature":1.0e-0, "x":-0.00, "model":"whole"}'),
    ("escapes", b'{"model" : "whole","s":"\\u00e9\\/\\ud83d\\ude00 \\ud83d","t":"\xe4\xb8\xad\xe6\x96\x87"}\n'),
    ("order", b'\t{ "z":1,"a":[ ], "model":"whole" , "Model":"other","":{}}'),
    ("deep", b'{"model":"whole","tools":' + b"[" * 100 + b"]" * 100 + b"}"),
    ("large", b'{"model":"whole","messages":[{"role":"user","content":"' + b"long " * (6 << 20) + b'"}]}'),
])
def test_a_request_is_forwarded_byte_for_byte(wire, name, body):
    r = post(wire, body)
    assert r.status == 200, r.read()
    assert r.read() == WHOLE % USAGE
    head, got = wire.a.seen[-1]
    assert got == body, name
    assert b"accept-encoding: identity" in head.lower() and b"authorization: bearer " + KEY.encode() in head.lower()
    assert wire.tokens["alice"].encode() not in head + got[:200]


def test_a_body_over_the_limit_is_refused_in_the_clients_dialect(wire):
    with pytest.raises(openai.APIStatusError) as e:
        openai.OpenAI(base_url=wire.url + "/v1", api_key=wire.tokens["alice"], max_retries=0).chat.completions.create(
            model="whole", messages=[{"role": "user", "content": "x" * (33 << 20)}])
    assert e.value.status_code == 413


@pytest.mark.parametrize("size", [1, 3, 1 << 16])
def test_a_stream_passes_byte_for_byte_however_it_is_cut(wire, size):
    big = "\u4e2d\U0001f600" * (100 if size < 100 else 150000)  # 1 MB in one event
    said = b": hello\r\n\r\n" + data({"role": "assistant", "content": ""}) + data({"content": "\u00e9\u4e2d"}).replace(b"\n", b"\r\n") + b": keep-alive\n\n" \
        + data({"content": big}) + b"event: message\nid: 7\n" + data({"content": "x"}) + data({"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}) + data({}, "stop")

    def play(c):
        c.sendall(STREAM)
        blob = said + b"data: [DONE]\n\n"
        for i in range(0, len(blob), size):
            c.sendall(blob[i:i + size])
    wire.a.play["events"] = play
    assert post(wire, b'{"model":"events","stream":true}').read() == said + b"data: [DONE]\n\n"


def test_each_event_leaves_at_once(wire):
    n = 40

    def play(c):
        c.sendall(STREAM)
        wire.a.sent = []
        for i in range(n):
            wire.a.sent.append(time.monotonic())
            c.sendall(data({"content": "w%d" % i}))
            time.sleep(0.02)
        c.sendall(data({}, "stop") + b"data: [DONE]\n\n")
    wire.a.play["paced"] = play
    r, got, buf = post(wire, b'{"model":"paced","stream":true}'), [], b""
    while len(got) < n:
        buf += r.read1(65536)
        while b"\n\n" in buf:
            buf = buf.split(b"\n\n", 1)[1]
            got.append(time.monotonic())
    delays = [b - a for a, b in zip(wire.a.sent, got)]
    assert statistics.median(delays) < (0.1 if SANITIZED else 0.015), delays
    assert max(delays) < 1.0, delays  # a busy machine may be late once; a buffer is late by the whole stream


def test_a_compressed_answer_goes_to_the_next(wire):
    wire.a.play["gzip"] = lambda c: c.sendall(whole(gzip.compress(WHOLE % USAGE), b"Content-Encoding: gzip\r\n"))
    r = post(wire, b'{"model":"gzip"}')
    assert (r.status, r.headers["x-ballast-target"], r.read()) == (200, "b", WHOLE % USAGE)


def test_one_row_whatever_happened(wire):
    wire.a.play["boom"] = lambda c: c.sendall(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n")
    r = post(wire, b'{"model":"boom"}')
    row = ledger(wire, r.headers["x-request-id"])
    assert (row["attempts"], row["outcome"], row["provider"], row["prompt_tokens"], row["completion_tokens"], row["estimated"]) == (2, "ok", "b", 5, 2, 0)
    r = post(wire, b'{"model":"nousage","messages":[{"role":"user","content":"12345678"}]}')
    row = ledger(wire, r.headers["x-request-id"])
    assert (row["prompt_tokens"], row["completion_tokens"], row["estimated"]) == (2, 1, 1)

    def endless(c):
        c.sendall(STREAM)
        while True:
            c.sendall(data({"content": "more"}))
            time.sleep(0.01)
    wire.a.play["endless"] = endless
    r = post(wire, b'{"model":"endless","stream":true,"messages":[{"content":"12345678"}]}')
    for _ in range(5):
        r.read1(65536)
    r.close()
    row = ledger(wire, r.headers["x-request-id"])
    assert (row["outcome"], row["status"], row["estimated"], row["prompt_tokens"]) == ("client_gone", 499, 1, 2)
    assert 3 <= row["completion_tokens"] < 100


def test_errors_speak_the_clients_language(wire):
    def client(lang, key=None):
        return openai.OpenAI(base_url=wire.url + "/v1", api_key=key or wire.tokens["alice"], max_retries=0, default_headers={"Accept-Language": lang})
    for lang, missing in (("en", "does not exist"), ("zh-CN", "不存在")):
        with pytest.raises(openai.NotFoundError) as e:
            client(lang).chat.completions.create(model="nobody", messages=[])
        assert missing in e.value.message and e.value.code == "model_not_found"
        with pytest.raises(openai.NotFoundError):
            client(lang).models.retrieve("no/such")
        with pytest.raises(openai.AuthenticationError) as e:
            client(lang, "hf_wrong").chat.completions.create(model="whole", messages=[])
        assert e.value.code == "invalid_api_key"
        with pytest.raises(openai.BadRequestError) as e:
            client(lang).chat.completions.create(model="whole", messages=[], stream=False, extra_body={"stream": "yes"})
        assert "stream" in e.value.message and ("应为" in e.value.message) == (lang != "en")


def test_a_providers_key_is_nowhere_to_be_seen(wire):
    post(wire, b'{"model":"whole"}').read()
    wire.proc.send_signal(1)  # SIGHUP: a reload logs the configuration's fate
    time.sleep(0.5)
    shown = [wire.tail(10 ** 7)] + [wire.http("GET", p, "alice")[2].decode("utf-8", "replace") for p in ("/metrics", "/v1/models", "/readyz", "/healthz")]
    assert "gate" in shown[1] or wire.http("GET", "/metrics")[0] in (401, 403)
    assert not [i for i, text in enumerate(shown) if KEY in text]
    with sqlite3.connect(wire.data / "ballast.db", timeout=10) as db:
        assert not any(KEY in line for line in db.iterdump())


def test_a_missing_key_is_a_precise_error(wire, tmp_path):
    f = tmp_path / "c.yaml"
    row = {"name": "far", "base_url": "http://127.0.0.1:1/v1", "models": [{"name": "x"}]}
    (tmp_path / "empty").write_text("\n")
    for extra, words in (({"key_env": "NO_SUCH_KEY"}, ("far", "key_env", "NO_SUCH_KEY")), ({"key_file": str(tmp_path / "none")}, ("far", "key_file", "none")),
                         ({"key_file": str(tmp_path / "empty")}, ("far", "key_file", "empty")), ({"key_env": "A", "key_file": "b"}, ("c.yaml:1", "key_env", "key_file"))):
        f.write_text(json.dumps({"providers": [dict(row, **extra)]}))
        p = wire.cli("serve", "--check-config", "--config", str(f), check=False)
        assert p.returncode != 0 and all(w in p.stderr for w in words), p.stderr
    f.write_text(json.dumps({"providers": [dict(row, key_env="NO_SUCH_KEY")]}))
    assert wire.cli("user", "list", "--config", str(f)).returncode == 0  # commands ask no provider
