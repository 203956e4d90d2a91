# SPDX-License-Identifier: Apache-2.0
"""The rates of the review on the reference corpus (../shared/corpus/review.tar.gz, unpacked here, never committed).

Labels. MANIFEST.jsonl labels each file: malicious, benign, bomb, unlabelled (ma_uniq: fixtures of another scanner, used
only to prove that nothing crashes). A malicious sample counts as *pickle-bearing* unless its format carries no pickle:
the folders injected, picklescan, modelscan, pickleball and benign/pf hold pickles (raw, torch, numpy, archives); of
`adversarial` those named in NO_PICKLE do not. One label is not ours: benign/pf/0004_billion-laughs is labelled malicious
by its publisher; it builds nested lists, calls nothing, and harms only whoever prints it: INERT, reported, not counted.
"""
import collections
import json
import os
import subprocess
import sys
import tarfile
import time

import pytest

from conftest import BIN, SANITIZED, SHARED

CORPUS = SHARED / "corpus" / "review.tar.gz"
NO_PICKLE = ("evil_elf.bin", "gguf_", "hf_", "keras_", "onnx_", "openvino.xml", "st_hole", "st_name", "st_overlap", "tar_symlink", "tf_",
             "torch_jit_code", "xxe.pmml")
INERT = {"benign/pf/0004_billion-laughs.proto2.pkl"}
pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="no corpus beside the checkout")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    d = tmp_path_factory.mktemp("corpus")
    with tarfile.open(CORPUS) as t:
        t.extractall(d)  # our own archive; Debian 12's Python knows no filters
    rows = [json.loads(line) for line in (d / "MANIFEST.jsonl").read_text().splitlines()]
    return d, rows


@pytest.fixture(scope="module")
def results(corpus):
    d, rows = corpus
    p = subprocess.run([BIN, "review", "--json", str(d)], capture_output=True, text=True, timeout=900)
    out = {}
    for line in p.stdout.splitlines():
        j = json.loads(line)
        out[os.path.relpath(j["path"], d)] = j
    assert p.returncode == 4, p.stderr
    return out


def pickle_bearing(path):
    return not (path.startswith("adversarial/") and path.split("/")[1].startswith(NO_PICKLE))


def test_every_file_gets_one_line_of_the_documented_shape(corpus, results):
    for row in corpus[1]:
        j = results[row["path"]]
        assert set(j) == {"path", "sha256", "bytes", "format", "verdict", "coverage", "findings"}
        assert j["sha256"] == row["sha256"] and j["bytes"] == row["bytes"]
        assert j["verdict"] in ("pass", "notice", "review", "block") and j["coverage"] in ("full", "partial", "none")
        assert not (j["coverage"] == "none" and j["verdict"] in ("pass", "notice")), "not examined is never clean: " + row["path"]
        for f in j["findings"]:
            assert set(f) == {"rule", "severity", "message", "where"}
        if j["verdict"] != "pass":
            assert j["findings"]


def test_nothing_crashes_the_examining_process(corpus, results):
    bad = [p for p, j in results.items() if any(f["rule"] == "not_examined" and "process" in f["message"] for f in j["findings"])]
    assert bad == []


def test_no_benign_sample_is_blocked(corpus, results):
    rows = [r for r in corpus[1] if r["label"] == "benign"]
    assert len(rows) > 500
    blocked = [r["path"] for r in rows if results[r["path"]]["verdict"] == "block"]
    assert blocked == []
    review = [r["path"] for r in rows if results[r["path"]]["verdict"] == "review"]
    assert len(review) <= 0.03 * len(rows), review


def test_malicious_pickles_are_blocked(corpus, results):
    rows = [r for r in corpus[1] if r["label"] == "malicious" and pickle_bearing(r["path"]) and r["path"] not in INERT]
    assert len(rows) > 440
    missed = [r["path"] for r in rows if results[r["path"]]["verdict"] != "block"]
    assert len(missed) <= 0.05 * len(rows), missed


def test_no_malicious_sample_of_any_format_is_clean(corpus, results):
    rows = [r for r in corpus[1] if r["label"] == "malicious" and r["path"] not in INERT]
    clean = [r["path"] for r in rows if results[r["path"]]["verdict"] in ("pass",)]
    assert clean == []


# A process starts with the peak memory of whoever spawned it (Linux keeps ru_maxrss across exec), and pytest is large:
# a small interpreter of its own spawns the command and measures it.
MEASURE = """
import json, os, subprocess, sys, time
start = time.time()
p = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
out = p.stdout.read()
_, status, usage = os.wait4(p.pid, 0)
print(json.dumps({"wall": time.time() - start, "peak_mb": usage.ru_maxrss / 1024, "code": os.waitstatus_to_exitcode(status), "out": out}))
"""


def test_bombs_stay_within_five_seconds_and_256_mb(corpus):
    d, rows = corpus
    table = []
    for row in (r for r in rows if r["label"] == "bomb"):
        p = subprocess.run([sys.executable, "-S", "-c", MEASURE, BIN, "review", "--json", str(d / row["path"])], capture_output=True, text=True, check=True)
        m = json.loads(p.stdout)
        j = json.loads(m["out"])
        # peak: of the command or of the examining child it reaped, whichever was larger
        table.append((row["path"], round(m["wall"], 2), round(m["peak_mb"]), j["verdict"], j["coverage"]))
        assert m["code"] in (0, 3, 4)
        assert m["wall"] < (25 if SANITIZED else 5), row
        if not SANITIZED:
            assert m["peak_mb"] < 256, row
    for line in table:
        print("%-34s %6.2f s %5d MB  %s %s" % line)


def test_print_the_table(corpus, results):
    count = collections.Counter()
    for r in corpus[1]:
        count[(r["path"].split("/")[0], r["label"], results[r["path"]]["verdict"])] += 1
    print()
    for (folder, label, verdict), n in sorted(count.items()):
        print("%-12s %-11s %-7s %5d" % (folder, label, verdict, n))
    rows = [r for r in corpus[1] if r["label"] == "malicious" and pickle_bearing(r["path"]) and r["path"] not in INERT]
    hit = sum(results[r["path"]]["verdict"] == "block" for r in rows)
    print("pickle-bearing malicious samples blocked: %d of %d (%.1f %%)" % (hit, len(rows), 100.0 * hit / len(rows)))
