#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fake_engine.py MODEL PORT — stands for an engine in tests. The first word of the model file says how it behaves:
ok, crash (ends at once), sick (healthy, but no token), deaf (ignores SIGTERM), parent (has a helper process),
mute (never healthy)."""
import http.server
import os
import signal
import subprocess
import sys

path = sys.argv[1]
if os.path.isdir(path):
    path = os.path.join(path, "mode.safetensors")
mode = open(path).read().split()[0]
print("fake engine, mode", mode, flush=True)
if mode == "crash":
    sys.exit(3)
if mode == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode == "parent":
    subprocess.Popen(["sleep", "1000"])


ANSWER = (b'{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant",'
          b'"content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}')


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(503 if mode == "mute" else 200 if self.path == "/health" else 404, b"{}")

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.answer(500 if mode == "sick" else 200, ANSWER)

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
