#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adapter of ../shared/tools/gateway-faults: providers.json -> ballast.yaml, then the real binary under a small supervisor.

    run.py serve            started by the adapter ($FAULTS_PROVIDERS, $FAULTS_KEY, $FAULTS_PORT); ends with SIGTERM
    run.py HOOK [ARG…]      kill9, start, reload, store_break, store_heal, ledger_tokens MODEL

State of the run lies in /tmp/ballast-faults-$FAULTS_PORT (data directory, configuration, log, pid)."""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = os.environ.get("BALLAST_BIN", str(ROOT / "build" / "ballast"))
PORT = os.environ.get("FAULTS_PORT", "8722")
BASE = pathlib.Path("/tmp/ballast-faults-" + PORT)
DB = BASE / "data" / "ballast.db"


def config(doc):
    """JSON is YAML. Providers that speak other dialects than OpenAI's are left out."""
    s, prio, models = doc["settings"], {}, {}
    for m in doc["models"]:
        for r in m["providers"]:
            models.setdefault(r["provider"], []).append({"name": m["name"], "upstream": r["upstream_model"]})
            prio[r["provider"]] = r["priority"]
    out = []
    for p in doc["providers"]:
        if p["dialect"] != "openai":
            continue
        key = BASE / "keys" / p["name"]
        key.write_text(p["key"])
        out.append({"name": p["name"], "base_url": p["base_url"], "key_file": str(key), "priority": prio[p["name"]], "models": models[p["name"]],
                    "connect_timeout_ms": s["connect_timeout_ms"], "first_content_timeout_ms": s["first_token_timeout_ms"], "idle_timeout_ms": s["idle_timeout_ms"]})
    return {"listen": "127.0.0.1:" + PORT, "data": str(BASE / "data"), "log": {"access": False}, "providers": out}


def spawn():
    log = open(BASE / "server.log", "ab")
    p = subprocess.Popen([BIN, "serve", "--config", str(BASE / "ballast.yaml")], stdout=log, stderr=log)
    (BASE / "pid").write_text(str(p.pid))
    return p


def token(key):
    subprocess.run([BIN, "user", "add", "faults", "--data", str(BASE / "data")], check=True, stdout=subprocess.DEVNULL)
    db = sqlite3.connect(DB, timeout=10)
    uid = db.execute("SELECT id FROM owner WHERE name = 'faults'").fetchone()[0]
    db.execute("INSERT INTO token (user_id, name, hash, hint, role, created_ms) VALUES (?, 'faults', ?, 'sk', 2, 0)", (uid, hashlib.sha256(key.encode()).digest()))
    db.commit()


def serve():
    shutil.rmtree(BASE, ignore_errors=True)
    (BASE / "keys").mkdir(parents=True)
    (BASE / "ballast.yaml").write_text(json.dumps(config(json.load(open(os.environ["FAULTS_PROVIDERS"])))))
    child = spawn()
    while child.poll() is None and not (BASE / "data" / "server.json").exists():
        time.sleep(0.02)
    token(os.environ["FAULTS_KEY"])

    def end(*_):
        child.terminate()
        child.wait(20)
        sys.exit(0)
    signal.signal(signal.SIGTERM, end)
    while True:
        time.sleep(0.02)
        if (BASE / "start").exists():
            (BASE / "start").unlink()
            child.wait()
            child = spawn()


def lock_holder():
    """The store is locked by somebody else: no write succeeds while this lives."""
    db = sqlite3.connect(DB, timeout=10, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    (BASE / "locked").touch()
    time.sleep(60)


def hook(name, args):
    pid = int((BASE / "pid").read_text())
    if name == "kill9":
        os.kill(pid, signal.SIGKILL)
    elif name == "start":
        (BASE / "start").touch()
    elif name == "reload":
        os.kill(pid, signal.SIGHUP)
    elif name == "store_break":
        p = subprocess.Popen([sys.executable, __file__, "lock_holder"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (BASE / "locker").write_text(str(p.pid))
        while not (BASE / "locked").exists():
            time.sleep(0.02)
    elif name == "store_heal":
        os.kill(int((BASE / "locker").read_text()), signal.SIGKILL)
    elif name == "ledger_tokens":
        time.sleep(0.5)
        print(sqlite3.connect(DB, timeout=10).execute("SELECT coalesce(sum(completion_tokens), 0) FROM usage_row WHERE model = ?", (args[0],)).fetchone()[0])
    else:
        sys.exit("unknown hook " + name)


if __name__ == "__main__":
    what = sys.argv[1]
    serve() if what == "serve" else lock_holder() if what == "lock_holder" else hook(what, sys.argv[2:])
