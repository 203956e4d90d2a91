# SPDX-License-Identifier: Apache-2.0
"""What several test_hub_*.py share: a folder like the one of the wire transcripts, and small raw requests."""
import hashlib
import json
import pathlib
import random


def random_bytes(n, seed=1):
    return random.Random(seed).randbytes(n)


def make_folder(path, seed=1):
    """README with a card, regular text, an empty file, a folder, binaries that must be large files."""
    p = pathlib.Path(path)
    (p / "sub").mkdir(parents=True)
    (p / "README.md").write_text("---\nlicense: apache-2.0\nlanguage: [en, zh]\ntags: [demo]\npipeline_tag: text-generation\n---\n# Demo\n\nA small thing for tests. More.\n")
    (p / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64}))
    (p / "empty.txt").write_bytes(b"")
    (p / "sub" / "notes.txt").write_text("notes\n" * 37)
    (p / "data.bin").write_bytes(random_bytes(5_000_000, seed))
    (p / "table.csv").write_text("a,b\n" + "".join("%d,%d\n" % (i, i * i) for i in range(1000)))
    return p


def tree_of(path):
    p = pathlib.Path(path)
    return {str(f.relative_to(p)): hashlib.sha256(f.read_bytes()).hexdigest() for f in p.rglob("*")
            if f.is_file() and ".cache" not in f.relative_to(p).parts and ".git" not in f.relative_to(p).parts and f.name != ".gitattributes"}


def blob_id(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def ndjson(*lines):
    return b"".join(json.dumps({"key": k, "value": v}).encode() + b"\n" for k, v in lines)


def commit(server, user, repo, *lines, rev="main", kind="models", query=""):
    """Raw commit; (status, headers, parsed body)."""
    s, h, b = server.http("POST", "/api/%s/%s/commit/%s%s" % (kind, repo, rev, query), user, ndjson(*lines), {"Content-Type": "application/x-ndjson"})
    return s, h, json.loads(b)


def get_json(server, path, user=None, want=200):
    s, h, b = server.http("GET", path, user)
    assert s == want, (path, s, b[:500])
    return json.loads(b)


def settled(server, repo, rev="main"):
    """The revision has been judged (downloads would wait, but tests of exact headers must not see the wait)."""
    v = server.wait_verdict(repo, rev)
    assert v["verdict"] != "pending", v
    return v
