# SPDX-License-Identifier: Apache-2.0
"""Old huggingface_hub and hf_xet, each in a virtual environment of its own, do everything a person does (old_client.py).

Three versions run always, one for each way an upload was negotiated before today's (which every other test uses); all of SWEEP
run with BALLAST_CLIENT_SWEEP=1. What fails here and not at the newest version is a spelling that the server has forgotten.
"""
import concurrent.futures
import os
import pathlib
import subprocess

import pytest

from conftest import ROOT

# (huggingface_hub, hf_xet or None): LFS only; `expand=xetEnabled` and unversioned CAS routes; "xet" offered in the LFS batch
ALWAYS = [("0.17.3", None), ("0.30.2", "1.0.0"), ("0.36.0", "1.2.0")]
SWEEP = [("0.11.1", None), ("0.14.1", None), ("0.20.3", None), ("0.23.5", None), ("0.26.5", None), ("0.32.6", "1.1.2"), ("0.34.4", "1.1.8"), ("1.0.1", "1.2.0"),
         ("1.7.0", "1.4.2"), ("1.20.0", "1.5.1"), ("1.28.0", "1.8.0")]
VERSIONS = ALWAYS + (SWEEP if os.environ.get("BALLAST_CLIENT_SWEEP") else [])
pytestmark = pytest.mark.release_only


def install(version):
    hub, xet = version
    where = ROOT / "build" / ("venv-hub-" + hub)
    wanted = ROOT / "build" / ("hub-%s.txt" % hub)
    text = "huggingface_hub==%s\n" % hub + ("hf_xet==%s\n" % xet if xet else "")
    if not wanted.exists() or wanted.read_text() != text:
        wanted.write_text(text)
    subprocess.run([str(ROOT / "tools/setup/venv.sh"), str(where), str(wanted)], check=True, timeout=240)
    return where / "bin" / "python"


@pytest.fixture(scope="module")
def pythons():
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        return dict(zip(VERSIONS, pool.map(install, VERSIONS)))


@pytest.mark.parametrize("version", VERSIONS, ids=lambda v: v[0])
def test_old_client(server, pythons, version, tmp_path):
    env = server.client_env("alice", HF_HUB_DISABLE_PROGRESS_BARS="1", HUGGING_FACE_HUB_TOKEN=server.tokens["alice"])
    env.update(HF_HOME=str(tmp_path / "home"), HF_XET_CACHE=str(tmp_path / "xet"), PYTHONWARNINGS="ignore")
    script = pathlib.Path(__file__).parent / "old_client.py"
    at = server.log_path.stat().st_size
    p = subprocess.run([str(pythons[version]), str(script), "alice", str(tmp_path / "work")], env=env, capture_output=True, text=True, timeout=180, cwd=tmp_path)
    log = server.log_path.read_bytes()[at:].decode(errors="replace")
    assert p.returncode == 0, p.stdout + p.stderr + "\n--- server:\n" + log[-2500:]
    assert p.stdout.splitlines()[-1] == version[0] + ": 26 steps"
    assert ("route=cas.xorb_put" in log) == (version[1] is not None), "large files went the other way"
    assert " status=500 " not in log
