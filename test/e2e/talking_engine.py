#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""talking_engine.py MODEL PORT — an engine for the console's test: healthy after a moment, answers as a paced stream."""
import http.server
import json
import sys
import time

WORDS = ["Est ", "vir ", "qui ", "adest."]
START = time.time()
print("talking engine on port", sys.argv[2], "with", sys.argv[1], flush=True)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def plain(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.plain(200 if self.path == "/health" and time.time() - START > 0.5 else 503, b"{}")

    def do_POST(self):
        ask = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        usage = {"prompt_tokens": 7, "completion_tokens": len(WORDS), "total_tokens": 7 + len(WORDS)}
        base = {"id": "x", "created": 1, "model": "m"}
        print("asked", ask.get("messages"), flush=True)
        if not ask.get("stream"):
            choice = {"index": 0, "message": {"role": "assistant", "content": "".join(WORDS)}, "finish_reason": "stop"}
            return self.plain(200, json.dumps(dict(base, object="chat.completion", choices=[choice], usage=usage)).encode())
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        events = [{"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}]
        events += [{"choices": [{"index": 0, "delta": {"content": w}}]} for w in WORDS]
        events += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, {"choices": [], "usage": usage}]
        for e in events:
            self.wfile.write(b"data: " + json.dumps(dict(base, object="chat.completion.chunk", **e)).encode() + b"\n\n")
            self.wfile.flush()
            time.sleep(0.03)
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
