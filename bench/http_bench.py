#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""http_bench.py BALLAST — small reply, file download, idle memory and start time, beside nginx in the same run.

The primary figure is server CPU time per request (all threads, from /proc), since the load generator saturates its own
core first. Server and peer are pinned to core 1, the load to core 0. ABBA order, medians.
"""
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

WINDOW, ROUNDS = float(os.environ.get("WINDOW", "3")), int(os.environ.get("ROUNDS", "2"))
FILE_MIB = 256


def cpu_ns(pid):
    total = 0
    for pid in [pid] + [int(c) for c in subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()]:
        for t in pathlib.Path("/proc/%d/task" % pid).iterdir():
            try:
                total += int((t / "schedstat").read_text().split()[0])
            except OSError:
                pass
    return total


def rss_mib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path("/proc/%d/status" % pid).read_text())[1]) / 1024


def wait_http(url):
    for _ in range(400):
        try:
            return urllib.request.urlopen(url, timeout=2).read()
        except OSError:
            time.sleep(0.01)
    raise SystemExit("no answer from " + url)


def start_nginx(d, port):
    conf = d / "nginx.conf"
    conf.write_text("""worker_processes 1; daemon off; pid %(d)s/pid; error_log %(d)s/err;
events { worker_connections 4096; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000000; client_body_temp_path %(d)s/b; proxy_temp_path %(d)s/p;
 fastcgi_temp_path %(d)s/f; uwsgi_temp_path %(d)s/u; scgi_temp_path %(d)s/s;
 server { listen 127.0.0.1:%(port)d; root %(d)s; location = /small { default_type application/json; return 200 '{"name":"ballast","version":"0.1.0"}'; } } }
""" % {"d": d, "port": port})
    return subprocess.Popen(["taskset", "-c", "1", "nginx", "-p", str(d), "-c", str(conf), "-e", str(d / "err")], stderr=subprocess.DEVNULL)


def wrk(pid, url, c, headers=()):
    a = cpu_ns(pid)
    out = subprocess.run(["taskset", "-c", "0", "wrk", "-t1", "-c%d" % c, "-d%gs" % WINDOW, "--latency", *sum((["-H", h] for h in headers), []), url],
                         capture_output=True, text=True).stdout
    n = int(re.search(r"(\d+) requests in", out)[1])
    if "Non-2xx" in out:
        raise SystemExit("errors from %s:\n%s" % (url, out))
    return (cpu_ns(pid) - a) / 1000 / n, float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), re.search(r"99%\s+(\S+)", out)[1]


def curl(pid, url, headers=()):
    a, t = cpu_ns(pid), time.time()
    n = int(subprocess.run(["taskset", "-c", "0", "curl", "-s", "-o", "/dev/null", "-w", "%{size_download}", *sum((["-H", h] for h in headers), []), url],
                           capture_output=True, text=True, check=True).stdout)
    return n / (time.time() - t) / 1e9, (cpu_ns(pid) - a) / n


def main():
    ballast = sys.argv[1]
    with tempfile.TemporaryDirectory() as tmp:
        d = pathlib.Path(tmp)
        d.chmod(0o755)
        cli = lambda *a: subprocess.run([ballast, *a, "--data", str(d / "data")], capture_output=True, text=True, check=True).stdout.strip()
        (d / "c.yaml").write_text("log: {access: false}\nreview: {workers: 1}\n")
        run = lambda: subprocess.Popen(["taskset", "-c", "1", ballast, "serve", "--data", str(d / "data"), "--config", str(d / "c.yaml"), "--listen", "127.0.0.1:18621"],
                                       stderr=open(d / "log", "ab"))
        b = run()
        wait_http("http://127.0.0.1:18621/readyz")
        cli("user", "add", "alice")
        token = cli("token", "create", "alice", "--role", "write")
        b.send_signal(signal.SIGTERM)
        b.wait()
        (d / "data/server.json").unlink(missing_ok=True)
        t = time.time()
        b = run()
        wait_http("http://127.0.0.1:18621/readyz")
        start_ms = (time.time() - t) * 1000
        time.sleep(1)
        idle = rss_mib(b.pid)
        n = start_nginx(d, 18622)
        wait_http("http://127.0.0.1:18622/small")
        print("start to /readyz on an existing data directory: %.0f ms · idle RSS: %.1f MiB (nginx %.1f MiB)\n" % (start_ms, idle, rss_mib(n.pid)))
        try:
            table(d, b, n, token)
        finally:
            for p in (b, n):
                p.send_signal(signal.SIGTERM)
                p.wait()


def table(d, b, n, token):
    rows = {}
    auth = ["Authorization: Bearer " + token]
    targets = [("ballast", b.pid, "http://127.0.0.1:18621/api/ballast/version", ()), ("nginx", n.pid, "http://127.0.0.1:18622/small", ())]
    for c in (8, 64):
        for _ in range(ROUNDS):
            for name, pid, url, h in targets + targets[::-1]:
                rows.setdefault((c, name), []).append(wrk(pid, url, c, h))
            rows.setdefault((c, "ballast+auth"), []).append(wrk(b.pid, "http://127.0.0.1:18621/api/whoami-v2", c, auth))
    print("%-34s %12s %12s %14s %8s" % ("small JSON reply", "ballast", "nginx", "ballast+token", "ratio"))
    med = lambda k, i: statistics.median(v[i] for v in rows[k])
    for c in (8, 64):
        x, y, z = med((c, "ballast"), 0), med((c, "nginx"), 0), med((c, "ballast+auth"), 0)
        print("%-34s %12.2f %12.2f %14.2f %8.2f" % ("CPU µs/request c=%d" % c, x, y, z, x / y))
        x, y, z = med((c, "ballast"), 1), med((c, "nginx"), 1), med((c, "ballast+auth"), 1)
        print("%-34s %12.0f %12.0f %14.0f %8.2f" % ("requests/s c=%d" % c, x, y, z, x / y))
    download(d, b, n, token)


def download(d, b, n, token):
    import hashlib
    data = os.urandom(FILE_MIB << 20)
    (d / "file.bin").write_bytes(data)
    oid = hashlib.sha256(data).hexdigest()

    def call(path, body, ctype="application/json", method="POST", auth=True):
        h = {"Content-Type": ctype, **({"Authorization": "Bearer " + token} if auth else {})}
        url = path if path.startswith("http") else "http://127.0.0.1:18621" + path
        return urllib.request.urlopen(urllib.request.Request(url, data=body, method=method, headers=h), timeout=120).read()

    call("/api/repos/create", b'{"name":"big","type":"model"}')
    batch = json.loads(call("/alice/big.git/info/lfs/objects/batch", json.dumps({"operation": "upload", "transfers": ["basic"], "hash_algo": "sha256",
                            "objects": [{"oid": oid, "size": len(data)}]}).encode(), "application/vnd.git-lfs+json"))
    a, t = cpu_ns(b.pid), time.time()
    call(batch["objects"][0]["actions"]["upload"]["href"], data, "application/octet-stream", "PUT", auth=False)
    up = (len(data) / (time.time() - t) / 1e9, (cpu_ns(b.pid) - a) / len(data))
    lines = [{"key": "header", "value": {"summary": "x"}}, {"key": "lfsFile", "value": {"path": "file.bin", "algo": "sha256", "oid": oid, "size": len(data)}}]
    call("/api/models/alice/big/commit/main", "\n".join(map(json.dumps, lines)).encode(), "application/x-ndjson")
    url = "http://127.0.0.1:18621/alice/big/resolve/main/file.bin"
    for _ in range(600):
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD", headers={"Authorization": "Bearer " + token}), timeout=30)
            break
        except OSError:
            time.sleep(0.1)
    rows = {"ballast": [], "nginx": []}
    for _ in range(3):
        rows["ballast"].append(curl(b.pid, url, ["Authorization: Bearer " + token]))
        rows["nginx"].append(curl(n.pid, "http://127.0.0.1:18622/file.bin"))
    med = lambda k, i: statistics.median(v[i] for v in rows[k])
    print("\n%-34s %12s %12s %14s %8s" % ("%d MiB file, one connection" % FILE_MIB, "ballast", "nginx", "", "ratio"))
    print("%-34s %12.2f %12.2f %14s %8.2f" % ("resolve (rebuilt from chunks) GB/s", med("ballast", 0), med("nginx", 0), "", med("ballast", 0) / med("nginx", 0)))
    print("%-34s %12.2f %12.2f %14s %8.2f" % ("server CPU s/GB", med("ballast", 1), med("nginx", 1), "", med("ballast", 1) / med("nginx", 1)))
    print("%-34s %12.2f %12s" % ("LFS upload, durable, GB/s", up[0], "–"))
    print("%-34s %12.2f %12s" % ("LFS upload, server CPU s/GB", up[1], "–"))


main()
