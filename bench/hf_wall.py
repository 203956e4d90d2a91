#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Wall time and server CPU of stock hf_xet against our CAS and, if given, xet-core's local_cas_server.

  hf_wall.py [--server build/bench/bench_cas_server] [--peer local_cas_server] [--no-nginx] [--parallel 64] [--big MB]
             [--rounds N] [--dir D]

Run it with a Python that has hf_xet. Each upload uses a fresh data directory and a fresh client cache; servers take
turns, and the best of the rounds is printed (both see the same noise). Then plain range GETs (curl) of a stored
xorb beside nginx serving as many bytes as a static file, and the server's peak memory under many xorb POSTs at once.
The peer defaults to $PEER; without it only our rows appear.
"""
import argparse, http.client, json, os, random, shutil, socket, struct, subprocess, sys, tempfile, threading, time, urllib.parse

CLIENT = r"""
import sys, time, os, json, resource, hf_xet
cas, tok, f, out = sys.argv[1:5]
s = hf_xet.XetSession(); n = os.path.getsize(f); exp = int(time.time()) + 900
t = time.time()
with s.new_upload_commit(endpoint=cas, token=tok, token_expiry_unix_secs=exp) as c: h = c.start_upload_file(f, sha256=hf_xet.COMPUTE_SHA256)
up = time.time() - t; info = h.result().xet_info
t = time.time()
with s.new_file_download_group(endpoint=cas, token=tok, token_expiry_unix_secs=exp) as g: g.start_download_file(hf_xet.XetFileInfo(info.hash, n), out)
r = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"up": up, "down": time.time() - t, "cpu": r.ru_utime + r.ru_stime, "hash": info.hash}))
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_s(pid):
    f = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid):
    return next(int(l.split()[1]) / 1024 for l in open(f"/proc/{pid}/status") if l.startswith("VmHWM"))


class Ours:
    name = "ballast"

    def __init__(s, exe, data):
        s.p = subprocess.Popen([exe, data], stdout=subprocess.PIPE, text=True)
        j = json.loads(s.p.stdout.readline())
        s.cas, s.tok = j["cas"], j["token"]


class Peer:
    name = "local_cas_server"

    def __init__(s, exe, data):
        port = free_port()
        s.p = subprocess.Popen([exe, "--data-directory", data, "--host", "127.0.0.1", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        s.cas, s.tok = f"http://127.0.0.1:{port}", "x"
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("the peer does not answer")


def make_files(d, big_mb):
    """A GGUF-shaped file (quantised blocks: fp16 scale + 32 random bytes, few distinct high bits) and plain noise."""
    rnd = random.Random(1)
    path = os.path.join(d, "model.gguf")
    with open(path, "wb") as f:
        f.write(b"GGUF" + struct.pack("<IQQ", 3, 200, 20) + bytes(4096))
        scale = [struct.pack("<e", rnd.gauss(0, 0.01)) for _ in range(4096)]
        while f.tell() < 98_000_000:
            noise = rnd.randbytes(32 * 4096)
            f.write(b"".join(scale[(i * 31) & 4095] + noise[32 * i:32 * i + 32] for i in range(4096)))
    big = os.path.join(d, "random.bin")
    with open(big, "wb") as f:
        for _ in range(big_mb):
            f.write(os.urandom(1_000_000))
    return [path, big]


def one(kind, exe, path, d):
    data, cache, out = (os.path.join(d, x) for x in ("data", "cache", "out"))
    for x in (data, cache):
        shutil.rmtree(x, ignore_errors=True)
    srv = kind(exe, data)
    try:
        env = dict(os.environ, HF_XET_CACHE=cache, HF_HUB_DISABLE_TELEMETRY="1", NO_PROXY="127.0.0.1")
        r = subprocess.run([sys.executable, "-c", CLIENT, srv.cas, srv.tok, path, out], env=env, stdout=subprocess.PIPE, check=True, timeout=600)
        res = json.loads(r.stdout)
        res["server_cpu"], res["rss"] = cpu_s(srv.p.pid), rss_mb(srv.p.pid)
        res["same"] = subprocess.run(["cmp", "-s", path, out]).returncode == 0
        return res
    finally:
        srv.p.kill()
        srv.p.wait()
        if os.path.exists(out):
            os.unlink(out)


def wall(a, d):
    kinds = [(Ours, a.server)] + ([(Peer, a.peer)] if a.peer else [])
    print(f"{'file':<12} {'server':<18} {'up s':>7} {'down s':>7} {'client cpu':>10} {'server cpu':>10} {'rss MB':>7}")
    for path in make_files(d, a.big):
        got = {k.name: [] for k, _ in kinds}
        for _ in range(a.rounds):
            for kind, exe in kinds:
                got[kind.name].append(one(kind, exe, path, d))
        for name, rs in got.items():
            best = {k: min(r[k] for r in rs) for k in ("up", "down", "cpu", "server_cpu")}
            print(f"{os.path.basename(path):<12} {name:<18} {best['up']:>7.2f} {best['down']:>7.2f} {best['cpu']:>10.2f} "
                  f"{best['server_cpu']:>10.2f} {max(r['rss'] for r in rs):>7.0f}{'' if all(r['same'] for r in rs) else '  BYTES DIFFER'}", flush=True)


def curl(url, rng, d):
    t = time.time()
    subprocess.run(["curl", "-sf", "-o", "/dev/null", "-H", f"Range: bytes={rng}", url], check=True)
    return time.time() - t


def nginx(a, d):
    """Range GETs of one 64 MiB xorb: our signed URL and nginx with sendfile."""
    src = os.path.join(d, "x64")
    with open(src, "wb") as f:
        f.write(os.urandom(64_000_000))
    data = os.path.join(d, "data")
    shutil.rmtree(data, ignore_errors=True)
    srv = Ours(a.server, data)
    port = free_port()
    conf = os.path.join(d, "nginx.conf")
    with open(conf, "w") as f:
        f.write(f"user root; worker_processes 2; daemon off; pid {d}/nginx.pid; error_log {d}/err.log; events {{}}\n"
                f"http {{ access_log off; sendfile on; tcp_nopush on; server {{ listen 127.0.0.1:{port}; root {d}; }} }}\n")
    ng = subprocess.Popen(["nginx", "-c", conf, "-p", d], stderr=subprocess.DEVNULL)
    try:
        env = dict(os.environ, HF_XET_CACHE=os.path.join(d, "cache"), HF_HUB_DISABLE_TELEMETRY="1")
        r = subprocess.run([sys.executable, "-c", CLIENT, srv.cas, srv.tok, src, os.path.join(d, "out")], env=env, stdout=subprocess.PIPE, check=True)
        h = json.loads(r.stdout)["hash"]
        plan = json.loads(subprocess.run(["curl", "-sf", "-H", f"Authorization: Bearer {srv.tok}", f"{srv.cas}/v2/reconstructions/{h}"],
                                         stdout=subprocess.PIPE, check=True).stdout)
        desc = list(plan["xorbs"].values())[0][0]
        rng = f"{desc['ranges'][0]['bytes']['start']}-{desc['ranges'][0]['bytes']['end']}"
        n = desc["ranges"][0]["bytes"]["end"] + 1
        with open(src, "wb") as f:
            f.write(os.urandom(n))
        res = {"ballast": [], "nginx": []}
        for _ in range(max(5, a.rounds)):
            res["ballast"].append(curl(desc["url"], rng, d))
            res["nginx"].append(curl(f"http://127.0.0.1:{port}/x64", rng, d))
        for k, v in res.items():
            print(f"range GET of {n / 1e6:.0f} MB, {k:<8} {min(v) * 1000:6.0f} ms  {n / min(v) / 1e9:5.2f} GB/s")
    finally:
        for p in (srv.p, ng):
            p.terminate()
        srv.p.wait(), ng.wait()


def stored_xorb(data):
    """The body of a stored xorb as a client would post it: (hash, bytes). Layout: docs/formats/xorb-store.md."""
    for sub, _, names in os.walk(os.path.join(data, "xorb")):
        for n in names:
            b = open(os.path.join(sub, n), "rb").read()
            return n, b[:struct.unpack_from("<Q", b, len(b) - 48)[0]]
    sys.exit("no xorb was stored")


def parallel(a, d):
    """Many POSTs of a 64 MB xorb at once to an empty store: peak memory and total rate."""
    src, data = os.path.join(d, "p64"), os.path.join(d, "data")
    with open(src, "wb") as f:
        f.write(os.urandom(64_000_000))
    shutil.rmtree(data, ignore_errors=True)
    srv = Ours(a.server, data)
    env = dict(os.environ, HF_XET_CACHE=os.path.join(d, "cache"), HF_HUB_DISABLE_TELEMETRY="1")
    subprocess.run([sys.executable, "-c", CLIENT, srv.cas, srv.tok, src, os.path.join(d, "out")], env=env, stdout=subprocess.DEVNULL, check=True)
    srv.p.kill(), srv.p.wait()
    name, body = stored_xorb(data)
    shutil.rmtree(data)
    srv = Ours(a.server, data)
    status = []

    def post():
        u = urllib.parse.urlsplit(srv.cas)
        c = http.client.HTTPConnection(u.hostname, u.port, timeout=600)
        c.request("POST", f"{u.path}/v1/xorbs/default/{name}", body, {"Authorization": f"Bearer {srv.tok}"})
        status.append(c.getresponse().status)
        c.close()

    try:
        base, t = rss_mb(srv.p.pid), time.time()
        ts = [threading.Thread(target=post) for _ in range(a.parallel)]
        [x.start() for x in ts]
        [x.join() for x in ts]
        t = time.time() - t
        print(f"{a.parallel} POSTs of {len(body) / 1e6:.0f} MB at once: {status.count(200)} x 200, {len(body) * a.parallel / t / 1e9:.2f} GB/s, "
              f"server cpu {cpu_s(srv.p.pid):.1f} s, peak memory {rss_mb(srv.p.pid):.0f} MB (idle {base:.0f})")
    finally:
        srv.p.kill(), srv.p.wait()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--server", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "build", "bench", "bench_cas_server"))
    ap.add_argument("--peer", default=os.environ.get("PEER"))
    ap.add_argument("--no-nginx", action="store_true")
    ap.add_argument("--parallel", type=int, default=64, help="xorb POSTs at once")
    ap.add_argument("--big", type=int, default=1000, help="MB of noise")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--dir")
    a = ap.parse_args()
    d = tempfile.mkdtemp(prefix="hf-wall-", dir=a.dir)
    try:
        wall(a, d)
        if not a.no_nginx:
            nginx(a, d)
        parallel(a, d)
    finally:
        shutil.rmtree(d, ignore_errors=True)


if __name__ == "__main__":
    main()
