# SPDX-License-Identifier: Apache-2.0
"""npm's @huggingface/hub, unchanged and newest, does everything a person does (js_client.mjs); its chunker cuts unlike hf_xet's."""
import pathlib
import subprocess

import pytest
from conftest import ROOT

from hub_helpers import get_json, random_bytes, settled

MODULES = ROOT / "build" / "npm-hub"


@pytest.fixture(scope="module")
def modules():
    if not (MODULES / "node_modules" / "@huggingface" / "hub").exists():
        MODULES.mkdir(parents=True, exist_ok=True)
        (MODULES / "package.json").write_text('{"name":"hub-tests","private":true}\n')
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", "@huggingface/hub"], cwd=MODULES, check=True, timeout=240)
    return MODULES


def test_javascript_library(server, modules):
    script = pathlib.Path(__file__).parent / "js_client.mjs"
    at = server.log_path.stat().st_size
    p = subprocess.run(["node", str(script), str(modules), server.url, server.tokens["alice"], "alice"], capture_output=True, text=True, timeout=240, cwd=server.base)
    log = server.log_path.read_bytes()[at:].decode(errors="replace")
    assert p.returncode == 0 and p.stdout.splitlines()[-1] == "JS OK 23", p.stdout + p.stderr + "\n--- server:\n" + log[-2500:]
    for route in ("cas.xorb_put", "cas.shard", "cas.range", "lfs.put", "hub.resolve.model"):
        assert "route=" + route in log, route + " was not used"
    assert " status=500 " not in log


def test_python_and_javascript_read_each_other(server, modules, tmp_path):
    """The same bytes have another Xet hash from each client; either gets what the other sent, and identical bytes are stored once by SHA-256."""
    data = random_bytes(3_000_000, 41)
    (tmp_path / "data.bin").write_bytes(data)
    code = """
import fs from "node:fs"; import { createRequire } from "node:module"; import { pathToFileURL } from "node:url";
const [modules, hubUrl, accessToken, what, file] = process.argv.slice(1);
const hub = await import(pathToFileURL(createRequire(modules + "/package.json").resolve("@huggingface/hub")));
const repo = { type: "model", name: "alice/both" };
if (what === "up") await hub.uploadFiles({ repo, hubUrl, accessToken, useXet: true, files: [{ path: "js.bin", content: new Blob([fs.readFileSync(file)]) }] });
else fs.writeFileSync(file, Buffer.from(await (await hub.downloadFile({ repo, hubUrl, accessToken, path: "py.bin", xet: true })).arrayBuffer()));
"""

    def js(what, file):
        p = subprocess.run(["node", "--input-type=module", "-e", code, str(modules), server.url, server.tokens["alice"], what, str(file)], capture_output=True, text=True, timeout=120)
        assert p.returncode == 0, p.stdout + p.stderr + server.tail(2500)

    server.hf("alice", "upload", "alice/both", str(tmp_path / "data.bin"), "py.bin")
    js("up", tmp_path / "data.bin")
    settled(server, "alice/both")
    e = {x["path"]: x for x in get_json(server, "/api/models/alice/both/tree/main")}
    assert e["js.bin"]["lfs"]["oid"] == e["py.bin"]["lfs"]["oid"]
    js("down", tmp_path / "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == data
    server.hf("alice", "download", "alice/both", "js.bin", "--local-dir", str(tmp_path / "d"))
    assert (tmp_path / "d" / "js.bin").read_bytes() == data
