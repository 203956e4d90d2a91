# SPDX-License-Identifier: Apache-2.0
"""The stock `openai` client through the gateway to scripted providers: answers, failover, errors, hang-ups, reload, ledger."""
import http.server
import json
import signal
import sqlite3
import threading
import time

import openai
import pytest

WORDS = ["Tell", " me", " of", " the", " sea"]


def event(o):
    return ("data: " + (o if isinstance(o, str) else json.dumps(o)) + "\n\n").encode()


def delta(d, finish=None):
    return event({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "up", "choices": [{"index": 0, "delta": d, "finish_reason": finish}]})


class Provider(http.server.BaseHTTPRequestHandler):
    """Behaves as the model's name says: ok, slow, e500, err200, hang, cut, bad, key."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        pass

    def chunk(self, b):
        self.wfile.write(b"%x\r\n" % len(b) + b + b"\r\n")
        self.wfile.flush()

    def whole(self, status, o):
        b = json.dumps(o).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(b)))
        self.end_headers()
        self.wfile.write(b)

    def do_POST(self):
        q = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        s = self.server
        s.seen.append((self.path, q, self.headers.get("Authorization")))
        m = q["model"] if s.faulty else "slow" if q["model"] == "slow" else "ok"
        if m == "e500":
            return self.whole(500, {"error": {"message": "boom"}})
        if m == "err200":
            return self.whole(200, {"error": {"message": "boom"}})
        if m == "key":
            return self.whole(401, {"error": {"message": "bad key", "code": "invalid_api_key"}})
        if m == "bad":
            return self.whole(400, {"error": {"message": "temperature must be below 2", "type": "invalid_request_error", "code": "invalid_value", "param": "temperature"}})
        if m == "hang":
            time.sleep(3)
            return None
        if self.path.endswith("/embeddings"):
            return self.whole(200, {"object": "list", "model": "up", "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -1.0]}], "usage": {"prompt_tokens": 3, "total_tokens": 3}})
        usage = {"prompt_tokens": 11, "completion_tokens": len(WORDS), "total_tokens": 11 + len(WORDS)}
        if not q.get("stream"):
            return self.whole(200, {"id": "c1", "object": "chat.completion", "created": 1, "model": "up", "usage": usage,
                                    "choices": [{"index": 0, "message": {"role": "assistant", "content": "".join(WORDS)}, "finish_reason": "stop"}]})
        return self.stream(m, usage)

    def stream(self, m, usage):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self.chunk(delta({"role": "assistant", "content": ""}))
            for i, w in enumerate(WORDS if m != "slow" else WORDS * 20):
                if m == "cut" and i == 2:
                    self.close_connection = True
                    return
                self.chunk(delta({"content": w}))
                time.sleep(0.02)
            self.chunk(delta({}, "stop"))
            self.chunk(event({"choices": [], "usage": usage}))
            self.chunk(event("[DONE]"))
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.server.cancelled += 1
            self.close_connection = True


def provider(faulty):
    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    s.faulty, s.seen, s.cancelled, s.daemon_threads = faulty, [], 0, True
    threading.Thread(target=s.serve_forever, daemon=True).start()
    return s


NAMES = ["ok", "slow", "e500", "err200", "hang", "cut", "bad", "key"]


@pytest.fixture(scope="module")
def gw(make_server):
    a, b = provider(True), provider(False)
    rows = [{"name": n, "base_url": "http://127.0.0.1:%d/v1" % p.server_port, "key_env": "KEY_" + n.upper(), "priority": i, "first_content_timeout_ms": 1000,
             "models": [{"name": "m-" + x, "upstream": x, "input_price": 1, "output_price": 2} for x in NAMES]}
            for i, (n, p) in enumerate([("alpha", a), ("beta", b)])]
    s = make_server(json.dumps({"providers": rows}), {"KEY_ALPHA": "ka", "KEY_BETA": "kb"})
    s.user("alice", role="read")
    s.a, s.b = a, b
    s.client = openai.OpenAI(base_url=s.url + "/v1", api_key=s.tokens["alice"], max_retries=0, timeout=20)
    yield s
    a.shutdown()
    b.shutdown()


MSG = [{"role": "user", "content": "hi"}]


def ask(gw, model, **k):
    return gw.client.chat.completions.with_raw_response.create(model=model, messages=MSG, **k)


def test_whole_answer_and_headers(gw):
    r = ask(gw, "m-ok")
    assert r.parse().choices[0].message.content == "".join(WORDS)
    assert r.headers["x-ballast-target"] == "alpha" and r.headers["x-ballast-attempts"] == "1"
    assert r.headers["x-ballast-request-id"] == r.headers["x-request-id"]
    path, q, auth = gw.a.seen[-1]
    assert (path, q["model"], auth) == ("/v1/chat/completions", "ok", "Bearer ka")


def test_stream_comes_event_by_event(gw):
    t0, seen = time.time(), []
    for c in gw.client.chat.completions.create(model="m-slow", messages=MSG, stream=True):
        assert c.usage is None  # asked for by the gateway only
        if c.choices[0].delta.content:
            seen.append((time.time() - t0, c.choices[0].delta.content))
    assert "".join(w for _, w in seen) == "".join(WORDS) * 20
    assert seen[0][0] < 1.0 and seen[-1][0] - seen[0][0] > 1.0
    last = list(gw.client.chat.completions.create(model="m-ok", messages=MSG, stream=True, stream_options={"include_usage": True}))[-1]
    assert last.usage.completion_tokens == len(WORDS)


def test_embeddings_and_models(gw):
    r = gw.client.embeddings.create(model="m-ok", input="sea", encoding_format="float")
    assert r.data[0].embedding == [0.5, -1.0]
    assert [m.id for m in gw.client.models.list().data] == sorted("m-" + n for n in NAMES)
    assert gw.client.models.retrieve("m-ok").id == "m-ok"


# a whole answer may take as long as it takes, so a hang is one of streams only
@pytest.mark.parametrize("model,stream", [("m-e500", False), ("m-e500", True), ("m-err200", False), ("m-err200", True), ("m-hang", True)])
def test_the_next_provider_answers(gw, model, stream):
    r = ask(gw, model, stream=stream)
    assert r.headers["x-ballast-target"] == "beta"
    text = "".join(c.choices[0].delta.content or "" for c in r.parse()) if stream else r.parse().choices[0].message.content
    assert text == "".join(WORDS)


def test_a_cut_stream_raises(gw):
    got = ""
    with pytest.raises(openai.APIError) as e:
        for c in gw.client.chat.completions.create(model="m-cut", messages=MSG, stream=True):
            got += c.choices[0].delta.content or ""
    assert got == "Tell me" and "incomplete" in str(e.value)


def test_typed_errors(gw):
    with pytest.raises(openai.BadRequestError) as e:
        gw.client.chat.completions.create(model="m-bad", messages=MSG, temperature=9)
    assert e.value.code == "invalid_value" and e.value.param == "temperature"
    with pytest.raises(openai.NotFoundError) as e:
        gw.client.chat.completions.create(model="nobody", messages=MSG)
    assert e.value.code == "model_not_found"
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=gw.url + "/v1", api_key="hf_wrong", max_retries=0).models.list()


def test_a_client_that_leaves_stops_the_upstream(gw):
    before = gw.a.cancelled
    client = openai.OpenAI(base_url=gw.url + "/v1", api_key=gw.tokens["alice"])
    s = client.chat.completions.create(model="m-slow", messages=MSG, stream=True)
    next(iter(s))
    s.close()
    client.close()
    end = time.time() + 3
    while gw.a.cancelled == before and time.time() < end:
        time.sleep(0.02)
    assert gw.a.cancelled == before + 1


def test_a_reload_cuts_no_stream(gw):
    counts = []

    def read():
        n = 0
        for c in gw.client.chat.completions.create(model="m-slow", messages=MSG, stream=True):
            n += bool(c.choices[0].delta.content)
        counts.append(n)
    threads = [threading.Thread(target=read) for _ in range(20)]
    for t in threads:
        t.start()
    for _ in range(3):
        time.sleep(0.4)
        gw.proc.send_signal(signal.SIGHUP)
    for t in threads:
        t.join()
    assert counts == [100] * 20


def test_ledger_has_each_request_once(gw):
    ids = [ask(gw, "m-ok", stream=i % 2 == 0).headers["x-request-id"] for i in range(10)]
    time.sleep(1)
    db = sqlite3.connect(gw.data / "ballast.db")
    q = "SELECT count(*), sum(prompt_tokens), sum(completion_tokens), sum(cost_micros) FROM usage_row WHERE outcome = 'ok' AND request_id IN (%s)" % ",".join("?" * 10)
    # streams were opened and left by the raw client above, whole answers were read: look at those
    whole = ids[1::2]
    n, p, c, cost = db.execute(q.replace(",".join("?" * 10), ",".join("?" * 5)), whole).fetchone()
    assert (n, p, c, cost) == (5, 55, 25, 5 * (11 + 2 * 5))
    assert db.execute("SELECT count(*) FROM usage_row WHERE request_id IN (%s)" % ",".join("?" * 10), ids).fetchone()[0] == 10
    assert db.execute("SELECT count(*) FROM usage_row WHERE model = 'm-cut' AND outcome = 'cut'").fetchone()[0] == 1
    status, _, text = gw.http("GET", "/metrics")
    if status == 200:
        assert b"ballast_gate_requests_total" in text


def test_a_refused_key_rests_its_provider(gw):
    """Last: from here on every model of alpha rests, since it is the key that was refused."""
    assert ask(gw, "m-ok").headers["x-ballast-target"] == "alpha"
    assert ask(gw, "m-key").headers["x-ballast-target"] == "beta"
    assert ask(gw, "m-ok").headers["x-ballast-target"] == "beta"
