# SPDX-License-Identifier: Apache-2.0
"""The review on samples it was not tuned on: review_samples.py makes them anew for each run (nothing is unpickled).

Held out, at the first run over them (2026-11-28, before anything was changed because of them): of 796 malicious ones 548
were blocked, 226 asked for a review, 22 came through as pass or notice; of 378 benign ones none was blocked, 28 (pandas)
were in review. What came through is fixed and stands here as a regression; the rest is `review` by design: a call of an
object nobody knows, with arguments that tell nothing. A second set (later(), 198 obscure names and tricks) was written
afterwards and changed nothing: 116 blocked, 82 in review, none clean.
"""
import collections
import json
import pathlib
import subprocess

import pytest

import review_samples
from conftest import BIN


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    d = tmp_path_factory.mktemp("samples")
    out = {}
    for label, samples in (("malicious", review_samples.malicious()), ("later", review_samples.later()), ("benign", review_samples.benign())):
        (d / label).mkdir()
        for name, data in samples:
            (d / label / name.replace("/", "_")).write_bytes(data)
    p = subprocess.run([BIN, "review", "--json", str(d)], capture_output=True, text=True, timeout=600)
    assert p.returncode == 4, p.stderr
    for line in p.stdout.splitlines():
        j = json.loads(line)
        path = pathlib.Path(j["path"])
        out[path.parent.name, path.name] = j
    table = collections.Counter((label, j["verdict"]) for (label, _), j in out.items())
    print()
    for (label, verdict), n in sorted(table.items()):
        print("%-10s %-7s %4d" % (label, verdict, n))
    return out


def of(verdicts, label, *wanted):
    return sorted(name for (l, name), j in verdicts.items() if l == label and j["verdict"] in wanted)


def test_there_are_enough_of_them(verdicts):
    assert len(of(verdicts, "malicious", "pass", "notice", "review", "block")) > 780
    assert len(of(verdicts, "benign", "pass", "notice", "review", "block")) > 150


def test_no_malicious_sample_is_clean(verdicts):
    assert of(verdicts, "malicious", "pass", "notice") == []
    assert of(verdicts, "later", "pass", "notice") == []
    assert len(of(verdicts, "later", "block")) >= 100


def test_most_malicious_samples_are_blocked(verdicts):
    review = of(verdicts, "malicious", "review")
    assert len(review) <= 0.12 * len(of(verdicts, "malicious", "block", "review")), review


def test_benign_samples_are_quiet(verdicts):
    assert of(verdicts, "benign", "block") == []
    assert of(verdicts, "benign", "review") == []
    assert len(of(verdicts, "benign", "notice")) <= 3


@pytest.mark.parametrize("name", ["load-from-bytes-p0", "load-from-bytes-legacy", "gif-and-pickle", "catboost-and-pickle", "safetensors-and-pickle",
                                  "json-then-pickle", "png-persid-then-pickle"])
def test_a_pickle_within_or_beside_another_format_is_blocked(verdicts, name):
    assert verdicts["malicious", name]["verdict"] == "block"
